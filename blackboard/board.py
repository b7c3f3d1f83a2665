"""A blackboard: one versioned store of one spec, opened by an application, a command or a controller."""

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
    Invalid,
    Refused,
    Reserved,
    TeamMismatch,
    Unavailable,
)
from blackboard.lease import Lease
from blackboard.lease import claim as claim_leases
from blackboard.plan import CLOCK, plan
from blackboard.snapshot import Snapshot
from blackboard.spec import arguments
from blackboard.spec.changes import Committed, Install, Intent, Plan, Tick
from blackboard.spec.keys import PROMPT, TEAM, check_idempotency_key, check_name
from blackboard.spec.reads import Reads
from blackboard.store import agenda, backup, budgets, commit, creation, durability, feed, place, read, upgrade, verify
from blackboard.store.feed import Changes, Cursor
from blackboard.store.opened import Store
from blackboard.store.preview import changed_keys
from blackboard.store.session import Turn
from blackboard.store.sqlite import Database
from blackboard.store.statements import Statement
from blackboard.store.workers import note_installer
from blackboard.store.writer import Writer
from blackboard.transaction import Transaction


@runtime_checkable
class Installable(Protocol):
    """The parts of a team that `install` writes."""

    @property
    def resources(self) -> Mapping[str, int]:
        """Resource -> number of units."""

    def records(self) -> dict[str, Contract]:
        """Return the reserved keys and the prompt: key -> contract."""

    def limits(self) -> dict[str, float]:
        """Return the budget: resource -> the most that may be spent."""


_RESERVED_SECONDS = 0.05
"""The longest time between two attempts while a key is reserved by another author."""

Durability = Literal["full", "normal"]

_DUE = Statement("""
    SELECT k.key, d.path, d.round, d.due FROM deadline d JOIN key k ON k.id = d.key_id ORDER BY d.due LIMIT 100""")
_TEAM = Statement("SELECT 1 FROM key WHERE key = 'choreography/team' AND current_version IS NOT NULL")
_LIVE = Statement("SELECT count(*) AS count FROM lease WHERE state = 'live' AND expires > :now")


