"""Merge two changes of one text that change different facets.

Invariant: each facet of the result has the value of the first change if that changed it, else that of the second, else
that of the base. Every merged text is verified against this, so a text that a language cannot merge is an overlap and
never a wrong text. It is also an overlap if one change names a facet that the other removed: an index on a column, a
parameter of a class.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from blackboard.contracts.language import Contract
from blackboard.contracts.openapi.merging import merge as merge_yaml
from blackboard.contracts.plain import ROOT
from blackboard.contracts.python.merging import PUBLIC
from blackboard.contracts.python.merging import merge as merge_stubs
from blackboard.contracts.python.naming import named as named_in_stub
from blackboard.contracts.sql.merging import merge as merge_ddl
from blackboard.contracts.sql.naming import named as named_in_ddl
from blackboard.contracts.units import CannotMergeError
from blackboard.errors import Invalid
from blackboard.spec.canonical import JSON, canonical_json, parse_json


@dataclass(frozen=True, slots=True)
class Overlap:
    """Why two changes do not go together, and the facets on which they meet; none where the languages differ."""

    facets: tuple[str, ...]
    why: str


def merge(base: Contract, ours: Contract, theirs: Contract) -> Contract | Overlap:
    """Return the base with both changes.

    Args:
        base: The contract that both changes begin with.
        ours: The change whose layout is kept.
        theirs: The other change.
    """
    if not base.language == ours.language == theirs.language:
        return Overlap((), "they are not in one language")
    mine, other = _changed(base, ours), _changed(base, theirs)
    listed = _listed(base, ours, theirs) if mine.get(PUBLIC) != other.get(PUBLIC) else None
    if meet := [one for one in mine if one in other and mine[one] != other[one] and (one != PUBLIC or listed is None)]:
        return Overlap(tuple(meet), f"both change {', '.join(meet)}")
    after = {**base.digests, **mine, **other}
    wanted = {name: digest for name, digest in after.items() if digest is not None}
    for one in (ours, theirs):
        if one.digests == wanted and listed is None:
            return one
    try:
        made = Contract(ours.language, _merger(ours.language)(base.text, ours.text, theirs.text))
        gone = sorted({*_gone(mine, ours, made), *_gone(other, theirs, made)})
    except (CannotMergeError, Invalid):
        near = _near(mine, other)
        return Overlap(near, f"the texts cannot be put together ({', '.join(near)})")
    if listed is not None and made.facets.get(PUBLIC) == listed:
        wanted[PUBLIC] = made.digests[PUBLIC]
    if differing := sorted(name for name in {*made.digests, *wanted} if made.digests.get(name) != wanted.get(name)):
        return Overlap(tuple(differing), f"both bear on {', '.join(differing)}")
    why = "; ".join(f"{facet} names {target}, which the other one takes away" for facet, target in gone)
    return Overlap(tuple(sorted({name for pair in gone for name in pair})), why) if gone else made


def _listed(*contracts: Contract) -> list[JSON] | None:
    """Return the public names of a stub without what either dropped and with what either added; None without a list."""
    lists = [one.facets.get(PUBLIC) if one.language == "python" else None for one in contracts]
    if not all(isinstance(one, list | tuple) for one in lists):
        return None
    base, ours, theirs = ({str(name) for name in one} for one in lists if isinstance(one, list | tuple))
    return list[JSON](sorted((ours & theirs) | (ours - base) | (theirs - base)))


def _merger(language: str) -> Callable[[str, str, str], str]:
    if language not in _MERGERS:
        raise CannotMergeError
    return _MERGERS[language]


def _changed(old: Contract, new: Contract) -> dict[str, str | None]:
    """Return facet name -> new digest of what changed, None where it went, by name."""
    names = sorted({*old.digests, *new.digests})
    return {name: new.digests.get(name) for name in names if old.digests.get(name) != new.digests.get(name)}


def _gone(changed: Iterable[str], side: Contract, made: Contract) -> Iterator[tuple[str, str]]:
    """Yield (facet, facet that it names) for each facet of one change that names a facet removed by the other."""
    if side.language in _NAMED:
        found = ((facet, target) for facet, target in _NAMED[side.language](side.body) if facet in changed)
        yield from (pair for pair in found if pair[1] in side.digests and pair[1] not in made.digests)


def _near(mine: Iterable[str], other: Iterable[str]) -> tuple[str, ...]:
    """Return the facets of one change that contain, or are in, a facet of the other; all changed facets if none are."""
    both = [(one, another) for one in mine for another in other]
    near = {name for pair in both if _inside(*pair) or _inside(*reversed(pair)) for name in pair}
    return tuple(sorted(near or {*mine, *other}))


def _inside(inner: str, outer: str) -> bool:
    return outer == ROOT or inner.startswith((f"{outer}.", f"{outer} "))


# --- texts that are JSON ---------------------------------------------------------------------------------------------

_ABSENT: Final = object()


def _json(base: str, ours: str, theirs: str) -> str:
    merged = _member(parse_json(base), parse_json(ours), parse_json(theirs))
    return json.dumps(merged, indent=2 if "\n" in ours.strip() else None, ensure_ascii=False)


def _json_or_yaml(*texts: str) -> str:
    return (_json if all(text.lstrip().startswith("{") for text in texts) else merge_yaml)(*texts)


def _member(base: object, ours: object, theirs: object) -> object:
    """Return what a member comes to; each may be absent."""
    if _same(ours, theirs) or _same(theirs, base):
        return ours
    if _same(ours, base):
        return theirs
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        before = base if isinstance(base, Mapping) else {}
        return dict(_members(before, ours, theirs))
    if isinstance(base, list | tuple) and isinstance(ours, list | tuple) and isinstance(theirs, list | tuple):
        return _items(base, ours, theirs)
    raise CannotMergeError


def _members(
    base: Mapping[str, object], ours: Mapping[str, object], theirs: Mapping[str, object]
) -> Iterator[tuple[str, object]]:
    for name in dict.fromkeys([*ours, *theirs]):
        merged = _member(base.get(name, _ABSENT), ours.get(name, _ABSENT), theirs.get(name, _ABSENT))
        if merged is not _ABSENT:
            yield name, merged


def _items(*lists: list[object] | tuple[object, ...]) -> list[object]:
    """Return a list without the items that either change removed, and with those that either added."""
    base, ours, theirs = ({_spelled(item): item for item in items} for items in lists)
    kept = [item for name, item in ours.items() if name in theirs or name not in base]
    return [*kept, *(item for name, item in theirs.items() if name not in ours and name not in base)]


def _same(one: object, other: object) -> bool:
    if one is _ABSENT or other is _ABSENT:
        return one is other
    return _spelled(one) == _spelled(other)


def _spelled(value: object) -> str:
    given: JSON = value  # type: ignore[assignment]  # read from JSON
    return canonical_json(given)


_MERGERS: Mapping[str, Callable[[str, str, str], str]] = {
    "value": _json,
    "task": _json,
    "json-schema": _json,
    "openapi": _json_or_yaml,
    "python": merge_stubs,
    "sql": merge_ddl,
}
"""Language -> how its texts are put together; of the others none are."""

_NAMED: Mapping[str, Callable[..., Iterator[tuple[str, str]]]] = {"python": named_in_stub, "sql": named_in_ddl}
"""Language -> (facet, facet that it names) of a body; in the others nothing is named, or no text is read without it."""
