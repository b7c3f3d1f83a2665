"""The file of waiting commits (the `-wal`) stays bounded, and only a writer in its turn empties it."""

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from blackboard import Blackboard, Contract, Unavailable
from blackboard.store import journal

BOUND_BYTES = 14 << 20

FORGOTTEN = """
import sys
from blackboard import Blackboard
with Blackboard.open(sys.argv[1]) as board:
    watcher = board.watch(after=0)
    next(watcher)
    print("watching", flush=True)
    sys.stdin.read()
"""

UNREAD = """
import sys
from blackboard.cli.main import main
print("watching", flush=True)
main(["watch", "--plain", "--board", sys.argv[1]])
"""
"""`bb watch` whose output nobody reads: it stands still when the pipe is full."""


def size(location):
    return Path(f"{location}-wal").stat().st_size


def commit(board, number, bytes_each=2000):
    with board.transaction("ann") as transaction:
        transaction.decide(f"c{number % 50}/k{number}", Contract.value("x" * bytes_each))


@pytest.fixture
def start():
    """Return a way to run something in a process of its own until the test ends."""
    processes = []

    def run(text, *arguments):
        command = [sys.executable, "-c", text, *map(str, arguments)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout.readline()
        return process

    yield run
    for process in processes:
        process.terminate()
        process.communicate("")


@pytest.mark.parametrize("forgotten", [FORGOTTEN, UNREAD], ids=["feed", "command"])
def test_a_forgotten_watcher_does_not_let_the_file_grow(location, start, length, forgotten):
    with Blackboard.open(location, create=True, durability="normal") as board:
        commit(board, 0)
        start(forgotten, location)
        largest = 0
        for number in range(1, length(2000, 5000)):
            commit(board, number)
            largest = max(largest, size(location))
        assert 0 < largest <= BOUND_BYTES


def test_many_watchers_that_all_follow_do_not_let_the_file_grow(location, start, length):
    following = FORGOTTEN.replace("sys.stdin.read()", "[None for batch in board.watch(after=0, timeout_seconds=2)]")
    with Blackboard.open(location, create=True, durability="normal") as board:
        commit(board, 0)
        for _ in range(4):
            start(following, location)
        largest = 0
        for number in range(1, length(1500, 5000)):
            commit(board, number)
            largest = max(largest, size(location))
        assert 0 < largest <= BOUND_BYTES


def test_readers_that_relieve_each_other_do_not_let_the_file_grow(location):
    """There is never a moment without one of them, so what waits is never all moved by the way."""
    stop = threading.Event()

    def read():
        raw = sqlite3.connect(location, isolation_level=None)
        while not stop.is_set():
            raw.execute("BEGIN")
            raw.execute("SELECT count(*) FROM board").fetchone()
            stop.wait(0.02)
            raw.execute("ROLLBACK")
        raw.close()

    readers = [threading.Thread(target=read) for _ in range(4)]
    with Blackboard.open(location, create=True, durability="normal") as board:
        commit(board, 0)
        for reader in readers:
            reader.start()
        largest = 0
        for number in range(1, 500):
            commit(board, number, 50_000)
            largest = max(largest, size(location))
        stop.set()
        for reader in readers:
            reader.join()
    # A reader that was slow to end costs the writer one step more. Nothing is emptied: 85 MB.
    assert 0 < largest <= 2 * BOUND_BYTES


def test_the_file_shrinks_when_a_reader_that_held_it_has_ended(location, length):
    with Blackboard.open(location, create=True, durability="normal") as board:
        commit(board, 0)
        reader = sqlite3.connect(location, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM board").fetchone()
        number = 0
        while size(location) < 2 * BOUND_BYTES:
            number += 1
            commit(board, number, 50_000)
        reader.execute("ROLLBACK")
        reader.close()
        for _ in range(40):
            number += 1
            commit(board, number, 50_000)
        assert size(location) <= BOUND_BYTES
        board.verify()


def test_a_reader_that_holds_an_old_moment_costs_a_writer_no_more_than_moments(location, monkeypatch):
    monkeypatch.setattr(journal, "BOUND_BYTES", 1 << 20)
    asked = []
    with Blackboard.open(location, create=True, durability="normal") as board:
        commit(board, 0)
        reader = sqlite3.connect(location, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM board").fetchone()
        kept = board.store.writer.session.journal
        honest = kept.keep_bounded

        def counted(raw):
            before = kept._tried_bytes
            honest(raw)
            if kept._tried_bytes != before:
                asked.append(kept.size_bytes)

        monkeypatch.setattr(type(kept), "keep_bounded", lambda _self, raw: counted(raw))
        for number in range(1, 100):
            commit(board, number, 50_000)
        reader.close()
    # Tried once for each step that the file grew, not at every commit.
    assert 2 <= len(asked) <= max(asked) / journal.STEP_BYTES + 1


def test_connections_that_read_never_move_what_waits(file_board):
    commit(file_board, 0)
    database = file_board.store.database
    with database.reading() as writers, database.reading() as on:
        # The writer's own is lent to those who read: it moves what waits at a COMMIT, which none of them has.
        assert writers is file_board.store.writer.session.connection()
        assert on.raw.execute("PRAGMA wal_autocheckpoint").fetchone()[0] == 0
    writing = file_board.store.writer.session.connection().raw
    assert writing.execute("PRAGMA wal_autocheckpoint").fetchone()[0] == journal.PAGES
    assert writing.execute("PRAGMA journal_size_limit").fetchone()[0] == journal.BOUND_BYTES


def test_a_file_that_cannot_be_emptied_leaves_the_commit_as_it_is(location, monkeypatch, caplog):
    monkeypatch.setattr(journal, "BOUND_BYTES", 0)
    with Blackboard.open(location, create=True, durability="normal") as board:

        class Failing:
            """A connection on which nothing can be moved."""

            def __init__(self, raw):
                self._raw = raw

            def execute(self, text):
                if "checkpoint(" in text:
                    raise sqlite3.OperationalError("disk I/O error")
                return self._raw.execute(text)

        honest = journal.Journal.keep_bounded
        monkeypatch.setattr(journal.Journal, "keep_bounded", lambda self, raw: honest(self, Failing(raw)))
        commit(board, 0)
        assert board.revision == 1
    assert "could not be emptied" in caplog.text


def test_a_board_behind_a_link_keeps_its_file_bounded_too(tmp_path):
    (tmp_path / "there").mkdir()
    with Blackboard.open(tmp_path / "there" / "board.db", create=True, durability="normal"):
        pass
    (tmp_path / "board.db").symlink_to(tmp_path / "there" / "board.db")
    with Blackboard.open(tmp_path / "board.db", durability="normal") as board:
        commit(board, 0)
        assert board.store.writer.session.journal.size_bytes == size(tmp_path / "there" / "board.db") > 0


def test_a_board_in_memory_has_no_such_file(memory_board):
    commit(memory_board, 0)
    assert memory_board.store.writer.session.journal.size_bytes == 0


def test_after_the_last_one_closed_nothing_waits(location):
    with Blackboard.open(location, create=True, durability="normal") as board:
        commit(board, 0)
    assert not location.with_name(location.name + "-wal").exists()


def test_nothing_is_acknowledged_once_the_log_was_deleted_and_what_was_is_kept(location):
    with Blackboard.open(location, create=True) as board:
        commit(board, 1)
        Path(f"{location}-wal").unlink()
        for number in (2, 3):
            with pytest.raises(Unavailable, match="wal was moved"):
                commit(board, number)
            # As another process does that opens the board.
            Path(f"{location}-wal").touch()
        assert board.revision == 1
    with Blackboard.open(location) as board:
        commit(board, 2)
        assert board.revision == 2
