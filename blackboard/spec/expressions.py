"""Expressions over decisions: a tree, and its value in three-valued logic while something is undecided.

Nothing here is evaluated as code. What can have no value (an absent facet, a text compared with a number) is `Wrong`,
and so is every operation on it, except `and` and `or` that another operand decides (Kleene). An undecided value knows
which truth values it can still have: `and` with a wrong operand is never true, `or` never false. Numbers are exact:
`0.1 + 0.2 == 0.3`.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from operator import add, ge, gt, le, lt, mul, sub
from typing import Literal as Word
from typing import NamedTuple, TypeAlias

from blackboard.spec.canonical import JSON, canonical_json
from blackboard.spec.types import type_name

# --- the tree --------------------------------------------------------------------------------------------------------


class Literal(NamedTuple):
    """A value that is part of the expression."""

    value: JSON


class Reference(NamedTuple):
    """A value of a decision, at a path into its JSON, or one of its facets.

    Attributes:
        path: The names of the members that lead to the value, none for the whole.
        facet: The facet's name, None for a value.
    """

    key: str
    path: tuple[str, ...] = ()
    facet: str | None = None

    def __str__(self) -> str:
        if self.facet is not None:
            return f"facet({json.dumps(self.key)}, {json.dumps(self.facet, ensure_ascii=False)})"
        return ".".join((self.key, *self.path))


class Not(NamedTuple):
    """The negation of an operand."""

    operand: "Expression"


class Junction(NamedTuple):
    """Operands of which every one has to be true (`and`), or one (`or`)."""

    every: bool
    operands: "tuple[Expression, ...]"


class Operation(NamedTuple):
    """A comparison (`==`, `!=`, `<`, `<=`, `>`, `>=`, `in`, `not in`) or a calculation (`+`, `-`, `*`)."""

    left: "Expression"
    operator: str
    right: "Expression"


Expression: TypeAlias = Literal | Reference | Not | Junction | Operation


def references(expression: Expression) -> tuple[Reference, ...]:
    """Return the references in an expression, each once, in the order of the text."""
    return tuple(dict.fromkeys(_references(expression)))


def keys_of(expression: Expression) -> tuple[str, ...]:
    """Return the keys that an expression names, each once, in the order of the text."""
    return tuple(dict.fromkeys(one.key for one in _references(expression)))


def _references(expression: Expression) -> Iterator[Reference]:
    match expression:
        case Reference():
            yield expression
        case Not(operand):
            yield from _references(operand)
        case Junction(_, operands):
            for operand in operands:
                yield from _references(operand)
        case Operation(left, _, right):
            yield from _references(left)
            yield from _references(right)


# --- values ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Facet:
    """A facet of a contract whose facets are no plain values, such as the type of a field."""

    language: str
    value: JSON


@dataclass(frozen=True, slots=True)
class Undecided:
    """No value yet: the key has no accepted version.

    Attributes:
        truths: The truth values that it can still have.
        why: Why it cannot have the other one.
    """

    key: str
    truths: frozenset[bool] = frozenset((True, False))
    why: str = ""


@dataclass(frozen=True, slots=True)
class Wrong:
    """No value ever, as long as the decisions are what they are."""

    why: str


Number: TypeAlias = int | Fraction
Found: TypeAlias = "JSON | Fraction | Facet | Undecided | Wrong"
Lookup: TypeAlias = "Callable[[Reference], Found]"
Kind = Word["null", "boolean", "number", "text", "list", "object", "facet"]


@dataclass(frozen=True, slots=True)
class Truth:
    """Whether an expression is true, None while that is undecided, and why where it is not."""

    value: bool | None
    why: str = ""


def judge(expression: Expression, lookup: Lookup) -> Truth:
    """Say whether an expression is true."""
    found = evaluate(expression, lookup)
    if isinstance(found, Undecided):
        return Truth(None, f"{found.key} is not decided") if True in found.truths else Truth(value=False, why=found.why)
    truth = as_truth(found)
    return Truth(value=False, why=truth.why) if isinstance(truth, Wrong) else Truth(truth)


def evaluate(expression: Expression, lookup: Lookup) -> Found:
    """Return the value of an expression."""
    match expression:
        case Literal(value):
            return value
        case Reference():
            return lookup(expression)
        case Not(operand):
            truth = _truth(evaluate(operand, lookup))
            if isinstance(truth, Undecided):
                return replace(truth, truths=frozenset(not one for one in truth.truths))
            return not truth if isinstance(truth, bool) else truth
        case Junction(every, operands):
            return _junction([evaluate(operand, lookup) for operand in operands], every=every)
        case Operation(left, operator, right):
            sides = (evaluate(left, lookup), evaluate(right, lookup))
            return _first(sides, Wrong) or operate(sides[0], operator, sides[1])


def as_truth(found: Found) -> bool | Wrong:
    """Return a value that has to be true or false."""
    if isinstance(found, bool | Wrong):
        return found
    return Wrong(f"{shown(found)} is {_a(found)}, neither true nor false")


def _truth(found: Found) -> bool | Undecided | Wrong:
    return found if isinstance(found, Undecided) else as_truth(found)


def _junction(found: list[Found], *, every: bool) -> Found:
    truths = [_truth(one) for one in found]
    if any(one is (not every) for one in truths):
        return not every
    wrong, undecided = _first(truths, Wrong), _first(truths, Undecided)
    if not isinstance(undecided, Undecided):
        return wrong or every
    possible = {every} if all(_can_be(one, every) for one in truths) else set()
    possible |= {not every} if any(_can_be(one, not every) for one in truths) else set()
    why = next((one.why for one in (wrong, *truths) if isinstance(one, Wrong | Undecided) and one.why), "")
    return Undecided(undecided.key, frozenset(possible), why) if possible else wrong


def _can_be(truth: Found, wanted: object) -> bool:
    return wanted in truth.truths if isinstance(truth, Undecided) else truth is wanted


def _first(found: Iterable[Found], kind: type[Undecided | Wrong]) -> Found:
    return next((one for one in found if isinstance(one, kind)), None)


# --- operations on values --------------------------------------------------------------------------------------------


def operate(left: Found, operator: str, right: Found) -> Found:
    """Return the result of an operator on two values: undecided if one is, unless the other has the wrong kind."""
    undecided = _first((left, right), Undecided)
    if operator in ("in", "not in"):
        if not isinstance(right, list | tuple | Undecided):
            return Wrong(f"{shown(right)} is {_a(right)}, and `{operator}` looks into lists")
    elif operator not in ("==", "!="):
        for side in (left, right):
            if not isinstance(side, Undecided) and kind(side) != "number":
                return Wrong(f"{shown(side)} is {_a(side)}, and `{operator}` is for numbers")
    if isinstance(undecided, Undecided):
        return Undecided(undecided.key)
    return _operated(left, operator, right)


def _operated(left: Found, operator: str, right: Found) -> Found:
    if operator in ("in", "not in"):
        return any(_equal(left, one) is True for one in right) is (operator == "in")  # type: ignore[union-attr]
    if operator in ("==", "!="):
        same = _equal(left, right)
        return same if isinstance(same, Wrong) else same is (operator == "==")
    return CALCULATIONS[operator](number(left), number(right))


CALCULATIONS: Mapping[str, Callable[[Number, Number], Number]] = {
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
    "+": add,
    "-": sub,
    "*": mul,
}


def kind(found: Found) -> Kind:
    """Return what kind of value something is."""
    return next((name for types, name in _KINDS if isinstance(found, types)), "object")


_KINDS: tuple[tuple[tuple[type, ...], Kind], ...] = (
    ((type(None),), "null"),
    ((bool,), "boolean"),
    ((int, float, Fraction), "number"),
    ((str,), "text"),
    ((list, tuple), "list"),
    ((Facet,), "facet"),
)
"""In this order: to Python, True is a number too."""


def number(found: Found) -> Number:
    """Return a number with the exact value of its decimal digits."""
    return Fraction(repr(found)) if isinstance(found, float) else found  # type: ignore[return-value]


def shown(found: Found) -> str:
    """Return a value as a short text for a person."""
    if isinstance(found, Facet):
        found = found.value
    if isinstance(found, int | Fraction) and abs(found) >= 10**_SHOWN:
        return f"a number of more than {_SHOWN} digits"
    text = str(found) if isinstance(found, Fraction) else canonical_json(found)  # type: ignore[arg-type]
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


_SHOWN = 60


def _a(found: Found) -> str:
    name = kind(found)
    return name if name in ("null", "text") else f"an {name}" if name == "object" else f"a {name}"


def _equal(left: Found, right: Found) -> bool | Wrong:
    if isinstance(left, Facet):
        return _same_facet(left, right)
    if isinstance(right, Facet):
        return _same_facet(right, left)
    kinds = {kind(left), kind(right)}
    if len(kinds) > 1:
        if "null" in kinds:
            return False
        return Wrong(f"{shown(left)} is {_a(left)} and {shown(right)} {_a(right)}: they cannot be compared")
    if kinds == {"number"}:
        return number(left) == number(right)
    return canonical_json(left) == canonical_json(right)  # type: ignore[arg-type]


def _same_facet(facet: Facet, other: Found) -> bool | Wrong:
    """Compare facets of one language by all that they say, of two languages by the type that both name."""
    if isinstance(other, Facet):
        if facet.language == other.language:
            return canonical_json(facet.value) == canonical_json(other.value)
        return type_name(facet.value) == type_name(other.value)
    if not isinstance(other, str):
        return Wrong(f"{shown(other)} is {_a(other)}; a facet is compared with a facet, or with a text that spells it")
    return facet.value == other or type_name(facet.value) == type_name(other)
