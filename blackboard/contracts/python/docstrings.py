"""What docstrings say: the sentences that document each facet, and what a function raises.

The names under `Raises:` are part of a function's value, so a change of them may break somebody:

Raises:
    NotFound: No note has this id.
    KeyError, ValueError: …
"""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence

from blackboard.contracts.documentation import sentences
from blackboard.contracts.python.interface import declared_names, statements
from blackboard.contracts.python.module_name import FACET, without_module

_HEADING = re.compile(r"(?P<indent>[ \t]*)Raises:(?P<rest>.*)")
_NAME = r"`{0,2}~?[^\W\d]\w*(?:\.[^\W\d]\w*)*`{0,2}"
_ENTRY = re.compile(rf"(?P<names>{_NAME}(?:(?:\s*,\s*(?:or\s+)?|\s+or\s+){_NAME})*)\s*(?::|$)")
_SEPARATOR = re.compile(r"[\s,]+(?:or\s+)?")


def documentation(tree: ast.Module) -> dict[str, str]:
    """Return path -> the sentences that document it.

    They are in the docstring of a module, class, function or method, of several `def` of one name in their order, and
    in the string below a field or constant.
    """
    found: dict[str, list[str]] = {FACET: [without_module(ast.get_docstring(tree) or "")]}
    for path, text in _documented(list(statements(tree)), ""):
        found.setdefault(path, []).append(text)
    spelled = {path: sentences(texts) for path, texts in found.items()}
    return {path: text for path, text in spelled.items() if text}


def _documented(body: Sequence[ast.stmt], prefix: str) -> Iterator[tuple[str, str]]:
    above: list[str] = []
    for node in body:
        text = _string(node)
        if text is not None:
            yield from ((path, text) for path in above)
        above = []
        for name in declared_names(node):
            path = f"{prefix}{name}"
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, ast.get_docstring(node) or ""
            else:
                above.append(path)
            if isinstance(node, ast.ClassDef):
                yield from _documented(node.body, f"{path}.")


def _string(node: ast.stmt) -> str | None:
    match node:
        case ast.Expr(value=ast.Constant(value=str() as text)):
            return text
    return None


def raises(docstring: str | None) -> tuple[str, ...]:
    """Return the names under `Raises:`, as written, in order.

    Args:
        docstring: The docstring without its common indentation, None where there is none.
    """
    names: list[str] = []
    lines = (docstring or "").expandtabs().split("\n")
    for number, line in enumerate(lines):
        heading = _HEADING.fullmatch(line)
        if heading is None:
            continue
        inline = heading["rest"].strip()
        # The first line has lost its indentation, so what is below it may have none left either.
        margin = len(heading["indent"]) if number else -1
        below = (lines[later] for later in range(number + 1, len(lines)))
        names += [name for entry in ([inline] if inline else _entries(below, margin)) for name in _names(entry)]
    return tuple(names)


def _entries(lines: Iterable[str], margin: int) -> list[str]:
    """Return the lines of a section's first level; what is indented deeper continues an entry."""
    entries: list[str] = []
    level = margin + 1
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if not line.strip():
            continue
        if indent < level:
            break
        level = level if entries else indent
        if indent == level:
            entries.append(line.strip())
    return entries


def _names(entry: str) -> list[str]:
    found = _ENTRY.match(entry)
    if found is None:
        return []
    return [name.strip("`").removeprefix("~") for name in _SEPARATOR.split(found["names"])]
