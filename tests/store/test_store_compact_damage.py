"""Damage to a compacted board is found, also in what it kept from before its first revision."""

import shutil
import sqlite3

import pytest
from compactions import folded
from test_store_chain import checkpoint, other, team

from blackboard import Blackboard, Compacted, Damaged, Forked
from blackboard.store import schema

WITHOUT_PAST = {
    *("facet_effect", "need", "need_pattern", "wakes", "position", "deadline", "idempotency", "pattern"),
    "instance_count",
}
"""Tables that hold no history."""

UNCHECKED = {
    ("board", "id"),
    ("board", "installed"),
    ("board", "clock"),
    ("board", "halt"),
    ("board", "halt_reason"),
    ("key", "question_revision"),
}


@pytest.fixture(scope="module")
def small(tmp_path_factory, given):
    """Return the place of a closed board that was compacted twice, with all kinds of things before, and its head."""
    place = tmp_path_factory.mktemp("compacted") / "board.db"
    with Blackboard.open(place, create=True, durability="normal") as board:
        board.install(team())
        to = given(board)
        to.asked("api/page", by="art")
        to.asked("api/ids", by="art")
        to.proposed("api/ids", {"kind": "int"}, by="art")
        to.voted("api/ids", 1, by="rev-1")
        to.voted("api/ids", 1, by="rev-2")
        to.decided("db/ids", 1, role="operator")
        with board.transaction("boss", role="operator") as transaction:
            transaction.decisions("api/*")
            transaction.write("server", {"a.py": "1", "b.py": "2"})
        to.judged("server", passed=True, by="test")
        with board.transaction("boss", role="operator") as transaction:
            transaction.decision("db/ids")
            transaction.retract("db/ids", reason="wrong")
        folded(board, 5)
        to.proposed("api/ids", {"kind": "text"}, by="art")
        to.asked("api/size", by="art")
        folded(board, board.revision)
        to.decided("api/ids", {"kind": "uuid"}, role="operator")
        head = board.verify()
    checkpoint(place)
    return place, head


@pytest.mark.parametrize("table", sorted(set(schema.metadata.tables) - schema.CONTROL - WITHOUT_PAST))
def test_every_changed_or_missing_row_of_a_compacted_board_is_found(small, table, tmp_path):
    place, head = small
    columns = [column.name for column in schema.metadata.tables[table].columns]
    raw = sqlite3.connect(place)
    rows = raw.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall()
    raw.close()
    assert rows, "the board has to have rows in every table"
    where = " AND ".join(f"{column} IS ?" for column in columns)
    missed = []
    for row in {rows[0], rows[-1]}:
        for column in (None, *columns):
            if (table, column) in UNCHECKED:
                continue
            copy = tmp_path / "copy.db"
            shutil.copy(place, copy)
            raw = sqlite3.connect(copy)
            try:
                if column is None:
                    raw.execute(f"DELETE FROM {table} WHERE {where}", row)
                else:
                    raw.execute(
                        f"UPDATE {table} SET {column} = ? WHERE {where}", (other(row[columns.index(column)]), *row)
                    )
                raw.commit()
            except sqlite3.IntegrityError:
                continue  # the table does not take such a row
            finally:
                raw.close()
            try:
                with Blackboard.open(copy, durability="normal") as board:
                    board.verify(known_head=head)
            except (Damaged, Forked, Compacted):
                pass
            else:
                missed.append((column, row))
            for rest in ("", "-wal", "-shm"):
                copy.with_name(copy.name + rest).unlink(missing_ok=True)
    assert missed == []
