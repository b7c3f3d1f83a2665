"""Commit: plan outside, then apply in one transaction under the board's row.

Invariants: the row is taken before anything is read, so two planners that saw the same head cannot both find their
footprint untouched; revision and digest follow the stored ones; what a commit wakes is written with it, because a
commit without its triggers would be a lost wake-up.
"""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from blackboard.errors import Conflict, KeyReused
from blackboard.spec.canonical import JSON, json_made
from blackboard.spec.changes import Ask, Committed, Decide, Intent, Plan, Refusal, Withdraw
from blackboard.spec.footprint import Footprint
from blackboard.spec.keys import key_range, matches
from blackboard.store import agenda, reservations, schema
from blackboard.store.apply import Application
from blackboard.store.content import content_digest
from blackboard.store.facts import HeadFacts
from blackboard.store.feed import check_kept
from blackboard.store.instances import count_instances
from blackboard.store.opened import Store
from blackboard.store.premises import conflict
from blackboard.store.session import Turn
from blackboard.store.statements import Reads, Statement, insert_into
from blackboard.store.wake import update_agenda

Planner = Callable[[HeadFacts, Intent], Plan | Refusal]
Beside = Callable[[Turn, Plan], None]

ROUNDS = 2
"""How often a plan is made outside before it is made under the row."""

_FEW = 64
"""Through so many commits it is looked for what they changed, before it is asked whether what was read still stands."""

_SHORT = frozenset({Ask, Withdraw})
_SHORT_CHARACTERS = 4096

_SEEN = Statement(
    "SELECT content, revision, accepted, head_before FROM idempotency "
    "WHERE author = :author AND idempotency_key = :idempotency_key"
)
_REMEMBER = insert_into(schema.idempotency, ignore=True)
_BROKEN_DECISIONS = Statement("""
    SELECT 'decision' AS kind, e.key, '' AS name FROM json_each(:reads) e
    LEFT JOIN key k ON k.key = e.key AND k.kind = 'decision' WHERE k.digest IS NOT e.value""")
_BROKEN = Statement("""
    WITH expected AS (
      SELECT json_extract(value, '$[0]') AS kind, json_extract(value, '$[1]') AS key,
             json_extract(value, '$[2]') AS name, json_extract(value, '$[3]') AS value
      FROM json_each(:reads))
    SELECT e.kind, e.key, e.name FROM expected e
    LEFT JOIN key k ON k.key = e.key
    LEFT JOIN current_facet h ON h.key_id = k.id AND h.name = e.name AND e.kind = 'facet'
    WHERE CASE e.kind
      WHEN 'component' THEN CASE WHEN k.kind = 'component' THEN k.current_version END
      -- An absent facet is one that the accepted version lacks: without one the read does not hold.
      WHEN 'facet' THEN CASE WHEN k.current_version IS NOT NULL THEN coalesce(h.digest, '') END
      ELSE nullif(k.mod_revision, 0) END IS NOT CASE e.kind WHEN 'facet' THEN coalesce(e.value, '') ELSE e.value END""")
_CHANGED = Statement("SELECT k.key, c.kind FROM change c LEFT JOIN key k ON k.id = c.key_id WHERE c.revision > :after")
_JOINED = Statement(
    "SELECT key, kind, member_revision, question_revision FROM key WHERE key >= :low AND key < :high "
    "AND (member_revision > :base OR question_revision > :base)"
)

Broken = list[tuple[str, str, str]]
"""(kind of read, key, facet name) of what no longer holds."""


def commit(store: Store, intent: Intent, *, replan: Planner, beside: Beside | None = None) -> Committed:
    """Plan an intent and apply the plan.

    Args:
        store: Of the board.
        intent: What is wanted.
        replan: Makes a plan of it.
        beside: Called in the turn that applies the plan, before its rows; may refuse it, or write control rows.

    Raises:
        Refused: Certainly nothing happened.
        Compacted: Nothing was written; its base is no longer kept.
        CommitUnknown: The engine failed at COMMIT.
    """
    if not intent.acts:
        return _validate_only(store, intent)
    # Before any turn, in which others wait.
    content = content_digest(intent)
    attempt = Attempt(store, intent, content, replan, beside)
    for number in range(ROUNDS + 1):
        done = _under_row(attempt, outside=number < ROUNDS)
        if done is not None:
            return done
    raise RuntimeError("a plan made under the row was overtaken: the row does not exclude others")


def _validate_only(store: Store, intent: Intent) -> Committed:
    with store.database.reading() as connection:
        revision = HeadFacts(connection, store.kept).revision
        broken = broken_reads(connection, intent)
    if broken:
        raise conflict(store, intent, broken)
    return Committed(revision, (), revision)


