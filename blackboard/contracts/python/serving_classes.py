"""Whether a class of one stub, and each of its members, serves those who count on the class of another.

Most classes are the implementer's: users construct, call and read. A Protocol or ABC is also what users implement
where it flows from them, a TypedDict is written by whoever gives it, an enum's value matters to whoever receives it.
"""

from collections.abc import Iterator, Mapping

from blackboard.contracts.python.calls import Gap, Shown, argument_gaps
from blackboard.contracts.python.declarations import Class, Declaration, Function, Kind, Property, Variable
from blackboard.contracts.python.flows import Flow
from blackboard.contracts.python.members import CONSTRUCTORS, Members, is_abstract, is_needed, is_read_only, is_value
from blackboard.contracts.python.serving import Ends, declared_gaps, plain_gaps, raised, raises_gaps
from blackboard.contracts.python.types import Type

_FIELDS = (Kind.DATACLASS, Kind.NAMED_TUPLE)
_MARKS = frozenset({"final", "type_check_only", "unique"})


def gaps(ends: Ends, facet: str) -> list[Gap]:
    """Return what is wanted of a facet and not served."""
    served, wanted = (members.types.declarations.get(facet) for members in (ends.served, ends.wanted))
    owner, _, name = facet.rpartition(".")
    if isinstance(wanted, Class) and isinstance(served, Class):
        return list(_class_gaps(ends, facet, served, wanted))
    if owner and ends.served.get(owner) is not None and ends.wanted.get(owner) is not None:
        return list(_member_gaps(ends, owner, name))
    return list(plain_gaps(ends, facet))


def _class_gaps(ends: Ends, name: str, served: Class, wanted: Class) -> Iterator[Gap]:
    if served.kind is not wanted.kind and not (wanted.kind is Kind.CLASS and served.kind is Kind.DATACLASS):
        yield Gap("kind", str(wanted.kind), str(served.kind))
        return
    first = wanted.same_as.removeprefix("this.")
    if first and ends.served.get(first) and first not in ends.served.same.get(name, ()):
        yield Gap("the same class", wanted.same_as, "another class")
    yield from _constructor_gaps(ends, name, only_places=True)
    yield from _order_gaps(served, wanted)
    value = ends.pool.named(name)
    for base in ends.wanted.bases(name):
        fitting = ends.fits(value, base)
        if not fitting:
            unclear = fitting is None and ends.served.has_unknown_base(name)
            yield Gap("bases", str(base), ", ".join(served.bases) or "none", decided=not unclear)
    for member, one, other in newly_inherited(ends, name):
        yield from (gap._replace(what=f"{member}: {gap.what}") for gap in _wanted_gaps(ends, one, other, member))
    if ends.served.parameters(name) != ends.wanted.parameters(name):
        old, new = (members.parameters(name) for members in (ends.wanted, ends.served))
        decided = bool(old) and len(old) != len(new)
        yield Gap("type parameters", ", ".join(old) or "none", ", ".join(new) or "none", decided=decided)
    for feature in sorted(_features(wanted) - _features(served)):
        yield Gap("instances", feature, f"not {feature}", shown=Shown.FEATURE)
    if _keywords(served) != _keywords(wanted):
        yield Gap("keywords", str(_keywords(wanted)), str(_keywords(served)), decided=False)
    yield from _mark_gaps(ends, name, served, wanted)
    yield from raises_gaps(ends, raised(served), raised(wanted))


def newly_inherited(ends: Ends, name: str) -> Iterator[tuple[str, "Found", "Found"]]:
    """Yield the members that a class has from another class than before, of which no facet says so."""
    bases = [declared.bases if declared else () for declared in (ends.served.get(name), ends.wanted.get(name))]
    if bases[0] == bases[1]:
        return
    for member in sorted(ends.wanted.names(name) & ends.served.names(name) - set(CONSTRUCTORS)):
        one, other = ends.served.member(name, member), ends.wanted.member(name, member)
        if one and other and one[0] != other[0] and name not in (one[0], other[0]):
            yield member, one, other


def _order_gaps(served: Class, wanted: Class) -> Iterator[Gap]:
    """Tell where the order of fields is itself something to count on: rows, and instances that are compared."""
    kept = tuple(name for name in served.fields if name in wanted.fields)
    compared = wanted.options.get("order") == "True" and kept != wanted.fields
    if compared or (wanted.kind is Kind.NAMED_TUPLE and served.fields != wanted.fields):
        shown = Shown.PLACES if set(wanted.fields) == set(served.fields) else Shown.TYPES
        yield Gap("order of fields", ", ".join(wanted.fields), ", ".join(served.fields), shown=shown)


def _features(declared: Class) -> set[str]:
    """Return what instances of a dataclass can do by its options."""
    if declared.kind is not Kind.DATACLASS:
        return set()
    options = declared.options
    compared, frozen = options.get("eq") != "False", options.get("frozen") == "True"
    found = {
        "compared by their fields": compared,
        "hashable": (compared and frozen) or not compared or options.get("unsafe_hash") == "True",
        "ordered": options.get("order") == "True",
        "matched by position": options.get("match_args") != "False",
    }
    return {name for name, there in found.items() if there}


