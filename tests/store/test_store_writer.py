"""The writer: one turn after the other, in the order of arrival, whatever happens to those who wait."""

import contextlib
import signal
import sqlite3
import threading
import time

import pytest
from queueing import INSERT, Interrupted, fail, names_noted, noting, queued, run_behind

from blackboard import Blackboard, CommitUnknown, Conflict, Contract, Full, Reserved, StoreError
from blackboard.store.statements import Statement


@pytest.fixture
def grouped(file_board):
    """Return a way to run pieces of work in one group: they queue, in order, while another turn is held."""

    def run(*works):
        writer, answers = file_board.store.writer, [None] * len(works)

        def take(number, work):
            try:
                answers[number] = writer.run(work, f"key-{number}")
            except Exception as error:  # noqa: BLE001 - it is the answer
                answers[number] = error

        threads = [threading.Thread(target=take, args=item) for item in enumerate(works)]
        run_behind(file_board, threads)
        return answers

    return run


@pytest.fixture
def noted(file_board):
    """Return the names that were noted, in order."""
    return lambda: names_noted(file_board)


LATER = Statement("PRAGMA defer_foreign_keys = ON")
NOBODY_S = Statement("INSERT INTO component_file (key_id, version, path, blob) VALUES (9, 9, 'x', 'no such blob')")


def violate(turn):
    turn.run(NOBODY_S)


def violate_at_commit(turn):
    turn.run(LATER)
    turn.run(NOBODY_S)


def let_the_engine_end_it(turn):
    turn.connection.raw.execute("ROLLBACK")
    raise ZeroDivisionError


def commits(board):
    """Return a counter of the COMMITs of a board's writer, and count from now on."""
    counted, session = [], board.store.writer.session
    commit = session.commit
    session.commit = lambda key: (counted.append(key), commit(key))
    return counted


def test_who_waits_is_served_in_the_order_of_arrival_and_with_one_commit(grouped, noted, file_board):
    counted = commits(file_board)
    assert grouped(*(noting(f"n{number}") for number in range(8))) == [f"n{number}" for number in range(8)]
    assert noted() == [f"n{number}" for number in range(8)]
    # One of the turn that was held, one of the group.
    assert len(counted) == 2


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize(
    ("bad", "error"),
    [(fail, ZeroDivisionError), (violate, StoreError), (let_the_engine_end_it, ZeroDivisionError)],
)
def test_one_that_fails_is_refused_alone(grouped, noted, place, bad, error):
    works = [noting("a"), noting("b")]
    works.insert(place, noting("bad", bad))
    answers = grouped(*works)
    assert isinstance(answers.pop(place), error)
    assert answers == ["a", "b"]
    assert noted() == ["a", "b"]


@pytest.mark.parametrize("place", range(3))
def test_one_for_whom_the_commit_fails_is_unknown_and_the_others_are_committed(grouped, noted, place):
    works = [noting("a"), noting("b")]
    works.insert(place, noting("bad", violate_at_commit))
    answers = grouped(*works)
    unknown = answers.pop(place)
    assert isinstance(unknown, CommitUnknown)
    assert unknown.idempotency_key == f"key-{place}"
    assert answers == ["a", "b"]
    assert noted() == ["a", "b"]


def test_a_full_store_refuses_who_filled_it_and_nobody_else(grouped, noted, file_board):
    raw = file_board.store.writer.session.connection().raw

    def fill(turn):
        pages = turn.connection.raw.execute("PRAGMA page_count").fetchone()[0]
        turn.connection.raw.execute(f"PRAGMA max_page_count = {pages + 4}")
        turn.connection.raw.execute("INSERT INTO blob VALUES ('large', randomblob(200000))")

    answers = grouped(noting("a"), noting("bad", fill), noting("b"))
    raw.execute("PRAGMA max_page_count = 1000000")
    assert isinstance(answers[1], Full | sqlite3.OperationalError)
    assert (answers[0], answers[2]) == ("a", "b")
    assert noted() == ["a", "b"]


