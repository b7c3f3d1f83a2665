"""SQLite: how a board's file is opened, and what its errors mean.

Never open, hash or copy the file beside SQLite in this process: closing such a descriptor drops SQLite's locks.
"""

import contextlib
import errno
import os
import sqlite3
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from blackboard.errors import (
    BlackboardError,
    Damaged,
    Full,
    Invalid,
    NotABoard,
    ReadOnly,
    SchemaMismatch,
    Unavailable,
)
from blackboard.store import forks, journal
from blackboard.store.line import SUFFIX, Line
from blackboard.store.notice import Notices
from blackboard.store.remembered import Remembered
from blackboard.store.statements import Parameters, Statement

BUSY_SECONDS = 60.0


_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_NO_SPACE = frozenset({sqlite3.SQLITE_FULL})
# The memory that processes share (`-shm`) could not grow, of which the engine says no more than that.
_NO_SHARED_SPACE = sqlite3.SQLITE_IOERR_SHMSIZE
_READ_ONLY = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM})
_SYSTEM_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_SYSTEM_READ_ONLY = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_RAW = (sqlite3.Error, OverflowError, UnicodeDecodeError)
"""What the driver raises for what it is given, and for what it finds."""


BESIDE = ("-journal", "-wal", "-shm", SUFFIX)
"""What is added to the name of a board's file for those that are kept beside it."""


class Connection:
    """One connection of the driver; its methods take statements of the store and raise the store's errors."""

    def __init__(self, raw: sqlite3.Connection, database: "Database") -> None:
        self.raw = raw
        self.location = database.location
        self._database = database
        # Each answer is read to its end before the next statement runs, so one cursor does for all.
        self._cursor = raw.cursor()

    def all(self, statement: Statement, parameters: Parameters | None = None) -> list[sqlite3.Row]:
        """Run a statement and return its rows."""
        try:
            rows: list[sqlite3.Row] = self._cursor.execute(
                statement.text, statement.placed(parameters) if parameters else ()
            ).fetchall()
        except BaseException as error:
            # Read by half, it would keep what it sees open, and nobody can write from what others have gone beyond.
            self._cursor.close()
            self._cursor = self.raw.cursor()
            if isinstance(error, _RAW):
                raise self._failed(error) from error
            raise
        return rows

    def _failed(self, error: Exception) -> BlackboardError:
        """Return the store's error; where a newer library upgraded the board since it was opened, that it did."""
        needed = self._database.schema
        if needed and getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
            with contextlib.suppress(sqlite3.Error):
                row = self.raw.execute("SELECT version_num FROM alembic_version").fetchone()
                if row is not None and row[0] != needed:
                    return SchemaMismatch(self.location, str(row[0]), needed, newer=True)
        return translate(error, self.location)

    def one(self, statement: Statement, parameters: Parameters | None = None) -> Any:  # noqa: ANN401 - a row of any shape
        """Run a statement and return its first row, None where there is none."""
        rows = self.all(statement, parameters)
        return rows[0] if rows else None

    def run(self, statement: Statement, parameters: Parameters | None = None) -> int:
        """Run a statement that writes and return how many rows it touched."""
        try:
            return self._cursor.execute(statement.text, statement.placed(parameters) if parameters else ()).rowcount
        except _RAW as error:
            raise translate(error, self.location) from error

    def run_many(self, statement: Statement, rows: Sequence[Parameters]) -> None:
        """Run a statement that writes once for each row of parameters."""
        if rows:
            try:
                self._cursor.executemany(statement.text, map(statement.placed, rows))
            except _RAW as error:
                raise translate(error, self.location) from error

    def close(self) -> None:
        """Close the connection."""
        self.raw.close()
        self._database.closed(self)

    def abandon(self) -> None:
        """Leave the driver's connection to the parent of this process: every use of this one raises from now on."""
        forks.keep_for_ever(self.raw, self._cursor)
        self.raw = self._cursor = forks.Abandoned(self._database.check_open)  # type: ignore[assignment]


@contextlib.contextmanager
def translated(location: str) -> Iterator[None]:
    """Turn the driver's errors into the store's."""
    try:
        yield
    except _RAW as error:
        raise translate(error, location) from error


def translate(error: Exception, location: str) -> BlackboardError:  # noqa: PLR0911 - a case each
    """Return the store's error for one of the driver's."""
    if isinstance(error, UnicodeDecodeError):
        # The driver reads the text of an error as well, which may quote what is damaged.
        return Damaged(location, f"a text holds bytes that are no text ({error.reason})")
    if isinstance(error, OverflowError):
        return Invalid("a number is larger than 64 bits; no board counts so far")
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else None
    if primary in _BUSY:
        return Unavailable(location, f"it stayed busy for {BUSY_SECONDS:.0f} s", "end whoever holds it and try again")
    if primary == sqlite3.SQLITE_NOTADB:
        return NotABoard(location, "it is no SQLite database")
    # Without a code it is the driver's own: a text whose bytes are no text any more.
    if primary in _DAMAGED or (primary is None and "decode" in str(error)):
        return Damaged(location, str(error))
    if primary in _NO_SPACE or code == _NO_SHARED_SPACE:
        return Full(location)
    if primary in _READ_ONLY:
        return ReadOnly(location, str(error))
    return _unavailable(location, str(error), cannot_open=primary == sqlite3.SQLITE_CANTOPEN)


