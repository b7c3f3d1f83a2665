"""S10: a board of another schema is not written to, and an upgrade is one transaction."""

import contextlib
import sqlite3
from argparse import Namespace

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from next_schema import NEXT, next_schema
from sqlalchemy import create_engine, inspect, text
from tables_page import PAGE, tables_page
from tools import ROOT

from blackboard import Blackboard, Contract, NotABoard, SchemaMismatch, StoreError
from blackboard.spec.staleness import TABLE
from blackboard.store import schema, upgrade, views


def described(location) -> list[tuple]:
    """Return every table, index and view with its definition."""
    with sqlite3.connect(location) as raw:
        found = raw.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name").fetchall()
    raw.close()
    return found


def set_schema(location, name) -> None:
    raw = sqlite3.connect(location)
    raw.execute("UPDATE alembic_version SET version_num = ?", (name,))
    raw.commit()
    raw.close()


@pytest.fixture
def made(location, given):
    with Blackboard.open(location, create=True) as board:
        given(board).decided("api/ids", "int")
        given(board).written("server", uses=["api/ids"])
    return location


@pytest.fixture
def a_newer_schema():
    """Return a way to give the library one more migration."""
    with contextlib.ExitStack() as stack:
        yield lambda changes: stack.enter_context(next_schema(changes))


def migrated(location, *, environment=None) -> None:
    """Make a board by Alembic's own command, as from a checkout."""
    config = Config(ROOT / "alembic.ini", cmd_opts=Namespace(x=None if environment else [f"board={location}"]))
    command.upgrade(config, "head")


def content(location) -> list[tuple]:
    """Return the rows of the board and of the rules, without the epoch and store time."""
    with sqlite3.connect(location) as raw:
        board = raw.execute("SELECT * FROM board").fetchall()
        rules = raw.execute("SELECT * FROM staleness_rule").fetchall()
        marks = [raw.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "journal_mode")]
    raw.close()
    return [*(row[:1] + row[2:4] + row[5:] for row in board), *rules, *marks]


def same(location) -> list[tuple]:
    """Return everything in a database, without the spaces of its definitions."""
    return sorted((kind, name, "".join((sql or "").split())) for kind, name, _, sql in described(location))


@pytest.mark.parametrize("named", ["by -x", "by BB_BOARD"])
def test_alembic_makes_the_board_that_the_library_makes(location, tmp_path, monkeypatch, named):
    other = tmp_path / "other.db"
    if named == "by -x":
        migrated(other)
    else:
        monkeypatch.setenv("BB_BOARD", f"sqlite:///{other}")
        migrated(None, environment=True)
    Blackboard.open(location, create=True).close()
    assert same(other) == same(location)
    assert content(other) == content(location)
    with Blackboard.open(other) as board:
        board.verify()


@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
def test_the_migrations_make_the_tables_that_the_library_knows(made):
    engine = create_engine(f"sqlite:///{made}")
    with engine.connect() as connection:
        # Of SQLite, Alembic cannot compare indexes with expressions: all are compared as texts above.
        options = {"include_name": lambda name, kind, _: kind != "index" and name != "alembic_version"}
        found = compare_metadata(MigrationContext.configure(connection, opts=options), schema.metadata)
    engine.dispose()
    assert [one for one in found if one[0] != "add_index"] == []


def test_alembic_makes_boards_side_by_side_in_one_postgresql_database(postgres_url):
    for name in ("one", "two", "two"):
        migrated(f"{postgres_url}?board={name}")
    engine = create_engine(
        postgres_url.replace("postgresql://", "postgresql+psycopg://"), connect_args={"options": "-csearch_path=two"}
    )
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
        assert set(views.VIEWS) == set(inspect(connection).get_view_names())
        for view in views.VIEWS:
            connection.execute(text(f"SELECT * FROM {view}"))
        rules = connection.execute(text("SELECT count(*) FROM staleness_rule")).scalar_one()
        boards = connection.execute(text("SELECT a.epoch <> b.epoch FROM one.board a, two.board b")).scalar_one()
    engine.dispose()
    assert (rules, boards) == (len(TABLE), True)


