"""The language `json-schema`: from a schema to its facets.

The keyword `x-direction` at the root says who reads such a document: `request` (sent by those who use the decision),
`response` (sent by those who implement it), or `both`, which is meant where it is absent.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from blackboard.contracts.facets import Reading
from blackboard.contracts.json_schema import metaschema, properties
from blackboard.contracts.json_schema.compare import Version, compare
from blackboard.contracts.json_schema.documents import LANGUAGE, Document, check_references, read
from blackboard.contracts.json_schema.normal import DIRECTION
from blackboard.contracts.json_schema.properties import Place
from blackboard.contracts.json_schema.samples import sample
from blackboard.contracts.plain import laid_out, read_json, write_json
from blackboard.errors import InvalidContract
from blackboard.spec.canonical import JSON, NotCanonical, parse_json
from blackboard.spec.effects import Comparison

DIRECTIONS = ("request", "response", "both")


@dataclass(frozen=True, slots=True)
class SchemaBody:
    """A schema as read: the document, its direction, its facets, where each of them is, and what describes it."""

    document: Document
    direction: str
    facets: Mapping[str, JSON]
    places: Mapping[str, Place]
    docs: Mapping[str, str]


class JsonSchema:
    """The language `json-schema`."""

    name = LANGUAGE

    def parse(self, text: str) -> SchemaBody:
        """Read a schema; nothing is fetched.

        Raises:
            InvalidContract: It is no JSON, no schema of 2020-12, or refers to what is not in it.
            TooLarge: A property's path is too long.
        """
        document = read(text, read_json(LANGUAGE, text))
        metaschema.check(document)
        check_references(document)
        direction = document.root.get(DIRECTION, "both") if isinstance(document.root, Mapping) else "both"
        if direction not in DIRECTIONS:
            raise document.refusal((DIRECTION,), f"a direction is one of {', '.join(DIRECTIONS)}")
        return SchemaBody(document, str(direction), *properties.facets(document))

    def kept(self, text: str, body: SchemaBody) -> str:  # noqa: ARG002 -- part of the protocol
        """Keep the text as it was written."""
        return text

    def facets(self, body: SchemaBody) -> dict[str, JSON]:
        """Return one facet for each property's path and each definition."""
        return dict(body.facets)

    def compare(self, old: Reading[SchemaBody], new: Reading[SchemaBody]) -> Comparison:
        """Say whom each changed facet breaks."""
        return compare(*(Version(v.document, v.direction, v.facets, v.places) for v in (old.body, new.body)))

    def skeleton(self, body: SchemaBody) -> str:
        """Return a document that shows the shape."""
        return laid_out(sample(body.document))


def with_direction(schema: str | Mapping[str, JSON], direction: str) -> str:
    """Return the text of a schema that says its direction.

    Args:
        schema: A text or an object; a text that needs no change is returned as it is.
        direction: `both` leaves a direction that the schema says itself.

    Raises:
        InvalidContract: The schema says another direction, or is none that could say one.
    """
    if direction not in DIRECTIONS:
        raise InvalidContract(LANGUAGE, f"a direction is one of {', '.join(DIRECTIONS)}")
    members = read_json(LANGUAGE, schema) if isinstance(schema, str) else schema
    said = members.get(DIRECTION) if isinstance(members, Mapping) else None
    if isinstance(schema, str) and direction in ("both", said):
        return schema
    if not isinstance(members, Mapping):
        raise InvalidContract(LANGUAGE, f"only an object can say {DIRECTION}")
    if said is None and direction != "both":
        members = {**members, DIRECTION: direction}
    elif direction not in ("both", said):
        raise InvalidContract(
            LANGUAGE, f"the schema says {DIRECTION} {said!r}, not {direction!r}: leave one of them out"
        )
    return write_json(LANGUAGE, members)


def names_schema(text: str) -> bool:
    """Say whether a JSON text is an object that names the dialect of its schema."""
    try:
        value = parse_json(text)
    except NotCanonical:
        return False
    return isinstance(value, Mapping) and "$schema" in value
