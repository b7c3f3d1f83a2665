"""`bb work`: any number of workers, killed and started again, end as one run that nothing happened to."""

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from simulated_teams import PASSES, architect, builders, coder, free, planner

from blackboard import Blackboard, CommitUnknown, Contract, Controller, Full, Team, Unavailable, knowledge_source, on
from blackboard.cli.exits import Exit
from blackboard.cli.main import main
from blackboard.cli.report import status
from blackboard.cli.teamfile import Options, load_team
from blackboard.control import runs, worker
from blackboard.control.worker import Worker
from blackboard.errors import StopRun, TeamMismatch
from blackboard.spec.convergence import OutcomeKind
from blackboard.store import agenda, workers
from blackboard.store.liveness import this_host
from blackboard.store.statements import Statement
from blackboard.store.workers import Presence, present
from blackboard.testing import FakeClock, open_memory

FREE = free("planner", "architect", "coder")
BB = str(Path(sys.executable).with_name("bb"))
GENERATED = Path(__file__).with_name("generated_team.py")
RECIPES = Path(__file__).parents[2] / "examples" / "recipes" / "team.py"
PATIENCE_SECONDS = 300
"""Only what hangs takes so long."""

_LATE = Statement("UPDATE lease SET expires = claimed WHERE state = 'live'")
_INSTALLED_BY = Statement("UPDATE board SET library = :library")
_TWICE = Statement("""
    SELECT l.source, k.key, c.kind, l.cause, count(*) AS times
    FROM change c JOIN commit_log g ON g.revision = c.revision JOIN lease l ON l.token = g.token
    JOIN key k ON k.id = c.key_id WHERE c.kind IN ('written', 'judged')
    GROUP BY l.activation_id, l.cause, c.kind, c.key_id HAVING count(*) > 1""")
_UNFENCED = Statement("""
    SELECT c.revision FROM change c JOIN commit_log g ON g.revision = c.revision
    WHERE c.kind IN ('written', 'judged') AND g.token IS NULL""")


