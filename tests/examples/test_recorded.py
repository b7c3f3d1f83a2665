"""The run that was recorded from a model: replayed it converges, and it answers no prompt that was not recorded."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from blackboard import Contract, Controller, InvalidTeam
from blackboard.cli.calls import calls
from blackboard.cli.teamfile import Options, load_team
from blackboard.testing import open_memory
from knowledge_sources import ScriptedChatModel

RECORDED = Path(__file__).parents[2] / "examples" / "recorded"


def replayed(program, *, decide=None):
    """Run the team without a model, and export what it builds; return outcome, decisions and the replies it got."""
    with open_memory() as board:
        if decide is not None:
            with board.transaction("ann", role="operator") as transaction:
                transaction.decide(*decide)
        outcome = Controller(board, load_team(RECORDED / "team.py", Options())).run()
        snapshot = board.snapshot()
        keys = {one.key for one in (*snapshot.decisions(), *snapshot.components())}
        snapshot.export(program)
        return (
            outcome,
            snapshot.decisions(),
            {call.reply_text for key in keys for call in calls(board.store, key).calls},
        )


def copied(folder):
    return shutil.copytree(RECORDED, folder, ignore=shutil.ignore_patterns("board.db*", "program", "__pycache__"))


def test_replayed_it_converges_to_a_program_that_runs(tmp_path):
    outcome, decisions, _ = replayed(tmp_path)
    assert outcome.kind == "converged", outcome.obligations
    tasks = [one.contract.facets for one in decisions if one.contract.language == "task"]
    (command,) = [task["command"] for task in tasks if "command" in task]
    (tmp_path / "poem.txt").write_text("one fish two fish\nred fish\n", "utf-8")
    assert command[0] == "python"
    ran = subprocess.run(
        [sys.executable, *command[1:], "poem.txt"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    assert ran.stdout.split()[0] == "6"


def test_each_reply_says_which_model_gave_it_and_is_used(tmp_path):
    recorded = [json.loads(path.read_text("utf-8")) for path in (RECORDED / "calls").glob("*.json")]
    assert all(one["model"] for one in recorded)
    _, _, used = replayed(tmp_path)
    assert used == {one["reply"] for one in recorded}


def test_a_prompt_that_was_not_recorded_has_no_reply(tmp_path):
    outcome, _, _ = replayed(tmp_path, decide=("prompt", Contract.text("make me a command that counts lines")))
    assert outcome.kind == "aborted"
    assert any("no reply to this prompt is recorded" in one.reason for one in outcome.obligations), outcome.obligations


def test_a_model_is_recorded_and_a_run_without_one_is_not(tmp_path):
    folder = copied(tmp_path / "new")
    shutil.rmtree(folder / "calls")
    model = ScriptedChatModel(answer=lambda _: {"tasks": [], "questions": [], "decisions": []})
    with open_memory() as board:
        Controller(board, load_team(folder / "team.py", Options(model=model, values={"record": "yes"}))).run()
    (call,) = [json.loads(path.read_text("utf-8")) for path in (folder / "calls").glob("*.json")]
    assert call["model"] == "scripted"
    with pytest.raises(InvalidTeam, match="no model"):
        load_team(folder / "team.py", Options(values={"record": "yes"}))
