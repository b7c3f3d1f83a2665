"""Who takes which activation: one turn of the writer, one statement that finds them, whatever their number.

Order: the highest rating first, then the oldest. Left alone are activations of sources that are quarantined, that
already run as often as they may, or whose resources others have; that wait after a failure; for which another member of
the same role works on the same target; and that are not ready: a component whose decisions are not there, a check whose
inputs are not built.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from blackboard.spec.records import Reserved
from blackboard.spec.triggers import EXCLUSIVE, SourceRecord, TriggerKind
from blackboard.store import agenda, budgets
from blackboard.store.agenda import End
from blackboard.store.control import lease
from blackboard.store.facts import reserved
from blackboard.store.liveness import this_process
from blackboard.store.session import Turn
from blackboard.store.statements import Reads, Statement, insert_into

if TYPE_CHECKING:
    from blackboard.store.opened import Store

Cap = Callable[[str, str], float | None]
"""(role, target) -> the longest total time of a lease in seconds, None without limit."""

NEVER = 1e15
"""A time that no clock reaches."""

_BUILDING = (TriggerKind.REQUIRED, TriggerKind.STALE, TriggerKind.SUSPECT, TriggerKind.FAILED, TriggerKind.WRITTEN)

_NOW = Statement("SELECT store_time, mode FROM board")


def _among(column: str, kinds: Iterable[TriggerKind]) -> str:
    """Return the condition that a column is one of these; of a list with IN the engine makes a table at every run."""
    return f"CASE {column} " + " ".join(f"WHEN '{kind}' THEN 1" for kind in sorted(kinds)) + " ELSE 0 END"


UNDECIDED = "d.state <> 'accepted' AND (n.named = 1 OR d.state IN ('open', 'contested'))"
"""Whether a decision `d` is missing for a need `n`; under a pattern only what is being decided is waited for."""

UNREADY_INPUTS = """
    EXISTS (
      WITH RECURSIVE rests(id) AS (
        SELECT {target}
        UNION
        SELECT made.component_id FROM rests r
          JOIN key c ON c.id = r.id
          JOIN pin used ON used.component_id = c.id AND used.component_version = c.current_version
            AND used.side = 'uses'
          JOIN pin made ON made.key_id = used.key_id AND made.side = 'implements'
          JOIN key o ON o.id = made.component_id AND o.current_version = made.component_version)
      SELECT 1 FROM rests r JOIN key c ON c.id = r.id WHERE c.kind <> 'component' OR c.current_version IS NULL
      UNION ALL
      SELECT 1 FROM component_state s WHERE s.component_id IN (SELECT id FROM rests)
        AND s.state NOT IN ('current', 'suspect')
      UNION ALL
      SELECT 1 FROM rests r
        JOIN key c ON c.id = r.id
        JOIN pin used ON used.component_id = c.id AND used.component_version = c.current_version AND used.side = 'uses'
        JOIN key d ON d.id = used.key_id
        JOIN requirement n ON n.key_id = d.id
        JOIN key missing ON missing.id = n.component_id AND missing.current_version IS NULL
        JOIN key t ON t.key = 'task/' || missing.key AND t.state = 'accepted'
        JOIN version v ON v.key_id = t.id AND v.version = t.current_version
        JOIN json_each(v.text, '$.implements') i
      WHERE d.key || '/' GLOB replace(i.key || '/', '**/', '*'))"""
"""Whether something that a check's input rests on is missing or not built against what is agreed.

