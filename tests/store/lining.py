"""What tests of errands share: a line of boards behind one that has the turn, and whether it did what they left."""

import threading
import time

from blackboard import Blackboard, Contract
from blackboard.store.errands import Errands
from blackboard.store.tickets import Tickets

LONG_SECONDS = 30


class Line:
    """Boards opened on one file, as by so many processes: one leads, the others stand in line behind it.

    Attributes:
        answered: The boards that were told that another one did what they left, one for each time.
    """

    def __init__(self, location, monkeypatch) -> None:
        self.location, self.answered = location, []
        self.boards: list[Blackboard] = []
        monkeypatch.setattr("blackboard.store.tickets.PATIENCE_SECONDS", LONG_SECONDS)
        done = Errands.done

        def told(errands, answer):
            self.answered += [board for board in self.boards if board.store is errands._store]
            return done(errands, answer)

        monkeypatch.setattr(Errands, "done", told)
        # Nobody looks between the end of a turn and its answers, where it may go by itself: seldom, but it may.
        self._ended, is_behind = threading.Event(), Tickets._is_behind
        self._ended.set()
        monkeypatch.setattr(
            Tickets, "_is_behind", lambda tickets, ticket: not self._ended.is_set() or is_behind(tickets, ticket)
        )

    def open(self, **named):
        """Open one more board on the file."""
        named = {"durability": "normal", **named}
        self.boards.append(Blackboard.open(self.location, create=not self.location.exists(), **named))
        return self.boards[-1]

    def behind(self, leader, *works, act=lambda: None, lined_up=lambda: None):
        """Let works stand in line, in order, while the leader has its turn; return what each gave or raised.

        Args:
            leader: The board that looks what was left in line, in the turn of a commit of its own.
            works: Called each in a thread of its own; they commit on other boards.
            act: Commits on the leader; something that writes nothing, if there is nothing to say.
            lined_up: Called in the leader's turn when all stand in line, before it looks.
        """
        session, answers = leader.store.writer.session, [None] * len(works)
        give_back = session.give_back_ticket

        def take(number):
            try:
                answers[number] = works[number]()
            except BaseException as error:  # noqa: BLE001 - it is the answer
                answers[number] = error

        threads = [threading.Thread(target=take, args=(number,), daemon=True) for number in range(len(works))]

        def ended(told=()):
            del session.give_back_ticket
            try:
                give_back(told)
            finally:
                self._ended.set()

        def errands():
            del session.errands
            self._ended.clear()
            session.give_back_ticket = ended
            for number, thread in enumerate(threads, 1):
                thread.start()
                until(lambda number=number: session._tickets._numbers()[0] >= session._tickets._mine + number)
            lined_up()
            return session.errands()

        session.errands = errands
        try:
            act()
            if "errands" in vars(session):
                leader.store.writer.run(lambda _turn: None)
        finally:
            self._ended.set()
            for thread in threads:
                if thread.ident:
                    thread.join(LONG_SECONDS)
        assert not any(thread.is_alive() for thread in threads)
        return answers

    def close(self):
        for board in self.boards:
            board.close()


def until(true):
    """Wait until something is so."""
    end, gate = time.monotonic() + LONG_SECONDS, threading.Event()
    while not true():
        assert time.monotonic() < end, "it never came"
        gate.wait(0.001)


def deciding(board, key="api/ids", value="int", *, by="ann", name=None):
    """Return a transaction that read a key and wants to decide it."""
    transaction = board.transaction(by, **({} if name is None else {"idempotency_key": name}))
    transaction.decision(key)
    transaction.decide(key, Contract.value(value))
    return transaction


def content(board):
    """Return every row of a board, by table."""
    with board.store.database.reading() as connection:
        names = [row[0] for row in connection.raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: sorted(map(repr, map(tuple, connection.raw.execute(f"SELECT * FROM {name}")))) for name in names}
