"""Whether what one stub promises serves those who count on another, facet by facet.

For users the new stub has to serve who counts on the old one; for implementers what was built to the old stub has to
serve who counts on the new one. So one question, asked twice, is the whole comparison.
"""

import ast
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cache

from blackboard.contracts.python.calls import UNSAID, Gap, Shape, Shown, call_gaps, split, type_gap
from blackboard.contracts.python.declarations import (
    Class,
    Declaration,
    Function,
    Kind,
    Property,
    PublicNames,
    Reexport,
    Variable,
)
from blackboard.contracts.python.flows import Flow, flows
from blackboard.contracts.python.members import Members
from blackboard.contracts.python.subtyping import Subtyping, any_of
from blackboard.contracts.python.types import VARIABLE_MAKERS, Form, Type
from blackboard.spec.effects import Side

# Why not compared: they change nothing for who calls.
_BINDING = frozenset({"staticmethod", "classmethod"})
_SAYING_NOTHING = _BINDING | {"abstractmethod", "final", "abstractproperty", "functools.cached_property", "property"}


class Ends:
    """One stub that serves and one that is counted on, with the types of both."""

    def __init__(self, served: Members, wanted: Members, side: Side, *, in_programs: bool = False) -> None:
        self.served, self.wanted, self.side = served, wanted, side
        self.pool = served.types.pool
        self.subtyping = Subtyping(served, wanted, in_programs=in_programs)
        self._in_programs = in_programs
        self._turned: Ends | None = None
        self._flows: Callable[[], dict[str, Flow]] = cache(lambda: flows(wanted))

    def fits(self, value: Type, wanted: Type) -> bool | None:
        """Say whether a value of one type can stand for another."""
        return self.subtyping.fits(value, wanted)

    def turned(self) -> "Ends":
        """Return the types with those who give and those who take in each other's place."""
        if self._turned is None:
            self._turned = Ends(self.wanted, self.served, self.side, in_programs=self._in_programs)
        return self._turned

    def in_programs(self, anything: Type | None = None) -> "Ends":
        """Return the ends as a type checker sees them in a program that counts on the one and has the other.

        Args:
            anything: What Any is where it is served: what goes with everything, or else what is given here.
        """
        any_, object_ = self.pool.any, self.pool.named("object")

        def unsaid(owner: str) -> Collection[str]:
            return () if self.wanted.parameters(owner) else self.served.parameters(owner)

        served = Members(self.served.types.in_programs(anything or any_, unsaid))
        wanted, given = (Members(self.wanted.types.in_programs(one)) for one in (object_, any_))
        made = Ends(served, wanted, self.side, in_programs=True)
        made._turned, made._flows = Ends(given, served, self.side, in_programs=True), self._flows
        return made

    def flow(self, name: str) -> Flow:
        """Return where the values of a class or alias flow, by the stub that is counted on."""
        return self._flows().get(name, Flow.NOWHERE)


def plain_gaps(ends: Ends, name: str) -> Iterator[Gap]:
    """Tell what is wanted of a function, constant or alias of the module, and not served."""
    served, wanted = (members.types.declarations.get(name) for members in (ends.served, ends.wanted))
    if wanted is None:
        return
    makers = [maker for maker in VARIABLE_MAKERS if ends.wanted.types.constructed(name, maker)]
    if makers:
        yield from _variable_gaps(ends, name, makers[0])
    elif served is None:
        yield Gap(name, "there", "absent", decided=not has_anything(ends.served, name))
    elif ends.wanted.types.constructed(name, "NewType"):
        yield from _new_type_gaps(ends, name)
    elif isinstance(wanted, Variable) and ends.wanted.types.alias(name) is not None:
        yield from _alias_gaps(ends, name, served)
    else:
        yield from declared_gaps(ends, served, wanted, None)


