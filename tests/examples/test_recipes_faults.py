"""Runs of the recipes that something happens to: they are killed, or an expert has nothing to say."""

import json
import signal
import time
from dataclasses import dataclass

import pytest
from recipes_runs import PATIENCE_SECONDS, RECIPES, bb, copied, drawing, kill, made_once, said_of, started, team

from blackboard import Blackboard, Controller
from blackboard.store.feed import Cursor
from blackboard.testing import open_memory

LAST_MOMENT = 65
"""Before a run can have ended: what comes last is an amendment, three components and eight checks."""


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """The fingerprint of a run that nothing happens to."""

    def make(folder):
        with open_memory() as board:
            outcome = Controller(board, team()).run()
        assert outcome.kind == "converged", outcome.obligations
        (folder / "fingerprint").write_text(outcome.fingerprint, "utf-8")

    return (made_once(tmp_path_factory, "recipes-undisturbed", make) / "fingerprint").read_text("utf-8")


@dataclass(frozen=True)
class Known:
    """What was acknowledged to somebody before a run was killed."""

    changes: tuple
    cursor: Cursor
    lines: tuple


def killed(place, moment, *thinking, delay_seconds=0.0):
    """Run the team, kill it and all that it started soon after a reader saw a revision, and return what was known."""
    with started("run", RECIPES, "--plain", "--board", place, *thinking) as running, Blackboard.open(place) as beside:
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
    done = bb("run", RECIPES, "--plain", "--option", "latency=no", "--board", place)
    assert done.returncode == 0, done.stdout + done.stderr
    assert said_of(done.stdout, "fingerprint") == fingerprint


THINKING = [("--option", "latency=no"), ()]
"""Commits follow each other at once, or most of the time goes by between them."""


@pytest.mark.parametrize("part", range(2))
def test_killed_at_any_moment_and_run_again_it_ends_the_same(tmp_path, undisturbed, length, seed, part):
    drawn = drawing(seed, part)
    for number in range(length(1, 6)):
        moment, delay_seconds = drawn.randint(1, LAST_MOMENT), drawn.uniform(0, 0.1)
        place = tmp_path / f"{number}.db"
        Blackboard.open(place, create=True).close()
        known = killed(place, moment, *THINKING[part], delay_seconds=delay_seconds)
        print(f"killed after {delay_seconds:.3f} s at {moment}, when {known.cursor.revision} was known")  # noqa: T201
        assert known.cursor.revision >= moment
        run_to_the_end(place, undisturbed)
        holds_what_was_known(place, known)


def test_killed_again_and_again_it_ends_the_same(tmp_path, undisturbed, length, seed):
    drawn = drawing(seed)
    place = tmp_path / "board.db"
    Blackboard.open(place, create=True).close()
    moments = sorted(drawn.sample(range(1, LAST_MOMENT), length(2, 12)))
    print(f"killed at {moments}")  # noqa: T201
    before = [killed(place, moment, *THINKING[0]) for moment in moments]
    run_to_the_end(place, undisturbed)
    for known in before:
        holds_what_was_known(place, known)


def test_killed_while_it_makes_its_board_it_can_be_run_again(tmp_path, undisturbed, length, seed):
    drawn = drawing(seed)
    for number in range(length(1, 6)):
        place = tmp_path / f"{number}.db"
        with started("run", RECIPES, "--plain", "--option", "latency=no", "--board", place) as running:
            until = time.monotonic() + PATIENCE_SECONDS
            while not place.exists():
                assert time.monotonic() < until
                time.sleep(0.001)
            time.sleep(drawn.uniform(0, 0.3))
            kill(running)
        run_to_the_end(place, undisturbed)


# ---- an expert has nothing to say -----------------------------------------------------------------------------------

CODERS = {"cora", "carl", "chen", "cleo"}
REVIEWERS = {"rita", "rob", "ruby", "raj"}
MISSING = {
    ("coder", "write", "web_page"): (CODERS, "web_page"),
    ("reviewer", "vote", "code/*"): (REVIEWERS, "code/storage"),
    ("planner", "plan", ""): ({"paula"}, "prompt"),
    ("operator", "mediate", "api/recipe"): ({"olga"}, "web_page"),
    ("architect", "propose", "api/recipe"): ({"arthur"}, "api/recipe"),
    ("reviewer", "vote", "api/recipe"): (REVIEWERS, "api/recipe"),
    **{("coder", "write", name): (CODERS, name) for name in ("schema", "storage", "service", "http_api", "cli")},
}
"""(role, act, target) of a reply -> who cannot give it, and the key for which they were woken."""


def without(script, role, act, target):
    """Return a script without the replies of a role to an act on a target."""
    lines = {f'role = "{role}"', f'act = "{act}"', *([f'target = "{target}"'] if target else [])}
    head, *replies = script.split("\n[[reply]]\n")
    kept = [reply for reply in replies if not lines <= set(reply.splitlines())]
    assert len(kept) < len(replies)
    return "\n[[reply]]\n".join([head, *kept])


@pytest.mark.parametrize("reply", list(MISSING)[:2], ids=" ".join)
def test_without_a_reply_the_run_ends_stalled_and_names_who_has_none(tmp_path, reply):
    _stalls_without(tmp_path, reply)


def test_without_any_single_reply_the_run_ends_stalled(tmp_path, length):
    for number, reply in enumerate(list(MISSING)[2 : length(3, len(MISSING))]):
        _stalls_without(tmp_path / str(number), reply)


def _stalls_without(place, reply):
    experts, target = MISSING[reply]
    folder = copied(place / "recipes")
    script = folder / "experts.toml"
    script.write_text(without(script.read_text("utf-8"), *reply), "utf-8")
    done = bb("run", folder, "--plain", "--option", "latency=no")
    assert done.returncode == 1, done.stdout + done.stderr
    assert not (folder / "program").exists()
    status = bb("status", "--board", folder / "board.db", "--json")
    record = json.loads(status.stdout)
    assert (status.returncode, record["kind"]) == (1, "stalled")
    named = [one for one in record["obligations"] if "NoReply" in one["reason"]]
    assert {one["key"] for one in named} >= {target}, record["obligations"]
    for one in named:
        assert one["waits_for"]
        assert set(one["waits_for"]) <= experts
        assert any(f"the script has no reply of {name} to {reply[1]} " in one["reason"] for name in experts)
