"""The life of leases and what becomes of their activations: renewed, finished, given back, lost.

Invariants: a token is never given out twice; only the newest lease of an activation may commit, and only while it is
`live`, or `expired` without having been taken over; every end of a lease closes what it held.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from blackboard.errors import LeaseLost
from blackboard.spec.activation import (
    QUARANTINE_AFTER,
    REPEATED,
    Activation,
    ActivationState,
    Ending,
    LeaseState,
    Next,
    RunAgain,
    after,
)
from blackboard.spec.triggers import TriggerKind
from blackboard.store import budgets
from blackboard.store.liveness import Process, dead, this_host, this_process
from blackboard.store.session import Turn
from blackboard.store.statements import Reads, Statement

if TYPE_CHECKING:
    from blackboard.store.opened import Store
    from blackboard.store.sqlite import Connection

_FENCE = Statement("""
    SELECT l.state, k.key AS target,
      (SELECT max(newer.token) FROM lease newer WHERE newer.activation_id = l.activation_id) AS newest
    FROM lease l JOIN key k ON k.id = l.target_id WHERE l.token = :token""")

_RENEW = Statement("""
    UPDATE lease SET expires = min(max(expires, :now + :seconds), longest_until)
    WHERE +state = 'live' AND longest_until > :now AND token IN (SELECT value FROM json_each(:tokens))
    RETURNING token, expires""")

_TRIES = 3  # again, where a source is not known any more
_RETRIES = Statement("""
    SELECT e.value AS source, json_extract(v.text, '$.retries') AS retries FROM json_each(:sources) e
    JOIN key k ON k.key = 'source/' || e.value JOIN version v ON v.key_id = k.id AND v.version = k.current_version""")

_SWEEPABLE = Statement("""
    SELECT
      EXISTS (SELECT 1 FROM lease WHERE state = 'live' AND host = :host AND process < :process)
        OR EXISTS (SELECT 1 FROM lease WHERE state = 'live' AND host = :host AND process > :process)
        OR EXISTS (SELECT 1 FROM lease WHERE state = 'live' AND host = :host AND process = :process
          AND process_started < :started)
        OR EXISTS (SELECT 1 FROM lease WHERE state = 'live' AND host = :host AND process = :process
          AND process_started > :started) AS others,
      (SELECT min(expires) FROM lease WHERE state = 'live') < :now AS expired""")
"""Whether another process of this host holds a lease, or one that had this one's number, a step of the index each; and
whether any expired, for which all that are live are looked at in the index."""

_HOLDERS = Statement("""
    WITH RECURSIVE holder(process) AS (
      SELECT min(process) FROM lease WHERE state = 'live' AND host = :host
      UNION ALL
      SELECT (SELECT min(l.process) FROM lease l
        WHERE l.state = 'live' AND l.host = :host AND l.process > holder.process)
      FROM holder WHERE process IS NOT NULL)
    SELECT process,
      (SELECT min(l.process_started) FROM lease l
        WHERE l.state = 'live' AND l.host = :host AND l.process = holder.process) AS first,
      (SELECT max(l.process_started) FROM lease l
        WHERE l.state = 'live' AND l.host = :host AND l.process = holder.process) AS last
    FROM holder WHERE process IS NOT NULL""")
"""The processes of a host that hold leases: a step of the index each, however many leases those are."""

_ENDING = """
    SELECT l.token, l.activation_id, l.source, l.claimed, l.expires, a.attempts, a.run_again{}
    FROM lease l JOIN activation a ON a.id = l.activation_id WHERE """
_HELD_BY = ", l.host, l.process, l.process_started"

# With `+` the leases are found by their tokens, not by looking at all that are live.
_BY_TOKEN = _ENDING + "+l.state = 'live' AND l.token IN (SELECT value FROM json_each(:tokens)) ORDER BY l.token"
_NAMED = Statement(_BY_TOKEN.format(""))
_ORPHANED = Statement(_BY_TOKEN.format(_HELD_BY))
_EXPIRED = Statement(_ENDING.format(_HELD_BY) + "l.state = 'live' AND l.expires < :now ORDER BY l.token")
_ON_HOST = Statement(_ENDING.format(_HELD_BY) + "l.state = 'live' AND l.host = :host ORDER BY l.token")

_LIVE = Statement("SELECT token FROM lease WHERE +state = 'live' AND token IN (SELECT value FROM json_each(:tokens))")

_END = Statement("""
    UPDATE lease SET state = :state, expires = min(expires, :now)
    WHERE token IN (SELECT value FROM json_each(:tokens))""")

# Where a commit made the activation `obviated` or `looped` under its lease, that stands.
_MOVE = Statement("""
    UPDATE activation SET state = :state, attempts = :attempts, run_again = 0, not_before = :now + :wait,
      error = :error, reason = coalesce(:reason, reason)
    WHERE +state = 'leased' AND id IN (SELECT value FROM json_each(:ids))""")

_REBID = Statement("UPDATE activation SET rating = :rating WHERE id = :id")

_REFUSED = Statement("""
    INSERT INTO source_state (source, refused, quarantined) VALUES (:source, 1, NULL)
    ON CONFLICT (source) DO UPDATE SET refused = refused + 1,
      quarantined = CASE WHEN refused + 1 >= :bound THEN coalesce(quarantined, :reason) ELSE quarantined END""")

_IN_ORDER = Statement("""
    UPDATE source_state SET refused = 0
    WHERE refused > 0 AND quarantined IS NULL AND source IN (SELECT value FROM json_each(:sources))""")

_REVIVE = Statement("""
    UPDATE activation SET state = 'pending', attempts = 0, not_before = 0, pending_since = :now
    WHERE state = 'dead' AND (:every OR error = 'BudgetExhausted')""")

_ADMIT = Statement("DELETE FROM source_state")

_OPEN = Statement("""
    SELECT a.source, t.key AS target, a.kind, a.state, a.rating, a.run_again, a.attempts, a.revision, a.error, a.reason,
      coalesce(json_extract(v.text, '$.external'), 0) AS external, s.quarantined,
      (SELECT l.expires FROM lease l WHERE l.activation_id = a.id AND l.state = 'live') AS expires,
      (SELECT json_group_array(d.key) FROM requirement n JOIN key d ON d.id = n.key_id
        WHERE n.component_id = a.target_id AND d.state <> 'accepted'
          AND (n.named = 1 OR d.state IN ('open', 'contested')) AND a.state = 'pending') AS waits_for
    FROM activation a JOIN key t ON t.id = a.target_id
    LEFT JOIN key k ON k.key = 'source/' || a.source
    LEFT JOIN version v ON v.key_id = k.id AND v.version = k.current_version
    LEFT JOIN source_state s ON s.source = a.source
    WHERE a.state IN ('pending', 'leased', 'dead', 'looped')
    ORDER BY a.state, a.rating DESC, a.pending_since, a.id LIMIT :limit""")

_COMING = Statement("""
    SELECT min(at) AS at FROM (
      SELECT min(expires) AS at FROM lease
      WHERE state = 'live' AND source IN (SELECT value FROM json_each(:sources))
      UNION ALL
      SELECT min(not_before) FROM activation
      WHERE state = 'pending' AND not_before > :now AND source IN (SELECT value FROM json_each(:sources))
        AND source NOT IN (SELECT source FROM source_state WHERE quarantined IS NOT NULL))""")

_MARK = Statement("""
    SELECT b.revision, b.mode, (SELECT coalesce(max(token), 0) FROM lease) AS token,
      (SELECT count(*) FROM lease WHERE state = 'live') AS live
    FROM board b""")

_ANNOUNCE = Statement("INSERT INTO quiescence (revision, at) VALUES (:revision, :now) ON CONFLICT DO NOTHING")

_ANNOUNCED = Statement("SELECT 1 FROM quiescence WHERE revision = :revision")

_WAKE_WHERE = """
    INSERT INTO activation (source, target_id, kind, state, rating, run_again, attempts, revision, pending_since,
      not_before, error, reason)
    SELECT substr(k.key, 8), k.id, :kind, 'pending', 0, 0, 0, :revision, :now, 0, NULL, ''
    FROM key k JOIN version v ON v.key_id = k.id AND v.version = k.current_version
    WHERE k.key >= 'source/' AND k.key < 'source0'
      AND {}
    ON CONFLICT (target_id, source) DO UPDATE SET kind = excluded.kind, state = 'pending', attempts = 0,
      revision = excluded.revision, pending_since = excluded.pending_since, not_before = 0, error = NULL, reason = ''"""
_WAKE = Statement(
    _WAKE_WHERE.format("EXISTS (SELECT 1 FROM json_each(v.text, '$.on') o WHERE json_extract(o.value, '$[0]') = :kind)")
)
_WAKE_ONE = Statement(_WAKE_WHERE.format("k.key = :key"))


class Mark(NamedTuple):
    """What differs after each change of the spec or the agenda: while it is the same, the outcome is."""

    revision: int
    mode: str | None
    token: int
    live: int


class End(NamedTuple):
    """How a run ended.

    Attributes:
        error: Class name of what failed, None where nothing did.
        reason: Its text, or why the work was given back.
        refused: The result was refused for its content, which counts towards quarantine.
        wait_seconds: How long a postponed activation is not claimed again.
    """

    token: int
    ending: Ending
    error: str | None = None
    reason: str | None = None
    refused: bool = False
    wait_seconds: float = 0.0


_LEASE_AFTER: Mapping[Ending, LeaseState] = {
    Ending.FINISHED: LeaseState.FINISHED,
    Ending.REFUSED_BY_RATE: LeaseState.FINISHED,
    Ending.RETURNED: LeaseState.RELEASED,
    Ending.POSTPONED: LeaseState.RELEASED,
    Ending.FAILED: LeaseState.RELEASED,
    Ending.FAILED_FOR_GOOD: LeaseState.RELEASED,
    Ending.EXHAUSTED: LeaseState.RELEASED,
    Ending.LOST: LeaseState.EXPIRED,
    Ending.CANCELLED: LeaseState.REVOKED,
    Ending.UNLOCKED: LeaseState.REVOKED,
}


def fence(turn: Turn, token: int) -> None:
    """Let only the newest lease go on, and only while it was not given back or revoked.

    A lease that expired and that nobody took over still counts.

    Raises:
        LeaseLost: It does not count any more.
    """
    row = turn.one(_FENCE, {"token": token})
    if row is None:
        raise LeaseLost("nothing", token, None)
    if row["newest"] != token or row["state"] not in (LeaseState.LIVE, LeaseState.EXPIRED):
        raise LeaseLost(row["target"], token, row["newest"])


def renew(store: "Store", tokens: Iterable[int], *, lease_seconds: float) -> dict[int, float]:
    """Let live leases last `lease_seconds` from now, never past their longest time.

    Returns:
        token -> when it expires, of those that were renewed; the others are lost, or the budget of seconds is spent.
    """
    wanted = json.dumps(list(tokens))
    with store.writer.turn() as turn:
        if budgets.time_is_up(turn):
            return {}
        rows = turn.all(_RENEW, {"tokens": wanted, "now": turn.now, "seconds": lease_seconds})
        return {row["token"]: row["expires"] for row in rows}


def end(store: "Store", ends: Sequence[End]) -> frozenset[int]:
    """End leases, all in one turn.

    Returns:
        The tokens that were still live; of the others nothing changed.
    """
    if not ends:
        return frozenset()
    return store.writer.run(lambda turn: end_in(turn, ends))


def end_in(turn: Turn, ends: Sequence[End]) -> frozenset[int]:
    """End leases in a turn; return the tokens that were still live."""
    if not ends:
        return frozenset()
    rows = turn.all(_NAMED, {"tokens": json.dumps([one.token for one in ends])})
    known = {one.token: one for one in ends}
    _end(turn, rows, known)
    _count_results(turn, [(row["source"], known[row["token"]]) for row in rows])
    return frozenset(row["token"] for row in rows)


def live(on: Reads, tokens: Iterable[int]) -> frozenset[int]:
    """Return those of some leases that are live."""
    return frozenset(row["token"] for row in on.all(_LIVE, {"tokens": json.dumps(list(tokens))}))


def sweep(store: "Store") -> int:
    """End the leases that expired by the store's time, and those whose process on this host is dead.

    Returns:
        How many ended; their activations are pending again, or dead after too many attempts.
    """
    with store.database.reading() as connection:
        row = sweepable(connection, store)
        holders = connection.all(_HOLDERS, {"host": this_host()}) if row["others"] else []
        gone = _of_the_dead(holders)
        if not row["expired"] and not gone:
            return 0
        orphaned = [one["token"] for one in connection.all(_ON_HOST, {"host": this_host()}) if _process(one) in gone]
    with store.writer.turn() as turn:
        # What was read before the turn may have been renewed since; the dead renew nothing.
        rows = {row["token"]: row for row in turn.all(_EXPIRED, {"now": turn.now})}
        orphans = {row["token"]: row for row in turn.all(_ORPHANED, {"tokens": json.dumps(orphaned)})}
        ends = {token: End(token, Ending.LOST, "LeaseLost", _expired(row)) for token, row in rows.items()}
        ends.update({token: End(token, Ending.LOST, "LeaseLost", _orphaned(row)) for token, row in orphans.items()})
        _end(turn, list({**rows, **orphans}.values()), ends)
        return len(ends)


def sweepable(on: "Connection", store: "Store") -> Any:  # noqa: ANN401 - a row
    """Return whether a lease `expired`, and whether a process of this host may have died with one."""
    me = this_process()
    here = {"now": store.now(on), "host": me.host, "process": me.number, "started": me.started}
    return on.one(_SWEEPABLE, here)


def _of_the_dead(holders: Sequence[Any]) -> frozenset[Process]:
    """Return the processes of this host that hold a lease and certainly run no more."""
    host, me = this_host(), this_process()
    found = {Process(host, row["process"], row[started]) for row in holders for started in ("first", "last")}
    return dead(found - {me})


def _process(row: Any) -> Process:  # noqa: ANN401 - a row
    return Process(row["host"], row["process"], row["process_started"])


def _expired(row: Any) -> str:  # noqa: ANN401 - a row
    return f"process {row['process']} on {row['host'].split('/')[0]} let its lease {row['token']} run out"


def _orphaned(row: Any) -> str:  # noqa: ANN401 - a row
    return f"process {row['process']} on {row['host'].split('/')[0]} died with its lease {row['token']}"


def _end(turn: Turn, rows: Sequence[Any], ends: Mapping[int, End]) -> None:
    # Most of what ends at once ends alike, and is written down at once.
    alike: dict[tuple[Next, str | None, str | None], list[int]] = {}
    by_state: dict[LeaseState, list[int]] = {}
    seconds = 0.0
    retries = _retries(turn, {row["source"] for row in rows if ends[row["token"]].ending in REPEATED})
    # By place: to find a column by its name, the driver compares it with each.
    for token, activation, source, claimed, expires, attempts, run_again, *_ in rows:
        one = ends[token]
        tries = retries.get(source, _TRIES)
        again, wait = RunAgain(run_again), one.wait_seconds
        then = after(one.ending, attempts=attempts, retries=tries, run_again=again, wait_seconds=wait)
        reason = "" if one.ending is Ending.FINISHED else _storable(one.reason)
        alike.setdefault((then, one.error, reason), []).append(activation)
        by_state.setdefault(_LEASE_AFTER[one.ending], []).append(token)
        seconds += min(turn.now, expires) - claimed
    if not alike:
        return
    for (then, error, reason), ids in alike.items():
        moved = {"state": then.state.value, "attempts": then.attempts, "wait": then.wait_seconds, "now": turn.now}
        turn.run(_MOVE, {**moved, "error": error, "reason": reason, "ids": json.dumps(ids)})
    for state, tokens in by_state.items():
        turn.run(_END, {"tokens": json.dumps(tokens), "state": state.value, "now": turn.now})
    budgets.close(turn, [row["token"] for row in rows], seconds)


def _retries(turn: Turn, sources: Collection[str]) -> dict[str, int]:
    """Return how often each of some sources is tried again."""
    if not sources:
        return {}
    found = turn.all(_RETRIES, {"sources": json.dumps(list(sources))})
    return {row["source"]: row["retries"] for row in found if row["retries"] is not None}


def _storable(text: str | None) -> str | None:
    """Return a text as the store can carry it: what an exception says may hold lone surrogates."""
    return text if text is None else text.encode("utf-8", "backslashreplace").decode()


def _count_results(turn: Turn, results: Sequence[tuple[str, End]]) -> None:
    """Count refused results in a row; one that was not refused begins anew."""
    in_order = {source for source, one in results if one.ending is Ending.FINISHED}
    if in_order:
        turn.run(_IN_ORDER, {"sources": json.dumps(sorted(in_order))})
    for source, one in results:
        if one.refused:
            reason = f"{QUARANTINE_AFTER} refused results in a row, the last: {one.error}: {_storable(one.reason)}"
            turn.run(_REFUSED, {"source": source, "bound": QUARANTINE_AFTER, "reason": reason})


def rebid(store: "Store", token: int, activation: int, rating: float) -> None:
    """Give a claimed activation back with the rating that its source gave it."""
    with store.writer.turn() as turn:
        rows = turn.all(_NAMED, {"tokens": json.dumps([token])})
        _end(turn, rows, {token: End(token, Ending.RETURNED)})
        turn.run(_REBID, {"id": activation, "rating": rating})
        budgets.spend(turn, budgets.ACTIVATIONS, -len(rows))


def revive(turn: Turn, *, every: bool) -> None:
    """Make dead activations pending again: `every` one (all quarantines end too), or those that wanted budget."""
    turn.run(_REVIVE, {"every": every, "now": turn.now})
    if every:
        turn.run(_ADMIT)


def open_activations(on: Reads, *, limit: int = 1000) -> tuple[Activation, ...]:
    """Return what is pending, leased, dead or looped, best first within each."""
    return tuple(
        Activation(
            source=row["source"],
            target=row["target"],
            kind=row["kind"],
            state=ActivationState(row["state"]),
            rating=row["rating"],
            dirty=row["run_again"] == RunAgain.YES,
            attempts=row["attempts"],
            revision=row["revision"],
            external=bool(row["external"]),
            waits_for=tuple(sorted(json.loads(row["waits_for"]))),
            quarantined=row["quarantined"],
            error=row["error"],
            reason=row["reason"],
            expires=row["expires"],
        )
        for row in on.all(_OPEN, {"limit": limit})
    )


def next_event(on: Reads, sources: Iterable[str], now: float) -> float | None:
    """Return the store time at which a lease of these sources ends or one of their activations has waited enough.

    Returns:
        None where neither is to come.
    """
    at: float | None = on.all(_COMING, {"sources": json.dumps(list(sources)), "now": now})[0]["at"]
    return at


def mark(on: Reads) -> Mark:
    """Return the mark of the board now."""
    return Mark(*on.all(_MARK)[0])


def announced(on: Reads, revision: int) -> bool:
    """Say whether quiescence was announced for a revision of the spec."""
    return bool(on.all(_ANNOUNCED, {"revision": revision}))


def announce(store: "Store", met: Callable[[Turn], bool]) -> bool:
    """Announce quiescence for the head, once for each revision, and wake who waits for it.

    Args:
        store: Of the board.
        met: Checks C1 to C4 in the turn that announces.

    Returns:
        Whether this call announced it.
    """
    with store.writer.turn() as turn:
        if announced(turn, turn.revision) or not met(turn):
            return False
        turn.run(_ANNOUNCE, {"revision": turn.revision, "now": turn.now})
        turn.run(_WAKE, {"kind": TriggerKind.QUIESCENT.value, "revision": turn.revision, "now": turn.now})
        return True


def wake_when(store: "Store", source: str, met: Callable[[Turn], bool]) -> None:
    """Wake one source on itself, if what `met` asks for holds in the turn that wakes it."""
    with store.writer.turn() as turn:
        if met(turn):
            kind, key = TriggerKind.WRITTEN.value, f"source/{source}"
            turn.run(_WAKE_ONE, {"kind": kind, "key": key, "revision": turn.revision, "now": turn.now})
