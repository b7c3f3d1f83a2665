"""How things are measured: in turns, as ratios of pairs, with the fsync time of the moment beside them."""

import os
import shutil
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any, Literal

Sense = Literal["at most", "at least"]
Round = Callable[[], float]
"""Does one round and returns what it took, in seconds (or what it managed, in whatever the case counts)."""

FLOORS = "tests/benchmarks/floors"


class Size(IntEnum):
    """How much is measured: just that it runs, what CI can wait for, or the sizes that the bars name."""

    TINY = 0
    SHORT = 1
    LONG = 2


@dataclass(frozen=True, slots=True)
class Bench:
    """Where and how much to measure.

    Attributes:
        folder: An empty folder on the disk that is measured.
    """

    folder: Path
    size: Size

    def of(self, tiny: int, short: int, long: int) -> int:
        """Return the number for this size."""
        return (tiny, short, long)[self.size]

    @contextmanager
    def place(self, name: str) -> Iterator[Path]:
        """Lend a new folder for one case and empty it afterwards."""
        path = self.folder / name
        path.mkdir()
        try:
            yield path
        finally:
            shutil.rmtree(path)


@dataclass(frozen=True, slots=True)
class Bar:
    """What is asked of one case."""

    bar: str
    case: str
    limit: float
    floor: str
    sense: Sense = "at most"

    def measured(self, ratio: float, fsync_ms: float, **beside: float) -> "Line":
        """Return the line of a ratio that was measured."""
        met = ratio <= self.limit if self.sense == "at most" else ratio >= self.limit
        return Line(
            self.bar, self.case, round(ratio, 3), self.limit, self.sense, met, self.floor, round(fsync_ms, 3), beside
        )

    def skipped(self, why: str) -> "Line":
        """Return the line of a case that could not be measured here; it is neither met nor missed."""
        return Line(self.bar, self.case, None, self.limit, self.sense, None, self.floor, None, skipped=why)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table.

    Attributes:
        met: None where it was skipped, for the reason in `skipped`.
        beside: What the ratio is made of: name -> number, its unit in the name.
    """

    bar: str
    case: str
    ratio: float | None
    limit: float
    sense: Sense
    met: bool | None
    floor: str
    fsync_ms: float | None
    beside: dict[str, float] = field(default_factory=dict)
    skipped: str | None = None

    def __str__(self) -> str:
        if self.ratio is None:
            return f"{self.case}: skipped, {self.skipped}"
        return f"{self.case}: {self.ratio:.2f}, {self.sense} {self.limit:g}: {'met' if self.met else 'missed'}"

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object; what the ratio is made of stands beside it."""
        described = asdict(self)
        beside = described.pop("beside")
        if self.skipped is None:
            del described["skipped"]
        return {**described, **{name: float(f"{value:.4g}") for name, value in beside.items()}}


@dataclass(frozen=True, slots=True)
class Pairs:
    """Rounds of two things, done in turns."""

    ours: Sequence[float]
    floor: Sequence[float]

    @property
    def ratio(self) -> float:
        """The median of the ratios of the pairs."""
        return statistics.median(ours / floor for ours, floor in zip(self.ours, self.floor, strict=True))

    def milliseconds(self, *, each: int = 1) -> dict[str, float]:
        """Return the medians of both, in milliseconds for each of the things that a round does."""
        per = 1000 / each
        return {"ours_ms": statistics.median(self.ours) * per, "floor_ms": statistics.median(self.floor) * per}


def in_turns(ours: Round, floor: Round, *, rounds: int, warm: int = 1) -> Pairs:
    """Do both in turns, each first as often as the other, after some rounds that do not count."""
    for _ in range(warm):
        ours()
        floor()
    found: list[tuple[float, float]] = []
    for number in range(rounds):
        if number % 2:
            second = floor()
            found.append((ours(), second))
        else:
            found.append((ours(), floor()))
    return Pairs([one for one, _ in found], [other for _, other in found])


def cpu(work: Callable[[], object], *, times: int = 1) -> float:
    """Return the CPU time of a piece of work: of all threads of this process, the kernel's for it included."""
    began = time.process_time()
    for _ in range(times):
        work()
    return time.process_time() - began


def wall(work: Callable[[], object], *, times: int = 1) -> float:
    """Return how long a piece of work takes by the clock on the wall."""
    began = time.perf_counter()
    for _ in range(times):
        work()
    return time.perf_counter() - began


def fsync_ms(folder: Path, *, times: int = 21) -> float:
    """Return the median time that this disk takes now to make one page durable."""
    path = folder / "fsync"
    taken: list[float] = []
    handle = os.open(path, os.O_CREAT | os.O_WRONLY)
    try:
        for number in range(times):
            os.pwrite(handle, bytes(4096), 4096 * number)
            taken.append(wall(lambda: os.fsync(handle)))
    finally:
        os.close(handle)
        path.unlink()
    return statistics.median(taken) * 1000
