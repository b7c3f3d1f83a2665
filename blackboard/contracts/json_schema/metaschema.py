"""The check that a text is a schema at all, by the `jsonschema` library and its own copy of the metaschema."""

from collections.abc import Mapping, Sequence

from blackboard.contracts.json_schema.documents import Document, Path, Schema
from blackboard.errors import InvalidContract

_SHOWN = 160


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
