"""Notices that a board's log (the `-wal`) was written, by any process: watchdog's, about the folder that it is in.

A notice is a hint and no more. It comes when the log is written, which is before what was written is durable and known;
and it may not come at all: the system has none to give, the folder is gone, the file system tells nobody. So whoever
waits here looks for itself now and then, whatever it is told (`watcher`).
"""

import contextlib
import logging
import os
import threading
import time
from pathlib import Path
from typing import Any

from blackboard.store import forks

QUICK_SECONDS = 0.02
"""Between two looks where no notices can be had."""

SLOW_SECONDS = 0.5
"""Between two looks behind notices that seem to work."""


_END_SECONDS = 1.0

# An observer that is stopped while it waits for an event may log that as an error, which harms nothing. In a program
# without a configuration of logging, Python would print it.
logging.getLogger("watchdog").addHandler(logging.NullHandler())


class Notices:
    """The notices about one board, shared by all threads of the process that watch it; asked for by the first of them.

    Attributes:
        poll_seconds: How long whoever watches may go without a look.
        count: How many there were; it only grows.
    """

    def __init__(self, board: Path | None) -> None:
        self.poll_seconds = QUICK_SECONDS
        self.count = 0
        # SQLite follows links to the board's file before it names the one beside it.
        self._board = board
        self._log = "" if board is None else f"{os.path.realpath(board)}-wal"
        self._changed = threading.Condition()
        self._observer: Any = None
        self._asked = self._closed = False

    def wait(self, seen: int, seconds: float) -> int:
        """Wait until there were more notices than `seen`, or for so many seconds; return how many there were."""
        until = time.monotonic() + seconds
        with self._changed:
            self._ask()
            while self.count == seen and not self._closed and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)
            return self.count

    def _ask(self) -> None:
        """Ask for notices, once."""
        if self._asked or self._closed or not self._log:
            return
        self._asked = True
        # Without them everything is as it was, only later: nobody has to be told.
        with contextlib.suppress(OSError, ImportError, RuntimeError):
            self._observer = _observed(self._log, self.wake)
            self.poll_seconds = SLOW_SECONDS

    def wake(self) -> None:
        """Let everybody who waits look."""
        with self._changed:
            self.count += 1
            self._changed.notify_all()

    def missed(self, seen: int) -> None:
        """Hear that something was committed and that whoever saw it knew of no more notices than `seen`.

        If there were none, the file system does not tell, and nobody relies on it any more.
        """
        with self._changed:
            if self.count == seen:
                self.poll_seconds = QUICK_SECONDS

    def after_fork(self) -> "Notices":
        """Return new ones for the child: a thread of the parent may hold the lock, and the observer's are not there."""
        if self._observer is not None:
            forks.keep_for_ever(self._observer)
        return Notices(self._board)

    def close(self) -> None:
        """End all waiting, and the notices."""
        with self._changed:
            self._closed = True
            observer, self._observer = self._observer, None
        self.wake()
        if observer is not None:
            observer.stop()
            observer.join(_END_SECONDS)


def _observed(log: str, wake: Any) -> Any:  # noqa: ANN401 - watchdog is loaded when used
    """Return an observer, which has begun, of the folder in which a file is: it calls `wake` when that is written."""
    from watchdog.events import FileModifiedEvent, FileSystemEventHandler  # noqa: PLC0415
    from watchdog.observers import Observer  # noqa: PLC0415

    class OfLog(FileSystemEventHandler):
        def on_modified(self, event: Any) -> None:  # noqa: ANN401
            if os.fsdecode(event.src_path) == log:
                wake()

    observer = Observer()
    observer.daemon = True
    observer.schedule(OfLog(), str(Path(log).parent), event_filter=[FileModifiedEvent])
    observer.start()
    return observer
