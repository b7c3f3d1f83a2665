"""How templates stand to each other agrees with which keys they name."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blackboard.choreography.templates import covers, overlap, specificity
from blackboard.spec.keys import matches, variables

segments = st.sampled_from(["a", "b", "a-b", "{x}", "{x}-b", "a-{y}", "*", "**"])
templates = st.lists(segments, min_size=1, max_size=4).map("/".join).filter(lambda template: "**/**" not in template)
KEYS = ["/".join(parts) for size in (1, 2, 3) for parts in itertools.product(["a", "b", "a-b"], repeat=size)]


@given(templates, templates)
@settings(max_examples=150, deadline=None)
def test_templates_that_name_one_key_overlap(one, other):
    if any(matches(one, key) and matches(other, key) for key in KEYS):
        assert overlap(one, other)
    assert overlap(one, other) == overlap(other, one)


@given(templates, templates)
@settings(max_examples=150, deadline=None)
def test_a_template_that_covers_another_names_all_its_keys(wide, narrow):
    if len(set(variables(wide))) == len(variables(wide)) and covers(wide, narrow):
        assert overlap(wide, narrow)
        assert all(matches(wide, key) for key in KEYS if matches(narrow, key))
        assert specificity(narrow) <= specificity(wide) or "**/" in narrow


@pytest.mark.parametrize(
    ("wide", "narrow", "answer"),
    [
        ("api/*", "api/ids", True),
        ("api/*", "api/{name}", True),
        ("api/*", "api/**", False),
        ("**", "api/**", True),
        ("api/**", "api", True),
        ("api/**", "**", False),
        ("{x}-b", "a-b", True),
        ("{x}-b", "{y}-b", False),
        ("a/**/b", "a/c/d/b", True),
        ("a/**/b", "a/c", False),
        ("*/x", "api/*", False),
    ],
)
def test_covers(wide, narrow, answer):
    assert covers(wide, narrow) is answer


@pytest.mark.parametrize(
    ("one", "other", "answer"),
    [
        ("api/*", "*/ids", True),
        ("api/*", "db/*", False),
        ("api/{name}", "api/*/more", False),
        ("**", "a/b", True),
        ("a/**/b", "a/**/c", False),
        ("{x}-b", "a-{y}", True),
        ("{x}-b", "{y}-c", False),
        ("x-{a}", "y-{a}", False),
        ("a", "a/**", True),
    ],
)
def test_overlap(one, other, answer):
    assert overlap(one, other) is answer


@pytest.mark.parametrize(
    "order",
    [
        ["task/server", "task/{name}-api", "task/{name}", "task/**", "{name}/server", "**/server", "**"],
        ["a", "a/**"],
        ["a/**/b", "a/**"],
        ["a/*", "*/b"],
        ["{name}", "**"],
    ],
)
def test_the_more_specific_comes_first(order):
    backwards = order[::-1]
    assert sorted(backwards, key=specificity) == order


def test_many_stars_cost_no_more_than_their_product():
    stars = "/".join(["**", "a"] * 80)
    assert overlap(stars, "/".join(["**", "b"] * 80)) is False
    assert covers(stars, "/".join(["a"] * 80)) is True
