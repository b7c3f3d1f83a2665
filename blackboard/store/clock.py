"""Store time: the time by which leases, reservations, waits and deadlines of a board end.

It is the largest of the time stored in the board's row and this host's clock. A board that nobody used for a week has
to jump by a week, so a jump alone does not tell whether a clock is wrong. What a process can tell is how much time it
watched go by. Two rules follow from that, for a clock that was wrong by more than `TOLERANCE_SECONDS`:

- Stored time ahead of the clock advances by what was watched, it does not stand still until the clock reaches it. What
  a dead process holds then ends after its own length, for whoever waits that long.
- A jump that nobody watched takes at most half of what a live lease has left (`KEEP_LEASES`). Its holder, which renews
  at a third, keeps it; of a dead holder it ends after the other half.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

from blackboard.store.statements import Statement

TOLERANCE_SECONDS = 1.0
"""How far two clocks may be apart before it matters: less than half of the shortest lease that a controller takes."""

# A lease moves as a whole, since its length is charged to the budget of seconds and its longest time limits renewals.
KEEP_LEASES = Statement("""
    UPDATE lease SET claimed = claimed + :jump, longest_until = longest_until + :jump,
      expires = :now + (expires - :watched) / 2
    WHERE state = 'live' AND expires > :watched AND expires < :now + (expires - :watched) / 2""")


class Reading(NamedTuple):
    """Store time as a process reads it.

    Attributes:
        now: Store time, never below what is stored.
        watched: What it would be by the time that went by since the process last looked, without a jump of the clock.
    """

    now: float
    watched: float

    @property
    def jump(self) -> float:
        """The part of the way to `now` that the process did not watch going by."""
        return self.now - self.watched


class StoreClock:
    """Reads store time, and remembers how much of it this process watched."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        # A host's clock can be set. A clock that was given to the board is the only time that there is.
        self._elapsed = time.monotonic if clock is time.time else clock
        self._last: tuple[float, float] | None = None  # store time that was watched, and when, by `_elapsed`

    def read(self, stored: float) -> Reading:
        """Return store time, given the one in the board's row."""
        clock, elapsed = self._clock(), self._elapsed()
        watched = stored
        if self._last is not None:
            then, at = self._last
            watched = max(stored, then + elapsed - at)
        now = watched if stored > clock + TOLERANCE_SECONDS else max(stored, clock)
        # Of a jump nothing is remembered: the transaction that would store it may be undone.
        self._last = min(watched, now), elapsed
        return Reading(now, watched)

    def at(self, stored: float) -> float:
        """Return store time, given the one in the board's row."""
        return self.read(stored).now

    def now(self) -> float:
        """Return store time as far as this process knows, without a look at the board."""
        return self.at(float("-inf") if self._last is None else self._last[0])
