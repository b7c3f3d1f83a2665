"""What a running controller makes of an operator's acts."""

import threading

import pytest
from simulated_teams import free

from blackboard import LeaseLost, Sealed, on
from blackboard.control.controller import Controller
from blackboard.control.source import knowledge_source
from blackboard.control.team import Team
from blackboard.spec.convergence import OutcomeKind
from blackboard.spec.halt import HaltAct
from blackboard.store import operate
from blackboard.store.operate import Operator
from blackboard.testing import open_memory

BOSS = Operator("boss", reason="lunch")
PATIENCE_SECONDS = 30


def thinking(begun, seen, *, refused=LeaseLost):
    """Return a source that thinks until it is told that it is cancelled, and commits all the same."""

    @knowledge_source(name="thinker", role="thinker", on=on.accepted("prompt"))
    def think(context):
        begun.set()
        transaction = context.transaction()
        transaction.ask("late", "may I?")
        seen["told"] = _until(lambda: context.cancelled)
        with pytest.raises(refused) as error:
            transaction.commit()
        seen["error"] = error.value

    return think


def _until(condition):
    waiting = threading.Event()
    for _ in range(PATIENCE_SECONDS * 100):
        if condition():
            return True
        waiting.wait(0.01)
    return False


def run_beside(board, team, act):
    """Run a team and do something on the board once its source has begun."""
    begun, seen = threading.Event(), {}
    crew = Team("think", [thinking(begun, seen, **team)], choreography=free("thinker"))
    outcomes = []
    running = threading.Thread(target=lambda: outcomes.append(Controller(board, crew).run()))
    running.start()
    assert begun.wait(PATIENCE_SECONDS)
    act()
    running.join(PATIENCE_SECONDS)
    assert _until(lambda: "error" in seen)
    return outcomes[0], seen


def test_a_source_whose_work_is_cancelled_is_told_and_commits_nothing_more():
    with open_memory() as board:
        outcome, seen = run_beside(
            board, {}, lambda: operate.cancel(board.store, BOSS, source="thinker", target="prompt")
        )
        assert seen["told"]
        assert isinstance(seen["error"], LeaseLost)
        assert outcome.kind is OutcomeKind.CONVERGED
        assert not board.snapshot().questions()


def test_a_seal_ends_the_run_as_aborted_and_says_who_sealed():
    with open_memory() as board:
        outcome, seen = run_beside(
            board, {"refused": (Sealed, LeaseLost)}, lambda: operate.halt(board.store, BOSS, HaltAct.SEAL)
        )
        assert outcome.kind is OutcomeKind.ABORTED
        assert "sealed by boss: lunch" in outcome.obligations[0].reason
        assert isinstance(seen["error"], Sealed)


def test_a_drained_board_ends_the_run_with_an_outcome_that_says_so():
    with open_memory() as board:
        board.install(Team("think", [thinking(threading.Event(), {})], choreography=free("thinker")))
        operate.halt(board.store, BOSS, HaltAct.DRAIN)
        outcome = Controller(
            board, Team("think", [thinking(threading.Event(), {})], choreography=free("thinker"))
        ).run()
        assert outcome.kind is OutcomeKind.STALLED
        assert outcome.obligations[0].reason == "the board is draining: lunch"
        assert outcome.obligations[0].person
