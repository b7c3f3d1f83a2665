"""The house stands as it is drawn: layers, weight, sizes, and nothing in the core about an example or a machine.

Each look has a broken subject beside it that it must catch.
"""

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest
from tools import ROOT, python_files, repository_files, shown

CORE = ("blackboard", "knowledge_sources")
MODULE_LINES = 450

HEAVY = {"alembic", "langchain_core", "rich", "typer", "click", "watchdog", "jsonschema", "sqlglot", "z3", "mypy"}
"""Loaded by whoever uses them, and not by `import blackboard`."""


def run(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)


# --- layers ---

LINT_IMPORTS = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"


def test_arrows_point_one_way() -> None:
    found = run("-c", LINT_IMPORTS)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("blackboard/spec/keys.py", "import blackboard.store.writer", "Arrows point one way"),
        ("blackboard/spec/keys.py", "from blackboard import Contract", "Arrows point one way"),
        ("blackboard/plan/view.py", "import sqlite3", "The core decides and never acts"),
        ("knowledge_sources/coder.py", "import blackboard.store", "Sources come in by the front door"),
        ("blackboard/board.py", "import knowledge_sources", "Nothing below the command line knows the sources"),
    ],
    ids=["up", "front door", "impure", "past the front door", "sources"],
)
def test_an_arrow_that_points_the_other_way_is_found(tmp_path: Path, module: str, line: str, broken: str) -> None:
    for name in CORE:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    found = run("-c", LINT_IMPORTS, folder=tmp_path)
    assert found.returncode == 1, found.stdout + found.stderr
    assert f"{broken} BROKEN" in found.stdout


