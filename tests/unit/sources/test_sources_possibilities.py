"""Who looks at what is still possible asks when nothing is, once, and takes the question back when something is."""

import pytest
from sources_kit import run

from blackboard import Contract, Controller, Team
from blackboard.testing import open_memory
from knowledge_sources import possibilities

WANDA = possibilities("wanda")


@pytest.fixture
def board():
    with open_memory() as opened:
        opened.install(Team("make me a clock", [WANDA]))
        with opened.transaction("ann", role="operator") as transaction:
            transaction.ask("ids", "what are ids?", options=["int", "uuid"])
            transaction.ask("maker", "who makes them?", options=["server", "client"])
            transaction.decide("constraint/made", Contract.constraint("maker == 'server' or ids == 'uuid'"))
            transaction.decide("constraint/short", Contract.constraint("ids == 'int'"))
        yield opened


def decide(board, key, contract):
    with board.transaction("ann", role="operator") as transaction:
        transaction.decision(key)
        transaction.decide(key, contract)


def asked(board):
    return {one.key: one.question for one in board.snapshot().questions("constraint/**")}


def test_while_something_is_possible_nothing_is_asked(board):
    head = board.revision
    run(board, WANDA, "ids")
    assert board.revision == head


def test_when_nothing_is_possible_it_asks_once_and_names_all_that_clashes(board):
    decide(board, "constraint/offline", Contract.constraint("maker == 'client'"))
    run(board, WANDA, "constraint/offline")
    (question,) = asked(board).values()
    for said in ("constraint/made: ", "constraint/short: ", "constraint/offline: "):
        assert said in question
    head = board.revision
    run(board, WANDA, "ids")
    assert board.revision == head


def test_it_takes_the_question_back_when_something_is_possible_again(board):
    decide(board, "constraint/offline", Contract.constraint("maker == 'client'"))
    run(board, WANDA, "constraint/offline")
    (key,) = asked(board)
    before = board.snapshot().decision(key)
    gives_way = "constraint/short" if key != "constraint/short" else "constraint/offline"
    decide(board, gives_way, Contract.constraint("ids == 'uuid' or maker == 'server'"))
    run(board, WANDA, gives_way)
    assert asked(board) == {}
    assert board.snapshot().decision(key).version == before.version


def test_a_controller_has_it_look_and_the_board_does_not_converge_over_the_question(board):
    decide(board, "constraint/offline", Contract.constraint("maker == 'client'"))
    outcome = Controller(board, Team("make me a clock", [WANDA]), workers=1).run()
    assert outcome.kind != "converged"
    assert asked(board).keys() & {one.key for one in outcome.obligations if "question" in one.reason}
