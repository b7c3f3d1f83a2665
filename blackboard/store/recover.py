"""A damaged board saved into a new one: as much of its history as is whole, told again to the rules.

Invariants: the damaged file and its log are not changed by a byte; the new board holds the longest run of commits from
the first on that has the digests that were recorded, and nothing else; it is of a new epoch; what was lost is said. Of
a compacted board the first is the first that was kept, and what was kept from before it has to have its digest too.
Where not even that can be told, what stands is decided anew, as far as each text and file vouches for itself.
"""

import json
import math
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import Any

from blackboard.errors import Damaged, NotABoard, Unavailable
from blackboard.spec.canonical import digest
from blackboard.store import anew, beginning, epoch, feed, pages, retell, salvage, schema, verify
from blackboard.store.audit import write_act
from blackboard.store.backup import a_new_place, new_file
from blackboard.store.feed import Cursor
from blackboard.store.opened import Store
from blackboard.store.remains import COMPACTED, compacted_content
from blackboard.store.session import Turn
from blackboard.store.sqlite import Connection, Database, of_system
from blackboard.store.statements import Statement, insert_into

_HISTORY = (
    "commit_log", "change", "key", "version", "vote", "question", "component", "component_file", "blob", "pin",
    "pattern", "pattern_pin", "verdict", "compaction", "compacted_key", "compacted_row", "tenure", "facet_effect",
)  # fmt: skip
"""The tables from which a history is told, the last five only where it was compacted."""

_COVERED = {
    "key": [(("key", "id"), "sqlite_autoindex_key_1")],
    "pattern": [(("pattern", "id"), "sqlite_autoindex_pattern_1")],
}
"""Table -> columns and index that hold a second time what a history needs of it."""

_CONTROL = ("board", "budget", "resource", "standing", "lease")
"""The tables of which something is kept though no history gives it."""

_KNOWN = Statement("""
    SELECT max(coalesce((SELECT max(revision) FROM commit_log), 0), coalesce((SELECT max(revision) FROM change), 0),
      coalesce((SELECT max(revision) FROM board), 0)) AS revision""")
_EPOCH = Statement("SELECT epoch FROM board")
_LOST = Statement("""
    SELECT c.revision, c.kind, k.key, c.version, c.author FROM change c LEFT JOIN key k ON k.id = c.key_id
    WHERE c.revision > :told ORDER BY c.revision, c.ordinal""")
_FILES = Statement("""
    SELECT k.key, f.path FROM component c JOIN key k ON k.id = c.key_id
    JOIN component_file f ON f.key_id = c.key_id AND f.version = c.version WHERE c.revision > :told ORDER BY 1, 2""")
_TOKEN = Statement("""
    SELECT max(coalesce((SELECT max(token) FROM lease), 0), coalesce((SELECT max(token) FROM commit_log), 0)) AS token
    """)
_BUDGET = Statement("SELECT resource, cap, spent, held, given FROM budget")
_RESOURCE = Statement("SELECT name, units FROM resource")
_STANDING = Statement("SELECT source, refused, quarantined FROM standing")
_PUT_BUDGET = Statement(
    "INSERT INTO budget (resource, cap, spent, held, given) VALUES (:resource, :cap, :spent, 0, :given)"
)
_PUT_RESOURCE = Statement("INSERT INTO resource (name, units) VALUES (:name, :units)")
_PUT_STANDING = Statement(
    "INSERT INTO standing (source, refused, quarantined) VALUES (:source, :refused, :quarantined)"
)
_SAID_ANEW = insert_into(schema.compaction)
_ANEW = "said again: the commit that compacted is lost"
_COUNT = Statement("INSERT INTO sqlite_sequence (name, seq) VALUES ('lease', :token)")

_MARGIN = 1_000_000
"""How far the next token lies above the largest that could be read: those above it may be lost, and none may return."""

_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Recovery:
    """What became of a damaged board.

    Attributes:
        first: The first of its revisions that the new board holds.
        told: The last of them; 0 where none could be told, and what stands was decided anew.
        known: The last of which anything could be read.
        head: Of the new board.
        lost: Each loss, as a sentence; nothing where all was there.
    """

    location: str
    new: str
    first: int
    told: int
    known: int
    head: Cursor
    lost: tuple[str, ...]


