"""What a decision rests on: what its author read of other decisions, kept as its pins where there is a team.

A decision is never undone because a premise changed: who made it, and asked for it by a trigger `stale`, looks again.
Deciding the same text then, on what is read now, is a version of its own with the same facets, which wakes nobody.
"""

from collections.abc import Iterator

from blackboard.contracts.language import all_facets
from blackboard.plan.draft import Draft
from blackboard.plan.meaning import effect_of
from blackboard.spec.changes import WakesRow, amended_by
from blackboard.spec.effects import Effect, Side
from blackboard.spec.records import KeyRecord, VersionRecord
from blackboard.spec.staleness import Pin
from blackboard.spec.triggers import Event, TriggerKind


def premises_of(draft: Draft) -> tuple[Pin, ...]:
    """Return what the transaction relies on of decisions that it does not change itself, by key and facet."""
    return tuple(_premises(draft)) if draft.registry.sources else ()


def _premises(draft: Draft) -> Iterator[Pin]:
    reads, amended = draft.intent.reads, amended_by(draft.intent.acts)
    read = {(key, name) for key, name in reads.facets if key not in amended}
    for key in {key for key, digest in reads.decisions.items() if digest is not None} - amended:
        read |= {(key, name) for name, head in draft.view.head_facets(key).items() if head.digest is not None}
    for key, name in sorted(read):
        record = draft.view.key(key)
        if record is not None and record.kind == "decision" and record.current is not None:
            head = draft.view.head_facets(key).get(name)
            since, digest = (0, None) if head is None else head
            yield Pin(key, name, Side.USES, record.current, since, digest or "")


def is_shaken(draft: Draft, key: str, version: int) -> bool:
    """Say whether something that a version rests on has changed so that it breaks who uses it, or is gone."""
    return bool(draft.registry.sources) and any(_is_broken(draft, pin) for pin in draft.view.premises(key, version))


def _is_broken(draft: Draft, pin: Pin) -> bool:
    record = draft.view.key(pin.key)
    if record is None or record.current is None:
        return True
    # The head does not know what this commit itself made of it.
    current = draft.view.version(pin.key, record.current)
    if current is not None and all_facets(current.body.facets).get(pin.name, "") == pin.digest:
        return False
    return effect_of(draft, pin, record.current) is Effect.BREAKING


def together(draft: Draft, *versions: VersionRecord) -> tuple[Pin, ...]:
    """Return what versions rest on that become one: each facet as it was read when it broke since, else as at first."""
    found: dict[tuple[str, str], list[Pin]] = {}
    for pin in (pin for one in versions for pin in draft.view.premises(one.key, one.version)):
        found.setdefault((pin.key, pin.name), []).append(pin)
    return tuple(min(found[facet], key=lambda pin: (not _is_broken(draft, pin), pin.since)) for facet in sorted(found))


def is_looked_at_again(draft: Draft, record: KeyRecord) -> bool:
    """Say whether the author read a decision that is shaken, so that deciding it as it is says that it still holds."""
    read = draft.intent.reads.whole(record.key, record.kind)
    return read and record.current is not None and is_shaken(draft, record.key, record.current)


def listen(draft: Draft, version: VersionRecord) -> tuple[str, ...]:
    """Note which sources want to know when an accepted version becomes stale, and return them.

    They ask for it by a trigger, and have a role of its author, or of one whose text was merged into it: who asks for
    everything stale to build it anew is not asked to decide.
    """
    asking = draft.registry.sources and draft.registry.triggers.woken([Event(TriggerKind.STALE, version.key)])
    if not asking:
        return ()
    roles = {role for one in _parts(draft, version) for role in (one.role, *draft.registry.roles_of(one.author))}
    of_role = {source.name for source in draft.registry.sources if source.role in roles}
    names = tuple(name for name, _ in asking if name in of_role)
    draft.rows.append(WakesRow(version.key, tuple((name, str(TriggerKind.STALE)) for name in names)))
    return names


def _parts(draft: Draft, version: VersionRecord) -> Iterator[VersionRecord]:
    """Yield a version, and those that became one in it."""
    yield version
    for number in version.bases if version.merged is not None else ():
        part = draft.view.version(version.key, number)
        yield from () if part is None else _parts(draft, part)
