"""An opened board: its file, its writer, its clock, and what is kept of it in memory."""

import itertools
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from blackboard.spec.records import Reserved
from blackboard.store import forks
from blackboard.store.clock import StoreClock
from blackboard.store.sqlite import Connection, Database
from blackboard.store.statements import Statement
from blackboard.store.writer import Writer

_CLOCK = Statement("SELECT store_time FROM board")


@dataclass(slots=True)
class Kept:
    """What was derived from rows that seldom change, with the revision that it is from.

    Attributes:
        busy: Whether the last claim found work.
        swept: When a claim last looked for leases that have ended, by the store's clock.
    """

    revision: int = -1
    reserved: Reserved = field(default_factory=Reserved)
    busy: bool = False
    swept: float = float("-inf")
    guard: threading.Lock = field(default_factory=threading.Lock)


def _numbered() -> Callable[[], str]:
    """Return what makes names that no other process makes; in order, so that rows of them lie beside each other."""
    unique, numbers = uuid.uuid4().hex, itertools.count(1)
    return lambda: f"{unique}-{next(numbers):08x}"


@dataclass(slots=True, eq=False, weakref_slot=True)
class Store:
    """What the functions of this room work on.

    Attributes:
        clock: Seconds since the Unix epoch by this host.
        name_commit: Makes an idempotency key that nobody used before.
    """

    database: Database
    writer: Writer
    clock: Callable[[], float] = time.time
    name_commit: Callable[[], str] = field(default_factory=_numbered)
    kept: Kept = field(default_factory=Kept)

    def __post_init__(self) -> None:
        forks.register(self)

    def before_fork(self) -> None:
        """Close, in the parent, what the child must not inherit."""
        self.database.before_fork()

    def after_fork(self) -> None:
        """Begin again in the child: a thread of the parent may have held any lock, and lead the queue for ever."""
        self.database.after_fork()
        self.writer = Writer(self.database, self.clock)
        self.kept = Kept()
        # Else parent and child would give the same name to different commits.
        self.name_commit = _numbered()

    @property
    def time(self) -> StoreClock:
        """Reads store time."""
        return self.writer.session.clock

    def now(self, on: Connection) -> float:
        """Return store time, by which leases, waits and deadlines end."""
        return self.time.at(on.all(_CLOCK)[0]["store_time"])

    @property
    def location(self) -> str:
        """Where it is, for errors and people."""
        return self.database.location

    def close(self) -> None:
        """Close every connection."""
        self.writer.close()
        self.database.close()
