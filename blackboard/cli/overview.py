"""What a person looks at beside a snapshot: the agenda, budgets, and the newest rows, never more than asked for.

Invariant: what `picture` asks costs the same whatever the size of the board. Each of its statements goes through an
index from its newest end, or is about keys that such a statement gave.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from sqlite3 import Row

from blackboard.cli.causes import broken_pins, in_short
from blackboard.cli.records import ActivationLine, BudgetLine, ChangeLine, ComponentLine, DecisionLine, KeyLine
from blackboard.spec.keys import is_reserved
from blackboard.spec.records import ChangeRecord
from blackboard.store import operate
from blackboard.store.opened import Store
from blackboard.store.sqlite import Connection
from blackboard.store.statements import Statement

SPAN = 1000
"""How many of the newest changes a picture looks through."""

_REVISION = Statement("SELECT revision FROM board")

_BUDGET = Statement("SELECT resource, cap, spent, held FROM budget ORDER BY resource")

_ACTIVATION = """
    SELECT a.source, k.key AS target, a.kind, a.state, a.rating, a.attempts, a.revision, a.since, a.reason,
      l.host, l.process, l.expires
    FROM activation a JOIN key k ON k.id = a.target_id
    LEFT JOIN lease l ON l.activation_id = a.id AND l.state = 'live'"""

_CLAIMABLE = "state IN ('pending', 'leased')"
"""The condition of the partial index, which is used only where it stands in the statement word for word."""

_SOURCES = Statement(f"""
    WITH RECURSIVE name(source) AS (
      SELECT min(source) FROM activation WHERE state = :state AND {_CLAIMABLE}
      UNION ALL SELECT (
        SELECT min(a.source) FROM activation a WHERE a.state = :state AND a.{_CLAIMABLE} AND a.source > name.source)
      FROM name WHERE name.source IS NOT NULL)
    SELECT source FROM name WHERE source IS NOT NULL""")
"""The sources that have activations in a state: one step of the index each."""

_OPEN = Statement(f"""{_ACTIVATION} WHERE a.state = :state AND a.{_CLAIMABLE} AND a.source = :source
    ORDER BY a.rating DESC, a.since, a.id LIMIT :limit""")

_OF_TARGET = Statement(
    f"{_ACTIVATION} WHERE k.key = :key AND a.state IN ('pending', 'leased', 'dead', 'looped') ORDER BY a.state, a.id"
)

_AGENDA_COUNTS = Statement(
    "SELECT state, count(*) AS rows FROM activation WHERE state IN ('pending', 'leased', 'dead', 'looped')"
    " GROUP BY state ORDER BY state"
)

_WORK = Statement("""
    SELECT (SELECT count(*) FROM key WHERE kind = 'component' AND current IS NOT NULL) AS components,
      (SELECT count(*) FROM component) AS written,
      (SELECT coalesce(sum(spent), 0) FROM budget WHERE resource = 'tokens') AS tokens""")

_STATES = Statement("SELECT key, state FROM component_state ORDER BY key")

_KEYS = Statement("""
    SELECT k.key, k.kind, k.state, k.current AS version, k.mod_revision AS revision
    FROM key k WHERE k.state <> 'absent' ORDER BY k.key""")

_KIND = Statement("SELECT kind, state FROM key WHERE key = :key")

_CHANGES = Statement("""
    SELECT c.revision, c.ordinal, c.kind, k.key, c.version, c.author FROM change c LEFT JOIN key k ON k.id = c.key_id
    ORDER BY c.revision DESC, c.ordinal DESC LIMIT :limit""")

_RECENT = "SELECT key_id, revision FROM change ORDER BY revision DESC, ordinal DESC LIMIT :span"

_DECISIONS = Statement(f"""
    SELECT k.key, k.state, k.current, r.revision, p.version AS proposed, p.quorum,
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
    SELECT coalesce(k.key, '') AS key, c.revision, c.path, c.reason FROM change c LEFT JOIN key k ON k.id = c.key_id
    WHERE c.revision IN (SELECT value FROM json_each(:revisions))
      AND c.kind IN (SELECT value FROM json_each(:kinds))""")

_VERDICT = Statement("""
    SELECT passed, version FROM verdict WHERE check_name = :check AND component_id = :id
    ORDER BY revision DESC LIMIT 1""")


def budget(store: Store) -> tuple[BudgetLine, ...]:
    """Return what there is to spend, by resource."""
    with store.database.reading() as connection:
        return _budget(connection)


def agenda_counts(store: Store) -> Mapping[str, int]:
    """Return state -> how many activations that are not done."""
    with store.database.reading() as connection:
        return {row["state"]: row["rows"] for row in connection.all(_AGENDA_COUNTS)}


@dataclass(frozen=True, slots=True)
class Work:
    """How many components there are, how often one was written, and the tokens that this took."""

    components: int
    written: int
    tokens: float


def work(store: Store) -> Work:
    """Return what building has cost so far."""
    with store.database.reading() as connection:
        row = connection.all(_WORK)[0]
    return Work(row["components"], row["written"], row["tokens"])


def keys(store: Store) -> tuple[KeyLine, ...]:
    """Return every key that there is, sorted; a component's state says how it stands to what it was built against."""
    with store.database.reading() as connection:
        states = {row["key"]: row["state"] for row in connection.all(_STATES)}
        rows = connection.all(_KEYS)
    return tuple(
        KeyLine(row["key"], row["kind"], states.get(row["key"], row["state"]), row["version"], row["revision"])
        for row in rows
    )


