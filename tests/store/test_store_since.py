"""What changed lately, as a transaction that writes knows it: what the feed tells, and nothing that was undone."""

import pytest

from blackboard.spec.halt import HaltAct
from blackboard.store import operate
from blackboard.store.audit import write_act
from blackboard.store.operate import Operator
from blackboard.store.statements import Statement

_KEY = Statement("SELECT id, key FROM key WHERE key = :key")


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (4, 3, 2, 1, 0), (2, 4, 0, 3, 1)])
def test_it_is_what_the_feed_tells_whatever_was_asked_before(board, given, order):
    given(board).decided("api/ids", "int")
    given(board).written("server")
    given(board).decided("api/ids", "text")
    given(board).decided("db/ids", "int")
    changes = list(board.changes(after=0))
    with board.store.writer.turn() as turn:
        for after in order:
            changed = {change.key for change in changes if change.revision > after}
            assert turn.since.changed(turn, after) == changed
            assert turn.since.built(after) is (after < 2)


def test_after_an_act_on_the_whole_board_it_may_be_anything(board, given):
    given(board).decided("api/ids", "int")
    operate.halt(board.store, Operator("boss", reason="an audit"), HaltAct.PAUSE)
    given(board).decided("db/ids", "int")
    with board.store.writer.turn() as turn:
        assert [turn.since.changed(turn, after) for after in (2, 1, 0)] == [{"db/ids"}, None, None]


def test_who_comes_next_in_a_transaction_knows_what_stands_and_not_what_was_undone(board, given):
    for key in ("api/ids", "db/ids", "web/ids"):
        given(board).decided(key, "int")
    session = board.store.writer.session

    def begin(key):
        turn = session.turn()
        known = turn.revision, turn.since.changed(turn, 2)
        act = {"kind": "retried", "author": "boss", "reason": "again"}
        write_act(turn, **act, key=None if key is None else turn.one(_KEY, {"key": key}))
        return known, turn

    with pytest.raises(ZeroDivisionError), board.store.writer.transaction() as connection:
        known, turn = begin("api/ids")
        assert known == (3, {"web/ids"})
        session.end(turn)
        connection.raw.execute("SAVEPOINT member")
        known, _ = begin("db/ids")
        assert known == (4, {"web/ids", "api/ids"})
        connection.raw.execute("ROLLBACK TO member")
        known, turn = begin(None)
        assert known == (4, {"web/ids", "api/ids"})
        session.end(turn, savepoint=True)
        last = session.turn()
        assert (last.revision, last.since.changed(last, 2)) == (5, None)
        raise ZeroDivisionError
    with board.store.writer.turn() as turn:
        assert (turn.revision, turn.since.changed(turn, 2)) == (3, {"web/ids"})
