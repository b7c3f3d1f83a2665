"""What rules may ask of a board, with a record of everything that they asked.

Rules never declare what they depend on: `View` writes it down for them, whether the answer comes from a store, from
a dict in a test, or from what the same plan has just written.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from blackboard.choreography import moves
from blackboard.choreography.steps import Choreography
from blackboard.contracts.constraint import PREFIX
from blackboard.spec import keys
from blackboard.spec.canonical import JSON
from blackboard.spec.footprint import Footprint, Room
from blackboard.spec.lifecycle import KeyState, State
from blackboard.spec.records import Body, KeyRecord, QuestionRecord, Reserved, VersionRecord
from blackboard.spec.staleness import Built, FacetHead, Freshness, Judged, Pin
from blackboard.spec.triggers import TESTER, Recheck, SourceRecord, TriggerIndex, TriggerKind


class Facts(Protocol):
    """One moment of a board. Unknown keys answer None or nothing; nothing here is recorded."""

    revision: int

    def key(self, key: str) -> KeyRecord | None:
        """Return the record of a key that exists."""

    def keys(self, pattern: str) -> tuple[KeyRecord, ...]:
        """Return the records under a pattern, by key."""

    def count(self, template: str) -> int:
        """Return how many keys under a template are not absent, without those that `install` writes."""

    def accepted_under(self, pattern: str) -> str | None:
        """Return the first key under a pattern that has an accepted decision."""

    def version(self, key: str, version: int) -> VersionRecord | None:
        """Return one version."""

    def proposed(self, key: str) -> tuple[VersionRecord, ...]:
        """Return the versions that are proposed and not settled, oldest first."""

    def joint(self, joint: int) -> tuple[VersionRecord, ...]:
        """Return the versions of one joint proposal, by key."""

    def votes(self, key: str, version: int) -> Mapping[str, bool]:
        """Return author -> yes."""

    def former(self, key: str, digest: str) -> int | None:
        """Return a version that was accepted with this digest and is so no longer."""

    def question(self, key: str) -> QuestionRecord | None:
        """Return the open question."""

    def reserved(self) -> Reserved:
        """Return the values that `install` wrote; the same object while they are the same."""

    def head_facets(self, key: str) -> Mapping[str, FacetHead]:
        """Return facet name -> head, removed ones included, "" for the set of names."""

    def pinned(self, key: str) -> tuple[tuple[str, int], ...]:
        """Return the (facet name, since) that current components, and decisions that are or may become, pin."""

    def body_at(self, key: str, revision: int) -> Body | None:
        """Return the version that was accepted at a revision."""

    def built(self, component: str) -> Built | None:
        """Return the component's newest version."""

    def premises(self, key: str, version: int) -> tuple[Pin, ...]:
        """Return what a version of a decision relies on."""

    def verdict(self, check: str, component: str) -> Judged | None:
        """Return the newest verdict on the component's newest version."""

    def position(self, key: str, path: str) -> Mapping[str, JSON] | None:
        """Return a stored position of the choreography."""

    def deadline(self, key: str, path: str) -> tuple[int, float] | None:
        """Return the round and the store time of the armed deadline."""

    def needed(self, key: str) -> frozenset[str]:
        """Return the components whose accepted tasks name the decision."""

    def naming(self, key: str) -> tuple[str, ...]:
        """Return the keys of the accepted constraints whose expression names a key."""

    def kinds(self, revision: int) -> tuple[str, ...]:
        """Return the kinds of the changes of a commit (`ruled` for what an operator accepted), nothing without one."""


class Registry(NamedTuple):
    """What `install` wrote, parsed. No team: `choreography` is None and everybody may do everything.

    Attributes:
        roles: Role -> the names of its members, sorted.
        checks: Check -> pattern of the components that have to pass it.
        languages: Check -> `implements` or `uses` and a language, for checks that only components pass which implement
            or use a decision in one of these languages; none for a check of the whole program, which no commit wakes.
        refuses_undeclared: Whether code that relies on facets which its author did not read is refused.
        rechecks: The sources that give verdicts: woken for what depends on a component that is written.
    """

    choreography: Choreography | None
    sources: tuple[SourceRecord, ...]
    roles: Mapping[str, list[str]]
    checks: Mapping[str, str]
    languages: Mapping[str, tuple[str, ...]]
    refuses_undeclared: bool
    triggers: TriggerIndex
    rechecks: tuple[Recheck, ...]

    def roles_of(self, author: str) -> tuple[str, ...]:
        """Return the roles that an author is a member of."""
        return tuple(role for role, members in self.roles.items() if author in members)


