"""The only place where a writing transaction is asked for.

Threads that write at once share a transaction (`group`): the one who leads the queue runs the work of those who wait,
and commits once. While it does, the next one leads and prepares the next group, but has no turn yet. Processes stand in
a line (`line`). What a turn wrote is durable before its caller goes on.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from blackboard.store.group import Group
from blackboard.store.queue import Member, Queue, for_itself
from blackboard.store.session import APPLIED, COMMITTED, Session, Turn, reached
from blackboard.store.sqlite import Connection, Database, translated

Result = TypeVar("Result")

LARGEST_GROUP = 64

GATHER_SECONDS = 0.001
"""How long a leader that has its turn waits for more members where the last group had more; a quarter of what a COMMIT
takes, where that is longer."""

LOOK_SECONDS = GATHER_SECONDS / 4
"""Between two looks at who joined meanwhile."""


def _under_seal(work: Callable[[Turn], Result]) -> Callable[[Turn], Result]:
    def checked(turn: Turn) -> Result:
        turn.check_seal()
        return work(turn)

    return checked


class Writer:
    """The one writer connection of a process behind a fair queue.

    Attributes:
        session: The connection; only who has the turn touches it.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self.session = Session(database, clock)
        self._queue = Queue()
        self._turn = threading.RLock()  # of which it can be asked whether one has it
        self._size = 1  # of the last group

    def run(
        self,
        work: Callable[[Turn], Result],
        idempotency_key: str = "",
        *,
        before: Callable[[], None] | None = None,
        over_seal: bool = False,
    ) -> Result:
        """Run work in a turn and return its result once that is durable.

        Args:
            work: Raises where nothing of it is to be written. It may be run again from the start, so it changes
                nothing but the board.
            idempotency_key: Named by `CommitUnknown`.
            before: Called before the turn, perhaps in the thread of another one, and again like the work.
            over_seal: Run it on a sealed board too; it checks the seal itself before it writes.

        Raises:
            Sealed: The board is.
            CommitUnknown: The engine failed at COMMIT.
            StoreError: It failed before; nothing was written.
        """
        self._database.check_open()
        member = Member(work if over_seal else _under_seal(work), idempotency_key, before=before)
        try:
            self._queue.enter(member)
            if member.leads:
                self._lead(member)
        finally:
            self._queue.hand_on(member)
        result: Result = member.answer()
        return result

    def _lead(self, own: Member) -> None:
        """Do one's own work and that of those who wait; the next one leads before the COMMIT."""
        members, group, in_turn = [own], Group(self.session), False
        try:
            group.prepare(own)
            while not in_turn:
                self._join(members, group)
                in_turn = self._turn.acquire(timeout=LOOK_SECONDS)
            if (line := self._database.line) is not None:
                line.take()
            self._gather(members, group)
            for member in members:
                if not member.answered:
                    group.run(member)
            self._queue.hand_on(own)
            group.commit()
        except BaseException:
            # Interrupted: who has no answer waits for the next leader, and what was begun is undone before that one's
            # turn.
            self._queue.put_back(members[1:])
            if in_turn:
                group.abandon()
            raise
        finally:
            self._queue.hand_on(own)
            try:
                self._end_turn(in_turn=in_turn)
            finally:
                for one in members[1:]:
                    if one.answered:
                        one.wake()

    @property
    def _gather_seconds(self) -> float:
        return max(GATHER_SECONDS, self.session.commit_seconds / 4)

    def _join(self, members: list[Member], group: Group) -> None:
        """Let those who wait join the group, and prepare what they want."""
        while len(members) < LARGEST_GROUP and (member := self._queue.next(members)) is not None:
            group.prepare(member)

    def _gather(self, members: list[Member], group: Group) -> None:
        """Let join who comes within a moment, where the last group had more: that saves a COMMIT."""
        until = time.monotonic() + self._gather_seconds
        self._join(members, group)
        while len(members) < self._size and time.monotonic() < until:
            time.sleep(LOOK_SECONDS)
            self._join(members, group)
        self._size = len(members)

    def _end_turn(self, *, in_turn: bool) -> None:
        try:
            if in_turn:
                # Who reads on it while somebody waits to write on it costs that one a new connection.
                if not self._queue.busy:
                    self.session.lend()
                if self._database.line is not None:
                    self._database.line.give_back()
        finally:
            # Who was interrupted may have it and not know.
            with contextlib.suppress(RuntimeError):
                self._turn.release()

    # --- alone ---

    @contextlib.contextmanager
    def turn(self, idempotency_key: str = "", *, over_seal: bool = False) -> Iterator[Turn]:
        """Lend a turn that nobody shares, and commit it unless the block raises.

        Raises:
            Sealed: The board is.
            CommitUnknown: The engine failed at COMMIT.
            StoreError: It failed before; nothing was written.
        """
        with self.transaction(idempotency_key):
            turn = self.session.turn()
            if not over_seal:
                turn.check_seal()
            yield turn
            self.session.end(turn)

    @contextlib.contextmanager
    def transaction(self, idempotency_key: str = "") -> Iterator[Connection]:
        """Lend a writing transaction on a file that may not be a board yet."""
        with self._alone():
            connection = self.session.begin()
            try:
                yield connection
                reached(APPLIED)
                self.session.commit(idempotency_key)
            except BaseException:
                # Where the COMMIT was done by then, nothing is undone, and the head is read again.
                self.session.roll_back()
                raise
            reached(COMMITTED)

    def set_journal(self) -> None:
        """Make an empty file keep its journal beside it (WAL), which has to happen outside any transaction."""
        with self._alone(), translated(self._database.location):
            self.session.connection().raw.execute("PRAGMA journal_mode = WAL")

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        self._database.check_open()
        own, in_turn = for_itself(), False
        try:
            self._queue.enter(own)
            in_turn = self._turn.acquire()
            yield
        finally:
            self._queue.hand_on(own)
            self._end_turn(in_turn=in_turn)

    def close(self) -> None:
        """Close the writer's connection."""
        own = for_itself()
        try:
            self._queue.enter(own)
            with self._turn:
                self.session.close()
        finally:
            self._queue.hand_on(own)
