"""How a component stands to what it was built against: a function of pins, heads and effects.

`current`: all pinned digests are equal, whatever the versions. `suspect`: a pinned facet changed, compatibly for this
side: its checks have to run again. `stale`: breaking for this side, or a pinned pattern has a new match. `orphaned`:
a pinned decision was retracted. An effect that nobody recorded counts as breaking.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from blackboard.spec.effects import Effect, Side


class Freshness(StrEnum):
    """The four states of a component, from best to worst."""

    CURRENT = "current"
    SUSPECT = "suspect"
    STALE = "stale"
    ORPHANED = "orphaned"


RANK = {Freshness.CURRENT: 0, Freshness.SUSPECT: 2, Freshness.STALE: 3, Freshness.ORPHANED: 4}

TABLE: Mapping[tuple[Effect, Side, bool], Freshness] = {
    (Effect.NONE, Side.USES, False): Freshness.CURRENT,
    (Effect.NONE, Side.USES, True): Freshness.CURRENT,
    (Effect.NONE, Side.IMPLEMENTS, False): Freshness.CURRENT,
    (Effect.NONE, Side.IMPLEMENTS, True): Freshness.CURRENT,
    (Effect.COMPATIBLE, Side.USES, False): Freshness.SUSPECT,
    (Effect.COMPATIBLE, Side.USES, True): Freshness.CURRENT,
    (Effect.COMPATIBLE, Side.IMPLEMENTS, False): Freshness.SUSPECT,
    (Effect.COMPATIBLE, Side.IMPLEMENTS, True): Freshness.CURRENT,
    (Effect.BREAKING, Side.USES, False): Freshness.STALE,
    (Effect.BREAKING, Side.USES, True): Freshness.STALE,
    (Effect.BREAKING, Side.IMPLEMENTS, False): Freshness.STALE,
    (Effect.BREAKING, Side.IMPLEMENTS, True): Freshness.STALE,
}
"""(effect, side, validated since) -> state of a pin whose digest changed. The store joins against the same rows."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One facet that a version of a component was built against.

    The name "" is the set of facet names; the digest "" says that the facet was looked for and absent.
    """

    key: str
    name: str
    side: Side
    version: int
    since: int
    digest: str


@dataclass(frozen=True, slots=True)
class PatternPin:
    """A pattern that a version of a component listed, `since` being the revision at which the version was written."""

    pattern: str
    since: int


class FacetHead(NamedTuple):
    """A facet as it stands now; digest None: removed."""

    since: int
    digest: str | None


@dataclass(frozen=True, slots=True)
class Built:
    """A component's newest version, as rules see it."""

    version: int
    digest: str
    freshness: Freshness
    pins: tuple[Pin, ...]
    patterns: tuple[PatternPin, ...]


def of_pin(
    pin: Pin, head: FacetHead | None, effect: Effect | None, *, retracted: bool, validated: bool = False
) -> Freshness:
    """Return how one pin stands."""
    if retracted:
        return Freshness.ORPHANED
    if (head.digest if head is not None else None) == (pin.digest or None):
        return Freshness.CURRENT
    if effect is None:
        return Freshness.STALE
    return TABLE[effect, pin.side, validated]


def of_component(
    pins: Iterable[Pin],
    patterns: Iterable[PatternPin],
    *,
    head: Callable[[str, str], FacetHead | None],
    effect: Callable[[Pin, FacetHead], Effect | None],
    retracted: Callable[[str], bool],
    newest_member: Callable[[str], int],
) -> Freshness:
    """Return how a component stands.

    Args:
        pins: Of its newest version.
        patterns: That it listed.
        head: (key, facet) -> the facet now.
        effect: (pin, facet now) -> the recorded effect on the pin's side, None where none is recorded.
        retracted: key -> whether the decision, which was accepted once, is so no longer.
        newest_member: pattern -> the newest revision at which an accepted decision joined it, 0 where none.
    """
    states = [Freshness.CURRENT]
    for pin in pins:
        now = head(pin.key, pin.name)
        known = effect(pin, now) if now is not None else None
        states.append(of_pin(pin, now, known, retracted=retracted(pin.key)))
    states.extend(Freshness.STALE for pinned in patterns if newest_member(pinned.pattern) > pinned.since)
    return max(states, key=RANK.__getitem__)
