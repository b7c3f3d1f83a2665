"""P3: eight processes that commit to one board."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from . import commits
from .measure import FLOORS, Bar, Bench, Line, fsync_ms, in_turns
from .writers import OURS, RAW, Writers, together, write

PROCESSES = 8
BY_HAND = f"{FLOORS}/commits.py"
TOGETHER = Bar("P3", "commits of 8 processes, beside one raw writer", 0.25, BY_HAND, "at least")
FAIR = Bar("P3", "of those: the slowest process beside the fastest", 0.5, "the fastest of the processes", "at least")
WAIT = Bar("P3", "of those: the longest wait of one commit, in seconds", 5, "none")


@dataclass(slots=True)
class _Crowd:
    """Processes of one kind that write at once.

    Attributes:
        shares: Of each round: what the slowest managed beside the fastest.
        worst_ms: Of each round: the longest time that one commit took.
    """

    kind: str
    path: Path
    processes: int
    seconds: float
    shares: list[float] = field(default_factory=list)
    worst_ms: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        """Let them write once and return how many commits they managed in each second."""
        lanes = range(self.processes)
        written = together(
            [Writers(self.kind, self.path, threads=1, seconds=self.seconds, first_lane=lane) for lane in lanes]
        )
        counts = [one.commits for one in written]
        self.shares.append(min(counts) / max(counts))
        self.worst_ms.append(max(one.worst_ms for one in written))
        return sum(one.per_second for one in written)


def run(bench: Bench) -> Iterator[Line]:
    """Measure P3."""
    with bench.place("processes") as folder:
        ours, floor = folder / "ours.db", folder / "floor.db"
        with commits.filled_board(ours), commits.filled_floor(floor):
            pass
        seconds, processes = (0.2, 2.0, 5.0)[bench.size], bench.of(2, PROCESSES, PROCESSES)
        crowd = _Crowd(OURS, ours, processes, seconds)

        def alone() -> float:
            return write(RAW, floor, threads=1, seconds=seconds).per_second

        pairs = in_turns(crowd, alone, rounds=bench.of(1, 5, 9), warm=0)
        per_second = {"ours_per_s": statistics.median(pairs.ours), "floor_per_s": statistics.median(pairs.floor)}
        yield TOGETHER.measured(pairs.ratio, fsync_ms(folder), **per_second)
        yield FAIR.measured(statistics.median(crowd.shares), fsync_ms(folder))
        yield WAIT.measured(max(crowd.worst_ms) / 1000, fsync_ms(folder))
