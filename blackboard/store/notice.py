"""Notices that a board's log (the `-wal`) was written, by any process: the kernel's, about the folder that it is in.

A notice is a hint and no more. It comes when the log is written, which is before what was written is durable and
known; and it may not come at all: the system has none to give, the folder is gone, the file system tells nobody. So
whoever waits here looks for itself now and then, whatever it is told (`watcher`).
"""

import contextlib
import os
import select
import struct
import threading
import time
from pathlib import Path

QUICK_SECONDS = 0.02
"""Between two looks where no notices can be had."""

SLOW_SECONDS = 0.5
"""Between two looks behind notices that seem to work."""

_MODIFIED, _ONLY_A_FOLDER, _OVERFLOW, _ENDED = 0x2, 0x01000000, 0x4000, 0x8000  # IN_MODIFY, IN_ONLYDIR, ...
_HEAD = struct.Struct("iI")  # how an event begins: of which watch, what; its name comes last, and ends in zeros
_AT_ONCE_BYTES = 1 << 16


class Notices:
    """The notices about one board, shared by all threads of the process that watch it.

    One of those who wait reads for all of them; when it goes, another does. There is no thread behind them, and no
    descriptor before the first of them waits.

    Attributes:
        poll_seconds: How long whoever watches may go without a look.
        count: How many there were; it only grows.
    """

    def __init__(self, board: Path | None) -> None:
        self.poll_seconds = QUICK_SECONDS
        self.count = 0
        # SQLite follows links to the board's file before it names the one beside it.
        self._log = "" if board is None else f"{os.path.realpath(board)}-wal"
        self._changed = threading.Condition()
        self._kernel: _Kernel | None = None
        self._asked = self._being_read = self._closed = False
        self._process = os.getpid()

    def wait(self, seen: int, seconds: float) -> int:
        """Wait until there were more notices than `seen`, or for so many seconds; return how many there were."""
        until = time.monotonic() + seconds
        with self._changed:
            self._ask()
            while self.count == seen and (self._being_read or self._kernel is None):
                left = until - time.monotonic()
                if left <= 0 or self._closed:
                    return self.count
                self._changed.wait(left)
            kernel = self._kernel
            if self.count != seen or kernel is None:
                return self.count
            self._being_read = True
        try:
            while self.count == seen and not self._closed and (left := until - time.monotonic()) > 0:
                kernel.wait(left)
                with self._changed:
                    self._read(kernel)
        finally:
            with self._changed:
                self._being_read = False
                self._forget_if_closed()
                self._changed.notify_all()
        return self.count

    def _ask(self) -> None:
        """Ask the kernel for notices, once."""
        if self._asked or self._closed or not self._log:
            return
        self._asked = True
        # Without them everything is as it was, only later: nobody has to be told.
        with contextlib.suppress(OSError, AttributeError):
            self._kernel = _Kernel(self._log)
            self.poll_seconds = SLOW_SECONDS

    def _read(self, kernel: "_Kernel") -> None:
        if kernel.read():
            self.count += 1
            self._changed.notify_all()
        if kernel.ended:
            self.poll_seconds = QUICK_SECONDS

    def _forget_if_closed(self) -> None:
        # Not while it is waited for: the number of a descriptor that was closed may be another file's by then.
        if self._closed and not self._being_read and self._kernel is not None:
            self._kernel.close()
            self._kernel = None

    def wake(self) -> None:
        """Let everybody who waits look, as if there had been a notice."""
        with self._changed:
            self.count += 1
            self._changed.notify_all()
            if self._kernel is not None:
                self._kernel.ring()

    def missed(self, seen: int) -> None:
        """Hear that something was committed and that whoever saw it knew of no more notices than `seen`.

        If there were none, the file system does not tell, and nobody relies on it any more.
        """
        with self._changed:
            if self._kernel is not None:
                self._read(self._kernel)
            if self.count == seen:
                self.poll_seconds = QUICK_SECONDS

    def close(self) -> None:
        """End all waiting, and the notices."""
        if self._process != os.getpid():
            # After a fork the lock may be held for ever; the descriptors are this process's own.
            if self._kernel is not None:
                self._kernel.close()
                self._kernel = None
            return
        with self._changed:
            self._closed = True
            self._forget_if_closed()
        self.wake()


class _Kernel:
    """What the kernel tells of a folder, and a bell beside it; two descriptors.

    Attributes:
        ended: Whether it tells no more: the folder is gone.

    Raises:
        OSError: There are no more watches to be had, or the folder may not be read.
        AttributeError: The system has no such notices.
    """

    def __init__(self, log: str) -> None:
        # By hand and not by watchdog's observers, which put three threads and two queues between the kernel and us.
        import ctypes  # noqa: PLC0415 - loaded when used

        library = ctypes.CDLL(None, use_errno=True)
        begin, add = library.inotify_init1, library.inotify_add_watch
        folder, name = os.path.split(os.fsencode(log))
        self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._folder = begin(os.O_CLOEXEC | os.O_NONBLOCK)
        watch = add(self._folder, folder, _MODIFIED | _ONLY_A_FOLDER) if self._folder >= 0 else -1
        if watch < 0:
            number = ctypes.get_errno()
            self.close()
            raise OSError(number, os.strerror(number), os.fsdecode(folder))
        self._about_us = (name + b"\0", _HEAD.pack(-1, _OVERFLOW))
        self._about_end = _HEAD.pack(watch, _ENDED)
        self.ended = False
        self._waiting = select.poll()
        self._waiting.register(self._folder, select.POLLIN)
        self._waiting.register(self._bell, select.POLLIN)

    def wait(self, seconds: float) -> None:
        """Wait until there is something to read; the system rounds up to milliseconds."""
        self._waiting.poll(seconds * 1000)

    def read(self) -> bool:
        """Read what is there and say whether any of it is about the log."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._bell)
        try:
            found = os.read(self._folder, _AT_ONCE_BYTES)
        except BlockingIOError:
            return False
        self.ended = self.ended or self._about_end in found
        # A name that only ends like ours is taken for ours: what is told too often costs one look.
        return self.ended or any(one in found for one in self._about_us)

    def ring(self) -> None:
        """End the waiting."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_write(self._bell, 1)

    def close(self) -> None:
        """Close both descriptors."""
        for one in (self._folder, self._bell):
            if one >= 0:
                os.close(one)
