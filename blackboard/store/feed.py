"""The feed: what authors did, in order, each revision whole, from any kept revision on.

A place in it is a revision or a `Cursor`; every answer carries the cursor of the place after it, so that whoever was
told something can go on from there, and is told `Forked` where the board is another one by then. A notification is
only a hint; a poll stands behind it, so a lost one delays and never loses. A watcher holds no transaction and no more
than one page between two of its answers, so one that is slow or forgotten costs the writers nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from time import monotonic
from typing import Any, Self

import sqlalchemy as sa

from blackboard.errors import Compacted, Damaged, Forked
from blackboard.spec import arguments
from blackboard.spec.records import ChangeRecord
from blackboard.store.opened import Store
from blackboard.store.read import log_row
from blackboard.store.remembered import THEN, Head, revision_of
from blackboard.store.schema import board as table
from blackboard.store.statements import Reads, Rows, Statement
from blackboard.store.watcher import Watcher

PAGE = 1000
"""About how many changes a watcher reads at once."""

_CHANGES = Statement("""
    SELECT c.revision, c.ordinal, c.kind, k.key, c.version, c.author, c.step, l.digest FROM change c
    JOIN commit_log l ON l.revision = c.revision LEFT JOIN key k ON k.id = c.key_id
    WHERE c.revision > :after AND c.revision <= :until ORDER BY c.revision, c.ordinal""")
_UNTIL = Statement("""
    SELECT max(revision) AS revision FROM (
      SELECT c.revision, sum(count(*)) OVER (ORDER BY c.revision) AS total FROM change c
      WHERE c.revision > :after AND c.revision <= :after + :limit GROUP BY c.revision)
    WHERE total <= :limit OR revision = :after + 1""")
_HEAD = Statement(sa.select(table.c.epoch, table.c.revision, table.c.digest, table.c.first_revision, THEN))
_BEFORE = Statement("SELECT digest FROM compaction WHERE before = :before")

_MANY = 1 << 31
"""More changes than a commit or an answer has."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the feed of one board's one history."""

    epoch: str
    revision: int
    digest: str


class Changes(tuple[ChangeRecord, ...]):  # noqa: SLOT001 - a tuple with more than its items has none
    """Changes in order, each revision whole.

    Attributes:
        cursor: The place after them: where to go on from. Where there are none, the place up to which there is nothing.
    """

    cursor: Cursor

    def __new__(cls, changes: Iterable[ChangeRecord], cursor: Cursor) -> Self:
        """Make one of changes and the place after the last of them."""
        made = super().__new__(cls, changes)
        made.cursor = cursor
        return made


def head(store: Store) -> Any:  # noqa: ANN401 - a row
    """Return the head (epoch, revision, digest, first), which continues what this process saw before.

    Raises:
        Forked: It does not: the file is an older one, or of another history.
        Unavailable: The file is not where it was.
    """
    store.database.check_place()
    return _met(store, store.database)


def _met(store: Store, on: Rows) -> Any:  # noqa: ANN401 - a row
    """Return the head, which continues what this process saw before."""
    remembered = store.database.remembered
    known = remembered.head
    [row] = on.all(_HEAD, {"known": revision_of(known)})
    epoch, revision, digest, first, then = row
    if not type(revision) is type(first) is int:
        raise Damaged(store.location, "the row of the board holds something else than numbers")
    remembered.meet(known, on, Head(epoch, revision, digest), then)
    return row


def cursor(store: Store) -> Cursor:
    """Return the place after the newest revision."""
    row = head(store)
    return Cursor(row["epoch"], row["revision"], row["digest"])


def check_kept(revision: int, first: int) -> None:
    """Make sure that the state at a revision was not compacted, on a board that is kept from `first` on.

    Raises:
        Compacted: It was.
    """
    # Of a board that was never compacted, revision 0 is kept too.
    if revision < first and first > 1:
        raise Compacted(revision, first)


