"""Group commit: the work of several members in one transaction, each in a savepoint, with one COMMIT.

Nobody is answered before the COMMIT, who is refused neither: what a refusal tells may be of another member's making.
After any error it is asked whether the transaction still lives. If the engine ended it, the next SAVEPOINT would begin
and silently commit one of its own: so nobody is answered, and each member is run alone.
"""

import sqlite3
import time
from typing import Any

from blackboard.errors import CommitUnknown, Full, Unavailable
from blackboard.store.queue import Member
from blackboard.store.session import APPLIED, COMMITTED, Session, Turn, reached


class Group:
    """Members whose work shares one COMMIT."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._open = False
        self._done: list[tuple[Member, Any, Exception | None]] = []
        self._clock: tuple[float, float] | None = None  # of the store before the transaction, and at its last turn

    def prepare(self, member: Member) -> None:
        """Do what can be done for a member before the turn; where that fails, it gets none."""
        try:
            if member.before is not None:
                member.before()
        except Exception as error:  # noqa: BLE001 - it is raised where the member waits
            member.settle(error=error)

    def run(self, member: Member) -> bool:
        """Run a member's work in the transaction, which its first member begins; note what it gave.

        Returns:
            Whether it went through.
        """
        first = not self._open
        try:
            if first:
                self._session.begin(waited_seconds=time.monotonic() - member.since)
                self._open, self._done, self._clock = True, [], None
            else:
                self._session.connection().raw.execute("SAVEPOINT member")
            turn = self._turn()
            result = member.work(turn)
            self._session.end(turn, savepoint=not first)
        except Exception as error:  # noqa: BLE001 - it is raised where the member waits
            self._refuse(member, error, first=first)
            return False
        self._done.append((member, result, None))
        return True

    def _turn(self) -> Turn:
        turn = self._session.turn()
        self._clock = (self._clock[0] if self._clock else turn.clock_before, turn.now)
        return turn

    def _refuse(self, member: Member, error: Exception, *, first: bool) -> None:
        """Undo what a member did, and nothing else."""
        if not first and self._undone():
            self._done.append((member, None, error))
            return
        self._session.roll_back()
        self._open = False
        member.settle(error=error)
        again, self._done = self._done, []
        for other, _, _ in again:
            self._run_alone(other)

    def _undone(self) -> bool:
        if not self._session.in_transaction:
            return False
        try:
            raw = self._session.connection().raw
            raw.execute("ROLLBACK TO member")
            raw.execute("RELEASE member")
        except sqlite3.Error:
            return False
        return True

    def _run_alone(self, member: Member) -> None:
        try:
            self._session.begin()
            try:
                turn = self._session.turn()
                result = member.work(turn)
                self._session.end(turn)
            except BaseException:
                self._session.roll_back()
                raise
            self._session.commit(member.idempotency_key)
        except Exception as error:  # noqa: BLE001 - it is raised where the member waits
            member.settle(error=error)
        else:
            member.settle(result=result)

    def commit(self) -> None:
        """Make durable what was written, and settle every member."""
        if not self._open:
            return
        reached(APPLIED)
        self._open = False
        try:
            self._session.commit(next((one.idempotency_key for one, _, error in self._done if error is None), ""))
        except (CommitUnknown, Full, Unavailable) as failure:
            self._fail(failure)
        except BaseException as interrupt:
            # Where the COMMIT was done by then, nobody's work is done again.
            if not self._session.in_transaction and not isinstance(interrupt.__context__, sqlite3.Error):
                self._settle()
            raise
        else:
            self._settle()
        reached(COMMITTED)

    def _settle(self) -> None:
        for member, result, error in self._done:
            member.settle(result=result, error=error)

    def _fail(self, failure: CommitUnknown | Full | Unavailable) -> None:
        """Settle every member after a COMMIT that failed; run each alone where that may go better for some."""
        # There may be space for all but one of them.
        if len(self._done) > 1 and (isinstance(failure, Full) or self._is_undone(failure)):
            for member, _, _ in self._done:
                self._run_alone(member)
            return
        for member, _, error in self._done:
            if error is None and isinstance(failure, CommitUnknown):
                error = CommitUnknown(member.idempotency_key, failure.cause)  # noqa: PLW2901 - named by its own key
            member.settle(error=error or failure)

    def _is_undone(self, failure: CommitUnknown | Unavailable) -> bool:
        return isinstance(failure, CommitUnknown) and self._certainly_nothing_happened()

    def _certainly_nothing_happened(self) -> bool:
        """Say whether the store's clock, which the group moved, stands where it stood.

        What the failed COMMIT left in the journal is written over by that of the first member that is run alone.
        """
        before, after = self._clock or (0.0, 0.0)
        try:
            self._session.begin()
            try:
                return after > before == self._session.turn().clock_before
            finally:
                self._session.roll_back()
        except Exception:  # noqa: BLE001 - then it is unknown, which is what is said
            return False

    def abandon(self) -> None:
        """Undo everything: the leader was interrupted."""
        self._session.roll_back()
