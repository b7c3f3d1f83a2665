"""Several processes on one board: killed ones are taken over, and all of them end with the same outcome."""

import json
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from blackboard.board import Blackboard
from blackboard.errors import LeaseLost
from blackboard.store import agenda

WORKER = """
import json, sys, time
sys.path.insert(0, sys.argv[2])
from simulated_teams import builders, coder, planner, architect
from blackboard import on
from blackboard.board import Blackboard
from blackboard.contracts.language import Contract
from blackboard.control import runs
from blackboard.control.controller import Controller
from blackboard.control.source import knowledge_source
from blackboard.control.team import Team

@knowledge_source(name="architect", role="architect", on=on.required("*/*"), retries=20)
def slow(context):
    print("claimed", context.target, flush=True)
    time.sleep(float(sys.argv[3]))
    with context.transaction() as transaction:
        if transaction.decision(context.target) is None:
            transaction.decide(context.target, Contract.value({"is": context.target}))

runs.LEASE_SECONDS = float(sys.argv[4])
with Blackboard.open(sys.argv[1], create=True) as board:
    outcome = Controller(board, Team("x", [planner(), slow, coder()])).run()
    print(json.dumps([str(outcome.kind), outcome.fingerprint]), flush=True)
"""


def worker(path: Path, seconds: float, *, lease_seconds: float = 5.0) -> subprocess.Popen:
    here = str(Path(__file__).parent)
    argv = [sys.executable, "-c", WORKER, str(path), here, str(seconds), str(lease_seconds)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)


def result(process: subprocess.Popen) -> list[str]:
    output, _ = process.communicate(timeout=60)
    return json.loads(output.splitlines()[-1])


def test_a_process_that_is_killed_is_taken_over_at_once_and_the_rest_is_the_same(tmp_path):
    calm = result(worker(tmp_path / "calm.db", 0))
    assert calm[0] == "converged"
    path = tmp_path / "board.db"
    for _ in range(2):
        # Its lease would last an hour; the next process of this host sees that its holder is dead.
        killed = worker(path, 60, lease_seconds=3600)
        assert killed.stdout.readline().startswith("claimed")
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
    assert result(worker(path, 0)) == calm
    with Blackboard.open(path) as board:
        board.verify()


def test_processes_at_once_end_with_one_outcome(tmp_path):
    path = tmp_path / "board.db"
    Blackboard.open(path, create=True).close()
    found = [result(process) for process in [worker(path, 0.1) for _ in range(3)]]
    assert found[0][0] == "converged"
    assert found == [found[0]] * 3
    with Blackboard.open(path) as board:
        written = [one.key for one in board.changes(after=0) if one.kind == "written"]
        assert sorted(written) == ["server", "storage", "web"]


def stop_between_commits(process, path):
    """Stop a process while it does not hold the board's row: in a COMMIT it would hold it until it goes on."""
    while True:
        process.send_signal(signal.SIGSTOP)
        raw = sqlite3.connect(path, timeout=0.2, isolation_level=None)
        try:
            raw.execute("BEGIN IMMEDIATE")
            raw.execute("ROLLBACK")
        except sqlite3.OperationalError:
            process.send_signal(signal.SIGCONT)
        else:
            return
        finally:
            raw.close()


def test_a_process_that_is_stopped_is_taken_over_and_refused_when_it_continues(tmp_path):
    path = tmp_path / "board.db"
    stopped = worker(path, 0.3)
    try:
        assert stopped.stdout.readline().startswith("claimed")
        stop_between_commits(stopped, path)
        board = Blackboard.open(path)
        with board.store.database.reading() as reading:
            # What ended just before may not be written down yet.
            leased = [one for one in agenda.open_activations(reading) if one.state == "leased"]
            (held,) = [one for one in leased if one.source == "architect"]
            (token,) = reading.raw.execute(
                "SELECT max(token) FROM lease WHERE state = 'live' AND source = 'architect'"
            ).fetchone()
        # As if its time was over: nobody has to wait for it here.
        with board.store.writer.turn() as turn:
            turn.connection.raw.execute("UPDATE lease SET expires = claimed WHERE state = 'live'")
        (taken,) = board.claim(held.source)
        with board.store.writer.turn() as turn, pytest.raises(LeaseLost):
            agenda.fence(turn, token)
        taken.release()
        stopped.send_signal(signal.SIGCONT)
        assert result(stopped)[0] == "converged"
        decided = [one.key for one in board.changes(after=0) if one.kind == "accepted" and one.key == held.target]
        assert len(decided) == 1
        board.close()
    finally:
        stopped.kill()
        stopped.communicate()
