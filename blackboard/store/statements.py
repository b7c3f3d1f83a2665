"""Statements: SQLAlchemy Core, compiled once to the engine's text, run on the driver's own connection.

Per-call Core costs about twenty times the CPU of the driver; compiled once it costs nearly nothing.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, TypeAlias

import sqlalchemy as sa

from blackboard.store.dialect import DIALECT

Parameters: TypeAlias = Mapping[str, Any]


def given(name: str) -> sa.BindParameter[Any]:
    """Return a parameter that is given when the statement runs."""
    return sa.bindparam(name, required=False)


def constant(value: str | int) -> sa.BindParameter[Any]:
    """Return a value that stands in the statement's text."""
    return sa.bindparam(None, value, literal_execute=True)


class Statement:
    """One statement of the store, written in Core or as text with `:name` parameters.

    >>> str(Statement(sa.select(constant(1).label("one"))))
    'SELECT 1 AS one'
    """

    def __init__(self, element: sa.Executable | str) -> None:
        self._element = sa.text(element) if isinstance(element, str) else element

    @cached_property
    def text(self) -> str:
        """The text in the engine's dialect; every parameter in it is given when it runs."""
        element: Any = self._element
        compiled: sa.Compiled = element.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True})
        return compiled.string

    def __str__(self) -> str:
        return self.text


def insert_into(table: sa.Table, *, ignore: bool = False) -> Statement:
    """Return the INSERT of one whole row, its parameters named as the columns."""
    columns = [column for column in table.columns if column.name != "id" or column.foreign_keys]
    names = ", ".join(column.name for column in columns)
    values = ", ".join(f":{column.name}" for column in columns)
    tail = " ON CONFLICT DO NOTHING" if ignore else ""
    return Statement(f"INSERT INTO {table.name} ({names}) VALUES ({values}){tail}")
