"""Everything that convergence is a function of: the records that the store gathers at one revision."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from blackboard.spec.activation import Activation
from blackboard.spec.expressions import Truth
from blackboard.spec.inputs import BuiltComponent


class KeyStanding(NamedTuple):
    """A decision's key as convergence sees it; there is one for each of them.

    Attributes:
        digest: Of the accepted version, "" where there is none.
        missing: Version -> members of its electorate who did not vote yet, for live proposals.
        reason: Why it is contested.
        language: Of the accepted version.
    """

    key: str
    state: str
    accepted: bool
    digest: str
    asked: bool = False
    missing: Mapping[int, tuple[str, ...]] = MappingProxyType({})
    reason: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """What an accepted task requires."""

    component: str
    decisions: tuple[str, ...]
    checks: tuple[str, ...]
    implements: tuple[str, ...] = ()
    probed: tuple[str, ...] = ()
    """The arguments that its entry point has to answer; none where it makes no entry point."""


@dataclass(frozen=True, slots=True)
class CheckRecord:
    """A check of the team: the components that have to pass it, and the digest of what it does."""

    name: str
    pattern: str
    definition: str
    languages: tuple[str, ...] = ()
    """`implements` or `uses` and a language; where there are any, only components that stand so to a decision in one of
    these languages have to pass it."""
    whole: bool = False
    """Whether it is of the whole program: it runs when all else is met, and whoever has code has to pass it."""


@dataclass(frozen=True, slots=True)
class VerdictRecord:
    """A verdict on a component's newest version."""

    check: str
    component: str
    passed: bool
    inputs: str
    revision: int
    why: str = ""
    """The first line of its log."""


@dataclass(frozen=True, slots=True)
class ConstraintRecord:
    """An accepted constraint, what it is worth, and the keys that it names and nobody decided yet."""

    key: str
    truth: Truth
    undecided: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ControlState:
    """What the agenda says; empty for a revision that is not the head."""

    activations: tuple[Activation, ...] = ()
    deadlines: tuple[tuple[str, str], ...] = ()
    """(key, what is armed)"""
    exhausted: tuple[str, ...] = ()
    """Budgets that are spent."""
    cycle: tuple[str, ...] = ()
    """"source on target" of each run of what repeats, in the order in which they ran."""


@dataclass(frozen=True, slots=True)
class SpecState:
    """Everything that convergence is a function of, at one revision."""

    revision: int
    decisions: Mapping[str, KeyStanding]
    tasks: tuple[TaskRecord, ...]
    untasked: tuple[str, ...]
    """Components that no task ever asked for; they have to be current too."""
    requires: tuple[str, ...]
    components: Mapping[str, BuiltComponent]
    checks: tuple[CheckRecord, ...]
    verdicts: tuple[VerdictRecord, ...]
    persons: Mapping[str, tuple[str, ...]]
    """role -> its external members."""
    settlers: tuple[str, ...]
    """Sources that are woken by contested keys and run by themselves."""
    stops: Mapping[str, str] = field(default_factory=dict)
    """key -> why the choreography gave up on it."""
    control: ControlState = ControlState()
    announced: bool = False
    constraints: tuple[ConstraintRecord, ...] = ()
