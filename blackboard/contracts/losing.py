"""The reason for a rejected proposal, as facets that another version changed differently, or that were not accepted."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from blackboard.contracts.bodies import contract_of
from blackboard.contracts.facets import facet_text
from blackboard.spec.lifecycle import State
from blackboard.spec.records import VersionRecord


@dataclass(frozen=True, slots=True)
class Lost:
    """A facet for which a proposal lost: its value at the proposal's base, and its accepted value at the rejection.

    `old` and `new` are canonical JSON, None if the facet is absent; they are equal if only the proposal changed it.
    """

    key: str
    facet: str
    old: str | None
    new: str | None


def lost_by(
    version: VersionRecord,
    among: Sequence[VersionRecord],
    jointly: Callable[[int], Iterable[Sequence[VersionRecord]]] = lambda _: (),
) -> tuple[Lost, ...]:
    """Return the facets for which a rejected version lost.

    These are the facets for which it lost to a version that was accepted in the same commit, or for which a part of its
    joint proposal did, or else all that it would have changed.

    Args:
        version: The rejected version.
        among: All versions of its key.
        jointly: Number of a joint proposal -> all versions of each other key in it.
    """
    if version.state is not State.REJECTED or version.settled is None:
        return ()
    found = _to_winner(version, among)
    if not found and version.joint is not None:
        parts = ((one, every) for every in jointly(version.joint) for one in every if one.joint == version.joint)
        found = tuple(lost for one, every in parts if one.settled == version.settled for lost in _to_winner(one, every))
    return found or _unchanged(version, among)


def _to_winner(version: VersionRecord, among: Sequence[VersionRecord]) -> tuple[Lost, ...]:
    ends = (State.REJECTED, State.WITHDRAWN, State.MERGED)
    winner = next((one for one in among if one.settled == version.settled and one.state not in ends), None)
    base = next((one for one in among if one.version == version.base), None)
    if winner is None or any(one is not None and one.compacted for one in (version, winner, base)):
        return ()
    old, new, own = map(_texts, (base, winner, version))
    changed = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
    overlap = [name for name in changed if own.get(name) not in (old.get(name), new.get(name))]
    return tuple(Lost(version.key, name, old.get(name), new.get(name)) for name in overlap or changed)


def _unchanged(version: VersionRecord, among: Sequence[VersionRecord]) -> tuple[Lost, ...]:
    """Return the facets that a version would have changed, with what was accepted of them when it ended."""
    ended = version.settled or 0
    before = [one for one in among if one.state in (State.ACCEPTED, State.SUPERSEDED) and (one.settled or 0) < ended]
    winner = max(before, key=lambda one: one.settled or 0, default=None)
    base = next((one for one in among if one.version == version.base), None)
    if any(one is not None and one.compacted for one in (version, winner, base)):
        return ()
    old, new, own = map(_texts, (base, winner, version))
    meant = sorted(name for name in {*old, *own} if own.get(name) not in (old.get(name), new.get(name)))
    return tuple(Lost(version.key, name, old.get(name), new.get(name)) for name in meant)


def _texts(version: VersionRecord | None) -> dict[str, str | None]:
    """Return facet -> its canonical text."""
    facets = {} if version is None else contract_of(version.body).facets
    return {name: facet_text(facets, name) for name in facets}
