"""What a source may raise to steer its run, and async sources: they wait without a thread each."""

import asyncio
import itertools
import threading

import pytest
from simulated_teams import coder, free, planner, run

from blackboard import GiveUp, NotPermitted, RetryLater, StopRun, on
from blackboard.contracts.language import Contract
from blackboard.control import runs as running
from blackboard.control.controller import Controller
from blackboard.control.simulation import virtual_board
from blackboard.control.source import knowledge_source
from blackboard.control.team import Team
from blackboard.errors import IllegalTransition, InvalidTeam, KeyReused, LeaseLost
from blackboard.spec.convergence import OutcomeKind
from blackboard.store import operate
from blackboard.store.operate import Operator
from blackboard.testing import open_memory

ONE = {"a": ({}, {"k/a": []})}
FREE = free("planner", "architect", "coder")


def settle(context):
    with context.transaction() as transaction:
        if transaction.decision(context.target) is None:
            transaction.decide(context.target, Contract.value(1))


@pytest.mark.parametrize("seed", [None, 3])
def test_a_source_that_asks_for_time_is_run_again_after_it_and_no_attempt_counts(seed):
    seen = []

    @knowledge_source(name="architect", role="architect", on=on.required("*/*"), retries=0)
    def limited(context):
        seen.append((context.attempts, board.store.clock()))
        if len(seen) <= 5:
            raise RetryLater("429: too many requests", seconds=60)
        settle(context)

    with virtual_board() as board:
        outcome = run(board, Team("x", [planner(ONE), limited, coder()], choreography=FREE), seed=seed)
    assert outcome.kind is OutcomeKind.CONVERGED, (outcome.obligations, seen)
    assert [attempts for attempts, _ in seen] == [1] * 6
    assert all(after - before >= 60 for (_, before), (_, after) in itertools.pairwise(seen))


@pytest.mark.parametrize("seconds", [600.0, float("inf"), float("nan"), -1.0])
def test_a_source_that_asks_for_time_without_end_fails_and_is_named(seconds, monkeypatch):
    if not seconds > 0:
        monkeypatch.setattr(running, "LONGEST_POSTPONED_SECONDS", 5.0)
    runs = []

    @knowledge_source(name="architect", role="architect", on=on.required("*/*"), retries=0)
    def limited(_):
        runs.append(1)
        raise RetryLater("429: too many requests", seconds=seconds)

    with virtual_board() as board:
        begun = board.store.clock()
        outcome = run(board, Team("x", [planner(ONE), limited, coder()], choreography=FREE))
        took = board.store.clock() - begun
    assert outcome.kind is OutcomeKind.STALLED
    assert any("RetryLater" in one.reason and "429" in one.reason for one in outcome.obligations)
    assert took <= running.LONGEST_POSTPONED_SECONDS + 60


@pytest.mark.parametrize("seed", [None, 3])
def test_a_source_that_stops_the_run_ends_it_at_once_and_leases_are_given_back(seed):
    runs, others, stopped, refused = [], threading.Event(), threading.Event(), []

    @knowledge_source(name="architect", role="architect", on=on.required("k/a"), retries=3)
    def rejected(_):
        if seed is None:
            others.wait(10)
        runs.append(1)
        raise StopRun("401: the key is not accepted")

    @knowledge_source(name="second", role="architect", on=on.required("k/b"))
    def slow(context):
        others.set()
        if seed is None:
            stopped.wait(10)
        try:
            settle(context)
        except LeaseLost as lost:
            refused.append(lost)

    with open_memory() as board:
        tasks = {"a": ({}, {"k/a": []}), "b": ({}, {"k/b": []})}
        outcome = run(board, Team("x", [planner(tasks), rejected, slow], choreography=FREE), seed=seed)
        stopped.set()
        leases = {source: len(board.claim(source)) for source in ("architect",)}
    assert outcome.kind is OutcomeKind.ABORTED
    assert "401: the key is not accepted" in outcome.obligations[0].reason
    assert runs == [1]
    assert leases == {"architect": 1}


def test_two_hundred_async_sources_wait_at_once_with_a_handful_of_threads():
    names = [f"k/n{number}" for number in range(200)]
    inside, threads = [0], [0]
    before = threading.active_count()
    everyone = asyncio.Event()

    @knowledge_source(name="architect", role="architect", on=on.required("*/*"), max_concurrency=200)
    async def thinking(context):
        inside[0] += 1
        if inside[0] == len(names):
            threads[0] = threading.active_count() - before
            everyone.set()
        await everyone.wait()
        async with context.transaction() as transaction:
            if transaction.decision(context.target) is None:
                transaction.decide(context.target, Contract.value(1))

    tasks = {"a": ({}, {name: [] for name in names})}
    with open_memory() as board:
        outcome = run(board, Team("x", [planner(tasks), thinking, coder()], choreography=FREE), seed=None)
    assert outcome.kind is OutcomeKind.CONVERGED
    assert threads[0] < 20


