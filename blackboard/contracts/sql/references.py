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


def acted(rows: Rows, table: str, old: ForeignKey, new: ForeignKey) -> str | None:
    """Return the statements after which the row of one key reads otherwise than that of another, or None."""
    lines = rows.script(table, row := _row(rows, table, old))
    if lines is None or row is None or old.table == table or len(old.targets) != len(old.columns):
        return None
    named = " AND ".join(
        f"{column_name(target)} = {literal(row[name])}" for name, target in zip(old.columns, old.targets, strict=True)
    )
    target, read = table_name(old.table), ", ".join(map(column_name, old.columns))
    nullable = all(rows.schema.tables[table].columns[name].nullable for name in old.columns)
    for event in ("DELETE", "UPDATE"):
        said = [next((text for text in key.actions if text.startswith(f"ON {event}")), "") for key in (old, new)]
        results = {_RESULTS.get(text.removeprefix(f"ON {event} ")) for text in said}
        if len(results) == 1 or None in results or (not nullable and results == {"fails", "NULL"}):
            continue
        moved = ", ".join(f"{column_name(column)} = {column_name(column)} + 10" for column in old.targets)
        act = f"DELETE FROM {target}" if event == "DELETE" else f"UPDATE {target} SET {moved}"
        if event == "DELETE" or not any(isinstance(row[name], str | bool) for name in old.columns):
            query = f"SELECT {read} FROM {table_name(table)}"
            return "; ".join([*lines, f"{act} WHERE {named}", query]) + " -- ends or reads otherwise"
    return None


_RESULTS = {"": "fails", "RESTRICT": "fails", "CASCADE": "follows", "SET NULL": "NULL"}


def _row(rows: Rows, table: str, key: ForeignKey) -> Row | None:
    """Return a row that has the columns of a key and does not name itself."""
    for row in rows.having(table, key.columns):
        named = [row.get(name) for name in key.columns]
        if None not in named and not (key.table == table and [row.get(name) for name in key.targets] == named):
            return row
    return None
