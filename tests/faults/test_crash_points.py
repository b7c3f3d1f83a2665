"""S1, S2, S11: a process that dies, or is told of an error, at any system call on the board's files breaks no promise.

The calls of each scene of `crash_points` are enumerated under strace, then one of them is where the process is killed
(before the call), or where the call fails. What is left is opened again and held against what was answered. The short
form takes a sample, spread over scenes, calls and faults by the seed; the long form takes every point.
"""

import random
import shutil
from collections import Counter
from pathlib import Path

import crash_points
import pytest
import tracing
from tracing import FAULTS, KILL, NO_SPACE, Point

from blackboard import BlackboardError

pytest.register_assert_rewrite("crash_checks")
import crash_checks  # noqa: E402 - what it asserts is shown like what a test asserts

KILLED = -9
SHORT = 60
TRIES = 4
"""How often a point is gone for: which thread leads a group, and so makes a call, is not told beforehand."""
CAUGHT = (AssertionError, BlackboardError)
"""How the checks say that a promise was broken."""


class Bench:
    """Scenes, what each begins with, and the points of each."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.scenes = tracing.Scenes(root / "complaints")
        self.points: dict[str, list[Point]] = {}
        self.names: dict[str, list[str]] = {}

    def enumerated(self, scene: str) -> list[Point]:
        """Return every point of a scene; what it does without a fault is checked on the way."""
        if scene not in self.points:
            folder, log = self.copy(scene)
            calls, names = self.scenes.enumerate(scene, folder, log, self.root / "trace")
            crash_checks.check(folder, log.read_text().splitlines())
            self.names[scene] = [name.relative_to(folder).as_posix() for name in names]
            self.points[scene] = sorted(
                Point(scene, call, fault, thread, n)
                for (thread, call), count in calls.items()
                for fault in FAULTS
                if fault != tracing.ENOSPC or call in NO_SPACE
                for n in range(1, count + 1)
            )
        return self.points[scene]

    def copy(self, scene: str) -> tuple[Path, Path]:
        """Return a fresh folder as the scene begins, and the name of its log."""
        if not (self.root / "begun" / scene).exists():
            self.scenes.prepare(scene, self.root / "begun" / scene)
        folder, log = self.root / "work", self.root / "log"
        shutil.rmtree(folder, ignore_errors=True)
        log.unlink(missing_ok=True)
        shutil.copytree(self.root / "begun" / scene, folder)
        return folder, log

    def tried(self, point: Point, wrong: str = "") -> bool:
        """Do a scene with a fault, check what it leaves, and say whether the fault was reached."""
        folder, log = self.copy(point.scene)
        names = [folder / name for name in self.names[point.scene]]
        status, reached = self.scenes.inject(point, folder, log, names, self.root / "trace", wrong=wrong)
        lines = log.read_text().splitlines()
        assert status == KILLED if point.fault == KILL and reached else (status, lines[-1]) == (0, "end"), lines
        crash_checks.check(folder, lines)
        return reached


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    made = Bench(tmp_path_factory.mktemp("crashes"))
    yield made
    made.scenes.close()


def sampled(points: list[Point], draw: random.Random, size: int) -> list[Point]:
    """Return points of every kind in turn: kinds are (scene, call, fault)."""
    kinds: dict[tuple[str, str, str], list[Point]] = {}
    for point in points:
        kinds.setdefault((point.scene, point.call, point.fault), []).append(point)
    for found in kinds.values():
        draw.shuffle(found)
    order = list(kinds.values())
    draw.shuffle(order)
    rounds = max(map(len, order))
    return [found[n] for n in range(rounds) for found in order if n < len(found)][:size]


@pytest.mark.parametrize("scene", sorted(crash_points.SCENES))
def test_a_crash_or_an_error_at_any_system_call_breaks_no_promise(bench, seed, request, scene):
    points = bench.enumerated(scene)
    if not request.config.getoption("--long"):
        points = sampled(points, random.Random(seed), SHORT // len(crash_points.SCENES))
    reached: Counter = Counter()
    missed: Counter = Counter()
    broken = []
    for point in points:
        try:
            found = any(bench.tried(point) for _ in range(TRIES))
            (reached if found else missed)[point.scene, point.call, point.fault] += 1
        except CAUGHT as error:
            broken.append(f"{point}: {type(error).__name__}: {str(error)[:1000]}")
    print(f"{reached.total()} points reached, {missed.total()} not")  # noqa: T201 - the figures of the run
    for kind, count in sorted(reached.items()):
        print(*kind, count)  # noqa: T201
    assert broken == []
    # Where threads share a commit, some points may not come again; all others come as they were enumerated.
    assert scene == "groups" or not missed, missed
    assert reached.total() >= 0.5 * len(points)


@pytest.mark.parametrize(
    ("wrong", "faults"),
    [
        ("in_two_transactions", [KILL]),
        ("answered_early", [KILL]),
        ("revision_from_memory", [tracing.EIO, tracing.ENOSPC]),
    ],
)
def test_a_wrong_store_is_caught_at_such_a_point(bench, seed, wrong, faults):
    scene = "checkpoint"
    points = [point for point in bench.enumerated(scene) if point.fault in faults]
    folder, log = bench.copy(scene)
    assert bench.scenes.run(scene, folder, log, ["-e", "trace=none"], wrong=wrong) == 0
    crash_checks.check(folder, log.read_text().splitlines())  # without a fault nothing is wrong with it
    for tried, point in enumerate(sampled(points, random.Random(seed), 60), 1):
        try:
            bench.tried(point, wrong)
        except CAUGHT as error:
            print(f"{wrong} is caught at the point number {tried}: {point}: {error}"[:500])  # noqa: T201
            return
    pytest.fail(f"{wrong} was not caught by {len(points)} points")
