"""What a check's command is given, what its verdict tells, and when it runs again."""

import json

import pytest
from simulated_teams import TASKS, architect, coder, planner, run, said

from blackboard import on
from blackboard.contracts.language import Contract
from blackboard.control import sandbox
from blackboard.control.checks import DECISIONS_FILE, assemble
from blackboard.control.simulation import virtual_board
from blackboard.control.source import knowledge_source
from blackboard.control.team import Check, Team
from blackboard.errors import InvalidTeam
from blackboard.spec.convergence import OutcomeKind

LISTS = Check(
    "unit",
    on="*",
    command=["python", "-c", "import json, os; print(sorted(f for _, _, fs in os.walk('.') for f in fs))"],
)


@pytest.fixture
def board():
    with virtual_board() as board:
        yield board


def team(check: Check = LISTS, **tasks: object) -> Team:
    return Team("take notes", [planner(tasks or TASKS), architect(), coder()], checks=[check])


def test_it_gets_the_component_and_all_that_it_rests_on_and_nothing_else(board):
    assert run(board, team()).kind is OutcomeKind.CONVERGED
    logs = {name: board.snapshot().verdicts(name)[0].log.splitlines()[0] for name in TASKS}
    assert logs == {
        "storage": "['decisions.json', 'storage.txt']",
        "server": "['decisions.json', 'server.txt', 'storage.txt']",
        "web": "['decisions.json', 'server.txt', 'storage.txt', 'web.txt']",
    }


def test_the_decisions_that_the_component_pins_lie_beside_it(board):
    run(board, team())
    transaction = board.transaction("unit")
    inputs = assemble(transaction, "server")
    decisions = json.loads(inputs[DECISIONS_FILE])
    assert set(decisions) == {"task/server", "api/notes", "db/schema"}
    assert decisions["db/schema"] == {
        "version": 1,
        "language": "value",
        "value": {"is": "db/schema"},
        "text": Contract.value({"is": "db/schema"}).text,
    }
    assert transaction.reads_touched_by(["storage"])
    assert transaction.reads_touched_by(["db/schema"])
    assert not transaction.reads_touched_by(["web"])
    assert assemble(board.transaction("unit"), "nothing") is None


def test_two_components_with_a_file_of_one_name_are_told_apart_by_a_person(board):
    @knowledge_source(name="coder", role="coder", on=on.required("*"))
    def careless(context):
        with context.transaction() as transaction:
            facets = transaction.decision(f"task/{context.target}").contract.facets
            for side in ("implements", "uses"):
                for key in facets[side]:
                    transaction.decision(key, side=side)
            transaction.component(context.target)
            transaction.write(context.target, {"main.txt": context.target})

    outcome = run(board, Team("x", [planner(), architect(), careless], checks=[LISTS]))
    assert outcome.kind is OutcomeKind.STALLED
    assert any("InvalidTeam" in one.reason and "both hold main.txt" in one.reason for one in outcome.obligations)
    with pytest.raises(InvalidTeam):
        assemble(board.transaction("unit"), "web")


def test_a_failure_tells_the_output_and_the_status(board):
    check = Check("unit", on="storage", command=["python", "-c", "import sys; print('no good'); sys.exit(4)"])
    outcome = run(board, team(check, storage=({}, {})))
    assert outcome.kind is not OutcomeKind.CONVERGED
    (verdict,) = board.snapshot().verdicts("storage")
    assert not verdict.passed
    assert verdict.log.splitlines()[:2] == ["no good", "[exit status 4]"]
    assert verdict.log.splitlines()[2].startswith("[python 3.")
    assert "storage" in said(outcome)


def test_a_check_that_takes_too_long_fails_and_says_so(board):
    check = Check("unit", on="*", command=["sleep", "60"], timeout_seconds=0.2)
    run(board, team(check, storage=({}, {})))
    (verdict,) = board.snapshot().verdicts("storage")
    assert not verdict.passed
    assert "[killed after 0.2 s]" in verdict.log


def test_a_changed_part_is_checked_again_with_all_that_rests_on_it(board):
    run(board, team())
    before = board.revision
    with board.transaction("ann", role="operator") as transaction:
        transaction.decision("db/schema")
        transaction.decide("db/schema", Contract.value({"is": "other"}))
    assert run(board, team()).kind is OutcomeKind.CONVERGED
    changes = [(one.kind, one.key) for one in board.changes(after=before)]
    assert sorted(key for kind, key in changes if kind == "written") == ["server", "storage"]
    assert sorted(key for kind, key in changes if kind == "judged") == ["server", "storage", "web"]


def test_a_check_of_one_part_leaves_the_others_alone(board):
    run(board, team())
    before = board.revision
    with board.transaction("ann", role="operator") as transaction:
        transaction.component("web")
        transaction.decision("api/notes")
        transaction.decision("task/web")
        transaction.write("web", {"web.txt": "# another\n"})
    assert run(board, team()).kind is OutcomeKind.CONVERGED
    assert [one.key for one in board.changes(after=before) if one.kind == "judged"] == ["web"]


def test_who_judges_by_reading_looks_again_when_something_is_written_on_which_it_rests(board):
    judged = []

    @knowledge_source(name="tess", role="tester", on=on.written("*"))
    def judge(context):
        judged.append(context.target)
        with context.transaction() as transaction:
            transaction.verdict("read", context.target, passed=True)

    by_reading = Check("read", on="*")
    members = Team("take notes", [planner(TASKS), architect(), coder(), judge], checks=[by_reading])
    assert run(board, members).kind is OutcomeKind.CONVERGED
    judged.clear()
    with board.transaction("boss", role="operator") as boss:
        boss.component("storage")
        boss.decision("db/schema", side="implements")
        boss.write("storage", {"storage.txt": "# by hand\n"})
    assert run(board, members).kind is OutcomeKind.CONVERGED
    assert sorted(judged) == ["server", "storage", "web"]


def test_without_the_tool_of_the_sandbox_the_run_ends_and_no_check_has_failed(board, tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox, "_best_kind", lambda: "bwrap")
    monkeypatch.setenv("PATH", str(tmp_path))
    outcome = run(board, team())
    assert outcome.kind is OutcomeKind.ABORTED
    assert "apt install bubblewrap" in outcome.obligations[0].reason
    assert [verdict for name in TASKS for verdict in board.snapshot().verdicts(name) if not verdict.passed] == []
