"""Rows of a table in SQLite."""

from generate.tables import Column, Table


def stub(table: Table) -> str:
    """Return the contract of the storage; it depends on the key of the table, and on no other column."""
    row, key = table.class_name, table.key.kind
    dates = "import datetime as dt\n" if key.startswith("dt.") else ""
    number = f"""
def next_key(db: sqlite3.Connection) -> int:
    \"\"\"Return a {table.key.name} that no row has.\"\"\"
"""
    return f'''{dates}import sqlite3

from {table.name}_model import {row}

class Refused(Exception):
    """The rules of the table do not allow it: a value is taken, refers to nothing, or is out of bounds."""

def create_table(db: sqlite3.Connection) -> None:
    """Make the table where it is absent."""

def add(db: sqlite3.Connection, row: {row}) -> None:
    """Keep a row.

    Raises:
        Refused: The table does not allow it.
    """

def get(db: sqlite3.Connection, key: {key}) -> {row} | None:
    """Return the row with this {table.key.name}, None where there is none."""

def find(db: sqlite3.Connection, limit: int, offset: int) -> list[{row}]:
    """Return at most `limit` rows, by {table.key.name}, after the first `offset`."""

def count(db: sqlite3.Connection) -> int:
    """Return how many rows there are."""

def replace(db: sqlite3.Connection, row: {row}) -> bool:
    """Keep a row in place of the one with its {table.key.name}; False where there is none.

    Raises:
        Refused: The table does not allow it.
    """

def remove(db: sqlite3.Connection, key: {key}) -> bool:
    """Remove the row with this {table.key.name}; False where there is none.

    Raises:
        Refused: Another row refers to it.
    """
{number if key == "int" else ""}'''


def code(table: Table) -> str:
    """Return the module of the storage."""
    row, key, name = table.class_name, table.key.name, table.name
    names = [column.name for column in table.columns]
    others = [one for one in names if one != key]
    changed = ", ".join(f"{one} = ?" for one in others) or f"{key} = {key}"
    values = ", ".join(_written(column) for column in table.columns)
    replaced = ", ".join([*(_written(column) for column in table.columns if column.name != key), _written(table.key)])
    reads = "\n".join(f"        {column.name}={_read(column, at)}," for at, column in enumerate(table.columns))
    given = _written(table.key).replace(f"row.{key}", "key")
    dates = "import datetime as dt\n" if table.has_dates else ""
    number = f"""
def next_key(db: sqlite3.Connection) -> int:
    (last,) = db.execute("SELECT coalesce(max({key}), 0) FROM {name}").fetchone()
    return int(last) + 1

"""
    return f'''"""The table {name}, in SQLite."""

{dates}import sqlite3
from pathlib import Path
from typing import Any

from {name}_model import {row}

TABLE = Path(__file__).with_name("{name}.sql")


class Refused(Exception):
    """The rules of the table do not allow it."""


def create_table(db: sqlite3.Connection) -> None:
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = '{name}'").fetchone() is None:
        db.execute(TABLE.read_text("utf-8"))


def add(db: sqlite3.Connection, row: {row}) -> None:
    _change(db, "INSERT INTO {name} ({", ".join(names)}) VALUES ({", ".join("?" * len(names))})", ({values},))


def get(db: sqlite3.Connection, key: {table.key.kind}) -> {row} | None:
    found = db.execute("SELECT {", ".join(names)} FROM {name} WHERE {key} = ?", ({given},)).fetchone()
    return None if found is None else _row(found)


def find(db: sqlite3.Connection, limit: int, offset: int) -> list[{row}]:
    statement = "SELECT {", ".join(names)} FROM {name} ORDER BY {key} LIMIT ? OFFSET ?"
    return [_row(found) for found in db.execute(statement, (limit, offset))]


def count(db: sqlite3.Connection) -> int:
    (found,) = db.execute("SELECT count(*) FROM {name}").fetchone()
    return int(found)


def replace(db: sqlite3.Connection, row: {row}) -> bool:
    return _change(db, "UPDATE {name} SET {changed} WHERE {key} = ?", ({replaced},)) > 0


def remove(db: sqlite3.Connection, key: {table.key.kind}) -> bool:
    return _change(db, "DELETE FROM {name} WHERE {key} = ?", ({given},)) > 0


{number if table.key.kind == "int" else ""}
def _change(db: sqlite3.Connection, statement: str, values: tuple[Any, ...]) -> int:
    try:
        with db:
            return db.execute(statement, values).rowcount
    except sqlite3.IntegrityError as error:
        raise Refused(str(error)) from error


def _row(found: tuple[Any, ...]) -> {row}:
    return {row}(
{reads}
    )
'''


def _written(column: Column) -> str:
    value = f"row.{column.name}"
    if not column.kind.startswith("dt."):
        return value
    return f"None if {value} is None else {value}.isoformat()" if column.nullable else f"{value}.isoformat()"


def _read(column: Column, at: int) -> str:
    value = f"found[{at}]"
    read = {"bool": f"bool({value})"}.get(column.kind, value)
    if column.kind.startswith("dt."):
        read = f"{column.kind}.fromisoformat({value})"
    return f"None if {value} is None else {read}" if column.nullable and read != value else read