def certainly_undone(error: sqlite3.Error) -> bool:
    """Say whether a COMMIT that failed with this error wrote nothing that a recovery may find.

    A busy one never began to write. On a full disk a page could not be written that comes before the mark of the
    commit or bears it; whether a commit whose pages are all written is durable is for the sync to say, which does not
    fail like this.
    """
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(code, int) and code & 0xFF in _BUSY | _NO_SPACE


def _unavailable(location: str, said: str, *, cannot_open: bool) -> BlackboardError:
    """Return why a store cannot be used; what cannot be opened may just be unable to have its log beside it."""
    folder = Path(location).absolute().parent
    if cannot_open and folder.is_dir():
        fixed = os.statvfs(folder).f_flag & os.ST_RDONLY
        if fixed or not os.access(folder, os.W_OK | os.X_OK):
            return ReadOnly(location, f"the folder {folder} takes no log of it")
    return Unavailable(location, said, "run `bb board doctor`")


def of_system(error: OSError, location: str) -> BlackboardError:
    """Return the store's error for one of the operating system's."""
    said = error.strerror or str(error)
    if error.errno in _SYSTEM_FULL:
        return Full(location)
    if error.errno in _SYSTEM_READ_ONLY:
        return ReadOnly(location, said)
    return Unavailable(location, said, "mend that, or name another path")


FORKED = (
    "a connection to it was in use when this process was forked",
    "open the board after the fork, or fork while no thread uses it",
)
IN_MEMORY_FORKED = "it is in the memory of the process that this one was forked from", "make it after the fork"
"""Why the child of a fork cannot use a board, and the next step."""