def test_revisions_stay_dense_where_members_of_a_group_are_refused(file_board, given):
    board = file_board
    given(board).decided("a", 0)
    together = threading.Barrier(8)
    refused = []

    def amend(number):
        for _ in range(5):
            transaction = board.transaction(f"author-{number}")
            transaction.decision("a")
            transaction.decide("a", Contract.value([number, refused]))
            together.wait()
            try:
                transaction.commit()
            except (Conflict, Reserved):
                refused.append(number)

    threads = [threading.Thread(target=amend, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused != []
    assert sorted({one.revision for one in board.changes(after=0)}) == list(range(1, board.revision + 1))
    board.verify()


def test_who_is_interrupted_while_it_leads_loses_its_own_work_alone(file_board, noted):
    writer, answers = file_board.store.writer, []

    def interrupted(turn):
        noting("mine")(turn)
        other = threading.Thread(target=lambda: answers.append(writer.run(noting("other"))))
        other.start()
        queued(file_board, 1)
        raise Interrupted

    with pytest.raises(Interrupted):
        writer.run(interrupted)
    while not answers:
        time.sleep(0.001)
    assert noted() == ["other"]


def test_a_member_whose_leader_is_interrupted_after_its_work_ran_is_run_again(file_board, noted):
    writer, answers, runs = file_board.store.writer, [], []

    def interrupt(_turn):
        runs.append(1)
        if len(runs) == 1:
            raise Interrupted

    def lead():
        with pytest.raises(Interrupted):
            writer.run(noting("leader"))

    threads = [
        threading.Thread(target=lead),
        threading.Thread(target=lambda: answers.append(writer.run(noting("a")))),
        threading.Thread(target=lambda: answers.append(writer.run(noting("b", interrupt)))),
    ]
    run_behind(file_board, threads)
    assert (sorted(answers), noted()) == (["a", "b"], ["a", "b"])


@pytest.mark.parametrize("others", [0, 2])
def test_who_is_interrupted_while_it_waits_keeps_nobody_waiting(file_board, noted, others):
    if threading.current_thread() is not threading.main_thread():
        pytest.fail("signals reach the main thread only; run pytest in it")
    writer, held, release = file_board.store.writer, threading.Event(), threading.Event()

    def hold():
        with writer.turn():
            held.set()
            release.wait()

    def interrupt(*_):
        raise Interrupted

    def signal_when_waiting():
        queued(file_board, 1)
        for thread in takers:
            thread.start()
        queued(file_board, 1 + others)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, interrupt)
    holder = threading.Thread(target=hold)
    takers = [threading.Thread(target=writer.run, args=(noting(f"taker-{number}"),)) for number in range(others)]
    signaller = threading.Thread(target=signal_when_waiting)
    try:
        holder.start()
        held.wait()
        signaller.start()
        with pytest.raises(Interrupted):
            writer.run(noting("mine"))
    finally:
        signal.signal(signal.SIGUSR1, before)
        release.set()
    for thread in (holder, signaller, *takers):
        thread.join(timeout=30)
        assert not thread.is_alive()
    assert len(noted()) == others
    assert writer.run(noting("later")) == "later"


# --- whole boards ---


def test_eight_threads_get_their_turns_and_all_commit(file_board):
    board = file_board

    def write(author):
        for number in range(10):
            with board.transaction(author) as transaction:
                transaction.decide(f"{author}/k{number}", Contract.value(number))

    threads = [threading.Thread(target=write, args=(f"a{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert board.verify().revision == 80


def test_many_may_create_one_board_at_once(location):
    boards, failures, together = [], [], threading.Barrier(6)

    def create():
        together.wait()
        try:
            boards.append(Blackboard.open(location, create=True))
        except BaseException as error:  # noqa: BLE001 - it is looked at below
            failures.append(error)

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len({board.cursor.epoch for board in boards}) == 1
    for board in boards:
        board.close()


REVISION = Statement("SELECT revision FROM board")


def test_a_writer_goes_on_while_somebody_reads_an_old_moment_on_its_connection(file_board, given):
    given(file_board).decided("api/ids", "int")
    database, session = file_board.store.database, file_board.store.writer.session
    with database.reading() as on:
        assert on is session.connection()
        assert on.one(REVISION)["revision"] == 1
        given(file_board).decided("api/names", "text")
        assert on is not session.connection()
        assert on.one(REVISION)["revision"] == 1
    assert file_board.revision == 2


def test_nobody_reads_on_a_connection_on_which_something_is_being_written(file_board):
    database, writer = file_board.store.database, file_board.store.writer
    for ends in (contextlib.nullcontext(), pytest.raises(Interrupted)):
        with ends as raised, writer.turn() as turn, database.reading() as on:
            turn.run(INSERT, {"name": f"{raised}"})
            assert on is not turn.connection
            if raised is not None:
                raise Interrupted
        with database.reading() as on:
            assert on is writer.session.connection()
            assert on.one(Statement("SELECT count(*) AS noted FROM resource"))["noted"] == 1
