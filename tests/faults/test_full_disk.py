"""A disk that is full: what a command was to do is done or not there at all, and what it says can be acted upon."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from tools import lacking, require_tool
from tracing import ENOSPC

from blackboard import Blackboard
from blackboard.cli.exits import Exit
from blackboard.cli.main import main

BB = "import sys; from blackboard.cli.main import main; sys.exit(main())"
PAGES = "pwrite64"
"""The call by which SQLite writes."""

NEVER = 60_000


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Return the place of the board that commands mean, in a folder of its own."""
    (tmp_path / "here").mkdir()
    monkeypatch.setenv("BB_BOARD", str(tmp_path / "here" / "board.db"))
    return tmp_path / "here" / "board.db"


class Full:
    """A disk that is full from the n-th write of pages on, for a command that is run there."""

    def __init__(self, trace: Path) -> None:
        self._strace, self._trace = require_tool("strace"), trace

    def __call__(self, n: int, *arguments: str) -> tuple[int, str]:
        """Return the command's status and complaint."""
        inject = f"inject={PAGES}:{ENOSPC}:when={n}+"
        options = ["-f", "--seccomp-bpf", "-e", f"trace={PAGES}", "-e", inject, "-o", self._trace]
        command = [self._strace, *options, sys.executable, "-c", BB, *arguments]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        if "not permitted" in ran.stderr:
            lacking("strace", "may not trace here")
        return ran.returncode, ran.stderr

    def writes(self) -> int:
        """Return how often pages were written, or were to be, in the last run."""
        return self._trace.read_text().count(f" {PAGES}(")


@pytest.fixture
def full(tmp_path):
    return Full(tmp_path / "trace")


@pytest.fixture
def wherever(full, length):
    """Return a way to run a command on a disk that is full from its n-th write on.

    The first writes and the last are tried one by one, and some between; the short form leaves out some of the former.
    """
    first = length(1, 2)

    def tried(prepare, *arguments, last=3):
        return each_of_some(full, prepare, *arguments, first=first, last=length(-(-last // 3), last))

    return tried


def each_of_some(full, prepare, *arguments, first, last):
    prepare()
    assert full(NEVER, *arguments) == (Exit.YES, "")
    writes = full.writes()
    assert writes > 1
    some = {*range(1, first + 1), *(writes * n // 4 for n in range(1, 4)), *range(writes + 1 - last, writes + 1)}
    for n in sorted(some & set(range(1, writes + 1))):
        prepare()
        yield full(n, *arguments)


def emptied(folder: Path):
    for one in folder.iterdir():
        one.unlink()


def is_board(place):
    with sqlite3.connect(place) as raw:
        found = raw.execute("SELECT count(*) FROM sqlite_master WHERE name = 'board'").fetchone()
    raw.close()
    return found == (1,)


def test_a_board_that_could_not_be_made_leaves_no_file(wherever, place):
    for status, said in wherever(lambda: emptied(place.parent), "board", "create", str(place)):
        assert not [one.name for one in place.parent.iterdir() if not one.name.startswith("board.db")]
        # The last writes are those of opening and closing what was made.
        assert is_board(place) if place.exists() else status == Exit.FAILED
        if status == Exit.FAILED:
            assert said.count("\n") == 1
            assert str(place) in said
            assert ".part" not in said


def test_an_empty_file_that_was_there_is_left_where_it_can_not_be_made_a_board(full, place):
    place.touch()
    assert full(1, "board", "create", str(place))[0] == Exit.FAILED
    assert place.exists()
    assert main(["board", "create", str(place)]) == Exit.YES


def test_a_copy_of_a_board_is_whole_or_not_there(wherever, place):
    assert main(["board", "create", str(place)]) == Exit.YES
    assert main(["ask", "k", "which?"]) == Exit.YES
    new = place.parent / "new.db"

    def prepare():
        for one in place.parent.glob("new.db*"):
            one.unlink()

    # With the last writes the new file gets what waits in its log.
    for status, said in wherever(prepare, "board", "copy", str(new), last=10):
        assert not [one.name for one in place.parent.iterdir() if one.name.startswith(".bb")]
        assert new.exists() is (status == Exit.YES), said
        if new.exists():
            with Blackboard.open(new) as board:
                assert [one.kind for one in board.changes(after=1)] == ["copied"]
                board.verify()


def test_an_act_that_may_have_happened_is_named_with_how_to_see_whether_it_did(wherever, place, capsys):
    assert main(["board", "create", str(place)]) == Exit.YES
    kept = {one: one.read_bytes() for one in place.parent.iterdir()}
    unknown = 0

    def prepare():
        emptied(place.parent)
        for one, content in kept.items():
            one.write_bytes(content)

    for status, said in wherever(prepare, "board", "pause", "--as", "ann"):
        if status == Exit.YES:
            continue
        assert status == Exit.FAILED
        assert said.count("\n") == 1
        capsys.readouterr()
        assert main(["log", "--json"]) == Exit.YES
        happened = [one["kind"] for one in json.loads(capsys.readouterr().out)["changes"]]
        if "unknown" in said:
            unknown += 1
            assert "unknown whether the commit to have the board paused happened" in said
            assert "`bb log` shows whether it did" in said
            assert "find_commit(''" not in said
        else:
            # Only what could not be begun, or not be opened: certainly nothing happened.
            assert happened == []
    assert unknown > 0
