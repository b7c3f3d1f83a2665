"""Slips: what processes that wait in line leave to be done by the one whose turn it is, and its answers.

They stand in the file of the tickets. A slip is its author's wish and no more: who had no answer does it himself in
his own turn, under the same idempotency key, so whatever is lost, torn or done by somebody who then died is done once.
Who does it himself takes it back first, before he asks for the board's row; who has the row does none that was taken
back. So nothing is done any more for one who was told that it was refused.
"""

import os
import struct
import zlib
from typing import NamedTuple

_HEADER = struct.Struct("q16sII")  # the ticket, a number that is used once, length and check sum of what follows
_FIRST = 4096  # where the slips begin: behind the numbers of the tickets
_SLIP, _ANSWER = 32768, 1024
_PLACES = 512  # a slip stands at the place of its ticket, counted round: who is slow finds its answer for so long


class Slip(NamedTuple):
    """What was left under a ticket."""

    ticket: int
    mark: bytes
    text: bytes


class Slips:
    """The slips in a file."""

    def __init__(self, file: int) -> None:
        self._file = file

    def leave(self, ticket: int, text: bytes | None) -> Slip | None:
        """Leave a slip; None where there is nothing to leave, or it is too long."""
        slip = Slip(ticket, os.urandom(16), text or b"")
        made = _made(slip)
        if text is None or len(made) > _SLIP:
            # One who died may have left something under the same number, where the count was lost.
            self.take_back(slip)
            return None
        os.pwrite(self._file, made, _place(ticket))
        return slip

    def left(self, ticket: int) -> Slip | None:
        """Return what was left under a ticket, None where nothing was, or not yet."""
        return _found(os.pread(self._file, _SLIP, _place(ticket)), ticket)

    def stands(self, slip: Slip) -> bool:
        """Say whether a slip was not taken back."""
        return os.pread(self._file, _HEADER.size, _place(slip.ticket)) == _made(slip)[: _HEADER.size]

    def take_back(self, slip: Slip) -> None:
        """Take a slip back."""
        os.pwrite(self._file, bytes(_HEADER.size), _place(slip.ticket))

    def answer(self, slip: Slip, text: bytes) -> None:
        """Say what became of a slip, where there is room to say it."""
        made = _made(slip._replace(text=text))
        if len(made) <= _ANSWER:
            os.pwrite(self._file, made, _place(slip.ticket) + _SLIP)

    def answered(self, slip: Slip) -> bytes | None:
        """Return the answer to a slip, None where there is none."""
        found = _found(os.pread(self._file, _ANSWER, _place(slip.ticket) + _SLIP), slip.ticket)
        return None if found is None or found.mark != slip.mark else found.text


def _place(ticket: int) -> int:
    return _FIRST + ticket % _PLACES * (_SLIP + _ANSWER)


def _made(slip: Slip) -> bytes:
    return _HEADER.pack(slip.ticket, slip.mark, len(slip.text), zlib.crc32(slip.text, slip.ticket)) + slip.text


def _found(content: bytes, ticket: int) -> Slip | None:
    if len(content) < _HEADER.size:
        return None
    number, mark, length, checked = _HEADER.unpack_from(content)
    text = content[_HEADER.size : _HEADER.size + length]
    # It may be read while it is written.
    whole = number == ticket and len(text) == length and zlib.crc32(text, ticket) == checked
    return Slip(ticket, mark, text) if whole else None
