"""S11: whatever befell the store, each call gets a typed error with the file and the next step, and changes nothing."""

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from queueing import names_noted, noting, run_behind
from tools import lacking, require_tool

from blackboard import (
    Blackboard,
    BlackboardError,
    Contract,
    Damaged,
    Full,
    Invalid,
    NotABoard,
    ReadOnly,
    StoreError,
    Unavailable,
)

PAGE = 4096


def commit(board):
    with board.transaction("ann") as transaction:
        transaction.decision("k0")
        transaction.decide("k0", Contract.value(os.urandom(4).hex()))


ACTS = {
    "commit": commit,
    "snapshot": lambda board: board.snapshot().decisions("**"),
    "changes": lambda board: board.changes(after=0),
    "watch": lambda board: list(board.watch(after=0, timeout_seconds=0.05)),
    "backup": lambda board: board.backup(Path(board.store.location).with_name("backup.db")),
    "copy": lambda board: board.copy(Path(board.store.location).with_name("copy.db"), author="ann"),
    "verify": lambda board: board.verify(),
    "claim": lambda board: board.claim("coder"),
    "find_commit": lambda board: board.find_commit("k", author="ann"),
}


def moved(place):
    place.rename(place.with_name("elsewhere.db"))


def replaced(place):
    other = place.with_name("other.db")
    Blackboard.open(other, create=True, durability="normal").close()
    other.replace(place)


def deleted(place):
    place.unlink()


def foreign(place):
    overwrite(place, b"a letter to nobody\n" * 3000)


def emptied(place):
    os.truncate(place, 0)


