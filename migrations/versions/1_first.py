"""The first schema: made by `store.upgrade.create` from the tables themselves, so there is nothing to bring over."""

revision = "1"
down_revision = None


def upgrade() -> None:
    """Do nothing: a board of schema 1 was created as one."""