def standing(store: Store, key: str) -> tuple[str, str]:
    """Return the kind and the state of a key; both empty where the board has nothing under it."""
    with store.database.reading() as connection:
        row = connection.one(_KIND, {"key": key})
    return ("", "") if row is None or row["state"] == "absent" else (str(row["kind"]), str(row["state"]))


def activations_of(store: Store, key: str) -> tuple[ActivationLine, ...]:
    """Return the activations on a target that are not done, those that nobody will claim again among them."""
    with store.database.reading() as connection:
        return tuple(_activation(row, store.clock()) for row in connection.all(_OF_TARGET, {"key": key}))


@dataclass(frozen=True, slots=True)
class Rows:
    """How many rows of each kind there is room for."""

    decisions: int
    components: int
    agenda: int
    changes: int
    obligations: int


@dataclass(frozen=True, slots=True)
class Picture:
    """The newest and most pressing rows of a board at one moment."""

    revision: int
    decisions: tuple[DecisionLine, ...]
    components: tuple[ComponentLine, ...]
    agenda: tuple[ActivationLine, ...]
    budget: tuple[BudgetLine, ...]
    changes: tuple[ChangeLine, ...]


def picture(store: Store, rows: Rows) -> Picture:
    """Return what is newest and most pressing on a board, no more than there is room for."""
    with store.database.reading() as connection:
        agenda = _agenda(connection, rows.agenda, store.clock())
        return Picture(
            int(connection.all(_REVISION)[0]["revision"]),
            _decisions(connection, rows.decisions),
            _components(connection, rows.components, [line.target for line in agenda]),
            agenda,
            _budget(connection),
            _newest(connection, rows.changes),
        )


def _decisions(connection: Connection, limit: int) -> tuple[DecisionLine, ...]:
    lines = (
        DecisionLine(
            key=row["key"],
            state=row["state"],
            version=row["current"],
            proposed=row["proposed"],
            yes=row["yes"],
            no=row["no"],
            quorum=row["quorum"],
            revision=row["revision"],
        )
        for row in connection.all(_DECISIONS, {"span": SPAN})
        if not is_reserved(row["key"])
    )
    return tuple(islice(lines, limit))


def _components(connection: Connection, limit: int, targets: Sequence[str]) -> tuple[ComponentLine, ...]:
    checks = [str(row["check_name"]) for row in connection.all(_CHECKS)]
    found = connection.all(_COMPONENTS, {"span": SPAN, "targets": json.dumps(targets)})
    lines = [_component(connection, row, checks) for row in found[: 2 * limit]]
    # Stable: among those that are current, and among the others, the newest stay first.
    return tuple(sorted(lines, key=lambda line: line.state == "current")[:limit])


