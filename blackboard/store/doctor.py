"""What is wrong with a board, found without changing a byte of it.

Invariants: SQLite opens the file read-only, so nothing is checkpointed or repaired. A chain alone cannot see that its
end was lost: a head that somebody remembers can.
"""

import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blackboard.errors import BlackboardError, Damaged, Forked, NotABoard, SchemaMismatch, Unavailable
from blackboard.store import durability, upgrade, verify, workers
from blackboard.store.feed import Cursor
from blackboard.store.opened import Store
from blackboard.store.schema import APPLICATION_ID, SCHEMA
from blackboard.store.sqlite import Connection, Database
from blackboard.store.statements import Statement
from blackboard.store.surroundings import Finding, Level, surroundings
from blackboard.store.writer import Writer

_QUICK = Statement("PRAGMA quick_check(20)")
_WHOLE = Statement("PRAGMA integrity_check(20)")
_JOURNAL = Statement("PRAGMA journal_mode")
_FOREIGN = Statement("PRAGMA foreign_key_check")
_MASTER = Statement("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'")
_APPLICATION = Statement("PRAGMA application_id")
_SCHEMAS = Statement("SELECT version_num FROM alembic_version")
_LEASES = Statement("""
    SELECT count(*) AS live, coalesce(sum(l.expires < b.store_time), 0) AS expired FROM lease l, board b
    WHERE l.state = 'live'""")
_MANY_LEASES = Statement("""
    SELECT k.key, count(*) AS leases FROM lease l JOIN key k ON k.id = l.target_id WHERE l.state = 'live'
    GROUP BY l.activation_id HAVING count(*) > 1""")
_NOBODY = Statement("""
    SELECT a.source, k.key FROM activation a JOIN key k ON k.id = a.target_id WHERE a.state = 'leased'
    AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.activation_id = a.id AND l.state = 'live')""")
_TOKENS = Statement("""
    SELECT coalesce((SELECT max(token) FROM lease), 0) AS given,
      coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'lease'), 0) AS counted""")
_BUDGETS = Statement("SELECT resource FROM budget WHERE NOT (cap >= 0 AND spent >= 0 AND held >= -0.000001)")
_TIMES = Statement("SELECT b.store_time, (SELECT max(at) FROM commit_log) AS newest FROM board b")
_FIRST_AHEAD = Statement("SELECT revision, author FROM commit_log WHERE at > :now ORDER BY revision LIMIT 1")
_ANSWERS = Statement("""
    SELECT i.*, b.revision AS head, l.author AS by, (SELECT json_group_array(json_array(k.key, c.version)) FROM (
        SELECT key_id, version FROM change WHERE revision = i.revision AND kind = 'accepted' ORDER BY ordinal) c
        JOIN key k ON k.id = c.key_id) AS gave
    FROM idempotency i JOIN board b LEFT JOIN commit_log l ON l.revision = i.revision""")

Row = Any

