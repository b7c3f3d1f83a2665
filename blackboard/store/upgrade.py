"""How a file becomes a board, and how an older board becomes one of this library's.

A new board is made from the tables of `schema` in one transaction, without Alembic, which takes longer to load than all
the rest; an older one goes through migrations/versions in one transaction. A test holds both against each other.
"""

import contextlib
import sqlite3
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import CreateIndex, CreateTable

from blackboard.errors import CommitUnknown, NotABoard, SchemaMismatch
from blackboard.spec.staleness import RANK, TABLE
from blackboard.store.dialect import DIALECT
from blackboard.store.opened import Store
from blackboard.store.schema import APPLICATION_ID, SCHEMA, metadata, staleness_rule
from blackboard.store.sqlite import Connection, Database, translate
from blackboard.store.statements import Statement
from blackboard.store.views import view_definitions
from blackboard.store.writer import Writer

_APPLICATION = Statement("PRAGMA application_id")
_TABLES = Statement("SELECT count(*) AS count FROM sqlite_master")
_FOUND = Statement("SELECT version_num FROM alembic_version")
_BOARD = Statement(
    "INSERT INTO board (id, epoch, revision, digest, store_time, installed, first_revision, mode, mode_reason) "
    "VALUES (1, :epoch, 0, '', 0, 0, 1, NULL, '')"
)
_RULE = Statement(
    "INSERT INTO staleness_rule (effect, side, validation, state, rank) "
    "VALUES (:effect, :side, :validation, :state, :rank)"
)
VERSION_TABLE = (
    "CREATE TABLE alembic_version ("
    "version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)
"""Where Alembic keeps the name of the schema, as it makes it itself."""


def data_definitions() -> list[str]:
    """Return the statements that make an empty board, in order."""
    tables = [str(CreateTable(table).compile(dialect=DIALECT)) for table in metadata.sorted_tables]
    indexes = [
        str(CreateIndex(index).compile(dialect=DIALECT))
        for table in metadata.sorted_tables
        for index in sorted(table.indexes, key=lambda one: str(one.name))
    ]
    return [*tables, *indexes, *view_definitions("sqlite")]


def create(store: Store) -> None:
    """Make an empty file a board; one that is a board already stays as it is.

    Raises:
        NotABoard: The file holds something else.
    """
    if store.database.path is not None:
        _keep_journal(store)
    with repeatable(store.location), store.writer.transaction() as connection:
        if connection.all(_TABLES)[0]["count"] == 0:
            _make(connection)
    check(store)


def _keep_journal(store: Store) -> None:
    with store.database.reading() as on:
        empty = on.all(_TABLES)[0]["count"] == 0
    if empty:
        store.writer.set_journal()


@contextlib.contextmanager
def repeatable(location: str) -> Iterator[None]:
    """Say why a COMMIT failed, and not that its end is unknown: for what nobody minds to have happened."""
    try:
        yield
    except CommitUnknown as unknown:
        cause = unknown.__cause__
        if isinstance(cause, sqlite3.Error):
            raise translate(cause, location) from unknown
        raise


def _make(connection: Connection) -> None:
    for statement in data_definitions():
        connection.raw.execute(statement)
    connection.raw.execute(VERSION_TABLE)
    connection.raw.execute(f"INSERT INTO alembic_version VALUES ('{SCHEMA}')")
    connection.raw.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.run(_BOARD, {"epoch": uuid.uuid4().hex})
    connection.run_many(_RULE, staleness_rows())


def staleness_rows() -> list[dict[str, str | int]]:
    """Return `spec.staleness.TABLE` as rows."""
    return [
        {"effect": str(effect), "side": str(side), "validation": str(said), "state": str(state), "rank": RANK[state]}
        for (effect, side, said), state in TABLE.items()
    ]


def check(store: Store) -> None:
    """Make sure that this library can use the store; from then on it writes to no other schema.

    Raises:
        NotABoard: It is something else.
        SchemaMismatch: It is a board of an older or newer library.
    """
    with store.database.reading() as on:
        if on.all(_TABLES)[0]["count"] == 0:
            raise NotABoard(store.location, "it is empty; `bb board create` makes a board")
        if on.all(_APPLICATION)[0][0] != APPLICATION_ID:
            raise NotABoard(store.location, "it is a SQLite database of another program")
        found = str(on.all(_FOUND)[0]["version_num"])
    if found != SCHEMA:
        raise SchemaMismatch(store.location, found, SCHEMA, newer=found not in known_schemas())
    store.database.schema = found


def known_schemas() -> list[str]:
    """Return the names of the schemas that this library knows, oldest first."""
    names = (path.stem.split("_")[0] for path in (migrations() / "versions").glob("[0-9]*.py"))
    return sorted(names, key=int)


def migrations() -> Path:
    """Return the folder of migrations: inside the package where it was installed, beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "migrations"
    return inside if inside.is_dir() else package.parent / "migrations"


def upgrade(store: Store) -> tuple[str, str]:
    """Bring an older board to this library's schema in one transaction.

    Returns:
        The schema before and after.

    Raises:
        NotABoard: It is something else.
        SchemaMismatch: It is of a newer library.
        CommitUnknown: The engine failed at COMMIT.
    """
    with store.database.reading() as on:
        if on.all(_TABLES)[0]["count"] == 0 or on.all(_APPLICATION)[0][0] != APPLICATION_ID:
            raise NotABoard(store.location, "there is no board in it to upgrade")
        before = str(on.all(_FOUND)[0]["version_num"])
    if before not in known_schemas():
        raise SchemaMismatch(store.location, before, SCHEMA, newer=True)
    try:
        with store.writer.transaction() as connection:
            _migrate(connection, store.location)
    except CommitUnknown as unknown:
        act = f"the upgrade of {store.location} from schema {before} to {SCHEMA}"
        step = "run `bb board upgrade` again: it says what the board had, and does nothing twice"
        raise CommitUnknown("", unknown.cause, act=act, step=step) from unknown
    return before, SCHEMA


def _migrate(connection: Connection, location: str) -> None:
    """Run the migrations in the writer's transaction."""
    from alembic import command  # noqa: PLC0415 - loaded when used: no other command needs it
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(migrations()))
    try:
        with _lent(connection) as lent:
            config.attributes["connection"] = lent
            command.upgrade(config, "head")
    except sa.exc.DBAPIError as error:
        cause = error.orig
        raise translate(cause, location) if isinstance(cause, sqlite3.Error) else error from error


