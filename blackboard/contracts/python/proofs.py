"""Proofs: programs that work beside one stub and fail beside another.

For users the program is right with the old stub and wrong with the new one. For implementers it is the other way
round: what the new stub promises, and what was built to the old one does not give. A proof says which, and whether the
type checker or running it shows the failure; the stub is imported as `contract`.
"""

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence

from blackboard.contracts.python.calls import Gap, Shown, says_any
from blackboard.contracts.python.declarations import Class, Declaration, Function, Kind, Passing, Property, Variable
from blackboard.contracts.python.flows import Flow
from blackboard.contracts.python.members import CONSTRUCTORS, Members, is_abstract, is_value
from blackboard.contracts.python.serving import Ends, declared_gaps, has_anything, is_plain
from blackboard.contracts.python.serving_classes import flow_of, newly_inherited
from blackboard.contracts.python.serving_classes import gaps as facet_gaps
from blackboard.contracts.python.snippets import Snippets, Unshowable
from blackboard.spec.effects import UNDECIDED, Side

_HEADS = {
    (Side.USES, True): "# uses, type-checked: right with the old contract, wrong with the new one",
    (Side.USES, False): "# uses, run: works with the old contract, fails with the new one",
    (
        Side.IMPLEMENTS,
        True,
    ): "# implements, type-checked: right with the new contract, wrong with the old one",
    (Side.IMPLEMENTS, False): "# implements, run: works with the new contract, fails with the old one",
}
_FEATURES = {
    "hashable": "{}.__hash__ is not None",
    "compared by their fields": "{}.__eq__ is not object.__eq__",
    "ordered": "{}.__lt__ is not object.__lt__",
    "matched by position": "hasattr({}, '__match_args__')",
}
_MAX_PROOF = 4_000


class Proofs:
    """Writes what shows that a change breaks somebody."""

    def __init__(self, ends: Sequence[Ends]) -> None:
        self._ends = [(one, one.in_programs(), one.in_programs(one.pool.named("object"))) for one in ends]

    def proof(self, facet: str, gaps: Sequence[Sequence[Gap]]) -> str:
        """Return the proofs for the sides that break, none if none does; *undecided* stands where nothing shows it."""
        texts: list[str] = []
        for one, found in zip(self._ends, gaps, strict=True):
            if found:
                texts.append(_side(*one, facet, found) or f"# {one[0].side}: {UNDECIDED}")
        shown = any("\n" in text for text in texts)
        return "\n\n".join(texts) if shown or not texts else UNDECIDED


def _side(ends: Ends, checked: Ends, exact: Ends, facet: str, gaps: Sequence[Gap]) -> str | None:
    """Write what shows gaps of one side.

    Args:
        ends: Where they are from.
        checked: As a type checker sees them.
        exact: As it sees them where it is asked for just this type.
        facet: What changed.
        gaps: What is missing.
    """
    named = [gap.what.rpartition(" ")[2] for gap in gaps if gap.what.startswith("**kwargs named ")]
    for write, missing in ((_typed, facet_gaps), (_read, _read_gaps)):
        program = _checked_program(ends, facet, write, named[0] if named else None)
        if program and any(gap.decided and gap.shown is Shown.TYPES for gap in missing(checked, facet)):
            return program
    for gap in gaps:
        lines = list(_run(ends, facet, gap)) if gap.decided else []
        if lines:
            return "\n".join([_HEADS[ends.side, False], *lines])
    program = _checked_program(ends, facet, _exactly) if _is_inexact(ends, exact, facet) else None
    return program or _checked_program(ends, facet, _named)


def _checked_program(
    ends: Ends, facet: str, write: Callable[[Ends, Snippets, str], Iterator[str]], other_name: str | None = None
) -> str | None:
    snippets = Snippets(ends.wanted, other_name)
    try:
        lines = list(write(ends, snippets, facet))
    except Unshowable:
        return None
    program = snippets.program(lines) if lines else ""
    return f"{_HEADS[ends.side, True]}\n{program}" if 0 < len(program) <= _MAX_PROOF else None


def _is_inexact(ends: Ends, exact: Ends, facet: str) -> bool:
    """Say whether what is called or read is, here and there, Any where it was just one type."""
    owner, _, name = facet.rpartition(".")
    there, found = (members.member(owner, name) for members in (exact.served, exact.wanted))
    if there is None and has_anything(exact.served, facet):
        there = "", Variable("Any")
    if there is None or found is None or name in CONSTRUCTORS:
        return False
    (served_by, served), (wanted_by, wanted) = there, found
    if not isinstance(served, Function | Variable | Property) or not (_is_said(wanted) and is_plain(wanted)):
        return False
    if owner and (ends.wanted.kind(owner) in (Kind.ENUM, Kind.TYPED_DICT) or not _is_received(ends, facet)):
        return False
    given, asked = exact.served.results(served, served_by), exact.wanted.results(wanted, wanted_by)[0]
    if isinstance(wanted, Function) and wanted.overloaded:
        slots = exact.wanted.function(wanted, wanted_by)[0].slots
        if any(says_any(slot.type) for slot in slots):
            return False  # what goes with everything goes with several overloads
    said = ends.served.results(served, served_by)
    return all(map(says_any, said)) and all(exact.fits(one, asked) is False for one in given)


