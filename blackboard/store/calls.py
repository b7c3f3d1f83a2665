"""The model calls of a board: one row for each call, and each prompt and reply once, by its SHA-256.

Rows stay. Texts are bounded: where all of them together are larger than `MAX_KEPT_BYTES`, those that were used least
recently are deleted, and the rows that name them keep the digests. A call is `running` from its first row until it is
recorded; the row of a process that died says so until its lease ends.
"""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from blackboard.store.session import Turn
from blackboard.store.statements import Reads, Statement

if TYPE_CHECKING:
    from blackboard.store.opened import Store

RUNNING = "running"

MAX_KEPT_BYTES = 67_108_864
"""How much text of prompts and replies a board keeps."""

_BEGIN = Statement("""
    INSERT INTO call (activation_id, token, source, target, kind, attempt, number, model, currency, began, outcome)
    SELECT l.activation_id, l.token, l.source, k.key, l.kind, :attempt,
      (SELECT count(*) + 1 FROM call c WHERE c.token = l.token), :model, '', :now, :outcome
    FROM lease l JOIN key k ON k.id = l.target_id WHERE l.token = :token""")

_OPEN = Statement("""
    SELECT id FROM call WHERE token = :token AND prompt IS NULL AND (:id IS NULL OR id = :id)
    ORDER BY model <> :model, id LIMIT 1""")

_NEWEST = Statement("SELECT max(id) AS id FROM call WHERE token = :token")

_END = Statement("""
    UPDATE call SET outcome = :outcome, seconds = :now - began WHERE id = :id AND outcome = 'running'""")

_RECORD = Statement("""
    UPDATE call SET model = :model, prompt = :prompt, reply = :reply, input_tokens = :input_tokens,
      output_tokens = :output_tokens, money = :money, currency = :currency, seconds = :seconds, outcome = :outcome
    WHERE id = :id""")

_KEEP = Statement("""
    INSERT INTO call_text (digest, used, bytes, text) VALUES (:digest, :used, :bytes, :text)
    ON CONFLICT (digest) DO UPDATE SET used = excluded.used""")

_KEPT = Statement("SELECT coalesce(sum(bytes), 0) AS bytes FROM call_text INDEXED BY call_text_used")

_FORGET = Statement("""
    DELETE FROM call_text WHERE digest IN (
      SELECT digest FROM (SELECT digest, sum(bytes) OVER (ORDER BY used DESC, digest) AS total FROM call_text)
      WHERE total > :most)""")

_LIVE = Statement("""
    SELECT c.id, c.source, c.target, c.model, c.began FROM lease l CROSS JOIN call c ON c.token = l.token
    WHERE l.state = 'live' AND c.outcome = 'running' ORDER BY c.began, c.id LIMIT :limit""")

_MADE = Statement("""
    SELECT count(*) AS made FROM activation a
    JOIN call c ON c.target = :target AND c.activation_id = a.id AND c.began >= a.pending_since
    WHERE a.id = :activation AND c.outcome <> 'RetryLater'""")

_ABOUT = Statement("""
    SELECT c.id, c.source, c.target, c.kind, c.attempt, c.number, c.token, c.model, c.began, c.seconds, c.prompt,
      c.reply, c.input_tokens, c.output_tokens, c.money, c.currency, p.text AS prompt_text, r.text AS reply_text,
      CASE WHEN c.outcome = 'running' AND NOT EXISTS (
        SELECT 1 FROM lease l WHERE l.token = c.token AND l.state = 'live') THEN 'lost' ELSE c.outcome END AS outcome
    FROM call c LEFT JOIN call_text p ON p.digest = c.prompt LEFT JOIN call_text r ON r.digest = c.reply
    WHERE c.target IN (:target, :other) ORDER BY c.id""")