def _keywords(declared: Class) -> Mapping[str, str]:
    return {name: text for name, text in declared.keywords.items() if (name, text) != ("metaclass", "ABCMeta")}


def _mark_gaps(ends: Ends, name: str, served: Class, wanted: Class) -> Iterator[Gap]:
    one, other = set(served.decorators), set(wanted.decorators)
    if "runtime_checkable" in other - one:
        yield Gap("isinstance", "works", "does not work", shown=Shown.CHECKED)
    subclassed = wanted.kind is Kind.PROTOCOL or ends.wanted.is_abstract(name)
    if subclassed and "final" in one - other:
        yield Gap("subclasses", "allowed", "not allowed")
    unknown = (one ^ other) - _MARKS - {"runtime_checkable"}
    if unknown:
        yield Gap("decorators", ", ".join(sorted(other)) or "none", ", ".join(sorted(one)) or "none", decided=False)


def _member_gaps(ends: Ends, owner: str, name: str) -> Iterator[Gap]:
    served, wanted = ends.served.member(owner, name), ends.wanted.member(owner, name)
    kind = ends.wanted.kind(owner)
    if name in CONSTRUCTORS and kind is not Kind.PROTOCOL:
        yield from _constructor_gaps(ends, owner, only_places=False)
        yield from _wanted_gaps(ends, served, wanted, name) if _both_raise(served, wanted) else ()
        return
    flow = flow_of(ends, owner, name)
    if _is_enum_value(ends, owner, name):
        yield from _value_gaps(ends, served, wanted, name, flow)
    elif kind is Kind.TYPED_DICT:
        yield from _key_gaps(ends, served, wanted, name, flow)
    else:
        if Flow.RECEIVED in flow:
            yield from _wanted_gaps(ends, served, wanted, name)
        if Flow.GIVEN in flow:
            yield from _implemented_gaps(ends, served, wanted, name, kind)
        if kind in _FIELDS:
            yield from _field_gaps(ends, owner, name)


def _both_raise(served: "tuple[str, Declaration] | None", wanted: "tuple[str, Declaration] | None") -> bool:
    return served is not None and wanted is not None and raised(served[1]) != raised(wanted[1])


def _is_enum_value(ends: Ends, owner: str, name: str) -> bool:
    found = (members.member(owner, name) for members in (ends.served, ends.wanted))
    return ends.wanted.kind(owner) is Kind.ENUM and any(is_value(name, one[1]) for one in found if one)


def flow_of(ends: Ends, owner: str, name: str) -> Flow:
    """Return who gives and who receives instances with a member, by the rule for what flows nowhere too."""
    flow, kind = ends.flow(owner), ends.wanted.kind(owner)
    if _is_enum_value(ends, owner, name):
        return flow or Flow.GIVEN
    if kind in (Kind.PROTOCOL, Kind.TYPED_DICT) or ends.wanted.is_abstract(owner):
        return Flow.BOTH if Flow.FIXED in flow else flow or Flow.BOTH
    return Flow.RECEIVED


Found = tuple[str, Declaration] | None


def _wanted_gaps(ends: Ends, served: Found, wanted: Found, name: str) -> Iterator[Gap]:
    if wanted is None:
        if name == "__hash__" and served is not None and _is_none(served[1]):
            yield Gap("instances", "hashable", "not hashable", shown=Shown.FEATURE)
        return
    if served is None:
        yield Gap(name, "there", "absent", shown=Shown.OWN if hasattr(object, name) else Shown.TYPES)
        return
    if is_abstract(served[1]) and not is_abstract(wanted[1]) and ends.wanted.is_constructed(wanted[0]):
        yield Gap("instances", "can be made", "cannot be made")
    yield from declared_gaps(ends, served[1], wanted[1], (served[0], wanted[0]))


def _implemented_gaps(ends: Ends, served: Found, wanted: Found, name: str, kind: Kind | None) -> Iterator[Gap]:
    """Tell what an implementation by those who count on one stub lacks for the other."""
    if served is None:
        return
    needed = kind is Kind.PROTOCOL or is_abstract(served[1])
    if needed and (wanted is None or (not is_abstract(wanted[1]) and kind is not Kind.PROTOCOL)):
        yield Gap(name, "not needed", "needed")
    if wanted is None:
        return
    if _is_final(served[1]) and not _is_final(wanted[1]):
        yield Gap("overriding", "allowed", "not allowed")
    back = ends.turned()
    for gap in declared_gaps(back, wanted[1], served[1], (wanted[0], served[0])):
        yield gap._replace(wanted=gap.served, served=gap.wanted)
    if kind is Kind.PROTOCOL and _is_written(served[1]):
        if isinstance(wanted[1], Property) and not wanted[1].settable:
            yield Gap(name, "read", "read and written")
        elif isinstance(wanted[1], Variable) and isinstance(served[1], Variable):
            one, other = (members.variable(found[1], found[0]) for members, found in _pairs(ends, served, wanted))
            if back.fits(one, other) is False:
                yield Gap("type of what is written", str(other), str(one))


