"""What wakes a source: a kind of event and a pattern over its subject.

`failed` and `passed` name a check instead of keys; `quiescent` names nothing. The target of the activation is the
key that the event is about: a decision's, a component's, or the source's own for `quiescent`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from blackboard.errors import InvalidTeam
from blackboard.spec.canonical import JSON
from blackboard.spec.keys import check_name, check_pattern, matches


class TriggerKind(StrEnum):
    """Kinds of events that wake a source."""

    ACCEPTED = "accepted"
    PROPOSED = "proposed"
    ASKED = "asked"
    CONTESTED = "contested"
    RETRACTED = "retracted"
    WRITTEN = "written"
    REQUIRED = "required"
    STALE = "stale"
    SUSPECT = "suspect"
    FAILED = "failed"
    PASSED = "passed"
    QUIESCENT = "quiescent"


BY_CHECK = frozenset({TriggerKind.FAILED, TriggerKind.PASSED})
"""Triggers that name a check; the component that was judged is the target."""

TESTER = "tester"
"""The role of those who run checks, and of those who judge by reading what no command can judge."""

CONFORMANCE = "conformance"
"""The check that every team has, and the source that runs it: files against what they implement and use."""

STARTS = "starts"
"""The check, and the source that runs it, of every team that builds code: the whole program imports and answers."""

OF_THE_LIBRARY = frozenset({CONFORMANCE, STARTS})
"""The checks that a team has without being asked; nobody but the library says how they end."""

DERIVED = frozenset({TriggerKind.STALE, TriggerKind.SUSPECT})
"""Triggers on consequences; the store finds the dependents, since no commit names them."""

EXCLUSIVE = frozenset({TriggerKind.REQUIRED, TriggerKind.STALE, TriggerKind.FAILED})
"""Triggers that ask for one author's work: while one member of a role works on the target, the others wait."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """One wish to be woken."""

    kind: TriggerKind
    pattern: str = "**"

    def __post_init__(self) -> None:
        if self.kind in BY_CHECK:
            check_name(self.pattern)
        elif self.kind is not TriggerKind.QUIESCENT:
            check_pattern(self.pattern)

    def fires(self, event: "Event") -> bool:
        """Say whether an event wakes this trigger."""
        if self.kind is not event.kind:
            return False
        if self.kind in BY_CHECK:
            return self.pattern == event.check
        return self.kind is TriggerKind.QUIESCENT or matches(self.pattern, event.key)

    def to_json(self) -> JSON:
        """Return the trigger as a JSON list of kind and pattern."""
        return [str(self.kind), self.pattern]

    @classmethod
    def from_json(cls, value: JSON) -> "Trigger":
        """Return the trigger that `to_json` gave."""
        match value:
            case [str(kind), str(pattern)]:
                return cls(TriggerKind(kind), pattern)
        raise InvalidTeam(f"{value!r} is no trigger", "write [kind, pattern]")


class Event(NamedTuple):
    """Something that happened to a key, as triggers see it."""

    kind: TriggerKind
    key: str
    check: str = ""


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """What the board knows of a knowledge source: enough for any process to fire its triggers."""

    name: str
    role: str
    triggers: tuple[Trigger, ...]
    external: bool = False
    check: str = ""
    """The check that the source runs; empty for others. `written` of anything that the check's input rests on wakes
    it too."""
    definition: str = ""
    """Digest of what the check does: with another one it is another source."""
    max_concurrency: int = 1
    retries: int = 3

    @property
    def key(self) -> str:
        """Return the key of the record."""
        return f"source/{self.name}"

    def fires(self, event: Event) -> bool:
        """Say whether an event wakes the source."""
        return any(trigger.fires(event) for trigger in self.triggers)

    def to_json(self) -> JSON:
        """Return the record as the value that stands on the board."""
        return {
            "role": self.role,
            "on": [trigger.to_json() for trigger in self.triggers],
            "external": self.external,
            "check": self.check,
            "definition": self.definition,
            "max_concurrency": self.max_concurrency,
            "retries": self.retries,
        }

    @classmethod
    def from_json(cls, name: str, value: Mapping[str, JSON]) -> "SourceRecord":
        """Return the record whose value stands on the board under `source/<name>`."""
        triggers: Sequence[JSON] = value["on"]  # type: ignore[assignment]
        return cls(
            name,
            str(value["role"]),
            tuple(Trigger.from_json(trigger) for trigger in triggers),
            external=bool(value["external"]),
            check=str(value["check"]),
            definition=str(value.get("definition", "")),
            max_concurrency=int(str(value["max_concurrency"])),
            retries=int(str(value["retries"])),
        )


