"""Acts on components: write and judge, and what follows from each."""

from collections.abc import Iterable, Mapping
from typing import Any

from blackboard.choreography import moves
from blackboard.choreography.values import OPERATOR
from blackboard.contracts.bodies import contract_of
from blackboard.errors import IllegalTransition, InvalidKey, InvalidTeam, NotPermitted
from blackboard.plan.draft import Draft
from blackboard.spec import keys
from blackboard.spec.canonical import JSON, digest
from blackboard.spec.changes import OBSERVED, ComponentRow, Judge, Observe, WakesRow, Write
from blackboard.spec.lifecycle import KeyState
from blackboard.spec.records import Body, KeyRecord
from blackboard.spec.staleness import Built, Freshness, Judged, PatternPin, Pin
from blackboard.spec.triggers import DERIVED, Event, TriggerKind


def write(draft: Draft, act: Write) -> None:
    """Add a version of a component; the same files on the same premises are no change."""
    key = act.component
    if keys.is_reserved(key):
        raise InvalidKey(key, "only the installation of a team writes it; name the component otherwise")
    before = draft.view.built(key)
    pins = _at_head(draft, act.pins)
    files = digest({path: blob for path, (blob, _) in act.files.items()})
    same_premises = before is not None and _compared(before.pins, before.patterns) == _compared(pins, act.patterns)
    if before is not None and same_premises and before.digest == files and before.freshness is Freshness.CURRENT:
        return
    draft.permit("write", key)
    _require_premises(draft, key)
    _require_declared(draft, key, pins)
    record = draft.touch(key, "component")
    if record.kind != "component":
        raise InvalidKey(key, "it names a decision; a component needs another key")
    draft.require_read(record)
    version = record.last_version + 1
    row = ComponentRow(key, version, draft.intent.author, draft.role, files, act.files, pins, act.patterns)
    _add(draft, record, row, Freshness.CURRENT)
    if record.current is None:
        # Which checks it has to pass depends on its pins, so only now.
        draft.rows.append(WakesRow(key, wakes_of(draft, key)))
    draft.settled.append((key, ("required", "stale", "suspect", "failed")))
    draft.follow(moves.Written(key, same_premises))


def observe(draft: Draft, act: Observe) -> None:
    """Add a version of a component with the same files and the pins that this commit shows its code to rely on.

    The component has to be written again, so the new pins have no value, where it is not known which value its author
    built against, or where the team refuses what was not read.
    """
    before = draft.view.built(act.component)
    record = draft.touch(act.component, "component")
    if before is None:
        return
    lost_patterns = before.freshness in (Freshness.STALE, Freshness.ORPHANED) and act.patterns
    is_unread = draft.registry.refuses_undeclared or bool(lost_patterns)
    known = {(pin.key, pin.name, pin.side) for pin in before.pins}
    pins = tuple(
        pin._replace(since=0, digest="") if is_unread and (pin.key, pin.name, pin.side) not in known else pin
        for pin in _at_head(draft, act.pins)
    )
    version, draft.path = record.last_version + 1, OBSERVED
    row = ComponentRow(act.component, version, act.author, act.role, before.digest, act.files, pins, act.patterns)
    has_to_be_rewritten = any(pin.observed and not pin.digest for pin in pins)
    _add(draft, record, row, Freshness.STALE if has_to_be_rewritten else before.freshness)
    if has_to_be_rewritten:
        draft.happen(TriggerKind.STALE, act.component)


def _add(draft: Draft, record: KeyRecord, row: ComponentRow, freshness: Freshness) -> None:
    draft.rows.append(row)
    draft.put(record, state=KeyState.WRITTEN, last_version=row.version, current=row.version, digest=row.digest)
    draft.view.rebuilt[row.key] = Built(row.version, row.digest, freshness, row.pins, row.patterns)
    draft.note("written", row.key, row.version, row.content())
    draft.happen(TriggerKind.WRITTEN, row.key)
    draft.written.append(row.key)


