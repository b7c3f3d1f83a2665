"""Whether files that are called done are whole: half a file and a stub are recognised before they are written.

Recognised by reading, never by running. In Python: a file that has no syntax tree; a function whose body is `...`, or
`pass` though it promises a value, or only `raise NotImplementedError`. Not in a `.pyi`, a protocol, an abstract or
overloaded function, nor in a class that another one of the file completes. In any file: a comment in place of code,
such as `# ... rest of the code`. What passes here and does nothing is left to `conformance`, `starts` and the tests.
"""

import ast
import re
from collections.abc import Iterator, Mapping

_LEFT_OUT = re.compile(
    r"^[ \t]*(?:#|//|/\*|--|<!--)[ \t]*(?:"
    r"(?:\.\.\.|…)[ \t]*\(?(?:the )?(?:rest|remaining|remainder|existing|previous|other|same|unchanged|omitted)\b"
    r"|(?:the )?(?:rest|remainder) of (?:the |your |this )?(?:code|file|class|implementation|functions?|methods?)\b"
    r"|(?:existing|previous|remaining) (?:code|implementation)\b.*(?:here|unchanged|\.\.\.|…)"
    r"|TODO:?[ \t]*(?:implement|write)(?: (?:it|me|this))?[ \t.]*$"
    r"|(?:implement|add|insert) (?:the |your )?(?:code|logic|implementation)(?: here)?[ \t.]*$"
    r").*$",
    re.IGNORECASE | re.MULTILINE,
)
_SHOWN = 80


def unfinished(files: Mapping[str, str]) -> str | None:
    """Return why some files, path -> text, are no whole component; None: nothing shows that they are not."""
    if files and not any(text.strip() for text in files.values()) and any(_wants_text(path) for path in files):
        return "all its files are empty"
    found = [reason for path, text in sorted(files.items()) for reason in _unfinished(path, text)]
    return "; ".join(found[:5]) or None


def _wants_text(path: str) -> bool:
    return not path.endswith(("__init__.py", "py.typed", ".gitkeep"))


def _unfinished(path: str, text: str) -> Iterator[str]:
    left_out = _LEFT_OUT.search(text)
    if left_out:
        line = text.count("\n", 0, left_out.start()) + 1
        yield f"{path}, line {line}: {left_out[0].strip()[:_SHOWN]!r} is in place of code"
    if not path.endswith(".py"):
        return
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        yield f"{path}, line {line}: this is no Python ({getattr(error, 'msg', None) or error}); is a part missing?"
        return
    bases = {_name(base) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for base in node.bases}
    for function in _stubs(tree, bases):
        yield f"{path}, line {function.lineno}: the body of {function.name} is missing"


def _stubs(parent: ast.AST, bases: set[str]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.iter_child_nodes(parent):
        if isinstance(node, ast.ClassDef):
            own = {_name(base) for base in node.bases}
            if not own & {"Protocol", "ABC"} and node.name not in bases:
                yield from _stubs(node, bases)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if _is_stub(node) and not {_name(one) for one in node.decorator_list} & {"overload", "abstractmethod"}:
                yield node
            yield from _stubs(node, bases)
        else:
            yield from _stubs(node, bases)


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
