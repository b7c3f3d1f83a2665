"""What SQLite does with DDL, with types that hold what they say: SQLite itself would take any value."""

import re
import sqlite3
from collections.abc import Iterable

_SYNONYMS = {"INT": "INTEGER", "BOOL": "BOOLEAN", "DECIMAL": "NUMERIC", "CHARACTER VARYING": "VARCHAR"}
_HOLDS = {
    "SMALLINT": "typeof({name}) = 'integer' AND abs({name}) < 32768",
    "INTEGER": "typeof({name}) = 'integer' AND abs({name}) < 2147483648",
    "BIGINT": "typeof({name}) = 'integer'",
    "BOOLEAN": "{name} IN (0, 1)",
    "VARCHAR": "typeof({name}) = 'text' AND length({name}) <= {size}",
    "TEXT": "typeof({name}) = 'text'",
    "NUMERIC": "abs({name}) < pow(10, {size} - {scale}) AND round({name}, {scale}) = {name}",
    "DATE": "{name} GLOB '????-??-??'",
    "TIMESTAMP": "{name} GLOB '????-??-?? ??:??:??'",
}
_COLUMN = re.compile(rf"(\w+) ({'|'.join((*_SYNONYMS, *_HOLDS))})\b(?:\((\d+)(?:, (\d+))?\))?", re.IGNORECASE)


def made(ddl: str) -> sqlite3.Connection:
    """Return a database in memory with these tables."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.create_function("pow", 2, pow)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.executescript(_COLUMN.sub(_strict, ddl))
    return connection


def _strict(column: re.Match[str]) -> str:
    name, kind, size, scale = column.groups()
    kind = _SYNONYMS.get(kind.upper(), kind.upper())
    spelled = kind + (f"({size}{f', {scale}' if scale else ''})" if size else "")
    return f"{name} {spelled} CHECK ({name} IS NULL OR {_HOLDS[kind].format(name=name, size=size, scale=scale)})"


def outcomes(ddl: str, statements: Iterable[str]) -> list[object]:
    """Return what each statement reads, or the kind of error with which it fails."""
    connection, found = made(ddl), []
    for statement in statements:
        try:
            found.append(sorted(connection.execute(statement).fetchall()))
        except sqlite3.Error as error:
            found.append(type(error))
    connection.close()
    return found


def held(ddl: str) -> object:
    """Return all that SQLite says of the tables, in no order."""
    connection = made(ddl)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")]
    found = {
        name.lower(): (_columns(connection, name), _indexes(connection, name), _references(connection, name))
        for name in tables
    }
    connection.close()
    return found


def _columns(connection: sqlite3.Connection, table: str) -> list[object]:
    rows = connection.execute(f"PRAGMA table_xinfo({table})").fetchall()
    # A key is never null, and null is the default where none is said.
    return sorted(
        (name.lower(), kind, bool(needed or key), default if default != "NULL" else None, key, hidden)
        for _, name, kind, needed, default, key, hidden in rows
    )


def _indexes(connection: sqlite3.Connection, table: str) -> list[object]:
    rows = connection.execute(f"PRAGMA index_list({table})").fetchall()
    return sorted(
        (unique, tuple(row[2].lower() for row in connection.execute(f"PRAGMA index_info({name})")))
        for _, name, unique, *_ in rows
    )


def _references(connection: sqlite3.Connection, table: str) -> list[object]:
    return sorted(row[2:] for row in connection.execute(f"PRAGMA foreign_key_list({table})"))