What a missing component will implement is told by its task; a pattern there finds a superset, so that a check rather
waits too long than runs too early. `suspect` counts as built: it is the check that makes it current again.
"""

_READY = f"""
    FROM activation p JOIN key t ON t.id = p.target_id
    WHERE p.state = 'pending' AND p.source = able.name AND p.not_before <= :now
      AND NOT ({_among("p.kind", EXCLUSIVE)} AND EXISTS (
        SELECT 1 FROM lease other WHERE other.state = 'live' AND other.target_id = p.target_id
          AND other.role = able.role AND {_among("other.kind", EXCLUSIVE)}))
      AND NOT (able.judges = 0 AND t.kind = 'component' AND {_among("p.kind", _BUILDING)} AND EXISTS (
        SELECT 1 FROM requirement n JOIN key d ON d.id = n.key_id
        WHERE n.component_id = p.target_id AND {UNDECIDED}))
      {{inputs}}
    ORDER BY p.rating DESC, p.pending_since, p.id LIMIT :limit"""

_RUNNING = {
    one: Statement(f"""
      SELECT {source}, count(*) FROM lease INDEXED BY lease_live WHERE state = 'live' {which}
      UNION ALL SELECT source, NULL FROM source_state WHERE quarantined IS NOT NULL""")
    for one, source, which in (
        (False, "source", "GROUP BY host, process, process_started, source"),
        (True, ":source", "AND source = :source"),
    )
}
"""How often one or all sources run, NULL where one may not; grouped as the index is ordered, so nothing is sorted."""

_ABLE = """
    WITH able AS MATERIALIZED (
      SELECT json_extract(value, '$[0]') AS name, json_extract(value, '$[1]') AS role,
        json_extract(value, '$[2]') AS judges, json_extract(value, '$[3]') AS free
      FROM json_each(:sources))"""

_INPUTS = f"AND NOT (able.judges = 1 AND t.kind = 'component' AND {UNREADY_INPUTS.format(target='p.target_id')})"

_ANY = {
    judges: Statement(
        f"{_ABLE} SELECT 1 FROM able JOIN activation a ON a.id IN "
        f"(SELECT p.id {_READY.format(inputs=_INPUTS if judges else '')}) LIMIT 1"
    )
    for judges in (False, True)
}

_ROOM = """,
    room AS MATERIALIZED (
      SELECT r.name, r.units - coalesce((
        SELECT sum(h.amount) FROM resource_hold h WHERE h.resource = r.name), 0) AS free
      FROM resource r),
    wanted AS MATERIALIZED (
      SELECT json_extract(value, '$[0]') AS source, json_extract(value, '$[1]') AS resource,
        json_extract(value, '$[2]') AS units
      FROM json_each(:needs))"""

_ROOMY = """AND NOT EXISTS (
        SELECT 1 FROM wanted w LEFT JOIN room r ON r.name = w.resource
        WHERE w.source = able.name AND w.units > coalesce(r.free, 0))"""

_SUMMED = """,
    summed AS (
      SELECT c.id, r.free, sum(w.units) OVER (
        PARTITION BY w.resource ORDER BY c.rating DESC, c.pending_since, c.id ROWS UNBOUNDED PRECEDING) AS total
      FROM chosen c JOIN wanted w ON w.source = c.source JOIN room r ON r.name = w.resource)"""

_FOUND = f"""
    found AS (
      SELECT a.id, a.source, able.role, a.rating, a.pending_since{{ranks}}
      FROM able JOIN activation a ON a.id {{one_of}} (SELECT p.id {_READY}) WHERE true {{roomy}})"""

_RANKS = f""",
        able.free, row_number() OVER (PARTITION BY a.source ORDER BY a.rating DESC, a.pending_since, a.id) AS of_source,
        CASE WHEN {_among("a.kind", EXCLUSIVE)} THEN row_number() OVER (
          PARTITION BY a.target_id, able.role, {_among("a.kind", EXCLUSIVE)}
          ORDER BY a.rating DESC, a.pending_since, a.id) ELSE 1 END AS of_target"""
"""Which one each is of its source, and of those of whom only one may work on its target."""

_CHOSEN = "SELECT * FROM found WHERE of_source <= free AND of_target = 1"

_FIND = f"""{_ABLE}{{room}},{{found}},
    chosen AS ({{chosen}}){{summed}}
    SELECT c.id, c.source, c.role, a.target_id, k.key, a.kind, a.attempts, a.revision, c.rating, a.error, a.reason
    FROM chosen c JOIN activation a ON a.id = c.id JOIN key k ON k.id = a.target_id
    WHERE {{fits}} ORDER BY c.rating DESC, c.pending_since, c.id LIMIT :limit"""


def _finding(*, several: bool, judges: bool, within: bool) -> Statement:
    """Return the statement that finds one or several, for sources that judge or not, with resources or without.

    It takes from the top as long as the resources of all that is taken suffice. What is behind something that does not
    fit may fit all the same: that is for the next round.
    """
    ready = {"inputs": _INPUTS if judges else ""}
    summed = within and several
    return Statement(
        _FIND.format(
            room=_ROOM if within else "",
            found=_FOUND.format(
                **ready,
                one_of="IN" if several else "=",
                ranks=_RANKS if several else "",
                roomy=_ROOMY if within else "",
            ),
            chosen=_CHOSEN if several else "SELECT * FROM found",
            summed=_SUMMED if summed else "",
            fits="c.id NOT IN (SELECT summed.id FROM summed WHERE summed.total > summed.free)" if summed else "true",
        )
    )


_FINDING = {
    (several, judges, within): _finding(several=several, judges=judges, within=within)
    for several in (False, True)
    for judges in (False, True)
    for within in (False, True)
}
"""What is not asked for costs nothing: a claim is made at every turn of every controller."""

_HOLD = Statement("""
    INSERT INTO resource_hold (token, resource, amount)
    SELECT l.token, json_extract(w.value, '$[1]'), json_extract(w.value, '$[2]')
    FROM json_each(:needs) w JOIN lease l ON l.source = json_extract(w.value, '$[0]')
    WHERE l.token IN (SELECT value FROM json_each(:tokens)) AND json_extract(w.value, '$[2]') > 0""")

_LEASE = insert_into(lease, but=("token",))

_NEWEST = Statement("SELECT last_insert_rowid()")

_LEASED = Statement(
    "UPDATE activation SET state = 'leased', attempts = attempts + 1, run_again = 0 WHERE id = :activation_id"
)

_TAKEN_OVER = Statement(f"""
    UPDATE lease SET state = 'revoked'
    WHERE state = 'expired' AND {_among("kind", EXCLUSIVE)} AND EXISTS (
      SELECT 1 FROM json_each(:taken) WHERE json_extract(value, '$[0]') = lease.target_id
        AND json_extract(value, '$[1]') = lease.role)""")


def without_limit(_role: str, _target: str) -> float | None:
    """Let every lease last as long as it is renewed."""
    return None


@dataclass(frozen=True, slots=True)
class Claimants:
    """The sources for which somebody claims.

    Attributes:
        needs: source -> resource -> units that each of its runs holds.
        cap: How long a lease may last in total.
    """

    names: tuple[str, ...]
    needs: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    cap: Cap = without_limit


class Claimed(NamedTuple):
    """A claimed activation.

    Attributes:
        attempts: This one included.
        cause: The revision of the commit that woke the run.
        claimed, expires, until: By the store's clock; renewal never goes past `until`.
        error: Class name of the last failure; `reason` is its text.
    """

    token: int
    activation: int
    source: str
    role: str
    target: str
    kind: str
    attempts: int
    cause: int
    rating: float
    claimed: float
    expires: float
    until: float
    error: str | None
    reason: str


def claim(store: "Store", claimants: Claimants, *, limit: int, lease_seconds: float) -> tuple[Claimed, ...]:
    """Take up to `limit` pending activations of these sources, highest rating first.

    Args:
        store: Of the board.
        claimants: The sources whose activations may be taken.
        limit: How many at most.
        lease_seconds: How long each lease lasts by the store's clock unless renewed.

    Returns:
        What was claimed, best first, possibly nothing.
    """
    # Where the last claim found work, there is likely more, and looking first would cost as much as taking.
    if limit < 1 or not (store.kept.busy or _any_ready(store, claimants.names)):
        return ()
    claimed = store.writer.run(lambda turn: _claim(turn, store, claimants, limit, lease_seconds))
    store.kept.busy = bool(claimed)
    return claimed


def exchange(
    store: "Store", ends: Sequence[End], claimants: Claimants, *, limit: int, lease_seconds: float
) -> tuple[Claimed, ...]:
    """End leases and take up to `limit` activations in the same turn, as `agenda.end` and `claim` do it one by one."""
    if not ends or limit < 1:
        agenda.end(store, ends)
        return claim(store, claimants, limit=limit, lease_seconds=lease_seconds)

    def work(turn: Turn) -> tuple[Claimed, ...]:
        agenda.end_in(turn, ends)
        return _claim(turn, store, claimants, limit, lease_seconds)

    claimed = store.writer.run(work)
    store.kept.busy = bool(claimed)
    return claimed


def _any_ready(store: "Store", names: Sequence[str]) -> bool:
    """Look without the writer's turn, so that waiting costs the board nothing."""
    with store.database.reading() as connection:
        row = connection.all(_NOW)[0]
        able = _able(connection, _asked(reserved(connection, store.kept), tuple(names)))
        if row["mode"] is not None or not able:
            return False
        here = {"sources": json.dumps(able), "now": store.time.at(row["store_time"]), "limit": 1}
        return bool(connection.all(_ANY[any(one.judges for one in able)], here))


