"""The fourth schema: the calls of models, and the texts that they sent and got."""

import sqlalchemy as sa
from alembic import op

revision = "4"
down_revision = "3"


def upgrade() -> None:
    """Make the tables of model calls."""
    op.create_table(
        "call",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("activation_id", sa.Integer, nullable=False),
        sa.Column("token", sa.Integer, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("prompt", sa.Text),
        sa.Column("reply", sa.Text),
        sa.Column("input_tokens", sa.Integer),
        sa.Column("output_tokens", sa.Integer),
        sa.Column("money", sa.Double),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("began", sa.Double, nullable=False),
        sa.Column("seconds", sa.Double),
        sa.Column("outcome", sa.Text, nullable=False),
    )
    op.create_index("call_token", "call", ["token"])
    op.create_index("call_target", "call", ["target"])
    op.create_table(
        "call_text",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("used", sa.Double, nullable=False),
        sa.Column("bytes", sa.Integer, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_index("call_text_used", "call_text", ["used", "bytes"])
    op.drop_table("compacted_row")
