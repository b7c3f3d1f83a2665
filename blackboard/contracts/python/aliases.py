"""One function or class under two names: `load = read` says what a second `def` says, `Old = New` a second `class`.

Whoever uses or implements a contract sees two functions, whichever way the stub or the code writes the second one. Of a
class the second name says besides that it is the same class: `second_names`.
"""

import ast
from collections.abc import Iterable, Mapping, Sequence
from copy import copy

_Named = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

# Why: a large class under thousands of names is a small text and vast facets.
_MAX_REPEATED = 200_000


def expanded(statements: Iterable[ast.stmt], *, classes: bool = True) -> list[ast.stmt]:
    """Return statements of a scope with each alias of a function or class in it written as a `def` or `class`.

    Args:
        statements: Of the scope.
        classes: Whether those of classes too.
    """
    found = [_members(one) for one in statements]
    named: dict[str, list[_Named]] = {}
    for one in found:
        if isinstance(one, _Named) and (classes or not isinstance(one, ast.ClassDef)):
            named.setdefault(one.name, []).append(one)
    left = [_MAX_REPEATED]
    return [part for one in found for part in _written(one, named, left)]


def second_names(statements: Iterable[ast.stmt]) -> Mapping[str, str]:
    """Return alias of a class -> the name that it is given for."""
    every = list(statements)
    classes = {one.name for one in every if isinstance(one, ast.ClassDef)}
    found: dict[str, str] = {}
    for alias, name in filter(None, map(alias_of, every)):
        if name in classes or name in found:
            found.setdefault(alias, name)
    return found


def alias_of(node: ast.stmt) -> tuple[str, str] | None:
    """Return a second name and the first one where a statement does no more than to give it.

    The value of a `type` statement stands in quotes: what it declares cannot be called.
    """
    match node:
        case ast.Assign(targets=[ast.Name(id=alias)], value=ast.Name(id=name)):
            return alias, name
        case ast.AnnAssign(
            target=ast.Name(id=alias),
            annotation=ast.Name(id="TypeAlias") | ast.Attribute(attr="TypeAlias"),
            value=ast.Name(id=name),
        ):
            return alias, name
    return None


def _members(node: ast.stmt) -> ast.stmt:
    """Return a class with the aliases among its methods expanded."""
    if not isinstance(node, ast.ClassDef) or not any(isinstance(one, ast.Assign | ast.ClassDef) for one in node.body):
        return node
    made = copy(node)
    made.body = expanded(node.body, classes=False)
    return made


def _written(node: ast.stmt, named: dict[str, list[_Named]], left: list[int]) -> Sequence[ast.stmt]:
    found = alias_of(node)
    if found is None or found[1] not in named or left[0] < 0:
        return [node]
    alias, name = found
    left[0] -= sum(1 for one in named[name] for _ in ast.walk(one))
    made = [_renamed(one, alias, node) for one in named[name]]
    named.setdefault(alias, made)
    return made


def _renamed(one: _Named, name: str, at: ast.stmt) -> _Named:
    made = ast.copy_location(copy(one), at)
    made.name = name
    made.decorator_list = [_of_property(item, one.name, name) for item in one.decorator_list]
    return made


def _of_property(decorator: ast.expr, old: str, new: str) -> ast.expr:
    """Return a decorator; the other parts of a property name the first one: `@load.setter`."""
    match decorator:
        case ast.Attribute(value=ast.Name(id=name) as value) if name == old:
            made = copy(decorator)
            made.value = ast.copy_location(ast.Name(new, ast.Load()), value)
            return made
    return decorator
