"""What decisions rely on, and what a newly accepted version means for whatever relies on an earlier one.

What the author of a decision read of other decisions is kept as pins of its version, where the board has sources. A
decision is never undone because a premise changed: the sources of its author's role that have a trigger `stale` look
at it again. Deciding the same text then is a new version with the same facets, which wakes nobody.
"""

from collections.abc import Collection, Iterator, Mapping

from blackboard.choreography.values import OPERATOR
from blackboard.contracts.bodies import contract_of
from blackboard.contracts.facets import NAMES
from blackboard.contracts.language import all_facets
from blackboard.contracts.rules import accepted_in, without
from blackboard.plan.draft import Draft
from blackboard.spec.changes import EffectRow, WakesRow, amended_by
from blackboard.spec.effects import Effect, FacetChange, Side
from blackboard.spec.records import Body, KeyRecord, VersionRecord
from blackboard.spec.staleness import Pin
from blackboard.spec.triggers import Event, TriggerKind

_APPEARED = FacetChange(Effect.BREAKING, Effect.BREAKING, "it was looked for and absent")
_SAME = FacetChange(Effect.NONE, Effect.NONE, "the same again")


def premises_of(draft: Draft) -> tuple[Pin, ...]:
    """Return what the transaction relies on of decisions that it does not change itself, by key and facet."""
    if not draft.registry.sources:
        return ()
    reads, amended = draft.intent.reads, amended_by(draft.intent.acts)
    read = {(key, name) for key, name in reads.facets if key not in amended}
    for key in {key for key, digest in reads.decisions.items() if digest is not None} - amended:
        read |= {(key, name) for name, head in draft.view.head_facets(key).items() if head.digest is not None}
    pins = []
    for key, name in sorted(read):
        record = draft.view.key(key)
        if record is not None and record.kind == "decision" and record.current is not None:
            since, digest = draft.view.head_facets(key).get(name) or (0, None)
            pins.append(Pin(key, name, Side.USES, record.current, since, digest or ""))
    return tuple(pins)


def is_broken(draft: Draft, key: str, version: int) -> bool:
    """Say whether a premise of a version is gone, or has changed so that its users break."""
    return bool(draft.registry.sources) and any(_breaks(draft, pin) for pin in draft.view.premises(key, version))


def was_read_broken(draft: Draft, record: KeyRecord) -> bool:
    """Say whether the author read a decision whose premises broke: deciding it as it is says that it still holds."""
    read = draft.intent.reads.whole(record.key, record.kind)
    return read and record.current is not None and is_broken(draft, record.key, record.current)


def _breaks(draft: Draft, pin: Pin) -> bool:
    # The head facets do not contain what this commit accepted.
    current = draft.view.current_version(pin.key)
    if current is not None and all_facets(current.body.facets).get(pin.name, "") == pin.digest:
        return False
    if current is None or not pin.digest:
        return True
    before = draft.view.facts.body_at(pin.key, pin.since)
    found = dict(_changes(before, current.body, [pin.name]))
    return found[pin.name].effect(pin.side) is Effect.BREAKING


def merged_premises(draft: Draft, *versions: VersionRecord) -> tuple[Pin, ...]:
    """Return the premises of versions that become one: of each facet the pin that is broken now, else the oldest."""
    found: dict[tuple[str, str], list[Pin]] = {}
    for pin in (pin for one in versions for pin in draft.view.premises(one.key, one.version)):
        found.setdefault((pin.key, pin.name), []).append(pin)
    return tuple(min(found[facet], key=lambda pin: (not _breaks(draft, pin), pin.since)) for facet in sorted(found))


def note_stale_listeners(draft: Draft, version: VersionRecord) -> tuple[str, ...]:
    """Write which sources are woken when an accepted version becomes stale, and return them.

    They have a trigger `stale` on its key, and a role of its author, or of an author whose text was merged into it:
    sources with that trigger for everything build components, and do not decide.
    """
    if not draft.registry.sources:
        return ()
    asking = [name for name, _ in draft.registry.triggers.woken([Event(TriggerKind.STALE, version.key)])]
    if not asking:
        return ()
    roles = {role for one in _parts(draft, version) for role in (one.role, *draft.registry.roles_of(one.author))}
    of_role = {source.name for source in draft.registry.sources if source.role in roles}
    names = tuple(name for name in asking if name in of_role)
    draft.rows.append(WakesRow(version.key, tuple((name, str(TriggerKind.STALE)) for name in names)))
    return names


def _parts(draft: Draft, version: VersionRecord) -> Iterator[VersionRecord]:
    """Yield a version, and all that were merged into it."""
    yield version
    for number in version.bases if version.merged is not None else ():
        part = draft.view.version(version.key, number)
        if part is not None:
            yield from _parts(draft, part)


def note_effects(draft: Draft, version: VersionRecord) -> None:
    """Write what a version means for all values of its facets that are pinned, or may be pinned meanwhile: the head's.

    A facet that was pinned as absent and appears breaks whoever pinned it. What an operator accepts in the rationale
    is no break.
    """
    key, body = version.key, version.body
    rules = accepted_in(version.rationale) if version.role == OPERATOR else ()
    heads, new = draft.view.head_facets(key), all_facets(body.facets)
    old = {(name, head.since) for name, head in heads.items() if head.digest is not None}
    old.update(pinned for pinned in draft.view.facts.pinned(key) if pinned[0] in new or pinned[0] in heads)
    by_since: dict[int, list[str]] = {}
    for name, since in sorted(old):
        head = heads.get(name)
        if head is None or head.digest is None or head.digest != new.get(name):
            by_since.setdefault(since, []).append(name)
    for since, names in by_since.items():
        for name, change in _changes(draft.view.facts.body_at(key, since), body, names, rules):
            draft.rows.append(EffectRow(key, name, since, str(change.uses), str(change.implements), change.reason))


def _changes(
    old: Body | None, new: Body, names: Collection[str], rules: Collection[str] = ()
) -> Iterator[tuple[str, FacetChange]]:
    """Yield how facets changed. Texts are compared only for facets that the old one has: others may be compacted."""
    had = {name for name in names if old is not None and (name == NAMES or name in old.facets)}
    effects: Mapping[str, FacetChange] = {}
    if old is not None and had:
        found = contract_of(old).compare(contract_of(new)).effects
        effects = without(found, old.facets.keys() ^ new.facets.keys(), rules)
    for name in names:
        if name in had:
            yield name, effects.get(name, _SAME)
        else:
            yield name, _APPEARED if name == NAMES or name in new.facets else _SAME
