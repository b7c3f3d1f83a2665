"""The controller's promises: the same seed the same history, takeover, an end in every case, nothing swallowed."""

import asyncio
import threading
import time

import pytest
from simulated_teams import PASSES, TASKS, architect, builders, coder, free, planner, run, said

from blackboard import on
from blackboard.contracts.language import Contract
from blackboard.control import runs, worker
from blackboard.control.controller import Controller
from blackboard.control.simulation import history, virtual_board
from blackboard.control.source import knowledge_source
from blackboard.control.team import Check, Team
from blackboard.errors import CommitUnknown, Full, LeaseLost, NotPermitted, TeamMismatch
from blackboard.spec.convergence import OutcomeKind
from blackboard.store import agenda
from blackboard.testing import FakeClock, open_memory


def crew(**more: object) -> Team:
    return Team(
        "take notes",
        [planner(), architect(), coder("ann"), coder("ben", wrong=["web"]), coder("eve")],
        checks=[Check("unit", on="*", command=["python", "-c", "print('checked')"])],
        **more,
    )


def replay(seed: int) -> tuple[str, str]:
    with virtual_board() as board:
        outcome = run(board, crew(), seed=seed)
        assert outcome.kind is OutcomeKind.CONVERGED, outcome
        return history(board), outcome.fingerprint


def test_the_same_seed_gives_the_same_history_byte_for_byte():
    assert replay(7) == replay(7)


def test_every_seed_converges_and_they_are_not_all_the_same(length):
    runs = [replay(seed) for seed in range(length(10, 200))]
    assert len({text for text, _ in runs}) > 1


def test_threads_reach_what_the_serial_run_reaches():
    with virtual_board() as board:
        serial = run(board, builders(checks=[PASSES]))
    with open_memory() as board:
        threads = run(board, builders(checks=[PASSES]), seed=None)
    assert threads.kind is OutcomeKind.CONVERGED
    assert threads.fingerprint == serial.fingerprint


def test_async_sources_share_one_event_loop_and_run_at_once():
    loops, inside, most = set(), [0], [0]
    both = asyncio.Event()

    @knowledge_source(name="architect", role="architect", on=on.required("*/*"), max_concurrency=2)
    async def thinking(context):
        loops.add(id(asyncio.get_running_loop()))
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        if inside[0] == 2:
            both.set()
        await both.wait()
        async with context.transaction() as transaction:
            if transaction.decision(context.target) is None:
                transaction.decide(context.target, Contract.value(1))
        inside[0] -= 1

    with open_memory() as board:
        assert run(board, Team("x", [planner(), thinking, coder()]), seed=None).kind is OutcomeKind.CONVERGED
    assert len(loops) == 1
    assert most == [2]


def test_a_lease_holder_that_is_stopped_and_continues_after_the_takeover_is_refused():
    """The first holder sleeps past its lease; another controller takes over; then the first one commits."""
    clock = FakeClock()
    board = open_memory(clock=clock)
    team = Team("x", [planner({"a": ({}, {})}), coder("ann")])
    board.install(team)
    board.claim("planner")[0].release()
    seen = []
    with board.transaction("op", role="operator") as transaction:
        transaction.decide("task/a", Contract.task(summary="a"))
    (lease,) = board.claim("ann", lease_seconds=5)
    held = lease.transaction()
    held.decision("task/a")
    held.component("a")
    held.write("a", {"a.txt": "late"})
    clock.sleep(6)
    outcome = run(board, team)
    assert outcome.kind is OutcomeKind.CONVERGED
    with pytest.raises(LeaseLost) as lost:
        held.commit()
    seen.append(lost.value)
    assert seen[0].token == lease.token < seen[0].newest
    assert "a.txt" in board.snapshot().component("a").files
    with pytest.raises(LeaseLost):
        lease.renew()
    with pytest.raises(LeaseLost):
        lease.finish()


def test_a_controller_waits_for_the_lease_of_another_and_then_takes_over():
    with virtual_board() as board:
        team = builders()
        board.install(team)
        (lease,) = board.claim("planner", lease_seconds=60)
        begun = board.store.clock()
        assert run(board, team).kind is OutcomeKind.CONVERGED
        assert 60 <= board.store.clock() - begun < 62
        assert lease.expires_in_seconds < 0


