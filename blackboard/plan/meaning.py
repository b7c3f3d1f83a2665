"""What a newly accepted version means for whatever was built against an earlier one."""

from collections.abc import Collection, Mapping

from blackboard.choreography.values import OPERATOR
from blackboard.contracts.bodies import contract_of
from blackboard.contracts.facets import NAMES
from blackboard.contracts.language import all_facets
from blackboard.contracts.rules import accepted_in, without
from blackboard.plan.draft import Draft
from blackboard.spec.changes import EffectRow
from blackboard.spec.effects import Effect, FacetChange
from blackboard.spec.records import Body, VersionRecord
from blackboard.spec.staleness import Pin

_APPEARED = FacetChange(Effect.BREAKING, Effect.BREAKING, "it was looked for and absent")
_AGAIN = FacetChange(Effect.NONE, Effect.NONE, "the same again")


def note_effects(draft: Draft, version: VersionRecord) -> None:
    """Say what the change means for everything that is pinned now, and for what may be pinned to the head meanwhile.

    Who looked for a facet that was absent has built on that, whatever its coming means for those who never asked. What
    an operator accepts in the rationale is no break.
    """
    key, body = version.key, version.body
    rules = accepted_in(version.rationale) if version.role == OPERATOR else ()
    heads = draft.view.head_facets(key)
    new = all_facets(body.facets)
    olds = {(name, since) for name, (since, digest) in heads.items() if digest is not None and digest != new.get(name)}
    if pinned := draft.view.facts.pinned(key):
        olds.update(one for one in pinned if one[0] in new or one[0] in heads)
    comparisons: dict[int, _Comparison] = {}
    for name, since in sorted(olds):
        head = heads.get(name)
        if head is not None and head.digest is not None and head.digest == new.get(name):
            continue
        if since not in comparisons:
            comparisons[since] = _Comparison(draft.view.facts.body_at(key, since), body, rules)
        change = comparisons[since].of(name)
        draft.rows.append(EffectRow(key, name, since, str(change.uses), str(change.implements), change.reason))


def effect_of(draft: Draft, pin: Pin, version: int) -> Effect:
    """Return what became of a pinned facet until a version of its decision, for the side that it is pinned on."""
    current = draft.view.version(pin.key, version)
    if current is None or not pin.digest:
        return Effect.BREAKING
    return _Comparison(draft.view.facts.body_at(pin.key, pin.since), current.body).of(pin.name).effect(pin.side)


class _Comparison:
    """What became of each facet from one version to another."""

    def __init__(self, old: Body | None, new: Body, rules: Collection[str] = ()) -> None:
        self._old, self._new, self._rules = old, new, rules
        self._effects: Mapping[str, FacetChange] | None = None

    def of(self, name: str) -> FacetChange:
        """Return what became of a facet: of one that was absent before, that it came, or nothing.

        For that no text is read: a compaction keeps those in which something began that stands, or that is pinned.
        """
        old, new = self._old, self._new
        if old is None or (name != NAMES and name not in old.facets):
            return _APPEARED if name == NAMES or name in new.facets else _AGAIN
        if self._effects is None:
            found = contract_of(old).compare(contract_of(new)).effects
            self._effects = without(found, old.facets.keys() ^ new.facets.keys(), self._rules)
        return self._effects.get(name, _AGAIN)
