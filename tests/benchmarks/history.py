"""P4: commits and snapshots on a board with a long history."""

import random
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from blackboard import Blackboard, Contract

from . import boards
from .commits import READS
from .measure import Bar, Bench, Line, cpu, fsync_ms, in_turns

FEW = 1_000
KEYED = 20
"""How many keys are read from each snapshot."""


def run(bench: Bench) -> Iterator[Line]:
    """Measure P4."""
    many = bench.of(2_000, 100_000, 1_000_000)
    grown = Bar("P4", f"commit at {many:,} versions, beside one at {FEW:,}", 2.5, f"the same commit at {FEW:,}")
    with bench.place("history") as folder:
        small, large = folder / "small.db", folder / "large.db"
        boards.inserted(small, keys=FEW // boards.WAVES)
        boards.inserted(large, keys=many // boards.WAVES)
        with Blackboard.open(small) as board_small, Blackboard.open(large) as board_large:
            each, rounds = bench.of(1, 10, 20), bench.of(1, 25, 51)
            at_large = Commits(board_large, keys=many // boards.WAVES)
            at_small = Commits(board_small, keys=FEW // boards.WAVES)
            pairs = in_turns(lambda: at_large.cpu(each), lambda: at_small.cpu(each), rounds=rounds, warm=2)
            yield grown.measured(pairs.ratio, fsync_ms(folder), **pairs.milliseconds(each=each))
            yield from _snapshots(bench, board_large, folder, many)


def _snapshots(bench: Bench, board: Blackboard, folder: Path, versions: int) -> Iterator[Line]:
    keys, rounds = versions // boards.WAVES, bench.of(1, 25, 51)
    cases = {f"{KEYED} keys": read_keys, f"a pattern of {boards.AREA} keys": read_area}
    for what, read in cases.items():
        draw, other = random.Random(1), random.Random(1)
        bar = Bar("P4", f"snapshot of an old revision, {what}, beside the head", 4.0, "the same reads at the head")

        def old(read=read, draw=draw) -> float:
            return cpu(lambda: read(board, draw, keys, at=board.revision // 2))

        def head(read=read, other=other) -> float:
            return cpu(lambda: read(board, other, keys, at=None))

        pairs = in_turns(old, head, rounds=rounds, warm=2)
        yield bar.measured(pairs.ratio, fsync_ms(folder), **pairs.milliseconds())


def read_keys(board: Blackboard, draw: random.Random, keys: int, *, at: int | None) -> None:
    """Take a snapshot and read some keys of it."""
    snapshot = board.snapshot(at=at)
    for _ in range(KEYED):
        snapshot.decision(boards.key(draw.randrange(keys)))


def read_area(board: Blackboard, draw: random.Random, keys: int, *, at: int | None) -> None:
    """Take a snapshot and read all keys of a folder."""
    area = boards.key(draw.randrange(keys)).split("/")[0]
    board.snapshot(at=at).decisions(f"{area}/*")


class Commits:
    """Commits on keys of a board drawn by lot, each with values that were never there."""

    def __init__(self, board: Blackboard, *, keys: int) -> None:
        self._board = board
        self._keys = keys
        self._draw = random.Random(0)
        self._numbers = count(1000)

    def cpu(self, times: int) -> float:
        """Return the CPU time of so many commits."""
        return cpu(self._commit, times=times)

    def _commit(self) -> None:
        names = [boards.key(self._draw.randrange(self._keys)) for _ in range(READS)]
        with self._board.transaction(boards.AUTHOR, role=boards.ROLE) as transaction:
            for one in names:
                transaction.decision(one)
            transaction.decide(names[0], Contract.value({"id": "int", "title": "str", "limit": next(self._numbers)}))
