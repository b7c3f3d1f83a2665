"""The writer's connection: how a writing transaction begins and ends.

Invariants: the board's row (the write lock) is taken before anything is read; store time never goes back; an error at
COMMIT is unknown, unless certainly nothing was written (a full disk, a busy file). Revision and digest come from the
row inside the transaction, never from memory. What a newer library made of the board meanwhile is seen there too, and
nothing is written to it.

Between two transactions the connection is lent to those who read: what one connection wrote, each other one reads from
the file again.
"""

import contextlib
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from blackboard.errors import CommitUnknown, Damaged, SchemaMismatch, Sealed
from blackboard.spec.halt import Halt
from blackboard.store import journal
from blackboard.store.clock import KEEP_LEASES, TOLERANCE_SECONDS, StoreClock
from blackboard.store.control import refusal_count
from blackboard.store.line import Line
from blackboard.store.remembered import THEN, Head, revision_of
from blackboard.store.schema import board
from blackboard.store.sqlite import BUSY_SECONDS, Connection, Database, certainly_undone, translate, translated
from blackboard.store.statements import Parameters, Statement

_HEAD = Statement(
    sa.select(
        board.c.epoch,
        board.c.revision,
        board.c.digest,
        board.c.store_time,
        board.c.mode,
        board.c.first_revision,
        sa.exists(sa.select(refusal_count.c.author)),
        sa.literal_column("(SELECT version_num FROM alembic_version)"),
        THEN,
    )
)
_TIME = Statement("UPDATE board SET store_time = :now")
_SEALED = Statement(
    "SELECT c.author, b.mode_reason AS reason FROM board b "
    "LEFT JOIN change c ON c.kind = 'sealed' AND c.key_id IS NULL "
    "ORDER BY c.revision DESC LIMIT 1"
)

BEGUN, APPLIED, COMMITTED = "begun", "applied", "committed"
"""Where a process may die: with the board's row and nothing written, with everything written and nothing committed,
with everything durable and nobody told."""

_PATIENT_SECONDS = 1.0


def _go_on(_point: str) -> None:
    pass


at_point: Callable[[str], None] = _go_on
"""Called at each of these points; `blackboard.testing.crash_at` lets the process die there."""


def reached(point: str) -> None:
    """Say that a point was reached."""
    at_point(point)


@dataclass(slots=True)
class Turn:
    """One member's part of a writing transaction, under the board's row.

    Attributes:
        revision, digest, epoch, halt: Of the head when the part began.
        now: Store time in seconds since the Unix epoch: never below any that was given out before.
        clock_before: What it was before this part.
        contested: Whether anybody was refused lately and has not committed since.
        kept: Whether `now` stands in the board's row.
        first: The first revision that is kept.
        after: Revision and digest of what the turn committed, None where it made no revision.
    """

    connection: Connection
    revision: int
    digest: str
    epoch: str
    halt: str | None
    now: float
    clock_before: float
    contested: bool
    kept: bool = False
    first: int = 1
    after: tuple[int, str] | None = None

    @property
    def head(self) -> Head:
        """The head as the turn leaves it."""
        return Head(self.epoch, *(self.after or (self.revision, self.digest)))

    def check_seal(self) -> None:
        """Refuse to write on a sealed board.

        Raises:
            Sealed: An operator sealed it.
        """
        if self.halt == Halt.SEALED:
            row = self.one(_SEALED)
            raise Sealed(self.connection.location, row["author"] or "an operator", row["reason"])

    def all(self, statement: Statement, parameters: Parameters | None = None) -> list[sqlite3.Row]:
        """Run a statement and return its rows."""
        return self.connection.all(statement, parameters)

    def one(self, statement: Statement, parameters: Parameters | None = None) -> Any:  # noqa: ANN401 - a row of any shape
        """Run a statement and return its first row, None where there is none."""
        return self.connection.one(statement, parameters)

    def run(self, statement: Statement, parameters: Parameters | None = None) -> int:
        """Run a statement that writes and return how many rows it touched."""
        return self.connection.run(statement, parameters)

    def run_many(self, statement: Statement, rows: list[dict[str, Any]]) -> None:
        """Run a statement that writes once for each row of parameters."""
        self.connection.run_many(statement, rows)

    def keep_time(self) -> None:
        """Let `now` stand in the board's row; that is a write, whatever else the turn does."""
        self.connection.run(_TIME, {"now": self.now})
        self.kept = True

    def advance(self, statement: Statement, parameters: dict[str, Any]) -> None:
        """Run the statement that moves the head, and `now` with it, once its changes are written."""
        self.connection.run(statement, {**parameters, "now": self.now})
        self.kept = True
        self.after = (parameters["revision"], parameters["digest"])