class _Asked(NamedTuple):
    """A source for which somebody claims.

    Attributes:
        judges: Whether it runs a check.
        free: How many more runs of it there may be at once.
    """

    name: str
    role: str
    judges: bool
    free: int


@lru_cache(maxsize=64)
def _asked(installed: Reserved, names: tuple[str, ...]) -> tuple[_Asked, ...]:
    values: Mapping[str, Any] = installed.values
    found = [(name, values.get(f"source/{name}")) for name in names]
    known = [SourceRecord.from_json(name, value) for name, value in found if value is not None]
    return tuple(_Asked(one.name, one.role, bool(one.check), one.max_concurrency) for one in known)


def _able(on: Reads, asked: Sequence[_Asked]) -> list[_Asked]:
    """Return the sources that may run more, and how many more."""
    runs: dict[str, float] = {}
    one = len(asked) == 1
    for source, running in on.all(_RUNNING[one], {"source": asked[0].name} if one else None):
        runs[source] = runs.get(source, 0) + (math.inf if running is None else running)
    found = [(one, one.free - runs.get(one.name, 0)) for one in asked]
    return [one._replace(free=int(free)) for one, free in found if free > 0]


def _claim(turn: Turn, store: "Store", claimants: Claimants, limit: int, lease_seconds: float) -> tuple[Claimed, ...]:
    if turn.halt is not None:
        return ()
    asked = _asked(reserved(turn, store.kept, in_turn=True), claimants.names)
    affordable = budgets.claims_left(turn)
    left = limit if affordable is None else min(limit, affordable)
    needs = [[name, what, units] for name, one in claimants.needs.items() for what, units in one.items()]
    here: dict[str, Any] = {"now": turn.now}
    if needs:
        here["needs"] = json.dumps(needs)
    taken: list[Claimed] = []
    # A source that is full, a target that is worked on or a resource that is used up hides what stands behind it: look
    # again until enough is taken or nothing is left.
    while len(taken) < left and (able := _able(turn, asked)):
        # Who claims ahead wants more than may run, and to look at one costs as much as to take it.
        most = min(left - len(taken), sum(one.free for one in able))
        statement = _FINDING[most > 1, any(one.judges for one in able), bool(needs)]
        rows = turn.all(statement, {**here, "sources": json.dumps(able), "limit": most})
        if not rows:
            break
        taken += _take(turn, rows, claimants.cap, lease_seconds)
        if needs:
            turn.run(_HOLD, {"needs": here["needs"], "tokens": json.dumps([one.token for one in taken[-len(rows) :]])})
    if taken and affordable is not None:
        budgets.spend(turn, budgets.ACTIVATIONS, len(taken))
    return tuple(taken)


