"""The life of a version: a table, walked whole."""

import itertools

import pytest

from blackboard.errors import IllegalTransition
from blackboard.spec.lifecycle import MOVES, Event, State, move


@pytest.mark.parametrize(("state", "event"), list(itertools.product(State, Event)))
def test_every_move_is_in_the_table_or_illegal(state, event):
    if (state, event) in MOVES:
        assert move(state, event, subject="api/ids 1") is MOVES[state, event]
        return
    with pytest.raises(IllegalTransition) as refused:
        move(state, event, subject="api/ids 1")
    assert (refused.value.subject, refused.value.state, refused.value.event) == ("api/ids 1", str(state), str(event))


def test_every_life_begins_proposed_and_ends():
    reached, todo = set(), [State.PROPOSED]
    while todo:
        state = todo.pop()
        reached.add(state)
        todo += [after for (before, _), after in MOVES.items() if before is state and after not in reached]
    assert reached == set(State)
    ends = {state for state in State if not any(before is state for before, _ in MOVES)}
    assert ends == {State.REJECTED, State.WITHDRAWN, State.MERGED, State.SUPERSEDED, State.RETRACTED}


def test_nothing_comes_back_to_where_it_was():
    for before, after in itertools.product(State, State):
        path = {before}
        for _ in State:
            path |= {to for (one, _), to in MOVES.items() if one in path}
        if after is not before and after in path:
            back = {after}
            for _ in State:
                back |= {to for (one, _), to in MOVES.items() if one in back}
            assert before not in back
