"""Whether what is there can be called in every way that is wanted.

The same question in both directions is what a changed function does to each side: may those who call it go on, and is
an implementation of the old one also one of the new.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple

from blackboard.contracts.python.declarations import Passing
from blackboard.contracts.python.types import Form, Pool, Type

Fits = Callable[[Type, Type], bool | None]
"""Whether a value of the first type is one of the second; None where nobody can say."""

UNSAID = "..."
"""A default or value that is there, but is nobody's business."""

_BY_POSITION = (Passing.POSITION, Passing.EITHER)
_BY_NAME = (Passing.NAME, Passing.EITHER)


class Shown(StrEnum):
    """What shows that something is not served: a type checker, or running a program."""

    TYPES = "types"
    PLACES = "places"
    DEFAULT = "default"
    VALUE = "value"
    RAISES = "raises"
    FEATURE = "feature"
    OWN = "own"
    LISTED = "listed"
    CHECKED = "checked"


class Gap(NamedTuple):
    """Something that is wanted and not served: what it is about, what was wanted, what is there instead."""

    what: str
    wanted: str
    served: str
    decided: bool = True
    shown: Shown = Shown.TYPES


@dataclass(frozen=True, slots=True)
class Slot:
    """A parameter with its type."""

    name: str
    passing: Passing
    type: Type
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """One way to be called.

    Attributes:
        slots: The parameters, without the instance or class of a method.
        returns: What comes back; a coroutine from an `async def`.
        free: The type variables for which each call has types of its own, and what they are bound to.
    """

    slots: tuple[Slot, ...]
    returns: Type
    free: Mapping[str, Type | None] = field(default_factory=dict)

    def by_position(self) -> list[Slot]:
        """Return the parameters that an argument can reach by its place."""
        return [slot for slot in self.slots if slot.passing in _BY_POSITION]

    def named(self, name: str) -> Slot | None:
        """Return the parameter that an argument can reach by a name."""
        return next((slot for slot in self.slots if slot.name == name and slot.passing in _BY_NAME), None)

    def rest(self, passing: Passing) -> Slot | None:
        """Return what takes all further arguments by position or by name."""
        return next((slot for slot in self.slots if slot.passing is passing), None)


def type_gap(what: str, given: Type, wanted: Type, fits: Fits) -> Iterator[Gap]:
    """Tell where a value of one type is none of another."""
    fitting = fits(given, wanted)
    if not fitting:
        yield Gap(what, str(wanted), str(given), decided=fitting is False)


def call_gaps(served: Shape, wanted: Shape, fits: Fits, pool: Pool) -> Iterator[Gap]:
    """Tell which calls are wanted and not served, parameters and result."""
    variables_ = _bound(served, wanted, pool)
    for name, actual in variables_.items():
        limit = served.free[name]
        if actual.name != name and limit is not None and not fits(actual, limit):
            yield Gap(f"type variable {name}", str(actual), str(limit), decided=False)
    served = _instantiated(served, variables_, pool)
    yield from argument_gaps(served, wanted, fits)
    yield from type_gap("returns", served.returns, wanted.returns, fits)


def argument_gaps(served: Shape, wanted: Shape, fits: Fits) -> Iterator[Gap]:
    """Tell which arguments are wanted and not taken."""
    places, reached = served.by_position(), set[str]()
    rest, by_name = served.rest(Passing.REST), served.rest(Passing.REST_BY_NAME)
    names = {slot.name: slot for slot in served.slots if slot.passing in _BY_NAME}
    for place, slot in enumerate(wanted.by_position()):
        found = places[place] if place < len(places) else rest
        if found is None:
            yield Gap(f"parameter {slot.name} by position", "taken", "not taken")
            continue
        reached.add(found.name)
        yield from _taken(found, slot, fits)
        if slot.passing is Passing.EITHER:
            yield from _name_gaps(served, found, slot, names, fits)
        elif found.passing is Passing.EITHER and wanted.rest(Passing.REST_BY_NAME):
            yield Gap(f"**kwargs named {found.name}", "taken", "not taken")
    for slot in wanted.slots:
        if slot.passing is Passing.NAME:
            named = names.get(slot.name) or by_name
            if named is None or (named.name in reached and named.passing is Passing.EITHER):
                yield Gap(f"parameter {slot.name} by name", "taken", "not taken")
            else:
                reached.add(named.name)
                yield from _taken(named, slot, fits)
    yield from _rest_gaps(served, wanted, reached, fits)
    for slot in served.slots:
        if slot.name not in reached and slot.default is None and slot.passing in (*_BY_POSITION, Passing.NAME):
            yield Gap(f"parameter {slot.name}", "not passed", "required")


def _taken(found: Slot, slot: Slot, fits: Fits) -> Iterator[Gap]:
    fitting = fits(slot.type, found.type)
    if not fitting:
        # What takes Any takes an object, which a type checker lets pass as nothing else.
        decided = fitting is False or says_any(slot.type)
        yield Gap(f"parameter {slot.name}", str(slot.type), str(found.type), decided=decided)
    if found.passing in (Passing.REST, Passing.REST_BY_NAME) or slot.default is None:
        return
    if found.default is None:
        yield Gap(f"parameter {slot.name}", "optional", "required")
    elif slot.default not in (UNSAID, found.default):
        yield Gap(f"default of {slot.name}", slot.default, found.default, shown=Shown.DEFAULT)


