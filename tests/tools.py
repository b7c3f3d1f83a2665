"""What tests use of the machine: system tools, and the files of this checkout."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parent.parent
REQUIRE = "BB_TEST_REQUIRE"
"""Environment variable: the names of the system tools (comma or blank between them, or `all`) that have to be there."""

_MADE = re.compile(r"\..*|__pycache__|.*\.egg-info|build|dist|htmlcov|program|board\.db.*|.*\.pyc")
"""Names of what is made and not written, as in .gitignore; asked only where there is no git."""


def require_tool(name: str) -> str:
    """Return the path of a system tool; a test that needs one which is not there is `lacking` it."""
    return shutil.which(name) or lacking(name, "is not installed")


def untraced() -> dict[str, str]:
    """Return the environment for a child whose time and memory are bounded: coverage would count as its own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


def with_tests() -> dict[str, str]:
    """Return the environment of a process that imports modules of the tests' folder."""
    found = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), *([found] if found else [])])}


def lacking(name: str, why: str) -> NoReturn:
    """Skip the test, which is counted, or let it fail where BB_TEST_REQUIRE names the tool."""
    if {"all", name} & set(re.split(r"[,\s]+", os.environ.get(REQUIRE, ""))):
        pytest.fail(f"{name} {why}, and {REQUIRE} asks for it", pytrace=False)
    pytest.skip(f"{name} {why}")


@cache
def repository_files() -> tuple[Path, ...]:
    """Return the files of the checkout that are tracked, or would be: whatever .gitignore does not leave out."""
    if not (ROOT / ".git").exists():
        return tuple(sorted(_written(ROOT)))
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(sorted(ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()))


def _written(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name not in (".ci", ".gitignore") and _MADE.fullmatch(path.name):
            continue
        if path.is_dir():
            yield from _written(path)
        else:
            yield path


def python_files(*folders: str) -> list[Path]:
    """Return the Python files of the checkout below these folders; all of them if none is named."""
    roots = [ROOT / folder for folder in folders] or [ROOT]
    return [path for path in repository_files() if path.suffix == ".py" and any(map(path.is_relative_to, roots))]


def shown(path: Path) -> str:
    """Return a path as it is named in this checkout."""
    return path.relative_to(ROOT).as_posix()
