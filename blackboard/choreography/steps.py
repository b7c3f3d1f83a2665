"""Constructors of steps, and the choreography itself.

A choreography has one JSON form and is stored as a versioned decision. Top-level steps run in parallel; steps inside
`each` and `loop` run in order.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from blackboard.choreography import form
from blackboard.choreography.values import (
    ACTS,
    ANY_CHECK,
    OPERATOR,
    Agree,
    Checks,
    Condition,
    Current,
    Decides,
    Each,
    Inner,
    Loop,
    May,
    Otherwise,
    Part,
    Passed,
    Proposes,
    Quorum,
    Role,
    Step,
    Stop,
    Within,
    Writes,
    roles_of,
)
from blackboard.errors import InvalidTeam
from blackboard.spec import keys
from blackboard.spec.canonical import JSON, digest

__all__ = [
    "ACTS",
    "ANY_CHECK",
    "OPERATOR",
    "Agree",
    "Checks",
    "Choreography",
    "Condition",
    "Current",
    "Decides",
    "Each",
    "Inner",
    "Loop",
    "May",
    "Otherwise",
    "Part",
    "Passed",
    "Proposes",
    "Quorum",
    "Role",
    "Step",
    "Stop",
    "Within",
    "Writes",
    "agree",
    "current",
    "each",
    "loop",
    "majority",
    "may",
    "passed",
    "quorum",
    "stop",
    "within",
]


def each(template: str, *steps: Inner, at_most: int) -> Each:
    """Return the steps, taken in order once for each key that the template names, for at most `at_most` keys."""
    return Each(template, steps, at_most)


def agree(
    proposes: Proposes,
    *,
    by: Quorum,
    within_seconds: float | None = None,
    rounds: int = 1,
    amendments: int = 0,
    otherwise: Otherwise | None = None,
) -> Agree:
    """Return the step in which a role proposes and a quorum accepts.

    Args:
        proposes: The role that proposes, and the key.
        by: The quorum.
        within_seconds: The deadline of a round.
        rounds: The number of rounds before the fallback.
        amendments: How many times a vote may amend an accepted version; a lost vote counts too.
        otherwise: The fallback after the last round; None makes the key contested until an operator settles it.
    """
    return Agree(proposes, by, within_seconds, rounds, amendments, otherwise)


def within(seconds: float, step: Decides, *, otherwise: Otherwise) -> Within:
    """Return the step with a deadline, counted from the moment at which the step is enabled.

    Other steps have their own deadlines: `agree` has `within_seconds`, `writes` has its lease; the role of a check is
    reliable.
    """
    return Within(seconds, step, otherwise)


def loop(*steps: Writes | Checks, until: Condition, at_most: int, otherwise: Otherwise) -> Loop:
    """Return the steps, repeated at most `at_most` times on the same premises until the condition holds.

    A premise that changes opens the loop again and resets the count.
    """
    return Loop(steps, until, at_most, otherwise)


def may(role: Role, act: str, pattern: str) -> May:
    """Return the right of a role to an act (one of `ACTS`) on the keys of a pattern, in addition to its steps."""
    return May(role, act, pattern)


def passed(check: str, *, of: str) -> Passed:
    """Return the condition that a check passed on the component's newest version with its current inputs."""
    return Passed(check, of)


def current(*, of: str) -> Current:
    """Return the condition that the component is current and that no check of this version has failed."""
    return Current(of)


def stop(reason: str) -> Stop:
    """Return the fallback that ends an instance unfinished."""
    return Stop(reason)


def quorum(votes: int, *, of: Role) -> Quorum:
    """Return the quorum of this many members of a role."""
    return Quorum(votes, of)


def majority(*, of: Role) -> Quorum:
    """Return the quorum of more than half of a role's electorate."""
    return Quorum(None, of)


@dataclass(frozen=True, slots=True, init=False, eq=False)
class Choreography:
    """The protocol of a whole team: parallel steps, and the decisions that convergence requires.

    Equal choreographies have the same digest.

    Attributes:
        requires: Keys and patterns; a pattern requires at least one match, and every match settled.
        merge: Pattern of decisions -> `facet`: two versions of one base that change different facets are merged.
        digest: The digest of the JSON form.
    """

    name: str
    steps: tuple[Step, ...]
    requires: tuple[str, ...]
    merge: Mapping[str, str]
    roles: Mapping[str, Role]
    digest: str

    def __init__(
        self, name: str, *steps: Step, requires: Iterable[str] = (), merge: Mapping[str, str] | None = None
    ) -> None:
        written = form.write(steps)
        required, merged = tuple(map(keys.check_pattern, requires)), form.merge(merge or {})
        values = (keys.check_name(name), steps, required, merged, _roles(steps))
        for attribute, value in zip(("name", "steps", "requires", "merge", "roles"), values, strict=True):
            object.__setattr__(self, attribute, value)
        object.__setattr__(self, "digest", digest(self._form(written)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Choreography) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    @property
    def voters(self) -> tuple[Role, ...]:
        """The roles whose members vote."""
        inner = (one for step in self.steps for one in (step.steps if isinstance(step, Each) else (step,)))
        return tuple(dict.fromkeys(one.by.of for one in inner if isinstance(one, Agree)))

    def to_json(self) -> dict[str, JSON]:
        """Return the JSON form."""
        return self._form(form.write(self.steps))

    @classmethod
    def from_json(cls, value: JSON) -> "Choreography":
        """Return the choreography of a JSON form.

        Raises:
            InvalidTeam: The form has wrong members, or values of wrong types.
            InvalidKey: A name or key in it is not well formed.
        """
        merged = ("merge",) if isinstance(value, Mapping) and "merge" in value else ()
        names = ("name", "roles", "steps", "requires", *merged)
        name, roles, steps, requires, *merge = form.members(value, names, "a choreography")
        if not isinstance(roles, Mapping) or not isinstance(steps, list | tuple):
            raise InvalidTeam("a choreography's roles or steps have another type", "give an object and a list")
        declared = {role: form.read_role(role, faults) for role, faults in roles.items()}
        read = cast("tuple[Step, ...]", form.read(steps, declared))  # the constructor checks its shape
        (text,) = form.texts([name], "a choreography's name")
        required = form.texts(requires, "a choreography's requires")
        return cls(text, *read, requires=required, merge=form.merge(merge[0]) if merge else None)

    def _form(self, steps: list[JSON]) -> dict[str, JSON]:
        roles: dict[str, JSON] = {name: form.write_role(role) for name, role in self.roles.items()}
        # An empty `merge` is not written, so the digest of a choreography without one is that of earlier versions.
        merged: dict[str, JSON] = {"merge": dict(self.merge)} if self.merge else {}
        return {"name": self.name, "roles": roles, "steps": steps, "requires": list(self.requires), **merged}


def _roles(steps: Iterable[Step]) -> Mapping[str, Role]:
    """Return the roles by name; each name has one definition, because the JSON form contains each once."""
    roles: dict[str, Role] = {}
    for path, role in roles_of(steps):
        if roles.setdefault(role.name, role) != role:
            raise InvalidTeam(
                f"step {path} means another {role.name} than an earlier step: {role} is not {roles[role.name]}",
                f"make the Role {role.name!r} once and use it in every step",
            )
    return roles
