"""What a row may be, and what can be done with rows: JSON on one side, the model on the other."""

from collections.abc import Mapping
from typing import Any

from generate.tables import Column, Table


def stub(table: Table, agreed: Mapping[str, Any]) -> str:
    """Return the contract of the service."""
    key = table.key.kind
    who = {
        "server": f"{table.key.name} is made here; a value for it is refused",
        "client": f"{table.key.name} has to be among the values",
    }[table.made_by(agreed["api/id_maker"])]
    dates = "import datetime as dt\n" if key.startswith("dt.") else ""
    said = {"iso": "Dates are texts in ISO 8601.", "unix": "Dates are whole seconds since 1970-01-01 in UTC."}
    times = f" {said[agreed['api/dates']]}" if "api/dates" in agreed else ""
    return f'''{dates}import sqlite3
from typing import Any

from {table.name}_model import {table.class_name}

class Invalid(Exception):
    """The values are no row; the message says why."""

class Missing(Exception):
    """There is no such row."""

def create(db: sqlite3.Connection, values: dict[str, Any]) -> {table.class_name}:
    """Keep a new row and return it; {who}.{times}

    Raises:
        Invalid: The values are no row, or the table does not allow it.
    """

def read(db: sqlite3.Connection, key: {key}) -> {table.class_name}:
    """Return a row.

    Raises:
        Missing: There is none.
    """

def find(db: sqlite3.Connection, limit: int, offset: int) -> list[{table.class_name}]:
    """Return at most `limit` rows, by {table.key.name}, after the first `offset`."""

def count(db: sqlite3.Connection) -> int:
    """Return how many rows there are."""

def change(db: sqlite3.Connection, key: {key}, values: dict[str, Any]) -> {table.class_name}:
    """Replace all of a row but its {table.key.name}, and return it.

    Raises:
        Invalid: The values are no row, or the table does not allow it.
        Missing: There is none.
    """

def remove(db: sqlite3.Connection, key: {key}) -> None:
    """Remove a row.

    Raises:
        Invalid: Another row refers to it.
        Missing: There is none.
    """

def shown(row: {table.class_name}) -> dict[str, Any]:
    """Return a row as JSON: column -> value.{times}"""

def key_of(text: str) -> {key}:
    """Read {table.key.name} from a text, as it stands in an address or on a command line.

    Raises:
        Missing: No row can have it.
    """
'''


def code(table: Table, agreed: Mapping[str, Any]) -> str:
    """Return the module of the service.

    Args:
        table: All of it.
        agreed: Who makes keys, and how dates are written where the table has some.
    """
    maker, form = table.made_by(agreed["api/id_maker"]), agreed.get("api/dates", "iso")
    row, name, key = table.class_name, table.name, table.key
    others = [column for column in table.columns if column.name != key.name]
    fields = "\n".join(f"        {column.name}={_value(column)}," for column in others)
    shown = "\n".join(f'        "{column.name}": {_shown(column, form)},' for column in table.columns)
    imports = ["import datetime as dt\n"] if table.has_dates else []
    imports += ["import math\n"] if any(column.kind == "float" for column in table.columns) else []
    imports += ["import sqlite3\n"]
    if maker == "server":
        imports += ["import uuid\n"] if key.kind == "str" else []
    kinds = sorted({column.kind for column in table.columns})
    checks = "\n\n".join(_CHECKS[kind, form if kind.startswith("dt.") else ""] for kind in kinds)
    known = ", ".join(repr(column.name) for column in others)
    return f'''"""What a row of {name} may be, and what can be done with rows."""

{"".join(imports)}from collections.abc import Callable
from typing import Any

import {name}_storage as storage
from {name}_model import {row}


class Invalid(Exception):
    """The values are no row; the message says why."""


class Missing(Exception):
    """There is no such row."""


def create(db: sqlite3.Connection, values: dict[str, Any]) -> {row}:
{_created(table, maker)}
    try:
        storage.add(db, row)
    except storage.Refused as error:
        raise Invalid(str(error)) from error
    return row


def read(db: sqlite3.Connection, key: {key.kind}) -> {row}:
    found = storage.get(db, key)
    if found is None:
        raise Missing(f"{name} {{key}} is not there")
    return found


def find(db: sqlite3.Connection, limit: int, offset: int) -> list[{row}]:
    return storage.find(db, limit, offset)


def count(db: sqlite3.Connection) -> int:
    return storage.count(db)


def change(db: sqlite3.Connection, key: {key.kind}, values: dict[str, Any]) -> {row}:
    row = _row(key, values)
    try:
        replaced = storage.replace(db, row)
    except storage.Refused as error:
        raise Invalid(str(error)) from error
    if not replaced:
        raise Missing(f"{name} {{key}} is not there")
    return row


def remove(db: sqlite3.Connection, key: {key.kind}) -> None:
    try:
        removed = storage.remove(db, key)
    except storage.Refused as error:
        raise Invalid(str(error)) from error
    if not removed:
        raise Missing(f"{name} {{key}} is not there")


def shown(row: {row}) -> dict[str, Any]:
    return {{
{shown}
    }}


def key_of(text: str) -> {key.kind}:
    try:
        return {_KEYS[key.kind]}
    except ValueError:
        raise Missing(f"{name} {{text}} is not there") from None


KNOWN = {{{known or "*()"}}}


def _row(key: {key.kind}, values: dict[str, Any]) -> {row}:
    unknown = sorted(set(values) - KNOWN)
    if unknown:
        raise Invalid(f"{{unknown[0]}} is not for you to say")
    return {row}(
        {key.name}=key,
{fields}
    )


_NOTHING: Any = object()


def _need(values: dict[str, Any], name: str, check: Callable[[Any], Any], default: Any = _NOTHING) -> Any:
    """Return a value that may not be null; `default` where it is absent."""
    if name not in values and default is not _NOTHING:
        return default
    if values.get(name) is None:
        raise Invalid(f"{{name}} is missing")
    try:
        return check(values[name])
    except (ValueError, TypeError, OverflowError) as error:
        raise Invalid(f"{{name}} {{error}}") from None


def _may(values: dict[str, Any], name: str, check: Callable[[Any], Any], default: Any) -> Any:
    """Return a value that may be null; `default` where it is absent."""
    return None if name in values and values[name] is None else _need(values, name, check, default)


{checks}
'''


