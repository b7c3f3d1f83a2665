"""Where records go: standard output, as rich text, plain text or JSON; and one line on standard error for what failed.

Without a terminal nothing is wrapped and nothing is coloured, so that a line stays a line.
"""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper

from rich.console import Console
from rich.text import Text

from blackboard.clean import clean
from blackboard.cli.records import ChangeLine, Record, to_json
from blackboard.cli.render import change_line, render
from blackboard.cli.spending import CallsReport, call_blocks

_UNWRAPPED_COLUMNS = 10_000


def console() -> Console:
    """Return a console on standard output that reads no markup, no emoji names and no highlights out of texts."""
    if isinstance(sys.stdout, TextIOWrapper):
        # Why not fail: what a terminal's encoding cannot spell is shown as an escape, as `clean` does.
        sys.stdout.reconfigure(errors="backslashreplace")
    made = Console(markup=False, emoji=False, highlight=False)
    if not made.is_terminal:
        made.width = _UNWRAPPED_COLUMNS
    return made


def emit(record: Record, *, as_json: bool) -> None:
    """Print a record."""
    if as_json:
        sys.stdout.write(to_json(record) + "\n")
        sys.stdout.flush()
    else:
        console().print(render(record))


def say(*parts: str) -> None:
    """Print one line beside a record."""
    console().print(Text(clean(" ".join(parts))))


def complain(text: str, *, lines: bool = False) -> None:
    """Print what failed on standard error: one line, unless line ends are to be kept."""
    if isinstance(sys.stderr, TextIOWrapper):
        sys.stderr.reconfigure(errors="backslashreplace")
    sys.stderr.write(f"bb: {clean(text, lines=lines)}\n")


def write_line(line: ChangeLine, *, as_json: bool = False) -> None:
    """Print one change at once: for a feed that is followed, coloured for nobody."""
    sys.stdout.write((to_json(line) if as_json else change_line(line).plain) + "\n")
    sys.stdout.flush()


def write_calls(report: CallsReport, *, as_json: bool) -> None:
    """Print calls of models: their texts only cleaned, with no line wrapped and no tab expanded."""
    console()  # Why: from now on standard output shows as an escape what its encoding cannot spell.
    texts = [to_json(report)] if as_json else (clean(text, lines=True) for text in call_blocks(report))
    for text in texts:
        sys.stdout.write(text + "\n")
    sys.stdout.flush()


@contextmanager
def terminated_like_interrupted() -> Iterator[None]:
    """Take a request to terminate for an interrupt: work ends in order, with an outcome."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
