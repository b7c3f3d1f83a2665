"""A watcher is told at once where the system tells, and sees everything in the end where it does not."""

import os
import shutil
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from blackboard import Blackboard, Contract, Unavailable
from blackboard.store import notice, watcher
from blackboard.store.watcher import Watcher

FOR_EVER = 3600.0
LONGER = watcher._LONGER

WRITER = """
import sys
from blackboard import Blackboard, Contract
with Blackboard.open(sys.argv[1], durability="normal") as board:
    for number in range(int(sys.argv[2])):
        with board.transaction("ann") as transaction:
            transaction.decide(f"c{number % 50}/k{number}", Contract.value(number))
"""


def commit(board, number=0):
    with board.transaction("ann") as transaction:
        transaction.decide(f"k{number}", Contract.value(number))


def descriptors():
    """Return what this process has open, as the system names it."""
    found = []
    for one in Path("/proc/self/fd").iterdir():
        try:
            found.append(str(one.readlink()))
        except OSError:
            continue
    return sorted(found)


def until(true):
    """Wait for something that another thread brings about."""
    for _ in range(30_000):
        if true():
            return
        time.sleep(0.001)
    raise AssertionError("it never came")


class Watching(threading.Thread):
    """Watches a board in a thread until it saw a revision, or was told that it cannot."""

    def __init__(self, board, last=1):
        super().__init__(daemon=True)
        self.board, self.last = board, last
        self.revisions = []
        self.error = None
        self.start()

    def run(self):
        try:
            for batch in self.board.watch(after=0):
                self.revisions.append(batch[0].revision)
                if batch[0].revision == self.last:
                    return
        except Unavailable as error:
            self.error = error

    def ended(self):
        self.join(30)
        return not self.is_alive()


@contextmanager
def waited_for(board, *, watchers=1, **given):
    """Lend threads that wait for news, all hints before being used up."""
    threads = [Watching(board, **given) for _ in range(watchers)]
    until(lambda: len(board.store.database.notices._changed._waiters) == watchers)
    time.sleep(0.05)
    # After the first notice the pauses are as always: it may come before the commit is known.
    watcher._LONGER = LONGER
    yield threads
    assert all(one.ended() for one in threads)


@pytest.fixture
def no_slow_look(monkeypatch):
    """Let the pauses after a notice grow for ever."""
    monkeypatch.setattr(notice, "SLOW_SECONDS", FOR_EVER)


@pytest.fixture
def only_notices(no_slow_look, monkeypatch):
    """Let whoever waits wait for ever, but for a notice."""
    monkeypatch.setattr(watcher, "_LONGER", FOR_EVER / watcher._SHORTEST_SECONDS)


@pytest.fixture
def deaf(monkeypatch):
    """Let the system tell nothing, and nobody know that it does not."""
    mute = SimpleNamespace(stop=lambda: None, join=lambda _: None)
    monkeypatch.setattr(notice, "_observed", lambda _log, _wake: mute)


# --- what is told -----------------------------------------------------------------------------------------------------


def test_a_commit_of_this_process_is_told(file_board, only_notices):
    with waited_for(file_board) as (watching,):
        until(lambda: file_board.store.database.notices.poll_seconds == FOR_EVER)
        commit(file_board)
    assert watching.revisions == [1]


def test_a_commit_of_another_process_is_told(file_board, location, only_notices):
    with waited_for(file_board, last=3, watchers=3) as threads:
        subprocess.run([sys.executable, "-c", WRITER, location, "3"], check=True)
    assert [one.revisions for one in threads] == [[1, 2, 3]] * 3


def test_a_commit_that_is_known_long_after_its_notice_is_looked_for_until_then(file_board, no_slow_look, deaf):
    with waited_for(file_board) as (watching,):
        file_board.store.database.notices.wake()
        time.sleep(0.05)
        commit(file_board)
    assert watching.revisions == [1]


def test_what_else_is_written_in_the_folder_is_not_told(file_board, location):
    notices = file_board.store.database.notices
    seen = notices.wait(notices.count, 0)
    (location.parent / "other.txt").write_text("x")
    assert notices.wait(seen, 0.01) == seen
    commit(file_board)
    assert notices.wait(seen, 30) > seen