def declared_gaps(ends: Ends, served: Declaration, wanted: Declaration, owner: tuple[str, str] | None) -> Iterator[Gap]:
    """Tell what is wanted of one declaration and not served by another.

    Args:
        ends: Where they are from.
        served: What is there.
        wanted: What is counted on.
        owner: The classes that have them, None in a module.
    """
    match served, wanted:
        case Function(), Function():
            yield from _function_gaps(ends, served, wanted, owner)
        case Variable() | Property(), Variable() | Property():
            yield from _held_gaps(ends, served, wanted, owner)
        case PublicNames(), PublicNames():
            for name in sorted(set(wanted.names) - set(served.names)):
                yield Gap(f"public name {name}", "listed", "not listed", shown=Shown.LISTED)
        case Reexport(), Reexport():
            if served != wanted:
                yield Gap("import", wanted.source, served.source, decided=False)
        case _:
            first, second = owner or (None, None)
            held, asked = ends.served.variable(served, first), ends.wanted.variable(wanted, second)
            if not ends.fits(held, asked):
                # Why not what is made by a call: it may be a class.
                constants = [of for one, of in ((served, held), (wanted, asked)) if isinstance(one, Variable)]
                decided = not any(of.form in (Form.ANY, Form.OPAQUE) for of in constants)
                yield Gap("declared as", described(wanted), described(served), decided=decided)


def has_anything(members: Members, name: str) -> bool:
    """Say whether a module that does not declare a name finds something under it all the same."""
    return name.partition(".")[0] not in members.types.declarations and "__getattr__" in members.types.declarations


def is_plain(declared: Declaration) -> bool:
    """Say whether nothing decorates a function that may make something else of it."""
    return not isinstance(declared, Function) or _decorators(declared) <= _SAYING_NOTHING


def described(declared: Declaration) -> str:
    """Return what a declaration is, in a word."""
    return str(declared.kind) if isinstance(declared, Class) else type(declared).__name__.lower()


def _function_gaps(ends: Ends, served: Function, wanted: Function, owner: tuple[str, str] | None) -> Iterator[Gap]:
    first, second = owner or (None, None)
    shapes, asked = ends.served.function(served, first), ends.wanted.function(wanted, second)
    before: list[Shape] = []
    for shape in asked:
        yield from _overload_gaps(ends, shapes, shape, before)
        before.append(shape)
    yield from raises_gaps(ends, raised(served), raised(wanted))
    one, other = _decorators(served), _decorators(wanted)
    if not one & _BINDING and other & _BINDING and owner is not None:
        yield Gap("called on", "the class", "an instance")
    if one - _SAYING_NOTHING != other - _SAYING_NOTHING:
        yield Gap("decorators", _listed(other - _SAYING_NOTHING), _listed(one - _SAYING_NOTHING), decided=False)


def _overload_gaps(ends: Ends, shapes: Sequence[Shape], wanted: Shape, before: Sequence[Shape]) -> Iterator[Gap]:
    """Tell what one way to call wants that no way serves, or that one serves which is tried too early."""
    best: list[Gap] | None = None
    for number, shape in enumerate(shapes):
        ends.pool.budget.spend(4 + len(shape.slots))
        gaps = list(call_gaps(shape, wanted, ends.fits, ends.pool))
        if not gaps:
            yield from _hidden_gaps(ends, shapes[:number], wanted, before)
            return
        if best is None or len(gaps) < len(best):
            best = gaps
    parts = split(wanted) if len(shapes) > 1 else []
    if not parts or any(list(_overload_gaps(ends, shapes, part, before)) for part in parts):
        yield from best or ()


def _hidden_gaps(ends: Ends, earlier: Sequence[Shape], wanted: Shape, before: Sequence[Shape]) -> Iterator[Gap]:
    for shape in earlier:
        if ends.fits(shape.returns, wanted.returns) or not _overlap(ends, shape, wanted):
            continue
        if not any(_overlap(ends, shape, other) and ends.fits(shape.returns, other.returns) for other in before):
            yield Gap("returns of the first overload that takes it", str(wanted.returns), str(shape.returns))


def _overlap(ends: Ends, one: Shape, other: Shape) -> bool:
    """Say whether some call may fit both."""
    pairs = zip(one.by_position(), other.by_position(), strict=False)
    return all(ends.fits(a.type, b.type) is not False or ends.fits(b.type, a.type) is not False for a, b in pairs)


