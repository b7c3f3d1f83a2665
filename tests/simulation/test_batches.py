"""Claims in batches: whatever is claimed at once, by whomever, no limit is passed and nothing is handed out twice."""

import subprocess
import sys
from collections import Counter
from itertools import takewhile

from hypothesis import given, settings
from hypothesis import strategies as st

from blackboard import Blackboard, Team, knowledge_source, on
from blackboard.spec.activation import Ending
from blackboard.store import agenda, claims
from blackboard.store.agenda import End
from blackboard.store.claims import Claimants
from blackboard.testing import open_memory

CLAIMER = """
import sys
from blackboard import Blackboard
with Blackboard.open(sys.argv[1], durability="normal") as board:
    misses = 0
    while misses < 3:
        found = board.claim("noop", limit=7, lease_seconds=600)
        misses = 0 if found else misses + 1
        for one in found:
            print(one.claimed.activation, one.token)
    print("done", flush=True)
    sys.stdin.read()  # who is dead gives back what it claimed
"""


def source(name, *, pattern="q/**", most=1000, needs=None):
    @knowledge_source(role="coder", on=on.asked(pattern), name=name, max_concurrency=most, needs=needs)
    def run(context):
        raise AssertionError("nobody runs it")

    return run


def ask(board, number):
    with board.transaction("boss", role="operator") as transaction:
        for one in range(number):
            transaction.ask(f"q/{one:04}", "which?")


def test_two_processes_that_claim_at_once_never_get_the_same(location):
    with Blackboard.open(location, create=True, durability="normal") as board:
        board.install(Team("build", [source("noop")]))
        ask(board, 300)
        claimers = [
            subprocess.Popen(
                [sys.executable, "-c", CLAIMER, str(location)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        said = [list(takewhile(lambda line: line != "done\n", one.stdout)) for one in claimers]
        for one in claimers:
            one.communicate(timeout=60)
    assert [one.returncode for one in claimers] == [0, 0]
    got = [tuple(map(int, line.split())) for lines in said for line in lines]
    assert len(got) == 300
    assert len({activation for activation, _ in got}) == len({token for _, token in got}) == 300


NEEDS = st.dictionaries(st.sampled_from(["gpu", "disk"]), st.integers(0, 3), max_size=2)
SOURCES = st.lists(st.tuples(st.integers(1, 4), NEEDS), min_size=1, max_size=3)


@settings(max_examples=40)
@given(sources=SOURCES, units=st.integers(3, 6), steps=st.lists(st.integers(1, 9), min_size=1, max_size=8))
def test_no_claim_passes_a_limit_on_runs_or_resources_and_each_takes_what_fits(sources, units, steps):
    crew = [source(f"s{number}", most=most, needs=needs) for number, (most, needs) in enumerate(sources)]
    team = Team("build", crew, resources={"gpu": units, "disk": units})
    with open_memory() as board:
        board.install(team)
        ask(board, 6)
        claimants = Claimants(tuple(one.name for one in crew), {one.name: one.needs for one in crew if one.needs})
        live = {}
        for step in steps:
            taken = claims.claim(board.store, claimants, limit=step, lease_seconds=600)
            live.update({one.token: one.source for one in taken})
            check(crew, live, units)
            if len(taken) < step:
                check_full(board, crew, live, units)
            if live and step % 2:
                token = min(live)
                agenda.end(board.store, [End(token, Ending.FINISHED)])
                del live[token]


def held(crew, live):
    runs = Counter(live.values())
    return runs, {
        resource: sum(runs[one.name] * one.needs.get(resource, 0) for one in crew) for resource in ("gpu", "disk")
    }


def check(crew, live, units):
    runs, used = held(crew, live)
    assert all(runs[one.name] <= one.max_concurrency for one in crew)
    assert all(amount <= units for amount in used.values())


def check_full(board, crew, live, units):
    """Whoever still has something pending is at its limit, or what it needs is not there."""
    runs, used = held(crew, live)
    pending = Counter(one.source for one in open_ones(board) if one.state == "pending")
    for one in crew:
        if pending[one.name]:
            fits = all(used[resource] + amount <= units for resource, amount in one.needs.items())
            assert runs[one.name] >= one.max_concurrency or not fits


def open_ones(board):
    with board.store.database.reading() as connection:
        return agenda.open_activations(connection)
