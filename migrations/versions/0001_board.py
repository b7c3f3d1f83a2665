"""The tables and indexes of a board, and its first row.

Views, comments and the rules of staleness follow the library: `migrations/env.py` makes them after any migration.
"""

import uuid
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
REAL: sa.Double[float] = sa.Double()


def where(condition: str) -> dict[str, Any]:
    """Return the condition of an index of some rows, for each engine."""
    return dict.fromkeys(("sqlite_where", "postgresql_where"), sa.text(condition))


def upgrade() -> None:  # noqa: PLR0915 - as Alembic writes it
    """Make an empty board."""
    op.create_table(
        "activation",
        sa.Column("id", INTEGER, primary_key=True),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("target_id", INTEGER, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("rating", REAL, nullable=False),
        sa.Column("run_again", INTEGER, nullable=False),
        sa.Column("attempts", INTEGER, nullable=False),
        sa.Column("revision", INTEGER, nullable=False),
        sa.Column("pending_since", REAL, nullable=False),
        sa.Column("not_before", REAL, nullable=False),
        sa.Column("error", TEXT),
        sa.Column("reason", TEXT, nullable=False),
        sa.UniqueConstraint("target_id", "source"),
    )
    op.create_index(
        "activation_pending",
        "activation",
        ["source", sa.text("rating DESC"), "pending_since", "id"],
        **where("state = 'pending'"),
    )
    op.create_table(
        "blob",
        sa.Column("digest", TEXT, primary_key=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "board",
        sa.Column("id", INTEGER, autoincrement=False, primary_key=True),
        sa.Column("epoch", TEXT, nullable=False),
        sa.Column("revision", INTEGER, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("store_time", REAL, nullable=False),
        sa.Column("installed", INTEGER, nullable=False),
        sa.Column("first_revision", INTEGER, nullable=False),
        sa.Column("mode", TEXT),
        sa.Column("mode_reason", TEXT, nullable=False),
        sa.Column("library", TEXT),
    )
    op.create_table(
        "budget",
        sa.Column("resource", TEXT, primary_key=True),
        sa.Column("cap", REAL, nullable=False),
        sa.Column("spent", REAL, nullable=False),
        sa.Column("held", REAL, nullable=False),
        sa.Column("given", REAL, nullable=False),
    )
    op.create_table(
        "call",
        sa.Column("id", INTEGER, primary_key=True),
        sa.Column("activation_id", INTEGER, nullable=False),
        sa.Column("token", INTEGER, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("target", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("attempt", INTEGER, nullable=False),
        sa.Column("number", INTEGER, nullable=False),
        sa.Column("model", TEXT, nullable=False),
        sa.Column("prompt", TEXT),
        sa.Column("reply", TEXT),
        sa.Column("input_tokens", INTEGER),
        sa.Column("output_tokens", INTEGER),
        sa.Column("money", REAL),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("began", REAL, nullable=False),
        sa.Column("seconds", REAL),
        sa.Column("outcome", TEXT, nullable=False),
    )
    op.create_index("call_target", "call", ["target"])
    op.create_index("call_token", "call", ["token"])
    op.create_table(
        "call_text",
        sa.Column("digest", TEXT, primary_key=True),
        sa.Column("used", REAL, nullable=False),
        sa.Column("bytes", INTEGER, nullable=False),
        sa.Column("text", TEXT, nullable=False),
    )
    op.create_index("call_text_used", "call_text", ["used", "bytes"])
    op.create_table(
        "commit_log",
        sa.Column("revision", INTEGER, autoincrement=False, primary_key=True),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("author", TEXT, nullable=False),
        sa.Column("role", TEXT),
        sa.Column("at", REAL, nullable=False),
        sa.Column("token", INTEGER),
        sa.Column("choreography", TEXT),
    )
    op.create_table(
        "compaction",
        sa.Column("revision", INTEGER, autoincrement=False, primary_key=True),
        sa.Column("before", INTEGER, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
    )
    op.create_table(
        "idempotency",
        sa.Column("author", TEXT, primary_key=True),
        sa.Column("idempotency_key", TEXT, primary_key=True),
        sa.Column("content", TEXT),
        sa.Column("revision", INTEGER),
        sa.Column("accepted", TEXT, nullable=False),
        sa.Column("head_before", INTEGER, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "instance_count",
        sa.Column("template", TEXT, primary_key=True),
        sa.Column("keys", INTEGER, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "key",
        sa.Column("id", INTEGER, primary_key=True),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("last_version", INTEGER, nullable=False),
        sa.Column("current_version", INTEGER),
        sa.Column("digest", TEXT),
        sa.Column("generation", INTEGER, nullable=False),
        sa.Column("create_revision", INTEGER, nullable=False),
        sa.Column("member_revision", INTEGER, nullable=False),
        sa.Column("question_revision", INTEGER, nullable=False),
        sa.Column("mod_revision", INTEGER, nullable=False),
        sa.Column("compacted_revision", INTEGER),
        sa.Column("compacted_generation", INTEGER),
        sa.Column("contested_reason", TEXT),
        sa.UniqueConstraint("key"),
    )
    op.create_table(
        "pattern",
        sa.Column("id", INTEGER, primary_key=True),
        sa.Column("pattern", TEXT, nullable=False),
        sa.UniqueConstraint("pattern"),
    )
    op.create_table(
        "quiescence",
        sa.Column("revision", INTEGER, autoincrement=False, primary_key=True),
        sa.Column("at", REAL, nullable=False),
    )
    op.create_table(
        "refusal_count",
        sa.Column("author", TEXT, primary_key=True),
        sa.Column("target", TEXT, primary_key=True),
        sa.Column("count", INTEGER, nullable=False),
        sa.Column("at", REAL, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "reservation",
        sa.Column("author", TEXT, primary_key=True),
        sa.Column("kind", TEXT, primary_key=True),
        sa.Column("key", TEXT, primary_key=True),
        sa.Column("name", TEXT, primary_key=True),
        sa.Column("target", TEXT, nullable=False),
        sa.Column("since", REAL, nullable=False),
        sa.Column("until", REAL, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "resource",
        sa.Column("name", TEXT, primary_key=True),
        sa.Column("units", INTEGER, nullable=False),
    )
    op.create_table(
        "source_state",
        sa.Column("source", TEXT, primary_key=True),
        sa.Column("refused", INTEGER, nullable=False),
        sa.Column("quarantined", TEXT),
    )
    op.create_table(
        "staleness_rule",
        sa.Column("effect", TEXT, primary_key=True),
        sa.Column("side", TEXT, primary_key=True),
        sa.Column("validation", TEXT, primary_key=True),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("rank", INTEGER, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "change",
        sa.Column("revision", INTEGER, primary_key=True),
        sa.Column("ordinal", INTEGER, primary_key=True),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("key_id", INTEGER, sa.ForeignKey("key.id")),
        sa.Column("version", INTEGER),
        sa.Column("author", TEXT, nullable=False),
        sa.Column("step", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("change_key", "change", ["key_id", "revision"])
    op.create_table(
        "component_file",
        sa.Column("key_id", INTEGER, sa.ForeignKey("key.id"), primary_key=True),
        sa.Column("version", INTEGER, primary_key=True),
        sa.Column("path", TEXT, primary_key=True),
        sa.Column("blob", TEXT, sa.ForeignKey("blob.digest"), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("component_file_blob", "component_file", ["blob"])
    op.create_index("component_file_path", "component_file", ["path"])
    op.create_table(
        "component_version",
        sa.Column("key_id", INTEGER, sa.ForeignKey("key.id"), primary_key=True),
        sa.Column("version", INTEGER, primary_key=True),
        sa.Column("author", TEXT, nullable=False),
        sa.Column("role", TEXT),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("revision", INTEGER, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "current_facet",
        sa.Column("key_id", INTEGER, sa.ForeignKey("key.id"), primary_key=True),
        sa.Column("name", TEXT, primary_key=True),
        sa.Column("since", INTEGER, nullable=False),
        sa.Column("digest", TEXT),
        sqlite_with_rowid=False,
    )
    op.create_index("current_facet_names", "current_facet", ["name"], **where("name >= 'names:' AND name < 'names;'"))
    op.create_table(
        "deadline",
        sa.Column("key_id", INTEGER, sa.ForeignKey("key.id"), primary_key=True),
        sa.Column("path", TEXT, primary_key=True),
        sa.Column("round", INTEGER, nullable=False),
        sa.Column("due", REAL, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "facet_effect",
        sa.Column("key_id", INTEGER, sa.ForeignKey("key.id"), primary_key=True),
        sa.Column("name", TEXT, primary_key=True),
        sa.Column("new_since", INTEGER, primary_key=True),
        sa.Column("old_since", INTEGER, primary_key=True),
        sa.Column("uses", TEXT, nullable=False),
        sa.Column("implements", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "key_history",
        sa.Column("key_id", INTEGER, sa.ForeignKey("key.id"), primary_key=True),
        sa.Column("revision", INTEGER, primary_key=True),
        sa.Column("version", INTEGER),
        sa.Column("state", TEXT, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "lease",
        sa.Column("token", INTEGER, primary_key=True),
        sa.Column("activation_id", INTEGER, sa.ForeignKey("activation.id"), nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("target_id", INTEGER, sa.ForeignKey("key.id"), nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("cause", INTEGER, nullable=False),
        sa.Column("host", TEXT, nullable=False),
        sa.Column("process", INTEGER, nullable=False),
        sa.Column("process_started", REAL, nullable=False),
        sa.Column("claimed", REAL, nullable=False),
        sa.Column("expires", REAL, nullable=False),
        sa.Column("longest_until", REAL, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("lease_activation", "lease", ["activation_id", "token"])
    op.create_index("lease_expired", "lease", ["target_id"], **where("state = 'expired'"))
    op.create_index(
        "lease_live",
        "lease",
        ["state", "host", "process", "process_started", "source", "expires"],
        **where("state = 'live'"),
    )
    op.create_index("lease_target", "lease", ["target_id"], **where("state = 'live'"))
    op.create_table(
        "pattern_member",
        sa.Column("pattern_id", INTEGER, sa.ForeignKey("pattern.id"), primary_key=True),
        sa.Column("key_id", INTEGER, sa.ForeignKey("key.id"), primary_key=True),
        sa.Column("since", INTEGER, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "pattern_pin",
        sa.Column("component_id", INTEGER, sa.ForeignKey("key.id"), primary_key=True),
        sa.Column("component_version", INTEGER, primary_key=True),
        sa.Column("pattern_id", INTEGER, sa.ForeignKey("pattern.id"), primary_key=True),
        sa.Column("since", INTEGER, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "pin",
        sa.Column("component_id", INTEGER, sa.ForeignKey("key.id"), primary_key=True),
        sa.Column("component_version", INTEGER, primary_key=True),
        sa.Column("key_id", INTEGER, sa.ForeignKey("key.id"), primary_key=True),
        sa.Column("name", TEXT, primary_key=True),
        sa.Column("side", TEXT, primary_key=True),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("since", INTEGER, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("observed", INTEGER),
        sqlite_with_rowid=False,
    )
    op.create_index("pin_by_facet", "pin", ["key_id", "name", "since", "component_id", "component_version"])
    op.create_table(
        "question",
        sa.Column("key_id", INTEGER, sa.ForeignKey("key.id"), primary_key=True),
        sa.Column("revision", INTEGER, primary_key=True),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("options", TEXT, nullable=False),
        sa.Column("author", TEXT, nullable=False),
        sa.Column("role", TEXT),
        sa.Column("closed_revision", INTEGER),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "requirement",
        sa.Column("component_id", INTEGER, sa.ForeignKey("key.id"), primary_key=True),
        sa.Column("key_id", INTEGER, sa.ForeignKey("key.id"), primary_key=True),
        sa.Column("named", INTEGER, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "requirement_pattern",
        sa.Column("component_id", INTEGER, sa.ForeignKey("key.id"), primary_key=True),
        sa.Column("pattern_id", INTEGER, sa.ForeignKey("pattern.id"), primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "step_instance",
        sa.Column("key_id", INTEGER, sa.ForeignKey("key.id"), primary_key=True),
        sa.Column("path", TEXT, primary_key=True),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("revision", INTEGER, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "subscription",
        sa.Column("component_id", INTEGER, sa.ForeignKey("key.id"), primary_key=True),
        sa.Column("source", TEXT, primary_key=True),
        sa.Column("kind", TEXT, primary_key=True),
        sa.Column("version", INTEGER, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "verdict",
        sa.Column("check_name", TEXT, primary_key=True),
        sa.Column("component_id", INTEGER, sa.ForeignKey("key.id"), primary_key=True),
        sa.Column("revision", INTEGER, primary_key=True),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("passed", INTEGER, nullable=False),
        sa.Column("log", TEXT, nullable=False),
        sa.Column("inputs", TEXT, nullable=False),
        sa.Column("author", TEXT, nullable=False),
        sa.Column("settles_suspicion", INTEGER, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "verdict_settling", "verdict", ["component_id", "version", "revision"], **where("settles_suspicion = 1")
    )
    op.create_table(
        "version",
        sa.Column("key_id", INTEGER, sa.ForeignKey("key.id"), primary_key=True),
        sa.Column("version", INTEGER, primary_key=True),
        sa.Column("language", TEXT, nullable=False),
        sa.Column("text", TEXT),
        sa.Column("facets", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("base", INTEGER),
        sa.Column("author", TEXT, nullable=False),
        sa.Column("role", TEXT),
        sa.Column("rationale", TEXT, nullable=False),
        sa.Column("evidence", TEXT, nullable=False),
        sa.Column("electorate", TEXT),
        sa.Column("quorum", INTEGER),
        sa.Column("round", INTEGER, nullable=False),
        sa.Column("joint_revision", INTEGER),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("revision", INTEGER, nullable=False),
        sa.Column("settled_revision", INTEGER),
        sa.Column("merged_version", INTEGER),
        sqlite_with_rowid=False,
    )
    op.create_index("version_digest", "version", ["key_id", "digest"])
    op.create_index("version_joint", "version", ["joint_revision"], **where("joint_revision IS NOT NULL"))
    op.create_index("version_live", "version", ["key_id", "version"], **where("state = 'proposed'"))
    op.create_table(
        "vote",
        sa.Column("key_id", INTEGER, sa.ForeignKey("key.id"), primary_key=True),
        sa.Column("version", INTEGER, primary_key=True),
        sa.Column("author", TEXT, primary_key=True),
        sa.Column("approve", INTEGER, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("revision", INTEGER, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "resource_hold",
        sa.Column("token", INTEGER, sa.ForeignKey("lease.token"), primary_key=True),
        sa.Column("resource", TEXT, primary_key=True),
        sa.Column("amount", REAL, nullable=False),
    )
    op.create_table(
        "worker",
        sa.Column("host", TEXT, primary_key=True),
        sa.Column("process", INTEGER, primary_key=True, autoincrement=False),
        sa.Column("process_started", REAL, primary_key=True),
        sa.Column("number", INTEGER, primary_key=True, autoincrement=False),
        sa.Column("library", TEXT, nullable=False),
        sa.Column("sources", TEXT, nullable=False),
        sa.Column("began", REAL, nullable=False),
        sa.Column("seen", REAL, nullable=False),
        sqlite_with_rowid=False,
    )
    columns = ("id", "epoch", "revision", "digest", "store_time", "installed", "first_revision", "mode_reason")
    row = (1, uuid.uuid4().hex, 0, "", 0.0, 0, 1, "")
    op.bulk_insert(sa.table("board", *map(sa.column, columns)), [dict(zip(columns, row, strict=True))])
    if op.get_bind().dialect.name == "sqlite":
        op.execute("PRAGMA application_id = 0x62627331")
