"""Records of model calls: the running ones, the spending, and the calls about a key."""

import json

from blackboard.cli.spending import CallReport, CallsReport, SentText, SpentLine, WaitingLine
from blackboard.store import calls as stored
from blackboard.store.opened import Store
from blackboard.store.overview import Row
from blackboard.store.sqlite import Connection

_MOST_WAITING = 20
_TASK = "task/"


def waiting(connection: Connection, now: float) -> tuple[WaitingLine, ...]:
    """Return the running calls, the longest first."""
    rows = stored.running(connection, _MOST_WAITING)
    return tuple(
        WaitingLine(row["id"], row["source"], row["model"], row["target"], max(0.0, now - row["began"])) for row in rows
    )


def spent(connection: Connection) -> tuple[SpentLine, ...]:
    """Return the spending of calls by source and model."""
    return tuple(SpentLine(**dict(row)) for row in stored.spent(connection))


def calls(store: Store, key: str, *, number: int | None = None) -> CallsReport:
    """Return the calls about a key, including those about a component's task, or only the one with this number."""
    other = key.removeprefix(_TASK) if key.startswith(_TASK) else f"{_TASK}{key}"
    with store.database.reading() as connection:
        rows = stored.about(connection, key, other)
    found = tuple(_call(row, place) for place, row in enumerate(rows, start=1) if number in (None, place))
    return CallsReport(key, found)


def _call(row: Row, place: int) -> CallReport:
    text = row["prompt_text"]
    return CallReport(
        call=place,
        source=row["source"],
        target=row["target"],
        kind=row["kind"],
        attempt=row["attempt"],
        model=row["model"],
        input_tokens=row["input_tokens"],
        output_tokens=row["output_tokens"],
        money=row["money"],
        currency=row["currency"],
        outcome=row["outcome"],
        began=row["began"],
        seconds=row["seconds"],
        prompt=row["prompt"],
        reply=row["reply"],
        messages=None if text is None else tuple(SentText(one["role"], one["content"]) for one in json.loads(text)),
        reply_text=row["reply_text"],
    )
