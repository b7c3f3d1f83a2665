"""What becomes of an activation after a run, and which work is on the longest chain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blackboard.spec.activation import (
    LONGEST_WAIT_SECONDS,
    ActivationState,
    Ending,
    Link,
    Next,
    RunAgain,
    after,
    backoff_seconds,
    chains,
    waiting,
)
from blackboard.spec.effects import Side

PENDING, DONE, DEAD, OBVIATED = (
    ActivationState.PENDING,
    ActivationState.DONE,
    ActivationState.DEAD,
    ActivationState.OBVIATED,
)


@pytest.mark.parametrize(
    ("ending", "attempts", "then"),
    [
        (Ending.FINISHED, 2, Next(DONE, 0)),
        (Ending.REFUSED_BY_RATE, 1, Next(OBVIATED, 0)),
        (Ending.RETURNED, 2, Next(PENDING, 1)),
        (Ending.RETURNED, 0, Next(PENDING, 0)),
        (Ending.POSTPONED, 1, Next(PENDING, 0, 0.25)),
        (Ending.EXHAUSTED, 1, Next(DEAD, 1)),
        (Ending.LOST, 3, Next(PENDING, 3)),
        (Ending.LOST, 4, Next(DEAD, 4)),
        (Ending.FAILED, 1, Next(PENDING, 1, 0.25)),
        (Ending.FAILED, 3, Next(PENDING, 3, 1.0)),
        (Ending.FAILED, 4, Next(DEAD, 4)),
        (Ending.CANCELLED, 2, Next(OBVIATED, 0)),
        (Ending.UNLOCKED, 2, Next(PENDING, 1)),
    ],
)
def test_each_end_has_one_consequence(ending, attempts, then):
    assert after(ending, attempts=attempts, retries=3, run_again=RunAgain.IF_UNFINISHED) == then


UNCOUNTED = {Ending.RETURNED, Ending.POSTPONED, Ending.UNLOCKED}


@pytest.mark.parametrize("ending", sorted(set(Ending) - UNCOUNTED - {Ending.CANCELLED}))
def test_a_trigger_meanwhile_asks_for_one_more_run_whatever_the_end(ending):
    then = after(ending, attempts=9, retries=3, run_again=RunAgain.YES)
    assert (then.state, then.attempts) == (PENDING, 0)


def test_what_an_operator_cancels_is_over_whatever_came_meanwhile():
    assert after(Ending.CANCELLED, attempts=1, retries=3, run_again=RunAgain.YES) == Next(OBVIATED, 0)


@pytest.mark.parametrize("ending", sorted(Ending))
def test_what_a_commit_settled_during_the_run_is_not_run_again_whatever_the_end(ending):
    then = after(ending, attempts=1, retries=3, run_again=RunAgain.NO)
    assert then == Next(DONE if ending is Ending.FINISHED else OBVIATED, 0)


def test_waits_grow_up_to_a_bound():
    waits = [backoff_seconds(attempts) for attempts in range(1, 40)]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT_SECONDS


def test_who_waits_for_what_follows_from_tasks_and_pins():
    waits = waiting([Link("server", "api", Side.IMPLEMENTS), Link("web", "api", Side.USES)])
    assert waits == {
        "api": {"server", "web"},
        "task/server": {"server"},
        "task/web": {"web"},
        "server": {"web"},
    }
    assert chains(waits)["task/server"] == 2


def test_a_circle_counts_as_long_as_it_is():
    assert chains({"a": ["b"], "b": ["c"], "c": ["a", "end"]}) == {"end": 0, "a": 3, "b": 3, "c": 3}


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.lists(st.sampled_from("abcdefgh")), max_size=8))
def test_lengths_are_those_of_the_longest_chain_over_groups(waits):
    """Against a plain definition: whoever waits for a key has a shorter chain, unless both wait for each other."""
    lengths = chains(waits)
    reach = {key: _reachable(key, waits) for key in lengths}
    for key, others in waits.items():
        for other in others:
            if key in reach[other]:
                assert lengths[key] == lengths[other]
            else:
                assert lengths[key] > lengths[other]
    assert min(lengths.values(), default=0) >= 0


def _reachable(start, waits):
    found, todo = set(), [start]
    while todo:
        for other in waits.get(todo.pop(), ()):
            if other not in found:
                found.add(other)
                todo.append(other)
    return found