@dataclass(slots=True)
class _Node:
    """The triggers whose patterns begin with the segments that lead here."""

    below: dict[str, "_Node"] = field(default_factory=dict)
    here: list[tuple[int, Trigger]] = field(default_factory=list)

    def add(self, segments: Sequence[str], entry: tuple[int, Trigger]) -> None:
        """Put a trigger at the end of its pattern's segments; from a `**` on, any may follow."""
        node = self
        for segment in segments:
            name = "**" if segment == "**" else "*" if "*" in segment else segment
            node = node.below.setdefault(name, _Node())
            if name == "**":
                break
        node.here.append(entry)

    def under(self, segments: Sequence[str]) -> Iterator[tuple[int, Trigger]]:
        """Yield the triggers whose patterns may name a key: all that do, and few others."""
        nodes = [self]
        for segment in [*segments, None]:
            for node in nodes:
                yield from node.below["**"].here if "**" in node.below else ()
            if segment is None:
                break
            nodes = [node.below[name] for node in nodes for name in (segment, "*") if name in node.below]
        for node in nodes:
            yield from node.here


class Recheck(NamedTuple):
    """Who gives verdicts on which components.

    Attributes:
        pattern: Of the components; "" for those whose tasks name its check.
        languages: `implements` or `uses` and a language; where there are any, only of those that stand so to a
            decision in one of these languages.
    """

    source: str
    pattern: str
    languages: tuple[str, ...] = ()


class TriggerTrie:
    """The triggers of some sources, kept so that an event finds those that it wakes without asking each source."""

    def __init__(self, sources: Sequence[SourceRecord]) -> None:
        self._names = [source.name for source in sources]
        self._by_pattern: dict[TriggerKind, _Node] = {}
        self._by_name: dict[tuple[TriggerKind, str], list[int]] = {}
        for number, source in enumerate(sources):
            for trigger in source.triggers:
                if trigger.kind in BY_CHECK or trigger.kind is TriggerKind.QUIESCENT:
                    name = trigger.pattern if trigger.kind in BY_CHECK else ""
                    self._by_name.setdefault((trigger.kind, name), []).append(number)
                else:
                    root = self._by_pattern.setdefault(trigger.kind, _Node())
                    root.add(trigger.pattern.split("/"), (number, trigger))

    def woken(self, events: Iterable[Event]) -> tuple[tuple[str, Event], ...]:
        """Return what `woken` returns."""
        if not self._names:
            return ()
        fired = tuple(events)
        found = {(source, number) for number, event in enumerate(fired) for source in self._fired_by(event)}
        return tuple((self._names[source], fired[number]) for source, number in sorted(found))

    def _fired_by(self, event: Event) -> Iterator[int]:
        yield from self._by_name.get((event.kind, event.check), ())
        root = self._by_pattern.get(event.kind)
        if root is not None:
            yield from (source for source, trigger in root.under(event.key.split("/")) if trigger.fires(event))


def woken(sources: Iterable[SourceRecord], events: Iterable[Event]) -> tuple[tuple[str, Event], ...]:
    """Return (source name, event) for each source that an event wakes, sources and events in the order given."""
    fired = tuple(events)
    return tuple((source.name, event) for source in sources for event in fired if source.fires(event))
