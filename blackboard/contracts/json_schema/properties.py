"""The facets of a schema: one for each property's path, one for each name under `$defs`.

    $                  what holds for the document itself
    title              a property: {"schema": …, "required": true}
    author.name        a property of a property, also where `author` is a reference or an `allOf`
    tags[]             the items of a list
    tags[1:]           those after the first, which `prefixItems` is about
    $defs.Person       a definition, whole

A facet stands for itself: references at its top are followed, those further inside are kept, and what they name, and
what that names, is under `refs`. So nobody who relies on a facet misses a change of a definition.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from blackboard.contracts.facets import Facets, join
from blackboard.contracts.json_schema.described import PLACES, Described
from blackboard.contracts.json_schema.documents import LANGUAGE, Document, Path, Schema
from blackboard.contracts.json_schema.literals import members
from blackboard.contracts.json_schema.normal import DIRECTION, means_something, normal, ordered, pointer
from blackboard.contracts.json_schema.whole import Whole
from blackboard.contracts.plain import ROOT
from blackboard.errors import InvalidContract
from blackboard.spec.canonical import JSON

MAX_PARTS = 50_000

_BY_MEMBERS = frozenset({"prefixItems", "unevaluatedItems", "unevaluatedProperties"})
_CLOSING = frozenset({"additionalProperties", "unevaluatedProperties"})


@dataclass(frozen=True, slots=True)
class _Part:
    """A schema without its references and `allOf`; `followed` are the references that led to it."""

    schema: Mapping[str, JSON]
    followed: frozenset[Path] = frozenset()


@dataclass(slots=True)
class _Place:
    """A property, the items of a list, or the root: all that is said about it, and whether it must be there."""

    name: str
    said: list[tuple[Schema, frozenset[Path]]] = field(default_factory=list)
    required: bool | None = None
    parent: str | None = None
    segment: str | None = None
    after: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a facet is.

    Attributes:
        parent: The facet of the object or list around it, None at the root and for definitions.
        segment: The property's name, None for the items of a list.
        after: How many items before are none of these.
        whole: All that is said about it, what is in it included.
        by_its_members: Whether what it says of itself depends on what is said about its members.
        names: The names of its properties.
        definition: The path of a definition, None for a place in a document.
    """

    parent: str | None = None
    segment: str | None = None
    after: int = 0
    whole: Schema = True
    by_its_members: bool = False
    names: tuple[str, ...] = ()
    definition: Path | None = None


def facets(document: Document) -> tuple[dict[str, JSON], dict[str, Place], dict[str, str]]:
    """Return the facets of a document, where each of them is, and the sentences that describe it.

    Raises:
        InvalidContract: There are too many, or its references multiply beyond measure.
        TooLarge: A path is too long.
    """
    collector = _Collector(document)
    return collector.collect(), collector.places, collector.described.docs


