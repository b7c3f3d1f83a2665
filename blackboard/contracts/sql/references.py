"""Statements that show what a foreign key does: a row that names nothing, and what happens to one whose target goes."""

from blackboard.contracts.sql.rows import Row, Rows, Script, column_name, literal, table_name
from blackboard.contracts.sql.schema import ForeignKey


def orphan(rows: Rows, table: str, key: ForeignKey) -> Script | None:
    """Return the statements that write a row which names nothing, None where no such row was found.

    Args:
        rows: Those of a schema without this key.
        table: The table of the key.
        key: The key of another schema.
    """
    lines = rows.script(table, _row(rows, table, key))
    # A row that was written for another key's sake may be the one that this key names.
    there = lines is None or any(line.startswith(f"INSERT INTO {table_name(key.table)} ") for line in lines[:-1])
    return None if there else lines


def acted(before: Rows, after: Rows, table: str, old: ForeignKey, new: ForeignKey) -> str | None:
    """Return the statements after which the row of one key reads otherwise than that of another, or None."""
    nullable = all(before.schema.tables[table].columns[name].nullable for name in old.columns)
    for event in ("DELETE", "UPDATE"):
        said = [next((text for text in key.actions if text.startswith(f"ON {event}")), "") for key in (old, new)]
        first, second = (_RESULTS.get(text.removeprefix(f"ON {event} ")) for text in said)
        first, second = ("fails" if one == "NULL" and not nullable else one for one in (first, second))
        if first != second and first and second:
            # Of the schema in which nothing fails, so that the other one is what differs.
            rows, other = (after, before) if first == "fails" else (before, after)
            return _moved(event, rows, other, table, old)
    return None


def _moved(event: str, rows: Rows, other: Rows, table: str, key: ForeignKey) -> str | None:
    row = _row(rows, table, key)
    lines = rows.script(table, row)
    if lines is None or row is None or key.table == table or len(key.targets) != len(key.columns):
        return None
    bare = (key.columns, key.table)
    for schema in (rows.schema, other.schema):
        for name, declared in schema.tables.items():
            held = any(
                (one.columns, one.table) != bare and one.table == key.table for one in declared.rules.foreign_keys
            )
            if held and any(line.startswith(f"INSERT INTO {table_name(name)} ") for line in lines):
                return None
    named = [
        f"{column_name(target)} = {literal(row[name])}" for name, target in zip(key.columns, key.targets, strict=True)
    ]
    moved = ", ".join(f"{column_name(column)} = {column_name(column)} + 10" for column in key.targets)
    target, read = table_name(key.table), ", ".join(map(column_name, key.columns))
    act = f"DELETE FROM {target}" if event == "DELETE" else f"UPDATE {target} SET {moved}"
    if event == "UPDATE" and any(isinstance(row[name], str | bool) for name in key.columns):
        return None
    query = f"SELECT {read} FROM {table_name(table)}"
    return "; ".join([*lines, f"{act} WHERE {' AND '.join(named)}", query]) + " -- ends or reads otherwise"


_RESULTS = {"": "fails", "RESTRICT": "fails", "CASCADE": "follows", "SET NULL": "NULL"}


def _row(rows: Rows, table: str, key: ForeignKey) -> Row | None:
    """Return a row that has the columns of a key and does not name itself."""
    for row in rows.having(table, key.columns):
        named = [row.get(name) for name in key.columns]
        if None not in named and not (key.table == table and [row.get(name) for name in key.targets] == named):
            return row
    return None
