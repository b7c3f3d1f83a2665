"""A copy of a board is a board of its own: of a new epoch, without the leases of the one that was copied."""

import pytest
from examinations import sound

from blackboard import Blackboard, Contract, Forked, LeaseLost
from blackboard.store.feed import Cursor


def test_a_copy_is_of_a_new_epoch_and_says_who_made_it(file_board, location, given, tmp_path):
    given(file_board).decided("k", 1)
    head = file_board.cursor
    copied = file_board.copy(tmp_path / "own.db", author="ann")
    assert file_board.cursor == head
    with Blackboard.open(tmp_path / "own.db") as own:
        assert own.cursor == copied
        assert copied.epoch != head.epoch
        assert copied.revision == head.revision + 1
        raw = own.store.database.connect().raw
        row = raw.execute("SELECT kind, key_id, author, reason FROM change ORDER BY revision DESC LIMIT 1").fetchone()
        raw.close()
        assert tuple(row) == ("copied", None, "ann", f"of epoch {head.epoch} at revision 1")
        for cursor in (head, Cursor(head.epoch, 0, "")):
            with pytest.raises(Forked):
                own.changes(after=cursor)
            with pytest.raises(Forked):
                own.verify(known_head=cursor)
        assert own.snapshot().decision("k").value == 1
    assert sound(tmp_path / "own.db", copied)


def test_a_lease_of_the_board_that_was_copied_is_void_in_the_copy(location, given, voting_team, tmp_path):
    with Blackboard.open(location, create=True) as board:
        board.install(voting_team())
        given(board).asked("api/ids", by="art")
        (lease,) = board.claim("art")
        board.copy(tmp_path / "own.db", author="ann")
        lease.renew()
        with Blackboard.open(tmp_path / "own.db") as own:
            transaction = own.transaction("art")
            transaction.propose("api/ids", Contract.value("int"))
            transaction._token = lease.token
            with pytest.raises(LeaseLost):
                transaction.commit()
            (again,) = own.claim("art")
            assert again.token > lease.token


def test_a_copied_board_is_copied_again(file_board, given, tmp_path):
    given(file_board).decided("k", 1)
    file_board.copy(tmp_path / "one.db", author="ann")
    with Blackboard.open(tmp_path / "one.db") as one:
        given(one).decided("k", 2)
        one.copy(tmp_path / "two.db", author="bob")
    with Blackboard.open(tmp_path / "two.db") as two:
        assert two.verify() == two.cursor
        assert [change.kind for change in two.changes(after=0)].count("copied") == 2
