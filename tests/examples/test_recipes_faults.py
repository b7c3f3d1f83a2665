"""Runs of the recipes that are killed, and run again."""

import signal
import time
from dataclasses import dataclass

import pytest
from recipes_runs import PATIENCE_SECONDS, RECIPES, bb, drawing, kill, said_of, started, team

from blackboard import Blackboard, Controller
from blackboard.store.feed import Cursor
from blackboard.testing import open_memory

LAST_MOMENT = 100
"""Before a run can have ended: what comes last is an amendment, and what depends on it is written and checked again."""


@pytest.fixture(scope="module")
def undisturbed():
    """The fingerprint of a run that nothing happens to."""
    with open_memory() as board:
        outcome = Controller(board, team()).run()
    assert outcome.kind == "converged", outcome.obligations
    return outcome.fingerprint


@dataclass(frozen=True)
class Known:
    """What was acknowledged to somebody before a run was killed."""

    changes: tuple
    cursor: Cursor
    lines: tuple


def killed(place, moment, *, delay_seconds=0.0):
    """Run the team, kill it and all that it started soon after a reader saw a revision, and return what was known."""
    with started("run", RECIPES, "--plain", "--board", place) as running, Blackboard.open(place) as beside:
        for changes in beside.watch(after=0, timeout_seconds=PATIENCE_SECONDS):
            if changes[0].revision >= moment or running.poll() is not None:
                break
        # Spread over what happens between two commits: a check that runs, an answer that is awaited.
        time.sleep(delay_seconds)
        known = beside.changes(after=0), beside.cursor
        *lines, _ = kill(running).split("\n")
        assert running.returncode == -signal.SIGKILL
    return Known(*known, tuple(lines))


def holds_what_was_known(place, known):
    """Assert that nothing acknowledged is lost or changed, and that the board is whole."""
    with Blackboard.open(place) as board:
        assert board.changes(after=0)[: len(known.changes)] == known.changes
        assert board.verify(known_head=known.cursor) == board.cursor
    before = int(known.lines[0].split()[0]) - 1 if known.lines else 0
    shown = bb("log", "--board", place, "--after", before).stdout.splitlines()
    assert tuple(shown[: len(known.lines)]) == known.lines


def run_to_the_end(place, fingerprint):
    done = bb("run", RECIPES, "--plain", "--board", place)
    assert done.returncode == 0, done.stdout + done.stderr
    assert said_of(done.stdout, "fingerprint") == fingerprint


def test_killed_again_and_again_at_any_moment_it_ends_the_same(tmp_path, undisturbed, length, seed):
    drawn = drawing(seed)
    place = tmp_path / "board.db"
    Blackboard.open(place, create=True).close()
    moments = sorted(drawn.sample(range(1, LAST_MOMENT), length(3, 20)))
    print(f"killed at {moments}")  # noqa: T201
    before = [killed(place, moment, delay_seconds=drawn.uniform(0, 0.1)) for moment in moments]
    run_to_the_end(place, undisturbed)
    for known in before:
        holds_what_was_known(place, known)


def test_killed_while_it_makes_its_board_it_can_be_run_again(tmp_path, undisturbed, length, seed):
    drawn = drawing(seed)
    for number in range(length(1, 6)):
        place = tmp_path / f"{number}.db"
        with started("run", RECIPES, "--plain", "--board", place) as running:
            until = time.monotonic() + PATIENCE_SECONDS
            while not place.exists():
                assert time.monotonic() < until
                time.sleep(0.001)
            time.sleep(drawn.uniform(0, 0.3))
            kill(running)
        run_to_the_end(place, undisturbed)
