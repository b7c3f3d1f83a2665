"""Type parameters and `type` statements of Python 3.12, read with the grammar of 3.11.

`def f[T: int](x: T) -> T` means what it means with `T = TypeVar("T", bound=int)` above it, `class C[T]` what
`class C(Generic[T])` means, and `type X = int` what `X: TypeAlias = int` means. The text is read with what 3.11 does
not know blanked out, so that places stay; then the tree is given what the blanks said. A variable's name belongs to its
function or class; where two that differ have one name, the second is named after its function: `T_f`.
"""

import ast
import io
import re
import tokenize
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

_NEW = re.compile(r"^[ \t]*(?:(?:async[ \t]+)?(?:def|class)[ \t]+\w+[ \t]*\[|type[ \t]+\w)", re.MULTILINE)
_PARAMETER = re.compile(r"(\**) *([^\W\d]\w*) *(?::([^=]+))?(?:= *(.+))?", re.DOTALL)
_MAKERS = {"": "TypeVar", "*": "TypeVarTuple", "**": "ParamSpec"}
_BEGINS = frozenset({tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.NL, tokenize.COMMENT})
_IMPORTED = ("Generic", "ParamSpec", "TypeAlias", "TypeVar", "TypeVarTuple", "Unpack")


@dataclass(frozen=True, slots=True)
class Newer:
    """A text in the grammar of 3.11, and what was taken out of it.

    Attributes:
        parameters: Line of a `def`, `class` or `type` -> the texts of its type parameters.
        aliases: Lines of the `type` statements.
    """

    text: str
    parameters: Mapping[int, Sequence[str]] = field(default_factory=dict)
    aliases: frozenset[int] = frozenset()


def without_newer(text: str) -> Newer:
    """Take out of a text what Python 3.11 does not know; the same text where there is nothing, or it is not Python."""
    if not _NEW.search(text):
        return Newer(text)
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return Newer(text)
    lines = text.splitlines(keepends=True)
    parameters: dict[int, Sequence[str]] = {}
    aliases: set[int] = set()
    for at, token in _headings(tokens):
        if token.string == "type":
            _blank(lines, token.start, tokens[at + 1].start)
            # The name begins the line, so that the statement keeps its indentation.
            row, column = token.start
            line, name = lines[row - 1], tokens[at + 1]
            lines[row - 1] = line[:column] + name.string.ljust(name.end[1] - column) + line[name.end[1] :]
            aliases.add(row)
        opening = at + 2
        if tokens[opening].string == "[":
            closing = _closing(tokens, opening)
            # Nothing between the brackets is no type parameter either.
            parameters[token.start[0]] = list(_split(tokens[opening + 1 : closing])) or [""]
            _blank(lines, tokens[opening].start, tokens[closing].end)
    return Newer("".join(lines), parameters, frozenset(aliases))


def with_newer(tree: ast.Module, newer: Newer) -> ast.Module:
    """Give a tree what was taken out of its text, as 3.11 writes it; statements that are added are at line 0."""
    if not newer.parameters and not newer.aliases:
        return tree
    taken = {ast.unparse(one.targets[0]): ast.unparse(one) for one in _calls(tree)}
    taken |= {one.name: "" for one in tree.body if isinstance(one, ast.ClassDef | ast.FunctionDef)}
    made: list[ast.stmt] = []
    for node in list(ast.walk(tree)):
        texts = newer.parameters.get(getattr(node, "lineno", 0), ())
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Assign) and texts:
            _declare(node, texts, taken, made)
    _Aliases(newer.aliases, {one.name for one in tree.body if isinstance(one, ast.ClassDef)}).visit(tree)
    imported = ast.ImportFrom("typing", [ast.alias(name) for name in _IMPORTED], 0)
    first = next(
        (at for at, one in enumerate(tree.body) if not isinstance(one, ast.Expr | ast.Import | ast.ImportFrom)), 0
    )
    tree.body[first:first] = [_at_line_0(one) for one in (imported, *made)]
    return tree


def _calls(tree: ast.Module) -> Iterator[ast.Assign]:
    """Yield the statements of a module that may make type variables."""
    yield from (one for one in tree.body if isinstance(one, ast.Assign) and isinstance(one.value, ast.Call))


def _headings(tokens: Sequence[tokenize.TokenInfo]) -> Iterator[tuple[int, tokenize.TokenInfo]]:
    for at, token in enumerate(tokens[:-2]):
        following = tokens[at + 2].string
        if token.string in ("def", "class") and following == "[":
            yield at, token
        elif token.string == "type" and tokens[at + 1].type == tokenize.NAME and following in ("[", "="):
            begins = at == 0 or tokens[at - 1].type in _BEGINS or tokens[at - 1].string in (":", ";")
            yield from ((at, token) for _ in range(begins))


