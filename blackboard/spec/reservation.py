"""Reservations: a short exclusive right to what an author lost by repeated conflicts, so that no writer starves.

An author who was refused twice in a row on one target reserves what it lost and the keys that it writes, for a capped
time: commits of others that would change them are refused. It reserves all of it in one statement or nothing, and
nothing that overlaps another reservation: so no two authors wait for each other.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from blackboard.spec.changes import (
    Ask,
    CloseRow,
    Decide,
    HeadRow,
    Intent,
    Judge,
    Plan,
    Propose,
    Retract,
    Vote,
    Withdraw,
    Write,
)
from blackboard.spec.keys import fixed_prefix, is_pattern, matches
from blackboard.spec.records import KeyRecord, QuestionRecord

CONFLICTS = 2
"""How often somebody is refused on one target before it reserves."""

SECONDS = 120.0
"""How long a reservation lasts at most; under a lease not beyond the end of the lease."""

SHORTEST, ATTEMPTS = 1.0, 2.0
"""A reservation lasts as long as two attempts like the last one, and at least a second."""

LEAST, SHARE = 16, 4
"""All reservations together cover at most so many keys, or one in so many of the board's, whichever is more."""

_MANY = {"decision": "decisions", "component": "components", "question": "questions"}


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """One thing that nobody else may change.

    Attributes:
        kind: `decision`, `component` or `facet`: its value; `history`: anything about the key; `decisions`,
            `components` or `questions`: what is under the pattern.
        key: A key, or a pattern.
        name: Of the facet.
    """

    kind: str
    key: str
    name: str = ""


def seconds(attempt: float) -> float:
    """Return how long somebody reserves whose last attempt began so long ago."""
    return min(SECONDS, max(SHORTEST, ATTEMPTS * attempt))


def written(intent: Intent) -> tuple[str, ...]:
    """Return the keys that an intent wants to write, in its order."""
    keys: list[str] = []
    for act in intent.acts:
        match act:
            case Propose(bodies):
                keys += [key for key, _ in bodies]
            case Write(component) | Judge(component=component):
                keys.append(component)
            case Ask(key) | Decide(key) | Retract(key) | Vote(key) | Withdraw(key):
                keys.append(key)
    return tuple(dict.fromkeys(keys))


def contested(intent: Intent, broken: Iterable[tuple[str, str, str]]) -> tuple[Claim, ...]:
    """Return what an intent needs for itself: of what it read, what was broken, and all that it writes.

    Args:
        broken: (kind of read, key, facet name), or ("pattern", key, pattern).
    """
    claims = {Claim("history", key) for key in written(intent)}
    for kind, key, name in broken:
        if kind == "pattern":
            claims |= {Claim(_MANY[what], pattern) for what, pattern in intent.reads.patterns if pattern == name}
        else:
            claims.add(Claim(kind, key, name))
    return tuple(sorted(claims))


def overlap(one: Claim, other: Claim) -> bool:
    """Say whether two claims may be about the same keys; two patterns that begin alike count as such."""
    wild, also = is_pattern(one.key), is_pattern(other.key)
    if wild and also:
        first, second = fixed_prefix(one.key), fixed_prefix(other.key)
        return first.startswith(second) or second.startswith(first)
    if wild or also:
        return matches(one.key, other.key) if wild else matches(other.key, one.key)
    return one.key == other.key


def breaks(plan: Plan, claim: Claim) -> bool:
    """Say whether a plan changes what is claimed."""
    keys = [row for row in plan.rows if isinstance(row, KeyRecord)]
    moved = [row for row in keys if row.key == claim.key and row.moved]
    match claim.kind:
        case "facet":
            heads = ((row.key, row.name) for row in plan.rows if isinstance(row, HeadRow))
            return (claim.key, claim.name) in heads or any(row.current is None for row in moved)
        case "decision" | "component":
            return bool(moved)
        case "history":
            return any(change.key == claim.key for change in plan.changes)
        case "questions":
            asked = (row.key for row in plan.rows if isinstance(row, QuestionRecord | CloseRow))
            return any(matches(claim.key, key) for key in asked)
    kind = claim.kind.removesuffix("s")
    return any(row.kind == kind and row.member and matches(claim.key, row.key) for row in keys)
