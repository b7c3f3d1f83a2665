"""The second example: an unrelated team, run by the same sources from its own data alone."""

import subprocess
import sys
from pathlib import Path

import pytest

from blackboard import Blackboard, Contract, Controller
from blackboard.cli.teamfile import Options, load_team
from blackboard.testing import open_memory

EXAMPLES = Path(__file__).parents[2] / "examples"
CALLS = {"symbols": ("3", "km", "m"), "words": ("3", "kilometre", "metre")}


def build(board, folder):
    team = load_team(EXAMPLES / "units" / "team.py", Options())
    outcome = Controller(board, team).run()
    board.snapshot().export(folder)
    return outcome


def convert(folder, *arguments):
    return subprocess.run(
        [sys.executable, "units.py", *arguments], cwd=folder, capture_output=True, text=True, timeout=30, check=False
    )


def test_it_converges_and_what_it_exports_runs(tmp_path):
    with Blackboard.open(tmp_path / "board.db", create=True) as board:
        outcome = build(board, tmp_path / "program")
        names = board.snapshot().decision("units/names").value
    assert outcome.kind == "converged", outcome.obligations
    assert convert(tmp_path / "program", *CALLS[names]).stdout == "3000.0\n"


@pytest.mark.parametrize("names", ["symbols", "words"])
@pytest.mark.parametrize("unknown", ["error", "nothing"])
def test_what_the_operator_decided_before_is_what_is_built(tmp_path, names, unknown):
    with open_memory() as board:
        with board.transaction("ann", role="operator") as transaction:
            transaction.decide("units/names", Contract.value(names))
            transaction.decide("convert/unknown", Contract.value(unknown))
        assert build(board, tmp_path).kind == "converged"
    assert convert(tmp_path, *CALLS[names]).stdout == "3000.0\n"
    refused = convert(tmp_path, "3", "cubit", "cubit")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "cubit cannot be converted to cubit" in refused.stderr


def test_a_lost_proposal_is_followed_by_one_that_meets_the_votes(tmp_path):
    with open_memory() as board:
        build(board, tmp_path)
        versions = board.snapshot().versions("convert/digits")
    assert [(version.state, version.contract.text, version.round) for version in versions] == [
        ("rejected", "12", 1),
        ("accepted", "6", 2),
    ]
