"""Acts of the store's own: the installation of a team, and the clock that notes a deadline."""

from collections.abc import Iterator
from typing import Any

from blackboard.choreography import moves
from blackboard.plan.builds import own_checkers, wakes_of
from blackboard.plan.decisions import decide, remove
from blackboard.plan.draft import Draft
from blackboard.plan.premises import is_broken, note_stale_listeners
from blackboard.plan.view import registry_of
from blackboard.spec import keys
from blackboard.spec.canonical import JSON, parse_json
from blackboard.spec.changes import DeadlineRow, Decide, Install, Tick, WakesRow
from blackboard.spec.lifecycle import KeyState
from blackboard.spec.records import KeyRecord, Reserved
from blackboard.spec.staleness import Freshness
from blackboard.spec.triggers import Event, SourceRecord, TriggerIndex, TriggerKind


def install(draft: Draft, act: Install) -> None:
    """Make the reserved keys those of the team, and create the activations that its new sources missed."""
    before = draft.registry.sources
    installed: Any = draft.view.facts.reserved().values.get(keys.TEAM)
    values: dict[str, JSON] = {key: parse_json(body.text) for key, body in act.bodies.items() if keys.is_reserved(key)}
    team: Any = values[keys.TEAM]
    draft.registry = registry_of(Reserved(values))
    for pattern in keys.RESERVED:
        for record in draft.view.keys(pattern):
            if record.current is not None and record.key not in act.bodies:
                remove(draft, draft.touch(record.key), "the team was changed")
    # An operator may have amended the prompt: that stays until the team's own prompt changes.
    is_same_prompt = not installed or installed.get("prompt") == team.get("prompt")
    keeps_prompt = is_same_prompt and draft.view.has_accepted(keys.PROMPT)
    for key in sorted(act.bodies):
        if key != keys.PROMPT or not keeps_prompt:
            decide(draft, Decide(key, act.bodies[key]), installing=True)
    draft.view.installed = Reserved(values)
    new = [source for source in draft.registry.sources if source not in before]
    if new or before != draft.registry.sources:
        _replay_current_state(draft, new)


def tick(draft: Draft, act: Tick) -> None:
    """Note that a deadline is due, unless it was moved or disarmed meanwhile."""
    if draft.view.deadline(act.key, act.path) != (act.round, act.due):
        return
    draft.path = act.path
    draft.touch(act.key)
    draft.rows.append(DeadlineRow(act.key, act.path, 0, None))
    draft.note("ticked", act.key, act.round, None, reason=f"round {act.round} at {act.path}")
    draft.follow(moves.Due(act.key, act.path, act.round))


def _replay_current_state(draft: Draft, new: list[SourceRecord]) -> None:
    """Create the activations that newly registered sources would have now, had they been there from the start."""
    names, triggers = {source.name for source in new}, TriggerIndex(new)
    for record in draft.view.keys("**"):
        if keys.is_reserved(record.key):
            continue
        if record.kind == "component" and record.current is not None:
            draft.rows.append(WakesRow(record.key, wakes_of(draft, record.key)))
            checkers = sorted(names.intersection(own_checkers(draft, record.key)))
            draft.wakes.extend((name, record.key, str(TriggerKind.WRITTEN)) for name in checkers)
        version = draft.view.current_version(record.key)
        if version is not None:
            listeners = sorted(names.intersection(note_stale_listeners(draft, version)))
            if listeners and is_broken(draft, record.key, version.version):
                draft.wakes.extend((name, record.key, str(TriggerKind.STALE)) for name in listeners)
        events = _component_events(draft, record.key) if record.kind == "component" else _decision_events(draft, record)
        draft.wakes.extend((name, event.key, str(event.kind)) for name, event in triggers.woken(events))


def _decision_events(draft: Draft, record: KeyRecord) -> Iterator[Event]:
    """Yield the events whose effects are still to be seen in a decision."""
    key, view = record.key, draft.view
    is_accepted = view.has_accepted(key)
    found = {
        TriggerKind.ACCEPTED: is_accepted,
        TriggerKind.ASKED: view.asked(key),
        TriggerKind.PROPOSED: bool(view.proposed(key)),
        TriggerKind.CONTESTED: record.state is KeyState.CONTESTED,
        TriggerKind.RETRACTED: record.state is KeyState.RETRACTED,
        TriggerKind.REQUIRED: not is_accepted and bool(view.needed(key)),
    }
    return (Event(kind, key) for kind, holds in found.items() if holds)


def _component_events(draft: Draft, key: str) -> Iterator[Event]:
    """Yield the events whose effects are still to be seen in a component."""
    built = draft.view.built(key)
    if built is None:
        if draft.view.has_accepted(f"task/{key}"):
            yield Event(TriggerKind.REQUIRED, key)
        return
    yield Event(TriggerKind.WRITTEN, key)
    if built.freshness in (Freshness.STALE, Freshness.ORPHANED):
        yield Event(TriggerKind.STALE, key)
    for check in draft.registry.checks:
        verdict = draft.view.verdict(check, key)
        if verdict is not None:
            yield Event(TriggerKind.PASSED if verdict.is_pass else TriggerKind.FAILED, key, check)