class Blackboard:
    """One board.

    Open a board with `Blackboard.open`; close it, or use it as a context manager. Threads may share one, and so may a
    process and the children that it forks: a child refuses a board only if a thread used it at the moment of the fork.
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
            create: Make the board if the file does not exist.
            upgrade: Upgrade an older board to this library's schema first, in one transaction.
            durability: `full`: an acknowledged commit survives loss of power; `normal`: it survives a crash of every
                process.
            clock: Returns seconds since the Unix epoch; the system's clock if None.

        Raises:
            NotABoard: The file exists and is no board; it is not changed.
            SchemaMismatch: The board was made by an older or newer library.
            Unavailable: The file or its folder is missing, or the file has a second name (a hard link, a mount).
            ReadOnly: The file cannot be written.
        """
        if durability not in ("full", "normal"):
            raise Invalid(f"durability is {durability!a}; give 'full' or 'normal'")
        path = path_of(str(location))
        if not place.check(path):
            if not create:
                raise Unavailable(str(path), "there is no such file", "make a board with `bb init` or create=True")
            creation.create(path)
        database = Database(path, synchronous=durability.upper())
        return cls(_opened(database, clock, create=create, older=upgrade))

    @classmethod
    def in_memory(cls, *, clock: Callable[[], float] | None = None, name: str = "") -> Self:
        """Open a new board in memory, which ends when it is closed; the same calls give the same history."""
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
        """The cursor after the newest commit."""
        return feed.cursor(self.store)

    def snapshot(self, *, at: int | Cursor | None = None) -> Snapshot:
        """Return the board as it is now, or as it was at a revision or cursor.

        Raises:
            Invalid: There is no such revision yet.
            Compacted: The revision is no longer kept.
            Forked: The cursor is from another board or history, or the file was replaced while this board was open.
        """
        head = feed.head(self.store)
        if at is None:
            return Snapshot(self.store, head["revision"])
        if not isinstance(at, Cursor) and arguments.integer(at, "at", least=0) > head["revision"]:
            raise Invalid(f"there is no revision {at}; the newest is {head['revision']}")
        with self.store.database.reading() as on:
            board = read.board_row(on)
            feed.check_kept(at.revision if isinstance(at, Cursor) else at, board["first_revision"])
            return Snapshot(self.store, feed.place(on, at, board).revision)

    def changes(self, *, after: int | Cursor, limit: int | None = None) -> Changes:
        """Return the changes after a revision (0 = all) or cursor, ascending; a revision is never split.

        Args:
            limit: The approximate number of changes; the first revision is returned whole, however large.

        Returns:
            The changes; their `cursor` is the `after` of the next call.

        Raises:
            Forked: `after` is from another board or history, or beyond the newest revision.
            Compacted: Changes after it are no longer kept.
        """
        return feed.changes(self.store, after=after, limit=limit)

    def watch(self, *, after: int | Cursor, timeout_seconds: float | None = None) -> Iterator[Changes]:
        """Yield each revision's changes as they are committed by any process, whole, in order, without a gap.

        Args:
            timeout_seconds: End after this time without a change; None means never.

        Raises:
            Forked: `after` is from another board or history, or the file was replaced meanwhile.
            Compacted: Changes after it are no longer kept.
        """
        return feed.watch(self.store, after=after, timeout_seconds=timeout_seconds)

    # --- transactions ---

    def transaction(self, author: str, *, role: str | None = None, idempotency_key: str | None = None) -> Transaction:
        """Begin a transaction that reads from the newest revision.

        Args:
            author: The author of the commit: a member's name if a team is installed, or an operator's.
            role: The role under which the author acts; the author's only role if None.
            idempotency_key: Names the commit, so that it can be repeated or looked up; generated if None.
        """
        return Transaction(self.store, self.revision, author, role=role, idempotency_key=idempotency_key)

    def run_transaction(
        self, function: Callable[[Transaction], object], author: str, *, role: str | None = None, attempts: int = 5
    ) -> Committed:
        """Run a function in a transaction, again after each conflict; `transaction.previous` is the last conflict.

        Raises:
            Conflict: Every attempt was refused.
        """

        def begin(previous: Conflict | None) -> Transaction:
            return Transaction(self.store, self.revision, author, role=role, previous=previous)

        return _run_transaction(begin, function, attempts=attempts)

    def find_commit(self, idempotency_key: str, *, author: str) -> Committed | None:
        """Return the commit that was made under a key; if there is none, declare the key void and return None."""
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
        arguments.integer(limit, "limit", least=1)
        arguments.seconds(lease_seconds, "lease_seconds")
        return claim_leases(self, check_name(author), limit=limit, lease_seconds=lease_seconds)

    def install(self, team: Installable) -> Committed:
        """Write the team's members, sources, choreography and checks to the spec; an unchanged team writes nothing.

        If more than the prompt changed, all dead activations are made pending and all quarantines end; otherwise only
        activations that are dead for lack of budget are made pending.

        Raises:
            TeamMismatch: Another team is installed and one of its leases is live.
        """
        intent, limits, resources = self._installing(team), team.limits(), dict(team.resources)

        def install_limits(turn: Turn, planned: Plan) -> None:
            if planned.changes and turn.all(_TEAM) and turn.all(_LIVE, {"now": turn.now})[0]["count"]:
                raise TeamMismatch(sorted({change.key for change in planned.changes}))
            budgets.install(turn, limits, resources)
            note_installer(turn)
            changed = {change.key for change in planned.changes}
            agenda.revive(turn, every=bool(changed - {PROMPT, TEAM} if PROMPT in changed else changed))

        return commit.commit(self.store, intent, replan=plan, beside=install_limits)

    def differences(self, team: Installable) -> tuple[str, ...]:
        """Return the keys that installing a team would change, sorted; none where it is the installed one."""
        return changed_keys(self.store, self._installing(team), plan)

    def _installing(self, team: Installable) -> Intent:
        if not isinstance(team, Installable):
            raise Invalid(f"team is {ascii(team)[:60]}; give a Team")
        bodies = {key: body_of(contract) for key, contract in team.records().items()}
        return self._intent("install", (Install(bodies),), role="operator")

    def tick(self) -> int:
        """Commit, as author `clock`, every deadline that is due, and return their number."""
        due = self._due()
        for row in due:
            act = Tick(row["key"], row["path"], row["round"], row["due"])
            key = f"tick {row['key']} {row['path']} {row['round']} {row['due']}"
            commit.commit(self.store, self._intent(CLOCK, (act,), idempotency_key=key), replan=plan)
        return len(due)

    def next_deadline(self) -> float | None:
        """Return the seconds until the next deadline, None if there is none."""
        with self.store.database.reading() as on:
            rows = on.all(_DUE)
            now = self.store.now(on)
        return max(0.0, rows[0]["due"] - now) if rows else None

    def _due(self) -> list[read.Row]:
        with self.store.database.reading() as on:
            now = self.store.now(on)
            return [row for row in on.all(_DUE) if row["due"] <= now]

    def _intent(
        self, author: str, acts: tuple[Install | Tick, ...], *, role: str | None = None, idempotency_key: str = ""
    ) -> Intent:
        name = idempotency_key or self.store.name_commit()
        return Intent(author, role, acts, Reads(), self.revision, name)

    # --- maintenance ---

    def verify(self, *, known_head: Cursor | None = None) -> Cursor:
        """Verify the store's content against its hash chain, and the chain against a known head.

        Returns:
            The verified head.

        Raises:
            Damaged: The content does not agree with the hash chain.
            Forked: The known head is not in this history.
        """
        if known_head is not None:
            arguments.of_type(Cursor, known_head, "known_head")
        return verify.verify(self.store, known_head=known_head)

    def backup(self, path: str | Path) -> int:
        """Copy the board into a new file, verify the copy, and return its revision.

        Raises:
            NotABoard: A file of this name exists; it is not overwritten.
            Damaged: The copy is damaged, and therefore the board is too.
        """
        return backup.backup(self.store, path)

    def copy(self, path: str | Path, *, author: str) -> Cursor:
        """Copy the board into a new file, begin a new epoch there, and return the copy's head.

        The copy refuses cursors of this board (`Forked`), and its commits ignore leases of this board.

        Args:
            path: A file that does not exist.
            author: The author of the commit that begins the epoch.
        """
        return backup.copy(self.store, path, author=check_name(author))

    def owns(self, path: str | Path) -> bool:
        """Say whether a path is the board's file or one of its companion files, which no other program may write."""
        return self.store.database.owns(Path(path))

    def upgrade(self) -> tuple[str, str]:
        """Upgrade an older board to this library's schema and return the schema before and after."""
        return upgrade.upgrade(self.store)

    def close(self) -> None:
        """Close every connection; live leases stay until they expire."""
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


