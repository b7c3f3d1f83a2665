"""What a commit would do to those who depend on it: a plan, and nothing more."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from blackboard.errors import Refused
from blackboard.spec.canonical import digest
from blackboard.spec.changes import EffectRow, Intent, Plan, Refusal
from blackboard.spec.effects import Effect, Side
from blackboard.spec.inputs import BuiltComponent
from blackboard.spec.keys import matches
from blackboard.spec.records import KeyRecord, VersionRecord
from blackboard.spec.staleness import RANK, FacetHead, Freshness, PatternPin, Pin, of_component
from blackboard.store import gather, read
from blackboard.store.commit import broken_reads, in_the_way
from blackboard.store.facts import HeadFacts
from blackboard.store.opened import Store
from blackboard.store.premises import conflict
from blackboard.store.sqlite import Connection
from blackboard.store.statements import Statement

_LISTED = Statement("""
    SELECT k.key, p.pattern, pp.since FROM pattern_pin pp JOIN pattern p ON p.id = pp.pattern_id
    JOIN key k ON k.id = pp.component_id AND k.current_version = pp.component_version""")
_RESTING = Statement("""
    SELECT DISTINCT k.id, k.key, k.current_version AS version
    FROM json_each(:moved) m JOIN key d ON d.key = m.value JOIN pin p ON p.key_id = d.id
    JOIN key k ON k.id = p.component_id AND k.current_version = p.component_version AND k.kind = 'decision'
    WHERE k.key NOT IN (SELECT value FROM json_each(:moved))""")


@dataclass(frozen=True, slots=True)
class Impact:
    """What a commit would do.

    Attributes:
        stale, suspect, orphaned: Components that would become so, by key; also where only a constraint forbids it.
        decisions: Decisions that would become stale: what their authors read for them breaks, or goes.
        refused_by: Why it would be refused, None where it would not.
    """

    stale: tuple[str, ...] = ()
    suspect: tuple[str, ...] = ()
    orphaned: tuple[str, ...] = ()
    refused_by: Refused | None = None
    decisions: tuple[str, ...] = ()


def impact(store: Store, intent: Intent, planner: Callable[[HeadFacts, Intent], Plan | Refusal]) -> Impact:
    """Plan an intent at the head and say what would follow."""
    with store.database.reading() as on:
        facts = HeadFacts(on, store.kept)
        broken = broken_reads(on, intent)
        planned = planner(facts, intent)
        would = planned.otherwise if isinstance(planned, Refusal) else planned
        resting = {} if would is None else _resting(on, facts.revision, would)
        states = {} if would is None else _after(on, facts, would, resting)
    refused = planned.error if isinstance(planned, Refusal) else None
    if broken and (left := in_the_way(broken, planned)):
        refused = conflict(store, intent, left)
    worse = {key: found for key, found in sorted(states.items()) if key not in resting}
    broken_in = (Freshness.STALE, Freshness.ORPHANED)
    decisions = tuple(key for key in sorted(resting.keys() & states.keys()) if states[key] in broken_in)
    stale, suspect, orphaned = (
        tuple(key for key, found in worse.items() if found is state)
        for state in (Freshness.STALE, Freshness.SUSPECT, Freshness.ORPHANED)
    )
    return Impact(stale, suspect, orphaned, refused, decisions)


def changed_keys(
    store: Store, intent: Intent, planner: Callable[[HeadFacts, Intent], Plan | Refusal]
) -> tuple[str, ...]:
    """Plan an intent at the head and return the keys that it would change, sorted.

    Raises:
        Refused: It would be refused.
    """
    with store.database.reading() as on:
        planned = planner(HeadFacts(on, store.kept), intent)
    if isinstance(planned, Refusal):
        raise planned.error
    return tuple(sorted({change.key for change in planned.changes}))


def _resting(on: Connection, at: int, planned: Plan) -> dict[str, BuiltComponent]:
    """Return the decisions that rest on what the plan moves, and are not moved by it, as if they were components."""
    freshnesses = read.Freshnesses(on, at)
    found: dict[str, BuiltComponent] = {}
    for row in on.all(_RESTING, {"moved": json.dumps(planned.reshaped)}):
        pins, _ = read.built_against(on, row)
        found[row["key"]] = BuiltComponent(row["key"], row["version"], "", pins, (), freshnesses.of(row, pins, ()))
    return found


def _after(
    on: Connection, facts: HeadFacts, planned: Plan, resting: Mapping[str, BuiltComponent]
) -> dict[str, Freshness]:
    """Return component, or decision that rests on others -> its state after the plan, if it would become worse."""
    at = facts.revision
    new = _new_facets(facts, planned)
    effects = {(row.key, row.name, row.old_since): row for row in planned.rows if isinstance(row, EffectRow)}
    joined = [row.key for row in planned.rows if isinstance(row, KeyRecord) and row.member and row.current is not None]
    listed = _listed(on) if joined else {}
    built = {key: one for key, one in gather.components(on, at).items() if key not in planned.written}
    touched = {**built, **resting}
    heads: dict[str, Mapping[str, FacetHead]] = {}

    def head(key: str, name: str) -> FacetHead | None:
        if key not in heads:
            heads[key] = read.facet_heads(on, key, at)
        old = heads[key].get(name)
        if key not in new or (old is not None and old.digest == new[key].get(name)):
            return old
        return FacetHead(at + 1, new[key].get(name))

    def effect(pin: Pin, now: FacetHead) -> Effect | None:
        row = effects.get((pin.key, pin.name, pin.since))
        if now.since <= at or row is None:
            known = read.effect_of(on, pin, now)
            return None if known is None else Effect(known[pin.side is Side.IMPLEMENTS])
        return Effect(row.uses if pin.side is Side.USES else row.implements)

    def newest_member(pattern: str) -> int:
        return at + 1 if any(matches(pattern, key) for key in joined) else 0

    def state(one: BuiltComponent) -> Freshness:
        gone = {row.key for row in planned.rows if isinstance(row, KeyRecord) and row.current is None}
        patterns = listed.get(one.key, ())
        return of_component(
            [pin for pin in one.pins if pin.key in new],
            patterns,
            head=head,
            effect=effect,
            retracted=gone.__contains__,
            newest_member=newest_member,
            checked=one.checked,
        )

    after = {key: state(one) for key, one in touched.items()}
    return {key: found for key, found in after.items() if RANK[found] > RANK[touched[key].freshness]}


def _listed(on: Connection) -> dict[str, list[PatternPin]]:
    """Return component -> the patterns that its newest version listed."""
    found: dict[str, list[PatternPin]] = {}
    for row in on.all(_LISTED):
        found.setdefault(row["key"], []).append(PatternPin(row["pattern"], row["since"]))
    return found


def _new_facets(facts: HeadFacts, planned: Plan) -> dict[str, Mapping[str, str]]:
    """Return key -> facets of what is accepted after the plan, none where it is retracted, for keys that it moves."""
    bodies = {(row.key, row.version): row.body for row in planned.rows if isinstance(row, VersionRecord)}
    accepted = dict(planned.accepted)
    found: dict[str, Mapping[str, str]] = {}
    for key in planned.reshaped:
        standing = None if key not in accepted else facts.version(key, accepted[key])
        body = bodies.get((key, accepted.get(key, 0))) or (standing.body if standing is not None else None)
        facets = {} if body is None else body.facets
        found[key] = {**facets, "": digest(sorted(facets))} if body is not None else {}
    return found
