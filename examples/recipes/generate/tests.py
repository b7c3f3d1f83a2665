"""Tests of a table, worked out from the contracts alone: what is kept comes back, what is wrong is refused."""

from collections.abc import Mapping, Sequence
from typing import Any

from generate.tables import Column, Table, sample


def code(table: Table, parents: Sequence[Table], agreed: Mapping[str, Any]) -> str:
    """Return the test module.

    Args:
        table: The table that is tested.
        parents: All that it refers to, directly or not, each after those that it refers to.
        agreed: Key -> value of the questions that were settled.
    """
    form, server = agreed.get("api/dates", "iso"), table.made_by(agreed["api/id_maker"]) == "server"
    rows = [_row(one, [*parents, table], number) for one in parents for number in range(2)]
    kept = "\n".join(
        f"        {one.name}_storage.add(self.db, {one.name}_model.{one.class_name}({row}))"
        for one, row in zip([one for one in parents for _ in range(2)], rows, strict=True)
    )
    made = "\n".join(f"        {one.name}_storage.create_table(self.db)" for one in [*parents, table])
    first, second = (_json(table, parents, number, form=form, server=server) for number in range(2))
    modules = [f"import {one.name}_{layer}" for one in parents for layer in ("model", "storage")]
    modules += [f"import {table.name}_{layer}" for layer in ("cli", "http", "model", "service", "storage")]
    name, key = table.name, table.key.name
    needed = next((one.name for one in table.columns if _is_needed(one) and one.name != key), None)
    lacking = f"{{name: value for name, value in FIRST.items() if name != {needed!r}}}" if needed else "[]"
    said = {
        "list": "self.assertEqual(answered, [kept])",
        "page": 'self.assertEqual(answered, {"rows": [kept], "total": 1, "next": None})',
    }[agreed["api/list"]]
    wrong = {
        "text": 'self.assertEqual(list(answered), ["error"])',
        "list": 'self.assertEqual([sorted(one) for one in answered["errors"]], [["code", "message"]])',
    }[agreed["api/errors"]]
    replaced = f"{{name: value for name, value in SECOND.items() if name != {key!r}}}"
    return f'''"""What is agreed of {name}, tried on its modules."""

import argparse
import contextlib
import datetime as dt
import io
import json
import sqlite3
import unittest
from typing import Any

{chr(10).join(sorted(modules))}

FIRST: dict[str, Any] = {first}
SECOND: dict[str, Any] = {second}
ROW = {name}_model.{table.class_name}({_row(table, [*parents, table], 0)})


class {table.class_name}(unittest.TestCase):
    def setUp(self) -> None:
        self.db = sqlite3.connect(":memory:")
        self.addCleanup(self.db.close)
        self.db.execute("PRAGMA foreign_keys = ON")
{made}
{kept}

    def test_a_row_comes_back_from_the_storage_as_it_was(self) -> None:
        {name}_storage.add(self.db, ROW)
        self.assertEqual({name}_storage.get(self.db, ROW.{key}), ROW)
        self.assertEqual({name}_storage.find(self.db, 10, 0), [ROW])
        self.assertEqual({name}_storage.find(self.db, 10, 1), [])
        self.assertTrue({name}_storage.replace(self.db, ROW))
        self.assertTrue({name}_storage.remove(self.db, ROW.{key}))
        self.assertFalse({name}_storage.replace(self.db, ROW))
        self.assertFalse({name}_storage.remove(self.db, ROW.{key}))

    def test_a_key_is_taken_once(self) -> None:
        {name}_storage.add(self.db, ROW)
        with self.assertRaises({name}_storage.Refused):
            {name}_storage.add(self.db, ROW)

    def test_the_service_keeps_what_it_is_told(self) -> None:
        kept = {name}_service.create(self.db, FIRST)
        shown = {name}_service.shown(kept)
        self.assertEqual({{**shown, **FIRST}}, shown)
        self.assertEqual({name}_service.read(self.db, kept.{key}), kept)
        changed = {name}_service.change(self.db, kept.{key}, {replaced})
        self.assertEqual({name}_service.find(self.db, 10, 0), [changed])
        {name}_service.remove(self.db, kept.{key})
        with self.assertRaises({name}_service.Missing):
            {name}_service.read(self.db, kept.{key})

    def test_over_http_rows_are_kept_listed_replaced_and_removed(self) -> None:
        status, kept = self.http("POST", "", FIRST)
        self.assertEqual(status, 201, kept)
        self.assertEqual({{**kept, **FIRST}}, kept)
        key = str({name}_service.find(self.db, 1, 0)[0].{key})
        self.assertEqual(self.http("GET", key), (200, kept))
        status, answered = self.http("GET", "")
        self.assertEqual(status, 200)
        {said}
        self.assertEqual(self.http("PUT", key, {replaced})[0], 200)
        self.assertEqual(self.http("DELETE", key), (204, None))
        self.assertEqual(self.http("GET", key)[0], 404)

    def test_what_is_no_row_is_refused_over_http(self) -> None:
        wrong: list[Any] = [[], {{**FIRST, "no_such_column": 1}}, {lacking}]
        for value in wrong:
            status, answered = self.http("POST", "", value)
            self.assertEqual(status, 400)
            {wrong}
        self.assertEqual(self.http("PATCH", "")[0], 405)

    def test_the_command_line_adds_lists_and_removes(self) -> None:
        words = [f"--{{name}}={{_word(value)}}" for name, value in FIRST.items() if value is not None]
        status, printed = self.cli("add", *words)
        self.assertEqual(status, 0)
        kept = json.loads(printed)
        self.assertEqual({{**kept, **FIRST}}, kept)
        self.assertEqual(self.cli("list"), (0, printed))
        key = str({name}_service.find(self.db, 1, 0)[0].{key})
        self.assertEqual(self.cli("show", key), (0, printed))
        self.assertEqual(self.cli("remove", key)[0], 0)
        self.assertEqual(self.cli("show", key)[0], 1)

    def http(self, method: str, rest: str, value: Any = None) -> tuple[int, Any]:
        status, said = {name}_http.answer(self.db, method, rest, {{}}, json.loads(json.dumps(value)))
        return status, json.loads(json.dumps(said))

    def cli(self, *words: str) -> tuple[int, str]:
        parser = argparse.ArgumentParser()
        {name}_cli.register(parser.add_subparsers())
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()):
            status = {name}_cli.run(parser.parse_args(["{name}", *words]), self.db)
        return status, out.getvalue()


def _word(value: Any) -> str:
    return {{True: "yes", False: "no"}}[value] if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    unittest.main()
'''


