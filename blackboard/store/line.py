"""A fair line of the processes that want to write: numbers, as locks on single bytes of a small file beside the board.

SQLite's busy handler sleeps and tries again, which starves those that sleep longest. Here a process takes the next
number, locks the byte of that number, and has its turn when no lower number is locked. A lock ends with its process.
Only fairness rests on this: SQLite's own lock is what excludes. So where the file cannot be had, or whoever is before
stands still for too long, a process goes on without its turn.
"""

import contextlib
import fcntl
import os
import stat
import struct
import time
from pathlib import Path

SUFFIX = "-line"
MARK = b"sharedspec line\n"
"""What the file begins with. A file of this name that holds anything else is somebody else's, and never written."""

PATIENCE_SECONDS = 2.0
"""How long whoever is before may stand still."""

_LOCK = struct.Struct("hhqqi4x")  # type, whence, start, length, process: struct flock of a 64-bit Linux
_NUMBER = struct.Struct("q")  # the number that was given out last, behind the mark
_FIRST_BYTE = 64  # the byte of number 0; byte 0 of the file is locked by who takes a number
_LARGEST = 2**61
_LOOK_SECONDS = 0.0003  # between two looks, for each number that is before
_LONGEST_LOOK_SECONDS = 0.005
_SET: int = getattr(fcntl, "F_OFD_SETLK", 0)
_ASK: int = getattr(fcntl, "F_OFD_GETLK", 0)


class Line:
    """The place of one opened board in the line: only who has the turn among its threads uses it."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._mine = 0
        self._passed = 0  # of those who stood still; nobody waits twice for the same

    @classmethod
    def beside(cls, board: Path) -> "Line | None":
        """Open the file of a board's line; None where the system, the folder or what is there does not allow it."""
        if not _SET or not _ASK:
            return None
        try:
            # All who open one file meet in one line, by whatever symbolic link they found it.
            path = f"{os.path.realpath(board)}{SUFFIX}"
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError:
            return None
        try:
            found, content = os.fstat(file), os.pread(file, len(MARK), 0)
            if not content and stat.S_ISREG(found.st_mode):
                # Whoever may write the board may stand in line for it.
                like = board.stat()
                with contextlib.suppress(OSError):
                    os.fchown(file, -1, like.st_gid)
                os.fchmod(file, stat.S_IMODE(like.st_mode))
                os.pwrite(file, MARK, 0)
            elif content != MARK or not stat.S_ISREG(found.st_mode):
                os.close(file)
                return None
        except OSError:
            os.close(file)
            return None
        return cls(file)

    def take(self) -> None:
        """Wait for the own turn, no longer than is patient; who has it already goes on."""
        if self._mine:
            return
        try:
            self._number()
            self._wait()
        except OSError:
            # The system has no such lock to give, or the file cannot be read or written: go without.
            self.give_back()

    def give_back(self) -> None:
        """End the turn, or the waiting for it."""
        if self._mine:
            mine, self._mine = self._mine, 0
            with contextlib.suppress(OSError):
                self._lock(_FIRST_BYTE + mine, fcntl.F_UNLCK)

    def close(self) -> None:
        """Leave the line for good; locks that the parent of a fork holds stay its own."""
        file, self._file, self._mine = self._file, -1, 0
        if file >= 0:
            os.close(file)

    def _number(self) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while not self._lock(0, fcntl.F_WRLCK):
            if time.monotonic() > until:
                raise TimeoutError("whoever takes a number stands still")
            time.sleep(_LOOK_SECONDS)
        try:
            last = os.pread(self._file, _NUMBER.size, len(MARK))
            number = (_NUMBER.unpack(last)[0] if len(last) == _NUMBER.size else 0) + 1
            if not 0 < number < _LARGEST:
                raise OSError("the file was damaged")
            # In this order: whoever has a later number finds this one locked.
            if not self._lock(_FIRST_BYTE + number, fcntl.F_WRLCK):
                raise OSError("the file was damaged: this number is given out")
            self._mine = number
            os.pwrite(self._file, _NUMBER.pack(number), len(MARK))
        finally:
            self._lock(0, fcntl.F_UNLCK)

    def _wait(self) -> None:
        seen, until = 0, 0.0
        while before := self._before():
            if before != seen:
                seen, until = before, time.monotonic() + PATIENCE_SECONDS
            elif time.monotonic() > until:
                self._passed = before
                continue
            time.sleep(min(_LOOK_SECONDS * (self._mine - before), _LONGEST_LOOK_SECONDS))

    def _before(self) -> int:
        """Return the lowest number before the own that is locked, 0 where none is."""
        found, end = 0, self._mine
        while end > self._passed + 1:
            asked = _LOCK.pack(fcntl.F_RDLCK, os.SEEK_SET, _FIRST_BYTE + self._passed + 1, end - self._passed - 1, 0)
            kind, _, start, _, _ = _LOCK.unpack(fcntl.fcntl(self._file, _ASK, asked))
            if kind == fcntl.F_UNLCK:
                break
            found = end = start - _FIRST_BYTE
        return found

    def _lock(self, byte: int, kind: int) -> bool:
        """Lock or unlock a byte; whether that could be done at once."""
        try:
            fcntl.fcntl(self._file, _SET, _LOCK.pack(kind, os.SEEK_SET, byte, 1, 0))
        except (BlockingIOError, PermissionError):
            return False
        return True
