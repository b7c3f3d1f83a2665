"""An index of a choreography's steps by the key that they are about.

**The most specific step wins.** If several steps name a key, the one with the most specific template governs it and the
others do not apply (`templates.specificity` is the order): `task/{name}` governs `task/x` although `**` names it too.
`rules` refuses two equally specific templates that share a key, except for components whose leases exclude two writers.

Steps that settle decisions (`agree`, `within`, `decides`, and a right to decide) and steps that write components
(`loop`, `writes`, and a right to write) have separate indexes: a `**` for decisions does not govern components.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from blackboard.choreography.steps import Choreography
from blackboard.choreography.templates import Specificity, specificity
from blackboard.choreography.values import (
    ANY_CHECK,
    Agree,
    Checks,
    Decides,
    Each,
    Inner,
    Loop,
    May,
    Otherwise,
    Part,
    Step,
    Within,
    Writes,
    walk,
)
from blackboard.spec import keys


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """One step of a sequence.

    Attributes:
        key: The template of the key that the step is about.
        each: The `each` that binds its variables, None at the top.
        before: The steps of the sequence that have to be done before it.
    """

    path: str
    step: Inner
    key: str
    each: Each | None
    before: tuple["Unit", ...]


class Place(NamedTuple):
    """A step instance: a step, for one key."""

    unit: Unit
    key: str
    bindings: Mapping[str, str]

    def about(self, template: str) -> str:
        """Return the key that a template names in this instance."""
        return self.key if template == self.unit.key else keys.fill(template, self.bindings)

    def sibling(self, unit: Unit) -> "Place":
        """Return the step instance of another step in this instance."""
        return Place(unit, self.about(unit.key), self.bindings)


class Giver(NamedTuple):
    """A loop whose fallback decides a key, and the path of that fallback."""

    unit: Unit
    template: str
    otherwise: Otherwise
    path: str


class Checker(NamedTuple):
    """A step that records verdicts, and its path."""

    unit: Unit
    step: Checks
    path: str


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """The indexes of one choreography's steps, one for each question of a commit.

    Attributes:
        settlers: Template and step for decisions, most specific first; None if a right to decide governs.
        builders: The same for components, with their specificity.
        checkers: The steps that record verdicts.
        givers: The loops whose fallback decides a key.
        followers: Path of a step -> the steps after it in its sequence.
        starters: First steps that are about another key than the one that creates their instance.
        agreements: Path -> step.
        deadlines: Path -> `within`, fallbacks included.
        rights: The `may` rights, with their paths `may:N`, N being the index among top-level steps.
        counted: The templates whose number of instances is bounded.
        limits_leases: Whether any step limits the duration of a lease.
        merged: Patterns of decisions that are merged facet by facet.
    """

    settlers: tuple[tuple[str, Unit | None], ...]
    builders: tuple[tuple[Specificity, str, Unit | None], ...]
    checkers: tuple[Checker, ...]
    givers: tuple[Giver, ...]
    followers: Mapping[str, tuple[Unit, ...]]
    starters: tuple[Unit, ...]
    agreements: Mapping[str, Unit]
    deadlines: Mapping[str, Within]
    rights: tuple[tuple[str, May], ...]
    counted: tuple[str, ...]
    limits_leases: bool
    merged: tuple[str, ...]

    def merges(self, key: str) -> bool:
        """Say whether two versions of a decision that change different facets are merged."""
        return any(keys.matches(pattern, key) for pattern in self.merged)

    def settling(self, key: str) -> Place | None:
        """Return the step that governs a decision."""
        for template, unit in self.settlers:
            bindings = keys.bind(template, key)
            if bindings is not None:
                return None if unit is None else Place(unit, key, bindings)
        return None

    def building(self, key: str) -> tuple[Place, ...]:
        """Return the steps that govern a component: several if they are equally specific."""
        found: list[Place] = []
        best: Specificity | None = None
        for rank, template, unit in self.builders:
            if best is not None and rank != best:
                break
            bindings = keys.bind(template, key)
            if bindings is not None:
                best = rank
                if unit is not None:
                    found.append(Place(unit, key, bindings))
        return tuple(found)

    def checking(self, key: str, check: str) -> Iterator[tuple[Place, Checker]]:
        """Yield the steps that record the verdict of a check on a component."""
        for checker in self.checkers:
            if checker.step.check in (check, ANY_CHECK):
                bindings = keys.bind(checker.step.key, key)
                if bindings is not None:
                    yield Place(checker.unit, key, bindings), checker

    def starting(self, key: str) -> Iterator[Place]:
        """Yield the first steps of the instances that this key creates, if these steps are about another key."""
        for unit in self.starters:
            bindings = keys.bind(unit.each.template, key) if unit.each is not None else None
            if bindings is not None:
                yield Place(unit, keys.fill(unit.key, bindings), bindings)

    def giving(self, key: str) -> Iterator[tuple[Place, Giver]]:
        """Yield the step instances of the loops whose fallback decides this key."""
        for giver in self.givers:
            bindings = keys.bind(giver.template, key)
            if bindings is not None:
                yield Place(giver.unit, keys.fill(giver.unit.key, bindings), bindings), giver

    def right(self, role: str, verb: str, key: str) -> str | None:
        """Return the path of the `may` right of a role to an act on a key."""
        for path, step in self.rights:
            if step.role.name == role and step.act == verb and keys.matches(step.pattern, key):
                return path
        return None


@lru_cache(maxsize=64)
def places(choreography: Choreography) -> Places:
    """Return the indexes of a choreography's steps; made once for each digest."""
    units = tuple(units_of(choreography.steps))
    rights = tuple((f"may:{index}", step) for index, step in enumerate(choreography.steps) if isinstance(step, May))
    settlers: list[tuple[Specificity, str, Unit | None]] = []
    builders: list[tuple[Specificity, str, Unit | None]] = []
    for unit in units:
        if isinstance(unit.step, Agree | Within | Decides):
            settlers.append((specificity(unit.key), unit.key, unit))
        elif writers(unit):
            builders.append((specificity(unit.key), unit.key, unit))
    for _, step in rights:
        if step.act in ("decide", "write"):
            claims = settlers if step.act == "decide" else builders
            claims.append((specificity(step.pattern), step.pattern, None))
    return Places(
        settlers=tuple((template, unit) for _, template, unit in sorted(settlers, key=_rank_of)),
        builders=tuple(sorted(builders, key=_rank_of)),
        checkers=tuple(
            Checker(unit, step, path) for unit in units for path, step in bodies(unit) if isinstance(step, Checks)
        ),
        givers=tuple(_givers(units)),
        followers={unit.path: tuple(other for other in units if unit in other.before) for unit in units},
        starters=tuple(
            unit for unit in units if unit.each is not None and not unit.before and unit.each.template != unit.key
        ),
        agreements={unit.path: unit for unit in units if isinstance(unit.step, Agree)},
        deadlines={path: step for path, step in walk(choreography.steps) if isinstance(step, Within)},
        rights=rights,
        counted=tuple(dict.fromkeys(step.template for step in choreography.steps if isinstance(step, Each))),
        limits_leases=any(step.lease_seconds for unit in units for _, step in writers(unit)),
        merged=tuple(choreography.merge),
    )


