"""What the doctor says of a board and of its place; it changes nothing of what it looks at."""

import json
import shutil
import sqlite3
import subprocess
import sys

import pytest
from examinations import FRAME, PAGE, changed, examine, faults, log_of, write

from blackboard import Blackboard, Contract, NotABoard, Unavailable
from blackboard.cli.exits import Exit
from blackboard.cli.main import main
from blackboard.store import surroundings
from blackboard.store.surroundings import Level


@pytest.fixture
def crashed(location, given, tmp_path):
    """Return a board as a crash leaves it, its last commits in its log, and its head."""
    with Blackboard.open(location, create=True) as board:
        for number in range(4):
            given(board).decided(f"k{number}", number)
        head = board.cursor
        place = tmp_path / "crashed.db"
        for suffix in ("", "-wal"):
            copy = "import shutil, sys; shutil.copyfile(*sys.argv[1:])"
            subprocess.run([sys.executable, "-c", copy, f"{location}{suffix}", f"{place}{suffix}"], check=True)
    return place, head


# --- a sound board ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("full", [False, True])
def test_a_sound_board_is_sound_and_its_head_is_told(crashed, full):
    place, head = crashed
    before = place.read_bytes(), log_of(place).read_bytes()
    found = examine(place, full=full, known_head=head)
    assert found.level(Level.FAULT, Level.UNSEEN) == ()
    assert found.head == head
    assert (place.read_bytes(), log_of(place).read_bytes()) == before
    assert {"engine", "file system", "permissions", "space", "durability", "pages", "schema", "leases"} <= {
        one.about for one in found.findings
    }


def test_a_call_that_was_declared_void_is_no_fault(file_board, location):
    assert file_board.find_commit("never came", author="ann") is None
    assert faults(location, full=True) == []
    write(location, "UPDATE idempotency SET head_before = 7")
    assert faults(location) == ["content"]


def test_it_looks_while_others_write(file_board, location, given):
    given(file_board).decided("k", 1)
    assert faults(location, full=True, known_head=file_board.cursor) == []
    given(file_board).decided("k", 2)
    assert faults(location, full=True, known_head=file_board.cursor) == []


def test_there_has_to_be_a_file(tmp_path):
    for place, error in ((tmp_path / "none", Unavailable), (tmp_path, NotABoard)):
        with pytest.raises(error):
            examine(place)
    (tmp_path / "empty").touch()
    with pytest.raises(NotABoard):
        examine(tmp_path / "empty")
    (tmp_path / "letter").write_text("dear board")
    assert faults(tmp_path / "letter")


def test_it_names_the_durability_that_was_asked_for(location):
    for durability, level in (("normal", Level.WARNING), ("full", Level.NOTE)):
        Blackboard.open(location, create=True, durability=durability).close()
        (said,) = [one for one in examine(location).findings if one.about == "durability"]
        assert (said.level, said.what.split(":")[0]) == (level, durability)


# --- the log ----------------------------------------------------------------------------------------------------------


def test_behind_a_link_the_log_is_that_of_the_file(crashed, tmp_path):
    place, head = crashed
    (tmp_path / "else").mkdir()
    link = tmp_path / "else" / "link.db"
    link.symlink_to(place)
    assert faults(link, full=True, known_head=head) == []
    changed(log_of(place), log_of(place).stat().st_size - 4 * FRAME + 100)
    assert faults(link, known_head=head) == ["history"]


def test_a_write_that_was_under_way_is_none(crashed):
    place, head = crashed
    with log_of(place).open("ab") as log:
        log.write(log_of(place).read_bytes()[32 : 32 + 1000])
    assert faults(place, full=True, known_head=head) == []


def test_a_lost_log_is_seen_against_a_known_head_alone(crashed):
    place, head = crashed
    before = examine(place).head
    raw = sqlite3.connect(place)
    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()
    kept = place.read_bytes()
    with Blackboard.open(place) as board, board.transaction("ann") as transaction:
        transaction.decide("more", Contract.value(1))
    newer = examine(place).head
    place.write_bytes(kept)
    assert before == head
    assert faults(place) == []
    assert faults(place, known_head=newer) == ["history"]


# --- the file ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def settled(crashed):
    place, head = crashed
    Blackboard.open(place).close()
    return place, head


def test_a_file_that_lost_its_end_is_a_fault(settled):
    place = settled[0]
    content = place.read_bytes()
    for size in (len(content) - PAGE, len(content) - 1, 50):
        place.write_bytes(content[:size])
        assert faults(place)


@pytest.mark.parametrize(("offset", "mask"), [(0, 0x40), (16, 0x40), (19, 3), (59, 2), (68, 0x40)])
def test_a_damaged_header_is_a_fault(settled, offset, mask):
    place = settled[0]
    changed(place, offset, mask)
    assert faults(place)


