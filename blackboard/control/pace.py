"""The number of activations that a controller claims in advance: many for very short runs, none for long ones."""

AHEAD_SECONDS = 0.05
GATHER_SECONDS = 0.002
"""The wait for further short runs to end, so that one COMMIT records them together."""
MOST_AHEAD = 256
"""Short runs are claimed in advance, as many as the workers can do in this time, and recorded together, because each
alone would cost two COMMITs. Longer runs are claimed when a worker is free, and recorded when they end."""


class Pace:
    """The recent duration of runs, and from it the number of activations to claim in advance."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._seconds = AHEAD_SECONDS

    def note(self, seconds: float) -> None:
        """Add the duration of a run; a long one takes effect at once."""
        self._seconds = max(seconds, (7 * self._seconds + seconds) / 8)

    @property
    def ahead(self) -> int:
        """The number of claimed activations to keep queued."""
        if self._seconds >= AHEAD_SECONDS:
            return 0
        return min(MOST_AHEAD, int(self._workers * AHEAD_SECONDS / max(self._seconds, 1e-6)))

    def threads(self, queued: int) -> int:
        """Return the number of threads for this many queued runs; waking a thread costs more than a short run."""
        return min(self._workers, 1 + int(queued * self._seconds / GATHER_SECONDS))
