"""What is written for users is true: the README's examples run and print what they say, and its tables are complete."""

import ast
import doctest
import inspect
import re
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import closing
from importlib import import_module
from pathlib import Path

import pytest
import typer.main
from test_exports import PUBLIC, defined_errors, parse_tree, public_names
from tools import ROOT, python_files, repository_files, shown

from blackboard import Blackboard, Context, Source, Team
from blackboard.cli.main import _app
from blackboard.cli.teamfile import Options
from knowledge_sources import ScriptedChatModel

README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = [
    "python3 -m venv .venv && .venv/bin/pip install -e . && .venv/bin/bb run examples/recipes",
    "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/pytest",
]
BB = Path(sys.executable).parent / "bb"
FIRST_LINES = 30


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of the README in a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def bb_commands() -> dict[str, set[str]]:
    """Return the commands of `bb` with their options: `board create` -> its options."""
    found: dict[str, set[str]] = {}

    def walk(command, path):
        if hasattr(command, "commands"):
            for name, below in command.commands.items():
                walk(below, [*path, name])
        else:
            found[" ".join(path)] = {"--help"} | {option for one in command.params for option in one.opts}

    walk(typer.main.get_command(_app()), [])
    return found


# --- the README's examples ---


def test_the_first_examples_are_read_within_thirty_lines() -> None:
    beginning = "\n".join(README.splitlines()[:FIRST_LINES])
    assert blocks("python")[0] in beginning
    assert blocks("console")[0] + "```" in beginning
    assert [line.count("`") for line in README.splitlines()[:4]] == [0, 0, 0, 3]


