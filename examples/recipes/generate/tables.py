"""A table, read from the facets of an SQL contract only.

With only some facets of a table it has only these columns.
"""

import itertools
import json
import keyword
import re
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from blackboard import Contract, GiveUp, Invalid

KINDS = {
    "int": "int",
    "integer": "int",
    "smallint": "int",
    "bigint": "int",
    "text": "str",
    "varchar": "str",
    "char": "str",
    "uuid": "str",
    "real": "float",
    "float": "float",
    "double precision": "float",
    "decimal": "float",
    "numeric": "float",
    "boolean": "bool",
    "date": "dt.date",
    "timestamp": "dt.datetime",
}
"""SQL type -> Python type."""

SHADOWING = {"int", "str", "float", "bool", "dt", "self"}
NOW = {"dt.date": "dt.date.today()", "dt.datetime": "dt.datetime.now().replace(microsecond=0)"}
REFERENCE = re.compile(r"\((\w+)\) REFERENCES (\w+)(?:\s*\((\w+)\))?")
_LITERAL = re.compile(r"'((?:[^']|'')*)'|(-?\d+(?:\.\d+)?)")
_MOST_TRIES = 5_000
_LONGEST = 50


class Unfit(GiveUp, Invalid):
    """The generators cannot build on a schema; the message names the table or column and what to change."""


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        kind: Its type in Python.
        default: An SQL expression, None where there is none.
    """

    name: str
    sql: str
    nullable: bool
    default: str | None

    @property
    def kind(self) -> str:
        """Its type in Python, without None."""
        return KINDS[re.sub(r"\(.*\)", "", self.sql).strip()]

    @property
    def annotation(self) -> str:
        """Its type in Python."""
        return f"{self.kind} | None" if self.nullable else self.kind

    @property
    def python_default(self) -> str | None:
        """A Python expression of its default, None where there is none."""
        if self.default is None:
            return "None" if self.nullable else None
        if self.default.upper().startswith("CURRENT") and self.kind in NOW:
            return NOW[self.kind]
        with sqlite3.connect(":memory:") as db:
            (value,) = db.execute(f"SELECT {self.default}").fetchone()
        return literal(self, stored(self, value))


@dataclass(frozen=True)
class Table:
    """A table, with the columns that were read of it."""

    name: str
    key: Column
    columns: tuple[Column, ...]
    unique: tuple[tuple[str, ...], ...]
    checks: tuple[str, ...]
    foreign_keys: tuple[str, ...]

    @property
    def class_name(self) -> str:
        """The name of its dataclass."""
        return "".join(part.capitalize() for part in self.name.split("_"))

    @property
    def has_dates(self) -> bool:
        """Whether a column is a date or a time."""
        return any(column.kind in NOW for column in self.columns)

    @property
    def references(self) -> dict[str, str]:
        """The tables that it refers to: column -> table."""
        found = (REFERENCE.match(text) for text in self.foreign_keys)
        return {match[1]: match[2] for match in found if match is not None}

    def made_by(self, maker: str) -> str:
        """Return who makes its keys, `server` or `client`, when `maker` is agreed: a server makes numbers and UUIDs."""
        fits = self.key.kind in ("int", "str") and self.key.name not in self.references
        return maker if fits else "client"

    def ddl(self) -> str:
        """Return the statement that makes it."""
        lines = [_column_ddl(column) for column in self.columns]
        lines += [f"PRIMARY KEY ({self.key.name})"]
        lines += [f"UNIQUE ({', '.join(names)})" for names in self.unique]
        lines += [f"CHECK ({check})" for check in self.checks]
        lines += [f"FOREIGN KEY {text}" for text in self.foreign_keys]
        return f"CREATE TABLE {self.name} (\n    " + ",\n    ".join(lines) + "\n)"


def _column_ddl(column: Column) -> str:
    default = "" if column.default is None else f" DEFAULT {column.default}"
    return f"{column.name} {column.sql.upper()}{'' if column.nullable else ' NOT NULL'}{default}"


def tables_of(facets: Mapping[str, Any]) -> dict[str, Table]:
    """Return the tables of a schema by name.

    Raises:
        Unfit: Something in it cannot be built on.
    """
    return {name: table_of(name, facets) for name in facets if "." not in name and not name.startswith("index ")}


def table_of(name: str, facets: Mapping[str, Any]) -> Table:
    """Return one table of some facets.

    Raises:
        Unfit: The generators do not support it.
    """
    rules = facets[name]
    if not isinstance(rules, Mapping) or len(rules.get("primary_key", ())) != 1:
        raise Unfit(f"{name} has no primary key of one column: give it one, such as id INTEGER PRIMARY KEY")
    columns = tuple(
        Column(facet.partition(".")[2], value["type"], value["nullable"], value.get("default"))
        for facet, value in sorted(facets.items())
        if facet.startswith(f"{name}.")
    )
    for word in (name, *(column.name for column in columns)):
        if not re.fullmatch(r"[a-z][a-z0-9_]*", word) or keyword.iskeyword(word) or word in SHADOWING:
            raise Unfit(f"{name} has the name {word!r}, which is none in Python: rename it in lower case")
    for column in columns:
        if re.sub(r"\(.*\)", "", column.sql).strip() not in KINDS:
            raise Unfit(f"{name}.{column.name} has the type {column.sql}: use one of {', '.join(KINDS)}")
    (key,) = [column for column in columns if column.name == rules["primary_key"][0]]
    unique, checks, foreign = (tuple(rules.get(what, ())) for what in ("unique", "checks", "foreign_keys"))
    return Table(name, key, columns, tuple(map(tuple, unique)), checks, foreign)


def whole(contract: Contract, name: str) -> Table:
    """Return a table of a contract, all of it."""
    return table_of(name, contract.facets)


def key_facets(table: Table) -> list[str]:
    """Return the facets that say what identifies a row of a table."""
    return [table.name, f"{table.name}.{table.key.name}"]


def in_order(tables: Mapping[str, Table]) -> list[Table]:
    """Return tables so that each comes after those that it refers to.

    Raises:
        Unfit: A reference names no table, or references form a cycle.
    """
    done: list[str] = []
    while len(done) < len(tables):
        ready = [
            name
            for name, table in sorted(tables.items())
            if name not in done and {*table.references.values()} - {name} <= set(done)
        ]
        if not ready:
            left = sorted(set(tables) - set(done))
            raise Unfit(f"{', '.join(left)} refer to each other or to a table that is not there: break the circle")
        done += ready
    return [tables[name] for name in done]


# ---- values of columns ----------------------------------------------------------------------------------------------


def stored(column: Column, value: Any) -> Any:  # noqa: ANN401 - what SQLite returns
    """Return what SQLite keeps as what is written into a literal."""
    return bool(value) if column.kind == "bool" and value is not None else value


def literal(column: Column, value: Any) -> str:  # noqa: ANN401 - a value that SQLite keeps
    """Return a Python expression of a value of a column, given as SQLite keeps it."""
    if value is None:
        return "None"
    if column.kind in NOW:
        return f"{column.kind}.fromisoformat({value!r})"
    if column.kind == "bool":
        return repr(bool(value))
    return repr(float(value)) if column.kind == "float" else repr(value)


def sample(table: Table, number: int) -> dict[str, str]:
    """Return a row that the table's own rules allow: column -> Python expression.

    Args:
        table: All of its columns.
        number: 0, 1, …: two rows of different numbers can be kept together. A column that refers to another table has
            the key of that table's sample of the same number.

    Raises:
        Unfit: None was found among the values that the rules mention.
    """
    with sqlite3.connect(":memory:") as db:
        db.execute(table.ddl())
        marks = ", ".join("?" for _ in table.columns)
        names = ", ".join(column.name for column in table.columns)
        found: list[tuple[Any, ...]] = []
        for row in itertools.islice(_rows(table), _MOST_TRIES):
            try:
                db.execute(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", row)
            except sqlite3.IntegrityError:
                continue
            found.append(row)
            if len(found) > number:
                return {c.name: literal(c, stored(c, v)) for c, v in zip(table.columns, row, strict=True)}
    raise Unfit(f"no row was found that the checks of {table.name} allow: state them with simpler literals")


def _rows(table: Table) -> Iterator[tuple[Any, ...]]:
    """Yield rows to try: in each the columns differ from the row before, then all combinations of what is mentioned."""
    mentioned = [_mentioned(column, table.checks) for column in table.columns]
    for count in range(3):
        yield tuple(_plain(table, column, count) for column in table.columns)
    for count in range(1, 40):
        choices = [[_plain(table, c, count), *more] for c, more in zip(table.columns, mentioned, strict=True)]
        yield from itertools.islice(itertools.product(*choices), 500)


def _plain(table: Table, column: Column, number: int) -> Any:  # noqa: ANN401, PLR0911 - a value for SQLite, a case each
    if column.name in table.references and table.references[column.name] == table.name:
        return None if column.nullable else _plain(table, table.key, number)
    match column.kind:
        case "int":
            return number + 1
        case "float":
            return number + 0.5
        case "bool":
            return number % 2
        case "dt.date":
            return f"2026-01-{number + 1:02}"
        case "dt.datetime":
            return f"2026-01-{number + 1:02}T12:30:00"
    is_id = column is table.key or column.name in table.references
    return f"00000000-0000-4000-8000-{number:012}" if is_id else f"{column.name} {number}"[: _length(column)]


def _length(column: Column) -> int | None:
    found = re.search(r"\((\d+)\)", column.sql)
    return int(found[1]) if found else None


def _mentioned(column: Column, checks: tuple[str, ...]) -> list[Any]:
    """Return values for a column that checks mention: their literals, and numbers next to them."""
    texts = [text for check in checks for text, _ in _LITERAL.findall(check)]
    numbers = [float(number) for check in checks for _, number in _LITERAL.findall(check) if number]
    match column.kind:
        case "str":
            return [*dict.fromkeys(texts), *("x" * int(n + 1) for n in numbers if 0 <= n < _LONGEST)]
        case "int":
            return [int(n) + step for n in dict.fromkeys(numbers) for step in (0, 1, -1)]
        case "float":
            return [n + step for n in dict.fromkeys(numbers) for step in (0, 1, -1)]
    return []


def decided(contract: Contract) -> Any:  # noqa: ANN401 - any JSON
    """Return the value of a contract of language `value`."""
    return json.loads(contract.text)
