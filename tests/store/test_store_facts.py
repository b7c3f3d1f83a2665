"""What is asked of the head costs the same however long a key's past is, and however many others there are."""

import pytest

from blackboard import Blackboard
from blackboard.store import claims, wake
from blackboard.store.facts import _PROPOSED, HeadFacts


def steps_of(board, ask):
    """Return about how many steps the engine takes to answer."""
    with board.store.database.reading() as on:
        facts, steps = HeadFacts(on, board.store.kept), []
        facts.key("api/ids")
        on.raw.set_progress_handler(lambda: steps.append(1), 10)
        ask(facts)
        on.raw.set_progress_handler(None, 0)
        return len(steps)


@pytest.mark.parametrize(
    "ask",
    [
        lambda facts: facts.former("api/ids", "never accepted"),
        lambda facts: facts._of_key(_PROPOSED, "api/ids"),
        lambda facts: facts.question("api/ids"),
        lambda facts: facts.body_at("api/ids", 3),
        lambda facts: facts.votes("api/ids", 2),
        lambda facts: facts.head_facets("api/ids"),
        lambda facts: facts.pinned("api/ids"),
    ],
    ids=["former", "proposed", "question", "body_at", "votes", "head_facets", "pinned"],
)
def test_a_long_past_of_a_key_costs_nothing(ask, given):
    with Blackboard.in_memory() as board:
        numbers = iter(range(1000))

        def amended(times):
            for _ in range(times):
                given(board).asked("api/ids")
                given(board).decided("api/ids", next(numbers), by="ann", role="operator")
            given(board).asked("api/ids", "still?")
            return steps_of(board, ask)

        short = amended(10)
        given(board).decided("api/ids", "answered", by="ann", role="operator")
        assert amended(200) <= short + 5


@pytest.mark.parametrize(
    "statement",
    [wake._FRESH_AGAIN, wake._LOOK_AT, wake._MOVED, claims._ANY[True]],
    ids=["current again", "stale", "what moved", "work"],
)
def test_what_a_change_means_for_others_is_found_without_a_look_at_every_key(statement):
    with Blackboard.in_memory() as board, board.store.database.reading() as on:
        asked = statement.placed(dict.fromkeys(statement._compiled.params))
        steps = [row[3] for row in on.raw.execute(f"EXPLAIN QUERY PLAN {statement.text}", asked)]
    assert any(step.startswith("SEARCH") for step in steps)
    assert not {"SCAN k", "SCAN c", "SCAN p", "SCAN d"}.intersection(steps)
