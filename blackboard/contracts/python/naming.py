"""Which declarations of a stub name which others: what they name has to be declared, or users of the stub fail."""

import ast
import re
from collections.abc import Container, Iterator, Sequence

from blackboard.contracts.facets import MAX_FACET_NAME_BYTES
from blackboard.contracts.python.docstrings import raises
from blackboard.contracts.python.modules import bindings
from blackboard.contracts.python.stub import Stub

_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")


def named(stub: Stub) -> Iterator[tuple[str, str]]:
    """Yield (facet, facet that it names) for types, bases, decorators, values and `Raises:`; types in quotes too."""
    for owner, path, node in _declared(stub.source.tree.body, ""):
        for dotted in _names(node):
            # In a class, a name may be that of a member.
            for scope in dict.fromkeys(("", owner)):
                target = _longest(f"{scope}.{dotted}" if scope else dotted, scope, stub.facets)
                if target is not None:
                    yield path, target


def _declared(body: Sequence[ast.stmt], owner: str) -> Iterator[tuple[str, str, ast.stmt]]:
    """Yield (facet of the class in which it stands, facet, statement) for all that is declared."""
    for name, node in bindings(body):
        path = f"{owner}.{name}" if owner else name
        yield owner, path, node
        if isinstance(node, ast.ClassDef):
            yield from _declared(node.body, path)


def _names(node: ast.stmt) -> Iterator[str]:
    """Yield the names in a declaration, without those in the body of a class or function."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        yield from raises(ast.get_docstring(node))
    for inner in _parts(node):
        match inner:
            case ast.Name() | ast.Attribute():
                yield ast.unparse(inner)
            case ast.Constant(value=str(text)):
                yield from _DOTTED.findall(text)


def _parts(node: ast.stmt) -> Iterator[ast.AST]:
    for name, value in ast.iter_fields(node):
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, ast.AST) and name != "body":
                yield from ast.walk(part)


def _longest(dotted: str, scope: str, facets: Container[str]) -> str | None:
    """Return the longest part of a dotted name, from its beginning on, that is declared."""
    found = dotted[:MAX_FACET_NAME_BYTES]
    while found not in facets:
        found = found.rpartition(".")[0]
        if found == scope:
            return None
    return found
