"""S5 and 5.2: a repeated commit counts once, another content under its key is refused, *unknown* can be resolved."""

import sqlite3

import pytest

from blackboard import CommitUnknown, Conflict, Contract, InvalidKey, KeyReused, NotPermitted, Sealed
from blackboard.spec.changes import Committed
from blackboard.spec.halt import HaltAct
from blackboard.store import commit as commits
from blackboard.store import operate
from blackboard.store.operate import Operator


def deciding(board, key, value, *, by="ann", name="call-1", read=False):
    transaction = board.transaction(by, idempotency_key=name)
    if read:
        transaction.decision(key)
    transaction.decide(key, Contract.value(value))
    return transaction


def test_the_same_content_again_returns_the_first_result(board):
    first = deciding(board, "api/ids", "int").commit()
    assert first == Committed(1, (("api/ids", 1),), 0)
    assert deciding(board, "api/ids", "int").commit() == first
    assert board.revision == 1


def test_a_repeated_commit_returns_the_first_result_whatever_happened_since(board, given):
    given(board).decided("api/ids", "int")
    first = deciding(board, "api/ids", "text", read=True).commit()
    late = deciding(board, "api/ids", "text", read=True)
    given(board).decided("api/ids", "uuid")
    assert late.commit() == first
    assert board.snapshot().decision("api/ids").value == "uuid"


def test_a_repeated_commit_counts_once_even_where_its_reads_no_longer_hold(board, given):
    given(board).decided("api/ids", "int")
    one, again = deciding(board, "sum", 1), deciding(board, "sum", 1)
    for transaction in (one, again):
        transaction.decision("api/ids")
    first = one.commit()
    given(board).decided("api/ids", "text")
    assert again.commit() == first


def test_other_content_under_the_same_key_is_refused(board):
    deciding(board, "api/ids", "int").commit()
    for other in (deciding(board, "api/ids", "text", read=True), deciding(board, "api/page", "int")):
        with pytest.raises(KeyReused) as refused:
            other.commit()
        assert (refused.value.idempotency_key, refused.value.author) == ("call-1", "ann")
        assert not refused.value.declared_void
    assert board.revision == 1


@pytest.mark.parametrize(
    "act",
    [
        lambda tx, n: tx.ask("q/a", "which?", options=[n]),
        lambda tx, n: tx.propose("p/a", Contract.value(n), rationale="r"),
        lambda tx, n: tx.decide("d/a", Contract.value(1), rationale=f"because {n}"),
        lambda tx, n: tx.write("server", {"a.py": f"{n}"}),
        lambda tx, n: tx.write("server", {f"{n}.py": ""}),
        lambda tx, n: tx.verdict("unit", "built", passed=n == 1),
        lambda tx, n: tx.verdict("unit", "built", passed=True, log=f"{n}"),
        lambda tx, n: tx.retract("gone", reason=f"{n}"),
    ],
)
def test_every_part_of_the_content_counts(board, given, act):
    given(board).written("built")
    given(board).decided("gone", 1)

    def attempt(number):
        transaction = board.transaction("ann", idempotency_key="call-1")
        transaction.decision("gone")
        act(transaction, number)
        return transaction.commit()

    first = attempt(1)
    assert attempt(1) == first
    with pytest.raises(KeyReused):
        attempt(2)


def test_an_idempotency_key_belongs_to_its_author(board):
    deciding(board, "api/ids", "int", by="ann").commit()
    assert deciding(board, "api/page", 20, by="bob").commit().revision == 2
    assert board.find_commit("call-1", author="ann").revision == 1
    assert board.find_commit("call-1", author="bob").revision == 2


def test_a_refused_commit_does_not_use_its_key_up(board, given):
    given(board).decided("api/ids", "int")
    with pytest.raises(Conflict):
        deciding(board, "api/ids", "text").commit()
    assert deciding(board, "api/ids", "text", read=True).commit().revision == 2


def test_what_is_refused_under_the_row_does_not_use_its_key_up(board):
    """The key is written down first where nothing came between, and goes with all else."""
    boss = Operator("boss", reason="an audit")
    operate.halt(board.store, boss, HaltAct.SEAL)
    with pytest.raises(Sealed):
        deciding(board, "api/ids", "int").commit()
    operate.halt(board.store, boss, HaltAct.UNSEAL)
    assert deciding(board, "api/ids", "text").commit().accepted == (("api/ids", 1),)


def test_agreement_is_remembered_like_any_result(board):
    deciding(board, "api/ids", "int", by="ann").commit()
    agreed = deciding(board, "api/ids", "int", by="bob").commit()
    assert agreed == Committed(1, (), 1)
    assert deciding(board, "api/ids", "int", by="bob").commit() == agreed
    assert board.find_commit("call-1", author="bob") == agreed


