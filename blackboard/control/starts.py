"""The check of the whole program: every module can be imported, and every entry point answers.

It runs when no other obligation is open, on the files of all components in one folder. Imports begin in that folder,
and in `src` if that is a folder of modules. An entry point is the `command` of a task; with the task's `probe` as
arguments it has to end with status 0. If the program does not start, the components with the failing lines get a failed
verdict; if it starts, all components with code get a passed one. All verdicts are bound to the files of the whole
program.

Tests (`test_*.py`, `*_test.py`, `conftest.py`, all files under `tests`), `setup.py`, `__main__.py` and scripts that a
`command` starts are not imported, because they are not run that way. In these scripts too, and for imports inside
functions, the check looks up whether the named module exists.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from blackboard.contracts.python.modules import bases, module_name
from blackboard.contracts.task import TaskBody
from blackboard.control import program_started
from blackboard.control.sandbox import REPORT
from blackboard.control.source import Source
from blackboard.spec.canonical import JSON, digest
from blackboard.spec.triggers import STARTS
from blackboard.transaction import Transaction

if TYPE_CHECKING:
    from blackboard.control.context import Context
    from blackboard.control.sandbox import Result

TIMEOUT_SECONDS = 300.0
EACH_SECONDS = 20.0
"""The time-out of one import and of one entry point."""

_RULES = 2
_PLAN_FILE = ".spec/starts.json"
_NOT_IMPORTED = frozenset({"__main__.py", "conftest.py", "setup.py"})
_FOLDERS_OF_TESTS = frozenset({"test", "tests"})


@dataclass(frozen=True, slots=True)
class Program:
    """All components as one program.

    Attributes:
        files: path -> content.
        holders: path -> the components that have this file.
        probes: component -> the arguments for its entry point.
        judged: The components that have to pass, in the order of their names.
    """

    files: Mapping[str, bytes]
    holders: Mapping[str, Sequence[str]]
    probes: Mapping[str, Sequence[str]]
    judged: Sequence[str]


def definition() -> str:
    """Return the digest of what the check does."""
    return digest([STARTS, _RULES])


def record() -> JSON:
    """Return the check's record in the team."""
    return {"on": "**", "definition": definition(), "languages": [], "whole": True}


def starts_source() -> Source:
    """Return the source that runs the check; the controller wakes it when no other obligation is open."""
    return Source(STARTS, STARTS, (), _execute, check=STARTS, definition=definition())


def _execute(context: "Context") -> None:
    with context.transaction() as transaction:
        program = _program(transaction)
        faults, ran = _shared_paths(program), ""
        if not faults:
            result = context.run_command(*start(program), timeout_seconds=TIMEOUT_SECONDS)
            if result.cancelled:
                transaction.discard()
                return
            faults, ran = faults_of(result, program), f"[{result.label}]"
        for component in sorted(faults) or program.judged:
            log = "\n".join(filter(None, [*faults.get(component, [_all_well(program)]), ran]))
            transaction.verdict(STARTS, component, passed=not faults, log=log)


def _program(transaction: Transaction) -> Program:
    """Read all components, and the entry points of their tasks."""
    files: dict[str, bytes] = {}
    holders: dict[str, list[str]] = {}
    probes: dict[str, Sequence[str]] = {}
    judged: list[str] = []
    for component in transaction.components():
        task = transaction.decision(f"task/{component.key}", facets=["checks", "command", "probe"])
        body = None if task is None else task.contract.body
        if isinstance(body, TaskBody) and body.probed:
            probes[component.key] = body.probed
        named = isinstance(body, TaskBody) and STARTS in body.checks
        if named or component.key in probes or any(path.endswith(".py") for path in component.files):
            judged.append(component.key)
        for path, content in component.files.items():
            files[path] = content
            holders.setdefault(path, []).append(component.key)
    return Program(files, holders, probes, judged)


def start(program: Program) -> tuple[list[str], dict[str, bytes]]:
    """Return the command that starts a program, and its files."""
    code = {path: content.decode(errors="replace") for path, content in program.files.items() if path.endswith(".py")}
    begins = bases(code)
    scripts = {word for probe in program.probes.values() for word in probe}
    named = ((module_name(path, begins), path) for path in sorted(code) if _is_imported(path) and path not in scripts)
    plan: JSON = {
        "modules": [[name, path] for name, path in named if name is not None],
        "files": [path for path in sorted(code) if not _is_test(path) and not path.endswith("setup.py")],
        "bases": list(begins),
        "probes": [[component, *probe] for component, probe in sorted(program.probes.items())],
        "seconds": EACH_SECONDS,
    }
    text = Path(program_started.__file__).read_text(encoding="utf-8")
    files = {**program.files, _PLAN_FILE: json.dumps(plan).encode()}
    return [sys.executable, "-I", "-c", text, _PLAN_FILE, REPORT], files


def faults_of(result: "Result", program: Program) -> dict[str, list[str]]:
    """Return component -> its faults in the report of a run; without a report, all components have one."""
    try:
        report = json.loads(result.report)
        failed, unanswered = report["imports"], report["probes"]
    except (ValueError, KeyError, TypeError):
        why = "was killed at its deadline" if result.timed_out else f"ended with status {result.status}"
        said = f"the program could not be started: what starts it {why}\n{result.output.rstrip()}"
        return {component: [said] for component in program.judged}
    faults: dict[str, list[str]] = {}
    # A module that imports a failing module fails at the same line.
    first = {(path, line, why): module for module, path, line, why in reversed(failed)}
    for (path, line, why), module in sorted(first.items()):
        place = f"{path}:{line}" if line else path
        for component in program.holders.get(path, program.judged):
            faults.setdefault(component, []).append(f"{place}: import {module}: {why}")
    for component, command, why, output in unanswered:
        last = next(filter(None, map(str.strip, reversed(output.splitlines()))), "")
        fault_line = f"{component}: `{command}` {why}{': ' if last else ''}{last}"
        faults.setdefault(component, []).extend(filter(None, [fault_line, output.rstrip()]))
    return faults


def _shared_paths(program: Program) -> dict[str, list[str]]:
    """Return component -> its files that another component has too."""
    faults: dict[str, list[str]] = {}
    for path, holders in sorted(program.holders.items()):
        for component in holders if len(holders) > 1 else ():
            others = ", ".join(one for one in holders if one != component)
            faults.setdefault(component, []).append(f"{path}: {others} has a file of this name too; rename one")
    return faults


def _all_well(program: Program) -> str:
    count = Counter(path.endswith(".py") for path in program.files)[True]
    return f"[{count} Python files, {len(program.probes)} entry points: the program starts]"


def _is_imported(path: str) -> bool:
    return not _is_test(path) and PurePosixPath(path).name not in _NOT_IMPORTED


def _is_test(path: str) -> bool:
    *folders, name = PurePosixPath(path).parts
    return name.startswith("test_") or name.endswith("_test.py") or name == "conftest.py" or _has_tests(folders)


def _has_tests(folders: Iterable[str]) -> bool:
    return not _FOLDERS_OF_TESTS.isdisjoint(folders)
