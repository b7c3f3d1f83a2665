"""A blackboard: one versioned store of one spec, opened by an application, a command or a controller."""

import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self, runtime_checkable

from blackboard.contracts.bodies import body_of
from blackboard.contracts.language import Contract
from blackboard.errors import (
    Compacted,
    Conflict,
    Damaged,
    Invalid,
    NotABoard,
    Refused,
    Reserved,
    TeamMismatch,
    Unavailable,
)
from blackboard.lease import Lease
from blackboard.lease import claim as claim_leases
from blackboard.plan import CLOCK, plan
from blackboard.snapshot import Snapshot
from blackboard.spec import given
from blackboard.spec.changes import Committed, Install, Intent, Plan, Tick
from blackboard.spec.keys import PROMPT, TEAM, check_idempotency_key, check_name
from blackboard.spec.reads import Reads
from blackboard.store import agenda, backup, budgets, commit, creation, durability, feed, read, upgrade, verify
from blackboard.store.feed import Changes, Cursor
from blackboard.store.opened import Store
from blackboard.store.session import Turn
from blackboard.store.sqlite import Database
from blackboard.store.statements import Statement
from blackboard.store.writer import Writer
from blackboard.transaction import Transaction


@runtime_checkable
class Installable(Protocol):
    """What `install` asks of a team."""

    @property
    def resources(self) -> Mapping[str, int]:
        """Resource -> units that exist."""

    def records(self) -> dict[str, Contract]:
        """Return the reserved keys and the prompt: key -> contract."""

    def limits(self) -> dict[str, float]:
        """Return resource -> what may be spent of it."""


_RESERVED_SECONDS = 0.05
"""How long to wait for a reservation to end before looking again."""

Durability = Literal["full", "normal"]

_DUE = Statement("""
    SELECT k.key, d.path, d.round, d.due FROM deadline d JOIN key k ON k.id = d.key_id ORDER BY d.due LIMIT 100""")
_CLOCK = Statement("SELECT clock FROM board")
_TEAM = Statement("SELECT 1 FROM key WHERE key = 'choreography/team' AND current IS NOT NULL")
_LIVE = Statement("SELECT count(*) AS count FROM lease WHERE state = 'live' AND expires > :now")


