"""`bb run examples/recipes` as a person starts it: once, again, elsewhere, beside an operator, without a model."""

import json
import shutil
import subprocess
import sys

import pytest
from recipes_runs import ANSWERS, RECIPES, bb, copied, drawing, environment, faults_of, said_of, started

from blackboard import Blackboard
from blackboard.store.uses import observed_use


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a run that has ended: board.db, program/ and what it printed; to be copied before it is changed."""
    folder = tmp_path_factory.mktemp("finished")
    done = bb("run", RECIPES, "--plain", "--board", folder / "board.db")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    (folder / "printed").write_text(done.stdout, "utf-8")
    return folder


@pytest.fixture
def printed(finished):
    return (finished / "printed").read_text("utf-8")


def changes(board):
    return json.loads(bb("log", "--board", board, "--after", "0", "--json").stdout)["changes"]


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_converges_says_so_and_says_where_the_program_is(finished, printed):
    lines = printed.splitlines()
    begins = next(number for number, line in enumerate(lines) if line.startswith("converged at revision "))
    _, fingerprint, decisions, components, last = *lines[begins : begins + 4], lines[-1]
    assert fingerprint.startswith("fingerprint  1:")
    assert decisions.split() == ["decisions", "34", "accepted"]
    assert components.split() == ["components", "13", "current"]
    assert last == f"the program is in {finished / 'program'}"


def test_the_program_is_what_was_decided_and_a_broken_one_is_not(finished, tmp_path):
    def checked(program):
        command = [sys.executable, RECIPES / "end_to_end.py", program]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment())

    good = checked(finished / "program")
    assert (good.returncode, good.stdout.splitlines()[-1]) == (0, "all checks hold"), good.stdout
    broken = shutil.copytree(finished / "program", tmp_path / "broken")
    service = broken / "recipe_service.py"
    service.write_text(service.read_text("utf-8").replace('"minutes": row.minutes', '"minutes": 7'), "utf-8")
    bad = checked(broken)
    assert bad.returncode == 1
    assert "the row that was added" in bad.stdout
    assert checked(tmp_path / "nothing").returncode == 2


def test_the_operator_gave_recipes_a_rating_and_what_depends_on_it_was_written_again(finished):
    with Blackboard.open(finished / "board.db") as board:
        snapshot = board.snapshot()
        amended = [one for one in snapshot.versions("db/schema") if one.author == "olga"]
        assert [one.rationale.partition(":")[0] for one in amended] == ["I want to know which recipes were worth it"]
        (since,) = [
            change.revision
            for change in board.changes(after=0)
            if (change.key, change.author, change.kind) == ("db/schema", "olga", "accepted")
        ]
        again = {one.key for one in board.changes(after=since) if one.kind == "written"}
    assert {f"{layer}/recipe" for layer in ("cli", "model", "service", "storage", "tests")} <= again
    assert {key for key in again if key.endswith("/ingredient")} <= {"tests/ingredient"}


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
        done = bb("run", folder, "--plain", "--seed", number, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert said_of(done.stdout, "fingerprint") == said_of(printed, "fingerprint")
        assert (folder / "board.db").exists()
        assert (folder / "program" / "app.py").exists()


def test_an_operator_in_another_process_amends_it_while_it_runs(tmp_path, seed):
    drawn = drawing(seed)
    moment, key = drawn.randint(10, 80), drawn.choice(list(ANSWERS))
    board = tmp_path / "board.db"
    Blackboard.open(board, create=True).close()
    with started("run", RECIPES, "--plain", "--board", board) as running, Blackboard.open(board) as beside:
        assert any(found[0].revision >= moment for found in beside.watch(after=0, timeout_seconds=60))
        standing = beside.snapshot().decision(key)
        wanted = next(one for one in ANSWERS[key] if standing is None or one != standing.value)
        (tmp_path / "wanted.json").write_text(json.dumps(wanted))
        told = bb("decide", key, tmp_path / "wanted.json", "--as", "ann:operator", "--board", board)
        assert told.returncode == 0, told.stdout + told.stderr
        said, _ = running.communicate(timeout=120)
        assert running.returncode == 0, said
    # Where the machine is slow the amendment may have come last: going on, the run notices it.
    done = bb("run", RECIPES, "--plain", "--board", board)
    assert done.returncode == 0, done.stdout + done.stderr
    exported = json.loads((tmp_path / "program" / ".spec" / "decisions.json").read_text("utf-8"))
    assert exported[key]["value"] == wanted
    assert faults_of(tmp_path / "program") == []


def test_what_the_code_relies_on_is_found_and_was_read(finished, tmp_path):
    shutil.copy(finished / "board.db", tmp_path / "board.db")
    with Blackboard.open(tmp_path / "board.db") as board:
        snapshot = board.snapshot()
        for one in snapshot.components():
            assert not any(pin.observed for pin in one.pins), one.key
        (service,) = snapshot.components("service/ingredient")
        with board.store.database.reading() as on:
            used = observed_use(on, board.revision, service.key, service.files, snapshot.decision)
    assert used["api/ingredient_storage"] == {"Refused", "add", "count", "find", "get", "remove", "replace"}


# ---- a model by its name --------------------------------------------------------------------------------------------


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
    package = tmp_path / "path" / "langchain"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / inside).write_text(text)
    place = tmp_path / "board.db"
    done = bb("run", RECIPES, "--model", "clever:1", "--board", place, PYTHONPATH=str(package.parent))
    assert (done.returncode, done.stdout) == (3, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("bb: ")
    assert step in line
    assert not place.exists()
