"""S1, S8, L3: of many activations each is recorded exactly once, though those who work on them die at random."""

import random
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

import fault_mortal
from lives import KILLED, Lives

from blackboard import Blackboard, Contract, Team, external, on
from blackboard.choreography import Choreography, Role, may

WORKER = Path(fault_mortal.__file__)
AT_ONCE = 500
LIMIT_SECONDS = 3000


def arrange(location, jobs):
    """Make a board with so many pending activations."""
    worker = replace(external("worker", role="coder", on=on.accepted("job/*")), max_concurrency=1000, retries=100)
    choreography = Choreography("jobs", may(Role("coder", reliable=True), "decide", "result/*"))
    with Blackboard.open(location, create=True, durability="normal") as board:
        board.install(Team("jobs", [worker], choreography=choreography))
        for first in range(0, jobs, AT_ONCE):
            with board.transaction("boss", role="operator") as transaction:
                for number in range(first, min(first + AT_ONCE, jobs)):
                    transaction.decide(f"job/{number}", Contract.value(number))


class Mortals(Lives):
    """Two workers, each replaced when it dies."""

    def __init__(self, location, seed, jobs, deaths):
        super().__init__(workers=2, limit_seconds=LIMIT_SECONDS)
        self.location, self.seed = location, seed
        self.jobs, self.deaths = jobs, deaths
        self.lines: list[str] = []
        self.killed = 0

    def lives(self, number):
        draw = random.Random(f"{self.seed} {number}")
        for death in range(self.deaths + 1):
            # About as many results as each worker's share, over its lives.
            most = max(2, self.jobs // (self.deaths + 1))
            fatal = draw.randrange(1, most) if death < self.deaths else 0
            ended = self.life(WORKER, self.location, heard=partial(self.take, fatal))
            if ended == 0:
                return
            if ended != KILLED:
                self.problems.append(f"worker {number} ended with {ended}")
                return

    def take(self, fatal, process, count, line):
        if line.endswith("\n"):
            self.lines.append(line.strip())
        if count == fatal:
            process.kill()
            self.killed += 1


def test_each_activation_is_recorded_exactly_once_though_workers_die(location, seed, length):
    jobs = length(1000, 100_000)
    arrange(location, jobs)
    mortals = Mortals(location, seed, jobs, deaths=length(3, 40))
    mortals.go()
    print(f"{jobs} activations, {mortals.killed} workers killed")  # noqa: T201 - the figures of the run
    assert mortals.problems == []
    assert mortals.killed > 0
    with Blackboard.open(location) as board:
        board.verify()
        results = {one.key: one.value for one in board.snapshot().decisions("result/*")}
        assert set(results) == {f"result/{number}" for number in range(jobs)}
        written = Counter(one.key for one in board.changes(after=0) if one.key.startswith("result/"))
        kinds = Counter(one.kind for one in board.changes(after=0) if one.key.startswith("result/"))
        assert (written.total(), kinds["accepted"]) == (2 * jobs, jobs)
        states = rows(board, "SELECT state, count(*) FROM activation GROUP BY state")
        assert states == [("done", jobs)]
        tokens = dict(
            rows(
                board,
                "SELECT k.key, l.token FROM commit_log l JOIN change c ON c.revision = l.revision "
                "JOIN key k ON k.id = c.key_id WHERE c.kind = 'accepted' AND k.key GLOB 'result/*'",
            )
        )
        assert tokens == results
        for line in mortals.lines:
            target, token = line.split()
            assert results[target.replace("job", "result")] == int(token)


def rows(board, text):
    with board.store.database.reading() as connection:
        return [tuple(row) for row in connection.raw.execute(text)]