def _closing(tokens: Sequence[tokenize.TokenInfo], opening: int) -> int:
    depth = 0
    for at in range(opening, len(tokens)):
        depth += (tokens[at].string in "([{") - (tokens[at].string in ")]}") if tokens[at].type == tokenize.OP else 0
        if depth == 0:
            return at
    return len(tokens) - 1


def _split(tokens: Sequence[tokenize.TokenInfo]) -> Iterator[str]:
    """Yield what stands between the commas."""
    depth, part = 0, ""
    for token in tokens:
        if token.type == tokenize.OP:
            depth += (token.string in "([{") - (token.string in ")]}")
        if token.string == "," and depth == 0:
            yield part
            part = ""
        elif token.type not in (tokenize.NL, tokenize.COMMENT):
            part += f"{token.string} "
    if part.strip():
        yield part


def _blank(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> None:
    """Put spaces in the place of characters; line ends go on the line with a backslash."""
    for row in range(start[0], end[0] + 1):
        line = lines[row - 1]
        first = start[1] if row == start[0] else 0
        last = end[1] if row == end[0] else len(line.rstrip("\r\n"))
        going_on = "\\" if row < end[0] else ""
        lines[row - 1] = line[:first] + " " * (last - first) + going_on + line[last:]


def _declare(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Assign,
    texts: Sequence[str],
    taken: dict[str, str],
    made: list[ast.stmt],
) -> None:
    """Declare the type variables of a function, class or alias."""
    owner = ast.unparse(node.targets[0]) if isinstance(node, ast.Assign) else node.name
    items: list[ast.expr] = []
    renamed: dict[str, str] = {}
    for text in texts:
        name, maker, rest = _parameter(text)
        chosen = name
        if taken.get(name, _made(name, maker, rest)) != _made(name, maker, rest):
            chosen = renamed[name] = f"{name}_{owner}"
        if chosen not in taken:
            taken[chosen] = _made(chosen, maker, rest)
            made += ast.parse(taken[chosen]).body
        item: ast.expr = ast.Name(chosen)
        items.append(ast.Subscript(ast.Name("Unpack"), item) if maker == "TypeVarTuple" else item)
    if renamed:
        _Renamed(renamed).visit(node)
    if isinstance(node, ast.ClassDef):
        node.bases.append(ast.Subscript(ast.Name("Generic"), items[0] if len(items) == 1 else ast.Tuple(items)))
        ast.fix_missing_locations(node)


def _parameter(text: str) -> tuple[str, str, str]:
    """Return a type parameter's name, what makes it, and the further arguments."""
    found = _PARAMETER.fullmatch(text.strip())
    if found is None:
        raise SyntaxError(f"{text.strip()} is no type parameter")
    stars, name, bound, default = found.groups()
    rest = ""
    if bound is not None:
        parsed = ast.parse(bound.strip(), mode="eval").body
        several = [ast.unparse(one) for one in parsed.elts] if isinstance(parsed, ast.Tuple) else []
        rest = "".join(f", {one}" for one in several) or f", bound={ast.unparse(parsed)}"
    return name, _MAKERS[stars], rest + ("" if default is None else f", default={default.strip()}")


def _made(name: str, maker: str, rest: str) -> str:
    return ast.unparse(ast.parse(f"{name} = {maker}({name!r}{rest})"))


def _at_line_0(node: ast.stmt) -> ast.stmt:
    for one in ast.walk(node):
        if isinstance(one, ast.stmt | ast.expr | ast.alias | ast.keyword):
            one.lineno = one.col_offset = one.end_lineno = one.end_col_offset = 0
    return node


class _Renamed(ast.NodeTransformer):
    """Gives type variables other names."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self._names.get(node.id, node.id)
        return node


class _Aliases(ast.NodeTransformer):
    """Marks what `type` statements declare as aliases; one of a class is quoted, for it cannot be called."""

    def __init__(self, lines: frozenset[int], classes: Collection[str]) -> None:
        self._lines, self._classes = lines, classes

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        target = node.targets[0]
        if node.lineno not in self._lines or not isinstance(target, ast.Name):
            return node
        value = node.value
        if isinstance(value, ast.Name) and value.id in self._classes:
            value = ast.copy_location(ast.Constant(value.id), value)
        made = ast.AnnAssign(target, ast.Name("TypeAlias", ast.Load()), value, simple=1)
        return ast.fix_missing_locations(ast.copy_location(made, node))
