"""A frame laid out for a screen: sections of rows, each row one line, as many rows as fit."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from blackboard.cli.overview import Rows
from blackboard.cli.records import ActivationLine, ComponentLine, DecisionLine, Frame
from blackboard.cli.render import (
    BAD,
    GOOD,
    QUIET,
    change_line,
    headline,
    holder,
    obligation_line,
    state,
    words,
)
from blackboard.cli.spending import budget_line, waiting_line

WIDE_COLUMNS = 110
"""The smallest width with two columns."""

_HEAD_LINES = 3
_HEADINGS = 5

Line = TypeVar("Line")


def room(width: int, height: int) -> Rows:
    """Return the number of rows of each section on a screen of this size; at least one."""
    lines = max(height - _HEAD_LINES - 1, 0)
    if width < WIDE_COLUMNS:
        each = max((lines - _HEADINGS) // _HEADINGS, 1)
        return Rows(each, each, each, each, each)
    left, right = max((lines - 2) // 2, 1), max((lines - 3) // 3, 1)
    return Rows(decisions=left, components=left, agenda=right, changes=right, obligations=right)


def screen(frame: Frame, width: int) -> RenderableType:
    """Return a frame laid out for a screen of this width."""
    leased = sum(1 for line in frame.agenda if line.holder)
    mode_text = headline(frame.kind, {"leased": leased})
    head = words((frame.location, "bold"), f"  revision {frame.revision}  ", mode_text)
    spent = words(*(["budget  ", "; ".join(budget_line(line) for line in frame.budget)] if frame.budget else [""]))
    waits = [_line(words("; ".join(waiting_line(line) for line in frame.waiting)))] if frame.waiting else []
    left = [
        _section("decisions", frame.decisions, _decision),
        _section("components", frame.components, _component),
    ]
    right = [
        _section("agenda", frame.agenda, _activation),
        _section(f"left to do ({frame.obligations_left})", frame.obligations, obligation_line),
        _section("last changes", frame.changes, change_line),
    ]
    if width < WIDE_COLUMNS:
        return Group(_line(head), _line(spent), *waits, *left, *right)
    columns = Table.grid(expand=True, padding=(0, 1))
    columns.add_column(ratio=1)
    columns.add_column(ratio=1)
    columns.add_row(Group(*left), Group(*right))
    return Group(_line(head), _line(spent), *waits, columns)


def _section(title: str, lines: Sequence[Line], shown: Callable[[Line], Text]) -> RenderableType:
    return Group(words((title, "bold underline")), *(_line(Text("  ").append_text(shown(line))) for line in lines))


def _line(text: Text) -> Text:
    text.no_wrap = True
    text.overflow = "ellipsis"
    return text


def _decision(line: DecisionLine) -> Text:
    version = "" if line.version is None else f" {line.version}"
    text = words((line.key, "bold"), version, " ", state(line.state))
    if line.proposed is not None:
        needed = "" if line.quorum is None else f" of {line.quorum} needed"
        against = f", {line.no} no" if line.no else ""
        text.append_text(words(f"  proposed {line.proposed}: {line.yes} yes{needed}{against}"))
    return text


def _component(line: ComponentLine) -> Text:
    version = "" if line.version is None else f" {line.version}"
    text = words((line.key, "bold"), version, " ", state(line.state))
    for check, passed in line.verdicts:
        text.append_text(words(" ", (f"{check} {'passed' if passed else 'failed'}", GOOD if passed else BAD)))
    return text.append_text(words((f"  {line.why}", QUIET))) if line.why else text


def _activation(line: ActivationLine) -> Text:
    text = words(f"{line.source} on ", (line.target, "bold"), " ", state(line.state))
    if line.expires_in_seconds is not None:
        return text.append_text(words(f" by {holder(line)}, {line.expires_in_seconds:.0f} s left"))
    return text.append_text(words((f" {line.kind} since {line.since}, rating {line.rating:g}", QUIET)))
