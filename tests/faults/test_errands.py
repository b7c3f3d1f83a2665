"""S1, S2, S5: processes do each other's commits, are killed and stopped at any moment; each is done at most once."""

import os
import random
import signal
import threading
from collections import Counter
from functools import partial
from pathlib import Path

import fault_errands
import pytest
from lives import KILLED, Lives

from blackboard import Blackboard

PROCESS = Path(fault_errands.__file__)
WORKERS, LAST = 6, 50
LIMIT_SECONDS = 3000


class Neighbours(Lives):
    """Processes on one board that are killed, or stand still for a while, after some of their commits."""

    def __init__(self, location, seed, deaths):
        super().__init__(workers=WORKERS, limit_seconds=LIMIT_SECONDS)
        self.location, self.seed, self.deaths = location, seed, deaths
        self.told: dict[str, int] = {}
        self.refused: set[str] = set()
        self.by: Counter[str] = Counter()
        self.killed = self.stopped = 0

    def lives(self, number):
        draw = random.Random(f"{self.seed} {number}")
        for life in range(self.deaths + 1):
            last = life == self.deaths
            fatal = 0 if last else draw.randrange(5, 60)
            still = draw.randrange(1, LAST)
            name = f"{number}-{life}-"
            heard = partial(self.hear, name, fatal, still, draw)
            ended = self.life(PROCESS, self.location, number, life, LAST if last else 10_000, heard=heard)
            if ended != (0 if last else KILLED):
                self.problems.append(f"process {number} ended with {ended}")
                return

    def hear(self, name, fatal, still, draw, process, count, line):
        if line.endswith("\n"):
            said, number, revision, by = line.split()
            self.by[said if by == "-" else by] += 1
            if said == "told":
                self.told[f"{name}{number}"] = int(revision)
            elif said == "refused":
                self.refused.add(f"{name}{number}")
        if count == still:
            # Longer than those behind it are patient, now and then.
            process.send_signal(signal.SIGSTOP)
            self.stopped += 1
            threading.Timer(draw.choice([0.01, 0.1, 2.5]), process.send_signal, [signal.SIGCONT]).start()
        if count == fatal:
            process.kill()
            self.killed += 1


class Vandal(threading.Thread):
    """Writes whatever into the file of the line, and cuts it off, until it is told to end."""

    def __init__(self, location, seed):
        super().__init__()
        self.file, self.draw, self.ended = Path(f"{location}-queue"), random.Random(seed), threading.Event()

    def run(self):
        while not self.ended.wait(self.draw.random() * 0.01):
            with self.file.open("r+b") as file:
                size = os.fstat(file.fileno()).st_size
                at = self.draw.choice([0, 8, 16, self.draw.randrange(max(1, size)), size])
                kept = os.pread(file.fileno(), 33_000, at)
                content = self.draw.choice([self.draw.randbytes(self.draw.randrange(1, 64)), kept, bytes(24)])
                if self.draw.random() < 0.05:
                    os.ftruncate(file.fileno(), self.draw.choice([0, 16, 64, 4096, size // 2]))
                else:
                    os.pwrite(file.fileno(), content, self.draw.choice([at, self.draw.randrange(max(1, size))]))


@pytest.mark.parametrize("vandal", [False, True], ids=["undisturbed", "in a line that is written over"])
def test_commits_that_others_do_are_done_once_whoever_dies_or_stands_still(location, seed, length, vandal):
    Blackboard.open(location, create=True).close()
    neighbours, scribbling = Neighbours(location, seed, deaths=length(1, 40)), Vandal(location, seed)
    if vandal:
        scribbling.start()
    try:
        neighbours.go()
    finally:
        scribbling.ended.set()
    if vandal:
        scribbling.join()
    print(f"{dict(neighbours.by)}, {neighbours.killed} killed, {neighbours.stopped} stopped")  # noqa: T201 - of the run
    assert neighbours.problems == []
    with Blackboard.open(location) as board:
        head = board.verify()
        values, revisions = Counter(), {}
        for change in board.changes(after=0):
            if change.kind == "accepted":
                value = board.snapshot(at=change.revision).decision(change.key).value
                values[value] += 1
                revisions[value] = change.revision
        assert max(values.values()) == 1
        assert sorted(revisions.values()) == list(range(1, head.revision + 1))
        assert neighbours.told.items() <= revisions.items()
        assert not neighbours.refused & set(values)
    assert neighbours.by["another"] > 0
