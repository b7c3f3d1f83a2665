"""Causal chains that repeat."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from blackboard.spec.history import CHAIN_BOUND, EVIDENCE, cycle_of

PING, PONG = ("ping", "a"), ("pong", "b")


def test_a_chain_within_its_bound_is_no_loop():
    chain = [PING, PONG] * CHAIN_BOUND
    assert cycle_of(chain[: 2 * CHAIN_BOUND - 2], *PING) is None
    assert cycle_of([], *PING) is None
    assert cycle_of([PONG] * 1000, *PING) is None


def test_a_loop_names_its_newest_repetition_in_the_order_in_which_it_ran():
    chain = [PONG, PING] * CHAIN_BOUND  # newest first: pong ran last
    assert cycle_of(chain, *PING) == ("ping on a", "pong on b")
    assert cycle_of([PING] * CHAIN_BOUND, *PING) == ("ping on a",)


@pytest.mark.parametrize("bound", [1, 2, 5])
def test_the_bound_is_how_often_it_may_have_been_there(bound):
    assert cycle_of([PING] * (bound - 1), *PING, bound=bound) is None
    assert cycle_of([PING] * bound, *PING, bound=bound) is not None


links = st.tuples(st.sampled_from(["s", "t"]), st.sampled_from(["x", "y"]))


@given(st.lists(links, max_size=40), links, st.integers(1, 6))
def test_a_cycle_begins_with_what_is_woken_and_ends_before_it_is_again(chain, link, bound):
    cycle = cycle_of(chain, *link, bound=bound)
    assert (cycle is not None) is (chain.count(link) >= bound)
    if cycle is not None:
        assert cycle[0] == f"{link[0]} on {link[1]}"
        assert cycle.count(cycle[0]) == 1
        assert list(cycle) == [f"{source} on {target}" for source, target in reversed(chain[: len(cycle)])]


def test_what_a_team_accepts_is_no_evidence():
    assert "accepted" not in EVIDENCE
