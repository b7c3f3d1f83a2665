"""The language `constraint`: an expression over values and facets of other decisions.

`session.ttl_seconds >= auth.token_ttl_seconds`: a dotted name is a key without `/` and a path into its JSON. Any key
can be named by `value("api/session", "limits.ttl")` and `facet("api/notes", "Note.id")`. The grammar is a part of
Python's: literals, comparisons, `and`, `or`, `not`, `+`, `-` and `*` by a number.

The facets are the expression, and one for each key that it names: by these a board finds the constraints on a key.
"""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite

from blackboard.contracts.facets import Reading, undecided
from blackboard.contracts.python.source import parse_expression, position
from blackboard.errors import InvalidContract, InvalidKey, TooLarge
from blackboard.spec.canonical import JSON
from blackboard.spec.effects import Comparison
from blackboard.spec.expressions import (
    Expression,
    Junction,
    Literal,
    Not,
    Operation,
    Reference,
    keys_of,
)
from blackboard.spec.keys import check_key

LANGUAGE = "constraint"
PREFIX = "constraint/"
NAMES = "names:"
"""The prefix of a facet that names a key."""

MAX_TEXT_BYTES = 10_000
MAX_DEPTH = 64

_COMPARISONS = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
}
_CALCULATIONS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}
_SEGMENT = re.compile(r'([A-Za-z_][A-Za-z0-9_]*|"(?:[^"\\]|\\.)*")(?:\.(?!$)|$)')


@dataclass(frozen=True, slots=True)
class ConstraintBody:
    """An expression, and its text however it was laid out."""

    expression: Expression
    text: str


class Constraint:
    """The language `constraint`."""

    name = LANGUAGE

    def parse(self, text: str) -> ConstraintBody:
        """Read the expression.

        Raises:
            InvalidContract: It is no expression, or has a part that is not permitted in a constraint.
            TooLarge: It has more than 10,000 bytes.
        """
        size = len(text.encode())
        if size > MAX_TEXT_BYTES:
            raise TooLarge(LANGUAGE, size, MAX_TEXT_BYTES)
        if "\0" in text:
            raise InvalidContract(LANGUAGE, "a NUL character")
        text = text.lstrip(" \t")
        try:
            tree = parse_expression(text)
        except InvalidContract as error:
            raise InvalidContract(LANGUAGE, error.why, line=error.line, column=error.column) from None
        expression = _Reader(text).read(tree, 0)
        return ConstraintBody(expression, ast.unparse(tree))

    def kept(self, text: str, body: ConstraintBody) -> str:  # noqa: ARG002 -- part of the protocol: `task` answers by the body
        """Return the text unchanged."""
        return text

    def facets(self, body: ConstraintBody) -> dict[str, JSON]:
        """Return the expression, and each key that it names."""
        return {"expression": body.text, **{f"{NAMES}{key}": True for key in keys_of(body.expression)}}

    def compare(self, old: Reading[ConstraintBody], new: Reading[ConstraintBody]) -> Comparison:
        """Call any change breaking."""
        return undecided(old.facets, new.facets)

    def skeleton(self, body: ConstraintBody) -> str:
        """Return the expression."""
        return body.text


