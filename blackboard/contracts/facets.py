"""Facets, as in all languages: their limits, and a comparison with unknown effects.

A facet's name is never empty: the empty name means the set of names, which changes when a facet is added or removed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from blackboard.errors import InvalidContract, TooLarge
from blackboard.spec.canonical import JSON, canonical_json
from blackboard.spec.effects import UNDECIDED, Comparison, Effect, FacetChange, worst

MAX_FACETS = 10_000
MAX_FACET_NAME_BYTES = 1024

_ABSENT: Any = object()
_SCALARS = (str, int)

NAMES = ""
"""The name of the facet that is the set of facet names."""

_SHOWN = 48


Body_co = TypeVar("Body_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Reading(Generic[Body_co]):
    """A parsed text: its typed body, and facet name -> canonical value.

    Attributes:
        docs: Facet name -> its documentation, never empty.
    """

    body: Body_co
    facets: Mapping[str, JSON]
    docs: Mapping[str, str] = field(default_factory=dict)


class Facets:
    """Facets being collected, refused as soon as they grow beyond what a board takes.

    Why while collecting: one long prefix before many short names is a small text and a vast set of names.
    """

    def __init__(self, language: str) -> None:
        self._language = language
        self.values: dict[str, JSON] = {}

    def add(self, name: str, value: JSON) -> None:
        """Add a facet.

        Raises:
            InvalidContract: There are too many.
            TooLarge: Its name is too long.
        """
        # Fast path: no character takes more than 4 bytes.
        if len(name) > MAX_FACET_NAME_BYTES // 4 and (size := len(name.encode())) > MAX_FACET_NAME_BYTES:
            raise TooLarge("facet name", size, MAX_FACET_NAME_BYTES)
        if len(self.values) >= MAX_FACETS:
            raise InvalidContract(self._language, f"more than {MAX_FACETS:,} facets: split it into several decisions")
        self.values[name] = value


def join(prefix: str, segment: str) -> str:
    """Return the path of a member: `prefix.segment`, the segment quoted as JSON if it is no plain word."""
    plain = segment if segment.isascii() and segment.isidentifier() else json.dumps(segment, ensure_ascii=False)
    return f"{prefix}.{plain}" if prefix else plain


def undecided(old: Mapping[str, JSON], new: Mapping[str, JSON]) -> Comparison:
    """Call every difference breaking for both sides, undecided: nothing is known but that it differs."""
    effects: dict[str, FacetChange] = {}
    for name in sorted(old.keys() | new.keys()):
        was, now = old.get(name, _ABSENT), new.get(name, _ABSENT)
        # Fast path for equal values; unequal ones need the canonical JSON (1 is True in Python).
        if type(was) is type(now) and isinstance(was, _SCALARS) and was == now:
            continue
        before = None if was is _ABSENT else canonical_json(was)
        after = None if now is _ABSENT else canonical_json(now)
        if before != after:
            effects[name] = FacetChange(Effect.BREAKING, Effect.BREAKING, difference(before, after))
    moved = old.keys() ^ new.keys()
    if moved:
        effects[NAMES] = changed_names([effects[name] for name in moved], new.keys() - old.keys(), moved)
    return Comparison(effects)


def difference(before: str | None, after: str | None) -> str:
    """Return `old -> new` of two canonical texts in one short line, beginning where they differ; None is absent."""
    old, new = before or "", after or ""
    start = 0
    if max(len(old), len(new)) > _SHOWN:
        start = max(0, first_difference(old, new) - _SHOWN // 2)
    return f"{_shown(before, start)} -> {_shown(after, start)}"


def facet_text(facets: Mapping[str, JSON], name: str) -> str | None:
    """Return the canonical JSON of a facet, None if it is absent."""
    return canonical_json(facets[name]) if name in facets else None


def first_difference(one: str, other: str) -> int:
    """Return at which character two texts begin to differ: the length of the shorter one where it begins the other."""
    shorter = min(len(one), len(other))
    return next((index for index in range(shorter) if one[index] != other[index]), shorter)


def changed_names(changes: list[FacetChange], added: set[str], moved: set[str]) -> FacetChange:
    """Return what the set of names does: the worst of what was added and what was removed."""
    counts = [f"{len(names)} {verb}" for names, verb in ((added, "added"), (moved - added, "removed")) if names]
    uses = worst(change.uses for change in changes)
    implements = worst(change.implements for change in changes)
    # What breaks as many sides as the set does stands for it, else what breaks one of them; the least, for the changes
    # come in no order.
    broken = [change for change in changes if Effect.BREAKING in (change.uses, change.implements)]
    whole = [change for change in changes if (change.uses, change.implements) == (uses, implements)]
    proof = min((change.proof for change in whole or broken if change.proof != UNDECIDED), default=UNDECIDED)
    return FacetChange(uses, implements, f"facets: {', '.join(counts)}", proof)


def _shown(text: str | None, start: int) -> str:
    if text is None:
        return "absent"
    if start == 0 and len(text) <= _SHOWN:
        return text[1:-1] if text.startswith('"') else text
    cut = text[start : start + _SHOWN]
    return f"{'…' if start else ''}{cut}{'…' if start + _SHOWN < len(text) else ''}"
