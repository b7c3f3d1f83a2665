"""What `blackboard.testing` offers: a crash at a named point, and what a board looks like after it."""

import pytest

from blackboard.contracts.language import Contract
from blackboard.testing import APPLIED, BEGUN, COMMITTED, SimulatedCrash, crash_at, open_memory


def decide(board, key="k"):
    with board.transaction("ann", idempotency_key=f"decide {key}") as transaction:
        transaction.decide(key, Contract.value(1))
    return transaction.committed


@pytest.mark.parametrize("point", [BEGUN, APPLIED])
def test_before_the_commit_nothing_happened(point):
    with open_memory() as board:
        with pytest.raises(SimulatedCrash), crash_at(point):
            decide(board)
        assert board.revision == 0
        assert board.changes(after=0) == ()
        assert decide(board).revision == 1


def test_after_the_commit_only_the_answer_is_missing():
    with open_memory() as board:
        with pytest.raises(SimulatedCrash), crash_at(COMMITTED):
            decide(board)
        assert board.revision == 1
        found = board.find_commit("decide k", author="ann")
        assert found.revision == 1
        assert decide(board) == found


def test_a_later_transaction_can_be_chosen():
    with open_memory() as board:
        with crash_at(APPLIED, after=2):
            decide(board, "first")
            decide(board, "second")
            with pytest.raises(SimulatedCrash):
                decide(board, "third")
            decide(board, "fourth")
        assert [one.key for one in board.snapshot().decisions()] == ["first", "fourth", "second"]


def test_an_unknown_point_is_refused():
    with pytest.raises(ValueError, match="no point"), crash_at("lunch"):
        pass
