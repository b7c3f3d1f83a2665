"""How many runs a controller claims ahead of its workers: many where runs end at once, none where they are long."""

AHEAD_SECONDS = 0.05
GATHER_SECONDS = 0.002
"""How long runs that end at once are waited for, so that they are written down together."""
MOST_AHEAD = 256
"""Runs that end at once are claimed ahead, as many as the workers do in a moment, and written down together: else each
would cost two COMMITs. Whoever runs longer is claimed when a worker is free, and written down when it ends."""


class Pace:
    """How long runs take, as it was lately, and so how many of them are claimed ahead of the workers."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._seconds = AHEAD_SECONDS

    def note(self, seconds: float) -> None:
        """Take the time of one more run; a long one counts at once."""
        self._seconds = max(seconds, (7 * self._seconds + seconds) / 8)

    @property
    def ahead(self) -> int:
        """How many to have beside those that run."""
        if self._seconds >= AHEAD_SECONDS:
            return 0
        return min(MOST_AHEAD, int(self._workers * AHEAD_SECONDS / max(self._seconds, 1e-6)))

    def threads(self, queued: int) -> int:
        """Return how many threads end so many runs in a moment; to wake one takes longer than what ends at once."""
        return min(self._workers, 1 + int(queued * self._seconds / GATHER_SECONDS))
