"""The views of a board: how components stand, which joins use, and what `sqlite3` alone can read."""

_STATE_OF = """
        SELECT k.id AS {kind}_id, k.key, k.current_version AS version,
          CASE {{greatest}}(
            coalesce((
              SELECT max(CASE
                WHEN d.current_version IS NULL THEN 4
                WHEN h.digest {{equals}} nullif(p.digest, '') THEN 0
                ELSE coalesce(s.rank, 3) END)
              FROM pin p
              JOIN key d ON d.id = p.key_id
              LEFT JOIN current_facet h ON h.key_id = p.key_id AND h.name = p.name
              LEFT JOIN facet_effect e ON e.key_id = p.key_id AND e.name = p.name
                AND e.new_since = h.since AND e.old_since = p.since
              LEFT JOIN verdict v ON v.component_id = k.id AND v.version = k.current_version AND v.settles_suspicion = 1
                AND v.revision = (SELECT max(n.revision) FROM verdict n
                  WHERE n.component_id = k.id AND n.version = k.current_version AND n.settles_suspicion = 1)
              LEFT JOIN staleness_rule s ON s.side = p.side
                AND s.effect = CASE p.side WHEN 'uses' THEN e.uses ELSE e.implements END
                AND s.validation = CASE WHEN v.revision IS NULL OR v.revision < h.since THEN 'none'
                  WHEN v.passed = 1 THEN 'passed' ELSE 'failed' END
              WHERE p.component_id = k.id AND p.component_version = k.current_version), 0),
            CASE WHEN EXISTS (
              SELECT 1 FROM pattern_pin pp JOIN pattern_member m
                ON m.pattern_id = pp.pattern_id AND m.since > pp.since
              WHERE pp.component_id = k.id AND pp.component_version = k.current_version) THEN 3 ELSE 0 END)
            WHEN 4 THEN 'orphaned' WHEN 3 THEN 'stale' WHEN 2 THEN 'suspect' ELSE 'current' END AS state
        FROM key k
        WHERE k.kind = '{kind}' AND k.current_version IS NOT NULL"""
"""How components stand, or decisions: these by what their authors read of others.

Row by row, without GROUP BY: whoever asks for some of them looks at their pins, and not at those of the whole board.
"""

VIEWS = {
    "component_state": _STATE_OF.format(kind="component"),
    "decision_state": _STATE_OF.format(kind="decision"),
    "decisions": """
        SELECT k.key, k.state, k.current_version AS version, v.language, v.text, v.author, v.rationale, v.revision
        FROM key k LEFT JOIN version v ON v.key_id = k.id AND v.version = k.current_version
        WHERE k.kind = 'decision' AND k.state <> 'absent'""",
    "components": """
        SELECT s.key, s.version, s.state, c.author, c.revision,
          (SELECT count(*) FROM component_file f WHERE f.key_id = s.component_id AND f.version = s.version) AS files
        FROM component_state s JOIN component_version c ON c.key_id = s.component_id AND c.version = s.version""",
    "stale": """
        SELECT s.key AS component, s.state, d.key AS decision, p.name AS facet, p.side, p.version AS built_against,
          d.current_version AS version, e.reason
        FROM component_state s
        JOIN pin p ON p.component_id = s.component_id AND p.component_version = s.version
        JOIN key d ON d.id = p.key_id
        LEFT JOIN current_facet h ON h.key_id = p.key_id AND h.name = p.name
        LEFT JOIN facet_effect e ON e.key_id = p.key_id AND e.name = p.name
          AND e.new_since = h.since AND e.old_since = p.since
        WHERE s.state <> 'current' AND h.digest {differs} nullif(p.digest, '')""",
    "agenda": """
        SELECT a.source, k.key AS target, a.kind, a.state, a.rating, a.attempts, a.revision, l.expires
        FROM activation a JOIN key k ON k.id = a.target_id
        LEFT JOIN lease l ON l.activation_id = a.id AND l.state = 'live'
        WHERE a.state IN ('pending', 'leased', 'dead', 'looped')""",
    "history": """
        SELECT c.revision, c.kind, k.key, c.version, c.author, l.role, {time} AS at
        FROM change c LEFT JOIN key k ON k.id = c.key_id JOIN commit_log l ON l.revision = c.revision""",
    "questions": """
        SELECT k.key, q.text, q.options, q.author, q.revision FROM question q JOIN key k ON k.id = q.key_id
        WHERE q.closed_revision IS NULL""",
}
"""Views with plain names, so that a board can be read by `sqlite3` or `psql` alone."""

_OF_ENGINE = {
    "sqlite": {
        "greatest": "max",
        "equals": "IS",
        "differs": "IS NOT",
        "time": "datetime(l.at, 'unixepoch')",
    },
    "postgresql": {
        "greatest": "greatest",
        "equals": "IS NOT DISTINCT FROM",
        "differs": "IS DISTINCT FROM",
        "time": "to_timestamp(l.at)",
    },
}


def view_definitions(engine: str) -> list[str]:
    """Return the statements that make the views: of `sqlite` or `postgresql`."""
    return [f"CREATE VIEW {name} AS {text.format(**_OF_ENGINE[engine])}" for name, text in VIEWS.items()]
