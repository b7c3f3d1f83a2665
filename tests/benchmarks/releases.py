"""How much of the public interfaces of released libraries cannot be decided, from one release to the next.

The libraries come from the package index, their interfaces from mypy's `stubgen`: what it writes is what a stub's
author would. Private names are in the stubs, because public ones are declared by them, and are not counted. Each module
is a contract of its own; names from other modules are not resolved.
"""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from blackboard import Contract
from blackboard.errors import InvalidContract
from blackboard.spec.effects import UNDECIDED

RELEASES = (
    ("click", "8.1.7", "8.1.8"),
    ("structlog", "23.2.0", "24.1.0"),
    ("jinja2", "3.1.3", "3.1.4"),
    ("anyio", "4.3.0", "4.4.0"),
    ("rich", "13.7.1", "13.8.0"),
    ("itsdangerous", "2.1.2", "2.2.0"),
    ("werkzeug", "3.0.6", "3.1.0"),
    ("pydantic", "2.7.4", "2.8.0"),
    ("typer", "0.12.5", "0.13.0"),
    ("markupsafe", "2.1.5", "3.0.0"),
)
MOST_UNDECIDED = 0.05
"""Of all public facets of a library; the share of those that changed is printed beside it."""


@dataclass(frozen=True, slots=True)
class Step:
    """What was found from one release of a library to the next.

    Attributes:
        facets: Public facets of both releases, each once.
        changed: Those whose value differs.
        undecided: Those of them that are breaking for want of knowing.
        unread: Modules that are no contract, with what they were refused for.
    """

    library: str
    old: str
    new: str
    facets: int
    changed: int
    undecided: int
    unread: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """Undecided facets of all public ones."""
        return self.undecided / self.facets if self.facets else 0.0

    @property
    def share_of_changed(self) -> float:
        """Undecided facets of those that changed."""
        return self.undecided / self.changed if self.changed else 0.0


def measure(folder: Path, releases: Sequence[tuple[str, str, str]] = RELEASES) -> list[Step]:
    """Fetch releases into a folder and compare each with the next."""
    return [
        compare(library, old, new, *(_interface(folder, library, one) for one in (old, new)))
        for library, old, new in releases
    ]


def compare(library: str, old: str, new: str, before: Path, after: Path) -> Step:
    """Compare two folders of stubs."""
    facets = changed = undecided = 0
    unread: list[str] = []
    names = {path.relative_to(root) for root in (before, after) for path in root.rglob("*.pyi")}
    for name in sorted(names):
        try:
            one, other = (_contract(root / name) for root in (before, after))
        except InvalidContract as error:
            unread.append(f"{name}: {error}")
            continue
        facets += len({facet for facet in (*one.facets, *other.facets) if _is_public(facet)})
        effects = [change for facet, change in one.compare(other).effects.items() if facet and _is_public(facet)]
        changed += len(effects)
        undecided += sum(change.proof == UNDECIDED for change in effects)
    return Step(library, old, new, facets, changed, undecided, tuple(unread))


def as_table(steps: Sequence[Step]) -> str:
    """Return the figures as a plain table."""
    rows: list[tuple[str, ...]] = [
        ("library", "from", "to", "facets", "changed", "undecided", "of all", "of changed", "unread modules")
    ]
    for one in steps:
        counts = [f"{count:,}" for count in (one.facets, one.changed, one.undecided)]
        shares = (f"{one.share:.1%}", f"{one.share_of_changed:.1%}")
        rows.append((one.library, one.old, one.new, *counts, *shares, str(len(one.unread))))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(_aligned(row, widths) for row in rows)


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells: Iterator[str] = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
    return "  ".join(cells)


def _contract(path: Path) -> Contract:
    return Contract.python(path.read_text() if path.exists() else "")


def _is_public(facet: str) -> bool:
    return not any(part.startswith("_") and not part.startswith("__") for part in facet.split("."))


def _interface(folder: Path, library: str, release: str) -> Path:
    """Return a folder with the stubs of a release."""
    code, stubs = folder / f"{library}-{release}", folder / f"{library}-{release}-stubs"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(code)]
    subprocess.run([*pip, f"{library}=={release}"], check=True)
    # Not -m: compiled, it is no module that can be run.
    stubgen = [sys.executable, "-c", "from mypy.stubgen import main; main()"]
    made = [*stubgen, "--quiet", "--include-private", "-p", library, "-o", str(stubs), "--search-path", "."]
    subprocess.run(made, check=True, cwd=code)
    return stubs
