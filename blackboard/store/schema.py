"""The tables of a board that have revisions: `commit_log` and `change` say what happened, the others what is.

`control` holds those that have none, `views` what a person reads. Keys of all kinds share `key`, whose `kind` is
`decision` or `component`.
"""

import sqlalchemy as sa

from blackboard.store.columns import integer, metadata, of_key, part, real, table, text
from blackboard.store.control import CONTROL

__all__ = ["APPLICATION_ID", "CONTROL", "SCHEMA", "metadata"]

SCHEMA = "0001"
"""The schema that this library writes; the newest file in migrations/versions makes it."""

APPLICATION_ID = 0x62627331
"""Marks a SQLite file as a board."""

# --- spec: the board and its log -------------------------------------------------------------------------------------

board = table(
    "board",
    integer("id", primary=True),
    text("epoch"),
    integer("revision"),
    text("digest"),
    real("store_time"),  # store time: the largest second ever given out, since the Unix epoch
    integer("installed"),  # the last commit that changed what `install` writes: what is kept of it is kept until then
    integer("first_revision"),  # the first kept revision: what is older was compacted
    text("mode", null=True),  # paused | draining: no work is handed out; sealed: nothing is written any more
    text("mode_reason"),
    text("library", null=True),  # version of the library that installed the team last; NULL: none did
)

commit_log = table(
    "commit_log",
    integer("revision", primary=True),
    text("digest"),
    text("author"),
    text("role", null=True),
    real("at"),  # store time
    integer("token", null=True),  # the lease under which it was made
    text("choreography", null=True),  # digest of the choreography that permitted it
)

change = table(
    "change",
    integer("revision", primary=True),
    integer("ordinal", primary=True),
    text("kind"),
    of_key("key_id", primary=False, null=True),  # NULL: what an operator did to the whole board
    integer("version", null=True),
    text("author"),
    text("step"),  # path of the step that permitted it, or what an operator named; "" where there is neither
    text("reason"),  # of a rejection, retraction, contest or operator's act
    text("digest"),  # of its content
    sa.Index("change_key", "key_id", "revision"),
    rowid=False,
)

# --- spec: what is agreed --------------------------------------------------------------------------------------------

