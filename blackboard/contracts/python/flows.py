"""To whom the values of a class or alias flow: to those who use a contract, or from them.

What functions return and attributes hold is received by users; what parameters take is given by them, and so the other
way round for callbacks. What a TypedDict holds flows with it; what a Protocol's methods take and return flows the other
way where users implement it. What a generic class is made of flows through its members too.
"""

from collections.abc import Iterator
from enum import Flag, auto

from blackboard.contracts.python.calls import Shape
from blackboard.contracts.python.declarations import Class, Declaration, Function, Kind, Property, Variable
from blackboard.contracts.python.members import CONSTRUCTORS, Members
from blackboard.contracts.python.types import Form, Type


class Flow(Flag):
    """Where a value comes from and goes to, as seen by those who use the contract."""

    NOWHERE = 0
    RECEIVED = auto()
    GIVEN = auto()
    BOTH = RECEIVED | GIVEN
    FIXED = auto()  # it is an argument that must be the same for both
    NAMED = auto()  # only values flow that are named one by one

    def back(self) -> "Flow":
        """Return the flow of what goes the other way."""
        turned = {Flow.RECEIVED: Flow.GIVEN, Flow.GIVEN: Flow.RECEIVED}
        way = self & Flow.BOTH
        return turned.get(way, way) | (self & ~Flow.BOTH)


_Step = tuple[Type, Flow]


def flows(members: Members) -> dict[str, Flow]:
    """Return name of a class or alias -> where its values flow."""
    found: dict[str, Flow] = {}
    seen: set[_Step] = set()
    _spread(
        members, [step for name in members.types.declarations for step in _from_declared(members, name)], found, seen
    )
    for name, group in members.same.items():
        found.update((name, found[one]) for one in group if one in found and name not in found)
    # What flows nowhere is for both to read and to write, and so is what it holds.
    alone = [name for name in members.types.declarations if _is_of_both(members, name) and name not in found]
    _spread(members, [step for name in alone for step in _within(members, name, Flow.BOTH)], found, seen)
    return found


def _spread(members: Members, pending: list[_Step], found: dict[str, Flow], seen: set[_Step]) -> None:
    gone_through: set[tuple[str, frozenset[str], Flow]] = set()
    while pending:
        step = pending.pop()
        if step in seen:
            continue
        seen.add(step)
        members.types.pool.budget.spend()
        of, flow = step
        pending += _parts(members, of, flow)
        # By the names in it, not by the type: a class may return itself of ever longer types.
        through = (of.name, _names(of), flow)
        if of.items and through not in gone_through:
            gone_through.add(through)
            pending += _through(members, of, flow)
        if of.form in (Form.NAMED, Form.ALIAS, Form.LITERAL):
            name = (of.name.rpartition(".")[0] if of.form is Form.LITERAL else of.name).removeprefix("this.")
            flow = Flow.NAMED if of.form is Form.LITERAL else flow
            if name in members.types.declarations and flow not in found.get(name, Flow.NOWHERE):
                found[name] = found.get(name, Flow.NOWHERE) | flow
                pending += _within(members, name, flow)


def _is_of_both(members: Members, name: str) -> bool:
    """Say whether users may make what a class stands for, and not only the implementer."""
    return members.kind(name) in (Kind.PROTOCOL, Kind.TYPED_DICT) or members.is_abstract(name)


def _is_of_subclass(members: Members, path: str) -> bool:
    """Say whether it is called by who subclasses, whoever gives the instances."""
    owner, _, name = path.rpartition(".")
    return name in CONSTRUCTORS and members.kind(owner) is not Kind.PROTOCOL


def _from_declared(members: Members, name: str) -> Iterator[_Step]:
    """Return what flows because of one declaration, wherever its class flows."""
    declared = members.types.declarations[name]
    if isinstance(declared, Class):
        for base in members.bases(name):
            yield from _through(members, base, Flow.RECEIVED)
    owner = name.rpartition(".")[0]
    kind = members.kind(owner) if owner else None
    if owner and _is_of_both(members, owner) and not _is_of_subclass(members, name):
        return
    if isinstance(declared, Variable) and kind is Kind.ENUM:
        return
    if isinstance(declared, Variable) and owner == "" and declared.annotation is None:
        return  # an alias or constant: what is made of it flows, not it
    yield from _steps(members, declared, owner or None, Flow.RECEIVED)
    if kind in (Kind.DATACLASS, Kind.NAMED_TUPLE) and isinstance(declared, Variable):
        yield members.variable(declared, owner), Flow.GIVEN


def _within(members: Members, name: str, flow: Flow) -> Iterator[_Step]:
    """Return what flows because a class does."""
    if _is_of_both(members, name):
        for member in sorted(members.names(name)):
            found = members.member(name, member)
            if found is not None and not _is_of_subclass(members, f"{found[0]}.{member}"):
                yield from _steps(members, found[1], name, flow & ~Flow.NAMED)
    text = members.types.alias(name)
    if text is not None:
        yield members.types.read(text), flow


def _through(members: Members, of: Type, flow: Flow) -> Iterator[_Step]:
    """Return what flows through the members of a generic class because of what it is made of."""
    if not of.items or of.form is not Form.NAMED or members.get(of.name) is None:
        return
    way = flow & Flow.BOTH if _is_of_both(members, of.name) else Flow.RECEIVED
    for member in sorted(members.names(of.name)):
        for shape in members.shapes(of, member):
            yield from _called(shape, way)
        found = members.member(of.name, member)
        if found is not None and isinstance(found[1], Property | Variable):
            yield members.attribute(of, member), way


def _names(of: Type) -> frozenset[str]:
    found: set[str] = set()
    pending, seen = [of], set[Type]()
    while pending:
        item = pending.pop()
        if item not in seen:
            seen.add(item)
            found.add(item.name)
            pending += item.items
    return frozenset(found)


def _steps(members: Members, declared: Declaration, owner: str | None, flow: Flow) -> Iterator[_Step]:
    if isinstance(declared, Function):
        for shape in members.function(declared, owner):
            yield from _called(shape, flow)
    elif isinstance(declared, Property | Variable):
        yield members.variable(declared, owner), flow


def _called(shape: Shape, flow: Flow) -> Iterator[_Step]:
    yield shape.returns, flow
    for slot in shape.slots:
        yield slot.type, flow.back()


def _parts(members: Members, of: Type, flow: Flow) -> Iterator[_Step]:
    if of.form is Form.CALLABLE:
        yield of.items[-1], flow
        for item in of.items[:-1]:
            yield item, flow.back()
        return
    signs = members.variance(of.name).ljust(len(of.items), "=") if of.form is Form.NAMED else "+" * len(of.items)
    for item, sign in zip(of.items, signs, strict=False):
        yield item, flow.back() if sign == "-" else flow | Flow.FIXED if sign == "=" else flow
