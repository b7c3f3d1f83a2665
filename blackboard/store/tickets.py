"""Turns between processes: tickets beside a file of their own, so that they write in the order of their arrival.

SQLite's busy handler sleeps and tries again, which starves those that sleep longest. Here one process leads at a time;
who comes meanwhile locks the next byte of a file of its own, which is its ticket, and leaves there what it wants to be
done. Who finds that nobody leads may lead at once, whoever waits, if it does first what those before it left: so the
order is kept, and nobody waits for a process to wake up that only wants to be answered. A lock ends with its process,
so nobody has to be declared dead; and since SQLite's own lock is what excludes, whoever waits too long behind one that
stands still goes without its turn. Only fairness rests on this file: where it cannot be had, everything else holds.
"""

import contextlib
import fcntl
import os
import socket
import stat
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from blackboard.store.slips import NOBODY, PLACES, Answer, Slip, Slips

_LOCK = struct.Struct("hhqqi4x")  # type, whence, start, length, process: struct flock of a 64-bit Linux
# The last ticket given out; the last of those that are over, which who leads writes; how many stood still who led.
_NUMBERS = struct.Struct("qqq")
_NUMBER = struct.Struct("q")
_OVER, _LEADERS = _NUMBER.size, 2 * _NUMBER.size  # where the second and the third of them are
_MOMENT = struct.Struct("ll")  # seconds, millionths: struct timeval
_FIRST_BYTE = 64
_LEAD = -1  # the byte that is locked by who leads, counted like the tickets; after one that stands still the one before
_LEADS = 32  # of so many
_CLOSED = 2**31 - 1  # no file has this number: whoever goes on with it, in the child of a fork, touches no other one
_LARGEST = 2**62  # what is beyond was not counted: the file is damaged
_RUNG_SECONDS = 0.02  # between two looks behind a bell that is rung at the end of a turn; each is twice as long
_LOOKS_SECONDS = 0.1  # but no longer than this
_NEAR_SECONDS = 0.0003  # without one, for each place in line
_NEAR, _FAR = 8, 24  # as many places count; with fewer before its turn, whoever waits without a bell looks often

PATIENCE_SECONDS = 2.0
"""How long a turn may take before those behind it stop waiting for it."""

_SET: int = getattr(fcntl, "F_OFD_SETLK", 0)
_ASK: int = getattr(fcntl, "F_OFD_GETLK", 0)


