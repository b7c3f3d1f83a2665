"""What the facets of a stub name of the same stub, and rest on by that.

`f` that takes a `Film` rests on the alias or class `Film`, on its bases, and, where others write or implement what it
is (a TypedDict, Protocol or ABC), on each of its members. The members of other classes are relied on one by one. The
stub's own docstring is about all of it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from blackboard.contracts.python.declarations import Class, Declaration, Kind
from blackboard.contracts.python.module_name import FACET as MODULE
from blackboard.spec.canonical import JSON

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*", re.ASCII)


def mentioned(
    declarations: Mapping[str, Declaration], facets: Mapping[str, JSON], names: Iterable[str]
) -> frozenset[str]:
    """Return some facets and all that they rest on, names that the stub has not included."""
    found: set[str] = set()
    pending = list(names)
    members: dict[str, list[str]] | None = None
    while pending:
        name = pending.pop()
        if name in found:
            continue
        found.add(name)
        if name not in declarations:
            continue
        words = (word.removeprefix("this.") for text in _texts(facets[name]) for word in _NAME.findall(text))
        pending += [word for word in words if word in declarations and word not in found]
        declared = declarations[name]
        if isinstance(declared, Class) and declared.is_closed and declared.kind is not Kind.ENUM:
            members = _members(declarations) if members is None else members
            pending += members.get(name, [])
    return frozenset(found | ({MODULE} & facets.keys()) if found else found)


def _members(declarations: Mapping[str, Declaration]) -> dict[str, list[str]]:
    members: dict[str, list[str]] = {}
    for path in declarations:
        members.setdefault(path.rpartition(".")[0], []).append(path)
    return members


def _texts(value: JSON) -> Iterator[str]:
    """Yield the texts in a facet's value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for member in value.values():
            yield from _texts(member)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
