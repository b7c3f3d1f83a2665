"""P9: how soon another process knows of a commit, and what claiming costs on a long agenda.

`python -m tests.benchmarks.watching PATH` watches a board and prints the clock's time at each change.
"""

import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import count
from pathlib import Path
from queue import Empty, Queue

from blackboard import Blackboard, Context, Unavailable, knowledge_source, on
from blackboard.store import session

from . import boards, commits, teams
from .floors import update as floor
from .measure import FLOORS, Bar, Bench, Line, cpu, fsync_ms, in_turns, wall
from .writers import ROOT

WAKE = Bar("P9", "wake-up in another process, median, in ms", 50, f"{FLOORS}/watcher.py")
UPDATE = f"{FLOORS}/update.py"
LOST_SECONDS = 2.0


class Watcher:
    """Another process that says when it saw a commit."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._seen: Queue[str] = Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        if self._seen.get(timeout=30) != "ready\n":
            raise RuntimeError(f"{command} did not start")

    def _listen(self) -> None:
        if self._process.stdout is not None:
            for line in self._process.stdout:
                self._seen.put(line)

    def delay_of(self, commit: Callable[[], float]) -> float:
        """Return how many seconds after a commit began to write the other process knew; never counts as very late."""
        while not self._seen.empty():
            self._seen.get()
        began = commit()
        try:
            return float(self._seen.get(timeout=LOST_SECONDS)) - began
        except Empty:
            return LOST_SECONDS

    def close(self) -> None:
        """End it."""
        self._process.communicate()


def run(bench: Bench) -> Iterator[Line]:
    """Measure P9."""
    yield _wake(bench)
    yield from _claims(bench)


def _wake(bench: Bench) -> Line:
    """Measure from the COMMIT on, without the wait for the disk: the log is written before it, and known after it."""
    commands = {
        "ours": lambda path: [sys.executable, "-m", "tests.benchmarks.watching", str(path)],
        "floor": lambda path: [sys.executable, str(Path(__file__).parent / "floors" / "watcher.py"), str(path.parent)],
    }
    draw = random.Random(0)
    delays: dict[str, list[float]] = {"ours": [], "floor": []}
    with bench.place("wake") as folder:
        path = folder / "ours.db"
        with commits.filled_board(path):
            pass
        with Blackboard.open(path, durability="normal") as board:
            commit = _Commits(board)
            for _ in range(bench.of(1, 4, 10)):
                for kind, command in commands.items():
                    watcher = Watcher(command(path))
                    for _ in range(bench.of(3, 40, 100)):
                        # It falls anywhere between two looks of whoever looks from time to time.
                        time.sleep(draw.uniform(0.01, 0.05))
                        delays[kind].append(watcher.delay_of(commit))
                    watcher.close()
        ours, bare = statistics.median(delays["ours"]), statistics.median(delays["floor"])
        worst = max(delays["ours"])
        fsync = fsync_ms(folder)
    return WAKE.measured(ours * 1000, fsync, floor_ms=bare * 1000, ours_worst_ms=worst * 1000)


class _Commits:
    """Commits, each of which tells when everything was written and only the COMMIT was left."""

    def __init__(self, board: Blackboard) -> None:
        self._board = board
        self._numbers = count()
        self._applied = 0.0

    def __call__(self) -> float:
        """Commit once and return the clock's time at its COMMIT."""
        before, session.at_point = session.at_point, self._note
        try:
            commits.commit_ours(self._board, next(self._numbers))
        finally:
            session.at_point = before
        return self._applied

    def _note(self, point: str) -> None:
        if point == session.APPLIED:
            self._applied = time.monotonic()


def _claims(bench: Bench) -> Iterator[Line]:
    pending = bench.of(100, 100_000, 100_000)
    each, rounds = bench.of(1, 5, 10), bench.of(1, 15, 51)
    with bench.place("claims") as folder:
        board_with_agenda(folder / "ours.db", pending)
        floor.create(folder / "floor.db", rows=pending)
        table = floor.Table(folder / "floor.db")
        numbers = iter(range(1 << 30))
        with Blackboard.open(folder / "ours.db") as board:

            def claim() -> None:
                if len(board.claim(SOURCE)) != 1:
                    raise RuntimeError("nothing was claimed")

            def update() -> None:
                number = next(numbers)
                table.update_one(number % pending, f"leased-{number}")

            for what, clock in (("", wall), (", CPU", cpu)):
                case = f"claim from {pending:,}{what}, beside an UPDATE of one row"
                pairs = in_turns(partial(clock, claim, times=each), partial(clock, update, times=each), rounds=rounds)
                yield Bar("P9", case, 5.0, UPDATE).measured(
                    pairs.ratio, fsync_ms(folder), **pairs.milliseconds(each=each)
                )
        table.close()


SOURCE = "cora"
_AGENDA = """
    INSERT INTO activation (source, target_id, kind, state, rating, run_again, attempts, revision, pending_since,
      not_before, error, reason)
    SELECT :source, id, 'accepted', 'pending', id % 97, 0, 0, mod_revision, 1.7e9 + id, 0, NULL, ''
    FROM key WHERE kind = 'decision' AND key LIKE 'area-%'
    ON CONFLICT DO NOTHING"""


def board_with_agenda(path: Path, pending: int, *, waves: int = 1) -> None:
    """Make a board with so many decisions, and for each an activation that waits for one source."""
    boards.inserted(path, keys=pending, waves=waves)
    with Blackboard.open(path, durability="normal") as board:

        @knowledge_source(role=teams.CODER, on=on.accepted("**"), name=SOURCE, max_concurrency=1_000_000)
        def claims_only(_context: Context) -> None:
            """Never run here: what is measured is the claim."""

        board.install(teams.open_team(claims_only))
        with board.store.writer.turn() as turn:
            turn.connection.raw.execute(_AGENDA, {"source": SOURCE})


def main() -> None:
    """Watch a board and say when something was committed, until the input is closed."""
    with Blackboard.open(sys.argv[1]) as board:
        threading.Thread(target=_say, args=(board,), daemon=True).start()
        sys.stdin.read()


def _say(board: Blackboard) -> None:
    after = board.cursor
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    # The board is closed when the input ends.
    with suppress(Unavailable):
        for _ in board.watch(after=after):
            sys.stdout.write(f"{time.monotonic()}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
