"""Validation of arguments that callers pass, where they come in.

Each function returns the argument, or raises `Invalid` with its name (`what`) and what to pass instead.
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

_SHOWN = 60
_Value = TypeVar("_Value")
_Key = TypeVar("_Key")


def text(value: str, what: str) -> str:
    """Return a text that every store can carry.

    Raises:
        TooLarge: It has more than 1 MiB.
        InvalidContract: It holds a lone surrogate; says line and column.
    """
    if type(value) is str and value.isascii() and len(value) <= MAX_TEXT_BYTES:
        return value
    _require(isinstance(value, str), value, what, "a text")
    size = len(value.encode("utf-8", "surrogatepass"))
    if size > MAX_TEXT_BYTES:
        raise TooLarge(what, size, MAX_TEXT_BYTES)
    try:
        return check_text(value)
    except NotCanonical as error:
        raise InvalidContract("text", f"{what}: {error.why}", line=error.line, column=error.column) from None


def file_content(path: str, content: str | bytes) -> bytes:
    """Return a file's content as bytes.

    Raises:
        TooLarge: It has more than 8 MiB.
        InvalidContract: It is a text with a lone surrogate.
    """
    if not isinstance(content, str | bytes):
        raise Invalid(f"file {path} is given as {type(content).__name__}; give a text, bytes, or None to delete it")
    try:
        encoded = content.encode() if isinstance(content, str) else content
    except UnicodeEncodeError as error:
        raise InvalidContract("text", f"file {path}: lone surrogate at {error.start}") from None
    if len(encoded) > MAX_FILE_BYTES:
        raise TooLarge(f"file {path}", len(encoded), MAX_FILE_BYTES)
    return encoded


def mapping(value: Mapping[_Key, _Value], what: str) -> Mapping[_Key, _Value]:
    """Return a mapping."""
    _require(isinstance(value, Mapping), value, what, "a mapping")
    return value


def boolean(value: bool, what: str) -> bool:  # noqa: FBT001 - it is the value that is checked
    """Return True or False; nothing that is merely true or false."""
    _require(isinstance(value, bool), value, what, "True or False")
    return value


def integer(value: int, what: str, *, least: int | None = None) -> int:
    """Return a whole number that an engine can hold, `least` or more; what is too large becomes the largest."""
    wanted = "a whole number" if least is None else f"a whole number, {least} or more"
    _require(type(value) is int and (least is None or value >= least), value, what, wanted)
    return max(-MAX_NUMBER, min(value, MAX_NUMBER))


def amount(value: float, what: str, *, positive: bool = False) -> float:
    """Return a finite number that is not negative, as a float."""
    is_number = type(value) in (int, float) and math.isfinite(value)
    wanted = f"a finite number, {'more than 0' if positive else '0 or more'}"
    _require(is_number and (value > 0 if positive else value >= 0), value, what, wanted)
    return float(value)


def seconds(value: float, what: str) -> float:
    """Return how long something lasts, at most a year: whoever waits for its end should see it."""
    found = amount(value, what, positive=True)
    _require(found <= MAX_SECONDS, value, what, f"at most {MAX_SECONDS} seconds, a year")
    return found


def sequence(values: Iterable[_Value], what: str) -> tuple[_Value, ...]:
    """Return several values of any type; one text alone is not taken for its letters."""
    is_list = isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping)
    _require(is_list, values, what, "a list")
    return tuple(values)


def texts(values: Iterable[str], what: str, *, empty: bool = True) -> tuple[str, ...]:
    """Return several texts, which may be empty if `empty`."""
    found = sequence(values, what)
    for one in found:
        is_empty = not text(one, f"an entry of {what}")
        _require(empty or not is_empty, one, f"an entry of {what}", "a text that is not empty")
    return found


def all_of_type(values: Iterable[_Value], kind: type[_Value], what: str) -> tuple[_Value, ...]:
    """Return several values of one type."""
    return tuple(of_type(kind, one, f"an entry of {what}") for one in sequence(values, what))


def of_type(kind: type[_Value], value: _Value, what: str) -> _Value:
    """Return a value of a type."""
    _require(isinstance(value, kind), value, what, f"a {kind.__name__}")
    return value


def side(value: str) -> Side:
    """Return a side."""
    _require(isinstance(value, str) and value in tuple(Side), value, "side", "'uses' or 'implements'")
    return Side(value)


def _require(holds: bool, value: object, what: str, wanted: str) -> None:  # noqa: FBT001 - a condition
    if not holds:
        shown = ascii(value)
        shown = shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…"
        raise Invalid(f"{what} is {shown}; give {wanted}")