OTHER = {
    "a lease that nobody has": (
        "INSERT INTO activation VALUES (1, 'coder', 1, 'asked', 'leased', 0, 0, 1, 1, 0, 0, NULL, '')",
        "agenda",
    ),
    "an index": ("DROP INDEX version_digest", "schema"),
    "a view": ("DROP VIEW stale", "schema"),
    "a table": ("CREATE TABLE notes (text)", "schema"),
    "an application": ("PRAGMA application_id = 7", "schema"),
    "a schema": ("UPDATE alembic_version SET version_num = '99'", "release"),
    "an answer": ("UPDATE idempotency SET accepted = '[]'", "content"),
    "an answer from before all": ("UPDATE idempotency SET revision = -20 WHERE revision = 1", "content"),
    "store time": ("UPDATE board SET store_time = 5", "clock"),
    "the number of the board": ("UPDATE board SET id = 15", "content"),
    "a second board": (
        "INSERT INTO board SELECT 2, epoch, revision, digest, store_time, installed, 1, NULL, '', NULL FROM board",
        "content",
    ),
    "a budget": ("INSERT INTO budget (resource, cap, spent, held, given) VALUES ('tokens', 5, -1, 0, 5)", "budget"),
    "a token": ("INSERT INTO sqlite_sequence VALUES ('lease', -1)", "leases"),
    "a missing key": ("INSERT INTO question VALUES (99, 1, '', '[]', 'ann', NULL, NULL)", "content"),
}


@pytest.mark.parametrize(("statement", "about"), OTHER.values(), ids=OTHER)
def test_what_is_wrong_beside_the_history_is_found(settled, statement, about):
    place, head = settled
    write(place, statement)
    if about == "leases":
        assert faults(place, known_head=head) == ["leases"]
    else:
        assert about in faults(place, known_head=head)


def test_store_time_far_ahead_is_a_warning(settled):
    write(settled[0], "UPDATE board SET store_time = store_time + 1000000")
    assert [one.about for one in examine(settled[0]).level(Level.WARNING)] == ["clock"]


# --- the place --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "has"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 46, 1), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 53, 0), False),
    ],
)
def test_the_releases_with_the_bug_of_the_reset_log_are_named(version, has):
    assert any("WAL-reset" in one.what for one in surroundings.engine(version)) is has


@pytest.mark.parametrize(
    ("kind", "level"), [("nfs4", Level.WARNING), ("9p", Level.WARNING), ("tmpfs", Level.WARNING), ("ext4", Level.NOTE)]
)
def test_file_systems_that_do_not_keep_what_is_promised_are_warned_of(tmp_path, kind, level):
    mounts = tmp_path / "mounts"
    named = str(tmp_path / "a b").replace(" ", "\\040")
    mounts.write_text(f"/dev/root / btrfs rw 0 0\nserver:/x {named} {kind} rw 0 0\n")
    (found,) = surroundings.file_system(tmp_path / "a b" / "board.db", mounts)
    assert found.level is level
    assert kind in found.what
    assert surroundings.kind_of(tmp_path / "elsewhere", mounts) == "btrfs"
    assert surroundings.kind_of(tmp_path, tmp_path / "none") is None


def test_permissions_are_warned_of(settled):
    place = settled[0]
    place.chmod(0o666)
    (said,) = [one.what for one in surroundings.permissions(place) if one.level is Level.WARNING]
    assert "everybody" in said


def test_a_disk_without_room_is_warned_of(settled, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 5, 5))
    (found,) = surroundings.space(settled[0])
    assert found.level is Level.WARNING


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_says_the_same_in_lines_and_as_json(settled, capsys):
    place, head = settled
    known = f"{head.epoch}:{head.revision}:{head.digest}"
    assert main(["board", "doctor", "--full", "--known-head", known, "--board", str(place), "--json"]) == Exit.YES
    report = json.loads(capsys.readouterr().out)
    assert (report["sound"], report["head"], report["full"]) == (True, known, True)
    assert main(["board", "doctor", "--board", str(place)]) == Exit.YES
    out = capsys.readouterr().out
    assert out.split()[-1] == known
    assert "--full" in out
    write(place, "UPDATE version SET text = '\"\x1b[31m\"'")
    assert main(["board", "doctor", "--board", str(place)]) == Exit.NO
    said = capsys.readouterr()
    assert "not sound" in said.out
    assert len(said.err.splitlines()) == 1
    assert "\x1b" not in said.out + said.err


def test_what_could_not_be_looked_at_is_no_plain_no(settled, capsys):
    write(settled[0], "UPDATE alembic_version SET version_num = '1'")
    assert main(["board", "doctor", "--board", str(settled[0])]) == Exit.FAILED


def test_a_missing_table_is_a_fault(settled):
    write(settled[0], "DROP VIEW history", "ALTER TABLE change RENAME TO changed")
    assert "schema" in [one.about for one in examine(settled[0]).level(Level.FAULT)]
