"""What is sent and received under a schema, by the convention for open objects.

A name that an open object does not declare is never sent, and is ignored when it is received.
"""

import re
from functools import lru_cache
from json import dumps, loads
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

_IN_PLACE = ("allOf", "anyOf", "oneOf")


class Documents:
    """The documents of one schema."""

    def __init__(self, schema: Any) -> None:
        self._schema = schema
        self._valid = Draft202012Validator(schema, format_checker=FormatChecker()).is_valid

    def sent(self, document: Any) -> bool:
        """Return whether somebody who sends such documents may send this one."""
        return self._known(document, [self._schema]) == document and self._valid(document)

    def received(self, document: Any) -> bool:
        """Return whether somebody who receives such documents can work with this one."""
        return self._valid(self._known(document, [self._schema]))

    def _known(self, document: Any, schemas: list[Any]) -> Any:
        """Return a document without the names that its open objects do not declare."""
        parts = self._parts(schemas)
        if isinstance(document, list):
            return [self._known(item, _of_item(parts, place)) for place, item in enumerate(document)]
        if not isinstance(document, dict):
            return document
        open_ = any("properties" in part for part in parts) and all(
            part.get("additionalProperties", True) is True and "unevaluatedProperties" not in part for part in parts
        )
        inside = {name: _of_property(parts, name) for name in document}
        return {name: self._known(value, inside[name]) for name, value in document.items() if inside[name] or not open_}

    def _parts(self, schemas: list[Any]) -> list[dict[str, Any]]:
        """Return the schemas and all that speak of the same value."""
        found, rest = [], list(schemas)
        while rest:
            schema = rest.pop()
            if isinstance(schema, dict) and not any(schema is other for other in found):
                found.append(schema)
                rest += [branch for word in _IN_PLACE for branch in schema.get(word, ())]
                rest += [schema[word] for word in ("if", "then", "else") if word in schema]
                rest += [self._at(schema["$ref"])] if "$ref" in schema else []
        return found

    def _at(self, reference: str) -> Any:
        found = self._schema
        for step in reference.removeprefix("#").split("/")[1:]:
            found = found[step]
        return found


def _of_item(parts: list[dict[str, Any]], place: int) -> list[Any]:
    tuples = [part.get("prefixItems", ()) for part in parts]
    return [
        items[place] if place < len(items) else part.get("items", True)
        for part, items in zip(parts, tuples, strict=True)
    ]


def _of_property(parts: list[dict[str, Any]], name: str) -> list[Any]:
    named = [part["properties"][name] for part in parts if name in part.get("properties", ())]
    named += [
        schema for part in parts for like, schema in part.get("patternProperties", {}).items() if re.search(like, name)
    ]
    return named or [
        part["additionalProperties"] for part in parts if part.get("additionalProperties", True) is not True
    ]


@lru_cache(maxsize=1024)
def _documents(text: str) -> Documents:
    return Documents(loads(text))


def documents(schema: Any) -> Documents:
    """Return the documents of a schema."""
    return _documents(dumps(schema))
