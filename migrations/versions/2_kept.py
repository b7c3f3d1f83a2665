"""The second schema: what an operator did to the whole board, reservations, and logs that can be compacted."""

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"


def upgrade() -> None:
    """Make the new tables, and make anew those of whose columns some may now be NULL."""
    _board()
    _change()
    _version()
    _budget()
    _wakes()
    _staleness()
    _agenda()
    op.create_table(
        "compaction",
        sa.Column("revision", sa.Integer, primary_key=True),
        _integer("before"),
        _text("digest"),
        _text("state"),
    )
    op.create_table(
        "compacted_key",
        sa.Column("key_id", sa.Integer, sa.ForeignKey("key.id"), primary_key=True, autoincrement=False),
        _text("state"),
        _integer("last_version"),
        _integer("current", null=True),
        *(_integer(name) for name in ("generation", "member_revision", "mod_revision")),
        _text("contested", null=True),
        _text("facets"),
        sqlite_with_rowid=False,
    )
    op.create_table("instance_count", _text("template", primary=True), _integer("keys"), sqlite_with_rowid=False)
    op.create_table("compacted_row", _text("name", primary=True), _text("row", primary=True), sqlite_with_rowid=False)
    op.create_index("component_file_blob", "component_file", ["blob"])
    op.create_table(
        "refusal",
        _text("author", primary=True),
        _text("target", primary=True),
        _integer("count"),
        _real("at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "reservation",
        _text("author", primary=True),
        _text("kind", primary=True),
        _text("key", primary=True),
        _text("name", primary=True),
        _text("target"),
        _real("since"),
        _real("until"),
        sqlite_with_rowid=False,
    )


def _board() -> None:
    op.rename_table("board", "old_board")
    op.create_table(
        "board",
        sa.Column("id", sa.Integer, primary_key=True),
        _text("epoch"),
        _integer("revision"),
        _text("digest"),
        _real("clock"),
        _integer("installed"),
        _integer("first"),
        _text("halt", null=True),
        _text("halt_reason"),
    )
    op.execute(
        "INSERT INTO board SELECT id, epoch, revision, digest, clock, "
        "(SELECT coalesce(max(mod_revision), 0) FROM key WHERE key LIKE 'choreography/%' OR key LIKE 'role/%' "
        "OR key LIKE 'member/%' OR key LIKE 'source/%'), 1, "
        "CASE WHEN paused IS NULL THEN NULL ELSE 'paused' END, coalesce(paused, '') FROM old_board"
    )
    op.drop_table("old_board")


def _change() -> None:
    op.drop_index("change_key")
    op.rename_table("change", "old_change")
    op.create_table(
        "change",
        _integer("revision", primary=True),
        _integer("ordinal", primary=True),
        _text("kind"),
        sa.Column("key_id", sa.Integer, sa.ForeignKey("key.id")),
        _integer("version", null=True),
        _text("author"),
        _text("path"),
        _text("reason"),
        _text("digest"),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO change SELECT * FROM old_change")
    op.drop_table("old_change")
    op.create_index("change_key", "change", ["key_id", "revision"])


def _version() -> None:
    op.drop_index("version_digest")
    op.rename_table("version", "old_version")
    op.create_table(
        "version",
        sa.Column("key_id", sa.Integer, sa.ForeignKey("key.id"), primary_key=True, autoincrement=False),
        _integer("version", primary=True),
        _text("language"),
        _text("text", null=True),
        *(_text(name) for name in ("facets", "digest", "state")),
        _integer("base", null=True),
        _text("author"),
        _text("role", null=True),
        _text("rationale"),
        _text("evidence"),
        _text("electorate", null=True),
        _integer("quorum", null=True),
        _integer("round"),
        _integer("joint", null=True),
        _text("reason"),
        _integer("revision"),
        _integer("settled_revision", null=True),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO version SELECT * FROM old_version")
    op.drop_table("old_version")
    op.create_index("version_digest", "version", ["key_id", "digest"])
    op.create_index("version_live", "version", ["key_id", "version"], sqlite_where=sa.text("state = 'proposed'"))
    op.create_index("version_joint", "version", ["joint"], sqlite_where=sa.text("joint IS NOT NULL"))


def _wakes() -> None:
    op.rename_table("wakes", "old_wakes")
    op.create_table(
        "wakes",
        sa.Column("component_id", sa.Integer, sa.ForeignKey("key.id"), primary_key=True, autoincrement=False),
        _text("source", primary=True),
        _text("kind", primary=True),
        _integer("version"),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO wakes SELECT w.*, k.current FROM old_wakes w JOIN key k ON k.id = w.component_id")
    op.drop_table("old_wakes")


def _staleness() -> None:
    """Let a check say what became of a compatible change; the library writes the rules of its table."""
    op.drop_table("staleness")
    op.create_table(
        "staleness",
        *(_text(name, primary=True) for name in ("effect", "side", "validation")),
        _text("state"),
        _integer("rank"),
        sqlite_with_rowid=False,
    )
    op.rename_table("verdict", "old_verdict")
    op.create_table(
        "verdict",
        _text("check_name", primary=True),
        sa.Column("component_id", sa.Integer, sa.ForeignKey("key.id"), primary_key=True, autoincrement=False),
        _integer("revision", primary=True),
        *(_integer(name) for name in ("version", "passed")),
        *(_text(name) for name in ("log", "inputs", "author")),
        _integer("settles"),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO verdict SELECT v.*, 0 FROM old_verdict v")
    op.drop_table("old_verdict")
    settling = ["component_id", "version", "revision"]
    op.create_index("verdict_settling", "verdict", settling, sqlite_where=sa.text("settles = 1"))


def _agenda() -> None:
    """Make anew what is claimed, and with it what refers to it."""
    for index in ("activation_pending", "lease_activation", "lease_live", "lease_target"):
        op.drop_index(index)
    for name in ("activation", "lease", "hold"):
        op.rename_table(name, f"old_{name}")
    op.create_table(
        "activation",
        sa.Column("id", sa.Integer, primary_key=True),
        _text("source"),
        _integer("target_id"),
        *(_text(name) for name in ("kind", "state")),
        _real("rating"),
        *(_integer(name) for name in ("dirty", "attempts", "revision")),
        *(_real(name) for name in ("since", "not_before")),
        _text("error", null=True),
        _text("reason"),
        sa.UniqueConstraint("target_id", "source"),
    )
    op.create_table(
        "lease",
        sa.Column("token", sa.Integer, primary_key=True),
        sa.Column("activation_id", sa.Integer, sa.ForeignKey("activation.id"), nullable=False),
        *(_text(name) for name in ("source", "role")),
        sa.Column("target_id", sa.Integer, sa.ForeignKey("key.id"), nullable=False),
        _text("kind"),
        _integer("cause"),
        _text("host"),
        _integer("process"),
        *(_real(name) for name in ("process_started", "claimed", "expires", "until")),
        _text("state"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "hold",
        sa.Column("token", sa.Integer, sa.ForeignKey("lease.token"), primary_key=True),
        _text("resource", primary=True),
        _real("amount"),
    )
    for name in ("activation", "lease", "hold"):
        op.execute(f"INSERT INTO {name} SELECT * FROM old_{name}")
    for name in ("hold", "lease", "activation"):
        op.drop_table(f"old_{name}")
    live = sa.text("state = 'live'")
    pending = ["source", sa.text("rating DESC"), "since", "id"]
    op.create_index("activation_pending", "activation", pending, sqlite_where=sa.text("state = 'pending'"))
    op.create_index("lease_activation", "lease", ["activation_id", "token"])
    holder = ["state", "host", "process", "process_started", "source", "expires"]
    op.create_index("lease_live", "lease", holder, sqlite_where=live)
    op.create_index("lease_target", "lease", ["target_id"], sqlite_where=live)
    op.create_index("lease_expired", "lease", ["target_id"], sqlite_where=sa.text("state = 'expired'"))


def _budget() -> None:
    op.rename_table("budget", "old_budget")
    op.create_table(
        "budget",
        _text("resource", primary=True),
        *(_real(name) for name in ("cap", "spent", "held", "given")),
    )
    op.execute("INSERT INTO budget SELECT resource, cap, spent, held, cap FROM old_budget")
    op.drop_table("old_budget")


def _text(name: str, *, primary: bool = False, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=primary, nullable=null)


def _integer(name: str, *, primary: bool = False, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, primary_key=primary, nullable=null, autoincrement=False)


def _real(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Double, nullable=False)
