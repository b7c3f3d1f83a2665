"""Rows that a schema takes, found by trying, and the statements that write them with the rows that they name.

A script is statements that can be run one after the other on an empty database of the schema. How much is tried is
bounded for all that one comparison asks; what is not found then is None, and stays undecided.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress

from blackboard.contracts.sql.checks import (
    ANYTHING,
    Scalar,
    Undecidable,
    assignments,
    columns_of,
    evaluate,
    passes,
)
from blackboard.contracts.sql.schema import Schema

EFFORT = 10_000
"""How many values and rows are looked at in one comparison."""

Row = dict[str, Scalar]
Script = tuple[str, ...]

_MAX_DEPTH = 4
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
_RESERVED_WORDS = """
    all and as asc by case check column constraint create default delete desc distinct drop else end exists foreign
    from group having in index insert into is join key left like limit not null offset on or order primary references
    right select set table then to transaction union unique update user using values view when where with
"""
_RESERVED = frozenset(_RESERVED_WORDS.split())


def literal(value: Scalar) -> str:
    """Return a value as SQL spells it."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return str(value) if isinstance(value, int | float) else "'" + value.replace("'", "''") + "'"


def column_name(name: str) -> str:
    """Return a column's name as a statement has it."""
    return name if _PLAIN.fullmatch(name) and name not in _RESERVED else '"' + name.replace('"', '""') + '"'


def table_name(name: str) -> str:
    """Return a table's name as a statement has it; where it is no plain word, a facet quotes it as SQL does."""
    return name if set(name) & {".", '"'} else column_name(name)


def insert(table: str, row: Row) -> str:
    """Return the statement that writes a row, all its columns named."""
    if not row:
        return f"INSERT INTO {table_name(table)} DEFAULT VALUES"
    names, values = ", ".join(map(column_name, row)), ", ".join(map(literal, row.values()))
    return f"INSERT INTO {table_name(table)} ({names}) VALUES ({values})"


class Effort:
    """What is left to be tried."""

    def __init__(self) -> None:
        self._left = EFFORT

    def spend(self, amount: int) -> bool:
        """Take some of it, and say whether there was any left."""
        self._left -= amount
        return self._left > 0