class Database:
    """One board's file, or one in memory, and the connections to it."""

    def __init__(
        self, path: Path | None, name: str = "", *, synchronous: str = "FULL", read_only: bool = False
    ) -> None:
        self.path = path
        # Absolute, so that it stays the same file wherever the process goes.
        mode = "ro" if read_only else "rw"
        self._uri = (
            f"file:{quote(os.fsencode(path.absolute()))}?mode={mode}" if path else f"file:/{quote(name)}?vfs=memdb"
        )
        self.location = str(path) if path else f"memory:{name}"
        self.synchronous = synchronous
        self._idle: list[Connection] = []
        self._aside: list[Connection] = []  # idle too, each kept for the one who put it there
        self._connections: weakref.WeakSet[Connection] = weakref.WeakSet()  # all that are open
        self._ended: tuple[str, str] | None = None  # why it may not be used any more, and the next step
        self.remembered = Remembered()
        self.schema = ""  # once it is known to be this library's
        self.notices = Notices(path)
        self.line: Line | None = None  # once it was written to
        # A relative path means this file, whatever folder the process goes to.
        self._place = None if path is None else os.fspath(path.absolute())
        self.identity = self._stat() if path is not None and path.exists() else None

    @classmethod
    def create_file(cls, path: Path) -> None:
        """Make an empty file for a new board, never over one that is there.

        Raises:
            ReadOnly: The folder cannot be written.
            Unavailable: The folder is missing.
        """
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o644))
        except FileExistsError:
            return
        except FileNotFoundError:
            raise Unavailable(str(path), f"the folder {path.parent} is missing", "make it first") from None
        except OSError as error:
            raise of_system(error, str(path.parent)) from None

    def check_open(self) -> None:
        """Make sure that this object may be used.

        Raises:
            Unavailable: It was closed, or a connection to it was in use when this process was forked.
        """
        if self._ended is not None:
            raise Unavailable(self.location, *self._ended)

    def before_fork(self) -> None:
        """Close every idle connection; a board in memory would end with its last one."""
        if self.path is not None:
            self._close_idle()
            _close_all(self._aside)

    def after_fork(self) -> None:
        """Begin again in the child, without the connections, the locks and the threads of the parent."""
        if connections := list(self._connections):
            self._ended = FORKED if self.path is not None else IN_MEMORY_FORKED
            if self.identity is not None:
                forks.refuse(self.identity)
        for connection in connections:
            connection.abandon()
        self._connections.clear()
        self._idle, self._aside = [], []
        line, self.line = self.line, None
        if line is not None:
            # The parent's turn is to end with the parent, however long the child lives.
            line.close()
        head, self.remembered = self.remembered.head, Remembered()
        if head is not None:
            self.remembered.note(head)
        self.notices = self.notices.after_fork()

    def _stat(self) -> tuple[int, int] | None:
        """Return what tells this file from any other; a look at the folder, never at what is in the file."""
        try:
            found = os.stat(self._place) if self._place is not None else None  # noqa: PTH116 - at every turn
        except OSError:
            return None
        return None if found is None else (found.st_dev, found.st_ino)

    def owns(self, path: Path) -> bool:
        """Say whether a path is the board's file or one of those that SQLite and the queue keep beside it.

        Whoever writes files that others named asks first: to open one of these in this process, even to read it, drops
        SQLite's locks, and to write it ends the board.
        """
        if self._place is None:
            return False
        own = Path(self._place).resolve()
        ours = [own.with_name(own.name + suffix) for suffix in ("", *BESIDE)]
        try:
            there = path.stat()
        except OSError:
            return path.resolve() in ours
        # By what it is and not by its name alone, which may be another one of the same file.
        kept = [one.stat() for one in ours if one.exists()]
        return any((one.st_dev, one.st_ino) == (there.st_dev, there.st_ino) for one in kept)

    def check_place(self) -> None:
        """Make sure that the board's file is where it was opened.

        Raises:
            Unavailable: It was moved, deleted or replaced; nobody would find what is written to it.
        """
        if self.identity is not None and self._stat() != self.identity:
            raise Unavailable(self.location, "the file was moved, deleted or replaced while open", "open it anew")

    def connect(self) -> Connection:
        """Open a connection of one's own."""
        self.check_place()
        self.check_open()
        if forks.is_refused(self.identity):
            raise Unavailable(self.location, *FORKED)
        with forks.guard(), translated(self.location):
            raw = sqlite3.connect(
                self._uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            raw.row_factory = sqlite3.Row
            connection = Connection(raw, self)
            self._connections.add(connection)
        try:
            with translated(self.location):
                raw.execute("PRAGMA foreign_keys = ON")
                raw.execute(f"PRAGMA synchronous = {self.synchronous}")
                journal.for_reading(raw)
                if self.path is None:
                    raw.execute("PRAGMA journal_mode = MEMORY")
        except BlackboardError:
            connection.close()
            raise
        return connection

    def closed(self, connection: Connection) -> None:
        """Hear that a connection was closed."""
        with forks.guard():
            self._connections.discard(connection)

    def reading(self, *, place_checked: bool = True) -> "_Lent":
        """Lend a connection on which all statements of the block see one moment.

        Args:
            place_checked: Whether to look if the board's file is where it was; who writes next looks then.
        """
        if place_checked:
            self.check_place()
        return _Lent(self)

    def all(self, statement: Statement, parameters: Parameters | None = None) -> list[sqlite3.Row]:
        """Run one short statement, which sees one moment by itself, and return its rows.

        Where the file is, is not looked at again: whoever goes on from here began somewhere.
        """
        connection = self.lend()
        try:
            rows = connection.all(statement, parameters)
        except BaseException:
            connection.close()
            raise
        self.give_back(connection)
        return rows

    def lend(self) -> Connection:
        """Lend a connection, to be given back or closed."""
        self.check_open()
        try:
            return self._idle.pop()
        except IndexError:
            return self.connect()

    def give_back(self, connection: Connection) -> None:
        """Take a connection back."""
        self._idle.append(connection)
        if self._ended is not None:
            self._close_idle()

    def take(self, connection: Connection) -> bool:
        """Take an idle connection, and say whether it was there: a thread may have it, or a fork closed it."""
        return _taken(self._idle, connection)

    def put_aside(self, connection: Connection) -> None:
        """Keep a connection that is idle for the one who gives it, until a fork closes it."""
        self._aside.append(connection)

    def take_back(self, connection: Connection) -> bool:
        """Take a connection that was put aside, and say whether it was there: else a fork closed it."""
        return _taken(self._aside, connection)

    def close(self) -> None:
        """Close all idle connections; those lent are closed when they come back."""
        self._ended = self._ended or ("this Blackboard is closed", "open it again")
        self._close_idle()
        self.notices.close()

    def _close_idle(self) -> None:
        _close_all(self._idle)


def _taken(connections: list[Connection], one: Connection) -> bool:
    try:
        connections.remove(one)
    except ValueError:
        return False
    return True


def _close_all(connections: list[Connection]) -> None:
    # A list's own methods exclude each other: each connection is lent to one thread, or closed by one.
    with contextlib.suppress(IndexError):
        while True:
            connections.pop().close()


class _Lent:
    """A connection for the length of a block, in a transaction that only reads."""

    __slots__ = ("_connection", "_database")

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None

    def __enter__(self) -> Connection:
        connection = self._connection = self._database.lend()
        try:
            connection.raw.execute("BEGIN")
        except sqlite3.Error as error:
            connection.close()
            raise translate(error, connection.location) from error
        return connection

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        connection = self._connection
        if connection is None:
            return
        try:
            if connection.raw.in_transaction:
                connection.raw.execute("ROLLBACK")
        except BaseException:
            connection.close()
            raise
        # What raised may have left it in any state.
        if kind is None:
            self._database.give_back(connection)
        else:
            connection.close()