class Blackboard:
    """One board.

    Open it with `Blackboard.open`; close it, or use it as a context manager. It may be shared between threads, and
    between a process and the children that it forks: a child refuses it only where a thread used it at the fork.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    @classmethod
    def open(
        cls,
        location: str | Path,
        *,
        create: bool = False,
        upgrade: bool = False,
        durability: Durability = "full",
        clock: Callable[[], float] | None = None,
    ) -> Self:
        """Open a board.

        Args:
            location: A path or `sqlite:///path`.
            create: Make one if there is none; one that is there is opened.
            upgrade: Bring one of an older library to this one's schema first, in one transaction.
            durability: `full`: what is acknowledged survives loss of power; `normal`: it survives a crash of every
                process.
            clock: Seconds since the Unix epoch; the system's if None.

        Raises:
            NotABoard: The file is something else; it is not touched.
            SchemaMismatch: It is of an older or newer library.
            Unavailable: It is missing, or its folder is.
            ReadOnly: It cannot be written.
        """
        if durability not in ("full", "normal"):
            raise Invalid(f"durability is {durability!a}; give 'full' or 'normal'")
        path = path_of(str(location))
        _check_place(path, create=create)
        database = Database(path, synchronous=durability.upper())
        return cls(_opened(database, clock, create=create, older=upgrade))

    @classmethod
    def in_memory(cls, *, clock: Callable[[], float] | None = None, name: str = "") -> Self:
        """Open a new board in memory; it is gone when it is closed. The same doings give the same history in it."""
        store = _opened(Database(None, name or uuid.uuid4().hex), clock, create=True)
        numbers = count(1)
        store.name_commit = lambda: f"commit-{next(numbers)}"
        return cls(store)

    # --- reads ---

    @property
    def revision(self) -> int:
        """The number of the newest commit, 0 before the first."""
        return int(feed.head(self.store)["revision"])

    @property
    def cursor(self) -> Cursor:
        """The place in the feed after the newest commit."""
        return feed.cursor(self.store)

    def snapshot(self, *, at: int | Cursor | None = None) -> Snapshot:
        """Return the board as it is now, or as it was at a revision or cursor.

        Raises:
            Invalid: There is no such revision yet.
            Compacted: The revision is no longer kept.
            Forked: The cursor is from another board or history, or the board became another one behind our back.
        """
        head = feed.head(self.store)
        if at is None:
            return Snapshot(self.store, head["revision"])
        if not isinstance(at, Cursor) and given.a_number(at, "at", least=0) > head["revision"]:
            raise Invalid(f"there is no revision {at}; the newest is {head['revision']}")
        with self.store.database.reading() as on:
            board = read.board_row(on)
            feed.check_kept(at.revision if isinstance(at, Cursor) else at, board["first"])
            return Snapshot(self.store, feed.place(on, at, board).revision)

    def changes(self, *, after: int | Cursor, limit: int | None = None) -> Changes:
        """Return the changes after a revision (0 = all) or cursor, ascending; a revision is never split.

        Args:
            limit: About how many; the first revision comes whole, however large.

        Returns:
            The changes, and as their `cursor` the place to go on from.

        Raises:
            Forked: The place is from another board or history, or beyond the newest revision.
            Compacted: Changes after it are no longer kept.
        """
        return feed.changes(self.store, after=after, limit=limit)

    def watch(self, *, after: int | Cursor, timeout_seconds: float | None = None) -> Iterator[Changes]:
        """Yield each revision's changes as they are committed by any process, whole, in order, without a gap.

        Args:
            timeout_seconds: Ends after so long without a change; None goes on for ever.

        Raises:
            Forked: The place is from another board or history, or the board became another one meanwhile.
            Compacted: Changes after it are no longer kept.
        """
        return feed.watch(self.store, after=after, timeout_seconds=timeout_seconds)

    # --- transactions ---

    def transaction(self, author: str, *, role: str | None = None, idempotency_key: str | None = None) -> Transaction:
        """Begin a transaction that reads from the newest revision.

        Args:
            author: Who does it: a member's name where a team is installed, or an operator's.
            role: The role under which it acts; the author's only one if None.
            idempotency_key: Names the commit, so that it can be repeated or looked up; made up if None.
        """
        return Transaction(self.store, self.revision, author, role=role, idempotency_key=idempotency_key)

    def run_transaction(
        self, function: Callable[[Transaction], object], author: str, *, role: str | None = None, attempts: int = 5
    ) -> Committed:
        """Run a function in a transaction, anew after each conflict, which it finds in `transaction.previous`.

        Raises:
            Conflict: The last of so many attempts was refused too.
        """

        def begin(previous: Conflict | None) -> Transaction:
            return Transaction(self.store, self.revision, author, role=role, previous=previous)

        return _run_transaction(begin, function, attempts=attempts)

    def find_commit(self, idempotency_key: str, *, author: str) -> Committed | None:
        """Return the commit that was made under a key, or None, and then it never will be."""
        return commit.find_commit(self.store, check_idempotency_key(idempotency_key), author=check_name(author))

    # --- work ---

    def claim(self, author: str, *, limit: int = 1, lease_seconds: float = 60) -> tuple[Lease, ...]:
        """Take up to `limit` of the author's pending activations, highest rating first.

        Args:
            author: The registered name of the source.
            lease_seconds: How long each lease lasts by the store's clock unless renewed.

        Returns:
            The leases, possibly none; each has a fencing token larger than any given out before for its target.
        """
        given.a_number(limit, "limit", least=1)
        given.a_time(lease_seconds, "lease_seconds")
        return claim_leases(self, check_name(author), limit=limit, lease_seconds=lease_seconds)

    def install(self, team: Installable) -> Committed:
        """Make the team's members, sources, choreography and checks rows of the spec; the same again is no change.

        A team that changed in more than its prompt gives all dead activations and quarantined sources another chance;
        else only those activations have one that gave up for want of budget.

        Raises:
            TeamMismatch: Another team is installed and one of its leases lives.
        """
        if not isinstance(team, Installable):
            raise Invalid(f"team is {ascii(team)[:60]}; give a Team")
        bodies = {key: body_of(contract) for key, contract in team.records().items()}
        limits, resources = team.limits(), dict(team.resources)

        def beside(turn: Turn, planned: Plan) -> None:
            if planned.changes and turn.all(_TEAM) and turn.all(_LIVE, {"now": turn.now})[0]["count"]:
                raise TeamMismatch(sorted({change.key for change in planned.changes}))
            budgets.install(turn, limits, resources)
            changed = {change.key for change in planned.changes}
            agenda.revive(turn, every=bool(changed - {PROMPT, TEAM} if PROMPT in changed else changed))

        intent = self._intent("install", (Install(bodies),), role="operator")
        return commit.commit(self.store, intent, replan=plan, beside=beside)

    def tick(self) -> int:
        """Commit, as author `clock`, every deadline that is due, and return how many were."""
        due = self._due()
        for row in due:
            act = Tick(row["key"], row["path"], row["round"], row["due"])
            key = f"tick {row['key']} {row['path']} {row['round']} {row['due']}"
            commit.commit(self.store, self._intent(CLOCK, (act,), idempotency_key=key), replan=plan)
        return len(due)

    def next_deadline(self) -> float | None:
        """Return the seconds until the next armed deadline, None where there is none."""
        with self.store.database.reading() as on:
            rows = on.all(_DUE)
            now = max(on.all(_CLOCK)[0]["clock"], self.store.clock())
        return max(0.0, rows[0]["due"] - now) if rows else None

    def _due(self) -> list[read.Row]:
        with self.store.database.reading() as on:
            now = max(on.all(_CLOCK)[0]["clock"], self.store.clock())
            return [row for row in on.all(_DUE) if row["due"] <= now]

    def _intent(
        self, author: str, acts: tuple[Install | Tick, ...], *, role: str | None = None, idempotency_key: str = ""
    ) -> Intent:
        name = idempotency_key or self.store.name_commit()
        return Intent(author, role, acts, Reads(), self.revision, name)

    # --- care ---

    def verify(self, *, known_head: Cursor | None = None) -> Cursor:
        """Check that the store's content agrees with its own hash chain, and with a head that is known.

        Returns:
            The head that was verified.

        Raises:
            Damaged: It does not.
            Forked: The known head is not in this history.
        """
        if known_head is not None:
            given.a(Cursor, known_head, "known_head")
        return verify.verify(self.store, known_head=known_head)

    def backup(self, path: str | Path) -> int:
        """Copy the board into a new file, check the copy by itself, and return its revision.

        Raises:
            NotABoard: Something of this name exists; nothing is ever written over.
            Damaged: The copy is not whole, so the board is not.
        """
        return backup.backup(self.store, path)

    def copy(self, path: str | Path, *, author: str) -> Cursor:
        """Copy the board into a new file as a board of its own, of a new epoch, and return its head.

        Cursors of this board are `Forked` there, and leases of this board do not count there.

        Args:
            path: A file that is not there yet.
            author: Who does it.
        """
        return backup.copy(self.store, path, author=check_name(author))

    def owns(self, path: str | Path) -> bool:
        """Say whether a path is the board's own file or one kept beside it: nobody else may open or write these."""
        return self.store.database.owns(Path(path))

    def upgrade(self) -> tuple[str, str]:
        """Bring an older board to this library's schema and return the schema before and after."""
        return upgrade.upgrade(self.store)

    def close(self) -> None:
        """Close every connection; leases are kept and expire."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def path_of(location: str) -> Path:
    """Return the file that a location names.

    Raises:
        Invalid: It names no file.
    """
    if "\0" in location:
        raise Invalid("a location holds no zero byte; give a path or sqlite:///path")
    scheme, _, rest = location.partition("://")
    if not rest:
        return Path(location)
    if scheme != "sqlite":
        raise Invalid(f"{scheme}:// is no store of this version; give a path or sqlite:///path")
    return Path(rest.removeprefix("/")) if not rest.startswith("//") else Path(rest[1:])


def _check_place(path: Path, *, create: bool) -> None:
    if path.is_dir():
        raise NotABoard(str(path), "it is a folder")
    _check_log(path)
    if path.exists():
        if not path.is_file():
            raise NotABoard(str(path), "it is a device or a pipe")
        if path.stat().st_size == 1:
            # SQLite takes a file of one byte for an empty one and would write over it.
            raise NotABoard(str(path), "it is one byte long")
        return
    if not create:
        raise Unavailable(str(path), "there is no such file", "make a board with `bb init` or create=True")
    creation.create(path)


def _check_log(path: Path) -> None:
    """Refuse to open an empty file, or to make one, beside a log that holds something: SQLite deletes that log."""
    # SQLite follows links to the board's file before it names the log beside it.
    place = Path(os.path.realpath(path))
    log = place.with_name(place.name + "-wal")
    try:
        orphan = (not path.exists() or path.stat().st_size == 0) and log.stat().st_size > 0
    except OSError:
        return
    if orphan:
        what = "empty" if path.exists() else "gone"
        raise Damaged(str(path), f"it is {what} and {log.name} is not: to begin anew here, move that away first")


def _opened(database: Database, clock: Callable[[], float] | None, *, create: bool, older: bool = False) -> Store:
    store = Store(database, Writer(database, clock or time.time), clock or time.time)
    try:
        if older:
            upgrade.upgrade(store)
        if create:
            upgrade.create(store)
        else:
            upgrade.check(store)
        # After a crash the log may hold a commit that was never synced; what is shown from here on is durable.
        with upgrade.repeatable(store.location), store.writer.turn(over_seal=True) as turn:
            turn.keep_time()
            durability.note(turn, database)
    except BaseException:
        store.close()
        raise
    return store


def _run_transaction(
    begin: Callable[[Conflict | None], Transaction], function: Callable[[Transaction], object], *, attempts: int
) -> Committed:
    """Run a function in a new transaction until one commits, telling each why the one before was refused.

    Where another has reserved what it would change, it waits for that and runs anew.

    Raises:
        Conflict: The last of so many attempts was refused too.
    """
    given.a_number(attempts, "attempts", least=1)
    if not callable(function):
        raise Invalid(f"function is {ascii(function)[:60]}; give one that takes a transaction")
    previous: Conflict | None = None
    gone: Compacted | None = None
    left = attempts
    while left:
        transaction = begin(previous)
        inside = True
        try:
            with transaction:
                function(transaction)
                inside = False
        except Conflict as conflict:
            previous = conflict
            left -= 1
            continue
        except Reserved as reserved:
            if inside:
                # Of another transaction, made by the function: to wait here could be to wait for ourselves.
                raise
            # It ends by itself, whatever its holder does: no attempt of ours was in vain.
            time.sleep(min(reserved.expires_in_seconds, _RESERVED_SECONDS))
            continue
        except Compacted as compacted:
            # What it began on is no longer kept: nothing was written, and the next one begins on what is.
            gone = compacted
            left -= 1
            continue
        if transaction.committed is not None:
            return transaction.committed
        return Committed(transaction.revision, (), transaction.revision)
    raise previous or gone or Refused("no attempt was made")
