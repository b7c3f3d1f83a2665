"""The protocol of a contract language, the registry of languages, and `Contract`, a text in one of them.

Making a contract validates its text. Two contracts with the same digest have equal facets, even if their texts differ;
two with the same language and text are equal.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Any, Literal, Protocol, Self, TypeVar, overload

from blackboard.contracts.constraint import Constraint
from blackboard.contracts.documentation import documented, with_documentation
from blackboard.contracts.facets import NAMES, Reading, undecided
from blackboard.contracts.json_schema.schema import JsonSchema, names_schema, with_direction
from blackboard.contracts.openapi.api import OpenApi
from blackboard.contracts.plain import Text, Value, write_json
from blackboard.contracts.python.excerpt import excerpt
from blackboard.contracts.python.interface import declared
from blackboard.contracts.python.module_name import module_of_key
from blackboard.contracts.python.stub import Python, Stub
from blackboard.contracts.rules import ruled
from blackboard.contracts.sql.ddl import Sql
from blackboard.contracts.sql.excerpt import excerpt as statements_of
from blackboard.contracts.sql.schema import Schema
from blackboard.contracts.task import FIELDS, Task, body_of
from blackboard.errors import Invalid, InvalidContract, TooLarge
from blackboard.spec.canonical import (
    JSON,
    NotCanonical,
    canonical_json,
    check_text,
    digest,
    digest_made,
    digest_text,
    read_made,
    spelled_digests,
)
from blackboard.spec.effects import Comparison, Effect, FacetChange

MAX_TEXT_BYTES = 1_048_576

_SHOWN = 60

Body = TypeVar("Body")
Digests = Mapping[str, str] | str
"""Facet name -> digest, or its JSON text that is not parsed yet."""
Direction = Literal["request", "response", "both"]
Sides = Mapping[str, Sequence[str]] | Sequence[str]
"""Key or pattern -> facets, or just keys and patterns, each whole."""


class Language(Protocol[Body]):
    """A way to write contracts down; a body that documents its facets has an attribute `docs`."""

    name: str

    def parse(self, text: str) -> Body:
        """Read a text.

        Raises:
            InvalidContract: It is not in this language; the error has line and column if they are known.
        """
        ...

    def kept(self, text: str, body: Body) -> str:
        """Return the text to store for the body; parsing it gives the same body."""
        ...

    def facets(self, body: Body) -> dict[str, JSON]:
        """Return facet name -> canonical value; no name is empty."""
        ...

    def compare(self, old: Reading[Body], new: Reading[Body]) -> Comparison:
        """Return the changes of changed facets; the facet '' is the set of names."""
        ...

    def skeleton(self, body: Body) -> str:
        """Return a text with which an implementation of the contract can begin."""
        ...


LANGUAGES: Mapping[str, Language[Any]] = {
    language.name: language
    for language in (Value(), Text(), Task(), Python(), JsonSchema(), OpenApi(), Sql(), Constraint())
}

SUFFIXES: Mapping[str, str] = {
    ".task.toml": "task",
    ".pyi": "python",
    ".openapi.json": "openapi",
    ".openapi.yaml": "openapi",
    ".openapi.yml": "openapi",
    ".json": "value",
    ".constraint": "constraint",
    ".sql": "sql",
    ".md": "text",
    ".txt": "text",
}


def known_languages() -> tuple[str, ...]:
    """Return the names of all languages, sorted."""
    return tuple(sorted(LANGUAGES))


def language_for_suffix(path: str, text: str) -> str:
    """Return the name of the language that a file is written in.

    Args:
        path: The file's name, or just its suffix.
        text: Its content; a JSON object with a member "$schema" is `json-schema`, other JSON is `value`.

    Raises:
        InvalidContract: No language has this suffix.
    """
    name = next((name for suffix, name in SUFFIXES.items() if path.lower().endswith(suffix)), None)
    if name is None:
        raise InvalidContract(path, f"no language has this suffix; there are {', '.join(SUFFIXES)}")
    return "json-schema" if name == "value" and names_schema(text) else name


def suffix_for_language(name: str) -> str:
    """Return the suffix of files that are written in a language; JSON where none is only that language's."""
    return next((suffix for suffix, language in SUFFIXES.items() if language == name), ".json")


