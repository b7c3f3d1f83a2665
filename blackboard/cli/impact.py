"""The impact of decisions: the same record for a dry run and for the commit."""

import shlex
from collections.abc import Collection, Mapping
from types import MappingProxyType

from blackboard.board import Blackboard
from blackboard.cli import overview
from blackboard.cli.affected import NOBODY, Affected
from blackboard.cli.place import Author
from blackboard.cli.records import FacetLine, ImpactReport, KeyChange
from blackboard.contracts.language import Contract, suffix_for_language
from blackboard.contracts.rules import without
from blackboard.errors import Inconsistent, Refused
from blackboard.spec.effects import Comparison
from blackboard.store.opened import Store
from blackboard.transaction import Transaction


def decide(
    board: Blackboard,
    author: Author,
    contracts: Mapping[str, Contract],
    *,
    rationale: str = "",
    dry_run: bool = False,
    accept: Collection[str] = (),
    files: Mapping[str, str] = MappingProxyType({}),
) -> ImpactReport:
    """Decide some keys in one commit, or return the impact that this would have.

    Args:
        board: The board.
        author: The author of the commit.
        contracts: key -> its new contract.
        rationale: The rationale of the decisions.
        dry_run: Write nothing.
        accept: Rules whose breaks are accepted.
        files: key -> the file with its text, if there is one.

    Raises:
        Refused: Nothing was decided. With `dry_run` the record has the refusal instead.
    """
    transaction = board.transaction(author.name, role=author.role)
    try:
        staged = [_stage(board, transaction, key, contract, (rationale, accept)) for key, contract in contracts.items()]
        changes = tuple(change for change in staged if change is not None)
        impact = transaction.preview()
        committed = None if dry_run else transaction.commit()
    finally:
        transaction.discard()
    if committed is not None:
        changes = tuple(change for change in changes if change.key in dict(committed.accepted))
    refused = impact.refused_by
    text, constraint = "" if refused is None else str(refused), ""
    if isinstance(refused, Inconsistent):
        text, constraint = refused.said, refused.constraint
    return ImpactReport(
        changes=changes,
        affected=affected(board.store, impact.stale, impact.suspect, impact.orphaned, impact.decisions),
        refused_by=text,
        constraint=constraint,
        together=_together(board, refused, files),
        revision=committed.revision if committed is not None and changes else None,
    )


def facet_lines(comparison: Comparison) -> tuple[FacetLine, ...]:
    """Return the lines of a comparison, one for each facet."""
    return tuple(
        FacetLine(facet, change.reason, str(change.uses), str(change.implements), change.proof, change.rules)
        for facet, change in comparison.effects.items()
    )


def affected(
    store: Store,
    stale: Collection[str],
    suspect: Collection[str],
    orphaned: Collection[str],
    decisions: Collection[str] = (),
) -> Affected:
    """Return the affected components with the estimated cost, `NOBODY` if there is none."""
    if not (stale or suspect or orphaned or decisions):
        return NOBODY
    work = overview.work(store)
    tokens = round(work.tokens / max(work.written, 1) * (len(stale) + len(orphaned))) or None
    return Affected(tuple(stale), tuple(suspect), tuple(orphaned), tuple(decisions), work.components, tokens)


def _together(board: Blackboard, refused: Refused | None, files: Mapping[str, str]) -> str:
    """Return the command that decides all keys of a constraint in one commit, "" if it names no further key."""
    named = dict.fromkeys(term.key for term in refused.terms) if isinstance(refused, Inconsistent) else {}
    if not files or not named.keys() - files.keys():
        return ""
    snapshot = board.snapshot()
    decided = {key: snapshot.decision(key) for key in named if key not in files}
    others = {
        key: key.rpartition("/")[2] + suffix_for_language("value" if one is None else one.contract.language)
        for key, one in decided.items()
    }
    return " ".join(["bb decide", *(f"{key} {shlex.quote(file)}" for key, file in {**files, **others}.items())])


def _stage(
    board: Blackboard, transaction: Transaction, key: str, contract: Contract, why: tuple[str, Collection[str]]
) -> KeyChange | None:
    """Add one decision to a transaction and return the difference, None if this text is accepted already.

    `why` is the rationale and the rules whose breaks are accepted.
    """
    before = transaction.decision(key)
    # Read outside the transaction, so that another proposal on the key is no conflict.
    versions = board.snapshot(at=transaction.revision).versions(key)
    last = versions[-1].version if versions else 0
    transaction.decide(key, contract, rationale=why[0], accept=why[1])
    if before is None:
        return KeyChange(key, None, last + 1)
    if before.contract.digest == contract.digest:
        return None
    effects, moved = before.contract.compare(contract).effects, before.contract.facets.keys() ^ contract.facets.keys()
    return KeyChange(key, before.version, last + 1, facet_lines(Comparison(without(effects, moved, why[1]))))
