"""Slips: what processes that wait in line leave to be done by the one whose turn it is, and its answers.

They stand in the file of the tickets. A slip is its author's wish and no more: who had no answer does it himself in
his own turn, under the same idempotency key, so whatever is lost, torn or done by somebody who then died is done once.
Who does it himself takes it back first, before he asks for the board's row; who has the row does none that was taken
back. So nothing is done any more for one who was told that it was refused.
"""

import os
import struct
import zlib
from itertools import count
from typing import NamedTuple

_HEADER = struct.Struct("q16sII")  # the ticket, a number that is used once, length and check sum of what follows
_MARK = struct.Struct("8sq")  # that number: whose slip it is, and the how many-th
_FIRST = 4096  # where the slips begin: behind the numbers of the tickets
_ANSWER, _SLIP = 1024, 32768
_USUAL = 4096  # most slips are no longer

PLACES = 512
"""A slip stands at the place of its ticket, counted round."""

NOBODY = bytes(8)
"""Is no author's name."""

LONGEST_ANSWER = _ANSWER - _HEADER.size - len(NOBODY)


class Slip(NamedTuple):
    """What was left under a ticket: nothing (an empty text) by one who only waits."""

    ticket: int
    mark: bytes
    text: bytes

    @property
    def author(self) -> bytes:
        """Whose it is: the name of its bell."""
        return self.mark[:8]


class Answer(NamedTuple):
    """What became of a slip: an empty text tells its author to do it.

    Attributes:
        rings: Whose bell the author of the slip rings when he finds it.
    """

    text: bytes
    rings: bytes = NOBODY


class Slips:
    """The slips in a file, and those of one author among them."""

    def __init__(self, file: int, author: bytes) -> None:
        self._file, self._author = file, author
        self._counted = count(1)

    def leave(self, ticket: int, text: bytes | None) -> Slip:
        """Leave a slip: an empty one where there is nothing to leave, or it is too long."""
        slip = Slip(ticket, _MARK.pack(self._author, next(self._counted)), text or b"")
        if _HEADER.size + len(slip.text) > _SLIP:
            slip = slip._replace(text=b"")
        os.pwrite(self._file, _made(slip), _place(ticket) + _ANSWER)
        return slip

    def of(self, ticket: int) -> Slip | None:
        """Return what stands under a ticket, None where nothing does, or not yet."""
        content = os.pread(self._file, _ANSWER + _USUAL, _place(ticket))
        slip = _found(content[_ANSWER:], ticket)
        if slip is None and len(content) == _ANSWER + _USUAL:
            slip = _found(os.pread(self._file, _SLIP, _place(ticket) + _ANSWER), ticket)
        # What was refused, or done, is left to its author.
        answer = None if slip is None else _found(content, ticket)
        return slip._replace(text=b"") if slip and answer and answer.mark == slip.mark else slip

    def stands(self, slip: Slip) -> bool:
        """Say whether a slip was not taken back."""
        return os.pread(self._file, _HEADER.size, _place(slip.ticket) + _ANSWER) == _made(slip)[: _HEADER.size]

    def take_back(self, slip: Slip) -> None:
        """Take a slip back."""
        os.pwrite(self._file, bytes(_HEADER.size), _place(slip.ticket) + _ANSWER)

    def answer(self, slip: Slip, answer: Answer) -> None:
        """Say what became of a slip, where there is room to say it."""
        if len(answer.text) <= LONGEST_ANSWER:
            told = slip._replace(text=answer.rings + answer.text)
            os.pwrite(self._file, _made(told), _place(slip.ticket))

    def answered(self, slip: Slip) -> Answer | None:
        """Return the answer to a slip, None where there is none."""
        found = _found(os.pread(self._file, _ANSWER, _place(slip.ticket)), slip.ticket)
        if found is None or found.mark != slip.mark:
            return None
        return Answer(found.text[len(NOBODY) :], found.text[: len(NOBODY)])


def _place(ticket: int) -> int:
    return _FIRST + ticket % PLACES * (_ANSWER + _SLIP)


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
