"""Records of a board: language, text and digests, never a parsed contract. A plan writes them as rows.

Those that every commit makes are named tuples, which cost a fraction of a frozen dataclass.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from blackboard.spec.canonical import JSON
from blackboard.spec.lifecycle import MOVES, Event, KeyState, State
from blackboard.spec.staleness import Pin, pins_as_json

NOTHING: Mapping[str, str] = MappingProxyType({})


class Body(NamedTuple):
    """A contract's text with what the board compares: facet name -> digest, and one digest of them all."""

    language: str
    text: str
    facets: Mapping[str, str]
    digest: str


class KeyRecord(NamedTuple):
    """The current record of a key.

    Attributes:
        kind: `decision` or `component`.
        current: The accepted version, or the newest one of a component.
        generation: How often a version was accepted since an operator last ruled.
        id: The store's number for it, None where it has no row yet.
        moved: In a plan: its state or its current version changes.
        member: In a plan: it joins or leaves what patterns match.
        appeared: In a plan: it was absent before; it never becomes so again.
    """

    key: str
    kind: str
    state: KeyState = KeyState.ABSENT
    last_version: int = 0
    current: int | None = None
    digest: str | None = None
    generation: int = 0
    mod_revision: int = 0
    id: int | None = None
    moved: bool = False
    member: bool = False
    appeared: bool = False


class VersionRecord(NamedTuple):
    """A version of a decision.

    Attributes:
        base: The accepted version that it amends.
        merged: The version whose changes it has as well as those of its base; None where an author wrote it.
        evidence: Revisions of the commits that it cites.
        electorate: Who may vote on it, None where no rule asks for votes.
        joint: The revision at which several keys were proposed together, None for a proposal of one key.
        compacted: Its text was compacted and is "" in `body`.
        settled: The revision at which it was accepted, rejected or withdrawn; None where that was not read.
        premises: What its author relied on of other decisions, kept where the board has sources; None: not read.
    """

    key: str
    version: int
    body: Body
    state: State
    base: int | None
    author: str
    role: str | None
    rationale: str = ""
    evidence: tuple[int, ...] = ()
    electorate: tuple[str, ...] | None = None
    quorum: int | None = None
    round: int = 1
    joint: int | None = None
    reason: str = ""
    revision: int = 0
    compacted: bool = False
    merged: int | None = None
    settled: int | None = None
    premises: tuple[Pin, ...] | None = None

    def content(self) -> JSON:
        """Return what the digest of the change that proposed it is over."""
        found: dict[str, JSON] = {
            "language": self.body.language,
            "text": self.body.text,
            "digest": self.body.digest,
            "evidence": list(self.evidence),
            "electorate": None if self.electorate is None else list(self.electorate),
            "joint": self.joint is not None,
        }
        found.update((name, getattr(self, name)) for name in ("base", "author", "role", "rationale", "quorum", "round"))
        # What most versions lack is named only where it is there.
        if self.merged is not None:
            found["merged"] = self.merged
        if self.premises:
            found["premises"] = pins_as_json(self.premises)
        return found

    def with_current(self, current: int | None) -> "VersionRecord":
        """Return the version, superseded if it was accepted and another one is current."""
        gone = self.state is State.ACCEPTED and self.version != current
        return self._replace(state=MOVES[self.state, Event.REPLACED]) if gone else self

    @property
    def bases(self) -> tuple[int, ...]:
        """The versions of which it was made: none of a first one, two where it was merged."""
        return tuple(one for one in (self.base, self.merged) if one is not None)


class QuestionRecord(NamedTuple):
    """An open question about a key."""

    key: str
    text: str
    options: tuple[JSON, ...]
    author: str
    role: str | None
    revision: int = 0

    def content(self) -> JSON:
        """Return what the change's digest is over."""
        return {"text": self.text, "options": list(self.options), "author": self.author, "role": self.role}


@dataclass(frozen=True, slots=True)
class ChangeRecord:
    """A change in the feed.

    Attributes:
        key: None for an act of an operator on the whole board.
        path: Of the step that permitted it; for an act of an operator, what it named.
    """

    revision: int
    ordinal: int
    kind: str
    key: str | None
    version: int | None
    author: str
    path: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Reserved:
    """The values that `install` wrote: key -> value. Compared by identity, so that what is derived can be cached."""

    values: Mapping[str, JSON] = field(default_factory=dict)
