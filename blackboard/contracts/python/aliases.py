"""One function under two names: `load = read` says the same as a second `def`.

Whoever uses or implements a contract sees two functions, whichever way the stub or the code writes the second one.
"""

import ast
from collections.abc import Iterable, Sequence
from copy import copy, deepcopy

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def expanded(statements: Iterable[ast.stmt]) -> list[ast.stmt]:
    """Return statements of a scope with each alias of a function that stands in it written as a `def`."""
    found = [_members(one) for one in statements]
    functions: dict[str, list[_Function]] = {}
    for one in found:
        if isinstance(one, _Function):
            functions.setdefault(one.name, []).append(one)
    return [part for one in found for part in _written(one, functions)]


def _members(node: ast.stmt) -> ast.stmt:
    """Return a class with the aliases among its methods expanded."""
    if not isinstance(node, ast.ClassDef) or not any(isinstance(one, ast.Assign | ast.ClassDef) for one in node.body):
        return node
    made = copy(node)
    made.body = expanded(node.body)
    return made


def _written(node: ast.stmt, functions: dict[str, list[_Function]]) -> Sequence[ast.stmt]:
    match node:
        case ast.Assign(targets=[ast.Name(id=alias)], value=ast.Name(id=name)) if name in functions:
            made = [_named(one, alias, node) for one in functions[name]]
            functions.setdefault(alias, made)
            return made
    return [node]


def _named(function: _Function, name: str, at: ast.stmt) -> _Function:
    made = ast.copy_location(deepcopy(function), at)
    made.name = name
    # The other parts of a property name the first one: `@load.setter`.
    for one in made.decorator_list:
        if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id == function.name:
            one.value.id = name
    return made