def contract_digest(language: str, digests: Mapping[str, str]) -> str:
    """Return the digest of a contract from its language and the digests of its facets.

    Why the language: a task and a value may have the same facets, and only one of them is a task.
    """
    return digest_text(f'["{language}",{spelled_digests(digests)}]')


def facet_names_digest(names: Iterable[str]) -> str:
    """Return the digest of a set of facet names: the digest of the facet ''."""
    return _names_digest(tuple(sorted(names)))


def all_facets(digests: Mapping[str, str]) -> dict[str, str]:
    """Return facet name -> digest, that of the set of their names included."""
    return {**digests, NAMES: facet_names_digest(digests)}


@lru_cache(maxsize=1024)
def _names_digest(names: tuple[str, ...]) -> str:
    return digest_made(names)


class _Text:
    """`contract.text` is the text; `Contract.text(prose)` makes a contract of a text."""

    @overload
    def __get__(self, instance: None, owner: type["Contract"]) -> Callable[[str], "Contract"]: ...
    @overload
    def __get__(self, instance: "Contract", owner: type["Contract"]) -> str: ...
    def __get__(self, instance: "Contract | None", owner: type["Contract"]) -> "str | Callable[[str], Contract]":
        return partial(owner, "text") if instance is None else instance._text  # noqa: SLF001 -- its own descriptor


