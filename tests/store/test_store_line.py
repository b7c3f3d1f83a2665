"""The line of processes: in the order in which they came, whoever dies or stands still, and whatever is in its file."""

import errno
import fcntl
import os
import stat
import struct
import subprocess
import sys
import threading
import time

import pytest

from blackboard import Blackboard
from blackboard.store import line as lining
from blackboard.store.line import MARK, SUFFIX, Line

LARGEST = 2**63 - 1


def wait_for_number(location, number):
    """Wait until so many numbers were given out."""
    gate, end = threading.Event(), time.monotonic() + 30
    while given_out(location) < number:
        assert time.monotonic() < end, "nobody took it"
        gate.wait(0.001)


def given_out(location):
    content = location.with_name(location.name + SUFFIX).read_bytes()[len(MARK) :]
    return struct.unpack_from("q", content)[0] if len(content) >= 8 else 0


def behind(location, served, number):
    """Start a thread that takes its place now, and notes its number in its turn."""
    before = given_out(location)

    def take():
        line = Line.beside(location)
        line.take()
        served.append(number)
        line.give_back()
        line.close()

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    wait_for_number(location, before + 1)
    return thread


def ended(threads):
    for thread in threads:
        thread.join(timeout=30)
        assert not thread.is_alive()


def test_turns_come_in_the_order_in_which_numbers_were_taken(location):
    location.touch()
    served, first = [], Line.beside(location)
    first.take()
    threads = [behind(location, served, number) for number in range(5)]
    assert served == []
    first.give_back()
    ended(threads)
    first.close()
    assert served == list(range(5))


def test_who_dies_in_line_or_in_its_turn_keeps_nobody_waiting(location, monkeypatch):
    monkeypatch.setattr(lining, "PATIENCE_SECONDS", 3600)
    location.touch()
    program = (
        "import sys; from pathlib import Path; from blackboard.store.line import Line; "
        "line = Line.beside(Path(sys.argv[1])); line._number(); print(flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(location)]
    served = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        threads = [behind(location, served, number) for number in range(2)]
        assert served == []
        other.kill()
        ended(threads)
    assert served == [0, 1]


def test_nobody_waits_twice_for_the_same_who_stands_still(location, monkeypatch):
    monkeypatch.setattr(lining, "PATIENCE_SECONDS", 0.2)
    location.touch()
    still, other = Line.beside(location), Line.beside(location)
    still.take()
    other.take()
    other.give_back()
    monkeypatch.setattr(lining, "PATIENCE_SECONDS", 3600)
    other.take()
    other.give_back()
    still.close()
    other.close()


def test_who_stands_still_while_it_takes_a_number_stops_nobody(location, monkeypatch):
    monkeypatch.setattr(lining, "PATIENCE_SECONDS", 0.2)
    with Blackboard.open(location, create=True) as board, board.transaction("ann") as transaction:
        transaction.ask("k", "what?")
    still = Line.beside(location)
    assert still._lock(0, fcntl.F_WRLCK)
    with Blackboard.open(location) as board, board.transaction("ann") as transaction:
        transaction.ask("l", "what?")
    still.close()


def test_a_turn_of_several_transactions_has_one_number(file_board, location):
    with file_board.store.writer.turn():
        line = file_board.store.database.line
        mine = line._mine
        line.take()
        assert line._mine == mine > 0
    assert line._mine == 0


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty, as after a loss of power"),
        pytest.param(MARK, id="no number yet"),
        pytest.param(MARK + b"\x01", id="cut off"),
        *(pytest.param(MARK + struct.pack("q", last), id=f"last {last}") for last in (LARGEST, -(2**63), -1, 2**61)),
    ],
)
def test_a_damaged_file_stops_nobody(location, given, content):
    with Blackboard.open(location, create=True) as board:
        given(board).decided("api/ids", "int")
    file = location.with_name(location.name + SUFFIX)
    file.write_bytes(content)
    with Blackboard.open(location) as board:
        given(board).decided("api/ids", "text")
        os.truncate(file, 0)
        given(board).decided("api/ids", "long text")
        assert board.revision == 3


@pytest.mark.parametrize("content", [b"a text of somebody else, which is longer than the mark\n", b"short"])
def test_a_file_of_somebody_else_is_never_written(location, given, content):
    file = location.with_name(location.name + SUFFIX)
    file.write_bytes(content)
    with Blackboard.open(location, create=True) as board:
        given(board).decided("api/ids", "int")
    assert file.read_bytes() == content


def test_another_board_of_that_name_stays_a_board(location, given):
    neighbour = location.with_name(location.name + SUFFIX)
    with Blackboard.open(neighbour, create=True) as other, Blackboard.open(location, create=True) as board:
        given(other).decided("api/ids", "int")
        given(board).decided("api/ids", "text")
        given(other).decided("api/names", "int")
        assert other.verify().revision == 2


def test_whoever_may_write_the_board_may_stand_in_line(location):
    location.touch()
    location.chmod(0o664)
    before = os.umask(0o077)
    try:
        Line.beside(location).close()
    finally:
        os.umask(before)
    assert stat.S_IMODE(location.with_name(location.name + SUFFIX).stat().st_mode) == 0o664


@pytest.mark.parametrize("call", ["pread", "pwrite"])
def test_where_the_file_fails_commits_go_on_without(location, given, monkeypatch, call):
    with Blackboard.open(location, create=True) as board:
        given(board).decided("api/ids", "int")

        def failed(*_):
            raise OSError(errno.EIO, "the disk failed")

        monkeypatch.setattr(os, call, failed)
        given(board).decided("api/ids", "text")
        monkeypatch.undo()
        other = Line.beside(location)
        other._mine = 100
        # Who went without holds nothing that others would wait for.
        assert other._before() == 0
        other.close()
        assert board.revision == 2


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EINVAL])
def test_where_no_lock_can_be_had_commits_go_on_without(location, given, monkeypatch, number):
    with Blackboard.open(location, create=True) as board:
        given(board).decided("api/ids", "int")

        def refused(*_):
            raise OSError(number, "no locks")

        monkeypatch.setattr(fcntl, "fcntl", refused)
        assert given(board).decided("api/ids", "text").revision == 2


def test_a_board_whose_folder_takes_no_file_is_written_all_the_same(file_board, given, monkeypatch):
    monkeypatch.setattr(Line, "beside", lambda _: None)
    with Blackboard.open(file_board.store.database.path) as board:
        assert given(board).decided("a", 1).revision == 1
