"""The recipes team at work: what it agrees, who is wrong once, and what an amendment rebuilds."""

import itertools
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from recipes_runs import bb, holds

from blackboard import Blackboard, Contract, Controller, Inconsistent, NotPermitted
from blackboard.cli import report
from blackboard.cli.exits import Exit
from blackboard.cli.teamfile import Options, load_team
from blackboard.testing import open_memory

RECIPES = Path(__file__).parents[2] / "examples" / "recipes"
pytestmark = pytest.mark.xdist_group("recipes-team")

SCALE = ("api/recipe", "rating.scale")


def team(folder=RECIPES, *, seed=None, **values):
    return load_team(folder / "team.py", Options(seed=seed, values={"latency": "no", **values}))


def run(board, **values):
    return Controller(board, team(**values)).run()


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A board on which the team has run, and the program that it gives."""
    place = tmp_path_factory.mktemp("recipes")
    with Blackboard.open(place / "board.db", create=True) as board:
        outcome = run(board)
        assert outcome.kind == "converged", outcome.obligations
        board.snapshot().export(place / "program")
        yield board, place / "program"


def test_the_exported_program_works(finished):
    _, program = finished
    command = [sys.executable, RECIPES / "end_to_end.py", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_question_was_voted(finished):
    board, _ = finished
    asked = {change.key for change in board.changes(after=0) if change.kind == "asked"}
    assert len(asked) >= 5
    for key in asked:
        versions = board.snapshot().versions(key)
        accepted = next(version for version in versions if version.author == "arthur" and version.state != "rejected")
        assert sum(vote.approve for vote in accepted.votes) >= 3


def test_what_most_would_not_have_was_lost_first(finished):
    board, _ = finished
    versions = board.snapshot().versions("api/durations")
    assert [(version.state, version.contract.text) for version in versions] == [
        ("rejected", '{"unit":"seconds"}'),
        ("accepted", '{"unit":"minutes"}'),
    ]


def test_one_expert_is_wrong_once_and_mends_it_by_the_log(finished):
    board, _ = finished
    changes = [change for change in board.changes(after=0) if change.key == "schema"]
    wrong = next(change for change in changes if change.kind == "judged")
    [verdict] = board.snapshot(at=wrong.revision).verdicts("schema")
    assert not verdict.passed
    assert "table recipes already exists" in verdict.log
    later = [change.version for change in changes if change.kind == "written" and change.revision > wrong.revision]
    assert later[0] == 2


def test_an_amendment_rebuilds_exactly_what_relies_on_the_changed_facet(finished):
    board, _ = finished
    [amended] = [change.revision for change in board.changes(after=0) if change.author == "olga"][-1:]
    before, after = board.snapshot(at=amended - 1), board.snapshot()
    relying = {one.key for one in before.components() if SCALE in {(pin.key, pin.name) for pin in one.pins}}
    on_others = {
        one.key
        for one in before.components()
        if "api/recipe" in {pin.key for pin in one.pins} and one.key not in relying
    }
    rewritten = {one.key for one in after.components() if one.revision > amended}
    assert rewritten == relying == {"schema", "service", "web_page"}
    assert on_others == {"storage", "cli"}


def test_run_again_it_changes_nothing(finished):
    board, _ = finished
    before = board.revision, board.snapshot().convergence().fingerprint
    outcome = run(board)
    assert (board.revision, outcome.fingerprint) == before


def test_other_preferences_are_another_interpretation_that_converges():
    flipped = json.dumps({name: {"api/ids": [{"kind": "int"}, {"kind": "uuid"}]} for name in ("rita", "ruby", "raj")})
    with open_memory() as board:
        assert run(board, prefers=flipped, amend="no").kind == "converged"
        assert board.snapshot().decision("api/ids").value == {"kind": "int"}


def test_a_missing_reply_ends_stalled_and_is_named(tmp_path):
    folder = tmp_path / "recipes"
    shutil.copytree(RECIPES, folder, ignore=shutil.ignore_patterns("board.db*", "program", "__pycache__"))
    script = (folder / "experts.toml").read_text("utf-8")
    missing = '[[reply]]\nrole = "coder"\nact = "write"\ntarget = "cli"\ntexts = ["cli.py"]\n'
    assert missing in script
    (folder / "experts.toml").write_text(script.replace(missing, ""), "utf-8")
    with open_memory() as board:
        outcome = Controller(board, team(folder, amend="no")).run()
    assert outcome.kind == "stalled"
    reasons = [obligation.reason for obligation in outcome.obligations if obligation.key == "cli"]
    assert any("has no reply of" in reason and "write cli" in reason for reason in reasons), outcome.obligations


# ---- demands that cannot be met together ----------------------------------------------------------------------------

QUESTIONS = {"api/ids": ("int", "uuid"), "api/id_maker": ("server", "client")}
DEMANDS = {"constraint/offline", "constraint/short", "constraint/unique"}


@pytest.fixture(scope="module")
def demanded(tmp_path_factory):
    """A board on which the customer demanded what cannot be, and how the run of four workers ended."""
    with Blackboard.open(tmp_path_factory.mktemp("demands") / "board.db", create=True) as board:
        yield board, run(board, demands="yes")


def decide(board, values, *, gives_way=()):
    def rule(transaction):
        for key in (*gives_way, *values):
            transaction.decision(key)
        for key in gives_way:
            transaction.retract(key, reason="it is not so important")
        for key, value in values.items():
            transaction.decide(key, Contract.value(value))

    board.run_transaction(rule, "carla", role="operator")


def answers(kind, made_by):
    return {"api/ids": {"kind": kind}, "api/id_maker": {"made_by": made_by}}


def test_a_contradiction_between_two_open_questions_is_shown_before_anybody_builds(demanded):
    board, outcome = demanded
    snapshot = board.snapshot()
    shown = report.status(board, outcome=outcome).possible
    assert (shown.kind, shown.why) == ("unsatisfiable", "")
    assert {member.key for member in shown.clash} == {*DEMANDS, *QUESTIONS}
    questions = {one.key: one for one in snapshot.questions()}
    assert {questions[key].author for key in QUESTIONS} == {"paula"}
    [told] = [one for one in questions.values() if one.author == "petra"]
    assert all(member.said in told.question for member in shown.clash)
    assert snapshot.components() == ()


def test_what_is_left_waits_for_the_customer_and_nobody_gave_up(demanded):
    _, outcome = demanded
    assert outcome.kind == "stalled"
    assert outcome.waits_for_a_person
    assert {name for one in outcome.obligations for name in one.waits_for} == {"carla"}
    assert not [one for one in outcome.obligations if "gave up" in one.reason]


def test_while_it_stands_no_commit_builds_and_none_answers_both_questions(demanded):
    board, _ = demanded
    head = board.revision
    for component in ("schema", "storage"):
        with pytest.raises(NotPermitted) as refused, board.transaction("cora") as transaction:
            transaction.decision(f"task/{component}"), transaction.decisions("**")
            transaction.write(component, {"x.py": "x"})
        assert refused.value.waits_for[0] == "api/ids to be accepted"
    for kind, made_by in itertools.product(*QUESTIONS.values()):
        with pytest.raises(Inconsistent):
            decide(board, answers(kind, made_by))
    assert board.revision == head


def test_when_the_customer_has_given_way_it_is_built_and_works(tmp_path):
    with Blackboard.open(tmp_path / "board.db", create=True) as board:
        assert run(board, demands="yes").waits_for_a_person
        decide(board, answers("uuid", "client"), gives_way=["constraint/short"])
        outcome = run(board, demands="yes")
        assert outcome.kind == "converged", outcome.obligations
        board.snapshot().export(tmp_path / "program")
    passed, said = holds(tmp_path / "program", stop_early=True)
    assert passed, said


def test_the_command_ends_with_the_status_of_what_waits_for_a_person_and_says_it_in_a_screen(tmp_path):
    place = ("--board", tmp_path / "board.db")
    done = bb("run", RECIPES, "--option", "demands=yes", "--option", "latency=no", *place)
    assert done.returncode == Exit.PERSON, done.stdout
    said = bb("status", *place).stdout.splitlines()
    assert len(said) < 25
    assert "impossible   no choice of options meets these together:" in said
    assert sum(line.startswith("  storage: ") for line in said) == 1
