"""P1: what a commit costs, in CPU time."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from blackboard import Blackboard, Contract

from .floors import commits as floor
from .measure import FLOORS, Bar, Bench, Line, cpu, fsync_ms, in_turns

READS = 5
LANE = 25
KEYS = 8 * LANE
COMMIT = Bar("P1", f"public commit, {READS} reads and 1 write", 2.5, f"{FLOORS}/commits.py")
MANY = Bar("P1", "commit that validates 100 keys, beside one that validates 1", 2.0, "the same commit with 1 key")


def key(number: int, lane: int | None = None) -> str:
    """Return the name of one of the keys; each lane has some for itself, so that writers do not meet."""
    return f"api/part-{number % KEYS if lane is None else lane * LANE + number % LANE:03}"


def value(number: int) -> dict[str, object]:
    """Return a decision's value that no other number has."""
    return {"id": "int", "title": "str", "limit": number}


@contextmanager
def filled_board(path: Path) -> Iterator[Blackboard]:
    """Lend a board on which every key is decided."""
    with Blackboard.open(path, create=True) as board:
        with board.transaction("ann", role="operator") as ann:
            for number in range(KEYS):
                ann.decide(key(number), Contract.value(value(number)))
        yield board


@contextmanager
def filled_floor(path: Path) -> Iterator[floor.Store]:
    """Lend a store of the floor on which every key is decided."""
    floor.create(path)
    store = floor.Store(path)
    store.commit("ann", {}, {key(number): json.dumps(value(number)) for number in range(KEYS)}, "fill")
    yield store
    store.close()


def commit_ours(board: Blackboard, number: int, *, lane: int | None = None) -> None:
    """Read some keys and write the first of them."""
    with board.transaction("ann", role="operator") as transaction:
        for offset in range(READS):
            transaction.decision(key(number + offset, lane))
        transaction.decide(key(number, lane), Contract.value(value(KEYS + number)))


def commit_floor(store: floor.Store, commit: floor.Commit, number: int, *, lane: int | None = None) -> None:
    """Do the same by hand."""
    head = store.head()
    reads = {}
    for offset in range(READS):
        name = key(number + offset, lane)
        found = store.read(name, head)
        reads[name] = None if found is None else found[1]
    text = json.dumps(value(KEYS + number), sort_keys=True)
    commit("ann", reads, {key(number, lane): text}, uuid.uuid4().hex)


def run(bench: Bench) -> Iterator[Line]:
    """Measure P1."""
    yield _commit(bench)
    yield _many(bench)


def _commit(bench: Bench) -> Line:
    each, rounds = bench.of(2, 20, 50), bench.of(2, 25, 101)
    numbers, others = count(), count()
    with bench.place("commit") as folder, filled_board(folder / "ours.db") as board:
        with filled_floor(folder / "floor.db") as store:

            def ours() -> float:
                return cpu(lambda: commit_ours(board, next(numbers)), times=each)

            def by_hand() -> float:
                return cpu(lambda: commit_floor(store, store.commit, next(others)), times=each)

            pairs = in_turns(ours, by_hand, rounds=rounds, warm=2)
        return COMMIT.measured(pairs.ratio, fsync_ms(folder), **pairs.milliseconds(each=each))


def _many(bench: Bench) -> Line:
    each, rounds = bench.of(1, 10, 20), bench.of(2, 15, 51)
    numbers = count()
    with bench.place("many") as folder, filled_board(folder / "ours.db") as board:

        def validating(keys: int) -> float:
            taken = 0.0
            for _ in range(each):
                number = next(numbers)
                transaction = board.transaction("ann", role="operator")
                for offset in range(keys):
                    transaction.decision(key(number + offset))
                transaction.decide(key(number), Contract.value(value(KEYS + number)))
                # At the head that was read nothing would be looked at: somebody else commits meanwhile.
                with board.transaction("bea", role="operator") as other:
                    other.decide(f"beside/part-{number:06}", Contract.value(number))
                taken += cpu(transaction.commit)
            return taken

        pairs = in_turns(lambda: validating(100), lambda: validating(1), rounds=rounds)
        return MANY.measured(pairs.ratio, fsync_ms(folder), **pairs.milliseconds(each=each))
