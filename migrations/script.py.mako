"""${message}."""

from alembic import op

revision = "${up_revision}"
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Bring a board of the schema before to this one."""
    ${upgrades if upgrades else "raise NotImplementedError"}
