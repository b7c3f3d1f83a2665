"""Tests of the tests: each check after a crash catches what it is for; the model of a disk loses what it may lose."""

import random
import shutil
import sqlite3

import crash_points
import pytest
import tracing
from power_loss import File, Stage

from blackboard import BlackboardError

pytest.register_assert_rewrite("crash_checks")
import crash_checks  # noqa: E402 - what it asserts is shown like what a test asserts

CAUGHT = (AssertionError, BlackboardError)


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """Return a way to do a scene in this process; it is done once: returns its folder and what its log says."""
    scenes = tracing.Scenes(tmp_path_factory.mktemp("scenes") / "complaints")
    found = {}

    def do(scene):
        if scene not in found:
            root = tmp_path_factory.mktemp(scene)
            folder, log = root / "board", root / "log"
            # What a scene begins with is left open there, so it is made by a process that ends.
            scenes.prepare(scene, folder)
            crash_points.SCENES[scene](folder, crash_points.Log(log), None)
            found[scene] = folder, log.read_text().splitlines()
        return found[scene]

    yield do
    scenes.close()


def copied(done, tmp_path):
    """Return a copy of what a scene left, and the lines of its log."""
    folder, lines = done
    return shutil.copytree(folder, tmp_path / "board"), list(lines)


def sql(text):
    def violate(folder, lines):
        raw = sqlite3.connect(folder / ("old.db" if (folder / "old.db").exists() else "board.db"))
        raw.execute(text)
        raw.commit()
        raw.close()

    return violate


def heard(line):
    return lambda folder, lines: lines.append(line)


def a_copy_cut_short(folder, lines):
    place = folder / "copy.db"
    content = place.read_bytes()
    place.write_bytes(content[: len(content) // 2])


def no_copy(folder, lines):
    (folder / "copy.db").unlink()


@pytest.mark.parametrize(
    ("scene", "violate"),
    [
        pytest.param("agenda", sql("DELETE FROM activation WHERE id = 1"), id="a wish is lost"),
        pytest.param("agenda", sql("UPDATE activation SET state = 'pending'"), id="what is done is to be done again"),
        pytest.param("agenda", sql("DELETE FROM lease WHERE token = 2"), id="a lease is lost"),
        pytest.param("agenda", sql("UPDATE activation SET state = 'done'"), id="what was given back is done"),
        pytest.param("agenda", heard("broken claim ValueError"), id="an error of no type of ours"),
        pytest.param("agenda", sql("DELETE FROM idempotency"), id="a commit cannot be found"),
        pytest.param("agenda", sql("UPDATE board SET revision = revision + 1"), id="a revision is missing"),
        pytest.param("backup", sql("DELETE FROM question"), id="half of a commit"),
        pytest.param("backup", sql("DELETE FROM activation WHERE target_id > 5"), id="a commit without its wishes"),
        pytest.param("backup", a_copy_cut_short, id="half a backup"),
        pytest.param("upgrade", sql("UPDATE board SET revision = 1"), id="an upgrade that changes what is said"),
        pytest.param("upgrade", sql("UPDATE alembic_version SET version_num = '0001'"), id="half an upgrade"),
        pytest.param("backup", no_copy, id="a backup that is not there"),
    ],
)
def test_each_check_after_a_crash_catches_what_it_is_for(once, scene, violate, tmp_path):
    folder, lines = copied(once(scene), tmp_path)
    violate(folder, lines)
    with pytest.raises(CAUGHT):
        crash_checks.check(folder, lines)


@pytest.mark.parametrize("scene", ["create", "agenda", "backup", "checkpoint", "upgrade"])
def test_a_scene_without_a_crash_is_fine(once, scene, tmp_path):
    crash_checks.check(*copied(once(scene), tmp_path))


def test_what_was_synced_is_in_every_image_and_what_was_not_may_be_lost_by_sectors(seed):
    draw = random.Random(seed)
    file = File(bytearray(b"a" * 4096 * 3))
    file.stages.append(Stage(1, 0, b"b" * 4096 * 2))
    file.synced(2)
    file.stages.append(Stage(3, 4096, b"c" * 4096 * 3))
    file.stages.append(Stage(5, 4096 * 3, None))
    seen = set()
    for _ in range(400):
        image = file.image(draw, 0.5)
        assert image[:4096] == b"b" * 4096
        assert len(image) in (4096 * 3, 4096 * 4)
        seen.add(tuple(image[begin : begin + 1] for begin in range(4096, len(image), 512)))
    firsts = {(sectors[0], sectors[8]) for sectors in seen}
    assert firsts == {(first, second) for first in (b"b", b"c") for second in (b"a", b"c")}
    # Within what one write wrote, sectors go their own way too.
    assert any(len(set(sectors[:8])) == 2 for sectors in seen)
    file.synced(9)
    assert {file.image(draw, 1.0) for _ in range(20)} == {b"b" * 4096 + b"c" * 4096 * 2}
