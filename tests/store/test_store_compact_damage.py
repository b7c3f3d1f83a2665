"""Damage to a compacted board is found, also in what it kept from before its first revision."""

import pytest
from compactions import folded
from test_store_chain import checkpoint, team, unnoticed

from blackboard import Blackboard, Compacted, Damaged, Forked
from blackboard.store import schema

WITHOUT_PAST = {
    *("facet_effect", "requirement", "requirement_pattern", "subscription", "step_instance", "deadline"),
    *("idempotency", "pattern", "instance_count"),
}
"""Tables that hold no history."""

UNCHECKED = {
    ("board", "id"),
    ("board", "installed"),
    ("board", "store_time"),
    ("board", "mode"),
    ("board", "mode_reason"),
    ("board", "library"),
    ("key", "question_revision"),
}


@pytest.fixture(scope="module")
def small(tmp_path_factory, given):
    """Return the place of a closed board that was compacted twice, with all kinds of things before, and its head."""
    place = tmp_path_factory.mktemp("compacted") / "board.db"
    with Blackboard.open(place, create=True, durability="normal") as board:
        board.install(team())
        to = given(board)
        to.asked("api/page", by="art")
        to.asked("api/ids", by="art")
        to.proposed("api/ids", {"kind": "int"}, by="art")
        to.voted("api/ids", 1, by="rev-1")
        to.voted("api/ids", 1, by="rev-2")
        to.decided("db/ids", 1, role="operator")
        with board.transaction("boss", role="operator") as transaction:
            transaction.decisions("api/*")
            transaction.write("server", {"a.py": "1", "b.py": "2"})
        to.judged("server", passed=True, by="test")
        with board.transaction("boss", role="operator") as transaction:
            transaction.decision("db/ids")
            transaction.retract("db/ids", reason="wrong")
        folded(board, 5)
        to.proposed("api/ids", {"kind": "text"}, by="art")
        to.asked("api/size", by="art")
        folded(board, board.revision)
        to.decided("api/ids", {"kind": "uuid"}, role="operator")
        head = board.verify()
    checkpoint(place)
    return place, head


@pytest.mark.parametrize("table", sorted(set(schema.metadata.tables) - schema.CONTROL - WITHOUT_PAST))
def test_every_changed_or_missing_row_of_a_compacted_board_is_found(small, table, tmp_path):
    place, head = small
    told = (Damaged, Forked, Compacted)
    missed, tried = unnoticed(place, head, table, tmp_path, but=UNCHECKED, told=told)
    assert missed == []
    assert tried > 0