def test_sync_sources_go_on_while_async_ones_wait_and_async_ones_while_every_thread_is_busy():
    decided, built = asyncio.Event(), threading.Event()
    loops = []

    @knowledge_source(name="second", role="architect", on=on.required("k/b"))
    async def waits(context):
        loops.append(asyncio.get_running_loop())
        await decided.wait()
        async with context.transaction() as transaction:
            if transaction.decision(context.target) is None:
                transaction.decide(context.target, Contract.value(1))
        built.set()

    @knowledge_source(name="architect", role="architect", on=on.required("k/a"))
    def thread(context):
        while not loops:
            built.wait(0.01)
        loops[0].call_soon_threadsafe(decided.set)
        assert built.wait(10)
        settle(context)

    tasks = {"a": ({}, {"k/a": []}), "b": ({}, {"k/b": []})}
    team = Team("x", [planner(tasks), thread, waits, coder()], choreography=FREE)
    with open_memory() as board:
        outcome = Controller(board, team, workers=1).run()
    assert outcome.kind is OutcomeKind.CONVERGED


def test_an_async_source_that_swallows_its_cancellation_is_let_go_and_cancelled_again():
    ended = threading.Event()

    @knowledge_source(name="architect", role="architect", on=on.required("k/a"), retries=0, timeout_seconds=0.1)
    async def deaf(_):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

    with open_memory() as board:
        outcome = run(board, Team("x", [planner(ONE), deaf, coder()], choreography=FREE), seed=None)
    assert ended.wait(10)
    assert any("TimeoutError: it did not end within 0.1 s" in one.reason for one in outcome.obligations)


def poisoned(error, runs):
    """Return a team whose architect raises an error at every run."""

    @knowledge_source(name="architect", role="architect", on=on.required("*/*"), retries=3)
    def architect(_):
        runs.append(1)
        raise error

    return Team("x", [planner(ONE), architect, coder()], choreography=FREE)


FINAL = [
    GiveUp("the task names no file"),
    NotPermitted("architect proposes k/a"),
    KeyReused("a key", "ann"),
    IllegalTransition("k/a", "retracted", "to be decided"),
    InvalidTeam("the model has no price", "add it to the prices"),
]


@pytest.mark.parametrize("error", FINAL, ids=lambda error: type(error).__name__)
def test_what_cannot_succeed_is_run_once(error):
    runs = []
    with virtual_board() as board:
        outcome = run(board, poisoned(error, runs))
    assert outcome.kind is OutcomeKind.STALLED
    assert len(runs) == 1
    assert any(type(error).__name__ in one.reason for one in outcome.obligations)


def test_what_waits_for_the_act_of_another_is_run_again():
    runs = []
    with virtual_board() as board:
        run(board, poisoned(NotPermitted("architect proposes k/a", waits_for=["planner decides task/a"]), runs))
    assert len(runs) == 4


def test_a_dead_activation_stays_dead_until_an_operator_retries_it_or_the_team_changes():
    runs = []
    with virtual_board() as board:
        team = poisoned(GiveUp("no"), runs)
        first, second = run(board, team), run(board, team)
        assert len(runs) == 1
        assert any("bb board retry architect k/a" in one.reason for one in second.obligations)
        assert second.obligations == first.obligations
        operate.retry(board.store, Operator("olga"), source="architect", target="k/a")
        run(board, team)
        assert len(runs) == 2
        mended = Team("x", [planner(ONE), source("architect", settle), coder()], choreography=FREE)
        assert run(board, mended).kind is OutcomeKind.CONVERGED


def test_another_prompt_alone_revives_nothing_dead():
    runs = []
    with virtual_board() as board:
        team = poisoned(GiveUp("no"), runs)
        run(board, team)
        again = run(board, Team("y", team.sources, choreography=FREE))
        assert board.snapshot().decision("prompt").contract.text == "y"
    assert len(runs) == 1
    assert any("bb board retry architect k/a" in one.reason for one in again.obligations)


def test_a_secret_in_an_error_is_not_on_the_board():
    runs, key = [], "sk-" + "a1" * 20
    with virtual_board() as board:
        outcome = run(board, poisoned(GiveUp(f"the key {key} is not accepted"), runs))
    said = str(outcome.obligations)
    assert key not in said
    assert "the key [redacted: openai key] is not accepted" in said


def source(name, execute):
    """Return a source of another record than the poisoned one: it has other retries."""
    return knowledge_source(name=name, role=name, on=on.required("*/*"), retries=2)(execute)


def test_an_error_of_the_source_says_at_which_line_it_was_raised():
    @knowledge_source(name="architect", role="architect", on=on.required("*/*"), retries=0)
    def architect(_):
        int("no number")

    with virtual_board() as board:
        outcome = run(board, Team("x", [planner(ONE), architect, coder()], choreography=FREE))
    (reason,) = [one.reason for one in outcome.obligations if "ValueError" in one.reason]
    line = architect.execute.__code__.co_firstlineno + 2
    assert f"(test_signals.py:{line} in architect)" in reason
