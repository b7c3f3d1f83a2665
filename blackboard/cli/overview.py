"""Reads of the agenda, of budgets, and of the newest rows, never more than a limit."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from sqlite3 import Row

from blackboard.cli import calls
from blackboard.cli.accepted import accepting
from blackboard.cli.causes import broken_pins, in_short
from blackboard.cli.records import ActivationLine, ChangeLine, ComponentLine, DecisionLine, KeyLine
from blackboard.cli.spending import BudgetLine, SpentLine, WaitingLine
from blackboard.spec.keys import is_reserved
from blackboard.spec.records import ChangeRecord
from blackboard.store import operate
from blackboard.store import overview as stored
from blackboard.store.opened import Store
from blackboard.store.sqlite import Connection

SPAN = 1000
"""The number of newest changes that a frame searches."""


def budget(store: Store) -> tuple[BudgetLine, ...]:
    """Return the budget, by resource."""
    with store.database.reading() as connection:
        return _budget(connection)


def called(store: Store) -> tuple[tuple[SpentLine, ...], tuple[WaitingLine, ...]]:
    """Return the spending of model calls by source and model, and the running calls."""
    with store.database.reading() as connection:
        return calls.spent(connection), calls.waiting(connection, store.now(connection))


def agenda_counts(store: Store) -> Mapping[str, int]:
    """Return state -> number of activations that are not done."""
    with store.database.reading() as connection:
        return {row["state"]: row["rows"] for row in stored.agenda_counts(connection)}


@dataclass(frozen=True, slots=True)
class Work:
    """The number of components, of their versions, and of the tokens that these cost."""

    components: int
    written: int
    tokens: float


def work(store: Store) -> Work:
    """Return the cost of all versions of components."""
    with store.database.reading() as connection:
        row = stored.work(connection)
    return Work(row["components"], row["written"], row["tokens"])


def keys(store: Store) -> tuple[KeyLine, ...]:
    """Return every key, sorted; the state of a component is current, suspect, stale or orphaned."""
    with store.database.reading() as connection:
        states = {row["key"]: row["state"] for row in stored.component_states(connection)}
        rows = stored.keys(connection)
    return tuple(
        KeyLine(row["key"], row["kind"], states.get(row["key"], row["state"]), row["version"], row["revision"])
        for row in rows
    )


def kind_and_state(store: Store, key: str) -> tuple[str, str]:
    """Return the kind and the state of a key; both empty if the key is absent."""
    with store.database.reading() as connection:
        row = stored.kind_of(connection, key)
    return ("", "") if row is None or row["state"] == "absent" else (str(row["kind"]), str(row["state"]))


def activations_of(store: Store, key: str) -> tuple[ActivationLine, ...]:
    """Return the activations on a target that are not done, dead and obviated ones included."""
    with store.database.reading() as connection:
        now = store.now(connection)
        return tuple(_activation(row, now) for row in stored.activations_of(connection, key))


@dataclass(frozen=True, slots=True)
class Rows:
    """The number of rows of each kind that fit."""

    decisions: int
    components: int
    agenda: int
    changes: int
    obligations: int


@dataclass(frozen=True, slots=True)
class Picture:
    """The newest and most urgent rows of a board at one moment."""

    revision: int
    decisions: tuple[DecisionLine, ...]
    components: tuple[ComponentLine, ...]
    agenda: tuple[ActivationLine, ...]
    budget: tuple[BudgetLine, ...]
    changes: tuple[ChangeLine, ...]
    waiting: tuple[WaitingLine, ...]


def picture(store: Store, rows: Rows) -> Picture:
    """Return the newest and most urgent rows of a board, as many as fit."""
    with store.database.reading() as connection:
        now = store.now(connection)
        agenda = _agenda(connection, rows.agenda, now)
        return Picture(
            stored.revision(connection),
            _decisions(connection, rows.decisions),
            _components(connection, rows.components, [line.target for line in agenda]),
            agenda,
            _budget(connection),
            _newest(connection, rows.changes),
            calls.waiting(connection, now),
        )


def _decisions(connection: Connection, limit: int) -> tuple[DecisionLine, ...]:
    lines = (
        DecisionLine(
            key=row["key"],
            state=row["state"],
            version=row["current_version"],
            proposed=row["proposed"],
            yes=row["yes"],
            no=row["no"],
            quorum=row["quorum"],
            revision=row["revision"],
        )
        for row in stored.decisions(connection, SPAN)
        if not is_reserved(row["key"])
    )
    return tuple(islice(lines, limit))


def _components(connection: Connection, limit: int, targets: Sequence[str]) -> tuple[ComponentLine, ...]:
    checks = stored.checks(connection)
    found = stored.components(connection, SPAN, targets)
    lines = [_component(connection, row, checks) for row in found[: 2 * limit]]
    # The sort is stable: within current ones, and within others, the newest stay first.
    return tuple(sorted(lines, key=lambda line: line.state == "current")[:limit])


def _component(connection: Connection, row: Row, checks: Iterable[str]) -> ComponentLine:
    found = stored.component(connection, row["id"])
    if found is None:
        return ComponentLine(row["key"], "required", None, "not written yet", (), row["revision"])
    current = found["state"] == "current"
    verdicts = ((check, stored.verdict(connection, row["id"], check)) for check in checks)
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
    """Return leased activations, then those that are claimed next; reads at most this many of each source."""
    rows = [*stored.leased(connection), *stored.pending(connection, limit)]
    rows.sort(key=lambda row: (row["state"] != "leased", -row["rating"], row["pending_since"]))
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
    rows = stored.budgets(connection)
    return tuple(BudgetLine(row["resource"], row["cap"], row["spent"], row["held"]) for row in rows)


def _newest(connection: Connection, limit: int) -> tuple[ChangeLine, ...]:
    # Read more rows than fit, because rows that `install` wrote are not shown.
    rows = [row for row in stored.newest_changes(connection, 2 * limit) if not is_reserved(row["key"] or "")]
    return _noted(
        connection,
        [
            ChangeLine(row["revision"], row["ordinal"], row["kind"], row["key"] or "", row["version"], row["author"])
            for row in reversed(rows[:limit])
        ],
    )


def change_lines(store: Store, changes: Iterable[ChangeRecord]) -> tuple[ChangeLine, ...]:
    """Return the lines of changes, with the results of checks and with accepted breaks."""
    lines = [ChangeLine(one.revision, one.ordinal, one.kind, one.key or "", one.version, one.author) for one in changes]
    with store.database.reading() as connection:
        return _noted(connection, lines)


def _noted(connection: Connection, lines: Sequence[ChangeLine]) -> tuple[ChangeLine, ...]:
    judged = sorted({(line.key, line.revision) for line in lines if line.kind == "judged"})
    notes: dict[tuple[str | None, int], list[str]] = {}
    for row in stored.results(connection, judged) if judged else ():
        result = f"{row['check_name']} {'passed' if row['passed'] else 'failed'}"
        notes.setdefault((row["key"], row["revision"]), []).append(result)
    acts = {line.revision for line in lines if line.kind in operate.KINDS}
    for row in stored.acts(connection, acts, operate.KINDS) if acts else ():
        notes[row["key"], row["revision"]] = [part for part in (row["step"], row["reason"]) if part]
    accepted = sorted({(line.key, line.version, line.revision) for line in lines if line.kind == "accepted"})
    for row in stored.rationales(connection, accepted) if accepted else ():
        notes[row["key"], row["revision"]] = [accepting(row["rationale"], row["role"] or "")[1].removeprefix(", ")]
    noted = operate.KINDS | {"accepted", "judged"}
    return tuple(
        replace(line, note=", ".join(notes.get((line.key, line.revision), ()))) if line.kind in noted else line
        for line in lines
    )
