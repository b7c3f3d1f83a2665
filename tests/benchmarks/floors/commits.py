"""A commit by hand: sqlite3 and no library, with the guarantees of ours.

What it keeps: a versioned key is read as of the revision at which the transaction began, on a connection of its own; a
commit takes the write lock first, finds a repetition by its idempotency key, holds every read against what stands, in
one statement, and refuses if one is gone; it adds a version, a change in the feed, an entry of the log whose digest
is chained to the one before and covers the content, moves the head, and is durable (WAL, synchronous=FULL). Store time
never goes back. What it does not have: contracts, facets, staleness, votes, an agenda.
"""

import hashlib
import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from pathlib import Path

TABLES = """
    CREATE TABLE board (id INTEGER PRIMARY KEY, revision INTEGER NOT NULL, digest TEXT NOT NULL, clock REAL NOT NULL);
    CREATE TABLE key (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, digest TEXT NOT NULL,
      revision INTEGER NOT NULL);
    CREATE TABLE version (key_id INTEGER NOT NULL, revision INTEGER NOT NULL, version INTEGER NOT NULL,
      text TEXT NOT NULL, digest TEXT NOT NULL, author TEXT NOT NULL, PRIMARY KEY (key_id, revision)) WITHOUT ROWID;
    CREATE TABLE change (revision INTEGER NOT NULL, ordinal INTEGER NOT NULL, kind TEXT NOT NULL,
      key_id INTEGER NOT NULL, version INTEGER NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (revision, ordinal))
      WITHOUT ROWID;
    CREATE INDEX change_key ON change (key_id, revision);
    CREATE TABLE commit_log (revision INTEGER PRIMARY KEY, digest TEXT NOT NULL, author TEXT NOT NULL,
      at REAL NOT NULL);
    CREATE TABLE idempotency (author TEXT NOT NULL, idempotency_key TEXT NOT NULL, content TEXT NOT NULL,
      revision INTEGER NOT NULL, PRIMARY KEY (author, idempotency_key)) WITHOUT ROWID;
    INSERT INTO board VALUES (1, 0, '', 0)"""

READ = """
    SELECT v.text, v.digest FROM key k JOIN version v ON v.key_id = k.id
    WHERE k.key = ? AND v.revision <= ? ORDER BY v.revision DESC LIMIT 1"""

BROKEN = """
    SELECT json_extract(e.value, '$[0]') FROM json_each(?) e LEFT JOIN key k ON k.key = json_extract(e.value, '$[0]')
    WHERE k.digest IS NOT json_extract(e.value, '$[1]')"""


Commit = Callable[[str, Mapping[str, str | None], Mapping[str, str], str], int]
"""Commits (author, reads: key -> digest, writes: key -> text, idempotency key) and returns the revision."""


class Refused(Exception):
    """Something that was read is no longer so; nothing was written."""


def connect(path: Path) -> sqlite3.Connection:
    """Open one connection as durable as ours."""
    connection = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def create(path: Path) -> None:
    """Make an empty store."""
    connection = connect(path)
    connection.executescript(TABLES)
    connection.close()


class Store:
    """One process's connections to a store: one to write, one to read."""

    def __init__(self, path: Path) -> None:
        self.writer = connect(path)
        self.reader = connect(path)

    def close(self) -> None:
        """Close both."""
        self.writer.close()
        self.reader.close()

    def head(self) -> int:
        """Return the newest revision."""
        revision: int = self.reader.execute("SELECT revision FROM board").fetchone()[0]
        return revision

    def read(self, key: str, at: int) -> tuple[str, str] | None:
        """Return (text, digest) of a key as of a revision."""
        found: tuple[str, str] | None = self.reader.execute(READ, (key, at)).fetchone()
        return found

    def commit(self, author: str, reads: Mapping[str, str | None], writes: Mapping[str, str], name: str) -> int:
        """Validate what was read, write, and return the revision once it is durable."""
        made = prepared(writes)
        self.writer.execute("BEGIN IMMEDIATE")
        try:
            revision = apply(self.writer, author, reads, made, name)
        except BaseException:
            self.writer.execute("ROLLBACK")
            raise
        self.writer.execute("COMMIT")
        return revision


def prepared(writes: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Return (key, text, digest) of what is written; done before the lock is taken."""
    return [(key, text, hashlib.sha256(text.encode()).hexdigest()) for key, text in writes.items()]


def apply(
    on: sqlite3.Connection, author: str, reads: Mapping[str, str | None], made: list[tuple[str, str, str]], name: str
) -> int:
    """Do the work of one commit inside a transaction that holds the write lock."""
    content = json.dumps([author, sorted(reads.items()), made])
    fingerprint = hashlib.sha256(content.encode()).hexdigest()
    seen = on.execute(
        "SELECT content, revision FROM idempotency WHERE author = ? AND idempotency_key = ?", (author, name)
    ).fetchone()
    if seen is not None:
        if seen[0] != fingerprint:
            raise Refused(name)
        return int(seen[1])
    head, previous, clock = on.execute("SELECT revision, digest, clock FROM board").fetchone()
    now = max(clock, time.time())
    broken = on.execute(BROKEN, (json.dumps(list(reads.items())),)).fetchall()
    if broken:
        raise Refused([row[0] for row in broken])
    revision = head + 1
    changes = [_write(on, revision, ordinal, author, *one) for ordinal, one in enumerate(made)]
    record = json.dumps([previous, revision, author, now, changes], sort_keys=True, separators=(",", ":"))
    chained = hashlib.sha256(record.encode()).hexdigest()
    on.execute("INSERT INTO commit_log VALUES (?, ?, ?, ?)", (revision, chained, author, now))
    on.execute("UPDATE board SET revision = ?, digest = ?, clock = ?", (revision, chained, now))
    on.execute("INSERT INTO idempotency VALUES (?, ?, ?, ?)", (author, name, fingerprint, revision))
    return revision


def _write(on: sqlite3.Connection, revision: int, ordinal: int, author: str, key: str, text: str, digest: str) -> list:
    row = on.execute(
        "INSERT INTO key (key, version, digest, revision) VALUES (?, 1, ?, ?) ON CONFLICT (key) DO UPDATE SET "
        "version = version + 1, digest = excluded.digest, revision = excluded.revision RETURNING id, version",
        (key, digest, revision),
    ).fetchone()
    identifier, version = row
    on.execute("INSERT INTO version VALUES (?, ?, ?, ?, ?, ?)", (identifier, revision, version, text, digest, author))
    on.execute(
        "INSERT INTO change VALUES (?, ?, 'accepted', ?, ?, ?)", (revision, ordinal, identifier, version, digest)
    )
    return [ordinal, "accepted", key, version, digest]
