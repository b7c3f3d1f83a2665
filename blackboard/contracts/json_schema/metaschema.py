"""The check that a text is a schema at all, by the `jsonschema` library and its own copy of the metaschema."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from blackboard.contracts.json_schema.documents import (
    LISTED_SCHEMAS,
    NAMED_SCHEMAS,
    ONE_SCHEMA,
    Document,
    Path,
    Schema,
)
from blackboard.errors import InvalidContract
from blackboard.spec.canonical import JSON, canonical_json

_SHOWN = 160
_ANY_TEXT = frozenset({"$comment", "$ref", "contentEncoding", "contentMediaType", "description", "format", "title"})
_ANY_LIST = frozenset({"enum", "examples"})
_ANYTHING = frozenset({"const", "default"})


def check(document: Document, inner: Sequence[tuple[Path, Schema]] = ()) -> None:
    """Hold the document against the metaschema of 2020-12.

    Args:
        inner: The schemas in a document that is none itself, each with its path.

    Raises:
        InvalidContract: It is no schema; says where.
    """
    # Why here: the library takes longer to load than all of ours, and most boards have no schema.
    from jsonschema import Draft202012Validator, FormatChecker, SchemaError  # noqa: PLC0415

    root = dict(document.root) if isinstance(document.root, Mapping) else document.root
    schema = {"allOf": [part for _, part in inner]} if inner else root
    # Why only these formats: the others are checked where some package happens to be installed.
    formats = FormatChecker(("regex",))
    # Why first: what is at fault, and where, is known of the whole alone; but most schemas have no fault.
    valid = Draft202012Validator(Draft202012Validator.META_SCHEMA, format_checker=formats).is_valid
    with suppress(RecursionError, OverflowError):
        if all(map(valid, _in_short(document))):
            return
    try:
        Draft202012Validator.check_schema(schema, format_checker=formats)
    except SchemaError as error:
        why = error.message if len(error.message) <= _SHOWN else f"{error.message[: _SHOWN - 1]}…"
        path = tuple(str(part) for part in error.absolute_path)
        path = (*inner[int(path[1])][0], *path[2:]) if inner else path
        raise document.refusal(path, why) from None
    except (RecursionError, OverflowError) as error:
        # Why: a regular expression in `pattern` can be nested too deeply or repeat too often to be compiled.
        raise InvalidContract(document.language, f"a pattern that cannot be compiled: {error}") from None


def _in_short(document: Document) -> Iterator[dict[str, JSON]]:
    """Yield schemas that are all valid where those of a document are, few where it says the same often.

    Why: the metaschema looks at each keyword by itself, and the library takes long to look.
    """
    said: dict[str, dict[str, JSON]] = {}
    for schema in document.schemas.values():
        for keyword, value in schema.items() if isinstance(schema, Mapping) else ():
            if keyword not in _ANYTHING and not keyword.startswith("x-"):
                shallow = _shallow(keyword, value)
                said.setdefault(keyword, {}).setdefault(canonical_json(shallow), shallow)
    left = {keyword: list(values.values()) for keyword, values in said.items()}
    while left:
        yield {keyword: values.pop() for keyword, values in left.items()}
        left = {keyword: values for keyword, values in left.items() if values}


def _shallow(keyword: str, value: JSON) -> JSON:
    """Return the value of a keyword without the schemas in it, which are looked at by themselves."""
    if keyword in ONE_SCHEMA and isinstance(value, bool | Mapping):
        return True
    if keyword == "patternProperties" and isinstance(value, Mapping):
        return {name: isinstance(part, bool | Mapping) or part for name, part in value.items()}
    if keyword in NAMED_SCHEMAS and isinstance(value, Mapping):
        return {name: part for name, part in value.items() if not isinstance(part, bool | Mapping)}
    if keyword in LISTED_SCHEMAS and isinstance(value, list):
        return [True, *(part for part in value if not isinstance(part, bool | Mapping))] if value else []
    if keyword in _ANY_TEXT and isinstance(value, str):
        return ""
    return [] if keyword in _ANY_LIST and isinstance(value, list) else value
