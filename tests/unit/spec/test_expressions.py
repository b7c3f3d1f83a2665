"""Three-valued expressions against an oracle: undecided is what two ways of deciding the rest would make differ."""

import itertools
import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blackboard.contracts.language import Contract
from blackboard.spec.expressions import Undecided, judge

VALUES = (0, 1, 2.5, "x", True, None)
NAMES = ("a", "b", "c")
COMPARISONS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
WRONG = "wrong"

operands = st.one_of(
    st.sampled_from(NAMES),
    st.sampled_from(VALUES).map(repr),
    st.builds("{} + {}".format, st.sampled_from(NAMES), st.integers(0, 3)),
    st.builds("2 * {}".format, st.sampled_from(NAMES)),
)
comparisons = st.builds("{} {} {}".format, operands, st.sampled_from(sorted(COMPARISONS)), operands)
expressions = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        inner.map("not ({})".format),
        st.builds("({}) and ({})".format, inner, inner),
        st.builds("({}) or ({})".format, inner, inner),
    ),
    max_leaves=5,
)


def is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


class Oracle:
    """Says what an expression is worth where everything is decided, by Python itself on wrapped values."""

    def __init__(self, value):
        self.value = value

    def _calculated(self, how, other):
        other = other.value if isinstance(other, Oracle) else other
        fine = is_number(self.value) and is_number(other)
        return Oracle(how(self.value, other) if fine else WRONG_VALUE)

    def __add__(self, other):
        return self._calculated(operator.add, other)

    def __rmul__(self, other):
        return self._calculated(operator.mul, other)


WRONG_VALUE = object()


def compared(left, how, right):
    left, right = (one.value if isinstance(one, Oracle) else one for one in (left, right))
    if WRONG_VALUE in (left, right):
        return WRONG
    if how in ("==", "!="):
        if left is None or right is None:
            return (left is right) is (how == "==")
        if is_number(left) is not is_number(right) or (not is_number(left) and type(left) is not type(right)):
            return WRONG
        return COMPARISONS[how](left, right)
    return COMPARISONS[how](left, right) if is_number(left) and is_number(right) else WRONG


def worth(text, decided):
    """Return true, false or wrong of an expression as it was generated; parsed anew, by its parentheses."""
    text = text.strip()
    if text.startswith("not ("):
        inner = worth(text[5:-1], decided)
        return inner if inner is WRONG else not inner
    if text.startswith("("):
        depths = itertools.accumulate({"(": 1, ")": -1}.get(character, 0) for character in text)
        place = list(depths).index(0)
        left, word, right = text[1:place], *text[place + 1 :].strip().split(" ", 1)
        sides = [worth(left, decided), worth(right[1:-1], decided)]
        deciding = word == "or"
        if deciding in sides:
            return deciding
        return WRONG if WRONG in sides else not deciding
    how = next(word for word in text.split(" ") if word in COMPARISONS)
    left, right = (eval(side, {name: Oracle(decided[name]) for name in decided}) for side in text.split(f" {how} "))  # noqa: S307 - generated here
    return compared(left, how, right)


def judged(text, decided):
    def lookup(reference):
        return decided.get(reference.key, Undecided(reference.key))

    return judge(Contract.constraint(text).body.expression, lookup)


@given(expressions, st.tuples(*[st.sampled_from(VALUES)] * 3))
def test_where_everything_is_decided_an_expression_is_worth_what_the_oracle_says(text, values):
    decided = dict(zip(NAMES, values, strict=True))
    expected = worth(text, decided)
    found = judged(text, decided)
    assert found.value is (expected is True)
    if expected is not True and found.why:
        assert expected is WRONG


@given(expressions, st.tuples(*[st.sampled_from(VALUES)] * 3), st.sets(st.sampled_from(NAMES)))
def test_what_is_decided_early_stays_so_however_the_rest_is_decided(text, values, known):
    decided = dict(zip(NAMES, values, strict=True))
    early = judged(text, {name: decided[name] for name in known}).value
    if early is None:
        return
    rest = [name for name in NAMES if name not in known]
    for chosen in itertools.product(VALUES, repeat=len(rest)):
        assert judged(text, {**decided, **dict(zip(rest, chosen, strict=True))}).value is early


@pytest.mark.parametrize(
    ("text", "known", "expected"),
    [
        ("a == 1 and b >= 2", {"a": "x"}, False),
        ("b >= 2 and a == 1", {"a": "x"}, False),
        ("b >= 2 and a == 1", {"a": None}, False),
        ("not (a == 1 or b >= 2)", {"a": "x"}, False),
        ("(a == 1 and b >= 2) or c == 1", {"a": "x"}, None),
        ("(a == 1 and b >= 2) and c == 1", {"a": "x"}, False),
        ("not (a == 1 and b >= 2)", {"a": "x"}, None),
        ("a == 1 or b >= 2", {"a": "x"}, None),
        ("a >= b", {"a": "x"}, False),
        ("a >= b", {"b": "x"}, False),
        ("a + 1 == b", {"a": "x"}, False),
        ("b in a", {"a": "x"}, False),
    ],
)
def test_what_can_never_be_true_is_false_before_the_rest_is_decided(text, known, expected):
    found = judged(text, known)
    assert found.value is expected
    assert bool(found.why) is (known != {"a": None})
