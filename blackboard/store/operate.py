"""Operator's acts: pause, drain, resume, seal; cancel, retry, unlock; raise a budget. Each is an audited commit.

Invariants: an act is a revision with one change, chained as any other, whose `step` says what the act named and whose
`reason` says why; what it does to the agenda, to leases and budgets is written in the same turn. An act that finds
done what it asks for makes no revision. Nothing here fires a trigger.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from blackboard.choreography.values import OPERATOR
from blackboard.errors import CommitUnknown, IllegalTransition, NotPermitted
from blackboard.spec import arguments
from blackboard.spec.activation import CANCELLABLE, RETRIABLE, ActivationState, Ending
from blackboard.spec.canonical import digest
from blackboard.spec.changes import Committed
from blackboard.spec.halt import Halt, HaltAct, move
from blackboard.spec.keys import check_idempotency_key, check_key, check_name
from blackboard.store import agenda
from blackboard.store.agenda import End
from blackboard.store.audit import write_act
from blackboard.store.commit import remember, replayed_of
from blackboard.store.session import Turn
from blackboard.store.statements import Reads, Statement

if TYPE_CHECKING:
    from blackboard.store.opened import Store

KINDS = frozenset({*(str(act) for act in HaltAct), "cancelled", "retried", "unlocked", "raised"})
"""The kinds of changes that are operator's acts."""

_HALT = Statement("UPDATE board SET mode = :mode, mode_reason = :reason")

_KEY = Statement("SELECT id, key FROM key WHERE key = :key")

_ACTIVATION = Statement("""
    SELECT a.id, a.state, a.target_id, s.quarantined FROM activation a JOIN key k ON k.id = a.target_id
    LEFT JOIN source_state s ON s.source = a.source
    WHERE a.source = :source AND k.key = :target""")

_HOLDING = """
    SELECT l.token, l.state FROM lease l WHERE (l.state = 'live' OR (l.state = 'expired' AND NOT EXISTS (
      SELECT 1 FROM lease newer WHERE newer.activation_id = l.activation_id AND newer.token > l.token))) AND """
"""The leases that may still commit: those that expired and that nobody took over are among them."""

_OF_ACTIVATION = Statement(_HOLDING + "l.activation_id = :id")

_ON_TARGET = Statement(_HOLDING + "l.target_id = :id")

_REVOKE = Statement("UPDATE lease SET state = 'revoked' WHERE token IN (SELECT value FROM json_each(:tokens))")

_OBVIATE = Statement("UPDATE activation SET state = 'obviated', run_again = 0, reason = :reason WHERE id = :id")

_RETRY = Statement("""
    UPDATE activation SET state = 'pending', attempts = 0, run_again = 0, not_before = 0, revision = :revision,
      pending_since = :now, error = NULL, reason = ''
    WHERE id = :id""")

_ADMIT = Statement("DELETE FROM source_state WHERE source = :source")

_FREE = Statement("DELETE FROM reservation WHERE target = :target OR key = :target")

_CAP = Statement("SELECT cap FROM budget WHERE resource = :resource")

_RAISE = Statement("UPDATE budget SET cap = :cap WHERE resource = :resource")

_AFFORD = Statement("""
    UPDATE activation SET state = 'pending', attempts = 0, not_before = 0, pending_since = :now, error = NULL,
      reason = ''
    WHERE state = 'dead' AND error = 'BudgetExhausted' AND reason LIKE :resource || ': %'""")

_LIVE = Statement("SELECT count(*) AS runs FROM lease WHERE state = 'live'")

_ACTS = Statement("""
    SELECT c.revision, c.kind, c.author, c.step, c.reason, l.role FROM change c
    JOIN commit_log l ON l.revision = c.revision JOIN key k ON k.id = c.key_id
    WHERE k.key = :key AND c.kind IN (SELECT value FROM json_each(:kinds)) ORDER BY c.revision DESC""")

_HALTED = Statement("""
    SELECT b.mode, b.mode_reason AS reason, coalesce(c.revision, 0) AS revision,
      coalesce(c.author, 'an operator') AS author
    FROM board b LEFT JOIN (
      SELECT revision, author FROM change WHERE key_id IS NULL AND kind IN (SELECT value FROM json_each(:kinds))
      ORDER BY revision DESC LIMIT 1) c ON true
    WHERE b.mode IS NOT NULL""")