def recover(damaged: Path, new: Path, *, planner: retell.Planner, author: str, clock: Callable[[], float]) -> Recovery:
    """Save what can be read of a damaged board into a new one.

    Args:
        damaged: Its file; nobody may use it meanwhile. It is not changed.
        new: A file that is not there yet.
        planner: The rules.
        author: Who does it.
        clock: Seconds since the Unix epoch.

    Raises:
        Unavailable: The damaged file cannot be read at all.
        NotABoard: Something stands where the new one should, or there is nothing to recover.
        Damaged: No commit can be told, and nothing that stands is whole.
    """
    if not damaged.is_file():
        raise Unavailable(str(damaged), "there is no such file", "name the damaged board's file")
    place = a_new_place(new)
    with _folder(place) as folder, new_file(place) as part:
        tables = _salvaged(damaged, folder)
        rows = Database(folder / "rows.db")
        try:
            with rows.reading() as on:
                if errors := [one for name in _HISTORY for one in tables[name]["errors"]]:
                    _some_history(on, damaged, errors)
                found = _made(on, part, planner, str(damaged), author=author, now=clock())
                lost = tuple(_losses(on, found, tables, _cut(damaged)))
        finally:
            rows.close()
    return Recovery(str(damaged), str(place), found.first, found.told, found.known, found.head, lost)


@contextmanager
def _folder(place: Path) -> Iterator[Path]:
    folder = place.with_name(f".bb-{uuid.uuid4().hex[:12]}.rows")
    try:
        folder.mkdir()
    except OSError as error:
        raise of_system(error, str(place.parent)) from None
    try:
        yield folder
    finally:
        rmtree(folder)


def _salvaged(damaged: Path, folder: Path) -> Mapping[str, Any]:
    """Let a process of its own read what can be read; return table -> rows and errors.

    Raises:
        Unavailable: It could not.
    """
    order = {"source": str(damaged.absolute()), "folder": str(folder.absolute()), "tables": _wanted()}
    command = [sys.executable, "-I", salvage.__file__]
    ran = subprocess.run(command, input=json.dumps(order), capture_output=True, text=True, check=False)  # noqa: S603 - this very package
    if ran.returncode:
        why = ran.stderr.strip().splitlines()[-1] if ran.stderr.strip() else f"its reader ended with {ran.returncode}"
        raise Unavailable(str(damaged), why, "copy it to a sound disk with space left and try there")
    found: Mapping[str, Any] = json.loads(ran.stdout)
    return found


def _wanted() -> dict[str, dict[str, Any]]:
    """Return table -> its columns, those that tell rows apart, and the number by which gaps are probed."""
    found: dict[str, dict[str, Any]] = {}
    for name in (*_HISTORY, *_CONTROL):
        table = schema.metadata.tables[name]
        key = [column.name for column in table.primary_key]
        by_row = table.dialect_options["sqlite"]["with_rowid"]
        found[name] = {
            "columns": [column.name for column in table.columns],
            "key": key,
            "number": "rowid" if by_row else key[0],
            "covered": _COVERED.get(name, []),
        }
    return found


def _some_history(on: Connection, damaged: Path, errors: Sequence[str]) -> None:
    """Make sure that something was read.

    Raises:
        NotABoard: Nothing was, and it does not begin as a database does.
        Damaged: Nothing was, though it does.
    """
    if int(on.all(_KNOWN)[0]["revision"]) > 0:
        return
    if not pages.examine(damaged)["file"]["database"]:
        raise NotABoard(str(damaged), "it is no SQLite database, and no commit can be read in it")
    raise Damaged(str(damaged), f"no commit of it can be read ({errors[0]})")


@dataclass(frozen=True, slots=True)
class _Made:
    first: int
    told: int
    known: int
    head: Cursor
    stopped: str
    pieces: tuple[str, ...] = ()


def _made(on: Connection, part: Path, planner: retell.Planner, damaged: str, *, author: str, now: float) -> _Made:
    """Tell the history to a new file and return what came of it."""
    known = int(on.all(_KNOWN)[0]["revision"])
    if known == 0:
        raise NotABoard(damaged, "no commit can be read in it, so there is nothing to recover")
    # Whole or not there: what is told reaches the disk when all of it does.
    told = retell.retell(on, planner, until=known, into=Database(part, synchronous="OFF"))
    first = beginning.first_revision(on)
    pieces: tuple[str, ...] = ()
    try:
        said = f"told up to revision {told.revision} of epoch {_epoch(on)}"
        if told.revision == 0:
            said = f"what stood in epoch {_epoch(on)}, decided anew"
            pieces = tuple(anew.decide_anew(on, told.store, planner, author=author, now=now))
            if feed.cursor(told.store).revision == 0:
                raise Damaged(damaged, f"not even its first commit is whole, nor anything that stands: {told.stopped}")
        _keep_compaction(on, told.store, author)
        head = _begun(on, told.store, said, author, now)
        verify.verify(told.store, known_head=head)
    finally:
        told.close()
    stopped = told.stopped or ("" if told.revision == known else f"revision {told.revision + 1} is not kept")
    return _Made(first, told.revision, known, head, stopped, pieces)


