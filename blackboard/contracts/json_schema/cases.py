"""The cases of what is asked of a value: each is a list of simple demands, all of which hold together.

A case is about one kind of value, so that what is said about other kinds falls away. Whoever fulfils all literals
fulfils the demands of one of the cases; what no demand can say (`unevaluatedItems`, some counts) is left out, so a
value made from a case has to be looked at, but where no case can be fulfilled there is no value.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

from blackboard.contracts.json_schema.documents import Schema
from blackboard.contracts.json_schema.literals import Literal, as_schema, kind_of, listed, members
from blackboard.spec.canonical import JSON, canonical_json

KEYWORDS: Mapping[str, tuple[str, ...]] = {
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "string": ("minLength", "maxLength", "pattern", "format"),
    "array": ("minItems", "maxItems", "uniqueItems", "prefixItems", "items", "contains", "unevaluatedItems"),
    "object": (
        *("required", "minProperties", "maxProperties", "dependentRequired", "dependentSchemas", "properties"),
        *("patternProperties", "additionalProperties", "propertyNames", "unevaluatedProperties"),
    ),
}
_LISTS = ("allOf", "anyOf", "oneOf")
_HOPS = 8


@dataclass(frozen=True, slots=True)
class Demand:
    """A simple demand: a word, what it is about, and the literal that it comes from or leads to.

    `says` means all keywords of a schema that are about this kind; the other words are explained where they are met.
    """

    word: str
    value: JSON = None
    literal: Literal | None = None


Item: TypeAlias = "Literal | Demand | Choice"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several lists of items."""

    options: tuple[tuple[Item, ...], ...]


Case: TypeAlias = tuple[Demand, ...]


def cases(literals: Iterable[Literal], kind: str) -> Iterator[Case]:
    """Return the cases of a value of one kind."""
    stack: list[tuple[_Path, tuple[Item, ...]]] = [(_Path(), tuple(literals))]
    while stack:
        path, items = stack.pop()
        choice = path.take(items, kind)
        if choice is None:
            continue
        if not choice.options:
            yield path.demands
        # Why reversed: the first option is looked at first.
        stack += [(path.copy(), option) for option in reversed(choice.options)]


class _Path:
    """What was chosen so far, and what is still to be chosen."""

    def __init__(self) -> None:
        self.demands: Case = ()
        self._said: frozenset[tuple[object, bool]] = frozenset()
        self._taken: frozenset[tuple[object, bool, bool, tuple[int, ...]]] = frozenset()
        self._open: tuple[Choice, ...] = ()

    def copy(self) -> "_Path":
        other = _Path()
        other.demands, other._said = self.demands, self._said
        other._taken, other._open = self._taken, self._open
        return other

    def take(self, items: tuple[Item, ...], kind: str) -> Choice | None:
        """Take items in; return the next choice, an empty one at the end, None where it contradicts itself."""
        pending = list(reversed(items))
        while pending:
            item = pending.pop()
            if isinstance(item, Demand):
                self.demands = (*self.demands, item)
            elif isinstance(item, Choice):
                self._open = (*self._open, item)
            else:
                inner = self._literal(item, kind)
                if inner is None:
                    return None
                pending += reversed(inner)
        return self._next(kind)

    def _literal(self, literal: Literal, kind: str) -> list[Item] | None:
        literal.source.effort.spend()
        key = literal.key
        if (key, not literal.holds) in self._said:
            return None
        taken = (key, literal.holds, literal.sent, literal.scope)
        if taken in self._taken:
            return []
        self._taken |= {taken}
        self._said |= {(key, literal.holds)}
        return _held(literal, kind) if literal.holds else _broken(literal, kind)

    def _next(self, kind: str) -> Choice | None:
        """Return the choice with the fewest options that are left."""
        left: list[Choice] = []
        for choice in self._open:
            options = tuple(option for option in choice.options if all(self._possible(item, kind) for item in option))
            if not options:
                return None
            left.append(Choice(options))
        if not left:
            return Choice(())
        best = min(left, key=lambda choice: len(choice.options))
        self._open = tuple(choice for choice in left if choice is not best)
        return best

    def _possible(self, item: Item, kind: str) -> bool:
        if not isinstance(item, Literal):
            return True
        item.source.effort.spend()
        return (item.key, not item.holds) not in self._said and not _plainly_not(item, kind)


