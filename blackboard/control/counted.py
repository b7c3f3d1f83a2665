"""Commands that run tests: the command that writes a report of the number of tests, and the reading of the report.

`python -m unittest …`, `python -m pytest …` and `pytest …` are recognised by their words. Skipped tests do not count.
Any other command is judged by its exit status alone.
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
    """Say whether a command runs tests that a report can count."""
    return bool(_runner(command))


def counting(command: Sequence[str]) -> list[str]:
    """Return the command, changed to write a report of the tests that it ran if it is a counted one."""
    if _runner(command) == "pytest":
        return [*command, f"--junitxml={REPORT}"]
    if _runner(command) == "unittest":
        text = Path(unittest_counted.__file__).read_text(encoding="utf-8")
        at = _module(command)
        return [*command[:at], "-c", text, REPORT, *command[at + 2 :]]
    return list(command)


def ran_tests(report: bytes) -> int:
    """Return the number of tests in the report of a counted command; 0 without a report."""
    if report.strip().isdigit():
        return int(report)
    ran = 0
    for suite in _SUITE.findall(report):
        counts = {name: int(number) for name, number in _NUMBER.findall(suite)}
        ran += counts.get(b"tests", 0) - counts.get(b"skipped", 0)
    return max(0, ran)


def _runner(command: Sequence[str]) -> str:
    """Return the test runner that a command starts, "" for none."""
    program = Path(command[0]).name if command else ""
    if program in ("pytest", "py.test"):
        return "pytest"
    is_python = command[:1] == [sys.executable] or bool(_INTERPRETER.fullmatch(program))
    named = command[at + 1] if is_python and (at := _module(command)) else ""
    return named if named in ("pytest", "unittest") else ""


def _module(command: Sequence[str]) -> int:
    """Return the index of `-m` in a command of Python, 0 if it runs no module; only options may precede `-m`."""
    at = 1
    while at < len(command) and _OPTION.fullmatch(command[at]):
        at += 2 if command[at] in ("-W", "-X") else 1
    return at if at + 1 < len(command) and command[at] == "-m" else 0
