"""A fork loses no commit: parent and child use a board after it, unless a thread was using it at that moment."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading

import pytest

from blackboard import Blackboard, Contract, Unavailable
from blackboard.store.line import Line
from blackboard.store.statements import Statement

SECONDS = 60


def forked(work):
    """Run work in a child of this process and return what waits for its end: 0 where the work returned."""
    child = os.fork()
    if child == 0:
        status = 1
        with contextlib.suppress(BaseException):
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(SECONDS)
            work()
            status = 0
        os._exit(status)
    return lambda: os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def commit(board, author, number):
    with board.transaction(author) as transaction:
        transaction.decide(f"{author}/k{number}", Contract.value(number))


def is_whole(location):
    with contextlib.closing(sqlite3.connect(location)) as raw:
        return raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def refuses(call):
    try:
        call()
    except Unavailable as error:
        return "after the fork" in str(error)
    return False


@contextlib.contextmanager
def held(hold):
    """Let another thread be in the middle of a block for as long as this one lasts."""
    holds, ends = threading.Event(), threading.Event()

    def run():
        with hold():
            holds.set()
            ends.wait(SECONDS)

    thread = threading.Thread(target=run)
    thread.start()
    assert holds.wait(SECONDS)
    try:
        yield
    finally:
        ends.set()
        thread.join()


SERVER = textwrap.dedent("""
    import os, sys
    from blackboard import Blackboard, Contract

    def commit(board, author, count):
        for number in range(count):
            with board.transaction(author) as transaction:
                transaction.decide(f"{author}/k{number}", Contract.value(number))
            os.write(1, f"{author}/k{number}\\n".encode())

    place, whose, workers = sys.argv[1], sys.argv[2], []
    board = Blackboard.open(place, create=True)
    commit(board, "parent", 3)
    for number in range(4):
        began, begun = os.pipe()
        child = os.fork()
        if child == 0:
            mine = board if whose == "inherited" else Blackboard.open(place)
            commit(mine, f"first-{number}", 2)
            os.write(begun, b"x")
            commit(mine, f"second-{number}", 25)
            mine.close()
            os._exit(0)
        os.close(begun)
        workers.append((child, began))
        commit(board, f"between-{number}", 2)
    for _, began in workers:
        os.read(began, 1)
    board.close()
    sys.exit(any([os.waitpid(child, 0)[1] for child, _ in workers]))