class Contract:
    """An immutable text in a contract language.

    Attributes:
        text: The text; for a task its canonical JSON, for other languages the text as it was written.

    Raises:
        InvalidContract: The language is unknown, or the text is not in it.
        TooLarge: The text has more than 1 MiB, or a facet's name more than 1 KiB.
    """

    # No frozen dataclass: one is made for every decision that is read, and that would be half the cost of it.
    __slots__ = ("_known", "_language", "_reading", "_text")
    _known: "tuple[str, Digests] | None"
    _reading: Reading[object] | None

    text = _Text()

    def __init__(self, language: str, text: str, /) -> None:
        reading = _read(language, text)
        self._become(language, LANGUAGES[language].kept(text, reading.body), reading, None)

    @property
    def language(self) -> str:
        """The language's name."""
        return self._language

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Contract):
            return NotImplemented
        return (self._language, self._text) == (other._language, other._text)

    def __hash__(self) -> int:
        return hash((self._language, self._text))

    def __reduce__(self) -> "tuple[Callable[[str, str], Contract], tuple[str, str]]":
        # Copied and pickled as language and text, from which everything else is computed.
        return type(self).stored, (self._language, self._text)

    def __repr__(self) -> str:
        shown = self._text if len(self._text) <= _SHOWN else self._text[: _SHOWN - 1] + "…"
        return f"Contract({self._language!r}, {shown!r})"

    @classmethod
    def stored(cls, language: str, text: str, *, known: "tuple[str, Digests] | None" = None) -> Self:
        """Make a contract of a stored text, which is parsed only when the known digests are not enough.

        Args:
            known: Its digest and those of its facets, these also as JSON.
        """
        contract = object.__new__(cls)
        contract._language, contract._text, contract._reading, contract._known = language, text, None, known
        return contract

    @classmethod
    def value(cls, json: JSON) -> Self:
        """Make a contract of a JSON value.

        Raises:
            InvalidContract: It is not JSON.
        """
        text = write_json("value", json)
        _check_size(text)
        contract = object.__new__(cls)
        # What was just spelled needs no strict reading: it repeats no name and holds no NaN.
        contract._become("value", text, _reading("value", read_made(text)), None)
        return contract

    @classmethod
    def python(cls, stub: str) -> Self:
        """Make a contract of a Python stub."""
        return cls("python", stub)

    @classmethod
    def constraint(cls, expression: str) -> Self:
        """Make a contract of an expression over values and facets of other decisions.

        Raises:
            InvalidContract: It is no expression, or has a part that is not permitted in a constraint.
        """
        return cls("constraint", expression)

    @classmethod
    def task(
        cls,
        *,
        summary: str,
        implements: Sides = (),
        uses: Sides = (),
        checks: Sequence[str] = (),
        files: Sequence[str] = (),
        command: Sequence[str] = (),
        probe: Sequence[str] = (),
    ) -> Self:
        """Make a contract of a task.

        Args:
            summary: A description of the component.
            implements: Key or pattern -> facets (none: the whole decision) that the component will implement.
            uses: The same for the decisions that it will use.
            checks: Names of the checks that it must pass.
            files: Paths of its files.
            command: Its entry point, such as `["python", "-m", "notes"]`.
            probe: The arguments with which the entry point has to end with status 0; `--help` if there are none.
        """
        given = zip(FIELDS, (summary, implements, uses, checks, files, command, probe), strict=True)
        language = Task()
        return cls(language.name, write_json(language.name, language.facets(body_of(dict(given)))))

    @classmethod
    def json_schema(cls, schema: str | Mapping[str, JSON], *, direction: Direction = "both") -> Self:
        """Make a contract of a JSON schema of 2020-12.

        Args:
            schema: Its text, or the object.
            direction: The sender of such a document: `request` means users of the decision, `response` implementers;
                kept in the text as `x-direction`. `both` leaves the schema unchanged.
        """
        return cls("json-schema", with_direction(schema, direction))

    @property
    def body(self) -> object:
        """The typed body: the JSON of a value, the `TaskBody` of a task."""
        return _own(self._reads().body)

    @property
    def facets(self) -> Mapping[str, JSON]:
        """Facet name -> canonical value."""
        return MappingProxyType({name: _own(value) for name, value in self._reads().facets.items()})

    @property
    def docs(self) -> Mapping[str, str]:
        """Facet name -> its documentation without layout, for facets that have one."""
        return self._reads().docs

    @property
    def digests(self) -> Mapping[str, str]:
        """Facet name -> digest of its value, and of the sentences that document it where there are any."""
        whole, digests = self._known or self._knows()
        if isinstance(digests, str):
            digests = MappingProxyType(read_made(digests))
            self._known = (whole, digests)
        return digests

    @property
    def digest(self) -> str:
        """The digest of the language and all facets."""
        # Used for each decision that is read.
        return (self._known or self._knows())[0]

    def module(self, key: str) -> str | None:
        """Return the module that a `python` contract describes, None in other languages.

        Args:
            key: Of the decision; its last segment is the module where the stub has no line `module: NAME`.
        """
        body = self._reads().body if self.language == Python.name else None
        return (body.module or module_of_key(key)) if isinstance(body, Stub) else None

    def meant_by(self, names: Iterable[str]) -> frozenset[str]:
        """Return facets together with those that they name and that are needed to understand them."""
        body = self._reads().body if self.language == Python.name else None
        return Python().mentioned(body, names) if isinstance(body, Stub) else frozenset(names)

    def excerpt(self, facets: Iterable[str] | None = None) -> str:
        """Return the text that declares some facets, for an author who depends on them.

        Args:
            facets: Their names; None, or all of them, means the whole text.

        Returns:
            For a Python stub the lines that declare these facets and the names in them, docstrings included; for DDL
            the whole statements of their tables, COMMENT included. In other languages one line for each facet, `name:
            value as JSON`, and after `#` its documentation. The whole text if all facets are meant.
        """
        reading = self._reads()
        names = {*reading.facets} if facets is None else {*facets}
        if names >= {*reading.facets}:
            return self._text
        if isinstance(reading.body, Stub):
            return excerpt(reading.body.source, self.meant_by(names))
        if isinstance(reading.body, Schema):
            return statements_of(reading.body, names)
        documented = {name: f"  # {text}" for name, text in reading.docs.items()}
        shown = sorted(names & {*reading.facets})
        return "".join(f"{one}: {canonical_json(reading.facets[one])}{documented.get(one, '')}\n" for one in shown)

    def exports(self, facets: Iterable[str] | None = None) -> tuple[str, ...]:
        """Return the public names of its module under which facets of a `python` contract are imported, sorted.

        Args:
            facets: Their names, None for all of them. What they mention is included.
        """
        body = self._reads().body
        if not isinstance(body, Stub):
            return ()
        shown = body.facets.keys() if facets is None else self.meant_by(facets)
        tops = {name.partition(".")[0] for name in shown}
        public = (one.path for one in declared(body.source.tree) if one.owner is None and not one.path.startswith("_"))
        return tuple(sorted(tops.intersection(public)))

    def compare(self, new: "Contract") -> Comparison:
        """Return the effects on both sides if this contract is replaced by another one."""
        if not isinstance(new, Contract):
            raise Invalid(f"new is {ascii(new)[:60]}; give a Contract")
        if self._language == new._language:  # noqa: SLF001 - of its own kind
            readings = self._reads(), new._reads()  # noqa: SLF001 - of its own kind
            effects = LANGUAGES[self._language].compare(*readings).effects
            values = readings[0].facets, readings[1].facets
            found = {name: ruled(self._language, name, values, one) for name, one in effects.items()}
            return with_documentation(Comparison(found), *readings)
        effects = dict(undecided(self._reads().facets, new._reads().facets).effects)  # noqa: SLF001 - of its own kind
        effects[NAMES] = FacetChange(Effect.BREAKING, Effect.BREAKING, f"language {self.language} -> {new.language}")
        return Comparison({name: one._replace(rules=("language-changed",)) for name, one in effects.items()})

    def skeleton(self) -> str:
        """Return a text with which an implementation of this can begin."""
        return LANGUAGES[self.language].skeleton(self._reads().body)

    def _become(
        self, language: str, text: str, reading: Reading[object] | None, known: "tuple[str, Digests] | None"
    ) -> None:
        self._language, self._text, self._reading, self._known = language, text, reading, known
        if reading is not None:
            _keep(language, text, reading)

    def _knows(self) -> "tuple[str, Digests]":
        docs, values = self._reads().docs, self._reads().facets
        digests = {name: digest([value, docs[name]] if name in docs else value) for name, value in values.items()}
        known = self._known = (contract_digest(self._language, digests), MappingProxyType(digests))
        return known

    def _reads(self) -> Reading[object]:
        reading = self._reading
        if reading is None:
            reading = _KEPT.get((self._language, self._text))
            if reading is None:
                reading = _read(self._language, self._text)
                _keep(self._language, self._text, reading)
            self._reading = reading
        return reading