@lru_cache(maxsize=16)
def registry_of(reserved: Reserved) -> Registry:
    """Return the parsed form of what `install` wrote."""
    values: Mapping[str, Any] = reserved.values
    team: Any = values.get(keys.TEAM) or {}
    team_checks = team.get("checks", {})
    checks = {name: check["on"] for name, check in team_checks.items()}
    languages = {name: tuple(check["languages"]) for name, check in team_checks.items() if "languages" in check}
    sources: list[SourceRecord] = []
    roles: dict[str, list[str]] = {}
    for key, value in sorted(values.items()):
        folder, _, name = key.partition("/")
        if folder == "source":
            sources.append(SourceRecord.from_json(name, value))
        elif folder == "member":
            for role in value["roles"]:
                roles.setdefault(role, []).append(name)
    return Registry(
        Choreography.from_json(team["choreography"]) if team else None,
        tuple(sources),
        roles,
        checks,
        languages,
        team.get("undeclared_use") == "refuse",
        TriggerIndex(sources),
        tuple(recheck for source in sources for recheck in _rechecks(source, checks, languages)),
    )


def _rechecks(
    source: SourceRecord, checks: Mapping[str, str], languages: Mapping[str, tuple[str, ...]]
) -> Iterator[Recheck]:
    """Yield which components a source gives verdicts on."""
    if source.check and languages.get(source.check) != ():
        yield Recheck(source.name, checks.get(source.check, ""), languages.get(source.check, ()))
    elif source.role == TESTER:
        written = (trigger for trigger in source.triggers if trigger.kind is TriggerKind.WRITTEN)
        yield from (Recheck(source.name, trigger.pattern) for trigger in written)