def _keep_compaction(on: Connection, made: Store, author: str) -> None:
    """Say in the new board what the log below its first revision came to, where the commit that said so is lost."""

    def work(turn: Turn) -> None:
        row = on.one(beginning.COMPACTION, {"first": turn.first})
        if turn.first == 1 or row is None or turn.one(beginning.COMPACTION, {"first": turn.first}) is not None:
            return
        content = compacted_content(_ANEW, row["before"], row["digest"], row["state"])
        path, said = str(row["before"]), digest(content)
        revision = write_act(turn, COMPACTED, author=author, reason=_ANEW, path=path, said=said)
        turn.run(_SAID_ANEW, {**dict(row), "revision": revision})

    made.writer.run(work, over_seal=True)


def _epoch(on: Connection) -> str:
    row = on.one(_EPOCH)
    return "unknown" if row is None else str(row["epoch"])


def _begun(on: Connection, made: Store, reason: str, author: str, now: float) -> Cursor:
    def work(turn: Turn) -> Cursor:
        _keep(on, turn)
        turn.now = max(turn.now, now)
        return epoch.succeed(turn, "recovered", author=author, reason=reason)

    return made.writer.run(work, over_seal=True)


def _keep(on: Connection, turn: Turn) -> None:
    """Keep what may be spent and what was, who is quarantined, and which tokens were given out."""
    for row in on.all(_BUDGET):
        amounts = (row["cap"], row["spent"], row["held"], row["given"])
        if all(isinstance(one, int | float) and math.isfinite(one) and one >= 0 for one in amounts):
            spent = row["spent"] + row["held"]
            kept = {"resource": str(row["resource"]), "cap": row["cap"], "given": row["given"]}
            turn.run(_PUT_BUDGET, {**kept, "spent": spent})
    for row in on.all(_RESOURCE):
        if isinstance(row["units"], int) and row["units"] >= 0:
            turn.run(_PUT_RESOURCE, {"name": str(row["name"]), "units": row["units"]})
    for row in on.all(_STANDING):
        if isinstance(row["refused"], int):
            turn.run(_PUT_STANDING, dict(row))
    token = on.all(_TOKEN)[0]["token"]
    turn.run(_COUNT, {"token": (token if isinstance(token, int) else 0) + _MARGIN})


def _cut(damaged: Path) -> int:
    """Return how many commits stand behind the place where the log breaks."""
    log = pages.examine(damaged)["log"]
    return 0 if log is None else int(log["cut_commits"])


def _losses(on: Connection, found: _Made, tables: Mapping[str, Any], cut: int) -> Iterator[str]:
    if found.stopped:
        yield found.stopped
    yield from found.pieces
    # What was compacted before is no loss of now.
    numbers = range(max(found.told + 1, found.first), found.known + 1)
    lost: dict[int, list[str]] = {number: [] for number in numbers[:_LONGEST]}
    authors: dict[int, str] = {}
    for row in on.all(_LOST, {"told": found.told}):
        if row["revision"] in lost:
            version = "" if row["version"] is None else f" {row['version']}"
            lost[row["revision"]].append(f"{row['kind']} {row['key'] or 'a key that is lost too'}{version}")
            authors[row["revision"]] = str(row["author"])
    for number, said in lost.items():
        by = f" by {authors[number]}" if number in authors else ""
        yield f"revision {number}{by}: {', '.join(said) or 'nothing of it can be read'}"
    if len(numbers) > _LONGEST:
        yield f"and the revisions from {numbers[_LONGEST]} up to {found.known}"
    files = [f"{row['key']}: {row['path']}" for row in on.all(_FILES, {"told": found.told})]
    yield from (f"file {one}" for one in files[:_LONGEST])
    if cut:
        yield f"{cut} commits behind the place where the log breaks"
    yield from _control_losses(tables)


def _control_losses(tables: Mapping[str, Any]) -> Sequence[str]:
    unread = [name for name in ("budget", "resource", "standing") if tables[name]["errors"]]
    return [f"rows of {name}: {tables[name]['errors'][0]}" for name in unread]