def truncated(place):
    os.truncate(place, place.stat().st_size // 2 // PAGE * PAGE)


def flipped(place):
    content = place.read_bytes()
    overwrite(place, content[:PAGE] + bytes(one ^ 0x55 for one in content[PAGE:]))


def overwrite(place, content):
    with place.open("r+b") as file:
        file.write(content)
        file.truncate()


BEFALLS = {
    moved: Unavailable,
    replaced: Unavailable,
    deleted: Unavailable,
    foreign: NotABoard,
    emptied: (NotABoard, Damaged),
    truncated: Damaged,
    flipped: Damaged,
}


@pytest.fixture
def kept(location, given):
    """Return an open board with some history, all of it in its file."""
    board = Blackboard.open(location, create=True, durability="normal")
    for number in range(6):
        given(board).decided(f"k{number}", "v" * 300)
    checkpoint(location)
    yield board
    board.close()


def checkpoint(place):
    raw = sqlite3.connect(place)
    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()


def says_what_and_what_next(error, place):
    """Hold that an error names the file, and ends in a step."""
    assert isinstance(error, StoreError)
    assert error.location == str(place)
    assert str(place) in str(error)
    assert str(error).isprintable()
    assert ";" in str(error) or ": run" in str(error)


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
@pytest.mark.parametrize("befall", BEFALLS, ids=lambda one: one.__name__)
def test_a_store_that_something_befell_while_it_was_open_gives_a_typed_error(kept, location, befall, act):
    befall(location)
    there = everything(location.parent)
    try:
        act(kept)
    except BlackboardError as error:
        assert isinstance(error, BEFALLS[befall])
        says_what_and_what_next(error, location)
    else:
        # Pages that are still in memory are what they were.
        assert befall in (truncated, flipped)
        assert act in (ACTS["changes"], ACTS["find_commit"])
    assert everything(location.parent) == there


def everything(folder):
    """Return name -> content of a folder, without what SQLite and the queue keep for themselves."""
    kept = (one for one in folder.iterdir() if not one.name.endswith(("-shm", "-line", "-wal")))
    return {one.name: one.read_bytes() for one in kept}


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize("befall", [foreign, truncated, flipped], ids=lambda one: one.__name__)
def test_a_store_that_something_befell_is_not_opened_and_not_changed(kept, location, befall, create):
    kept.close()
    befall(location)
    before = location.read_bytes()
    with pytest.raises(BEFALLS[befall]) as refused:
        Blackboard.open(location, create=create)
    says_what_and_what_next(refused.value, location)
    assert location.read_bytes() == before


@pytest.mark.parametrize("befall", [moved, deleted], ids=lambda one: one.__name__)
def test_a_store_that_is_not_there_is_unavailable_and_not_made(kept, location, befall):
    kept.close()
    befall(location)
    with pytest.raises(Unavailable) as refused:
        Blackboard.open(location)
    says_what_and_what_next(refused.value, location)
    assert not location.exists()


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize("befall", [deleted, emptied], ids=lambda one: one.__name__)
def test_a_log_whose_board_is_gone_is_never_deleted(kept, location, given, befall, create, tmp_path):
    """SQLite deletes the log of a file that it finds empty, with all the commits that are in no other place."""
    given(kept).decided("last", 1)
    crashed = tmp_path / "crashed.db"
    for suffix in ("", "-wal"):
        shutil.copyfile(f"{location}{suffix}", f"{crashed}{suffix}")
    befall(crashed)
    log = crashed.with_name("crashed.db-wal").read_bytes()
    with pytest.raises(Damaged) as refused:
        Blackboard.open(crashed, create=create)
    says_what_and_what_next(refused.value, crashed)
    assert crashed.with_name("crashed.db-wal").read_bytes() == log
    assert not crashed.exists() or crashed.stat().st_size == 0


def test_a_log_whose_board_is_gone_is_not_deleted_through_a_link(kept, location, given, tmp_path):
    given(kept).decided("last", 1)
    (tmp_path / "else").mkdir()
    crashed, link = tmp_path / "crashed.db", tmp_path / "else" / "link.db"
    for suffix in ("", "-wal"):
        shutil.copyfile(f"{location}{suffix}", f"{crashed}{suffix}")
    os.truncate(crashed, 0)
    link.symlink_to(crashed)
    with pytest.raises(Damaged):
        Blackboard.open(link, create=True)
    assert crashed.with_name("crashed.db-wal").stat().st_size > 0


def test_a_text_whose_bytes_are_no_text_is_damage(kept, location):
    content = location.read_bytes()
    overwrite(location, content.replace(b"v" * 300, b"\xff" * 300))
    with pytest.raises(Damaged):
        kept.snapshot().decisions("**")


# --- no space, no permission ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["revision", "store_time", "first_revision"])
def test_a_row_of_the_board_that_holds_no_numbers_is_damage(board, given, column):
    given(board).decided("k", 1)
    with board.store.writer.transaction() as connection:
        connection.raw.execute(f"UPDATE board SET {column} = 'nothing of the kind'")
    with pytest.raises(Damaged):
        with board.transaction("ann") as transaction:
            transaction.ask("k2", "which?")


@pytest.fixture
def small_disk(tmp_path):
    """Return a file system of half a megabyte and a way to make it read-only."""
    mount, umount = require_tool("mount"), require_tool("umount")
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run([mount, "-t", "tmpfs", "-o", "size=900k", "tmpfs", place], capture_output=True, check=False)
    if made.returncode:
        lacking("mount", "needs the rights of root")

    def lock():
        subprocess.run([mount, "-o", "remount,ro", place], check=True, capture_output=True)

    yield place, lock
    subprocess.run([umount, place], check=True)


def test_a_full_disk_refuses_what_does_not_fit_and_keeps_all_else(small_disk):
    place = small_disk[0] / "board.db"
    other = small_disk[0] / "of somebody else"
    other.write_bytes(bytes(100_000))
    board = Blackboard.open(place, create=True)
    with board:
        done = 0
        with pytest.raises(Full) as refused:
            while done < 1000:
                with board.transaction("ann", idempotency_key=f"commit {done}") as transaction:
                    transaction.decide(f"k{done}", Contract.value("v" * 5000))
                done += 1
        assert str(place) in str(refused.value)
        assert "no space left" in str(refused.value)
        assert board.find_commit(f"commit {done - 1}", author="ann") is not None
        assert board.verify().revision == done
        assert len(board.snapshot().decisions("**")) == len(board.changes(after=0)) // 2 == done
        for make in (
            lambda: board.backup(place.with_name("b.db")),
            lambda: board.copy(place.with_name("c.db"), author="a"),
        ):
            with pytest.raises(Full) as no_copy:
                make()
            says_what_and_what_next(no_copy.value, no_copy.value.location)
        assert [one for one in small_disk[0].iterdir() if not one.name.startswith("board.db")] == [other]
    with pytest.raises(Full):
        Blackboard.open(place.with_name("another.db"), create=True)
    other.unlink()  # to open a board is to write to it once
    with Blackboard.open(place) as again:
        assert again.verify().revision == done
        # Refused is not unknown: under the same key it is committed as soon as there is space.
        with again.transaction("ann", idempotency_key=f"commit {done}") as transaction:
            transaction.decide(f"k{done}", Contract.value("v" * 5000))
        assert again.verify().revision == done + 1


def test_on_a_full_disk_the_members_of_a_group_that_fit_are_committed(small_disk):
    """The disk is found to be full at the COMMIT that all of them share."""

    def fill(turn):
        turn.connection.raw.execute("INSERT INTO blob VALUES ('large', randomblob(900000))")

    answers = {}
    with Blackboard.open(small_disk[0] / "board.db", create=True) as board:
        counted, session = [], board.store.writer.session
        commit = session.commit
        session.commit = lambda key: (counted.append(key), commit(key))

        def take(name, *more):
            try:
                answers[name] = board.store.writer.run(noting(name, *more), name)
            except BlackboardError as error:
                answers[name] = error

        works = (("a",), ("large", fill), ("b",))
        run_behind(board, [threading.Thread(target=take, args=work) for work in works])
        assert isinstance(answers.pop("large"), Full)
        assert answers == {"a": "a", "b": "b"}
        assert names_noted(board) == ["a", "b"]
        # The turn that was held, the one that all share, and one for each.
        assert len(counted) == 5


def test_a_disk_that_is_read_only_gives_a_typed_error_and_is_not_changed(small_disk, given):
    place, lock = small_disk[0] / "board.db", small_disk[1]
    with Blackboard.open(place, create=True) as board:
        given(board).decided("k", 1)
    lock()
    before = everything(small_disk[0])
    with pytest.raises(ReadOnly) as refused:
        Blackboard.open(place)
    says_what_and_what_next(refused.value, place)
    with pytest.raises(ReadOnly) as unmade:
        Blackboard.open(place.with_name("another.db"), create=True)
    says_what_and_what_next(unmade.value, small_disk[0])
    assert everything(small_disk[0]) == before


def test_a_backup_onto_a_disk_that_is_read_only_gives_a_typed_error(small_disk, board, given):
    given(board).decided("k", 1)
    small_disk[1]()
    with pytest.raises(ReadOnly):
        board.backup(small_disk[0] / "backup.db")


# --- what is given wrong ----------------------------------------------------------------------------------------------

WRONG = {
    "install nothing": lambda board: board.install(None),
    "install a text": lambda board: board.install("team"),
    "a head that is a text": lambda board: board.verify(known_head="x"),
    "backup to nothing": lambda board: board.backup(None),
    "backup to no name": lambda board: board.backup(""),
    "backup to a surrogate": lambda board: board.backup("a\ud800.db"),
    "backup to a zero": lambda board: board.backup("a\0.db"),
    "copy to nothing": lambda board: board.copy(None, author="ann"),
    "no function": lambda board: board.run_transaction(None, "ann"),
    "a lease for ever": lambda board: board.claim("ann", lease_seconds=1e30),
    "evidence from nowhere": lambda board: board.transaction("ann").propose("k", Contract.value(1), evidence=[99]),
    "evidence before all": lambda board: board.transaction("ann").propose("k", Contract.value(1), evidence=[0]),
}


@pytest.mark.parametrize("act", WRONG.values(), ids=WRONG)
def test_what_is_given_wrong_is_refused_by_name(memory_board, act):
    head = memory_board.cursor
    with pytest.raises(Invalid) as refused:
        act(memory_board)
    assert str(refused.value).isprintable()
    assert memory_board.cursor == head


def test_a_contract_is_compared_with_contracts_alone():
    with pytest.raises(Invalid):
        Contract.value(1).compare(2)


def test_a_lease_is_not_renewed_for_ever(memory_board, voting_team, given):
    memory_board.install(voting_team())
    given(memory_board).asked("api/ids", by="art")
    (lease,) = memory_board.claim("art")
    with pytest.raises(Invalid):
        lease.renew(lease_seconds=1e30)


# --- backups and copies -----------------------------------------------------------------------------------------------


def test_a_backup_of_a_damaged_board_is_not_given_a_name(kept, location):
    content = location.read_bytes()
    overwrite(location, content.replace(b"v" * 300, b"w" * 300))
    with pytest.raises(Damaged) as refused:
        kept.backup(location.with_name("backup.db"))
    says_what_and_what_next(refused.value, location)
    assert not [one for one in location.parent.iterdir() if not one.name.startswith("board.db")]


def test_a_backup_never_takes_a_name_that_something_has(kept, location):
    for make in (lambda at: at.write_text("mine"), lambda at: at.mkdir(), lambda at: at.symlink_to("nowhere")):
        there = location.with_name("there")
        make(there)
        with pytest.raises(NotABoard):
            kept.backup(there)
        assert not [one for one in location.parent.iterdir() if one.name.startswith(".bb-")]
        there.rmdir() if there.is_dir() else there.unlink()


def test_a_name_taken_while_the_backup_is_made_is_not_written_over(kept, location, monkeypatch):
    from blackboard.store import backup

    there = location.with_name("there.db")
    sync = backup._sync

    def sync_and_take(*arguments):
        sync(*arguments)
        there.write_text("mine")

    monkeypatch.setattr(backup, "_sync", sync_and_take)
    with pytest.raises(NotABoard):
        kept.backup(there)
    assert there.read_text() == "mine"
    assert not [one for one in location.parent.iterdir() if one.name.startswith(".bb-")]


def test_a_rest_that_cannot_be_removed_makes_no_whole_copy_a_failure(kept, location, monkeypatch):
    there = location.with_name("there.db")
    monkeypatch.setattr(Path, "unlink", failing(Path.unlink, ".part"))
    revision = kept.backup(there)
    with Blackboard.open(there) as copy:
        copy.verify()
        assert copy.revision == revision


def test_a_rest_that_cannot_be_removed_hides_no_failure(kept, location, monkeypatch):
    monkeypatch.setattr(Path, "unlink", failing(Path.unlink, ".part"))
    monkeypatch.setattr(os, "fsync", failing(os.fsync, ""))
    with pytest.raises(Unavailable):
        kept.backup(location.with_name("there.db"))
    assert not location.with_name("there.db").exists()


def failing(do, name):
    """Return a call that fails on what has such a name as a disk does."""

    def fail(which, *arguments, **named):
        if name in str(which):
            raise OSError(errno.EIO, "the disk failed", str(which))
        return do(which, *arguments, **named)

    return fail


def test_a_backup_is_synced_before_it_has_its_name_and_its_folder_after(tmp_path):
    strace = require_tool("strace")
    script = (
        "from blackboard import Blackboard, Contract\n"
        "with Blackboard.open('b.db', create=True) as board:\n"
        "    with board.transaction('ann') as t: t.decide('k', Contract.value(1))\n"
        "    board.backup('copy.db')\n"
    )
    trace = tmp_path / "trace"
    command = [
        strace,
        "-f",
        "-y",
        "-e",
        "trace=fsync,fdatasync,link,linkat,rename",
        "-o",
        trace,
        sys.executable,
        "-c",
        script,
    ]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    lines = trace.read_text().splitlines()
    named = next(number for number, line in enumerate(lines) if "copy.db" in line and "link" in line)
    last = [line for line in lines[:named] if "sync" in line][-1]
    assert ".part>" in last
    assert any(f"<{tmp_path}>" in line and "fsync" in line for line in lines[named:])
