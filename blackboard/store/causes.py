"""Why a component or decision stands as it does: pins that no longer hold, and who made a decision what it is."""

from dataclasses import dataclass
from typing import Any

from blackboard.store.statements import Reads, Statement

Row = Any

_BROKEN_PINS = Statement("""
    SELECT d.key, p.name, p.side, p.version AS pinned, d.current_version, d.state, d.mod_revision, h.since,
      e.uses, e.implements, e.reason
    FROM key k JOIN pin p ON p.component_id = k.id AND p.component_version = k.current_version
    JOIN key d ON d.id = p.key_id
    LEFT JOIN current_facet h ON h.key_id = p.key_id AND h.name = p.name
    LEFT JOIN facet_effect e ON e.key_id = p.key_id AND e.name = p.name
      AND e.new_since = h.since AND e.old_since = p.since
    WHERE k.key = :key AND (d.current_version IS NULL OR h.digest IS NOT nullif(p.digest, ''))
    ORDER BY h.since DESC, d.key, p.name""")

_JOINED = Statement("""
    SELECT d.key, n.pattern, m.since FROM key k
    JOIN pattern_pin pp ON pp.component_id = k.id AND pp.component_version = k.current_version
    JOIN pattern n ON n.id = pp.pattern_id
    JOIN pattern_member m ON m.pattern_id = pp.pattern_id AND m.since > pp.since
    JOIN key d ON d.id = m.key_id
    WHERE k.key = :key ORDER BY m.since DESC, d.key""")

_TENURE = Statement("""
    SELECT t.revision, t.version, t.state, coalesce(l.author, '') AS author, l.role,
      v.author AS writer, v.role AS writer_role, v.rationale, v.reason,
      (SELECT b.version FROM key_history b WHERE b.key_id = t.key_id AND b.revision < t.revision
       ORDER BY b.revision DESC LIMIT 1) AS before
    FROM key k JOIN key_history t ON t.key_id = k.id AND t.revision <= :revision
    LEFT JOIN commit_log l ON l.revision = t.revision
    LEFT JOIN version v ON v.key_id = t.key_id AND v.version = t.version
    WHERE k.key = :key ORDER BY t.revision DESC LIMIT 1""")


@dataclass(frozen=True, slots=True)
class Tenure:
    """What a decision became at a revision, and who did that: `author` the commit, `writer` the version."""

    revision: int
    version: int | None
    before: int | None
    state: str
    author: str
    role: str | None
    writer: str | None
    writer_role: str | None
    rationale: str
    reason: str


def broken_pins(on: Reads, component: str) -> list[Row]:
    """Return the pins of a component that no longer hold, those that broke last first."""
    return on.all(_BROKEN_PINS, {"key": component})


def joined(on: Reads, component: str) -> list[Row]:
    """Return the decisions that joined a pattern since a component listed it, the newest first."""
    return on.all(_JOINED, {"key": component})


def tenure_at(on: Reads, key: str, revision: int) -> Tenure | None:
    """Return what made a decision what it was at a revision, None where it was nothing yet."""
    row = on.one(_TENURE, {"key": key, "revision": revision})
    return None if row is None else Tenure(**{name: row[name] for name in row.keys()})  # noqa: SIM118 - no mapping
