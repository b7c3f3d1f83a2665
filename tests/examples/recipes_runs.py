"""What tests of whole runs of the recipes share: the team, its decisions, commands as processes, the end-to-end test.

A moment of a run is a revision, drawn by a seed: a slow machine reaches it later, and it is the same moment.
"""

import fcntl
import importlib.util
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from itertools import product
from pathlib import Path

from blackboard import Contract
from blackboard.cli.teamfile import Options, load_team
from blackboard.control.simulation import virtual_board

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "examples" / "recipes"
BB = str(Path(sys.executable).with_name("bb"))
PATIENCE_SECONDS = 120
"""Only what hangs takes so long."""

OPTIONS = {
    "api/ids": ({"kind": "int"}, {"kind": "uuid"}),
    "api/id_maker": ({"made_by": "server"}, {"made_by": "client"}),
    "api/list": ({"shape": "list"}, {"shape": "page"}),
    "api/durations": ({"unit": "minutes"}, {"unit": "seconds"}),
    "api/errors": ({"shape": "text"}, {"shape": "list"}),
}
"""The five questions, each with its two answers."""

COMBINATIONS = [dict(zip(OPTIONS, values, strict=True)) for values in product(*OPTIONS.values())]
COMPONENTS = {"schema", "storage", "service", "http_api", "cli", "web_page"}


def drawing(*seeds):
    """Return what draws moments and answers, the same for the same seeds."""
    return random.Random(" ".join(map(str, seeds)))


def other(key, value):
    """Return the answer to a question that is not this one."""
    (left,) = [option for option in OPTIONS[key] if option != value]
    return left


def named(values):
    """Return a combination as the name of a test."""
    return "-".join(str(facet) for value in values.values() for facet in value.values())


def made_once(tmp_path_factory, name, make):
    """Return a folder of this name, filled by `make(folder)` in whichever of pytest's processes is the first to ask.

    What stands in it is shared: who wants to change it copies it.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with folder.with_name(f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            (folder / "made").touch()
    return folder


# ---- in this process ------------------------------------------------------------------------------------------------


def team(folder=RECIPES, *, seed=None, **values):
    """Return the recipes team; nobody takes time to think unless it is said."""
    return load_team(folder / "team.py", Options(seed=seed, values={"latency": "no", **values}))


def serial_board():
    """Return a board on which a controller with the same seed always makes the same history."""
    return virtual_board()


def decided(board, values, *, by="ann"):
    """Let the operator decide key -> JSON value, in one commit, whatever stands, and return it."""

    def decide(transaction):
        for key, value in values.items():
            transaction.decision(key)
            transaction.decide(key, Contract.value(value), rationale=f"{by} wants it so")

    return board.run_transaction(decide, by, role="operator", attempts=50)


def values_of(snapshot):
    """Return what is decided of the five questions and the recipe: key -> JSON value."""
    return {key: snapshot.decision(key).value for key in (*OPTIONS, "api/recipe")}


def written_after(board, revision):
    """Return the components that the feed says were written after a revision."""
    return {change.key for change in board.changes(after=revision) if change.kind == "written"}


def _end_to_end():
    sys.path.insert(0, str(RECIPES))
    try:
        spec = importlib.util.spec_from_file_location("recipes_end_to_end_of_runs", RECIPES / "end_to_end.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(RECIPES))
    return module


END_TO_END = _end_to_end()


def holds(program, *, stop_early=False):
    """Run the end-to-end test on an exported program; return whether it passes, and what it says."""
    exported = json.loads((program / ".spec" / "decisions.json").read_text("utf-8"))
    said = []
    decisions = {key: one["value"] for key, one in exported.items()}
    passed = END_TO_END.run(program, decisions, say=said.append, stop_early=stop_early)
    return passed, "\n".join(said)


def exported(board, folder, *, at=None):
    """Export a board into a folder and return the folder."""
    board.snapshot(at=at).export(folder)
    return folder


# ---- as processes ---------------------------------------------------------------------------------------------------


def environment(**more):
    """Return the environment of a command: no board of somebody else's, and a warning is an error."""
    kept = {name: value for name, value in os.environ.items() if name not in ("BB_BOARD", "COLUMNS", "LINES")}
    return {**kept, "PYTHONWARNINGS": "error", **more}


def bb(*arguments, cwd=None, **more):
    """Run a command to its end; no traceback is ever an answer."""
    command = [BB, *map(str, arguments)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=cwd, env=environment(**more), timeout=PATIENCE_SECONDS
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


@contextmanager
def started(*arguments, **options):
    """Start a command as a process group of its own, and end the group whatever happens."""
    command = [BB, *map(str, arguments)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment(), start_new_session=True, **options
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            kill(process)
        process.stdout.close()


def kill(process):
    """Kill a process and everything that it started, and return what it had printed."""
    os.killpg(process.pid, signal.SIGKILL)
    said, _ = process.communicate(timeout=PATIENCE_SECONDS)
    return said


def said_of(printed, name):
    """Return what a printed status says under a name."""
    return next(line.split(None, 1)[1] for line in printed.splitlines() if line.split(None, 1)[0] == name)


def copied(folder):
    """Copy the example, without what runs made of it."""
    shutil.copytree(RECIPES, folder, ignore=shutil.ignore_patterns("board.db*", "program", "__pycache__"))
    return folder