def judge(draft: Draft, act: Judge) -> None:
    """Record a verdict on a component's newest version; the same verdict on the same inputs is no change."""
    checks = draft.registry.checks
    if draft.registry.choreography is not None and act.check not in checks:
        raise InvalidTeam(f"the team has no check {act.check!r}", f"use one of {', '.join(sorted(checks)) or 'none'}")
    built = draft.view.built(act.component)
    if built is None or built.version != act.version:
        state = "absent" if built is None else f"at version {built.version}"
        raise IllegalTransition(act.component, state, f"a verdict on version {act.version}")
    known = draft.view.verdict(act.check, act.component)
    if known is not None and (known.passed, known.inputs) == (act.passed, act.inputs):
        return
    if (act.check, act.component) in draft.view.verdicts:
        verdict = f"the verdict of {act.check} on {act.component}"
        raise IllegalTransition(verdict, "made", "another one in the same commit")
    _permit_verdict(draft, act)
    draft.touch(act.component, "component")
    judged = Judged(act.passed, act.inputs, draft.view.facts.revision + 1).after(known)
    settles = not (judged.passed and judged.flaky) and _settles(draft, act, built)
    row = act._replace(author=draft.intent.author, settles=settles)
    draft.rows.append(row)
    draft.view.verdicts[act.check, act.component] = judged
    draft.note("judged", act.component, act.version, row.content())
    if settles:
        _end_suspicion(draft, act, built)
    kind = TriggerKind.PASSED if judged.is_pass else TriggerKind.FAILED
    draft.happen(kind, act.component, act.check)
    draft.follow(moves.Judged(act.component, act.check, judged.is_pass))


def _permit_verdict(draft: Draft, act: Judge) -> None:
    """Let whoever has the right judge; the checks of the library are judged by its own sources alone, in every team."""
    if act.check not in draft.registry.languages:
        draft.permit("check", act.component, act.check)
    elif draft.intent.author != act.check:
        raise NotPermitted(f"{draft.intent.author} checks {act.check} on {act.component}", (), (act.check,))


def _settles(draft: Draft, act: Judge, built: Built) -> bool:
    """Say whether a verdict ends the suspicion of a component: a failure, or a pass after which all checks have passed.

    A pass counts if it is not older than the newest change of a pinned facet: its inputs were validated with it.
    """
    if built.freshness is not Freshness.SUSPECT:
        return False
    if not act.passed:
        return True
    changed = 0
    for pin in built.pins:
        head = draft.view.head_facets(pin.key).get(pin.name)
        if head is not None and head.digest != (pin.digest or None):
            changed = max(changed, head.since)
    registry, component = draft.registry, act.component
    of_team = {check for check, pattern in registry.checks.items() if keys.matches(pattern, component)}
    required = (of_team - registry.languages.keys()) | set(_own_checks(draft, component))
    others = (draft.view.verdict(check, component) for check in required - {act.check})
    return all(one is not None and one.is_pass and one.revision >= changed for one in others)


def _end_suspicion(draft: Draft, act: Judge, built: Built) -> None:
    freshness = Freshness.CURRENT if act.passed else Freshness.STALE
    draft.view.rebuilt[act.component] = built._replace(freshness=freshness)
    draft.settled.append((act.component, ("suspect", "stale") if act.passed else ("suspect",)))
    if not act.passed:
        draft.happen(TriggerKind.STALE, act.component)


def _own_checks(draft: Draft, component: str) -> list[str]:
    """Return the checks of a component that its task names, or that the language of a pinned contract asks for."""
    task = _task_of(draft, component)
    own = [] if task is None else [str(check) for check in _fields(task)["checks"]]
    by_language = draft.registry.languages
    pinned = _languages(draft, component) if by_language else frozenset()
    return [*own, *(check for check, languages in by_language.items() if not pinned.isdisjoint(languages))]


def _languages(draft: Draft, component: str) -> frozenset[str]:
    """Return `implements` or `uses` with the language of each decision that a component implements or uses."""
    built = draft.view.built(component)
    pinned = {(pin.side, pin.key) for pin in built.pins} if built is not None else ()
    found = ((side, draft.view.current_version(key)) for side, key in pinned)
    return frozenset(f"{side} {version.body.language}" for side, version in found if version is not None)


