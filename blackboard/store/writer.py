"""The only place where a writing transaction is asked for.

Threads that write at once share a transaction (`group`): the one who leads the queue runs the work of those who wait,
and commits once. Processes take tickets (`tickets`). What a turn wrote is durable before its caller goes on.
"""

import contextlib
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
"""How long a leader waits for one more member while commits are queueing; in all not beyond a quarter of what a COMMIT
takes, where that is longer."""


def _under_seal(work: Callable[[Turn], Result]) -> Callable[[Turn], Result]:
    def checked(turn: Turn) -> Result:
        turn.check_seal()
        return work(turn)

    return checked


class Writer:
    """The one writer connection of a process behind a fair queue.

    Attributes:
        session: The connection; only who leads the queue touches it.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self.session = Session(database, clock)
        self._queue = Queue()
        self._size = 1  # of the last group

    def run(self, work: Callable[[Turn], Result], idempotency_key: str = "", *, over_seal: bool = False) -> Result:
        """Run work in a turn and return its result once that is durable.

        Args:
            work: Raises where nothing of it is to be written. It may be run again from the start, so it changes
                nothing but the board.
            idempotency_key: Named by `CommitUnknown`.
            over_seal: Run it on a sealed board too; it checks the seal itself before it writes.

        Raises:
            Sealed: The board is.
            CommitUnknown: The engine failed at COMMIT.
            StoreError: It failed before; nothing was written.
        """
        # Before the queue: in a child of a fork it may be held for ever.
        self._database.check_open()
        member = Member(work if over_seal else _under_seal(work), idempotency_key)
        self._queue.enter(member)
        if member.leads:
            self._lead(member)
        result: Result = member.answer()
        return result

    def _lead(self, own: Member) -> None:
        """Do one's own work and that of those who wait, and hand the leadership on before anyone is told."""
        members = [own]
        group = Group(self.session, self._database.courtesy)
        try:
            began = time.monotonic()
            member: Member | None = own
            while member is not None:
                group.run(member)
                member = self._gather(members, began)
            group.commit()
            self._size = len(members)
        except BaseException:
            # Interrupted: what was begun is undone, and who has no answer waits for the next leader.
            group.abandon()
            self._queue.put_back([one for one in members[1:] if not one.answered])
            raise
        finally:
            self._end_turn()
            for one in members[1:]:
                if one.answered:
                    one.wake()

    def _gather(self, members: list[Member], began: float) -> Member | None:
        """Return one more member of the group, None where it is complete.

        Where the last group had several, more are on their way: a moment's waiting for them saves a COMMIT.
        """
        if len(members) >= LARGEST_GROUP:
            return None
        member = self._queue.next(members)
        if member is None and len(members) < self._size:
            last = began + max(GATHER_SECONDS, self.session.commit_seconds / 4)
            until = min(time.monotonic() + GATHER_SECONDS, last)
            while member is None and time.monotonic() < until:
                time.sleep(GATHER_SECONDS / 20)
                member = self._queue.next(members)
        return member

    def _end_turn(self) -> None:
        self.session.lend()
        self.session.give_back_ticket()
        self._queue.hand_on()

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
            except BaseException:
                self.session.roll_back()
                raise
            self.session.commit(idempotency_key)
            reached(COMMITTED)

    def set_journal(self) -> None:
        """Make an empty file keep its journal beside it (WAL), which has to happen outside any transaction."""
        with self._alone(), translated(self._database.location):
            self.session.connection().raw.execute("PRAGMA journal_mode = WAL")

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        self._database.check_open()
        self._queue.enter(for_itself())
        try:
            yield
        finally:
            self._end_turn()

    def close(self) -> None:
        """Close the writer's connection; in the child of a fork it is the parent's."""
        if self._database.inherited:
            # A thread that the child does not have may have led the queue.
            return
        self._queue.enter(for_itself())
        try:
            self.session.close()
        finally:
            self._queue.hand_on()
