"""The tables of a board that have no revision: agenda, leases, budgets, model calls. They are in no feed."""

import sqlalchemy as sa

from blackboard.store.columns import REAL, identifier, index, integer, number, of_key, part, real, refers, table, text

activation = table(
    "activation",
    "The agenda: requests of a source to act on a target, one row for each pair.",
    identifier("The number of the activation."),
    text("source", "The name of the source."),
    # No foreign key: keys are never deleted, and a check for each of thousands that become stale costs too much.
    integer("target_id", "The key to act on."),
    text("kind", "The trigger that woke it last."),
    text("state", "pending, leased, done, obviated, dead or looped."),
    real("rating", "The highest is claimed first."),
    integer("run_again", "While leased: 1 it was woken again; 0 it was not; -1 a commit did what it asks for."),
    integer("attempts", "How often it was claimed since it was last done."),
    integer("revision", "The commit that woke it last."),
    real("pending_since", "Store time at which it became pending."),
    real("not_before", "Store time before which it is not claimed: after a failure it waits."),
    text("error", "Class name of the last failure.", null=True),
    text("reason", "Text of the last failure; where looped, the cycle as JSON."),
    sa.UniqueConstraint("target_id", "source"),
    # In the order in which they are claimed; SQLite uses it only where its condition is written as here.
    index("activation_pending", "source", "rating DESC", "pending_since", "id", where="state = 'pending'"),
)

_HOLDER = ("state", "host", "process", "process_started", "source", "expires")
lease = table(
    "lease",
    "Leases: one row for each run. Of a target and source only the newest row is valid.",
    identifier("The fencing token: grows, and is never given out twice.", "token"),
    refers("activation.id", "activation_id", "The activation that was claimed."),
    text("source", "The name of the source."),
    text("role", "The role of the source."),
    of_key("The key to act on.", name="target_id", primary=False),
    text("kind", "The trigger that woke this run; the activation's may be newer."),
    integer("cause", "The revision that woke this run: commit, lease, cause is the causal chain."),
    text("host", "The host of the process that holds it."),
    integer("process", "The number of the process that holds it."),
    real("process_started", "When the process started, by its host."),
    real("claimed", "Store time of the claim."),
    real("expires", "Store time at which it ends unless renewed."),
    real("longest_until", "Store time beyond which it is not renewed."),
    text("state", "live, finished, released, expired or revoked."),
    index("lease_activation", "activation_id", "token"),
    # Every claim writes each of these: few live at once, so one answers nearly all that is asked of the living.
    index("lease_live", *_HOLDER, where="state = 'live'"),
    index("lease_target", "target_id", where="state = 'live'"),
    index("lease_expired", "target_id", where="state = 'expired'"),
    growing=True,
)

quiescence = table(
    "quiescence",
    "The revisions at which nothing was left to do, and the sources that wait for that were woken.",
    number("revision", "The revision."),
    real("at", "Store time."),
)

budget = table(
    "budget",
    "What a team may spend.",
    part("resource", "tokens, money, seconds or activations."),
    real("cap", "The most that may be spent."),
    real("spent", "What was spent."),
    real("held", "What live leases hold."),
    real("given", "What the team's file says; the cap is larger where an operator raised it."),
)

resource_hold = table(
    "resource_hold",
    "What a live lease holds of a budget or resource; given back or counted as spent when it ends.",
    refers("lease.token", "token", "The lease.", primary=True),
    part("resource", "The budget or resource."),
    real("amount", "How much."),
)

refusal_count = table(
    "refusal_count",
    "Conflicts in a row of one author on one target; a commit on it ends the row.",
    part("author", "Whose commits were refused."),
    part("target", "The key that they were about."),
    integer("count", "How many in a row."),
    real("at", "Store time of the last."),
    rowid=False,
)

reservation = table(
    "reservation",
    "Short exclusive rights to what an author lost by repeated conflicts.",
    part("author", "Whose right it is."),
    part("kind", "decision, component, facet, members, question or any, as in a read set."),
    part("key", "A key or pattern."),
    part("name", "Of a facet, else empty."),
    text("target", "The key that the author wants to write."),
    real("since", "Store time."),
    real("until", "Store time at which it ends."),
    rowid=False,
)

resource = table(
    "resource",
    "Things of which only so many units can be used at once.",
    part("name", "The name."),
    integer("units", "How many there are."),
)

source_state = table(
    "source_state",
    "Sources whose results were refused.",
    part("source", "The name of the source."),
    integer("refused", "How many results in a row were refused."),
    text("quarantined", "Why it gets no more work. NULL: it does.", null=True),
)

call = table(
    "call",
    "Calls of models.",
    identifier("The number of the call."),
    integer("activation_id", "The activation."),
    integer("token", "The lease, which is the run."),
    text("source", "The name of the source."),
    text("target", "The key that it acts on."),
    text("kind", "The trigger that woke the run."),
    integer("attempt", "The attempt at the activation."),
    integer("number", "The number of the call in its run: 1, 2, 3 and so on."),
    text("model", "The model."),
    text("prompt", "Digest of a call_text, which may be deleted. NULL: not recorded.", null=True),
    text("reply", "Digest of a call_text, which may be deleted. NULL: not recorded.", null=True),
    integer("input_tokens", "Tokens of the prompt.", null=True),
    integer("output_tokens", "Tokens of the reply.", null=True),
    real("money", "What it cost. NULL: no price was known.", null=True),
    text("currency", "Of the price table."),
    real("began", "Store time at which it was sent."),
    real("seconds", "How long it took.", null=True),
    text("outcome", "running, answered, refused, truncated, timed out or the name of an error."),
    index("call_token", "token"),
    index("call_target", "target"),
)

call_text = table(
    "call_text",
    "Prompts and replies, redacted and cut.",
    part("digest", "Of the text."),
    real("used", "Store time of the last call that had it."),
    integer("bytes", "Its size."),
    text("text", "The text."),
    index("call_text_used", "used", "bytes"),
)

worker = table(
    "worker",
    "Processes that execute sources of the team. Each renews its row, and deletes it at its end.",
    part("host", "As in a lease."),
    number("process", "As in a lease."),
    sa.Column("process_started", REAL, primary_key=True, comment="As in a lease."),
    number("number", "The number of the worker among those of its process."),
    text("library", "Version of the library."),
    text("sources", "Their names, a JSON list."),
    real("began", "Store time at which it began."),
    real("seen", "Store time at which it renewed its row last."),
    rowid=False,
)

CONTROL = frozenset(
    one.name
    for one in (
        activation,
        budget,
        call,
        call_text,
        lease,
        quiescence,
        refusal_count,
        reservation,
        resource,
        resource_hold,
        source_state,
        worker,
    )
)
"""Tables that are durable but have no revision."""