class Session:
    """The one connection of a process that writes; whoever uses it has the writer's turn.

    Attributes:
        commit_seconds: What the last COMMIT took.
        clock: Reads store time.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self.commit_seconds = 0.0
        self.clock = StoreClock(clock)
        self._database = database
        self._connection: Connection | None = None
        self._own = False  # whether nobody is lent the connection
        self._changes = 0  # of the connection, when the turn began
        self._last: Turn | None = None  # of the transaction, of which nothing was undone
        self.journal = journal.Journal(database.path)

    def connection(self) -> Connection:
        """Return the connection, opened when it is first asked for."""
        if self._connection is None:
            self._connection, self._own = self._database.connect(), True
            with translated(self._database.location):
                journal.for_writing(self._connection.raw)
            self.journal.opened()
            if self._database.path is not None and self._database.line is None:
                self._database.line = Line.beside(self._database.path)
        return self._connection

    def begin(self, *, waited_seconds: float = 0.0) -> Connection:
        """Take the board's row, in the order of arrival among processes.

        Args:
            waited_seconds: How long the caller waited for others already: it gives up that much earlier.
        """
        self._database.check_place()
        if not self._own and self._connection is not None and not self._database.take(self._connection):
            # Somebody reads on it and gives it back to the others.
            self._connection = None
        connection, self._own = self.connection(), True
        if self._database.line is not None:
            self._database.line.take()
        try:
            if waited_seconds < _PATIENT_SECONDS:
                connection.raw.execute("BEGIN IMMEDIATE")
            else:
                self._begin_in(connection, BUSY_SECONDS - waited_seconds)
        except sqlite3.Error as error:
            raise translate(error, self._database.location) from error
        try:
            reached(BEGUN)
        except BaseException:
            self.roll_back()
            raise
        return connection

    def _begin_in(self, connection: Connection, seconds: float) -> None:
        connection.raw.execute(f"PRAGMA busy_timeout = {max(0, int(seconds * 1000))}")
        try:
            connection.raw.execute("BEGIN IMMEDIATE")
        finally:
            connection.raw.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")

    def turn(self) -> Turn:
        """Return a turn in the transaction that is open."""
        turn = self._at_head()
        time_read = self.clock.read(turn.clock_before)
        turn.now = time_read.now
        self._changes = turn.connection.raw.total_changes
        if time_read.jump > TOLERANCE_SECONDS:
            turn.run(KEEP_LEASES, {"now": turn.now, "watched": time_read.watched, "jump": time_read.jump})
        return turn

    def _at_head(self) -> Turn:
        """Return a turn at the head as it stands in the board's row."""
        connection = self.connection()
        known = self._database.remembered.head
        head = connection.one(_HEAD, {"known": revision_of(known)})
        if head is None:
            raise Damaged(self._database.location, "the row of the board is missing")
        epoch, revision, digest, before, halt, first, contested, schema, then = head
        needed = self._database.schema
        if needed and schema != needed:
            raise SchemaMismatch(self._database.location, str(schema), needed, newer=True)
        if not (type(revision) is type(first) is int and type(before) is float):
            raise Damaged(self._database.location, "the row of the board holds something else than numbers")
        if self._last is None:
            self.journal.check_there(self._database.location, connection.raw)
            # Nobody but this transaction moves the head from here on.
            self._database.remembered.meet(known, connection, Head(epoch, revision, digest), then)
        told = revision, digest, epoch, halt, before, before, bool(contested)
        return Turn(connection, *told, first=first)

    def end(self, turn: Turn, *, savepoint: bool = False) -> None:
        """End a turn: if anything was written in it, its time stands with that.

        Args:
            turn: That came last.
            savepoint: Whether it had one, which ends first: where that fails, all of the turn is undone.
        """
        if not turn.kept and turn.connection.raw.total_changes != self._changes:
            turn.keep_time()
        if savepoint:
            turn.connection.raw.execute("RELEASE member")
        self._last = turn

    @property
    def in_transaction(self) -> bool:
        """Whether one is open: the engine may have ended it by itself (full disk, I/O error)."""
        return self._own and self._connection is not None and self._connection.raw.in_transaction

    def roll_back(self) -> None:
        """End the transaction, if it was not ended."""
        self._last = None
        if self._connection is not None and self.in_transaction:
            self._connection.raw.execute("ROLLBACK")

    def commit(self, idempotency_key: str) -> None:
        """Make durable what was written.

        Raises:
            Full, Unavailable: There is no space for it, or others keep the file busy; certainly nothing was written.
            CommitUnknown: The engine failed in any other way.
        """
        began = time.monotonic()
        try:
            self.connection().raw.execute("COMMIT")
        except sqlite3.Error as error:
            # Start over with a connection that has seen nothing.
            with contextlib.suppress(sqlite3.Error):
                self.roll_back()
            self._disconnect()
            cause = translate(error, self._database.location)
            if certainly_undone(error):
                raise cause from error
            # Whether it happened is unknown whatever the driver says: recovery may revive it.
            raise CommitUnknown(idempotency_key, str(cause)) from error
        self.commit_seconds = time.monotonic() - began
        if self._last is not None:
            head, self._last = self._last.head, None
            self._database.remembered.note(head)
        # Still in the turn: no other process writes meanwhile.
        self.journal.keep_bounded(self.connection().raw)

    def lend(self) -> None:
        """Lend the connection to those who read, until the next transaction begins."""
        # Who reads may have to close it, and a board in memory ends with its last connection. One that could not be
        # rolled back is nobody else's matter.
        in_memory = self._database.path is None
        if self._own and self._connection is not None and not in_memory and not self._connection.raw.in_transaction:
            self._own = False
            self._database.give_back(self._connection)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and (self._own or self._database.take(connection)):
            connection.close()

    def close(self) -> None:
        """Close the connection; it is opened again when it is asked for."""
        self._disconnect()
        line, self._database.line = self._database.line, None
        if line is not None:
            line.close()
