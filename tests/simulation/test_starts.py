"""The check of the whole program: nothing converges that does not start, and who has to mend it is told."""

import sys

import pytest
from simulated_teams import run

from blackboard import on
from blackboard.contracts.language import Contract
from blackboard.control import starts
from blackboard.control.sandbox import Limits, Sandbox
from blackboard.control.simulation import virtual_board
from blackboard.control.source import knowledge_source
from blackboard.control.team import Check, Team
from blackboard.errors import NotPermitted
from blackboard.spec.convergence import OutcomeKind

STORAGE = "def load() -> int:\n    return 7\n"
MAIN = "import sys\nfrom {} import load\n\nif __name__ == '__main__':\n    sys.exit('--help' not in sys.argv)\n"


@pytest.fixture
def board():
    with virtual_board() as board:
        yield board


def planner(**command):
    @knowledge_source(name="planner", role="planner", on=on.accepted("prompt"))
    def plan(context):
        with context.transaction() as transaction:
            transaction.decision("prompt")
            if transaction.decision("task/storage") is None:
                transaction.decide("task/storage", Contract.task(summary="s", implements=["api/storage"]))
                transaction.decide("task/web", Contract.task(summary="w", uses=["api/storage"], **command))

    return plan


@knowledge_source(name="architect", role="architect", on=on.required("api/*"))
def settle(context):
    with context.transaction() as transaction:
        if transaction.decision(context.target) is None:
            transaction.decide(context.target, Contract.value({"load": "a number"}))


def coder(written, **attempts):
    """Return who writes the texts of each component one after the other, a next one when the program did not start."""

    @knowledge_source(name="coder", role="coder", on=[on.required("*"), on.stale("*"), on.failed("starts")])
    def write(context):
        key = context.target
        with context.transaction() as transaction:
            transaction.decision(f"task/{key}")
            if transaction.decision("api/storage", side="implements" if key == "storage" else "uses") is None:
                return
            transaction.component(key)
            texts = attempts[key]
            transaction.write(key, {f"{key}.py": texts.pop(0) if len(texts) > 1 else texts[0]})
            written.append(key)

    return write


def built(board, *, checks=(), command=None, **attempts):
    written = []
    texts = {"storage": [STORAGE], "web": [MAIN.format("storage")], **attempts}
    experts = [planner(**({"command": command} if command else {})), settle, coder(written, **texts)]
    return run(board, Team("x", experts, checks=checks)), written


def log(board, component):
    return next((one.log for one in board.snapshot().verdicts(component) if one.check == "starts"), None)


def test_what_starts_converges_and_each_part_of_it_has_the_verdict(board):
    outcome, written = built(board, command=["python", "web.py"])
    assert outcome.kind is OutcomeKind.CONVERGED
    assert sorted(written) == ["storage", "web"]
    for component in ("storage", "web"):
        assert log(board, component).startswith("[2 Python files, 1 entry points: the program starts]\n[python 3.")


def test_a_guessed_import_does_not_converge_and_the_outcome_names_it(board):
    outcome, _ = built(board, web=[MAIN.format("app_storage")])
    assert outcome.kind is OutcomeKind.STALLED
    (left,) = outcome.obligations
    assert left.key == "web"
    assert left.reason == (
        "check starts failed: web.py:2: import web: ModuleNotFoundError: No module named 'app_storage'"
    )
    assert log(board, "storage") is None


def test_its_coder_is_woken_and_mends_it_and_nobody_else(board):
    outcome, written = built(board, web=[MAIN.format("app_storage"), MAIN.format("storage")])
    assert outcome.kind is OutcomeKind.CONVERGED
    assert sorted(written) == ["storage", "web", "web"]


def test_other_checks_that_pass_do_not_hide_it(board):
    check = Check("unit", on="**", command=["python", "-c", "pass"])
    assert built(board, checks=[check], web=["import app_storage\n"])[0].kind is not OutcomeKind.CONVERGED


def test_an_entry_point_that_does_not_answer_does_not_converge(board):
    outcome, _ = built(board, command=["python", "web.py"], web=["import sys\nsys.exit('no help here')\n"])
    (why,) = [one.reason for one in outcome.obligations if "failed" in one.reason]
    assert why == "check starts failed: web: `python web.py --help` ended with status 1: no help here"


def test_a_part_that_changes_has_the_whole_program_started_again(board):
    assert built(board)[0].kind is OutcomeKind.CONVERGED
    with board.transaction("ann", role="operator") as transaction:
        transaction.component("storage")
        transaction.decision("task/storage")
        transaction.decision("api/storage", side="implements")
        transaction.write("storage", {"storage.py": "def save(): ...\n"})
    outcome, _ = built(board, web=["from storage import save\n"], storage=["def save(): ...\n"])
    assert outcome.kind is OutcomeKind.CONVERGED
    assert "from storage import save" in board.snapshot().component("web").files["web.py"].decode()


def test_two_parts_with_a_file_of_one_name_do_not_converge(board):
    shared = knowledge_source(name="coder", role="coder", on=on.required("*"))(_all_in_main)
    outcome = run(board, Team("x", [planner(), settle, shared]))
    assert outcome.kind is OutcomeKind.STALLED
    assert log(board, "web") == "main.py: storage has a file of this name too; rename one"
    assert log(board, "storage") == "main.py: web has a file of this name too; rename one"


