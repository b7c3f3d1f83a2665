"""A process that commits as fast as it can for a while: `python -m tests.benchmarks.writers KIND PATH THREADS SECONDS`.

It says "ready" when its store is open, begins when it is told to, and ends by printing what it did as JSON.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from blackboard import Blackboard, BlackboardError

from . import commits
from .floors.commits import Store
from .floors.group_commit import GroupWriter

OURS, RAW, GROUP = "ours", "raw", "group"
ROOT = Path(__file__).resolve().parents[2]

Commit = Callable[[int, int], object]
"""Commits once: (lane, number)."""


@dataclass(frozen=True, slots=True)
class Written:
    """What writers did.

    Attributes:
        worst_ms: The longest time that one commit took.
        errors: What went wrong, as text.
    """

    commits: int
    seconds: float
    worst_ms: float
    errors: tuple[str, ...]

    @property
    def per_second(self) -> float:
        """Commits in each second."""
        return self.commits / self.seconds


class Writers:
    """A process of writers that was started and waits to be told to begin."""

    def __init__(
        self,
        kind: str,
        path: Path,
        *,
        threads: int,
        seconds: float,
        first_lane: int = 0,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        command = [sys.executable, "-m", "tests.benchmarks.writers", kind, str(path), str(threads), str(seconds)]
        self._process = subprocess.Popen(
            [*command, str(first_lane)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait_until_ready(self) -> None:
        """Wait until their store is open."""
        if self._line() != "ready\n":
            raise RuntimeError(f"the writers did not start: exit status {self._process.wait()}")

    def begin(self) -> None:
        """Let them write."""
        if self._process.stdin is not None:
            self._process.stdin.write("go\n")
            self._process.stdin.close()

    def written(self) -> Written:
        """Wait until they are done and return what they did."""
        with self._process:
            line = self._line()
        if self._process.returncode or not line:
            raise RuntimeError(f"the writers died with exit status {self._process.returncode}")
        found = json.loads(line)
        return Written(found["commits"], found["seconds"], found["worst_ms"], tuple(found["errors"]))

    def _line(self) -> str:
        return "" if self._process.stdout is None else self._process.stdout.readline()


def write(
    kind: str, path: Path, *, threads: int, seconds: float, environment: Mapping[str, str] | None = None
) -> Written:
    """Let one process write and return what it did."""
    writers = Writers(kind, path, threads=threads, seconds=seconds, environment=environment)
    return together([writers])[0]


def together(writers: Sequence[Writers]) -> list[Written]:
    """Let processes that were started write at once and return what each did."""
    for one in writers:
        one.wait_until_ready()
    for one in writers:
        one.begin()
    return [one.written() for one in writers]


def _committing(kind: str, path: Path, stack: ExitStack) -> Commit:
    if kind == OURS:
        board = stack.enter_context(Blackboard.open(path))
        return lambda lane, number: commits.commit_ours(board, number, lane=lane)
    if kind == RAW:
        store = Store(path)
        stack.callback(store.close)
        return lambda lane, number: commits.commit_floor(store, store.commit, number, lane=lane)
    group = GroupWriter(path)
    stack.callback(group.close)
    readers: dict[int, Store] = {}

    def commit(lane: int, number: int) -> None:
        if lane not in readers:
            readers[lane] = Store(path)
            stack.callback(readers[lane].close)
        commits.commit_floor(readers[lane], group.commit, number, lane=lane)

    return commit


def _run(commit: Commit, lanes: Sequence[int], seconds: float) -> Written:
    """Commit in one thread for each lane until the time is up."""
    done: dict[int, int] = dict.fromkeys(lanes, 0)
    worst: dict[int, float] = dict.fromkeys(lanes, 0.0)
    errors: list[str] = []
    start = threading.Barrier(len(lanes) + 1)

    def work(lane: int) -> None:
        start.wait()
        last = time.monotonic()
        while last < until[0]:
            try:
                commit(lane, done[lane])
            except BlackboardError as error:
                errors.append(f"{type(error).__name__}: {error}")
            now = time.monotonic()
            worst[lane] = max(worst[lane], now - last)
            last = now
            done[lane] += 1

    threads = [threading.Thread(target=work, args=(lane,)) for lane in lanes]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    until = [began + seconds]
    start.wait()
    for thread in threads:
        thread.join()
    ended = time.monotonic()
    return Written(sum(done.values()) - len(errors), ended - began, max(worst.values()) * 1000, tuple(errors))


def main() -> None:
    """Open, wait, write, say what was done."""
    kind, path, threads, seconds, first_lane = sys.argv[1:]
    with ExitStack() as stack:
        commit = _committing(kind, Path(path), stack)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        lanes = range(int(first_lane), int(first_lane) + int(threads))
        written = _run(commit, lanes, float(seconds))
    described = {name: getattr(written, name) for name in ("commits", "seconds", "worst_ms", "errors")}
    sys.stdout.write(json.dumps(described) + "\n")


if __name__ == "__main__":
    main()
