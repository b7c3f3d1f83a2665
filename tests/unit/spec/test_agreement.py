"""When votes accept, when they no longer can, and which quorums hold."""

import itertools

import hypothesis.strategies as st
import pytest
from hypothesis import given

from blackboard.spec.agreement import Tally, eligible, majority_of, quorum_bounds, tally

MEMBERS = ("a", "b", "c", "d", "e")
electorates = st.integers(1, 5).flatmap(lambda count: st.tuples(st.just(MEMBERS[:count]), st.integers(1, count + 1)))
votes = st.dictionaries(st.sampled_from((*MEMBERS, "stranger")), st.booleans())


@given(electorates, votes)
def test_a_tally_is_what_every_way_to_go_on_can_come_to(electorate, cast):
    """Reached: enough said yes. Unreachable: however the others vote, it is not enough."""
    members, quorum = electorate
    rest = [member for member in members if member not in cast]
    endings = [
        sum({**cast, **dict(zip(rest, later, strict=True))}[member] for member in members)
        for later in itertools.product([True, False], repeat=len(rest))
    ]
    yes = sum(cast.get(member) is True for member in members)
    if yes >= quorum:
        expected = Tally.REACHED
    elif max(endings) < quorum:
        expected = Tally.UNREACHABLE
    else:
        expected = Tally.UNDECIDED
    assert tally(*electorate, cast) is expected


@given(electorates, votes, st.sampled_from(MEMBERS), st.booleans())
def test_a_settled_tally_stays_settled(electorate, cast, member, approve):
    before = tally(*electorate, cast)
    if before is not Tally.UNDECIDED and member not in cast:
        assert tally(*electorate, {**cast, member: approve}) is before


@pytest.mark.parametrize(("members", "majority"), [(0, 1), (1, 1), (2, 2), (3, 2), (4, 3), (5, 3)])
def test_a_majority_is_more_than_half(members, majority):
    assert majority_of(members) == majority


@given(st.integers(0, 9), st.integers(0, 4), st.integers(0, 4))
def test_bounds_leave_room_exactly_where_there_are_enough_members(members, crash, wrong):
    least, most = quorum_bounds(members, crash=crash, wrong=wrong)
    assert (least <= most) is (members >= crash + 2 * wrong + 1)
    for quorum in range(least, most + 1):
        assert wrong < quorum  # what only the wrong want is never accepted
        assert members - crash - wrong >= quorum  # what all the others want is


def test_everybody_votes_but_the_author():
    assert eligible(("a", "b", "c"), "b") == ("a", "c")
    assert eligible(("a", "b"), "stranger") == ("a", "b")
    assert eligible((), "a") == ()


def test_nobody_can_reach_a_quorum_of_nobody():
    assert tally((), 1, {"a": True}) is Tally.UNREACHABLE