def _under_row(attempt: "Attempt", *, outside: bool) -> Committed | None:
    """Plan, outside or under the row, validate and apply; None where the plan was overtaken and has to be made again.

    Threads that wait have their plans made by the one who leads them: to hand each statement of a plan from one thread
    to another costs more than the statement. What may take long is planned by who wants it.
    """
    store, intent = attempt.store, attempt.intent
    attempt.planned, before = None, attempt.plan if outside else None
    if before is not None and not _is_short(intent):
        before()
        before = None
    done = store.writer.run(attempt.once, intent.idempotency_key, before=before, over_seal=True)
    if isinstance(done, list):
        raise conflict(store, intent, done)
    return done


class Attempt:
    """What is done for a commit before its turn and in it, in whichever thread."""

    def __init__(self, store: Store, intent: Intent, content: str, replan: Planner, beside: Beside | None) -> None:
        self.store, self.intent = store, intent
        self.content, self.beside, self._replan = content, beside, replan
        self.planned: Plan | Refusal | None = None

    def plan(self) -> None:
        """Plan it outside any transaction that writes."""
        with self.store.database.reading(place_checked=False) as connection:
            self.planned = self._replan(HeadFacts(connection, self.store.kept), self.intent)

    def _plan_under_row(self, turn: Turn) -> Plan | Refusal:
        return self._replan(HeadFacts(turn, self.store.kept, in_turn=True), self.intent)

    def once(self, turn: Turn) -> Committed | Broken | None:
        """Return the first result where it comes again, else that of this turn."""
        intent, planned = self.intent, self.planned
        stands = planned is not None and _stands(turn, intent, planned)
        # Whatever refuses one yet of which this can be said is raised, and undoes all of it.
        foreseen = (
            Committed(turn.revision + 1, planned.accepted, turn.revision)
            if stands and isinstance(planned, Plan) and planned.changes
            else None
        )
        if foreseen is None or not remember(turn, intent.author, intent.idempotency_key, self.content, foreseen):
            replayed = replayed_of(turn, intent.author, intent.idempotency_key, self.content)
            if replayed is not None:
                return replayed
        done = self._validated(turn, stands=stands)
        if foreseen is None and isinstance(done, Committed):
            remember(turn, intent.author, intent.idempotency_key, self.content, done)
        return done

    def _validated(self, turn: Turn, *, stands: bool) -> Committed | Broken | None:
        intent = self.intent
        # Not before: who asks again for what was committed before the seal is told so.
        turn.check_seal()
        # Below the window nobody knows any more whether it was committed already.
        check_kept(intent.base, turn.first)
        if intent.token is not None:
            agenda.fence(turn, intent.token)
        # A plan may find that more is relied on than was read: that is looked at too.
        found = self._plan_under_row(turn) if self.planned is None else self.planned
        if stands:
            return _permitted(turn, intent, found, self.beside)
        # At the head that was read, what was read stands.
        broken = broken_reads(turn, intent) if turn.revision != intent.base else []
        if broken and self.planned is not None:
            found = self._plan_under_row(turn)
        if broken:
            return _in_conflict(turn, intent, found, broken, self.beside)
        return None if _overtaken(turn, found) else _permitted(turn, intent, found, self.beside)


def _is_short(intent: Intent) -> bool:
    """Say whether others can wait for its plan: it brings no code to look at, and brings or accepts no long text."""
    return all(
        type(act) in _SHORT or (type(act) is Decide and len(act.body.text) <= _SHORT_CHARACTERS) for act in intent.acts
    )


def _stands(turn: Turn, intent: Intent, planned: Plan | Refusal) -> bool:
    """Say whether a plan, and what was read, stand for certain: of the few commits since, none changed a key of theirs.

    Whatever a read compares changes only in a commit that changes its key.
    """
    if turn.revision == intent.base:
        return planned.head == turn.revision
    few = 0 < turn.revision - intent.base <= _FEW
    return few and not _touched(turn, planned.footprint, intent.base, intent)


def _in_conflict(
    turn: Turn, intent: Intent, found: Plan | Refusal, broken: Broken, beside: Beside | None
) -> Committed | Broken:
    left = in_the_way(broken, found)
    if isinstance(found, Plan) and not left:
        return _permitted(turn, intent, found, beside)
    reservations.refused(turn, intent, left)
    return left


def in_the_way(broken: Broken, planned: Plan | Refusal) -> Broken:
    """Return what of the broken reads refuses a plan that was made in spite of them."""
    if isinstance(planned, Refusal):
        # Where texts are merged, only what both changed is in the way.
        premises = planned.error.premises if isinstance(planned.error, Conflict) else ()
        met: Broken = [("facet", one.key, one.facet) for one in premises if one.facet is not None]
        return met or broken
    if not planned.changes:
        # Somebody else wrote the same: that is agreement, not conflict.
        return []
    return [one for one in broken if one[0] != "decision" or one[1] not in planned.merged]


