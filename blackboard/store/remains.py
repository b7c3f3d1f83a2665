"""What a compaction keeps of the spec as it was before the first kept revision, and its digest.

Invariant: the digest is of rows that no later commit changes, read as they stood before that revision. So it can be
made again, until the next compaction takes its place.
"""

import hashlib
import json
from collections.abc import Mapping

from blackboard.spec.canonical import ALGORITHM, JSON
from blackboard.store.replay import REASON_BEFORE, VERSIONS_BEFORE
from blackboard.store.sqlite import Connection, translated
from blackboard.store.statements import Statement

COMPACTED = "compacted"
"""The kind of the change that a compaction is; of no key."""

_ROWS: Mapping[str, Statement] = {
    name: Statement(text)
    for name, text in {
        "key": """
            SELECT key, kind, create_revision, compacted_revision, compacted_generation, contested_reason FROM key
            WHERE create_revision < :before ORDER BY key""",
        "key_history": """
            SELECT k.key, t.revision, t.version, t.state FROM key_history t JOIN key k ON k.id = t.key_id
            WHERE t.revision < :before ORDER BY k.key, t.revision""",
        "version": f"""
            SELECT k.key, v.version, v.language, v.text, v.facets, v.digest,
              CASE WHEN v.merged_version IS NULL THEN v.base ELSE json_array(v.base, v.merged_version) END,
              v.author, v.role, v.rationale, v.evidence, v.electorate, v.quorum, v.round, v.joint_revision,
              v.revision, v.settled, v.stood,
              {REASON_BEFORE}
            FROM key k CROSS JOIN ({VERSIONS_BEFORE}) v WHERE v.key_id = k.id ORDER BY k.key, v.version""",
        "facet_effect": """
            SELECT k.key, e.name, e.new_since, e.old_since, e.uses, e.implements, e.reason
            FROM facet_effect e JOIN key k ON k.id = e.key_id WHERE e.new_since < :before
            ORDER BY k.key, e.name, e.new_since, e.old_since""",
        "vote": """
            SELECT k.key, o.version, o.author, o.approve, o.reason, o.revision FROM vote o JOIN key k ON k.id = o.key_id
            WHERE o.revision < :before ORDER BY k.key, o.version, o.author""",
        "question": """
            SELECT k.key, q.revision, q.text, q.options, q.author, q.role,
              CASE WHEN q.closed_revision < :before THEN q.closed_revision END
            FROM question q JOIN key k ON k.id = q.key_id WHERE q.revision < :before ORDER BY k.key, q.revision""",
        "component_version": """
            SELECT k.key, c.version, c.author, c.role, c.digest, c.revision
            FROM component_version c JOIN key k ON k.id = c.key_id WHERE c.revision < :before
            ORDER BY k.key, c.version""",
        "component_file": """
            SELECT k.key, f.version, f.path, f.blob FROM key k CROSS JOIN component_file f ON f.key_id = k.id
            JOIN component_version c ON c.key_id = f.key_id AND c.version = f.version
            WHERE c.revision < :before ORDER BY k.key, f.version, f.path""",
        "pin": """
            SELECT k.key, p.component_version, d.key AS decision, p.name, p.side, p.version, p.since, p.digest,
              p.observed
            FROM key k CROSS JOIN pin p ON p.component_id = k.id JOIN key d ON d.id = p.key_id
            JOIN (SELECT key_id, version, revision FROM component_version
                  UNION ALL SELECT key_id, version, revision FROM version) c
              ON c.key_id = p.component_id AND c.version = p.component_version
            WHERE c.revision < :before ORDER BY k.key, p.component_version, d.key, p.name, p.side""",
        "pattern_pin": """
            SELECT k.key, p.component_version, n.pattern, p.since FROM key k
            CROSS JOIN pattern_pin p ON p.component_id = k.id JOIN pattern n ON n.id = p.pattern_id
            JOIN component_version c ON c.key_id = p.component_id AND c.version = p.component_version
            WHERE c.revision < :before ORDER BY k.key, p.component_version, n.pattern""",
        "verdict": """
            SELECT v.check_name, k.key, v.revision, v.version, v.passed, v.log, v.inputs, v.author, v.settles_suspicion
            FROM verdict v JOIN key k ON k.id = v.component_id
            WHERE v.revision < :before ORDER BY k.key, v.check_name, v.revision""",
    }.items()
}
"""By key, and of each in their order: so a table is read in the order of its index and nothing large is sorted, which
the writer's connection would do in memory. Of verdicts there is no such index."""


def state_digest(on: Connection, before: int) -> str:
    """Return the digest of all that is kept from before a revision."""
    found = hashlib.sha256()
    for name, rows in _ROWS.items():
        found.update(f"{name}\n".encode())
        with translated(on.location):
            # Row by row: there may be more than fits into memory.
            for row in on.raw.execute(rows.text, rows.placed({"before": before})):
                found.update(json.dumps(list(row), ensure_ascii=False).encode())
                found.update(b"\n")
    return f"{ALGORITHM}:{found.hexdigest()}"


def compacted_content(reason: str, before: int, chained: str, state: str) -> JSON:
    """Return what the digest of a compaction's change is over."""
    return {"reason": reason, "before": before, "digest": chained, "state": state}
