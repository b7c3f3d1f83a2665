"""The check that every team has: when it runs, what it says, and that nothing converges that does not conform."""

import pytest
from simulated_teams import architect, builders, free, run

from blackboard import on
from blackboard.contracts.language import Contract
from blackboard.control.simulation import virtual_board
from blackboard.control.source import external, knowledge_source
from blackboard.control.team import Check, Team
from blackboard.errors import NotPermitted
from blackboard.spec.convergence import OutcomeKind

STUB = "def load(key: int) -> str: ...\n"
USES = "from storage import load\n\ndef main() -> str:\n    return load(1)\n"
PASSES = Check("unit", on="*", command=["python", "-c", "pass"])


@pytest.fixture
def board():
    with virtual_board() as board:
        yield board


def planner():
    @knowledge_source(name="planner", role="planner", on=on.accepted("prompt"))
    def plan(context):
        with context.transaction() as transaction:
            transaction.decision("prompt")
            if transaction.decision("task/storage") is None:
                transaction.decide("task/storage", Contract.task(summary="s", implements=["code/storage"]))
                transaction.decide("task/web", Contract.task(summary="w", uses=["code/storage"]))

    return plan


def architect_of(stub):
    @knowledge_source(name="architect", role="architect", on=on.required("code/*"))
    def settle(context):
        with context.transaction() as transaction:
            if transaction.decision(context.target) is None:
                transaction.decide(context.target, Contract.python(stub))

    return settle


def coder(*attempts):
    """Return who writes each text of the storage in turn, a next one when the one before did not conform."""
    texts = list(attempts)

    @knowledge_source(name="coder", role="coder", on=[on.required("*"), on.stale("*"), on.failed("conformance")])
    def write(context):
        with context.transaction() as transaction:
            transaction.decision(f"task/{context.target}")
            storage = context.target == "storage"
            transaction.decision("code/storage", side="implements" if storage else "uses")
            transaction.component(context.target)
            text = (texts.pop(0) if len(texts) > 1 else texts[0]) if storage else USES
            transaction.write(context.target, {f"{context.target}.py": text})

    return write


def judged(board, component):
    """Return how the checks of a component ended; whether the whole program starts is another question."""
    return [(one.check, one.passed) for one in board.snapshot().verdicts(component) if one.check != "starts"]


def verdict_on(board, component):
    (found,) = [one for one in board.snapshot().verdicts(component) if one.check == "conformance"]
    return found


def test_a_changed_docstring_has_its_implementers_and_users_judged_again_and_nobody_rewritten(board):
    documented = 'def load(key: int) -> str:\n    """Return a text, in {}."""\n'
    team = Team("x", [planner(), architect_of(documented.format("words")), coder(GOOD[-1])], checks=[PASSES])
    assert run(board, team).kind is OutcomeKind.CONVERGED
    with board.transaction("ann", role="operator") as transaction:
        transaction.decision("code/storage")
        transaction.decide("code/storage", Contract.python(documented.format("characters")))
    assert {one.state for one in board.snapshot().components()} == {"suspect"}
    assert run(board, team).kind is OutcomeKind.CONVERGED
    assert {(one.state, one.version) for one in board.snapshot().components()} == {("current", 1)}


@pytest.mark.parametrize("checks", [[], [PASSES]])
def test_what_does_not_conform_is_written_again_and_implementers_and_users_are_judged(board, checks):
    team = Team("x", [planner(), architect_of(STUB), coder("def load(key): return 1 +\n", *GOOD)], checks=checks)
    assert run(board, team).kind is OutcomeKind.CONVERGED
    own = [(one.name, True) for one in checks]
    assert judged(board, "storage") == [("conformance", True), *own]
    assert judged(board, "web") == [("conformance", True), *own]
    assert board.snapshot().component("storage").version == 3


GOOD = ("def load(key: str) -> str: return key\n", "def load(key: int) -> str: return str(key)\n")


def test_what_never_conforms_does_not_converge_and_the_log_names_file_line_and_facet(board):
    team = Team("x", [planner(), architect_of(STUB), coder("\ndef load(key: int) -> int: return key\n")])
    outcome = run(board, team)
    assert outcome.kind is not OutcomeKind.CONVERGED
    (why,) = [one.reason for one in outcome.obligations if one.key == "storage"]
    assert why.startswith("check conformance failed: storage.py:2: by the contract `def load")
    verdict = verdict_on(board, "storage")
    first, last = verdict.log.splitlines()
    assert first == "storage.py:2: by the contract `def load(key: int) -> str`, but load is `Callable[[int], int]`"
    assert last.startswith("[python 3.")
    assert ", mypy " in last


def test_a_user_who_guesses_the_module_does_not_converge_and_the_outcome_names_it(board, monkeypatch):
    monkeypatch.setitem(globals(), "USES", USES.replace("from storage", "from app_storage"))
    outcome = run(board, Team("x", [planner(), architect_of(STUB), coder(GOOD[-1])]))
    assert outcome.kind is not OutcomeKind.CONVERGED
    (why,) = [one.reason for one in outcome.obligations if one.key == "web"]
    assert why == (
        "check conformance failed: web.py:1: import app_storage: there is no such module; "
        "code/storage is the module storage"
    )


