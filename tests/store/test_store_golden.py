"""Boards that were written by this library or an earlier one: they are read as they were written."""

import json

import golden_boards
import pytest

from blackboard import Blackboard, Contract
from blackboard.store.schema import SCHEMA

SCHEMAS = sorted(path.stem.removeprefix("schema-") for path in golden_boards.GOLDEN.glob("*.json"))


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_board_says_what_it_said_when_it_was_written(schema, tmp_path):
    place = golden_boards.unpacked(schema, tmp_path)
    said = json.loads((golden_boards.GOLDEN / f"schema-{schema}.json").read_text())
    with Blackboard.open(place, upgrade=schema != SCHEMA) as board:
        assert golden_boards.observed(board) == said
        board.verify(known_head=board.cursor)


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_board_goes_on_where_it_ended(schema, tmp_path, ask_sql):
    place = golden_boards.unpacked(schema, tmp_path)
    with Blackboard.open(place, upgrade=schema != SCHEMA) as board:
        head = board.revision
        with board.transaction("ann", role="operator") as transaction:
            transaction.decision("notes/first")
            transaction.decide("notes/first", Contract.text("written by a newer library"))
        assert board.revision == head + 1
        assert board.snapshot(at=head).decision("notes/first").contract.text == "kept"
        assert board.snapshot().component("index").state == "stale"
        board.verify()
        assert ask_sql(board, "SELECT version_num FROM alembic_version") == [(SCHEMA,)]


def test_there_is_a_board_of_every_schema():
    assert [f"{number:04}" for number in range(1, int(SCHEMA) + 1)] == SCHEMAS
