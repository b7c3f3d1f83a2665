"""Acts on components: write and judge, and what follows from each."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from blackboard.choreography import moves
from blackboard.choreography.values import OPERATOR
from blackboard.contracts.bodies import contract_of
from blackboard.errors import IllegalTransition, InvalidKey, InvalidTeam, NotPermitted
from blackboard.plan.draft import Draft
from blackboard.spec import keys
from blackboard.spec.canonical import JSON, digest
from blackboard.spec.changes import OBSERVED, ComponentRow, Judge, Observe, VerdictRow, WakesRow, Write
from blackboard.spec.lifecycle import KeyState
from blackboard.spec.records import KeyRecord
from blackboard.spec.staleness import Built, Freshness, Judged, PatternPin, Pin
from blackboard.spec.triggers import DERIVED, Event, TriggerKind


def write(draft: Draft, act: Write) -> None:
    """Add a version of a component; the same files on the same premises are no change."""
    key = act.component
    if keys.is_reserved(key):
        raise InvalidKey(key, "only the installation of a team writes it; name the component otherwise")
    standing = draft.view.built(key)
    pins = _resolved(draft, act.pins)
    files = digest({path: blob for path, (blob, _) in act.files.items()})
    premises = _premises(pins, act.patterns)
    same_premises = standing is not None and _premises(standing.pins, standing.patterns) == premises
    if standing is not None and same_premises and standing.digest == files and standing.freshness is Freshness.CURRENT:
        return
    draft.permit("write", key)
    _require_premises(draft, key)
    _require_declared(draft, key, pins)
    record = draft.touch(key, "component")
    if record.kind != "component":
        raise InvalidKey(key, "it names a decision; a component needs another key")
    draft.require_read(record)
    version = record.last_version + 1
    is_first = record.current is None
    row = ComponentRow(key, version, draft.intent.author, draft.role, files, act.files, pins, act.patterns)
    _add(draft, record, row, Freshness.CURRENT)
    if is_first:
        # Which checks it has depends on what it pins, so only now.
        draft.rows.append(WakesRow(key, wakes_of(draft, key)))
    draft.settled.append((key, ("required", "stale", "suspect", "failed")))
    draft.follow(moves.Written(key, same_premises))


def observe(draft: Draft, act: Observe) -> None:
    """Add a version of a component that differs only in what its code is shown to rely on, now that this was written.

    Who does not know what stood when it was written, or may not rely on what was not read, has to be written anew: the
    facets count as looked for and absent.
    """
    standing = draft.view.built(act.component)
    record = draft.touch(act.component, "component")
    if standing is None:
        return
    lost = standing.freshness in (Freshness.STALE, Freshness.ORPHANED) and act.patterns
    known = {(pin.key, pin.name, pin.side) for pin in standing.pins}
    anew = draft.registry.refuses_undeclared or bool(lost)
    pins = tuple(
        replace(pin, since=0, digest="") if anew and (pin.key, pin.name, pin.side) not in known else pin
        for pin in _resolved(draft, act.pins)
    )
    unread = any(pin.observed and not pin.digest for pin in pins)
    version, draft.path = record.last_version + 1, OBSERVED
    files = standing.digest
    row = ComponentRow(act.component, version, act.author, act.role, files, act.files, pins, act.patterns)
    _add(draft, record, row, Freshness.STALE if unread else standing.freshness)
    if unread:
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
        raise IllegalTransition(f"the verdict of {act.check} on {act.component}", "given", "another one beside it")
    _permit_verdict(draft, act)
    draft.touch(act.component, "component")
    judged = Judged(act.passed, act.inputs, draft.view.facts.revision + 1).beside(known)
    settles = not (judged.passed and judged.flaky) and _settles(draft, act, built)
    author = draft.intent.author
    row = VerdictRow(act.check, act.component, act.version, act.passed, act.log, act.inputs, author, settles)
    draft.rows.append(row)
    draft.view.verdicts[act.check, act.component] = judged
    draft.note("judged", act.component, act.version, row.content())
    if settles:
        _settled(draft, act, built)
    kind = TriggerKind.PASSED if judged.is_pass else TriggerKind.FAILED
    draft.happen(kind, act.component, act.check)
    draft.follow(moves.Judged(act.component, act.check, judged.is_pass))


def _permit_verdict(draft: Draft, act: Judge) -> None:
    """Let who has the right to a check judge; whether files conform is said by the library alone, in every team."""
    if act.check not in draft.registry.judges:
        draft.permit("check", act.component, act.check)
    elif draft.intent.author != act.check:
        raise NotPermitted(f"{draft.intent.author} checks {act.check} on {act.component}", (), (act.check,))


def _settles(draft: Draft, act: Judge, built: Built) -> bool:
    """Say whether it is known with this verdict what compatible changes did to a suspect component.

    A failure is enough; a pass is where all its checks have passed since the last of the changes. What a verdict is
    about was validated with it, so none that came after a change is about what stood before.
    """
    if built.freshness is not Freshness.SUSPECT:
        return False
    if not act.passed:
        return True
    changed = max(_changed_at(draft, pin) for pin in built.pins)
    others = (draft.view.verdict(check, act.component) for check in _checks_of(draft, act.component) - {act.check})
    return all(one is not None and one.is_pass and one.revision >= changed for one in others)


def _changed_at(draft: Draft, pin: Pin) -> int:
    """Return since when a pinned facet has another value, 0 where it has none."""
    head = draft.view.head_facets(pin.key).get(pin.name)
    return 0 if head is None or head.digest == (pin.digest or None) else head.since


def _settled(draft: Draft, act: Judge, built: Built) -> None:
    """Draw the consequences of a verdict that ended a suspicion."""
    freshness = Freshness.CURRENT if act.passed else Freshness.STALE
    draft.view.rebuilt[act.component] = replace(built, freshness=freshness)
    draft.settled.append((act.component, ("suspect", "stale") if act.passed else ("suspect",)))
    if not act.passed:
        draft.happen(TriggerKind.STALE, act.component)


def _checks_of(draft: Draft, component: str) -> set[str]:
    """Return the checks that a component has to pass."""
    registry = draft.registry
    of_team = {check for check, pattern in registry.checks.items() if keys.matches(pattern, component)}
    return (of_team - registry.judges.keys()) | set(_own_checks(draft, component))


def _own_checks(draft: Draft, component: str) -> list[str]:
    """Return the checks that a component has to pass for what it is: its task names them, or a contract's language."""
    task = task_of(draft, component)
    named = task["checks"] if task is not None else ()
    own = [str(check) for check in named] if isinstance(named, list | tuple) else []
    judges = draft.registry.judges
    languages = _languages(draft, component) if judges else frozenset()
    return [*own, *(check for check, judged in judges.items() if not languages.isdisjoint(judged))]