def bodies(unit: Unit) -> Iterator[tuple[str, Part]]:
    """Yield the step with its path, or for a loop the steps inside it."""
    if isinstance(unit.step, Loop):
        yield from ((f"{unit.path}.{index}", step) for index, step in enumerate(unit.step.steps))
    else:
        yield unit.path, unit.step


def writers(unit: Unit) -> tuple[tuple[str, Writes], ...]:
    """Return the steps of a unit that write its component, with their paths."""
    return tuple((path, step) for path, step in bodies(unit) if isinstance(step, Writes))


def handed_to(otherwise: Otherwise | None) -> str | None:
    """Return the template of the key that a fallback decides, None if it decides none."""
    if isinstance(otherwise, Within):
        return otherwise.step.key
    return otherwise.key if isinstance(otherwise, Decides) else None


def about(step: Inner) -> str:
    """Return the template of the key that a step is about."""
    match step:
        case Agree():
            return step.proposes.key
        case Within():
            return step.step.key
        case Loop():
            return step.until.of
    return step.key


def units_of(steps: Iterable[Step]) -> Iterator[Unit]:
    """Yield the steps of every sequence in order; a step at the top is a sequence of its own."""
    for index, step in enumerate(steps):
        if isinstance(step, Each):
            before: list[Unit] = []
            for number, inner in enumerate(step.steps):
                before.append(Unit(f"{index}.{number}", inner, about(inner), step, tuple(before)))
            yield from before
        elif not isinstance(step, May):
            yield Unit(str(index), step, about(step), None, ())


def _rank_of(claim: tuple[Specificity, str, Unit | None]) -> Specificity:
    return claim[0]


def _givers(units: Iterable[Unit]) -> Iterator[Giver]:
    for unit in units:
        if isinstance(unit.step, Loop) and (template := handed_to(unit.step.otherwise)) is not None:
            yield Giver(unit, template, unit.step.otherwise, f"{unit.path}.{len(unit.step.steps)}")
