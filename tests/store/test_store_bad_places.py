"""S11 and the issue's list: a place that is no board, or cannot be used, gets one typed error and is left alone."""

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest

from blackboard import (
    Blackboard,
    Contract,
    Damaged,
    Full,
    Invalid,
    NotABoard,
    ReadOnly,
    SchemaMismatch,
    Unavailable,
)


@pytest.fixture(params=[True, False], ids=["create", "open"])
def opening(request):
    return lambda place: Blackboard.open(place, create=request.param)


def test_an_unknown_board_is_not_made_unasked(tmp_path):
    with pytest.raises(Unavailable) as refused:
        Blackboard.open(tmp_path / "none.db")
    assert refused.value.location == str(tmp_path / "none.db")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named(tmp_path, opening):
    with pytest.raises(Unavailable):
        opening(tmp_path / "none" / "board.db")
    assert list(tmp_path.iterdir()) == []


FOREIGN = {
    "a text": b"these are notes\n",
    "a long text": b"these are notes\n" * 1000,
    "one byte": b"x",
    "an image": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20,
    "nearly a database": b"SQLite format 3\x00" + b"\x00" * 200,
    "half a header": b"SQLite format 3\x00",
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_a_file_of_something_else_is_no_board_and_stays_as_it_is(tmp_path, opening, content):
    place = tmp_path / "notes.txt"
    place.write_bytes(content)
    with pytest.raises((NotABoard, Damaged)) as refused:
        opening(place)
    assert refused.value.location == str(place)
    assert place.read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_an_empty_file_is_a_board_only_where_one_is_asked_for(tmp_path):
    place = tmp_path / "empty.db"
    place.touch()
    with pytest.raises(NotABoard):
        Blackboard.open(place)
    assert place.read_bytes() == b""
    with Blackboard.open(place, create=True) as board:
        assert board.revision == 0


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_the_database_of_another_program_is_no_board(tmp_path, opening, journal):
    place = tmp_path / "theirs.db"
    raw = sqlite3.connect(place)
    raw.execute(f"PRAGMA journal_mode = {journal}")
    raw.execute("CREATE TABLE board (id INTEGER)")
    raw.commit()
    raw.close()
    before = place.read_bytes()
    with pytest.raises(NotABoard):
        opening(place)
    assert place.read_bytes() == before


def test_a_folder_is_no_board(tmp_path, opening):
    for place in (tmp_path, str(tmp_path), ".", "", "/"):
        with pytest.raises(NotABoard):
            opening(place)


@pytest.mark.parametrize("place", ["\0", "a\0b.db", "sqlite:///a\0b.db"])
def test_a_name_that_no_file_has_is_refused(opening, place):
    with pytest.raises((Unavailable, Invalid)):
        opening(place)


@pytest.mark.parametrize("location", ["postgresql://localhost/x?board=y", "https://example.org/board.db", "mysql://x"])
def test_an_unknown_store_is_refused(opening, location):
    with pytest.raises(Invalid):
        opening(location)


@pytest.mark.parametrize("name", ["a b.db", "a?b.db", "a#b.db", "a%20b.db", "ü.db", "a'b.db", "a&mode=ro.db"])
def test_an_odd_name_of_a_file_is_just_a_name(tmp_path, given, name):
    with Blackboard.open(tmp_path / name, create=True) as board:
        given(board).decided("api/ids", "int")
    assert (tmp_path / name).exists()
    with Blackboard.open(f"sqlite:///{tmp_path / name}") as board:
        assert board.revision == 1
    assert {path.name for path in tmp_path.iterdir()} <= {name, f"{name}-wal", f"{name}-shm", f"{name}-line"}


def test_a_name_that_is_no_utf8_is_just_a_name(tmp_path, given):
    place = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.db"))
    try:
        place.touch()
    except OSError as error:
        assert error.errno == errno.EILSEQ
        return
    place.unlink()
    with Blackboard.open(place, create=True) as board:
        given(board).decided("api/ids", "int")
    with Blackboard.open(place) as board:
        assert board.revision == 1


def test_a_relative_location_means_the_same_file_after_a_change_of_folder(tmp_path, monkeypatch, given):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    monkeypatch.chdir(tmp_path / "one")
    with Blackboard.open("board.db", create=True) as board:
        given(board).decided("api/ids", "int")
        monkeypatch.chdir(tmp_path / "two")
        held = board.store.database.connect()
        assert held.raw.execute("SELECT revision FROM board").fetchone()[0] == 1
        held.close()
        assert given(board).decided("api/page", 20).revision == 2


def test_a_newer_schema_is_refused_and_the_board_is_left_alone(location, given):
    with Blackboard.open(location, create=True) as board:
        given(board).decided("api/ids", "int")
    raw = sqlite3.connect(location)
    raw.execute("UPDATE alembic_version SET version_num = '99'")
    raw.commit()
    raw.close()
    before = location.read_bytes()
    with pytest.raises(SchemaMismatch) as refused:
        Blackboard.open(location)
    assert refused.value.newer
    assert location.read_bytes() == before


def test_a_truncated_board_is_damaged_and_not_repaired(location, given):
    with Blackboard.open(location, create=True) as board:
        for number in range(50):
            given(board).decided(f"api/k{number}", "x" * 1000)
    content = location.read_bytes()
    location.write_bytes(content[: len(content) // 2])
    before = location.read_bytes()
    with pytest.raises((Damaged, NotABoard)), Blackboard.open(location) as board:
        board.verify()
    assert location.read_bytes()[: len(before)] == before


def test_a_closed_board_says_so(board, given):
    given(board).decided("api/ids", "int")
    transaction = board.transaction("ann")
    transaction.decide("api/page", Contract.value(20))
    snapshot = board.snapshot()
    board.close()
    for call in (
        transaction.commit,
        lambda: board.revision,
        lambda: snapshot.decision("api/ids"),
        lambda: board.find_commit("call-1", author="ann"),
        lambda: board.claim("ann"),
        lambda: board.changes(after=0),
        lambda: next(board.watch(after=0)),
        board.verify,
        board.upgrade,
        lambda: board.transaction("ann"),
    ):
        with pytest.raises(Unavailable):
            call()
    board.close()


# --- places that cannot be written -----------------------------------------------------------------------------------

AS_NOBODY = textwrap.dedent("""
    import os, sys
    from blackboard import Blackboard, BlackboardError, Contract
    with Blackboard.in_memory() as board, board.transaction("ann") as transaction:
        transaction.decide("everything/is-loaded", Contract.value(1))
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    for place in sys.argv[1:]:
        for create in (False, True):
            try:
                with Blackboard.open(place, create=create) as board:
                    with board.transaction("ann") as transaction:
                        transaction.decide("api/ids", Contract.value("int"))
            except BlackboardError as error:
                print(place, type(error).__name__)
            else:
                print(place, "done")
""")


def test_a_place_that_cannot_be_written_is_read_only_and_left_alone(given):
    """As a user without rights, since root may write everywhere."""
    root = Path(tempfile.mkdtemp(prefix="bb-", dir="/tmp"))  # where other users can reach it
    root.chmod(0o755)
    try:
        places = {}
        for name, of_file, of_folder in (
            ("no file", None, 0o555),
            ("file and folder", 0o444, 0o555),
            ("folder", 0o666, 0o555),
            ("file", 0o444, 0o777),
            ("secret file", 0o600, 0o777),
            ("nothing", 0o666, 0o777),
        ):
            place = root / name.replace(" ", "-") / "board.db"
            place.parent.mkdir()
            if of_file is not None:
                with Blackboard.open(place, create=True) as board:
                    given(board).decided("api/page", 20)
                place.chmod(of_file)
            place.parent.chmod(of_folder)
            places[name] = place
        before = {name: place.read_bytes() for name, place in places.items() if place.exists()}
        done = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, *places.values()], capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        said: dict[str, list[str]] = {}
        for line in done.stdout.splitlines():
            said.setdefault(line.split()[0], []).append(line.split()[1])
        found = {name: said[str(place)] for name, place in places.items()}
        assert found == {
            "no file": ["Unavailable", "ReadOnly"],
            "file and folder": ["ReadOnly", "ReadOnly"],
            "folder": ["ReadOnly", "ReadOnly"],
            "file": ["ReadOnly", "ReadOnly"],
            "secret file": ["Unavailable", "Unavailable"],
            "nothing": ["done", "done"],
        }
        assert not places["no file"].exists()
        unwritten = {name: places[name].read_bytes() for name in before if name != "nothing"}
        assert unwritten == {name: content for name, content in before.items() if name != "nothing"}
    finally:
        for folder in root.iterdir():
            folder.chmod(0o755)
        shutil.rmtree(root)


def test_a_full_store_refuses_and_keeps_what_it_has(location, given):
    with Blackboard.open(location, create=True) as board:
        given(board).decided("api/ids", "int")
        head = board.cursor
        raw = board.store.writer.session.connection().raw
        pages = raw.execute("PRAGMA page_count").fetchone()[0]
        raw.execute(f"PRAGMA max_page_count = {pages + 1}")
        transaction = board.transaction("ann")
        transaction.write("server", {"big.bin": os.urandom(1_000_000)})
        with pytest.raises(Full):
            transaction.commit()
        assert board.cursor == head
        raw.execute("PRAGMA max_page_count = 100000")
        given(board).written("server", "small")
        board.verify()


def test_a_board_held_by_another_program_is_unavailable_and_then_usable(location, given, monkeypatch):
    monkeypatch.setattr("blackboard.store.sqlite.BUSY_SECONDS", 0.05)
    with Blackboard.open(location, create=True) as board:
        given(board).decided("api/ids", "int")
        other = sqlite3.connect(location, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        transaction = board.transaction("ann")
        transaction.decide("api/page", Contract.value(20))
        board.store.writer.session.connection().raw.execute("PRAGMA busy_timeout = 50")
        with pytest.raises(Unavailable):
            transaction.commit()
        assert board.revision == 1
        other.execute("ROLLBACK")
        other.close()
        assert given(board).decided("api/page", 20).revision == 2


def test_a_reader_that_keeps_a_commit_from_ending_makes_it_refused_and_not_unknown(location, given, monkeypatch):
    """Without a log (WAL), where making the board failed to get one, the COMMIT itself waits for readers."""
    monkeypatch.setattr("blackboard.store.sqlite.BUSY_SECONDS", 0.05)
    with Blackboard.open(location, create=True) as board:
        given(board).decided("api/ids", "int")
    other = sqlite3.connect(location, isolation_level=None)
    assert other.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
    with Blackboard.open(location) as board:
        other.execute("BEGIN")
        other.execute("SELECT * FROM board").fetchall()
        transaction = board.transaction("ann", idempotency_key="call-1")
        transaction.decide("api/page", Contract.value(20))
        board.store.writer.session.connection().raw.execute("PRAGMA busy_timeout = 50")
        with pytest.raises(Unavailable, match="busy"):
            transaction.commit()
        assert board.revision == 1
        other.execute("ROLLBACK")
        other.close()
        with board.transaction("ann", idempotency_key="call-1") as again:
            again.decide("api/page", Contract.value(20))
        assert board.verify().revision == 2


def test_read_only_is_the_error_of_a_read_only_connection(location, given):
    with Blackboard.open(location, create=True) as board:
        given(board).decided("api/ids", "int")
        board.store.writer.session.connection().raw.execute("PRAGMA query_only = ON")
        transaction = board.transaction("ann")
        transaction.decide("api/page", Contract.value(20))
        with pytest.raises(ReadOnly):
            transaction.commit()
        board.store.writer.session.connection().raw.execute("PRAGMA query_only = OFF")
        assert given(board).decided("api/page", 20).revision == 2


def test_what_is_no_file_is_no_board_and_is_left_alone(tmp_path):
    (tmp_path / "round").symlink_to(tmp_path / "round")
    os.mkfifo(tmp_path / "pipe")
    for place, error in ((tmp_path / "round", Unavailable), (tmp_path / "pipe", NotABoard), ("/dev/null", NotABoard)):
        for create in (False, True):
            with pytest.raises(error, match=str(place)):
                Blackboard.open(place, create=create)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["pipe", "round"]
