"""S8: whoever was taken over is refused every time, however late it notices and whatever the clocks say."""

import random
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import fault_holder
import pytest

from blackboard import Blackboard, Contract, LeaseLost, Team, external, on
from blackboard.choreography import Choreography, Role, may
from blackboard.testing import FakeClock

HOLDER = Path(fault_holder.__file__)
JOBS = 3
HOUR = 3600.0


def arrange(location, clock=None):
    """Make a board with jobs that a worker may claim again as often as it loses them."""
    worker = replace(external("worker", role="coder", on=on.accepted("job/*")), max_concurrency=JOBS, retries=10**6)
    choreography = Choreography("jobs", may(Role("coder", reliable=True), "decide", "result/*"))
    with Blackboard.open(location, create=True, durability="normal", clock=clock) as board:
        board.install(Team("jobs", [worker], choreography=choreography))
        for number in range(JOBS):
            woken(board, number, "first")


def woken(board, number, text):
    with board.transaction("boss", role="operator") as transaction:
        transaction.decision(f"job/{number}")
        transaction.decide(f"job/{number}", Contract.value(text))


def recorded(lease, text):
    """Return a transaction that records something under a lease."""
    transaction = lease.transaction()
    key = lease.target.replace("job", "result")
    transaction.decision(key)
    transaction.decide(key, Contract.value(text))
    return transaction


class Holders:
    """Processes with clocks apart, as far as the store can tell, and every lease that they ever had."""

    def __init__(self, boards, clocks, draw):
        self.boards, self.clocks, self.draw = boards, clocks, draw
        self.leases, self.ended = [], set()
        self.newest: dict[str, int] = {}
        self.count = {"refused": 0, "committed": 0}
        self.number = 0

    def jump(self):
        """Let a clock go forward, or back to before it began."""
        clock = self.draw.choice(self.clocks)
        clock.now += self.draw.choice([-10 * HOUR, -60, 0.5, 30, HOUR, 10 * HOUR])

    def claim(self):
        board = self.draw.choice(self.boards)
        for lease in board.claim("worker", limit=self.draw.randrange(1, JOBS + 1), lease_seconds=60):
            assert all(lease.token > token for token in self.newest.values())
            self.newest[lease.target] = lease.token
            self.leases.append(lease)

    def wake(self):
        self.number += 1
        woken(self.draw.choice(self.boards), self.draw.randrange(JOBS), f"text {self.number}")

    def act(self):
        """Let any holder, living or not, try anything: a zombie gets nothing done."""
        if not self.leases:
            return
        lease = self.draw.choice(self.leases[-4:] if self.draw.random() < 0.5 else self.leases)
        zombie = lease.token != self.newest[lease.target] or lease.token in self.ended
        self.number += 1
        what = self.draw.choice(["commit", "renew", "finish", "release"])
        before = self.boards[0].revision
        try:
            if what == "commit":
                recorded(lease, f"by {lease.token}: {self.number}").commit()
            else:
                getattr(lease, what)()
        except LeaseLost:
            assert zombie or what != "commit", (what, lease.token)
            assert self.boards[0].revision == before
            self.count["refused"] += zombie
            return
        assert not zombie, (what, lease.token, self.newest)
        self.count["committed"] += what == "commit"
        if what in ("finish", "release"):
            self.ended.add(lease.token)


def test_a_zombie_is_refused_every_time_while_clocks_jump_and_stand_apart(location, seed, length):
    draw = random.Random(seed)
    clocks = [FakeClock(), FakeClock(), FakeClock()]
    arrange(location, clocks[0])
    clocks[1].now += HOUR
    clocks[2].now -= HOUR
    with ExitStack() as stack:
        boards = [stack.enter_context(Blackboard.open(location, durability="normal", clock=clock)) for clock in clocks]
        holders = Holders(boards, clocks, draw)
        acts = [holders.jump, holders.claim, holders.wake, holders.act, holders.act, holders.act]
        for _ in range(length(600, 20_000)):
            draw.choice(acts)()
        print(holders.count)  # noqa: T201 - the figures of the run
        assert min(holders.count.values()) > 0
        times = [row[0] for row in rows(boards[0], "SELECT at FROM commit_log ORDER BY revision")]
        assert times == sorted(times)
        boards[0].verify()


def rows(board, text):
    with board.store.database.reading() as connection:
        return connection.raw.execute(text).fetchall()


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
def test_a_process_stopped_beyond_its_lease_is_refused_when_it_goes_on(location, ahead):
    """Its clock and that of who takes over are an hour apart, either way."""
    arrange(location)
    with subprocess.Popen(
        [sys.executable, HOLDER, location], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        try:
            token = int(holder.stdout.readline().split()[1])
            holder.send_signal(signal.SIGSTOP)
            waited = [0.0]
            with Blackboard.open(location, clock=lambda: time.time() + ahead + waited[0]) as board:
                # Store time never goes back, so a clock that is behind has to catch up first.
                waited[0] = 2 * HOUR
                # What was lost waits a moment before it is claimed again; the others are claimed first.
                taken = []
                for _ in range(5):
                    taken += board.claim("worker", limit=JOBS, lease_seconds=10 * HOUR)
                    waited[0] += 60
                (mine,) = [lease for lease in taken if lease.target == "job/0"]
                assert mine.token > token
                done = recorded(mine, "the living's").commit()
                holder.send_signal(signal.SIGCONT)
                said = holder.communicate("go\n", timeout=60)[0].splitlines()
                assert said == ["lost", "renew lost", "finish lost", "release lost"]
                assert board.revision == done.revision
                assert board.snapshot().decision("result/0").value == "the living's"
                mine.finish()
        finally:
            holder.kill()
