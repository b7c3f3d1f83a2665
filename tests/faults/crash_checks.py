"""What has to hold of a board after a crash, whatever it interrupted: held against the log of what was answered.

Used on what a killed process left, on what an error in the middle left, and on images of a disk that lost its power.
"""

import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path

import crash_points
import next_schema

from blackboard import Blackboard, Compacted, NotABoard, SchemaMismatch, Unavailable

FINAL = {"done", "found"}
NOTHING = {"void", "failed"}


@dataclass
class Said:
    """What a log says: commit -> (the last word about it, revision), and the other things done."""

    commits: dict[str, tuple[str, int | None]] = field(default_factory=dict)
    done: dict[str, str] = field(default_factory=dict)
    leased: dict[int, str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, lines):
        said = cls()
        for line in lines:
            word, _, rest = line.partition(" ")
            name, _, more = rest.partition(" ")
            if word == "commit":
                said.commits[name] = ("tried", None)
            elif word == "broken":
                said.broken.append(rest)
            elif word == "leased":
                said.leased[int(more)] = name
            elif name in said.commits:
                said._answer(name, word, more)
            elif word == "done":
                said.done[name] = more
        return said

    def _answer(self, name, word, more):
        before = self.commits[name][0]
        # A refusal is final: looking it up declares it void, which says no more.
        if not (before in FINAL | NOTHING and word in ("void", "lost")):
            self.commits[name] = (word, int(more) if word in FINAL else None)


def check(folder: Path, lines) -> None:
    """Open what is in a folder and hold it against what was said; raises AssertionError or the store's own error."""
    said = Said.of(lines)
    assert said.broken == []
    if (folder / "old.db").exists():
        upgraded_or_not(folder / "old.db", said)
        return
    # Leases of the dead are swept at the next claim; this clock lets waits and leases of the living end too.
    with open_again(folder / "board.db", said) as board:
        board.verify()
        first, changes = kept(board)
        assert sorted({change.revision for change in changes}) == list(range(first, board.revision + 1))
        every_answer_stands(board, said)
        nothing_is_half(board, said)
        every_wish_is_there_once(board, said)
        # Nothing is folded or all of it: what it shows is the same.
        assert first == (crash_points.COMPACTED if "compaction" in said.done else first)
        assert first in (1, crash_points.COMPACTED)
        if (folder / "copy.db").exists() or "backup" in said.done:
            copied_whole(board, folder / "copy.db")
        every_job_gets_one_result(board)
        board.verify()


def open_again(place: Path, said: Said) -> Blackboard:
    """Open a board; one of which nothing was acknowledged yet may have to be made anew."""

    def later():
        return time.time() + 1000

    try:
        return Blackboard.open(place, clock=later, durability="normal")
    except (Unavailable, NotABoard):
        assert (said.done, said.leased) == ({}, {})
        return Blackboard.open(place, create=True, clock=later, durability="normal")


def kept(board):
    """Return the first revision that is kept, and the changes from there on."""
    try:
        return 1, board.changes(after=0)
    except Compacted as compacted:
        return compacted.first, board.changes(after=compacted.first - 1)


def every_answer_stands(board, said):
    for name, (word, revision) in said.commits.items():
        found = board.find_commit(name, author=crash_points.WORKER)
        if word in FINAL:
            assert found is not None, (name, word, revision)
            assert found.revision == revision, (name, word, found)
        elif word in NOTHING:
            assert found is None, (name, word, found)


