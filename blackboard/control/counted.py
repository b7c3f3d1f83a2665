"""Commands that run tests: how they are run so that a report counts the tests, and what the report says.

`python -m unittest …`, `python -m pytest …` and `pytest …` are recognised by their words. A test that was skipped did
not run. Whoever runs tests in another way is judged by the exit status alone.
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from blackboard.control import unittest_counted
from blackboard.control.sandbox import REPORT

_INTERPRETER = re.compile(r"python(3(\.\d+)?)?")
_OPTION = re.compile(r"-(?:[bBdEIOPqsSuvx]+|[WX].*)")
_SUITE = re.compile(rb"<testsuite\s([^>]*)>")
_NUMBER = re.compile(rb'\b(tests|skipped)="(\d+)"')


def counts_tests(command: Sequence[str]) -> bool:
    """Say whether a command runs tests in a way that a report can count."""
    return bool(_runner(command))


def counting(command: Sequence[str]) -> list[str]:
    """Return the command, made to write a report of the tests that it ran where that is possible."""
    if _runner(command) == "pytest":
        return [*command, f"--junitxml={REPORT}"]
    if _runner(command) == "unittest":
        text = Path(unittest_counted.__file__).read_text(encoding="utf-8")
        at = _module(command)
        return [*command[:at], "-c", text, REPORT, *command[at + 2 :]]
    return list(command)


def ran_tests(report: bytes) -> int:
    """Return how many tests ran by the report of a counted command; none where it wrote no report."""
    if report.strip().isdigit():
        return int(report)
    ran = 0
    for suite in _SUITE.findall(report):
        counts = {name: int(number) for name, number in _NUMBER.findall(suite)}
        ran += counts.get(b"tests", 0) - counts.get(b"skipped", 0)
    return max(0, ran)


def _runner(command: Sequence[str]) -> str:
    """Return which test runner a command starts, "" for none."""
    program = Path(command[0]).name if command else ""
    if program in ("pytest", "py.test"):
        return "pytest"
    is_python = command[:1] == [sys.executable] or bool(_INTERPRETER.fullmatch(program))
    named = command[at + 1] if is_python and (at := _module(command)) else ""
    return named if named in ("pytest", "unittest") else ""


def _module(command: Sequence[str]) -> int:
    """Return the index of `-m` in a command of Python, 0 where it runs no module; only options may precede it."""
    at = 1
    while at < len(command) and _OPTION.fullmatch(command[at]):
        at += 2 if command[at] in ("-W", "-X") else 1
    return at if at + 1 < len(command) and command[at] == "-m" else 0