""")


@pytest.mark.parametrize("whose", ["inherited", "own"])
def test_a_server_that_forks_its_workers_and_closes_the_board_loses_no_commit(location, whose):
    command = [sys.executable, "-c", SERVER, location, whose]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (ran.returncode, ran.stderr) == (0, "")
    acknowledged = ran.stdout.split()
    assert len(acknowledged) == 3 + 4 * (2 + 2 + 25)
    with Blackboard.open(location) as board:
        snapshot = board.snapshot()
        assert [key for key in acknowledged if snapshot.decision(key) is None] == []
        assert board.verify().revision == len(acknowledged)
    assert is_whole(location)


def test_parent_and_child_go_on_with_what_they_had_begun(location):
    """A transaction and a snapshot hold no connection; the names of later commits are different in both."""
    with Blackboard.open(location, create=True) as board:
        commit(board, "ann", 0)
        transaction, snapshot = board.transaction("ann"), board.snapshot()
        transaction.decide("child/a", Contract.value(1))

        def work():
            assert snapshot.decision("ann/k0") is not None
            transaction.commit()
            commit(board, "ann", 1)

        assert forked(work)() == 0
        commit(board, "ann", 2)
        assert board.revision == 4
        board.verify()


def test_a_watch_goes_on_after_a_fork(location):
    with Blackboard.open(location, create=True) as board:
        commit(board, "ann", 0)
        watch = board.watch(after=0, timeout_seconds=SECONDS)
        assert next(watch).cursor.revision == 1

        def work():
            commit(board, "child", 0)
            assert next(watch).cursor.revision == 2

        assert forked(work)() == 0
        assert next(watch).cursor.revision == 2
        watch.close()


def in_turn(board):
    return board.store.writer.turn


def in_a_read(board):
    return board.store.database.reading


@pytest.mark.parametrize("use", [in_turn, in_a_read])
@pytest.mark.parametrize("where", ["another thread", "the thread that forks"])
def test_a_child_refuses_a_board_that_was_in_use_at_the_fork(location, use, where):
    with Blackboard.open(location, create=True) as board:
        commit(board, "ann", 0)
        (location.parent / "other-name.db").symlink_to(location)

        def work():
            assert refuses(lambda: board.revision)
            assert refuses(lambda: commit(board, "child", 0))
            assert refuses(lambda: board.find_commit("call-1", author="ann"))
            assert refuses(lambda: Blackboard.open(location))
            assert refuses(lambda: Blackboard.open(location.parent / "other-name.db"))
            board.close()
            # A child of the child has the same table of locks.
            assert forked(lambda: refuses(lambda: Blackboard.open(location)) or os._exit(1))() == 0

        with held(use(board)) if where == "another thread" else use(board)():
            assert forked(work)() == 0
        commit(board, "ann", 1)
        assert board.verify().revision == 2
    assert is_whole(location)


def test_a_child_that_ends_in_the_middle_of_its_parents_commit_does_not_touch_it(location, given):
    """The interpreter destroys what is left at its end, and SQLite would roll back in memory that both share."""
    program = textwrap.dedent("""
        import os, sys
        from blackboard import Blackboard, Contract, Unavailable
        from blackboard.store.statements import Statement

        board = Blackboard.open(sys.argv[1])
        insert = Statement("INSERT INTO blob VALUES (:name, randomblob(3000))")
        count = Statement("SELECT count(*) AS n, sum(length(content)) AS bytes FROM blob")
        try:
            with board.store.writer.turn() as turn:
                # Pages go to the log before the commit.
                turn.connection.raw.execute("PRAGMA cache_size = 5")
                turn.run_many(insert, [{"name": f"a{number}"} for number in range(100)])
                if os.fork() == 0:
                    turn.all(count)
                assert os.waitstatus_to_exitcode(os.wait()[1]) == 3
                turn.run_many(insert, [{"name": f"b{number}"} for number in range(100)])
        except Unavailable:
            sys.exit(3)
        print(*board.store.database.all(count)[0])
        board.close()
    """)
    with Blackboard.open(location, create=True) as board:
        given(board).decided("api/ids", "int")
        before = board.store.database.all(Statement("SELECT count(*) AS n FROM blob"))[0]["n"]
        command = [sys.executable, "-c", program, location]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert (ran.stdout, ran.stderr) == (f"{before + 200} {200 * 3000}\n", "")
    assert is_whole(location)


def test_another_board_is_used_in_the_child_though_one_is_refused(location):
    with Blackboard.open(location, create=True) as board, Blackboard.open(f"{location}2", create=True) as other:
        with held(in_a_read(board)):
            assert forked(lambda: commit(other, "child", 0))() == 0
        assert other.revision == 1


def test_a_board_in_memory_stays_with_its_process(memory_board, given):
    given(memory_board).decided("api/ids", "int")
    assert forked(lambda: refuses(lambda: memory_board.revision) or os._exit(1))() == 0
    assert given(memory_board).decided("api/page", 20).revision == 2


def test_threads_that_open_boards_while_another_forks_lose_nothing(location, length):
    """What the child may use and what it may not is decided at one moment."""
    with Blackboard.open(location, create=True) as board:
        stops, failures, done = threading.Event(), [], [0, 0]

        def write(me):
            try:
                while not stops.is_set():
                    with Blackboard.open(location) as mine:
                        commit(mine, f"thread-{me}-{done[me]}", 0)
                    done[me] += 1
            except BaseException as error:  # noqa: BLE001 - it is looked at below
                failures.append(error)

        def work():
            with contextlib.suppress(Unavailable):
                commit(board, f"child-{os.getpid()}", 0)
                os._exit(7)

        threads = [threading.Thread(target=write, args=(me,)) for me in range(2)]
        for thread in threads:
            thread.start()
        ended = [forked(work)() for _ in range(length(10, 200))]
        stops.set()
        for thread in threads:
            thread.join()
        assert failures == []
        assert set(ended) <= {0, 7}
        assert board.verify().revision == sum(done) + ended.count(7)
    assert is_whole(location)


def test_a_dead_process_has_no_turn_any_more_though_its_child_lives(location):
    """A lock of this kind belongs to all that share the open file, and a child of a fork is one of them."""
    program = (
        "import os, sys, time; from blackboard import Blackboard; board = Blackboard.open(sys.argv[1], create=True); "
        "board.store.database.line.take(); child = os.fork(); "
        "child or (os.close(1), time.sleep(60)); os.write(1, b'%d' % child); os._exit(0)"
    )
    told = subprocess.run([sys.executable, "-c", program, str(location)], check=True, stdout=subprocess.PIPE)
    line = Line.beside(location)
    try:
        line._number()
        assert line._before() == 0
    finally:
        os.kill(int(told.stdout), signal.SIGKILL)
        line.close()
