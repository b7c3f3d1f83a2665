"""How large the file beside the board grows in which commits wait (the `-wal`), and who empties it.

Invariants: only the writer moves what waits into the board's file, in its turn: SQLite up to 3.51.2 may lose commits
where two connections do that or write at the same moment. A reader never does, but for the very last connection of
all processes, which empties the file when it closes and which nobody can race with. Nothing here opens either file.
"""

import logging
import os
import sqlite3
from pathlib import Path

from blackboard.errors import Unavailable

log = logging.getLogger(__name__)

PAGES = 2000
"""As many pages wait before a commit moves them; it takes what no reader of an older moment still needs."""

BOUND_BYTES = 12 << 20
"""What the file may grow to; beyond it the writer waits a moment for the readers, to begin the file anew."""

STEP_BYTES = 1 << 20
"""How much the file grows before that is tried again where a reader did not end in time."""

WAIT_MILLISECONDS = 50


def for_reading(raw: sqlite3.Connection) -> None:
    """Keep a connection from ever moving what waits."""
    raw.execute("PRAGMA wal_autocheckpoint = 0")


def for_writing(raw: sqlite3.Connection) -> None:
    """Let a connection move what waits at its commits, and give back the space of a file that grew too large.

    What a savepoint keeps to be undone stays in memory: of more than 64 KiB, which one member of a shared transaction
    changes in passing, the engine would make a file in some folder. What is sorted on it is sorted in memory as well.
    """
    raw.execute(f"PRAGMA wal_autocheckpoint = {PAGES}")
    raw.execute(f"PRAGMA journal_size_limit = {BOUND_BYTES}")
    raw.execute("PRAGMA temp_store = MEMORY")


class Journal:
    """The file beside one board's file, None of a board in memory."""

    def __init__(self, board: Path | None) -> None:
        # SQLite follows links to the board's file before it names the one beside it.
        self._path = None if board is None else f"{os.path.realpath(board)}-wal"
        # What it was when a reader kept the writer from emptying it last; None: none did since it was in bounds.
        self._tried_bytes: int | None = None
        self._identity: tuple[int, int] | None = None  # of the file that the writer's connection has open

    def opened(self) -> None:
        """Hear that the writer's connection is a new one."""
        self._identity = None

    def check_there(self, location: str, raw: sqlite3.Connection) -> None:
        """Make sure that what is committed goes where others find it; to be called within a transaction.

        Raises:
            Unavailable: The file was moved, deleted or replaced: it lives on for those only who have it open.
        """
        if self._path is None:
            return
        try:
            found = os.stat(self._path)  # noqa: PTH116 - at every turn
            identity = (found.st_dev, found.st_ino)
        except FileNotFoundError:
            identity = (0, 0)
        if self._identity is None and identity == (0, 0) and raw.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            # Making the board failed where it was to get one: it is kept the other way, which is as durable.
            return
        # While the connection lives nobody but somebody else than SQLite takes its file away.
        known = self._identity = self._identity or identity
        if identity != known or identity == (0, 0):
            what = f"{Path(self._path).name} was moved, deleted or replaced while open"
            step = "close the board everywhere and open it anew: who closes it last saves what was in it"
            raise Unavailable(location, what, step)

    @property
    def size_bytes(self) -> int:
        """How large it is, 0 where there is none."""
        try:
            return 0 if self._path is None else os.stat(self._path).st_size  # noqa: PTH116 - at every commit
        except FileNotFoundError:
            return 0

    def keep_bounded(self, raw: sqlite3.Connection) -> None:
        """Empty the file if it is too large; to be called with the writer's connection in its turn, after a commit.

        A reader that holds an old moment may keep it from that: then the file grows, and this tries again a step later.
        """
        size = self.size_bytes
        if size <= BOUND_BYTES:
            self._tried_bytes = None
            return
        if self._tried_bytes is not None and self._tried_bytes <= size < self._tried_bytes + STEP_BYTES:
            return
        self._tried_bytes = size
        patience = raw.execute("PRAGMA busy_timeout").fetchone()[0]
        raw.execute(f"PRAGMA busy_timeout = {WAIT_MILLISECONDS}")
        try:
            busy, _, _ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._tried_bytes = size if busy else None
        except sqlite3.Error as error:
            # The commit before is durable whatever becomes of this: what waits is found there after a crash.
            log.warning("%s could not be emptied: %s", self._path, error)
        finally:
            raw.execute(f"PRAGMA busy_timeout = {patience}")
