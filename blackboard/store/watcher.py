"""Whether anything was committed by any process, and the waiting until something may have been.

What is believed is the engine's own stamp alone. Notices say when it is worth a look; from then on it is looked at
again and again, ever more seldom, since a notice comes before the commit is known. Behind all that stands a slow look.
"""

import time

from blackboard.store.sqlite import Database
from blackboard.store.statements import Statement

_STAMP = Statement("PRAGMA data_version")

_SHORTEST_SECONDS = 0.0001
_LONGER = 1.5
"""How much longer each pause is than the one before: a commit that took so long to become durable is known at most
half of that later."""

_SLEEP_SECONDS = 0.002
"""Up to this a pause is just slept: it is over before anybody could be told of more."""


class Watcher:
    """Watches a board on a connection of its own, which it opens again after a fork; used by one thread.

    Args:
        shortest_seconds: How long after a notice it looks for the first time.
    """

    def __init__(self, database: Database, *, shortest_seconds: float = _SHORTEST_SECONDS) -> None:
        self._shortest_seconds = shortest_seconds
        self._database = database
        self._noticed = database.notices.count
        self._pause = shortest_seconds
        self._stamp: int | None = None
        self._connection = database.connect()
        database.put_aside(self._connection)

    def news(self) -> bool:
        """Say whether anything was committed since this was asked last; the first time it is so.

        Raises:
            Unavailable: The board was closed, or its file is no longer there.
        """
        self._database.check_open()
        before, stamp = self._look()
        notices = self._database.notices
        if stamp == before:
            if self._pause >= notices.poll_seconds:
                self._database.check_place()
            return False
        if before is not None and self._pause >= notices.poll_seconds:
            notices.missed(self._noticed)
        self._stamp = stamp
        return True

    def _look(self) -> tuple[int | None, int]:
        """Return the stamp that was seen last on the same connection, None where there is none, and the one now."""
        if not self._database.take_back(self._connection):
            # Stamps of two connections cannot be compared.
            self._connection, self._stamp = self._database.connect(), None
        try:
            return self._stamp, int(self._connection.all(_STAMP)[0][0])
        finally:
            self._database.put_aside(self._connection)

    def wait(self, seconds: float | None = None) -> None:
        """Wait until a look is worth while, or for so many seconds."""
        notices = self._database.notices
        poll_seconds = notices.poll_seconds
        self._pause = min(self._pause, poll_seconds)
        pause = self._pause if seconds is None else min(self._pause, seconds)
        if pause < _SLEEP_SECONDS:
            time.sleep(pause)
        else:
            count = notices.wait(self._noticed, pause)
            if count != self._noticed:
                self._noticed, self._pause = count, self._shortest_seconds
                return
        self._pause = min(self._pause * _LONGER, poll_seconds)

    def close(self) -> None:
        """Close the connection."""
        if self._database.take_back(self._connection):
            self._connection.close()
