"""Boards that earlier libraries wrote: refused until they are upgraded, and then they say the same as before."""

import json
import sqlite3

import golden_boards
import pytest

from blackboard import Blackboard, Contract, SchemaMismatch
from blackboard.store.schema import SCHEMA

SCHEMAS = sorted(path.stem.removeprefix("schema-") for path in golden_boards.GOLDEN.glob("*.json"))


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_board_of_an_earlier_schema_says_the_same_after_its_upgrade(schema, tmp_path):
    place = golden_boards.unpacked(schema, tmp_path)
    said = json.loads((golden_boards.GOLDEN / f"schema-{schema}.json").read_text())
    if schema != SCHEMA:
        with pytest.raises(SchemaMismatch) as refused:
            Blackboard.open(place)
        assert (refused.value.found, refused.value.needed) == (schema, SCHEMA)
    with Blackboard.open(place, upgrade=True) as board:
        assert golden_boards.observed(board) == said
        board.verify(known_head=board.cursor)


@pytest.mark.parametrize("schema", SCHEMAS)
def test_an_upgraded_board_goes_on(schema, tmp_path, ask_sql):
    place = golden_boards.unpacked(schema, tmp_path)
    with Blackboard.open(place, upgrade=True) as board:
        head = board.revision
        with board.transaction("ann", role="operator") as transaction:
            transaction.decision("notes/first")
            transaction.decide("notes/first", Contract.text("written by a newer library"))
        assert board.revision == head + 1
        assert board.snapshot(at=head).decision("notes/first").contract.text == "kept"
        assert board.snapshot().component("index").state == "stale"
        board.verify()
        assert ask_sql(board, "SELECT version_num FROM alembic_version") == [(SCHEMA,)]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_an_upgraded_board_is_made_like_a_new_one(schema, tmp_path, location):
    place = golden_boards.unpacked(schema, tmp_path / "old")
    Blackboard.open(place, upgrade=True).close()
    Blackboard.open(location, create=True).close()
    assert described(place) == described(location)


def described(location) -> list[tuple[str, ...]]:
    """Return the kind, name and definition of everything in a database, spaces aside."""
    raw = sqlite3.connect(location)
    found = raw.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master ORDER BY type, name").fetchall()
    raw.close()
    return [(kind, name, " ".join(text.split())) for kind, name, text in found]


def test_every_schema_before_this_one_has_a_golden_board():
    assert [str(number) for number in range(1, int(SCHEMA))] == [one for one in SCHEMAS if one != SCHEMA]