def test_a_team_whose_contracts_cannot_judge_files_is_not_burdened(board):
    assert run(board, builders()).kind is OutcomeKind.CONVERGED
    assert judged(board, "storage") == []


def test_another_contract_is_another_verdict(board):
    team = Team("x", [planner(), architect_of(STUB), coder(GOOD[-1])])
    assert run(board, team).kind is OutcomeKind.CONVERGED
    with board.transaction("ann", role="operator") as transaction:
        transaction.decision("code/storage")
        transaction.decide("code/storage", Contract.python(STUB + "def save(key: int) -> None: ...\n"))
    outcome = run(board, team)
    assert outcome.kind is not OutcomeKind.CONVERGED
    verdict = verdict_on(board, "storage")
    assert verdict.log.startswith("storage.py: save is missing")


def test_a_team_that_joins_has_what_stands_judged(board):
    with board.transaction("ann") as transaction:
        transaction.decide("code/storage", Contract.python(STUB))
    with board.transaction("ann") as transaction:
        transaction.decision("code/storage", side="implements")
        transaction.write("storage", {"storage.py": GOOD[-1]})
    assert run(board, Team("x", [architect()], choreography=free("architect"))).kind is OutcomeKind.CONVERGED
    assert judged(board, "storage") == [("conformance", True)]


def test_whether_files_conform_is_said_by_the_library_alone(board):
    board.install(Team("x", [external("tess", role="tester", on=on.written("*"))], choreography=free("tester")))
    with board.transaction("tess") as transaction:
        transaction.decide("code/storage", Contract.python(STUB))
    with board.transaction("tess") as transaction:
        transaction.decision("code/storage", side="implements")
        transaction.write("storage", {"storage.py": GOOD[0]})
    with pytest.raises(NotPermitted):
        with board.transaction("tess") as transaction:
            transaction.verdict("conformance", "storage", passed=True)
    left = [one.reason for one in board.snapshot().convergence().obligations if one.key == "storage"]
    assert "check conformance has no verdict for the current inputs" in left


def test_files_cannot_make_the_type_checker_run_or_believe_them(board):
    sly = {
        "storage.py": "def load(key: int) -> int: return key\n",
        "storage.pyi": STUB,
        "mypy.py": "raise SystemExit(0)",
        "mypy/__main__.pyx": "",
        "mypy.ini": "[mypy]\nplugins = storage\nignore_errors = True",
        "pyproject.toml": "[tool.mypy]\nignore_errors = true",
        "conformance_probe_0.py": "",
    }

    @knowledge_source(name="coder", role="coder", on=on.required("*"))
    def write(context):
        with context.transaction() as transaction:
            storage = context.target == "storage"
            transaction.decision("code/storage", side="implements" if storage else "uses")
            transaction.decision(f"task/{context.target}")
            transaction.component(context.target)
            transaction.write(context.target, sly if storage else {"web.py": USES})

    run(board, Team("x", [planner(), architect_of(STUB), write]))
    verdict = verdict_on(board, "storage")
    assert not verdict.passed
    assert verdict.log.startswith("storage.py:1: by the contract")


TABLES = "create table note (id integer primary key, text text not null);"


@pytest.mark.parametrize(
    ("files", "passed", "said"),
    [
        ({"schema.sql": TABLES}, True, "[mypy "),
        ({"schema.sql": "\ncreate table note (id integer primary key);"}, False, "schema.sql:2: note.text is missing"),
        ({"schema.py": "pass"}, True, "db/schema could be judged by a file *.sql, and there is none"),
    ],
)
def test_tables_are_held_against_their_contract(board, files, passed, said):
    is_judged(board, "db/schema", Contract("sql", TABLES), files, passed=passed, said=said)


SCHEMA = {"type": "object", "properties": {"ttl": {"type": "integer"}, "name": {"pattern": "^(a+)+$"}}}


@pytest.mark.parametrize(
    ("files", "passed", "said"),
    [
        ({"conf/app.json": '{"ttl": 5}'}, True, "[mypy "),
        ({"conf/app.json": '{\n  "name": "a",\n  "ttl": "5"\n}'}, False, "conf/app.json:3: ttl: '5' is not of type"),
        ({"conf/app.json": '{\n  "ttl": 5,'}, False, "conf/app.json:2: "),
        ({"app.json": '{"name": "' + "a" * 5000 + '!"}'}, False, "app.json:1: name: "),
        ({"package.json": '{"ttl": "5"}'}, True, "conf/app could be judged by a file app.json, and there is none"),
    ],
)
def test_documents_are_held_against_their_contract(board, files, passed, said):
    is_judged(board, "conf/app", Contract.json_schema(SCHEMA), files, passed=passed, said=said)


def is_judged(board, key, contract, files, *, passed, said):
    with board.transaction("ann") as transaction:
        transaction.decide(key, contract)
    with board.transaction("ann") as transaction:
        transaction.write("storage", files, implements=[key])
    outcome = run(board, Team("x", [architect()], choreography=free("architect")))
    assert (outcome.kind is OutcomeKind.CONVERGED) is passed
    verdict = verdict_on(board, "storage")
    assert (verdict.passed, verdict.log.startswith(said)) == (passed, True), verdict.log
