"""Compaction: what happened before a revision is folded into the state at it, and what nobody needs any more goes.

It is a commit of an operator, with one change of no key. The whole board is verified first: a history that does not
hold is never folded, since nobody could tell afterwards. The commit holds the digest of the chain at the last revision
that is not kept, and the digest of all that is kept from before; `verify` begins with them.

Kept for ever: every version's and component's digest; the text of what was current, proposed or settled at a kept
revision or when the first of them was committed, of what such a proposal began with, or in which a facet got the value
that it has, had then, or that a kept component pins; the components that were current at a kept revision or then, and
their verdicts. Kept of a decision's past: when which version was current, back to when the key last joined or left what
a pattern names, to whatever is pinned and to the version before that removed a facet, since from there on it is told
since when a facet has its value.

Not kept, apart from what happened: votes on texts that are gone, questions that were closed, the answers to repeated
calls, and the causes of runs before: a causal chain is followed back to the first kept revision.
"""

import json
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

from blackboard.errors import Invalid
from blackboard.spec import arguments
from blackboard.spec.canonical import digest
from blackboard.spec.changes import Committed
from blackboard.spec.keys import check_name
from blackboard.store.audit import write_act
from blackboard.store.opened import Store
from blackboard.store.read import board_row
from blackboard.store.remains import COMPACTED, compacted_content, state_digest
from blackboard.store.replay import ReplayedKey
from blackboard.store.session import Turn
from blackboard.store.statements import Statement
from blackboard.store.verify import Check, verify

_FIRST = Statement("UPDATE board SET first_revision = :before")
_COMPACTION = Statement(
    "INSERT INTO compaction (revision, before, digest, state) VALUES (:revision, :before, :digest, :state)"
)
_KEYS = Statement("""
    UPDATE key SET compacted_revision = :revision, compacted_generation = :generation,
      contested_reason = :contested WHERE key = :key""")

_SHOWN = """(t.revision >= :before OR t.revision = (
    SELECT max(l.revision) FROM key_history l WHERE l.key_id = t.key_id AND l.revision < :before))"""
"""Whether a row of `key_history` was so at a kept revision, or when the first of them was committed."""

_KEPT_COMPONENTS = f"""
    SELECT t.key_id, t.version FROM key_history t JOIN key k ON k.id = t.key_id
    WHERE k.kind = 'component' AND t.version IS NOT NULL AND {_SHOWN}
    UNION SELECT component_id, version FROM verdict"""

_KEPT_DECISIONS = f"""
    SELECT t.key_id, t.version FROM key_history t WHERE t.version IS NOT NULL AND {_SHOWN}
    UNION SELECT key_id, version FROM version
    WHERE revision >= :before OR coalesce(settled_revision, :before) >= :before"""

_BEGAN = """
    SELECT p.key_id, max(t.revision) AS revision
    FROM (SELECT key_id, since FROM pin UNION SELECT key_id, since FROM current_facet WHERE digest IS NOT NULL
      UNION SELECT k.id, json_extract(b.value, '$[1]') FROM json_each(:began) b
      JOIN key k ON k.key = json_extract(b.value, '$[0]')) p
    JOIN key_history t ON t.key_id = p.key_id AND t.revision <= p.since GROUP BY p.key_id, p.since"""
"""The rows of `key_history` in which the values began that are pinned, stand, or stood when the first kept revision was
committed: the next version is compared with those."""

