"""The newest head that this process saw of a board, so that it notices when the file is taken back behind its back.

Invariant: what is compared with a head was remembered before that head was read; a head only grows, so an older one is
never the fault of whoever reads at the same time.
"""

import threading
from typing import Any, NamedTuple

import sqlalchemy as sa

from blackboard.errors import Forked
from blackboard.store.schema import commit_log
from blackboard.store.statements import Statement, given

_COMPACTED = Statement("SELECT digest FROM compaction WHERE before = :revision + 1 LIMIT 1")

THEN = sa.select(commit_log.c.digest).where(commit_log.c.revision == given("known")).scalar_subquery()
"""In a statement that reads the head: the digest, as it stands now, of the revision that was known before."""


class Head(NamedTuple):
    """The end of one board's one history."""

    epoch: str
    revision: int
    digest: str


class Remembered:
    """The newest head that was seen, None before the first."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._head: Head | None = None

    @property
    def head(self) -> Head | None:
        """What to compare a head with that is read from now on."""
        return self._head

    def note(self, head: Head) -> None:
        """Remember a head of this process's own making."""
        with self._guard:
            self._head = head

    def hear(self, head: Head) -> None:
        """Remember a head that another process made for this one."""
        with self._guard:
            now = self._head
            if now is None or (now.epoch == head.epoch and now.revision < head.revision):
                self._head = head

    def meet(self, known: Head | None, on: Any, found: Head, then: str | None) -> None:  # noqa: ANN401
        """Make sure that a head continues what was known before it was read, and remember it.

        Args:
            on: A connection or a turn.
            then: What `THEN` gave beside the head.

        Raises:
            Forked: It is older, or of another history.
        """
        if known is not None and found != known:
            _check(known, on, found, then)
        with self._guard:
            # Another thread may have got further meanwhile, into a new epoch too.
            now = self._head
            if now is known or (now is not None and now.epoch == found.epoch and now.revision < found.revision):
                self._head = found


def _check(known: Head, on: Any, found: Head, then: str | None) -> None:  # noqa: ANN401
    if found.epoch != known.epoch:
        raise Forked(f"this process saw the board in epoch {known.epoch}, it is in {found.epoch} now")
    if found.revision < known.revision:
        raise Forked(f"this process saw revision {known.revision}, the board is only at {found.revision} now")
    here = found.digest if found.revision == known.revision else then or _compacted(on, known)
    if here is not None and here != known.digest:
        raise Forked(f"revision {known.revision} is another one now than this process saw")


def _compacted(on: Any, known: Head) -> str | None:  # noqa: ANN401
    """Return the digest of a revision up to which all was compacted, None of any other."""
    rows = on.all(_COMPACTED, {"revision": known.revision}) if known.revision else []
    return str(rows[0]["digest"]) if rows else None


def revision_of(known: Head | None) -> int | None:
    """Return what `THEN` asks for as `known`."""
    return None if known is None else known.revision