class View:
    """A board as a plan sees it: the facts, what the plan itself wrote over them, and the footprint."""

    # No dataclass: one is made for each commit, and each field that begins empty would cost three times as much.
    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.written: dict[str, KeyRecord] = {}
        self.versions: dict[tuple[str, int], VersionRecord] = {}
        self.cast: dict[tuple[str, int], dict[str, bool]] = {}
        self.questions: dict[str, QuestionRecord | None] = {}
        self.positions: dict[tuple[str, str], Mapping[str, JSON]] = {}
        self.verdicts: dict[tuple[str, str], Judged] = {}
        self.rebuilt: dict[str, Built] = {}
        self.installed: Reserved | None = None
        self._keys: set[str] = set()
        self._patterns: set[str] = set()
        self._rooms: set[Room] = set()

    @property
    def footprint(self) -> Footprint:
        """Everything that was asked so far."""
        return Footprint(frozenset(self._keys), frozenset(self._patterns), frozenset(self._rooms))

    def registry(self) -> Registry:
        """Return the installed team."""
        self._patterns.update(keys.RESERVED)
        return registry_of(self.installed or self.facts.reserved())

    def merges(self, key: str) -> bool:
        """Say whether the team has two texts of a decision that touch different facets become one."""
        return moves.merges(self.registry().choreography, key)

    def key(self, key: str) -> KeyRecord | None:
        """Return a key's record."""
        self._keys.add(key)
        return self.written.get(key) or self.facts.key(key)

    def version(self, key: str, version: int) -> VersionRecord | None:
        """Return one version."""
        self._keys.add(key)
        return self.versions.get((key, version)) or self.facts.version(key, version)

    def current_version(self, key: str) -> VersionRecord | None:
        """Return the accepted version of a decision."""
        record = self.key(key)
        return None if record is None or not _is_accepted(record) else self.version(key, record.current or 0)

    def proposed(self, key: str) -> tuple[VersionRecord, ...]:
        """Return the versions that are proposed and not settled, oldest first."""
        self._keys.add(key)
        own = [record for (of, _), record in self.versions.items() if of == key and record.state is State.PROPOSED]
        # The plan may have moved some of them to another state.
        others = (one for one in self.facts.proposed(key) if (key, one.version) not in self.versions)
        return (*others, *own)

    def joint(self, record: VersionRecord) -> tuple[VersionRecord, ...]:
        """Return the versions that are accepted together with this one, itself included."""
        if record.joint is None:
            return (record,)
        known = self.facts.joint(record.joint)
        self._keys.update(other.key for other in known)
        return tuple(self.versions.get((other.key, other.version), other) for other in known) or (record,)

    def votes(self, key: str, version: int) -> Mapping[str, bool]:
        """Return author -> yes."""
        self._keys.add(key)
        return {**self.facts.votes(key, version), **self.cast.get((key, version), {})}

    def former(self, key: str, digest: str) -> int | None:
        """Return a version that was accepted with this digest and is so no longer."""
        self._keys.add(key)
        return self.facts.former(key, digest)

    def question(self, key: str) -> QuestionRecord | None:
        """Return the open question."""
        self._keys.add(key)
        return self.questions[key] if key in self.questions else self.facts.question(key)

    def head_facets(self, key: str) -> Mapping[str, FacetHead]:
        """Return facet name -> head."""
        self._keys.add(key)
        return self.facts.head_facets(key)

    def built(self, component: str) -> Built | None:
        """Return the component's newest version; its freshness depends on everything that it pins."""
        self._keys.add(component)
        built = self.rebuilt.get(component) or self.facts.built(component)
        if built is not None:
            self._keys.update(pin.key for pin in built.pins)
            self._patterns.update(pinned.pattern for pinned in built.patterns)
        return built

    def premises(self, key: str, version: int) -> tuple[Pin, ...]:
        """Return what a version of a decision relies on."""
        self._keys.add(key)
        own = self.versions.get((key, version))
        found = self.facts.premises(key, version) if own is None or own.premises is None else own.premises
        self._keys.update(pin.key for pin in found)
        return found

    def verdict(self, check: str, component: str) -> Judged | None:
        """Return the newest verdict on the newest version."""
        self._keys.add(component)
        if (check, component) in self.verdicts:
            return self.verdicts[check, component]
        return None if component in self.rebuilt else self.facts.verdict(check, component)

    def deadline(self, key: str, path: str) -> tuple[int, float] | None:
        """Return the round and the store time of the armed deadline."""
        self._keys.add(key)
        return self.facts.deadline(key, path)

    def needed(self, key: str) -> frozenset[str]:
        """Return the components whose accepted tasks name the decision."""
        # Only tasks name decisions, and only while they are accepted.
        self._patterns.add("task/**")
        return self.facts.needed(key)

    def naming(self, key: str) -> tuple[str, ...]:
        """Return the keys of the constraints, accepted before this plan, whose expression names a key."""
        self._patterns.add(f"{PREFIX}**")
        return self.facts.naming(key)

    def keys(self, pattern: str) -> tuple[KeyRecord, ...]:
        """Return the records under a pattern, by key."""
        self._patterns.add(pattern)
        found = {record.key: record for record in self.facts.keys(pattern)}
        found.update({key: record for key, record in self.written.items() if keys.matches(pattern, key)})
        return tuple(found[key] for key in sorted(found))

    # --- what the choreography asks (moves.BoardState) ---

    def state(self, key: str) -> str | None:
        """Return the state of a key, None where it is absent."""
        record = self.key(key)
        return None if record is None or record.state is KeyState.ABSENT else str(record.state)

    def asked(self, key: str) -> bool:
        """Say whether a question is open."""
        return self.question(key) is not None

    def live(self, key: str) -> tuple[int, ...]:
        """Return the versions that are proposed and not settled."""
        return tuple(record.version for record in self.proposed(key))

    def has_accepted(self, key: str) -> bool:
        """Say whether a version is accepted."""
        record = self.key(key)
        return record is not None and _is_accepted(record)

    def current(self, component: str) -> bool:
        """Say whether the component exists and nothing that it pins broke."""
        built = self.built(component)
        return built is not None and built.freshness is Freshness.CURRENT

    def passed(self, check: str, component: str) -> bool:
        """Say whether the newest verdict on the newest version is a pass."""
        verdict = self.verdict(check, component)
        return verdict is not None and verdict.is_pass

    def position(self, key: str, path: str) -> Mapping[str, JSON] | None:
        """Return a stored position."""
        self._keys.add(key)
        return self.positions.get((key, path)) or self.facts.position(key, path)

    def room(self, template: str, at_most: int) -> bool:
        """Say whether fewer keys than so many exist under a template, those that `install` writes not counted.

        Only the answer goes into the footprint: another commit may add keys under the template while there is room.
        """
        count = self.facts.count(template)
        limit = at_most - len(self.written)
        if count >= limit:
            limit = at_most - sum(keys.matches(template, key) and self._is_added(key) for key in self.written)
        self._rooms.add(Room(template, limit, count < limit))
        return count < limit

    def _is_added(self, key: str) -> bool:
        before = self.facts.key(key)
        is_new = before is None or before.state is KeyState.ABSENT
        return is_new and self.written[key].state is not KeyState.ABSENT and not keys.is_reserved(key)

    def any_accepted(self, pattern: str) -> bool:
        """Say whether some decision under a pattern is accepted; the footprint has only the first that is."""
        if any(_is_accepted(record) and keys.matches(pattern, key) for key, record in self.written.items()):
            return True
        first = self.facts.accepted_under(pattern)
        if first is not None and first not in self.written:
            self._keys.add(first)
            return True
        return any(map(_is_accepted, self.keys(pattern)))

    # --- what the plan writes over the facts ---

    def put(self, record: KeyRecord, **changed: Any) -> KeyRecord:  # noqa: ANN401 - the fields of a record
        """Note a key's new state and return it."""
        put = self.written[record.key] = record._replace(**changed)
        return put


def _is_accepted(record: KeyRecord) -> bool:
    return record.kind == "decision" and record.current is not None
