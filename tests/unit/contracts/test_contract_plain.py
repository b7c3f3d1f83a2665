"""The languages `value` and `text`."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blackboard.contracts.facets import MAX_FACET_NAME_BYTES, MAX_FACETS
from blackboard.contracts.language import Contract
from blackboard.errors import InvalidContract, TooLarge

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False) | NAMES
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3))
OBJECTS = st.dictionaries(NAMES, JSON, min_size=1, max_size=5)


def reordered(value):
    if isinstance(value, dict):
        return {name: reordered(value[name]) for name in reversed(value)}
    return [reordered(item) for item in value] if isinstance(value, list) else value


def test_a_leaf_is_named_by_its_path():
    contract = Contract.value({"ids": "int", "page": {"size": 20, "keys": [1, {"a": 2}], "none": {}}})

    assert contract.facets == {"ids": "int", "page.size": 20, "page.keys": [1, {"a": 2}], "page.none": {}}


def test_a_segment_that_is_no_plain_word_is_quoted_so_that_no_two_paths_are_one():
    contract = Contract.value({"a.b": 1, "a": {"b": 2}, "": 3, "$": 4, "é": 5, '"x"': 6})

    assert contract.facets == {'"a.b"': 1, "a.b": 2, '""': 3, '"$"': 4, '"é"': 5, r'"\"x\""': 6}


@pytest.mark.parametrize("root", [1, "x", [1, 2], None, True, {}, []])
def test_a_root_without_members_is_one_facet(root):
    assert Contract.value(root).facets == {"$": root}


def test_spelling_of_json_is_no_facet_and_the_text_is_kept():
    text = '{\n  "b": 1.0,\n  "a": "\\u00e9"\n}'

    assert Contract("value", text).text == text
    assert Contract("value", text).digest == Contract.value({"a": "é", "b": 1}).digest


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("", 1, 1),
        ("{", 1, 2),
        ('{"a": 1,\n "a" 2}', 2, 6),
        ('{"a": 1, "a": 2}', 0, 0),
        ("NaN", 0, 0),
        ("-Infinity", 0, 0),
        ("1e999", 0, 0),
        ('"\\ud800"', 1, 1),
        ("[" * 100_000, 0, 0),
        ("[" * 300 + "]" * 300, 0, 0),
        ("9" * 5000, 0, 0),
        ('"\0"', 1, 2),
    ],
)
def test_what_is_not_strict_json_is_refused_with_its_place(text, line, column):
    with pytest.raises(InvalidContract) as caught:
        Contract("value", text)

    assert (caught.value.language, caught.value.line, caught.value.column) == ("value", line, column)


def test_values_that_are_not_json_are_refused():
    for value in (float("nan"), object(), {1: 2}, "\ud800"):
        with pytest.raises(InvalidContract):
            Contract.value(value)


def test_a_small_text_with_vast_paths_is_refused_at_the_first_one():
    with pytest.raises(TooLarge) as caught:
        Contract.value({"x" * (MAX_FACET_NAME_BYTES - 1): {"yy": 1}})
    assert caught.value.field == "facet name"

    with pytest.raises(InvalidContract):
        Contract.value({f"a{number}": 1 for number in range(MAX_FACETS + 1)})


def test_any_change_of_a_prose_text_is_a_change():
    assert list(Contract.text("Be brief.").compare(Contract.text("Be brief. ")).effects) == ["text"]
    assert Contract.text("").facets == {"text": ""}
    assert Contract.text("bell \a and nul \0").text == "bell \a and nul \0"


@settings(max_examples=40, deadline=None)
@given(OBJECTS)
def test_order_and_layout_of_a_value_are_no_facets(value):
    contract = Contract("value", json.dumps(value))

    assert Contract("value", json.dumps(reordered(value), indent=3, ensure_ascii=False)).digest == contract.digest


@settings(max_examples=40, deadline=None)
@given(OBJECTS, st.data())
def test_a_change_of_one_leaf_changes_exactly_that_facet(value, data):
    path = [data.draw(st.sampled_from(sorted(value)))]
    holder = value
    while isinstance(holder[path[-1]], dict) and holder[path[-1]]:
        holder = holder[path[-1]]
        path.append(data.draw(st.sampled_from(sorted(holder))))
    before = Contract.value(value)

    holder[path[-1]] = ["something else"] if holder[path[-1]] != ["something else"] else []
    changed = before.compare(Contract.value(value)).effects

    assert len(changed) == 1
    assert next(iter(changed)) in before.facets