def _component(connection: Connection, row: Row, checks: Iterable[str]) -> ComponentLine:
    found = connection.one(_COMPONENT, {"id": row["id"]})
    if found is None:
        return ComponentLine(row["key"], "required", None, "not written yet", (), row["revision"])
    current = found["state"] == "current"
    verdicts = ((check, connection.one(_VERDICT, {"check": check, "id": row["id"]})) for check in checks)
    return ComponentLine(
        key=row["key"],
        state=found["state"],
        version=found["version"],
        why="" if current else in_short(broken_pins(connection, row["key"])),
        verdicts=tuple(
            (check, bool(verdict["passed"]))
            for check, verdict in verdicts
            if verdict is not None and verdict["version"] == found["version"]
        ),
        revision=row["revision"],
    )


def _agenda(connection: Connection, limit: int, now: float) -> tuple[ActivationLine, ...]:
    """Return what is leased, then what is claimed next; at most so many of each source are looked at."""
    rows = [
        row
        for state in ("leased", "pending")
        for source in connection.all(_SOURCES, {"state": state})
        for row in connection.all(_OPEN, {"state": state, "source": source["source"], "limit": limit})
    ]
    rows.sort(key=lambda row: (row["state"] != "leased", -row["rating"], row["since"]))
    return tuple(_activation(row, now) for row in rows[:limit])


def _activation(row: Row, now: float) -> ActivationLine:
    return ActivationLine(
        source=row["source"],
        target=row["target"],
        kind=row["kind"],
        state=row["state"],
        rating=row["rating"],
        attempts=row["attempts"],
        since=row["revision"],
        holder="" if row["host"] is None else f"{row['host']}:{row['process']}",
        expires_in_seconds=None if row["expires"] is None else max(0.0, row["expires"] - now),
        reason=row["reason"] or "",
    )


def _budget(connection: Connection) -> tuple[BudgetLine, ...]:
    rows = connection.all(_BUDGET)
    return tuple(BudgetLine(row["resource"], row["cap"], row["spent"], row["held"]) for row in rows)


def _newest(connection: Connection, limit: int) -> tuple[ChangeLine, ...]:
    # Some more than fit: those that `install` wrote are left out.
    rows = [row for row in connection.all(_CHANGES, {"limit": 2 * limit}) if not is_reserved(row["key"] or "")]
    return _noted(
        connection,
        [
            ChangeLine(row["revision"], row["ordinal"], row["kind"], row["key"] or "", row["version"], row["author"])
            for row in reversed(rows[:limit])
        ],
    )


def change_lines(store: Store, changes: Iterable[ChangeRecord]) -> tuple[ChangeLine, ...]:
    """Return changes of the feed as they are shown: with the result where a check judged."""
    lines = [ChangeLine(one.revision, one.ordinal, one.kind, one.key or "", one.version, one.author) for one in changes]
    with store.database.reading() as connection:
        return _noted(connection, lines)


def _noted(connection: Connection, lines: Sequence[ChangeLine]) -> tuple[ChangeLine, ...]:
    judged = sorted({(line.key, line.revision) for line in lines if line.kind == "judged"})
    notes: dict[tuple[str | None, int], list[str]] = {}
    for row in connection.all(_RESULTS, {"judged": json.dumps(judged)}) if judged else ():
        result = f"{row['check_name']} {'passed' if row['passed'] else 'failed'}"
        notes.setdefault((row["key"], row["revision"]), []).append(result)
    acts = sorted({line.revision for line in lines if line.kind in operate.KINDS})
    told = {"revisions": json.dumps(acts), "kinds": json.dumps(sorted(operate.KINDS))}
    for row in connection.all(_ACTS, told) if acts else ():
        notes[row["key"], row["revision"]] = [part for part in (row["path"], row["reason"]) if part]
    noted = operate.KINDS | {"judged"}
    return tuple(
        replace(line, note=", ".join(notes.get((line.key, line.revision), ()))) if line.kind in noted else line
        for line in lines
    )