def test_find_commit_says_what_a_key_committed(board):
    done = deciding(board, "api/ids", "int").commit()
    assert board.find_commit("call-1", author="ann") == done
    assert board.find_commit("call-1", author="ann") == done


def test_find_commit_says_no_for_ever(board):
    delayed = deciding(board, "api/ids", "int")
    assert board.find_commit("call-1", author="ann") is None
    with pytest.raises(KeyReused) as refused:
        delayed.commit()
    assert refused.value.declared_void
    assert board.find_commit("call-1", author="ann") is None
    assert board.revision == 0
    assert deciding(board, "api/ids", "int", name="call-2").commit().revision == 1


def test_find_commit_moves_nothing(board, given):
    given(board).decided("api/ids", "int")
    head = board.cursor
    assert board.find_commit("call-1", author="ann") is None
    assert board.cursor == head
    assert board.verify() == head


@pytest.mark.parametrize("name", ["\ud800", "a" * 10_000, "nul\0inside", "line\nbreak"])
def test_a_key_that_no_store_can_carry_is_refused_as_such(board, name):
    for call in (
        lambda: deciding(board, "api/ids", "int", name=name).commit(),
        lambda: board.find_commit(name, author="ann"),
    ):
        with pytest.raises(InvalidKey):
            call()
    assert board.revision == 0


def test_a_key_made_up_by_the_board_is_never_the_same(board):
    for number in range(20):
        with board.transaction("ann") as transaction:
            transaction.decide(f"k{number}", Contract.value(1))
    assert board.revision == 20


# --- the answer is lost at COMMIT ------------------------------------------------------------------------------------


class Unreliable:
    """A driver's connection whose next COMMIT fails, before or after it happened."""

    def __init__(self, raw, *, happens: bool) -> None:
        self._raw = raw
        self._happens = happens
        self.failed = False

    def execute(self, text, *parameters):
        if text == "COMMIT" and not self.failed:
            self.failed = True
            if self._happens:
                self._raw.execute("COMMIT")
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error
        return self._raw.execute(text, *parameters)

    def __getattr__(self, name):
        return getattr(self._raw, name)


@pytest.mark.parametrize("happens", [True, False])
def test_a_failure_at_commit_is_unknown_until_it_is_looked_up(file_board, given, happens):
    board = file_board
    given(board).decided("api/ids", "int")
    board.store.writer.session.connection().raw = Unreliable(
        board.store.writer.session.connection().raw, happens=happens
    )
    with pytest.raises(CommitUnknown) as unknown:
        deciding(board, "api/page", 20, name="call-9").commit()
    assert unknown.value.idempotency_key == "call-9"
    found = board.find_commit("call-9", author="ann")
    assert found == (Committed(2, (("api/page", 1),), 1) if happens else None)
    assert (board.snapshot().decision("api/page") is not None) is happens
    if happens:
        assert deciding(board, "api/page", 20, name="call-9").commit() == found
    else:
        with pytest.raises(KeyReused):
            deciding(board, "api/page", 20, name="call-9").commit()
    assert given(board).decided("api/size", 1).revision == (3 if happens else 2)
    board.verify()


@pytest.mark.parametrize("happens", [True, False])
def test_repeating_an_unknown_commit_under_its_key_applies_it_once(file_board, given, happens):
    board = file_board
    given(board).decided("api/ids", "int")
    board.store.writer.session.connection().raw = Unreliable(
        board.store.writer.session.connection().raw, happens=happens
    )
    with pytest.raises(CommitUnknown):
        deciding(board, "api/page", 20, name="call-9").commit()
    done = deciding(board, "api/page", 20, name="call-9").commit()
    assert done == Committed(2, (("api/page", 1),), 1)
    assert board.revision == 2
    assert [version.version for version in board.snapshot().versions("api/page")] == [1]


def test_an_error_before_commit_is_no_unknown(file_board, given, monkeypatch):
    board = file_board
    given(board).decided("api/ids", "int")
    # When all of it is written, its key too.
    applied = commits._apply
    monkeypatch.setattr(commits, "_apply", lambda *arguments: applied(*arguments) and 1 / 0)
    with pytest.raises(ZeroDivisionError):
        deciding(board, "api/page", 20).commit()
    monkeypatch.undo()
    assert board.revision == 1
    assert deciding(board, "api/page", 20).commit().revision == 2


def test_a_replay_is_recognised_before_rights_are_asked(board, voting_team):
    board.install(voting_team(votes=1))
    with board.transaction("art") as transaction:
        transaction.propose("api/ids", Contract.value("int"))

    def vote(name):
        transaction = board.transaction("rev-1", idempotency_key=name)
        transaction.vote("api/ids", version=1, approve=True)
        return transaction.commit()

    first = vote("my vote")
    assert vote("my vote") == first
    transaction = board.transaction("rev-1", idempotency_key="another")
    transaction.propose("api/ids", Contract.value("text"))
    with pytest.raises(NotPermitted):
        transaction.commit()
