"""From a text, JSON or YAML, to a value.

YAML is read as what JSON can say, by the core schema of YAML 1.2: no tags, no dates, `no` is a text. A name that is
there twice is refused, and what aliases would make of a small text.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from blackboard.contracts.json_schema.documents import Path
from blackboard.contracts.json_schema.positions import positions
from blackboard.contracts.plain import read_json
from blackboard.errors import InvalidContract
from blackboard.spec.canonical import JSON, MAX_DEPTH

LANGUAGE = "openapi"
MAX_VALUES = 200_000

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEAN = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_WHOLE = re.compile(r"[-+]?[0-9]{1,300}", re.ASCII)
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?", re.ASCII)


def read_text(text: str) -> JSON:
    """Read a text.

    Raises:
        InvalidContract: It is neither JSON nor such YAML.
    """
    if text.lstrip().startswith("{"):
        return read_json(LANGUAGE, text)
    import yaml  # noqa: PLC0415 - most boards have no YAML

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Builder(yaml.parse(text, Loader=loader)).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (0, 0)
        raise InvalidContract(LANGUAGE, error.problem or "no YAML", line=line, column=column) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise InvalidContract(LANGUAGE, str(error)) from None


def lines_of(text: str, paths: Iterable[Path]) -> dict[Path, int]:
    """Return path -> the line where it leads to in a text that was read, or as far as it leads."""
    wanted = set(paths)
    prefixes = {path[:length] for path in wanted for length in range(len(path) + 1)}
    if text.lstrip().startswith("{"):
        there = {path: line for path, (line, _) in positions(text, prefixes).items()}
    else:
        there = _lines(text, prefixes)
    return {path: next(there[path[:end]] for end in range(len(path), -1, -1) if path[:end] in there) for path in wanted}


def composed(text: str) -> Any:  # noqa: ANN401 - the library's nodes
    """Return the nodes of YAML that was read: they know where they stand."""
    import yaml  # noqa: PLC0415 - most boards have no YAML

    return yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _lines(text: str, paths: Collection[Path]) -> dict[Path, int]:
    root = composed(text)
    found: dict[Path, int] = {(): root.start_mark.line + 1}
    pending: list[tuple[Path, Any]] = [((), root)]
    while pending:
        path, node = pending.pop()
        inside = node.value if isinstance(node.value, list) else []
        is_object = node.id == "mapping"
        steps = ((key.value, key, value) for key, value in inside) if is_object else ()
        for name, at, value in steps or ((str(index), one, one) for index, one in enumerate(inside)):
            if (*path, name) in paths:
                found[*path, name] = at.start_mark.line + 1
                pending.append(((*path, name), value))
    return found


class _Builder:
    """Builds a value of the events of one text, and counts what aliases repeat."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self._anchors: dict[str, tuple[JSON, int]] = {}
        self._values = 0

    def document(self) -> JSON:
        self._next("StreamStartEvent")
        self._next("DocumentStartEvent")
        value = self._value(next(self._events), 0)
        self._next("DocumentEndEvent")
        self._next("StreamEndEvent")
        return value

    def _next(self, kind: str) -> None:
        event = next(self._events)
        if type(event).__name__ != kind:
            raise _refusal(event, "one document is needed here")

    def _value(self, event: Any, depth: int) -> JSON:  # noqa: ANN401 - an event of the library
        kind, before = type(event).__name__, self._values
        self._count(event, 1)
        if depth > MAX_DEPTH:
            raise _refusal(event, "nested too deeply")
        if kind == "AliasEvent":
            if event.anchor not in self._anchors:
                raise _refusal(event, f"nothing is called &{event.anchor} before this")
            value, size = self._anchors[event.anchor]
            self._count(event, size)
            return value
        if event.tag is not None:
            raise _refusal(event, f"the tag {event.tag} is not read")
        value = _scalar(event) if kind == "ScalarEvent" else self._inside(kind, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = value, self._values - before
        return value

    def _count(self, event: Any, size: int) -> None:  # noqa: ANN401 - an event of the library
        self._values += size
        if self._values > MAX_VALUES:
            raise _refusal(event, f"more than {MAX_VALUES:,} values: split it into several decisions")

    def _inside(self, kind: str, depth: int) -> JSON:
        if kind == "SequenceStartEvent":
            items: list[JSON] = []
            while type(inner := next(self._events)).__name__ != "SequenceEndEvent":
                items.append(self._value(inner, depth + 1))
            return items
        members: dict[str, JSON] = {}
        while type(inner := next(self._events)).__name__ != "MappingEndEvent":
            if type(inner).__name__ != "ScalarEvent":
                raise _refusal(inner, "a name is needed here")
            if inner.value in members or inner.value == "<<":
                raise _refusal(
                    inner, f"the name {inner.value!r} is there twice" if inner.value in members else "no merges"
                )
            members[inner.value] = self._value(next(self._events), depth + 1)
        return members


def _scalar(event: Any) -> JSON:  # noqa: ANN401 - an event of the library, one for each kind
    text: str = event.value
    if not event.implicit[0] or event.style in ("'", '"', "|", ">"):
        return text
    if text in _NULL:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def _refusal(event: Any, why: str) -> InvalidContract:  # noqa: ANN401 - an event of the library
    return InvalidContract(LANGUAGE, why, line=event.start_mark.line + 1, column=event.start_mark.column + 1)