def _plainly_not(literal: Literal, kind: str) -> bool:
    """Say whether it is seen at a glance that no value of this kind is meant."""
    schema = literal.schema
    for _ in range(_HOPS):
        if isinstance(schema, bool):
            return schema is not literal.holds
        if not literal.holds:
            return False
        if not _of_type(schema, kind) or _wrong_values(schema, kind):
            return True
        if "$ref" not in schema:
            return False
        schema = literal.source.follow(schema["$ref"])
    return False


def _types(schema: Mapping[str, JSON]) -> list[JSON] | None:
    kind = schema.get("type")
    return None if kind is None else listed(kind) if isinstance(kind, list) else [kind]


def _of_type(schema: Mapping[str, JSON], kind: str) -> bool:
    types = _types(schema)
    return types is None or kind in types or (kind == "number" and "integer" in types)


def _values(schema: Mapping[str, JSON]) -> list[list[JSON]]:
    found = [listed(schema["enum"])] if "enum" in schema else []
    return [*found, [schema["const"]]] if "const" in schema else found


def _wrong_values(schema: Mapping[str, JSON], kind: str) -> bool:
    return any(all(kind_of(value) != kind for value in values) for values in _values(schema))


def _held(literal: Literal, kind: str) -> list[Item] | None:
    """Return what a value of this kind that fulfils a schema has to fulfil, None where there is none."""
    schema = literal.schema
    items: list[Item] = []
    if literal.sent and kind == "object":
        items.append(Demand("declares", literal.source.once(schema, lambda: declared(literal, schema)), literal))
    if isinstance(schema, bool):
        return items if schema else None
    if not _of_type(schema, kind) or _wrong_values(schema, kind):
        return None
    types = _types(schema)
    if kind == "number" and types is not None and "number" not in types:
        items.append(Demand("integer"))
    items += [Demand("among", [v for v in values if kind_of(v) == kind]) for values in _values(schema)]
    if any(keyword in schema for keyword in KEYWORDS.get(kind, ())):
        items.append(Demand("says", None, literal))
    items += _in_place(literal, schema, kind)
    if kind == "object":
        for name, needed in members(schema.get("dependentRequired")).items():
            there = tuple(Demand("present", other) for other in listed(needed))
            items.append(Choice(((Demand("absent", name),), there)))
        for name, part in members(schema.get("dependentSchemas")).items():
            items.append(Choice(((Demand("absent", name),), (Demand("present", name), literal.of(part)))))
    return items


