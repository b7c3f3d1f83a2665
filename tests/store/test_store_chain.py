"""S9: `verify` finds whatever was changed behind the board's back, and a lost end against a head that is known."""

import itertools
import shutil
import sqlite3

import pytest
from checked_team import team

from blackboard import Blackboard, Contract, Damaged, Forked, NotABoard, ReadOnly, Unavailable
from blackboard.store import schema
from blackboard.store.feed import Cursor

NOT_HISTORY = {
    "facet_effect": "derived from two texts by the contract's language",
    "requirement": "derived from the accepted tasks",
    "requirement_pattern": "derived from the accepted tasks",
    "subscription": "derived from the installed sources",
    "step_instance": "where the choreography stands now",
    "deadline": "what is armed now",
    "instance_count": "how many keys there are under a template: counted again where it is missing",
    "idempotency": "answers to repeated calls",
    "compaction": "written by a compaction alone",
    "pattern": "names of patterns; which a component listed is part of its content",
}
"""Tables of the spec that say what follows from history and no history themselves."""

NOT_CHECKED = {
    ("board", "store_time"),
    ("board", "installed"),
    ("board", "mode"),
    ("board", "mode_reason"),
    ("board", "library"),
    ("key", "question_revision"),
    ("verdict", "settles_suspicion"),  # follows from the history
}

HISTORY = sorted(name for name in schema.metadata.tables if name not in schema.CONTROL and name not in NOT_HISTORY)


@pytest.fixture(scope="module")
def full(tmp_path_factory, given):
    """Return the place of a closed board that has rows in every table of the spec, and its head."""
    place = tmp_path_factory.mktemp("chain") / "full.db"
    with Blackboard.open(place, create=True) as board:
        board.install(team())
        to = given(board)
        to.asked("api/page", by="art")
        to.asked("api/ids", by="art")
        to.proposed("api/ids", {"kind": "int"}, by="art")
        to.voted("api/ids", 1, by="rev-1")
        to.voted("api/ids", 1, by="rev-2")
        with board.transaction("boss", role="operator") as transaction:
            transaction.decisions("api/*")
            transaction.write("server", {"a.py": "1", "b.py": "2"})
            transaction.decide("task/server", Contract.task(summary="build", uses=["api/ids", "db/*"]))
        to.judged("server", passed=True, by="test")
        to.proposed("api/ids", {"kind": "text"}, by="art")
        to.decided("api/ids", {"kind": "uuid"}, role="operator")
        to.decided("api/page", 20, role="operator")
        to.decided("db/ids", 1, role="operator")
        with board.transaction("boss", role="operator") as transaction:
            transaction.decision("db/ids")
            transaction.retract("db/ids", reason="wrong")
        head = board.verify()
        assert board.verify(known_head=head) == head
    checkpoint(place)
    return place, head


def checkpoint(place) -> None:
    raw = sqlite3.connect(place)
    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()


def other(value):
    """Return another value of the same type."""
    match value:
        case bytes():
            return value + b"x"
        case int() | float():
            return value + 1
        case None:
            return "x"
    return f"{value}x"


def unnoticed(place, head, table, folder, *, but, told=(Damaged, Forked)):
    """Change each column of the first and last row of a table, and delete the row, each in a copy.

    Returns:
        What verifying the chain does not notice, and how much was tried.
    """
    columns = [column.name for column in schema.metadata.tables[table].columns]
    raw = sqlite3.connect(place)
    rows = raw.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall()
    raw.close()
    where = " AND ".join(f"{column} IS ?" for column in columns)
    missed, tried = [], 0
    for row, column in itertools.product({rows[0], rows[-1]}, [*columns, None]):
        if (table, column) in but:
            continue
        copy = folder / "copy.db"
        shutil.copy(place, copy)
        raw = sqlite3.connect(copy)
        try:
            if column is None:
                raw.execute(f"DELETE FROM {table} WHERE {where}", row)
            else:
                changed = other(row[columns.index(column)])
                raw.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (changed, *row))
            raw.commit()
        except sqlite3.IntegrityError:
            continue  # the table does not take such a row
        finally:
            raw.close()
        tried += 1
        try:
            with Blackboard.open(copy, durability="normal") as board:
                board.verify(known_head=head)
        except told:
            pass
        else:
            missed.append((column, row))
        for rest in ("", "-wal", "-shm"):
            copy.with_name(copy.name + rest).unlink(missing_ok=True)
    return missed, tried


def test_the_full_board_has_rows_in_every_table_of_the_spec(full):
    raw = sqlite3.connect(full[0])
    empty = [name for name in HISTORY if raw.execute(f"SELECT count(*) FROM {name}").fetchone()[0] == 0]
    raw.close()
    assert empty == []


@pytest.mark.parametrize("table", HISTORY)
def test_every_changed_or_missing_row_of_history_is_found(full, table, tmp_path):
    place, head = full
    missed, tried = unnoticed(place, head, table, tmp_path, but=NOT_CHECKED)
    assert missed == []
    assert tried > 0


