"""One UPDATE by hand: of an indexed column in many rows, or of one row, each a durable transaction.

What a table of dependents comes to when nothing is known of why they are stale, or of whom it concerns.
"""

from pathlib import Path

from .commits import connect

TABLES = """
    CREATE TABLE component (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, uses INTEGER NOT NULL,
      state TEXT NOT NULL, revision INTEGER NOT NULL);
    CREATE INDEX component_uses ON component (uses);
    CREATE INDEX component_state ON component (state)"""


def create(path: Path, *, rows: int) -> None:
    """Make a table of so many components that all use decision 1."""
    on = connect(path)
    on.executescript(TABLES)
    on.execute("BEGIN")
    made = ((number, f"part/c-{number:06}", 1, "current", number) for number in range(rows))
    on.executemany("INSERT INTO component VALUES (?, ?, ?, ?, ?)", made)
    on.execute("COMMIT")
    on.close()


class Table:
    """A connection to the table."""

    def __init__(self, path: Path) -> None:
        self._on = connect(path)

    def close(self) -> None:
        """Close it."""
        self._on.close()

    def update_all(self, state: str) -> int:
        """Give every dependent another state and return how many there are."""
        self._on.execute("BEGIN IMMEDIATE")
        touched = self._on.execute("UPDATE component SET state = ? WHERE uses = 1", (state,)).rowcount
        self._on.execute("COMMIT")
        return touched

    def update_one(self, identifier: int, state: str) -> int:
        """Give one component another state."""
        self._on.execute("BEGIN IMMEDIATE")
        touched = self._on.execute("UPDATE component SET state = ? WHERE id = ?", (state, identifier)).rowcount
        self._on.execute("COMMIT")
        return touched
