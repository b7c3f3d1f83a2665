"""The causes of a key's state: the broken pins, and the commits that broke them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from sqlite3 import Row

from blackboard.cli.accepted import accepting
from blackboard.cli.records import Cause, FacetLine
from blackboard.store import causes as stored
from blackboard.store.causes import Tenure
from blackboard.store.sqlite import Connection


@dataclass(frozen=True, slots=True)
class BrokenPin:
    """A broken pin: the facet that a component was built against has changed.

    Attributes:
        since: The revision that changed it.
        line: The effect of the change on the side of the pin; the other side is empty.
    """

    key: str
    side: str
    version: int
    since: int
    line: FacetLine


def broken_pins(connection: Connection, component: str) -> tuple[BrokenPin, ...]:
    """Return the broken pins of a component, the last broken first."""
    return tuple(_broken(row) for row in stored.broken_pins(connection, component))


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
    """Return the causes that made a component stale, suspect or orphaned, newest first."""
    causes = []
    for (key, since), pins in groupby(broken_pins(connection, component), key=lambda pin: (pin.key, pin.since)):
        lines = [pin.line for pin in pins]
        causes.append(_cause(connection, key, since, [line for line in lines if line.facet] or lines))
    causes.extend(
        _cause(connection, row["key"], row["since"], (), f", which joined {row['pattern']}")
        for row in stored.joined(connection, component)
    )
    return tuple(sorted(causes, key=lambda cause: -cause.revision))


def _cause(connection: Connection, key: str, revision: int, facets: Iterable[FacetLine], tail: str = "") -> Cause:
    period = stored.tenure_at(connection, key, revision)
    if period is None:
        return Cause(revision, "", "", f"changed {key}{tail}", "", tuple(facets))
    return cause_of(period, key, facets, tail)


def cause_of(period: Tenure, key: str, facets: Iterable[FacetLine] = (), tail: str = "") -> Cause:
    """Return the act that began a period of a decision; the author of a version is its proposer, not the last voter."""
    if period.state == "retracted":
        return Cause(
            period.revision, period.author, period.role or "", f"retracted {key}{tail}", period.reason, tuple(facets)
        )
    step = f"amended {key} {period.before} -> {period.version}" if period.before else f"decided {key} {period.version}"
    role = (period.writer_role if period.writer else period.role) or ""
    rationale, rules = accepting(period.rationale or "", role)
    deciding = f", accepted by {period.author}" if period.author and period.writer not in (None, period.author) else ""
    return Cause(
        period.revision,
        period.writer or period.author,
        role,
        f"{step}{deciding}{rules}{tail}",
        rationale,
        tuple(facets),
    )
