"""A commit that no plan makes: what an operator did to a board, as a change in the feed and a link of the chain."""

from typing import Any

from blackboard.choreography.values import OPERATOR
from blackboard.spec.canonical import JSON, digest
from blackboard.store.chain import ADVANCE, CHANGE, CHANGED, LOG, chain
from blackboard.store.session import Turn


def write_act(
    turn: Turn,
    kind: str,
    *,
    author: str,
    reason: str,
    path: str = "",
    key: Any = None,  # noqa: ANN401 - a row
    said: str | None = None,
) -> int:
    """Write one change with its commit and return its revision.

    Args:
        turn: In which all that the act does is written.
        kind: Of the change.
        author: The operator.
        reason: Why.
        path: What the act named, where that is no key.
        key: The row (id, key) of the key that it is about; None: the whole board.
        said: Digest of what the act says; that of its reason if None.
    """
    revision = turn.revision + 1
    content = said or digest({"reason": reason})
    change = {"revision": revision, "ordinal": 0, "kind": kind, "key_id": key and key["id"], "version": None}
    turn.run(CHANGE, {**change, "author": author, "step": path, "reason": reason, "digest": content})
    if key is not None:
        turn.run(CHANGED, {"id": key["id"], "revision": revision})
    record: dict[str, JSON] = {"revision": revision, "author": author, "role": OPERATOR, "at": turn.now}
    record |= {"token": None, "choreography": None}
    chained = chain(turn.digest, record, [[0, kind, key and key["key"], None, author, path, content]])
    logged = {**record, "digest": chained}
    turn.run(LOG.of(logged), logged)
    turn.advance(ADVANCE, {"revision": revision, "digest": chained, "installs": 0})
    return revision
