"""The third schema: indexes of constraints and modules, versions made of two and of one state less, observed pins."""

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"


def upgrade() -> None:
    """Make the indexes and the columns, and let versions be that others took the place of."""
    named = sa.text("name >= 'names:' AND name < 'names;'")
    op.create_index("head_facet_names", "head_facet", ["name"], sqlite_where=named)
    op.add_column("version", sa.Column("merged", sa.Integer))
    op.add_column("pin", sa.Column("observed", sa.Integer))
    op.create_index("component_file_path", "component_file", ["path"])
    op.execute("UPDATE version SET state = 'accepted' WHERE state = 'superseded'")
