"""What a stub can declare, and the facet of each.

A facet is as short as it can be and still say everything that is agreed: the type of a field, the signature of a
function. A class' own facet says what kind it is and, where it matters, the order of its fields; its members have
facets of their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from blackboard.spec.canonical import JSON


class Passing(StrEnum):
    """How an argument reaches a parameter."""

    POSITION = "position"
    EITHER = "either"
    REST = "rest"
    NAME = "name"
    REST_BY_NAME = "rest by name"


_UNSEEN = {Passing.POSITION: "_", Passing.REST: "*args", Passing.REST_BY_NAME: "**kwargs"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter; None where it has no annotation, no default."""

    name: str
    passing: Passing
    annotation: str | None = None
    default: str | None = None

    def __str__(self) -> str:
        """Return the parameter; its name only where a caller sees it."""
        name = _UNSEEN.get(self.passing, self.name) if self.name not in ("self", "cls") else self.name
        annotation = f": {self.annotation}" if self.annotation is not None else ""
        default = f" = {self.default}" if self.default is not None else ""
        return f"{name}{annotation}{default}"


@dataclass(frozen=True, slots=True)
class Signature:
    """One way to call a function; keyword-only parameters are sorted by name, `raises` too."""

    parameters: tuple[Parameter, ...]
    returns: str | None
    raises: tuple[str, ...] = ()
    decorators: tuple[str, ...] = ()
    awaited: bool = False

    def __str__(self) -> str:
        before = "".join(f"@{decorator} " for decorator in self.decorators) + ("async " if self.awaited else "")
        returns = f" -> {self.returns}" if self.returns is not None else ""
        raises = f" raises {', '.join(self.raises)}" if self.raises else ""
        return f"{before}({', '.join(self._parts())}){returns}{raises}"

    def _parts(self) -> list[str]:
        texts = {
            passing: [str(parameter) for parameter in self.parameters if parameter.passing is passing]
            for passing in Passing
        }
        by_position, by_name = texts[Passing.POSITION], texts[Passing.NAME]
        return [
            *([*by_position, "/"] if by_position else []),
            *texts[Passing.EITHER],
            *texts[Passing.REST],
            *(["*"] if by_name and not texts[Passing.REST] else []),
            *by_name,
            *texts[Passing.REST_BY_NAME],
        ]


@dataclass(frozen=True, slots=True)
class Function:
    """A function or method: one signature, or its overloads in the order in which they are tried."""

    signatures: tuple[Signature, ...]
    overloaded: bool = False

    def facet(self) -> JSON:
        """Return the signature, or the list of overloads."""
        texts = [str(signature) for signature in self.signatures]
        return texts if self.overloaded else texts[0]


@dataclass(frozen=True, slots=True)
class Property:
    """A computed attribute; None for a type that is not declared, or for what cannot be done."""

    read: str | None
    written: str | None = None
    settable: bool = False
    deletable: bool = False
    raises: tuple[str, ...] = ()
    decorators: tuple[str, ...] = ()

    def facet(self) -> JSON:
        """Return an object: the type under `property`, the rest where there is any."""
        optional: dict[str, JSON] = {
            "deletable": self.deletable,
            "raises": list(self.raises),
            "decorators": list(self.decorators),
        }
        settable: dict[str, JSON] = {"settable": self.written} if self.settable else {}
        return {"property": self.read} | settable | _given(optional)


@dataclass(frozen=True, slots=True)
class Variable:
    """A constant, alias, field or enum member; None where it has no annotation, no value."""

    annotation: str | None = None
    value: str | None = None

    def facet(self) -> JSON:
        """Return `type`, `type = value` or `= value`."""
        value = f"= {self.value}" if self.value is not None else ""
        return f"{self.annotation or ''} {value}".strip()


@dataclass(frozen=True, slots=True)
class PublicNames:
    """What `__all__` lists."""

    names: tuple[str, ...]

    def facet(self) -> JSON:
        """Return the sorted names."""
        return sorted(set(self.names))


@dataclass(frozen=True, slots=True)
class Reexport:
    """A name that the module passes on (`from x import y as y`)."""

    source: str

    def facet(self) -> JSON:
        """Return where it is from."""
        return f"import {self.source}"


class Kind(StrEnum):
    """What a class is, which decides what the order of its fields means."""

    CLASS = "class"
    DATACLASS = "dataclass"
    ENUM = "enum"
    NAMED_TUPLE = "namedtuple"
    PROTOCOL = "protocol"
    TYPED_DICT = "typeddict"


@dataclass(frozen=True, slots=True)
class Class:
    """A class without its members.

    Attributes:
        fields: The names of fields in the order in which they are positional; empty where no order matters.
        keyword_only: The names of a dataclass' other fields, sorted.
        members: Of an enum, Protocol, ABC or TypedDict the names of all its members, sorted: who relies on such a class
            relies on there being no others. Empty for other classes.
        same_as: The name that it is a second name for, "" where it is none.
    """

    kind: Kind
    bases: tuple[str, ...] = ()
    keywords: Mapping[str, str] = field(default_factory=dict)
    decorators: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    fields: tuple[str, ...] = ()
    keyword_only: tuple[str, ...] = ()
    raises: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    same_as: str = ""

    @property
    def is_closed(self) -> bool:
        """Whether who relies on it relies on its having no other members: those of a choice, or to be implemented."""
        return self.is_marked_abstract or self.kind in (Kind.ENUM, Kind.PROTOCOL, Kind.TYPED_DICT)

    @property
    def is_marked_abstract(self) -> bool:
        """Whether it is an ABC, whatever its members are."""
        return "ABC" in self.bases or self.keywords.get("metaclass") == "ABCMeta"

    def facet(self) -> JSON:
        """Return an object with what is there."""
        optional: dict[str, JSON] = {
            "bases": list(self.bases),
            "keywords": dict(self.keywords),
            "decorators": list(self.decorators),
            "options": dict(self.options),
            "fields": list(self.fields),
            "keyword_only": list(self.keyword_only),
            "raises": list(self.raises),
            "members": list(self.members),
            "same_as": self.same_as,
        }
        return {"kind": str(self.kind)} | _given(optional)


Declaration = Function | Property | Variable | PublicNames | Reexport | Class


def _given(members: Mapping[str, JSON]) -> dict[str, JSON]:
    return {name: value for name, value in members.items() if value}
