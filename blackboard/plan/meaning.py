"""What a newly accepted version means for whatever was built against an earlier one."""

from collections.abc import Mapping

from blackboard.contracts.bodies import contract_of
from blackboard.contracts.facets import NAMES
from blackboard.contracts.language import facet_names_digest
from blackboard.plan.draft import Draft
from blackboard.spec.changes import EffectRow
from blackboard.spec.effects import Effect, FacetChange
from blackboard.spec.records import Body
from blackboard.spec.staleness import Pin

_APPEARED = FacetChange(Effect.BREAKING, Effect.BREAKING, "it was looked for and absent")
_AGAIN = FacetChange(Effect.NONE, Effect.NONE, "the same again")


def all_facets(body: Body) -> Mapping[str, str]:
    """Return facet name -> digest, the set of their names included."""
    return {**body.facets, NAMES: facet_names_digest(body.facets)}


def note_effects(draft: Draft, key: str, body: Body) -> None:
    """Say what the change means for everything that is pinned now, and for what may be pinned to the head meanwhile.

    Who looked for a facet that was absent has built on that, whatever its coming means for those who never asked.
    """
    heads = draft.view.head_facets(key)
    new = all_facets(body)
    olds = {(name, since) for name, (since, digest) in heads.items() if digest is not None and digest != new.get(name)}
    if pinned := draft.view.facts.pinned(key):
        olds.update(one for one in pinned if one[0] in new or one[0] in heads)
    comparisons: dict[int, Mapping[str, FacetChange]] = {}
    for name, since in sorted(olds):
        head = heads.get(name)
        if head is not None and head.digest is not None and head.digest == new.get(name):
            continue
        if since not in comparisons:
            comparisons[since] = _changes(draft.view.facts.body_at(key, since), body)
        change = comparisons[since].get(name, _AGAIN)
        draft.rows.append(EffectRow(key, name, since, str(change.uses), str(change.implements), change.reason))


def effect_of(draft: Draft, pin: Pin, version: int) -> Effect:
    """Return what became of a pinned facet until a version of its decision, for the side that it is pinned on."""
    current = draft.view.version(pin.key, version)
    if current is None or not pin.digest:
        return Effect.BREAKING
    changes = _changes(draft.view.facts.body_at(pin.key, pin.since), current.body)
    return changes.get(pin.name, _AGAIN).effect(pin.side)


def _changes(old: Body | None, new: Body) -> Mapping[str, FacetChange]:
    """Return what became of each facet; of one that was absent before, that it came."""
    if old is None:
        return dict.fromkeys((NAMES, *new.facets), _APPEARED)
    compared = contract_of(old).compare(contract_of(new)).effects
    absent = new.facets.keys() - old.facets.keys()
    return {**compared, **dict.fromkeys(absent, _APPEARED)} if absent else compared
