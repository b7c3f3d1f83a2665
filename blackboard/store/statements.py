"""Statements: SQLAlchemy Core, compiled once to the engine's text, run on the driver's own connection.

Per-call Core costs about twenty times the CPU of the driver; compiled once it costs nearly nothing. Parameters are
given by name and bound by place: to bind by name, the driver makes each name anew at each call.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from operator import itemgetter
from typing import Any, Protocol, TypeAlias

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


def insert_into(table: sa.Table, *, ignore: bool = False, but: Collection[str] = ()) -> Statement:
    """Return the INSERT of one row, its parameters named as the columns; `but` for those that are NULL."""
    columns = [column for column in table.columns if column.name != "id" or column.foreign_keys]
    given_names = [column.name for column in columns if column.name not in but]
    values = ", ".join(f":{name}" for name in given_names)
    tail = " ON CONFLICT DO NOTHING" if ignore else ""
    return Statement(f"INSERT INTO {table.name} ({', '.join(given_names)}) VALUES ({values}){tail}")


class Insertion:
    """The INSERT of a row of which much is mostly NULL: that is left out, for the driver asks around what it may be."""

    def __init__(self, table: sa.Table, sparse: Sequence[str]) -> None:
        self._table, self._sparse = table, sparse
        self._found: dict[tuple[str, ...], Statement] = {}

    def of(self, row: Parameters) -> Statement:
        """Return the statement for the row."""
        absent = tuple([name for name in self._sparse if row[name] is None])
        found = self._found.get(absent)
        if found is None:
            found = self._found[absent] = insert_into(self._table, but=absent)
        return found


class Rows(Protocol):
    """What answers one statement at a time: a database, a connection or a turn."""

    def all(self, statement: Statement, parameters: Parameters | None = None) -> list[Any]:
        """Run a statement and return its rows."""


class Reads(Rows, Protocol):
    """What sees one moment with all statements: a connection in a transaction, or a turn."""

    def one(self, statement: Statement, parameters: Parameters | None = None) -> Any:  # noqa: ANN401 - a row
        """Run a statement and return its first row, None where there is none."""