def own_checkers(draft: Draft, component: str) -> list[str]:
    """Return the sources that run the checks of a component that no pattern of the team asks for."""
    own = _own_checks(draft, component)
    return [source.name for source in draft.registry.sources if source.check in own]


def wakes_of(draft: Draft, component: str) -> tuple[tuple[str, str], ...]:
    """Return (source, kind) of the sources that are woken when the component becomes stale or suspect."""
    events = [Event(kind, component) for kind in sorted(DERIVED)]
    subscribed = [(source, str(event.kind)) for source, event in draft.registry.triggers.woken(events)]
    checkers = [(source, str(TriggerKind.SUSPECT)) for source in own_checkers(draft, component)]
    return tuple(dict.fromkeys([*subscribed, *checkers]))


def _task_of(draft: Draft, component: str) -> Body | None:
    version = draft.view.current_version(f"task/{component}")
    return None if version is None or version.body.language != "task" else version.body


def _fields(task: Body) -> Mapping[str, Any]:
    return contract_of(task).facets


def decisions_named(task: Body) -> list[str]:
    """Return the keys and patterns that a task implements or uses."""
    if task.language != "task":
        return []
    fields = _fields(task)
    return [*sorted(fields["implements"]), *sorted(fields["uses"])]


def _require_premises(draft: Draft, component: str) -> None:
    """Refuse to build on what the task names and is not agreed yet; the operator may."""
    task = _task_of(draft, component) if draft.registry.choreography is not None else None
    if task is None or draft.role == OPERATOR:
        return
    named = (record for name in decisions_named(task) for record in _records_named(draft, name))
    waits_for = tuple(dict.fromkeys(one.key for one in named if one.state != KeyState.ACCEPTED))
    if waits_for:
        raise NotPermitted(f"{draft.intent.author} ({draft.role}) writes {component}", (), waits_for)


def _records_named(draft: Draft, name: str) -> list[KeyRecord]:
    """Return the decisions that a task names; under a pattern only those that are being decided."""
    if not keys.is_pattern(name):
        return [draft.view.key(name) or KeyRecord(name, "decision")]
    found = (record for record in draft.view.keys(name) if record.kind == "decision")
    return [one for one in found if one.state in (KeyState.OPEN, KeyState.CONTESTED)]


def _require_declared(draft: Draft, component: str, pins: Iterable[Pin]) -> None:
    """Refuse code that relies on what its author did not read, where the team wants that."""
    unread: dict[str, list[str]] = {}
    for pin in pins if draft.registry.refuses_undeclared else ():
        if pin.observed:
            unread.setdefault(pin.key, []).append(pin.name)
    if unread:
        named = "; ".join(f"{key} ({', '.join(names)})" for key, names in unread.items())
        attempted = f"{draft.intent.author} writes {component}, whose code relies on what was not read: {named}"
        raise NotPermitted(attempted, [f"read {key} and write {component}" for key in unread])


def _at_head(draft: Draft, pins: Iterable[Pin]) -> tuple[Pin, ...]:
    """Return pins with the revision and version of the head wherever it has the pinned value.

    A value may have changed and come back since the transaction read it.
    """
    found = []
    for pin in pins:
        head = draft.view.head_facets(pin.key).get(pin.name)
        record = draft.view.key(pin.key)
        is_same = head is not None and head.digest == (pin.digest or None)
        if head is not None and is_same and record is not None and record.current is not None:
            found.append(pin._replace(since=head.since, version=record.current))
        else:
            found.append(pin)
    return tuple(found)


def _compared(pins: Iterable[Pin], patterns: Iterable[PatternPin]) -> frozenset[JSON]:
    """Return what of pins and patterns has to be equal for the premises to be the same."""
    pinned = ((pin.key, pin.name, str(pin.side), pin.digest) for pin in pins)
    return frozenset([*pinned, *(listed.pattern for listed in patterns)])
