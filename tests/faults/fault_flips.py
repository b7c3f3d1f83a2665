"""One byte of a board changed at a time: is what a reader sees still the same, and if not, does the doctor see it?

A worker has its own copy of the board and changes that in place; SQLite has it open only while it is read.
"""

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import patch

from checked_team import team

from blackboard import Blackboard, Contract
from blackboard.store import doctor, schema, upgrade
from blackboard.store.compact import compact
from blackboard.store.feed import Cursor
from blackboard.store.surroundings import Level

DERIVED = ("deadline", "facet_effect", "requirement", "requirement_pattern", "step_instance", "subscription")
"""Tables that follow from the history and are not held against it: SQLite's own checks are all that looks at them."""

SPEC = sorted(name for name in schema.metadata.tables if name not in (*schema.CONTROL, *DERIVED))

NO_HISTORY = {"board": ("store_time",), "idempotency": ("content", "idempotency_key", "author")}
"""Columns that are asked of nobody's history: store time, and what a repeated call is compared with."""


FIRST = 10
"""The first revision that the compacted board keeps."""


def small_board(place: Path, given) -> Cursor:
    """Make a board with rows in every table of the spec, of which the last commits are still in its log."""
    behind = place.with_name("working.db")
    Blackboard.open(behind, create=True).close()
    small_pages(behind)
    with Blackboard.open(behind) as board:
        board.install(team())
        to = given(board)
        to.asked("api/page", by="art")
        to.asked("api/ids", by="art")
        to.proposed("api/ids", {"kind": "int"}, by="art")
        to.voted("api/ids", 1, by="rev-1")
        to.voted("api/ids", 1, by="rev-2")
        with board.transaction("boss", role="operator") as transaction:
            transaction.decisions("api/*")
            transaction.decision("api/ids")
            transaction.write("server", {"a.py": "1", "b.py": "2"})
            transaction.decide("task/server", Contract.task(summary="build", uses=["api/ids", "db/*"]))
        to.judged("server", passed=True, by="test")
        to.proposed("api/ids", {"kind": "text"}, by="art")
        to.decided("api/ids", {"kind": "uuid"}, role="operator")
        to.decided("db/ids", 1, role="operator")
        raw = sqlite3.connect(behind)
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raw.close()
        with board.transaction("boss", role="operator") as transaction:
            transaction.decision("db/ids")
            transaction.retract("db/ids", reason="wrong")
        to.decided("api/page", 20, role="operator")
        to.asked("api/more", by="art")
        head = board.cursor
        for suffix in ("", "-wal"):
            # In a process of its own: in this one it would drop SQLite's locks.
            command = "import shutil, sys; shutil.copyfile(*sys.argv[1:])"
            subprocess.run([sys.executable, "-c", command, f"{behind}{suffix}", f"{place}{suffix}"], check=True)
    return head


def small_pages(place: Path) -> None:
    """Give a board the smallest pages: each table has one at least, and what is free on it says nothing."""
    raw = sqlite3.connect(place)
    raw.executescript("PRAGMA journal_mode = DELETE; PRAGMA page_size = 512; VACUUM; PRAGMA journal_mode = WAL;")
    raw.close()


def settled(place: Path, at: Path) -> None:
    """Copy the board with everything in its file, and no log beside it."""
    for suffix in ("", "-wal") if at != place else ():
        shutil.copyfile(f"{place}{suffix}", f"{at}{suffix}")
    raw = sqlite3.connect(at)
    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()


def folded(place: Path, at: Path) -> Cursor:
    """Copy the settled board, compact the copy and go on with it, with everything in its file; return its head."""
    shutil.copyfile(place, at)
    with Blackboard.open(at, durability="normal") as board:
        compact(board.store, before=FIRST, author="boss")
        with board.transaction("boss", role="operator") as transaction:
            transaction.decision("api/page")
            transaction.decide("api/page", Contract.value(30))
        head = board.cursor
    settled(at, at)
    return head


def content(place: Path) -> str | None:
    """Return what a reader sees of the spec, with the types of all values; None where it cannot be read."""
    raw = sqlite3.connect(f"file:{place}?mode=ro", uri=True)
    try:
        said = []
        for name in SPEC:
            columns = [one.name for one in schema.metadata.tables[name].columns]
            kept = [one for one in columns if one not in NO_HISTORY.get(name, ())]
            said.append(repr(raw.execute(f"SELECT {', '.join(kept)} FROM {name} NOT INDEXED").fetchall()))
        return "\n".join(said)
    except (sqlite3.Error, UnicodeError):
        return None
    finally:
        raw.close()


def found(place: Path, head: Cursor) -> bool:
    """Say whether the doctor finds a fault."""
    return bool(examined(place, head).level(Level.FAULT, Level.UNSEEN))


def examined(place: Path, head: Cursor) -> doctor.Diagnosis:
    return doctor.examine(place, clock=time.time, full=True, known_head=head)


def unseen(folder: Path, source: Path, suffix: str, offsets: list[int], head: Cursor, seed: int) -> list[str]:
    """Change the byte at each offset of a board's file or log in turn; return what changed and nobody found."""
    # What a board is defined by is compiled once, not for each of them.
    defined = upgrade.data_definitions()
    with patch.object(upgrade, "data_definitions", lambda: defined):
        return _unseen(folder, source, suffix, offsets, head, seed)


def _unseen(folder: Path, source: Path, suffix: str, offsets: list[int], head: Cursor, seed: int) -> list[str]:
    place = folder / "flipped.db"
    for one in ("", "-wal"):
        if Path(f"{source}{one}").exists():
            shutil.copyfile(f"{source}{one}", f"{place}{one}")
    before = content(place)
    assert before is not None
    assert not found(place, head)
    missed = []
    for offset in offsets:
        mask = random.Random(f"{seed} {offset}").randrange(1, 256)
        _flip(f"{place}{suffix}", offset, mask)
        after = content(place)
        if after != before and not found(place, head):
            missed.append(f"{suffix or '.db'} {offset} ^ {mask:#04x}: {_difference(before, after)}")
        _flip(f"{place}{suffix}", offset, mask)
        shared = Path(f"{place}-shm")
        shared.unlink(missing_ok=True)
    assert content(place) == before
    return missed


def _flip(path: str, offset: int, mask: int) -> None:
    file = os.open(path, os.O_RDWR)
    try:
        (old,) = os.pread(file, 1, offset)
        os.pwrite(file, bytes([old ^ mask]), offset)
    finally:
        os.close(file)


def _difference(before: str, after: str | None) -> str:
    if after is None:
        return "unreadable"
    for name, one, other in zip(SPEC, before.split("\n"), after.split("\n"), strict=False):
        if one != other:
            place = next((at for at, (x, y) in enumerate(zip(one, other, strict=False)) if x != y), len(one))
            return f"{name}: {one[max(0, place - 60) : place + 60]} -> {other[max(0, place - 60) : place + 60]}"
    return "other rows"
