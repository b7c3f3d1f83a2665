"""How a component stands to what it was built against."""

import itertools

import pytest

from blackboard.spec.effects import Effect, Side
from blackboard.spec.staleness import (
    RANK,
    TABLE,
    Checked,
    FacetHead,
    Freshness,
    Judged,
    PatternPin,
    Pin,
    Validation,
    of_component,
    of_pin,
)


def pin(digest="1:x", side=Side.USES, name="p", since=1):
    return Pin("d", name, side, 1, since, digest)


def test_the_table_says_something_for_everything_that_can_be_asked():
    assert set(TABLE) == set(itertools.product(Effect, Side, Validation))
    assert set(TABLE.values()) <= {Freshness.CURRENT, Freshness.SUSPECT, Freshness.STALE}
    assert sorted(RANK, key=RANK.__getitem__) == list(Freshness)


CHECKED = {
    Validation.NONE: Checked(4, passed=False),
    Validation.PASSED: Checked(5, passed=True),
    Validation.FAILED: Checked(6, passed=False),
}


@pytest.mark.parametrize(("effect", "side", "said"), TABLE)
def test_a_pin_whose_value_changed_is_what_the_table_says(effect, side, said):
    changed = of_pin(pin(side=side), FacetHead(5, "1:y"), effect, retracted=False, checked=CHECKED[said])
    assert changed is TABLE[effect, side, said]


@pytest.mark.parametrize("checked", CHECKED.values(), ids=CHECKED)
def test_a_break_is_never_made_good_by_a_check(checked):
    assert of_pin(pin(), FacetHead(5, "1:y"), Effect.BREAKING, retracted=False, checked=checked) is Freshness.STALE


def test_a_compatible_change_is_settled_by_the_checks_that_ran_on_it_alone():
    states = {
        said: of_pin(pin(), FacetHead(5, "1:y"), Effect.COMPATIBLE, retracted=False, checked=checked)
        for said, checked in CHECKED.items()
    }
    assert states == {
        Validation.NONE: Freshness.SUSPECT,
        Validation.PASSED: Freshness.CURRENT,
        Validation.FAILED: Freshness.STALE,
    }


@pytest.mark.parametrize("effect", [*Effect, None])
def test_the_same_value_is_current_whatever_the_versions_and_effects(effect):
    assert of_pin(pin(), FacetHead(9, "1:x"), effect, retracted=False) is Freshness.CURRENT
    assert of_pin(pin(digest=""), FacetHead(9, None), effect, retracted=False) is Freshness.CURRENT
    assert of_pin(pin(digest=""), None, effect, retracted=False) is Freshness.CURRENT


@pytest.mark.parametrize("head", [FacetHead(2, "1:y"), FacetHead(2, None), None])
def test_an_effect_that_nobody_recorded_means_stale(head):
    assert of_pin(pin(), head, None, retracted=False) is Freshness.STALE


@pytest.mark.parametrize("head", [FacetHead(1, "1:x"), FacetHead(2, "1:y"), None])
def test_what_was_retracted_orphans_whatever_its_value(head):
    assert of_pin(pin(), head, Effect.NONE, retracted=True) is Freshness.ORPHANED


def standing(pins, patterns=(), *, heads=None, effects=None, retracted=(), newest=None):
    return of_component(
        pins,
        patterns,
        head=lambda key, name: (heads or {}).get((key, name)),
        effect=lambda one, head: (effects or {}).get((one.name, one.since, head.since)),
        retracted=retracted.__contains__,
        newest_member=lambda pattern: (newest or {}).get(pattern, 0),
    )


def test_a_component_without_premises_is_current():
    assert standing(()) is Freshness.CURRENT


def test_the_worst_pin_decides():
    heads = {("d", "p"): FacetHead(2, "1:y"), ("d", "q"): FacetHead(2, "1:y")}
    pins = (pin(), pin(name="q"))
    for one, other in itertools.combinations_with_replacement(Effect, 2):
        effects = {("p", 1, 2): one, ("q", 1, 2): other}
        both = (TABLE[effect, Side.USES, Validation.NONE] for effect in (one, other))
        worst = max(both, key=RANK.__getitem__)
        assert standing(pins, heads=heads, effects=effects) is worst
    assert standing(pins, heads=heads, retracted={"d"}) is Freshness.ORPHANED


@pytest.mark.parametrize(("newest", "expected"), [(0, "current"), (4, "current"), (5, "current"), (6, "stale")])
def test_only_what_joined_later_makes_a_listed_pattern_stale(newest, expected):
    assert standing((), (PatternPin("d/*", 5),), newest={"d/*": newest}) == expected
    assert standing((), (PatternPin("e/*", 5),), newest={"d/*": newest}) is Freshness.CURRENT


@pytest.mark.parametrize(
    ("before", "flaky"),
    [
        (None, False),
        (Judged(passed=True, inputs="a", revision=1), False),
        (Judged(passed=False, inputs="a", revision=1), True),
        (Judged(passed=False, inputs="b", revision=1), False),
        (Judged(passed=True, inputs="a", revision=1, flaky=True), True),
    ],
)
def test_a_verdict_is_flaky_after_another_result_for_the_same_inputs(before, flaky):
    now = Judged(passed=True, inputs="a", revision=2).after(before)
    assert (now.flaky, now.is_pass) == (flaky, not flaky)
