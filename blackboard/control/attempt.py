"""One run of a source, from its rating to what its end means for the activation.

A conflict is nobody's fault: the source runs again with the conflict in hand, and only after many in a row is the
attempt counted as failed. What else a source raises is recorded by class and text and never swallowed.
"""

from dataclasses import dataclass

from blackboard.control.context import Cancel, Context
from blackboard.control.executor import EventLoop
from blackboard.control.holding import Postponed
from blackboard.control.source import Source
from blackboard.errors import (
    BudgetExhausted,
    CommitUnknown,
    Conflict,
    Invalid,
    InvalidTeam,
    LeaseLost,
    Refused,
    Reserved,
    Sealed,
)
from blackboard.spec.activation import Ending
from blackboard.store import commit
from blackboard.store.agenda import End
from blackboard.store.opened import Store

MAX_CONFLICTS = 8
"""Runs of one attempt that may end in a conflict before the attempt counts as failed."""

DEFAULT_TIMEOUT_SECONDS = 3600.0
"""How long a run may take whose source names no time of its own: a controller always ends."""

_NO_FAULT = (Conflict, LeaseLost, BudgetExhausted, Sealed)


@dataclass(frozen=True, slots=True)
class Rebid:
    """The source rated the activation lower than it was claimed at: back to the agenda, others may come first."""

    rating: float


def timeout_of(source: Source) -> float:
    """Return how long a run of a source may take, in seconds."""
    return DEFAULT_TIMEOUT_SECONDS if source.timeout_seconds is None else source.timeout_seconds


def attempt(source: Source, context: Context, loop: EventLoop, *, virtual: bool, may_rebid: bool) -> End | Rebid:
    """Run a claimed activation and say how it ended; raises nothing.

    Args:
        source: What runs.
        context: What it runs with.
        loop: Runs it where it is `async def`.
        virtual: Time stands still, so a time-out of real seconds means nothing.
        may_rebid: Whether a lower rating puts it back; one that falls each time would do so for ever.
    """
    try:
        if source.rate is not None:
            rating = source.rate(context)
            if rating is None:
                return End(context.token, Ending.REFUSED_BY_RATE, None, "its source refused it")
            if may_rebid and rating < context.claimed.rating:
                return Rebid(float(rating))
        return _until_settled(source, context, loop, virtual=virtual)
    except BaseException as error:  # noqa: BLE001 - recorded with class and text, whatever it is
        return failure(context, error)


def failure(context: Context, error: BaseException) -> End:
    """Return the end of a run that raised something."""
    name, text = type(error).__name__, str(error) or type(error).__name__
    if context.cancellation is Cancel.STOPPED:
        return End(context.token, Ending.RETURNED)
    if isinstance(error, Postponed | Reserved):
        # What another has reserved is free again before long: no fault of the source, and no attempt.
        return End(context.token, Ending.POSTPONED)
    if isinstance(error, BudgetExhausted):
        # `budgets.exhausted` finds the resource in front.
        return End(context.token, Ending.EXHAUSTED, name, f"{error.resource}: {text}")
    refused = isinstance(error, Refused | Invalid) and not isinstance(error, (*_NO_FAULT, InvalidTeam))
    return End(context.token, Ending.FAILED, name, text, refused=refused)


def _until_settled(source: Source, context: Context, loop: EventLoop, *, virtual: bool) -> End:
    last: BaseException | None = None
    for _ in range(MAX_CONFLICTS):
        context.begin_again(last)
        try:
            _execute(source, context, loop, virtual=virtual)
        except Conflict as conflict:
            last = conflict
        except CommitUnknown as unknown:
            if _happened(context.store, unknown, source.name):
                return End(context.token, Ending.FINISHED)
            last = unknown
        except (Refused, Invalid) as refusal:
            # A refusal of what has changed meanwhile says nothing about the source.
            if isinstance(refusal, _NO_FAULT) or not context.moved():
                return failure(context, refusal)
            last = refusal
        else:
            end = _end_of(context)
            if end is not None:
                return end
        if context.cancellation in (Cancel.STOPPED, Cancel.LOST):
            return End(context.token, Ending.RETURNED)
    said = str(last) if last is not None else "what it read changed each time before it was done"
    return End(context.token, Ending.FAILED, "Conflict", f"{MAX_CONFLICTS} conflicts in a row, the last: {said}")


def _execute(source: Source, context: Context, loop: EventLoop, *, virtual: bool) -> None:
    if source.execute is None:
        raise TypeError(f"source {source.name} is external: nothing here runs it")
    coroutine = source.execute(context)
    if coroutine is not None:
        loop.run(coroutine, None if virtual else timeout_of(source))


def _end_of(context: Context) -> End | None:
    """Return the end of a run that returned, None where it returned because what it read has changed."""
    if context.end is not None:
        return context.end
    told = context.told
    if told is None or context.committed:
        return End(context.token, Ending.FINISHED)
    if told is Cancel.OVERTAKEN:
        return None
    if told is Cancel.DEADLINE:
        return End(context.token, Ending.FAILED, "TimeoutError", str(Cancel.DEADLINE))
    return End(context.token, Ending.RETURNED)


def _happened(store: Store, unknown: CommitUnknown, author: str) -> bool:
    """Say whether a commit whose answer was lost was made; if not, it never will be."""
    if not unknown.idempotency_key:
        return False
    return commit.find_commit(store, unknown.idempotency_key, author=author) is not None
