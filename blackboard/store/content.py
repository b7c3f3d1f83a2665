"""The content of an intent, for the comparison of two commits under one idempotency key."""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, get_args

from blackboard.spec.canonical import JSON, digest_made
from blackboard.spec.changes import Act, Intent
from blackboard.spec.records import Body
from blackboard.spec.staleness import PatternPin, Pin

_OF_ROWS = ("author", "settles")
_FIELDS: Mapping[type, Callable[[Any], tuple[Any, ...]]] = {
    # The name of its kind first.
    kind: attrgetter("__class__.__name__", *(name for name in kind._fields if name not in _OF_ROWS))
    for kind in get_args(Act)
}

_SCALARS = (str, int, float)


def content_digest(intent: Intent) -> str:
    """Return the digest of what the intent wants, without what it read: the same wish on a newer base is the same."""
    acts: list[JSON] = [list(map(_plain, _FIELDS[type(act)](act))) for act in intent.acts]
    return digest_made([intent.author, acts])


def _plain(value: Any) -> JSON:  # noqa: ANN401, PLR0911 - the value of any field of an act, a case each
    if value is None or isinstance(value, _SCALARS):
        return value
    match value:
        case Body(language, text):
            return [language, text]
        case Pin(key, name, side):
            # What it was built against, not which value that had: the same wish on a newer base is the same.
            return [key, name, str(side)]
        case PatternPin(pattern):
            return pattern
        case bytes():
            # A file's bytes stand beside their digest.
            return None
        case Mapping():
            return {str(name): _plain(member) for name, member in value.items()}
        case _:
            return [_plain(item) for item in value]