def test_every_table_and_column_has_a_comment_and_the_page_says_the_same():
    named = [(table.name, one.comment) for table in schema.metadata.sorted_tables for one in (table, *table.columns)]
    assert [one for one in named if not one[1]] == []
    assert PAGE.read_text("utf-8") == tables_page(), "run `python tests/tables_page.py`"


def test_a_new_board_has_the_newest_schema_and_the_rules_of_staleness(made):
    assert upgrade.known_schemas()[-1] == schema.SCHEMA
    raw = sqlite3.connect(made)
    assert raw.execute("SELECT version_num FROM alembic_version").fetchall() == [(schema.SCHEMA,)]
    assert raw.execute("PRAGMA application_id").fetchone() == (schema.APPLICATION_ID,)
    rules = raw.execute("SELECT effect, side, validation, state FROM staleness_rule").fetchall()
    raw.close()
    assert sorted(rules) == sorted(
        (str(effect), str(side), str(said), str(state)) for (effect, side, said), state in TABLE.items()
    )


def test_schemas_are_known_in_the_order_of_their_numbers(monkeypatch, tmp_path):
    (tmp_path / "versions").mkdir()
    for number in (10, 1, 9, 2, 100):
        (tmp_path / "versions" / f"{number}_some.py").touch()
    monkeypatch.setattr(upgrade, "migrations", lambda: tmp_path)
    assert upgrade.known_schemas() == ["1", "2", "9", "10", "100"]


def test_an_upgrade_of_the_newest_schema_changes_nothing(made, given):
    before = described(made)
    with Blackboard.open(made) as board:
        head = board.cursor
        assert board.upgrade() == (schema.SCHEMA, schema.SCHEMA)
        assert board.cursor == head
        assert given(board).decided("api/page", 20).revision == head.revision + 1
        board.verify()
    assert described(made) == before


def test_a_board_of_an_older_schema_is_refused_until_it_is_upgraded(made, given, a_newer_schema):
    a_newer_schema('op.execute("CREATE TABLE added (id INTEGER PRIMARY KEY)")\n')
    with pytest.raises(SchemaMismatch) as refused:
        Blackboard.open(made)
    assert (refused.value.found, refused.value.needed, refused.value.newer) == (schema.SCHEMA, NEXT, False)
    with pytest.raises(SchemaMismatch):
        Blackboard.open(made, create=True)
    Blackboard.open(made, upgrade=True).close()
    with Blackboard.open(made) as board:
        assert board.snapshot().decision("api/ids").value == "int"
        assert given(board).decided("api/page", 20).revision == 3
        board.verify()
    assert "added" in {row[1] for row in described(made)}


def below_the_front_door(location):
    """Open the store below the front door, which refuses an older schema."""
    from blackboard.store.opened import Store
    from blackboard.store.sqlite import Database
    from blackboard.store.writer import Writer

    database = Database(location)
    return Store(database, Writer(database, lambda: 0.0))


def test_a_migration_that_fails_half_way_leaves_the_board_as_it_was(made, a_newer_schema):
    before = described(made)
    a_newer_schema(
        """op.execute("CREATE TABLE added (id INTEGER PRIMARY KEY)")
op.execute("UPDATE version SET text = 'lost'")
op.execute("INSERT INTO nowhere VALUES (1)")"""
    )
    store = below_the_front_door(made)
    with pytest.raises(StoreError):
        upgrade.upgrade(store)
    store.close()
    assert described(made) == before
    raw = sqlite3.connect(made)
    assert raw.execute("SELECT version_num FROM alembic_version").fetchall() == [(schema.SCHEMA,)]
    assert raw.execute("SELECT DISTINCT text FROM version").fetchall() == [('"int"',)]
    raw.close()


