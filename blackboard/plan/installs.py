"""Acts of the store's own: the installation of a team, and the clock that notes a deadline."""

from typing import Any

from blackboard.choreography import moves
from blackboard.plan.builds import own_checkers, wakes_of
from blackboard.plan.decisions import decide, remove
from blackboard.plan.draft import Draft
from blackboard.plan.premises import is_shaken, listen
from blackboard.plan.view import registry_of
from blackboard.spec import keys
from blackboard.spec.canonical import JSON, parse_json
from blackboard.spec.changes import DeadlineRow, Decide, Install, Tick, WakesRow
from blackboard.spec.lifecycle import KeyState
from blackboard.spec.records import Reserved
from blackboard.spec.staleness import Freshness
from blackboard.spec.triggers import Event, SourceRecord, TriggerKind


def install(draft: Draft, act: Install) -> None:
    """Make the reserved keys those of the team, and wake its new sources for what stands already."""
    before = draft.registry.sources
    installed = draft.view.facts.reserved().values.get(keys.TEAM)
    values: dict[str, JSON] = {key: parse_json(body.text) for key, body in act.bodies.items() if keys.is_reserved(key)}
    draft.registry = registry_of(Reserved(values))
    for pattern in keys.RESERVED:
        for record in draft.view.keys(pattern):
            if record.current is not None and record.key not in act.bodies:
                remove(draft, draft.touch(record.key, "decision"), "the team was changed")
    for key in sorted(act.bodies):
        if key == keys.PROMPT and _has(draft, key) and not _is_changed(installed, values[keys.TEAM]):
            continue
        decide(draft, Decide(key, act.bodies[key]), installing=True)
    draft.view.installed = Reserved(values)
    fresh = [source for source in draft.registry.sources if source not in before]
    if fresh or before != draft.registry.sources:
        _join(draft, fresh)


def tick(draft: Draft, act: Tick) -> None:
    """Note that a deadline is due, unless it was moved or met meanwhile."""
    if draft.view.deadline(act.key, act.path) != (act.round, act.due):
        return
    draft.path = act.path
    draft.touch(act.key, "decision")
    draft.rows.append(DeadlineRow(act.key, act.path, 0, None))
    draft.note("ticked", act.key, act.round, None, reason=f"round {act.round} at {act.path}")
    draft.follow(moves.Due(act.key, act.path, act.round))


def _has(draft: Draft, key: str) -> bool:
    record = draft.view.key(key)
    return record is not None and record.current is not None


def _is_changed(installed: Any, team: Any) -> bool:  # noqa: ANN401 - JSON
    """Say whether the team's own prompt is another than at its last installation.

    An operator may have amended the decision meanwhile: that stays until the team's prompt changes.
    """
    return bool(installed) and installed.get("prompt") != team.get("prompt")


def _join(draft: Draft, fresh: list[SourceRecord]) -> None:
    """Wake sources that join for what stands: what they would have been woken for had they been there."""
    for record in draft.view.keys("**"):
        if keys.is_reserved(record.key):
            continue
        if record.kind == "component" and record.current is not None:
            draft.rows.append(WakesRow(record.key, wakes_of(draft, record.key)))
            joined = {source.name for source in fresh}.intersection(own_checkers(draft, record.key))
            draft.wakes.extend((name, record.key, str(TriggerKind.WRITTEN)) for name in sorted(joined))
        if record.kind == "decision" and record.current is not None:
            _listen_again(draft, record.key, record.current, {source.name for source in fresh})
        for event in _standing(draft, record.key, record.kind, record.state):
            draft.wakes.extend((source.name, event.key, str(event.kind)) for source in fresh if source.fires(event))


def _listen_again(draft: Draft, key: str, current: int, fresh: set[str]) -> None:
    """Let those who join be told when the premises of a decision break, and of what has broken already."""
    version = draft.view.version(key, current)
    told = set() if version is None else fresh & set(listen(draft, version))
    if told and is_shaken(draft, key, current):
        draft.wakes.extend((name, key, str(TriggerKind.STALE)) for name in sorted(told))


def _standing(draft: Draft, key: str, kind: str, state: KeyState) -> list[Event]:
    if kind == "component":
        return _standing_component(draft, key)
    events = []
    if draft.view.has_accepted(key):
        events.append(Event(TriggerKind.ACCEPTED, key))
    if draft.view.question(key) is not None:
        events.append(Event(TriggerKind.ASKED, key))
    if draft.view.proposed(key):
        events.append(Event(TriggerKind.PROPOSED, key))
    if state is KeyState.CONTESTED:
        events.append(Event(TriggerKind.CONTESTED, key))
    if state is KeyState.RETRACTED:
        events.append(Event(TriggerKind.RETRACTED, key))
    if not draft.view.has_accepted(key) and draft.view.needed(key):
        events.append(Event(TriggerKind.REQUIRED, key))
    return events


def _standing_component(draft: Draft, key: str) -> list[Event]:
    built = draft.view.built(key)
    if built is None:
        return [Event(TriggerKind.REQUIRED, key)] if draft.view.has_accepted(f"task/{key}") else []
    events = [Event(TriggerKind.WRITTEN, key)]
    if built.freshness in (Freshness.STALE, Freshness.ORPHANED):
        events.append(Event(TriggerKind.STALE, key))
    for check in draft.registry.checks:
        verdict = draft.view.verdict(check, key)
        if verdict is not None:
            events.append(Event(TriggerKind.PASSED if verdict.is_pass else TriggerKind.FAILED, key, check))
    return events
