"""Tests of the tests: what holds the team together is switched off in turn, and the end-to-end test notices each time.

A scenario is one source after the other on a virtual clock, so that it is the same in each run: once with everything
on, where it ends in a program that works, and once with one thing off.
"""

import pytest
from recipes_runs import decided, exported, holds, other, serial_board, team

from blackboard import Controller
from blackboard.plan import builds
from blackboard.spec.changes import NeedRow
from blackboard.spec.staleness import Freshness
from blackboard.store import apply, commit, ratings, read, wake
from blackboard.store.statements import Statement
from knowledge_sources.reading import Reading
from knowledge_sources.scripted import Script

SEED = 5


@pytest.fixture
def board():
    with serial_board() as found:
        yield found


def ended(board, **values):
    """Run the team, one source after the other, and return the outcome."""
    return Controller(board, team(seed=SEED, **values), seed=SEED).run()


def works(board, folder):
    """Say whether the exported program is what was decided, and what its end-to-end test says."""
    return holds(exported(board, folder), stop_early=True)


def listening(monkeypatch, happen):
    """Let `happen(fact you)` be called whenever an expert was shown the board and has not answered yet."""
    answer = Script.answer

    def answering(script, facts):
        facts = list(facts)
        happen(next(fact.header for fact in facts if fact.kind == "you"))
        return answer(script, facts)

    monkeypatch.setattr(Script, "answer", answering)


# ---- the validation of what was read --------------------------------------------------------------------------------

AMENDED_WHILE_WRITTEN = [
    ("service", "api/durations"),
    ("cli", "api/list"),
    ("http_api", "api/errors"),
    ("web_page", "api/errors"),
    ("schema", "api/ids"),
]
"""A component, and a question whose answer changes its text."""


def amend_while_written(monkeypatch, board, component, key):
    """Let the operator amend a decision while a component is written: its coder has read it and did not commit yet.

    Returns:
        The names of those who were asked to write the component, as they are asked.
    """
    asked = []

    def amend(you):
        if (you["act"], you["target"]) != ("write", component):
            return
        if not asked:
            decided(board, {key: other(key, board.snapshot().decision(key).value)})
        asked.append(you["name"])

    listening(monkeypatch, amend)
    return asked


@pytest.mark.parametrize("number", range(2))
def test_what_is_amended_while_a_component_is_written_is_noticed(tmp_path, monkeypatch, length, number):
    for component, key in AMENDED_WHILE_WRITTEN[number : length(number + 1, 5) : 2]:
        with serial_board() as board, monkeypatch.context() as patch:
            asked = amend_while_written(patch, board, component, key)
            outcome = ended(board, amend="no")
            assert outcome.kind == "converged", outcome.obligations
            assert len(asked) > 1
            passed, said = works(board, tmp_path / component)
            assert passed, said


@pytest.mark.parametrize("number", range(2))
def test_without_the_validation_of_reads_it_is_not_and_the_program_fails(tmp_path, monkeypatch, length, number):
    for component, key in AMENDED_WHILE_WRITTEN[number : length(number + 1, 5) : 2]:
        with serial_board() as board, monkeypatch.context() as patch:
            patch.setattr(commit, "broken_reads", lambda *_: [])
            asked = amend_while_written(patch, board, component, key)
            outcome = ended(board, amend="no")
            # Staleness is still there and sees what should not have been written, so the board does not converge on it.
            assert outcome.kind == "stalled"
            assert (component, "it is stale") in {(one.key, one.reason) for one in outcome.obligations}
            assert len(asked) == 1
            passed, said = works(board, tmp_path / component)
            assert not passed, said


# ---- staleness ------------------------------------------------------------------------------------------------------


@pytest.fixture
def nobody_is_woken(monkeypatch):
    monkeypatch.setattr(wake, "_fan_out", lambda *_: None)


@pytest.fixture
def nobody_is_stale(monkeypatch):
    monkeypatch.setattr(read, "of_component", lambda *_, **__: Freshness.CURRENT)


def test_what_is_amended_when_all_is_built_is_built_again(board, tmp_path):
    outcome = ended(board)
    assert outcome.kind == "converged", outcome.obligations
    passed, said = works(board, tmp_path)
    assert passed, said


@pytest.mark.usefixtures("nobody_is_stale", "nobody_is_woken")
def test_without_staleness_the_checks_still_want_verdicts_for_what_stands(board, tmp_path):
    outcome = ended(board)
    assert outcome.kind == "stalled"
    assert {one.reason for one in outcome.obligations} == {
        f"check {check} has no verdict for what stands now" for check in ("unit", "conformance")
    }
    passed, said = works(board, tmp_path)
    assert not passed
    assert "FAILED  ratings go from 1 to 10" in said


@pytest.mark.usefixtures("nobody_is_woken")
def test_without_wake_ups_it_is_not_but_the_board_knows(board, tmp_path):
    outcome = ended(board)
    assert outcome.kind == "stalled"
    assert {one.key for one in outcome.obligations} >= {"schema", "service", "web_page"}
    passed, said = works(board, tmp_path)
    assert not passed
    assert "FAILED  ratings go from 1 to 10" in said


# ---- agreement ------------------------------------------------------------------------------------------------------


@pytest.fixture
def coders_first(monkeypatch):
    """Rate what coders could write higher than what the others have to agree on."""
    rate = Statement(
        "UPDATE activation SET rating = 1 WHERE state = 'pending' AND rating = 0 AND kind = 'required' "
        "AND source IN ('cora', 'carl', 'chen', 'cleo')"
    )

    def rerate(store, **_):
        with store.writer.turn() as turn:
            turn.run(rate, {})

    monkeypatch.setattr(ratings, "rerate", rerate)


@pytest.fixture
def nobody_waits(monkeypatch):
    """Let coders write before what their tasks name is agreed, by what is there and what they assume."""
    premises = Reading.premises

    def what_is_there(reading, task):
        premises(reading, task)
        return ()

    monkeypatch.setattr(Reading, "premises", what_is_there)
    monkeypatch.setattr(builds, "_require_premises", lambda *_: None)
    monkeypatch.setitem(apply._APPLY, NeedRow, lambda *_: None)


@pytest.mark.usefixtures("coders_first")
def test_coders_who_come_first_wait_for_what_they_need(board, tmp_path):
    outcome = ended(board)
    assert outcome.kind == "converged", outcome.obligations
    passed, said = works(board, tmp_path)
    assert passed, said


@pytest.mark.usefixtures("coders_first", "nobody_waits")
def test_without_agreement_they_assume_and_the_program_fails(board, tmp_path):
    # All is agreed in the end. What code is seen to rely on, and its author never read, is in what checks are given:
    # they tell, and so does the program.
    outcome = ended(board)
    assert outcome.kind == "stalled"
    assert "check unit failed" in {one.reason for one in outcome.obligations}
    passed, said = works(board, tmp_path)
    assert not passed, said
