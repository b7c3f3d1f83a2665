"""P5: a decision changes on which thousands rest."""

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from blackboard import Blackboard, external, on

from . import teams
from .floors import update as floor
from .measure import FLOORS, Bar, Bench, Line, Pairs, cpu, fsync_ms, in_turns

DEPTH = 10
FLOOR = f"{FLOORS}/update.py"


def run(bench: Bench) -> Iterator[Line]:
    """Measure P5."""
    wide, each = bench.of(20, 5_000, 5_000), bench.of(10, 5_000, 5_000)
    once = Bar("P5", f"{wide:,} dependents with activations, beside one UPDATE of as many rows", 1.5, FLOOR)
    deep = Bar("P5", f"a chain {DEPTH} deep of {each:,} each, beside one UPDATE of {each:,} rows", 16.0, FLOOR)
    yield _measured(bench, once, levels=1, each=wide)
    yield _measured(bench, deep, levels=DEPTH, each=each)


def _measured(bench: Bench, bar: Bar, *, levels: int, each: int) -> Line:
    with bench.place(f"fan-out-{levels}") as folder:
        _board(folder / "ours.db", levels, each)
        floor.create(folder / "floor.db", rows=each)
        pairs = _pairs(bench, folder, levels)
        return bar.measured(pairs.ratio, fsync_ms(folder), **pairs.milliseconds())


def _hub(level: int) -> str:
    return f"api/hub-{level:02}"


def _board(path: Path, levels: int, each: int) -> None:
    with Blackboard.open(path, create=True, durability="normal") as board:
        board.install(teams.open_team(external("cora", role=teams.CODER, on=[on.stale("**")])))
        teams.decide(board, "ann", [(_hub(level), {"id": "int", "limit": 0}) for level in range(levels)])
        for level in range(levels):
            teams.build_on(board, "cora", _hub(level), [f"part/c-{level:02}-{one:05}" for one in range(each)])
    teams.checkpoint(path)


def _pairs(bench: Bench, folder: Path, levels: int) -> Pairs:
    """Change the decisions on a fresh copy of the board each time: what is stale already cannot become it."""
    numbers = count()

    def ours() -> float:
        copy = folder / f"ours-{next(numbers)}.db"
        shutil.copyfile(folder / "ours.db", copy)
        with Blackboard.open(copy) as board:
            teams.decide(board, "ann", [("api/else", {"limit": 0})])
            taken = cpu(lambda: _change(board, levels))
        copy.unlink()
        return taken

    def by_hand() -> float:
        copy = folder / f"floor-{next(numbers)}.db"
        shutil.copyfile(folder / "floor.db", copy)
        table = floor.Table(copy)
        table.update_one(1, "built")
        taken = cpu(lambda: table.update_all("stale"))
        table.close()
        copy.unlink()
        return taken

    return in_turns(ours, by_hand, rounds=bench.of(1, 9, 25))


def _change(board: Blackboard, levels: int) -> None:
    """Change one decision after the other, as it goes down a chain: what rests on the first makes the next change."""
    for level in range(levels):
        teams.decide(board, "ann", [(_hub(level), {"id": "int", "limit": 1})])
