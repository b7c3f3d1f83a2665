"""Threads of one process let each other finish what is short, which is faster for all of them.

The driver gives the interpreter's lock up and takes it back several times in each statement. Where many threads do
that at once, each of those times costs a switch from one to another, and all of them together cost more than the
statements. So whoever runs a short statement, plans, or does a member's work in a group is left alone by the others,
who sleep meanwhile. It is a courtesy and no more: nobody waits long, or twice for the same, and nothing that has to be
true rests on it.
"""

import threading
from types import TracebackType

PATIENCE_SECONDS = 0.002
"""How long a thread waits for another one; then it goes on beside it."""


class Courtesy:
    """One thread at a time, mostly, for the length of a block. A thread that has it already has it again at once."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._turn = 0  # how often somebody had it; only who has it counts
        self._slow = -1  # which of these took longer than is patient

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            turn = self._turn
            # Nobody waits again for one that is known to take long: to wait at each statement would stop a reader.
            if turn == self._slow:
                return
            if not self._lock.acquire(timeout=PATIENCE_SECONDS):
                self._slow = turn
                return
        self._turn += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Whoever went on without it has nothing to give back, which is what the lock says then.
        try:  # noqa: SIM105 - at every statement
            self._lock.release()
        except RuntimeError:
            pass
