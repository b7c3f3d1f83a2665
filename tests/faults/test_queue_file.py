"""Only fairness rests on the file of tickets: whatever is in it, commits go through."""

import errno
import fcntl
import os
import struct
import subprocess
import sys

import pytest

from blackboard import Blackboard
from blackboard.store.tickets import Tickets

LARGEST, SMALLEST = 2**63 - 1, -(2**63)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty, as after a loss of power"),
        pytest.param(b"\xff" * 64, id="flipped"),
        pytest.param(struct.pack("qqq", 5, 2, -7).ljust(64, b"\0"), id="fewer than none that stood still"),
        pytest.param(struct.pack("qqq", 5, 2, 2**40).ljust(64, b"\0"), id="many that stood still"),
        *(
            pytest.param(struct.pack("qq", last, serving).ljust(64, b"\0"), id=f"last {last}, serving {serving}")
            for last, serving in [(LARGEST, 0), (LARGEST - 65, 0), (SMALLEST, LARGEST), (5, LARGEST), (2**40, -1)]
        ),
    ],
)
def test_a_damaged_file_of_tickets_stops_nobody(location, given, content):
    with Blackboard.open(location, create=True) as board:
        given(board).decided("api/ids", "int")
    queue = location.with_name("board.db-queue")
    queue.write_bytes(content)
    with Blackboard.open(location) as board:
        given(board).decided("api/ids", "text")
        with queue.open("r+b") as file:
            file.write(content)
        given(board).decided("api/ids", "long text")
        assert board.revision == 3


@pytest.mark.parametrize("size", [0, 8, 40])
def test_a_file_of_tickets_that_is_cut_off_in_use_stops_nobody(location, given, size):
    queue = location.with_name("board.db-queue")
    with Blackboard.open(location, create=True) as board:
        given(board).decided("api/ids", "int")
        os.truncate(queue, size)
        given(board).decided("api/ids", "text")
        with Blackboard.open(location) as other:
            given(other).decided("api/ids", "long text")
            os.truncate(queue, size)
            given(other).decided("api/ids", "uuid")
        given(board).decided("api/ids", "date")
        assert board.revision == 5


@pytest.mark.parametrize("call", ["pread", "pwrite"])
def test_where_the_file_of_tickets_fails_commits_go_on_without(location, given, monkeypatch, call):
    with Blackboard.open(location, create=True) as board:
        given(board).decided("api/ids", "int")

        def failed(*_):
            raise OSError(errno.EIO, "the disk failed")

        monkeypatch.setattr(os, call, failed)
        given(board).decided("api/ids", "text")
        monkeypatch.undo()
        assert board.revision == 2
        tickets = Tickets.beside(location)
        held = [number for number in range(10) if tickets._is_held(number)]
        tickets.close()
        # Who went without holds nothing that others would wait for.
        assert held == []


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EINVAL])
def test_where_no_ticket_can_be_had_commits_go_on_without(location, given, monkeypatch, number):
    with Blackboard.open(location, create=True) as board:
        given(board).decided("api/ids", "int")

        def refused(*_):
            raise OSError(number, "no locks")

        monkeypatch.setattr(fcntl, "fcntl", refused)
        given(board).decided("api/ids", "text")
        assert board.revision == 2


def test_where_somebody_locks_the_whole_file_of_tickets_commits_go_on_without(location, given):
    program = (
        "import fcntl, sys; file = open(sys.argv[1], 'r+b'); fcntl.lockf(file, fcntl.LOCK_EX); "
        "print(flush=True); sys.stdin.read()"
    )
    with Blackboard.open(location, create=True) as board:
        with subprocess.Popen(
            [sys.executable, "-c", program, f"{location}-queue"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as other:
            other.stdout.readline()
            given(board).decided("api/ids", "int")
            other.stdin.close()
        assert given(board).decided("api/ids", "text").revision == 2