def _is_received(ends: Ends, facet: str) -> bool:
    owner, _, name = facet.rpartition(".")
    return Flow.RECEIVED in flow_of(ends, owner, name)


def _is_said(declared: Declaration) -> bool:
    """Say whether the type of a result is declared."""
    unsaid = isinstance(declared, Variable) and declared.annotation in (None, "Final", "ClassVar")
    return not unsaid and isinstance(declared, Function | Variable | Property)


def _exactly(ends: Ends, snippets: Snippets, facet: str) -> Iterator[str]:
    owner, _, name = facet.rpartition(".")
    found = ends.wanted.member(owner, name)
    if found is not None:
        yield from snippets.is_exactly(found[1], facet, owner or None)


def _named(ends: Ends, snippets: Snippets, facet: str) -> Iterator[str]:
    """Write just the name of a facet that is gone, where what it promises cannot be written."""
    owner, _, name = facet.rpartition(".")
    there = ends.served.member(owner, name) if owner else ends.served.types.declarations.get(facet)
    if owner and owner in ends.served.types.declarations and ends.served.get(owner) is None:
        return None
    if there is not None or facet not in ends.wanted.types.declarations:
        return
    if has_anything(ends.served, facet):
        yield from snippets.is_class(facet.partition(".")[0])
    else:
        taken, expression = (f"it: contract.{owner}", f"it.{name}") if owner else ("", f"contract.{facet}")
        yield from snippets.held(taken, expression, "object")


def _typed(ends: Ends, snippets: Snippets, facet: str) -> Iterator[str]:
    """Write all that a facet promises, as programs for a type checker."""
    wanted = ends.wanted.types.declarations.get(facet)
    owner, _, name = facet.rpartition(".")
    if isinstance(wanted, Class):
        yield from _class(ends, snippets, facet, wanted)
    elif owner and ends.wanted.get(owner) is not None:
        yield from _member(ends, snippets, owner, name)
    elif isinstance(wanted, Function) and facet == "__getattr__":
        yield from snippets.held("", "contract.any_other_name", ends.wanted.results(wanted)[0])
    elif isinstance(wanted, Function):
        yield from snippets.calls(wanted, facet)
    elif call := ends.wanted.types.constructed(facet, "NewType"):
        meant = snippets.type(ends.wanted.new_type(call) or ends.pool.any)
        yield from snippets.held(f"it: contract.{facet}", "it", meant)
        yield from snippets.held(f"it: {meant}", f"contract.{facet}(it)", f"contract.{facet}")
    elif isinstance(wanted, Variable) and ends.wanted.types.alias(facet) is not None:
        meant = snippets.type(ends.wanted.types.read(facet))
        yield from snippets.held(f"it: contract.{facet}", "it", meant)
        yield from snippets.held(f"it: {meant}", "it", f"contract.{facet}")
    elif wanted is not None:
        yield from snippets.reads(wanted, facet)


def _read(ends: Ends, snippets: Snippets, facet: str) -> Iterator[str]:
    """Write how a class or member is read, and not what else it promises: that may be long."""
    owner, _, name = facet.rpartition(".")
    if ends.wanted.get(facet) is not None:
        yield from snippets.held(snippets.it(facet), "it", "object")
        for base in ends.wanted.bases(facet):
            yield from snippets.held(snippets.it(facet), "it", base)
    elif owner and _is_received(ends, facet):
        found = ends.wanted.member(owner, name)
        if found and isinstance(found[1], Function):
            yield from snippets.calls(found[1], facet, owner)
        elif found and isinstance(found[1], Variable | Property):
            yield from snippets.reads(found[1], facet, owner)


def _read_gaps(ends: Ends, facet: str) -> Iterable[Gap]:
    """Tell what is missing of that."""
    owner, _, name = facet.rpartition(".")
    if ends.wanted.get(facet) is not None:
        return [gap for gap in facet_gaps(ends, facet) if gap.what in ("bases", "type parameters")]
    served, wanted = (members.member(owner, name) for members in (ends.served, ends.wanted))
    if not owner or served is None or wanted is None or name in CONSTRUCTORS:
        return ()
    return declared_gaps(ends, served[1], wanted[1], (served[0], wanted[0]))


def _class(ends: Ends, snippets: Snippets, name: str, wanted: Class) -> Iterator[str]:
    yield from _read(ends, snippets, name)
    for member, _, _ in newly_inherited(ends, name):
        yield from _held_member(ends, snippets, name, member)
    if ends.served.get(name) is None:
        return
    if wanted.kind is Kind.PROTOCOL or ends.wanted.is_abstract(name):
        yield from snippets.implements(name)
    elif wanted.kind is Kind.TYPED_DICT:
        yield from snippets.writes_keys(name)
    elif wanted.kind is Kind.ENUM:
        for value in ends.wanted.enum_values(name):
            yield from snippets.held("", f"contract.{name}.{value}.value", "object")
    else:
        yield from snippets.constructs(name)
    if wanted.kind is Kind.DATACLASS:
        yield from snippets.is_dataclass(name)
    if wanted.kind is Kind.NAMED_TUPLE:
        yield from snippets.held(snippets.it(name), "it", ends.wanted.row(name))


