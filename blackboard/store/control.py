"""The tables of a board that have no revision: agenda, leases, budgets, model calls. They are in no feed."""

import sqlalchemy as sa

from blackboard.store.columns import integer, of_key, part, real, table, text

activation = table(
    "activation",
    integer("id", primary=True),
    text("source"),  # its name; the record is the decision source/<name>
    integer("target_id"),  # of a key; keys never go, so nothing has to look for each of thousands that become stale
    text("kind"),  # the trigger that woke it last
    text("state"),  # pending | leased | done | obviated | dead | looped
    real("rating"),
    integer("run_again"),  # while leased: 1 a trigger fired since; 0 if the run does not finish; -1 a commit settled it
    integer("attempts"),
    integer("revision"),  # the commit that woke it last
    real("pending_since"),  # store time
    real("not_before"),  # store time; after a failure it waits
    text("error", null=True),  # class name of the last failure
    text("reason"),  # its text; the cycle, as JSON, where looped
    sa.UniqueConstraint("target_id", "source"),
    sa.Index(  # in the order in which they are claimed; SQLite uses it only where its condition is written as here
        "activation_pending",
        "source",
        sa.text("rating DESC"),
        "pending_since",
        "id",
        sqlite_where=sa.text("state = 'pending'"),
    ),
)

_HOLDER = ("state", "host", "process", "process_started", "source", "expires")
lease = table(  # the newest row of a target's source is the only valid one; a row is also the record of one run
    "lease",
    sa.Column("token", sa.Integer, primary_key=True),
    sa.Column("activation_id", sa.Integer, sa.ForeignKey("activation.id"), nullable=False),
    text("source"),
    text("role"),
    of_key("target_id", primary=False),
    text("kind"),  # the trigger that woke the run; the activation's may be newer
    integer("cause"),  # the revision that woke the run: commit -> lease -> cause is the causal chain
    text("host"),
    integer("process"),
    real("process_started"),
    real("claimed"),
    real("expires"),
    real("longest_until"),  # renewal never goes past this
    text("state"),  # live | finished | released | expired | revoked
    sa.Index("lease_activation", "activation_id", "token"),
    # Every claim writes each of these: few live at once, so one answers nearly all that is asked of the living.
    sa.Index("lease_live", *_HOLDER, sqlite_where=sa.text("state = 'live'")),
    sa.Index("lease_target", "target_id", sqlite_where=sa.text("state = 'live'")),
    sa.Index("lease_expired", "target_id", sqlite_where=sa.text("state = 'expired'")),
    growing=True,  # a token is never given out twice
)

quiescence = table("quiescence", integer("revision", primary=True), real("at"))

budget = table(
    "budget",
    part("resource"),
    real("cap"),
    real("spent"),
    real("held"),
    real("given"),  # what the team's file says; the cap is larger where an operator raised it
)

resource_hold = table(  # what a live lease holds of a budget or resource, given back or counted as spent at its end
    "resource_hold",
    sa.Column("token", sa.Integer, sa.ForeignKey("lease.token"), primary_key=True),
    part("resource"),
    real("amount"),
)

refusal_count = table(  # conflicts in a row of one author on one target; a commit on it ends the row
    "refusal_count",
    part("author"),
    part("target"),
    integer("count"),
    real("at"),  # store time of the last
    rowid=False,
)

reservation = table(  # a short exclusive intent on what was contested
    "reservation",
    part("author"),
    part("kind"),  # decision | component | facet | members | question | any: as in a read set
    part("key"),  # a key, or a pattern
    part("name"),  # of a facet, else ""
    text("target"),  # for whose sake
    real("since"),  # store time
    real("until"),  # store time
    rowid=False,
)

resource = table("resource", part("name"), integer("units"))

source_state = table(  # of a source
    "source_state",
    part("source"),
    integer("refused"),  # refused results in a row
    text("quarantined", null=True),  # why
)

call = table(  # one call of a model
    "call",
    integer("id", primary=True),
    integer("activation_id"),
    integer("token"),  # the lease, which is the run
    text("source"),
    text("target"),  # a key
    text("kind"),  # the trigger that woke the run
    integer("attempt"),  # of the activation
    integer("number"),  # of the call in its run: 1, 2, 3 …
    text("model"),
    text("prompt", null=True),  # digest of a call_text, which may be deleted; NULL: not recorded
    text("reply", null=True),  # likewise
    integer("input_tokens", null=True),
    integer("output_tokens", null=True),
    real("money", null=True),  # NULL: no price was known
    text("currency"),  # of the price table
    real("began"),  # store time
    real("seconds", null=True),
    text("outcome"),  # running | answered | refused | truncated | timed out | the name of an error
    sa.Index("call_token", "token"),
    sa.Index("call_target", "target"),
)

call_text = table(  # a prompt or reply, redacted and cut
    "call_text",
    part("digest"),
    real("used"),  # store time of the last call that had it
    integer("bytes"),
    text("text"),
    sa.Index("call_text_used", "used", "bytes"),
)

worker = table(  # a process that executes sources of the team; it renews its row and deletes it at its end
    "worker",
    part("host"),  # as in a lease
    integer("process", primary=True),
    sa.Column("process_started", sa.Double, primary_key=True),
    integer("number", primary=True),  # of the worker among those of its process
    text("library"),  # version
    text("sources"),  # JSON list of names
    real("began"),  # store time
    real("seen"),  # store time
    rowid=False,
)

CONTROL = frozenset(
    one.name
    for one in (
        activation,
        quiescence,
        budget,
        call,
        call_text,
        resource_hold,
        lease,
        refusal_count,
        reservation,
        resource,
        source_state,
        worker,
    )
)
"""Tables that are durable but have no revision."""
