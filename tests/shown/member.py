"""The model itself: reads the blocks of a prompt, and answers the act that they ask for."""

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

from loopback import Asked

from knowledge_sources.facts import Fact, parse
from shown.plans import PLANS
from shown.writing import Used, callable_by, examples_of, functions, module_text, program_text, tests_text


class Habit(Enum):
    """What the model does badly."""

    GUESSES_IMPORTS = "imports from a module of which no block says anything"
    WRITES_NO_TESTS = "writes no tests, whoever asks for them"
    IGNORES_DOCSTRINGS = "writes code without reading the docstrings of contracts"
    ANSWERS_NO_HELP = "makes entry points that take `--help` for an argument like any other"
    PROPOSES_NO_DOCSTRINGS = "proposes contracts without their docstrings"


_SAID_OF = {
    Habit.GUESSES_IMPORTS: "there is no such module",
    Habit.WRITES_NO_TESTS: "[no test ran]",
    Habit.IGNORES_DOCSTRINGS: "AssertionError",
    Habit.ANSWERS_NO_HELP: "--help",
}
"""What a log says of a habit."""


class Seen:
    """What one prompt shows."""

    def __init__(self, asked: Asked) -> None:
        said = [text for role, text in asked.messages if role == "user"]
        self.instructions = asked.system
        self.text = said[0]
        self.facts = parse(said[0])

    def of(self, kind: str, **header: Any) -> list[Fact]:
        """Return the blocks of a kind whose headers say this."""
        return [one for one in self.facts if one.kind == kind and header.items() <= one.header.items()]

    @cached_property
    def you(self) -> Mapping[str, Any]:
        """Who is asked for what."""
        return self.of("you")[0].header

    @property
    def act(self) -> tuple[str, str]:
        """The act that is wanted, and its target."""
        return self.you["act"], self.you["target"]

    @cached_property
    def task(self) -> Mapping[str, Any]:
        """The task of the target; empty where none is shown."""
        found = self.of("task", component=self.you["target"])
        return json.loads(found[0].body) if found else {}

    @cached_property
    def answers(self) -> str:
        """What was answered to questions, as sentences."""
        values = self.of("decision", language="value")
        return " ".join(f"{one.header.get('answers', '')} {one.body}" for one in values)


@dataclass(frozen=True)
class Member:
    """A model as a function of what it was asked, for `Loopback`.

    Attributes:
        habits: What it does badly.
        mends: Whether it does that no more where the log of a check says what is wrong.
    """

    habits: frozenset[Habit] = frozenset()
    mends: bool = False

    def __call__(self, asked: Asked) -> dict[str, Any]:
        """Answer the act that a prompt asks for."""
        seen = Seen(asked)
        acts = {
            "plan": _plan,
            "propose": self._propose,
            "vote": _vote,
            "mediate": _mediate,
            "write": self._write,
            "judge": _judge,
        }
        return acts[seen.you["act"]](seen)

    def _propose(self, seen: Seen) -> dict[str, Any]:
        lost = {one.body for one in seen.of("rejected")}
        language, text = next(one for one in _options(seen) if one[1] not in lost)
        if Habit.PROPOSES_NO_DOCSTRINGS in self.habits and language == "python":
            text = _without_docstrings(text, len(lost))
        return {"language": language, "text": text, "rationale": "as it was asked"}

    def _write(self, seen: Seen) -> dict[str, Any]:
        logs = "\n".join(one.body for one in seen.of("log"))
        habits = {one for one in self.habits if not (self.mends and _SAID_OF[one] in logs)}
        known = _known(seen, guesses=Habit.GUESSES_IMPORTS in habits)
        by_docstrings = Habit.IGNORES_DOCSTRINGS not in habits
        files: dict[str, str] = {}
        for contract in seen.of("decision", side="implements", language="python"):
            path = contract.header.get("file", f"{_last_word(seen)}.py")
            files[path] = module_text(contract.body, seen.answers, known, by_docstrings=by_docstrings)
        command = seen.task.get("command", [])
        if command:
            helps = "`--help`" in seen.instructions and Habit.ANSWERS_NO_HELP not in habits
            files[_entry_point(seen.task)] = program_text(seen.task["summary"], known, answers_help=helps)
        if Habit.WRITES_NO_TESTS not in habits:
            files |= _tests(seen, known)
        return {"files": files}


