"""What callers give, checked where it comes in: a wrong type is an error of ours before it is anything else.

Each function returns what it was given, or raises `Invalid` with the name of the argument and what to give instead.
"""

import math
from collections.abc import Iterable, Mapping
from typing import TypeVar

from blackboard.errors import Invalid, InvalidContract, TooLarge
from blackboard.spec.canonical import NotCanonical, check_text
from blackboard.spec.effects import Side

MAX_TEXT_BYTES = 1_048_576
MAX_FILE_BYTES = 8_388_608
MAX_NUMBER = 1 << 62
"""Above what a board ever counts to, and below what an engine can hold."""

MAX_SECONDS = 366 * 86_400

_SIDES: Mapping[str, Side] = {str(side): side for side in Side}
_SHOWN = 60
_Kind = TypeVar("_Kind")
_Key = TypeVar("_Key")


def a_text(value: str, what: str) -> str:
    """Return a text that every store can carry.

    Raises:
        TooLarge: It has more than 1 MiB.
        InvalidContract: It holds a lone surrogate; says line and column.
    """
    if type(value) is str and value.isascii() and len(value) <= MAX_TEXT_BYTES:
        return value
    text = _of(value, str, what, "a text")
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_TEXT_BYTES:
        raise TooLarge(what, size, MAX_TEXT_BYTES)
    try:
        return check_text(text)
    except NotCanonical as error:
        raise InvalidContract("text", f"{what}: {error.why}", line=error.line, column=error.column) from None


def a_file(path: str, content: str | bytes) -> bytes:
    """Return a file's content as bytes.

    Raises:
        TooLarge: It has more than 8 MiB.
        InvalidContract: It is a text with a lone surrogate.
    """
    if not isinstance(content, str | bytes):
        raise Invalid(f"file {path} is given as {type(content).__name__}; give a text, bytes, or None to delete it")
    try:
        data = content.encode() if isinstance(content, str) else content
    except UnicodeEncodeError as error:
        raise InvalidContract("text", f"file {path}: lone surrogate at {error.start}") from None
    if len(data) > MAX_FILE_BYTES:
        raise TooLarge(f"file {path}", len(data), MAX_FILE_BYTES)
    return data


def a_mapping(value: Mapping[_Key, _Kind], what: str) -> Mapping[_Key, _Kind]:
    """Return a mapping."""
    if not isinstance(value, Mapping):
        raise _wrong(value, what, "a mapping")
    return value


def yes_or_no(value: bool, what: str) -> bool:  # noqa: FBT001 - it is the value that is checked
    """Return True or False; nothing that is merely true or false."""
    return _of(value, bool, what, "True or False")


def a_number(value: int, what: str, *, least: int | None = None) -> int:
    """Return a whole number that an engine can hold, `least` or more; a larger one is as good as the largest."""
    if type(value) is not int or (least is not None and value < least):
        raise _wrong(value, what, "a whole number" if least is None else f"a whole number, {least} or more")
    return max(-MAX_NUMBER, min(value, MAX_NUMBER))


def an_amount(value: float, what: str, *, positive: bool = False) -> float:
    """Return a finite number that is not negative, as a float."""
    if type(value) not in (int, float) or not math.isfinite(value) or value < 0 or (positive and value == 0):
        raise _wrong(value, what, f"a finite number, {'more than 0' if positive else '0 or more'}")
    return float(value)


def a_time(value: float, what: str) -> float:
    """Return how long something lasts in seconds, at most a year: whoever waits for its end should see it."""
    seconds = an_amount(value, what, positive=True)
    if seconds > MAX_SECONDS:
        raise _wrong(value, what, f"at most {MAX_SECONDS} seconds, a year")
    return seconds


def a_list(values: Iterable[_Kind], what: str) -> tuple[_Kind, ...]:
    """Return several values, whatever each is; one text alone is not taken for its letters."""
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise _wrong(values, what, "a list")
    return tuple(values)


def texts(values: Iterable[str], what: str, *, empty: bool = True) -> tuple[str, ...]:
    """Return several texts; one text alone is not taken for its letters. `empty`: one of them may be."""
    found = a_list(values, what)
    for one in found:
        if not a_text(one, f"an entry of {what}") and not empty:
            raise _wrong(one, f"an entry of {what}", "a text that is not empty")
    return found


def several(values: Iterable[_Kind], kind: type[_Kind], what: str) -> tuple[_Kind, ...]:
    """Return several values of one kind."""
    return tuple(_of(one, kind, f"an entry of {what}", f"a {kind.__name__}") for one in a_list(values, what))


def a_side(value: str) -> Side:
    """Return a side."""
    try:
        return _SIDES[value]
    except (KeyError, TypeError):
        raise _wrong(value, "side", "'uses' or 'implements'") from None


def a(kind: type[_Kind], value: _Kind, what: str) -> _Kind:
    """Return a value of one kind."""
    return _of(value, kind, what, f"a {kind.__name__}")


def _of(value: _Kind, kind: type[_Kind], what: str, wanted: str) -> _Kind:
    if not isinstance(value, kind):
        raise _wrong(value, what, wanted)
    return value


def _wrong(value: object, what: str, wanted: str) -> Invalid:
    said = ascii(value)
    return Invalid(f"{what} is {said if len(said) <= _SHOWN else said[: _SHOWN - 1] + '…'}; give {wanted}")
