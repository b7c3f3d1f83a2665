"""A board's epoch: one unbroken history. It is new where the history may go on otherwise than somebody saw it.

That is after a restore, in a copy, after a failover that was not synchronous. Cursors of an older epoch are refused
(`Forked`), and its leases are void: nothing made under them is committed any more.
"""

import uuid

from blackboard.spec.activation import Ending
from blackboard.store import agenda
from blackboard.store.agenda import End
from blackboard.store.audit import write_act
from blackboard.store.feed import Cursor
from blackboard.store.session import Turn
from blackboard.store.statements import Statement

GAP = 1 << 20
"""Tokens that are skipped, so that none is given out again that the other history gave out after they parted."""

_FREE = Statement("DELETE FROM reservation")
_EPOCH = Statement("UPDATE board SET epoch = :epoch")
_LIVE = Statement("SELECT token FROM lease WHERE state = 'live'")
_VOID = Statement("UPDATE lease SET state = 'revoked' WHERE state IN ('live', 'expired')")
_SKIP = Statement("UPDATE sqlite_sequence SET seq = seq + :gap WHERE name = 'lease'")
_SKIP_FIRST = Statement(
    "INSERT INTO sqlite_sequence (name, seq) SELECT 'lease', :gap "
    "WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'lease')"
)


def new_epoch(turn: Turn) -> str:
    """Begin a new epoch in a turn and return it; all that was claimed is pending again, and its leases are void.

    What a lost run held of a budget counts as spent.
    """
    tokens = [row["token"] for row in turn.all(_LIVE)]
    agenda.end_in(turn, [End(token, Ending.LOST, "LeaseLost", "the board began a new epoch") for token in tokens])
    turn.run(_VOID)
    turn.run(_FREE)
    turn.run(_SKIP, {"gap": GAP})
    turn.run(_SKIP_FIRST, {"gap": GAP})
    epoch = uuid.uuid4().hex
    turn.run(_EPOCH, {"epoch": epoch})
    turn.epoch = epoch
    return epoch


def succeed(turn: Turn, *, author: str, reason: str) -> Cursor:
    """Begin the epoch of a copy with a commit of the operator's that says of what, and return the new board's head.

    Args:
        turn: Of the new board.
        author: Who does it.
        reason: From which board, at which head.
    """
    epoch = new_epoch(turn)
    revision = write_act(turn, "copied", author=author, reason=reason)
    return Cursor(epoch, revision, turn.after[1] if turn.after else turn.digest)