def place(on: Reads, after: int | Cursor, board: Any) -> Cursor:  # noqa: ANN401 - a row
    """Return a place as a cursor of this history, from which every change is kept.

    Raises:
        Forked: The board is not the one, or not the history, that it is from.
        Compacted: Changes after it are no longer kept.
    """
    revision = after.revision if isinstance(after, Cursor) else arguments.integer(after, "after", least=0)
    if isinstance(after, Cursor) and after.epoch != board["epoch"]:
        raise Forked(f"the cursor is from epoch {after.epoch}, the board is in {board['epoch']}")
    if revision > board["revision"]:
        raise Forked(f"the place is at {revision}, the board only at {board['revision']}")
    if revision < board["first_revision"] - 1:
        raise Compacted(revision, board["first_revision"])
    digest = digest_at(on, revision)
    if isinstance(after, Cursor) and after.digest != digest:
        raise Forked(f"revision {revision} is another one than the cursor's")
    return Cursor(board["epoch"], revision, digest)


def digest_at(on: Reads, revision: int) -> str:
    """Return the digest of the chain at a revision that is kept, or the last that is not."""
    row = log_row(on, revision) or on.one(_BEFORE, {"before": revision + 1})
    return "" if row is None else str(row["digest"])


def changes(store: Store, *, after: int | Cursor, limit: int | None = None) -> Changes:
    """Return the changes after a place, ascending; a revision is never split.

    Args:
        limit: About how many; the first revision comes whole, however large.

    Raises:
        Forked: The place is of another board or history.
        Compacted: Changes after it are no longer kept.
    """
    start, rows = _read(store, after, limit)
    end = Cursor(start.epoch, rows[-1]["revision"], rows[-1]["digest"]) if rows else start
    return Changes(map(_change, rows), end)


def _read(store: Store, after: int | Cursor, limit: int | None) -> tuple[Cursor, list[Any]]:
    """Return a place as a cursor and the rows after it."""
    if limit is not None:
        limit = arguments.integer(limit, "limit", least=1)
    with store.database.reading() as on:
        board = _met(store, on)
        start = place(on, after, board)
        until = board["revision"]
        # One revision comes whole, however large.
        if limit is not None and until > start.revision + 1:
            found = on.one(_UNTIL, {"after": start.revision, "limit": min(limit, _MANY)})
            until = until if found is None or found["revision"] is None else found["revision"]
        return start, on.all(_CHANGES, {"after": start.revision, "until": until})


def _change(row: Any) -> ChangeRecord:  # noqa: ANN401 - a row
    return ChangeRecord(
        row["revision"], row["ordinal"], row["kind"], row["key"], row["version"], row["author"], row["step"]
    )


def watch(store: Store, *, after: int | Cursor, timeout_seconds: float | None = None) -> Iterator[Changes]:
    """Yield each revision's changes, whole and in order, as they are committed by any process.

    Args:
        timeout_seconds: Ends after so long without a change; None goes on for ever.

    Raises:
        Forked: The place is of another board or history, or the board became another one meanwhile.
        Compacted: Changes after it are no longer kept.
        Unavailable: The board was closed meanwhile, or its file is no longer there.
    """
    watcher = Watcher(store.database)
    try:
        here: int | Cursor = after
        more = False
        waited_since = monotonic()
        while True:
            # A commit between this and what is read then is news again, so it is looked for once more, never lost.
            if watcher.news() or more:
                here, rows = _read(store, here, PAGE)
                # After a page there may be more without another commit.
                more = bool(rows)
                for revision, group in groupby(rows, key=lambda row: (row["revision"], row["digest"])):
                    here = Cursor(here.epoch, *revision)
                    yield Changes(map(_change, group), here)
                    waited_since = monotonic()
                if rows:
                    continue
            left = None if timeout_seconds is None else waited_since + timeout_seconds - monotonic()
            if left is not None and left <= 0:
                return
            watcher.wait(left)
    finally:
        watcher.close()
