"""The doctor's findings, as a record and as printed lines."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from blackboard.cli.examined import FindingLine, HealthReport
from blackboard.cli.exits import Exit
from blackboard.cli.render import BAD, DOUBTFUL, GOOD, QUIET, render, words
from blackboard.store.doctor import Diagnosis
from blackboard.store.feed import Cursor
from blackboard.store.surroundings import Level

_STYLES = {"fault": BAD, "unseen": BAD, "warning": DOUBTFUL}


def head_of(cursor: Cursor) -> str:
    """Return a head as text, as `--known-head` takes it."""
    return f"{cursor.epoch}:{cursor.revision}:{cursor.digest}"


def health(found: Diagnosis) -> HealthReport:
    """Return the record of a diagnosis, the most serious findings first."""
    order = list(Level)
    lines = sorted(found.findings, key=lambda one: order.index(one.level))
    return HealthReport(
        found.location,
        not found.level(Level.FAULT, Level.UNSEEN),
        found.full,
        None if found.head is None else head_of(found.head),
        tuple(FindingLine(str(one.level), one.about, one.what, one.step) for one in lines),
    )


def exit_of(found: Diagnosis) -> Exit:
    """Return the exit status for a diagnosis."""
    if found.level(Level.FAULT):
        return Exit.NO
    return Exit.FAILED if found.level(Level.UNSEEN) else Exit.YES


@render.register
def _health(report: HealthReport) -> RenderableType:
    return Group(*_health_lines(report))


def _health_lines(report: HealthReport) -> Iterator[Text]:
    for one in report.findings:
        line = words((f"{one.level:<8}", _STYLES.get(one.level, QUIET)), f" {one.about}: {one.what}")
        yield line.append_text(words((f"; {one.step}", QUIET))) if one.step else line
    if report.sound and not report.full:
        yield words(("its index entries were not all looked at: --full does", QUIET))
    how = ("sound", GOOD) if report.sound else ("not sound", BAD)
    if report.head is not None:
        yield words(how, f", with the head {report.head}")
    else:
        yield words(how, ", and its head could not be verified")
