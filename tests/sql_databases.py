"""Databases that hold to their DDL: SQLite, made to refuse what is not of a column's declared type.

Independent of what is tested: the types are read by SQLite, and checked by triggers. Tables are made without row ids
where they can be, for only then a primary key is never NULL, and not numbered without a word about it.
"""

import re
import sqlite3
from contextlib import closing
from functools import lru_cache

BITS = {"TINYINT": 8, "SMALLINT": 16, "INT": 32, "INTEGER": 32, "BIGINT": 64}


def refused(column: str, declared: str) -> str | None:
    """Return the condition under which a value is not of a type, None where SQLite's own affinity is all."""
    base, numbers = declared.upper().partition("(")[0].strip(), [int(n) for n in re.findall(r"\d+", declared)]
    if base in BITS:
        most = 2 ** (BITS[base] - 1) - 1
        return f"typeof({column}) <> 'integer' OR {column} > {most} OR {column} < {-most - 1}"
    if base in ("BOOL", "BOOLEAN"):
        return f"{column} NOT IN (0, 1)"
    if base in ("VARCHAR", "CHAR") and numbers:
        return f"length({column}) > {numbers[0]}"
    if base in ("DECIMAL", "NUMERIC") and numbers:
        return f"typeof({column}) = 'text' OR abs({column}) >= {10 ** (numbers[0] - (*numbers, 0)[1])}"
    return f"typeof({column}) = 'text'" if base in ("DECIMAL", "NUMERIC", "REAL", "DOUBLE PRECISION") else None


def strictly(ddl: str) -> list[str]:
    """Return the statements of a schema, its keys as the standard has them."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(ddl)
        said = [
            text for (text,) in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
        ]
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        keyed = {name for (name,) in names if any(row[5] for row in connection.execute(f'PRAGMA table_info("{name}")'))}
    found = []
    for text in said:
        name = re.match(r'CREATE TABLE (?:"([^"]+)"|(\w+))', text)
        rowid = name is None or (name[1] or name[2]) not in keyed or "AUTOINCREMENT" in text.upper()
        if not (name and (name[1] or name[2]).startswith("sqlite_")):
            found.append(text if rowid else f"{text}{'' if text.endswith(')') else ','} WITHOUT ROWID")
    return found


def database(ddl: str) -> sqlite3.Connection:
    """Return an empty database of a schema."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    for statement in strictly(ddl):
        connection.execute(statement)
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    for (table,) in tables.fetchall():
        for _, name, declared, *_ in connection.execute(f'PRAGMA table_xinfo("{table}")').fetchall():
            condition = refused(f'NEW."{name}"', declared)
            for event in ("INSERT", "UPDATE") if condition else ():
                trigger = f'CREATE TRIGGER "{table} {name} {event}" AFTER {event} ON "{table}"'
                trigger += f' WHEN NEW."{name}" IS NOT NULL AND ({condition})'
                connection.execute(f"{trigger} BEGIN SELECT RAISE(ABORT, 'not of its type'); END")
    return connection


kept = lru_cache(maxsize=8)(database)


def ends(ddl: str, script: str) -> str:
    """Return how the last statement of a script ends on an empty database: `fails …`, or what it reads."""
    connection = kept(ddl)
    connection.execute("BEGIN")
    try:
        rows: list[tuple] = []
        for number, statement in enumerate(script.split("; "), 1):
            try:
                rows = connection.execute(statement).fetchall()
            except sqlite3.Error as error:
                return f"fails at {number}: {error}"
        return repr(sorted(map(repr, rows)))
    finally:
        connection.execute("ROLLBACK")


def differs(old: str, new: str, proof: str) -> bool:
    """Say whether a proof holds: its script ends on the old and on the new schema as it says."""
    script, _, said = proof.partition(" -- ")
    before, after = ends(old, script), ends(new, script)
    fails = (before.startswith("fails"), after.startswith("fails"))
    if said.endswith("now fails"):
        return fails == (False, True)
    if said.startswith("failed, now"):
        return fails == (True, False)
    return before != after and not all(fails)
