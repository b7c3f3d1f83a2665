"""Interrupts, wherever they come: nobody waits for ever for it, and nobody's work is done twice."""

import sqlite3
import threading

import pytest
from queueing import Interrupted, names_noted, noting, run_behind

from blackboard import Blackboard
from blackboard.store.queue import Member


@pytest.fixture
def behind(file_board):
    """Return a way to run works, each in a thread of its own, that queue in order while a turn is held."""

    def run(*works, armed=lambda: None):
        writer, answers = file_board.store.writer, {}

        def take(number, work):
            try:
                answers[number] = writer.run(work)
            except Interrupted as error:
                answers[number] = error

        threads = [
            threading.Thread(target=take, args=each, name=f"{each[0]}", daemon=True) for each in enumerate(works)
        ]
        run_behind(file_board, threads, armed)
        return answers

    return run


class _Interrupting:
    """A lock that is interrupted when it has been acquired, before whoever asked for it notes that."""

    def __init__(self, lock):
        self.lock, self.interrupts = lock, [Interrupted]

    def acquire(self, **patience):
        got = self.lock.acquire(**patience)
        if self.interrupts and got:
            raise self.interrupts.pop()
        return got

    def release(self):
        self.lock.release()


@pytest.mark.parametrize("alone", [False, True])
def test_an_interrupt_just_when_the_turn_comes_ends_the_turn(file_board, behind, alone):
    writer = file_board.store.writer
    writer._turn = _Interrupting(writer._turn)
    with pytest.raises(Interrupted):
        if alone:
            with writer.turn():
                pytest.fail("it has a turn")
        else:
            writer.run(noting("mine"))
    writer._turn = writer._turn.lock
    assert behind(noting("a"), noting("b")) == {0: "a", 1: "b"}
    assert names_noted(file_board) == ["a", "b"]


def test_an_interrupt_just_when_somebody_begins_to_lead_ends_the_leadership(file_board, behind):
    writer, interrupts = file_board.store.writer, [Interrupted]
    lead = writer._lead

    def interrupted(own):
        if interrupts:
            raise interrupts.pop()
        lead(own)

    answers = behind(noting("a"), noting("b"), armed=lambda: setattr(writer, "_lead", interrupted))
    assert isinstance(answers[0], Interrupted)
    assert answers[1] == "b"
    assert names_noted(file_board) == ["b"]


def test_who_left_while_its_leader_was_at_work_is_not_put_back_when_that_one_is_interrupted_too(
    file_board, behind, monkeypatch
):
    """Made the next leader, it would keep all others waiting: nobody is there."""
    leads, left, waits = threading.Event(), threading.Event(), Member.wait
    queue = file_board.store.writer._queue
    leave = queue._leave

    def lead(_turn):
        leads.set()
        assert left.wait(30)
        raise Interrupted

    def wait(member):
        if threading.current_thread().name != "1":
            return waits(member)
        assert leads.wait(30)
        raise Interrupted

    monkeypatch.setattr(Member, "wait", wait)
    queue._leave = lambda member: (leave(member), left.set())
    answers = behind(lead, noting("left"))
    assert isinstance(answers[0], Interrupted)
    assert isinstance(answers[1], Interrupted)
    assert behind(noting("later")) == {0: "later"}
    assert names_noted(file_board) == ["later"]


@pytest.mark.parametrize("done", [True, False])
def test_a_member_whose_leader_is_interrupted_after_its_commit_is_run_again_if_that_failed(file_board, behind, done):
    session, runs, interrupts = file_board.store.writer.session, [], []
    commit = session.commit

    def interrupted(key):
        if not interrupts:
            # Of the turn behind which they queue.
            interrupts.append(Interrupted)
            return commit(key)
        session.commit = commit
        if done:
            commit(key)
            raise Interrupted
        try:
            session.roll_back()
            raise sqlite3.OperationalError
        except sqlite3.Error:
            raise Interrupted  # noqa: B904 - as it comes

    session.commit = interrupted
    answers = behind(noting("leader"), noting("member", runs.append))
    assert isinstance(answers[0], Interrupted)
    assert answers[1] == "member"
    assert (len(runs), names_noted(file_board)) == ((1, ["leader", "member"]) if done else (2, ["member"]))


@pytest.mark.parametrize("done", [True, False])
def test_one_interrupted_at_its_own_commit_leaves_nothing_open_and_remembers_no_head(file_board, given, done):
    given(file_board).decided("api/ids", "int")
    transaction = file_board.transaction("ann")
    assert transaction.decision("api/ids").value == "int"
    transaction.ask("db/ids", "which?")
    session = file_board.store.writer.session
    commit = session.commit

    def interrupted(key):
        session.commit = commit
        if done:
            session.connection().raw.execute("COMMIT")
        raise Interrupted

    session.commit = interrupted
    with pytest.raises(Interrupted), file_board.store.writer.turn() as turn:
        noting("mine")(turn)
    assert session._last is None
    assert not session.in_transaction
    with Blackboard.open(file_board.store.location) as other:
        given(other).asked("web/ids", "which?")
        given(other).decided("api/names", "text")
    assert transaction.commit().revision == 4
    assert file_board.snapshot().decision("api/names").value == "text"
    assert names_noted(file_board) == (["mine"] if done else [])
