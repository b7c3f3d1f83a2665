"""`bb run examples/recipes` as a person starts it: once, again, elsewhere, beside an operator, with a named model."""

import json
import shutil
import subprocess
import sys

import pytest
from recipes_runs import (
    OPTIONS,
    RECIPES,
    bb,
    copied,
    drawing,
    environment,
    made_once,
    other,
    said_of,
    started,
)

from blackboard import Blackboard
from blackboard.store.uses import observed_use

FAST = ("--plain", "--option", "latency=no")


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """The folder of a run that has ended: board.db, program/ and what it printed; to be copied before it is changed."""

    def make(folder):
        done = bb("run", RECIPES, "--plain", "--board", folder / "board.db")
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        (folder / "printed").write_text(done.stdout, "utf-8")

    return made_once(tmp_path_factory, "recipes-finished", make)


@pytest.fixture
def printed(finished):
    return (finished / "printed").read_text("utf-8")


def changes(board):
    return json.loads(bb("log", "--board", board, "--after", "0", "--json").stdout)["changes"]


def end_to_end(program):
    command = [sys.executable, RECIPES / "end_to_end.py", program]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment())


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_converges_says_so_and_says_where_the_program_is(finished, printed):
    lines = printed.splitlines()
    begins = next(number for number, line in enumerate(lines) if line.startswith("converged at revision "))
    status, fingerprint, decisions, components, last = *lines[begins : begins + 4], lines[-1]
    assert status.startswith("converged at revision ")
    assert fingerprint.startswith("fingerprint  1:")
    assert decisions.split() == ["decisions", "20", "accepted"]
    assert components.split() == ["components", "6", "current"]
    assert last == f"the program is in {finished / 'program'}"
    done = end_to_end(finished / "program")
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_shows_each_change_as_it_comes(finished, printed):
    shown = [line.split()[0] for line in printed.splitlines() if line.split()[0].isdigit()]
    assert shown == [str(change["revision"]) for change in changes(finished / "board.db")]


def test_run_again_it_changes_nothing_and_status_agrees_with_it(finished, printed, tmp_path):
    folder = shutil.copytree(finished, tmp_path / "again")
    board = folder / "board.db"
    before, program = changes(board), files(folder / "program")
    again = bb("run", RECIPES, "--plain", "--board", board)
    assert again.returncode == 0, again.stdout + again.stderr
    status = bb("status", "--board", board, "--json")
    assert status.returncode == 0
    record = json.loads(status.stdout)
    assert (record["kind"], record["converged"], record["obligations"]) == ("converged", True, [])
    assert record["fingerprint"] == said_of(again.stdout, "fingerprint") == said_of(printed, "fingerprint")
    assert record["revision"] == before[-1]["revision"]
    assert changes(board) == before
    assert files(folder / "program") == program


def test_in_other_folders_with_other_seeds_the_fingerprint_is_the_same(printed, tmp_path, length):
    for number in range(7, length(8, 12)):
        folder = copied(tmp_path / str(number))
        done = bb("run", folder, *FAST, "--seed", number, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert said_of(done.stdout, "fingerprint") == said_of(printed, "fingerprint")
        assert (folder / "board.db").exists()
        assert (folder / "program" / "app.py").exists()


def test_an_operator_in_another_process_amends_it_while_it_runs(tmp_path, seed):
    drawn = drawing(seed)
    moment, key = drawn.randint(10, 40), drawn.choice(list(OPTIONS))
    board = tmp_path / "board.db"
    Blackboard.open(board, create=True).close()
    with started("run", RECIPES, "--plain", "--board", board) as running, Blackboard.open(board) as beside:
        reached = any(found[0].revision >= moment for found in beside.watch(after=0, timeout_seconds=60))
        assert reached
        standing = beside.snapshot().decision(key)
        wanted = drawn.choice(OPTIONS[key]) if standing is None else other(key, standing.value)
        (tmp_path / "wanted.json").write_text(json.dumps(wanted))
        told = bb("decide", key, tmp_path / "wanted.json", "--as", "ann:operator", "--board", board)
        assert told.returncode == 0, told.stdout + told.stderr
        said, _ = running.communicate(timeout=120)
        assert running.returncode == 0, said
        # Whose it is depends on who was first, where the experts come to want the same.
        assert beside.snapshot().decision(key).value == wanted
    # Where the machine is slow the amendment may have come last: going on, the run notices it.
    done = bb("run", RECIPES, *FAST, "--board", board)
    assert done.returncode == 0, done.stdout + done.stderr
    exported = json.loads((tmp_path / "program" / ".spec" / "decisions.json").read_text("utf-8"))
    assert exported[key]["value"] == wanted
    done = end_to_end(tmp_path / "program")
    assert done.returncode == 0, done.stdout + done.stderr


# ---- a model by its name --------------------------------------------------------------------------------------------

FAKE = '''
"""What the extra `models` offers: a model by its name, here one that follows a script and echoes what it is asked."""

import json
import os
import re
from pathlib import Path

from knowledge_sources import ScriptedChatModel, read_script
from knowledge_sources.scripted import Script, Situation


class Obliging(Script):
    def answer(self, facts):
        facts = list(facts)
        asked = Situation.read(facts)
        for question in asked.about_target("question") if asked.act == "propose" else ():
            values = [("value", json.dumps(value)) for value in question.header["options"]]
            options = values + re.findall(r"An option, in language (\\S+):\\n\\n(.*)", question.body, re.DOTALL)
            if len(options) == 1:
                language, text = options[0]
                return {"language": language, "text": text, "rationale": "as you say"}
        return super().answer(facts)


def init_chat_model(model, **_):
    with Path(os.environ["FAKE_ASKED"]).open("a") as asked:
        asked.write(f"{model}\\n")
    script = read_script(Path(os.environ["FAKE_SCRIPT"]))
    fields = {name: getattr(script, name) for name in ("experts", "texts")}
    return ScriptedChatModel(script=Obliging(**fields, reply=script.replies), latency_seconds=(0, 0))
'''


def with_langchain(folder, text, *, inside="chat_models.py"):
    """Put a package `langchain` on the path of a command; return the variables that do it."""
    package = folder / "path" / "langchain"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / inside).write_text(text)
    return {"PYTHONPATH": str(package.parent)}


