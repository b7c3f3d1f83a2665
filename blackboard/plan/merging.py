"""Where a team merges texts by facet: which proposals outlive another's acceptance, and what becomes of them.

Two texts with one base that touch different facets become one version, whose bases are both. This happens when the
second is accepted, so that each vote was about exactly one text; until then it stays a proposal beside what stands.
"""

from collections.abc import Iterator, Mapping, Sequence

from blackboard.choreography.values import OPERATOR
from blackboard.contracts.bodies import body_of, contract_of
from blackboard.contracts.facets import facet_text
from blackboard.contracts.merging import Met, merge
from blackboard.errors import Conflict, IllegalTransition, Premise, Returning
from blackboard.plan.draft import Draft
from blackboard.plan.premises import together
from blackboard.spec.changes import Act, Ask, Decide, Propose, Retract, Withdraw
from blackboard.spec.effects import Effect
from blackboard.spec.lifecycle import Event as Happening
from blackboard.spec.records import Body, KeyRecord, VersionRecord


def read_base(draft: Draft, record: KeyRecord) -> VersionRecord | None:
    """Return the version that the author read whole and that is accepted no longer, None where there is none such.

    Only where a commit neither builds nor votes, and brings one text for each key: a component or a vote may rest on
    what has changed, and of two texts for one key the second rests on the first.
    """
    digest = draft.intent.reads.decisions.get(record.key)
    if digest is None or record.current is None or digest == record.digest or not draft.view.merges(record.key):
        return None
    if record.key not in _texts(draft.intent.acts):
        return None
    former = draft.view.former(record.key, digest)
    return None if former is None else draft.view.version(record.key, former)


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


def says_all(draft: Draft, record: KeyRecord, body: Body) -> bool:
    """Say whether what stands has every change of a text that its author began with an earlier version."""
    base = read_base(draft, record)
    standing = None if base is None else draft.view.version(record.key, record.current or 0)
    found = None if base is None or standing is None else _together(base, standing.body, body)
    return isinstance(found, Body) and found.digest == record.digest


def base_of(draft: Draft, record: KeyRecord, body: Body) -> int | None:
    """Return the version that a new text amends: what stands, or what its author read where both are kept.

    Raises:
        Conflict: It meets what has changed since; names each facet on which a text of the commit does.
        Returning: Together they are what was given up.
    """
    base = read_base(draft, record)
    standing = None if base is None else draft.view.version(record.key, record.current or 0)
    if base is None or standing is None:
        return record.current
    found = _together(base, standing.body, body)
    if isinstance(found, Met):
        raise Conflict([*_met(found, base, standing, body), *_met_by_others(draft, record.key)], "repair")
    if (former := _former(draft, record.key, found)) is not None:
        raise Returning(record.key, former, record.current)
    draft.merged.add(record.key)
    return base.version


def _met_by_others(draft: Draft, but: str) -> Iterator[Premise]:
    """Yield where the commit's texts for other keys meet what has changed since, so that all can be mended at once."""
    for key, body in _texts(draft.intent.acts).items():
        record = draft.view.key(key) if key != but else None
        base = None if record is None else read_base(draft, record)
        standing = None if record is None else draft.view.version(key, record.current or 0)
        found = None if base is None or standing is None else _together(base, standing.body, body)
        if base is not None and standing is not None and isinstance(found, Met):
            yield from _met(found, base, standing, body)


def as_accepted(draft: Draft, version: VersionRecord) -> VersionRecord:
    """Return a version with the text that stands once it is accepted."""
    record = draft.view.key(version.key)
    standing = None if record is None or record.current is None else draft.view.version(version.key, record.current)
    if standing is None or standing.version == version.base:
        return version
    return version._replace(body=_whole(draft, version, standing))


def merged(draft: Draft, version: VersionRecord, standing: VersionRecord) -> VersionRecord:
    """Add the version that has what stands and what another one changed, which ends as merged."""
    record, found = draft.touch(version.key, "decision"), _whole(draft, version, standing)
    made = draft.add(
        record,
        found,
        merged=version.version,
        premises=together(draft, version, standing),
        rationale=version.rationale,
        author=version.author,
        role=version.role,
    )
    # What was proposed jointly with it is accepted beside it.
    draft.turn(version, Happening.MERGE, f"it became version {made.version} with version {standing.version}")
    return made


def end_rivals(draft: Draft, winner: VersionRecord) -> None:
    """Reject the other proposals of a key of which a version was accepted, but for what can be merged with it."""
    merges = draft.role != OPERATOR and draft.view.merges(winner.key)
    for rival in draft.view.proposed(winner.key):
        if rival.version not in (winner.version, winner.merged):
            found = _beside(draft, rival, winner) if merges else ""
            if isinstance(found, str):
                why = f": {found}" if found else ""
                draft.end(rival, Happening.LOST, f"version {winner.version} was accepted{why}")


def _whole(draft: Draft, version: VersionRecord, standing: VersionRecord) -> Body:
    found = _beside(draft, version, standing)
    if isinstance(found, str):
        # Such a one was ended when what stands was accepted.
        raise IllegalTransition(f"{version.key} version {version.version}", str(version.state), f"merging it: {found}")
    return found


def _beside(draft: Draft, version: VersionRecord, standing: VersionRecord) -> Body | str:
    """Return what a version and the one that stands come to together, or why they do not."""
    base = draft.view.version(version.key, version.base) if version.base is not None else None
    if base is None:
        return "they have no base"
    found = _together(base, standing.body, version.body)
    if isinstance(found, Met):
        return found.why
    if found.digest == standing.body.digest:
        return "it has these changes already"
    former = _former(draft, version.key, found)
    return found if former is None else f"together they are version {former} again"


def _former(draft: Draft, key: str, body: Body) -> int | None:
    """Return the version that was given up and would come back; a ruling may bring it back."""
    return None if draft.role == OPERATOR else draft.view.former(key, body.digest)


def _together(base: VersionRecord, ours: Body, theirs: Body) -> Body | Met:
    if base.compacted:
        return Met((), f"the text of version {base.version}, with which they began, is not kept any more")
    made = merge(contract_of(base.body), contract_of(ours), contract_of(theirs))
    return made if isinstance(made, Met) else body_of(made)


def _met(found: Met, base: VersionRecord, standing: VersionRecord, draft: Body) -> list[Premise]:
    facets: Sequence[str | None] = found.facets or (None,)
    return [_premise(one, base, standing, draft) for one in facets]


def _premise(facet: str | None, base: VersionRecord, standing: VersionRecord, draft: Body) -> Premise:
    values = (_value(base.body, facet), _value(draft, facet), _value(standing.body, facet))
    author, at = standing.author, standing.revision
    return Premise(base.key, facet, None, *values, str(Effect.BREAKING), author, at, standing.rationale)


def _value(body: Body, facet: str | None) -> str | None:
    if facet is None:
        return body.text or None  # that of a compacted version is not kept
    return facet_text(contract_of(body).facets, facet)
