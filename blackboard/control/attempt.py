"""One attempt at an activation: the rating, the runs of the source, and the end of the lease.

A conflict is no failure: the source runs again and gets the conflict; only after many in a row does the attempt fail.
Every other error of a source ends the attempt and is recorded by class and text.
"""

import asyncio
import inspect
import sysconfig
import time
import traceback
from collections.abc import Coroutine, Generator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from blackboard.control.context import Cancel, Context
from blackboard.control.executor import EventLoop
from blackboard.control.holding import Postponed
from blackboard.control.redaction import keepable
from blackboard.control.source import Source
from blackboard.errors import (
    BlackboardError,
    BudgetExhausted,
    CommitUnknown,
    Conflict,
    GiveUp,
    IllegalTransition,
    Invalid,
    InvalidTeam,
    KeyReused,
    LeaseLost,
    NotPermitted,
    Refused,
    Reserved,
    RetryLater,
    Sealed,
    StopRun,
    Unavailable,
)
from blackboard.spec.activation import Ending
from blackboard.store import commit
from blackboard.store.agenda import End

MAX_CONFLICTS = 8
"""Runs of one attempt that may end in a conflict before the attempt counts as failed."""

SHORTEST_POSTPONED_SECONDS = 1.0
"""The shortest wait after `RetryLater`, even if its seconds are negative or not a number."""

DEFAULT_TIMEOUT_SECONDS = 600.0
"""The time-out of a source that names none, so that a controller always ends."""

_LOOK_UP_SECONDS = 0.5

_NO_FAULT = (Conflict, LeaseLost, BudgetExhausted, Sealed)

_FINAL = (GiveUp, InvalidTeam, KeyReused, IllegalTransition)
"""Errors that the same source would raise again while nothing changes: its activation is not retried."""

_LIBRARIES = (str(Path(__file__).parents[1]), sysconfig.get_path("stdlib"))
"""Folders of this package and of Python, whose lines do not locate an error of a source."""


@dataclass(frozen=True, slots=True)
class Rebid:
    """The source rated the activation lower than at its claim: it becomes pending again with the new rating."""

    rating: float


@dataclass(frozen=True, slots=True)
class Stop:
    """The source raised `StopRun`."""

    reason: str


Result = End | Rebid | Stop
Steps = Generator[None, BaseException | None, Result]


def is_async(source: Source) -> bool:
    """Say whether a source is an `async def`, which runs in the event loop and needs no thread."""
    execute = source.execute
    return inspect.iscoroutinefunction(execute) or inspect.iscoroutinefunction(getattr(execute, "__call__", None))  # noqa: B004


def timeout_of(source: Source) -> float:
    """Return the time-out of a source's run, in seconds."""
    return DEFAULT_TIMEOUT_SECONDS if source.timeout_seconds is None else source.timeout_seconds


def attempt(source: Source, context: Context, loop: EventLoop, *, virtual: bool, may_rebid: bool) -> Result:
    """Run a claimed activation in this thread and say how it ended; raises nothing.

    Args:
        source: The source to run.
        context: Its argument.
        loop: Runs the coroutine that the source returns, if it returns one.
        virtual: Time is virtual, so no time-out in real seconds applies.
        may_rebid: Whether a lower rating makes it pending again; permitted once, so that this ends.
    """
    steps, error = _steps(source, context, may_rebid=may_rebid), None
    while (result := _advance(steps, error)) is None:
        try:
            coroutine, error = _begun(source, context), None
            if coroutine is not None:
                loop.run(coroutine, None if virtual else timeout_of(source))
        except BaseException as raised:  # noqa: BLE001 - recorded with class and text, whatever it is
            error = raised
    return result


async def attempt_async(source: Source, context: Context, loop: EventLoop, *, virtual: bool, may_rebid: bool) -> Result:
    """Run a claimed activation of an `async def` in the running event loop, as `attempt` does in a thread.

    The work before and after the source may wait for the store, so it runs in one of the loop's few threads.
    """
    running = asyncio.get_running_loop()
    steps, error = _steps(source, context, may_rebid=may_rebid), None
    while (result := await running.run_in_executor(loop.bookkeeping, _advance, steps, error)) is None:
        try:
            coroutine, error = _begun(source, context), None
            if coroutine is not None:
                async with asyncio.timeout(None if virtual else timeout_of(source)):
                    await coroutine
        except BaseException as raised:  # noqa: BLE001 - recorded with class and text, whatever it is
            error = raised
    return result


def _advance(steps: Steps, error: BaseException | None) -> Result | None:
    """Return the result of the attempt, None if the source has to be executed (again)."""
    try:
        steps.send(error)
    except StopIteration as end:
        result: Result = end.value
        return result
    return None


