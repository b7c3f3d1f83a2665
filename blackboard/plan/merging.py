"""Where a team merges texts by facet: which proposals stay when another is accepted, and what becomes of them.

Two texts with one base that change different facets become one version, which names both as its bases. This happens
when the second is accepted, so that each vote was about exactly one text; until then it stays a proposal.
"""

from collections.abc import Iterator, Mapping, Sequence

from blackboard.choreography.values import OPERATOR
from blackboard.contracts.bodies import body_of, contract_of
from blackboard.contracts.facets import facet_text
from blackboard.contracts.merging import Overlap, merge
from blackboard.errors import Conflict, IllegalTransition, Premise, Returning
from blackboard.plan.draft import Draft
from blackboard.plan.premises import merged_premises
from blackboard.spec.changes import Act, Ask, Decide, Propose, Retract, Withdraw
from blackboard.spec.effects import Effect
from blackboard.spec.lifecycle import Event
from blackboard.spec.records import Body, KeyRecord, VersionRecord


def has_all_changes(draft: Draft, record: KeyRecord, body: Body) -> bool:
    """Say whether the accepted version has every change of a text whose author read an earlier version."""
    bases = _bases(draft, record)
    found = None if bases is None else _merge(bases[0], bases[1].body, body)
    return isinstance(found, Body) and found.digest == record.digest


def base_of(draft: Draft, record: KeyRecord, body: Body) -> int | None:
    """Return the version that a new text amends: the accepted one, or what its author read where the two merge.

    Raises:
        Conflict: It changes what has changed since; names each facet for which a text of the commit does.
        Returning: The merged text was accepted before and replaced.
    """
    bases = _bases(draft, record)
    if bases is None:
        return record.current
    base, current = bases
    found = _merge(base, current.body, body)
    if isinstance(found, Overlap):
        # The conflicts of all keys together, so that the author can repair them at once.
        others = (_conflicts(draft, key, text) for key, text in _texts(draft.intent.acts).items() if key != record.key)
        raise Conflict([*_premises(found, base, current, body), *(one for found in others for one in found)], "repair")
    former = _former(draft, record.key, found)
    if former is not None:
        raise Returning(record.key, former, record.current)
    draft.merged.add(record.key)
    return base.version


def _bases(draft: Draft, record: KeyRecord) -> tuple[VersionRecord, VersionRecord] | None:
    """Return the version that the author read whole and the accepted one, None where they are the same.

    Also None where the commit builds, votes, or brings two texts for one key: a component or a vote may rely on what
    has changed, and of two texts for one key the second amends the first.
    """
    digest = draft.intent.reads.decisions.get(record.key)
    if digest is None or record.current is None or digest == record.digest or not draft.view.merges(record.key):
        return None
    if record.key not in _texts(draft.intent.acts):
        return None
    former = draft.view.former(record.key, digest)
    base = None if former is None else draft.view.version(record.key, former)
    current = draft.view.version(record.key, record.current)
    return None if base is None or current is None else (base, current)


def _texts(acts: Sequence[Act]) -> Mapping[str, Body]:
    """Return key -> the text that acts bring; none where they also build or vote, or bring two texts for one key."""
    found: dict[str, Body] = {}
    for act in acts:
        if isinstance(act, Ask | Retract | Withdraw):
            continue
        bodies = ((act.key, act.body),) if isinstance(act, Decide) else act.bodies if isinstance(act, Propose) else ()
        if not bodies or any(key in found for key, _ in bodies):
            return {}
        found |= bodies
    return found


def _conflicts(draft: Draft, key: str, body: Body) -> Iterator[Premise]:
    record = draft.view.key(key)
    bases = None if record is None else _bases(draft, record)
    found = None if bases is None else _merge(bases[0], bases[1].body, body)
    if bases is not None and isinstance(found, Overlap):
        yield from _premises(found, *bases, body)


def as_accepted(draft: Draft, version: VersionRecord) -> VersionRecord:
    """Return a proposal with the text that it would have when it is accepted."""
    current = draft.view.current_version(version.key)
    if current is None or current.version == version.base:
        return version
    return version._replace(body=_merged_body(draft, version, current))


def merged(draft: Draft, version: VersionRecord, current: VersionRecord) -> VersionRecord:
    """Add a version with the changes of a proposal and of the accepted version, and mark the proposal `merged`."""
    made = draft.add(
        draft.touch(version.key),
        _merged_body(draft, version, current),
        merged=version.version,
        premises=merged_premises(draft, version, current),
        rationale=version.rationale,
        author=version.author,
        role=version.role,
    )
    # What was proposed jointly with it is accepted in the same commit, so it does not end.
    reason = f"it became version {made.version} with version {current.version}"
    draft.settle_and_note(version, Event.MERGE, reason)
    return made


def end_rivals(draft: Draft, winner: VersionRecord) -> None:
    """Reject the other proposals of a key of which a version was accepted, except those that can be merged with it."""
    merges = draft.role != OPERATOR and draft.view.merges(winner.key)
    for rival in draft.view.proposed(winner.key):
        if rival.version not in (winner.version, winner.merged):
            found = _merge_or_reason(draft, rival, winner) if merges else ""
            if isinstance(found, str):
                why = f": {found}" if found else ""
                draft.end(rival, Event.LOST, f"version {winner.version} was accepted{why}")


def _merged_body(draft: Draft, version: VersionRecord, current: VersionRecord) -> Body:
    found = _merge_or_reason(draft, version, current)
    if isinstance(found, str):
        # `end_rivals` rejected such a proposal when the current version was accepted.
        raise IllegalTransition(f"{version.key} version {version.version}", str(version.state), f"merging it: {found}")
    return found


def _merge_or_reason(draft: Draft, version: VersionRecord, current: VersionRecord) -> Body | str:
    """Return the text with the changes of two versions, or why there is none."""
    base = draft.view.version(version.key, version.base) if version.base is not None else None
    if base is None:
        return "they have no base"
    found = _merge(base, current.body, version.body)
    if isinstance(found, Overlap):
        return found.why
    if found.digest == current.body.digest:
        return "it has these changes already"
    former = _former(draft, version.key, found)
    return found if former is None else f"together they are version {former} again"


def _former(draft: Draft, key: str, body: Body) -> int | None:
    """Return the earlier version that a merged text would bring back; an operator may bring one back."""
    return None if draft.role == OPERATOR else draft.view.former(key, body.digest)


def _merge(base: VersionRecord, ours: Body, theirs: Body) -> Body | Overlap:
    if base.compacted:
        return Overlap((), f"the text of version {base.version}, with which they began, is not kept any more")
    made = merge(contract_of(base.body), contract_of(ours), contract_of(theirs))
    return made if isinstance(made, Overlap) else body_of(made)


def _premises(found: Overlap, base: VersionRecord, current: VersionRecord, text: Body) -> Iterator[Premise]:
    facets: Sequence[str | None] = found.facets or (None,)
    for facet in facets:
        base_value, draft_value, value = (_value(body, facet) for body in (base.body, text, current.body))
        by, at, why = current.author, current.revision, current.rationale
        yield Premise(base.key, facet, None, base_value, draft_value, value, str(Effect.BREAKING), by, at, why)


def _value(body: Body, facet: str | None) -> str | None:
    if facet is None:
        return body.text or None  # a compacted version has no text
    return facet_text(contract_of(body).facets, facet)
