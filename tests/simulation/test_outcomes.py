"""Every way in which a run can end, each named with its keys."""

import json

import pytest
from simulated_teams import PASSES, TASKS, architect, builders, coder, free, planner, run, said

from blackboard import on
from blackboard.contracts.language import Contract
from blackboard.control.simulation import virtual_board
from blackboard.control.source import external, knowledge_source
from blackboard.control.team import Budget, Check, Team
from blackboard.spec.convergence import OutcomeKind
from blackboard.store import agenda


@pytest.fixture
def board():
    with virtual_board() as board:
        yield board


def test_a_team_that_does_its_work_converges(board):
    outcome = run(board, builders(checks=[PASSES]))
    assert outcome.kind is OutcomeKind.CONVERGED
    assert outcome.obligations == ()
    assert {one.key: one.state for one in board.snapshot().components()} == dict.fromkeys(TASKS, "current")
    assert all(verdict.passed for name in TASKS for verdict in board.snapshot().verdicts(name))
    assert run(board, builders(checks=[PASSES])) == outcome


def test_a_component_that_fails_its_check_is_written_again(board):
    command = ["python", "-c", "import sys; sys.exit('wrong' in open('server.txt').read())"]
    check = Check("unit", on="server", command=command)
    outcome = run(board, Team("x", [planner(), architect(), coder(wrong=["server"])], checks=[check]))
    assert outcome.kind is OutcomeKind.CONVERGED
    assert board.snapshot().component("server").version == 2
    judged = [(one.key, one.version) for one in board.changes(after=0) if one.kind == "judged"]
    assert judged == [("server", 1), ("server", 2)]


def test_a_silent_source_leaves_the_run_stalled_and_named(board):
    @knowledge_source(role="architect", on=on.required("*/*"))
    def silent(_):
        return None

    outcome = run(board, Team("x", [planner(), silent, coder()]))
    assert outcome.kind is OutcomeKind.STALLED
    assert not outcome.waits_for_a_person
    assert "db/schema" in said(outcome)
    waits = [one.reason for one in outcome.obligations if one.key == "storage"]
    assert any("waits for db/schema" in reason for reason in waits)


def test_a_source_that_raises_is_retried_and_then_named_with_what_it_raised(board):
    ran = []

    @knowledge_source(role="architect", on=on.required("*/*"), retries=2)
    def broken(context):
        ran.append((context.target, str(context.previous)[:7] if context.previous else None))
        raise ZeroDivisionError("no idea")

    outcome = run(board, Team("x", [planner(), broken, coder()]))
    assert outcome.kind is OutcomeKind.STALLED
    assert len(ran) == 6
    assert {key: [said for at, said in ran if at == key] for key, _ in ran} == {
        "api/notes": [None, "no idea", "no idea"],
        "db/schema": [None, "no idea", "no idea"],
    }
    gave_up = [one for one in outcome.obligations if one.waits_for == ("broken",)]
    assert {one.key for one in gave_up} == {"api/notes", "db/schema"}
    assert all("ZeroDivisionError: no idea" in one.reason for one in gave_up)


def test_running_again_gives_the_dead_another_chance(board):
    @knowledge_source(name="architect", role="architect", on=[on.required("*/*"), on.asked("**")], retries=0)
    def broken(_):
        raise ZeroDivisionError

    protocol = free("planner", "architect", "coder")
    first = run(board, Team("x", [planner(), broken, coder()], choreography=protocol))
    assert first.kind is OutcomeKind.STALLED
    again = run(board, Team("x", [planner(), architect(), coder()], choreography=protocol))
    assert again.kind is OutcomeKind.CONVERGED


def test_a_deadline_is_waited_for_and_hands_the_key_to_the_operator(board):
    @knowledge_source(name="architect", role="architect", on=on.required("*/*"))
    def silent(_):
        return None

    begun = board.store.clock()
    outcome = run(board, Team("x", [planner(), silent, coder()]))
    assert outcome.kind is OutcomeKind.STALLED
    assert board.store.clock() - begun >= 300
    assert any("contested" in one.reason and one.person for one in outcome.obligations if one.key == "db/schema")


def test_a_source_that_always_rewrites_oscillates_and_the_cycle_is_named(board):
    @knowledge_source(name="restless", role="coder", on=[on.required("*"), on.written("*")])
    def restless(context):
        with context.transaction() as transaction:
            transaction.decision(f"task/{context.target}")
            standing = transaction.component(context.target)
            version = 0 if standing is None else standing.version
            transaction.write(context.target, {"a.txt": f"{version + 1}"})

    team = Team("x", [planner({"a": ({}, {})}), restless], choreography=free("planner", "coder"))
    outcome = run(board, team)
    assert outcome.kind is OutcomeKind.OSCILLATING
    assert outcome.cycle
    assert set(outcome.cycle) == {"restless on a"}
    assert any(one.key == "a" and one.loop for one in outcome.obligations)


def test_two_sources_that_undo_each_others_decision_oscillate(board):
    def wants(name, value):
        @knowledge_source(name=name, role="architect", on=[on.accepted("ids"), on.accepted("prompt")])
        def insist(context):
            with context.transaction() as transaction:
                standing = transaction.decision("ids")
                if standing is None or standing.value != value:
                    transaction.decide("ids", Contract.value(value))

        return insist

    team = Team("x", [wants("left", "int"), wants("right", "uuid")], choreography=free("architect"))
    outcome = run(board, team)
    assert outcome.kind is OutcomeKind.OSCILLATING
    assert any("Returning" in one.reason or "woken in a loop" in one.reason for one in outcome.obligations)
    assert set(outcome.cycle) <= {"left on ids", "right on ids", "left on prompt", "right on prompt"}
    assert outcome.cycle