def _languages(draft: Draft, component: str) -> frozenset[str]:
    """Return `implements` or `uses` with the language of each decision that a component stands so to."""
    built = draft.view.built(component)
    pinned = {(pin.side, pin.key) for pin in built.pins} if built is not None else ()
    records = [(side, record) for side, key in pinned if (record := draft.view.key(key)) is not None]
    found = ((side, draft.view.version(one.key, one.current)) for side, one in records if one.current is not None)
    return frozenset(f"{side} {version.body.language}" for side, version in found if version is not None)


def own_checkers(draft: Draft, component: str) -> list[str]:
    """Return the sources that run the checks of a component beside those that its key alone wakes."""
    own = _own_checks(draft, component)
    return [source.name for source in draft.registry.checkers if source.check in own]


def wakes_of(draft: Draft, component: str) -> tuple[tuple[str, str], ...]:
    """Return (source, kind) of those that want to know of the component's staleness."""
    events = [Event(kind, component) for kind in sorted(DERIVED)]
    subscribed = [(source, str(event.kind)) for source, event in draft.registry.triggers.woken(events)]
    checkers = [(source, str(TriggerKind.SUSPECT)) for source in own_checkers(draft, component)]
    return tuple(dict.fromkeys([*subscribed, *checkers]))


def task_of(draft: Draft, component: str) -> Mapping[str, JSON] | None:
    """Return the accepted task of a component: field -> value."""
    key = f"task/{component}"
    record = draft.view.key(key)
    version = draft.view.version(key, record.current) if record is not None and record.current is not None else None
    if version is None or version.body.language != "task":
        return None
    return contract_of(version.body).facets


def _require_premises(draft: Draft, component: str) -> None:
    """Refuse to build on what its task names and nobody has agreed yet; only the operator goes ahead of the team."""
    task = task_of(draft, component) if draft.registry.choreography is not None else None
    if task is None or draft.role == OPERATOR:
        return
    named = [name for field in ("implements", "uses") for name in named_in(task[field])]
    found = (record for name in named for record in _meant(draft, name))
    waits_for = tuple(dict.fromkeys(key for key, state in found if state != KeyState.ACCEPTED))
    if waits_for:
        raise NotPermitted(f"{draft.intent.author} ({draft.role}) writes {component}", (), waits_for)


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


def named_in(value: JSON) -> list[str]:
    """Return the keys and patterns of a task's `implements` or `uses`."""
    return sorted(value) if isinstance(value, Mapping) else []


def _meant(draft: Draft, name: str) -> list[tuple[str, KeyState]]:
    """Return (key, state) of the decisions that a task names."""
    if keys.is_pattern(name):
        found = (record for record in draft.view.keys(name) if record.kind == "decision")
        # Under a pattern only what is being decided is waited for, not what is merely named or was given up.
        return [(one.key, one.state) for one in found if one.state in (KeyState.OPEN, KeyState.CONTESTED)]
    record = draft.view.key(name)
    return [(name, KeyState.ABSENT if record is None else record.state)]


def _resolved(draft: Draft, pins: Iterable[Pin]) -> tuple[Pin, ...]:
    """Let each pin name the value as it stands at the head, where it is the same value.

    A value may have gone and come back since the transaction read it; what is pinned is the one that stands.
    """
    resolved = []
    for pin in pins:
        head = draft.view.head_facets(pin.key).get(pin.name)
        record = draft.view.key(pin.key)
        if (
            head is not None
            and head.digest == (pin.digest or None)
            and record is not None
            and record.current is not None
        ):
            resolved.append(replace(pin, since=head.since, version=record.current))
        else:
            resolved.append(pin)
    return tuple(resolved)


def _premises(pins: Iterable[Pin], patterns: Iterable[PatternPin]) -> frozenset[JSON]:
    pinned = ((pin.key, pin.name, str(pin.side), pin.digest) for pin in pins)
    return frozenset([*pinned, *(listed.pattern for listed in patterns)])
