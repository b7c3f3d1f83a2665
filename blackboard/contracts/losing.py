"""Why a proposal lost, as data: the facets that another version changed in another way."""

from collections.abc import Sequence
from dataclasses import dataclass

from blackboard.contracts.bodies import contract_of
from blackboard.contracts.facets import facet_text
from blackboard.spec.lifecycle import State
from blackboard.spec.records import VersionRecord


@dataclass(frozen=True, slots=True)
class Lost:
    """A facet for which a proposal lost: what it was when the proposal was made, and what was accepted instead.

    `old` and `new` are canonical JSON, None where the facet is absent.
    """

    key: str
    facet: str
    old: str | None
    new: str | None


def lost_by(version: VersionRecord, among: Sequence[VersionRecord]) -> tuple[Lost, ...]:
    """Return the facets for which a rejected version lost to the one that was accepted in the same commit."""
    if version.state is not State.REJECTED or version.settled is None:
        return ()
    ends = (State.REJECTED, State.WITHDRAWN, State.MERGED)
    winners = (one for one in among if one.settled == version.settled and one.state not in ends)
    winner = next(winners, None)
    base = next((one for one in among if one.version == version.base), None)
    if winner is None or any(one is not None and one.compacted for one in (version, winner, base)):
        return ()
    old, new, own = ({} if one is None else contract_of(one.body).facets for one in (base, winner, version))
    changed = sorted(name for name in {*old, *new} if facet_text(old, name) != facet_text(new, name))
    met = [name for name in changed if facet_text(own, name) not in (facet_text(old, name), facet_text(new, name))]
    return tuple(Lost(version.key, name, facet_text(old, name), facet_text(new, name)) for name in met or changed)