def _known(seen: Seen, *, guesses: bool) -> dict[str, Used]:
    """Return how sentences call the functions that may be used -> what the blocks say that they are."""
    known: dict[str, Used] = {}
    for contract in seen.of("decision", side="uses", language="python"):
        module = contract.header.get("module", _last_word(seen))
        known |= callable_by(contract.body, f"{module.rpartition('.')[2]}_lib" if guesses else module)
    return known


def _plan(seen: Seen) -> dict[str, Any]:
    plan = PLANS[seen.of("prompt")[0].body]
    checks = {one.header["check"] for one in seen.of("check")}
    tasks = [{**task, "checks": [name for name in task["checks"] if name in checks]} for task in plan["tasks"]]
    return {**plan, "tasks": tasks}


def _options(seen: Seen) -> list[tuple[str, str]]:
    """Return what was offered for a key, as language and text, in the order of the offers."""
    found: list[tuple[str, str]] = []
    for question in seen.of("question"):
        found += [("value", json.dumps(value)) for value in question.header["options"]]
        for part in question.body.split("An option, in language ")[1:]:
            language, _, text = part.partition(":\n\n")
            found.append((language, text.rstrip("\n") + "\n"))
    return found


def _vote(seen: Seen) -> dict[str, Any]:
    """Approve a text of which every function says what it does."""
    (version,) = seen.of("proposal", version=seen.you["version"], key=seen.you["target"])
    silent = []
    if version.header["language"] == "python":
        silent = [one.name for _, one in functions(version.body) if not ast.get_docstring(one)]
    return {"approve": not silent, "reason": f"{', '.join(silent)} says not what it does" if silent else "it is clear"}


def _mediate(seen: Seen) -> dict[str, Any]:
    language, text = _options(seen)[0]
    return {"language": language, "text": text, "rationale": "it was asked so, and says most"}


def _judge(seen: Seen) -> dict[str, Any]:
    """Pass a component in which the code of every sentence of what it implements is found."""
    built = "\n".join(one.body for one in seen.of("file"))
    missing = []
    for contract in seen.of("decision", side="implements", language="python"):
        wanted = module_text(contract.body, seen.answers, {})
        lines = [line for line in wanted.splitlines() if line.strip()]
        missing += [line.strip() for line in lines if line.strip() not in built]
    return {"passed": not missing, "log": f"missing: {missing}" if missing else "each sentence is done"}


def _tests(seen: Seen, known: Mapping[str, Used]) -> dict[str, str]:
    """Return path -> tests, where the task lists a file of tests or a check that is shown runs some."""
    commands = " ".join(one.body for one in seen.of("check"))
    runs = [name for name in ("unittest", "pytest") if name in commands]
    listed = [path for path in seen.task.get("files", ()) if path.rpartition("/")[2].startswith("test_")]
    if not listed and not runs:
        return {}
    path = listed[0] if listed else f"test_{_last_word(seen)}.py"
    examples: list[tuple[str, str]] = []
    modules = {used.module for used in known.values()} - {""}
    for contract in seen.of("decision", side="implements", language="python"):
        module = contract.header.get("module", _last_word(seen))
        modules.add(module)
        named = {name: f"{one.module}.{one.name}" for name, one in (known | callable_by(contract.body, module)).items()}
        for owner, one in functions(contract.body):
            own = {"it": f"{module}.{one.name}", "owner": f"{module}.{owner}", "name": one.name}
            examples += examples_of(f"{ast.get_docstring(one)} {seen.answers}", named | own)
    command = seen.task.get("command", [])
    if command:
        examples += examples_of(seen.task["summary"], {})
    return {path: tests_text(examples, modules, command, style=runs[0] if runs else "pytest")}


def _entry_point(task: Mapping[str, Any]) -> str:
    """Return the file that the command of a task starts; of two that it could be the one that the task lists."""
    _, first, *rest = task["command"]
    if first != "-m":
        return first
    folder = rest[0].replace(".", "/")
    inside = f"{folder}/__main__.py"
    return inside if inside in task.get("files", ()) else f"{folder}.py"


def _last_word(seen: Seen) -> str:
    return str(seen.you["target"]).replace("_", "-").rpartition("-")[2]


def _without_docstrings(stub: str, number: int) -> str:
    """Return a stub without docstrings; each number gives another text."""
    tree = ast.parse(stub)
    for function in (node for node in tree.body if isinstance(node, ast.FunctionDef)):
        function.body = [ast.Expr(ast.Constant(...))]
        function.name += "_" * number
    return ast.unparse(tree) + "\n"
