"""Group commit by hand: threads queue up, one of them commits for all who wait, and each is answered after the fsync.

Each member is applied in a savepoint of its own, so that one that is refused takes nobody with it. Leadership is handed
on to the first who came meanwhile, so that nobody who is answered waits for the next fsync.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .commits import apply, connect, prepared


@dataclass(slots=True)
class Member:
    """One commit that waits."""

    author: str
    reads: Mapping[str, str | None]
    made: list[tuple[str, str, str]]
    name: str
    told: threading.Lock = field(default_factory=threading.Lock)
    leads: bool = False
    revision: int = 0
    error: Exception | None = None


class GroupWriter:
    """The one writer of a process."""

    def __init__(self, path: Path) -> None:
        self._connection = connect(path)
        self._guard = threading.Lock()
        self._waiting: list[Member] = []
        self._busy = False

    def close(self) -> None:
        """Close its connection."""
        self._connection.close()

    def commit(self, author: str, reads: Mapping[str, str | None], writes: Mapping[str, str], name: str) -> int:
        """Validate, write, and return the revision once it is durable."""
        mine = Member(author, reads, prepared(writes), name)
        mine.told.acquire()
        with self._guard:
            self._waiting.append(mine)
            mine.leads = not self._busy
            self._busy = True
        if not mine.leads:
            mine.told.acquire()
        if mine.leads:
            self._lead()
        if mine.error is not None:
            raise mine.error
        return mine.revision

    def _lead(self) -> None:
        with self._guard:
            group, self._waiting = self._waiting, []
        on = self._connection
        on.execute("BEGIN IMMEDIATE")
        for member in group:
            on.execute("SAVEPOINT member")
            try:
                member.revision = apply(on, member.author, member.reads, member.made, member.name)
            except Exception as error:  # noqa: BLE001 - it is the member's, who raises it
                member.error = error
                on.execute("ROLLBACK TO member")
            on.execute("RELEASE member")
        on.execute("COMMIT")
        with self._guard:
            if self._waiting:
                self._waiting[0].leads = True
                self._waiting[0].told.release()
            else:
                self._busy = False
        for member in group[1:]:
            member.told.release()