@contextlib.contextmanager
def migrating(location: str) -> Iterator[sa.Connection]:
    """Lend a connection in one transaction on a place that need not be a board yet: for Alembic's own commands.

    Args:
        location: A path or a URL.
    """
    url = sa.make_url(location if "://" in location else f"sqlite:///{location}")
    if url.get_backend_name() == "sqlite":
        place = Path(url.database or "board.db")
        place.touch()
        database = Database(place)
        store = Store(database, Writer(database, time.time))
        try:
            _keep_journal(store)
            with store.writer.transaction() as connection, _lent(connection) as lent:
                yield lent
        finally:
            store.close()
        return
    with _postgresql(url) as lent:
        yield lent


@contextlib.contextmanager
def _lent(connection: Connection) -> Iterator[sa.Connection]:
    engine = sa.create_engine("sqlite://", creator=lambda: _Lent(connection.raw), poolclass=sa.pool.StaticPool)
    with engine.connect() as lent:
        yield lent


@contextlib.contextmanager
def _postgresql(url: sa.URL) -> Iterator[sa.Connection]:
    name = str(url.query.get("board", "public"))
    path = {"options": f"-csearch_path={name}"}
    plain = url.difference_update_query(["board"]).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(plain, connect_args=path, poolclass=sa.pool.NullPool)
    with engine.begin() as lent:
        lent.execute(sa.schema.CreateSchema(name, if_not_exists=True))
        yield lent


def follow_library(connection: sa.Connection) -> None:
    """Make what no migration makes, since it changes with the library: views, comments, the rules of staleness."""
    for name in sa.inspect(connection).get_view_names():
        connection.execute(sa.text(f"DROP VIEW {name}"))
    for definition in view_definitions(connection.dialect.name):
        connection.exec_driver_sql(definition)
    for table in metadata.sorted_tables if connection.dialect.supports_comments else ():
        connection.execute(sa.schema.SetTableComment(table))
        for column in table.columns:
            connection.execute(sa.schema.SetColumnComment(column))
    connection.execute(staleness_rule.delete())
    connection.execute(staleness_rule.insert(), staleness_rows())


class _Lent:
    """The writer's connection as SQLAlchemy gets it: the transaction is the writer's, nobody else ends it."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the driver's connection has
        return getattr(self._raw, name)

    def commit(self) -> None:
        """Do nothing."""

    def rollback(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
