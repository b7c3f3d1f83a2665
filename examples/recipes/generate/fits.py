"""The check that the generators support a schema; an error names the table or column and the repair."""

import sqlite3
from collections import Counter
from collections.abc import Mapping
from typing import Any

from generate.tables import NOW, REFERENCE, Table, Unfit, in_order, sample, tables_of

SAMPLES = 2
"""How many rows of each table the generated tests hold at once."""


def checked(facets: Mapping[str, Any]) -> dict[str, Table]:
    """Return the tables of a schema by name, if all of it can be built on.

    Raises:
        Unfit: Something in it cannot.
    """
    tables = tables_of(facets)
    for name, value in facets.items():
        if name.startswith("index ") and value.get("unique"):
            raise Unfit(f"{name} is unique: say UNIQUE in {value['table']} itself")
        if "." in name and "generated" in value:
            raise Unfit(f"{name} is a generated column: let it be a plain one")
    for table in in_order(tables):
        _check_names(table)
        _check_references(table, tables)
        for column in table.columns:
            if (column.default or "").upper().startswith("CURRENT") and column.kind not in NOW:
                raise Unfit(
                    f"{table.name}.{column.name} is a {column.sql} with the time as default: make it a TIMESTAMP"
                )
        sample(table, SAMPLES - 1)
    files = Counter(file for name in tables for file in (f"test_{name}.py", *(f"{name}_{one}.py" for one in _MODULES)))
    for file, count in files.items():
        if count > 1:
            raise Unfit(f"two tables would have the file {file}: rename one of them")
    return tables


_MODULES = ("model", "storage", "service", "http", "cli")


def _check_names(table: Table) -> None:
    try:
        with sqlite3.connect(":memory:") as db:
            db.execute(table.ddl())
    except sqlite3.OperationalError as error:
        raise Unfit(
            f"{table.name} cannot be made without quotation marks ({error}): rename what SQL has a word for"
        ) from None


def _check_references(table: Table, tables: Mapping[str, Table]) -> None:
    nullable = {column.name: column.nullable for column in table.columns}
    for text in table.foreign_keys:
        found = REFERENCE.match(text)
        if found is None:
            raise Unfit(f"{table.name} refers to another table by several columns ({text}): let it be one")
        column, other, key = found.groups()
        if key not in (None, tables[other].key.name):
            raise Unfit(f"{table.name}.{column} refers to {other}.{key}: let it be the primary key of {other}")
        if other == table.name and not nullable[column]:
            raise Unfit(
                f"{table.name}.{column} refers to its own table and may not be NULL: no first row could be added"
            )
