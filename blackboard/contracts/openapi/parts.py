"""The parts of a document that are compared, each a facet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from blackboard.contracts.json_schema.documents import Document, Path
from blackboard.contracts.json_schema.literals import listed, members
from blackboard.spec.canonical import JSON

Word = Literal[
    "operation", "parameter", "body", "request", "status", "response", "header", "schema", "servers", "security"
]


@dataclass(frozen=True, slots=True)
class Part:
    """One facet.

    Attributes:
        word: What it is; `request` and `response` are the media types of a body and of a status.
        value: What makes it what it is, references resolved.
        operation: The facet of the operation that it belongs to, empty where it belongs to none.
        within: The facet of the body or status around a media type.
        name: What it is called there: `query n`, a status, a media type.
        path: Where its schema is, None where it has none.
        required: Whether it has to be sent.
        direction: Who sends what is of this schema.
        calls: The operation is a callback or a webhook: who implements the document asks, its user answers.
    """

    word: Word
    value: JSON
    operation: str = ""
    within: str = ""
    name: str = ""
    path: Path | None = None
    required: bool = False
    direction: str = "both"
    calls: bool = False


@dataclass(frozen=True, slots=True)
class Api:
    """A document as read: schemas, parts by facet, which an operation or status has, places and descriptions of all."""

    document: Document
    parts: Mapping[str, Part]
    inside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    places: Mapping[str, Path] = field(default_factory=dict, compare=False)
    docs: Mapping[str, str] = field(default_factory=dict)

    @property
    def facets(self) -> dict[str, JSON]:
        """Facet name -> canonical value."""
        return {name: part.value for name, part in self.parts.items()}

    def within(self, facet: str, *words: Word) -> list[Part]:
        """Return the parts of an operation, a body or a status that are of some kinds."""
        return [self.parts[name] for name in self.inside.get(facet, ()) if self.parts[name].word in words]

    def answers(self, operation: str, status: str) -> str | None:
        """Return the facet that says how an answer with a status looks: its own, that of its class, or the default."""
        for name in (status, f"{status[0]}XX", "default"):
            if f"{operation} {name}" in self.parts:
                return f"{operation} {name}"
        return None

    def servers(self, operation: str = "") -> list[str]:
        """Return where requests are sent, those of an operation where it has servers of its own."""
        own = members(self.parts[operation].value).get("servers") if operation else None
        everywhere = members(self.parts["servers"].value).get("servers") if "servers" in self.parts else ["/"]
        return [str(one) for one in listed(own or everywhere)]

    def scheme(self, name: str) -> JSON:
        """Return how it is known who asks, by the name that a document gives to that."""
        known = self.parts.get(f"security {name}")
        return name if known is None else known.value
