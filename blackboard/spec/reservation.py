"""Reservations: a short exclusive intent on what was contested, so that no writer starves.

Who was refused twice in a row on one target gets what it read and lost, and the keys that it wants to write, for
itself, for a capped time: a commit of somebody else that would break them is refused. All of it is had at once or
not at all, and never beside an intent of another that overlaps it: so no two of them wait for each other.
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
"""How long a reservation holds at most; under a lease not beyond the lease's longest time."""

SHORTEST, ATTEMPTS = 1.0, 2.0
"""It holds as long as so many attempts like the last one take, but a second: a quick writer that dies is not waited
for long."""

LEAST, SHARE = 16, 4
"""All reservations together cover at most so many keys, or one in so many of the board's, whichever is more."""

_MANY = {"decision": "decisions", "component": "components", "question": "questions"}


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """One thing that nobody else may change meanwhile.

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
    """Say whether two claims may be about the same; of two patterns that begin alike it is taken for granted."""
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
