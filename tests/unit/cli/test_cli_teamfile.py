import sys
from importlib.resources import files

import pytest
import typer
from langchain_core.language_models import GenericFakeChatModel

from blackboard.cli.teamfile import Options, load_team, parse_values, team_path
from blackboard.errors import InvalidTeam, TooLarge

TEAM = """
from dataclasses import dataclass
from blackboard import Team

@dataclass
class Wish:
    said: "str | None"

def team(options):
    return Team(f"{options.model} {options.seed} {dict(options.values)}", [])
"""


@pytest.fixture(autouse=True)
def path_and_modules_as_before(monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))


def written(folder, text):
    path = folder / "team.py"
    path.write_text(text)
    return path


def test_a_folder_or_a_file_names_the_team(tmp_path):
    path = written(tmp_path, TEAM)
    assert team_path(tmp_path) == team_path(path) == path.resolve()
    with pytest.raises(InvalidTeam, match="bb init"):
        team_path(tmp_path / "none")


def test_the_team_is_told_what_the_command_line_says(tmp_path):
    options = Options("fake:one", 7, {"size": "big"})
    assert load_team(written(tmp_path, TEAM), options).prompt == "fake:one 7 {'size': 'big'}"


def test_what_stands_beside_the_team_can_be_imported(tmp_path):
    (tmp_path / "beside_the_team.py").write_text("PROMPT = 'from beside'\n")
    path = written(
        tmp_path,
        "from blackboard import Team\nfrom beside_the_team import PROMPT\ndef team(options): return Team(PROMPT, [])\n",
    )
    assert load_team(path, Options()).prompt == "from beside"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\n", "has no function team"),
        ("team = 1\n", "has no function team"),
        ("def team(options): return []\n", "returned list"),
        ("def team(options:\n", "SyntaxError"),
        ("import no_such_module_anywhere\n", "ModuleNotFoundError"),
        ("def team(options):\n    return 1 / 0\n", r"ZeroDivisionError: division by zero \(team.py line 2\)"),
        ("raise SystemExit(0)\n", "SystemExit"),
        ("def team(options): return options.colour\n", "AttributeError"),
    ],
)
def test_a_team_that_cannot_be_had_is_one_typed_error_that_names_the_file(tmp_path, text, said):
    path = written(tmp_path, text)
    with pytest.raises(InvalidTeam, match=said) as caught:
        load_team(path, Options())
    assert str(path) in str(caught.value)


def test_a_typed_error_of_the_team_stays_what_it_is(tmp_path):
    path = written(tmp_path, "from blackboard import TooLarge\ndef team(options): raise TooLarge('x', 2, 1)\n")
    with pytest.raises(TooLarge):
        load_team(path, Options())


def test_the_team_that_init_writes_is_well_formed_once_it_has_a_model(tmp_path):
    text = (files("blackboard.cli") / "first_team.txt").read_text()
    path = written(tmp_path, text)
    with pytest.raises(InvalidTeam, match="--model PROVIDER:NAME"):
        load_team(path, Options())
    team = load_team(path, Options(model=GenericFakeChatModel(messages=iter(()))))
    assert {record.role for record in team.source_records()} == {
        "planner",
        "architect",
        "coder",
        "tester",
        "conformance",
        "starts",
    }
    assert "choreography/team" in team.records()


def test_options_of_the_team_are_names_and_values():
    assert parse_values(["a=1", "b=x=y", "c="]) == {"a": "1", "b": "x=y", "c": ""}
    for wrong in ("a", "=1", ""):
        with pytest.raises(typer.BadParameter):
            parse_values([wrong])
