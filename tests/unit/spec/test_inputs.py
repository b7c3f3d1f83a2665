"""What a check's result rests on."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from blackboard.spec.effects import Side
from blackboard.spec.inputs import BuiltComponent, closure, implementers, inputs_digest
from blackboard.spec.staleness import Freshness, Pin


def built(key, *, uses=(), implements=(), files="1:f", digest="1:x", freshness=Freshness.CURRENT, version=1):
    pins = [Pin(name, "p", Side.USES, 1, 1, digest) for name in uses]
    pins += [Pin(name, "p", Side.IMPLEMENTS, 1, 1, digest) for name in implements]
    return BuiltComponent(key, version, files, tuple(pins), tuple(pin.digest for pin in pins), freshness)


def board(*components):
    return {one.key: one for one in components}


CHAIN = board(
    built("web", uses=["api"]),
    built("server", implements=["api"], uses=["db"]),
    built("storage", implements=["db"]),
    built("docs", uses=["style"]),
)


def test_a_check_rests_on_those_who_implement_what_is_used_and_so_on():
    assert closure("web", CHAIN) == ("server", "storage", "web")
    assert closure("server", CHAIN) == ("server", "storage")
    assert closure("docs", CHAIN) == ("docs",)
    assert closure("nobody", CHAIN) == ()


def test_what_a_component_implements_does_not_make_it_rest_on_its_users():
    assert "web" not in closure("storage", CHAIN)


def test_components_that_use_each_other_rest_on_each_other():
    circle = board(built("a", uses=["y"], implements=["x"]), built("b", uses=["x"], implements=["y"]))
    assert closure("a", circle) == closure("b", circle) == ("a", "b")


def test_several_may_implement_one_decision():
    two = board(built("a", implements=["x"]), built("b", implements=["x"]), built("c", uses=["x"]))
    assert implementers(two.values()) == {"x": {"a", "b"}}
    assert closure("c", two) == ("a", "b", "c")


@pytest.mark.parametrize(
    "other",
    [
        built("storage", implements=["db"], files="1:other"),
        built("storage", implements=["db"], digest="1:y"),
        built("storage", implements=["db"], uses=["style"]),
    ],
)
def test_whatever_it_rests_on_is_part_of_the_digest(other):
    before = inputs_digest("web", CHAIN, "1:check")
    assert inputs_digest("web", {**CHAIN, "storage": other}, "1:check") != before
    assert inputs_digest("docs", {**CHAIN, "storage": other}, "1:check") == inputs_digest("docs", CHAIN, "1:check")


def test_the_check_itself_is_part_of_the_digest_and_versions_are_not():
    before = inputs_digest("web", CHAIN, "1:check")
    assert inputs_digest("web", CHAIN, "1:other") != before
    again = built("storage", implements=["db"], version=7, freshness=Freshness.STALE)
    assert inputs_digest("web", {**CHAIN, "storage": again}, "1:check") == before


graphs = st.dictionaries(
    st.sampled_from("abcd"),
    st.tuples(st.sets(st.sampled_from("wxyz"), max_size=3), st.sets(st.sampled_from("wxyz"), max_size=3)),
    min_size=1,
).map(lambda graph: {key: built(key, uses=uses, implements=makes) for key, (uses, makes) in graph.items()})


@given(graphs)
def test_a_closure_is_the_smallest_set_that_holds_what_its_members_rest_on(components):
    makers = implementers(components.values())
    for key in components:
        found = set(closure(key, components))
        assert key in found
        rests = {
            maker
            for one in found
            for pin in components[one].pins
            if pin.side is Side.USES
            for maker in makers.get(pin.key, ())
        }
        assert rests <= found
        for other in found - {key}:
            assert other in rests
