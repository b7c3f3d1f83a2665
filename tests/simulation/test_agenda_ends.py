"""The agenda in SQL: what a lease holds, and what every end of one settles."""

import os

import pytest
from agenda_board import Board, targets

from blackboard.errors import BudgetExhausted, LeaseLost
from blackboard.spec.activation import ActivationState, Ending
from blackboard.store import agenda, budgets
from blackboard.store.agenda import End


@pytest.fixture
def board() -> Board:
    return Board()


def test_resources_are_held_while_a_run_lasts(board):
    with board.store.writer.turn() as turn:
        budgets.install(turn, {}, {"gpu": 1})
    board.source("ann", runs=5)
    for key in ("a", "b"):
        board.key(key)
        board.woken("ann", key, "asked")
    (first,) = board.claim("ann", needs={"ann": {"gpu": 1}})
    assert board.claim("ann", needs={"ann": {"gpu": 1}}) == ()
    board.end(first, Ending.FINISHED)
    assert len(board.claim("ann", needs={"ann": {"gpu": 1}})) == 1


def test_a_budget_of_activations_ends_the_claims(board):
    with board.store.writer.turn() as turn:
        budgets.install(turn, {"activations": 3}, {})
    board.source("ann", runs=9)
    for number in range(5):
        board.key(f"k{number}")
        board.woken("ann", f"k{number}", "asked")
    assert len(board.claim("ann")) == 3
    assert board.claim("ann") == ()
    assert board.account("activations").exhausted


def test_finished_is_done_and_a_trigger_meanwhile_asks_for_one_more_run(board):
    board.source("ann", runs=2)
    for key in ("a", "b"):
        board.key(key)
        board.woken("ann", key, "asked")
    first, second = board.claim("ann")
    board.do("UPDATE activation SET run_again = 1, revision = 8 WHERE id = :id", id=second.activation)
    assert agenda.end(board.store, [End(first.token, Ending.FINISHED), End(second.token, Ending.FINISHED)])
    assert board.states() == {("ann", "a"): "done", ("ann", "b"): "pending"}
    (again,) = board.claim("ann")
    assert (again.target, again.cause, again.attempts) == ("b", 8, 1)
    assert again.token > second.token


def test_after_its_retries_an_activation_is_dead_and_says_why(board):
    board.source("ann", retries=2)
    board.key("a")
    board.woken("ann", "a", "asked")
    waits = []
    for _ in range(3):
        (one,) = board.claim("ann")
        board.end(one, Ending.FAILED, error="ValueError", reason="no good")
        begun = board.clock()
        while not board.claimable("ann") and board.clock() < begun + 60:
            board.clock.sleep(0.25)
        waits.append(board.clock() - begun)
    assert waits[:2] == [0.25, 0.5]
    (dead,) = board.open()
    assert (dead.state, dead.error, dead.reason, dead.attempts) == (ActivationState.DEAD, "ValueError", "no good", 3)
    with board.store.writer.turn() as turn:
        agenda.revive(turn, every=True)
    assert len(board.claim("ann")) == 1


def test_a_lease_that_runs_out_is_taken_over_and_its_old_holder_is_refused(board):
    board.source("ann")
    board.key("a")
    board.woken("ann", "a", "asked")
    (first,) = board.claim("ann")
    board.clock.sleep(4.9)
    assert agenda.sweep(board.store) == 0
    board.clock.sleep(0.2)
    assert agenda.sweep(board.store) == 1
    with board.store.writer.turn() as turn:
        agenda.fence(turn, first.token)  # expired, and nobody took it over
    (second,) = board.claim("ann")
    assert (second.attempts, second.error) == (2, "LeaseLost")
    with board.store.writer.turn() as turn:
        agenda.fence(turn, second.token)
        with pytest.raises(LeaseLost) as lost:
            agenda.fence(turn, first.token)
    assert (lost.value.target, lost.value.newest) == ("a", second.token)
    assert not board.end(first, Ending.FINISHED)
    assert board.states() == {("ann", "a"): "leased"}


def test_a_takeover_by_another_member_of_the_role_fences_the_first(board):
    for name in ("ann", "ben"):
        board.source(name)
    board.key("a", "component", "absent", None)
    for name in ("ann", "ben"):
        board.woken(name, "a")
    (first,) = board.claim("ann")
    board.clock.sleep(6)
    agenda.sweep(board.store)
    assert targets(board.claim("ben")) == [("ben", "a")]
    with board.store.writer.turn() as turn, pytest.raises(LeaseLost):
        agenda.fence(turn, first.token)


