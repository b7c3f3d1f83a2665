"""Turns between processes: tickets beside a file of their own, so that they write in the order of their arrival.

SQLite's busy handler sleeps and tries again, which starves those that sleep longest. Here who comes locks the next
byte of a file of its own, and goes when the byte before it is free. A lock ends with its process, so nobody has to be
declared dead; and since SQLite's own lock is what excludes, whoever waits too long behind a process that stands still
goes without its turn. Only fairness rests on this file: where it cannot be had, everything else holds.
"""

import contextlib
import fcntl
import os
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

_LOCK = struct.Struct("hhqqi4x")  # type, whence, start, length, process: struct flock of a 64-bit Linux
_NUMBERS = struct.Struct("qq")  # the last ticket given out, the one whose turn it is
_FIRST_BYTE = 64
_LARGEST = 2**62  # what is beyond was not counted: the file is damaged
_RUNG_SECONDS = 0.005  # between two looks behind a bell that is rung at the end of a turn, for each place in line
_NEXT_SECONDS, _NEAR_SECONDS = 0.00005, 0.0003  # without one
_NEAR = 8  # as many places count; with fewer before its turn, whoever waits without a bell looks often

PATIENCE_SECONDS = 2.0
"""How long a turn may take before those behind it stop waiting for it."""

_SET: int = getattr(fcntl, "F_OFD_SETLK", 0)
_ASK: int = getattr(fcntl, "F_OFD_GETLK", 0)


class Tickets:
    """The tickets of one opened board: one at a time."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._mine = 0
        self._rung = True  # whether the last turn that was waited for was told by its bell
        self._bells = _Bells(os.fstat(file))

    @classmethod
    def beside(cls, board: Path) -> "Tickets | None":
        """Open the file of tickets of a board; None where the system or the folder does not allow it."""
        if not _SET or not _ASK:
            return None
        try:
            file = os.open(f"{board}-queue", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        except OSError:
            return None
        try:
            if os.fstat(file).st_size < _FIRST_BYTE:
                os.ftruncate(file, _FIRST_BYTE)
            return cls(file)
        except (OSError, ValueError):
            os.close(file)
            return None

    def take(self) -> None:
        """Take the next ticket and wait for its turn, no longer than is patient; who has one has its turn already."""
        if self._mine:
            # A group whose first member was refused begins again: behind the next in line it would wait for itself.
            return
        try:
            last, _ = self._numbers()
            ticket = last + 1
            while not self._lock(ticket, fcntl.F_WRLCK):
                ticket += 1
            self._mine = ticket
            if self._is_held(ticket - 1):
                last, serving = self._numbers()
                self._count(max(last, ticket), serving)
                self._wait(ticket)
                last, _ = self._numbers()
            self._count(max(last, ticket), ticket)
        except OSError:
            # The system has no such lock to give, or the file cannot be read or written: go without.
            return

    def _numbers(self) -> tuple[int, int]:
        # Read and written, not mapped: where somebody cuts off a mapped file, touching it ends the process.
        found = os.pread(self._file, _NUMBERS.size, 0)
        last, serving = _NUMBERS.unpack(found.ljust(_NUMBERS.size, b"\0"))
        return (last, serving) if 0 <= last < _LARGEST else (0, 0)

    def _count(self, last: int, serving: int) -> None:
        os.pwrite(self._file, _NUMBERS.pack(last, serving), 0)

    def _wait(self, ticket: int) -> None:
        seen, patient_until, heard = 0, 0.0, False
        with self._bells.of(ticket) as bell:
            # The bell is there before it is looked whether the turn before is over: what rings in between is heard.
            while self._is_held(ticket - 1):
                now = time.monotonic()
                serving = self._numbers()[1]
                # Beyond the own ticket are those who went without their turn: that brings nobody before it forward.
                if serving != seen and serving < ticket:
                    seen, patient_until = serving, now + PATIENCE_SECONDS
                elif now > patient_until:
                    return
                ahead = ticket - 1 - serving
                pause = _NEAR_SECONDS * max(1, ahead - _NEAR) if ahead > 0 else _NEXT_SECONDS
                if bell is None or not self._rung:
                    time.sleep(min(pause, _RUNG_SECONDS))
                if bell is not None:
                    heard = self._bells.hear(bell, _RUNG_SECONDS * max(1, min(ahead, _NEAR)) if self._rung else 0)
            if bell is not None:
                # Where the turn comes unheard the others may be of another network, and the next is not heard either.
                self._rung = heard or self._bells.hear(bell, 0)

    def give_back(self) -> None:
        """End the turn, or the waiting for it."""
        mine, self._mine = self._mine, 0
        if mine:
            with contextlib.suppress(OSError):
                self._lock(mine, fcntl.F_UNLCK)
                # Asked of the lock: two who count at once may write one count less.
                if self._is_held(mine + 1):
                    self._bells.ring(mine + 1)

    def _lock(self, ticket: int, kind: int) -> bool:
        try:
            fcntl.fcntl(self._file, _SET, _LOCK.pack(kind, os.SEEK_SET, _FIRST_BYTE + ticket, 1, 0))
        except (BlockingIOError, PermissionError):
            return False
        return True

    def _is_held(self, ticket: int) -> bool:
        asked = _LOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, _FIRST_BYTE + ticket, 1, 0)
        found = _LOCK.unpack(fcntl.fcntl(self._file, _ASK, asked))
        return bool(found[0] != fcntl.F_UNLCK)

    def close(self) -> None:
        """Close the file; a ticket that is held ends with it."""
        self._bells.close()
        os.close(self._file)


class _Bells:
    """A bell for each ticket that waits: who ends its turn rings that of the next.

    It is a datagram without content to a name that both can work out. A hint and no more: who died rings nobody, and
    where processes share a file but no network, none is heard, so whoever waits looks for itself too.
    """

    def __init__(self, file: os.stat_result) -> None:
        self._name = b"\0blackboard-queue-%x-%x-" % (file.st_dev, file.st_ino)
        self._ringing: socket.socket | None = None

    @contextlib.contextmanager
    def of(self, ticket: int) -> Iterator[socket.socket | None]:
        """Lend the bell of a ticket, None where the system has none."""
        try:
            bell = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        except OSError:
            yield None
            return
        with bell:
            try:
                bell.bind(self._name + b"%d" % ticket)
            except OSError:
                yield None
                return
            yield bell

    @staticmethod
    def hear(bell: socket.socket, seconds: float) -> bool:
        """Wait until it is rung, no longer than until it is time to look, and say whether it was."""
        bell.settimeout(seconds)
        try:
            bell.recv(1)
        except (TimeoutError, BlockingIOError):
            return False
        return True

    def ring(self, ticket: int) -> None:
        """Ring the bell of a ticket, whether anybody hears it or not."""
        with contextlib.suppress(OSError):
            if self._ringing is None:
                self._ringing = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                self._ringing.settimeout(0)
            self._ringing.sendto(b"", self._name + b"%d" % ticket)

    def close(self) -> None:
        """Close what rings."""
        if self._ringing is not None:
            self._ringing.close()