def _opened(database: Database, clock: Callable[[], float] | None, *, create: bool, older: bool = False) -> Store:
    store = Store(database, Writer(database, clock or time.time), clock or time.time)
    try:
        if older:
            upgrade.upgrade(store)
        if create:
            upgrade.create(store)
        else:
            upgrade.check(store)
        # After a crash the log may hold a commit that was never synced; this commit makes it durable before any read.
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
    """Run a function in a new transaction until one commits; `previous` of each is the conflict before it.

    An attempt that is refused by a reservation of another author is repeated when that reservation ends.

    Raises:
        Conflict: Every attempt was refused.
    """
    arguments.integer(attempts, "attempts", least=1)
    if not callable(function):
        raise Invalid(f"function is {ascii(function)[:60]}; give one that takes a transaction")
    previous: Conflict | None = None
    gone: Compacted | None = None
    remaining = attempts
    while remaining:
        transaction = begin(previous)
        inside = True
        try:
            with transaction:
                function(transaction)
                inside = False
        except Conflict as conflict:
            previous = conflict
            remaining -= 1
            continue
        except Reserved as reserved:
            if inside:
                # Another transaction, made by the function, was refused: waiting here could be waiting for ourselves.
                raise
            # A reservation always ends, so this refusal does not count as an attempt.
            time.sleep(min(reserved.expires_in_seconds, _RESERVED_SECONDS))
            continue
        except Compacted as compacted:
            # The transaction's base was compacted: nothing was written, and the next attempt has a newer base.
            gone = compacted
            remaining -= 1
            continue
        if transaction.committed is not None:
            return transaction.committed
        return Committed(transaction.revision, (), transaction.revision)
    raise previous or gone or Refused("no attempt was made")