def _name_gaps(served: Shape, found: Slot, slot: Slot, names: Mapping[str, Slot], fits: Fits) -> Iterator[Gap]:
    if found.passing is Passing.EITHER and found.name == slot.name:
        return
    by_name = served.rest(Passing.REST_BY_NAME)
    if slot.name not in names and by_name is not None and found.passing is Passing.REST:
        yield from _taken(by_name, slot, fits)
    elif found.passing is Passing.EITHER:
        shown = Shown.PLACES if slot.name in names else Shown.TYPES
        yield Gap("name of a parameter", slot.name, found.name, shown=shown)
    else:
        yield Gap(f"parameter {slot.name} by name", "taken", "not taken")


def _rest_gaps(served: Shape, wanted: Shape, reached: set[str], fits: Fits) -> Iterator[Gap]:
    for passing, what in ((Passing.REST, "*args"), (Passing.REST_BY_NAME, "**kwargs")):
        slot = wanted.rest(passing)
        if slot is None:
            continue
        found = served.rest(passing)
        if found is None:
            yield Gap(what, "taken", "not taken")
            continue
        by = _BY_POSITION if passing is Passing.REST else _BY_NAME
        others = [other for other in served.slots if other.passing in by and other.name not in reached]
        yield from type_gap(what, slot.type, found.type, fits)
        for other in others:
            by_name = f"**kwargs named {other.name}"
            yield from type_gap(what if passing is Passing.REST else by_name, slot.type, other.type, fits)
            if passing is Passing.REST and other.passing is Passing.EITHER and wanted.rest(Passing.REST_BY_NAME):
                # Why not taken: what goes by this name reaches it by its place too.
                yield Gap(by_name, "taken", "not taken")


def _bound(served: Shape, wanted: Shape, pool: Pool) -> dict[str, Type]:
    """Return for type variables of what is served the types that the wanted calls have in their places."""
    found: dict[str, Type] = {}
    if not served.free:
        return found
    for slot, other in zip(served.by_position(), wanted.by_position(), strict=False):
        _bind(slot.type, other.type, served.free, found, pool)
    for slot in served.slots:
        same = wanted.named(slot.name)
        if slot.passing is Passing.NAME and same is not None:
            _bind(slot.type, same.type, served.free, found, pool)
    # Why last: what is passed decides, the result only where a variable is in nothing that is passed.
    result: dict[str, Type] = {}
    _bind(served.returns, wanted.returns, served.free, result, pool)
    return result | found


def _instantiated(served: Shape, found: Mapping[str, Type], pool: Pool) -> Shape:
    if not found:
        return served
    slots = tuple(replace(slot, type=substituted(slot.type, found, pool)) for slot in served.slots)
    return replace(served, slots=slots, returns=substituted(served.returns, found, pool))


def _bind(pattern: Type, actual: Type, free: Collection[str], found: dict[str, Type], pool: Pool) -> None:
    if pattern.form is Form.CALLABLE and pattern.name in free and actual.form is Form.CALLABLE:
        found.setdefault(pattern.name, actual)
        _bind(pattern.items[-1], actual.items[-1], free, found, pool)
    elif pattern.form is Form.VARIABLE and pattern.name in free:
        before = found.get(pattern.name)
        found[pattern.name] = actual if before is None else pool.union((before, actual))
    elif (pattern.form, pattern.name, len(pattern.items)) == (actual.form, actual.name, len(actual.items)):
        for inner, other in zip(pattern.items, actual.items, strict=True):
            _bind(inner, other, free, found, pool)


def substituted(of: Type, variables: Mapping[str, Type], pool: Pool) -> Type:
    """Return a type with types for its variables."""
    if not variables:
        return of
    if of.form is Form.VARIABLE:
        return variables.get(of.name, of)
    items = tuple(substituted(item, variables, pool) for item in of.items)
    if of.form is Form.CALLABLE and of.name in variables:
        taken = variables[of.name]
        return pool.make(Form.CALLABLE, taken.name, (*taken.items[:-1], items[-1]), of.origin)
    if all(new is old for new, old in zip(items, of.items, strict=True)):
        return of
    return pool.union(items) if of.form is Form.UNION else pool.make(of.form, of.name, items, of.origin)


def split(shape: Shape) -> list[Shape]:
    """Return the calls of a shape apart by the members of its first union; none where it has no union."""
    for place, slot in enumerate(shape.slots):
        if slot.type.form is Form.UNION:
            # Why: who leaves it out passes None, so another member is always passed.
            kept = slot.default != "None"
            parts = (
                replace(slot, type=member, default=slot.default if kept or member.name == "None" else None)
                for member in slot.type.items
            )
            return [replace(shape, slots=(*shape.slots[:place], one, *shape.slots[place + 1 :])) for one in parts]
    return []


def says_any(of: Type) -> bool:
    """Say whether Any stands somewhere in a type."""
    return of.form is Form.ANY or any(says_any(item) for item in of.items)


def variables(types: Iterable[Type]) -> frozenset[str]:
    """Return the names of all type variables in some types."""
    found: set[str] = set()
    pending, seen = list(types), set[Type]()
    while pending:
        item = pending.pop()
        if item not in seen:
            seen.add(item)
            pending += item.items
            if item.form is Form.VARIABLE or (item.form is Form.CALLABLE and item.name not in ("", UNSAID)):
                found.add(item.name)
    return frozenset(found)
