"""What tests of errands share: a line of boards behind one that has the turn, and whether it did what they left."""

import shutil
import threading
import time

from blackboard import Blackboard, Contract
from blackboard.store.errands import Errands
from blackboard.testing import FakeClock

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
        # All that is left is done in one turn, however slow the machine.
        monkeypatch.setattr("blackboard.store.writer.GATHER_SECONDS", LONG_SECONDS)
        done = Errands.done

        def told(errands, answer):
            self.answered += [board for board in self.boards if board.store is errands._store]
            return done(errands, answer)

        monkeypatch.setattr(Errands, "done", told)

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
        tickets, answers = leader.store.database.tickets, [None] * len(works)

        def take(number):
            answers[number] = attempted(works[number])

        threads = [threading.Thread(target=take, args=(number,), daemon=True) for number in range(len(works))]

        def errands():
            del tickets.behind
            given = tickets._numbers()[0]
            for number, thread in enumerate(threads, 1):
                thread.start()
                until(lambda number=number: tickets._numbers()[0] >= given + number)
            lined_up()
            return tickets.behind()

        tickets.behind = errands
        try:
            act()
            if "behind" in vars(tickets):
                leader.store.writer.run(lambda _turn: None, over_seal=True)
        finally:
            for thread in threads:
                if thread.ident:
                    thread.join(LONG_SECONDS)
        assert not any(thread.is_alive() for thread in threads)
        return answers

    def close(self):
        for board in self.boards:
            board.close()


class Twins:
    """One board twice: on one an owner commits alone, after what the leader did; on the other it stands in line."""

    def __init__(self, location, monkeypatch, prepare) -> None:
        self._clock = FakeClock(1e10)  # later than any that a board was opened by
        with Blackboard.open(location, create=True, clock=self._clock, durability="normal") as board:
            prepare(board, self._clock)
        self._alone = Line(location.with_name("alone.db"), monkeypatch)
        shutil.copy(location, self._alone.location)
        self.line = Line(location, monkeypatch)

    def compare(self, begin, act):
        """Return what the owner got in line, having made sure that alone it gets the same, and the same comes of it.

        Args:
            begin: Gets the owner's board; what it returns is called to commit.
            act: Gets the leader's board, and commits on it.
        """
        answers = []
        for one in (self._alone, self.line):
            leader, owner = one.open(), one.open()
            for number, board in enumerate(one.boards):
                board.store.clock = board.store.writer.session._clock = self._clock
                board.store.name_commit = (f"{number}-{count}" for count in range(99)).__next__
            work = begin(owner)
            if one is self._alone:
                act(leader)
                answers.append(attempted(work))
            else:
                answers += one.behind(leader, work, act=lambda leader=leader: act(leader))
        alone, in_line = answers
        if isinstance(alone, Exception):
            assert type(in_line) is type(alone)
            assert str(in_line) == str(alone).replace(str(self._alone.location), str(self.line.location))
        else:
            assert in_line == alone
        assert content(leader) == content(self._alone.boards[0])
        assert owner.verify() == self._alone.boards[1].verify()
        return in_line

    def close(self):
        self._alone.close()
        self.line.close()


def attempted(work):
    """Return what work gives or raises."""
    try:
        return work()
    except BaseException as error:  # noqa: BLE001 - it is the answer
        return error


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
