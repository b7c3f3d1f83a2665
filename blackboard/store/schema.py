"""The tables of a board, in two classes; `views` holds what a person reads.

*Spec* tables have revisions: `commit_log` and `change` say what happened, the others what is. *Control* tables
(agenda, leases, budgets) are durable but have no revision. Keys of all kinds share `key`, whose `kind` is
`decision` or `component`.
"""

import sqlalchemy as sa

metadata = sa.MetaData()

SCHEMA = "2"
"""The schema that this library writes; the newest file in migrations/versions makes it."""

APPLICATION_ID = 0x62627331
"""Marks a SQLite file as a board."""


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=null)


def _integer(name: str, *, null: bool = False, primary: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=null, primary_key=primary)


def _part(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=True)


def _key(name: str = "key_id", *, primary: bool = True, null: bool = False) -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    return sa.Column(name, kind, sa.ForeignKey("key.id"), primary_key=primary, nullable=null, autoincrement=False)


def _real(name: str, *, null: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Double, nullable=null)


def _table(name: str, *items: sa.schema.SchemaItem, rowid: bool = True, growing: bool = False) -> sa.Table:
    return sa.Table(name, metadata, *items, sqlite_with_rowid=rowid, sqlite_autoincrement=growing)


# --- spec: the board and its log -------------------------------------------------------------------------------------

board = _table(
    "board",
    _integer("id", primary=True),
    _text("epoch"),
    _integer("revision"),
    _text("digest"),
    _real("clock"),  # store time: the largest second ever given out, since the Unix epoch
    _integer("installed"),  # the last commit that changed what `install` writes: what is kept of it is kept until then
    _integer("first"),  # the first kept revision: what is older was compacted
    _text("halt", null=True),  # paused | draining: no work is handed out; sealed: nothing is written any more
    _text("halt_reason"),
)

commit_log = _table(
    "commit_log",
    _integer("revision", primary=True),
    _text("digest"),
    _text("author"),
    _text("role", null=True),
    _real("at"),  # store time
    _integer("token", null=True),  # the lease under which it was made
    _text("choreography", null=True),  # digest of the choreography that permitted it
)

change = _table(
    "change",
    _integer("revision", primary=True),
    _integer("ordinal", primary=True),
    _text("kind"),
    _key("key_id", primary=False, null=True),  # NULL: what an operator did to the whole board
    _integer("version", null=True),
    _text("author"),
    _text("path"),  # of the step that permitted it, or what an operator named; "" where there is neither
    _text("reason"),  # of a rejection, retraction, contest or operator's act
    _text("digest"),  # of its content
    sa.Index("change_key", "key_id", "revision"),
    rowid=False,
)

# --- spec: what is agreed --------------------------------------------------------------------------------------------

