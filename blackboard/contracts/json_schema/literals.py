"""What is asked of one value: schemas that it fulfils and schemas that it does not, and how much work may be done."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from blackboard.contracts.json_schema.documents import Document, Schema, inside
from blackboard.contracts.json_schema.normal import normal
from blackboard.spec.canonical import JSON, NotCanonical, canonical_json

KINDS = ("null", "boolean", "number", "string", "array", "object")

_KIND_OF = {bool: "boolean", int: "number", float: "number", str: "string"}
_BYTES_A_STEP = 400


class No(Enum):
    """Why there is no value."""

    EMPTY = "none can be"
    UNKNOWN = "none was found"


@dataclass(frozen=True, slots=True)
class Found:
    """A value that fulfils what was asked."""

    value: JSON


Result = Found | No


class ExhaustedError(Exception):
    """More work would be needed than was allowed."""


class Effort:
    """How many steps may still be taken: so many at all, and so many for each question."""

    def __init__(self, steps: int, each: int) -> None:
        self._left, self._each = steps, each
        self.begin()

    def begin(self) -> None:
        """Begin another question."""
        self._now = min(self._each, self._left)

    def spend(self, steps: int = 1) -> None:
        """Count steps.

        Raises:
            ExhaustedError: There are no more.
        """
        self._now -= steps
        self._left -= steps
        if self._now < 0:
            raise ExhaustedError


class Source:
    """The document that a schema stands in; two that are compared know what is the same in both."""

    def __init__(self, document: Document, effort: Effort) -> None:
        self.document = document
        self.effort = effort
        self._other: Source = self
        self._keys: dict[int, tuple[Schema, object]] = {}
        self._made: dict[int, tuple[Schema, Mapping[str, JSON]]] = {}
        self._texts: dict[str, tuple[str, frozenset[str]]] = {}
        self._same: dict[str, bool] = {}

    def compared_with(self, other: "Source") -> None:
        """Say which document it is compared with."""
        self._other = other

    def literal(self, schema: Schema, *, holds: bool, sent: bool = False) -> "Literal":
        """Return that a schema, whose references are of this document, is fulfilled, or that it is not."""
        return Literal(schema, holds, self, sent and holds)

    def follow(self, reference: JSON) -> Schema:
        """Return the schema that a reference names."""
        path = self.document.named(str(reference))
        return True if path is None else self.document.schemas[path]

    def once(self, schema: Schema, make: Callable[[], Mapping[str, JSON]]) -> Mapping[str, JSON]:
        """Return what is made of a schema, made when it is first asked for."""
        if id(schema) not in self._made:
            self._made[id(schema)] = schema, make()
        return self._made[id(schema)][1]

    def key(self, schema: Schema) -> object:
        """Return what is equal for schemas of the two documents that mean the same word by word."""
        known = self._keys.get(id(schema))
        if known is None:
            text, references = self._spelled(schema)
            same = all(self._means_the_same(reference) for reference in references)
            known = self._keys[id(schema)] = (schema, text if same else (id(self), text))
        return known[1]

    def _spelled(self, schema: Schema) -> tuple[str, frozenset[str]]:
        found = normal(self.document, schema)
        try:
            text = canonical_json(found)
        except NotCanonical:  # schemas around a schema that is as deep as a text may be
            text = f"{id(schema)}"
        self.effort.spend(1 + len(text) // _BYTES_A_STEP)
        return text, frozenset(references_in(found))

    def _definition(self, reference: str) -> tuple[str, frozenset[str]]:
        if reference not in self._texts:
            path = self.document.named(reference)
            self._texts[reference] = ("", frozenset()) if path is None else self._spelled(self.document.schemas[path])
        return self._texts[reference]

    def _means_the_same(self, reference: str) -> bool:
        """Say whether a reference names the same in both documents, and all that is named there too."""
        if reference not in self._same:
            reached, pending, same = {reference}, [reference], True
            while pending and same:
                self.effort.spend()
                name = pending.pop()
                here = self._definition(name)
                same = here == self._other._definition(name) and self._same.get(name, True)  # noqa: SLF001 - its like
                pending += here[1] - reached
                reached |= here[1]
            self._same |= dict.fromkeys(reached, True) if same else {reference: False}
        return self._same[reference]


@dataclass(frozen=True, slots=True, eq=False)
class Literal:
    """A schema that a value fulfils, or does not.

    Attributes:
        sent: Whether it is said by who sends the value: names that it does not declare are not there.
        scope: The schemas around it, about the same value, that say `unevaluatedProperties`.
    """

    schema: Schema
    holds: bool
    source: Source
    sent: bool = False
    scope: tuple[int, ...] = ()

    def of(self, schema: JSON, *, holds: bool | None = None) -> "Literal":
        """Return the literal of a schema inside this one, about the same value."""
        kept = holds is None or (holds and self.holds)
        scope = self.scope if kept else ()
        if kept and isinstance(self.schema, Mapping) and "unevaluatedProperties" in self.schema:
            scope = (*scope, id(self.schema))
        held = self.holds if holds is None else holds
        return Literal(as_schema(schema), held, self.source, self.sent and kept and held, scope)

    def below(self, schema: JSON, *, holds: bool) -> "Literal":
        """Return the literal of a schema inside this one, about a member or an item."""
        return Literal(as_schema(schema), holds, self.source, self.sent and holds)

    @property
    def key(self) -> object:
        """What is equal for literals about the same schema."""
        return self.source.key(self.schema)


def as_schema(value: JSON) -> Schema:
    """Take a value for a schema; what is none says nothing."""
    return value if isinstance(value, bool | Mapping) else True


def listed(value: JSON) -> list[JSON]:
    """Return the items of a list, none of anything else."""
    return list(value) if isinstance(value, list) else []


def members(value: JSON) -> Mapping[str, JSON]:
    """Return the members of an object, none of anything else."""
    return value if isinstance(value, Mapping) else {}


def kind_of(value: JSON) -> str:
    """Return the kind of a value, one of `KINDS`."""
    if value is None:
        return "null"
    return _KIND_OF.get(type(value)) or ("object" if isinstance(value, Mapping) else "array")


def references_in(schema: JSON) -> Iterator[str]:
    """Return the references in a schema and in those inside it."""
    pending = [schema]
    while pending:
        value = pending.pop()
        if isinstance(value, Mapping):
            reference = value.get("$ref")
            if isinstance(reference, str):
                yield reference
            pending += [part for _, part in inside(value)]
