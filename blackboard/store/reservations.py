"""Who was refused how often, and what is reserved for whom: rows of control, written in the turns of commits."""

import json
from typing import Any

from blackboard.errors import Reserved
from blackboard.spec.changes import Intent, Plan
from blackboard.spec.keys import is_pattern, key_range, matches
from blackboard.spec.reservation import (
    CONFLICTS,
    LEAST,
    SHARE,
    Claim,
    breaks,
    contested,
    overlap,
    seconds,
    written,
)
from blackboard.store.session import Turn
from blackboard.store.statements import Statement

_LEASE = Statement(
    "SELECT k.key AS target, l.longest_until FROM lease l JOIN key k ON k.id = l.target_id WHERE l.token = :token"
)
_BEGAN = Statement("SELECT at FROM commit_log WHERE revision = :revision")
_REFUSED = Statement(
    "INSERT INTO refusal_count (author, target, count, at) VALUES (:author, :target, 1, :now) "
    "ON CONFLICT (author, target) DO UPDATE SET count = CASE WHEN EXISTS (SELECT 1 FROM reservation r "
    "WHERE r.author = :author AND r.target = :target AND r.until <= :now) THEN 1 ELSE count + 1 END, at = :now "
    "RETURNING count"
)
_OVER = Statement("DELETE FROM reservation WHERE until <= :now")
_FORGOTTEN = Statement("DELETE FROM refusal_count WHERE at < :now - 3600")
_RESERVED = Statement("SELECT author, kind, key, name, target, since, until FROM reservation WHERE until > :now")
_RESERVE = Statement(
    "INSERT INTO reservation (author, kind, key, name, target, since, until) "
    "SELECT :author, json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'), "
    ":target, :now, :until FROM json_each(:claims) WHERE true "
    "ON CONFLICT (author, kind, key, name) DO UPDATE SET target = excluded.target"
)
_KEYS = Statement("SELECT count(*) AS count FROM key")
_UNDER = Statement("SELECT key FROM key WHERE key >= :low AND key < :high")
_FREE = (
    Statement("DELETE FROM refusal_count WHERE author = :author AND target = :target"),
    Statement("DELETE FROM reservation WHERE author = :author AND target = :target"),
)


def refused(turn: Turn, intent: Intent, broken: list[tuple[str, str, str]]) -> None:
    """Count a conflict; at the second in a row on one target reserve what it was about, if nobody else has it."""
    target, until = _target(turn, intent)
    if not target:
        return
    count = turn.one(_REFUSED, {"author": intent.author, "target": target, "now": turn.now})["count"]
    turn.run(_OVER, {"now": turn.now})
    turn.run(_FORGOTTEN, {"now": turn.now})
    if count < CONFLICTS:
        return
    claims = contested(intent, broken)
    held = [row for row in turn.all(_RESERVED, {"now": turn.now}) if row["author"] != intent.author]
    taken = [_claim(row) for row in held]
    if any(overlap(one, other) for one in claims for other in taken):
        return
    if _covered(turn, [*claims, *taken]) > max(LEAST, turn.one(_KEYS)["count"] // SHARE):
        return
    rows = json.dumps([[one.kind, one.key, one.name] for one in claims])
    here = {"author": intent.author, "target": target, "now": turn.now}
    turn.run(_RESERVE, {**here, "until": until, "claims": rows})


def check(turn: Turn, intent: Intent, plan: Plan) -> None:
    """Refuse what would break somebody else's reservation.

    Raises:
        Reserved: It would; names the key, who holds it and for how long yet.
    """
    for row in turn.all(_RESERVED, {"now": turn.now}):
        if row["author"] != intent.author and breaks(plan, _claim(row)):
            raise Reserved(row["key"], row["author"], row["until"] - turn.now)


def free(turn: Turn, intent: Intent) -> None:
    """Forget the conflicts of an author on a target, and what was reserved for it: it has committed."""
    target, _ = _target(turn, intent)
    for statement in _FREE:
        turn.run(statement, {"author": intent.author, "target": target})


def _target(turn: Turn, intent: Intent) -> tuple[str, float]:
    """Return for whose sake an intent is, "" where it writes nothing, and until when it may reserve."""
    began = turn.one(_BEGAN, {"revision": intent.base})
    until = turn.now + seconds(turn.now - began["at"] if began is not None else 0.0)
    if intent.token is not None:
        lease = turn.one(_LEASE, {"token": intent.token})
        if lease is not None:
            return lease["target"], min(until, lease["longest_until"])
    return next(iter(written(intent)), ""), until


def _claim(row: Any) -> Claim:  # noqa: ANN401 - a row
    return Claim(row["kind"], row["key"], row["name"])


def _covered(turn: Turn, claims: list[Claim]) -> int:
    """Return how many keys the claims are about."""
    keys = {one.key for one in claims if not is_pattern(one.key)}
    for pattern in {one.key for one in claims if is_pattern(one.key)}:
        keys |= {row["key"] for row in turn.all(_UNDER, key_range(pattern)) if matches(pattern, row["key"])}
    return len(keys)
