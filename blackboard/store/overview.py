"""The rows that a person looks at beside a snapshot: the agenda, budgets, keys, and what is newest.

Invariant: what a live picture asks costs the same whatever the size of the board. Each of its statements goes through
an index from its newest end, or is about keys that such a statement gave.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from blackboard.store.statements import Reads, Statement

Row = Any

_REVISION = Statement("SELECT revision FROM board")

_BUDGET = Statement("SELECT resource, cap, spent, held FROM budget ORDER BY resource")

_LINE = """
    SELECT a.source, k.key AS target, a.kind, a.state, a.rating, a.attempts, a.revision, a.pending_since, a.reason,
      l.host, l.process, l.expires"""

_ACTIVATION = f"""{_LINE}
    FROM activation a JOIN key k ON k.id = a.target_id
    LEFT JOIN lease l ON l.activation_id = a.id AND l.state = 'live'"""

SOURCES = Statement("""
    WITH RECURSIVE name(source) AS (
      SELECT min(source) FROM activation WHERE state = 'pending'
      UNION ALL SELECT (
        SELECT min(a.source) FROM activation a WHERE a.state = 'pending' AND a.source > name.source)
      FROM name WHERE name.source IS NOT NULL)
    SELECT source FROM name WHERE source IS NOT NULL""")
"""The sources that have something to claim: one step of the index each."""

PENDING = Statement(f"""{_ACTIVATION} WHERE a.state = 'pending' AND a.source = :source
    ORDER BY a.rating DESC, a.pending_since, a.id LIMIT :limit""")

LEASED = Statement(f"""{_LINE}
    FROM lease l JOIN activation a ON a.id = l.activation_id JOIN key k ON k.id = a.target_id
    WHERE l.state = 'live' AND a.state = 'leased' ORDER BY a.source, a.rating DESC, a.pending_since, a.id""")

_OF_TARGET = Statement(
    f"{_ACTIVATION} WHERE k.key = :key AND a.state IN ('pending', 'leased', 'dead', 'looped') ORDER BY a.state, a.id"
)

_AGENDA_COUNTS = Statement(
    "SELECT state, count(*) AS rows FROM activation WHERE state IN ('pending', 'leased', 'dead', 'looped')"
    " GROUP BY state ORDER BY state"
)

_WORK = Statement("""
    SELECT (SELECT count(*) FROM key WHERE kind = 'component' AND current_version IS NOT NULL) AS components,
      (SELECT count(*) FROM component_version) AS written,
      (SELECT coalesce(sum(spent), 0) FROM budget WHERE resource = 'tokens') AS tokens""")

_STATES = Statement("SELECT key, state FROM component_state ORDER BY key")

_KEYS = Statement("""
    SELECT k.key, k.kind, k.state, k.current_version AS version, k.mod_revision AS revision
    FROM key k WHERE k.state <> 'absent' ORDER BY k.key""")

_KIND = Statement("SELECT kind, state FROM key WHERE key = :key")

_CHANGES = Statement("""
    SELECT c.revision, c.ordinal, c.kind, k.key, c.version, c.author FROM change c LEFT JOIN key k ON k.id = c.key_id
    ORDER BY c.revision DESC, c.ordinal DESC LIMIT :limit""")

_RECENT = "SELECT key_id, revision FROM change ORDER BY revision DESC, ordinal DESC LIMIT :span"

_DECISIONS = Statement(f"""
    SELECT k.key, k.state, k.current_version, r.revision, p.version AS proposed, p.quorum,
      (SELECT count(*) FROM vote v WHERE v.key_id = k.id AND v.version = p.version AND v.approve = 1) AS yes,
      (SELECT count(*) FROM vote v WHERE v.key_id = k.id AND v.version = p.version AND v.approve = 0) AS no
    FROM (SELECT key_id, max(revision) AS revision FROM ({_RECENT}) AS recent GROUP BY key_id) r
    JOIN key k ON k.id = r.key_id
    LEFT JOIN version p ON p.key_id = k.id
      AND p.version = (SELECT max(n.version) FROM version n WHERE n.key_id = k.id AND n.state = 'proposed')
    WHERE k.kind = 'decision' AND k.state <> 'absent'
    ORDER BY k.state NOT IN ('open', 'contested') AND p.version IS NULL, r.revision DESC, k.key""")

_COMPONENTS = Statement(f"""
    SELECT k.id, k.key, k.mod_revision AS revision FROM key k WHERE k.kind = 'component' AND k.id IN (
      SELECT key_id FROM ({_RECENT}) AS recent
      UNION SELECT t.id FROM key t WHERE t.key IN (SELECT value FROM json_each(:targets)))
    ORDER BY k.mod_revision DESC, k.key""")

_COMPONENT = Statement("SELECT state, version FROM component_state WHERE component_id = :id")

_NAMES = """
    WITH RECURSIVE name(check_name) AS (
      SELECT min(check_name) FROM verdict
      UNION ALL SELECT (SELECT min(v.check_name) FROM verdict v WHERE v.check_name > name.check_name)
      FROM name WHERE name.check_name IS NOT NULL)"""
"""The names of the checks without reading all verdicts: one step of the index each."""

_CHECKS = Statement(f"{_NAMES} SELECT check_name FROM name WHERE check_name IS NOT NULL")

_RESULTS = Statement(f"""{_NAMES}
    SELECT k.key, v.revision, v.check_name, v.passed
    FROM (SELECT json_extract(value, '$[0]') AS key, json_extract(value, '$[1]') AS revision
      FROM json_each(:judged)) j
    JOIN key k ON k.key = j.key CROSS JOIN name n
    JOIN verdict v ON v.check_name = n.check_name AND v.component_id = k.id AND v.revision = j.revision
    ORDER BY v.revision, k.key, v.check_name""")

_ACTS = Statement("""
    SELECT coalesce(k.key, '') AS key, c.revision, c.step, c.reason FROM change c LEFT JOIN key k ON k.id = c.key_id
    WHERE c.revision IN (SELECT value FROM json_each(:revisions))
      AND c.kind IN (SELECT value FROM json_each(:kinds))""")

_RATIONALES = Statement("""
    SELECT k.key, j.revision, v.role, v.rationale
    FROM (SELECT json_extract(value, '$[0]') AS key, json_extract(value, '$[1]') AS version,
      json_extract(value, '$[2]') AS revision FROM json_each(:versions)) j
    JOIN key k ON k.key = j.key JOIN version v ON v.key_id = k.id AND v.version = j.version""")

_VERDICT = Statement("""
    SELECT passed, version FROM verdict WHERE check_name = :check AND component_id = :id
    ORDER BY revision DESC LIMIT 1""")


def revision(on: Reads) -> int:
    """Return the number of the newest commit."""
    return int(on.all(_REVISION)[0]["revision"])


def budgets(on: Reads) -> list[Row]:
    """Return what there is to spend, by resource."""
    return on.all(_BUDGET)


def leased(on: Reads) -> list[Row]:
    """Return the activations that somebody works on; there are never more than workers."""
    return on.all(LEASED)


def pending(on: Reads, limit: int) -> list[Row]:
    """Return of each source the activations that it claims next, at most so many."""
    return [row for found in on.all(SOURCES) for row in on.all(PENDING, {"source": found["source"], "limit": limit})]


def activations_of(on: Reads, key: str) -> list[Row]:
    """Return the activations on a target that are not done, those that nobody will claim again among them."""
    return on.all(_OF_TARGET, {"key": key})


def agenda_counts(on: Reads) -> list[Row]:
    """Return how many activations there are in each state but done and obviated."""
    return on.all(_AGENDA_COUNTS)


def work(on: Reads) -> Row:
    """Return how many components there are, how often one was written, and the tokens that were spent."""
    return on.all(_WORK)[0]


def component_states(on: Reads) -> list[Row]:
    """Return how every component stands to what it was built against, sorted by key."""
    return on.all(_STATES)


def keys(on: Reads) -> list[Row]:
    """Return every key that there is, sorted."""
    return on.all(_KEYS)


def kind_of(on: Reads, key: str) -> Row | None:
    """Return the kind and the state of a key, None where the board never heard of it."""
    return on.one(_KIND, {"key": key})


def newest_changes(on: Reads, limit: int) -> list[Row]:
    """Return so many changes, the newest first."""
    return on.all(_CHANGES, {"limit": limit})


def decisions(on: Reads, span: int) -> list[Row]:
    """Return the decisions among so many newest changes with their live proposal, the pressing ones first."""
    return on.all(_DECISIONS, {"span": span})


def components(on: Reads, span: int, targets: Sequence[str]) -> list[Row]:
    """Return the components among so many newest changes and those that are named, newest first."""
    return on.all(_COMPONENTS, {"span": span, "targets": json.dumps(targets)})


def component(on: Reads, number: int) -> Row | None:
    """Return the state and version of a component by the number of its key, None where nobody wrote it yet."""
    return on.one(_COMPONENT, {"id": number})


def checks(on: Reads) -> list[str]:
    """Return the names of the checks that judged anything."""
    return [str(row["check_name"]) for row in on.all(_CHECKS)]


def verdict(on: Reads, number: int, check: str) -> Row | None:
    """Return the newest verdict of a check on a component, None where there is none."""
    return on.one(_VERDICT, {"check": check, "id": number})


def results(on: Reads, judged: Sequence[tuple[str | None, int]]) -> list[Row]:
    """Return what checks found of some components at some revisions."""
    return on.all(_RESULTS, {"judged": json.dumps(judged)})


def rationales(on: Reads, versions: Sequence[tuple[str | None, int | None, int]]) -> list[Row]:
    """Return the roles and rationales of the authors of some versions (key, version, revision of a change)."""
    return on.all(_RATIONALES, {"versions": json.dumps(versions)})


def acts(on: Reads, revisions: Iterable[int], kinds: Collection[str]) -> list[Row]:
    """Return what the changes of some kinds named in some revisions, and why."""
    return on.all(_ACTS, {"revisions": json.dumps(sorted(revisions)), "kinds": json.dumps(sorted(kinds))})