def _member(ends: Ends, snippets: Snippets, owner: str, name: str) -> Iterator[str]:
    found = ends.wanted.member(owner, name)
    kind, flow = ends.wanted.kind(owner), flow_of(ends, owner, name)
    if ends.served.get(owner) is None:
        if owner in ends.served.types.declarations:
            raise Unshowable  # something else has its name, perhaps another way to make the same
        yield from snippets.held(snippets.it(owner), "it", "object")
    elif kind is Kind.ENUM and (found is None or is_value(name, found[1])):
        if found is not None:
            yield from snippets.held("", f"contract.{owner}.{name}", "object")
        elif Flow.RECEIVED in flow:
            yield from snippets.tells_apart(owner)
    elif kind is Kind.TYPED_DICT:
        yield from snippets.reads_keys(owner) if Flow.RECEIVED in flow else ()
        yield from snippets.writes_keys(owner) if Flow.GIVEN in flow else ()
    else:
        yield from _held_member(ends, snippets, owner, name)
        if Flow.GIVEN in flow:
            there = ends.served.member(owner, name)
            overridden = there is not None and not is_abstract(there[1]) and name not in CONSTRUCTORS
            yield from snippets.implements(owner, name if overridden else "")


def _held_member(ends: Ends, snippets: Snippets, owner: str, name: str) -> Iterator[str]:
    found = ends.wanted.member(owner, name)
    kind = ends.wanted.kind(owner)
    there = ends.served.member(owner, name)
    made = kind in (Kind.DATACLASS, Kind.NAMED_TUPLE) or (there is not None and is_abstract(there[1]))
    if kind is not Kind.PROTOCOL and (made or found is None or name in CONSTRUCTORS):
        yield from snippets.constructs(owner)
    if name not in CONSTRUCTORS:
        yield from _read(ends, snippets, f"{owner}.{name}")


def _run(ends: Ends, facet: str, gap: Gap) -> Iterator[str]:
    """Write a program that fails when it is run."""
    if gap.shown is Shown.DEFAULT and _is_literal(gap.wanted):
        yield from _default(ends, facet, gap)
    elif gap.shown is Shown.PLACES:
        yield from _places(ends, facet)
    elif gap.shown is Shown.VALUE and _is_literal(gap.wanted):
        owner = facet.rpartition(".")[0]
        value = ".value" if owner and ends.wanted.kind(owner) is Kind.ENUM else ""
        yield from ("import contract", f"assert contract.{facet}{value} == {gap.wanted}")
    elif gap.shown is Shown.FEATURE:
        made = f"contract.{facet.removesuffix('.__hash__')}"
        yield from ("import contract", f"assert {_FEATURES[gap.wanted].format(made)}")
    elif gap.shown is Shown.OWN:
        yield from ("import contract", f"assert contract.{facet} is not object.{gap.what}")
    elif gap.shown is Shown.LISTED:
        yield from ("import contract", f"assert {gap.what.rpartition(' ')[2]!r} in contract.{facet}")
    elif gap.shown is Shown.CHECKED:
        yield from ("import contract", f"isinstance(None, contract.{facet})")


def _places(ends: Ends, facet: str) -> Iterator[str]:
    """Write that arguments by position reach the parameters that the same ones reach by name."""
    passing = _passing(ends.wanted, facet)
    orders = [[name for name, way in one if way is Passing.EITHER] for one in (passing, _passing(ends.served, facet))]
    if orders[0] == orders[1]:
        return
    before = [str(place) for place, (_, way) in enumerate(passing) if way is Passing.POSITION]
    named = [f"{name}={place}" for place, (name, way) in enumerate(passing) if way is Passing.EITHER]
    yield from ("import contract", "import inspect", f"signature = inspect.signature(contract.{facet})")
    yield f"by_name = signature.bind_partial({', '.join([*before, *named])})"
    yield f"assert signature.bind_partial(*range({len(before) + len(named)})) == by_name"


def _passing(members: Members, facet: str) -> list[tuple[str, Passing]]:
    declared = members.types.declarations.get(facet)
    if isinstance(declared, Function) and not declared.overloaded:
        return [(item.name, item.passing) for item in declared.signatures[0].parameters]
    shapes = members.initializer(facet) if isinstance(declared, Class) else ()
    return [(slot.name, slot.passing) for shape in shapes or () for slot in shape.slots]


def _default(ends: Ends, facet: str, gap: Gap) -> Iterator[str]:
    declared, owner = ends.wanted.types.declarations.get(facet), facet.rpartition(".")[0]
    target = facet if isinstance(declared, Function) else owner
    yield from ("import contract", "import inspect")
    yield f"parameters = inspect.signature(contract.{target}).parameters"
    yield f"assert parameters[{gap.what.rpartition(' ')[2]!r}].default == {gap.wanted}"


def _is_literal(text: str) -> bool:
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return False
    return True
