"""Classes with several names: the comparison of two stubs uses one of them.

A class whose name changed and that keeps the old one as a second name is the same class for everybody. So before a
comparison the types of each stub are spelled with one name for each class, where there is one by which both stubs know
it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from blackboard.contracts.python.declarations import Class, Declaration, Variable
from blackboard.contracts.python.names import hides

_WORD = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|(?<![\w.])(?:this\.)?(?P<name>[^\W\d]\w*)""")
_OF_ITSELF = frozenset({"fields", "keyword_only", "kind", "members", "name", "names", "passing", "same_as", "source"})
"""What of a declaration says no type or value."""

Declarations = Mapping[str, Declaration]


def first_name(declarations: Declarations, name: str) -> str:
    """Return the name that a class of a stub was declared with."""
    declared = declarations.get(name)
    while isinstance(declared, Class) and declared.same_as:
        name = declared.same_as.removeprefix("this.")
        declared = declarations.get(name)
    return name


def groups(declarations: Declarations) -> dict[str, list[str]]:
    """Return name -> all names of its class, for the classes that have several."""
    found: dict[str, list[str]] = {}
    for name, declared in declarations.items():
        if isinstance(declared, Class) and declared.same_as:
            first = first_name(declarations, name)
            found.setdefault(first, [first]).append(name)
    return {name: sorted(group) for group in found.values() for name in group}


def with_one_name(stub: Declarations, other: Declarations) -> Declarations:
    """Return the declarations of a stub, spelled with one name for each class that another stub knows too.

    A second name that is an alias of something else there is an alias here.
    """
    stub = _with_aliases(stub, other)
    own, theirs = groups(stub), groups(other)
    names: dict[str, str] = {}
    for name, group in own.items():
        known = [one for one in group if isinstance(other.get(one), Class)] or group
        # Why not then: the other stub has two classes, and what is said of each is not to be mixed up.
        if known[0] != name and (name not in known or known[0] in theirs.get(name, ())):
            names[name] = f"this.{known[0]}" if hides(known[0]) else known[0]
    if not names:
        return stub
    return {path: _spelled(one, lambda word: names.get(word["name"], word[0])) for path, one in stub.items()}


def _with_aliases(stub: Declarations, other: Declarations) -> Declarations:
    second = {name: one for name, one in stub.items() if isinstance(one, Class) and one.same_as}
    aliases = {name: one for name, one in second.items() if isinstance(other.get(name), Variable)}
    if not aliases:
        return stub
    kept = {path: one for path, one in stub.items() if path.partition(".")[0] not in aliases}
    return kept | {name: Variable(None, one.same_as) for name, one in aliases.items()}


def _spelled(value: Any, word: Callable[[re.Match[str]], str]) -> Any:  # noqa: ANN401 - any part of a declaration
    if isinstance(value, str):
        return _WORD.sub(word, value)
    if isinstance(value, tuple):
        return tuple(_spelled(item, word) for item in value)
    if isinstance(value, Mapping):
        return {name: _spelled(item, word) for name, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        parts = (part.name for part in fields(value) if part.name not in _OF_ITSELF)
        return replace(value, **{part: _spelled(getattr(value, part), word) for part in parts})
    return value