def _pairs(
    ends: Ends, served: tuple[str, Declaration], wanted: tuple[str, Declaration]
) -> tuple[tuple[Members, tuple[str, Declaration]], tuple[Members, tuple[str, Declaration]]]:
    return (ends.served, served), (ends.wanted, wanted)


def _is_none(declared: Declaration) -> bool:
    return isinstance(declared, Variable) and (
        declared.value == "None" or declared.annotation in ("None", "ClassVar[None]")
    )


def _is_final(declared: Declaration) -> bool:
    return isinstance(declared, Function) and any("final" in one.decorators for one in declared.signatures)


def _is_written(declared: Declaration) -> bool:
    return isinstance(declared, Variable) or (isinstance(declared, Property) and declared.settable)


def _value_gaps(ends: Ends, served: Found, wanted: Found, name: str, flow: Flow) -> Iterator[Gap]:
    if wanted is None:
        if Flow.RECEIVED in flow:
            yield Gap(f"value {name}", "never received", "received")
    elif served is None:
        # Whoever gives the values, users name them and the implementer declares them.
        yield Gap(f"value {name}", "there", "absent")
    else:
        yield from declared_gaps(ends, served[1], wanted[1], None)


def _key_gaps(ends: Ends, served: Found, wanted: Found, name: str, flow: Flow) -> Iterator[Gap]:
    if served is None or wanted is None:
        yield from _moved_key_gaps(served, wanted, name, flow)
        return
    needed, asked = is_needed(served[1]), is_needed(wanted[1])
    if (Flow.RECEIVED in flow and asked and not needed) or (Flow.GIVEN in flow and needed and not asked):
        yield Gap(f"key {name}", _presence(needed=asked), _presence(needed=needed))
    fixed, asked_fixed = is_read_only(served[1]), is_read_only(wanted[1])
    if fixed != asked_fixed and (Flow.RECEIVED if fixed else Flow.GIVEN) in flow:
        yield Gap(f"key {name}", _writing(fixed=asked_fixed), _writing(fixed=fixed), decided=False)
    value, other = ends.served.variable(served[1]), ends.wanted.variable(wanted[1])
    answers = [ends.fits(value, other)] if Flow.RECEIVED in flow else []
    answers += [ends.turned().fits(other, value)] if Flow.GIVEN in flow else []
    if not all(answers):
        yield Gap("type", str(other), str(value), decided=False in answers)


def _presence(*, needed: bool) -> str:
    return "required" if needed else "not required"


def _writing(*, fixed: bool) -> str:
    return "read only" if fixed else "written"


def _moved_key_gaps(served: Found, wanted: Found, name: str, flow: Flow) -> Iterator[Gap]:
    if wanted is not None:
        # Whoever gives the values, users name their keys and the implementer declares them.
        yield Gap(f"key {name}", "there", "absent")
    elif served is not None and Flow.GIVEN in flow and is_needed(served[1]):
        yield Gap(f"key {name}", "not given", "required")


def _constructor_gaps(ends: Ends, name: str, *, only_places: bool) -> Iterator[Gap]:
    """Tell which calls of a class are wanted and not served.

    Args:
        ends: Where the class is from.
        name: The class.
        only_places: Leave out the types: they are told for the fields or for `__init__`.
    """
    wanted, served = ends.wanted.initializer(name), ends.served.initializer(name)
    if wanted is None:
        return
    if ends.wanted.is_constructed(name) and not ends.served.is_constructed(name):
        yield Gap("instances", "can be made", "cannot be made")
        return
    if served is None:
        return
    if only_places and ends.wanted.kind(name) not in (*_FIELDS, Kind.CLASS):
        return
    for shape in wanted:
        found = [list(argument_gaps(one, shape, _any if only_places else ends.fits)) for one in served]
        if all(found):
            yield from min(found, key=len)


def _any(_: Type, __: Type) -> bool:
    return True


def _field_gaps(ends: Ends, owner: str, name: str) -> Iterator[Gap]:
    """Tell what a field wants of the constructor."""
    shapes = ends.served.initializer(owner), ends.wanted.initializer(owner)
    served, wanted = (shape[0].named(name) if shape else None for shape in shapes)
    if shapes[0] is None or shapes[1] is None:
        return
    if served is None:
        if wanted is not None:
            yield Gap(f"field {name}", "passed", "not taken")
        return
    if wanted is None:
        if served.default is None:
            yield Gap(f"field {name}", "not passed", "required")
        return
    fitting = ends.fits(wanted.type, served.type)
    if not fitting:
        yield Gap("type", str(wanted.type), str(served.type), decided=fitting is False)
    if wanted.default is not None and served.default is None:
        yield Gap(f"field {name}", "optional", "required")
    elif wanted.default not in (None, "...", served.default):
        yield Gap(f"default of {name}", str(wanted.default), str(served.default), shown=Shown.DEFAULT)
