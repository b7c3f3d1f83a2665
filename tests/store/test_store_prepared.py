"""What can be done before a turn is done by the one who leads, while the group before is made durable."""

import threading

import pytest
from queueing import Interrupted, fail, names_noted, noting, queued, run_behind

from blackboard import Contract, IllegalTransition, transaction


def test_what_can_be_done_before_the_turn_is_done_for_those_who_wait_by_the_one_who_leads(file_board):
    writer, done, turns = file_board.store.writer, [], []

    def take(name):
        def before():
            done.append((name, threading.current_thread().name, writer.session.in_transaction))

        writer.run(noting(name, lambda _: turns.append(name)), before=before)

    threads = [threading.Thread(target=take, args=(name,), name=name) for name in "abc"]
    run_behind(file_board, threads)
    assert done == [("a", "a", False), ("b", "a", False), ("c", "a", False)]
    assert names_noted(file_board) == turns == ["a", "b", "c"]


@pytest.mark.parametrize("place", range(2))
def test_one_for_whom_that_fails_gets_no_turn_and_the_others_get_theirs(file_board, place):
    writer, answers = file_board.store.writer, {}

    def take(number):
        try:
            answers[number] = writer.run(noting(f"n{number}"), before=lambda: fail(None) if number == place else None)
        except ZeroDivisionError as error:
            answers[number] = error

    threads = [threading.Thread(target=take, args=(number,)) for number in range(2)]
    run_behind(file_board, threads)
    assert isinstance(answers.pop(place), ZeroDivisionError)
    assert list(answers.values()) == names_noted(file_board) == [f"n{1 - place}"]


def test_the_next_group_is_prepared_while_the_one_before_it_is_made_durable(file_board):
    writer, prepared = file_board.store.writer, threading.Event()
    commit, seen = writer.session.commit, []
    second = threading.Thread(target=lambda: writer.run(noting("second"), before=prepared.set))

    def slow(key):
        if not seen:
            seen.append(second.start())
            assert prepared.wait(30)
            assert not names_noted(file_board)
        commit(key)

    writer.session.commit = slow
    writer.run(noting("first"))
    second.join(timeout=30)
    assert names_noted(file_board) == ["first", "second"]


def test_a_member_whose_leader_is_interrupted_at_its_commit_is_run_again(file_board):
    """It has handed the leadership on by then, to nobody."""
    writer, answers, interrupts = file_board.store.writer, [], [Interrupted]
    commit = writer.session.commit

    def interrupted(key):
        if interrupts and writer._queue.busy is False:
            raise interrupts.pop()
        commit(key)

    def lead():
        with pytest.raises(Interrupted):
            writer.run(noting("leader"))

    threads = [
        threading.Thread(target=lead),
        threading.Thread(target=lambda: answers.append(writer.run(noting("member")))),
    ]
    run_behind(file_board, threads, lambda: setattr(writer.session, "commit", interrupted))
    assert (answers, names_noted(file_board), interrupts) == (["member"], ["member"], [])
    assert writer.run(noting("later")) == "later"


def test_a_plan_that_may_take_long_is_made_by_who_wants_it(file_board, monkeypatch):
    planned, early, plan = {}, {}, transaction.plan

    def noting_who(facts, intent):
        planned[intent.author] = threading.current_thread().name
        return plan(facts, intent)

    monkeypatch.setattr(transaction, "plan", noting_who)

    def write(author, text):
        with file_board.transaction(author) as writing:
            writing.decide(f"{author}/k", Contract.value(text))

    def vote():
        # What it would accept may be as long.
        with pytest.raises(IllegalTransition), file_board.transaction("zoe") as voting:
            voting.vote("zoe/k", version=1, approve=True)

    texts = {"ann": "short", "bob": "short", "eve": "long" * 5_000}
    threads = [threading.Thread(target=write, args=each, name=each[0]) for each in texts.items()]
    threads.append(threading.Thread(target=vote, name="zoe"))
    run_behind(file_board, threads, lambda: early.update(planned))
    assert early == {"eve": "eve", "zoe": "zoe"}
    assert planned == {"ann": "ann", "bob": "ann", "eve": "eve", "zoe": "zoe"}
    assert file_board.revision == 3


def test_who_reads_does_not_get_the_connection_that_somebody_waits_to_write_on(file_board):
    writer, lent = file_board.store.writer, []
    lend = writer.session.lend
    writer.session.lend = lambda: (lent.append(len(noting_done)), lend())
    noting_done = []
    waiting = threading.Thread(target=lambda: writer.run(noting("waits", noting_done.append)))
    with writer.turn():
        waiting.start()
        queued(file_board, 1)
    waiting.join(timeout=30)
    assert lent == [1]