def test_the_first_examples_do_what_they_say(tmp_path: Path) -> None:
    example, session = blocks("python")[0], blocks("console")[0]
    ran = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, check=True)
    (said,) = re.findall(r"print\(conflict\)  # (.*) …$", example, re.MULTILINE)
    assert ran.stdout.startswith(said)
    for asked, answer in re.findall(r"^\$ bb (.*)\n((?:(?!\$ ).*\n)*)", session, re.MULTILINE):
        got = subprocess.run([BB, *asked.split()], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert got.stdout == answer


def test_what_a_change_means_is_said_as_the_readme_says_it() -> None:
    (example,) = [block for block in blocks("python") if ".compare(" in block]
    ran = subprocess.run([sys.executable, "-c", example], capture_output=True, text=True, check=True)
    said = re.findall(r"^print\(.*\)  # (.*)$", example, re.MULTILINE)
    assert ran.stdout.splitlines()[:2] == said[:2]
    assert "right with the new contract, wrong with the old one" in ran.stdout


def test_the_team_of_the_readme_is_well_formed() -> None:
    names: dict[str, object] = {}
    exec(blocks("python")[1], names)  # noqa: S102 - our own README
    team = names["team"](Options(model=ScriptedChatModel(answer=lambda _: {})))
    assert isinstance(team, Team)
    assert {"choreography/team", "role/coder", "member/pia"} <= set(team.records())


def test_the_source_of_the_readme_is_one() -> None:
    names: dict[str, object] = {}
    exec(blocks("python")[2], names)  # noqa: S102 - our own README
    source = names["writer"]
    assert isinstance(source, Source)
    assert (source.name, source.role, len(source.triggers)) == ("writer", "coder", 2)
    assert names["Context"] is Context


def test_the_two_commands_stand_there_as_they_are_tested() -> None:
    assert [line.strip() for line in README.splitlines() if line.startswith("    python3")] == COMMANDS
    assert "README.md" in (ROOT / ".ci/run").read_text("utf-8")


# --- the README's tables ---


def test_every_command_is_in_the_readme_and_every_one_in_the_readme_is_there() -> None:
    known = bb_commands()
    named = re.findall(r"`(?:\$ )?bb ((?:board )?[a-z]+)([^`\n]*)`", README)
    assert {command for command, _ in named} == set(known)
    for command, rest in named:
        assert set(re.findall(r"--[a-z-]+", rest)) - known[command] == set(), command


def test_every_exported_name_is_in_the_readme_under_its_module() -> None:
    for module in PUBLIC:
        (row,) = re.findall(rf"^\| `{re.escape(module.__name__)}` \| (.*) \|$", README, re.MULTILINE)
        named = set(re.findall(r"`(\w+)`", row))
        expected = set(public_names(module)) - (set(defined_errors()) | {"Premise"})
        assert named == expected, module.__name__


def test_the_tree_of_errors_in_the_readme_is_that_of_the_code() -> None:
    drawn = README[README.index("    BlackboardError") :]
    assert parse_tree(drawn[: drawn.index("\n\n")]) == defined_errors()


def test_the_map_of_the_house_names_every_room_once() -> None:
    named = re.findall(r"`((?:blackboard|knowledge_sources|migrations|examples|tests)(?:/[\w./]*)?)`", README)
    section = README[README.index("## The house") : README.index("Each imports only")]
    rooms = [name.rstrip("/") for name in re.findall(r"`(\w+/[\w.]*)/?`", section)]
    assert [name for name in {*named, *rooms} if not (ROOT / name).exists() and name != "blackboard/migrations"] == []
    there = {f"blackboard/{path.name}" for path in (ROOT / "blackboard").iterdir() if path.suffix == ".py"}
    there |= {f"blackboard/{path.name}" for path in (ROOT / "blackboard").iterdir() if (path / "__init__.py").exists()}
    assert there - {"blackboard/__init__.py"} - set(rooms) == set()


def test_a_board_is_readable_by_the_views_that_the_readme_names(location: Path) -> None:
    (sentence,) = re.findall(r"^A board is one SQLite file.*?\n\n", README, re.MULTILINE | re.DOTALL)
    views = {*re.findall(r"`(\w+)`", sentence), *re.findall(r"FROM (\w+)", sentence)}
    assert len(views) == 6
    Blackboard.open(location, create=True).close()
    with closing(sqlite3.connect(location)) as plain:
        assert [view for view in views if plain.execute(f"SELECT * FROM {view}").fetchall()] == []


@pytest.mark.parametrize("path", [path for path in repository_files() if path.suffix == ".md"], ids=shown)
def test_every_link_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", path.read_text("utf-8"))
    inside = [link.partition("#")[0] for link in links if "://" not in link]
    assert [link for link in inside if link and not (path.parent / link).exists()] == []


def test_the_changelog_tells_of_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    said = rf"^## \[{re.escape(version)}\]|^What will be {re.escape(version)}:"
    assert re.search(said, changelog, re.MULTILINE)


# --- docstrings ---


def documented(tree: ast.AST) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (text := ast.get_docstring(node)):
            yield node, text


def described_parameters(text: str) -> set[str]:
    """Return the names that the section `Args` of a docstring describes."""
    section = re.search(r"^Args:\n((?:    .*\n|\n)+)", text + "\n", re.MULTILINE)
    heads = re.findall(r"^    ([\w*, ]+):", section[1], re.MULTILINE) if section else []
    return {name.strip(" *") for head in heads for name in head.split(",")}


def parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    every = node.args
    rest = [one for one in (every.vararg, every.kwarg) if one is not None]
    return {one.arg for one in (*every.posonlyargs, *every.args, *every.kwonlyargs, *rest)}


def test_a_docstring_describes_only_parameters_that_are_there() -> None:
    wrong = [
        f"{shown(path)}:{node.lineno} {node.name} {sorted(unknown)}"
        for path in python_files("blackboard", "knowledge_sources")
        for node, text in documented(ast.parse(path.read_text("utf-8")))
        if (unknown := described_parameters(text) - parameters(node))
    ]
    assert wrong == []


def test_a_parameter_that_is_described_and_not_there_is_noticed() -> None:
    tree = ast.parse(
        'def find(key, *, limit=1):\n    """Find.\n\n    Args:\n        key: One.\n        size: Gone.\n    """\n'
    )
    ((node, text),) = documented(tree)
    assert described_parameters(text) - parameters(node) == {"size"}


@pytest.mark.parametrize("module", PUBLIC, ids=lambda module: module.__name__)
def test_everything_that_a_user_can_call_is_described(module) -> None:
    undescribed = []
    for name in public_names(module):
        value = getattr(module, name)
        members = vars(value).items() if inspect.isclass(value) else ()
        undescribed += [
            f"{name}.{member}"
            for member, found in members
            if not member.startswith("_") and (callable(found) or isinstance(found, property | classmethod))
            if not inspect.getdoc(found)
        ]
    assert undescribed == []


def test_the_examples_in_docstrings_print_what_they_say() -> None:
    tried = 0
    for path in python_files("blackboard", "knowledge_sources"):
        if ">>> " not in path.read_text("utf-8"):
            continue
        name = shown(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        result = doctest.testmod(import_module(name))
        assert result.failed == 0, name
        tried += result.attempted
    assert tried > 0
