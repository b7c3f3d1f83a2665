"""What a running source is told, and what it may spend."""

import asyncio
import logging
import threading
import time

import pytest
from simulated_teams import architect, builders, coder, planner, run

from blackboard import on
from blackboard.contracts.language import Contract
from blackboard.control import runs as running
from blackboard.control import worker
from blackboard.control.controller import Controller
from blackboard.control.simulation import virtual_board
from blackboard.control.source import external, knowledge_source
from blackboard.control.team import Budget, Team
from blackboard.errors import BudgetExhausted
from blackboard.spec.convergence import OutcomeKind
from blackboard.store import agenda, budgets
from blackboard.testing import open_memory

ONE = {"a": ({}, {"k/a": []})}


def deciding(body, **more):
    """Return an architect that does something before it decides."""

    @knowledge_source(name="architect", role="architect", on=on.required("k/*"), **more)
    def decide(context):
        body(context)
        with context.transaction() as transaction:
            if transaction.decision(context.target) is None:
                transaction.decide(context.target, Contract.value(1))

    return decide


def account(board, resource):
    with board.store.database.reading() as reading:
        return budgets.accounts(reading)[resource]


def test_it_knows_its_target_its_task_and_the_prompt():
    seen = {}

    @knowledge_source(name="coder", role="coder", on=on.required("*"))
    def write(context):
        seen.update(target=context.target, task=context.task, prompt=context.prompt, kind=context.kind)
        seen["left"] = context.expires_in_seconds

    with virtual_board() as board:
        run(board, Team("take notes", [planner(ONE), architect(), write]))
    assert seen["target"] == "a"
    assert seen["task"]["uses"] == {"k/a": []}
    assert seen["task"]["summary"] == "build a"
    assert seen["prompt"] == "take notes"
    assert seen["kind"] == "required"
    assert 0 < seen["left"] <= 5


def test_the_prompt_is_the_one_that_stands_on_the_board():
    prompts = []
    with virtual_board() as board:
        board.install(Team("old", []))
        with board.transaction("ann", role="operator") as transaction:
            transaction.decision("prompt")
            transaction.decide("prompt", Contract.text("new"))
        run(board, Team("old", [planner(ONE), deciding(lambda context: prompts.append(context.prompt)), coder()]))
    assert prompts == ["new"]


def test_reports_go_to_the_log(caplog):
    with virtual_board() as board, caplog.at_level(logging.INFO, logger="blackboard.control.context"):
        run(board, Team("x", [planner(ONE), deciding(lambda context: context.report("half done")), coder()]))
    assert "architect on k/a: half done" in caplog.text


def test_a_command_runs_in_the_sandbox():
    outputs = []

    def body(context):
        outputs.append(context.run_command(["cat", "x"], {"x": "hello"}, timeout_seconds=5).output)

    with virtual_board() as board:
        run(board, Team("x", [planner(ONE), deciding(body), coder()]))
    assert outputs == ["hello"]


def test_what_is_not_settled_counts_as_spent():
    def body(context):
        with context.hold(100) as held:
            held.settle(30)
        with pytest.raises(ZeroDivisionError), context.hold(40):
            raise ZeroDivisionError

    with virtual_board() as board:
        run(board, Team("x", [planner(ONE), deciding(body), coder()], budget=Budget(tokens=1000)))
        assert (account(board, "tokens").spent, account(board, "tokens").held) == (70, 0)


def test_without_a_budget_anything_can_be_held():
    def body(context):
        with context.hold(10**9) as held:
            held.settle(10**9)

    with virtual_board() as board:
        assert run(board, Team("x", [planner(ONE), deciding(body), coder()])).kind is OutcomeKind.CONVERGED


def test_who_holds_too_much_for_now_is_waited_for_and_who_wants_too_much_at_all_is_refused():
    both, order = threading.Barrier(2, timeout=10), []

    def body(context):
        first = context.target == "k/a"
        if first:
            with context.hold(80) as held:
                both.wait()
                time.sleep(0.1)
                order.append("first")
                held.settle(10)
            return
        both.wait()
        with context.hold(80) as held:
            order.append("second")
            held.settle(10)
        with pytest.raises(BudgetExhausted), context.hold(90):
            pass

    tasks = {"a": ({}, {"k/a": [], "k/b": []})}
    team = Team("x", [planner(tasks), deciding(body, max_concurrency=2), coder()], budget=Budget(tokens=100))
    with open_memory() as board:
        assert run(board, team, seed=None).kind is OutcomeKind.CONVERGED
        assert account(board, "tokens").spent == 20
    assert order == ["first", "second"]


