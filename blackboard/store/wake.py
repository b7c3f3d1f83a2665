"""What a commit puts on the agenda, takes off it, and when a causal chain has become a loop."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from blackboard.spec.changes import OBSERVED, Plan
from blackboard.spec.effects import Side
from blackboard.spec.history import cycle_of
from blackboard.spec.keys import matches
from blackboard.spec.triggers import TriggerKind
from blackboard.store.session import Turn
from blackboard.store.statements import Reads, Statement

_MERGE = """
    ON CONFLICT (target_id, source) DO UPDATE SET
      state = CASE WHEN excluded.state = 'looped' THEN 'looped'
                   WHEN activation.state = 'leased' THEN 'leased' ELSE 'pending' END,
      run_again = CASE WHEN activation.state = 'leased' AND excluded.state <> 'looped' THEN 1 ELSE 0 END,
      attempts = CASE WHEN activation.state = 'leased' THEN activation.attempts ELSE 0 END,
      pending_since = CASE WHEN activation.state = 'pending' THEN activation.pending_since
        ELSE excluded.pending_since END,
      not_before = CASE WHEN activation.state = 'leased' THEN activation.not_before ELSE 0 END,
      -- What became stale may become current again, which must not take other work with it.
      kind = CASE WHEN activation.state = 'pending' AND excluded.kind IN ('stale', 'suspect')
                  THEN activation.kind ELSE excluded.kind END,
      revision = excluded.revision,
      error = excluded.error, reason = excluded.reason"""

_COLUMNS = (
    "source, target_id, kind, state, rating, run_again, attempts, revision, pending_since, not_before, error, reason"
)

_WAKE = Statement(f"""
    INSERT INTO activation ({_COLUMNS})
    SELECT json_extract(e.value, '$[0]'), k.id, json_extract(e.value, '$[2]'),
           CASE WHEN l.value IS NULL THEN 'pending' ELSE 'looped' END, 0, 0, 0, :revision, :now, 0,
           CASE WHEN l.value IS NULL THEN NULL ELSE 'Loop' END, coalesce(json_extract(l.value, '$[2]'), '')
    FROM json_each(:wakes) e JOIN key k ON k.key = json_extract(e.value, '$[1]')
    LEFT JOIN json_each(:loops) l ON json_extract(l.value, '$[0]') = json_extract(e.value, '$[0]')
      AND json_extract(l.value, '$[1]') = json_extract(e.value, '$[1]')
    WHERE true {_MERGE}""")

_MOVED = Statement("""
    WITH RECURSIVE reshaped(key_id, gone, joined) AS (
      SELECT id, current_version IS NULL, member_revision = :revision FROM key
      WHERE key IN (SELECT value FROM json_each(:reshaped))),
    pinned(key_id, name, since) AS (
      -- Each value of each facet that anybody ever pinned: a step of the index for each, whatever rests on it.
      SELECT key_id, name, (SELECT min(p.since) FROM pin p WHERE p.key_id = named.key_id AND p.name = named.name)
      FROM named WHERE name IS NOT NULL
      UNION ALL
      SELECT key_id, name, (SELECT min(p.since) FROM pin p
        WHERE p.key_id = pinned.key_id AND p.name = pinned.name AND p.since > pinned.since)
      FROM pinned WHERE since IS NOT NULL),
    named(key_id, name) AS (
      SELECT key_id, (SELECT min(p.name) FROM pin p WHERE p.key_id = reshaped.key_id) FROM reshaped
      UNION ALL
      SELECT key_id, (SELECT min(p.name) FROM pin p WHERE p.key_id = named.key_id AND p.name > named.name)
      FROM named WHERE name IS NOT NULL)
    SELECT key_id, name, since, max(CASE side WHEN 'uses' THEN rank END) AS uses,
      max(CASE side WHEN 'implements' THEN rank END) AS implements
    FROM (
      SELECT x.key_id, x.name, x.since, side.side, CASE
          WHEN r.gone THEN 4
          WHEN h.digest IS nullif((SELECT p.digest FROM pin p
            WHERE p.key_id = x.key_id AND p.name = x.name AND p.since = x.since LIMIT 1), '') THEN 0
          ELSE coalesce(s.rank, 3) END AS rank
      FROM pinned x JOIN reshaped r ON r.key_id = x.key_id
      LEFT JOIN current_facet h ON h.key_id = x.key_id AND h.name = x.name
      CROSS JOIN (SELECT 'uses' AS side UNION ALL SELECT 'implements') side
      LEFT JOIN facet_effect e ON e.key_id = x.key_id AND e.name = x.name AND e.new_since = h.since
        AND e.old_since = x.since
      LEFT JOIN staleness_rule s ON s.side = side.side AND s.validation = 'none'
        AND s.effect = CASE side.side WHEN 'uses' THEN e.uses ELSE e.implements END
      WHERE x.since IS NOT NULL AND (r.gone OR r.joined OR h.since = :revision) AND EXISTS (
        SELECT 1 FROM pin p JOIN key c ON c.id = p.component_id AND c.current_version = p.component_version
        WHERE p.key_id = x.key_id AND p.name = x.name AND p.since = x.since))
    GROUP BY key_id, name, since""")
"""What the values that are pinned of changed facets mean now, for each side: the rank of the state that it is in."""

_STALE = 3
"""The rank from which on one pin alone makes a component stale, whatever its others say."""

_BECOMES_STALE = f"""
    INSERT INTO activation ({_COLUMNS})
    SELECT w.source, p.component_id, 'stale', {{state}} FROM pin p
    CROSS JOIN subscription w ON w.component_id = p.component_id AND w.version = p.component_version
      AND w.kind = 'stale'
    {{loops}} WHERE p.key_id = :key_id AND p.name = :name AND p.since = :since {{side}} {_MERGE}"""

_LOOPED = """CASE WHEN l.value IS NULL THEN 'pending' ELSE 'looped' END, 0, 0, 0, :revision, :now, 0,
      CASE WHEN l.value IS NULL THEN NULL ELSE 'Loop' END, coalesce(json_extract(l.value, '$[2]'), '')"""

_IN_LOOP = (
    """LEFT JOIN json_each(:loops) l ON json_extract(l.value, '$[0]') = w.source AND json_extract(l.value, '$[1]') ="""
)

_ALL_PENDING = "'pending', 0, 0, 0, :revision, :now, 0, NULL, ''"

_SOME_LOOPED = f"JOIN key c ON c.id = p.component_id {_IN_LOOP} c.key"

_FAN_OUT = {
    (looped, one_side): Statement(
        _BECOMES_STALE.format(
            state=_LOOPED if looped else _ALL_PENDING,
            loops=_SOME_LOOPED if looped else "",
            side="AND p.side = :side" if one_side else "",
        )
    )
    for looped in (False, True)
    for one_side in (False, True)
}
"""(whether something has become a loop, whether one side of the pins is meant) -> the statement."""

_TOUCHED = """
    SELECT p.component_id FROM json_each(:moved) g CROSS JOIN pin p ON p.key_id = json_extract(g.value, '$[0]')
      AND p.name = json_extract(g.value, '$[1]') AND p.since = json_extract(g.value, '$[2]')
      AND p.side = json_extract(g.value, '$[3]')
    JOIN key c ON c.id = p.component_id AND c.current_version = p.component_version
    UNION
    SELECT pp.component_id FROM pattern_pin pp JOIN key c ON c.id = pp.component_id
      AND c.current_version = pp.component_version
    WHERE pp.pattern_id IN (SELECT value FROM json_each(:patterns))"""

_PATTERNS = Statement("SELECT id, pattern FROM pattern")

_JOINED = Statement("""
    SELECT key FROM key WHERE member_revision = :revision AND key IN (SELECT value FROM json_each(:reshaped))""")

_LOOK_AT = Statement(f"""
    INSERT INTO activation ({_COLUMNS})
    SELECT w.source, s.component_id, w.kind, {_LOOPED}
    FROM component_state s
    JOIN subscription w ON w.component_id = s.component_id
      AND w.kind = CASE s.state WHEN 'suspect' THEN 'suspect' ELSE 'stale' END
    {_IN_LOOP} s.key
    WHERE s.state <> 'current' AND s.component_id IN ({_TOUCHED}) {_MERGE}""")

_FRESH_AGAIN = Statement(f"""
    UPDATE activation SET state = 'obviated' WHERE state = 'pending' AND kind IN ('stale', 'suspect')
    AND target_id IN ({_TOUCHED}) AND CASE (
      SELECT state FROM component_state WHERE component_id = activation.target_id UNION ALL
      SELECT state FROM decision_state WHERE decision_id = activation.target_id)
    WHEN 'current' THEN 1 WHEN 'suspect' THEN kind = 'stale' ELSE 0 END""")

_OBVIATE = Statement("""
    UPDATE activation SET state = CASE state WHEN 'leased' THEN 'leased' ELSE 'obviated' END,
      run_again = CASE state WHEN 'leased' THEN -1 ELSE 0 END
    WHERE state IN ('pending', 'leased', 'dead') AND target_id = (SELECT id FROM key WHERE key = :key)
    AND kind IN (SELECT value FROM json_each(:kinds))""")

_JUDGED = Statement("""
    UPDATE activation SET run_again = -1
    WHERE id = (SELECT activation_id FROM lease WHERE token = :token) AND state = 'leased'
    AND kind IN ('written', 'suspect') AND target_id IN (
      SELECT id FROM key WHERE key IN (SELECT value FROM json_each(:keys)))""")
"""A run of a check has done what it was woken for once its verdict is committed, however its lease ends."""

_DONE_BY_HAND = Statement("""
    UPDATE activation SET state = 'done' WHERE state = 'pending' AND source = :author
    AND target_id IN (SELECT id FROM key WHERE key IN (SELECT value FROM json_each(:keys)))
    AND NOT (kind = 'proposed' AND EXISTS (
      SELECT 1 FROM version v WHERE v.key_id = activation.target_id AND v.state = 'proposed' AND NOT EXISTS (
        SELECT 1 FROM vote o WHERE o.key_id = v.key_id AND o.version = v.version AND o.author = :author)))""")

_GONE = Statement("""
    UPDATE activation SET state = 'obviated' WHERE state IN ('pending', 'dead', 'looped') AND NOT EXISTS (
      SELECT 1 FROM key k WHERE k.key = 'source/' || activation.source AND k.current_version IS NOT NULL)""")

_DOWNSTREAM = Statement("""
    WITH RECURSIVE rests(id, behind) AS (
      -- Of what was written the version before counts too: those that rested on it rest on something else now.
      SELECT id, 1 FROM key WHERE key IN (SELECT value FROM json_each(:written))
      UNION
      SELECT u.component_id, 0 FROM rests r
      JOIN key c ON c.id = r.id
      JOIN pin i ON i.component_id = c.id AND i.component_version BETWEEN c.current_version - r.behind
        AND c.current_version
        AND i.side = 'implements'
      JOIN pin u ON u.key_id = i.key_id AND u.side = 'uses'
      JOIN key n ON n.id = u.component_id AND n.current_version = u.component_version AND n.kind = 'component')
    SELECT DISTINCT k.key, json_extract(v.text, '$.checks') AS checks, (
      SELECT json_group_array(DISTINCT p.side || ' ' || b.language) FROM pin p JOIN key d ON d.id = p.key_id
      JOIN version b ON b.key_id = d.id AND b.version = d.current_version
      WHERE p.component_id = k.id AND p.component_version = k.current_version) AS languages
    FROM rests JOIN key k ON k.id = rests.id
    LEFT JOIN key t ON t.key = 'task/' || k.key
    LEFT JOIN version v ON v.key_id = t.id AND v.version = t.current_version AND v.language = 'task'
    ORDER BY k.key""")

_CHAIN = Statement("""
    WITH RECURSIVE chain(source, target_id, cause, depth) AS (
      SELECT source, target_id, cause, 1 FROM lease WHERE token = :token
      UNION ALL
      SELECT l.source, l.target_id, l.cause, chain.depth + 1 FROM chain
      JOIN commit_log c ON c.revision = chain.cause JOIN lease l ON l.token = c.token WHERE chain.depth < 500)
    SELECT chain.source, k.key FROM chain JOIN key k ON k.id = chain.target_id ORDER BY chain.depth""")


def update_agenda(turn: Turn, revision: int, plan: Plan, *, author: str, token: int | None) -> None:
    """Obviate what the commit settled, wake what it concerns, and stop what has become a loop."""
    for key, kinds in plan.settled:
        turn.run(_OBVIATE, {"key": key, "kinds": json.dumps(kinds)})
    if token is None:
        # Who acts without a lease, as people do, has done by that what it was woken for.
        keys = json.dumps(sorted({change.key for change in plan.changes if change.path != OBSERVED}))
        turn.run(_DONE_BY_HAND, {"author": author, "keys": keys})
    judged = [change.key for change in plan.changes if change.kind == "judged"]
    if judged and token is not None:
        turn.run(_JUDGED, {"token": token, "keys": json.dumps(judged)})
    links = () if token is None else chain_of(turn, token)
    loops = json.dumps(_loops(links), ensure_ascii=False)
    here = {"revision": revision, "now": turn.now, "loops": loops}
    if any(change.key.startswith("source/") for change in plan.changes):
        turn.run(_GONE)
    wakes = [*plan.wakes, *_rechecks(turn, plan)]
    if wakes:
        turn.run(_WAKE, {**here, "wakes": json.dumps(list(dict.fromkeys(wakes)))})
    if plan.reshaped:
        _fan_out(turn, plan.reshaped, here)


def _fan_out(turn: Turn, reshaped: Sequence[str], here: Mapping[str, Any]) -> None:
    """Wake the sources of what rests on changed facets: at once where one change says it all, else by all its pins."""
    keys = {"reshaped": json.dumps(reshaped), "revision": here["revision"]}
    looped = here["loops"] != "[]"
    others: list[list[Any]] = []
    for row in turn.all(_MOVED, keys):
        value = {name: row[name] for name in ("key_id", "name", "since")}
        stale = [side for side in Side if row[side] >= _STALE]
        # A statement for each value: read from a list, what tells them apart would be read again for each dependent.
        if len(stale) == len(Side):
            turn.run(_FAN_OUT[looped, False], {**here, **value})
            continue
        for side in stale:
            turn.run(_FAN_OUT[looped, True], {**here, **value, "side": str(side)})
        others += [[*value.values(), str(side)] for side in Side if side not in stale]
    under = _patterns_of(turn, keys)
    if others or under:
        touched = {"moved": json.dumps(others), "patterns": json.dumps(under)}
        turn.run(_FRESH_AGAIN, touched)
        turn.run(_LOOK_AT, {**here, **touched})


def _patterns_of(turn: Turn, keys: Mapping[str, Any]) -> list[int]:
    """Return the patterns that decisions joined or left; by pattern, since what left is no member any more."""
    moved = [row["key"] for row in turn.all(_JOINED, keys)]
    rows = turn.all(_PATTERNS) if moved else []
    return [row["id"] for row in rows if any(matches(row["pattern"], key) for key in moved)]


def chain_of(on: Reads, token: int) -> tuple[tuple[str, str], ...]:
    """Return (source, target) of the run with this token and of those that led to it, newest first."""
    return tuple((row["source"], row["key"]) for row in on.all(_CHAIN, {"token": token}))


def _loops(links: Sequence[tuple[str, str]]) -> list[list[str]]:
    found = ((source, target, cycle_of(links, source, target)) for source, target in dict.fromkeys(links))
    return [[source, target, json.dumps(cycle)] for source, target, cycle in found if cycle is not None]


def _rechecks(turn: Turn, plan: Plan) -> Iterable[tuple[str, str, str]]:
    """Return the checks of everything that rests on what was written: their inputs are others now."""
    if not plan.written or not plan.rechecks:
        return []
    rests = turn.all(_DOWNSTREAM, {"written": json.dumps(plan.written)})
    return [
        (source, row["key"], str(TriggerKind.WRITTEN))
        for source, pattern, languages in plan.rechecks
        for row in rests
        if (
            pattern
            and matches(pattern, row["key"])
            and (not languages or not {*languages}.isdisjoint(json.loads(row["languages"])))
        )
        or source in json.loads(row["checks"] or "[]")
    ]