class Tickets:
    """The tickets of one opened board: one at a time."""

    def __init__(self, file: int, *, trusted: bool) -> None:
        self._file = file
        self._trusted = trusted  # whether errands and answers in it are heeded
        self._bell = _Bell(os.fstat(file))
        self._slips = Slips(file, self._bell.name)
        self._mine = 0
        self._leads = self._in_turn = False
        self._lead = 0  # how many stood still who led, when it was last looked
        self._counted = self._over = 0  # all tickets up to it are over: before this turn, and when it is
        self._seen = 0  # those behind the own turn have later ones
        self._before: list[Slip] = []  # what those left that are before
        self._rung = True  # whether the last turn that was waited for was told by its bell

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

    # --- to have one's turn ---

    def take(self, errand: Callable[[], bytes | None] | None = None, *, helps: bool = False) -> bytes | None:
        """Wait for the own turn, no longer than is patient; who has it already goes on.

        Args:
            errand: Says what whoever has the turn may do instead, if there is a line.
            helps: Whether this one does what those left that are `before`.

        Returns:
            The answer of who did it, None where it is the own turn.
        """
        if self._in_turn:
            # A group whose first member was refused begins again: in line it would wait for itself.
            return None
        answer = None
        try:
            if not self._may_lead(self._mine, helps=helps):
                text = errand() if errand is not None and self._trusted else None
                answer = self._in_line(text, helps=helps)
        except OSError:
            # The system has no such lock to give, or the file cannot be read or written: go without.
            with contextlib.suppress(OSError):
                self._leave_line()
        if answer is not None and self._leads:
            self.give_back()
        elif answer is not None:
            # Who did it lets the next one go.
            with contextlib.suppress(OSError):
                self._leave_line()
        self._in_turn = answer is None
        return answer

    def _may_lead(self, ticket: int, *, helps: bool) -> bool:
        """Lead, if nobody does and nobody is before who has to go first; before one without a ticket (0) are all."""
        self._leads = True  # who is interrupted here gives it back
        while self._lock(self._lead_byte, fcntl.F_WRLCK):
            last, over, lead = self._numbers()
            if lead == self._lead:
                break
            self._lock(self._lead_byte, fcntl.F_UNLCK)
            self._lead = lead
        else:
            self._leads = False
            return False
        before: list[Slip] = []
        for number in self._waiting(over, last, ticket or _LARGEST) if last > over else ():
            slip = self._slips.of(number)
            if slip is None or not slip.text or not helps or not self._trusted:
                self._leads = False
                self._lock(self._lead_byte, fcntl.F_UNLCK)
                # It may have looked just now.
                self._ring(slip)
                return False
            before.append(slip)
        self._before = before
        self._seen = ticket or (before[-1].ticket if before else last)
        self._over = self._counted = over
        if not before:
            self._over = self._seen
        return True

    def _in_line(self, errand: bytes | None, *, helps: bool) -> bytes | None:
        """Wait for the turn, or for the answer of another one that did the errand: then the turn is over as well."""
        # Before anybody can ring it.
        has_bell = self._bell.hang()
        stepped_back = self._mine
        ticket = stepped_back or self._next()
        # Before the ticket is counted: who leads looks no further than that.
        slip, answer = self._slips.leave(ticket, errand), None
        try:
            if not stepped_back:
                self._count(ticket)
            answer = self._wait(slip, has_bell=has_bell, helps=helps)
        finally:
            if answer is None:
                # From here on nobody else does it.
                self._slips.take_back(slip)
        return answer

    def _next(self) -> int:
        """Lock the next ticket and return it."""
        while True:
            last, _, self._lead = self._numbers()
            for ticket in range(last + 1, last + PLACES):
                if self._lock(ticket, fcntl.F_WRLCK):
                    break
            else:
                # Somebody locked all of the file.
                raise BlockingIOError(f"no ticket is free beyond {last}")
            self._mine = ticket
            if self._numbers()[1] < ticket:
                return ticket
            # While it was looked for, those behind it had their turn already: nobody would look there any more.
            self._lock(ticket, fcntl.F_UNLCK)

    def _count(self, ticket: int) -> None:
        """Count a ticket, and those behind it that are counted already: one less written later would hide them."""
        for counted in range(ticket, ticket + PLACES):
            os.pwrite(self._file, _NUMBER.pack(counted), 0)
            if not self._is_held(counted + 1):
                break

    @property
    def _lead_byte(self) -> int:
        return _LEAD - self._lead % _LEADS

    def _wait(self, slip: Slip, *, has_bell: bool, helps: bool) -> bytes | None:
        seen, patient_until, look, heard = (-1, -1), 0.0, 0.0, False
        answer = None
        # It is asked first whether anybody leads: an answer costs less than an error.
        while not (answer or (not self._is_held(self._lead_byte) and self._may_lead(slip.ticket, helps=helps))):
            if look and not heard:
                now, (last, over, self._lead) = time.monotonic(), self._numbers()
                # Beyond the own ticket are those who went without their turn: that brings nobody before it forward.
                if (over, self._lead) != seen and over < slip.ticket:
                    seen, patient_until = (over, self._lead), now + PATIENCE_SECONDS
                elif now > patient_until:
                    self._pass(over, last, slip.ticket)
                    # Who ended its turn may have answered it since it looked.
                    return self._answered(slip) or None
            look = min(2 * look, _LOOKS_SECONDS) or _RUNG_SECONDS
            if has_bell and self._rung:
                heard = self._bell.hear(look)
            else:
                ahead = slip.ticket - self._numbers()[1]
                time.sleep(_NEAR_SECONDS * max(1, min(ahead, _FAR) - _NEAR))
                heard = has_bell and self._bell.hear(0)
            answer = self._answered(slip)
        if not answer:
            # Who leads may have been answered just before.
            answer = self._answered(slip)
        if has_bell and look and (answer or not self._before):
            # Where the turn comes unheard the others may be of another network, and the next is not heard either.
            self._rung = heard or self._bell.hear(0)
        return answer or None

    def _answered(self, slip: Slip) -> bytes | None:
        """Return the answer to the own slip, None where there is none; whoever was answered next is rung."""
        answer = self._slips.answered(slip)
        if answer is None:
            return None
        if answer.rings != NOBODY:
            self._bell.ring(answer.rings)
        return answer.text

    def _pass(self, over: int, last: int, ticket: int) -> None:
        """Let nobody wait any more for the one that stands still, who leads or is the first in line."""
        if over >= ticket:
            # It was passed itself: that tells nothing of the others.
            return
        if self._is_held(self._lead_byte):
            os.pwrite(self._file, _NUMBER.pack(self._lead + 1), _LEADERS)
            return
        for first in self._waiting(over, last, ticket):
            os.pwrite(self._file, _NUMBER.pack(first), _OVER)
            break

    def _leave_line(self) -> None:
        mine, self._mine, leads, self._leads = self._mine, 0, self._leads, False
        try:
            if leads:
                self._lock(self._lead_byte, fcntl.F_UNLCK)
        finally:
            if mine:
                self._lock(mine, fcntl.F_UNLCK)

    # --- in one's turn ---

    def before(self) -> Sequence[Slip]:
        """Return what those left that are before, in their order: it is to be done before anything else."""
        before, self._before = self._before, []
        return before

    def behind(self) -> Iterator[Slip]:
        """Yield what those left that wait behind, in their order, up to the first who left nothing."""
        if not self._leads or not self._trusted:
            return
        try:
            last = self._numbers()[0]
            for ticket in self._waiting(self._seen, last) if last > self._seen else ():
                slip = self._slips.of(ticket)
                if slip is None or not slip.text:
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

    def refuse(self, slip: Slip) -> None:
        """Let its author do himself what he left, in his own turn: nobody goes before him."""
        with contextlib.suppress(OSError):
            self._slips.answer(slip, Answer(b""))

    def answer(self, answers: Sequence[tuple[Slip, bytes]]) -> None:
        """Answer those whose errands were done, and durably so."""
        with contextlib.suppress(OSError):
            self._answer(answers)
        if answers:
            self._ring(answers[0][0])

    def _answer(self, answers: Sequence[tuple[Slip, bytes]]) -> None:
        """Answer them, the last one first: each who finds its answer rings the next one, which finds its own then.

        All rung at once would stand before one processor, and whoever rings them may lose his to them in between.
        """
        rings = NOBODY
        for slip, text in reversed(answers):
            self._slips.answer(slip, Answer(text, rings))
            rings = slip.author
        if answers:
            self._over = answers[-1][0].ticket

    def step_back(self, answers: Sequence[tuple[Slip, bytes]]) -> None:
        """Let go first who is before and has to do it himself; a ticket is kept."""
        mine, self._mine = self._mine, 0
        try:
            self.give_back(answers)
        finally:
            self._mine = mine

    def give_back(self, answers: Sequence[tuple[Slip, bytes]] = ()) -> None:
        """End the turn, or the waiting for it, and answer those whose errands were done; that is durable."""
        leads, self._in_turn = self._leads, False
        if not (self._mine or leads):
            return
        try:
            try:
                # Before anybody else can lead: who is told by these numbers that its turn is over finds its answer.
                self._answer(answers)
                # Those behind may have passed meanwhile who stands still.
                if leads and self._over > self._counted and self._over > self._numbers()[1]:
                    os.pwrite(self._file, _NUMBER.pack(self._over), _OVER)
            finally:
                self._leave_line()
            if answers:
                # Before the next in line: what that one begins keeps a processor for longer.
                self._ring(answers[0][0])
            last, counted, _ = self._numbers()
            for ticket in self._waiting(self._over if leads else counted, last):
                self._ring(self._slips.of(ticket))
                break
        except OSError:
            # Who is not told looks for itself.
            pass

    # --- the file ---

    def _numbers(self) -> tuple[int, int, int]:
        # Read and written, not mapped: where somebody cuts off a mapped file, touching it ends the process.
        found = os.pread(self._file, _NUMBERS.size, 0)
        last, over, lead = _NUMBERS.unpack(found.ljust(_NUMBERS.size, b"\0"))
        return (last, over, lead) if 0 <= over <= last < _LARGEST and 0 <= lead < _LARGEST else (0, 0, 0)

    def _waiting(self, after: int, last: int, until: int = _LARGEST) -> Iterator[int]:
        """Yield the tickets between two that somebody has, in order; `last` was given out last."""
        for ticket in range(after + 1, min(until, after + PLACES)):
            # Asked of the lock: two who count at once may write one count less.
            if self._is_held(ticket):
                yield ticket
            elif ticket > last:
                return

    def _ring(self, slip: Slip | None) -> None:
        if slip is not None:
            self._bell.ring(slip.author)

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
        self._bell.close()
        file, self._file = self._file, _CLOSED
        if file != _CLOSED:
            os.close(file)


