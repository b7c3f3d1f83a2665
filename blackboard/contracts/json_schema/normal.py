"""One spelling for each schema: without docs, and without the orders that mean nothing."""

from collections.abc import Iterable, Mapping

from blackboard.contracts.json_schema.documents import LISTED_SCHEMAS, NAMED_SCHEMAS, ONE_SCHEMA, Document, Schema
from blackboard.spec.canonical import JSON, canonical_json

DIRECTION = "x-direction"

_NO_FACETS = frozenset(
    {
        "$anchor",
        "$comment",
        "$defs",
        "$dynamicAnchor",
        "$id",
        "$schema",
        "$vocabulary",
        "definitions",
        "description",
        "example",
        "examples",
        "externalDocs",
        "title",
        DIRECTION,
    }
)


def normal(document: Document, schema: Schema) -> JSON:
    """Return a schema without what is in no facet; `true` for one that allows everything.

    References stay, each as the one pointer to what it names.
    """
    if isinstance(schema, bool):
        return schema
    members: dict[str, JSON] = {}
    for keyword, value in schema.items():
        if means_something(keyword, value):
            members[keyword] = _member(document, keyword, value)
    return members or True


def means_something(keyword: str, value: JSON) -> bool:
    """Say whether a keyword is part of a facet."""
    return keyword not in _NO_FACETS and (keyword != "required" or bool(value))


def pointer(path: Iterable[str]) -> str:
    """Return the reference to a path."""
    return "#" + "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)


def ordered(values: Iterable[JSON]) -> list[JSON]:
    """Return values without repetition, in the order of their canonical texts."""
    texts = {canonical_json(value): value for value in values}
    return [texts[text] for text in sorted(texts)]


def _member(document: Document, keyword: str, value: JSON) -> JSON:
    if keyword == "$ref":
        return pointer(document.named(str(value)) or ())
    if keyword in ONE_SCHEMA and isinstance(value, bool | Mapping):
        return normal(document, value)
    if keyword in NAMED_SCHEMAS | {"dependentRequired"} and isinstance(value, Mapping):
        return {name: _part(document, part) for name, part in value.items()}
    if keyword in LISTED_SCHEMAS and isinstance(value, list):
        parts = [_part(document, part) for part in value]
        # `oneOf` counts, so two equal alternatives are not one.
        return (
            parts
            if keyword == "prefixItems"
            else sorted(parts, key=canonical_json)
            if keyword == "oneOf"
            else ordered(parts)
        )
    if keyword in ("required", "enum", "type") and isinstance(value, list):
        items = ordered(value)
        return items[0] if keyword == "type" and len(items) == 1 else items
    return value


def _part(document: Document, part: JSON) -> JSON:
    if isinstance(part, bool | Mapping):
        return normal(document, part)
    return ordered(part) if isinstance(part, list) else part
