"""Runs the migrations in one transaction: one that `bb board upgrade` lends, or one of Alembic's own commands.

Those are given the board, a path or a URL, by `alembic -x board=… upgrade head` or by BB_BOARD; without, it is
`sqlite:///board.db`.
"""

import os

import sqlalchemy as sa
from alembic import context

from blackboard.store.schema import metadata
from blackboard.store.upgrade import follow_library, migrating


def run(connection: sa.Connection) -> None:
    """Run what the command asks for; where the schema changed by it, remake what follows the library."""
    applied: list[object] = []
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transactional_ddl=False,
        on_version_apply=lambda **step: applied.append(step),
    )
    context.run_migrations()
    if applied and not context.is_offline_mode():
        follow_library(connection)


if "connection" in context.config.attributes:
    run(context.config.attributes["connection"])
else:
    location = context.get_x_argument(as_dictionary=True).get("board") or os.environ.get("BB_BOARD")
    with migrating(location or "sqlite:///board.db") as connection:
        run(connection)