def _all_in_main(context):
    with context.transaction() as transaction:
        transaction.decision(f"task/{context.target}")
        side = "implements" if context.target == "storage" else "uses"
        if transaction.decision("api/storage", side=side) is not None:
            transaction.component(context.target)
            transaction.write(context.target, {"main.py": f"# {context.target}\n"})


def test_a_team_that_builds_no_code_is_not_burdened(board):
    texts = knowledge_source(name="coder", role="coder", on=on.required("*"))(_prose)
    assert run(board, Team("x", [planner(), settle, texts])).kind is OutcomeKind.CONVERGED
    assert log(board, "web") is None


def _prose(context):
    with context.transaction() as transaction:
        transaction.decision(f"task/{context.target}")
        side = "implements" if context.target == "storage" else "uses"
        if transaction.decision("api/storage", side=side) is not None:
            transaction.component(context.target)
            transaction.write(context.target, {f"{context.target}.md": "…"})


def test_whether_it_starts_is_said_by_the_library_alone(board):
    built(board)
    with pytest.raises(NotPermitted), board.transaction("ann", role="operator") as transaction:
        transaction.verdict("starts", "web", passed=False)


# --- programs, started in the sandbox --------------------------------------------------------------------------------


def faults(files, **probes):
    """Return what is wrong with a program whose files are a component each."""
    encoded = {path: text.encode() for path, text in files.items()}
    program = starts.Program(encoded, {path: [path] for path in files}, probes, sorted(files))
    command, laid = starts.start(program)
    return starts.faults_of(Sandbox("plain", Limits()).run(command, laid), program)


def test_packages_folders_of_sources_and_data_start():
    assert not faults({
        "notes/__init__.py": "from notes.store import NAMES\n",
        "notes/store.py": "from pathlib import Path\nNAMES = Path('data/names.txt').read_text()\n",
        "notes/__main__.py": "raise SystemExit('is started, not imported')\n",
        "src/words.py": "import notes\n",
        "data/names.txt": "ann",
        "tests/test_notes.py": "import no_test_runner\n",
        "my-script.py": "1/0\n",
        "run.py": "raise SystemExit(0)\n",
    }, run=["python", "run.py", "--help"])  # fmt: skip


def test_each_fault_has_its_place_and_who_imports_it_is_not_blamed():
    found = faults({
        "a.py": "import b\n",
        "b.py": "\nx = 1 / 0\n",
        "c.py": "def f(:\n",
        "d.py": "import sys\nsys.exit(3)\n",
        "e.py": "import os\nos._exit(0)\n",
        "f.py": "from a_b import c\n",
        "g.py": "pass\n",
    })  # fmt: skip
    assert found == {
        "b.py": ["b.py:2: import a: ZeroDivisionError: division by zero"],
        "c.py": ["c.py:1: import c: SyntaxError: invalid syntax"],
        "d.py": ["d.py:2: import d: SystemExit: 3"],
        "e.py": ["e.py: import e: it ended the process when it was imported"],
        "f.py": ["f.py:1: import f: ModuleNotFoundError: No module named 'a_b'"],
    }


def test_an_import_that_comes_late_is_looked_up_and_one_that_may_fail_is_not():
    found = faults({
        "main.py": "import sys\nif __name__ == '__main__':\n    if '--help' in sys.argv:\n        sys.exit()\n"
                   "    from words_lib import count\n",
        "pack/__init__.py": "",
        "pack/__main__.py": "import nowhere\n",
        "late.py": "def f():\n    import elsewhere.far\n    from . import main\n",
        "light.py": "import sys\ntry:\n    import numpy_not_here\nexcept ImportError:\n    numpy = None\n"
                    "if sys.platform == 'win32':\n    import msvcrt\n",
        "setup.py": "import no_tool\n",
        "right.py": "def f():\n    import pack, main, json.decoder\n",
    }, main=["python", "main.py", "--help"])  # fmt: skip
    assert found == {
        "late.py": ["late.py:2: import elsewhere.far: ModuleNotFoundError: No module named 'elsewhere.far'"],
        "main.py": ["main.py:5: import words_lib: ModuleNotFoundError: No module named 'words_lib'"],
        "pack/__main__.py": ["pack/__main__.py:1: import nowhere: ModuleNotFoundError: No module named 'nowhere'"],
    }


def test_what_hangs_is_ended_and_named(monkeypatch):
    monkeypatch.setattr(starts, "EACH_SECONDS", 0.3)
    found = faults({"a.py": "import time\ntime.sleep(99)\n", "b.py": "import nowhere\n"})
    assert found["a.py"] == ["a.py: import a: it did not end within 0.3 s when it was imported"]
    assert "No module named 'nowhere'" in found["b.py"][0]
    found = faults({"a.py": "while True: pass\n"}, a=["python", "a.py"])
    assert found == {"a": ["a: `python a.py` did not end within 0.3 s"]}


def test_an_entry_point_that_is_not_there_is_named():
    found = faults({"a.py": ""}, a=["no-such-program", "--help"])
    assert found == {"a": ["a: `no-such-program --help` cannot be started: No such file or directory"]}


def test_a_program_that_ends_what_starts_it_blames_all():
    program = starts.Program({}, {}, {}, ["a", "b"])
    found = starts.faults_of(Sandbox("plain", Limits()).run([sys.executable, "-c", "print('oh')"], {}), program)
    said = "the program could not be started: what starts it ended with status 0\noh"
    assert found == {"a": [said], "b": [said]}
