"""Names of decisions and components, and patterns over them.

A key is path segments `a/b/c`; a segment is `[A-Za-z0-9_][A-Za-z0-9_.-]*`. In a pattern `*` matches one segment
and `**` any number of them, none included; in a template `{name}` binds one segment.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache

from blackboard.errors import InvalidKey

MAX_SEGMENT_BYTES = 128
MAX_KEY_BYTES = 512
MAX_IDEMPOTENCY_KEY_BYTES = 1024

MAX_WILD = 4
"""How many `**` a pattern may hold: each more multiplies the ways in which it can match."""

TEAM = "choreography/team"
PROMPT = "prompt"
RESERVED = (TEAM, "role/*", "member/*", "source/*")
"""Written by `install` alone."""

_RESERVED_FOLDERS = ("role/", "member/", "source/")

_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.ASCII)
_VARIABLE = re.compile(r"\{([a-z_][a-z0-9_]*)\}", re.ASCII)
_ANY_SEGMENTS = "(?:/[^/]+)*"


def check_key(text: str) -> str:
    """Return the key if it is well formed, else raise `InvalidKey`."""
    _check(text)
    return text


def check_name(text: str) -> str:
    """Return the name of a role, author, source or check if it is one well-formed segment, else raise `InvalidKey`."""
    if not isinstance(text, str) or "/" in text:
        raise InvalidKey(str(text), "a name is one segment, without '/'")
    return check_key(text)


def check_idempotency_key(text: str) -> str:
    """Return an idempotency key if every store can carry it and every terminal show it, else raise `InvalidKey`."""
    if not isinstance(text, str) or not text:
        raise InvalidKey(str(text), "an idempotency key is a text that is not empty")
    if not text.isprintable():
        raise InvalidKey(text, "an idempotency key has no control characters and no lone surrogates")
    if len(text.encode()) > MAX_IDEMPOTENCY_KEY_BYTES:
        raise InvalidKey(text, f"an idempotency key is at most {MAX_IDEMPOTENCY_KEY_BYTES} bytes long")
    return text


def check_pattern(text: str) -> str:
    """Return the pattern if it is well formed (`*`, `**` and plain segments), else raise `InvalidKey`."""
    _check(text, wild=True)
    return text


def check_template(text: str) -> str:
    """Return the template if it is well formed (a pattern that may have `{name}`), else raise `InvalidKey`."""
    _check(text, wild=True, variables=True)
    return text


def is_pattern(text: str) -> bool:
    """Say whether a text names more than one key."""
    return "*" in text


def matches(pattern: str, key: str) -> bool:
    """Say whether a pattern matches a key.

    Reserved keys match patterns that begin with their first segment, not `**` or `*/*`: they are not part of what is
    agreed about the program.
    """
    if pattern[:1] == "*" and is_reserved(key):
        return False
    return _compiled(pattern).fullmatch(f"/{key}") is not None


def matches_any(patterns: Collection[str], keys: Iterable[str]) -> bool:
    """Say whether one of the patterns matches one of the keys."""
    prefixes = tuple([fixed_prefix(pattern) for pattern in patterns])
    return any(matches(pattern, key) for key in keys if key.startswith(prefixes) for pattern in patterns)


def bind(template: str, key: str) -> dict[str, str] | None:
    """Return variable -> segment of a key that a template matches, None where it does not match."""
    found = _compiled(template).fullmatch(f"/{key}")
    return None if found is None else found.groupdict()


def fill(template: str, bindings: Mapping[str, str]) -> str:
    """Return the template with its bound variables replaced by their segments."""
    return _VARIABLE.sub(lambda found: bindings.get(found[1], found[0]), template)


def variables(template: str) -> tuple[str, ...]:
    """Return the names of a template's variables in order."""
    return tuple(_VARIABLE.findall(template))


def is_reserved(key: str) -> bool:
    """Say whether only `install` may write this key."""
    return key == TEAM or (key.startswith(_RESERVED_FOLDERS) and key.count("/") == 1)


@lru_cache(maxsize=4096)
def fixed_prefix(pattern: str) -> str:
    """Return the longest text with which every key of the pattern begins; used to narrow a search."""
    end = min((position for mark in "*{" if (position := pattern.find(mark)) >= 0), default=len(pattern))
    if pattern.startswith("**", end) and end and pattern[end - 1] == "/":
        # `a/**` names `a` itself too, which does not begin with `a/`.
        end -= 1
    return pattern[:end]


def key_range(pattern: str) -> dict[str, str]:
    """Return the range of keys that a pattern or template can match: from `low`, below `high`."""
    low = fixed_prefix(pattern)
    # U+10FFFF follows every character that a key may hold.
    return {"low": low, "high": low + "\U0010ffff"}


def _check(text: str, *, wild: bool = False, variables: bool = False) -> None:
    if not isinstance(text, str) or not text:
        raise InvalidKey(str(text), "it is empty")
    # What is too long is refused, so it is not kept.
    if len(text) > MAX_KEY_BYTES:
        raise InvalidKey(text, f"it is longer than {MAX_KEY_BYTES} bytes")
    _check_segments(text, wild, variables)


@lru_cache(maxsize=8192)
def _check_segments(text: str, wild: bool, variables: bool) -> None:  # noqa: FBT001 - one spelling for the cache
    if len(text.encode("utf-8", "surrogatepass")) > MAX_KEY_BYTES:
        raise InvalidKey(text, f"it is longer than {MAX_KEY_BYTES} bytes")
    if text.count("**") > MAX_WILD:
        raise InvalidKey(text, f"it has more than {MAX_WILD} `**`")
    for segment in text.split("/"):
        if wild and segment in ("*", "**"):
            continue
        plain = _VARIABLE.sub("x", segment) if variables else segment
        if len(segment.encode("utf-8", "surrogatepass")) > MAX_SEGMENT_BYTES:
            raise InvalidKey(text, f"a segment is longer than {MAX_SEGMENT_BYTES} bytes")
        if not _SEGMENT.fullmatch(plain):
            what = "an empty segment" if not segment else f"the segment {segment!a}"
            raise InvalidKey(text, f"{what} is not letters, digits, '_', '.', '-' with a letter, digit or '_' first")


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    """Translate a pattern or template into an expression for a key with a slash before each of its segments."""
    parts: list[str] = []
    bound: set[str] = set()
    for segment in pattern.split("/"):
        if segment != "**":
            parts.append("/[^/]+" if segment == "*" else f"/{_segment_expression(segment, bound)}")
        elif parts[-1:] != [_ANY_SEGMENTS]:
            parts.append(_ANY_SEGMENTS)
    return re.compile("".join(parts))


def _segment_expression(segment: str, bound: set[str]) -> str:
    expression = ""
    # Splitting by an expression with a group gives text and names in turn.
    for index, part in enumerate(_VARIABLE.split(segment)):
        if index % 2 == 0:
            expression += re.escape(part)
        elif part in bound:
            expression += f"(?P={part})"
        else:
            bound.add(part)
            expression += f"(?P<{part}>[^/]+)"
    return expression
