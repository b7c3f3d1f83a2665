"""A change of a contract with the effect that the design says it has, and programs that show it.

`none`: nothing changed in meaning. `compatible`: what worked still works. `breaking`: a program shows what does not.
An expectation with a bar in it, `none|compatible`, leaves open which of the two it is.
"""

import re
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from json import dumps
from typing import Any, Literal

from blackboard.contracts.language import Contract
from blackboard.spec.canonical import JSON

_MODULE_OF = dict.fromkeys(typing.__all__, "typing") | {
    "dataclass": "dataclasses",
    "field": "dataclasses",
    "InitVar": "dataclasses",
    "KW_ONLY": "dataclasses",
    "Enum": "enum",
    "IntEnum": "enum",
    "StrEnum": "enum",
    "Flag": "enum",
    "ABC": "abc",
    "abstractmethod": "abc",
}


@dataclass(frozen=True)
class Row:
    """A change: its name reads like a claim, the effects are the expected ones."""

    name: str
    old: Any
    new: Any
    uses: str
    implements: str

    def contracts(self) -> tuple[Contract, Contract]:
        """Return the contract before and after."""
        raise NotImplementedError

    def expects(self, side: str) -> frozenset[str]:
        """Return the effects on a side that are right."""
        return frozenset((self.uses if side == "uses" else self.implements).split("|"))

    def breaks(self, side: str) -> bool:
        """Return whether somebody on a side is broken."""
        return self.expects(side) == {"breaking"}


@dataclass(frozen=True)
class PythonRow(Row):
    """A change of a stub.

    What an implementation owes is what programs may ask of it, and the old stub is the least that an implementation of
    it can be. So a program written for the new stub that fails on the old one shows that implementers have to change.

    Attributes:
        before: A program for the old stub; fails on the new one exactly if the change breaks users.
        after: A program for the new stub; fails on the old one exactly if it breaks implementers. None: the same one.
        run: Implementations of both, for what no type checker sees: with them the programs are run, not checked.
    """

    before: str
    after: str | None = None
    run: tuple[str, str] | None = None

    def contracts(self) -> tuple[Contract, Contract]:
        """Return the contract before and after."""
        return Contract.python(with_imports(self.old)), Contract.python(with_imports(self.new))


def with_imports(stub: str) -> str:
    """Put the imports above a stub that bring the names which it uses from the standard library."""
    names = sorted(set(re.findall(r"\w+", stub)) & set(_MODULE_OF))
    return "".join(f"from {_MODULE_OF[name]} import {name}\n" for name in names) + stub.rstrip() + "\n"


@dataclass(frozen=True)
class JsonRow(Row):
    """A change of a JSON schema.

    Attributes:
        direction: `request`: users send such documents; `response`: implementers do; `both`: both do.
        documents: Some that are sent; each shows that the change breaks somebody, or that it does not.
    """

    direction: Literal["request", "response", "both"]
    documents: tuple[JSON, ...]

    def contracts(self) -> tuple[Contract, Contract]:
        """Return the contract before and after."""
        old, new = (Contract.json_schema(schema, direction=self.direction) for schema in (self.old, self.new))
        return old, new


# What happened to the documents -> direction -> effect on uses, effect on implements.
_SCHEMA_EFFECTS = {
    "narrowed": {
        "request": ("breaking", "compatible"),
        "response": ("compatible", "breaking"),
        "both": ("breaking", "breaking"),
    },
    "widened": {
        "request": ("compatible", "breaking"),
        "response": ("breaking", "compatible"),
        "both": ("breaking", "breaking"),
    },
    "others": dict.fromkeys(("request", "response", "both"), ("breaking", "breaking")),
    "harmless": dict.fromkeys(("request", "response", "both"), ("compatible", "compatible")),
    "documented": dict.fromkeys(("request", "response", "both"), ("documentation", "documentation")),
    "same": dict.fromkeys(("request", "response", "both"), ("none", "none")),
    "spelled": dict.fromkeys(("request", "response", "both"), ("none|compatible", "none|compatible")),
}


def in_each_direction(name: str, old: JSON, new: JSON, what: str, *documents: JSON) -> tuple[JsonRow, ...]:
    """Make a row for each direction.

    Args:
        what: What happened to what is sent: `narrowed`, `widened`, `others` (both), `harmless`, `same`, or `spelled`,
            which is the same in so different words that a comparison need not see that nothing changed.
    """
    return tuple(
        JsonRow(f"{name} ({direction})", old, new, uses, implements, direction, documents)
        for direction, (uses, implements) in _SCHEMA_EFFECTS[what].items()
    )


@dataclass(frozen=True)
class SqlRow(Row):
    """A change of DDL.

    Attributes:
        before: Statements of a user of the old tables, in order; one that fails under the new ones, or then reads
            something else, shows that the change breaks users.
        arrives: A row of the new tables that the old ones could not hold: a reader does not expect it.
    """

    before: tuple[str, ...]
    arrives: str | None = None

    def contracts(self) -> tuple[Contract, Contract]:
        """Return the contract before and after."""
        return Contract("sql", self.old), Contract("sql", self.new)


@dataclass(frozen=True)
class Ask:
    """A request: `GET /recipes/7?limit=5`, its headers in small letters, its body if it has one."""

    target: str
    body: JSON = None
    headers: Mapping[str, str] = field(default_factory=dict)
    media: str = "application/json"


@dataclass(frozen=True)
class Answer:
    """A response to a request to `GET /recipes/7`; `media` is None where it has no body."""

    target: str
    status: int
    body: JSON = None
    media: str | None = "application/json"


@dataclass(frozen=True)
class ApiRow(Row):
    """A change of an OpenAPI document.

    Attributes:
        messages: Some that are sent; each shows that the change breaks somebody, or that it does not.
    """

    messages: tuple[Ask | Answer, ...]

    def contracts(self) -> tuple[Contract, Contract]:
        """Return the contract before and after."""
        return Contract("openapi", dumps(self.old)), Contract("openapi", dumps(self.new))
