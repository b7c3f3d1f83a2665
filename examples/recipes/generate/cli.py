"""The rows of a table on the command line."""

from collections.abc import Mapping
from typing import Any

from generate.tables import Column, Table


def stub(name: str) -> str:
    """Return the contract of the commands; it is the same for every table."""
    return f'''import argparse
import sqlite3
from typing import Any

def register(commands: Any) -> None:
    """Add the command {name} to what `ArgumentParser.add_subparsers` returned: add, list, show and remove."""

def run(options: argparse.Namespace, db: sqlite3.Connection) -> int:
    """Run the parsed command and return its exit status: 1, with a line on standard error, where it is refused."""
'''


def code(table: Table, agreed: Mapping[str, Any]) -> str:
    """Return the module of the commands."""
    server = table.made_by(agreed["api/id_maker"]) == "server"
    given = [column for column in table.columns if not (server and column.name == table.key.name)]
    options = "\n".join(_option(column, agreed.get("api/dates", "iso")) for column in given)
    names = ", ".join(f'"{column.name}"' for column in given)
    return f'''"""The rows of {table.name} on the command line."""

import argparse
import json
import sqlite3
import sys
from typing import Any

import {table.name}_service as service

NAMES: tuple[str, ...] = ({names}{"," if names else ""})


def register(commands: Any) -> None:
    parser = commands.add_parser("{table.name}", help="add, list, show and remove rows of {table.name}")
    parser.set_defaults(run=run)
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    add = acts.add_parser("add", help="keep a row and print it")
{options or "    del add"}
    acts.add_parser("list", help="print all rows, one JSON object in each line")
    for act in ("show", "remove"):
        acts.add_parser(act, help=f"{{act}} a row").add_argument("key")


def run(options: argparse.Namespace, db: sqlite3.Connection) -> int:
    try:
        for row in _rows(options, db):
            print(json.dumps(service.shown(row), ensure_ascii=False))
    except (service.Invalid, service.Missing) as error:
        print(f"error: {{error}}", file=sys.stderr)
        return 1
    return 0


def _rows(options: argparse.Namespace, db: sqlite3.Connection) -> list[Any]:
    if options.act == "add":
        told = {{name: getattr(options, f"column_{{name}}") for name in NAMES}}
        return [service.create(db, {{name: value for name, value in told.items() if value is not None}})]
    if options.act == "list":
        return list(service.find(db, service.count(db), 0))
    key = service.key_of(options.key)
    if options.act == "show":
        return [service.read(db, key)]
    service.remove(db, key)
    return []
'''


def _option(column: Column, form: str) -> str:
    kind = {"int": "int", "float": "float", "str": "str"}.get(column.kind, "int" if form == "unix" else "str")
    if column.kind == "bool":
        how = 'type=lambda text: {"yes": True, "no": False}[text], metavar="yes|no"'
    else:
        how = f'type={kind}, metavar="{column.sql.upper()}"'
    needed = not column.nullable and column.default is None
    return f'    add.add_argument("--{column.name}", dest="column_{column.name}", {how}, required={needed})'