_PRUNE = tuple(
    Statement(text)
    for text in (
        f"""DELETE FROM verdict WHERE revision < :before AND NOT EXISTS (
            SELECT 1 FROM key_history t
            WHERE t.key_id = verdict.component_id AND t.version = verdict.version AND {_SHOWN})""",
        f"""DELETE FROM pin
            WHERE (component_id, component_version) NOT IN ({_KEPT_COMPONENTS} UNION {_KEPT_DECISIONS})""",
        f"DELETE FROM pattern_pin WHERE (component_id, component_version) NOT IN ({_KEPT_COMPONENTS})",
        f"DELETE FROM component_file WHERE (key_id, version) NOT IN ({_KEPT_COMPONENTS})",
        "DELETE FROM blob WHERE digest NOT IN (SELECT blob FROM component_file)",
        f"""UPDATE version SET text = NULL
            WHERE text IS NOT NULL AND revision < :before AND settled_revision < :before
              AND (key_id, version) NOT IN (
                SELECT t.key_id, t.version FROM key_history t WHERE t.version IS NOT NULL AND {_SHOWN}
                UNION SELECT key_id, version FROM pin
                UNION SELECT l.key_id, l.base FROM version l WHERE l.base IS NOT NULL
                  AND (l.settled_revision IS NULL OR l.settled_revision >= :before)
                UNION SELECT t.key_id, t.version FROM ({_BEGAN}) p
                  JOIN key_history t ON t.key_id = p.key_id AND t.revision = p.revision WHERE t.version IS NOT NULL)""",
        """DELETE FROM vote WHERE revision < :before AND EXISTS (
            SELECT 1 FROM version v WHERE v.key_id = vote.key_id AND v.version = vote.version AND v.text IS NULL)""",
        "DELETE FROM question WHERE closed_revision < :before",
        """DELETE FROM facet_effect WHERE new_since < :before AND NOT EXISTS (
            SELECT 1 FROM pin p WHERE p.key_id = facet_effect.key_id AND p.name = facet_effect.name
              AND p.since = facet_effect.old_since)""",
        f"""WITH last AS (
              SELECT t.key_id, t.revision, t.version IS NULL AS gone, k.kind
              FROM key_history t JOIN key k ON k.id = t.key_id
              WHERE t.revision = (
                SELECT max(l.revision) FROM key_history l WHERE l.key_id = t.key_id AND l.revision < :before)),
            needed AS (
              SELECT l.key_id, min(t.revision) AS revision FROM last l JOIN key_history t ON t.key_id = l.key_id
              WHERE l.kind = 'decision' AND t.revision <= l.revision AND t.revision > coalesce((
                SELECT max(o.revision) FROM key_history o
                WHERE o.key_id = l.key_id AND o.revision < l.revision AND (o.version IS NULL) <> l.gone), 0)
              GROUP BY l.key_id
              UNION ALL SELECT key_id, revision FROM last WHERE kind = 'component'
              UNION ALL SELECT key_id, revision FROM ({_BEGAN})
              UNION ALL SELECT k.id, json_extract(r.value, '$[1]') FROM json_each(:removed) r
              JOIN key k ON k.key = json_extract(r.value, '$[0]'))
            DELETE FROM key_history WHERE revision < (
              SELECT min(n.revision) FROM needed n WHERE n.key_id = key_history.key_id AND n.revision < :before)""",
        "DELETE FROM change WHERE revision < :before",
        "DELETE FROM commit_log WHERE revision < :before",
        "DELETE FROM compaction WHERE revision < :before",
        "DELETE FROM idempotency WHERE coalesce(revision, head_before) < :before",
    )
)
"""In this order: what a component was built against is kept with it, and a text with who pins it."""


_SIZE = Statement("""
    SELECT (SELECT count(*) FROM version WHERE text IS NOT NULL) AS texts,
      (SELECT count(*) FROM component_file) AS files,
      (SELECT coalesce(sum(length(CAST(text AS BLOB))), 0) FROM version)
        + (SELECT coalesce(sum(length(content)), 0) FROM blob) AS bytes""")


@dataclass(frozen=True, slots=True)
class Loss:
    """What a compaction takes away for ever.

    Attributes:
        first, last: The revisions whose history goes; a cursor before `last` ends with it.
        texts: Of versions of decisions.
        files: Of versions of components.
        size_bytes: Of those texts and files.
    """

    first: int
    last: int
    texts: int
    files: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class _Folded:
    """The board as it was before a revision.

    Attributes:
        first: The first revision whose log is kept.
        digest: Of the chain.
        keys: What the changes had made of each key.
    """

    first: int
    digest: str
    keys: dict[str, ReplayedKey]

    @property
    def began(self) -> str:
        """Since when facets have their values: JSON list of [key, revision]."""
        return json.dumps(
            sorted({(name, since) for name, key in self.keys.items() for since, value in key.heads.values() if value})
        )

    @property
    def removed(self) -> str:
        """The rows of `key_history` before those that removed facets: JSON list of [key, revision]."""
        return json.dumps(
            [
                (name, before[0])
                for name, key in self.keys.items()
                for before, row in pairwise(key.tenure)
                if (row[0], None) in key.heads.values()
            ]
        )