@dataclass(frozen=True, slots=True)
class Operator:
    """Who acts, and why.

    Attributes:
        idempotency_key: Names the commit, so that it can be repeated or looked up; made up where it is empty.
    """

    author: str
    role: str | None = OPERATOR
    reason: str = ""
    idempotency_key: str = ""


@dataclass(frozen=True, slots=True)
class Halted:
    """How the board is halted, since which revision, by whom and why."""

    halt: str
    revision: int
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class Act:
    """One operator's act on a key, as the log has it; `path` is what it named."""

    revision: int
    kind: str
    author: str
    role: str
    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An act before it is done: `effect` writes what it does and says whether there was anything to do."""

    kind: str
    sentence: str
    key: str | None
    path: str
    effect: Callable[[Turn], bool]
    over_seal: bool = False


def halt(store: "Store", operator: Operator, act: HaltAct) -> Committed:
    """Pause, drain, resume, seal or unseal the board.

    Raises:
        NotPermitted: Who asks is no operator.
        IllegalTransition: The board is not in a state from which it can be.
        Sealed: It is sealed, and the act is another one than to lift that.
    """

    def effect(turn: Turn) -> bool:
        before = Halt(turn.halt or Halt.RUNNING)
        after = move(before, act)
        if after is before:
            return False
        row = {"mode": None if after is Halt.RUNNING else str(after), "reason": operator.reason}
        turn.run(_HALT, row)
        return True

    over_seal = act in (HaltAct.SEAL, HaltAct.UNSEAL)
    return _commit(store, operator, _Wanted(str(act), f"to have the board {act}", None, "", effect, over_seal))


def cancel(store: "Store", operator: Operator, *, source: str, target: str) -> Committed:
    """End one activation, whoever holds it; it stays so until a new trigger wakes it.

    Raises:
        NotPermitted: Who asks is no operator.
        IllegalTransition: There is nothing of this source to do on the target.
    """

    def effect(turn: Turn) -> bool:
        row = _activation(turn, source, target, "be cancelled", CANCELLABLE)
        why = _because(operator, "cancelled")
        _end_leases(turn, turn.all(_OF_ACTIVATION, {"id": row["id"]}), Ending.CANCELLED, why)
        turn.run(_OBVIATE, {"id": row["id"], "reason": why})
        return True

    wanted = f"to cancel {source} on {target}"
    return _commit(store, operator, _Wanted("cancelled", wanted, check_key(target), check_name(source), effect))


def retry(store: "Store", operator: Operator, *, source: str, target: str) -> Committed:
    """Give one activation another chance, its attempts counted anew; a quarantine of its source is lifted.

    Raises:
        NotPermitted: Who asks is no operator.
        IllegalTransition: It is under way or done.
    """

    def effect(turn: Turn) -> bool:
        row = _activation(turn, source, target, "be retried", RETRIABLE)
        turn.run(_ADMIT, {"source": source})
        turn.run(_RETRY, {"id": row["id"], "revision": turn.revision + 1, "now": turn.now})
        return True

    wanted = f"to retry {source} on {target}"
    return _commit(store, operator, _Wanted("retried", wanted, check_key(target), check_name(source), effect))


def unlock(store: "Store", operator: Operator, *, target: str) -> Committed:
    """Break every lease and reservation on a target; what was claimed is pending again.

    Raises:
        NotPermitted: Who asks is no operator.
        IllegalTransition: Nobody holds anything on it.
    """

    def effect(turn: Turn) -> bool:
        row = turn.one(_KEY, {"key": target})
        held = [] if row is None else turn.all(_ON_TARGET, {"id": row["id"]})
        freed = turn.run(_FREE, {"target": target})
        if not held and not freed:
            raise IllegalTransition(target, "held by nobody", "to be unlocked")
        _end_leases(turn, held, Ending.UNLOCKED, _because(operator, "unlocked"))
        return True

    return _commit(store, operator, _Wanted("unlocked", f"to unlock {target}", check_key(target), "", effect))


def raise_budget(store: "Store", operator: Operator, *, resource: str, cap: float) -> Committed:
    """Let a run spend more: `cap` in all, what is spent already included. What gave up for want of it is pending again.

    Raises:
        NotPermitted: Who asks is no operator.
        IllegalTransition: The resource has no limit, or a higher one.
    """
    arguments.amount(cap, f"the budget of {resource}", positive=True)

    def effect(turn: Turn) -> bool:
        row = turn.one(_CAP, {"resource": resource})
        if row is None:
            raise IllegalTransition(f"the budget of {resource}", "without a limit", "to be raised")
        if row["cap"] > cap:
            raise IllegalTransition(f"the budget of {resource}", f"at {row['cap']:g}", f"to be raised to {cap:g}")
        if row["cap"] == cap:
            return False
        turn.run(_RAISE, {"resource": resource, "cap": float(cap)})
        turn.run(_AFFORD, {"resource": resource, "now": turn.now})
        return True

    named = f"{resource} {cap:g}"
    return _commit(store, operator, _Wanted("raised", f"to raise the budget of {named}", None, named, effect))


def live_leases(on: Reads) -> int:
    """Return how many leases are live: draining is over when none is."""
    runs: int = on.all(_LIVE)[0]["runs"]
    return runs


def halted(on: Reads) -> Halted | None:
    """Return how the board is halted, None where it runs."""
    row = on.one(_HALTED, {"kinds": json.dumps([str(act) for act in HaltAct])})
    return None if row is None else Halted(row["mode"], row["revision"], row["author"], row["reason"])


def acts_on(on: Reads, key: str) -> tuple[Act, ...]:
    """Return the operator's acts on a key, newest first."""
    rows = on.all(_ACTS, {"key": key, "kinds": json.dumps(sorted(KINDS))})
    return tuple(
        Act(row["revision"], row["kind"], row["author"], row["role"], row["step"], row["reason"]) for row in rows
    )