def test_an_old_conflict_is_told_and_does_not_count_as_an_attempt():
    told = []

    @knowledge_source(name="architect", role="architect", on=on.required("*/*"), retries=0)
    def unlucky(context):
        with context.transaction() as transaction:
            told.append((context.attempts, context.previous, transaction.previous))
            if transaction.decision(context.target) is None:
                transaction.questions("noise/**")
                if len(told) <= 2:
                    with board.transaction("op", role="operator") as other:
                        other.ask(f"noise/{len(told)}", "hm?")
                transaction.decide(context.target, Contract.value(1))

    with virtual_board() as board:
        team = Team("x", [planner({"a": ({}, {"k/a": []})}), unlucky, coder()])
        outcome = run(board, team)
    assert board is not None
    assert [attempts for attempts, *_ in told] == [1, 1, 1]
    assert [previous.error if previous else None for _, previous, _ in told] == [None, "Conflict", "Conflict"]
    assert told[1][1].premises == told[1][2].premises != ()
    assert "noise/1" in said(outcome)
    assert not any("gave up" in one.reason for one in outcome.obligations)


def test_conflicts_without_end_become_a_failure_that_names_the_last():
    @knowledge_source(name="architect", role="architect", on=on.required("k/a"), retries=0)
    def unlucky(context):
        with context.transaction() as transaction:
            transaction.questions("noise/**")
            with board.transaction("op", role="operator") as other:
                other.ask(f"noise/{board.revision}", "hm?")
            transaction.decide(context.target, Contract.value(1))

    with virtual_board() as board:
        outcome = run(board, Team("x", [planner({"a": ({}, {"k/a": []})}), unlucky, coder()]))
    (gave_up,) = [one.reason for one in outcome.obligations if "gave up" in one.reason]
    assert "Conflict: 8 conflicts in a row" in gave_up
    assert "noise/" in gave_up


def test_a_source_that_gives_up_because_what_it_read_has_changed_runs_again():
    runs = []

    @knowledge_source(name="architect", role="architect", on=on.required("k/a"), retries=0)
    def careful(context):
        with context.transaction() as transaction:
            found = transaction.decision("hint")
            runs.append(None if found is None else found.value)
            assert not context.cancelled
            if found is None:
                with board.transaction("op", role="operator") as other:
                    other.decide("hint", Contract.value("blue"))
                assert context.cancelled
                transaction.discard()
                return
            transaction.decide(context.target, Contract.value(found.value))

    with virtual_board() as board:
        outcome = run(board, Team("x", [planner({"a": ({}, {"k/a": []})}), careful, coder()]))
        assert outcome.kind is OutcomeKind.CONVERGED
        assert runs == [None, "blue"]


def test_a_commit_whose_answer_was_lost_is_looked_up_before_anything_is_repeated():
    runs = []

    @knowledge_source(name="architect", role="architect", on=on.required("k/*"), retries=0)
    def unlucky(context):
        runs.append(context.target)
        with context.transaction(idempotency_key=f"{context.target} {len(runs)}") as transaction:
            transaction.decision(context.target)
            transaction.decide(context.target, Contract.value(1))
            if len(runs) == 1:
                transaction.discard()
        if len(runs) <= 2:
            raise CommitUnknown(f"{context.target} {len(runs)}", "the disk went away")

    with virtual_board() as board:
        assert run(board, Team("x", [planner({"a": ({}, {"k/a": []})}), unlucky, coder()])).kind == "converged"
    # The first was not made and was repeated; the second was made.
    assert runs == ["k/a", "k/a"]


