"""What wakes a source: a kind of event and a pattern over its subject.

`failed` and `passed` name a check instead of keys; `quiescent` names nothing. The target of the activation is the
key that the event is about: a decision's, a component's, or the source's own for `quiescent`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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

UNPATTERNED = BY_CHECK | {TriggerKind.QUIESCENT}
"""Triggers whose text is no pattern over keys."""

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


class Recheck(NamedTuple):
    """Who gives verdicts on which components.

    Attributes:
        pattern: Of the components; "" for those whose tasks name its check.
        languages: `implements` or `uses` and a language; where there are any, only components count that implement or
            use a decision in one of these languages.
    """

    source: str
    pattern: str
    languages: tuple[str, ...] = ()


class TriggerIndex:
    """The triggers of some sources by what they may fire on, so that the cost of an event does not grow with them."""

    def __init__(self, sources: Sequence[SourceRecord]) -> None:
        self._names = [source.name for source in sources]
        self._triggers: dict[tuple[TriggerKind, str], list[tuple[int, Trigger]]] = {}
        for number, source in enumerate(sources):
            for trigger in source.triggers:
                folder = trigger.pattern.partition("*")[0].rstrip("/") if trigger.kind not in UNPATTERNED else ""
                self._triggers.setdefault((trigger.kind, folder), []).append((number, trigger))

    def woken(self, events: Iterable[Event]) -> tuple[tuple[str, Event], ...]:
        """Return (source name, event) for each source that an event wakes, sources and events in the order given."""
        if not self._names:
            return ()
        fired = tuple(events)
        found = {(source, number) for number, event in enumerate(fired) for source in self._woken_by(event)}
        return tuple((self._names[source], fired[number]) for source, number in sorted(found))

    def _woken_by(self, event: Event) -> Iterator[int]:
        segments = event.key.split("/")
        for depth in range(len(segments) + 1):
            folder = "/".join(segments[:depth])
            for source, trigger in self._triggers.get((event.kind, folder), ()):
                if trigger.fires(event):
                    yield source
