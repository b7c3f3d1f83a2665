"""How a component stands to what it was built against: a function of pins, heads and effects.

`current`: all pinned digests are equal, whatever the versions. `suspect`: a pinned facet changed, in its documentation
alone or compatibly for this side: its checks have to run again. That they pass is a validation, and it is current; a
failure makes it stale. `stale`: breaking for this side, or a pinned pattern has a new match. `orphaned`: a pinned
decision was retracted. An effect that nobody recorded counts as breaking.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from blackboard.spec.canonical import JSON
from blackboard.spec.effects import Effect, Side


class Freshness(StrEnum):
    """The four states of a component, from best to worst."""

    CURRENT = "current"
    SUSPECT = "suspect"
    STALE = "stale"
    ORPHANED = "orphaned"


RANK = {Freshness.CURRENT: 0, Freshness.SUSPECT: 2, Freshness.STALE: 3, Freshness.ORPHANED: 4}


class Validation(StrEnum):
    """What a component's checks say about a change of what it pins, once they ran on it."""

    NONE = "none"
    PASSED = "passed"
    FAILED = "failed"


_OF_HARMLESS = {
    Validation.NONE: Freshness.SUSPECT,
    Validation.PASSED: Freshness.CURRENT,
    Validation.FAILED: Freshness.STALE,
}

TABLE: Mapping[tuple[Effect, Side, Validation], Freshness] = {
    **{(Effect.NONE, side, said): Freshness.CURRENT for side in Side for said in Validation},
    **{
        (effect, side, said): _OF_HARMLESS[said]
        for effect in (Effect.DOCUMENTATION, Effect.COMPATIBLE)
        for side in Side
        for said in Validation
    },
    **{(Effect.BREAKING, side, said): Freshness.STALE for side in Side for said in Validation},
}
"""(effect, side, validation) -> state of a pin whose digest changed. The store joins against the same rows."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One facet that a version of a component was built against.

    The name "" is the set of facet names; the digest "" says that the facet was looked for and absent.

    Attributes:
        observed: Nobody read it, but the code shows that it is used.
    """

    key: str
    name: str
    side: Side
    version: int
    since: int
    digest: str
    observed: bool = False


def spelled(pins: Iterable[Pin]) -> JSON:
    """Return pins as what a change tells of them."""
    ordered = sorted(pins, key=lambda pin: (pin.key, pin.name, pin.side))
    told: list[list[JSON]] = [[pin.key, pin.name, str(pin.side), pin.version, pin.since, pin.digest] for pin in ordered]
    return [[*one, "observed"] if pin.observed else one for one, pin in zip(told, ordered, strict=True)]


@dataclass(frozen=True, slots=True)
class PatternPin:
    """A pattern that a version of a component listed, `since` being the revision at which the version was written."""

    pattern: str
    since: int


class FacetHead(NamedTuple):
    """A facet as it stands now; digest None: removed."""

    since: int
    digest: str | None


class Checked(NamedTuple):
    """The newest verdict that settled how a suspect component stands: a failure, or the last pass that was missing."""

    revision: int
    passed: bool

    def says(self, since: int) -> Validation:
        """Return what it says of a value that stands since a revision."""
        if self.revision < since:
            return Validation.NONE
        return Validation.PASSED if self.passed else Validation.FAILED


UNCHECKED = Checked(0, passed=False)


class Judged(NamedTuple):
    """The newest verdict of a check on a component's newest version."""

    passed: bool
    inputs: str
    revision: int
    flaky: bool = False
    """It both passed and failed on these inputs, which is no pass."""

    @property
    def is_pass(self) -> bool:
        """Whether it counts as one."""
        return self.passed and not self.flaky

    def beside(self, before: "Judged | None") -> "Judged":
        """Return it as it stands after another verdict of the same check."""
        same = before is not None and before.inputs == self.inputs
        return self._replace(flaky=before.flaky or before.passed is not self.passed) if before and same else self


@dataclass(frozen=True, slots=True)
class Built:
    """A component's newest version, as rules see it."""

    version: int
    digest: str
    freshness: Freshness
    pins: tuple[Pin, ...]
    patterns: tuple[PatternPin, ...]


def of_pin(
    pin: Pin, head: FacetHead | None, effect: Effect | None, *, retracted: bool, checked: Checked = UNCHECKED
) -> Freshness:
    """Return how one pin stands."""
    if retracted:
        return Freshness.ORPHANED
    if (head.digest if head is not None else None) == (pin.digest or None):
        return Freshness.CURRENT
    if effect is None or head is None:
        return Freshness.STALE
    return TABLE[effect, pin.side, checked.says(head.since)]


def of_component(
    pins: Iterable[Pin],
    patterns: Iterable[PatternPin],
    *,
    head: Callable[[str, str], FacetHead | None],
    effect: Callable[[Pin, FacetHead], Effect | None],
    retracted: Callable[[str], bool],
    newest_member: Callable[[str], int],
    checked: Checked = UNCHECKED,
) -> Freshness:
    """Return how a component stands.

    Args:
        pins: Of its newest version.
        patterns: That it listed.
        head: (key, facet) -> the facet now.
        effect: (pin, facet now) -> the recorded effect on the pin's side, None where none is recorded.
        retracted: key -> whether the decision, which was accepted once, is so no longer.
        newest_member: pattern -> the newest revision at which an accepted decision joined it, 0 where none.
        checked: What its checks said last while it was suspect.
    """
    states = [Freshness.CURRENT]
    for pin in pins:
        now = head(pin.key, pin.name)
        known = effect(pin, now) if now is not None else None
        states.append(of_pin(pin, now, known, retracted=retracted(pin.key), checked=checked))
    states.extend(Freshness.STALE for pinned in patterns if newest_member(pinned.pattern) > pinned.since)
    return max(states, key=RANK.__getitem__)
