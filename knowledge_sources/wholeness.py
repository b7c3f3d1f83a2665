"""Detection of incomplete files and stubs before a component is written.

Files are read and never executed. In Python these are incomplete: a file without a syntax tree; a function whose body
is `...`, or `pass` although it returns a value, or only `raise NotImplementedError`. Exceptions are `.pyi` files,
protocols, abstract and overloaded functions, and classes that a subclass in the files completes. In any file: a comment
in place of code, such as `# ... rest of the code`. `conformance`, `starts` and tests find other incomplete code.
"""

import ast
import re
from collections.abc import Iterator, Mapping

_LEFT_OUT = re.compile(
    r"^[ \t]*(?:#|//|/\*|--|<!--)[ \t]*(?:"
    r"(?:\.\.\.|…)[ \t]*\(?(?:the )?(?:rest|remaining|remainder|existing|previous|other|same|unchanged|omitted)\b"
    r"|(?:the )?(?:rest|remainder) of (?:the |your |this )?(?:code|file|class|implementation|functions?|methods?)"
    r"(?: here| unchanged|(?: (?:remains?|stays?|is|goes|follows?)\b(?: (?:unchanged|the same|here|as .*))?)?)"
    r"[ \t.…:]*$"
    r"|(?:existing|previous|remaining) (?:code|implementation)\b.*(?:here|unchanged|\.\.\.|…)"
    r"|TODO:?[ \t]*(?:implement|write)(?: (?:it|me|this))?[ \t.]*$"
    r"|(?:implement|add|insert) (?:the |your )?(?:code|logic|implementation)(?: here)?[ \t.]*$"
    r").*$",
    re.IGNORECASE | re.MULTILINE,
)
_SHOWN = 80


def unfinished(files: Mapping[str, str]) -> str | None:
    """Return why some files, path -> text, are incomplete; None if no sign of that was found."""
    if files and not any(text.strip() for text in files.values()) and any(_wants_text(path) for path in files):
        return "all its files are empty"
    trees = {path: _read(text) for path, text in files.items() if path.endswith(".py")}
    modules = [tree for tree in trees.values() if isinstance(tree, ast.Module)]
    classes = [node for tree in modules for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    completed = {_name(base) for one in classes for base in one.bases}
    found: list[str] = []
    for path, text in sorted(files.items()):
        found += _left_out(path, text)
        match trees.get(path):
            case str() as fault:
                found.append(f"{path}, {fault}")
            case ast.Module() as tree:
                stubs = _stubs(tree, completed)
                found += (f"{path}, line {one.lineno}: the body of {one.name} is missing" for one in stubs)
    return "; ".join(found[:5]) or None


def _wants_text(path: str) -> bool:
    return not path.endswith(("__init__.py", "py.typed", ".gitkeep"))


def _left_out(path: str, text: str) -> Iterator[str]:
    found = _LEFT_OUT.search(text)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        yield f"{path}, line {line}: {found[0].strip()[:_SHOWN]!r} is in place of code"


def _read(text: str) -> ast.Module | str:
    """Return the syntax tree of a file, or the syntax error with its line."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        return f"line {line}: this is no Python ({getattr(error, 'msg', None) or error}); is a part missing?"


def _stubs(parent: ast.AST, completed: set[str]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.iter_child_nodes(parent):
        if isinstance(node, ast.ClassDef):
            own = {_name(base) for base in node.bases}
            if not own & {"Protocol", "ABC"} and node.name not in completed:
                yield from _stubs(node, completed)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if _is_stub(node) and not {_name(one) for one in node.decorator_list} & {"overload", "abstractmethod"}:
                yield node
            yield from _stubs(node, completed)
        else:
            yield from _stubs(node, completed)


def _is_stub(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    body = function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body
    match body:
        case [ast.Expr(value=ast.Constant(value=value))] if value is Ellipsis:
            return True
        case [ast.Pass()]:
            gives = function.returns
            return gives is not None and not (isinstance(gives, ast.Constant) and gives.value is None)
        case [ast.Raise(exc=ast.Call(func=raised))] | [ast.Raise(exc=ast.Name() as raised)]:
            return _name(raised) == "NotImplementedError"
    return False


def _name(node: ast.AST) -> str:
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return node.attr
        case ast.Subscript():
            return _name(node.value)
        case ast.Call():
            return _name(node.func)
    return ""
