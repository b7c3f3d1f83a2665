"""Where the schemas of a text are, and what its references name.

What is said here holds for every document that the rest of the room sees: all references are local and name a schema,
nesting is bounded, and there is one dialect and one base, so no reference can mean two things.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import unquote

from blackboard.contracts.json_schema.positions import position
from blackboard.errors import InvalidContract
from blackboard.spec.canonical import JSON

LANGUAGE = "json-schema"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

ONE_SCHEMA = frozenset(
    {
        "additionalProperties",
        "contains",
        "contentSchema",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
NAMED_SCHEMAS = frozenset(
    {"$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"}
)
LISTED_SCHEMAS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})

MAX_DEPTH = 32
MAX_SCHEMAS = 4_000

_SHOWN = 120

Schema: TypeAlias = bool | Mapping[str, JSON]
Path: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A text that holds schemas: path -> schema, and anchor -> path."""

    text: str
    root: Schema
    schemas: Mapping[Path, Schema]
    anchors: Mapping[str, Path]
    language: str = LANGUAGE

    def named(self, reference: str) -> Path | None:
        """Return the path of the schema that a reference names, None where it names none in this text."""
        mark, _, fragment = reference.partition("#")
        if mark or "#" not in reference:
            return None
        fragment = unquote(fragment)
        if fragment and not fragment.startswith("/"):
            return self.anchors.get(fragment)
        path = tuple(part.replace("~1", "/").replace("~0", "~") for part in fragment.split("/")[1:])
        return path if path in self.schemas else None

    def refusal(self, path: Path, why: str) -> InvalidContract:
        """Return the error for something at a place in the text."""
        line, column = position(self.text, path)
        place = "/".join(path) if path else "the whole text"
        place = place if len(place) <= _SHOWN else f"…{place[-_SHOWN:]}"
        return InvalidContract(self.language, f"{place}: {why}", line=line, column=column)


def read(text: str, root: JSON, *, language: str = LANGUAGE, inner: Iterable[tuple[Path, Schema]] = ()) -> Document:
    """Find the schemas in a JSON value.

    Args:
        inner: The schemas in a value that is none itself, each with its path.

    Raises:
        InvalidContract: There are too many, too deep, or there is something in one that this language leaves out.
    """
    if not isinstance(root, bool | Mapping):
        raise InvalidContract(language, f"a schema is an object or a boolean; this is a {type(root).__name__}")
    schemas: dict[Path, Schema] = {}
    anchors: dict[str, Path] = {}
    document = Document(text, root, schemas, anchors, language)
    pending: list[tuple[Path, Schema, int]]
    pending = [(path, schema, 0) for path, schema in inner] if language != LANGUAGE else [((), root, 0)]
    while pending:
        path, schema, depth = pending.pop()
        schemas[path] = schema
        if len(schemas) > MAX_SCHEMAS:
            raise InvalidContract(language, f"more than {MAX_SCHEMAS:,} schemas: split it into several decisions")
        if depth > MAX_DEPTH:
            raise document.refusal(path, f"schemas nested more than {MAX_DEPTH} deep")
        if isinstance(schema, Mapping):
            _check_keywords(document, path, schema)
            anchor = schema.get("$anchor")
            if isinstance(anchor, str) and anchors.setdefault(anchor, path) != path:
                raise document.refusal((*path, "$anchor"), "this anchor is there twice")
            pending += [(path + inner, part, depth + 1) for inner, part in inside(schema)]
    return document


def check_references(document: Document) -> None:
    """Refuse references that name nothing in this text.

    Raises:
        InvalidContract: One of them does; nothing is fetched to find out more.
    """
    for path, schema in document.schemas.items():
        if isinstance(schema, Mapping) and "$ref" in schema and document.named(str(schema["$ref"])) is None:
            why = "names no schema in this text; put what it needs under $defs and refer to #/$defs/NAME"
            raise document.refusal((*path, "$ref"), why)


def inside(schema: Mapping[str, JSON]) -> Iterator[tuple[Path, Schema]]:
    """Return the schemas directly inside one, each with its path from there; what is data is not looked into."""
    for keyword, value in schema.items():
        if keyword in ONE_SCHEMA and isinstance(value, bool | Mapping):
            yield (keyword,), value
        elif keyword in NAMED_SCHEMAS and isinstance(value, Mapping):
            yield from (((keyword, name), part) for name, part in value.items() if isinstance(part, bool | Mapping))
        elif keyword in LISTED_SCHEMAS and isinstance(value, list):
            parts = enumerate(value)
            yield from (((keyword, str(index)), part) for index, part in parts if isinstance(part, bool | Mapping))


def _check_keywords(document: Document, path: Path, schema: Mapping[str, JSON]) -> None:
    dialect = schema.get("$schema", DIALECT)
    if not isinstance(dialect, str) or dialect.removesuffix("#") != DIALECT:
        raise document.refusal((*path, "$schema"), f"the only dialect read here is {DIALECT}")
    if path and "$id" in schema:
        raise document.refusal((*path, "$id"), "only the root may have an $id: references are within one text")
    for keyword in ("$dynamicRef", "$recursiveRef"):
        if keyword in schema:
            raise document.refusal((*path, keyword), "write $ref: what this names depends on who refers to it")
    # Why before the metaschema: the library compares items that are no strings each with each.
    lists = [(keyword, schema.get(keyword)) for keyword in ("required", "type")]
    for keyword in ("dependentRequired", "dependencies"):
        members = schema.get(keyword)
        lists += [(keyword, member) for member in members.values()] if isinstance(members, Mapping) else []
    for keyword, value in lists:
        if isinstance(value, list) and not all(isinstance(item, str) for item in value):
            raise document.refusal((*path, keyword), "a list of strings is needed here")
