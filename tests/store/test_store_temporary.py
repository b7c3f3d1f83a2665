"""What a turn keeps to be undone, and what it sorts, is in memory: no file is made for it, and nothing large sorted."""

import threading
from pathlib import Path

import pytest
from queueing import run_behind

from blackboard import Contract
from blackboard.store.remains import _ROWS

KEYS = range(800)


def made_by_the_engine():
    """Return what the engine has open of files that it made for itself, which have no name any more."""
    opened = [one for one in Path("/proc/self/fd").iterdir() if one.is_symlink()]
    return [name for name in map(str, map(Path.readlink, opened)) if "etilqs" in name]


def test_one_that_changes_much_in_a_shared_transaction_needs_no_temporary_file(file_board):
    leader = file_board
    with leader.transaction("ann") as ann:
        for number in KEYS:
            ann.decide(f"api/k-{number:03}", Contract.value("some text of no consequence"))
    wide = leader.transaction("bea")
    for number in KEYS[::20]:
        wide.decision(f"api/k-{number:03}")
        wide.decide(f"api/k-{number:03}", Contract.value(number))
    session, looked = leader.store.writer.session, []
    commit = session.commit
    session.commit = lambda key: (looked.append(made_by_the_engine()), commit(key))
    works = (lambda: leader.store.writer.run(lambda turn: turn.keep_time()), wide.commit)
    run_behind(leader, [threading.Thread(target=work) for work in works])
    # That of who holds the turn, and that of the two who waited.
    assert looked == [[], []]
    assert leader.snapshot().decision("api/k-020").value == 20


@pytest.mark.parametrize("name", sorted(_ROWS.keys() - {"verdict"}))
def test_all_that_is_kept_from_before_is_told_in_its_order_without_being_sorted(memory_board, name):
    with memory_board.store.database.reading() as on:
        rows = on.raw.execute(f"EXPLAIN QUERY PLAN {_ROWS[name].text}", _ROWS[name].placed({"before": 9}))
        assert "USE TEMP B-TREE FOR ORDER BY" not in [row["detail"] for row in rows]