def test_what_was_given_back_may_not_commit_any_more(board):
    board.source("ann")
    board.key("a")
    board.woken("ann", "a", "asked")
    (one,) = board.claim("ann")
    board.end(one, Ending.RETURNED, reason="not mine")
    with board.store.writer.turn() as turn:
        with pytest.raises(LeaseLost):
            agenda.fence(turn, one.token)
        with pytest.raises(LeaseLost):
            agenda.fence(turn, 999)
    (again,) = board.claim("ann")
    assert (again.attempts, again.reason) == (1, "not mine")


def test_renewal_never_goes_past_the_longest_time(board):
    board.source("ann")
    board.key("a")
    board.woken("ann", "a", "asked")
    (one,) = board.claim("ann", cap=lambda role, target: 8.0 if (role, target) == ("coder", "a") else None)
    start = board.clock()
    board.clock.sleep(4)
    assert agenda.renew(board.store, [one.token], lease_seconds=5) == {one.token: start + 8}
    board.clock.sleep(4)
    assert agenda.renew(board.store, [one.token], lease_seconds=5) == {}


def test_leases_of_a_dead_process_of_this_host_end_at_once(board):
    board.source("ann", runs=3)
    for key in ("a", "b", "c"):
        board.key(key)
        board.woken("ann", key, "asked")
    first, second, third = board.claim("ann")
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    board.do("UPDATE lease SET process = :pid WHERE token = :token", pid=pid, token=first.token)
    # The number is in use again by another process: ours.
    board.do("UPDATE lease SET process_started = process_started - 1 WHERE token = :token", token=second.token)
    board.do("UPDATE lease SET process = :pid, host = 'elsewhere' WHERE token = :token", pid=pid, token=third.token)
    assert agenda.sweep(board.store) == 2
    assert board.states() == {("ann", "a"): "pending", ("ann", "b"): "pending", ("ann", "c"): "leased"}
    assert [row[0] for row in board.ask("SELECT error FROM activation ORDER BY id")] == ["LeaseLost"] * 2 + [None]


def test_five_refused_results_in_a_row_quarantine_a_source(board):
    board.source("ann", retries=99)
    board.key("a")
    board.woken("ann", "a", "asked")
    for _ in range(4):
        (one,) = board.claim("ann")
        board.end(one, Ending.FAILED, error="Returning", reason="again", refused=True)
        board.clock.sleep(60)
    (one,) = board.claim("ann")
    board.end(one, Ending.FINISHED)
    board.do("UPDATE activation SET state = 'pending'")
    for number in range(5):
        (one,) = board.claim("ann")
        board.end(one, Ending.FAILED, error="Returning", reason=f"no {number}", refused=True)
        board.clock.sleep(60)
    assert board.claim("ann") == ()
    (left,) = board.open()
    assert "5 refused results in a row" in left.quarantined
    assert "Returning: no 4" in left.quarantined
    with board.store.writer.turn() as turn:
        agenda.revive(turn, every=True)
    assert len(board.claim("ann")) == 1


def test_tokens_are_held_before_and_settled_after_and_lost_ones_are_spent(board):
    with board.store.writer.turn() as turn:
        budgets.install(turn, {"tokens": 100, "seconds": 1000}, {})
    board.source("ann", runs=2, retries=0)
    for key in ("a", "b"):
        board.key(key)
        board.woken("ann", key, "asked")
    first, second = board.claim("ann")
    assert budgets.hold(board.store, first.token, {"tokens": 60})
    assert not budgets.hold(board.store, second.token, {"tokens": 60})
    budgets.settle(board.store, first.token, {"tokens": 60}, {"tokens": 10})
    assert (board.account("tokens").spent, board.account("tokens").held) == (10, 0)
    assert budgets.hold(board.store, second.token, {"tokens": 60})
    with pytest.raises(BudgetExhausted):
        budgets.hold(board.store, first.token, {"tokens": 95})
    board.end(first, Ending.FINISHED)
    board.clock.sleep(6)
    agenda.sweep(board.store)
    budgets.settle(board.store, second.token, {"tokens": 60}, {"tokens": 65})
    assert (board.account("tokens").spent, board.account("tokens").held) == (75, 0)
    assert board.account("seconds").spent == 5  # the first took no time, the second until its lease ended
    assert board.states() == {("ann", "a"): "done", ("ann", "b"): "dead"}


def test_the_budget_of_seconds_counts_what_still_runs(board):
    with board.store.writer.turn() as turn:
        budgets.install(turn, {"seconds": 7}, {})
    board.source("ann", runs=2)
    for key in ("a", "b"):
        board.key(key)
        board.woken("ann", key, "asked")
    (first,) = board.claim("ann", limit=1)
    (second,) = board.claim("ann", limit=1)
    board.clock.sleep(3)
    assert set(agenda.renew(board.store, [first.token, second.token], lease_seconds=5)) == {first.token, second.token}
    board.clock.sleep(1)
    assert agenda.renew(board.store, [first.token], lease_seconds=5) == {}
