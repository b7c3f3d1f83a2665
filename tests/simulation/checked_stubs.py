"""Programs and the stubs that they stand beside, checked by mypy: many in one run, in a process of its own."""

import re
import subprocess
import sys

from blackboard.contracts.language import Contract

_ERROR = re.compile(r"^(?P<module>\w+)\.pyi?:(?P<line>\d+): error: (?P<text>.*)$", re.MULTILINE)
PRELUDE = """\
from __future__ import annotations
import abc, collections, dataclasses, datetime, enum, typing, uuid
from abc import ABC, abstractmethod
from collections.abc import *
from dataclasses import KW_ONLY, dataclass, field
from enum import Enum, IntEnum, StrEnum
from functools import cached_property, total_ordering
from typing import *
"""


class Checked:
    """A folder of programs and stubs, and what mypy says about each."""

    def __init__(self, folder) -> None:
        self._folder = folder
        self._number = 0

    def stub(self, text, package="") -> str:
        """Add a stub, to a package if one is named, and return its module's name."""
        return self._add("stub", "pyi", PRELUDE + text, package)

    def program(self, text, stub) -> str:
        """Add a program that imports a stub as `contract`."""
        return self._add("program", "py", text.replace("import contract\n", f"import {stub} as contract\n", 1))

    def _add(self, what, suffix, text, package="") -> str:
        self._number += 1
        name = f"{what}{self._number}"
        (self._folder / package / f"{name}.{suffix}").write_text(text)
        return f"{package}.{name}" if package else name

    def errors(self) -> dict[str, list[str]]:
        """Return module -> what is wrong in it, for modules where something is."""
        found: dict[str, list[str]] = {}
        for module, _, text in self.error_lines():
            found.setdefault(module, []).append(text)
        return found

    def error_lines(self) -> list[tuple[str, int, str]]:
        """Return what is wrong: the module, the line, the error."""
        options = ["--config-file=/dev/null", "--cache-dir=/dev/null", "--no-error-summary", "--no-color-output"]
        # Why not: that a result is of no use is a warning; whether it may be None is what is asked here.
        options.append("--disable-error-code=func-returns-value")
        command = [sys.executable, "-m", "mypy", *options, "."]
        run = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False)
        assert run.returncode in (0, 1), run.stdout + run.stderr
        return [(error["module"], int(error["line"]), error["text"]) for error in _ERROR.finditer(run.stdout)]


def proofs(old, new):
    """Return the programs of all proofs: how it is shown, the text, the stub it works with, the one it fails with."""
    for name, change in Contract.python(old).compare(Contract.python(new)).effects.items():
        for text in change.proof.split("\n\n") if name else ():
            head, _, program = text.partition("\n")
            if program:
                stubs = (old, new) if head.startswith("# uses") else (new, old)
                yield "run" if ", run:" in head else "type-checked", f"{program}\n", *stubs