@pytest.mark.parametrize("waiting", [True, False])
def test_in_an_event_loop_a_hold_keeps_nobody_else_from_giving_back(waiting):
    """Both sources run in the one loop: a hold that slept there would wait for ever."""
    first_holds, order = asyncio.Event(), []

    @knowledge_source(name="architect", role="architect", on=on.required("k/*"), max_concurrency=2, retries=0)
    async def think(context):
        if context.target == "k/a":
            async with context.hold(80) as held:
                first_holds.set()
                await asyncio.sleep(0.2)
                held.settle(10)
        else:
            await first_holds.wait()
            if waiting:
                async with context.hold(80) as held:
                    held.settle(10)
            else:
                with context.hold(80) as held:
                    held.settle(10)
        order.append(context.target)
        async with context.transaction() as transaction:
            transaction.decision(context.target)
            transaction.decide(context.target, Contract.value(1))

    tasks = {"a": ({}, {"k/a": [], "k/b": []})}
    team = Team("x", [planner(tasks), think, coder()], budget=Budget(tokens=100))
    with open_memory() as board:
        assert run(board, team, seed=None).kind is OutcomeKind.CONVERGED
        assert account(board, "tokens").spent == 20
    assert order == ["k/a", "k/b"]


def test_a_spent_budget_of_seconds_ends_the_run_and_what_still_runs(monkeypatch):
    monkeypatch.setattr(running, "LEASE_SECONDS", 0.3)
    monkeypatch.setattr(worker, "_CARE_SECONDS", 0.05)
    told = []

    def body(context):
        deadline = time.monotonic() + 10
        while not context.cancelled and time.monotonic() < deadline:
            time.sleep(0.01)
        told.append(context.cancellation)

    team = Team("x", [planner(ONE), deciding(body), coder()], budget=Budget(seconds=0.5))
    with open_memory() as board:
        outcome = run(board, team, seed=None)
        assert account(board, "seconds").exhausted
    assert outcome.kind is OutcomeKind.BUDGET_EXHAUSTED
    assert {one.key for one in outcome.obligations} & {"a", "k/a"}
    assert told == ["its lease is lost"]


def test_leases_of_long_runs_are_renewed(monkeypatch):
    monkeypatch.setattr(running, "LEASE_SECONDS", 0.2)
    monkeypatch.setattr(worker, "_CARE_SECONDS", 0.02)
    runs = []

    def body(context):
        runs.append(context.token)
        time.sleep(0.8)
        assert context.expires_in_seconds > 0
        assert not context.cancelled

    with open_memory() as board:
        assert run(board, Team("x", [planner(ONE), deciding(body), coder()]), seed=None).kind is OutcomeKind.CONVERGED
    assert len(runs) == 1


def test_a_run_whose_lease_was_revoked_is_told_and_run_again(monkeypatch):
    monkeypatch.setattr(running, "LEASE_SECONDS", 0.2)
    monkeypatch.setattr(worker, "_CARE_SECONDS", 0.02)
    told = []

    def body(context):
        if told:
            return
        with board.store.writer.turn() as turn:
            turn.connection.raw.execute("UPDATE lease SET state = 'revoked' WHERE token = ?", (context.token,))
            turn.connection.raw.execute("UPDATE activation SET state = 'pending' WHERE state = 'leased'")
        deadline = time.monotonic() + 10
        while not context.cancelled and time.monotonic() < deadline:
            time.sleep(0.01)
        told.append(context.cancellation)

    with open_memory() as board:
        team = Team("x", [planner(ONE), deciding(body, max_concurrency=2), coder()])
        assert run(board, team, seed=None).kind is OutcomeKind.CONVERGED
    assert "its lease is lost" in told


def test_who_gives_back_is_tried_again_and_named_in_the_end():
    given = []

    @knowledge_source(name="architect", role="architect", on=on.required("k/*"), retries=1)
    def shy(context):
        given.append(str(context.previous))
        context.release(reason="not for me")

    with virtual_board() as board:
        outcome = run(board, Team("x", [planner(ONE), shy, coder()]))
    assert given == ["None", "not for me"]
    assert any("not for me" in one.reason and one.key == "k/a" for one in outcome.obligations)


def test_who_says_that_it_is_done_is_done():
    with virtual_board() as board:
        team = Team("x", [planner(ONE), deciding(lambda context: context.finish()), coder()])
        assert run(board, team).kind is OutcomeKind.CONVERGED


def test_external_sources_are_left_to_those_outside():
    with virtual_board() as board:
        team = builders(external("eve", role="coder", on=on.written("web")))
        outcome = Controller(board, team, seed=3).run()
        assert outcome.kind is OutcomeKind.STALLED
        assert outcome.waits_for_a_person
        (lease,) = board.claim("eve")
        assert (lease.target, lease.source, lease.role) == ("web", "eve", "coder")
        assert lease.expires_in_seconds == 60
        board.store.clock.sleep(50)
        lease.renew(lease_seconds=30)
        assert lease.expires_in_seconds == 30
        lease.release(reason="later")
        (again,) = board.claim("eve", lease_seconds=5)
        assert again.previous.text == "later"
        assert again.token > lease.token
        again.finish()
        assert board.claim("eve") == ()
        assert Controller(board, team, seed=3).run().kind is OutcomeKind.CONVERGED
        with board.store.database.reading() as reading:
            assert agenda.open_activations(reading) == ()
