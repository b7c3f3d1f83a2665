"""Finished records of a board; a test calls these functions without a terminal."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import TypeVar

from blackboard.board import Blackboard
from blackboard.cli import causes, overview
from blackboard.cli.affected import NOBODY
from blackboard.cli.impact import affected, decide, facet_lines
from blackboard.cli.place import OPERATOR, Author
from blackboard.cli.records import (
    ComponentReport,
    DecisionReport,
    DiffReport,
    FacetLine,
    FileChange,
    KeyChange,
    ListReport,
    LogReport,
    PinLine,
    QuestionLine,
    StatusReport,
    VerdictLine,
    VersionLine,
    VoteLine,
)
from blackboard.cli.workers import worker_lines
from blackboard.contracts.language import Contract
from blackboard.contracts.merging import merge
from blackboard.snapshot import Component, Decision, Snapshot, Version
from blackboard.solver import possible
from blackboard.spec.convergence import Outcome
from blackboard.spec.keys import is_reserved, matches
from blackboard.spec.records import ChangeRecord
from blackboard.store import feed, operate

Kept = TypeVar("Kept", Decision, Component)


def status(board: Blackboard, *, outcome: Outcome | None = None, program: str = "") -> StatusReport:
    """Return whether the spec has converged, the obligations, and the counts of decisions, components and activations.

    Args:
        board: The board.
        outcome: The outcome of a run that has just ended; None means to compute it.
        program: The folder to which that run exported the program.
    """
    ended = outcome or board.snapshot().convergence()
    with board.store.database.reading() as connection:
        halted = operate.halted(connection)
    lines = overview.keys(board.store)
    calls, waiting = overview.called(board.store)
    return StatusReport(
        location=board.store.location,
        revision=ended.revision,
        converged=str(ended.kind) == "converged",
        kind=str(ended.kind),
        obligations=ended.obligations,
        cycle=ended.cycle,
        fingerprint=ended.fingerprint,
        decisions=_counted(line.state for line in lines if line.kind == "decision" and not is_reserved(line.key)),
        components=_counted(line.state for line in lines if line.kind == "component"),
        agenda=overview.agenda_counts(board.store),
        budget=overview.budget(board.store),
        program=program,
        halt="" if halted is None else said(halted),
        possible=possible(board.snapshot(at=ended.revision)),
        waiting=waiting,
        calls=calls,
        workers=worker_lines(board.store),
    )


def said(halted: operate.Halted) -> str:
    """Return the halt of a board as a sentence without its subject."""
    why = f": {halted.reason}" if halted.reason else ""
    return f"{halted.halt} since {halted.revision} by {halted.author}{why}"


def _counted(states: Iterable[str]) -> Mapping[str, int]:
    return dict(sorted(Counter(states).items()))


def listing(board: Blackboard, pattern: str) -> ListReport:
    """Return the keys under a pattern; reserved keys only if the pattern names them."""
    lines = overview.keys(board.store)
    found = (line for line in lines if matches(pattern, line.key) and not (_any(pattern) and is_reserved(line.key)))
    return ListReport(pattern, tuple(found))


def decision(
    board: Blackboard, key: str, *, version: int | None = None, at: int | None = None
) -> DecisionReport | None:
    """Return a decision: the accepted version and the live proposals, each in full; None if the key is absent.

    Args:
        board: The board.
        key: The key.
        version: Return only this version.
        at: The revision of the read.
    """
    snapshot = board.snapshot(at=at)
    versions, questions = snapshot.versions(key), snapshot.questions(key)
    current = next((one for one in versions if one.state == "accepted"), None)
    chosen = [one for one in versions if one.version == version] if version else _open_versions(versions)
    if not chosen and (version or not questions):
        return None
    found = snapshot.decision(key)
    return DecisionReport(
        key=key,
        state=found.state if found else overview.kind_and_state(board.store, key)[1],
        current=current.version if current else None,
        questions=tuple(QuestionLine(one.question, one.options, one.author, one.revision) for one in questions),
        versions=tuple(_version(board, one, current, versions) for one in reversed(chosen)),
    )


def _open_versions(versions: Sequence[Version]) -> Sequence[Version]:
    """Return the accepted and proposed versions; if there is none, all versions."""
    return [one for one in versions if one.state in ("accepted", "proposed")] or versions


def _version(board: Blackboard, version: Version, current: Version | None, among: Sequence[Version]) -> VersionLine:
    compared: tuple[FacetLine, ...] = ()
    left = NOBODY
    if version.state == "proposed" and version.contract and current and current.contract:
        base = next((one.contract for one in among if one.version in version.bases[:1]), None)
        # A proposal on an earlier base may be merged: facets that it does not change keep their current value.
        merged = version.contract if base is None else merge(base, current.contract, version.contract)
        whole = merged if isinstance(merged, Contract) else version.contract
        compared = facet_lines(current.contract.compare(whole))
        left = decide(board, Author(version.author, OPERATOR), {version.key: whole}, dry_run=True).affected
    return VersionLine(
        version=version.version,
        state=version.state,
        language=version.language,
        author=version.author,
        role=version.role or "",
        rationale=version.rationale,
        revision=version.revision,
        electorate=version.electorate,
        quorum=version.quorum,
        votes=tuple(VoteLine(vote.author, vote.approve, vote.reason, vote.revision) for vote in version.votes),
        reason=version.reason,
        text=version.contract.text if version.contract else "",
        changes=compared,
        compacted=version.contract is None,
        bases=version.bases,
        affected=left,
        lost=version.lost,
    )


def component(board: Blackboard, key: str, *, files: bool = False, at: int | None = None) -> ComponentReport | None:
    """Return a component with its pins and verdicts, and optionally the text of its files; None if it is absent."""
    snapshot = board.snapshot(at=at)
    found = snapshot.component(key)
    if found is None:
        return None
    return ComponentReport(
        key=key,
        state=found.state,
        version=found.version,
        author=found.author,
        revision=found.revision,
        waits_for=found.waits_for,
        files={path: len(content) for path, content in sorted(found.files.items())},
        pins=_pins(board, snapshot, found, broken=at is None),
        verdicts=tuple(
            VerdictLine(one.check, one.passed, one.log, one.author, one.revision) for one in snapshot.verdicts(key)
        ),
        texts={path: content.decode(errors="replace") for path, content in sorted(found.files.items())}
        if files
        else {},
    )


def _pins(board: Blackboard, snapshot: Snapshot, found: Component, *, broken: bool) -> tuple[PinLine, ...]:
    lines = []
    with board.store.database.reading() as connection:
        gone = causes.broken_pins(connection, found.key) if broken else ()
    ordered = sorted(found.pins, key=lambda pin: (pin.key, str(pin.side), pin.version, pin.name))
    for (key, side, version), same in groupby(ordered, key=lambda pin: (pin.key, str(pin.side), pin.version)):
        now, pins = snapshot.decision(key), [pin for pin in same if pin.name]
        facets = tuple(pin.name for pin in pins)
        observed = tuple(pin.name for pin in pins if pin.observed)
        changes = tuple(one.line for one in gone if (one.key, one.side, one.version) == (key, side, version))
        lines.append(PinLine(key, side, version, facets, None if now is None else now.version, observed, changes))
    return tuple(lines)


def log(board: Blackboard, *, after: int | None = None, pattern: str = "**", newest: int = 200) -> LogReport:
    """Return changes in order.

    Args:
        board: The board.
        after: Return all changes after this revision; None means the newest changes only.
        pattern: Return only changes of keys under this pattern.
        newest: The number of changes if `after` is None.
    """
    head = feed.head(board.store)
    first = int(head["first_revision"])
    start = max(first - 1, head["revision"] - newest) if after is None else after
    found = board.changes(after=start)
    lines = overview.change_lines(board.store, shown(found, pattern))
    cut = after is None and (start > first - 1 or len(lines) > newest)
    shown_lines = lines[-newest:] if after is None else lines
    return LogReport(found[-1].revision if found else start, shown_lines, cut, first)


def shown(changes: Iterable[ChangeRecord], pattern: str) -> Iterable[ChangeRecord]:
    """Return the changes of keys under a pattern; those of reserved keys only if the pattern names them.

    Operators' acts on the whole board are shown only with the pattern of all keys.
    """
    return (one for one in changes if (_any(pattern) if one.key is None else _under(pattern, one.key)))


def _under(pattern: str, key: str) -> bool:
    return matches(pattern, key) and not (_any(pattern) and is_reserved(key))


def _any(pattern: str) -> bool:
    return pattern.startswith("*")


def diff(board: Blackboard, old: int, new: int, *, pattern: str = "**", proofs: bool = False) -> DiffReport:
    """Return the differences of the spec between two revisions, without reserved keys."""
    before, after = board.snapshot(at=old), board.snapshot(at=new)
    decisions = _paired(before.decisions(pattern), after.decisions(pattern))
    components = _paired(before.components(pattern), after.components(pattern))
    worse = {key: now.state for key, (then, now) in components.items() if now and now.state != (then and then.state)}
    left = ([key for key, state in worse.items() if state == kind] for kind in ("stale", "suspect", "orphaned"))
    return DiffReport(
        old,
        new,
        tuple(
            change for key, pair in decisions.items() if not is_reserved(key) for change in _decided(after, key, *pair)
        ),
        tuple(change for key, pair in components.items() for change in _built(key, *pair)),
        proofs,
        affected(board.store, *left),
    )


def _decided(after: Snapshot, key: str, old: Decision | None, new: Decision | None) -> Iterable[KeyChange]:
    if old is None or new is None or old.version != new.version:
        compared = facet_lines(old.contract.compare(new.contract)) if old and new else ()
        bases = next((one.bases for one in after.versions(key) if new and one.version == new.version), ())
        yield KeyChange(key, old.version if old else None, new.version if new else None, compared, bases)


def _built(key: str, old: Component | None, new: Component | None) -> Iterable[FileChange]:
    before = old.files if old else {}
    after = new.files if new else {}
    if (old.version if old else None) != (new.version if new else None):
        shared = sorted(before.keys() & after.keys())
        yield FileChange(
            key,
            old.version if old else None,
            new.version if new else None,
            added=tuple(sorted(after.keys() - before.keys())),
            removed=tuple(sorted(before.keys() - after.keys())),
            changed=tuple(path for path in shared if before[path] != after[path]),
        )


def _paired(old: Iterable[Kept], new: Iterable[Kept]) -> Mapping[str, tuple[Kept | None, Kept | None]]:
    """Return key -> (record before, record after), sorted."""
    before, after = {one.key: one for one in old}, {one.key: one for one in new}
    return {key: (before.get(key), after.get(key)) for key in sorted(before.keys() | after.keys())}
