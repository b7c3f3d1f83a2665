"""The table of what was measured, for people, for programs and for the README."""

import json
import os
import platform
import sqlite3
import statistics
from collections.abc import Sequence
from pathlib import Path

from .measure import Line


def as_json(lines: Sequence[Line]) -> str:
    """Return the lines as a JSON list."""
    return json.dumps([line.as_json() for line in lines], indent=2)


def as_table(lines: Sequence[Line]) -> str:
    """Return the lines as a plain table."""
    rows = [("bar", "case", "ratio", "limit", "met", "fsync", "made of"), *(_cells(line) for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _cells(line: Line) -> tuple[str, ...]:
    limit = f"{'<=' if line.sense == 'at most' else '>='} {line.limit:g}"
    if line.ratio is None or line.fsync_ms is None:
        return (line.bar, line.case, "-", limit, "skipped", "-", line.skipped or "")
    made = ", ".join(f"{name} {value:.3g}" for name, value in line.beside.items())
    met = "yes" if line.met else "NO"
    return (line.bar, line.case, f"{line.ratio:.2f}", limit, met, f"{line.fsync_ms:.2f} ms", made)


def as_readme(lines: Sequence[Line]) -> str:
    """Return the lines as Markdown, with the machine that they were measured on."""
    measured = [line.fsync_ms for line in lines if line.fsync_ms is not None]
    fsync = f"; an fsync took {statistics.median(measured):.2f} ms" if measured else ""
    rows = [_row(line) for line in lines]
    return "\n".join([f"{machine()}{fsync}.", "", "| | case | ratio | bar | floor |", "|---|---|---|---|---|", *rows])


def _row(line: Line) -> str:
    ratio = f"skipped: {line.skipped}" if line.ratio is None else f"{line.ratio:.2f}{'' if line.met else ' (missed)'}"
    sign = "≤" if line.sense == "at most" else "≥"
    floor = f"`{line.floor}`" if line.floor.endswith(".py") else line.floor
    return f"| {line.bar} | {line.case} | {ratio} | {sign} {line.limit:g} | {floor} |"


def machine() -> str:
    """Say on which machine this runs."""
    cores = os.cpu_count() or 1
    python = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    return f"{_model()}, {cores} core{'s' if cores > 1 else ''}, {platform.system()}; {python}"


def _model() -> str:
    described = Path("/proc/cpuinfo")
    lines = described.read_text().splitlines() if described.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
