"""The last word on a document: the `jsonschema` library says whether it is valid.

Its answer is asked for where it is given at once: a pattern is matched by `patterns` and not by backtracking, and what
leads it on and on, references and what is said of the unevaluated, is counted.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property, partial
from typing import Any

from blackboard.contracts.json_schema.documents import Document, Path, Schema
from blackboard.contracts.json_schema.literals import Effort, ExhaustedError
from blackboard.contracts.json_schema.patterns import matches
from blackboard.contracts.json_schema.scalars import FORMATS
from blackboard.spec.canonical import JSON, canonical_json

_STEPS = 20_000
_ON_AND_ON = ("$ref", "anyOf", "oneOf", "unevaluatedItems", "unevaluatedProperties")
_STEPS_ON = 4
_UNSURE = frozenset({"contains", "else", "if", "not", "oneOf", "then", "unevaluatedItems", "unevaluatedProperties"})


class _UnreadError(Exception):
    """A pattern is there that is not matched safely."""


class Judge:
    """Says whether values are valid by a document, or by a schema in it, with so much effort."""

    def __init__(self, document: Document, effort: Effort) -> None:
        self._document = document
        self._effort = effort

    def valid(self, value: JSON, path: Path = ()) -> bool | None:
        """Say whether a value is valid by the schema at a path; None where that is not known."""
        schema = self._document.schemas[path]
        if self._hard:
            return None
        try:
            return bool(self._validator.evolve(schema=schema).is_valid(value))
        except (_UnreadError, ExhaustedError, RecursionError, OverflowError):
            return None

    def fault(self, value: JSON) -> tuple[tuple[str | int, ...], str] | None:
        """Return a place in a value that is certainly not as the document says, and what is wrong there.

        What hangs on a pattern that is not matched safely is passed over, and that alone.

        Raises:
            ExhaustedError: It takes too long.
        """
        try:
            validator = self._made(*_library(hard=self._hard), lenient=True)
            checker, errors = validator.format_checker, validator.iter_errors(value)
            error = next((one for one in errors if not (checker.unread and _is_unsure(one.absolute_schema_path))), None)
        except (RecursionError, OverflowError):
            raise ExhaustedError from None
        return None if error is None else (tuple(error.absolute_path), error.message)

    @cached_property
    def _hard(self) -> bool:
        """Say whether names are matched by patterns that only backtracking matches."""
        names = [
            pattern
            for schema in self._document.schemas.values()
            if isinstance(schema, Mapping)
            for pattern in _names(schema)
        ]
        return any(_repeats_inside(pattern) for pattern in names)

    @cached_property
    def _validator(self) -> Any:  # noqa: ANN401 - the library makes classes that no type checker knows
        return self._made(*_library(), lenient=False)

    def _made(self, kind: Any, formats: Any, *, lenient: bool) -> Any:  # noqa: ANN401 - as above
        checker = formats()
        checker.effort, checker.validators, checker.steps = self._effort, {}, {}
        checker.lenient, checker.unread = lenient, False
        checker.referred = cache(lambda name: self._document.schemas[self._document.named(name) or ()])
        return kind(_plain(self._document.root), format_checker=checker)


def _is_unsure(path: Iterable[object]) -> bool:
    """Say whether an error may only come of something else being taken for valid."""
    return not _UNSURE.isdisjoint(map(str, path))


@cache
def _library(*, hard: bool = False) -> tuple[Any, Any]:
    """Return what makes validators, where it is hard also of names, and what they ask of formats."""
    # Why here: the library takes longer to load than all of ours, and most boards have no schema.
    from jsonschema import Draft202012Validator, FormatChecker, ValidationError, validators  # noqa: PLC0415

    def pattern(validator: Any, pattern: str, instance: JSON, _: object) -> Iterator[ValidationError]:  # noqa: ANN401
        if isinstance(instance, str) and _matches(validator, pattern, instance) is False:
            yield ValidationError(f"{instance!r} does not match {pattern!r}")

    def unique(_: object, wanted: object, instance: JSON, __: object) -> Iterator[ValidationError]:
        # Why: the library compares each item with each.
        if wanted and isinstance(instance, list) and len(set(map(canonical_json, instance))) < len(instance):
            yield ValidationError(f"{instance!r} has non-unique elements")

    def reference(validator: Any, name: str, instance: JSON, _: object) -> Iterator[ValidationError]:  # noqa: ANN401
        # Why: where the library looks one up, what is nested too deeply is no error that can be caught.
        yield from validator.descend(instance, validator.format_checker.referred(name))

    def counted(word: str) -> Any:  # noqa: ANN401 - as above
        judged: Any = reference if word == "$ref" else Draft202012Validator.VALIDATORS[word]

        def keyword(validator: Any, said: Any, *given: Any) -> Iterator[ValidationError]:  # noqa: ANN401 - as above
            # Why there: it is all that a validator hands on to those that it makes.
            validator.format_checker.effort.spend(_STEPS_ON * (len(said) if isinstance(said, list) else 1))
            yield from judged(validator, said, *given) or ()

        return keyword

    extend: Any = validators.extend
    own = {
        "pattern": pattern,
        "type": _of_type(Draft202012Validator.VALIDATORS["type"]),
        "uniqueItems": unique,
        **{word: counted(word) for word in _ON_AND_ON},
    }
    if hard:
        own |= {"patternProperties": _named, "additionalProperties": _others, "unevaluatedProperties": _unevaluated}
    return _keeping(extend(Draft202012Validator, own)), partial(FormatChecker, tuple(FORMATS))


def _of_type(judged: Any) -> Any:  # noqa: ANN401 - of the library, as above
    """Return how a type is judged: most values of a long document are right, which is said at once."""

    def of_type(validator: Any, types: Any, instance: JSON, schema: Any) -> Any:  # noqa: ANN401 - as above
        if isinstance(types, str) and validator.TYPE_CHECKER.is_type(instance, types):
            return ()
        return judged(validator, types, instance, schema)

    return of_type


def _matches(validator: Any, pattern: str, text: str) -> bool | None:  # noqa: ANN401 - as above
    """Say whether a text matches; None where that is not known, which only who is lenient passes over."""
    checker = validator.format_checker
    found = matches(pattern, text, Effort(_STEPS, _STEPS), checker.steps.setdefault(pattern, {}))
    if found is None and not checker.lenient:
        raise _UnreadError
    checker.unread = checker.unread or found is None
    return found


def _named(validator: Any, patterns: Any, instance: JSON, _: object) -> Iterator[Any]:  # noqa: ANN401 - as above
    for name, value in instance.items() if isinstance(instance, dict) else ():
        for pattern, schema in patterns.items():
            if _matches(validator, pattern, name):
                yield from validator.descend(value, schema, path=name, schema_path=pattern)


def _others(validator: Any, schema: Any, instance: JSON, around: Any) -> Iterator[Any]:  # noqa: ANN401 - as above
    patterns, known = around.get("patternProperties", {}), around.get("properties", {})
    for name, value in instance.items() if isinstance(instance, dict) else ():
        if name not in known and all(_matches(validator, one, name) is False for one in patterns):
            yield from validator.descend(value, schema, path=name)


def _unevaluated(validator: Any, *_: object) -> Iterator[Any]:  # noqa: ANN401 - as above
    """Pass over what the library would find out by matching names itself."""
    validator.format_checker.unread = True
    yield from ()


def _keeping(kind: Any) -> Any:  # noqa: ANN401 - as above
    """Let each schema have one validator.

    Why: the library makes one for each value, which takes longer than most values do, and of its own kind where a
    schema names its dialect. Whatever leads to a schema, it means the same: references have one base.
    """
    made = kind.evolve

    def evolve(validator: Any, **changes: Any) -> Any:  # noqa: ANN401 - as above
        schema, kept = changes["schema"], validator.format_checker.validators
        if id(schema) not in kept:
            # The schema too, so that no other one is ever found by its id.
            kept[id(schema)] = schema, made(validator, **{**changes, "schema": _plain(schema)})
        return kept[id(schema)][1]

    def descend(validator: Any, instance: JSON, schema: Any, **at: Any) -> Iterator[Any]:  # noqa: ANN401 - as above
        kept = validator.format_checker.validators.get(id(schema))
        own = evolve(validator, schema=schema) if kept is None else kept[1]
        for error in own.iter_errors(instance):
            for places, place in ((error.path, at.get("path")), (error.schema_path, at.get("schema_path"))):
                if place is not None:
                    places.appendleft(place)
            yield error

    kind.evolve, kind.descend = evolve, descend
    return kind


def _names(schema: Mapping[str, JSON]) -> Iterator[str]:
    patterns = schema.get("patternProperties")
    yield from patterns if isinstance(patterns, Mapping) else ()


def _repeats_inside(pattern: str) -> bool:
    """Say whether something that is repeated may hold repetitions, so that matching by trial may take for ever."""
    return "(" in pattern and any(mark in pattern for mark in "*+{")


def _plain(schema: Schema) -> Any:  # noqa: ANN401 - what the library takes
    if not isinstance(schema, Mapping):
        return schema
    return {word: said for word, said in schema.items() if word != "$schema"}