def _held_gaps(
    ends: Ends, served: Variable | Property, wanted: Variable | Property, owner: tuple[str, str] | None
) -> Iterator[Gap]:
    first, second = owner or (None, None)
    text, other = (item.value if isinstance(item, Variable) else None for item in (wanted, served))
    fields = owner is not None and ends.wanted.kind(owner[1]) in (Kind.DATACLASS, Kind.NAMED_TUPLE)
    if text not in (None, UNSAID, other) and not fields:
        # A call may make the same in other words.
        made = (text or "").endswith(")") and not (text or "").startswith("(")
        yield Gap("value", text or "", other or "unsaid", decided=not made, shown=Shown.VALUE)
    else:
        value, asked = ends.served.variable(served, first), ends.wanted.variable(wanted, second)
        if _is_marked(wanted, "InitVar"):
            return
        if _is_marked(served, "InitVar"):
            yield Gap("read", "possible", "not possible")
        yield from type_gap("type", value, asked, ends.fits)
    yield from raises_gaps(ends, raised(served), raised(wanted))
    if _is_marked(wanted, "ClassVar") and not _is_marked(served, "ClassVar"):
        yield Gap("read on", "the class", "an instance", decided=False)


def _is_marked(declared: Declaration, mark: str) -> bool:
    return isinstance(declared, Variable) and (declared.annotation or "").startswith(mark)


def _variable_gaps(ends: Ends, name: str, maker: str) -> Iterator[Gap]:
    """Tell which types a type variable may be wanted to be and is not."""
    served, wanted = (members.types for members in (ends.served, ends.wanted))
    one, other = served.constructed(name, maker), wanted.constructed(name, maker)
    if one is None or other is None:
        return
    variables = (ends.pool.make(Form.VARIABLE, name, origin=types.origin) for types in (served, wanted))
    bound, asked = (ends.subtyping.bound(end) or ends.pool.named("object") for end in variables)
    if not ends.fits(asked, bound):
        yield Gap("bound", str(asked), str(bound), decided=False)
    limits, needed = ([ast.unparse(item) for item in call.args[1:]] for call in (one, other))
    if limits and (not needed or set(needed) - set(limits)):
        yield Gap("one of", ", ".join(needed) or "any type", ", ".join(limits), decided=False)
    for variance in ("covariant", "contravariant"):
        if wanted.keyword(other, variance) == "True" and served.keyword(one, variance) != "True":
            yield Gap("variance", variance, "otherwise", decided=False)


def _new_type_gaps(ends: Ends, name: str) -> Iterator[Gap]:
    calls = ends.served.types.constructed(name, "NewType"), ends.wanted.types.constructed(name, "NewType")
    made = ends.served.new_type(calls[0]) if calls[0] else None
    asked = ends.wanted.new_type(calls[1]) if calls[1] else None
    if made is None or asked is None:
        yield Gap("made from", str(asked), str(made), decided=False)
        return
    same = ends.subtyping.same(made, asked)
    if not same:
        yield Gap("made from", str(asked), str(made), decided=same is False)


def _alias_gaps(ends: Ends, name: str, served: Declaration) -> Iterator[Gap]:
    is_type = isinstance(served, Class) or ends.served.types.alias(name) is not None
    if not is_type:
        yield Gap("declared as", "alias", described(served))
        return
    value, asked = ends.served.types.read(name), ends.wanted.types.read(name)
    old, new = (str(members.types.read(members.types.alias(name) or name)) for members in (ends.wanted, ends.served))
    flow = ends.flow(name) or Flow.BOTH
    flow = Flow.BOTH if Flow.FIXED in flow else flow
    answers = [ends.fits(value, asked)] if Flow.RECEIVED in flow else []
    answers += [ends.fits(asked, value)] if Flow.GIVEN in flow else []
    if not all(answers):
        yield Gap("stands for", old, new, decided=False in answers)


def raises_gaps(ends: Ends, served: Sequence[str], wanted: Sequence[str]) -> Iterator[Gap]:
    """Tell which exceptions reach those who count on others."""
    named = ends.pool.named
    for name in served:
        caught = any_of(ends.fits(named(name), named(other)) for other in wanted)
        if not caught:
            yield Gap("raises", ", ".join(wanted) or "nothing", name, decided=caught is False, shown=Shown.RAISES)


def raised(declared: Declaration) -> tuple[str, ...]:
    """Return the names of all exceptions that a declaration says it raises."""
    if isinstance(declared, Function):
        return tuple(sorted({name for signature in declared.signatures for name in signature.raises}))
    return declared.raises if isinstance(declared, Property | Class) else ()


def _decorators(declared: Function) -> frozenset[str]:
    texts = {text for signature in declared.signatures for text in signature.decorators}
    return frozenset(text for text in texts if text.partition("(")[0].rpartition(".")[2] != "deprecated")


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names)) or "none"