def until(seen, what="it"):
    """Wait until something is seen, and return it."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not (found := seen()):
        assert time.monotonic() < end, f"{what} was not seen"
        time.sleep(0.01)
    return found


def rows(board):
    with board.store.database.reading() as on_board:
        return present(on_board, board.store.now(on_board))


def open_activations(board, source):
    with board.store.database.reading() as on_board:
        return [one for one in agenda.open_activations(on_board) if one.source == source]


class Fleet:
    """Workers of one team on one board, each a process."""

    def __init__(self, place, file, values):
        self._command = [BB, "work", str(file), "--board", str(place)]
        self._command += [part for name, value in values.items() for part in ("--option", f"{name}={value}")]
        self._environment = {name: value for name, value in os.environ.items() if name != "BB_BOARD"}
        self.processes = []

    def start(self):
        """Start one more, and return it."""
        process = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True, env=self._environment)
        self.processes.append(process)
        return process

    def kill(self, process):
        process.kill()
        process.communicate()
        self.processes.remove(process)

    def end(self, number=signal.SIGTERM):
        """End all by a signal, and return the exit status and the complaints of each."""
        ended = []
        for process in self.processes:
            process.send_signal(number)
        for process in self.processes:
            said = process.communicate(timeout=PATIENCE_SECONDS)[1]
            ended.append((process.returncode, said))
        self.processes.clear()
        return ended


@pytest.fixture
def fleet(tmp_path):
    """Return a way to install a team on a new board and to have workers for it; none outlives the test."""
    fleets = []

    def make(file, **values):
        place = tmp_path / "board.db"
        team = load_team(file, Options(values=values))
        with Blackboard.open(place, create=True) as board:
            board.install(team)
        fleets.append(Fleet(place, file, values))
        return fleets[-1], place

    yield make
    for one in fleets:
        for process in list(one.processes):
            one.kill(process)


# --- processes ---


def undisturbed(file, values):
    """Return the fingerprint of a run of one controller that nothing happens to."""
    with open_memory() as board:
        outcome = Controller(board, load_team(file, Options(values=values))).run()
    assert outcome.kind is OutcomeKind.CONVERGED, outcome.obligations
    return outcome.fingerprint


def killed_until_it_converges(fleet, board, drawn, revisions):
    """Kill one of the workers after some revisions, again and again, and start another one for it."""
    after, fatal, killed = board.revision, 0, 0
    end = time.monotonic() + PATIENCE_SECONDS
    while (outcome := board.snapshot().convergence()).kind is not OutcomeKind.CONVERGED:
        assert time.monotonic() < end, outcome.obligations
        assert all(process.poll() is None for process in fleet.processes)
        for changes in board.watch(after=after, timeout_seconds=1):
            after = changes[-1].revision
            if after >= fatal:
                fatal = after + drawn.randint(*revisions)
                fleet.kill(drawn.choice(fleet.processes))
                fleet.start()
                killed += 1
    return outcome, killed


@pytest.mark.parametrize(
    ("file", "short", "long", "revisions"),
    [
        pytest.param(GENERATED, {"components": 60}, {"components": 500}, (40, 100), id="generated"),
        pytest.param(RECIPES, {"amend": "no"}, {"amend": "no"}, (30, 60), id="recipes"),
    ],
)
def test_three_workers_that_are_killed_again_and_again_reach_what_a_calm_run_reaches(
    fleet, file, short, long, revisions, length, seed
):
    values = length(short, long)
    fingerprint = undisturbed(file, values)
    workers_, place = fleet(file, **values)
    for _ in range(3):
        workers_.start()
    with Blackboard.open(place) as board:
        outcome, killed = killed_until_it_converges(workers_, board, random.Random(seed), revisions)
        assert outcome.fingerprint == fingerprint
        assert killed >= 2
        ids = {process.pid for process in workers_.processes}
        until(lambda: {one.process for one in rows(board)} == ids, "each worker, and no dead one")
        assert workers_.end() == [(0, "")] * 3
        assert rows(board) == ()
        board.verify()
        with board.store.database.reading() as on_board:
            assert [tuple(row) for row in on_board.all(_TWICE)] == []
            assert on_board.all(_UNFENCED) == []
        snapshot = board.snapshot()
        for component in snapshot.components():
            judged = snapshot.verdicts(component.key)
            assert judged
            assert all(one.passed for one in judged if one.version == component.version)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_is_ended_by_a_signal_releases_its_leases_and_no_attempt_counts(fleet, number):
    workers_, place = fleet(GENERATED, components=2, block="yes")
    process = workers_.start()
    with Blackboard.open(place) as board:
        until(lambda: any(one.state == "leased" for one in open_activations(board, "architect")), "a lease")
        (shown,) = rows(board)
        assert (shown.host, shown.process) == (this_host(), process.pid)
        assert "architect" in shown.sources
        assert workers_.end(number) == [(0, "")]
        assert rows(board) == ()
        assert {(one.state, one.attempts) for one in open_activations(board, "architect")} == {("pending", 0)}
        assert board.claim("architect")


def test_a_killed_worker_is_shown_until_another_one_deletes_its_row(fleet):
    workers_, place = fleet(GENERATED, components=2, block="yes")
    with Blackboard.open(place) as board:
        first = workers_.start()
        until(lambda: rows(board), "the first worker")
        workers_.kill(first)
        assert [one.process for one in rows(board)] == [first.pid]
        second = workers_.start()
        until(lambda: [one.process for one in rows(board)] == [second.pid], "the second worker alone")


def test_a_worker_of_another_version_is_warned_and_shown_as_such(fleet, capsys):
    workers_, place = fleet(GENERATED, components=2, block="yes")
    with Blackboard.open(place) as board:
        with board.store.writer.turn() as turn:
            turn.run(_INSTALLED_BY, {"library": "0.0.1"})
        workers_.start()
        until(lambda: rows(board), "the worker")
        (line,) = status(board).workers
        assert (line.version, line.installed_by) == (workers.library_version(), "0.0.1")
        assert main(["status", "--board", str(place)]) == Exit.NO
        assert "the team was installed by version 0.0.1" in capsys.readouterr().out
        assert main(["board", "doctor", "--board", str(place)]) == Exit.YES
        assert "version 0.0.1 installed the team" in capsys.readouterr().out
        ((code, said),) = workers_.end()
    assert code == 0
    assert "warning: this is version" in said
    assert "version 0.0.1 installed the team" in said


# --- the installed team ---


def test_a_worker_refuses_a_board_of_another_team_and_one_without_a_team(tmp_path, capsys):
    place = tmp_path / "board.db"
    command = ["work", str(GENERATED), "--board", str(place), "--option"]
    assert main([*command, "components=2"]) == Exit.FAILED
    assert "no such file" in capsys.readouterr().err
    with Blackboard.open(place, create=True) as board:
        assert main([*command, "components=2"]) == Exit.FAILED
        assert "no team is installed here" in capsys.readouterr().err
        board.install(load_team(GENERATED, Options(values={"components": "2"})))
        before = board.revision
        assert main(["work", str(RECIPES), "--board", str(place)]) == Exit.FAILED
        assert "another team is installed here" in capsys.readouterr().err
        assert (board.revision, rows(board)) == (before, ())


class Running:
    """A worker in a thread, and how it ended."""

    def __init__(self, board, team):
        self.worker = Worker(board, team)
        self.error = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        try:
            self.worker.run()
        except Exception as error:  # noqa: BLE001 - handed to the test
            self.error = error

    def join(self):
        """Wait for its end, and return what it raised."""
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive()
        return self.error

    def stop(self):
        self.worker.stop()
        return self.join()


def converged(board):
    return board.snapshot().convergence().kind is OutcomeKind.CONVERGED


def test_a_worker_ends_when_another_team_is_installed():
    with open_memory() as board:
        board.install(builders())
        running = Running(board, builders())
        until(lambda: converged(board), "convergence")
        until(lambda: not any(one.state == "leased" for one in open_activations(board, "coder")))
        board.install(Team("x", [planner(), architect()]))
        error = running.join()
        assert isinstance(error, TeamMismatch)
        assert "source/coder" in error.differences
        assert rows(board) == ()


def test_an_idle_worker_goes_on_when_somebody_commits():
    with open_memory() as board:
        board.install(builders())
        running = Running(board, builders())
        until(lambda: converged(board), "convergence")
        with board.transaction("op", role="operator") as transaction:
            transaction.decision("db/schema")
            transaction.decide("db/schema", Contract.value({"is": "another"}))
        assert not converged(board)
        until(lambda: converged(board), "convergence")
        assert running.stop() is None


def test_a_source_that_stops_the_run_ends_its_worker_with_the_reason():
    @knowledge_source(name="architect", role="architect", on=on.required("*/*"))
    def rejected(_):
        raise StopRun("401: the key is not accepted")

    with open_memory() as board:
        team = Team("x", [planner(), rejected, coder()])
        board.install(team)
        error = Running(board, team).join()
        assert isinstance(error, StopRun)
        assert error.reason == "401: the key is not accepted"
        assert {one.state for one in open_activations(board, "architect")} == {"pending"}


# --- outages ---


def failing(times, error, call, *, counts=lambda *_: True):
    """Return a call that fails some times before it does what it does."""
    left = itertools.count(1)

    def wrapped(*arguments, **named):
        if counts(*arguments) and next(left) <= times:
            raise error
        return call(*arguments, **named)

    return wrapped


@pytest.fixture
def impatient(monkeypatch):
    """Let workers wait only moments in an outage."""
    monkeypatch.setattr(worker, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(worker, "LONGEST_PAUSE_SECONDS", 0.01)


@pytest.mark.parametrize(
    "error", [Unavailable("the board", "the server restarts"), CommitUnknown("", "the server restarts"), Full("board")]
)
def test_a_worker_waits_while_the_board_is_unavailable_and_no_end_of_a_run_is_lost(monkeypatch, impatient, error):
    seen = []

    @knowledge_source(name="architect", role="architect", on=on.required("*/*"), retries=0, max_concurrency=4)
    def counted(context):
        seen.append((context.target, context.attempts))
        with context.transaction() as transaction:
            if transaction.decision(context.target) is None:
                transaction.decide(context.target, Contract.value(1))

    has_ends = failing(6, error, runs.claims.exchange, counts=lambda _store, ends, *_: bool(ends))
    monkeypatch.setattr(runs.claims, "exchange", has_ends)
    monkeypatch.setattr(worker.agenda, "sweep", failing(3, error, worker.agenda.sweep))
    with open_memory() as board:
        team = Team("x", [planner(), counted, coder()])
        board.install(team)
        running = Running(board, team)
        until(lambda: converged(board), "convergence")
        assert running.stop() is None
    assert sorted(seen) == [("api/notes", 1), ("db/schema", 1)]


def test_a_run_of_a_team_ends_as_aborted_where_a_worker_waits(monkeypatch, impatient):
    monkeypatch.setattr(worker.agenda, "sweep", failing(1, Unavailable("the board", "busy"), worker.agenda.sweep))
    with open_memory() as board:
        board.install(builders())
        outcome = Worker(board, builders()).until_outcome()
    assert outcome.kind is OutcomeKind.ABORTED
    assert "Unavailable" in outcome.obligations[0].reason


def test_an_outage_that_a_source_meets_counts_as_no_attempt():
    seen = []

    @knowledge_source(name="architect", role="architect", on=on.required("k/a"), retries=0)
    def unlucky(context):
        seen.append(context.attempts)
        if len(seen) <= 3:
            raise Unavailable(board.store.location, "the server restarts")
        with context.transaction() as transaction:
            transaction.decision("k/a")
            transaction.decide("k/a", Contract.value(1))

    with open_memory(clock=FakeClock()) as board:
        team = Team("x", [planner({"a": ({}, {"k/a": []})}), unlucky, coder()])
        assert Controller(board, team, seed=1).run().kind is OutcomeKind.CONVERGED
    assert seen == [1, 1, 1, 1]


def test_another_store_that_is_unavailable_is_a_failure_of_the_source():
    seen = []

    @knowledge_source(name="architect", role="architect", on=on.required("k/a"), retries=0)
    def foreign(context):
        seen.append(context.attempts)
        raise Unavailable("/elsewhere.db", "there is no such file")

    with open_memory(clock=FakeClock()) as board:
        team = Team("x", [planner({"a": ({}, {"k/a": []})}), foreign, coder()], choreography=FREE)
        assert Controller(board, team, seed=1).run().kind is OutcomeKind.STALLED
    assert seen == [1]


# --- work that a commit has settled ---


def died_after(board, act):
    """Let a lease of ann on component `a` do something, and its process die before the lease ends."""
    board.install(Team("x", [planner({"a": ({}, {})}), coder("ann")], checks=[PASSES]))
    (planning,) = board.claim("planner")
    planning.release()
    with board.transaction("op", role="operator") as transaction:
        transaction.decide("task/a", Contract.task(summary="a"))
    (lease,) = board.claim("ann", lease_seconds=5)
    act(lease)
    board.store.clock.sleep(6)
    assert agenda.sweep(board.store) == 1


def write(lease):
    with lease.transaction() as transaction:
        transaction.decision("task/a")
        transaction.component("a")
        transaction.write("a", {"a.txt": "a"})


def test_a_run_that_dies_after_its_commit_is_not_repeated():
    with open_memory(clock=FakeClock()) as board:
        died_after(board, write)
        assert board.claim("ann") == ()


def test_a_run_that_dies_before_its_commit_is_repeated():
    with open_memory(clock=FakeClock()) as board:
        died_after(board, lambda _: None)
        assert [one.target for one in board.claim("ann")] == ["a"]


def test_a_run_whose_target_was_retracted_is_not_repeated():
    def retract(_):
        with board.transaction("op", role="operator") as transaction:
            transaction.decision("task/a")
            transaction.retract("task/a", reason="nobody needs it")

    with open_memory(clock=FakeClock()) as board:
        died_after(board, retract)
        assert board.claim("ann") == ()


def test_a_trigger_after_the_commit_asks_for_one_more_run_all_the_same():
    def write_and_change_the_task(lease):
        write(lease)
        with board.transaction("op", role="operator") as transaction:
            transaction.decision("task/a")
            transaction.decide("task/a", Contract.task(summary="something else"))

    with open_memory(clock=FakeClock()) as board:
        died_after(board, write_and_change_the_task)
        assert [one.target for one in board.claim("ann")] == ["a"]


def test_a_check_that_dies_after_its_verdict_is_not_repeated():
    with open_memory(clock=FakeClock()) as board:
        died_after(board, write)
        (lease,) = board.claim("unit", lease_seconds=5)
        with lease.transaction() as transaction:
            transaction.component("a")
            transaction.verdict("unit", "a", passed=True)
        board.store.clock.sleep(6)
        assert agenda.sweep(board.store) == 1
        assert board.claim("unit") == ()


# --- the rows of workers ---


def test_a_worker_that_is_not_seen_is_shown_as_silent_and_forgotten_after_an_hour():
    clock = FakeClock()
    with open_memory(clock=clock) as board:
        first = Presence(board.store, ["ann", "architect"])
        first.show()
        clock.sleep(10)
        (row,) = rows(board)
        assert (row.sources, row.seconds, row.seen_seconds_ago, row.silent) == (("ann", "architect"), 10, 10, False)
        clock.sleep(10)
        assert rows(board)[0].silent
        first.show()
        assert (rows(board)[0].seconds, rows(board)[0].silent) == (20, False)
        clock.sleep(3601)
        second = Presence(board.store, ["ben"])
        second.show()
        assert [one.sources for one in rows(board)] == [("ben",)]
        second.withdraw()
        assert rows(board) == ()


def test_a_row_that_was_deleted_comes_back_when_its_worker_renews_it():
    with open_memory(clock=FakeClock()) as board:
        shown = Presence(board.store, ["ann"])
        shown.show()
        shown.withdraw()
        shown.show()
        assert len(rows(board)) == 1


def test_the_json_of_status_has_the_workers(capsys, tmp_path):
    place = str(tmp_path / "board.db")
    with Blackboard.open(place, create=True) as board:
        Presence(board.store, ["ann"]).show()
        main(["status", "--json", "--board", place])
    (line,) = json.loads(capsys.readouterr().out)["workers"]
    assert (line["process"], line["sources"], line["silent"]) == (os.getpid(), ["ann"], False)
    assert line["version"] == workers.library_version()
