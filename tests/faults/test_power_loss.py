"""S1: by default an acknowledged commit survives loss of power, whatever of the unsynced rest the disk kept.

The scenes of `crash_points` are traced with all their data, and images of the disk are rebuilt at cuts drawn from the
seed. The same with `durability="normal"`, and without any sync, has to show losses: that the test can see.
"""

import random
import shutil
from pathlib import Path

import crash_points
import power_loss
import pytest
import tracing

from blackboard import BlackboardError

pytest.register_assert_rewrite("crash_checks")
import crash_checks  # noqa: E402 - what it asserts is shown like what a test asserts

CAUGHT = (AssertionError, BlackboardError)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    made = tracing.Scenes(tmp_path_factory.mktemp("traced") / "complaints")
    yield made
    made.close()


class Lost:
    """A scene that was traced, and what is lost of it in images of the disk."""

    def __init__(self, scenes, root: Path, scene: str, wrong: str = "") -> None:
        self.root, begun, self.folder = root / scene, root / scene / "begun", root / scene / "seen"
        log, trace = self.root / "log", self.root / "trace"
        scenes.prepare(scene, begun)
        shutil.copytree(begun, self.folder)
        assert scenes.run(scene, self.folder, log, [*power_loss.OPTIONS, "-o", trace], wrong=wrong) == 0
        self.happened = power_loss.calls(trace)
        self.disk = power_loss.Disk(self.folder, log, begun)
        self.lines = log.read_text().splitlines()

    def images(self, draw: random.Random, count: int):
        """Yield what is wrong with each of so many images, None where nothing is."""
        cuts = [draw.randrange(1, len(self.happened) + 1) for _ in range(count)]
        place = self.root / "image"
        for cut, image, lines in self.disk.images(self.happened, cuts, draw):
            shutil.rmtree(place, ignore_errors=True)
            power_loss.written_out(image, place)
            try:
                crash_checks.check(place, lines)
            except CAUGHT as error:
                yield f"{self.folder.parent.name} at {cut}: {type(error).__name__}: {str(error)[:600]}"
            else:
                yield None


@pytest.mark.parametrize("scene", sorted(crash_points.SCENES))
def test_nothing_acknowledged_is_lost_with_the_power(scenes, tmp_path, seed, length, scene):
    count = -(-length(60, 510) // len(crash_points.SCENES))
    found = list(Lost(scenes, tmp_path, scene).images(random.Random(seed), count))
    wrong = [said for said in found if said]
    print(f"{len(found)} images, {len(wrong)} of them wrong")  # noqa: T201 - the figures of the run
    assert wrong == []


@pytest.mark.parametrize("wrong", ["normal", "unsynced"])
def test_a_store_that_does_not_wait_for_the_disk_is_seen_to_lose(scenes, tmp_path, seed, length, wrong):
    draw = random.Random(seed)
    found = list(Lost(scenes, tmp_path, "checkpoint", wrong).images(draw, length(20, 200)))
    lost = [said for said in found if said]
    print(f"{wrong}: {len(lost)} of {len(found)} images are wrong, as {lost[:1]}")  # noqa: T201
    assert lost != []


def test_a_trace_without_a_crash_ends_as_the_folder_did(scenes, tmp_path):
    """The model of the disk is right where nothing is lost: it holds what the files hold."""
    lost = Lost(scenes, tmp_path, "checkpoint")
    for call in lost.happened:
        lost.disk.take(call)
    assert lost.disk.said == lost.lines
    names = {place.name for place in lost.folder.iterdir()}
    assert set(lost.disk.seen) == names
    for name in names:
        if name.endswith(power_loss.LEFT_OUT):
            continue
        file = lost.disk.seen[name]
        file.synced(len(lost.happened) * 10)
        assert bytes(file.durable) == (lost.folder / name).read_bytes(), name
