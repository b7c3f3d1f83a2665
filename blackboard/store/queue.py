"""The queue of those who want to write: one leads, and does the work of all that wait, in the order of arrival.

Each member waits on a lock of its own, so that nobody is woken for nothing. Leadership is handed on before anyone is
told of a result, and before the COMMIT: who is answered must not wait for the next group, which is prepared meanwhile.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from blackboard.store.session import Turn


class Member:
    """One piece of work in the queue, and what became of it.

    Attributes:
        work: Gets a turn and returns the result; it may be run again from the start, so it changes nothing else.
        before: What can be done for it before there is a turn, and again from the start too.
        alone: Whether it wants the connection for itself; then it has no work that others could do.
        idempotency_key: Named by `CommitUnknown` when the COMMIT fails.
        since: When it came, on the monotonic clock.
        result, error: What it gave; an error is raised where it waits.
        answered: Whether either is final; of one who left nobody does anything more.
        leads: Whether it leads, and has not handed that on.
    """

    __slots__ = (
        "_wake",
        "alone",
        "answered",
        "before",
        "error",
        "idempotency_key",
        "leads",
        "result",
        "since",
        "work",
    )

    def __init__(
        self,
        work: "Callable[[Turn], Any]",
        idempotency_key: str = "",
        *,
        before: Callable[[], None] | None = None,
        alone: bool = False,
    ) -> None:
        self.work, self.before, self.alone = work, before, alone
        self.idempotency_key = idempotency_key
        self.since = time.monotonic()
        self.result: Any = None
        self.error: Exception | None = None
        self.answered = self.leads = False
        self._wake: threading.Lock | None = None

    def queue(self) -> None:
        """Prepare to wait."""
        self._wake = threading.Lock()
        self._wake.acquire()

    def wait(self) -> None:
        """Wait until it is answered or leads."""
        if self._wake is not None:
            self._wake.acquire()

    def wake(self) -> None:
        """End its waiting."""
        if self._wake is not None:
            self._wake.release()

    def settle(self, *, result: Any = None, error: Exception | None = None) -> None:  # noqa: ANN401 - of any work
        """Note what became of it; it is told later."""
        self.result, self.error, self.answered = result, error, True

    def answer(self) -> Any:  # noqa: ANN401 - of any work
        """Return its result or raise its error."""
        if self.error is not None:
            raise self.error
        return self.result


def for_itself() -> Member:
    """Return a member that wants the connection for itself."""
    return Member(lambda _: None, alone=True)


class Queue:
    """Who leads, and who waits."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._led = False
        self._waiting: deque[Member] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def busy(self) -> bool:
        """Whether anybody leads."""
        return self._led

    def enter(self, member: Member) -> None:
        """Wait until the member is answered or leads; interrupted, it leaves, and keeps nobody waiting."""
        try:
            with self._guard:
                if not self._led:
                    self._led = member.leads = True
                    return
                member.queue()
                self._waiting.append(member)
            member.wait()
        except BaseException:
            self._leave(member)
            raise

    def _leave(self, member: Member) -> None:
        with self._guard:
            # If its leader is interrupted too, it is not put back: made the leader, it would keep all waiting.
            member.answered = True
            if member in self._waiting:
                self._waiting.remove(member)

    def next(self, group: list[Member]) -> Member | None:
        """Move the one who waits longest to the leader's group, and return it; None where nobody waits."""
        # A cheap look first: most groups have one member.
        if not self._waiting:
            return None
        with self._guard:
            if not self._waiting or self._waiting[0].alone:
                return None
            # In this order: an interrupt in between leaves it in both, not in neither.
            group.append(self._waiting[0])
            return self._waiting.popleft()

    def put_back(self, members: list[Member]) -> None:
        """Let members of a group that have no answer wait in front again: their leader was interrupted."""
        with self._guard:
            again = [member for member in members if not member.answered and member not in self._waiting]
            self._waiting.extendleft(reversed(again))
            if not self._led:
                # It had handed the leadership on already, and nobody was there to take it.
                self._lead_next()

    def hand_on(self, member: Member) -> None:
        """End a member's leadership, if it leads: the one who waits longest leads now."""
        if member.leads:
            with self._guard:
                self._lead_next()
                member.leads = False

    def _lead_next(self) -> None:
        self._led = bool(self._waiting)
        if self._waiting:
            member = self._waiting.popleft()
            member.leads = True
            member.wake()
