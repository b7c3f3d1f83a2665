"""Output: records on standard output, as rich text, plain text or JSON; errors as one line on standard error.

Without a terminal, lines are neither wrapped nor coloured.
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
    """Return a console on standard output that interprets no markup, emoji names or highlights in texts."""
    if isinstance(sys.stdout, TextIOWrapper):
        # A character that the terminal's encoding lacks is printed as an escape, as `clean` does, and is no error.
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
    """Print one line that is no record."""
    console().print(Text(clean(" ".join(parts))))


def complain(text: str, *, lines: bool = False) -> None:
    """Print an error on standard error: as one line, unless `lines` keeps its line ends."""
    if isinstance(sys.stderr, TextIOWrapper):
        sys.stderr.reconfigure(errors="backslashreplace")
    sys.stderr.write(f"bb: {clean(text, lines=lines)}\n")


def write_line(line: ChangeLine, *, as_json: bool = False) -> None:
    """Print one change of a followed feed at once, without colours."""
    sys.stdout.write((to_json(line) if as_json else change_line(line).plain) + "\n")
    sys.stdout.flush()


def write_calls(report: CallsReport, *, as_json: bool) -> None:
    """Print calls of models: their texts are cleaned, lines are not wrapped, and tabs are not expanded."""
    console()  # from now on, characters that the encoding of standard output lacks are printed as escapes
    texts = [to_json(report)] if as_json else (clean(text, lines=True) for text in call_blocks(report))
    for text in texts:
        sys.stdout.write(text + "\n")
    sys.stdout.flush()


@contextmanager
def terminated_like_interrupted() -> Iterator[None]:
    """Handle SIGTERM like an interrupt, so that the run ends in order, with an outcome."""

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
