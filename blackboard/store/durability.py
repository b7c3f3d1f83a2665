"""With which durability a board was opened last, kept in its file so that the doctor can name it."""

from blackboard.store.session import Turn
from blackboard.store.sqlite import Connection, Database
from blackboard.store.statements import Statement

_KEPT = Statement("PRAGMA user_version")
_NORMAL = 1


def note(turn: Turn, database: Database) -> None:
    """Keep with which durability this process opened the board."""
    wanted = _NORMAL if database.synchronous == "NORMAL" else 0
    if database.path is not None and turn.all(_KEPT)[0][0] != wanted:
        turn.connection.raw.execute(f"PRAGMA user_version = {wanted}")


def is_normal(on: Connection) -> bool:
    """Say whether who opened it last asked for less than full durability."""
    return bool(on.all(_KEPT)[0][0] == _NORMAL)