_DIGEST = re.compile(r"\d+:[0-9a-f]{64}")
_AHEAD_SECONDS = 60.0  # several times what synchronized clocks are apart, and no lease notices
_SHOWN = 20
OTHER_RELEASE = "release"
RESTORE = "restore the newest backup; without one, `sqlite3 BOARD .recover` saves what can be read"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found.

    Attributes:
        head: The place in the feed after the newest commit, to be remembered; None where it could not be verified.
    """

    location: str
    full: bool
    findings: tuple[Finding, ...]
    head: Cursor | None

    def level(self, *levels: Level) -> tuple[Finding, ...]:
        """Return the findings of some levels."""
        return tuple(one for one in self.findings if one.level in levels)


def examine(
    path: Path,
    *,
    clock: Callable[[], float],
    full: bool = False,
    known_head: Cursor | None = None,
) -> Diagnosis:
    """Look at everything about a board.

    Args:
        path: Its file.
        clock: Seconds since the Unix epoch.
        full: Look at every index entry too.
        known_head: One that was noted before; it has to be in the board's history.

    Raises:
        Unavailable: There is no such file.
        NotABoard: It is a folder, or empty.
    """
    if not path.exists():
        raise Unavailable(str(path), "there is no such file", "name a board")
    if path.is_dir() or path.stat().st_size == 0:
        raise NotABoard(str(path), "it is a folder" if path.is_dir() else "it is empty")
    found = [*surroundings(path)]
    database = Database(path, read_only=True)
    store = Store(database, Writer(database, clock), clock)
    heads: list[Cursor] = []
    try:
        with database.reading() as on:
            for look in _looks(on, store, now=clock(), full=full):
                found += _guarded(look)
                if found and found[-1].about == OTHER_RELEASE:
                    # What its tables mean is that release's to say.
                    return Diagnosis(str(path), full, tuple(dict.fromkeys(found)), None)
        found += _guarded(lambda: _history(store, heads, known_head=known_head))
    except BlackboardError as error:
        found.append(of_error(error))
    finally:
        store.close()
    return Diagnosis(str(path), full, tuple(dict.fromkeys(found)), heads[0] if heads else None)


def _guarded(look: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """Return what a look found up to where it failed, and why it did: the next look may see more."""
    found: list[Finding] = []
    try:
        found.extend(look())
    except BlackboardError as error:
        found.append(of_error(error))
    except Exception as error:  # noqa: BLE001 - whatever reading a damaged file leads to says that it is damaged
        found.append(Finding(Level.FAULT, "content", f"it cannot be read ({type(error).__name__}: {error})", RESTORE))
    return found


def of_error(error: BlackboardError) -> Finding:
    """Return what an error of the store says as a finding."""
    match error:
        case Damaged():
            return Finding(Level.FAULT, "content", error.where, RESTORE)
        case SchemaMismatch():
            return Finding(Level.UNSEEN, OTHER_RELEASE, str(error))
        case Unavailable() if getattr(error.__cause__, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
            # A statement of ours that makes no sense to it: a table or a column is not what it was.
            return Finding(Level.FAULT, "schema", error.why, RESTORE)
        case Unavailable():
            return Finding(Level.UNSEEN, "file", error.why)
    return Finding(Level.FAULT, "content", str(error), RESTORE)


# --- as a store ------------------------------------------------------------------------------------------------------


def _looks(on: Connection, store: Store, *, now: float, full: bool) -> Sequence[Callable[[], Iterable[Finding]]]:
    """Return what is looked at beside the history: pages, schema, and rows that have no history."""
    return (
        lambda: _durability(on),
        lambda: _pages(on, full=full),
        lambda: _schema(on),
        lambda: _foreign(on),
        lambda: _control(on),
        lambda: _workers(on, store.now(on)),
        lambda: _times(on, now),
        lambda: _answers(on),
    )


def _durability(on: Connection) -> Iterator[Finding]:
    if durability.is_normal(on):
        what = "normal: what was acknowledged just before a loss of power may be lost"
        yield Finding(Level.WARNING, "durability", what, "open it with durability='full'")
    else:
        yield Finding(Level.NOTE, "durability", "full")


def _foreign(on: Connection) -> Iterator[Finding]:
    for row in on.all(_FOREIGN)[:_SHOWN]:
        yield Finding(Level.FAULT, "content", f"a row of {row[0]} names one of {row[2]} that is not there", RESTORE)


def _pages(on: Connection, *, full: bool) -> Iterator[Finding]:
    mode = on.all(_JOURNAL)[0][0]
    if mode != "wal":
        what = f"its journal mode is {mode}, that of every board is wal: its header was changed, and its log is ignored"
        yield Finding(Level.FAULT, "pages", what, RESTORE)
    said = [row[0] for row in on.all(_WHOLE if full else _QUICK)]
    if said != ["ok"]:
        for one in said:
            yield Finding(Level.FAULT, "pages", " ".join(str(one).split()), RESTORE)
    else:
        yield Finding(Level.NOTE, "pages", "whole" if full else "whole as far as a quick look tells")


def _schema(on: Connection) -> Iterator[Finding]:
    found = on.all(_APPLICATION)[0][0]
    if found != APPLICATION_ID:
        yield Finding(Level.FAULT, "schema", f"its application id is {found:#x}, that of a board {APPLICATION_ID:#x}")
    schemas = [str(row["version_num"]) for row in on.all(_SCHEMAS)]
    if schemas and schemas != [SCHEMA]:
        raise SchemaMismatch(on.location, schemas[0], SCHEMA, newer=schemas[0] not in upgrade.known_schemas())
    stands = {_words(row["sql"]) for row in on.all(_MASTER)}
    wanted = {_words(one) for one in (*upgrade.data_definitions(), upgrade.VERSION_TABLE)}
    for text in sorted(stands ^ wanted):
        how = "is not of this library" if text in stands else "is missing"
        yield Finding(Level.FAULT, "schema", f"a definition {how}: {text[:100]}", RESTORE)
    yield Finding(Level.NOTE, "schema", SCHEMA)


def _words(text: str) -> str:
    return " ".join(text.split())


def _control(on: Connection) -> Iterator[Finding]:
    row = on.all(_LEASES)[0]
    yield Finding(Level.NOTE, "leases", f"{row['live']} live, {row['expired']} of them past their end")
    for one in on.all(_MANY_LEASES)[:_SHOWN]:
        yield Finding(Level.FAULT, "leases", f"{one['leases']} leases live on one activation of {one['key']}", RESTORE)
    for one in on.all(_NOBODY)[:_SHOWN]:
        what = f"{one['source']} on {one['key']} is leased, and no lease of it lives"
        yield Finding(Level.FAULT, "agenda", what, RESTORE)
    tokens = on.all(_TOKENS)[0]
    if tokens["given"] > tokens["counted"]:
        what = f"token {tokens['given']} was given out, and the next would be {tokens['counted'] + 1}"
        yield Finding(Level.FAULT, "leases", what, RESTORE)
    for one in on.all(_BUDGETS):
        yield Finding(Level.FAULT, "budget", f"that of {one['resource']} is not a number of what is left", RESTORE)


def _workers(on: Connection, now: float) -> Iterator[Finding]:
    for one in workers.present(on, now):
        where = f"{one.host.split('/')[0]}:{one.process}, version {one.library}"
        seen = f"seen {one.seen_seconds_ago:.0f} s ago"
        if one.silent:
            what = f"{where}, is silent: {seen}"
            yield Finding(Level.WARNING, "workers", what, "look whether the process runs and reaches the board")
        elif one.other_version:
            what = f"{where}: version {one.installed_by} installed the team"
            yield Finding(Level.WARNING, "workers", what, "use one version on all hosts")
        else:
            yield Finding(Level.NOTE, "workers", f"{where}, {seen}, for {len(one.sources)} sources")


def _times(on: Connection, now: float) -> Iterator[Finding]:
    row = on.all(_TIMES)[0]
    if row["newest"] is not None and row["store_time"] < row["newest"]:
        what = f"store time is {row['store_time']:.0f}, and a commit was made at {row['newest']:.0f}"
        yield Finding(Level.FAULT, "clock", what, RESTORE)
    elif row["store_time"] > now + _AHEAD_SECONDS:
        yield _ahead(on, row["store_time"] - now, now)


def _ahead(on: Connection, seconds: float, now: float) -> Finding:
    first = on.one(_FIRST_AHEAD, {"now": now})
    since = "no commit: a process only opened the board or renewed a lease"
    if first is not None:
        since = f"revision {first['revision']} by {first['author']}"
    what = (
        f"store time is {seconds / 3600:.1f} h ahead of this host's clock, since {since}; until the clock reaches it, "
        "times are shown that much ahead; leases, reservations and waits last as long as they should, for whoever waits"
    )
    step = "compare this host's clock with another; if it is right, correct that of the process that wrote then"
    return Finding(Level.WARNING, "clock", what, step)


def _answers(on: Connection) -> Iterator[Finding]:
    """Yield the answers to repeated calls that the log does not bear out; what was wanted is told nowhere else."""
    wrong = [row for row in on.all(_ANSWERS) if not _borne_out(row)]
    for row in wrong[:_SHOWN]:
        what = f"what is remembered of {row['author']}'s commit {row['idempotency_key']} is not what the log says"
        yield Finding(Level.FAULT, "content", what, RESTORE)


def _borne_out(row: Row) -> bool:
    accepted = json.loads(row["accepted"])
    if row["content"] is None:
        return (row["revision"], accepted) == (None, []) and row["head_before"] in range(row["head"] + 1)
    if row["revision"] == row["head_before"]:
        # It changed nothing: somebody else had written the same.
        return bool(accepted == [])
    return bool(
        row["head_before"] == row["revision"] - 1
        and row["by"] == row["author"]
        and accepted == json.loads(row["gave"])
        and _DIGEST.fullmatch(row["content"])
    )


# --- as a history ----------------------------------------------------------------------------------------------------


def _history(store: Store, heads: list[Cursor], *, known_head: Cursor | None) -> Iterator[Finding]:
    """Yield what is to be said of the chain and the replay of the feed; the head that was verified goes to `heads`."""
    try:
        head = verify.verify(store, known_head=known_head)
    except Forked as error:
        step = f"another board has its name, or its end was lost: {RESTORE}"
        yield Finding(Level.FAULT, "history", str(error), step)
        return
    heads.append(head)
    yield Finding(Level.NOTE, "history", f"{head.revision} commits, each chained to the one before")