@pytest.mark.parametrize("call", [Blackboard.open, lambda place: Blackboard.open(place, create=True)])
def test_a_newer_schema_is_refused_and_left_alone(made, call):
    set_schema(made, "9")
    before = described(made)
    with pytest.raises(SchemaMismatch) as refused:
        call(made)
    assert (refused.value.found, refused.value.newer) == ("9", True)
    assert described(made) == before
    set_schema(made, schema.SCHEMA)
    with Blackboard.open(made) as board:
        assert board.revision == 2


def test_a_newer_schema_is_not_downgraded(made):
    set_schema(made, "9")
    store = below_the_front_door(made)
    with pytest.raises(SchemaMismatch):
        upgrade.upgrade(store)
    store.close()


def test_what_is_no_board_is_not_upgraded(tmp_path):
    other = tmp_path / "other.db"
    raw = sqlite3.connect(other)
    raw.execute("CREATE TABLE mine (id INTEGER)")
    raw.commit()
    raw.close()
    store = below_the_front_door(other)
    with pytest.raises(NotABoard):
        upgrade.upgrade(store)
    store.close()
    assert [row[1] for row in described(other)] == ["mine"]


def test_a_board_in_use_elsewhere_is_upgraded_between_commits(made, given):
    with Blackboard.open(made) as one, Blackboard.open(made) as other:
        given(one).decided("api/page", 20)
        other.upgrade()
        assert given(one).decided("api/page", 40).revision == 4
        assert given(other).decided("api/page", 60).revision == 5


def test_who_has_a_board_open_writes_nothing_once_a_newer_library_upgraded_it(made, given):
    with Blackboard.open(made) as board:
        begun = board.transaction("ann")
        begun.decide("api/begun", Contract.value(1))
        lines = described(made)
        set_schema(made, NEXT)
        for write in (
            begun.commit,
            lambda: given(board).decided("api/page", 20),
            lambda: board.find_commit("asked", author="ann"),
        ):
            with pytest.raises(SchemaMismatch) as refused:
                write()
            assert (refused.value.found, refused.value.needed, refused.value.newer) == (NEXT, schema.SCHEMA, True)
        assert board.revision == 2
        assert described(made) == lines
        set_schema(made, schema.SCHEMA)
        assert given(board).decided("api/page", 20).revision == 3


def test_who_has_a_board_open_is_told_that_a_newer_library_changed_what_it_reads(made, given):
    with Blackboard.open(made) as board:
        snapshot = board.snapshot()
        raw = sqlite3.connect(made)
        raw.execute("ALTER TABLE version RENAME COLUMN rationale TO why")
        raw.execute("ALTER TABLE board RENAME COLUMN digest TO chained")
        raw.commit()
        raw.close()
        set_schema(made, NEXT)
        for read in (
            lambda: board.snapshot().decision("api/ids"),
            lambda: snapshot.versions("api/ids"),
            lambda: snapshot.decision("api/ids"),
            lambda: board.cursor,
            lambda: board.changes(after=0),
        ):
            with pytest.raises(SchemaMismatch) as refused:
                read()
            assert (refused.value.found, refused.value.needed, refused.value.newer) == (NEXT, schema.SCHEMA, True)


def test_a_person_can_read_the_views_with_sqlite_alone(made):
    raw = sqlite3.connect(made)
    assert raw.execute("SELECT key, state, version, text FROM decisions").fetchall() == [
        ("api/ids", "accepted", 1, '"int"')
    ]
    assert raw.execute("SELECT key, version, state FROM components").fetchall() == [("server", 1, "current")]
    history = "SELECT revision, kind, key, author FROM history ORDER BY revision, kind"
    assert raw.execute(history).fetchall() == [
        (1, "accepted", "api/ids", "ann"),
        (1, "proposed", "api/ids", "ann"),
        (2, "written", "server", "bob"),
    ]
    for view in views.VIEWS:
        raw.execute(f"SELECT * FROM {view}").fetchall()
    raw.close()
