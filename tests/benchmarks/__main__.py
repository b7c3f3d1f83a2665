"""`python -m tests.benchmarks`: measure the bars and print what came out."""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from . import growth, pairs, releases, report
from .bars import BARS
from .measure import Bench, Line, Size


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for and return the exit status: 1 where a bar is not met."""
    options = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="benchmarks-", dir=options.folder) as folder:
        bench = Bench(Path(folder), Size.LONG if options.long else Size.SHORT)
        if options.growth is not None:
            return _grow(bench, options.growth)
        if options.undecided:
            return _say_undecided(Path(folder))
        if options.pairs is not None:
            sys.stdout.write(f"{pairs.as_table(pairs.measure(options.pairs, Path(folder)))}\n")
            return 0
        lines = list(_measured(bench, options.only))
    if options.json:
        shown = report.as_json(lines)
    elif options.readme:
        shown = report.as_readme(lines)
    else:
        shown = f"{report.machine()}\n\n{report.as_table(lines)}"
    sys.stdout.write(shown + "\n")
    return 1 if any(line.met is False for line in lines) else 0


def _grow(bench: Bench, path: Path) -> int:
    """Measure how costs grow, draw it, and say it."""
    found = growth.measure(bench)
    path.write_text(growth.as_svg(found))
    sys.stdout.write(f"{report.machine()}\n\n{growth.as_table(found)}\n")
    return 0


def _say_undecided(folder: Path) -> int:
    """Compare releases of libraries and say what cannot be decided; 1 where that is too much."""
    steps = releases.measure(folder)
    sys.stdout.write(f"{releases.as_table(steps)}\n")
    return 1 if any(step.share > releases.MOST_UNDECIDED for step in steps) else 0


def _measured(bench: Bench, only: Sequence[str]) -> Iterator[Line]:
    for name, run in BARS.items():
        if not only or name in only:
            sys.stderr.write(f"{name} …\n")
            for line in run(bench):
                sys.stderr.write(f"  {line}\n")
                yield line


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", type=_named, default=(), metavar="P1,P4", help="just these bars")
    parser.add_argument("--long", action="store_true", help="the sizes that the bars name; else what takes minutes")
    folder = "on the disk that is measured; the system's temporary one if none"
    parser.add_argument("--folder", type=_folder, help=folder)
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="a list of objects")
    shape.add_argument("--readme", action="store_true", help="Markdown")
    shape.add_argument("--growth", type=Path, metavar="FILE", help="instead: how costs grow, drawn into an SVG file")
    undecided = "instead: how much of the interfaces of released libraries, which are fetched, cannot be decided"
    shape.add_argument("--undecided", action="store_true", help=undecided)
    merged = "instead: which pairs of real features, in a folder of tasks, are merged"
    shape.add_argument("--pairs", type=_folder, metavar="FOLDER", help=merged)
    return parser


def _named(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    unknown = [name for name in names if name not in BARS]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no {', '.join(unknown)}; there are {', '.join(BARS)}")
    return names


def _folder(text: str) -> Path:
    folder = Path(text)
    if not folder.is_dir():
        raise argparse.ArgumentTypeError(f"{folder} is no folder that is there; make it, or name another")
    return folder


if __name__ == "__main__":
    sys.exit(main())
