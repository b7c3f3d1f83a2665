"""Runs that end at once cost little more than their rows; what takes longer never waits for them, nor they for it."""

import threading
from collections import Counter

import pytest

from blackboard import Blackboard, Contract, Controller, Team, knowledge_source, on
from blackboard.choreography import Choreography, Role, may
from blackboard.spec.convergence import OutcomeKind
from blackboard.store import claims, gather
from blackboard.store.claims import Claimants


def source(run, *, most, pattern="item/*"):
    return knowledge_source(role="coder", on=on.accepted(pattern), name=run.__name__, max_concurrency=most)(run)


def team_of(*sources) -> Team:
    protocol = Choreography("open", may(Role("coder"), "write", "**"))
    return Team("make", sources, choreography=protocol)


def decided(board, number, folder="item") -> None:
    with board.transaction("boss", role="operator") as transaction:
        for one in range(number):
            transaction.decide(f"{folder}/{one:04}", Contract.value(one))


@pytest.fixture
def exchanges(monkeypatch):
    """Return how many runs each turn of a controller wrote down."""
    real, seen = claims.exchange, []

    def exchange(store, ends, claimants, *, limit, lease_seconds):
        seen.append(len(ends))
        return real(store, ends, claimants, limit=limit, lease_seconds=lease_seconds)

    monkeypatch.setattr(claims, "exchange", exchange)
    return seen


def test_runs_that_end_at_once_are_written_down_together(board, exchanges):
    ran = Counter()

    def noop(context):
        ran[context.target] += 1

    team = team_of(*[source(noop, most=16)])
    board.install(team)
    decided(board, 160)
    assert Controller(board, team, workers=16).run().kind is OutcomeKind.CONVERGED
    assert set(ran.values()) == {1}
    assert len(ran) == 160
    assert len([one for one in exchanges if one]) < 40


def test_runs_that_wait_for_each_other_all_begin_though_those_before_ended_at_once(board):
    """A thread too few would let the last one wait for ever."""
    together = threading.Barrier(8, timeout=20)

    def quick(_context):
        pass

    def slow(_context):
        together.wait()

    team = team_of(*[source(quick, most=8), source(slow, most=8, pattern="slow/*")])
    board.install(team)
    decided(board, 100)
    decided(board, 8, "slow")
    assert Controller(board, team, workers=8).run().kind is OutcomeKind.CONVERGED
    assert not together.broken


def test_a_claim_for_more_than_may_run_looks_at_no_more_than_may_run(board, monkeypatch):
    def noop(_context):
        pass

    board.install(team_of(*[source(noop, most=3)]))
    decided(board, 9)
    asked = []

    def all_rows(turn, statement, parameters=None, _real=claims.Turn.all):
        if parameters and "limit" in parameters:
            asked.append(parameters["limit"])
        return _real(turn, statement, parameters)

    monkeypatch.setattr(claims.Turn, "all", all_rows)
    assert len(claims.claim(board.store, Claimants(("noop",)), limit=500, lease_seconds=60)) == 3
    assert asked == [3]


def test_what_has_a_revision_is_gathered_once_for_each(board, monkeypatch):
    gathered = []
    real = gather.spec_state
    monkeypatch.setattr(gather, "spec_state", lambda on_board, at: gathered.append(at) or real(on_board, at))

    def noop(_context):
        pass

    team = team_of(*[source(noop, most=4)])
    board.install(team)
    decided(board, 5)
    assert Controller(board, team, workers=4).run().kind is OutcomeKind.CONVERGED
    assert gathered == [board.revision]


def test_what_is_known_of_a_revision_is_told_with_the_agenda_of_now():
    def noop(_context):
        pass

    with Blackboard.in_memory() as board:
        board.install(team_of(*[source(noop, most=4)]))
        decided(board, 3)
        with board.store.database.reading() as on_board:
            before = gather.spec_state(on_board, board.revision)
        board.claim("noop", limit=2)
        with board.store.database.reading() as on_board:
            after = gather.state_of(on_board, board.revision, before)
            assert after == gather.spec_state(on_board, board.revision)
        assert after != before
