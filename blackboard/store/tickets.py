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
import stat
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from pathlib import Path

from blackboard.store.slips import Slip, Slips

_LOCK = struct.Struct("hhqqi4x")  # type, whence, start, length, process: struct flock of a 64-bit Linux
_NUMBERS = struct.Struct("qq")  # the last ticket given out, the one whose turn it is
_SERVED = struct.Struct("q")  # behind them: the last one whose errand was done in the turn of another
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

    def __init__(self, file: int, *, trusted: bool) -> None:
        self._file = file
        self._trusted = trusted  # whether errands and answers in it are heeded
        self._slips = Slips(file)
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
            return cls(file, trusted=_is_guarded_as(os.fstat(file), board))
        except (OSError, ValueError):
            os.close(file)
            return None

    def take(self, errand: Callable[[], bytes | None] | None = None) -> bytes | None:
        """Take the next ticket and wait for its turn, no longer than is patient; who has one has its turn already.

        Args:
            errand: Says what whoever has the turn may do instead, if there is a line.

        Returns:
            The answer of who did, None where it is the own turn.
        """
        if self._mine:
            # A group whose first member was refused begins again: behind the next in line it would wait for itself.
            return None
        try:
            ticket = self._next()
            self._mine = ticket
            if self._is_held(ticket - 1):
                text = errand() if errand is not None and self._trusted else None
                answer = self._in_line(ticket, text)
                if answer is not None:
                    return answer
            last, _ = self._numbers()
            self._count(max(last, ticket), ticket)
        except OSError:
            # The system has no such lock to give, or the file cannot be read or written: go without.
            self._leave_line()
        return None

    def _next(self) -> int:
        """Lock the next ticket and return it."""
        ticket = self._numbers()[0] + 1
        while not self._lock(ticket, fcntl.F_WRLCK):
            ticket += 1
        return ticket

    def _in_line(self, ticket: int, errand: bytes | None) -> bytes | None:
        """Wait for the turn, or for the answer of another one that did the errand: then the turn is over as well."""
        # Before the ticket is counted: who has the turn looks no further than that.
        slip = self._slips.leave(ticket, errand)
        try:
            last, serving = self._numbers()
            self._count(max(last, ticket), serving)
            answer = self._wait(ticket, slip)
        finally:
            # From here on nobody else does it.
            if slip is not None:
                self._slips.take_back(slip)
        if answer is not None:
            # Who did it lets the next one go.
            self._leave_line()
        return answer

    def _leave_line(self) -> None:
        mine, self._mine = self._mine, 0
        if mine:
            with contextlib.suppress(OSError):
                self._lock(mine, fcntl.F_UNLCK)

    def errands(self) -> Iterator[Slip]:
        """Yield what those left that wait in line, in their order, up to the first who left nothing."""
        if not self._mine or not self._trusted:
            return
        try:
            for ticket in count(self._mine + 1):
                if ticket > self._numbers()[0] or not self._is_held(ticket) or not (slip := self._slips.left(ticket)):
                    return
                yield slip
        except OSError:
            return

    def stands(self, slip: Slip) -> bool:
        """Say whether its author still waits for another to do it."""
        try:
            # Who cannot take it back gives its ticket back.
            return self._slips.stands(slip) and self._is_held(slip.ticket)
        except OSError:
            return False

    def _numbers(self) -> tuple[int, int]:
        # Read and written, not mapped: where somebody cuts off a mapped file, touching it ends the process.
        found = os.pread(self._file, _NUMBERS.size, 0)
        last, serving = _NUMBERS.unpack(found.ljust(_NUMBERS.size, b"\0"))
        return (last, serving) if 0 <= last < _LARGEST else (0, 0)

    def _count(self, last: int, serving: int) -> None:
        os.pwrite(self._file, _NUMBERS.pack(last, serving), 0)

    def _wait(self, ticket: int, slip: Slip | None) -> bytes | None:
        seen, patient_until, heard = 0, 0.0, False
        with self._bells.of(ticket) as bell:
            # The bell is there before it is looked whether the turn before is over: what rings in between is heard.
            while (answer := self._answered(slip)) is None and self._is_behind(ticket):
                now = time.monotonic()
                serving = self._numbers()[1]
                # Beyond the own ticket are those who went without their turn: that brings nobody before it forward.
                if serving != seen and serving < ticket:
                    seen, patient_until = serving, now + PATIENCE_SECONDS
                elif now > patient_until:
                    return None
                ahead = ticket - 1 - serving
                pause = _NEAR_SECONDS * max(1, ahead - _NEAR) if ahead > 0 else _NEXT_SECONDS
                if bell is None or not self._rung:
                    time.sleep(min(pause, _RUNG_SECONDS))
                if bell is not None:
                    heard = self._bells.hear(bell, _RUNG_SECONDS * max(1, min(ahead, _NEAR)) if self._rung else 0)
            if bell is not None:
                # Where the turn comes unheard the others may be of another network, and the next is not heard either.
                self._rung = heard or self._bells.hear(bell, 0)
        return answer

    def _answered(self, slip: Slip | None) -> bytes | None:
        return None if slip is None else self._slips.answered(slip)

    def _is_behind(self, ticket: int) -> bool:
        """Say whether somebody is before it: not one whose errand was done, and who has just not gone yet."""
        content = os.pread(self._file, _NUMBERS.size + _SERVED.size, 0)
        if len(content) == _NUMBERS.size + _SERVED.size:
            (served,) = _SERVED.unpack_from(content, _NUMBERS.size)
            if served == ticket - 1:
                return False
        return self._is_held(ticket - 1)

    def give_back(self, answers: Iterable[tuple[Slip, bytes]] = ()) -> None:
        """End the turn, or the waiting for it, and answer those next in line whose errands were done; that is durable.

        The one behind them goes first: the whole line waits for that one.
        """
        mine, self._mine = self._mine, 0
        if not mine:
            return
        answered = list(answers)
        try:
            with contextlib.suppress(OSError):
                if answered:
                    # By this the one behind them knows. They themselves wait until they are answered.
                    os.pwrite(self._file, _SERVED.pack(mine + len(answered)), _NUMBERS.size)
                    self._tell(mine + len(answered) + 1)
                for slip, text in answered:
                    self._slips.answer(slip, text)
        finally:
            with contextlib.suppress(OSError):
                self._lock(mine, fcntl.F_UNLCK)
                for slip, _ in answered:
                    self._bells.ring(slip.ticket)
                if not answered:
                    self._tell(mine + 1)

    def _tell(self, ticket: int) -> None:
        """Ring the bell of who has a ticket, if anybody has."""
        # Asked of the lock: two who count at once may write one count less.
        if self._is_held(ticket):
            self._bells.ring(ticket)

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


def _is_guarded_as(file: os.stat_result, board: Path) -> bool:
    """Say whether nobody may write the file who may not write the board; anybody may have made it, in some folders."""
    try:
        other = board.stat()
    except OSError:
        return False
    granted = other.st_mode if file.st_gid == other.st_gid else other.st_mode & ~stat.S_IWGRP
    return file.st_uid == other.st_uid and not file.st_mode & ~granted & (stat.S_IWGRP | stat.S_IWOTH)


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
