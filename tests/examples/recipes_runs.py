"""What tests of whole runs of the recipes share: the team, commands as processes, the end-to-end check."""

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

from blackboard.cli.teamfile import Options, load_team

RECIPES = Path(__file__).parents[2] / "examples" / "recipes"
BB = str(Path(sys.executable).with_name("bb"))
PATIENCE_SECONDS = 120
"""Only what hangs takes so long."""

ANSWERS = {
    "api/ids": ({"kind": "int"}, {"kind": "uuid"}),
    "api/id_maker": ({"made_by": "server"}, {"made_by": "client"}),
    "api/dates": ({"form": "iso"}, {"form": "unix"}),
    "api/list": ({"shape": "list"}, {"shape": "page"}),
    "api/errors": ({"shape": "text"}, {"shape": "list"}),
}
"""The five questions, each with its two answers."""
COMBINATIONS = [dict(zip(ANSWERS, values, strict=True)) for values in product(*ANSWERS.values())]


def drawing(*seeds):
    """Return what draws moments and answers, the same for the same seeds."""
    return random.Random(" ".join(map(str, seeds)))


def team(**values):
    """Return the recipes team with some of its options."""
    return load_team(RECIPES / "team.py", Options(values=values))


def _end_to_end():
    spec = importlib.util.spec_from_file_location("recipes_end_to_end", RECIPES / "end_to_end.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


END_TO_END = _end_to_end()


def faults_of(program):
    """Return what does not hold of an exported program."""
    return END_TO_END.run(program, json.loads((program / ".spec" / "decisions.json").read_text("utf-8")))


def exported(board, folder):
    """Export a board into a folder and return the folder."""
    board.snapshot().export(folder)
    return folder


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