key = _table(
    "key",
    _integer("id", primary=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    _text("kind"),  # decision | component
    _text("state"),  # decision: open | accepted | contested | retracted; component: written; absent: only named so far
    _integer("last_version"),
    _integer("current", null=True),  # the accepted version, or the newest of a component
    _text("digest", null=True),  # of the current version
    _integer("generation"),  # how often it was accepted
    _integer("create_revision"),
    _integer("member_revision"),  # when it last joined or left what a pattern names
    _integer("question_revision"),  # when a question on it was last opened or closed
    _integer("mod_revision"),
)

version = _table(
    "version",
    _key(),
    _integer("version", primary=True),
    _text("language"),
    _text("text", null=True),  # NULL: compacted; the digests are kept for ever
    _text("facets"),  # JSON: facet name -> digest
    _text("digest"),
    _text("state"),
    _integer("base", null=True),  # the accepted version that it amends
    _text("author"),
    _text("role", null=True),
    _text("rationale"),
    _text("evidence"),  # JSON list
    _text("electorate", null=True),  # JSON list of members, fixed in the proposal; NULL: nobody votes
    _integer("quorum", null=True),
    _integer("round"),
    _integer("joint", null=True),  # shared by the versions of a joint proposal: the revision that proposed it
    _text("reason"),  # why it was rejected, withdrawn or retracted
    _integer("revision"),
    _integer("settled_revision", null=True),  # when it left `proposed`
    sa.Index("version_digest", "key_id", "digest"),
    sa.Index("version_live", "key_id", "version", sqlite_where=sa.text("state = 'proposed'")),
    sa.Index("version_joint", "joint", sqlite_where=sa.text("joint IS NOT NULL")),
    rowid=False,
)

tenure = _table(  # which version was current, and in which state the key was, from a revision on
    "tenure",
    _key(),
    _integer("revision", primary=True),
    _integer("version", null=True),
    _text("state"),
    rowid=False,
)

head_facet = _table(  # the facets of the current version; name "" is the set of names; digest NULL: removed
    "head_facet",
    _key(),
    _part("name"),
    _integer("since"),  # the revision at which this value began
    _text("digest", null=True),
    rowid=False,
)

facet_effect = _table(  # what the change from the value of `old_since` to that of `new_since` means for each side
    "facet_effect",
    _key(),
    _part("name"),
    _integer("new_since", primary=True),
    _integer("old_since", primary=True),
    _text("uses"),
    _text("implements"),
    _text("reason"),
    rowid=False,
)

staleness = _table(  # spec/staleness.py as data, for joins
    "staleness",
    _part("effect"),
    _part("side"),
    _part("validation"),
    _text("state"),
    _integer("rank"),
    rowid=False,
)

vote = _table(
    "vote",
    _key(),
    _integer("version", primary=True),
    _part("author"),
    _integer("approve"),
    _text("reason"),
    _integer("revision"),
    rowid=False,
)

question = _table(
    "question",
    _key(),
    _integer("revision", primary=True),
    _text("text"),
    _text("options"),  # JSON list
    _text("author"),
    _text("role", null=True),
    _integer("closed_revision", null=True),
    rowid=False,
)

# --- spec: what is built and tested ----------------------------------------------------------------------------------

component = _table(
    "component",
    _key(),
    _integer("version", primary=True),
    _text("author"),
    _text("role", null=True),
    _text("digest"),  # of path -> blob digest
    _integer("revision"),
    rowid=False,
)

blob = _table("blob", _part("digest"), sa.Column("content", sa.LargeBinary, nullable=False))

component_file = _table(
    "component_file",
    _key(),
    _integer("version", primary=True),
    _part("path"),
    sa.Column("blob", sa.Text, sa.ForeignKey("blob.digest"), nullable=False),
    sa.Index("component_file_blob", "blob"),  # who deletes a blob looks whether a file still names it
    rowid=False,
)

pin = _table(  # what a version of a component was built against
    "pin",
    _key("component_id"),
    _integer("component_version", primary=True),
    _key("key_id"),
    _part("name"),
    _part("side"),
    _integer("version"),
    _integer("since"),
    _text("digest"),
    sa.Index("pin_by_facet", "key_id", "name", "since", "component_id", "component_version"),
    rowid=False,
)

pattern = _table("pattern", _integer("id", primary=True), sa.Column("pattern", sa.Text, nullable=False, unique=True))

pattern_member = _table(  # accepted decisions under a pattern that some component pins, and since when
    "pattern_member",
    sa.Column("pattern_id", sa.Integer, sa.ForeignKey("pattern.id"), primary_key=True),
    _key(),
    _integer("since"),
    rowid=False,
)

pattern_pin = _table(
    "pattern_pin",
    _key("component_id"),
    _integer("component_version", primary=True),
    sa.Column("pattern_id", sa.Integer, sa.ForeignKey("pattern.id"), primary_key=True),
    _integer("since"),  # the revision of the component's version: a member that joined later makes it stale
    rowid=False,
)

verdict = _table(
    "verdict",
    _part("check_name"),
    _key("component_id"),
    _integer("revision", primary=True),
    _integer("version"),
    _integer("passed"),
    _text("log"),
    _text("inputs"),  # digest of the inputs and the check's definition
    _text("author"),
    _integer("settles"),  # 1: of a component that was suspect, and with it known whether the changes did it harm
    sa.Index("verdict_settling", "component_id", "version", "revision", sqlite_where=sa.text("settles = 1")),
    rowid=False,
)

wakes = _table(  # the sources that want to know when a component becomes stale or suspect
    "wakes",
    _key("component_id"),
    _part("source"),
    _part("kind"),
    _integer("version"),  # the component's current one
    rowid=False,
)

need = _table(  # the decisions for which a component waits, from its accepted task; patterns expanded
    "need",
    _key("component_id"),
    _key("key_id"),
    _integer("named"),  # 1 by its key; 0 by a pattern: then a key that nobody decides is not waited for
    rowid=False,
)

need_pattern = _table(  # patterns that an accepted task names: a new decision under one is needed too
    "need_pattern",
    _key("component_id"),
    sa.Column("pattern_id", sa.Integer, sa.ForeignKey("pattern.id"), primary_key=True),
    rowid=False,
)

# --- spec: where the choreography stands -----------------------------------------------------------------------------

position = _table(
    "position",
    _key(),
    _part("path"),
    _text("state"),  # JSON
    _integer("revision"),
    rowid=False,
)

deadline = _table(
    "deadline",
    _key(),
    _part("path"),
    _integer("round"),
    _real("due"),  # store time
    rowid=False,
)

idempotency = _table(  # content NULL: declared void by find_commit
    "idempotency",
    _part("author"),
    _part("idempotency_key"),
    _text("content", null=True),
    _integer("revision", null=True),
    _text("accepted"),  # JSON list of [key, version]
    _integer("head_before", null=True),
    rowid=False,
)

compaction = _table(  # what the log below a revision came to, so that the chain is whole without it
    "compaction",
    _integer("revision", primary=True),  # the commit that compacted
    _integer("before"),  # the first revision that it kept
    _text("digest"),  # of the chain at the revision before that
    _text("state"),  # digest of what is kept of the spec as it was at that revision
)

compacted_key = _table(  # what the changes before the first kept revision made of a key
    "compacted_key",
    _key(),
    _text("state"),
    _integer("last_version"),
    _integer("current", null=True),
    _integer("generation"),
    _integer("member_revision"),
    _integer("mod_revision"),
    _text("contested", null=True),  # why it was contested last
    _text("facets"),  # JSON: facet name -> [since, digest]
    rowid=False,
)

# Rows that later commits write over, as the history before the first kept revision gave them: JSON lists.
compacted_row = _table("compacted_row", _part("name"), _part("row"), rowid=False)
# How many keys exist under a template that the choreography bounds.
instance_count = _table("instance_count", _part("template"), _integer("keys"), rowid=False)

# --- control ---------------------------------------------------------------------------------------------------------

activation = _table(
    "activation",
    _integer("id", primary=True),
    _text("source"),  # its name; the record is the decision source/<name>
    _integer("target_id"),  # of a key; keys never go, so nothing has to look for each of thousands that become stale
    _text("kind"),  # the trigger that woke it last
    _text("state"),  # pending | leased | done | obviated | dead | looped
    _real("rating"),
    _integer("dirty"),
    _integer("attempts"),
    _integer("revision"),  # the commit that woke it last
    _real("since"),  # store time
    _real("not_before"),  # store time; after a failure it waits
    _text("error", null=True),  # class name of the last failure
    _text("reason"),  # its text; the cycle, as JSON, where looped
    sa.UniqueConstraint("target_id", "source"),
    sa.Index(  # in the order in which they are claimed; SQLite uses it only where its condition is written as here
        "activation_pending",
        "source",
        sa.text("rating DESC"),
        "since",
        "id",
        sqlite_where=sa.text("state = 'pending'"),
    ),
)

_HOLDER = ("state", "host", "process", "process_started", "source", "expires")
lease = _table(  # the newest row of a target's source is the only valid one; a row is also the record of one run
    "lease",
    sa.Column("token", sa.Integer, primary_key=True),
    sa.Column("activation_id", sa.Integer, sa.ForeignKey("activation.id"), nullable=False),
    _text("source"),
    _text("role"),
    _key("target_id", primary=False),
    _text("kind"),  # the trigger that woke the run; the activation's may be newer
    _integer("cause"),  # the revision that woke the run: commit -> lease -> cause is the causal chain
    _text("host"),
    _integer("process"),
    _real("process_started"),
    _real("claimed"),
    _real("expires"),
    _real("until"),  # renewal never goes past this
    _text("state"),  # live | finished | released | expired | revoked
    sa.Index("lease_activation", "activation_id", "token"),
    # Every claim writes each of these: few live at once, so one answers nearly all that is asked of the living.
    sa.Index("lease_live", *_HOLDER, sqlite_where=sa.text("state = 'live'")),
    sa.Index("lease_target", "target_id", sqlite_where=sa.text("state = 'live'")),
    sa.Index("lease_expired", "target_id", sqlite_where=sa.text("state = 'expired'")),
    growing=True,  # a token is never given out twice
)

announcement = _table("announcement", _integer("revision", primary=True), _real("at"))

budget = _table(
    "budget",
    _part("resource"),
    _real("cap"),
    _real("spent"),
    _real("held"),
    _real("given"),  # what the team's file says; the cap is larger where an operator raised it
)

hold = _table(  # what a live lease holds of a budget or resource, given back or counted as spent at its end
    "hold",
    sa.Column("token", sa.Integer, sa.ForeignKey("lease.token"), primary_key=True),
    _part("resource"),
    _real("amount"),
)

refusal = _table(  # conflicts in a row of one author on one target; a commit on it ends the row
    "refusal",
    _part("author"),
    _part("target"),
    _integer("count"),
    _real("at"),  # store time of the last
    rowid=False,
)

reservation = _table(  # a short exclusive intent on what was contested
    "reservation",
    _part("author"),
    _part("kind"),  # decision | component | facet | members | question | any: as in a read set
    _part("key"),  # a key, or a pattern
    _part("name"),  # of a facet, else ""
    _text("target"),  # for whose sake
    _real("since"),  # store time
    _real("until"),  # store time
    rowid=False,
)

resource = _table("resource", _part("name"), _integer("units"))

standing = _table(  # of a source
    "standing",
    _part("source"),
    _integer("refused"),  # refused results in a row
    _text("quarantined", null=True),  # why
)

CONTROL = frozenset(
    table.name for table in (activation, lease, announcement, budget, hold, refusal, reservation, resource, standing)
)
"""Tables that are durable but have no revision."""
