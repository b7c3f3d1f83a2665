"""Constraints as z3 terms.

An expression becomes cases, each a guard and the value under it. Known values are computed by the functions that judge
a commit (`spec.expressions.operate`), so their meaning is the same; only values without a decision and without options
become variables. Values that have no encoding (a facet of an undecided key, the content of an undecided list) are
`Opaque`: a comparison with one may be true or false, so the result "impossible" is always right.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeAlias

import z3

from blackboard.contracts.language import Contract
from blackboard.contracts.lookup import finder
from blackboard.solver.problem import Problem
from blackboard.spec.canonical import JSON, canonical_json
from blackboard.spec.expressions import (
    CALCULATIONS,
    Expression,
    Facet,
    Found,
    Junction,
    Literal,
    Not,
    Operation,
    Reference,
    Wrong,
    kind,
    number,
    operate,
    references,
)

CODED = ("text", "list", "object")
"""Kinds of values that are only compared for equality, so that each value can be encoded as a number."""

COMPARED = ("<", "<=", ">", ">=")

MAX_CASES = 256
"""The largest number of cases of an operation; with more, numbers become terms, and if there are still more, the
result is opaque."""

Bool: TypeAlias = Any
"""A z3 term, or a plain True or False."""


@dataclass(frozen=True, slots=True)
class Term:
    """A value that z3 chooses, of one kind; texts, lists and objects are encoded as numbers."""

    kind: str
    term: Any


@dataclass(frozen=True, slots=True)
class Opaque:
    """An unknown value."""


Value: TypeAlias = "Found | Term | Opaque"
Cases: TypeAlias = list[tuple[Bool, Value]]


@dataclass(slots=True)
class Free:
    """A value without a decision and without options: z3 chooses its kind and its value."""

    kind: Any
    boolean: Any
    number: Any
    code: Any

    KINDS = ("null", "boolean", "number", "text", "list", "object", "missing")


@dataclass(slots=True)
class Encoding:
    """The terms of one problem.

    Attributes:
        taken: The fixed decisions, and the questions that are answered by one of their options; all other values are
            free.
    """

    problem: Problem
    taken: frozenset[str]
    context: Any = field(default_factory=z3.Context)
    choices: dict[str, list[Any]] = field(default_factory=dict)
    free: dict[Reference, Free] = field(default_factory=dict)
    _references: dict[Reference, Cases] = field(default_factory=dict)
    _codes: dict[str, int] = field(default_factory=dict)
    _fresh: int = 0

    # --- what is asserted ---

    def domains(self) -> list[Bool]:
        """Return the terms that each question has exactly one chosen option, and that each free value has a kind."""
        asked = [self._choices(key) for key in sorted(self.taken & self.problem.questions.keys())]
        kinds = [z3.And(one.kind >= 0, one.kind < len(Free.KINDS)) for one in self.free.values()]
        # The value of a whole decision is never missing.
        kinds += [one.kind != Free.KINDS.index("missing") for ref, one in self.free.items() if not ref.path]
        return [*kinds, *(term for one in asked for term in (z3.Or(*one), z3.AtMost(*one, 1)))]

    def truth(self, constraint: str) -> Bool:
        """Return the term that a constraint is true."""
        return self._boolean(self.problem.expressions[constraint])[0]

    def _choices(self, key: str) -> list[Any]:
        if key not in self.choices:
            names = range(len(self.problem.options[key]))
            self.choices[key] = [z3.Bool(f"{key} {name}", self.context) for name in names]
        return self.choices[key]

    # --- booleans: (it is true, it is wrong) ---

    def _boolean(self, expression: Expression) -> tuple[Bool, Bool]:
        match expression:
            case Not(operand):
                true, wrong = self._boolean(operand)
                return self._all([_not(true), _not(wrong)]), wrong
            case Junction(every, operands):
                parts = [self._boolean(operand) for operand in operands]
                some_wrong = self._any(wrong for _, wrong in parts)
                if every:
                    return (
                        self._all(true for true, _ in parts),
                        self._all([some_wrong, *(self._any([true, wrong]) for true, wrong in parts)]),
                    )
                some_true = self._any(true for true, _ in parts)
                return some_true, self._all([some_wrong, _not(some_true)])
        found = [(guard, *self._as_boolean(value)) for guard, value in self._cases(expression)]
        return (
            self._any(self._all([guard, true]) for guard, true, _ in found),
            self._any(self._all([guard, wrong]) for guard, _, wrong in found),
        )

    def _as_boolean(self, value: Value) -> tuple[Bool, Bool]:
        match value:
            case bool():
                return value, False
            case Term("boolean", term):
                return term, False
            case Opaque():
                return self._unknown(), self._unknown()
        return False, True

    def _unknown(self) -> Any:  # noqa: ANN401 - a z3 term
        self._fresh += 1
        return z3.Bool(f"unknown {self._fresh}", self.context)

    # --- values ---

    def _cases(self, expression: Expression) -> Cases:
        match expression:
            case Literal(value):
                return [(True, value)]
            case Reference():
                if expression not in self._references:
                    self._references[expression] = self._of_reference(expression)
                return self._references[expression]
            case Operation(left, operator, right):
                return self._operation(self._cases(left), operator, self._cases(right))
        true, wrong = self._boolean(expression)
        return [(true, True), (wrong, Wrong("")), (self._all([_not(true), _not(wrong)]), False)]

    def _operation(self, left: Cases, operator: str, right: Cases) -> Cases:
        if len(left) * len(right) > MAX_CASES:
            left, right = self._with_terms(left), self._with_terms(right)
        if len(left) * len(right) > MAX_CASES:
            return [(True, Opaque())]
        found = [(guard, other, self._operated(one, operator, two)) for guard, one in left for other, two in right]
        # A case that is neither true nor wrong is false.
        return self._merged((guard, other, value) for guard, other, value in found if value is not False)

    def _with_terms(self, cases: Cases) -> Cases:
        """Return cases with one term for all numbers."""
        numbers = [(guard, value) for guard, value in cases if _kind(value) == "number"]
        if len(numbers) < 2:  # noqa: PLR2004 - one is one
            return cases
        term = self._lifted(numbers[-1][1])
        for guard, value in numbers[:-1]:
            term = z3.If(guard, self._lifted(value), term)
        others = [(guard, value) for guard, value in cases if _kind(value) != "number"]
        return [(self._any(guard for guard, _ in numbers), Term("number", term)), *others]

    def _merged(self, found: Iterable[tuple[Bool, Bool, Value]]) -> Cases:
        alike: dict[object, tuple[Value, list[Bool]]] = {}
        for guard, other, value in found:
            alike.setdefault(_identity(value), (value, []))[1].append(self._all([guard, other]))
        return [(self._any(guards), value) for value, guards in alike.values()]

    def _of_reference(self, reference: Reference) -> Cases:
        key = reference.key
        if key in self.taken and key in self.problem.decided:
            return [(True, finder({key: self.problem.decided[key].contract}.get)(reference))]
        if key in self.taken and key in self.problem.questions:
            options = zip(self._choices(key), self.problem.options[key], strict=True)
            return self._merged((chosen, True, _value_in(key, option)(reference)) for chosen, option in options)
        if reference.facet is not None or self._overlaps(reference):
            return [(True, Opaque())]
        return self._of_free(reference)

    def _overlaps(self, reference: Reference) -> bool:
        """Say whether one of two paths is a prefix of the other."""
        named = {one for said in self.problem.expressions.values() for one in references(said)}
        others = (one.path for one in named - {reference} if one.key == reference.key)
        return any(path[: len(reference.path)] == reference.path[: len(path)] for path in others)

    def _of_free(self, reference: Reference) -> Cases:
        sorts = {"kind": z3.Int, "boolean": z3.Bool, "number": z3.Real, "code": z3.Int}
        made = {name: sort(f"{reference} {name}", self.context) for name, sort in sorts.items()}
        free = self.free[reference] = Free(**made)
        terms: Mapping[str, Value] = {
            "null": None,
            "boolean": Term("boolean", free.boolean),
            "number": Term("number", free.number),
            **{name: Term(name, free.code) for name in CODED},
            "missing": Wrong(f"{reference} does not exist"),
        }
        return [(free.kind == number, terms[name]) for number, name in enumerate(Free.KINDS)]

    # --- operations on two values ---

    def _operated(self, left: Value, operator: str, right: Value) -> Value:
        if isinstance(left, Wrong) or isinstance(right, Wrong):
            return left if isinstance(left, Wrong) else right
        if isinstance(left, Opaque) or isinstance(right, Opaque):
            return Opaque()
        if not isinstance(left, Term) and not isinstance(right, Term):
            return operate(left, operator, right)
        match operator:
            case "in" | "not in":
                return _negated(self._contained(left, right), really=operator == "not in")
            case "==" | "!=":
                return _negated(self._same(left, right), really=operator == "!=")
        return self._calculated(left, operator, right)

    def _calculated(self, left: Value, operator: str, right: Value) -> Value:
        if _kind(left) != "number" or _kind(right) != "number":
            return Wrong("")
        found: Any = CALCULATIONS[operator](self._lifted(left), self._lifted(right))
        return Term("boolean" if operator in COMPARED else "number", found)

    def _same(self, left: Value, right: Value) -> Value:
        kinds = {_kind(left), _kind(right)}
        if "facet" in kinds:
            return Opaque()
        if len(kinds) > 1:
            return False if "null" in kinds else Wrong("")
        return Term("boolean", self._lifted(left) == self._lifted(right))

    def _contained(self, left: Value, right: Value) -> Value:
        if not isinstance(right, list | tuple):
            return Opaque() if _kind(right) == "list" else Wrong("")
        found = [self._same(left, one) for one in right]
        if any(isinstance(one, Opaque) for one in found):
            return Opaque()
        return Term("boolean", self._any(one.term for one in found if isinstance(one, Term)))

    def _lifted(self, value: Value) -> Any:  # noqa: ANN401 - a z3 term
        """Return a value as a term of its kind."""
        if isinstance(value, Term):
            return value.term
        if isinstance(value, bool):
            return z3.BoolVal(value, self.context)
        if _kind(value) in CODED:
            code = self._codes.setdefault(canonical_json(value), len(self._codes))  # type: ignore[arg-type]
            return z3.IntVal(code, self.context)
        return z3.RealVal(str(Fraction(number(value))), self.context)  # type: ignore[arg-type]

    # --- the model of z3 ---

    def chosen(self, model: Any) -> dict[str, int]:  # noqa: ANN401 - of z3
        """Return question -> the index of the option that a model chooses."""
        return {
            key: next(place for place, one in enumerate(choices) if z3.is_true(model.eval(one, model_completion=True)))
            for key, choices in self.choices.items()
        }

    def values(self, model: Any) -> dict[Reference, Found]:  # noqa: ANN401 - of z3
        """Return the free values that a model chooses."""
        known = {code: text for text, code in self._codes.items()}

        def chosen(reference: Reference, free: Free) -> Found:
            def said(term: Any) -> Any:  # noqa: ANN401 - of z3
                return model.eval(term, model_completion=True)

            match Free.KINDS[said(free.kind).as_long()]:
                case "null":
                    return None
                case "boolean":
                    return bool(z3.is_true(said(free.boolean)))
                case "number":
                    return _json_number(said(free.number))
                case "missing":
                    return Wrong(f"{reference} does not exist")
                case coded:
                    return _of_code(coded, known, said(free.code).as_long())

        return {reference: chosen(reference, free) for reference, free in self.free.items()}

    # --- terms of constants are computed without z3 ---

    def _all(self, parts: Iterable[Bool]) -> Bool:
        left = [part for part in parts if part is not True]
        if any(part is False for part in left):
            return False
        return True if not left else left[0] if len(left) == 1 else z3.And(*left)

    def _any(self, parts: Iterable[Bool]) -> Bool:
        left = [part for part in parts if part is not False]
        if any(part is True for part in left):
            return True
        return False if not left else left[0] if len(left) == 1 else z3.Or(*left)


def _not(part: Bool) -> Bool:
    return not part if isinstance(part, bool) else z3.Not(part)


def _negated(value: Value, *, really: bool) -> Value:
    if isinstance(value, bool):
        return value is not really
    return Term("boolean", _not(value.term)) if really and isinstance(value, Term) else value


def _kind(value: Value) -> str:
    return value.kind if isinstance(value, Term) else kind(value)  # type: ignore[arg-type]


def _identity(value: Value) -> object:
    """Return the same key for equal values."""
    match value:
        case Term(_, term):
            return ("term", term.get_id() if z3.is_expr(term) else term)
        case Wrong() | Opaque():
            return type(value)
        case Fraction():
            return ("number", value)
        case Facet(language, inner):
            return (language, canonical_json(inner))
    return canonical_json(value)  # type: ignore[arg-type]


def _value_in(key: str, option: Contract) -> Callable[[Reference], Value]:
    """Return the look-up of a value in an option; a facet that the option lacks is opaque."""
    lookup = finder({key: option}.get)

    def found(reference: Reference) -> Value:
        value = lookup(reference)
        return Opaque() if reference.facet is not None and isinstance(value, Wrong) else value

    return found


def _json_number(found: Any) -> JSON:  # noqa: ANN401 - of z3
    exact = Fraction(found.numerator_as_long(), found.denominator_as_long())
    return int(exact) if exact.denominator == 1 else float(exact)


def _of_code(coded: str, known: Mapping[int, str], code: int) -> JSON:
    """Return the value that a number encodes, or a new value of that kind if it encodes none."""
    value = json.loads(known[code]) if code in known else None
    new: Mapping[str, JSON] = {"text": f"text {code}", "list": [f"item {code}"], "object": {"member": code}}
    return value if kind(value) == coded else new[coded]