def test_commits_to_a_board_behind_a_link_are_told(tmp_path, only_notices):
    (tmp_path / "there").mkdir()
    with Blackboard.open(tmp_path / "there" / "board.db", create=True):
        (tmp_path / "board.db").symlink_to(tmp_path / "there" / "board.db")
    with Blackboard.open(tmp_path / "board.db") as board, waited_for(board):
        commit(board)


# --- what is not told ---------------------------------------------------------------------------------------------


def test_with_every_notice_lost_each_commit_is_seen_and_the_looks_become_frequent(file_board, deaf, monkeypatch):
    monkeypatch.setattr(notice, "SLOW_SECONDS", 0.05)
    notices = file_board.store.database.notices
    with waited_for(file_board, last=2) as (watching,):
        time.sleep(0.3)
        commit(file_board, 1)
        until(lambda: notices.poll_seconds == notice.QUICK_SECONDS)
        commit(file_board, 2)
    assert watching.revisions == [1, 2]


@pytest.mark.parametrize("error", [OSError(24, "no more"), ImportError("no watchdog")])
def test_where_there_are_no_notices_the_looks_remain(file_board, monkeypatch, caplog, error):
    def refuse(_log, _wake):
        raise error

    monkeypatch.setattr(notice, "_observed", refuse)
    watching = Watching(file_board)
    until(lambda: file_board.store.database.notices._asked)
    commit(file_board)
    assert watching.ended()
    assert watching.revisions == [1]
    assert not caplog.records


def test_a_board_in_memory_asks_for_no_notices_and_is_watched(memory_board):
    before = descriptors()
    watching = Watching(memory_board)
    until(lambda: memory_board.store.database.notices._changed._waiters)
    commit(memory_board)
    assert watching.ended()
    assert descriptors() == before


def test_a_thousand_commits_are_seen_without_a_gap(file_board, location, length):
    commits = length(1000, 10_000)
    with waited_for(file_board, last=commits, watchers=2) as threads:
        subprocess.run([sys.executable, "-c", WRITER, location, str(commits)], check=True)
    assert [one.revisions for one in threads] == [list(range(1, commits + 1))] * 2


# --- what it costs ----------------------------------------------------------------------------------------------------


def test_who_waits_for_nothing_hardly_looks(file_board, monkeypatch):
    looks = []
    honest = Watcher.news
    monkeypatch.setattr(Watcher, "news", lambda self: looks.append(None) or honest(self))
    assert list(file_board.watch(after=0, timeout_seconds=3)) == []
    # The pauses that grow to the longest are about twenty; a look every 20 ms would be 150.
    assert len(looks) <= 35


def test_all_watchers_of_a_board_share_one_watch_that_is_closed_with_it(location, given):
    with Blackboard.open(location, create=True) as board:
        given(board).decided("a", 1)
    before = descriptors()
    for _ in range(3):
        with Blackboard.open(location) as board:
            threads = [Watching(board, last=9) for _ in range(4)]
            until(lambda board=board: len(board.store.database.notices._changed._waiters) == 4)
            list(board.watch(after=0, timeout_seconds=0.01))
            watches = [found.count("anon_inode:inotify") for found in (before, descriptors())]
            assert watches[1] == watches[0] + 1
        assert all(one.ended() for one in threads)
        assert descriptors() == before


# --- ends -------------------------------------------------------------------------------------------------------------


def test_who_waits_is_told_that_the_board_was_closed(location, only_notices):
    board = Blackboard.open(location, create=True)
    with waited_for(board, watchers=3) as threads:
        board.close()
    assert ["closed" in str(one.error) for one in threads] == [True] * 3


def test_who_waits_is_told_that_the_folder_is_gone(tmp_path):
    folder = tmp_path / "there"
    folder.mkdir()
    with Blackboard.open(folder / "board.db", create=True) as board:
        with waited_for(board) as (watching,):
            shutil.rmtree(folder)
        assert "moved, deleted or replaced" in str(watching.error)


def test_a_child_of_a_fork_that_closes_the_board_leaves_the_notices_to_its_parent(file_board, only_notices):
    with waited_for(file_board) as (watching,):
        child = os.fork()
        if child == 0:
            try:
                file_board.store.database.notices.close()
            finally:
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        commit(file_board)
    assert watching.revisions == [1]


def test_what_watchdog_logs_at_its_end_is_not_printed():
    said = 'logging.getLogger("watchdog.observers.inotify").error("called when the thread is inactive")'
    program = f"import logging; from blackboard import Blackboard; Blackboard.in_memory().close(); {said}"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stderr == ""
