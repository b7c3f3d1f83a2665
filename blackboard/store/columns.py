"""The kinds of columns and tables that a board has."""

import sqlalchemy as sa

metadata = sa.MetaData()


def text(name: str, *, null: bool = False) -> sa.Column[str]:
    """Return a column of text."""
    return sa.Column(name, sa.Text, nullable=null)


def integer(name: str, *, null: bool = False, primary: bool = False) -> sa.Column[int]:
    """Return a column of integers of 64 bits."""
    return sa.Column(name, sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=null, primary_key=primary)


def part(name: str) -> sa.Column[str]:
    """Return a text that is part of the primary key."""
    return sa.Column(name, sa.Text, primary_key=True)


def of_key(name: str = "key_id", *, primary: bool = True, null: bool = False) -> sa.Column[int]:
    """Return a column that names a row of `key`."""
    kind = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    return sa.Column(name, kind, sa.ForeignKey("key.id"), primary_key=primary, nullable=null, autoincrement=False)


def real(name: str, *, null: bool = False) -> sa.Column[float]:
    """Return a column of numbers."""
    return sa.Column(name, sa.Double, nullable=null)


def table(name: str, *items: sa.schema.SchemaItem, rowid: bool = True, growing: bool = False) -> sa.Table:
    """Return a table of a board."""
    return sa.Table(name, metadata, *items, sqlite_with_rowid=rowid, sqlite_autoincrement=growing)