def _activation(turn: Turn, source: str, target: str, act: str, allowed: frozenset[ActivationState]) -> Any:  # noqa: ANN401 - a row
    row = turn.one(_ACTIVATION, {"source": source, "target": target})
    if row is None or row["state"] not in allowed:
        raise IllegalTransition(f"{source} on {target}", "nothing to do" if row is None else row["state"], f"to {act}")
    return row


def _because(operator: Operator, act: str) -> str:
    return f"{act} by {operator.author}" + (f": {operator.reason}" if operator.reason else "")


def _end_leases(turn: Turn, held: list[Any], ending: Ending, why: str) -> None:
    live = [End(row["token"], ending, str(ending).capitalize(), why) for row in held if row["state"] == "live"]
    agenda.end_in(turn, live)
    turn.run(_REVOKE, {"tokens": json.dumps([row["token"] for row in held])})


def _commit(store: "Store", operator: Operator, wanted: _Wanted) -> Committed:
    author, reason = check_name(operator.author), arguments.text(operator.reason, "the reason")
    if operator.role != OPERATOR:
        raise NotPermitted(f"{author}, as {operator.role}, {wanted.sentence}", waits_for=["an operator"])
    name = operator.idempotency_key and check_idempotency_key(operator.idempotency_key)
    name = name or store.name_commit()
    content = digest([author, wanted.kind, wanted.key, wanted.path, reason])

    def work(turn: Turn) -> Committed:
        seen = replayed_of(turn, author, name, content)
        if seen is not None:
            return seen
        if not wanted.over_seal:
            turn.check_seal()
        revision = _written(turn, author, wanted, reason) if wanted.effect(turn) else turn.revision
        done = Committed(revision, (), turn.revision)
        remember(turn, author, name, content, done)
        return done

    try:
        return store.writer.run(work, name, over_seal=True)
    except CommitUnknown as unknown:
        raise CommitUnknown(name, unknown.cause, act=f"the commit {wanted.sentence}") from unknown


def _written(turn: Turn, author: str, wanted: _Wanted, reason: str) -> int:
    """Write the act's change and its place in the chain, and return its revision."""
    row = None if wanted.key is None else turn.one(_KEY, {"key": wanted.key})
    # What is reserved may be a key that nobody has written yet: then there is nothing that the change could be of.
    path = wanted.path if row is not None else wanted.key or wanted.path
    return write_act(turn, wanted.kind, author=author, reason=reason, path=path, key=row)
