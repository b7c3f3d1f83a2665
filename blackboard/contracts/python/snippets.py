"""Programs of those who count on a stub: they call, read, construct and implement all that a facet promises.

Each is short Python that a type checker accepts beside the stub, imported as `contract`, and that it refuses beside a
stub which serves them no longer.
"""

import enum
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from blackboard.contracts.python import known
from blackboard.contracts.python.calls import Shape, Slot, variables
from blackboard.contracts.python.declarations import Declaration, Function, Kind, Passing, Property, Variable
from blackboard.contracts.python.members import CONSTRUCTORS, Members, is_abstract, is_needed
from blackboard.contracts.python.types import Form, Type

_MAX_TYPE = 2_000
_MAX_THINGS = 60
_MAX_UNFOLDED = 8
_BODY = "raise NotImplementedError"


_Thing = TypeVar("_Thing")


class Unshowable(Exception):
    """A type cannot be written in a program beside the stub."""


class Snippets:
    """Writes programs for those who count on one stub."""

    def __init__(self, members: Members, other_name: str | None = None) -> None:
        """Write for those who count on a stub, who pass to `**kwargs` by some other name."""
        self.members = members
        self._other_name = other_name or "any_other_name"
        self._modules = {"contract"}
        self._users = 0

    def program(self, lines: Sequence[str]) -> str:
        """Return a program with the imports that its lines need."""
        return "\n".join([*(f"import {module}" for module in sorted(self._modules)), *lines])

    def it(self, name: str) -> str:
        """Return the parameter that takes an instance of a class."""
        return f"it: {self.type(self.members.instance(name))}"

    def calls(self, declared: Function, callee: str, owner: str | None = None) -> Iterator[str]:
        """Write all kinds of calls of a function; of a method of an instance `it` where the owner is given."""
        first, target = self._reached(declared, callee, owner)
        for shape in self.members.function(declared, owner):
            yield from self.called(shape, target, first)

    def _reached(self, declared: Declaration, path: str, owner: str | None) -> tuple[str, str]:
        """Return the parameter that something is reached by, "" where it is by none, and the expression."""
        if owner is None or _is_of_class(declared):
            return "", f"contract.{path}"
        return self.it(owner), f"it.{path.rpartition('.')[2]}"

    def called(self, shape: Shape, target: str, first: str = "") -> Iterator[str]:
        """Write the calls of one shape: with everything, with what is required, by name."""
        for taken, call in self._calls(shape, target, first):
            yield f"def {self._user()}({taken}) -> {self.type(shape.returns)}:"
            yield f"    {call}" if shape.returns.form is Form.NEVER else f"    return {call}"

    def _calls(self, shape: Shape, target: str, first: str) -> Iterator[tuple[str, str]]:
        """Return the ways to call: the parameters of who calls, and the call."""
        if shape.returns.name in ("TypeGuard", "TypeIs"):
            raise Unshowable  # for a type checker what is returned is a bool
        names = {slot.name: f"a{number}" for number, slot in enumerate(self._few(shape.slots))}
        for chosen, by_name in _ways(shape):
            if variables([shape.returns]) & shape.free.keys() - variables(slot.type for slot in chosen):
                continue  # nothing passed says what comes back
            taken = [f"{names[slot.name]}: {self.type(slot.type)}" for slot in chosen]
            passed = [
                f"{self._other_name}={names[slot.name]}"
                if slot.passing is Passing.REST_BY_NAME
                else _passed(slot, names[slot.name], by_name=by_name)
                for slot in chosen
            ]
            yield ", ".join([*([first] if first else []), *taken]), f"{target}({', '.join(passed)})"

    def is_exactly(self, declared: Declaration, path: str, owner: str | None = None) -> Iterator[str]:
        """Write that what is called or read has just the type that it is declared with, which Any has not.

        Raises:
            Unshowable: It holds names that nobody can resolve.
        """
        taken, expression = self._reached(declared, path, owner)
        before = ""
        if isinstance(declared, Function):
            shape = self.members.function(declared, owner)[0]
            taken, expression = next(self._calls(shape, expression, taken), ("", ""))
            if not expression:
                raise Unshowable
            before = "async " if declared.signatures[0].awaited else ""
        expected = self.type(self.members.results(declared, owner)[0], None)
        yield f"{before}def {self._user()}({taken}) -> None:"
        yield f"    {self._typing('assert_type')}({'await ' if before else ''}{expression}, {expected})"

    def is_class(self, name: str) -> Iterator[str]:
        """Write that a name is just that class, which Any is not."""
        if self.members.get(name) is not None and not self.members.parameters(name):
            yield f"def {self._user()}() -> None:"
            yield f"    {self._typing('assert_type')}(contract.{name}, type[contract.{name}])"

    def reads(self, declared: Declaration, path: str, owner: str | None = None) -> Iterator[str]:
        """Write how a constant or attribute is read."""
        yield from self.held(*self._reached(declared, path, owner), self.members.variable(declared, owner))

    def held(self, taken: str, expression: str, wanted: Type | str) -> Iterator[str]:
        """Write that an expression has a type.

        Raises:
            Unshowable: It has none, and nothing but a call never ends.
        """
        if isinstance(wanted, Type) and wanted.form is Form.NEVER:
            raise Unshowable
        yield f"def {self._user()}({taken}) -> {wanted if isinstance(wanted, str) else self.type(wanted)}:"
        yield f"    return {expression}"

    def constructs(self, name: str) -> Iterator[str]:
        """Write how instances are made."""
        for shape in self.members.initializer(name) or ():
            written = any(self.members.member(name, one) for one in CONSTRUCTORS)
            if not written and any(slot.passing is Passing.REST for slot in shape.slots):
                continue
            if self.members.is_constructed(name):
                yield from self.called(shape, f"contract.{name}")
            elif self.members.member(name, "__new__") is None:
                yield from self._subclassed(replace(shape, returns=self.members.types.pool.named("None")), name)

    def _subclassed(self, shape: Shape, name: str) -> Iterator[str]:
        """Write a subclass that makes itself what it is a subclass of, in each way to call that."""
        yield f"class Made(contract.{name}):"
        for line in self.called(shape, "super().__init__", "self"):
            yield f"    {line}"

    def is_dataclass(self, name: str) -> Iterator[str]:
        """Write that the fields of instances can be listed."""
        self._modules.add("dataclasses")
        yield from self.held(self.it(name), "dataclasses.fields(it)", "object")

    def implements(self, name: str, overridden: str = "") -> Iterator[str]:
        """Write an implementation of a Protocol or of what is abstract, and of one more member, given as one."""
        protocol = self.members.kind(name) is Kind.PROTOCOL
        yield f"class Mine{'' if protocol else f'(contract.{name})'}:"
        written = [
            (member, self.members.member(name, member)) for member in sorted(self._few(self.members.names(name)))
        ]
        lines = [
            line
            for member, found in written
            if found and (protocol or member == overridden or is_abstract(found[1]))
            for line in self._written(member, found[1], name)
        ]
        if not protocol and any(_required(shape) for shape in self.members.initializer(name) or ()):
            lines.append(f"    def __init__(self) -> None: {_BODY}")
        yield from lines or ["    pass"]
        yield from self.held("it: Mine" if protocol else "", "it" if protocol else "Mine()", f"contract.{name}")

    def _written(self, name: str, declared: Declaration, owner: str) -> Iterator[str]:
        if isinstance(declared, Property):
            yield "    @property"
            yield f"    def {name}(self) -> {self.type(self.members.variable(declared, owner), 'typing.Any')}: {_BODY}"
        elif isinstance(declared, Variable):
            yield f"    {name}: {self.type(self.members.variable(declared, owner), 'typing.Any')}"
        elif isinstance(declared, Function):
            shapes = self.members.function(declared, owner)
            for shape in shapes:
                if len(shapes) > 1:
                    self._modules.add("typing")
                    yield "    @typing.overload"
                yield from self._defined(name, shape, declared)
            if len(shapes) > 1:
                yield f"    def {name}(self, *args: typing.Any, **kwargs: typing.Any) -> typing.Any: {_BODY}"

    def _defined(self, name: str, shape: Shape, declared: Function) -> Iterator[str]:
        marks = {mark for signature in declared.signatures for mark in signature.decorators}
        of_class = marks & {"staticmethod", "classmethod"}
        first = [] if "staticmethod" in marks else ["cls" if "classmethod" in marks else "self"]
        parts, starred = list(first), False
        for slot in shape.slots:
            starred_here = slot.passing is Passing.NAME and not starred
            if starred_here and not any(one.passing is Passing.REST for one in shape.slots):
                parts.append("*")
            starred |= starred_here
            default = "" if slot.default is None else " = ..."
            parts.append(f"{_STARS.get(slot.passing, '')}{slot.name}: {self.type(slot.type)}{default}")
        last = sum(1 for slot in shape.slots if slot.passing is Passing.POSITION)
        if last:
            parts.insert(len(first) + last, "/")
        for mark in sorted(of_class):
            yield f"    @{mark}"
        awaited = declared.signatures[0].awaited
        returns = shape.returns.items[-1] if awaited else shape.returns
        head = f"    {'async ' if awaited else ''}def {name}({', '.join(parts)})"
        yield f"{head} -> {self.type(returns, 'typing.Any')}: {_BODY}"

    def tells_apart(self, name: str) -> Iterator[str]:
        """Write what is done with each value of an enum, and that there are no others."""
        self._modules.add("typing")
        values = self._few(self.members.enum_values(name))
        yield f"def {self._user()}(it: contract.{name}) -> int:"
        for value in values:
            yield f"    if it is contract.{name}.{value}:"
            yield "        return 1"
        yield "    typing.assert_never(it)"

    def reads_keys(self, name: str) -> Iterator[str]:
        """Write that a TypedDict which is received has its keys."""
        self._modules.add("typing")
        yield "class Wanted(typing.TypedDict):"
        for key, text, needed in self._keys(name):
            yield f"    {key}: {text if needed else f'typing.NotRequired[{text}]'}"
        yield from self.held(f"it: contract.{name}", "it", "Wanted")

    def writes_keys(self, name: str) -> Iterator[str]:
        """Write TypedDicts that are given: with all keys, and with those that are required."""
        keys = list(self._keys(name))
        for chosen in (keys, [key for key in keys if key[2]]):
            yield f"def {self._user()}({', '.join(f'{key}: {text}' for key, text, _ in chosen)}) -> contract.{name}:"
            yield f"    return {{{', '.join(f'{key!r}: {key}' for key, _, _ in chosen)}}}"

    def _keys(self, name: str) -> Iterator[tuple[str, str, bool]]:
        for key in sorted(self._few(self.members.names(name))):
            found = self.members.member(name, key)
            if found is not None:
                yield key, self.type(self.members.variable(found[1])), is_needed(found[1])

    def type(self, of: Type, anything: str | None = "object") -> str:
        """Spell a type as it is written beside the stub, its aliases unfolded.

        Args:
            of: The type.
            anything: How Any is spelled: `object` where it must be found out whether anything goes; None for just the
                type that is meant, where nothing else goes for what nobody can resolve.

        Raises:
            Unshowable: It is too long, or nothing else goes for what it holds.
        """
        self.members.types.pool.budget.spend(of.size)
        if anything == "typing.Any":
            self._modules.add("typing")
        text = self._spelled(of, anything, ())
        if len(text) > _MAX_TYPE:
            raise Unshowable
        return text

    def _spelled(self, of: Type, anything: str | None, unfolded: tuple[Type, ...]) -> str:  # noqa: PLR0911 - a case each
        match of.form:
            case Form.ANY:
                return anything or self._typing("Any")
            case Form.ALIAS:
                return self._alias(of, anything, unfolded)
            case Form.VARIABLE:
                return self._variable(of, anything, unfolded)
            case Form.LITERAL:
                return self._typing(f"Literal[{self._literal(of.name)}]")
            case Form.NEVER:
                return self._typing("Never")
            case Form.OPAQUE | Form.NAMED if of.form is Form.OPAQUE or not self.members.types.is_resolved(of.name):
                if anything is None:
                    raise Unshowable
                return self._typing("Any")
        if of.form is Form.NAMED and of.name in known.RESTRICTED and of.items[0].form is Form.ANY and anything:
            name = self._named(of.name)
            return " | ".join(f"{name}[{one}]" for one in known.RESTRICTED[of.name])
        return self._made(of, [self._spelled(item, anything, unfolded) for item in of.items])

    def _variable(self, of: Type, anything: str | None, unfolded: tuple[Type, ...]) -> str:
        if not of.items:
            return f"contract.{of.name}"
        if anything == "typing.Any":
            return self._typing("Self")
        return self._spelled(self.members.instance(of.items[0].name), anything, unfolded)

    def _alias(self, of: Type, anything: str | None, unfolded: tuple[Type, ...]) -> str:
        text = self.members.types.alias(of.name)
        if of in unfolded and not of.items:
            return f"contract.{of.name}"
        if text is None or of.items or len(unfolded) > _MAX_UNFOLDED:
            raise Unshowable
        return self._spelled(self.members.types.read(text), anything, (*unfolded, of))

    def _made(self, of: Type, items: Sequence[str]) -> str:
        """Return a type of others that are spelled."""
        if of.form is Form.UNION:
            return " | ".join(items)
        if of.form is Form.TUPLE:
            return f"tuple[{', '.join(items) or '()'}]"
        if of.form is Form.CALLABLE:
            variable = f"contract.{of.name}" if of.name not in ("", "...") else of.name
            listed = variable or f"[{', '.join(items[:-1])}]"
            return self._typing(f"Callable[{listed}, {items[-1]}]")
        given = [*items, "..."] if of.name == "tuple" else items
        return self._named(of.name) + (f"[{', '.join(given)}]" if given else "")

    def _literal(self, text: str) -> str:
        owner = text.rpartition(".")[0].removeprefix("this.")
        return f"contract.{text.removeprefix('this.')}" if self.members.get(owner) else text

    def _named(self, name: str) -> str:
        plain = name.removeprefix("this.")
        if plain in self.members.types.declarations:
            return f"contract.{plain}"
        module = name.rpartition(".")[0]
        if module:
            self._modules.add(module)
            return name
        if name == "None" or known.is_builtin(name):
            return name
        if not hasattr(enum, name):
            return self._typing(name)
        self._modules.add("enum")
        return f"enum.{name}"

    def _few(self, things: Collection[_Thing]) -> Collection[_Thing]:
        """Return what a program is to hold, if a person would read it."""
        if len(things) > _MAX_THINGS:
            raise Unshowable
        return things

    def _user(self) -> str:
        self._users += 1
        return f"user{self._users}"

    def _typing(self, text: str) -> str:
        self._modules.add("typing")
        return f"typing.{text}"


_STARS = {Passing.REST: "*", Passing.REST_BY_NAME: "**"}


def _is_of_class(declared: Declaration) -> bool:
    if isinstance(declared, Variable):
        return (declared.annotation or "").startswith("ClassVar")
    signatures = declared.signatures if isinstance(declared, Function) else ()
    return any({"staticmethod", "classmethod"} & set(signature.decorators) for signature in signatures)


def _required(shape: Shape) -> list[Slot]:
    return [slot for slot in shape.slots if slot.default is None and slot.passing not in _STARS]


def _ways(shape: Shape) -> Iterator[tuple[list[Slot], bool]]:
    """Return the ways to call: the parameters that are passed, and whether by name where both go."""
    everything = list(shape.slots)
    required = _required(shape)
    yield everything, False
    if required != everything:
        yield required, False
    if any(slot.passing is Passing.EITHER for slot in everything):
        yield [slot for slot in everything if slot.passing is not Passing.REST], True


def _passed(slot: Slot, name: str, *, by_name: bool) -> str:
    named = slot.passing is Passing.NAME or (by_name and slot.passing is Passing.EITHER)
    return f"{slot.name}={name}" if named else name
