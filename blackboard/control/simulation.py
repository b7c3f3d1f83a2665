"""Runs in virtual time: one seed, one clock, one source at a time, and therefore the same history each time."""

import json
import threading
from dataclasses import dataclass, field

from blackboard.board import Blackboard
from blackboard.store.schema import CONTROL, metadata
from blackboard.store.statements import Statement

START_SECONDS = 1_700_000_000.0
"""The first time of a virtual clock, in seconds since the Unix epoch."""


@dataclass(slots=True)
class FakeClock:
    """A virtual clock: it advances only by calls of `sleep`.

    As the `clock` of a board it is the store's clock; a controller of such a board waits by calling `sleep`.

    >>> clock = FakeClock()
    >>> clock.sleep(300)
    >>> clock() - START_SECONDS
    300.0
    """

    now: float = START_SECONDS
    _guard: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __call__(self) -> float:
        """Return the time, in seconds since the Unix epoch."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Advance the clock by this much time at once."""
        with self._guard:
            self.now += max(0.0, seconds)


def virtual_board() -> Blackboard:
    """Return a new board in memory with a virtual clock."""
    return Blackboard.in_memory(clock=FakeClock())


def history(board: Blackboard) -> str:
    """Return the whole spec of a board as text: every row of every spec table, in order.

    The epoch is not included, because it differs between boards of the same history.
    """
    lines = []
    with board.store.database.reading() as on:
        for table in metadata.sorted_tables:
            if table.name in CONTROL:
                continue
            columns = [column.name for column in table.columns if (table.name, column.name) != ("board", "epoch")]
            listed = ", ".join(columns)
            for row in on.all(Statement(f"SELECT {listed} FROM {table.name} ORDER BY {listed}")):
                values = {name: _shown(row[name]) for name in columns}
                lines.append(f"{table.name} {json.dumps(values, sort_keys=True, ensure_ascii=False)}")
    return "\n".join(lines) + "\n"


def _shown(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else value