@pytest.mark.parametrize(
    "row",
    [
        "vote VALUES ((SELECT id FROM key WHERE key = 'api/ids'), 1, 'rev-3', 0, '', 5)",
        "key_history VALUES ((SELECT id FROM key WHERE key = 'api/ids'), 99, 1, 'accepted')",
        "question VALUES ((SELECT id FROM key WHERE key = 'api/ids'), 9, 'really?', '[]', 'ann', NULL, NULL)",
        "component_version VALUES ((SELECT id FROM key WHERE key = 'server'), 2, 'ann', NULL, '1:0', 9)",
        "verdict VALUES ('unit', (SELECT id FROM key WHERE key = 'server'), 9, 1, 0, '', '', 'ann', 0)",
        "current_facet VALUES ((SELECT id FROM key WHERE key = 'api/ids'), 'more', 9, '1:0')",
        "component_file SELECT key_id, version, 'more.py', blob FROM component_file WHERE path = 'a.py'",
        "commit_log VALUES (99, '1:0', 'ann', NULL, 0, NULL, NULL)",
        "key VALUES (999, 'made/up', 'decision', 'accepted', 1, 1, '1:0', 1, 1, 1, 0, 1, NULL, NULL, NULL)",
    ],
    ids=lambda row: row.split()[0],
)
def test_every_added_row_is_found(full, row, tmp_path):
    place, head = full
    copy = tmp_path / "copy.db"
    shutil.copy(place, copy)
    raw = sqlite3.connect(copy)
    raw.execute(f"INSERT INTO {row}")
    raw.commit()
    raw.close()
    with Blackboard.open(copy) as board, pytest.raises(Damaged):
        board.verify(known_head=head)


def test_the_damaged_place_is_named_in_the_boards_words(full, tmp_path):
    copy = tmp_path / "copy.db"
    shutil.copy(full[0], copy)
    raw = sqlite3.connect(copy)
    raw.execute("UPDATE version SET text = '{\"kind\": \"bool\"}' WHERE text LIKE '%uuid%'")
    raw.commit()
    raw.close()
    with Blackboard.open(copy) as board, pytest.raises(Damaged) as found:
        board.verify()
    assert "api/ids" in found.value.where
    assert found.value.location == str(copy)


def test_a_history_written_anew_from_the_start_is_another_one(full, tmp_path, given):
    """Whoever can write the file can write a whole chain; only a head that somebody remembers shows it."""
    _, head = full
    with Blackboard.open(tmp_path / "forged.db", create=True) as forged:
        for number in range(head.revision):
            given(forged).decided(f"k{number}", 1)
    raw = sqlite3.connect(tmp_path / "forged.db")
    raw.execute("UPDATE board SET epoch = ?", (head.epoch,))
    raw.commit()
    raw.close()
    with Blackboard.open(tmp_path / "forged.db") as board:
        board.verify()
        with pytest.raises(Forked):
            board.verify(known_head=head)


def test_a_known_head_of_another_epoch_is_forked(board, given):
    given(board).decided("api/ids", "int")
    head = board.cursor
    with pytest.raises(Forked):
        board.verify(known_head=Cursor("another", head.revision, head.digest))
    with pytest.raises(Forked):
        board.verify(known_head=Cursor(head.epoch, head.revision, "1:0"))
    with pytest.raises(Forked):
        board.verify(known_head=Cursor(head.epoch, 2, head.digest))
    assert board.verify(known_head=Cursor(head.epoch, 0, "")) == head


def test_every_commit_moves_the_digest_and_an_old_head_stays_known(board, given):
    heads = [board.cursor]
    for number in range(5):
        given(board).decided("api/ids", number)
        heads.append(board.cursor)
    assert len({head.digest for head in heads}) == 6
    for head in heads:
        assert board.verify(known_head=head) == heads[-1]


def test_two_boards_with_the_same_history_have_different_epochs(given):
    with Blackboard.in_memory() as one, Blackboard.in_memory() as two:
        assert one.cursor.epoch != two.cursor.epoch


# --- copies ----------------------------------------------------------------------------------------------------------


def test_a_backup_is_the_board_and_stays_as_it_is(board, given, tmp_path):
    given(board).decided("api/ids", "int")
    given(board).written("server", uses=["api/ids"])
    head = board.cursor
    assert board.backup(tmp_path / "copy.db") == 2
    given(board).decided("api/ids", "text")
    with Blackboard.open(tmp_path / "copy.db") as copy:
        assert copy.verify(known_head=head) == head
        assert copy.snapshot().decision("api/ids").value == "int"
        assert copy.snapshot().component("server").state == "current"
        assert given(copy).decided("api/page", 20).revision == 3
    assert board.snapshot().decision("api/page") is None


def test_a_backup_never_writes_over_anything(board, given, tmp_path):
    given(board).decided("api/ids", "int")
    there = tmp_path / "there.db"
    there.write_text("mine")
    with pytest.raises(NotABoard):
        board.backup(there)
    assert there.read_text() == "mine"
    with pytest.raises(NotABoard):
        board.backup(tmp_path)
    with pytest.raises(Unavailable):
        board.backup(tmp_path / "none" / "copy.db")
    with pytest.raises((ReadOnly, Unavailable)):
        board.backup("/proc/copy.db")


def test_a_backup_taken_while_others_write_is_whole(file_board, given, tmp_path):
    import threading

    board, stop = file_board, threading.Event()

    def write():
        number = 0
        while not stop.is_set():
            number += 1
            with board.transaction("bob") as transaction:
                transaction.decide(f"k{number}/a", Contract.value(number))
                transaction.decide(f"k{number}/b", Contract.value(number))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        revisions = [board.backup(tmp_path / f"copy{number}.db") for number in range(3)]
    finally:
        stop.set()
        writer.join()
    for number, revision in enumerate(revisions):
        with Blackboard.open(tmp_path / f"copy{number}.db") as copy:
            assert copy.verify().revision == revision
