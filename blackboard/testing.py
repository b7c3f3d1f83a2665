"""Means to test boards, teams and sources: a clock that jumps, a board in memory, a crash at a chosen point.

>>> from blackboard.testing import FakeClock, open_memory
>>> board = open_memory(clock=FakeClock())
>>> board.revision
0
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from blackboard.board import Blackboard
from blackboard.control.simulation import FakeClock, history
from blackboard.store import session
from blackboard.store.session import APPLIED, BEGUN, COMMITTED

__all__ = ["APPLIED", "BEGUN", "COMMITTED", "FakeClock", "SimulatedCrash", "crash_at", "history", "open_memory"]


class SimulatedCrash(BaseException):
    """The process died here, as far as the caller can tell.

    Not an `Exception`, so that `except Exception` does not handle it.
    """


def open_memory(*, clock: Callable[[], float] | None = None) -> Blackboard:
    """Return a new board in memory, which ends when it is closed.

    Args:
        clock: The store's clock, in seconds since the Unix epoch; the system's if None.
    """
    return Blackboard.in_memory(clock=clock)


@contextmanager
def crash_at(point: str, *, after: int = 0) -> Iterator[None]:
    """Raise a `SimulatedCrash` in the first writing transaction that reaches a point in this block.

    At `BEGUN` and `APPLIED` nothing was written; at `COMMITTED` the commit is durable and only its answer is missing.
    The crash can happen on any board of this process, so use one thread and one board in the block.

    Args:
        point: `BEGUN`, `APPLIED` or `COMMITTED`.
        after: The number of transactions that pass the point before the crash.
    """
    if point not in (BEGUN, APPLIED, COMMITTED):
        raise ValueError(f"{point!r} is no point; use one of {BEGUN}, {APPLIED}, {COMMITTED}")
    remaining = after

    def die(reached: str) -> None:
        nonlocal remaining
        if reached != point:
            return
        remaining -= 1
        if remaining == -1:
            raise SimulatedCrash(point)

    before, session.at_point = session.at_point, die
    try:
        yield
    finally:
        session.at_point = before