def _in_place(literal: Literal, schema: Mapping[str, JSON], kind: str) -> list[Item]:
    items: list[Item] = []
    if "$ref" in schema:
        items.append(literal.of(literal.source.follow(schema["$ref"])))
    items += [literal.of(part) for part in listed(schema.get("allOf"))]
    if "not" in schema:
        items.append(literal.of(schema["not"], holds=False))
    if "anyOf" in schema:
        items.append(_any_of(literal, listed(schema["anyOf"]), kind))
    if "oneOf" in schema:
        parts = listed(schema["oneOf"])
        literal.source.effort.spend(len(parts) ** 2 // 8)
        items.append(Choice(tuple(_only(literal, parts, index) for index in range(len(parts)))))
    if "if" in schema and ("then" in schema or "else" in schema):
        condition = schema["if"]
        yes = (literal.of(condition), literal.of(schema.get("then", True)))
        no = (literal.of(condition, holds=False), literal.of(schema.get("else", True)))
        items.append(Choice((yes, no)))
    return items


def _only(literal: Literal, parts: list[JSON], index: int) -> tuple[Item, ...]:
    others = (literal.of(part, holds=False) for at, part in enumerate(parts) if at != index)
    return (literal.of(parts[index]), *others)


def _any_of(literal: Literal, parts: list[JSON], kind: str) -> Choice:
    """Return the choice of one; where `unevaluatedProperties` counts names, also of two that hold together.

    Why two are enough: with two of them all names that any of them declares are taken for evaluated.
    """
    options: list[tuple[Item, ...]] = [(literal.of(part),) for part in parts]
    here = literal.of({})
    if kind == "object" and here.scope:
        naming = [part for part in parts if declared(here, as_schema(part))]
        literal.source.effort.spend(len(naming) ** 2 // 2)
        names = Demand("evaluates", declared(here, {"anyOf": naming}), here)
        options += [(literal.of(a), literal.of(b), names) for a, b in combinations(naming, 2)]
    return Choice(tuple(options))


def declared(literal: Literal, schema: Schema) -> Mapping[str, JSON]:
    """Return a schema that allows the names which a schema may declare for one object; it says nothing else.

    It has no `properties` where the schema has none: then any name may be there. So it may where some part says of
    other names what they are, or that there are none: then the sets of documents decide.
    """
    names: dict[str, JSON] = {}
    patterns: dict[str, JSON] = {}
    found: dict[str, JSON] = {}
    pending, seen = [schema], set[int]()
    while pending:
        part = pending.pop()
        if isinstance(part, bool) or id(part) in seen:
            continue
        seen.add(id(part))
        literal.source.effort.spend()
        names |= dict.fromkeys((str(name) for name in listed(part.get("required"))), True)
        names |= dict.fromkeys(members(part.get("properties")), True)
        patterns |= dict.fromkeys(members(part.get("patternProperties")), True)
        if "properties" in part:
            found["properties"] = names
        if "patternProperties" in part:
            found["patternProperties"] = patterns
        rests = [part.get(word, True) for word in ("additionalProperties", "unevaluatedProperties")]
        if any(rest not in (True, {}) for rest in rests):
            found["additionalProperties"] = True
        pending += [literal.source.follow(part["$ref"])] if "$ref" in part else []
        pending += [as_schema(inner) for word in _LISTS for inner in listed(part.get(word))]
        pending += [as_schema(part[word]) for word in ("if", "then", "else") if word in part]
        pending += [as_schema(inner) for inner in members(part.get("dependentSchemas")).values()]
    return found


def _broken(literal: Literal, kind: str) -> list[Item] | None:
    """Return what a value of this kind that does not fulfil a schema has to fulfil, None where there is none."""
    schema = literal.schema
    if isinstance(schema, bool):
        return None if schema else []
    if not _of_type(schema, kind):
        return []
    options: list[tuple[Item, ...]] = []
    types = _types(schema)
    if kind == "number" and types is not None and "number" not in types:
        options.append((Demand("no integer"),))
    options += [
        (Demand("not among", [value for value in values if kind_of(value) == kind]),) for values in _values(schema)
    ]
    for keyword in KEYWORDS.get(kind, ()):
        if keyword in schema:
            options += _BREAKS[kind](literal, schema, keyword)
    options += _not_in_place(literal, schema)
    return [Choice(tuple(options))] if options else None


def _not_in_place(literal: Literal, schema: Mapping[str, JSON]) -> list[tuple[Item, ...]]:
    options: list[tuple[Item, ...]] = []
    if "$ref" in schema:
        options.append((literal.of(literal.source.follow(schema["$ref"])),))
    options += [(literal.of(part),) for part in listed(schema.get("allOf"))]
    if "not" in schema:
        options.append((literal.of(schema["not"], holds=True),))
    if "anyOf" in schema:
        options.append(tuple(literal.of(part) for part in listed(schema["anyOf"])))
    if "oneOf" in schema:
        parts = listed(schema["oneOf"])
        literal.source.effort.spend(len(parts) ** 2 // 2)
        options.append(tuple(literal.of(part) for part in parts))
        for one, other in combinations(parts, 2):
            options.append((literal.of(one, holds=True), literal.of(other, holds=True)))
    if "if" in schema:
        for keyword, holds in (("then", True), ("else", False)):
            if keyword in schema:
                options.append((literal.of(schema["if"], holds=holds), literal.of(schema[keyword])))
    return options


def _breaks_scalar(literal: Literal, schema: Mapping[str, JSON], keyword: str) -> list[tuple[Item, ...]]:
    return [(Demand(f"not {keyword}", schema[keyword], literal),)]


def _breaks_array(  # noqa: PLR0911 - one for each keyword
    literal: Literal, schema: Mapping[str, JSON], keyword: str
) -> list[tuple[Item, ...]]:
    value = schema[keyword]
    match keyword:
        case "minItems":
            return [(Demand("most", whole(value) - 1),)] if whole(value) > 0 else []
        case "maxItems":
            return [(Demand("least", whole(value) + 1),)]
        case "uniqueItems":
            return [(Demand("twins"),)] if value else []
        case "prefixItems":
            parts = enumerate(listed(value))
            return [(Demand("item", index, literal.below(part, holds=False)),) for index, part in parts]
        case "items":
            after = len(listed(schema.get("prefixItems")))
            return [(Demand("item after", after, literal.below(value, holds=False)),)]
        case "contains":
            return _breaks_contains(literal, schema)
        case _:
            return [(_without(literal, schema, keyword),)]


def _breaks_contains(literal: Literal, schema: Mapping[str, JSON]) -> list[tuple[Item, ...]]:
    least = whole(schema.get("minContains", 1))
    options: list[tuple[Item, ...]] = []
    if least > 0:
        options.append((Demand("every item", None, literal.below(schema["contains"], holds=False)),))
    if least > 1:
        options.append(())  # fewer than so many, which no demand says
    if "maxContains" in schema:
        many = whole(schema["maxContains"]) + 1
        options.append((Demand("some items", many, literal.below(schema["contains"], holds=True)),))
    return options


def _breaks_object(  # noqa: PLR0911 - one for each keyword
    literal: Literal, schema: Mapping[str, JSON], keyword: str
) -> list[tuple[Item, ...]]:
    value = schema[keyword]
    match keyword:
        case "required":
            return [(Demand("absent", name),) for name in listed(value)]
        case "minProperties":
            return [(Demand("most", whole(value) - 1),)] if whole(value) > 0 else []
        case "maxProperties":
            return [(Demand("least", whole(value) + 1),)]
        case "dependentRequired":
            pairs = [(name, other) for name, needed in members(value).items() for other in listed(needed)]
            return [(Demand("present", name), Demand("absent", other)) for name, other in pairs]
        case "dependentSchemas":
            return [(Demand("present", name), literal.of(part)) for name, part in members(value).items()]
        case "properties":
            parts = members(value).items()
            return [(Demand("member", name, literal.below(part, holds=False)),) for name, part in parts]
        case "patternProperties":
            parts = members(value).items()
            return [(Demand("matching", name, literal.below(part, holds=False)),) for name, part in parts]
        case "additionalProperties":
            return [(Demand("stranger", schema, literal.below(value, holds=False)),)]
        case "propertyNames":
            return [(Demand("named", None, literal.below(value, holds=False)),)]
        case _:
            rest = _without(literal, schema, keyword)
            return [(rest, Demand("not evaluated", rest.scope[0], literal.below(value, holds=False)))]


def _without(literal: Literal, schema: Mapping[str, JSON], keyword: str) -> Literal:
    """Return that the schema without a keyword holds: what `unevaluated…` is about is known only then."""
    rest = {name: part for name, part in schema.items() if name != keyword}
    return Literal(rest, holds=True, source=literal.source, scope=(id(rest),))


def whole(value: JSON) -> int:
    """Return a count that a schema says."""
    return int(value) if isinstance(value, int | float) else 0


def spelled(value: JSON) -> str:
    """Return what is the same text for equal values."""
    return canonical_json(value)


_BREAKS = {
    "number": _breaks_scalar,
    "string": _breaks_scalar,
    "array": _breaks_array,
    "object": _breaks_object,
}
