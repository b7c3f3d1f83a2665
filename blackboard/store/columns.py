"""The kinds of columns, tables and indexes that a board has, for each engine.

Every table and column has a comment: PostgreSQL keeps it, `docs/tables.md` is made from it.
"""

from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData()

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""64 bits. In SQLite only a column of the type INTEGER is the number of its row."""

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Compared byte by byte, as SQLite does: keys are found by ranges."""

REAL: sa.Double[float] = sa.Double()
BYTES = sa.LargeBinary()


def text(name: str, comment: str, *, null: bool = False, unique: bool = False) -> sa.Column[str]:
    """Return a column of text."""
    return sa.Column(name, TEXT, nullable=null, unique=unique or None, comment=comment)


def integer(name: str, comment: str, *, null: bool = False) -> sa.Column[int]:
    """Return a column of integers of 64 bits."""
    return sa.Column(name, INTEGER, nullable=null, comment=comment)


def real(name: str, comment: str, *, null: bool = False) -> sa.Column[float]:
    """Return a column of numbers of double precision; a time is in seconds since the Unix epoch."""
    return sa.Column(name, REAL, nullable=null, comment=comment)


def content(name: str, comment: str) -> sa.Column[bytes]:
    """Return a column of bytes."""
    return sa.Column(name, BYTES, nullable=False, comment=comment)


def identifier(comment: str, name: str = "id") -> sa.Column[int]:
    """Return a primary key whose values the engine gives out."""
    return sa.Column(name, INTEGER, primary_key=True, comment=comment)


def number(name: str, comment: str) -> sa.Column[int]:
    """Return an integer that is part of the primary key."""
    return sa.Column(name, INTEGER, primary_key=True, autoincrement=False, comment=comment)


def part(name: str, comment: str) -> sa.Column[str]:
    """Return a text that is part of the primary key."""
    return sa.Column(name, TEXT, primary_key=True, comment=comment)


def refers(to: str, name: str, comment: str, *, primary: bool = False, null: bool = False) -> sa.Column[int]:
    """Return a column with the number of a row of another table."""
    return sa.Column(name, INTEGER, sa.ForeignKey(to), primary_key=primary, nullable=null, comment=comment)


def of_key(
    comment: str = "The key.", *, name: str = "key_id", primary: bool = True, null: bool = False
) -> sa.Column[int]:
    """Return a column that names a row of `key`."""
    return refers("key.id", name, comment, primary=primary, null=null)


def index(name: str, *columns: str, where: str | None = None) -> sa.Index:
    """Return an index; with `where`, of the rows for which that is true."""
    expressions = [sa.text(one) if " " in one else one for one in columns]
    condition: dict[str, Any] = {}
    if where is not None:
        condition = dict.fromkeys(("sqlite_where", "postgresql_where"), sa.text(where))
    return sa.Index(name, *expressions, **condition)


def table(name: str, comment: str, *items: sa.schema.SchemaItem, rowid: bool = True, growing: bool = False) -> sa.Table:
    """Return a table of a board.

    Args:
        rowid: Whether SQLite numbers its rows; without, it keeps them in the order of the primary key.
        growing: Whether SQLite never gives out a number twice.
    """
    options: dict[str, Any] = {"sqlite_autoincrement": True} if growing else {}
    if not rowid:
        options["sqlite_with_rowid"] = False
    return sa.Table(name, metadata, *items, comment=comment, **options)
