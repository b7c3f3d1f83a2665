"""The values of a choreography: roles, steps, conditions.

The values are frozen and have no behaviour: `form` checks their shape, `rules` checks that they are well formed, and
`moves` says what they permit.

A key inside an `each` is a template: an instance binds `{name}`. The path of a step is its indices joined by dots: the
second step of the first is `0.1`. The parts of a step are counted like steps (the proposal of an `agree`, the step of a
`within`, the steps of a `loop`), and its `otherwise` is counted after them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import TypeAlias

from blackboard.spec import keys
from blackboard.spec.agreement import majority_of

ACTS = ("ask", "propose", "vote", "decide", "retract", "withdraw", "write", "check")
"""The acts that a role can do on a key."""

OPERATOR = "operator"
"""The role of everybody who can open the store."""

ANY_CHECK = "*"
"""The name that means every check of the team for a component."""


@dataclass(frozen=True, slots=True, init=False)
class Role:
    """A role: its name, the number of its members, and the faults among them that are tolerated.

    Attributes:
        members: The number of members.
        crash: How many of them may stop for ever; by default one, or none if the role is reliable.
        wrong: How many of them may act arbitrarily within the role's rights.
        reliable: Whether a step may wait for the role without a deadline: a command that any worker can run, a person.
    """

    name: str
    members: int
    crash: int
    wrong: int
    reliable: bool

    def __init__(
        self, name: str, *, members: int = 1, crash: int | None = None, wrong: int = 0, reliable: bool = False
    ) -> None:
        lost = crash if crash is not None else 0 if reliable else min(1, members)
        values = (keys.check_name(name), members, lost, wrong, reliable)
        for field, value in zip(fields(self), values, strict=True):
            object.__setattr__(self, field.name, value)

    def proposes(self, key: str) -> "Proposes":
        """Return the `proposes` step of this role for the key. It is always part of an `agree`."""
        return Proposes(self, key)

    def decides(self, key: str) -> "Decides":
        """Return the step in which this role decides the key without a vote."""
        return Decides(self, key)

    def writes(self, key: str, *, reads: Iterable[str] = (), lease_seconds: float | None = None) -> "Writes":
        """Return the step in which this role writes the component.

        Args:
            key: The component.
            reads: Keys and patterns of the decisions that the author has to read.
            lease_seconds: The longest duration of one lease on it, renewals included.
        """
        return Writes(self, key, tuple(reads), lease_seconds)

    def checks(self, key: str, check: str) -> "Checks":
        """Return the step in which this role records the verdict of a check (`*`: of any) on the component."""
        return Checks(self, key, check)


@dataclass(frozen=True, slots=True)
class Proposes:
    """A role proposes texts for a key."""

    role: Role
    key: str


@dataclass(frozen=True, slots=True)
class Decides:
    """A role decides a key without a vote."""

    role: Role
    key: str


@dataclass(frozen=True, slots=True)
class Writes:
    """A role writes a component and reads decisions for it."""

    role: Role
    key: str
    reads: tuple[str, ...]
    lease_seconds: float | None


@dataclass(frozen=True, slots=True)
class Checks:
    """A role records the verdict of a check on a component."""

    role: Role
    key: str
    check: str


@dataclass(frozen=True, slots=True)
class Stop:
    """A fallback: the instance ends unfinished, for this reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class Quorum:
    """The number of yes votes of a role's members that accepts; None means more than half of the electorate."""

    votes: int | None
    of: Role

    def needed(self, members: int) -> int:
        """Return the number of votes for an electorate of this size."""
        return majority_of(members) if self.votes is None else self.votes


@dataclass(frozen=True, slots=True)
class Passed:
    """The component is current and the newest verdict of the check on its current version is a pass."""

    check: str
    of: str


@dataclass(frozen=True, slots=True)
class Current:
    """The component is current and no check of this version has failed; true if the team has no check."""

    of: str


@dataclass(frozen=True, slots=True)
class Within:
    """A decision with a deadline, and the fallback when it has passed."""

    seconds: float
    step: Decides
    otherwise: "Otherwise"


@dataclass(frozen=True, slots=True)
class Agree:
    """Proposals and votes on a key, in rounds."""

    proposes: Proposes
    by: Quorum
    within_seconds: float | None
    rounds: int
    amendments: int
    otherwise: "Otherwise | None"


@dataclass(frozen=True, slots=True)
class Loop:
    """The steps that write and check a component, repeated until a condition holds."""

    steps: tuple[Writes | Checks, ...]
    until: "Condition"
    at_most: int
    otherwise: "Otherwise"


@dataclass(frozen=True, slots=True)
class Each:
    """Steps in order, once for each key that a template names."""

    template: str
    steps: tuple["Inner", ...]
    at_most: int


@dataclass(frozen=True, slots=True)
class May:
    """A right outside the order of the steps: it waits for no step, and no step waits for it."""

    role: Role
    act: str
    pattern: str


Otherwise: TypeAlias = Decides | Stop | Within
Condition: TypeAlias = Passed | Current
Inner: TypeAlias = Agree | Within | Loop | Decides | Writes | Checks
Step: TypeAlias = Each | Inner | May
Part: TypeAlias = Step | Proposes | Stop


def parts(step: Part) -> tuple[Part, ...]:
    """Return the parts of a step in the order of their paths."""
    match step:
        case Each():
            return step.steps
        case Loop():
            return (*step.steps, step.otherwise)
        case Within():
            return (step.step, step.otherwise)
        case Agree():
            return (step.proposes,) if step.otherwise is None else (step.proposes, step.otherwise)
    return ()


def walk(steps: Iterable[Part], above: str = "") -> Iterator[tuple[str, Part]]:
    """Yield each step and each of its parts with its path, outer ones first."""
    for index, step in enumerate(steps):
        path = f"{above}{index}"
        yield path, step
        yield from walk(parts(step), f"{path}.")


def roles_of(steps: Iterable[Part]) -> Iterator[tuple[str, Role]]:
    """Yield each mention of a role with the path of the step that mentions it."""
    for path, step in walk(steps):
        if isinstance(step, Proposes | Decides | Writes | Checks | May):
            yield path, step.role
        if isinstance(step, Agree):
            yield path, step.by.of
