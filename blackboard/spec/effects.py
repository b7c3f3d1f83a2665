"""What a change of a contract means for each side.

A side is how a component depends on a decision. Effects are ordered: none < documentation < compatible < breaking.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple


class Side(StrEnum):
    """How a component depends on a decision."""

    USES = "uses"
    IMPLEMENTS = "implements"


class Effect(StrEnum):
    """What a change does to one side."""

    NONE = "none"
    DOCUMENTATION = "documentation"
    COMPATIBLE = "compatible"
    BREAKING = "breaking"


_ORDER = tuple(Effect)

UNDECIDED = "undecided"
"""In the place of a proof: breaking, because nothing shows that it is not."""


class FacetChange(NamedTuple):
    """The effect of one facet's change: on each side, why in one line, and a proof (or the word *undecided*).

    `rules` are the ids of the kinds of break (`contracts.rules.RULES` names all), none where nobody is broken.
    """

    uses: Effect
    implements: Effect
    reason: str
    proof: str = UNDECIDED
    rules: tuple[str, ...] = ()

    def effect(self, side: Side | str) -> Effect:
        """Return the effect on one side."""
        return self.uses if Side(side) is Side.USES else self.implements


class Comparison(NamedTuple):
    """What changed between two contracts: facet -> change, for changed facets only."""

    effects: Mapping[str, FacetChange]

    @property
    def rules(self) -> frozenset[str]:
        """The kinds of break that are in it."""
        return frozenset(rule for change in self.effects.values() for rule in change.rules)

    def effect(self, side: Side | str) -> Effect:
        """Return the worst effect on one side."""
        return worst(change.effect(side) for change in self.effects.values())


def worst(effects: Iterable[Effect]) -> Effect:
    """Return the worst of some effects, `none` of no effects."""
    return max(effects, key=_ORDER.index, default=Effect.NONE)
