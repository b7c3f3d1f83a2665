"""A function is run until what it does commits."""

import pytest

from blackboard import Conflict, Contract, Invalid, Reserved
from blackboard.spec.changes import Committed


def test_run_transaction_runs_the_function_anew_and_tells_it_why(board, given):
    given(board).decided("count", 0)
    told = []

    def count(transaction):
        told.append(transaction.previous)
        value = transaction.decision("count").value
        if len(told) == 1:
            given(board).decided("count", 10)
        transaction.decide("count", Contract.value(value + 1))

    board.run_transaction(count, "bob")
    assert board.snapshot().decision("count").value == 11
    assert told[0] is None
    assert [(premise.key, premise.base, premise.current) for premise in told[1].premises] == [("count", "0", "10")]


def always_late(to):
    """Return a function that somebody overtakes each time that it is run."""

    def late(transaction):
        value = transaction.decision("count").value
        to.decided("count", value + 1)
        transaction.decide("count", Contract.value(-1))

    return late


def test_run_transaction_gives_the_last_conflict_to_its_caller(board, given):
    given(board).decided("count", 0)

    with pytest.raises(Conflict):
        board.run_transaction(always_late(given(board)), "bob", attempts=2)
    assert board.snapshot().decision("count").value == 2
    with pytest.raises(Invalid):
        board.run_transaction(always_late(given(board)), "bob", attempts=0)


def test_a_refusal_of_another_s_transaction_in_the_function_is_told_at_once(board, given):
    """After two conflicts bob has the key reserved, so what the function does in another's name is refused."""
    given(board).decided("count", 0)

    with pytest.raises(Reserved):
        board.run_transaction(always_late(given(board)), "bob", attempts=3)


def test_run_transaction_of_a_function_that_discards_writes_nothing(board):
    assert board.run_transaction(lambda transaction: transaction.discard(), "bob") == Committed(0, (), 0)
