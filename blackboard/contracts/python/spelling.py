"""One text for each type and each value, whatever the author's formatting.

Unions are flat, sorted and without repetition, `None` last, so `Optional[int]`, `Union[None, int]` and `int | None` are
the same text; so are a type and the string that quotes it. The order of tuple items and arguments stays, the order of
keyword arguments, set items and literals does not.
"""

import ast
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from blackboard.contracts.python.names import Names
from blackboard.contracts.python.source import Source, parse_expression
from blackboard.errors import InvalidContract

MAX_DEPTH = 32
# Why: beyond so many bits Python may refuse to write a number in digits, as it was set up.
_MAX_BITS = 14_000

_UNARY = {ast.USub: "-", ast.UAdd: "+", ast.Invert: "~", ast.Not: "not "}
_BINARY = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.BitAnd: "&",
    ast.BitXor: "^",
    ast.MatMult: "@",
}
_TYPE_LIKE = (ast.Name, ast.Attribute, ast.Subscript)


class Speller:
    """Spells the expressions of one stub."""

    def __init__(self, source: Source, names: Names) -> None:
        self.source = source
        self.names = names

    def annotation(self, node: ast.expr, depth: int = 0) -> str:
        """Spell an annotation; a string in it is a type in quotes.

        Raises:
            InvalidContract: It is no expression of a stub, or nested too deeply.
        """
        return _union(self._members(node, depth))

    def value(self, node: ast.expr, depth: int = 0) -> str:
        """Spell a value: a default, a constant, a decorator, a base.

        Raises:
            InvalidContract: It is no expression of a stub, or nested too deeply.
        """
        if _is_alias(node):
            return _union(self._members(node, depth, quoted=False))
        return self._spelled(node, depth)

    def name(self, node: ast.expr) -> str | None:
        """Return what a plain or dotted name stands for, None where the expression is neither."""
        dotted = _dotted(node)
        return None if dotted is None else self.names.resolve(dotted)

    def _members(self, node: ast.expr, depth: int, *, quoted: bool = True) -> list[str]:
        """Return the members of a union, of one member where it is none."""
        self._check_depth(node, depth)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return [text for item in _operands(node) for text in self._members(item, depth + 1, quoted=quoted)]
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and quoted:
            return self._members(self._unquoted(node), depth + 1)
        if isinstance(node, ast.Subscript):
            outer = self.name(node.value)
            if outer in ("Optional", "Union"):
                inner = [text for item in _items(node.slice) for text in self._members(item, depth + 1, quoted=quoted)]
                return [*inner, "None"] if outer == "Optional" else inner
            if outer == "Literal":
                return self._literals(node.slice, depth + 1)
            return [self._subscript(node, outer, depth, quoted=quoted)]
        return [self._spelled(node, depth)]

    def _literals(self, node: ast.expr, depth: int) -> list[str]:
        texts: list[str] = []
        for item in _items(node):
            if isinstance(item, ast.Subscript):
                texts += self._members(item, depth + 1)
            else:
                text = self._spelled(item, depth + 1)
                texts.append("None" if text == "None" else f"Literal[{text}]")
        return texts

    def _subscript(self, node: ast.Subscript, outer: str | None, depth: int, *, quoted: bool) -> str:
        items = _items(node.slice)
        inner = [self._argument(item, depth + 1, quoted=quoted) for item in items]
        if outer == "Annotated":
            inner[1:] = [self.value(item, depth + 1) for item in items[1:]]
        return f"{outer or _tight(self.value(node.value, depth + 1))}[{', '.join(inner) or '()'}]"

    def _argument(self, node: ast.expr, depth: int, *, quoted: bool) -> str:
        self._check_depth(node, depth)
        if isinstance(node, ast.List):
            return f"[{', '.join(self._argument(item, depth + 1, quoted=quoted) for item in node.elts)}]"
        if isinstance(node, ast.Starred):
            return f"*{_tight(self._argument(node.value, depth + 1, quoted=quoted))}"
        return self.annotation(node, depth) if quoted else self.value(node, depth)

    def _spelled(self, node: ast.expr, depth: int) -> str:
        self._check_depth(node, depth)
        name = self.name(node)
        if name is not None:
            return name
        spell = self._BY_NODE.get(type(node))
        if spell is None:
            raise self.source.refusal(node, "this expression does not belong in a stub; write `...` for a value")
        return spell(self, node, depth)

    def _constant(self, node: ast.Constant, _: int) -> str:
        if isinstance(node.value, int) and node.value.bit_length() > _MAX_BITS:
            raise self.source.refusal(node, f"a number of more than {_MAX_BITS:,} bits")
        return "..." if node.value is ... else repr(node.value)

    def _attribute(self, node: ast.Attribute, depth: int) -> str:
        return f"{_tight(self.value(node.value, depth + 1))}.{node.attr}"

    def _starred(self, node: ast.Starred, depth: int) -> str:
        return f"*{_tight(self.value(node.value, depth + 1))}"

    def _unary(self, node: ast.UnaryOp, depth: int) -> str:
        return f"{_UNARY[type(node.op)]}{_tight(self.value(node.operand, depth + 1))}"

    def _operation(self, node: ast.BinOp, depth: int) -> str:
        if isinstance(node.op, ast.BitOr):
            return f"({' | '.join(_tight(self.value(item, depth + 1)) for item in _operands(node))})"
        left, right = (_tight(self.value(side, depth + 1)) for side in (node.left, node.right))
        return f"({left} {_BINARY[type(node.op)]} {right})"

    def _call(self, node: ast.Call, depth: int) -> str:
        of_types = self.name(node.func) in ("NewType", "TypeVar")
        arguments = [
            (self.annotation if of_types and number else self.value)(argument, depth + 1)
            for number, argument in enumerate(node.args)
        ]
        named = [
            (word.arg, (self.annotation if of_types and word.arg == "bound" else self.value)(word.value, depth + 1))
            for word in node.keywords
        ]
        arguments += [f"{name}={text}" for name, text in sorted((name, text) for name, text in named if name)]
        arguments += [f"**{text}" for name, text in named if not name]
        return f"{_tight(self.value(node.func, depth + 1))}({', '.join(arguments)})"

    def _display(self, node: ast.Tuple | ast.List | ast.Set | ast.Dict, depth: int) -> str:
        if isinstance(node, ast.Dict):
            keys = ["**" if key is None else f"{self.value(key, depth + 1)}: " for key in node.keys]
            values = [self.value(value, depth + 1) for value in node.values]
            return f"{{{', '.join(map(str.__add__, keys, values))}}}"
        items = [self.value(item, depth + 1) for item in node.elts]
        if isinstance(node, ast.Set):
            return f"{{{', '.join(sorted(set(items)))}}}"
        if isinstance(node, ast.List):
            return f"[{', '.join(items)}]"
        return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"

    _BY_NODE: ClassVar[Mapping[type[ast.expr], Callable[["Speller", Any, int], str]]] = {
        ast.Attribute: _attribute,
        ast.BinOp: _operation,
        ast.Call: _call,
        ast.Constant: _constant,
        ast.Dict: _display,
        ast.List: _display,
        ast.Set: _display,
        ast.Starred: _starred,
        ast.Tuple: _display,
        ast.UnaryOp: _unary,
    }

    def _unquoted(self, node: ast.Constant) -> ast.expr:
        """Return the type that a string quotes, standing where the string stands."""
        try:
            found = parse_expression(str(node.value).strip())
        except InvalidContract:
            raise self.source.refusal(node, "this string is no type") from None
        for inner in ast.walk(found):
            ast.copy_location(inner, node)
        return found

    def _check_depth(self, node: ast.expr, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise self.source.refusal(node, f"nested more than {MAX_DEPTH} deep")


def _union(members: list[str]) -> str:
    plain = set(members or ["Never"])
    literals = sorted(text.removeprefix("Literal[").removesuffix("]") for text in plain if text.startswith("Literal["))
    others = sorted(text for text in plain if text != "None" and not text.startswith("Literal["))
    joined = [f"Literal[{', '.join(literals)}]"] if literals else []
    return " | ".join([*others, *joined, *(["None"] if "None" in plain else [])])


def _operands(node: ast.BinOp) -> list[ast.expr]:
    """Return the operands of `a | b | c` in order, without recursion: a long union is a deep tree."""
    operands: list[ast.expr] = []
    pending: list[ast.expr] = [node]
    while pending:
        item = pending.pop()
        if isinstance(item, ast.BinOp) and isinstance(item.op, ast.BitOr):
            pending += (item.right, item.left)
        else:
            operands.append(item)
    return operands


def _is_alias(node: ast.expr) -> bool:
    """Say whether a value is a type: `Optional[int]`, `int | None`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        operands = _operands(node)
        return all(isinstance(item, _TYPE_LIKE) or _is_none(item) for item in operands)
    return isinstance(node, ast.Subscript)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _items(node: ast.expr) -> list[ast.expr]:
    return node.elts if isinstance(node, ast.Tuple) else [node]


def _dotted(node: ast.expr) -> str | None:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else None


def _tight(text: str) -> str:
    """Put a union in parentheses, so that what is around it does not fall apart."""
    return f"({text})" if " | " in text else text
