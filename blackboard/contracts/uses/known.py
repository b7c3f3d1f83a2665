"""What is known of a name in code: types that it may have, collections of them, and the scope where it stands."""

import ast
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from blackboard.contracts.python.interface import last_name
from blackboard.contracts.python.source import parse_expression
from blackboard.errors import InvalidContract

_PLAIN_AROUND = frozenset({"Annotated", "ClassVar", "Final", "Optional", "Union"})


class Known(NamedTuple):
    """A type that an expression may have.

    Attributes:
        kind: `instance` or `class` of a contract's class, `function`, `module`, `own` for an instance and `maker` for
            a class or function of the component itself, `json` for a part of a document, `file` for the whole unread.
        key: Of the decision; of the component's own, the module.
        path: Of the declaration; of a part of a document, its facet.
        inside: Whether it is a collection of such, or something that is awaited or entered for one.
    """

    kind: str
    key: str
    path: str
    inside: bool = False


Types = frozenset[Known]
NOTHING: Types = frozenset()


@dataclass(slots=True, eq=False)
class Scope:
    """The names of a module, class or function; a class' names are also the attributes of its instances."""

    outer: "Scope | None"
    node: ast.AST
    own: str = ""
    names: dict[str, set[Known]] = field(default_factory=dict)

    def find(self, name: str) -> Types:
        """Return what a name is; inside of a method those of its class are not seen."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names and not (isinstance(scope.node, ast.ClassDef) and scope is not self):
                return frozenset(scope.names[name])
            scope = scope.outer
        return NOTHING

    def bind(self, name: str, types: Iterable[Known]) -> None:
        """Let a name be one of some types too."""
        self.names.setdefault(name, set()).update(types)


def instance(one: Known) -> Known:
    """Return what a class makes."""
    return one._replace(kind="instance", inside=False)


def items(types: Types) -> Types:
    """Return what comes out of a collection; what is none stays what it is."""
    return frozenset(
        one for whole in types for one in ([whole._replace(inside=False), whole] if whole.inside else [_item(whole)])
    )


def collected(types: Iterable[Known]) -> Types:
    """Return what a collection of some is; a document knows its own lists."""
    return frozenset(one if one.kind == "json" else one._replace(inside=True) for one in types)


def parts(node: ast.expr | None) -> Iterator[tuple[ast.expr, bool]]:
    """Yield the plain names in an annotation, and whether each is inside of something."""
    pending = [] if node is None else [(node, False)]
    while pending:
        one, inside = pending.pop()
        if isinstance(one, ast.Name | ast.Attribute):
            yield one, inside
        elif isinstance(one, ast.BinOp):
            pending += [(one.left, inside), (one.right, inside)]
        elif isinstance(one, ast.Subscript):
            pending += [(one.value, inside), (one.slice, inside or last_name(one.value) not in _PLAIN_AROUND)]
        elif isinstance(one, ast.Tuple):
            pending += [(item, inside) for item in one.elts]
        elif isinstance(one, ast.Constant) and isinstance(one.value, str):
            with suppress(InvalidContract):
                pending.append((parse_expression(one.value), inside))


def _item(one: Known) -> Known:
    return one._replace(path=f"{one.path}[]") if one.kind == "json" and one.path else one