def test_a_budget_of_three_activations_is_exhausted_and_the_keys_left_are_named(board):
    outcome = run(board, builders(budget=Budget(activations=3)))
    assert outcome.kind is OutcomeKind.BUDGET_EXHAUSTED
    assert {"storage", "server", "web"} & set(said(outcome))
    # What was spent stays spent; raising the budget lets the run go on.
    assert run(board, builders(budget=Budget(activations=3))).kind is OutcomeKind.BUDGET_EXHAUSTED
    assert run(board, builders(budget=Budget(activations=30))).kind is OutcomeKind.CONVERGED


def test_a_call_that_the_budget_of_tokens_does_not_cover_ends_the_run(board):
    @knowledge_source(name="architect", role="architect", on=on.required("*/*"))
    def thinks(context):
        with context.hold(700) as held:
            held.settle(600)
        with context.transaction() as transaction:
            if transaction.decision(context.target) is None:
                transaction.decide(context.target, Contract.value(1))

    outcome = run(board, Team("x", [planner(), thinks, coder()], budget=Budget(tokens=1000)))
    assert outcome.kind is OutcomeKind.BUDGET_EXHAUSTED
    assert any("BudgetExhausted" in one.reason and one.key in ("api/notes", "db/schema") for one in outcome.obligations)


def test_a_question_that_only_a_person_can_answer_waits_for_that_person(board):
    person = external("ann", role="operator", on=[on.asked("colour"), on.contested("**")])

    @knowledge_source(role="planner", on=on.accepted("prompt"))
    def asker(context):
        with context.transaction() as transaction:
            if not transaction.versions("colour"):
                transaction.ask("colour", "Which colour?", options=["red", "blue"])

    team = Team("x", [asker, person], choreography=free("planner", "operator"))
    outcome = run(board, team)
    assert outcome.kind is OutcomeKind.STALLED
    assert outcome.waits_for_a_person
    assert {one.key for one in outcome.obligations} == {"colour"}
    assert all(one.waits_for == ("ann",) for one in outcome.obligations)
    with board.transaction("ann", role="operator") as transaction:
        transaction.decide("colour", Contract.value("red"))
    for lease in board.claim("ann"):
        lease.finish()
    assert run(board, team).kind is OutcomeKind.CONVERGED


def test_a_commit_between_the_two_phases_of_quiescence_is_noticed(board, monkeypatch):
    """A person amends just after the announcement: the run goes on with it and announces again."""
    announced = agenda.announce
    slipped = []

    def announce(store, met):
        done = announced(store, met)
        if done and not slipped:
            slipped.append(board.revision)
            with board.transaction("ann", role="operator") as transaction:
                transaction.decision("db/schema")
                transaction.decide("db/schema", Contract.value({"is": "other"}))
        return done

    monkeypatch.setattr(agenda, "announce", announce)
    outcome = run(board, builders())
    assert outcome.kind is OutcomeKind.CONVERGED
    assert outcome.revision > slipped[0] + 1
    assert "other" in board.snapshot().component("storage").text("storage.txt")


def test_a_commit_before_the_announcement_keeps_it_from_being_made(board, monkeypatch):
    """The check of C1 to C4 stands in the turn that announces, so what came before it counts."""
    announced = agenda.announce
    tried = []

    def announce(store, met):
        tried.append(board.revision)
        if len(tried) == 1:
            with board.transaction("ann", role="operator") as transaction:
                transaction.ask("colour", "Which?")
        return announced(store, met)

    monkeypatch.setattr(agenda, "announce", announce)
    outcome = run(board, builders())
    assert outcome.kind is OutcomeKind.CONVERGED  # the architect answered
    assert board.snapshot().decision("colour") is not None
    assert len(tried) >= 2


def test_who_waits_for_quiescence_is_woken_once_and_may_go_on(board):
    woken = []

    @knowledge_source(role="planner", on=on.quiescent())
    def reviewer(context):
        woken.append(context.target)
        with context.transaction() as transaction:
            if transaction.decision("task/extra") is None:
                transaction.decide("task/extra", Contract.task(summary="one more"))

    outcome = run(board, builders(reviewer))
    assert outcome.kind is OutcomeKind.CONVERGED
    assert woken == ["source/reviewer", "source/reviewer"]
    assert board.snapshot().component("extra") is not None


def test_a_paused_board_is_stalled_and_says_that_it_is_paused(board):
    with board.store.writer.turn() as turn:
        turn.connection.raw.execute("UPDATE board SET mode = 'paused', mode_reason = 'lunch'")
    outcome = run(board, builders())
    assert outcome.kind is OutcomeKind.STALLED
    assert outcome.obligations[0].reason == "the board is paused: lunch"


def test_a_source_whose_results_are_refused_five_times_is_quarantined(board):
    @knowledge_source(name="liar", role="tester", on=on.required("*"), retries=9)
    def liar(context):
        with context.transaction() as transaction:
            transaction.component(context.target)
            transaction.write(context.target, {"x": "1"})

    outcome = run(board, Team("x", [planner(), architect(), liar]))
    assert outcome.kind is OutcomeKind.STALLED
    assert any("liar is quarantined" in one.reason for one in outcome.obligations)
    assert json.loads(json.dumps([one.reason for one in outcome.obligations]))
