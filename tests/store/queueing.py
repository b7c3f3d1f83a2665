"""What tests of the writer's queue share: work that notes a name, and how to wait until somebody waits."""

import threading

from blackboard.store.statements import Statement

INSERT = Statement("INSERT INTO resource (name, units) VALUES (:name, 1)")
_NOTED = Statement("SELECT name FROM resource ORDER BY rowid")


class Interrupted(BaseException):
    """What a signal raises in a waiting thread, as Ctrl-C does."""


def queued(board, count):
    """Wait until so many wait in the queue."""
    gate = threading.Event()
    while len(board.store.writer._queue) < count:
        gate.wait(0.001)


def run_behind(board, threads, armed=lambda: None):
    """Start threads, which queue in that order while a turn is held, and wait until they have ended."""
    with board.store.writer.turn():
        for number, thread in enumerate(threads, 1):
            thread.start()
            queued(board, number)
        armed()
    for thread in threads:
        thread.join(timeout=30)
        assert not thread.is_alive()


def noting(name, *more):
    """Return work that notes a name, and then does more."""

    def work(turn):
        turn.run(INSERT, {"name": name})
        for one in more:
            one(turn)
        return name

    return work


def names_noted(board):
    """Return the names that were noted, in order."""
    return [row["name"] for row in board.store.database.all(_NOTED)]


def fail(_turn):
    raise ZeroDivisionError
