"""One spelling for each value, and its digest.

Two values that mean the same have the same canonical text, so equality of digests is equality of meaning:
members sorted, no white space, a float that is a whole number written as an integer, no NaN and no lone surrogates.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any, TypeAlias

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"

ALGORITHM = "1"
"""In front of every digest: a digest of another algorithm is not taken for another value."""

MAX_DEPTH = 200

_SHORT = 256  # characters of a text whose digest is cached
_FEW = 32  # digests whose text is cached

MAX_DIGITS = 4_300
"""Python by default reads and writes no longer whole number."""

_TOO_LARGE = 10**MAX_DIGITS
_TOO_SMALL = -_TOO_LARGE


class NotCanonical(ValueError):
    """The value or text has no canonical form; `line` and `column` are 1-based, 0 where unknown."""

    def __init__(self, why: str, line: int = 0, column: int = 0) -> None:
        self.why, self.line, self.column = why, line, column
        super().__init__(why)


def canonical_json(value: JSON) -> str:
    """Return the one canonical JSON text of a value.

    Raises:
        NotCanonical: The value holds NaN, an infinity, a lone surrogate, a whole number of more than 4,300 digits, or
            something that is not JSON.
    """
    kind = type(value)
    if kind is str:
        return json.encoder.encode_basestring(check_text(value))  # type: ignore[arg-type]
    if kind is int and _TOO_SMALL < value < _TOO_LARGE:
        return str(value)
    return json_made(_normal(value, 0))


def _encoder() -> Callable[[JSON], str]:
    """Return an encoder that is made once: `JSONEncoder.encode` makes its part in C for each value."""
    encoder = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return encoder.encode
    made = make(None, encoder.default, json.encoder.encode_basestring, None, ":", ",", True, False, False)  # noqa: FBT003
    return lambda value: "".join(made(value, 0))


json_made = _encoder()
"""Returns the canonical text, unchecked, of a value that this code made of dicts, lists, whole numbers and texts."""

_decode = json.JSONDecoder().raw_decode


def read_made(text: str) -> Any:  # noqa: ANN401 - what was spelled
    """Return the value of a JSON text that this code made, without white space on its sides."""
    return _decode(text)[0]


def digest(value: JSON) -> str:
    """Return the digest of a value's canonical text: the algorithm's version, a colon, SHA-256 in hex."""
    text = canonical_json(value)
    # Most facets of a new version are short, and those of the version before.
    return _digest_of_short(text) if len(text) <= _SHORT else digest_text(text)


def digest_made(value: JSON) -> str:
    """Return the digest of a value that this code made, unchecked."""
    return digest_text(json_made(value))


def spelled_digests(digests: Mapping[str, str]) -> str:
    """Return the canonical text of name -> digest, which each new version needs more than once."""
    return _spelled(tuple(digests.items())) if len(digests) <= _FEW else json_made(dict(digests))


@lru_cache(maxsize=256)
def _spelled(items: tuple[tuple[str, str], ...]) -> str:
    return json_made(dict(items))


@lru_cache(maxsize=4096)
def _digest_of_short(text: str) -> str:
    return digest_text(text)


def digest_text(text: str) -> str:
    """Return the digest of a text."""
    return digest_bytes(text.encode())


def digest_bytes(content: bytes) -> str:
    """Return the digest of bytes."""
    return f"{ALGORITHM}:{sha256(content).hexdigest()}"


def parse_json(text: str) -> JSON:
    """Read a JSON text strictly.

    Raises:
        NotCanonical: It is no JSON, repeats a member's name, or holds NaN, an infinity or a lone surrogate.
    """
    try:
        value: JSON = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise NotCanonical(error.msg, error.lineno, error.colno) from None
    except RecursionError:
        raise NotCanonical("nested too deeply") from None
    except ValueError as error:
        if isinstance(error, NotCanonical):
            raise
        raise NotCanonical(str(error)) from None
    _normal(value, 0)
    return value


def check_text(text: str) -> str:
    """Return the text if it can be stored, else raise `NotCanonical`: a lone surrogate has no encoding."""
    if text.isascii():
        return text
    for number, line in enumerate(text.split("\n"), 1):
        for column, character in enumerate(line, 1) if not line.isascii() else ():
            if "\ud800" <= character <= "\udfff":
                raise NotCanonical(f"lone surrogate U+{ord(character):04X}", number, column)
    return text


def _normal(value: JSON, depth: int) -> JSON:
    # Exact types first: that is half the cost of a digest.
    kind = type(value)
    if kind is str:
        return value if value.isascii() else check_text(value)  # type: ignore[union-attr, arg-type]
    if value is None or kind is bool or (kind is int and _TOO_SMALL < value < _TOO_LARGE):
        return value
    if depth > MAX_DEPTH:
        raise NotCanonical("nested too deeply")
    match value:
        case dict() | Mapping():
            return {_name(name): _normal(member, depth + 1) for name, member in value.items()}
        case str():
            return check_text(value)
        case list() | tuple() | Sequence() if not isinstance(value, bytes | bytearray | memoryview):
            return [_normal(item, depth + 1) for item in value]
    return _number(value)


def _number(value: JSON) -> int | float:
    match value:
        case int() if _TOO_SMALL < value < _TOO_LARGE:
            return value
        case int():
            raise NotCanonical(f"a whole number of more than {MAX_DIGITS:,} digits")
        case float() if math.isfinite(value):
            return int(value) if value.is_integer() else value
        case float():
            raise NotCanonical(f"{value} is not a JSON number")
    raise NotCanonical(f"{type(value).__name__} is not JSON")


def _name(name: object) -> str:
    if type(name) is str and name.isascii():
        return name
    if not isinstance(name, str):
        raise NotCanonical(f"{name!r} is not a string, so it cannot name a member")
    return check_text(name)


def _unique(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    members: dict[str, JSON] = {}
    for name, member in pairs:
        if name in members:
            raise NotCanonical(f"the name {name!r} occurs twice in one object")
        members[name] = member
    return members


def _refuse_constant(text: str) -> JSON:
    raise NotCanonical(f"{text} is not JSON")
