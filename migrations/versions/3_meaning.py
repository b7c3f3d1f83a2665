"""The third schema: constraints and modules found by an index, versions made of two, pins of what code shows."""

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"


def upgrade() -> None:
    """Make the index and the column."""
    named = sa.text("name >= 'names:' AND name < 'names;'")
    op.create_index("head_facet_names", "head_facet", ["name"], sqlite_where=named)
    op.add_column("version", sa.Column("merged", sa.Integer))
    op.add_column("pin", sa.Column("observed", sa.Integer))
    op.create_index("component_file_path", "component_file", ["path"])