key = table(
    "key",
    integer("id", primary=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    text("kind"),  # decision | component
    text("state"),  # decision: open | accepted | contested | retracted; component: written; absent: only named so far
    integer("last_version"),
    integer("current_version", null=True),  # the accepted version, or the newest of a component
    text("digest", null=True),  # of the current version
    integer("generation"),  # how often it was accepted
    integer("create_revision"),
    integer("member_revision"),  # when it last joined or left what a pattern names
    integer("question_revision"),  # when a question on it was last opened or closed
    integer("mod_revision"),
)

version = table(
    "version",
    of_key(),
    integer("version", primary=True),
    text("language"),
    text("text", null=True),  # NULL: compacted; the digests are kept for ever
    text("facets"),  # JSON: facet name -> digest
    text("digest"),
    text("state"),  # never superseded: that another version stands in its place is told by its key alone
    integer("base", null=True),  # the accepted version that it amends
    text("author"),
    text("role", null=True),
    text("rationale"),
    text("evidence"),  # JSON list
    text("electorate", null=True),  # JSON list of members, fixed in the proposal; NULL: nobody votes
    integer("quorum", null=True),
    integer("round"),
    integer("joint_revision", null=True),  # shared by the versions of a joint proposal: the revision that proposed it
    text("reason"),  # why it was rejected, withdrawn or retracted
    integer("revision"),
    integer("settled_revision", null=True),  # when it left `proposed`
    integer("merged_version", null=True),  # the version whose changes it has beside those of its base
    sa.Index("version_digest", "key_id", "digest"),
    sa.Index("version_live", "key_id", "version", sqlite_where=sa.text("state = 'proposed'")),
    sa.Index("version_joint", "joint_revision", sqlite_where=sa.text("joint_revision IS NOT NULL")),
    rowid=False,
)

key_history = table(  # which version was current, and in which state the key was, from a revision on
    "key_history",
    of_key(),
    integer("revision", primary=True),
    integer("version", null=True),
    text("state"),
    rowid=False,
)

current_facet = table(  # the facets of the current version; name "" is the set of names; digest NULL: removed
    "current_facet",
    of_key(),
    part("name"),
    integer("since"),  # the revision at which this value began
    text("digest", null=True),
    # Constraints have a facet for each key that they name (`contracts.constraint.NAMES`): by these they are found.
    sa.Index("current_facet_names", "name", sqlite_where=sa.text("name >= 'names:' AND name < 'names;'")),
    rowid=False,
)

facet_effect = table(  # what the change from the value of `old_since` to that of `new_since` means for each side
    "facet_effect",
    of_key(),
    part("name"),
    integer("new_since", primary=True),
    integer("old_since", primary=True),
    text("uses"),
    text("implements"),
    text("reason"),
    rowid=False,
)

staleness_rule = table(  # spec/staleness.py as data, for joins
    "staleness_rule",
    part("effect"),
    part("side"),
    part("validation"),
    text("state"),
    integer("rank"),
    rowid=False,
)

vote = table(
    "vote",
    of_key(),
    integer("version", primary=True),
    part("author"),
    integer("approve"),
    text("reason"),
    integer("revision"),
    rowid=False,
)

question = table(
    "question",
    of_key(),
    integer("revision", primary=True),
    text("text"),
    text("options"),  # JSON list
    text("author"),
    text("role", null=True),
    integer("closed_revision", null=True),
    rowid=False,
)

# --- spec: what is built and tested ----------------------------------------------------------------------------------

component_version = table(
    "component_version",
    of_key(),
    integer("version", primary=True),
    text("author"),
    text("role", null=True),
    text("digest"),  # of path -> blob digest
    integer("revision"),
    rowid=False,
)

blob = table("blob", part("digest"), sa.Column("content", sa.LargeBinary, nullable=False))

component_file = table(
    "component_file",
    of_key(),
    integer("version", primary=True),
    part("path"),
    sa.Column("blob", sa.Text, sa.ForeignKey("blob.digest"), nullable=False),
    sa.Index("component_file_path", "path"),  # whose module it is that is imported
    sa.Index("component_file_blob", "blob"),  # who deletes a blob looks whether a file still names it
    rowid=False,
)

pin = table(  # what a version of a component was built against
    "pin",
    of_key("component_id"),
    integer("component_version", primary=True),
    of_key("key_id"),
    part("name"),
    part("side"),
    integer("version"),
    integer("since"),
    text("digest"),
    integer("observed", null=True),  # 1: nobody read it, the code shows that it is used
    sa.Index("pin_by_facet", "key_id", "name", "since", "component_id", "component_version"),
    rowid=False,
)

pattern = table("pattern", integer("id", primary=True), sa.Column("pattern", sa.Text, nullable=False, unique=True))

pattern_member = table(  # accepted decisions under a pattern that some component pins, and since when
    "pattern_member",
    sa.Column("pattern_id", sa.Integer, sa.ForeignKey("pattern.id"), primary_key=True),
    of_key(),
    integer("since"),
    rowid=False,
)

pattern_pin = table(
    "pattern_pin",
    of_key("component_id"),
    integer("component_version", primary=True),
    sa.Column("pattern_id", sa.Integer, sa.ForeignKey("pattern.id"), primary_key=True),
    integer("since"),  # the revision of the component's version: a member that joined later makes it stale
    rowid=False,
)

verdict = table(
    "verdict",
    part("check_name"),
    of_key("component_id"),
    integer("revision", primary=True),
    integer("version"),
    integer("passed"),
    text("log"),
    text("inputs"),  # digest of the inputs and the check's definition
    text("author"),
    integer(
        "settles_suspicion"
    ),  # 1: of a component that was suspect, and with it known whether the changes did it harm
    sa.Index("verdict_settling", "component_id", "version", "revision", sqlite_where=sa.text("settles_suspicion = 1")),
    rowid=False,
)

subscription = table(  # the sources that want to know when a component becomes stale or suspect
    "subscription",
    of_key("component_id"),
    part("source"),
    part("kind"),
    integer("version"),  # the component's current one
    rowid=False,
)

requirement = table(  # the decisions for which a component waits, from its accepted task; patterns expanded
    "requirement",
    of_key("component_id"),
    of_key("key_id"),
    integer("named"),  # 1 by its key; 0 by a pattern: then a key that nobody decides is not waited for
    rowid=False,
)

requirement_pattern = table(  # patterns that an accepted task names: a new decision under one is needed too
    "requirement_pattern",
    of_key("component_id"),
    sa.Column("pattern_id", sa.Integer, sa.ForeignKey("pattern.id"), primary_key=True),
    rowid=False,
)

# --- spec: where the choreography stands -----------------------------------------------------------------------------

step_instance = table(
    "step_instance",
    of_key(),
    part("path"),
    text("state"),  # JSON
    integer("revision"),
    rowid=False,
)

deadline = table(
    "deadline",
    of_key(),
    part("path"),
    integer("round"),
    real("due"),  # store time
    rowid=False,
)

idempotency = table(  # content NULL: declared void by find_commit
    "idempotency",
    part("author"),
    part("idempotency_key"),
    text("content", null=True),
    integer("revision", null=True),
    text("accepted"),  # JSON list of [key, version]
    integer("head_before", null=True),
    rowid=False,
)

compaction = table(  # what the log below a revision came to, so that the chain is whole without it
    "compaction",
    integer("revision", primary=True),  # the commit that compacted
    integer("before"),  # the first revision that it kept
    text("digest"),  # of the chain at the revision before that
    text("state"),  # digest of what is kept of the spec as it was at that revision
)

compacted_key = table(  # what the changes before the first kept revision made of a key
    "compacted_key",
    of_key(),
    text("state"),
    integer("last_version"),
    integer("current_version", null=True),
    integer("generation"),
    integer("member_revision"),
    integer("mod_revision"),
    text("contested", null=True),  # why it was contested last
    text("facets"),  # JSON: facet name -> [since, digest]
    rowid=False,
)

# How many keys exist under a template that the choreography bounds.
instance_count = table("instance_count", part("template"), integer("keys"), rowid=False)
