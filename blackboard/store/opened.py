"""An opened board: its file, its writer, its clock, and what is kept of it in memory."""

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from blackboard.spec.records import Reserved
from blackboard.store.sqlite import Database
from blackboard.store.writer import Writer


@dataclass(slots=True)
class Kept:
    """What was derived from rows that seldom change, with the revision that it is from.

    Attributes:
        busy: Whether the last claim found work.
    """

    revision: int = -1
    reserved: Reserved = field(default_factory=Reserved)
    busy: bool = False
    guard: threading.Lock = field(default_factory=threading.Lock)


@dataclass(slots=True)
class Store:
    """What the functions of this room work on.

    Attributes:
        clock: Seconds since the Unix epoch; the store's time never goes below what it gave out before.
        name_commit: Makes an idempotency key that nobody used before.
    """

    database: Database
    writer: Writer
    clock: Callable[[], float] = time.time
    name_commit: Callable[[], str] = field(default=lambda: uuid.uuid4().hex)
    kept: Kept = field(default_factory=Kept)

    @property
    def location(self) -> str:
        """Where it is, for errors and people."""
        return self.database.location

    def close(self) -> None:
        """Close every connection."""
        self.writer.close()
        self.database.close()
