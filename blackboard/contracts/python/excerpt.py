"""The lines of a stub that declare some of its facets, as they were written.

A class that is needed for some of its members is shown with its first lines, its docstring and these members. The
docstring of the stub, its imports and type variables are always shown: the other lines need them to be understood.
"""

import ast
from collections.abc import Collection, Iterator, Sequence

from blackboard.contracts.python.aliases import alias_of
from blackboard.contracts.python.interface import is_type_variable
from blackboard.contracts.python.source import Source


def excerpt(source: Source, names: Collection[str]) -> str:
    """Return the lines of a stub that declare some names.

    Args:
        source: The stub.
        names: Facets, with those that they mention.
    """
    lines = source.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept = list(_body(source.tree.body, "", names, lines))
    return "\n".join(kept) + "\n" if kept else ""


def _body(nodes: Sequence[ast.stmt], prefix: str, names: Collection[str], lines: Sequence[str]) -> Iterator[str]:
    shown, names = True, {*names, *_aliased(nodes, prefix, names)}
    for node in nodes:
        # A string below a field is the field's documentation.
        if shown or not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            texts = list(_shown(node, prefix, names, lines))
            shown = bool(texts)
            yield from texts


def _aliased(nodes: Sequence[ast.stmt], prefix: str, names: Collection[str]) -> Iterator[str]:
    """Yield what is needed under another name: `read` where `load = read` is, `New.id` where `Old = New` is."""
    wanted = list(names)
    for node in reversed(nodes):
        if (found := alias_of(node)) is not None:
            alias, name = (f"{prefix}{one}" for one in found)
            more = [name + one.removeprefix(alias) for one in wanted if f"{one}.".startswith(f"{alias}.")]
            wanted += more
            yield from more


def _shown(node: ast.stmt, prefix: str, names: Collection[str], lines: Sequence[str]) -> Iterator[str]:
    paths = {f"{prefix}{name}" for name in _named(node)}
    inside = any(name.startswith(f"{path}.") for path in paths for name in names)
    if isinstance(node, ast.ClassDef) and (inside or paths & {*names}):
        yield from _class(node, f"{prefix}{node.name}.", names, lines)
    elif not paths or inside or paths & {*names} or is_type_variable(node):
        yield from _lines(node, lines)


def _class(node: ast.ClassDef, prefix: str, names: Collection[str], lines: Sequence[str]) -> Iterator[str]:
    first = _first_line(node.body[0])
    if first <= _first_line(node) or not lines[first - 1][: node.body[0].col_offset].isspace():
        yield from _lines(node, lines)
        return
    yield from lines[_first_line(node) - 1 : first - 1]
    yield from list(_body(node.body, prefix, names, lines)) or [" " * node.body[0].col_offset + "..."]


def _lines(node: ast.stmt, lines: Sequence[str]) -> Sequence[str]:
    return lines[_first_line(node) - 1 : node.end_lineno or node.lineno]


def _first_line(node: ast.stmt) -> int:
    decorated: Sequence[ast.expr] = getattr(node, "decorator_list", ())
    return min([node.lineno, *(one.lineno for one in decorated)])


def _named(node: ast.stmt) -> list[str]:
    """Return the names that a statement declares; none for what every reader needs."""
    match node:
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
            return [node.name]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case ast.Assign():
            return [target.id for target in node.targets if isinstance(target, ast.Name)]
    return []
