"""What wakes a source: a kind of event, and a pattern over its key.

`failed` and `passed` name a check instead of a pattern; `quiescent` names nothing. The target of the activation is the
key of the event; for `quiescent`, that of the source.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

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
"""The role of sources that give verdicts, by running checks or by reading."""

CONFORMANCE = "conformance"
"""The check that every team has, and its source: files agree with the contracts that they implement and use."""

STARTS = "starts"
"""The check of every team that builds code, and its source: the whole program imports and answers."""

OF_THE_LIBRARY = frozenset({CONFORMANCE, STARTS})
"""The checks that every team has; only the library gives their verdicts."""

DERIVED = frozenset({TriggerKind.STALE, TriggerKind.SUSPECT})
"""Triggers on staleness; the store finds the dependents, since no commit names them."""

EXCLUSIVE = frozenset({TriggerKind.REQUIRED, TriggerKind.STALE, TriggerKind.FAILED})
"""Triggers for work of one author: while one member of a role works on the target, the others wait."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """The kind of event and the pattern that wake a source."""

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
    def from_json(cls, value: Sequence[str]) -> "Trigger":
        """Return the trigger that `to_json` gave."""
        kind, pattern = value
        return cls(TriggerKind(kind), pattern)


_SAME_IN_JSON = ("external", "check", "definition", "max_concurrency", "retries")


class Event(NamedTuple):
    """Something that happened to a key and may wake sources."""

    kind: TriggerKind
    key: str
    check: str = ""


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """What the board knows of a knowledge source: enough for any process to fire its triggers.

    Attributes:
        check: The check that the source runs, "" for others; a new version of any input of the check wakes it too.
        definition: Digest of what the check does: with another one it is another source.
    """

    name: str
    role: str
    triggers: tuple[Trigger, ...]
    external: bool = False
    check: str = ""
    definition: str = ""
    max_concurrency: int = 1
    retries: int = 3

    def to_json(self) -> JSON:
        """Return the record as the value of `source/<name>`."""
        others = {name: getattr(self, name) for name in _SAME_IN_JSON}
        return {"role": self.role, "on": [trigger.to_json() for trigger in self.triggers], **others}

    @classmethod
    def from_json(cls, name: str, value: Mapping[str, Any]) -> "SourceRecord":
        """Return the record whose value is that of `source/<name>`."""
        others = {field: value[field] for field in _SAME_IN_JSON if field in value}
        return cls(name, value["role"], tuple(Trigger.from_json(trigger) for trigger in value["on"]), **others)


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