_KEPT: dict[tuple[str, str], Reading[object]] = {}
_MOST, _LARGE = 1024, 16_384  # so many texts are kept, none of more characters


def _keep(language: str, text: str, reading: Reading[object]) -> None:
    """Parse a text and cache the result: the author of a contract parsed it before, and the next commit compares it."""
    if len(text) <= _LARGE:
        if len(_KEPT) >= _MOST:
            _KEPT.clear()
        _KEPT[language, text] = reading


def _own(value: Any) -> Any:  # noqa: ANN401 - of any language
    """Return a value that its caller may change: what is read is read once for all contracts with this text."""
    return deepcopy(value) if isinstance(value, dict | list) else value


def _read(language: str, text: str) -> Reading[object]:
    if language not in LANGUAGES:
        raise InvalidContract(str(language), f"there is no such language; there are {', '.join(known_languages())}")
    if not isinstance(text, str):
        raise InvalidContract(language, f"a contract is a text; this is a {type(text).__name__}")
    _check_size(text)
    try:
        check_text(text)
    except NotCanonical as error:
        raise InvalidContract(language, error.why, line=error.line, column=error.column) from None
    return _reading(language, LANGUAGES[language].parse(text))


def _reading(language: str, body: object) -> Reading[object]:
    # Sorted, so that contracts with one digest also read alike.
    facets = dict(sorted(LANGUAGES[language].facets(body).items()))
    return Reading(body, MappingProxyType(facets), MappingProxyType(documented(body)))


def _check_size(text: str) -> None:
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_TEXT_BYTES:
        raise TooLarge("contract", size, MAX_TEXT_BYTES)
