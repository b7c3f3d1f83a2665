"""Statements that show what a schema takes: rows that fit it, with the rows that they name.

A script is statements that can be run one after the other on an empty database of the schema.
"""

import re
from collections.abc import Collection, Iterator, Mapping

from blackboard.contracts.sql.checks import Scalar, Undecidable, assignments, columns_of, evaluate, passes
from blackboard.contracts.sql.schema import Column, Schema

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
    """Return a table's name as a statement has it; a facet quotes most of them already as SQL does."""
    return f'"{name}"' if name in _RESERVED else name


def insert(table: str, row: Row) -> str:
    """Return the statement that writes a row, all its columns named."""
    if not row:
        return f"INSERT INTO {table_name(table)} DEFAULT VALUES"
    names, values = ", ".join(map(column_name, row)), ", ".join(map(literal, row.values()))
    return f"INSERT INTO {table_name(table)} ({names}) VALUES ({values})"


def fitting(
    schema: Schema,
    table: str,
    *,
    given: Mapping[str, Scalar] | None = None,
    omitted: Collection[str] = (),
    violating: str | None = None,
) -> Row | None:
    """Return a row that a table takes, as few columns as may be; None where none was found.

    Args:
        schema: What is declared.
        table: The table.
        given: Values that the row has in any case.
        omitted: Columns that are not written.
        violating: A check that the row must fail, one of this schema or another; all others are passed.
    """
    given = given or {}
    declared = schema.tables[table]
    rules = schema.rules(table)
    named = columns_of(violating) if violating else frozenset()
    wanted = [
        column.name
        for column in declared.columns.values()
        if column.name not in omitted
        and column.writable
        and (not column.omittable or column.name in given or column.name in rules.primary_key or column.name in named)
    ]
    free = {name: declared.columns[name].type for name in wanted if name not in given}
    checks = [check for check in sorted(rules.checks) if check != violating]
    nullable = [name for name in named & free.keys() if declared.columns[name].nullable]
    for chosen in assignments(free, [*checks, *([violating] if violating else [])], nullable=nullable):
        row = {name: given[name] if name in given else chosen[name] for name in wanted}
        try:
            whole = as_read(declared.columns, row)
            if all(passes(check, whole) for check in checks) and (violating is None or not passes(violating, whole)):
                return row
        except Undecidable:
            continue
    return None


def as_read(columns: Mapping[str, Column], row: Row) -> Row:
    """Return a row as it is read after it was written: what was left out has its default, or is computed.

    A column whose value cannot be told is left out.
    """
    found = dict(row)
    for name, column in columns.items():
        if name not in found and column.generated is None and column.identity is None:
            try:
                found[name] = evaluate(column.default, {}) if column.default else None
            except Undecidable:
                continue
    for name, column in columns.items():
        if column.generated is not None:
            try:
                found[name] = evaluate(column.generated, found)
            except Undecidable:
                continue
    return found


def script(
    schema: Schema, table: str, row: Row | None, *, orphan: Collection[str] = (), depth: int = 0
) -> Script | None:
    """Return the statements that write a row after the rows that it names; None where no such rows were found.

    Args:
        schema: What is declared.
        table: The table of the row.
        row: The row, None where there is none.
        orphan: Columns that name a row which is not to be there.
        depth: How many rows already wait for this one.
    """
    if row is None or depth > _MAX_DEPTH:
        return None
    before: Script = ()
    whole = as_read(schema.tables[table].columns, row)
    for key in sorted(schema.rules(table).foreign_keys):
        values = [whole.get(name) for name in key.columns]
        if None in values or set(key.columns) & set(orphan):
            continue
        target = dict(zip(key.targets, values, strict=False))
        if key.table == table and all(whole.get(name) == value for name, value in target.items()):
            continue
        if key.table not in schema.tables or len(key.targets) != len(values):
            return None
        parent = script(schema, key.table, fitting(schema, key.table, given=target), depth=depth + 1)
        if parent is None:
            return None
        before += tuple(line for line in parent if line not in before)
    return (*before, insert(table, row))


def twins(schema: Schema, table: str, key: Collection[str]) -> Script | None:
    """Return the statements that write two rows which are alike in some columns and differ in all other keys."""
    columns, rules = schema.tables[table].columns, schema.rules(table)
    checks = sorted(rules.checks)
    same = [name for name in key if columns[name].writable]
    first = next(rows(schema, table, same), None)
    if first is None:
        return None
    whole = as_read(columns, first)
    apart = set()
    for other in rules.keys:
        free = [name for name in sorted(other) if name not in key and columns[name].writable]
        if not free and all(whole.get(name) is not None for name in other):
            return None
        if all(whole.get(name) is not None for name in other):
            apart.add(free[0])
    for differ in assignments({name: columns[name].type for name in sorted(apart)}, checks):
        if all(value != whole[name] for name, value in differ.items()):
            second = fitting(schema, table, given={**{name: first[name] for name in same}, **differ})
            one, two = script(schema, table, first), script(schema, table, second)
            if one is not None and two is not None:
                return (*one, *(line for line in two[:-1] if line not in one), two[-1])
    return None


def rows(schema: Schema, table: str, names: Collection[str], checks: Collection[str] = ()) -> Iterator[Row]:
    """Yield rows that a table takes and that have some columns, with values worth trying with some checks."""
    columns = schema.tables[table].columns
    free = {name: columns[name].type for name in sorted(names) if name in columns and columns[name].writable}
    for given in assignments(free, [*sorted(schema.rules(table).checks), *checks]):
        row = fitting(schema, table, given=given)
        if row is not None:
            yield row


def failing_when_left_out(old: Schema, new: Schema, table: str, check: str) -> Row | None:
    """Return a row of an old table that fails a new check over columns that it does not know, None where none does.

    Raises:
        Undecidable: The check cannot be evaluated here.
    """
    for row in rows(old, table, columns_of(check), [check]):
        if not passes(check, as_read(new.tables[table].columns, row)):
            return row
    return None
