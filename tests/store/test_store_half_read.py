"""An answer that is read by half leaves nothing open: not on the writer's connection either, which is used again."""

import pytest

from blackboard import Blackboard, Contract, Damaged
from blackboard.store.statements import Statement

NO_TEXT = Statement("SELECT 'a' AS x UNION ALL SELECT CAST(x'ff' AS TEXT) FROM board UNION ALL SELECT 'b' FROM board")


def test_a_writer_goes_on_after_an_answer_that_could_not_be_read_to_its_end(location, given):
    with Blackboard.open(location, create=True) as board, Blackboard.open(location) as other:
        given(board).decided("api/ids", "int")
        with pytest.raises(Damaged):
            board.store.writer.run(lambda turn: turn.all(NO_TEXT))
        given(other).decided("api/names", "text")
        # At once, not after the time for which a busy board is waited for.
        with board.transaction("ann") as transaction:
            transaction.decide("api/dates", Contract.value("iso"))
        assert board.revision == 3


def test_an_interrupt_between_two_rows_leaves_nothing_open(location, given):
    class Interrupting:
        """Rows of which the second cannot be fetched."""

        def __init__(self, cursor):
            self.cursor = cursor

        def execute(self, *asked):
            self.cursor.execute(*asked)
            return self

        def fetchall(self):
            raise KeyboardInterrupt

        def close(self):
            self.cursor.close()

    with Blackboard.open(location, create=True) as board, Blackboard.open(location) as other:
        given(board).decided("api/ids", "int")

        def interrupted(turn):
            turn.connection._cursor = Interrupting(turn.connection._cursor)
            turn.all(Statement("SELECT 1 FROM board UNION ALL SELECT 2 FROM board"))

        with pytest.raises(KeyboardInterrupt):
            board.store.writer.run(interrupted)
        given(other).decided("api/names", "text")
        assert given(board).decided("api/dates", "iso").revision == 3
