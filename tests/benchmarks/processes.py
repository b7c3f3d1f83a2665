"""P3: eight processes that commit to one board, and the same by hand."""

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from . import commits, slow_disk
from .measure import FLOORS, Bar, Bench, Line, fsync_ms, in_turns
from .writers import LINED_UP, OURS, RAW, Writers, together, write

PROCESSES = 8
BY_HAND = f"{FLOORS}/commits.py"
TOGETHER = Bar("P3", "commits of 8 processes, beside one raw writer", 0.9, BY_HAND, "at least")
FAIR = Bar("P3", "of those: the slowest process beside the fastest", 0.5, "the fastest of the processes", "at least")
FLOOR = Bar("P3", "the floor itself: 8 processes by hand, in line, beside one raw writer", 0.9, BY_HAND, "at least")
BUSY = Bar("P3", "the same without a line, by SQLite's busy handler", 0.9, BY_HAND, "at least")
BESIDE = Bar("P3", "commits of 8 processes, beside 8 processes by hand, in line", 0.8, BY_HAND, "at least")
SLOWER = Bar("P3", "commits of 8 processes, fsync + 2 ms, beside one raw writer", 0.9, BY_HAND, "at least")
SLOWER_FLOOR = Bar(
    "P3",
    "the floor itself: 8 processes by hand, in line, fsync + 2 ms, beside one raw writer",
    0.9,
    BY_HAND,
    "at least",
)


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
    environment: Mapping[str, str] | None
    shares: list[float] = field(default_factory=list)
    worst_ms: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        """Let them write once and return how many commits they managed in each second."""
        lanes = range(self.processes)
        written = together(
            [
                Writers(
                    self.kind,
                    self.path,
                    threads=1,
                    seconds=self.seconds,
                    first_lane=lane,
                    environment=self.environment,
                )
                for lane in lanes
            ]
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
        paths = {OURS: ours, LINED_UP: floor, RAW: floor}
        for bar, kind, other in (
            (TOGETHER, OURS, None),
            (FLOOR, LINED_UP, None),
            (BUSY, RAW, None),
            (BESIDE, OURS, LINED_UP),
        ):
            yield from _measured(bench, folder, bar, paths, kind, other)
        library = slow_disk.compiled(folder)
        for bar, kind in ((SLOWER, OURS), (SLOWER_FLOOR, LINED_UP)):
            if library is None:
                yield bar.skipped(slow_disk.NO_COMPILER)
            else:
                yield from _measured(bench, folder, bar, paths, kind, None, slow_disk.environment(library, 2))


def _measured(
    bench: Bench,
    folder: Path,
    bar: Bar,
    paths: Mapping[str, Path],
    kind: str,
    other: str | None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Line]:
    """Measure processes of one kind beside as many of another, or beside one raw writer."""
    seconds, processes = (0.2, 2.0, 5.0)[bench.size], bench.of(2, PROCESSES, PROCESSES)
    crowd = _Crowd(kind, paths[kind], processes, seconds, environment)

    def alone() -> float:
        return write(RAW, paths[RAW], threads=1, seconds=seconds, environment=environment).per_second

    beside = alone if other is None else _Crowd(other, paths[other], processes, seconds, environment)
    pairs = in_turns(crowd, beside, rounds=bench.of(1, 5, 9), warm=0)
    share, worst_ms = statistics.median(crowd.shares), max(crowd.worst_ms)
    per_second = {"ours_per_s": statistics.median(pairs.ours), "floor_per_s": statistics.median(pairs.floor)}
    yield bar.measured(pairs.ratio, fsync_ms(folder), **per_second, slowest_beside_fastest=share)
    if bar is TOGETHER:
        yield FAIR.measured(share, fsync_ms(folder), worst_wait_ms=worst_ms)
