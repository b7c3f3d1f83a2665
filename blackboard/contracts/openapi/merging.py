"""Two changes of one document in YAML put together, member by member and item by item.

What is put together are the lines as they were written, comments included, so only what has lines of its own; whether
they mean what was wanted is for others to hold against the facets.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from blackboard.contracts.openapi.text import composed
from blackboard.contracts.units import CannotMergeError, merged


@dataclass(frozen=True, slots=True)
class _Entry:
    """A member or an item, with the lines above it that belong to no other.

    Attributes:
        value: The library's node.
        lines: Of the whole document.
        start, at, end: Its own are `lines[start:end]`; it begins at `lines[at]`.
    """

    name: str
    value: Any
    lines: Sequence[str]
    start: int
    at: int
    end: int

    @property
    def text(self) -> str:
        return "".join(self.lines[self.start : self.end])

    @property
    def meaning(self) -> object:
        return _meaning(self.value)


def merge(base: str, ours: str, theirs: str) -> str:
    """Return our document with what theirs changed of the base.

    Raises:
        CannotMergeError: Both change one value, or the lines cannot be told apart.
    """
    return _merged(*(_whole(text) for text in (base, ours, theirs)))


def _whole(text: str) -> _Entry:
    lines = (text if text.endswith("\n") else f"{text}\n").splitlines(keepends=True)
    return _Entry("", composed(text), lines, 0, -1, len(lines))


def _merged(base: _Entry, ours: _Entry, theirs: _Entry) -> str:
    """Return an entry of which both change something inside."""
    (kind, column, was), (mine, here, own), (other, there, came) = map(_entries, (base, ours, theirs))
    if not kind == mine == other or not column == here == there:
        raise CannotMergeError
    return "".join([*ours.lines[ours.start : ours.at + 1], *merged(was, own, came, both=_merged)])


def _entries(whole: _Entry) -> tuple[str, int, list[_Entry]]:
    """Return the kind of a collection, in which column it is written, and what is in it."""
    kind, found = _inside(whole.value)
    before = "" if kind == "mapping" else "-"
    marks = [node.start_mark for _, node, _ in found]
    columns = {_column(whole.lines[mark.line][: mark.column], before) for mark in marks}
    places = [mark.line for mark in marks]
    # Why: what an alias stands for is elsewhere.
    if len(columns) != 1 or [whole.at, *places, whole.end] != sorted({whole.at, *places, whole.end}):
        raise CannotMergeError
    column = columns.pop()
    starts = [whole.at + 1, *(_first(whole.lines, place, column) for place in places[1:])]
    spans = zip(found, starts, places, [*starts[1:], whole.end], strict=True)
    return kind, column, [_Entry(name, value, whole.lines, *span) for (name, _, value), *span in spans]


def _inside(node: Any) -> tuple[str, list[tuple[str, Any, Any]]]:  # noqa: ANN401 - the library's nodes
    """Return the kind of a collection, and of each in it (what it is called, the node where it begins, its value)."""
    if node.id == "scalar" or node.flow_style or not node.value:
        raise CannotMergeError
    if node.id == "mapping":
        return node.id, [(key.value, key, value) for key, value in node.value]
    # An item is called what it says: one that is changed is another one.
    return node.id, [(repr(_meaning(item)), item, item) for item in node.value]


def _column(before: str, mark: str) -> int:
    """Return the column of what begins after a text in its line, which is the mark alone."""
    if before.strip(" ") != mark:
        raise CannotMergeError
    return len(before) if not mark else before.index(mark)


def _first(lines: Sequence[str], place: int, column: int) -> int:
    """Return the first of the lines above a place that belong to it: empty ones and comments, none further in."""
    while not (line := lines[place - 1]).strip() or line[: column + 1].lstrip(" ").startswith("#"):
        place -= 1
    return place


def _meaning(node: Any) -> object:  # noqa: ANN401 - the library's nodes
    if node.id == "mapping":
        return {key.value: _meaning(value) for key, value in node.value}
    return (node.tag, node.value) if node.id == "scalar" else [_meaning(item) for item in node.value]