class _Reader:
    """Makes an expression of a syntax tree; refuses what does not belong into one."""

    def __init__(self, text: str) -> None:
        self._text = text

    def _refusal(self, node: ast.AST, why: str) -> InvalidContract:
        line, column = position(self._text, node)
        return InvalidContract(LANGUAGE, why, line=line, column=column)

    def read(self, node: ast.expr, depth: int) -> Expression:
        if depth > MAX_DEPTH:
            raise self._refusal(node, f"nested more than {MAX_DEPTH} deep")
        found: Expression
        match node:
            case ast.Constant() | ast.List() | ast.Tuple() | ast.UnaryOp(op=ast.USub(), operand=ast.Constant()):
                found = Literal(self._literal(node, depth))
            case ast.Name() | ast.Attribute():
                found = self._dotted(node)
            case ast.Call():
                found = self._call(node)
            case ast.BoolOp(op=operator, values=values):
                found = Junction(isinstance(operator, ast.And), tuple(self.read(one, depth + 1) for one in values))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                found = Not(self.read(operand, depth + 1))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                found = Operation(Literal(0), "-", self.read(operand, depth + 1))
            case ast.Compare():
                found = self._compare(node, depth)
            case ast.BinOp():
                found = self._calculation(node, depth)
            case _:
                raise self._refusal(node, f"a constraint has no {type(node).__name__}")
        return found

    def _literal(self, node: ast.expr, depth: int) -> JSON:
        match node:
            case ast.Constant(value=None | bool() | int() | str() as value):
                return value
            case ast.Constant(value=float() as value) if isfinite(value):
                return value
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)) if not isinstance(
                value, bool
            ) and isfinite(value):
                return -value
            case ast.List(elts=items) | ast.Tuple(elts=items) if depth <= MAX_DEPTH:
                return [self._literal(item, depth + 1) for item in items]
            case _:
                raise self._refusal(node, "a literal is a number, a text, True, False, None, or a list of them")

    def _dotted(self, node: ast.expr) -> Reference:
        path: list[str] = []
        inner = node
        while isinstance(inner, ast.Attribute):
            path.append(inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Call) and path:
            raise self._refusal(node, 'write the path into the call: value("a/b", "c.d")')
        if not isinstance(inner, ast.Name):
            raise self._refusal(node, "a name is a key and a path into its value, with dots between them")
        return Reference(self._key(inner, inner.id), tuple(reversed(path)))

    def _call(self, node: ast.Call) -> Reference:
        texts = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if len(texts) != len(node.args) or node.keywords:
            raise self._refusal(node, f"{name or 'a call'} is given texts: the key, and what of it")
        match name, texts:
            case "facet", [key, facet]:
                return Reference(self._key(node, key), facet=facet)
            case "value", [key]:
                return Reference(self._key(node, key))
            case "value", [key, path]:
                return Reference(self._key(node, key), tuple(self._path(node, path)))
            case _:
                raise self._refusal(node, "the calls are facet(KEY, FACET), value(KEY) and value(KEY, PATH)")

    def _path(self, node: ast.expr, path: str) -> Iterator[str]:
        at = 0
        while at < len(path):
            found = _SEGMENT.match(path, at)
            if found is None:
                raise self._refusal(
                    node, "a path is names with dots between them; one that is no plain word stands in quotes"
                )
            yield self._unquoted(node, found[1])
            at = found.end()

    def _unquoted(self, node: ast.expr, segment: str) -> str:
        try:
            return str(json.loads(segment)) if segment.startswith('"') else segment
        except ValueError:
            raise self._refusal(node, f"{segment} is not quoted as JSON") from None

    def _key(self, node: ast.expr, key: str) -> str:
        try:
            return check_key(key)
        except InvalidKey as error:
            raise self._refusal(node, f"{key!a} is no key: {error.why}") from None

    def _compare(self, node: ast.Compare, depth: int) -> Expression:
        operands = [self.read(one, depth + 1) for one in (node.left, *node.comparators)]
        pairs = []
        for number, operator in enumerate(node.ops):
            if type(operator) not in _COMPARISONS:
                raise self._refusal(node, "compare by ==, !=, <, <=, >, >=, in or not in")
            pairs.append(Operation(operands[number], _COMPARISONS[type(operator)], operands[number + 1]))
        return pairs[0] if len(pairs) == 1 else Junction(every=True, operands=tuple(pairs))

    def _calculation(self, node: ast.BinOp, depth: int) -> Expression:
        operator = _CALCULATIONS.get(type(node.op))
        if operator is None:
            slash = isinstance(node.op, ast.Div)
            raise self._refusal(
                node, 'write value("a/b", "c") for a key with a slash' if slash else "calculate by +, - or *"
            )
        left, right = self.read(node.left, depth + 1), self.read(node.right, depth + 1)
        if operator == "*" and keys_of(left) and keys_of(right):
            raise self._refusal(node, "one side of * names no decision: constraints are linear")
        return Operation(left, operator, right)