def nothing_is_half(board, said):
    """A commit is there with all that it wrote and woke, or nothing of it is."""
    snapshot = board.snapshot()
    changed: dict[int, set[str]] = {}
    for change in kept(board)[1]:
        changed.setdefault(change.revision, set()).add(change.key)
    questions = {one.key for one in snapshot.questions("asked/*")}
    woken = {row[0] for row in ask(board, "SELECT k.key FROM activation a JOIN key k ON k.id = a.target_id")}
    for name in said.commits:
        if name.startswith("result-"):
            continue
        found = board.find_commit(name, author=crash_points.WORKER)
        jobs = {f"job/{name}-left", f"job/{name}-right"}
        there = {key for key in jobs if snapshot.decision(key) is not None}
        there |= {one for one in (f"asked/{name}",) if one in questions}
        there |= {one for one in (f"made-{name}",) if snapshot.component(one) is not None}
        wrote = jobs | {f"asked/{name}", f"made-{name}"}
        assert there == (wrote if found else set()), (name, there, found)
        assert found is None or changed[found.revision] == wrote
        team = snapshot.decision(f"source/{crash_points.WORKER}") is not None
        assert woken & jobs == (jobs if found and team else set()), (name, woken)


def every_wish_is_there_once(board, said):
    """Each job has one activation, in the state that the last answer gave it."""
    query = """SELECT k.key, a.state FROM key k LEFT JOIN activation a ON a.target_id = k.id AND a.source = ?
        WHERE k.key GLOB 'job/*' AND k.current_version IS NOT NULL"""
    rows = ask(board, query, crash_points.WORKER)
    states = dict(rows)
    assert len(rows) == len(states)
    leases = dict(ask(board, "SELECT token, state FROM lease"))
    if board.snapshot().decision(f"source/{crash_points.WORKER}") is not None:
        assert None not in states.values(), states
    for token, target in said.leased.items():
        assert token in leases, (token, target)
        if f"finish-{token}" in said.done:
            assert (states[target], leases[token]) == ("done", "finished")
        if f"release-{token}" in said.done:
            assert (states[target], leases[token]) == ("pending", "released")


def every_job_gets_one_result(board):
    """Work goes on after the crash, and what was recorded before it is not recorded again."""
    lines: list[str] = []
    log = Memory(lines)
    for _ in range(20):
        leases = board.claim(crash_points.WORKER, limit=100)
        if not leases:
            break
        for lease in leases:
            key = f"result/{lease.target.replace('/', '-')}"
            if board.snapshot().decision(key) is None:
                crash_points.complete(board, log, lease)
            else:
                lease.finish()
    assert [line for line in lines if line.split()[0] not in ("commit", "try", "done")] == []
    jobs = [one.key for one in board.snapshot().decisions("job/*")]
    if board.snapshot().decision(f"source/{crash_points.WORKER}") is not None:
        results = {one.key: one for one in board.snapshot().decisions("result/*")}
        assert set(results) == {f"result/{key.replace('/', '-')}" for key in jobs}
        assert all(one.version == 1 and len(one.value) == 1 for one in results.values())
        assert {row[0] for row in ask(board, "SELECT DISTINCT state FROM activation")} <= {"done"}


class Memory(crash_points.Log):
    """A log of what the check itself does."""

    def __init__(self, lines):
        self._lines = lines

    def __call__(self, line):
        self._lines.append(line)


def copied_whole(board, place):
    """A backup has all of a revision of the board, and it is named only when it is whole."""
    with Blackboard.open(place) as copy:
        copy.verify()
        log = "SELECT revision, digest FROM commit_log ORDER BY revision"
        there = ask(copy, log)
        assert ask(board, log)[: len(there)] == there
        assert len(there) >= crash_points.JOBS


def upgraded_or_not(place, said):
    """An old board is as it was or wholly new, and goes on."""
    with next_schema.next_schema():
        try:
            Blackboard.open(place).close()
        except SchemaMismatch:
            assert "upgrade" not in said.done
        raw = sqlite3.connect(place)
        was = next_schema.is_upgraded(raw)
        raw.close()
        assert was is not None
        assert was or "upgrade" not in said.done
        with Blackboard.open(place, upgrade=True) as board:
            board.verify()
            with board.store.database.reading() as on:
                assert next_schema.is_upgraded(on.raw)
            assert len(board.snapshot().decisions("job/*")) == crash_points.JOBS


def ask(board, text, *parameters):
    with board.store.database.reading() as connection:
        return [tuple(row) for row in connection.raw.execute(text, parameters)]