def test_a_refusal_of_what_has_changed_meanwhile_is_nobodys_fault():
    runs = []

    @knowledge_source(name="architect", role="architect", on=on.required("k/*"), retries=0)
    def early(context):
        with context.transaction() as transaction:
            hint = transaction.decision("hint")
            runs.append(hint is not None)
            if hint is None:
                with board.transaction("op", role="operator") as other:
                    other.decide("hint", Contract.value("blue"))
                raise NotPermitted("architect decides k/a", (), ["hint"])
            transaction.decide(context.target, Contract.value(1))

    with virtual_board() as board:
        assert run(board, Team("x", [planner({"a": ({}, {"k/a": []})}), early, coder()])).kind == "converged"
    assert runs == [False, True]


def test_a_source_that_returns_early_at_its_deadline_is_not_taken_for_done():
    @knowledge_source(name="architect", role="architect", on=on.required("k/*"), retries=0, timeout_seconds=10)
    def late(context):
        board.store.clock.sleep(11)
        assert context.cancelled

    protocol = free("planner", "architect", "coder")
    with virtual_board() as board:
        outcome = run(board, Team("x", [planner({"a": ({}, {"k/a": []})}), late, coder()], choreography=protocol))
    assert any("TimeoutError: it ran longer than it may" in one.reason for one in outcome.obligations)


@pytest.mark.parametrize("error", [Full("board.db"), CommitUnknown("", "I/O error")])
def test_a_store_that_fails_ends_the_run_as_aborted_and_says_why(monkeypatch, error):
    def fail(*_, **__):
        raise error

    with virtual_board() as board:
        monkeypatch.setattr(agenda, "end", fail)
        outcome = run(board, builders())
    assert outcome.kind is OutcomeKind.ABORTED
    assert type(error).__name__ in outcome.obligations[0].reason


def test_a_controller_can_run_again():
    with open_memory() as board:
        controller = Controller(board, builders())
        assert controller.run() == controller.run()


def test_a_source_that_never_ends_is_given_up_at_its_deadline(monkeypatch):
    monkeypatch.setattr(runs, "_GRACE_SECONDS", 0.1)
    monkeypatch.setattr(worker, "_CARE_SECONDS", 0.05)
    free_again = threading.Event()

    @knowledge_source(name="architect", role="architect", on=on.required("*/*"), retries=0, timeout_seconds=0.2)
    def hangs(_):
        free_again.wait()

    protocol = free("planner", "architect", "coder")
    with open_memory() as board:
        outcome = run(board, Team("x", [planner(), hangs, coder()], choreography=protocol), seed=None)
        free_again.set()
    assert outcome.kind is OutcomeKind.STALLED
    assert any("TimeoutError: it did not end within 0.2 s" in one.reason for one in outcome.obligations)


def test_an_async_source_is_cancelled_at_its_deadline():
    cancelled = []

    @knowledge_source(name="architect", role="architect", on=on.required("k/a"), retries=0, timeout_seconds=0.1)
    async def hangs(_):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    team = Team(
        "x", [planner({"a": ({}, {"k/a": []})}), hangs, coder()], choreography=free("planner", "architect", "coder")
    )
    with open_memory() as board:
        outcome = run(board, team, seed=None)
    assert cancelled == [True]
    assert any("TimeoutError: it ran longer than it may;" in one.reason for one in outcome.obligations)


def test_stop_ends_the_run_as_aborted_and_late_work_is_refused():
    started, go_on, refused = threading.Event(), threading.Event(), []

    @knowledge_source(name="architect", role="architect", on=on.required("k/a"))
    def slow(context):
        started.set()
        go_on.wait()
        try:
            with context.transaction() as transaction:
                transaction.decision(context.target)
                transaction.decide(context.target, Contract.value(1))
        except LeaseLost as lost:
            refused.append(lost)
        go_on.clear()

    with open_memory() as board:
        controller = Controller(board, Team("x", [planner({"a": ({}, {"k/a": []})}), slow, coder()]))
        found = []
        thread = threading.Thread(target=lambda: found.append(controller.run()))
        thread.start()
        assert started.wait(10)
        controller.stop()
        thread.join(10)
        assert found[0].kind is OutcomeKind.ABORTED
        assert "aborted: stopped" in said(found[0]).values()
        go_on.set()
        deadline = time.monotonic() + 10
        while not refused and time.monotonic() < deadline:
            time.sleep(0.01)
        assert refused
        with board.store.database.reading() as reading:
            states = [one.state for one in agenda.open_activations(reading)]
        assert "leased" not in states


