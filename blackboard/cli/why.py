"""The causes of a key's state: changes of its premises, its pins, and the next steps."""

from collections.abc import Mapping
from itertools import groupby

from blackboard.board import Blackboard
from blackboard.cli import causes, overview
from blackboard.cli.impact import facet_lines
from blackboard.cli.place import OPERATOR
from blackboard.cli.records import Cause, FacetLine, FacetsOf, WhyReport, merged_from
from blackboard.snapshot import Component, Snapshot, Version
from blackboard.spec.convergence import Obligation
from blackboard.spec.effects import Side
from blackboard.spec.staleness import Pin
from blackboard.store import operate
from blackboard.store.causes import tenure_at
from blackboard.store.uses import observed_use


def why(board: Blackboard, key: str) -> WhyReport:
    """Return the causes of the state of a decision or component.

    Args:
        board: The board.
        key: The key; for an absent one the report has no state.
    """
    snapshot = board.snapshot()
    left = tuple(obligation for obligation in snapshot.convergence().obligations if obligation.key == key)
    component = snapshot.component(key)
    if component is not None:
        return _of_component(board, snapshot, component, left)
    kind, state = overview.kind_and_state(board.store, key)
    if kind == "decision":
        return _of_decision(board, snapshot, key, state, left)
    following = overview.activations_of(board.store, key)
    named = "required and not there" if left else "on the agenda" if following else ""
    return WhyReport(key, "", named, None, _acts(board, key), (), left, following)


_ON_KEY = {"cancelled": "cancelled {} on {}", "retried": "gave {} another chance on {}", "unlocked": "unlocked {1}"}


def _acts(board: Blackboard, key: str) -> tuple[Cause, ...]:
    """Return operators' acts on a key's activations, and the halt of the board, newest first."""
    with board.store.database.reading() as connection:
        halted, acts = operate.halted(connection), operate.acts_on(connection, key)
    found = (
        [] if halted is None else [Cause(halted.revision, halted.author, OPERATOR, _HALTED[halted.halt], halted.reason)]
    )
    found += [
        Cause(one.revision, one.author, one.role, _ON_KEY[one.kind].format(one.path, key), one.reason) for one in acts
    ]
    return tuple(sorted(found, key=lambda cause: -cause.revision))


_HALTED = {"paused": "paused the board", "draining": "drains the board", "sealed": "sealed the board"}


def _of_component(
    board: Blackboard, snapshot: Snapshot, component: Component, left: tuple[Obligation, ...]
) -> WhyReport:
    with board.store.database.reading() as connection:
        broken = causes.broken_causes(connection, component.key)
    failed = tuple(
        Cause(verdict.revision, verdict.author, "", f"found that {verdict.check} fails on {component.key}")
        for verdict in snapshot.verdicts(component.key)
        if not verdict.passed
    )
    wrote = Cause(component.revision, component.author, "", _wrote(component))
    since = min((cause.revision for cause in broken), default=component.revision)
    return WhyReport(
        component.key,
        "component",
        component.state,
        since,
        (*_acts(board, component.key), *broken, *failed, wrote),
        component.waits_for,
        left,
        overview.activations_of(board.store, component.key),
        *_disagreeing(board, snapshot, component),
    )


def _disagreeing(
    board: Blackboard, snapshot: Snapshot, component: Component
) -> tuple[tuple[FacetsOf, ...], tuple[FacetsOf, ...]]:
    """Return the facets that a component's code uses and nobody read, and those that were read and are not used."""
    unread: dict[str, list[str]] = {}
    read: dict[str, set[str]] = {}
    for pin in component.pins:
        if pin.observed:
            unread.setdefault(pin.key, []).append(pin.name)
        elif pin.side is Side.USES and pin.name:
            read.setdefault(pin.key, set()).add(pin.name)
    with board.store.database.reading() as connection:
        used = observed_use(connection, snapshot.revision, component.key, component.files, snapshot.decision)
    unused = {key: sorted(names - used[key]) for key, names in sorted(read.items()) if key in used}
    return _facet_lines(unread), _facet_lines(unused)


def _facet_lines(facets: Mapping[str, list[str]]) -> tuple[FacetsOf, ...]:
    return tuple(FacetsOf(key, tuple(names)) for key, names in facets.items() if names)


def _wrote(component: Component) -> str:
    """Return the decisions that a component was written against as a sentence."""
    against = []
    for (key, version), pins in groupby(component.pins, key=_decision_of):
        facets = ", ".join(pin.name for pin in pins if pin.name)
        against.append(f"{key} {version}" + (f" (facets {facets})" if facets else ""))
    return f"wrote {component.key} {component.version}" + (f" against {'; '.join(against)}" if against else "")


def _decision_of(pin: Pin) -> tuple[str, int]:
    return pin.key, pin.version


def _of_decision(
    board: Blackboard, snapshot: Snapshot, key: str, state: str, left: tuple[Obligation, ...]
) -> WhyReport:
    versions = snapshot.versions(key)
    with board.store.database.reading() as connection:
        period = tenure_at(connection, key, snapshot.revision)
        rests = causes.broken_causes(connection, key)
    texts = {version.version: version for version in versions}
    happened: list[Cause] = [*_acts(board, key), *rests]
    if period is not None and period.version is not None:
        accepted_version = texts[period.version]
        changed = _changed(texts.get(period.before or 0), accepted_version)
        happened.append(causes.cause_of(period, key, changed, merged_from(accepted_version.bases)))
    happened.extend(
        Cause(asked.revision, asked.author, asked.role or "", f"asked: {asked.question}")
        for asked in snapshot.questions(key)
    )
    happened.extend(_proposal(version) for version in versions if version.state == "proposed")
    return WhyReport(
        key,
        "decision",
        state,
        period.revision if period else None,
        tuple(sorted(happened, key=lambda cause: -cause.revision)),
        (),
        left,
        overview.activations_of(board.store, key),
        stale_since=min(
            (one.revision for one in rests if any(it.uses == "breaking" for it in one.facets)), default=None
        ),
    )


def _changed(before: Version | None, after: Version) -> tuple[FacetLine, ...]:
    if before is None or before.contract is None or after.contract is None:
        return ()
    return facet_lines(before.contract.compare(after.contract))


def _proposal(version: Version) -> Cause:
    votes = "".join(f", {vote.author} says {'yes' if vote.approve else 'no'}" for vote in version.votes)
    silent = sorted(set(version.electorate or ()) - {vote.author for vote in version.votes})
    needed = "" if version.quorum is None else f", needs {version.quorum} yes"
    waits = f", waits for the votes of {', '.join(silent)}" if silent else ""
    act = f"proposed version {version.version}{votes}{needed}{waits}"
    return Cause(version.revision, version.author, version.role or "", act, version.rationale)
