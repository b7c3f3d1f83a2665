"""Texts whose blocks are kept or dropped by facts, so that a decision changes what is written.

Lines `#: when KEY FACET == JSON` (or `!=`), `#: else` and `#: end`, alone in a line, bare or in a comment (`-- #: …`,
`// #: …`, `/* #: … */`, `<!-- #: … -->`), keep or drop what is between them and may be nested; `#{KEY FACET}` stands
for the JSON of a facet's value. Nothing else in a text is touched.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from blackboard import InvalidTeam

ValueOf: TypeAlias = Callable[[str, str], Any]
"""(key, facet) -> the value to go by; it may raise what it likes where there is none."""

_COMMAND = re.compile(r"[ \t]*(?:--|//|/\*|<!--|;)?[ \t]*#:[ \t]*(?P<command>.*?)[ \t]*(?:\*/|-->)?[ \t]*")
_WHEN = re.compile(r"when +(?P<key>\S+) +(?P<facet>\S+) +(?P<relation>==|!=) +(?P<value>.+)")
_VALUE = re.compile(r"#\{(?P<key>[^\s{}]+) (?P<facet>[^\s{}]+)\}")


@dataclass(frozen=True, slots=True)
class _Line:
    kind: Literal["text", "when", "else", "end"]
    text: str
    key: str = ""
    facet: str = ""
    equal: bool = True
    value: Any = None


def select(text: str, value_of: ValueOf, *, name: str = "a text") -> str:
    """Return the text with its blocks kept or dropped by facts, and without the lines that say so.

    Conditions and values inside a dropped block are not asked for.

    Raises:
        InvalidTeam: A block is not well formed; the error names the text and the line.
    """
    selected: list[str] = []
    blocks: list[tuple[bool, bool]] = []  # of each open block: whether what is around it is kept, whether it holds
    kept = True
    for line in _lines(text, name):
        match line.kind:
            case "text":
                if kept:
                    selected.append(
                        _VALUE.sub(lambda found: canonical(value_of(found["key"], found["facet"])), line.text)
                    )
            case "when":
                holds = kept and (canonical(value_of(line.key, line.facet)) == canonical(line.value)) is line.equal
                blocks.append((kept, holds))
                kept = holds
            case "else":
                around, holds = blocks[-1]
                kept = around and not holds
            case "end":
                kept, _ = blocks.pop()
    return "".join(selected)


def consults(text: str, *, name: str = "a text") -> frozenset[tuple[str, str]]:
    """Return the (key, facet) pairs that a text may ask for, whatever the facts are.

    Raises:
        InvalidTeam: A block is not well formed.
    """
    asked: set[tuple[str, str]] = set()
    for line in _lines(text, name):
        if line.kind == "when":
            asked.add((line.key, line.facet))
        asked.update((found["key"], found["facet"]) for found in _VALUE.finditer(line.text))
    return frozenset(asked)


def canonical(value: Any) -> str:  # noqa: ANN401 - any JSON
    """Return one text for all spellings of a JSON value; to compare the texts keeps 1 and true apart."""
    return json.dumps(_whole(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _whole(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {name: _whole(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_whole(member) for member in value]
    return value


def _lines(text: str, name: str) -> Iterator[_Line]:
    in_else: list[bool] = []  # of each open block: whether its `else` was seen
    for number, written in enumerate(text.splitlines(keepends=True), 1):
        line = _line(written, f"{name} line {number}")
        if line.kind == "when":
            in_else.append(False)
        elif line.kind != "text":
            if not in_else or (line.kind == "else" and in_else[-1]):
                raise InvalidTeam(f"{name} line {number}: `{line.kind}` is out of place", "open a block before it")
            if line.kind == "else":
                in_else[-1] = True
            else:
                in_else.pop()
        yield line
    if in_else:
        raise InvalidTeam(f"{name} ends inside a block", "write `#: end` after it")


def _line(written: str, where: str) -> _Line:
    found = _COMMAND.fullmatch(written.rstrip("\r\n"))
    if found is None:
        return _Line("text", written)
    command = found["command"]
    if command == "else":
        return _Line("else", written)
    if command == "end":
        return _Line("end", written)
    condition = _WHEN.fullmatch(command)
    try:
        if condition is not None:
            value = json.loads(condition["value"])
            return _Line("when", written, condition["key"], condition["facet"], condition["relation"] == "==", value)
    except ValueError:
        pass
    raise InvalidTeam(f"{where}: `{command}` is no command", "write `when KEY FACET == JSON`, `else` or `end`")
