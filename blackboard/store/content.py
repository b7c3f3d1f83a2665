"""The content of an intent, for the comparison of two commits under one idempotency key."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_args

from blackboard.spec.canonical import JSON, digest_made
from blackboard.spec.changes import Act, Intent
from blackboard.spec.records import Body
from blackboard.spec.staleness import PatternPin, Pin

_FIELDS: Mapping[type, tuple[str, ...]] = {kind: tuple(field.name for field in fields(kind)) for kind in get_args(Act)}


def content_digest(intent: Intent) -> str:
    """Return the digest of what the intent wants, without what it read: the same wish on a newer base is the same."""
    acts: list[JSON] = [
        [type(act).__name__, *(_plain(getattr(act, name)) for name in _FIELDS[type(act)])] for act in intent.acts
    ]
    return digest_made([intent.author, acts])


def _plain(value: Any) -> JSON:  # noqa: ANN401, PLR0911 - the value of any field of an act, a case each
    if value is None or isinstance(value, str | int | float):
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
