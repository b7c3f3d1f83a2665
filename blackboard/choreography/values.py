"""The values of which a choreography is made: roles, steps, conditions.

Every value is frozen. It says what was written down and nothing else: its shape is checked by `form`, its sense by
`rules`, and what it permits now is told by `moves`.

A key inside an `each` is a template: `{name}` is what the instance binds. A step's path is its indices joined by
dots: the second step of the first is `0.1`. A step's parts are counted like steps (the proposal of an `agree`, the
step of a `within`, those of a `loop`), and its `otherwise` is counted after them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import TypeAlias

from blackboard.spec import keys
from blackboard.spec.agreement import majority_of

ACTS = ("ask", "propose", "vote", "decide", "retract", "withdraw", "write", "check")
"""What a role can do to a key."""

OPERATOR = "operator"
"""The role of whoever can open the store."""

ANY_CHECK = "*"
"""Stands for every check that the team has for a component."""


@dataclass(frozen=True, slots=True, init=False)
class Role:
    """What somebody may be, how many there are, and which faults among them are tolerated.

    Attributes:
        members: How many members play the role.
        crash: How many of them may stop for ever; without saying, one, or none where the role is reliable.
        wrong: How many of them may do anything that the role's rights allow.
        reliable: Whether waiting for it without a deadline is sound: a command that any worker can run, a person.
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
        """Return the step in which this role proposes a text for the key; stands inside `agree`."""
        return Proposes(self, key)

    def decides(self, key: str) -> "Decides":
        """Return the step in which this role alone settles the key."""
        return Decides(self, key)

    def writes(self, key: str, *, reads: Iterable[str] = (), lease_seconds: float | None = None) -> "Writes":
        """Return the step in which this role writes the component.

        Args:
            key: The component.
            reads: Keys and patterns of decisions that it is built from.
            lease_seconds: The longest that one lease on it may last, renewals included.
        """
        return Writes(self, key, tuple(reads), lease_seconds)

    def checks(self, key: str, check: str) -> "Checks":
        """Return the step in which this role gives the verdict of a check (`*`: of any) on the component."""
        return Checks(self, key, check)


@dataclass(frozen=True, slots=True)
class Proposes:
    """A role proposes texts for a key."""

    role: Role
    key: str


@dataclass(frozen=True, slots=True)
class Decides:
    """A role settles a key alone: a quorum of one."""

    role: Role
    key: str


@dataclass(frozen=True, slots=True)
class Writes:
    """A role writes a component from what it reads."""

    role: Role
    key: str
    reads: tuple[str, ...]
    lease_seconds: float | None


@dataclass(frozen=True, slots=True)
class Checks:
    """A role gives the verdict of a check on a component."""

    role: Role
    key: str
    check: str


@dataclass(frozen=True, slots=True)
class Stop:
    """The instance ends here, unfinished, for this reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class Quorum:
    """So many votes of a role's members; None is more than half of the electorate."""

    votes: int | None
    of: Role

    def needed(self, members: int) -> int:
        """Return the votes needed in an electorate of so many members."""
        return majority_of(members) if self.votes is None else self.votes


@dataclass(frozen=True, slots=True)
class Passed:
    """The component is current and the newest verdict of the check on its current version is a pass."""

    check: str
    of: str


@dataclass(frozen=True, slots=True)
class Current:
    """The component is current and no check of this version has failed: so it holds where a team has no check."""

    of: str


@dataclass(frozen=True, slots=True)
class Within:
    """A decision that is late after so many seconds, and what happens then."""

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
    """A component written and checked again until a condition holds."""

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
    """A right that waits for nothing and that nothing waits for."""

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
    """Yield each step and each of its parts with its path, from the outside in."""
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
