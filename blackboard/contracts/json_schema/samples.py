"""A document that shows the shape of a schema, with the plainest value in each place."""

from collections.abc import Mapping

from blackboard.contracts.json_schema.documents import Document, Path, Schema
from blackboard.spec.canonical import JSON

MAX_DEPTH = 24
MAX_VALUES = 1000

_PLAIN: Mapping[str, JSON] = {"string": "", "integer": 0, "number": 0, "boolean": False, "array": [], "object": {}}


def sample(document: Document) -> JSON:
    """Return a document with all properties; null where a schema leads back to itself or says nothing."""
    return _Sampler(document).value(document.root, 0, frozenset())


class _Sampler:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._values = 0

    def value(self, schema: Schema, depth: int, followed: frozenset[Path]) -> JSON:
        self._values += 1
        if isinstance(schema, bool) or depth > MAX_DEPTH or self._values > MAX_VALUES:
            return None
        for keyword in ("const", "default"):
            if keyword in schema:
                return schema[keyword]
        first = _first(schema.get("enum"))
        if first is not None:
            return first
        path = self._document.named(str(schema["$ref"])) if "$ref" in schema else None
        if path is not None:
            return None if path in followed else self.value(self._document.schemas[path], depth + 1, followed | {path})
        for keyword in ("anyOf", "oneOf"):
            choice = _first(schema.get(keyword))
            if isinstance(choice, Mapping):
                return self.value(choice, depth + 1, followed)
        return self._of_type(schema, depth, followed)

    def _of_type(self, schema: Mapping[str, JSON], depth: int, followed: frozenset[Path]) -> JSON:
        members: dict[str, JSON] = {}
        parts = schema.get("allOf")
        for part in parts if isinstance(parts, list) else ():
            inner = self.value(part, depth + 1, followed) if isinstance(part, Mapping) else None
            members |= inner if isinstance(inner, Mapping) else {}
        properties = schema.get("properties")
        for name, part in properties.items() if isinstance(properties, Mapping) else ():
            members[name] = self.value(part, depth + 1, followed) if isinstance(part, bool | Mapping) else None
        items = schema.get("items")
        kind = schema.get("type")
        kind = _first(kind) if isinstance(kind, list) else kind
        if members or kind == "object":
            return members
        if kind == "array" and isinstance(items, Mapping):
            return [self.value(items, depth + 1, followed)]
        return schema.get("minimum", _PLAIN.get(str(kind))) if kind in ("integer", "number") else _PLAIN.get(str(kind))


def _first(value: JSON) -> JSON:
    return value[0] if isinstance(value, list) and value else None
