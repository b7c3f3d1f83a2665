"""Threads leave each other alone for what is short, and nobody waits long for that."""

import threading
import time

from blackboard import Contract


def holding(board):
    """Let another thread have the courtesy until it is told to end; return how to end it."""
    has, ends = threading.Event(), threading.Event()

    def hold():
        with board.store.database.courtesy:
            has.set()
            ends.wait(60)

    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    has.wait()

    def end():
        ends.set()
        thread.join()

    return end


def test_nobody_waits_for_a_thread_that_takes_long(board, given):
    given(board).decided("api/ids", "int")
    end = holding(board)
    began = time.monotonic()
    with board.transaction("ann") as transaction:
        assert transaction.decision("api/ids").value == "int"
        transaction.decide("api/ids", Contract.value("text"))
    assert board.snapshot().decision("api/ids").value == "text"
    assert time.monotonic() - began < 10
    end()


def test_who_went_on_without_it_lets_others_have_it_afterwards(memory_board):
    courtesy = memory_board.store.database.courtesy
    end = holding(memory_board)
    with courtesy, courtesy:
        end()
    with courtesy, courtesy:
        pass
    end = holding(memory_board)  # which waits for ever where it was not given back
    end()


class Counted:
    """A lock that counts how often somebody waited for it."""

    def __init__(self, lock):
        self.lock, self.waited = lock, 0

    def acquire(self, blocking=True, timeout=-1):  # noqa: FBT002 - as a lock has it
        self.waited += blocking
        return self.lock.acquire(blocking, timeout)

    def release(self):
        self.lock.release()


def test_nobody_waits_twice_for_one_that_takes_long(board):
    courtesy = board.store.database.courtesy
    courtesy._lock = counted = Counted(courtesy._lock)
    for times in (1, 2):
        end = holding(board)
        for _ in range(10):
            assert board.snapshot().decision("api/ids") is None
        end()
        assert counted.waited == times


def test_nobody_waits_for_a_writer_that_waits_for_another_process(board, given, monkeypatch):
    session, courtesy, free = board.store.writer.session, board.store.database.courtesy, []
    begin = session.begin

    def beginning(**named):
        other = threading.Thread(target=lambda: free.append(courtesy._lock.acquire(blocking=False)))
        other.start()
        other.join()
        return begin(**named)

    monkeypatch.setattr(session, "begin", beginning)
    given(board).decided("api/ids", "int")
    assert free == [True]
