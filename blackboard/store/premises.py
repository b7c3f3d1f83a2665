"""Why a commit was refused: what it relied on, what stands now, and who changed it."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from blackboard.contracts.facets import facet_text
from blackboard.contracts.language import Contract
from blackboard.errors import Conflict, Premise
from blackboard.spec.canonical import canonical_json
from blackboard.spec.changes import Decide, Intent, Propose, Write
from blackboard.spec.effects import Comparison, Effect, Side
from blackboard.spec.records import Body
from blackboard.spec.staleness import Pin
from blackboard.store.facts import body
from blackboard.store.opened import Store
from blackboard.store.sqlite import Connection
from blackboard.store.statements import Statement

_AT = Statement("""
    SELECT v.*, t.version AS stood FROM key_history t JOIN key k ON k.id = t.key_id
    LEFT JOIN version v ON v.key_id = t.key_id AND v.version = t.version
    WHERE k.key = :key AND t.revision <= :revision ORDER BY t.revision DESC LIMIT 1""")
_LAST = Statement("""
    SELECT c.revision, c.author, c.version, k.state, k.current_version FROM change c JOIN key k ON k.id = c.key_id
    WHERE k.key = :key ORDER BY c.revision DESC, c.ordinal DESC LIMIT 1""")


def conflict(store: Store, intent: Intent, broken: Iterable[tuple[str, str, str]]) -> Conflict:
    """Return the conflict of an intent, from what of its reads no longer holds."""
    with store.database.reading() as connection:
        found = [one for kind, key, name in broken for one in _premises(connection, intent, kind, key, name)]
    gone = any(one.base is not None and one.current is None and one.facet in (None, "") for one in found)
    appeared = any(one.base is None and one.current is not None for one in found)
    return Conflict(tuple(dict.fromkeys(found)), "replan" if gone or appeared else "repair")


def _premises(on: Connection, intent: Intent, kind: str, key: str, name: str) -> Iterator[Premise]:
    last = on.one(_LAST, {"key": key})
    if kind in ("decision", "facet"):
        yield from _decision(on, intent, key, name if kind == "facet" else None, last)
        return
    reason = {
        "component": "another version was written",
        "history": "its proposals, votes or verdicts changed",
        "pattern": f"it came under or left {name}, which was listed",
    }[kind]
    before = on.one(_AT, {"key": key, "revision": intent.base})
    base = None if before is None or before["stood"] is None else f"version {before['stood']}"
    current = None if last is None or last["current_version"] is None else f"version {last['current_version']}"
    if kind == "history":
        base, current = f"as of {intent.base}", f"as of {last['revision'] if last else 0}"
    yield _premise(key, None, (base, None, current), (None, Effect.BREAKING), last=last, rationale=reason)


def _decision(on: Connection, intent: Intent, key: str, name: str | None, last: Any) -> Iterator[Premise]:  # noqa: ANN401
    old = _body(on.one(_AT, {"key": key, "revision": intent.base}))
    new = _body(on.one(_AT, {"key": key, "revision": 1 << 60}))
    draft = _draft(intent, key)
    rationale = _rationale(on, key)
    comparison = None if old is None or new is None else _compared(old, new)
    names = [] if comparison is None else [name] if name is not None else sorted(filter(None, comparison.effects))
    if comparison is None or not names:
        # It came or went, is in another language, or is by now what it was.
        values = (_whole(old), _whole(draft), _whole(new))
        yield _premise(key, None, values, (_side(intent, key, None), Effect.BREAKING), last=last, rationale=rationale)
        return
    for facet in names:
        side = _side(intent, key, facet)
        effect = _effect(comparison, facet, side)
        says = _sentences if effect is Effect.DOCUMENTATION and facet else _value
        values = (says(old, facet), says(draft, facet), says(new, facet))
        yield _premise(key, facet, values, (side, effect), last=last, rationale=rationale)


def _compared(old: Body, new: Body) -> Comparison:
    return Contract(old.language, old.text).compare(Contract(new.language, new.text))


def _premise(
    key: str,
    facet: str | None,
    values: tuple[str | None, str | None, str | None],
    meaning: tuple[Side | None, Effect],
    *,
    last: Any,  # noqa: ANN401 - a row
    rationale: str,
) -> Premise:
    base, draft, current = values
    side, effect = meaning
    author, revision = (None, None) if last is None else (last["author"], last["revision"])
    return Premise(key, facet, side, base, draft, current, str(effect), author, revision, rationale)


def _body(row: Any) -> Body | None:  # noqa: ANN401 - a row
    return None if row is None or row["stood"] is None or row["language"] is None else body(row)


def _draft(intent: Intent, key: str) -> Body | None:
    for act in intent.acts:
        if isinstance(act, Decide) and act.key == key:
            return act.body
        if isinstance(act, Propose):
            for proposed, text in act.bodies:
                if proposed == key:
                    return text
    return None


def _value(text: Body | None, facet: str) -> str | None:
    if text is None:
        return None
    if not facet:
        return canonical_json(sorted(text.facets))
    return facet_text(Contract(text.language, text.text).facets, facet)


def _sentences(text: Body | None, facet: str) -> str | None:
    return None if text is None else Contract(text.language, text.text).docs.get(facet)


def _whole(text: Body | None) -> str | None:
    if text is None:
        return None
    return text.text if text.language == "text" else json.dumps(text.text, ensure_ascii=False)[1:-1]


def _side(intent: Intent, key: str, facet: str | None) -> Side | None:
    pins: list[Pin] = [pin for act in intent.acts if isinstance(act, Write) for pin in act.pins if pin.key == key]
    sides = {pin.side for pin in pins if facet is None or pin.name == facet}
    if not sides:
        return Side.USES
    return Side.IMPLEMENTS if Side.IMPLEMENTS in sides else Side.USES


def _effect(comparison: Comparison, facet: str, side: Side | None) -> Effect:
    change = comparison.effects.get(facet)
    return Effect.NONE if change is None else change.effect(side or Side.USES)


_RATIONALE = Statement("""
    SELECT v.rationale FROM key k JOIN version v ON v.key_id = k.id AND v.version = k.current_version
    WHERE k.key = :key""")


def _rationale(on: Connection, key: str) -> str:
    row = on.one(_RATIONALE, {"key": key})
    return "" if row is None else str(row["rationale"])