def _take(turn: Turn, rows: Sequence[Any], cap: Cap, lease_seconds: float) -> list[Claimed]:
    """Write new leases and what goes with them: activations leased, older leases ended by them."""
    me, now = this_process(), turn.now
    holder = {"host": me.host, "process": me.number, "process_started": me.started, "claimed": now, "state": "live"}
    leases: list[dict[str, Any]] = []
    taken: list[tuple[Any, ...]] = []
    for activation, source, role, target_id, target, kind, attempts, cause, rating, error, reason in rows:
        longest = cap(role, target)
        until = NEVER if longest is None else now + longest
        expires = min(now + lease_seconds, until)
        of = {"source": source, "role": role, "target_id": target_id, "kind": kind, "cause": cause}
        leases.append({**holder, **of, "activation_id": activation, "expires": expires, "longest_until": until})
        # Its token is known once it is written.
        made = (activation, source, role, target, kind, attempts + 1, cause, rating, now, expires, until, error, reason)
        taken.append(made)
    turn.run_many(_LEASE, leases)
    turn.run_many(_LEASED, leases)
    targets = [[row["target_id"], row["role"]] for row in leases if row["kind"] in EXCLUSIVE]
    if targets:
        turn.run(_TAKEN_OVER, {"taken": json.dumps(targets)})
    # A token is one more than the one before, for as long as nobody else writes.
    first = turn.all(_NEWEST)[0][0] - len(leases) + 1
    return [Claimed(first + place, *made) for place, made in enumerate(taken)]
