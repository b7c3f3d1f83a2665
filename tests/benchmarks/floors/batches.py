"""An agenda by hand: claim a batch, run it, write down how it ended, each in one durable transaction.

What it keeps: an activation is leased to one process under a fencing token with an end, attempts are counted at the
claim, and what a dead process held can be found. What it does not have: sources and their rights, ratings by work that
waits, budgets, resources, readiness, renewal, and a question whether everything is done.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path

from .commits import connect

TABLES = """
    CREATE TABLE activation (id INTEGER PRIMARY KEY, source TEXT NOT NULL, target TEXT NOT NULL, state TEXT NOT NULL,
      rating REAL NOT NULL, attempts INTEGER NOT NULL, since REAL NOT NULL, UNIQUE (source, target));
    CREATE INDEX activation_pending ON activation (source, rating DESC, since, id) WHERE state = 'pending';
    CREATE TABLE lease (token INTEGER PRIMARY KEY AUTOINCREMENT, activation_id INTEGER NOT NULL, holder TEXT NOT NULL,
      claimed REAL NOT NULL, expires REAL NOT NULL, state TEXT NOT NULL);
    CREATE INDEX lease_activation ON lease (activation_id, token);
    CREATE INDEX lease_live ON lease (expires) WHERE state = 'live'"""

CHOSEN = """
    SELECT id, target FROM activation WHERE state = 'pending' AND source = ?
    ORDER BY rating DESC, since, id LIMIT ?"""
LEASED = """
    INSERT INTO lease (activation_id, holder, claimed, expires, state)
    SELECT value, ?, ?, ?, 'live' FROM json_each(?) RETURNING token"""


def create(path: Path, *, activations: int) -> None:
    """Make an agenda of so many activations of one source."""
    on = connect(path)
    on.executescript(TABLES)
    on.execute("BEGIN")
    rows = ((number, f"item/i-{number:06}", time.time()) for number in range(activations))
    on.executemany("INSERT INTO activation VALUES (?, 'noop', ?, 'pending', 0, 0, ?)", rows)
    on.execute("COMMIT")
    on.close()


def run(path: Path, execute: Callable[[str], None], *, at_once: int) -> int:
    """Run everything on the agenda, so many at once, and return how much that was."""
    on = connect(path)
    done = 0
    while True:
        on.execute("BEGIN IMMEDIATE")
        chosen = on.execute(CHOSEN, ("noop", at_once)).fetchall()
        now = time.time()
        ids = json.dumps([identifier for identifier, _ in chosen])
        tokens = [row[0] for row in on.execute(LEASED, ("me", now, now + 5, ids)).fetchall()]
        on.execute(
            "UPDATE activation SET state = 'leased', attempts = attempts + 1 "
            "WHERE id IN (SELECT value FROM json_each(?))",
            (ids,),
        )
        on.execute("COMMIT")
        if not chosen:
            on.close()
            return done
        for _, target in chosen:
            execute(target)
        on.execute("BEGIN IMMEDIATE")
        on.execute(
            "UPDATE activation SET state = 'done' WHERE state = 'leased' AND id IN ("
            "SELECT activation_id FROM lease WHERE state = 'live' AND token IN (SELECT value FROM json_each(?)))",
            (json.dumps(tokens),),
        )
        on.execute(
            "UPDATE lease SET state = 'finished' WHERE state = 'live' AND token IN (SELECT value FROM json_each(?))",
            (json.dumps(tokens),),
        )
        on.execute("COMMIT")
        done += len(chosen)
