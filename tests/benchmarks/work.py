"""P7 and P8: activations that do nothing, and many that wait."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

from blackboard import Blackboard, Context, Controller, Source, Team, knowledge_source, on

from . import teams
from .floors import batches as floor
from .measure import FLOORS, Bar, Bench, Line, Pairs, Size, fsync_ms, in_turns, wall

WORKERS = 32
SLEEP_SECONDS, SLEEPERS, AT_ONCE = 0.2, 100, 10
IDEAL = Bar(
    "P8",
    f"{SLEEPERS} sources of {SLEEP_SECONDS} s each, {AT_ONCE} at once",
    1.15,
    f"ideal: {SLEEPERS} x {SLEEP_SECONDS} s / {AT_ONCE}",
)
LANGGRAPH = ("langgraph", "langgraph-checkpoint-sqlite")


def run_nothing(bench: Bench) -> Iterator[Line]:
    """Measure P7."""
    number = bench.of(40, 1_000, 1_000)
    by_hand = Bar("P7", f"{number:,} activations that do nothing, beside batches by hand", 3.0, f"{FLOORS}/batches.py")
    faster = Bar(
        "P7",
        f"the same, beside {number:,} steps of LangGraph with AsyncSqliteSaver: times as fast",
        10.0,
        f"{FLOORS}/langgraph_steps.py",
        "at least",
    )
    with bench.place("nothing") as folder:
        team = _prepare(folder / "ours.db", number)
        floor.create(folder / "floor.db", activations=number)
        pairs = _against_batches(bench, folder, team, number)
        seconds = {name: value / 1000 for name, value in pairs.milliseconds().items()}
        yield by_hand.measured(pairs.ratio, fsync_ms(folder), ours_s=seconds["ours_ms"], floor_s=seconds["floor_ms"])
        yield _against_langgraph(bench, folder, faster, team, number)


def _prepare(path: Path, number: int) -> Team:
    """Make a board on whose agenda so many activations of one source stand, and return its team."""

    @knowledge_source(role=teams.CODER, on=on.accepted("item/*"), name="noop", max_concurrency=WORKERS)
    def noop(_context: Context) -> None:
        """Do nothing."""

    team = teams.open_team(noop)
    with Blackboard.open(path, create=True) as board:
        board.install(team)
        for first in range(0, number, 100):
            keys = range(first, min(first + 100, number))
            teams.decide(board, "ann", [(f"item/i-{one:06}", {"n": one}) for one in keys])
    teams.checkpoint(path)
    return team


class _Copies:
    """Fresh copies of a prepared store; each is removed when the next one is made."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._numbers = count()
        self._last: Path | None = None

    def fresh(self) -> Path:
        """Return a new copy."""
        if self._last is not None:
            self._last.unlink()
        self._last = self._path.with_name(f"{self._path.stem}-{next(self._numbers)}.db")
        shutil.copyfile(self._path, self._last)
        return self._last


def _run_ours(path: Path, team: Team, number: int) -> float:
    with Blackboard.open(path) as board:
        taken = wall(Controller(board, team, workers=WORKERS).run)
        with board.store.database.reading() as connection:
            done = connection.raw.execute("SELECT count(*) FROM activation WHERE state = 'done'").fetchone()[0]
    if done != number:
        raise RuntimeError(f"{done} of {number} activations are done")
    return taken


def _against_batches(bench: Bench, folder: Path, team: Team, number: int) -> Pairs:
    ours, by_hand = _Copies(folder / "ours.db"), _Copies(folder / "floor.db")

    def batches() -> float:
        copy = by_hand.fresh()
        return wall(lambda: floor.run(copy, lambda _target: None, at_once=WORKERS))

    return in_turns(
        lambda: _run_ours(ours.fresh(), team, number), batches, rounds=bench.of(1, 5, 15), warm=bench.of(0, 1, 1)
    )


def _against_langgraph(bench: Bench, folder: Path, bar: Bar, team: Team, number: int) -> Line:
    if bench.size is Size.TINY:
        return bar.skipped("LangGraph is not installed for a smoke test")
    python = _with_langgraph(folder / "langgraph")
    if python is None:
        return bar.skipped("LangGraph cannot be installed here")
    script = Path(__file__).with_name("floors") / "langgraph_steps.py"
    copies, numbers = _Copies(folder / "ours.db"), count()

    def theirs() -> float:
        path = folder / f"graph-{next(numbers)}.db"
        done = subprocess.run([python, script, path, str(number)], check=True, capture_output=True, text=True)
        return float(done.stdout)

    pairs = in_turns(theirs, lambda: _run_ours(copies.fresh(), team, number), rounds=bench.of(1, 3, 7), warm=0)
    taken = pairs.milliseconds()
    return bar.measured(pairs.ratio, fsync_ms(folder), ours_s=taken["floor_ms"] / 1000, floor_s=taken["ours_ms"] / 1000)


def _with_langgraph(folder: Path) -> Path | None:
    """Return the interpreter of a throw-away environment that has LangGraph, None where it cannot be had."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *LANGGRAPH]
    return python if subprocess.run(install, check=False, stdout=subprocess.DEVNULL).returncode == 0 else None


def run_waiting(bench: Bench) -> Iterator[Line]:
    """Measure P8."""
    sleepers = [_sleeper(number) for number in range(bench.of(10, SLEEPERS, SLEEPERS))]
    ideal = SLEEP_SECONDS * len(sleepers) / AT_ONCE
    team = teams.open_team(*sleepers)
    with bench.place("waiting") as folder:

        def ours() -> float:
            path = folder / f"{time.monotonic_ns()}.db"
            with Blackboard.open(path, create=True) as board:
                board.install(team)
                teams.decide(board, "ann", [("go", True)])
                return wall(Controller(board, team, workers=AT_ONCE).run)

        pairs = in_turns(ours, lambda: ideal, rounds=bench.of(1, 3, 9), warm=0)
        taken = pairs.milliseconds()
        # What the machine makes of the ideal while it has other things to do stands beside it.
        bare = wall(lambda: _pool(len(sleepers)))
        yield IDEAL.measured(pairs.ratio, fsync_ms(folder), ours_s=taken["ours_ms"] / 1000, ideal_s=ideal, bare_s=bare)


def _pool(number: int) -> None:
    """Wait as often in bare threads."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda _: time.sleep(SLEEP_SECONDS), range(number)))


def _sleeper(number: int) -> Source:
    @knowledge_source(role=teams.CODER, on=on.accepted("go"), name=f"sleeper-{number}")
    def sleeper(_context: Context) -> None:
        time.sleep(SLEEP_SECONDS)

    return sleeper
