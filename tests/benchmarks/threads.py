"""P2: eight threads that commit, and the same on a slow disk."""

import statistics
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from . import commits, slow_disk
from .measure import FLOORS, Bar, Bench, Line, Sense, fsync_ms, in_turns
from .writers import GROUP, OURS, RAW, Written, write

THREADS = 8
AT_LEAST: Sense = "at least"
GROUPED = Bar("P2", "commits of 8 threads, beside group commit by hand", 0.45, f"{FLOORS}/group_commit.py", AT_LEAST)
SLOWER = Bar("P2", "commits of 8 threads, fsync + 2 ms, beside one raw writer", 2.0, f"{FLOORS}/commits.py", AT_LEAST)
SLOWER_FLOOR = Bar(
    "P2",
    "the floor itself: group commit by hand, fsync + 2 ms, beside one raw writer",
    2.0,
    f"{FLOORS}/commits.py",
    AT_LEAST,
)
SLOWER_BESIDE = Bar(
    "P2", "commits of 8 threads, fsync + 2 ms, beside group commit by hand", 0.8, f"{FLOORS}/group_commit.py", AT_LEAST
)
SLOW = Bar("SLOW", "commits of 8 threads, fsync + 20 ms, beside one thread", 4.0, "the same with one thread", AT_LEAST)
ERRORS = Bar("SLOW", "of those commits: what timed out or failed", 0, "none")


def run(bench: Bench) -> Iterator[Line]:
    """Measure P2."""
    with bench.place("threads") as folder:
        ours, floor = _stores(folder)
        yield _paired(bench, GROUPED, lambda: _of(bench, OURS, ours), lambda: _of(bench, GROUP, floor))
        library = slow_disk.compiled(folder)
        if library is None:
            yield SLOWER.skipped(slow_disk.NO_COMPILER)
            return
        slower = slow_disk.environment(library, 2)

        def us() -> Written:
            return _of(bench, OURS, ours, slower)

        def by_hand() -> Written:
            return _of(bench, GROUP, floor, slower)

        def alone() -> Written:
            return _of(bench, RAW, floor, slower, threads=1)

        yield _paired(bench, SLOWER, us, alone)
        yield _paired(bench, SLOWER_FLOOR, by_hand, alone)
        yield _paired(bench, SLOWER_BESIDE, us, by_hand)


def run_slow(bench: Bench) -> Iterator[Line]:
    """Measure the slow disk."""
    with bench.place("slow") as folder:
        library = slow_disk.compiled(folder)
        if library is None:
            yield SLOW.skipped(slow_disk.NO_COMPILER)
            yield ERRORS.skipped(slow_disk.NO_COMPILER)
            return
        ours, _ = _stores(folder)
        slower = slow_disk.environment(library, 20)
        seen: list[Written] = []

        def many() -> Written:
            seen.append(_of(bench, OURS, ours, slower))
            return seen[-1]

        yield _paired(bench, SLOW, many, lambda: _of(bench, OURS, ours, slower, threads=1))
        failed = sum(len(one.errors) for one in seen)
        worst = max(one.worst_ms for one in seen)
        yield ERRORS.measured(failed, fsync_ms(folder), worst_wait_ms=worst)


def _stores(folder: Path) -> tuple[Path, Path]:
    ours, floor = folder / "ours.db", folder / "floor.db"
    with commits.filled_board(ours), commits.filled_floor(floor):
        return ours, floor


def _of(
    bench: Bench, kind: str, path: Path, environment: Mapping[str, str] | None = None, *, threads: int = THREADS
) -> Written:
    seconds = (0.2, 1.0, 3.0)[bench.size]
    return write(kind, path, threads=threads, seconds=seconds, environment=environment)


def _paired(bench: Bench, bar: Bar, ours: Callable[[], Written], floor: Callable[[], Written]) -> Line:
    pairs = in_turns(
        lambda: ours().per_second, lambda: floor().per_second, rounds=bench.of(1, 5, 9), warm=bench.of(0, 1, 1)
    )
    per_second = {"ours_per_s": statistics.median(pairs.ours), "floor_per_s": statistics.median(pairs.floor)}
    return bar.measured(pairs.ratio, fsync_ms(bench.folder), **per_second)