def _is_guarded_as(file: os.stat_result, board: Path) -> bool:
    """Say whether nobody may write the file who may not write the board; anybody may have made it, in some folders."""
    try:
        other = board.stat()
    except OSError:
        return False
    granted = other.st_mode if file.st_gid == other.st_gid else other.st_mode & ~stat.S_IWGRP
    return file.st_uid == other.st_uid and not file.st_mode & ~granted & (stat.S_IWGRP | stat.S_IWOTH)


class _Bell:
    """The bell of one who waits, and a way to ring others': who ends its turn, or was answered, rings the next one's.

    It is a datagram without content to a name that stands on the slip. A hint and no more: who died rings nobody, and
    where processes share a file but no network, none is heard, so whoever waits looks for itself too.

    Attributes:
        name: Eight bytes that no other bell has.
    """

    def __init__(self, file: os.stat_result) -> None:
        self.name = os.urandom(8)
        self._place = b"\0blackboard-queue-%x-%x-" % (file.st_dev, file.st_ino)
        self._bell: socket.socket | None = None
        self._ringing: socket.socket | None = None
        self._seconds = -1.0

    def hang(self) -> bool:
        """Have a bell that others can ring; False where the system has none."""
        if self._bell is None:
            try:
                bell = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            except OSError:
                return False
            try:
                bell.settimeout(None)  # an application may have set another default
                bell.bind(self._place + self.name.hex().encode())
            except OSError:
                bell.close()
                return False
            self._bell = bell
        return True

    def hear(self, seconds: float) -> bool:
        """Wait until it is rung, no longer than until it is time to look, and say whether it was."""
        if self._bell is None:
            return False
        if seconds and seconds != self._seconds:
            # The system waits: the driver's own way of it takes two calls more.
            self._bell.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _MOMENT.pack(*_parted(seconds)))
            self._seconds = seconds
        try:
            self._bell.recv(1, 0 if seconds else socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        return True

    def ring(self, name: bytes) -> None:
        """Ring a bell, whether anybody hears it or not."""
        with contextlib.suppress(OSError):
            if self._ringing is None:
                self._ringing = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                self._ringing.settimeout(0)
            self._ringing.sendto(b"", self._place + name.hex().encode())

    def close(self) -> None:
        """Take it down."""
        for one in (self._bell, self._ringing):
            if one is not None:
                one.close()


def _parted(seconds: float) -> tuple[int, int]:
    """Return a length of time as whole seconds and millionths."""
    return divmod(max(1, int(seconds * 1_000_000)), 1_000_000)