class _Collector:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._found = Facets(LANGUAGE)
        self.places: dict[str, Place] = {}
        self._parts = 0
        self._whole = Whole(document)
        self.described = Described(document)
        direction = document.root.get(DIRECTION, "both") if isinstance(document.root, Mapping) else "both"
        self._direction: dict[str, JSON] = {} if direction == "both" else {"direction": direction}

    def collect(self) -> dict[str, JSON]:
        pending = [_Place("", [(self._document.root, frozenset({()}))])]
        while pending:
            place = pending.pop()
            passed: list[Schema] = []
            parts = [part for schema, followed in place.said for part in self._flat(schema, followed, passed)]
            self._add(
                place.name or ROOT, _own(self._document, parts), () if place.required is None else (place.required,)
            )
            self._describe(place.name or ROOT, passed, but=PLACES)
            inner = _places(place.name or ROOT, place.name, parts)
            self.places[place.name or ROOT] = _located(place, parts, inner)
            pending += inner
        root = self._document.root
        for keyword in ("$defs", "definitions"):
            definitions = root.get(keyword) if isinstance(root, Mapping) else None
            for name in definitions if isinstance(definitions, Mapping) else ():
                path = (keyword, name)
                self._add(join(keyword, name), self._whole.definition(path), (), but=path)
                self._describe(join(keyword, name), [self._document.schemas[path]])
                self.places[join(keyword, name)] = Place(definition=path)
        return self._found.values

    def _flat(self, schema: Schema, followed: frozenset[Path], passed: list[Schema]) -> Iterator[_Part]:
        """Follow references and `allOf`; one that leads back to where it came from stays a reference.

        Args:
            passed: Gets each schema on the way.
        """
        pending = [(schema, followed)]
        while pending:
            schema, followed = pending.pop()
            passed.append(schema)
            self._parts += 1
            if self._parts > MAX_PARTS:
                raise InvalidContract(LANGUAGE, f"its references make more than {MAX_PARTS:,} schemas of it")
            if isinstance(schema, bool):
                if not schema:
                    yield _Part({"not": True}, followed)
                continue
            own = {keyword: value for keyword, value in schema.items() if keyword not in ("$ref", "allOf")}
            own = {keyword: value for keyword, value in own.items() if means_something(keyword, value)}
            path = self._document.named(str(schema["$ref"])) if "$ref" in schema else None
            if path is not None and path in followed:
                yield _Part({"$ref": pointer(path)}, followed)
            elif path is not None:
                pending.append((self._document.schemas[path], followed | {path}))
            pending += [(part, followed) for part in _schemas(schema.get("allOf"))]
            if own:
                yield _Part(own, followed)

    def _describe(self, name: str, schemas: Sequence[Schema], *, but: Collection[str] = ()) -> None:
        self.described.add(name, schemas, members(self._found.values[name]).get("refs"), but=but)

    def _add(self, name: str, schema: JSON, required: tuple[bool, ...], *, but: Path | None = None) -> None:
        value: dict[str, JSON] = {**self._whole.value(schema, but=but), **self._direction}
        self._found.add(name, value | ({"required": required[0]} if required else {}))


def _own(document: Document, parts: list[_Part]) -> JSON:
    """Return what parts say together about a place, but not about what is in it."""
    known = {name for part in parts for name in _members(part.schema, "properties")}
    schemas: list[JSON] = []
    for part in parts:
        own = {keyword: value for keyword, value in part.schema.items() if keyword not in ("properties", "items")}
        elsewhere = [name for name in _list(part.schema, "required") if name not in known]
        own["required"] = elsewhere
        if len(parts) > 1 and not _CLOSING.isdisjoint(own):
            # Why: which names it closes is said by the properties beside it, and here there are several such.
            own["properties"] = dict.fromkeys(_members(part.schema, "properties"), True)
        schemas.append(normal(document, own))
    said = [schema for schema in ordered(schemas) if schema is not True]
    return {"allOf": said} if len(said) > 1 else said[0] if said else True


def _places(parent: str, name: str, parts: Iterable[_Part]) -> list[_Place]:
    places: dict[str, _Place] = {}
    required = {member for part in parts for member in _list(part.schema, "required")}
    for part in parts:
        for member, schema in _members(part.schema, "properties").items():
            path = join(name, member)
            place = places.setdefault(path, _Place(path, required=member in required, parent=parent, segment=member))
            place.said += [(found, part.followed) for found in _schemas([schema])]
        if "items" in part.schema:
            # Why in the name: the same said of other items is something else, and so is all that is inside them.
            before = len(_list(part.schema, "prefixItems"))
            path = f"{name}[{before}:]" if before else f"{name}[]"
            place = places.setdefault(path, _Place(path, parent=parent, after=before))
            place.said += [(found, part.followed) for found in _schemas([part.schema["items"]])]
    return list(places.values())


def _located(place: _Place, parts: Iterable[_Part], inner: Iterable[_Place]) -> Place:
    whole: list[JSON] = [schema for schema, _ in place.said]
    keywords = {keyword for part in parts for keyword in part.schema}
    names = tuple(member.segment for member in inner if member.segment is not None)
    return Place(
        place.parent,
        place.segment,
        place.after,
        {"allOf": whole},
        not keywords.isdisjoint(_BY_MEMBERS),
        names,
    )


def _schemas(value: JSON) -> list[Schema]:
    return [part for part in value if isinstance(part, bool | Mapping)] if isinstance(value, list) else []


def _members(schema: Mapping[str, JSON], keyword: str) -> Mapping[str, JSON]:
    value = schema.get(keyword)
    return value if isinstance(value, Mapping) else {}


def _list(schema: Mapping[str, JSON], keyword: str) -> list[JSON]:
    value = schema.get(keyword)
    return list(value) if isinstance(value, list) else []