def _permitted(turn: Turn, intent: Intent, found: Plan | Refusal, beside: Beside | None) -> Committed:
    if isinstance(found, Refusal):
        raise found.error
    if turn.contested:
        reservations.check(turn, intent, found)
        reservations.free(turn, intent)
    if beside is not None:
        beside(turn, found)
    return _apply(turn, intent, found)


def _apply(turn: Turn, intent: Intent, plan: Plan) -> Committed:
    if not plan.changes:
        return Committed(turn.revision, (), turn.revision)
    application = Application(turn, intent, plan)
    application.rows()
    application.log()
    if plan.watched:
        update_agenda(turn, application.revision, plan, author=intent.author, token=intent.token)
    return Committed(application.revision, plan.accepted, turn.revision)


def replayed_of(turn: Turn, author: str, idempotency_key: str, content: str) -> Committed | None:
    """Return the first result of what comes again under a key of its author, None where it never came.

    Raises:
        KeyReused: The key belongs to other content, or was declared void.
    """
    seen = turn.one(_SEEN, {"author": author, "idempotency_key": idempotency_key})
    if seen is None:
        return None
    if seen["content"] is None:
        raise KeyReused(idempotency_key, author, declared_void=True)
    if seen["content"] != content:
        raise KeyReused(idempotency_key, author)
    return committed(seen)


def remember(turn: Turn, author: str, idempotency_key: str, content: str, done: Committed) -> bool:
    """Keep a result for whoever asks again; False where another one is kept already."""
    kept = turn.run(
        _REMEMBER,
        {
            "author": author,
            "idempotency_key": idempotency_key,
            "content": content,
            "revision": done.revision,
            "accepted": json_made(done.accepted),
            "head_before": done.head_before,
        },
    )
    return kept > 0


def find_commit(store: Store, idempotency_key: str, *, author: str) -> Committed | None:
    """Return the commit made under a key, or None and make that final: a later arrival is refused.

    What was committed before the first kept revision is not known any more; an arrival from then is refused as such.
    """

    def looked_up(turn: Turn) -> Committed | None:
        seen = turn.one(_SEEN, {"author": author, "idempotency_key": idempotency_key})
        if seen is None:
            turn.check_seal()
            nothing = {"content": None, "revision": None, "accepted": "[]", "head_before": turn.revision}
            turn.run(_REMEMBER, {"author": author, "idempotency_key": idempotency_key, **nothing})
            return None
        return None if seen["content"] is None else committed(seen)

    return store.writer.run(looked_up, idempotency_key, over_seal=True)


def committed(row: Any) -> Committed:  # noqa: ANN401 - a row
    """Return a row of `idempotency` as the result that it stands for."""
    accepted = tuple((key, version) for key, version in json.loads(row["accepted"]))
    return Committed(row["revision"], accepted, row["head_before"])


def broken_reads(on: Reads, intent: Intent) -> Broken:
    """Return what the intent read and no longer holds.

    One statement for all whole decisions, one for all other values, one for each pattern.
    """
    reads = intent.reads
    found = on.all(_BROKEN_DECISIONS, {"reads": json_made(reads.decisions)}) if reads.decisions else []
    rows: list[JSON] = [list(row) for row in reads.rows()]
    if rows:
        found += on.all(_BROKEN, {"reads": json_made(rows)})
    broken: Broken = [(row["kind"], row["key"], row["name"]) for row in found]
    for what, pattern in sorted(intent.reads.patterns):
        for row in on.all(_JOINED, {**key_range(pattern), "base": intent.base}):
            moved = "question_revision" if what == "question" else "member_revision"
            alike = what == "question" or row["kind"] == what
            if alike and row[moved] > intent.base and matches(pattern, row["key"]):
                broken.append(("pattern", row["key"], pattern))
    return broken


def _overtaken(turn: Turn, planned: Plan | Refusal) -> bool:
    return planned.head != turn.revision and _touched(turn, planned.footprint, planned.head)


def _touched(turn: Turn, footprint: Footprint, after: int, intent: Intent | None = None) -> bool:
    """Say whether what changed after a revision may change a plan, or what was read for it."""
    changes = turn.all(_CHANGED, {"after": after})
    changed = {key for key, _ in changes}
    # An operator's act on the whole board has no key, and a compaction removes changes that this looks for.
    return (
        None in changed
        or (footprint.builds and any(kind == "written" for _, kind in changes))
        or footprint.touched_by(changed)
        or (intent is not None and intent.reads.touched_by(changed))
        or footprint.filled_by(partial(count_instances, turn))
    )
