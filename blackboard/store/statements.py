"""Statements: SQLAlchemy Core, compiled once to the engine's text, run on the driver's own connection.

Per-call Core costs about twenty times the CPU of the driver; compiled once it costs nearly nothing. Parameters are
given by name and bound by place: to bind by name, the driver makes each name anew at each call.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from operator import itemgetter
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
    def _compiled(self) -> Any:  # noqa: ANN401 - of the engine's compiler
        element: Any = self._element
        return element.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True})

    @cached_property
    def text(self) -> str:
        """The text in the engine's dialect; every parameter in it is given when it runs."""
        return str(self._compiled.string)

    @cached_property
    def placed(self) -> Callable[[Parameters], tuple[Any, ...]]:
        """Return the values of parameters in the order of their places; those that the statement lacks are left out."""
        names: list[str] = self._compiled.positiontup or []
        if len(names) > 1:
            return itemgetter(*names)
        if not names:
            return lambda _: ()
        [name] = names
        return lambda parameters: (parameters[name],)

    def __str__(self) -> str:
        return self.text


def insert_into(table: sa.Table, *, ignore: bool = False) -> Statement:
    """Return the INSERT of one whole row, its parameters named as the columns."""
    columns = [column for column in table.columns if column.name != "id" or column.foreign_keys]
    names = ", ".join(column.name for column in columns)
    values = ", ".join(f":{column.name}" for column in columns)
    tail = " ON CONFLICT DO NOTHING" if ignore else ""
    return Statement(f"INSERT INTO {table.name} ({names}) VALUES ({values}){tail}")
