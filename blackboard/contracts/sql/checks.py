"""Values that fit a check and values that do not, found by trying those that stand in it and their neighbours.

An expression is evaluated in SQL's three values, None for unknown, over the part of the language that is the same
everywhere: comparisons, IN, AND, OR, NOT, IS NULL, COALESCE, arithmetic on whole numbers, the length of a text. A
column may hold `ANYTHING`: then the answer is that of every value, or `ANYTHING`.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache
from itertools import islice, product
from typing import Any

Scalar = int | float | str | bool | None

ANYTHING: Any = object()
"""Some value, or NULL."""

MAX_TRIED = 256
_MAX_OF_A_COLUMN, _MAX_LENGTH, _MOST = 12, 300, 10**18
_KEPT = 8192
"""How many expressions are kept as read: more than two texts have, else each is read again and again."""


class Undecidable(Exception):
    """An expression is outside of what is evaluated here."""


@lru_cache(maxsize=_KEPT)
def columns_of(text: str) -> frozenset[str]:
    """Return the names of the columns that an expression speaks of, none where it cannot be read alone."""
    from sqlglot import expressions as e  # noqa: PLC0415 -- loaded with the first DDL

    try:
        return frozenset(column.name for column in _tree(text).find_all(e.Column))
    except Undecidable:
        return frozenset()


def evaluate(text: str, row: Mapping[str, Scalar]) -> Scalar:
    """Evaluate an expression over a row, None for NULL and unknown.

    Raises:
        Undecidable: It says something that is not evaluated here.
    """
    try:
        found: Scalar = _value(_tree(text), row)
    except (AttributeError, TypeError, KeyError, ValueError, ArithmeticError, RecursionError):
        raise Undecidable from None
    return found


def passes(text: str, row: Mapping[str, Scalar]) -> bool:
    """Say whether a row passes a check: only what is false fails.

    Raises:
        Undecidable: Nobody knows.
    """
    found = evaluate(text, row)
    return found is None or bool(found)


def passes_always(text: str, row: Mapping[str, Scalar]) -> bool:
    """Say whether a row passes a check whatever stands where it has `ANYTHING`; what nobody knows does not."""
    try:
        return evaluate(text, row) is not ANYTHING and passes(text, row)
    except Undecidable:
        return False


def computes_null(text: str, columns: Mapping[str, bool]) -> bool:
    """Say whether an expression may be NULL over columns (name -> whether they may be); what nobody knows may."""
    try:
        # Why NULL wherever it may be: nothing that is evaluated here makes more of it than of a value.
        found = evaluate(text, {name: None if nullable else ANYTHING for name, nullable in columns.items()})
    except Undecidable:
        return True
    return found is None or (found is ANYTHING and any(columns[name] for name in columns_of(text)))


def assignments(
    columns: Mapping[str, str], checks: list[str], *, nullable: Collection[str] = ()
) -> Iterator[dict[str, Scalar]]:
    """Yield values for some columns (name -> type) that are worth trying with some checks, a bounded number."""
    values = [_candidates(name, kind, checks) + [None] * (name in nullable) for name, kind in columns.items()]
    for chosen in islice(product(*values), MAX_TRIED):
        yield dict(zip(columns, chosen, strict=True))


def _candidates(name: str, kind: str, checks: list[str]) -> list[Scalar]:
    from sqlglot import expressions as e  # noqa: PLC0415

    near = [check for check in checks if name in columns_of(check)]
    literals = [literal for check in near for literal in _tree(check).find_all(e.Literal)]
    read = [float(literal.name) for literal in literals if literal.is_number]
    numbers = [int(number) for number in read if abs(number) < _MOST]
    found: list[Scalar] = [sample(kind)]
    if isinstance(found[0], str):
        found += [literal.name for literal in literals if literal.is_string] + ["b", "", "zz"]
        found += [
            "a" * size for near_by in numbers for size in (near_by, near_by - 1, near_by + 1) if 0 < size < _MAX_LENGTH
        ]
    elif not isinstance(found[0], bool):
        found += [
            n for number in numbers for sign in (1, -1) for n in (sign * number, sign * number + 1, sign * number - 1)
        ]
        found += [2, 0, -1, 100, -100]
    else:
        found.append(False)
    return list(dict.fromkeys(found))[:_MAX_OF_A_COLUMN]


_SAMPLES: Mapping[str, Scalar] = {
    **dict.fromkeys(("boolean",), True),
    **dict.fromkeys(("date",), "2000-01-01"),
    **dict.fromkeys(("time", "timetz"), "00:00:00"),
    **dict.fromkeys(("timestamp", "timestamptz", "datetime"), "2000-01-01 00:00:00"),
    **dict.fromkeys(("uuid",), "00000000-0000-0000-0000-000000000000"),
    **dict.fromkeys(("json", "jsonb"), "{}"),
}
_NUMBERS = ("int", "decimal", "real", "double", "number", "bit", "any")


def sample(kind: str) -> Scalar:
    """Return a value of a type."""
    base = kind.partition("(")[0]
    if base in _SAMPLES:
        return _SAMPLES[base]
    return 1 if any(part in base for part in _NUMBERS) else "a"


@lru_cache(maxsize=_KEPT)
def _tree(text: str) -> Any:  # noqa: ANN401 -- a tree of a library that is loaded late
    import sqlglot  # noqa: PLC0415

    try:
        # Why of a query: an expression that begins like a statement is none.
        (found,) = sqlglot.parse_one(f"SELECT {text}").expressions
    except (sqlglot.errors.SqlglotError, ValueError):
        raise Undecidable from None
    return found


def _value(node: Any, row: Mapping[str, Scalar]) -> Any:  # noqa: ANN401
    kind = type(node).__name__
    leaf = _LEAVES.get(kind)
    if leaf is not None:
        return leaf(node, row)
    if kind == "Is" and type(node.expression).__name__ != "Null":
        raise Undecidable
    if kind == "In" and not node.expressions:
        raise Undecidable
    parts = [node.this, *(node.expressions if kind in _OF_MANY else [node.args.get("expression")])]
    values = [_value(part, row) for part in parts if part is not None]
    if kind in _OF_UNKNOWN:
        return _OF_UNKNOWN[kind](*values)
    operation = _OPERATIONS.get(kind) or _unknown()
    return _strictly(operation, *values)


def _unknown() -> Any:  # noqa: ANN401
    raise Undecidable


def _number(text: str) -> Scalar:
    return float(text) if "." in text else int(text)


def _and(*values: Scalar) -> Any:  # noqa: ANN401
    if any(value is not None and not value for value in values):
        return False
    return ANYTHING if ANYTHING in values else None if None in values else True


def _or(*values: Scalar) -> Any:  # noqa: ANN401
    if any(value for value in values if value is not ANYTHING):
        return True
    return ANYTHING if ANYTHING in values else None if None in values else False


def _coalesce(*values: Scalar) -> Scalar:
    return next((value for value in values if value is not None), None)


def _in(value: Scalar, *members: Scalar) -> Any:  # noqa: ANN401
    return _or(*(_strictly(lambda a, b: _like(a, b) == 0, value, member) for member in members))


def _strictly(operation: Callable[..., Any], *values: Scalar) -> Any:  # noqa: ANN401
    return None if None in values else ANYTHING if ANYTHING in values else operation(*values)


def _like(left: Scalar, right: Scalar) -> int:
    """Compare two values of one kind; what engines make of different kinds is theirs."""
    if isinstance(left, str) != isinstance(right, str) or isinstance(left, bool) != isinstance(right, bool):
        raise Undecidable
    return (left > right) - (left < right)  # type: ignore[operator]


def _whole(number: Scalar) -> int:
    if type(number) is not int:
        raise Undecidable
    return number


_LEAVES: Mapping[str, Callable[[Any, Mapping[str, Scalar]], Any]] = {
    "Column": lambda node, row: row[node.name],
    "Literal": lambda node, _: node.name if node.is_string else _number(node.name),
    "Paren": lambda node, row: _value(node.this, row),
    "Null": lambda *_: None,
    "Boolean": lambda node, _: node.this,
}
_OF_UNKNOWN: Mapping[str, Callable[..., Scalar]] = {
    "And": _and,
    "Or": _or,
    "In": _in,
    "Is": lambda value, _: ANYTHING if value is ANYTHING else value is None,
    "Coalesce": _coalesce,
}
_OF_MANY = frozenset({"In", "Coalesce"})
_OPERATIONS: Mapping[str, Callable[..., Scalar]] = {
    "EQ": lambda a, b: _like(a, b) == 0,
    "NEQ": lambda a, b: _like(a, b) != 0,
    "GT": lambda a, b: _like(a, b) > 0,
    "GTE": lambda a, b: _like(a, b) >= 0,
    "LT": lambda a, b: _like(a, b) < 0,
    "LTE": lambda a, b: _like(a, b) <= 0,
    "Add": lambda a, b: _whole(a) + _whole(b),
    "Sub": lambda a, b: _whole(a) - _whole(b),
    "Mul": lambda a, b: _whole(a) * _whole(b),
    "Neg": lambda a: -_whole(a),
    "Not": lambda a: not a,
    "DPipe": lambda a, b: a + b if isinstance(a, str) and isinstance(b, str) else _unknown(),
    "Length": lambda a: len(a) if isinstance(a, str) else _unknown(),
}
