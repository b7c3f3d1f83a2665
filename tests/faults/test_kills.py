"""S1, S2: what was acknowledged is there after kill -9 of anybody at any moment; what was not is whole or not there.

Signals are sent when something was read from a pipe, never after a sleep.
"""

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import fault_crash
import fault_watcher
import fault_worker
import pytest
import test_races

from blackboard import Blackboard, Contract, KeyReused

WORKER, WATCHER, CRASH = (Path(module.__file__) for module in (fault_worker, fault_watcher, fault_crash))


@pytest.fixture
def start():
    """Return a way to start a process; those that a failed test leaves behind are ended."""
    started = []

    def begin(*arguments, **named):
        process = subprocess.Popen([sys.executable, *map(str, arguments)], text=True, stderr=subprocess.PIPE, **named)
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def end_of(process):
    """Wait for the end of a process; returns what it complained about, and its status."""
    said = process.communicate()[1]
    return said, process.returncode


KILLED = ("", -signal.SIGKILL)
ENDED = ("", 0)


class Workers:
    """Workers that are killed again and again and started again, each with what it acknowledged."""

    def __init__(self, start, location, seed, kills):
        self.start, self.location, self.seed, self.kills = start, location, seed, kills
        self.lines: dict[str, list[str]] = {name: [] for name in test_races.AUTHORS}
        self.problems: list[str] = []

    def life(self, name):
        """Start a worker, kill it after some lines, start the next; the last one ends by itself."""
        draw = random.Random(f"{self.seed} {name}")
        for number in range(self.kills + 1):
            last = number == self.kills
            commits, fatal = (10, None) if last else (10_000, draw.randrange(1, 25))
            worker = self.start(
                WORKER, self.location, name, commits, f"{self.seed}-{number}", "/dev/stdout", stdout=subprocess.PIPE
            )
            for count, line in enumerate(worker.stdout, 1):
                if line.endswith("\n"):
                    self.lines[name].append(line.strip())
                if count == fatal:
                    worker.send_signal(signal.SIGKILL)
            if (ended := end_of(worker)) != (ENDED if last else KILLED):
                self.problems.append(f"{name}: {ended}")

    def run(self):
        threads = [threading.Thread(target=self.life, args=(name,)) for name in self.lines]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def test_writers_killed_at_random_lose_nothing_that_was_acknowledged(location, given, seed, length, start):
    test_races.arrange(location, given)
    workers = Workers(start, location, seed, kills=length(2, 40))
    workers.run()
    assert workers.problems == []
    with Blackboard.open(location) as board:
        head = board.verify()
        authors = {change.revision: change.author for change in board.changes(after=0)}
        assert sorted(authors) == list(range(1, head.revision + 1))
        for name, lines in workers.lines.items():
            acknowledged = [int(answer) for answer in (line.split()[1] for line in lines) if answer.isdecimal()]
            assert len(acknowledged) >= 10
            # A commit that changed nothing is told at the revision of somebody else.
            assert set(acknowledged) <= set(authors)
            assert name in {authors[revision] for revision in acknowledged}
        lines = [line for name in workers.lines for line in workers.lines[name]]
        counted = sum(line.startswith("count ") and line.split()[1].isdecimal() for line in lines)
        assert board.snapshot().decision("race/count").value["count"] >= counted
        test_races.never_were_both_off_duty(board)
        test_races.every_vote_counted(board)
        test_races.nothing_sleeps(board)
        given(board).decided("after/all", 1, role="operator")


@pytest.mark.parametrize("point", ["begun", "applied", "committed"])
def test_a_process_that_dies_in_a_commit_leaves_all_of_it_or_nothing(location, given, start, point):
    with Blackboard.open(location, create=True) as board:
        given(board).decided("api/ids", "int")
        assert end_of(start(CRASH, location, point, "call-1")) == KILLED
        board.verify()
        happened = point == "committed"
        assert board.revision == (2 if happened else 1)
        assert (board.snapshot().component("server") is not None) is happened
        found = board.find_commit("call-1", author="ann")
        assert (found is not None) is happened
        late = board.transaction("ann", idempotency_key="call-1")
        late.decision("api/ids")
        late.decide("api/ids", Contract.value("text"))
        late.write("server", {"server.txt": "x" * 100_000})
        if happened:
            assert late.commit() == found
        else:
            with pytest.raises(KeyReused):
                late.commit()
        given(board).decided("api/page", 20)


@pytest.mark.parametrize("point", ["begun", "applied", "committed"])
def test_a_board_whose_only_process_died_in_a_commit_opens_again(location, given, start, point):
    with Blackboard.open(location, create=True) as board:
        given(board).decided("api/ids", "int")
    for number in range(2):
        assert end_of(start(CRASH, location, point, f"call-{number}")) == KILLED
    with Blackboard.open(location) as board:
        assert board.verify().revision == (2 if point == "committed" else 1)
        given(board).decided("api/page", 20)


def write_together(start, location, seed, commits, tmp_path):
    """Start four writers; returns them."""
    return [
        start(WORKER, location, name, commits, seed, tmp_path / f"{name}.log", stdout=subprocess.DEVNULL)
        for name in test_races.AUTHORS
    ]


def follow(path):
    """Yield the whole lines that somebody writes to a pipe, as they come, until it is closed."""
    with Path(path).open() as pipe:
        for line in pipe:
            if line.endswith("\n"):
                yield line.strip()


def test_a_watcher_sees_every_revision_once_and_in_order_and_resumes_after_kill_9(
    location, given, seed, length, tmp_path, start
):
    test_races.arrange(location, given)
    # They write until they are killed, so that no watcher waits in vain.
    writers = write_together(start, location, seed, 10**6, tmp_path)
    draw = random.Random(seed)
    seen: list[str] = []
    for number in range(length(2, 40)):
        pipe = tmp_path / f"watch-{number}"
        os.mkfifo(pipe)
        watcher = start(WATCHER, location, int(seen[-1].split()[0]) if seen else 0, 10**9, pipe)
        fatal = draw.randrange(1, 12)
        for count, line in enumerate(follow(pipe), 1):
            seen.append(line)
            if count == fatal:
                watcher.send_signal(signal.SIGKILL)
        assert end_of(watcher) == KILLED
    for writer in writers:
        writer.kill()
        assert end_of(writer) == KILLED
    with Blackboard.open(location) as board:
        given(board).decided("the/end", 1, role="operator")
        log = tmp_path / "watch-last"
        watcher = start(WATCHER, location, int(seen[-1].split()[0]), board.revision, log)
        assert end_of(watcher) == ENDED
        seen += log.read_text().splitlines()
        expected: dict[int, list[str]] = {}
        for change in board.changes(after=0):
            expected.setdefault(change.revision, []).append(change.key)
        assert seen == [f"{revision} {' '.join(names)}" for revision, names in expected.items()]


def test_a_watcher_follows_four_writers_to_the_end(location, given, seed, length, tmp_path, start):
    test_races.arrange(location, given)
    with Blackboard.open(location) as board:
        after = board.revision
        writers = write_together(start, location, seed, length(40, 1000), tmp_path)

        def end():
            for writer in writers:
                writer.wait()
            given(board).decided("the/end", 1, role="operator")

        ending = threading.Thread(target=end)
        ending.start()
        revisions = []
        for batch in board.watch(after=after):
            revisions.append(batch[0].revision)
            if batch[0].key == "the/end":
                break
        ending.join()
        assert [end_of(writer) for writer in writers] == [ENDED] * 4
        assert revisions == list(range(after + 1, board.revision + 1))
