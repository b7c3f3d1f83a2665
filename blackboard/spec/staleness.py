"""Freshness of a component: a function of its pins, the current facets, and the effects of their changes.

`current`: all pinned digests are equal, whatever the versions. `suspect`: a pinned facet changed, in its documentation
alone or compatibly for this side, so its checks have to run again: a pass makes the component current, a failure stale.
`stale`: breaking for this side, or a pinned pattern has a new match. `orphaned`: a pinned decision was retracted. A
missing effect counts as breaking.
"""

from collections.abc import Callable, Iterable, Mapping
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
    """What the checks of a component said about a change of what it pins."""

    NONE = "none"
    PASSED = "passed"
    FAILED = "failed"


_ALWAYS = {Effect.NONE: Freshness.CURRENT, Effect.BREAKING: Freshness.STALE}
_BY_VALIDATION = {
    Validation.NONE: Freshness.SUSPECT,
    Validation.PASSED: Freshness.CURRENT,
    Validation.FAILED: Freshness.STALE,
}

TABLE: Mapping[tuple[Effect, Side, Validation], Freshness] = {
    (effect, side, validation): _ALWAYS.get(effect, _BY_VALIDATION[validation])
    for effect in Effect
    for side in Side
    for validation in Validation
}
"""(effect, side, validation) -> state of a pin whose digest changed. The store joins against the same rows."""


class Pin(NamedTuple):
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


def pins_as_json(pins: Iterable[Pin]) -> JSON:
    """Return pins as the digest of a change contains them."""
    ordered = sorted(pins, key=lambda pin: (pin.key, pin.name, pin.side))
    return [[*pin[:-1], "observed"] if pin.observed else list(pin[:-1]) for pin in ordered]


class PatternPin(NamedTuple):
    """A pattern that a version of a component listed, `since` being the revision at which the version was written."""

    pattern: str
    since: int


class FacetHead(NamedTuple):
    """The current value of a facet; digest None: removed."""

    since: int
    digest: str | None


class Checked(NamedTuple):
    """The newest verdict that ended a suspicion of a component: a failure, or the last pass that was missing."""

    revision: int
    passed: bool

    def validation(self, since: int) -> Validation:
        """Return what it says about a value that a facet has since a revision."""
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
        """Whether it counts as a pass."""
        return self.passed and not self.flaky

    def after(self, before: "Judged | None") -> "Judged":
        """Return it with `flaky` set if the verdict before it on the same inputs was another."""
        same = before is not None and before.inputs == self.inputs
        return self._replace(flaky=before.flaky or before.passed is not self.passed) if before and same else self


class Built(NamedTuple):
    """A component's newest version, as rules see it."""

    version: int
    digest: str
    freshness: Freshness
    pins: tuple[Pin, ...]
    patterns: tuple[PatternPin, ...]


def of_pin(
    pin: Pin, head: FacetHead | None, effect: Effect | None, *, retracted: bool, checked: Checked = UNCHECKED
) -> Freshness:
    """Return the state of one pin."""
    if retracted:
        return Freshness.ORPHANED
    if (head.digest if head is not None else None) == (pin.digest or None):
        return Freshness.CURRENT
    if effect is None or head is None:
        return Freshness.STALE
    return TABLE[effect, pin.side, checked.validation(head.since)]


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
    """Return the state of a component: the worst of its pins and patterns.

    Args:
        head: (key, facet) -> the current facet.
        effect: (pin, current facet) -> the recorded effect on the pin's side, None where none is recorded.
        retracted: Key -> whether the decision, which was accepted once, is not any more.
        newest_member: Pattern -> the newest revision at which an accepted decision joined it, 0 where none did.
    """
    states = [Freshness.CURRENT]
    for pin in pins:
        now = head(pin.key, pin.name)
        known = effect(pin, now) if now is not None else None
        states.append(of_pin(pin, now, known, retracted=retracted(pin.key), checked=checked))
    states.extend(Freshness.STALE for pinned in patterns if newest_member(pinned.pattern) > pinned.since)
    return max(states, key=RANK.__getitem__)
