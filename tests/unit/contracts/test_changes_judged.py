"""The table of changes is right: judged by programs, without our own comparison.

Python by mypy, or by running where no type checker sees it; documents by `jsonschema`; DDL by SQLite.
"""

import re
import subprocess
import sys
from collections import defaultdict

import pytest
from changes import python_classes, python_functions, python_generics, python_records, python_types
from changes.row import with_imports

PYTHON = tuple(
    row
    for module in (python_functions, python_types, python_classes, python_records, python_generics)
    for row in module.ROWS
)
CHECKED = [row for row in PYTHON if row.run is None]
RUN = [row for row in PYTHON if row.run is not None]


def names(rows):
    return [row.name for row in rows]


@pytest.fixture(scope="module")
def complaints(tmp_path_factory):
    """What mypy says about each program against each stub, all in one run: file name -> complaints."""
    folder = tmp_path_factory.mktemp("changes")
    (folder / "elsewhere.py").write_text("class One: ...\nclass Two: ...\n")
    for number, row in enumerate(CHECKED):
        for version, stub in (("old", row.old), ("new", row.new)):
            module = f"stub{number}{version}"
            (folder / f"{module}.pyi").write_text(with_imports(stub))
            for kind, program in (("before", row.before), ("after", row.after)):
                text = f"from typing import *\nfrom {module} import *\n{program or row.before}\n"
                (folder / f"{kind}{number}{version}.py").write_text(text)
    command = [sys.executable, "-m", "mypy", "--config-file=/dev/null", "--cache-dir=/dev/null", "--check-untyped-defs"]
    # A result that is always None may be used: what it becomes is what the row is about.
    command += ["--disable-error-code=func-returns-value"]
    done = subprocess.run([*command, "."], cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found = defaultdict(list)
    for line in done.stdout.splitlines():
        if (match := re.match(r"([\w.]+?)\.pyi?:\d+: error: (.*)", line)) is not None:
            found[match[1]].append(match[2])
    return found


@pytest.mark.parametrize("number", range(len(CHECKED)), ids=names(CHECKED))
def test_a_type_checker_agrees_with_the_row(number, complaints):
    row = CHECKED[number]
    assert complaints[f"stub{number}old"] == complaints[f"stub{number}new"] == []
    assert complaints[f"before{number}old"] == complaints[f"after{number}new"] == []
    assert bool(complaints[f"before{number}new"]) == row.breaks("uses"), complaints[f"before{number}new"]
    assert bool(complaints[f"after{number}old"]) == row.breaks("implements"), complaints[f"after{number}old"]


def fails(implementation, program):
    """Return whether a program fails with an implementation."""
    space = {}
    exec(with_imports(implementation), space)  # noqa: S102 - a program of the table
    try:
        exec(program, space)  # noqa: S102 - a program of the table
    except Exception:  # noqa: BLE001 - whatever it fails with
        return True
    return False


@pytest.mark.parametrize("row", RUN, ids=names(RUN))
def test_running_agrees_with_the_row(row):
    old, new = row.run
    after = row.after or row.before
    assert not fails(old, row.before)
    assert not fails(new, after)
    assert fails(new, row.before) == row.breaks("uses")
    assert fails(old, after) == row.breaks("implements")


def test_no_two_rows_have_one_name():
    every = names(PYTHON)
    assert len(set(every)) == len(every)


@pytest.mark.parametrize("row", PYTHON, ids=names(PYTHON))
def test_both_texts_are_contracts(row):
    old, new = row.contracts()
    same = row.expects("uses") == row.expects("implements") == {"none"}
    assert old.text != new.text
    assert same or old.digest != new.digest
