"""A customer demands what no answers to two open questions meet: that is said before anybody builds."""

import itertools

import pytest
from recipes_runs import ANSWERS, RECIPES, bb, exported, faults_of, team

from blackboard import Blackboard, Contract, Controller, Inconsistent, NotPermitted
from blackboard.cli import report
from blackboard.cli.exits import Exit

QUESTIONS = {key: ANSWERS[key] for key in ("api/ids", "api/id_maker")}
DEMANDS = {"constraint/offline", "constraint/short", "constraint/unique"}


def run(board):
    return Controller(board, team(demands="yes", amend="no")).run()


@pytest.fixture(scope="module")
def demanded(tmp_path_factory):
    """A board on which the customer demanded what cannot be, and how the run ended."""
    with Blackboard.open(tmp_path_factory.mktemp("demands") / "board.db", create=True) as board:
        yield board, run(board)


def decide(board, values, *, gives_way=()):
    def rule(transaction):
        for key in (*gives_way, *values):
            transaction.decision(key)
        for key in gives_way:
            transaction.retract(key, reason="it is not so important")
        for key, value in values.items():
            transaction.decide(key, Contract.value(value))

    board.run_transaction(rule, "carla", role="operator")


def test_a_contradiction_between_two_open_questions_is_shown_before_anybody_builds(demanded):
    board, outcome = demanded
    shown = report.status(board, outcome=outcome).possible
    assert (shown.kind, shown.why) == ("unsatisfiable", "")
    assert {member.key for member in shown.clash} == {*DEMANDS, *QUESTIONS}
    assert board.snapshot().components() == ()
    assert outcome.kind == "stalled"
    assert outcome.waits_for_a_person
    assert {name for one in outcome.obligations for name in one.waits_for} == {"carla"}


def test_while_it_stands_no_commit_builds_and_none_answers_both_questions(demanded):
    board, _ = demanded
    head = board.revision
    with pytest.raises(NotPermitted), board.transaction("cora") as transaction:
        transaction.decision("task/model/recipe")
        transaction.write("model/recipe", {"x.py": "x"})
    for values in itertools.product(*QUESTIONS.values()):
        with pytest.raises(Inconsistent):
            decide(board, dict(zip(QUESTIONS, values, strict=True)))
    assert board.revision == head


def test_the_command_says_it_and_when_the_customer_has_given_way_it_is_built_and_works(tmp_path):
    place = tmp_path / "board.db"
    done = bb("run", RECIPES, "--option", "demands=yes", "--plain", "--board", place)
    assert done.returncode == Exit.PERSON, done.stdout
    assert "impossible   no choice of options meets these together:" in bb("status", "--board", place).stdout
    with Blackboard.open(place) as board:
        decide(
            board, {"api/ids": {"kind": "uuid"}, "api/id_maker": {"made_by": "client"}}, gives_way=["constraint/short"]
        )
        outcome = run(board)
        assert outcome.kind == "converged", outcome.obligations
        assert faults_of(exported(board, tmp_path / "program")) == []
