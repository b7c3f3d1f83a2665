"""From a stub to a module with the same declarations, whose functions raise `NotImplementedError`.

The text is edited, not written anew, so docs, comments and layout stay. Overloads, Protocols and abstract methods
keep their `...`: nobody implements those in place.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from blackboard.contracts.python.declarations import Class, Declaration, Function, Kind, Property
from blackboard.contracts.python.source import Source

_BODY = "raise NotImplementedError"
_FUTURE = "from __future__ import annotations"


@dataclass(frozen=True, slots=True, order=True)
class _Edit:
    """Bytes of the text to be replaced; places are (line, column) in bytes, both from 0."""

    start: tuple[int, int]
    end: tuple[int, int]
    text: str


def skeleton(source: Source, declarations: Mapping[str, Declaration]) -> str:
    """Return the module.

    Args:
        source: The stub.
        declarations: Facet name -> what it declares.
    """
    lines = [line.encode() for line in source.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    edits = [_edit(node, lines) for node in _functions(source.tree.body, "", declarations)]
    edits += _future(source.tree.body)
    for edit in sorted(edits, reverse=True):
        (first, start), (last, end) = edit.start, edit.end
        lines[first : last + 1] = [lines[first][:start] + edit.text.encode() + lines[last][end:]]
    return b"\n".join(lines).decode()


def _functions(
    statements: Sequence[ast.stmt], prefix: str, declarations: Mapping[str, Declaration]
) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in statements:
        match node:
            case ast.If():
                yield from _functions(node.body, prefix, declarations)
            case ast.ClassDef():
                declared = declarations.get(f"{prefix}{node.name}")
                if not (isinstance(declared, Class) and declared.kind is Kind.PROTOCOL):
                    yield from _functions(node.body, f"{prefix}{node.name}.", declarations)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                if _is_implemented_in_place(declarations.get(f"{prefix}{node.name}")):
                    yield node


def _is_implemented_in_place(declaration: Declaration | None) -> bool:
    if isinstance(declaration, Function):
        return not declaration.overloaded and "abstractmethod" not in declaration.signatures[0].decorators
    return isinstance(declaration, Property) and "abstractmethod" not in declaration.decorators


def _edit(node: ast.FunctionDef | ast.AsyncFunctionDef, lines: Sequence[bytes]) -> _Edit:
    documented = ast.get_docstring(node, clean=False) is not None
    body = node.body[1:] if documented else node.body
    if body:
        return _Edit(_start(body[0]), _end(body[-1]), _BODY)
    line, column = _start(node.body[0])
    indent = lines[line][:column].decode()
    own_line = not indent.strip()
    return _Edit(_end(node.body[0]), _end(node.body[0]), f"\n{indent}{_BODY}" if own_line else f"; {_BODY}")


def _future(statements: Sequence[ast.stmt]) -> list[_Edit]:
    """Let annotations name what is declared further down, as they may in a stub."""
    if any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in statements):
        return []
    first = statements[0] if statements else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return [_Edit(_end(first), _end(first), f"\n\n{_FUTURE}\n")]
    return [_Edit((0, 0), (0, 0), f"{_FUTURE}\n\n")]


def _start(node: ast.stmt) -> tuple[int, int]:
    return node.lineno - 1, node.col_offset


def _end(node: ast.stmt) -> tuple[int, int]:
    return (node.end_lineno or node.lineno) - 1, node.end_col_offset or 0