class Rows:
    """The rows that one schema takes."""

    def __init__(self, schema: Schema, effort: Effort) -> None:
        self.schema = schema
        self._effort = effort

    def fitting(
        self,
        table: str,
        *,
        given: Mapping[str, Scalar] | None = None,
        omitted: Collection[str] = (),
        violating: str | None = None,
        existing: Collection[Row] = (),
        alike: Collection[str] = (),
    ) -> Row | None:
        """Return a row that a table takes, as few columns as may be; None where none was found.

        Args:
            table: The table.
            given: Values that the row has in any case.
            omitted: Columns that are not written.
            violating: A check that the row must fail, of this schema or another; all others are passed.
            existing: Rows that exist already, whose keys are taken.
            alike: Columns that may be as in one of them.
        """
        given = given or {}
        columns, rules = self.schema.tables[table].columns, self.schema.tables[table].rules
        if not self._effort.spend(len(columns) * (4 + len(rules.checks)) // 20):
            return None
        named = columns_of(violating) if violating else frozenset()
        keys = [key for key in sorted(rules.keys) if existing and not set(key) <= set(alike)]
        own = (next((name for name in key if name not in given and columns[name].writable), None) for key in keys)
        needed = {*given, *rules.primary_key, *named, *own, *self._never_left_out(table)}
        wanted = [
            name
            for name, column in columns.items()
            if name not in omitted and column.writable and (not column.omittable or name in needed)
        ]
        checks = [check for check in sorted(rules.checks) if check != violating]
        free = {name: columns[name].type for name in wanted if name not in given}
        nullable = [name for name in named & free.keys() if columns[name].nullable]
        cost = 1 + len(columns) // 10 + sum(map(len, (*checks, violating or ""))) // 20
        for chosen in assignments(free, [*checks, *([violating] if violating else [])], nullable=nullable):
            if not self._effort.spend(cost):
                return None
            row = {name: given[name] if name in given else chosen[name] for name in wanted}
            try:
                whole = self.as_read(table, row)
                fits = all(passes(check, whole) for check in checks) and not (violating and passes(violating, whole))
                if fits and not any(_taken(key, whole, other) for key in keys for other in existing):
                    return row
            except Undecidable:
                continue
        return None

    def _never_left_out(self, table: str) -> Iterator[str]:
        """Yield the columns of checks that the defaults fail."""
        defaults = self.as_read(table, {})
        for check in self.schema.tables[table].rules.checks:
            with suppress(Undecidable):
                if not passes(check, defaults):
                    yield from columns_of(check)

    def having(self, table: str, names: Collection[str], checks: Collection[str] = ()) -> Iterator[Row]:
        """Yield rows that have some columns, with values worth trying with some checks."""
        columns = self.schema.tables[table].columns
        free = {name: columns[name].type for name in sorted(names) if name in columns and columns[name].writable}
        for given in assignments(free, [*sorted(self.schema.tables[table].rules.checks), *checks]):
            row = self.fitting(table, given=given)
            if row is not None:
                yield row
            elif not self._effort.spend(0):
                return

    def failing(self, table: str, check: str, *, read: "Rows") -> Row | None:
        """Return a row that fails a check of another schema, with new columns of its own; None where none is found."""
        read_columns = read.schema.tables[table].columns.values()
        sources = [one.generated for one in read_columns if one.name in columns_of(check) and one.generated]
        for row in self.having(table, columns_of(check).union(*map(columns_of, sources)), [check]):
            with suppress(Undecidable):
                if not passes(check, read.as_read(table, row)):
                    return row
        return None

    def left_out(self, table: str, others: Collection[str]) -> Row:
        """Return what is read of the columns that a row leaves out which has anything in the others."""
        return self.as_read(table, dict.fromkeys(others, ANYTHING))

    def as_read(self, table: str, row: Row) -> Row:
        """Return a row as it is read after it was written: what was left out has its default, or is computed.

        A column whose value cannot be told is left out.
        """
        found = dict(row)
        absent = [column for name, column in self.schema.tables[table].columns.items() if name not in found]
        for column in sorted(absent, key=lambda column: column.generated is not None):
            if column.identity is None:
                try:
                    source = column.generated or column.default
                    found[column.name] = evaluate(source, found if column.generated else {}) if source else None
                except Undecidable:
                    continue
        return found

    def script(self, table: str, *rows: Row | None, orphan: Collection[str] = ()) -> Script | None:
        """Return the statements that write rows, each after those that it names; None where no such rows were found.

        Args:
            table: The table of the rows.
            rows: The rows, None where there is none.
            orphan: Columns that name a row which is not to be there.
        """
        written: list[tuple[str, Row]] = []
        if all(row is not None and self._write(table, row, written, orphan, _MAX_DEPTH) for row in rows):
            return tuple(insert(name, row) for name, row in written)
        return None

    def _write(self, table: str, row: Row, written: list[tuple[str, Row]], orphan: Collection[str], depth: int) -> bool:
        whole = self.as_read(table, row)
        for key in sorted(self.schema.tables[table].rules.foreign_keys):
            values = [whole.get(name) for name in key.columns]
            if None in values or set(key.columns) & set(orphan):
                continue
            if key.table not in self.schema.tables or len(key.targets) != len(values):
                return False
            target = dict(zip(key.targets, values, strict=True))
            there = [self.as_read(name, other) for name, other in written if name == key.table]
            itself = [whole] if key.table == table else []
            if any(target.items() <= other.items() for other in (*there, *itself)):
                continue
            parent = self.fitting(key.table, given=target, existing=[*there, *itself])
            if parent is None or depth == 0 or not self._write(key.table, parent, written, (), depth - 1):
                return False
        written.append((table, row))
        return True

    def twins(self, table: str, key: Collection[str], *, read: "Rows") -> Script | None:
        """Return the statements that write two rows which another schema reads as alike in a key of its own.

        They differ in all keys of this schema that say no less.
        """
        columns = self.schema.tables[table].columns
        same = [name for name in key if name in columns and columns[name].writable]
        first = next(self.having(table, same), None)
        if first is None:
            return None
        given = {name: first[name] for name in same}
        second = self.fitting(table, given=given, existing=[self.as_read(table, first)], alike=key)
        if second is None or not _taken(key, read.as_read(table, first), read.as_read(table, second)):
            return None
        return self.script(table, first, second)

    def breaking(self, table: str, check: str, *, read: "Rows") -> Row | None:
        """Return a row that fails a check of another schema, which reads it too; None where none was found."""
        row = self.fitting(table, violating=check)
        with suppress(Undecidable):
            if row is not None and not passes(check, read.as_read(table, row)):
                return row
        return None


def _taken(key: Collection[str], one: Row, other: Row) -> bool:
    return all(one.get(name) is not None and one.get(name) == other.get(name) for name in key)