def test_an_interrupt_gives_the_leases_back(monkeypatch):
    with virtual_board() as board:

        def interrupt(*_):
            raise KeyboardInterrupt

        controller = Controller(board, builders(), seed=1)
        monkeypatch.setattr(runs.Runs, "await_change", interrupt)
        outcome = controller.run()
        assert outcome.kind is OutcomeKind.ABORTED
        with board.store.database.reading() as reading:
            assert {one.state for one in agenda.open_activations(reading)} == {"pending"}


def test_two_controllers_share_one_board():
    with open_memory() as board:
        found = []
        team = crew()
        board.install(team)
        threads = [threading.Thread(target=lambda: found.append(Controller(board, crew()).run())) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert [one.kind for one in found] == [OutcomeKind.CONVERGED] * 2
        assert found[0].fingerprint == found[1].fingerprint
        written = [one.key for one in board.changes(after=0) if one.kind == "written"]
        assert sorted(set(written)) == sorted(TASKS)
        assert len(written) == 3


def test_another_team_does_not_take_over_while_a_lease_lives():
    with virtual_board() as board:
        board.install(builders())
        (lease,) = board.claim("planner")
        with pytest.raises(TeamMismatch):
            run(board, Team("x", [planner(), architect()]))
        lease.release()
        assert run(board, Team("x", [planner(), architect()])).kind is OutcomeKind.STALLED


def test_a_source_rates_its_own_work_and_may_refuse_it():
    order = []

    def bid(context):
        return None if context.target == "k/c" else {"k/a": -1.0, "k/b": 2.0}[context.target]

    @knowledge_source(name="architect", role="architect", on=on.required("k/*"), rate=bid)
    def settle(context):
        order.append(context.target)
        with context.transaction() as transaction:
            transaction.decision(context.target)
            transaction.decide(context.target, Contract.value(1))

    uses = {key: [] for key in ("k/a", "k/b", "k/c")}
    team = Team("x", [planner({"a": ({}, uses)}), settle, coder()], choreography=free("planner", "architect", "coder"))
    with virtual_board() as board:
        outcome = run(board, team, workers=1)
    assert order == ["k/b", "k/a"]
    assert outcome.kind is OutcomeKind.STALLED
    assert "k/c" in said(outcome)


def test_resources_keep_runs_apart():
    inside, most = [0], [0]
    guard = threading.Lock()

    @knowledge_source(name="architect", role="architect", on=on.required("k/*"), max_concurrency=4, needs={"gpu": 1})
    def settle(context):
        with guard:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        time.sleep(0.01)
        with context.transaction() as transaction:
            transaction.decision(context.target)
            transaction.decide(context.target, Contract.value(1))
        with guard:
            inside[0] -= 1

    uses = {f"k/{number}": [] for number in range(5)}
    team = Team("x", [planner({"a": ({}, uses)}), settle, coder()], resources={"gpu": 1})
    with open_memory() as board:
        assert run(board, team, seed=None).kind is OutcomeKind.CONVERGED
    assert most == [1]


def test_a_check_whose_input_changes_while_it_runs_judges_what_stands():
    command = ["python", "-c", "import os, time; time.sleep(0.1); print(sorted(os.listdir('.')))"]

    with open_memory() as board:

        @knowledge_source(name="meddler", role="coder", on=on.written("a"), retries=0)
        def meddler(context):
            with context.transaction() as transaction:
                standing = transaction.component("a")
                if standing.version == 1:
                    transaction.decision("task/a")
                    transaction.write("a", {"second.txt": "2"})

        team = Team(
            "x",
            [planner({"a": ({}, {})}), coder("coder"), meddler],
            checks=[Check("unit", on="*", command=command)],
            choreography=free("planner", "coder", "tester"),
        )
        outcome = run(board, team, seed=None)
        assert outcome.kind is OutcomeKind.CONVERGED
        (verdict,) = board.snapshot().verdicts("a")
        assert verdict.version == 2
        assert "second.txt" in verdict.log