def _steps(source: Source, context: Context, *, may_rebid: bool) -> Steps:
    """Yield before each execution of the source, receive the error that it raised, and return the result."""
    try:
        if source.rate is not None:
            rating = source.rate(context)
            if rating is None:
                return End(context.token, Ending.REFUSED_BY_RATE, None, "its source refused it")
            if may_rebid and rating < context.claimed.rating:
                return Rebid(float(rating))
        return (yield from _until_settled(context))
    except BaseException as error:  # noqa: BLE001 - recorded with class and text, whatever it is
        return failure(context, error)


def failure(context: Context, error: BaseException) -> End | Stop:
    """Return the end of the lease for an error of the source."""
    if isinstance(error, TimeoutError) and not str(error) and context.overdue_seconds >= 0:
        error = TimeoutError(str(Cancel.DEADLINE))  # the error of `asyncio.timeout` has neither text nor a useful line
    name, text = type(error).__name__, keepable(str(error)) or type(error).__name__
    if isinstance(error, Postponed | Reserved) or _is_outage(context, error):
        # A reservation of another author ends soon, and so does an outage: this is no failed attempt of the source.
        return End(context.token, Ending.POSTPONED)
    if context.cancellation is Cancel.STOPPED:
        return End(context.token, Ending.RETURNED)
    if isinstance(error, RetryLater):
        wait = max(SHORTEST_POSTPONED_SECONDS, error.seconds)  # in this order `max` ignores NaN
        return End(context.token, Ending.POSTPONED, name, keepable(error.reason), wait_seconds=wait)
    if isinstance(error, StopRun):
        return Stop(keepable(error.reason))
    if isinstance(error, BudgetExhausted):
        # `budgets.exhausted` expects the resource at the beginning.
        return End(context.token, Ending.EXHAUSTED, name, f"{error.resource}: {text}")
    refused = isinstance(error, Refused | Invalid) and not isinstance(error, (*_NO_FAULT, InvalidTeam))
    ending = Ending.FAILED_FOR_GOOD if _is_final(error) else Ending.FAILED
    return End(context.token, ending, name, text + _place(error), refused=refused)


def _is_outage(context: Context, error: BaseException) -> bool:
    """Say whether the run's own board is unavailable."""
    return isinstance(error, Unavailable) and error.location == context.store.location


def _is_final(error: BaseException) -> bool:
    """Say whether a retry would fail again; an act that waits for another one may be permitted later."""
    return isinstance(error, _FINAL) or (isinstance(error, NotPermitted) and not error.waits_for)


def _place(error: BaseException) -> str:
    """Return the file, line and function of an error of another package."""
    if isinstance(error, BlackboardError) or error.__traceback__ is None:
        return ""
    frames = traceback.extract_tb(error.__traceback__)
    # The innermost line is often a library's; the innermost line of the source's own files is more useful.
    own = [
        frame for frame in frames if "site-packages" not in frame.filename and not frame.filename.startswith(_LIBRARIES)
    ]
    frame = (own or frames)[-1]
    return f" ({PurePath(frame.filename).name}:{frame.lineno} in {frame.name})"


def _until_settled(context: Context) -> Steps:
    last: BaseException | None = None
    for _ in range(MAX_CONFLICTS):
        context.begin_again(last)
        try:
            _raise((yield))
        except Conflict as conflict:
            last = conflict
        except CommitUnknown as unknown:
            if _happened(context, unknown):
                return End(context.token, Ending.FINISHED)
            last = unknown
        except (Refused, Invalid) as refusal:
            # A refusal whose premises changed meanwhile is no failure of the source.
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


def _raise(error: BaseException | None) -> None:
    if error is not None:
        raise error


def _begun(source: Source, context: Context) -> Coroutine[Any, Any, None] | None:
    if source.execute is None:
        raise TypeError(f"source {source.name} is external: nothing here runs it")
    return source.execute(context)


def _end_of(context: Context) -> End | None:
    """Return the end of the lease after the source returned, None if it returned because its reads have changed."""
    if context.end is not None:
        return context.end
    cancel = context.observed_cancel
    if cancel is None or context.committed:
        return End(context.token, Ending.FINISHED)
    if cancel is Cancel.OVERTAKEN:
        return None
    if cancel is Cancel.DEADLINE:
        return End(context.token, Ending.FAILED, "TimeoutError", str(Cancel.DEADLINE))
    return End(context.token, Ending.RETURNED)


def _happened(context: Context, unknown: CommitUnknown) -> bool:
    """Say whether a commit with an unknown outcome was made; if not, declare its key void.

    The outcome is looked up until the board is available again, or until nobody waits for the run any more.
    """
    if not unknown.idempotency_key:
        return False
    while True:
        try:
            return commit.find_commit(context.store, unknown.idempotency_key, author=context.source) is not None
        except Unavailable:
            if context.is_stopped or context.virtual:
                raise
            time.sleep(_LOOK_UP_SECONDS)
