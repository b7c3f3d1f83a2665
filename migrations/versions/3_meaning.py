"""The third schema: the constraints that name a key are found by an index."""

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"


def upgrade() -> None:
    """Make the index."""
    named = sa.text("name >= 'names:' AND name < 'names;'")
    op.create_index("head_facet_names", "head_facet", ["name"], sqlite_where=named)