class _DryRunError(Exception):
    """Undoes a compaction that was only tried."""

    def __init__(self, loss: Loss | None) -> None:
        self.loss = loss


def compact(store: Store, *, before: int, author: str, reason: str = "") -> Committed:
    """Fold everything before a revision into the state at it; below it there is only `Compacted` from then on.

    Args:
        store: Of the board.
        before: The first revision that is kept.
        author: The operator who does it.
        reason: Why.

    Returns:
        The commit; where the board is compacted that far already, nothing is written.

    Raises:
        Invalid: There is no such revision.
        Damaged: What would be folded contradicts itself; nothing was written.
    """
    check_name(author)
    arguments.text(reason, "the reason")
    name = store.name_commit()
    while True:
        folded = _walked(store, before)
        if isinstance(folded, int):
            return Committed(folded, (), folded)
        done = store.writer.run(partial(_fold, folded, before, author, reason), name)
        if done is not None:
            return done


def foresee(store: Store, *, before: int) -> Loss | None:
    """Return what a compaction would take away, None where that is nothing: does it, measures and undoes it.

    Raises:
        Invalid: There is no such revision.
        Damaged: What would be folded contradicts itself.
    """
    while True:
        folded = _walked(store, before)
        if isinstance(folded, int):
            return None
        try:
            store.writer.run(partial(_try, folded, before))
        except _DryRunError as tried:
            if tried.loss is not None:
                return tried.loss


def _walked(store: Store, before: int) -> _Folded | int:
    """Verify the board and return what there is to fold; the newest revision where there is nothing."""
    arguments.integer(before, "before", least=1)
    board = board_row(store.database)
    revision: int = board["revision"]
    if before > revision:
        raise Invalid(f"there is no revision {before} to begin with; the newest is {revision}")
    if before <= board["first_revision"]:
        return revision
    verify(store)
    with store.database.reading() as on:
        check = Check(on, store.location)
        # Outside the turn: history does not change, unless another compacts meanwhile; then it is walked again.
        chained = check.walk(None, before - 1).digest
    return _Folded(board["first_revision"], chained, check.keys)


def _fold(folded: _Folded, before: int, author: str, reason: str, turn: Turn) -> Committed | None:
    """Fold in a turn; None where somebody else compacted since the log was walked through."""
    if turn.first != folded.first:
        return None
    turn.run_many(_KEYS, [_row(name, key) for name, key in folded.keys.items() if key.mod_revision])
    here = {"before": before, "began": folded.began, "removed": folded.removed}
    for statement in _PRUNE:
        turn.run(statement, here)
    turn.run(_FIRST, {"before": before})
    state = state_digest(turn.connection, before)
    said = digest(compacted_content(reason, before, folded.digest, state))
    revision = write_act(turn, COMPACTED, author=author, reason=reason, path=str(before), said=said)
    turn.run(_COMPACTION, {"revision": revision, "before": before, "digest": folded.digest, "state": state})
    return Committed(revision, (), turn.revision)


def _row(name: str, key: ReplayedKey) -> dict[str, Any]:
    return {
        "key": name,
        "revision": key.mod_revision,
        "generation": key.generation,
        "contested": key.contested,
    }


def _try(folded: _Folded, before: int, turn: Turn) -> None:
    """Fold in a turn, and raise what was measured, so that it is undone."""
    (whole,) = turn.all(_SIZE)
    if _fold(folded, before, "nobody", "", turn) is None:
        raise _DryRunError(None)
    (left,) = turn.all(_SIZE)
    texts, files, size = (whole[name] - left[name] for name in ("texts", "files", "bytes"))
    raise _DryRunError(Loss(folded.first, before - 1, texts, files, size))
