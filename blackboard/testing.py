"""What tests of boards, teams and sources need: a clock that jumps, a board in memory, a crash at a chosen point.

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

    It is no `Exception`, so that nobody mistakes it for an error that can be handled.
    """


def open_memory(*, clock: Callable[[], float] | None = None) -> Blackboard:
    """Return a new board in memory; it is gone when it is closed.

    Args:
        clock: The store's clock, in seconds since the Unix epoch; the system's if None.
    """
    return Blackboard.in_memory(clock=clock)


@contextmanager
def crash_at(point: str, *, after: int = 0) -> Iterator[None]:
    """Let the first writing transaction that reaches a point in this block end in a `SimulatedCrash`.

    At `BEGUN` and `APPLIED` nothing of it happened, at `COMMITTED` all of it did and only its answer is missing. It
    concerns every board of this process, so a test does one thing at a time meanwhile.

    Args:
        point: `BEGUN`, `APPLIED` or `COMMITTED`.
        after: How many transactions pass the point before.
    """
    if point not in (BEGUN, APPLIED, COMMITTED):
        raise ValueError(f"{point!r} is no point; use one of {BEGUN}, {APPLIED}, {COMMITTED}")
    left = after

    def die(reached: str) -> None:
        nonlocal left
        if reached != point:
            return
        left -= 1
        if left == -1:
            raise SimulatedCrash(point)

    before, session.at_point = session.at_point, die
    try:
        yield
    finally:
        session.at_point = before