_SPENT = Statement("""
    SELECT source, model, count(*) AS calls, coalesce(sum(input_tokens), 0) AS input_tokens,
      coalesce(sum(output_tokens), 0) AS output_tokens, sum(money) AS money,
      currency
    FROM call WHERE outcome <> 'running' GROUP BY source, model, currency ORDER BY source, model, currency""")


@dataclass(frozen=True, slots=True)
class Ended:
    """What is known of a call once it has ended; texts are redacted and cut already.

    Attributes:
        prompt: The messages as canonical JSON, a list of objects with `role` and `content`.
        money: None without a price.
        currency: Of the price table, "" where it names none.
        seconds: How long it took.
        outcome: `answered`, `refused`, `truncated`, `timed out`, or the name of an error.
    """

    model: str
    prompt: str
    reply: str
    input_tokens: int | None
    output_tokens: int | None
    money: float | None
    currency: str
    seconds: float
    outcome: str


def begin(store: "Store", token: int, *, attempt: int, model: str) -> int:
    """Add the row of a call that begins under a lease and return its number."""
    with store.writer.turn() as turn:
        return _begin(turn, token, attempt, model)


def end(store: "Store", number: int, outcome: str) -> None:
    """Say how a call ended that nobody has recorded yet; one that was recorded stays as it is."""
    with store.writer.turn() as turn:
        turn.run(_END, {"id": number, "outcome": outcome, "now": turn.now})


def record(store: "Store", token: int, ended: Ended, *, attempt: int, number: int | None = None) -> str:
    """Write down what a call sent, got and cost, in the row that it began with where it has one.

    Args:
        store: Of the board.
        token: The lease under which it was made.
        ended: What is written down.
        attempt: Which attempt of the activation it belongs to.
        number: Its row; None finds the oldest one of this lease that is not recorded yet, one of this model first.

    Returns:
        The digest of the prompt.
    """
    prompt, reply = _digest(ended.prompt), _digest(ended.reply)
    with store.writer.turn() as turn:
        found = turn.one(_OPEN, {"token": token, "model": ended.model, "id": number})
        row = found["id"] if found else _begin(turn, token, attempt, ended.model)
        values = {"prompt": prompt, "reply": reply, "input_tokens": ended.input_tokens, "money": ended.money}
        values |= {"currency": ended.currency if ended.money is not None else ""}
        values |= {"output_tokens": ended.output_tokens, "seconds": ended.seconds, "outcome": ended.outcome}
        turn.run(_RECORD, {**values, "id": row, "model": ended.model})
        for digest, text in ((prompt, ended.prompt), (reply, ended.reply)):
            size = len(text.encode())
            turn.run(_KEEP, {"digest": digest, "text": text, "bytes": size, "used": turn.now})
        if turn.all(_KEPT)[0]["bytes"] > MAX_KEPT_BYTES:
            turn.run(_FORGET, {"most": MAX_KEPT_BYTES})
    return prompt


def running(on: Reads, limit: int) -> list[Any]:
    """Return the calls that live leases wait for, the longest first, at most so many."""
    return on.all(_LIVE, {"limit": limit})


def made(on: Reads, activation: int, target: str) -> int:
    """Return how many calls an activation has made since it was woken, over all its attempts and leases.

    Calls that a provider put off do not count: nothing was asked.
    """
    return int(on.all(_MADE, {"activation": activation, "target": target})[0]["made"])


def about(on: Reads, target: str, other: str) -> list[Any]:
    """Return the calls about either of two keys with what is kept of their texts, the newest last."""
    return on.all(_ABOUT, {"target": target, "other": other})


def spent(on: Reads) -> list[Any]:
    """Return what the calls used by source and model."""
    return on.all(_SPENT)


def _begin(turn: Turn, token: int, attempt: int, model: str) -> int:
    turn.run(_BEGIN, {"token": token, "attempt": attempt, "model": model, "now": turn.now, "outcome": RUNNING})
    return int(turn.all(_NEWEST, {"token": token})[0]["id"])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
