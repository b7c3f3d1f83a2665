"""The tables, indexes and views of a board."""

from alembic import op

from blackboard.store.upgrade import data_definitions

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make them."""
    for statement in data_definitions():
        op.execute(statement)
