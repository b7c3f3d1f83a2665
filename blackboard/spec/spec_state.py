"""Everything that convergence is a function of: the records that the store gathers at one revision."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from blackboard.spec.activation import Activation
from blackboard.spec.expressions import Truth
from blackboard.spec.inputs import BuiltComponent


class DecisionRecord(NamedTuple):
    """The key of a decision.

    Attributes:
        digest: Of the accepted version, "" where there is none; so is `language`.
        missing: Live proposal -> members of its electorate who did not vote yet.
        reason: Why it is contested.
    """

    key: str
    state: str
    accepted: bool
    digest: str
    asked: bool = False
    missing: Mapping[int, tuple[str, ...]] = MappingProxyType({})
    reason: str = ""
    language: str = ""


class TaskRecord(NamedTuple):
    """What an accepted task requires; `probed` are the arguments that its entry point, if any, has to answer."""

    component: str
    decisions: tuple[str, ...]
    checks: tuple[str, ...]
    implements: tuple[str, ...] = ()
    probed: tuple[str, ...] = ()


class CheckRecord(NamedTuple):
    """A check of the team.

    Attributes:
        pattern: Of the components that have to pass it.
        definition: Digest of what it does.
        languages: `implements` or `uses` and a language; where there are any, only components count that implement or
            use a decision in one of these languages.
        whole: It is about the whole program: it runs when all else is met, and every component with code has to pass.
    """

    name: str
    pattern: str
    definition: str
    languages: tuple[str, ...] = ()
    whole: bool = False


class VerdictRecord(NamedTuple):
    """A verdict on a component's newest version; `why` is the first line of its log."""

    check: str
    component: str
    passed: bool
    inputs: str
    revision: int
    why: str = ""


class ConstraintRecord(NamedTuple):
    """An accepted constraint, its value, and the keys that it names and nobody decided yet."""

    key: str
    truth: Truth
    undecided: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ControlState:
    """The agenda; empty for a revision that is not the head.

    Attributes:
        deadlines: (key, which deadline is armed).
        exhausted: Budgets that are spent.
        cycle: "source on target" of each run of what repeats, in the order in which they ran.
    """

    activations: tuple[Activation, ...] = ()
    deadlines: tuple[tuple[str, str], ...] = ()
    exhausted: tuple[str, ...] = ()
    cycle: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SpecState:
    """Everything that convergence is a function of, at one revision.

    Attributes:
        tasks: Component -> its accepted task.
        persons: Role -> its external members.
        settlers: Sources that contested keys wake and that run by themselves.
        stops: Key -> why the choreography gave up on it.
    """

    revision: int
    decisions: Mapping[str, DecisionRecord]
    tasks: Mapping[str, TaskRecord]
    requires: tuple[str, ...]
    components: Mapping[str, BuiltComponent]
    checks: tuple[CheckRecord, ...]
    verdicts: tuple[VerdictRecord, ...]
    persons: Mapping[str, tuple[str, ...]]
    settlers: tuple[str, ...]
    stops: Mapping[str, str] = field(default_factory=dict)
    control: ControlState = ControlState()
    announced: bool = False
    constraints: tuple[ConstraintRecord, ...] = ()