def first_circle(imports: dict[str, set[str]]) -> list[str]:
    """Return the modules of a circle of imports, none where there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_modules_import_each_other_in_a_circle() -> None:
    """An import for type checking only counts too: who reads one module has to read the other."""
    graph = grimp.build_graph(*CORE, cache_dir=None)
    # The package itself is the front door; its public names are loaded when they are used.
    imports = {
        module: {other for other in graph.find_modules_directly_imported_by(module) if other != "blackboard"}
        for module in graph.modules
        if module != "blackboard"
    }
    assert first_circle(imports) == []


def test_a_circle_of_imports_is_found() -> None:
    assert first_circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})


def test_the_map_of_the_store_names_every_module_once() -> None:
    folder = ROOT / "blackboard/store"
    text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8"))) or ""
    lines = [line.strip().split("  ")[0] for line in text.splitlines() if re.match(r" {4}\w", line)]
    named = [name.strip() for line in lines for name in line.split(",")]
    assert sorted(named) == sorted(file.stem for file in folder.glob("*.py") if file.stem != "__init__")


def asks_in_sql(module: str) -> bool:
    """Say whether a module has statements of its own."""
    return any(
        isinstance(node, ast.ImportFrom) and node.module == "blackboard.store.statements"
        for node in ast.walk(ast.parse(module))
    )


def test_the_command_line_has_no_sql() -> None:
    found = [shown(path) for path in python_files("blackboard/cli") if asks_in_sql(path.read_text("utf-8"))]
    assert found == []
    assert asks_in_sql("from blackboard.store.statements import Statement")


# --- weight and size ---


def test_importing_the_package_loads_nothing_heavy() -> None:
    loaded = run("-c", "import json, sys, blackboard; print(json.dumps(sorted(sys.modules)))")
    modules = json.loads(loaded.stdout)
    assert "blackboard" in modules
    assert HEAVY & {name.partition(".")[0] for name in modules} == set()


def test_no_module_is_longer_than_it_can_be_read() -> None:
    product = [path for path in python_files() if not shown(path).startswith("tests/")]
    lengths = {shown(path): len(path.read_text("utf-8").splitlines()) for path in product}
    assert {name: lines for name, lines in lengths.items() if lines > MODULE_LINES} == {}


NEVER = re.compile(r"(^|_)(agents?|messages?|managers?|utils?|helpers?|misc|certificates?)(_|$)")
"""Words that say nothing, or something else than the design means."""


def badly_named(name: str) -> bool:
    return NEVER.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()) is not None


def test_nothing_in_the_core_has_a_name_that_says_nothing() -> None:
    defined = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    found = [
        f"{shown(path)}:{node.lineno} {node.name}"
        for path in python_files("blackboard")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, defined) and badly_named(node.name)
    ]
    assert found + [shown(path) for path in python_files("blackboard") if badly_named(path.stem)] == []


def test_a_name_that_says_nothing_is_found() -> None:
    assert [badly_named(name) for name in ("LeaseManager", "string_utils", "_helper", "AgentState")] == [True] * 4
    assert [badly_named(name) for name in ("agenda", "managed", "Utility", "messenger")] == [False] * 4


# --- tools ---


def test_the_linter_has_nothing_to_say() -> None:
    found = run("-m", "ruff", "check", "--no-cache", ".")
    assert found.returncode == 0, found.stdout + found.stderr


def test_every_file_has_the_formatters_form() -> None:
    found = run("-m", "ruff", "format", "--no-cache", "--check", ".")
    assert found.returncode == 0, found.stdout + found.stderr


def test_types_hold_in_the_packages_and_for_their_users() -> None:
    # The examples of typing are wrong on purpose in some lines: strict mypy reports a line that it does not refuse.
    found = run("-m", "mypy")
    assert found.returncode == 0, found.stdout + found.stderr


# --- no word of an example in the core ---

PLAIN_TEXT = "command counts dates errors ids list make schema text that words"
PLAIN = frozenset(PLAIN_TEXT.split())
"""Words in the names and prompts of examples that are also words of the framework, or English without a subject."""

KEY = re.compile(r"(?:api|db)/\w[\w.-]*")


def prompts(team: Path) -> Iterator[str]:
    """Yield the prompt of a team file: the text that it gives to `Team`, or calls PROMPT."""
    for node in ast.walk(ast.parse(team.read_text("utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id="Team"), args=[ast.Constant(value=str(text)), *_]):
                yield text
            case ast.Assign(targets=[ast.Name(id="PROMPT")], value=ast.Constant(value=str(text))):
                yield text


@cache
def example_names() -> tuple[frozenset[str], frozenset[str]]:
    """Return the keys of all examples, and the words of their keys, tables and prompts."""
    keys: set[str] = set()
    words: set[str] = set()
    for team in ROOT.glob("examples/*/team.py"):
        modules = [ast.parse(path.read_text("utf-8")) for path in team.parent.rglob("*.py")]
        texts = [node.value for one in modules for node in ast.walk(one) if isinstance(node, ast.Constant)]
        found = {text for text in texts if isinstance(text, str) and KEY.fullmatch(text)}
        said = list(prompts(team))
        for path in team.parent.glob("*.sql"):
            said += re.findall(r"CREATE TABLE (\w+)", path.read_text("utf-8"))
        assert said, team
        keys |= found
        words |= {key.partition("/")[2] for key in found}
        words |= {word for text in said for word in re.findall(r"[a-z]{4,}", text.lower())}
    return frozenset(keys), frozenset(words)


def words_of_an_example(text: str) -> set[str]:
    """Return the keys and words of examples that stand in a text, in whatever case, also as part of an identifier."""
    keys, words = example_names()
    named = {key for key in keys if re.search(rf"(?<![\w/.-]){re.escape(key)}(?![\w/-])", text)}
    return named | {
        word
        for word in words - PLAIN
        if re.search(rf"(?<![a-z]){re.escape(word.removesuffix('s'))}s?(?![a-z])", text, re.IGNORECASE)
    }


def test_no_word_of_an_example_is_in_the_core() -> None:
    files = [path for path in repository_files() if shown(path).partition("/")[0] in CORE]
    assert len(files) > 100
    found = {shown(path): sorted(words_of_an_example(path.read_text("utf-8"))) for path in files}
    assert {name: words for name, words in found.items() if words} == {}


def test_a_word_of_an_example_is_found_wherever_it_stands() -> None:
    assert words_of_an_example("def find_recipe(recipe_id): ...") == {"recipe", "recipes"}
    assert words_of_an_example('Contract of "api/ids"') == {"api/ids"}
    assert words_of_an_example("its ids, a list of names, in a table") == set()


def test_every_plain_word_is_a_word_of_an_example() -> None:
    assert PLAIN - example_names()[1] == set()


# --- nothing of one machine ---

MACHINE = re.compile(r"(?<![\w.])/(?:root|home|work|farm|Users)/|\.\./shared")
HOST = re.compile(r"\b(?:https?|wss?|ssh|postgresql)://(?:[^\s/@]*@)?([a-z0-9-]+(?:\.[a-z0-9-]+)+)", re.IGNORECASE)
ADDRESS = re.compile(r"(?<![\d.])(?!127\.|0\.)\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")
PUBLIC = {
    *("127.0.0.1", "0.0.0.0"),  # noqa: S104
    *("example.org", "json-schema.org", "keepachangelog.com", "semver.org", "www.w3.org"),
}
"""Hosts that may be named: whatever machine this is, the host that is reserved for examples, public specifications."""


def places(text: str) -> list[str]:
    """Return what a text says of one machine or network: paths, hosts, addresses."""
    hosts = [found[1] for found in HOST.finditer(text) if found[1] not in PUBLIC]
    return [*MACHINE.findall(text), *hosts, *ADDRESS.findall(text)]


def test_nothing_names_a_machine() -> None:
    found = {}
    for path in repository_files():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        if path != Path(__file__) and (named := places(text)):
            found[shown(path)] = named
    assert found == {}


def test_what_names_a_machine_is_found() -> None:
    assert places("cd /root/board") == ["/root/"]
    assert places("see https://registry.internal/simple and http://127.0.0.1:8000/") == ["registry.internal"]
    assert places("listens on 10.0.0.7, version 1.2.3") == ["10.0.0.7"]
    assert places("/usr/bin/env, /api/recipes, tests/work/") == []
