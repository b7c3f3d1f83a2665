"""What a class of one stub has: its bases, its members with those it inherits, how it is constructed."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from blackboard.contracts.python import known
from blackboard.contracts.python.calls import UNSAID, Shape, Slot, substituted, variables
from blackboard.contracts.python.declarations import (
    Class,
    Declaration,
    Function,
    Kind,
    Parameter,
    Passing,
    Property,
    Signature,
    Variable,
)
from blackboard.contracts.python.same import groups
from blackboard.contracts.python.types import Form, Type, Types, expression

_SAYING_NO_BASE = frozenset({"Protocol", "Generic", "NamedTuple", "TypedDict", "ABC", "object"})
CONSTRUCTORS = ("__init__", "__new__")
_MAX_ANCESTORS = 64


class Members:
    """The classes of one stub."""

    def __init__(self, types: Types) -> None:
        self.types = types
        self._own: dict[str, dict[str, Declaration]] = {}
        self._lines: dict[str, list[str]] = {}
        self._names: dict[str, set[str]] = {}
        self._inherited: set[str] = set()
        self._values: dict[str, list[str]] = {}
        self._abstract: dict[str, bool] = {}
        self._abstract_members: dict[str, set[str]] = {}
        self._constructors: dict[str, list[Shape] | None] = {}
        for path, declaration in types.declarations.items():
            owner, _, name = path.rpartition(".")
            self._own.setdefault(owner, {})[name] = declaration

    @cached_property
    def same(self) -> dict[str, list[str]]:
        """The names of each class that has several, by each of them."""
        return groups(self.types.declarations)

    def get(self, name: str) -> Class | None:
        """Return a class by its name."""
        declared = self.types.declarations.get(name.removeprefix("this."))
        return declared if isinstance(declared, Class) else None

    def own(self, name: str) -> dict[str, Declaration]:
        """Return the members that stand in a class itself."""
        return self._own.get(name.removeprefix("this."), {})

    def line(self, name: str) -> list[str]:
        """Return a class and its ancestors in this stub, in the order in which a member is looked for in them."""
        if name in self._lines:
            return self._lines[name]
        root = name.removeprefix("this.")
        reached, bases, below = [root], dict[str, list[str]](), dict[str, int]()
        for one in reached:
            declared = self.get(one)
            if declared is not None and len(reached) < _MAX_ANCESTORS:
                named = (base.partition("[")[0].removeprefix("this.") for base in declared.bases)
                bases[one] = [base for base in dict.fromkeys(named) if self.get(base) is not None]
            for base in bases.get(one, ()):
                reached += [] if base in below or base == root else [base]
                below[base] = below.get(base, 0) + 1
        found, pending = self._lines.setdefault(name, []), [root]
        while pending:
            found.append(pending.pop())
            for base in reversed(bases.get(found[-1], [])):
                below[base] -= 1
                # Why the last time: a class is looked into after all that inherit from it.
                pending += [base] if not below[base] and base != root else []
        return found

    def member(self, name: str, member: str) -> tuple[str, Declaration] | None:
        """Return the class that has a member, and the member."""
        for owner in self.line(name):
            if member in self.own(owner):
                return owner, self.own(owner)[member]
        return None

    def names(self, name: str) -> set[str]:
        """Return the names of all members."""
        if name not in self._names:
            self.types.pool.budget.spend(sum(len(self.own(owner)) for owner in self.line(name)) // 8)
            self._names[name] = {member for owner in self.line(name) for member in self.own(owner)}
        return self._names[name]

    def is_inherited(self, name: str) -> bool:
        """Say whether another class of the stub inherits from a class."""
        if not self._inherited:
            classes = (declared for declared in self.types.declarations.values() if isinstance(declared, Class))
            self._inherited = {base.partition("[")[0] for declared in classes for base in (*declared.bases, "")}
        return name in self._inherited

    def base_texts(self, name: str) -> list[str]:
        """Return the bases of a class and its ancestors that are not in this stub, as they are spelled."""
        classes = (self.get(one) for one in self.line(name))
        texts = (base for declared in classes if declared for base in declared.bases)
        return [base for base in texts if self.get(base.partition("[")[0]) is None]

    def has_unknown_base(self, name: str) -> bool:
        """Say whether it inherits from something of which nothing is known."""
        return not all(known.is_known(base.partition("[")[0]) for base in self.base_texts(name))

    def bases(self, name: str) -> list[Type]:
        """Return the bases of a class as types."""
        declared = self.get(name)
        texts = declared.bases if declared else ()
        return [self.types.read(base) for base in texts if base.partition("[")[0] not in _SAYING_NO_BASE]

    def parameters(self, name: str) -> list[str]:
        """Return the names of a class' type variables in order."""
        declared = self.get(name)
        texts = declared.bases if declared else ()
        listed = [base for base in texts if base.startswith(("Generic[", "Protocol["))]
        found: dict[str, None] = {}
        for base in listed or texts:
            items = self.types.read(base).items
            found |= dict.fromkeys(item.name for item in items if item.form is Form.VARIABLE)
        return list(found)

    def variance(self, name: str) -> str:
        """Return the variance of each argument, as far as it is known."""
        if name in known.VARIANCE:
            return known.VARIANCE[name]
        signs = {"covariant": "+", "contravariant": "-"}
        calls = [self.types.constructed(variable, "TypeVar") for variable in self.parameters(name)]
        given = [[signs[word.arg] for word in call.keywords if word.arg in signs] for call in calls if call]
        return "".join(sign[0] if sign else "=" for sign in given)

    def instance(self, name: str) -> Type:
        """Return what an instance is, of whatever its type variables stand for."""
        make, origin = self.types.pool.make, self.types.origin
        variables = (make(Form.VARIABLE, variable, origin=origin) for variable in self.parameters(name))
        return self.types.pool.named(name, *variables)

    def kind(self, name: str) -> Kind | None:
        """Return what a class is."""
        declared = self.get(name)
        return declared.kind if declared else None

    def is_abstract(self, name: str) -> bool:
        """Say whether somebody else has to subclass it: it is an ABC, or something in it is abstract."""
        declared = self.get(name)
        if declared is None:
            return False
        return declared.is_marked_abstract or self._has_abstract(name)

    def is_constructed(self, name: str) -> bool:
        """Say whether it can be called to make an instance."""
        return self.kind(name) is not Kind.PROTOCOL and not self._has_abstract(name)

    def _has_abstract(self, name: str) -> bool:
        if name not in self._abstract:
            left: set[str] = set()
            for owner in reversed(self.line(name)):
                left = {member for member in left if member not in self.own(owner)} | self._own_abstract(owner)
            self._abstract[name] = bool(left)
        return self._abstract[name]

    def _own_abstract(self, name: str) -> set[str]:
        if name not in self._abstract_members:
            self._abstract_members[name] = {one for one, declared in self.own(name).items() if is_abstract(declared)}
        return self._abstract_members[name]

    def enum_values(self, name: str) -> list[str]:
        """Return the names of an enum's values."""
        if name not in self._values:
            self._values[name] = [member for member, value in self.own(name).items() if is_value(member, value)]
        return self._values[name]

    def is_settable(self, name: str, member: str) -> bool:
        """Say whether an attribute can be assigned, so that its type must be the same for who reads and who writes."""
        found = self.member(name, member)
        if found is None or isinstance(found[1], Property):
            return found is not None and isinstance(found[1], Property) and found[1].settable
        owner = self.get(found[0])
        return not (owner and owner.options.get("frozen") == "True") and owner is not None

    def is_needed(self, name: str, key: str) -> bool:
        """Say whether a key of a TypedDict must be there."""
        found = self.member(name, key)
        return found is not None and is_needed(found[1])

    def row(self, name: str) -> Type:
        """Return a NamedTuple as a tuple."""
        declared = self.get(name)
        fields = declared.fields if declared else ()
        own = self.own(name)
        items = [self.variable(own[field]) for field in fields if field in own]
        return self.types.pool.make(Form.TUPLE, items=tuple(items))

    def new_type(self, call: ast.Call) -> Type | None:
        """Return what a `NewType` is made of."""
        return self.types.read(ast.unparse(call.args[1])) if len(call.args) > 1 else None

    def variable(self, declared: Declaration, owner: str | None = None) -> Type:
        """Return the type of what a field or constant holds."""
        if isinstance(declared, Property):
            return self.types.read(declared.read, owner)
        if not isinstance(declared, Variable):
            return self.types.pool.make(Form.OPAQUE, str(declared.facet()))
        if declared.annotation in (None, "Final", "ClassVar"):
            value = declared.value or UNSAID
            if value.startswith(("(", "[", "{")) or value.endswith((")", "]")):
                return self.types.pool.make(Form.OPAQUE, value)  # no type is just this one value
            return self.types.read("Any" if value == UNSAID else f"Literal[{value}]")
        return self.types.read(declared.annotation, owner)

    def results(self, declared: Declaration, owner: str | None = None) -> list[Type]:
        """Return the type of what is read or, by each way to call a function, comes back and is awaited."""
        if not isinstance(declared, Function):
            return [self.variable(declared, owner)]
        ways = zip(declared.signatures, self.function(declared, owner), strict=True)
        return [shape.returns.items[-1] if way.awaited else shape.returns for way, shape in ways]

    def attribute(self, of: Type, member: str) -> Type:
        """Return the type of an attribute of an instance."""
        found = self.member(of.name, member)
        if found is None:
            return self.types.pool.any
        return substituted(self.variable(found[1], of.name), self._arguments(of), self.types.pool)

    def shapes(self, of: Type, member: str) -> list[Shape]:
        """Return how a method of an instance can be called; nothing where it is no method."""
        found = self.member(of.name, member)
        if found is None or not isinstance(found[1], Function):
            return []
        return [self._filled(shape, of) for shape in self.function(found[1], of.name)]

    def _filled(self, shape: Shape, of: Type) -> Shape:
        given = self._arguments(of)
        slots = tuple(replace(slot, type=substituted(slot.type, given, self.types.pool)) for slot in shape.slots)
        return replace(shape, slots=slots, returns=substituted(shape.returns, given, self.types.pool))

    def _arguments(self, of: Type) -> dict[str, Type]:
        return dict(zip(self.parameters(of.name), of.items, strict=False))

    def function(self, declared: Function, owner: str | None = None) -> list[Shape]:
        """Return how a function or method can be called, without its instance or class."""
        return [self._shape(signature, owner) for signature in declared.signatures]

    def _shape(self, signature: Signature, owner: str | None) -> Shape:
        bound = owner is not None and "staticmethod" not in signature.decorators
        skipped = 1 if bound and signature.parameters and signature.parameters[0].name in ("self", "cls") else 0
        slots = tuple(slot for item in signature.parameters[skipped:] for slot in self._slots(item, owner))
        returns = self.types.read(signature.returns, owner)
        if signature.awaited:
            pool = self.types.pool
            anything = pool.named("object")
            returns = pool.named("Coroutine", anything, anything, returns)
        own = set(self.parameters(owner)) if owner else set()
        free = variables([*(slot.type for slot in slots), returns]) - {"Self"} - own
        shape = Shape(slots, returns, {name: self.types.bound(name) for name in free})
        return self._of_self(shape, owner, signature.parameters[0].annotation) if skipped and owner else shape

    def _slots(self, item: Parameter, owner: str | None) -> list[Slot]:
        """Return what a parameter takes: `**others: Unpack[K]` takes the keys of the TypedDict by name."""
        outer, _, keys = (item.annotation or "").removesuffix("]").partition("[")
        if (item.passing, outer, self.kind(keys)) != (Passing.REST_BY_NAME, "Unpack", Kind.TYPED_DICT):
            return [Slot(item.name, item.passing, self.types.read(item.annotation, owner), item.default)]
        found = ((key, declared[1]) for key in sorted(self.names(keys)) if (declared := self.member(keys, key)))
        return [
            Slot(key, Passing.NAME, self.variable(declared), None if is_needed(declared) else UNSAID)
            for key, declared in found
        ]

    def _of_self(self, shape: Shape, owner: str, first: str | None) -> Shape:
        """Read as `Self` what was written before there was: a variable that the instance or class is annotated with.

        Also one bound to the class that comes back though nothing passed says what it is: tools that write stubs leave
        the annotation of `self` out.
        """
        of_first = variables([self.types.read(first)]) & shape.free.keys() if first else set()
        passed = variables(slot.type for slot in shape.slots)
        above = {*self.line(owner), *(base.partition("[")[0] for base in self.base_texts(owner))}
        unsaid = {name for name, bound in shape.free.items() if name not in passed and bound and bound.name in above}
        itself = {name: self.types.read("Self", owner) for name in of_first | unsaid}
        slots = tuple(replace(slot, type=substituted(slot.type, itself, self.types.pool)) for slot in shape.slots)
        free = {name: bound for name, bound in shape.free.items() if name not in itself}
        return Shape(slots, substituted(shape.returns, itself, self.types.pool), free)

    def initializer(self, name: str) -> list[Shape] | None:
        """Return what an instance is made with, by who calls the class or, where it is abstract, subclasses it."""
        if name not in self._constructors:
            self._constructors[name] = self._constructor(name)
        found = self._constructors[name]
        self.types.pool.budget.spend(sum(len(shape.slots) for shape in found or ()) // 8)
        return found

    def _constructor(self, name: str) -> list[Shape] | None:
        if self.kind(name) is Kind.PROTOCOL:
            return None
        made = self.instance(name)
        kind = self.kind(name)
        written = [found for member in CONSTRUCTORS if (found := self.member(name, member))]
        for owner, declared in written:
            if isinstance(declared, Function) and kind is not Kind.ENUM:
                return [replace(shape, returns=made) for shape in self.function(declared, owner)]
        if kind is Kind.ENUM or (self.has_unknown_base(name) and kind is Kind.CLASS):
            return None
        if kind is Kind.CLASS:
            return [Shape(self._inherited_slots(name), made)]
        return [Shape(tuple(self._field_slots(name)), made)]

    def _inherited_slots(self, name: str) -> tuple[Slot, ...]:
        """Return what a class without a constructor takes: nothing, or whatever its known base takes."""
        if all(base.partition("[")[0] in _SAYING_NO_BASE for base in self.base_texts(name)):
            return ()
        return (Slot("args", Passing.REST, self.types.pool.named("object")),)

    def _field_slots(self, name: str) -> Iterator[Slot]:
        fields: dict[str, Slot] = {}
        for owner in reversed(self.line(name)):
            declared, own = self.get(owner), self.own(owner)
            if declared is None or declared.options.get("init") == "False":
                continue
            order: Sequence[str] = (*declared.fields, *declared.keyword_only)
            for field in tuple(own) if declared.kind is Kind.TYPED_DICT else order:
                by_name = field in declared.keyword_only or declared.kind is Kind.TYPED_DICT
                slot = self._field_slot(field, own.get(field), Passing.NAME if by_name else Passing.EITHER, name)
                if slot is not None:
                    fields[field] = slot
        yield from sorted(fields.values(), key=lambda slot: slot.passing is Passing.NAME)

    def _field_slot(self, name: str, declared: Declaration | None, passing: Passing, owner: str) -> Slot | None:
        if not isinstance(declared, Variable):
            return None
        default = declared.value
        if passing is Passing.NAME and not is_needed(declared):
            default = UNSAID
        if default is not None and default.startswith("field("):
            call = expression(default)
            words = {word.arg: ast.unparse(word.value) for word in call.keywords} if isinstance(call, ast.Call) else {}
            if words.get("init") == "False":
                return None
            default = words.get("default", words.get("default_factory"))
        return Slot(name, passing, self.variable(declared, owner), default)


def is_abstract(declared: Declaration) -> bool:
    """Say whether a member has to be written by who subclasses."""
    if isinstance(declared, Function):
        return any("abstractmethod" in signature.decorators for signature in declared.signatures)
    return isinstance(declared, Property) and any("abstract" in name for name in declared.decorators)


def is_needed(declared: Declaration) -> bool:
    """Say whether a key of a TypedDict must be there."""
    text = declared.annotation if isinstance(declared, Variable) else None
    return text is None or not text.removeprefix("ReadOnly[").startswith("NotRequired[")


def is_read_only(declared: Declaration) -> bool:
    """Say whether a key of a TypedDict must not be written."""
    return isinstance(declared, Variable) and "ReadOnly" in (declared.annotation or "").split("[")


def is_value(name: str, declared: Declaration) -> bool:
    """Say whether a member of an enum is one of its values."""
    return isinstance(declared, Variable) and not name.startswith("_")
