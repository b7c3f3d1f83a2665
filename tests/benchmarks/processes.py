"""P3: eight processes that commit to one board."""

import statistics
from collections.abc import Iterator

from . import commits
from .measure import FLOORS, Bar, Bench, Line, fsync_ms, in_turns
from .writers import OURS, RAW, Writers, Written, together, write

PROCESSES = 8
TOGETHER = Bar("P3", "commits of 8 processes, beside one raw writer", 0.9, f"{FLOORS}/commits.py", "at least")
FAIR = Bar("P3", "of those: the slowest process beside the fastest", 0.5, "the fastest of the processes", "at least")


def run(bench: Bench) -> Iterator[Line]:
    """Measure P3."""
    seconds = (0.2, 2.0, 5.0)[bench.size]
    shares: list[float] = []
    worst: list[float] = []
    with bench.place("processes") as folder:
        ours, floor = folder / "ours.db", folder / "floor.db"
        with commits.filled_board(ours), commits.filled_floor(floor):
            pass

        def of_all() -> float:
            lanes = range(bench.of(2, PROCESSES, PROCESSES))
            written = together([Writers(OURS, ours, threads=1, seconds=seconds, first_lane=lane) for lane in lanes])
            shares.append(_share(written))
            worst.append(max(one.worst_ms for one in written))
            return sum(one.per_second for one in written)

        def alone() -> float:
            return write(RAW, floor, threads=1, seconds=seconds).per_second

        pairs = in_turns(of_all, alone, rounds=bench.of(1, 5, 9), warm=0)
        per_second = {"ours_per_s": statistics.median(pairs.ours), "floor_per_s": statistics.median(pairs.floor)}
        yield TOGETHER.measured(pairs.ratio, fsync_ms(folder), **per_second)
        yield FAIR.measured(statistics.median(shares), fsync_ms(folder), worst_wait_ms=max(worst))


def _share(written: list[Written]) -> float:
    """Return what the slowest managed beside the fastest."""
    counts = [one.commits for one in written]
    return min(counts) / max(counts)
