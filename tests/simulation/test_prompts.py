"""The prompt of a team on a board that has one already."""

from simulated_teams import coder, free, planner

from blackboard.contracts.language import Contract
from blackboard.control.team import Team
from blackboard.testing import open_memory

FREE = free("planner", "architect", "coder")


def team(prompt):
    return Team(prompt, [planner({}), coder()], choreography=FREE)


def prompt(board):
    return board.snapshot().decision("prompt").contract.text


def amend(board, text):
    with board.transaction("olga", role="operator") as transaction:
        transaction.decision("prompt")
        transaction.decide("prompt", Contract.text(text))


def test_a_prompt_that_the_team_changed_amends_the_decision():
    with open_memory() as board:
        board.install(team("count words"))
        board.install(team("count letters"))
        assert prompt(board) == "count letters"
        assert board.snapshot().decision("prompt").version == 2


def test_what_an_operator_amended_stays_until_the_team_itself_changes_its_prompt():
    with open_memory() as board:
        board.install(team("count words"))
        amend(board, "count lines")
        board.install(team("count words"))
        assert prompt(board) == "count lines"
        board.install(team("count letters"))
        assert prompt(board) == "count letters"


def test_the_same_team_again_is_no_change():
    with open_memory() as board:
        board.install(team("count words"))
        before = board.revision
        board.install(team("count words"))
        assert board.revision == before