def _created(table: Table, maker: str) -> str:
    key = table.key
    if maker == "client":
        return (
            f'    key = _need(values, "{key.name}", _{_check(key)})\n'
            f'    row = _row(key, {{name: value for name, value in values.items() if name != "{key.name}"}})'
        )
    if key.kind == "str":
        return "    row = _row(str(uuid.uuid4()), values)"
    return "    row = _row(storage.next_key(db), values)"


def _value(column: Column) -> str:
    default = column.python_default
    if column.nullable:
        return f'_may(values, "{column.name}", _{_check(column)}, {default})'
    more = "" if default is None else f", {default}"
    return f'_need(values, "{column.name}", _{_check(column)}{more})'


def _check(column: Column) -> str:
    return column.kind.removeprefix("dt.")


def _shown(column: Column, form: str) -> str:
    value = f"row.{column.name}"
    if column.kind == "dt.date":
        shown = f"{value}.isoformat()" if form == "iso" else f"(dt.date.toordinal({value}) - {_EPOCH}) * 86_400"
    elif column.kind == "dt.datetime":
        at = f"{value}.replace(tzinfo=dt.timezone.utc).timestamp()"
        shown = f"{value}.isoformat()" if form == "iso" else f"int({at})"
    else:
        return value
    return f"None if {value} is None else {shown}" if column.nullable else shown


_EPOCH = 719_163
_KEYS = {
    "int": "int(text)",
    "str": "text",
    "float": "float(text)",
    "bool": '{"true": True, "false": False}[text] if text in ("true", "false") else bool(int("x"))',
    "dt.date": "dt.date.fromisoformat(text)",
    "dt.datetime": "dt.datetime.fromisoformat(text)",
}
_CHECKS = {
    ("int", ""): """def _int(value: Any) -> int:
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise ValueError("has to be a whole number")
    return value""",
    ("str", ""): """def _str(value: Any) -> str:
    if type(value) is not str:
        raise ValueError("has to be a text")
    return value""",
    ("float", ""): """def _float(value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise ValueError("has to be a number")
    return float(value)""",
    ("bool", ""): """def _bool(value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError("has to be true or false")
    return value""",
    ("dt.date", "iso"): """def _date(value: Any) -> dt.date:
    return dt.date.fromisoformat(value)""",
    ("dt.datetime", "iso"): """def _datetime(value: Any) -> dt.datetime:
    return dt.datetime.fromisoformat(value).replace(tzinfo=None)""",
    ("dt.date", "unix"): """def _date(value: Any) -> dt.date:
    if type(value) is not int:
        raise ValueError("has to be whole seconds since 1970")
    return dt.datetime.fromtimestamp(value, dt.timezone.utc).date()""",
    ("dt.datetime", "unix"): """def _datetime(value: Any) -> dt.datetime:
    if type(value) is not int:
        raise ValueError("has to be whole seconds since 1970")
    return dt.datetime.fromtimestamp(value, dt.timezone.utc).replace(tzinfo=None)""",
}