def test_a_model_that_is_named_is_the_one_that_is_asked(printed, tmp_path):
    path = with_langchain(tmp_path, FAKE)
    asked = tmp_path / "asked"
    command = ("run", RECIPES, "--plain", "--model", "fake:clever-1", "--board", tmp_path / "board.db")
    done = bb(*command, FAKE_ASKED=str(asked), FAKE_SCRIPT=str(RECIPES), **path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(asked.read_text().splitlines()) == {"fake:clever-1"}
    # Another way to the same spec: what the scripted planner proposes, a named one asks.
    assert said_of(done.stdout, "fingerprint") == said_of(printed, "fingerprint")
    done = end_to_end(tmp_path / "program")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_other_example_takes_a_named_model_too(tmp_path):
    units = RECIPES.with_name("units")
    asked = tmp_path / "asked"
    path = with_langchain(tmp_path, FAKE)
    command = ("run", units, "--plain", "--model", "fake:clever-2", "--board", tmp_path / "board.db")
    done = bb(*command, FAKE_ASKED=str(asked), FAKE_SCRIPT=str(units), **path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(asked.read_text().splitlines()) == {"fake:clever-2"}


@pytest.mark.parametrize(
    ("inside", "text", "step"),
    [
        (
            "__init__.py",
            'raise ModuleNotFoundError("No module named \'langchain\'", name="langchain")',
            "pip install 'sharedspec[models]'",
        ),
        (
            "chat_models.py",
            'def init_chat_model(model, **_): raise ImportError("install langchain-clever")',
            "install langchain-clever",
        ),
        (
            "chat_models.py",
            'def init_chat_model(model, **_): raise ValueError("no provider clever")',
            "no provider clever",
        ),
    ],
    ids=["without the extra", "without the provider", "unknown"],
)
def test_a_model_that_cannot_be_had_is_one_line_and_no_board(tmp_path, inside, text, step):
    path = with_langchain(tmp_path, text, inside=inside)
    done = bb("run", RECIPES, "--model", "clever:1", "--board", tmp_path / "board.db", **path)
    assert done.returncode == 3
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("bb: ")
    assert step in line
    assert not (tmp_path / "board.db").exists()


def test_what_the_code_relies_on_is_found_and_was_read(finished, tmp_path):
    used = {}
    shutil.copy(finished / "board.db", tmp_path / "board.db")
    with Blackboard.open(tmp_path / "board.db") as board:
        snapshot = board.snapshot()
        for one in snapshot.components():
            assert not any(pin.observed for pin in one.pins), one.key
            with board.store.database.reading() as on:
                used[one.key] = observed_use(on, board.revision, one.key, one.files, snapshot.decision)
    assert used["service"] == {"code/storage": {"Taken", "add", "find", "get", "remove", "replace"}}
    problem = {"Problem", "Problem.kind", "Problem.message"}
    assert used["http_api"] == {"code/service": {*problem, "change", "create", "find", "read", "remove"}}
    assert used["web_page"] == {"code/http_api": {"make_server"}, "code/storage": {"open_database"}}