def _values(table: Table, tables: Sequence[Table], number: int) -> dict[str, str]:
    """Return a row, column -> Python expression, in which references lead to the rows of other tables' tests."""
    values = sample(table, number)
    by_name = {one.name: one for one in tables}
    for column, other in table.references.items():
        if other != table.name and other in by_name:
            values[column] = _values(by_name[other], tables, number)[by_name[other].key.name]
    return values


def _row(table: Table, tables: Sequence[Table], number: int) -> str:
    return ", ".join(f"{name}={value}" for name, value in _values(table, tables, number).items())


def _json(table: Table, parents: Sequence[Table], number: int, *, form: str, server: bool) -> str:
    """Return a row as a client writes it."""
    values = _values(table, [*parents, table], number)
    shown = {column.name: _shown_value(column, values[column.name], form) for column in table.columns}
    if server:
        del shown[table.key.name]
    return "{" + ", ".join(f'"{name}": {value}' for name, value in shown.items()) + "}"


def _shown_value(column: Column, value: str, form: str) -> str:
    if value == "None" or not column.kind.startswith("dt."):
        return value
    if form == "iso":
        return f"{value}.isoformat()"
    at = f"dt.datetime.fromisoformat({value}.isoformat())"
    return f"int({at}.replace(tzinfo=dt.timezone.utc).timestamp())"


def _is_needed(column: Column) -> bool:
    return not column.nullable and column.default is None
