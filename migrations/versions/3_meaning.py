"""The third schema: the constraints that name a key are found by an index, and a version may be made of two others."""

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"


def upgrade() -> None:
    """Make the index and the column."""
    named = sa.text("name >= 'names:' AND name < 'names;'")
    op.create_index("head_facet_names", "head_facet", ["name"], sqlite_where=named)
    op.add_column("version", sa.Column("merged", sa.Integer))
