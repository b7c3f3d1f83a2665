"""One spelling for each value."""

import json
import math

import hypothesis.strategies as st
import pytest
from hypothesis import given

from blackboard.spec import canonical
from blackboard.spec.canonical import (
    NotCanonical,
    canonical_json,
    check_text,
    digest,
    digest_bytes,
    digest_text,
    parse_json,
)

numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)


@given(values)
def test_the_canonical_text_means_the_value_and_has_one_spelling(value):
    text = canonical_json(value)
    again = parse_json(text)
    assert again == value
    assert canonical_json(again) == text
    assert "\n" not in text


@pytest.mark.parametrize("sign", [1, -1])
def test_a_whole_number_is_written_up_to_the_digits_that_it_can_be_read_with(sign):
    longest = sign * (10**canonical.MAX_DIGITS - 1)
    assert parse_json(canonical_json(longest)) == longest
    for spell in (canonical_json, digest):
        with pytest.raises(NotCanonical, match="more than 4,300 digits"):
            spell({"a": [longest + sign]})


@given(st.dictionaries(texts, values, min_size=2, max_size=5))
def test_the_order_of_members_does_not_matter(value):
    other = dict(reversed(value.items()))
    assert canonical_json(value) == canonical_json(other)
    assert digest(value) == digest(other)


@given(values, values)
def test_equal_digests_are_equal_meaning(one, other):
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert not same or digest(one) == digest(other)
    if digest(one) == digest(other):
        assert one == other


@pytest.mark.parametrize(("value", "text"), [(1.0, "1"), (-0.0, "0"), (1e3, "1000"), (0.5, "0.5"), (True, "true")])
def test_numbers_have_one_spelling(value, text):
    assert canonical_json(value) == text


def test_true_is_not_one():
    assert digest(True) != digest(1)
    assert digest(False) != digest(0)
    assert digest(None) != digest("null")
    assert digest([]) != digest({})
    assert digest("1") != digest(1)


BAD = [
    math.nan, math.inf, -math.inf, [math.nan], {"a": math.inf}, {1: 2}, {None: 1}, {"a": object()}, {1, 2}, b"a",
    bytearray(b"a"), "\ud800", {"\ud800": 1}, ["\udfff"],
]  # fmt: skip


@pytest.mark.parametrize("value", BAD, ids=lambda value: ascii(type(value).__name__))
def test_what_is_no_json_has_no_canonical_text(value):
    with pytest.raises(NotCanonical):
        canonical_json(value)


def test_what_is_nested_too_deeply_is_refused_and_not_overflowed():
    value: list = []
    for _ in range(canonical.MAX_DEPTH + 1):
        value = [value]
    with pytest.raises(NotCanonical):
        canonical_json(value)
    for text in ("[" * 100_000, "[" * 100_000 + "]" * 100_000, '{"a":' * 100_000):
        with pytest.raises(NotCanonical):
            parse_json(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{",
        "[1,]",
        "{'a': 1}",
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        '{"a":1,"a":2}',
        '[{"b":1,"b":1}]',
        "1 2",
        '"\\ud800"',
        '{"\\udfff": 1}',
        "01",
        "+1",
        "nul",
        '"\n"',
        "\ufeff1",
    ],
    ids=ascii,
)
def test_a_text_that_is_not_strictly_json_is_refused(text):
    with pytest.raises(NotCanonical):
        parse_json(text)


def test_an_error_says_where():
    with pytest.raises(NotCanonical) as refused:
        parse_json('{\n "a": }')
    assert (refused.value.line, refused.value.column) == (2, 7)


@given(texts)
def test_a_text_without_surrogates_is_returned_as_it_is(text):
    assert check_text(text) is text


@given(texts, texts)
def test_a_lone_surrogate_is_found_where_it_is(before, after):
    with pytest.raises(NotCanonical) as refused:
        check_text(f"{before}\ud800{after}")
    lines = before.split("\n")
    assert (refused.value.line, refused.value.column) == (len(lines), len(lines[-1]) + 1)


def test_a_digest_names_its_algorithm():
    assert digest_text("a") == digest_bytes(b"a")
    assert digest("a") == digest_text('"a"')
    assert digest_text("a").startswith(f"{canonical.ALGORITHM}:")
    assert len(digest_text("a")) == len(canonical.ALGORITHM) + 1 + 64
