"""What made a key what it is: the pins that no longer hold, and who changed what they were about."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from sqlite3 import Row

from blackboard.cli.records import Cause, FacetLine
from blackboard.store.sqlite import Connection
from blackboard.store.statements import Statement

_BROKEN_PINS = Statement("""
    SELECT d.key, p.name, p.side, p.version AS pinned, d.current, d.state, d.mod_revision, h.since,
      e.uses, e.implements, e.reason
    FROM key k JOIN pin p ON p.component_id = k.id AND p.component_version = k.current
    JOIN key d ON d.id = p.key_id
    LEFT JOIN head_facet h ON h.key_id = p.key_id AND h.name = p.name
    LEFT JOIN facet_effect e ON e.key_id = p.key_id AND e.name = p.name
      AND e.new_since = h.since AND e.old_since = p.since
    WHERE k.key = :key AND (d.current IS NULL OR h.digest IS NOT nullif(p.digest, ''))
    ORDER BY h.since DESC, d.key, p.name""")

_JOINED = Statement("""
    SELECT d.key, n.pattern, m.since FROM key k
    JOIN pattern_pin pp ON pp.component_id = k.id AND pp.component_version = k.current
    JOIN pattern n ON n.id = pp.pattern_id
    JOIN pattern_member m ON m.pattern_id = pp.pattern_id AND m.since > pp.since
    JOIN key d ON d.id = m.key_id
    WHERE k.key = :key ORDER BY m.since DESC, d.key""")

_TURN = Statement("""
    SELECT t.revision, t.version, t.state, coalesce(l.author, '') AS author, l.role,
      v.author AS writer, v.role AS writer_role, v.rationale, v.reason,
      (SELECT b.version FROM tenure b WHERE b.key_id = t.key_id AND b.revision < t.revision
       ORDER BY b.revision DESC LIMIT 1) AS before
    FROM key k JOIN tenure t ON t.key_id = k.id AND t.revision <= :revision
    LEFT JOIN commit_log l ON l.revision = t.revision
    LEFT JOIN version v ON v.key_id = t.key_id AND v.version = t.version
    WHERE k.key = :key ORDER BY t.revision DESC LIMIT 1""")


@dataclass(frozen=True, slots=True)
class BrokenPin:
    """A facet that a component was built against and that is no longer what it was.

    Attributes:
        since: The revision that changed it.
        line: What the change means for the side of the pin; the other side is left empty.
    """

    key: str
    side: str
    version: int
    since: int
    line: FacetLine


@dataclass(frozen=True, slots=True)
class Turn:
    """What a decision became at a revision, and who did that: `author` the commit, `writer` the version."""

    revision: int
    version: int | None
    before: int | None
    state: str
    author: str
    role: str | None
    writer: str | None
    writer_role: str | None
    rationale: str
    reason: str


def broken_pins(connection: Connection, component: str) -> tuple[BrokenPin, ...]:
    """Return the pins of a component that no longer hold, those that broke last first."""
    return tuple(_broken(row) for row in connection.all(_BROKEN_PINS, {"key": component}))


def _broken(row: Row) -> BrokenPin:
    retracted = row["state"] == "retracted"
    side = str(row["side"])
    effect = str(row[side] or "breaking")
    line = FacetLine(
        facet=row["name"],
        reason="retracted" if retracted else row["reason"] or "changed",
        uses=effect if side == "uses" else "",
        implements=effect if side == "implements" else "",
        proof="" if row[side] else "undecided",
    )
    since = row["mod_revision"] if retracted or row["since"] is None else row["since"]
    return BrokenPin(row["key"], side, row["pinned"], since, line)


def in_short(pins: Sequence[BrokenPin]) -> str:
    """Say in one line why a component with these broken pins is not current."""
    if not pins:
        return "a decision joined a pattern that it listed"
    facets = [pin for pin in pins if pin.line.facet] or list(pins)
    first = facets[0]
    more = f", and {len(facets) - 1} more" if len(facets) > 1 else ""
    return f"{first.key} {first.line.facet}".rstrip() + f": {first.line.reason}{more}"


def broken_causes(connection: Connection, component: str) -> tuple[Cause, ...]:
    """Return what made a component stale, suspect or orphaned, newest first."""
    causes = []
    for (key, since), pins in groupby(broken_pins(connection, component), key=lambda pin: (pin.key, pin.since)):
        lines = [pin.line for pin in pins]
        causes.append(_cause(connection, key, since, [line for line in lines if line.facet] or lines))
    causes.extend(
        _cause(connection, row["key"], row["since"], (), f", which joined {row['pattern']}")
        for row in connection.all(_JOINED, {"key": component})
    )
    return tuple(sorted(causes, key=lambda cause: -cause.revision))


def turn_at(connection: Connection, key: str, revision: int) -> Turn | None:
    """Return what made a decision what it was at a revision, None where it was nothing yet."""
    row = connection.one(_TURN, {"key": key, "revision": revision})
    return None if row is None else Turn(**{name: row[name] for name in row.keys()})  # noqa: SIM118 - no mapping


def _cause(connection: Connection, key: str, revision: int, facets: Iterable[FacetLine], tail: str = "") -> Cause:
    turn = turn_at(connection, key, revision)
    if turn is None:
        return Cause(revision, "", "", f"changed {key}{tail}", "", tuple(facets))
    return cause_of(turn, key, facets, tail)


def cause_of(turn: Turn, key: str, facets: Iterable[FacetLine] = (), tail: str = "") -> Cause:
    """Return a turn of a decision as something that somebody did; a version is its writer's, whoever's vote it took."""
    if turn.state == "retracted":
        return Cause(turn.revision, turn.author, turn.role or "", f"retracted {key}{tail}", turn.reason, tuple(facets))
    step = f"amended {key} {turn.before} -> {turn.version}" if turn.before else f"decided {key} {turn.version}"
    deciding = f", accepted by {turn.author}" if turn.author and turn.writer not in (None, turn.author) else ""
    return Cause(
        turn.revision,
        turn.writer or turn.author,
        (turn.writer_role if turn.writer else turn.role) or "",
        f"{step}{deciding}{tail}",
        turn.rationale or "",
        tuple(facets),
    )
