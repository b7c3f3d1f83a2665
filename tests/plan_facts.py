"""One moment of a board in dictionaries, for plans without a store, and a witness of what a plan asks."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from blackboard.contracts.bodies import body_of
from blackboard.contracts.language import Contract
from blackboard.spec import keys
from blackboard.spec.changes import Plan, SettleRow, Vote
from blackboard.spec.footprint import Footprint
from blackboard.spec.lifecycle import KeyState, State
from blackboard.spec.records import Body, KeyRecord, QuestionRecord, Reserved, VersionRecord
from blackboard.spec.staleness import Built, FacetHead, Pin


def body(value: object) -> Body:
    contract = value if isinstance(value, Contract) else Contract.value(value)
    return body_of(contract)


@dataclass
class Facts:
    """What `plan.view.Facts` asks, answered from dictionaries; `apply` writes a plan's rows into them."""

    revision: int = 0
    records: dict[str, KeyRecord] = field(default_factory=dict)
    versions: dict[tuple[str, int], VersionRecord] = field(default_factory=dict)
    cast: dict[tuple[str, int], dict[str, bool]] = field(default_factory=dict)
    questions: dict[str, QuestionRecord] = field(default_factory=dict)
    heads: dict[str, dict[str, FacetHead]] = field(default_factory=dict)
    bodies: dict[tuple[str, int], Body] = field(default_factory=dict)
    pins: dict[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    components: dict[str, Built] = field(default_factory=dict)
    positions: dict[tuple[str, str], Mapping] = field(default_factory=dict)
    evidence: dict[int, tuple[str, ...]] = field(default_factory=dict)
    values: Mapping = field(default_factory=dict)
    premised: dict[tuple[str, int], tuple[Pin, ...]] = field(default_factory=dict)

    def __post_init__(self):
        self._reserved = Reserved(self.values)

    def key(self, key):
        return self.records.get(key)

    def keys(self, pattern):
        return tuple(record for key, record in sorted(self.records.items()) if keys.matches(pattern, key))

    def count(self, template):
        named = (one for one in self.keys(template) if not keys.is_reserved(one.key))
        return sum(one.state is not KeyState.ABSENT for one in named)

    def accepted_under(self, pattern):
        found = (one.key for one in self.keys(pattern) if one.kind == "decision" and one.current is not None)
        return next(found, None)

    def version(self, key, version):
        return self.versions.get((key, version))

    def proposed(self, key):
        found = (one for (of, _), one in sorted(self.versions.items()) if of == key)
        return tuple(one for one in found if one.state is State.PROPOSED)

    def joint(self, joint):
        return tuple(one for _, one in sorted(self.versions.items()) if one.joint == joint)

    def votes(self, key, version):
        return self.cast.get((key, version), {})

    def former(self, key, digest):
        gone = (State.SUPERSEDED, State.RETRACTED)
        found = [one for (of, _), one in self.versions.items() if of == key and one.state in gone]
        return max((one.version for one in found if one.body.digest == digest), default=None)

    def question(self, key):
        return self.questions.get(key)

    def reserved(self):
        return self._reserved

    def head_facets(self, key):
        return self.heads.get(key, {})

    def pinned(self, key):
        return self.pins.get(key, ())

    def body_at(self, key, revision):
        found = [(at, one) for (of, at), one in self.bodies.items() if of == key and at <= revision]
        return max(found, key=lambda one: one[0])[1] if found else None

    def built(self, component):
        return self.components.get(component)

    def premises(self, key, version):
        return self.premised.get((key, version), ())

    def verdict(self, check, component):
        return None

    def position(self, key, path):
        return self.positions.get((key, path))

    def deadline(self, key, path):
        return None

    def needed(self, key):
        return frozenset()

    def naming(self, key):
        accepted = ((of, self.version(of, one.current)) for of, one in sorted(self.records.items()) if one.current)
        return tuple(of for of, one in accepted if of.startswith("constraint/") and f"names:{key}" in one.body.facets)

    def kinds(self, revision):
        return self.evidence.get(revision, ())

    def apply(self, plan: Plan) -> "Facts":
        """Return the moment after a plan."""
        after = replace(
            self,
            revision=self.revision + 1,
            records=dict(self.records),
            versions=dict(self.versions),
            cast={name: dict(votes) for name, votes in self.cast.items()},
            questions=dict(self.questions),
            heads={key: dict(heads) for key, heads in self.heads.items()},
            bodies=dict(self.bodies),
        )
        for row in plan.rows:
            match row:
                case KeyRecord():
                    unflagged = row._replace(moved=False, member=False, appeared=False)
                    after.records[row.key] = unflagged._replace(mod_revision=after.revision)
                case VersionRecord():
                    joint = None if row.joint is None else after.revision
                    after.versions[row.key, row.version] = row._replace(joint=joint, premises=None)
                case SettleRow():
                    record = after.versions[row.key, row.version]
                    after.versions[row.key, row.version] = record._replace(state=row.state, reason=row.reason)
                case Vote():
                    after.cast.setdefault((row.key, row.version), {})[row.author] = row.approve
                case QuestionRecord():
                    after.questions[row.key] = row
        for key, version in plan.accepted:
            accepted = after.versions[key, version].body
            current = after.records[key].current
            after.versions.update({at: one.with_current(current) for at, one in after.versions.items() if at[0] == key})
            after.bodies[key, after.revision] = accepted
            old = after.heads.get(key, {})
            after.heads[key] = {
                name: FacetHead(old[name].since, digest)
                if name in old and old[name].digest == digest
                else FacetHead(after.revision, digest)
                for name, digest in accepted.facets.items()
            }
        return after


BY_KEY = ("key", "version", "proposed", "votes", "former", "question", "head_facets", "body_at", "pinned", "position")
"""Questions whose first argument is the key that they are about."""


class Witness:
    """Facts that remember what they were asked, for comparison with the footprint that the plan admits to."""

    def __init__(self, facts) -> None:
        self._facts = facts
        self.revision = facts.revision
        self.keys_asked: set[str] = set()
        self.patterns_asked: set[str] = set()
        self.counted: set[str] = set()

    def __getattr__(self, name):
        honest = getattr(self._facts, name)

        def ask(*arguments):
            answer = honest(*arguments)
            self._note(name, arguments, answer)
            return answer

        return ask

    def _note(self, name, arguments, answer):  # noqa: C901 - a table of questions
        if name in (*BY_KEY, "deadline", "needed"):
            self.keys_asked.add(arguments[0])
        match name:
            case "keys":
                self.patterns_asked.add(arguments[0])
            case "count":
                self.counted.add(arguments[0])
            # What shows that one is accepted shows it as long as it is; where none does, any new one matters.
            case "accepted_under" if answer is None:
                self.patterns_asked.add(arguments[0])
            case "accepted_under":
                self.keys_asked.add(answer)
            case "reserved":
                self.patterns_asked.update(keys.RESERVED)
            case "needed":
                self.patterns_asked.add("task/**")
            case "joint":
                self.keys_asked.update(one.key for one in answer)
            case "verdict":
                self.keys_asked.add(arguments[1])
            case "premises":
                self.keys_asked |= {arguments[0], *(pin.key for pin in answer)}
            case "built":
                self.keys_asked.add(arguments[0])
                if answer is not None:
                    self.keys_asked.update(pin.key for pin in answer.pins)
                    self.patterns_asked.update(listed.pattern for listed in answer.patterns)

    def missed_by(self, footprint: Footprint) -> set[str]:
        """Return what was asked and is not in a footprint."""
        keys_missed = {key for key in self.keys_asked if not footprint.touched_by([key])}
        rooms_missed = self.counted - {room.template for room in footprint.rooms}
        return keys_missed | (self.patterns_asked - footprint.patterns) | rooms_missed
