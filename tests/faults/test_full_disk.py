"""A disk that is full or fails: what a command was to do is done or not there at all, or is said to be unknown.

A full disk refuses to be written to, so certainly nothing happened. Only a disk that fails to make durable what was
written leaves that unknown.
"""

import json
import re
import sqlite3
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from next_schema import NEXT, next_schema
from tools import lacking, require_tool, with_tests
from tracing import EIO, ENOSPC

from blackboard import Blackboard
from blackboard.cli.exits import Exit
from blackboard.cli.main import main
from blackboard.store.schema import SCHEMA

BB = "import sys; from blackboard.cli.main import main; sys.exit(main())"
FULL = "pwrite64", ENOSPC
UNSYNCED = "?fsync,?fdatasync", EIO
"""By which calls SQLite writes and makes durable what it wrote, and how they fail."""
NEWER = """
import sys
from next_schema import next_schema
from blackboard.cli.main import main
with next_schema():
    status = main()
sys.exit(status)
"""

NEVER = 60_000
FEW = 10
"""Up to so many calls each of them fails once."""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Return the place of the board that commands mean, in a folder of its own."""
    (tmp_path / "here").mkdir()
    monkeypatch.setenv("BB_BOARD", str(tmp_path / "here" / "board.db"))
    return tmp_path / "here" / "board.db"


class Failing:
    """A disk that fails from the n-th of some calls on, for a command that is run there."""

    def __init__(self, calls: str, fault: str, trace: Path) -> None:
        self._strace, self._trace = require_tool("strace"), trace
        self._calls, self._fault = calls, fault

    def __call__(self, n: int, *arguments: str, program: str = BB) -> tuple[int, str]:
        """Return the command's status and complaint."""
        inject = f"inject={self._calls}:{self._fault}:when={n}+"
        options = ["-f", "--seccomp-bpf", "-e", f"trace={self._calls}", "-e", inject, "-o", self._trace]
        command = [self._strace, *options, sys.executable, "-c", program, *arguments]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=with_tests())
        if "not permitted" in ran.stderr:
            lacking("strace", "may not trace here")
        return ran.returncode, ran.stderr

    def calls(self) -> int:
        """Return how often one of the calls was made in the last run, whether it failed or not."""
        return len(re.findall(r"^\d+ +\w+\(", self._trace.read_text(), re.MULTILINE))


@pytest.fixture
def full(tmp_path):
    return Failing(*FULL, tmp_path / "trace")


@pytest.fixture
def wherever(full, length):
    """Return a way to run a command on a disk that is full from its n-th write on."""
    return partial(each_of_some, full, length)


@pytest.fixture
def wherever_unsynced(tmp_path, length):
    """Return a way to run a command on a disk that makes nothing durable from the n-th time on that it should."""
    return partial(each_of_some, Failing(*UNSYNCED, tmp_path / "trace"), length)


def each_of_some(failing, length, prepare, *arguments, last=3):
    """Yield what a command says where the first calls fail, or the last, or some between; fewer in the short form."""
    first, last = length(1, 2), length(-(-last // 3), last)
    prepare()
    assert failing(NEVER, *arguments) == (Exit.YES, "")
    calls = failing.calls()
    assert calls > 1
    some = {*range(1, first + 1), *(calls * n // 4 for n in range(1, 4)), *range(calls + 1 - last, calls + 1)}
    for n in range(1, calls + 1) if calls <= FEW else sorted(some & set(range(1, calls + 1))):
        prepare()
        yield failing(n, *arguments)


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


@pytest.fixture
def paused(place, capsys):
    """Return a way to pause a board on a disk: it yields what the command said, and what stands in the log then."""
    assert main(["board", "create", str(place)]) == Exit.YES
    kept = {one: one.read_bytes() for one in place.parent.iterdir()}

    def prepare():
        emptied(place.parent)
        for one, content in kept.items():
            one.write_bytes(content)

    def tried(wherever):
        for status, said in wherever(prepare, "board", "pause", "--as", "ann"):
            capsys.readouterr()
            assert main(["log", "--json"]) == Exit.YES
            happened = [one["kind"] for one in json.loads(capsys.readouterr().out)["changes"]]
            assert (status, happened) == (Exit.YES, ["paused"]) or (status, said.count("\n")) == (Exit.FAILED, 1)
            if status != Exit.YES:
                yield said, happened

    return tried


def test_an_act_on_a_full_disk_is_done_or_refused_and_never_unknown(wherever, paused):
    refused = list(paused(wherever))
    assert refused != []
    for said, happened in refused:
        assert happened == []
        assert "no space left" in said
        assert "unknown" not in said


def test_an_act_that_may_have_happened_is_named_with_how_to_see_whether_it_did(wherever_unsynced, paused):
    unknown = 0
    for said, happened in paused(wherever_unsynced):
        if "unknown" in said:
            unknown += 1
            assert "unknown whether the commit to have the board paused happened" in said
            assert "`bb log` shows whether it did" in said
            assert "find_commit(''" not in said
        else:
            # Only what could not be begun, or not be opened: certainly nothing happened.
            assert happened == []
    assert unknown > 0


def test_an_upgrade_that_may_have_happened_says_so_and_can_be_asked_for_again(tmp_path, place, length):
    unsynced = Failing(*UNSYNCED, tmp_path / "trace")
    assert main(["board", "create", str(place)]) == Exit.YES
    kept = {one: one.read_bytes() for one in place.parent.iterdir()}
    unknown = 0

    def prepare():
        emptied(place.parent)
        for one, content in kept.items():
            one.write_bytes(content)

    newer = partial(unsynced, program=NEWER)
    newer.calls = unsynced.calls
    for status, said in each_of_some(newer, length, prepare, "board", "upgrade"):
        if status == Exit.YES:
            continue
        assert status == Exit.FAILED
        assert said.count("\n") == 1
        if "unknown" in said:
            unknown += 1
            assert f"unknown whether the upgrade of {place} from schema {SCHEMA} to {NEXT} happened" in said
            assert "run `bb board upgrade` again" in said
        with next_schema():
            assert main(["board", "upgrade"]) == Exit.YES
    assert unknown > 0
