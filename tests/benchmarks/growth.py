"""How costs grow with the history: from a thousand versions to a million, as a picture (SVG) and a table."""

import math
import random
import statistics
from collections.abc import Callable, Mapping, Sequence

from blackboard import Blackboard

from . import boards, history
from .measure import Bench, cpu
from .watching import SOURCE, board_with_agenda

CASES = ("commit", "snapshot at the head", "snapshot of an old revision", "claim")
_COLOURS = ("#1b6ca8", "#2a9d4e", "#d17a00", "#b0305c")
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _RIGHT, _TOP = 780, 420, 64, 48, 270, 24

Growth = Mapping[int, Mapping[str, float]]
"""Versions -> case -> CPU milliseconds."""


def measure(bench: Bench) -> Growth:
    """Measure every case at each power of ten."""
    last = bench.of(3, 5, 6)
    return {10**power: _at(bench, 10**power) for power in range(3, last + 1)}


def _at(bench: Bench, versions: int) -> dict[str, float]:
    keys = versions // boards.WAVES
    rounds = bench.of(3, 31, 101)
    with bench.place(f"growth-{versions}") as folder:
        path = folder / "board.db"
        board_with_agenda(path, keys, waves=boards.WAVES)
        with Blackboard.open(path) as board:
            commits = history.Commits(board, keys=keys)
            draw = random.Random(2)
            middle = versions // 2
            works: tuple[Callable[[], object], ...] = (
                lambda: commits.cpu(1),
                lambda: history.read_keys(board, draw, keys, at=None),
                lambda: history.read_keys(board, draw, keys, at=middle),
                lambda: board.claim(SOURCE),
            )
            return {case: _median(work, rounds) for case, work in zip(CASES, works, strict=True)}


def _median(work: Callable[[], object], rounds: int) -> float:
    work()
    return statistics.median(cpu(work) for _ in range(rounds)) * 1000


def as_table(growth: Growth) -> str:
    """Return the figures as a plain table."""
    rows: list[tuple[str, ...]] = [("versions", *CASES)]
    rows += [(f"{versions:,}", *(f"{found[case]:.2f} ms" for case in CASES)) for versions, found in growth.items()]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def as_svg(growth: Growth) -> str:
    """Return the figures as a picture; both axes are logarithmic."""
    axes = _Axes(growth)
    size = f'viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        *axes.lines(),
    ]
    for case, colour in zip(CASES, _COLOURS, strict=True):
        points = [(axes.x(versions), axes.y(found[case])) for versions, found in growth.items()]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
    last = growth[max(growth)]
    parts += _legend([(case, last[case], colour) for case, colour in zip(CASES, _COLOURS, strict=True)])
    return "\n".join([*parts, "</svg>", ""])


def _legend(cases: Sequence[tuple[str, float, str]]) -> list[str]:
    x = _WIDTH - _RIGHT + 16
    return [
        f'<text x="{x}" y="{_TOP + 16 + 22 * number}" fill="{colour}">{case}: {last:.2f} ms</text>'
        for number, (case, last, colour) in enumerate(cases)
    ]


class _Axes:
    """Where a number of versions and a time stand in the picture."""

    def __init__(self, growth: Growth) -> None:
        times = [time for found in growth.values() for time in found.values()]
        self._versions = sorted(growth)
        self._low = math.floor(math.log10(min(times)))
        self._high = max(math.ceil(math.log10(max(times))), self._low + 1)

    def x(self, versions: int) -> float:
        """Return where a number of versions stands."""
        first, last = math.log10(self._versions[0]), math.log10(self._versions[-1])
        part = (math.log10(versions) - first) / ((last - first) or 1)
        return _LEFT + part * (_WIDTH - _LEFT - _RIGHT)

    def y(self, milliseconds: float) -> float:
        """Return where a time stands."""
        part = (math.log10(milliseconds) - self._low) / (self._high - self._low)
        return _HEIGHT - _BOTTOM - part * (_HEIGHT - _BOTTOM - _TOP)

    def lines(self) -> list[str]:
        """Return the grid and what stands beside it."""
        right = _WIDTH - _RIGHT
        parts = []
        for power in range(self._low, self._high + 1):
            y = self.y(10.0**power)
            parts.append(f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#ddd"/>')
            parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g} ms</text>')
        for versions in self._versions:
            x, y = self.x(versions), _HEIGHT - _BOTTOM
            parts.append(f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{y}" stroke="#ddd"/>')
            parts.append(f'<text x="{x:.1f}" y="{y + 18}" text-anchor="middle">{versions:,}</text>')
        middle = (_LEFT + right) / 2
        parts.append(f'<text x="{middle}" y="{_HEIGHT - 8}" text-anchor="middle">versions (CPU time of each)</text>')
        return parts
