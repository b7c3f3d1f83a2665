"""The agenda's pure part: ratings of activations, what follows from the end of a run, and back-off.

The default rating is the longest chain of work that waits for the target, so that the critical path comes first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import NamedTuple

from blackboard.spec.effects import Side

QUARANTINE_AFTER = 5
"""Refused results in a row after which a source gets no more work."""

FIRST_WAIT_SECONDS = 0.25
LONGEST_WAIT_SECONDS = 30.0


class ActivationState(StrEnum):
    """The states of an activation."""

    PENDING = "pending"
    LEASED = "leased"
    DONE = "done"
    OBVIATED = "obviated"
    DEAD = "dead"
    LOOPED = "looped"


CANCELLABLE = frozenset({ActivationState.PENDING, ActivationState.LEASED, ActivationState.DEAD, ActivationState.LOOPED})
"""What an operator can cancel."""

RETRIABLE = frozenset({ActivationState.PENDING, ActivationState.DEAD, ActivationState.LOOPED, ActivationState.OBVIATED})
"""What an operator can retry: pending where it waits or its source is quarantined, obviated where it was cancelled."""


class LeaseState(StrEnum):
    """The states of a lease. `live` and `expired` ones may commit while nobody else claimed the activation."""

    LIVE = "live"
    FINISHED = "finished"
    RELEASED = "released"
    EXPIRED = "expired"
    REVOKED = "revoked"


class Link(NamedTuple):
    """That a component uses or implements a decision, from its task or from its pins."""

    component: str
    decision: str
    side: Side


class Ending(StrEnum):
    """How a run ended."""

    FINISHED = "finished"
    REFUSED_BY_RATE = "refused by its rate"
    RETURNED = "returned"
    POSTPONED = "postponed"
    FAILED = "failed"
    FAILED_FOR_GOOD = "failed for good"
    EXHAUSTED = "exhausted"
    LOST = "lost"
    CANCELLED = "cancelled"
    UNLOCKED = "unlocked"


_UNCOUNTED = frozenset({Ending.RETURNED, Ending.POSTPONED, Ending.UNLOCKED})

REPEATED = frozenset({Ending.FAILED, Ending.LOST})
"""After these an activation is retried, as often as its source says."""

_LAST: Mapping[Ending, ActivationState] = {
    Ending.FINISHED: ActivationState.DONE,
    Ending.REFUSED_BY_RATE: ActivationState.OBVIATED,
    Ending.EXHAUSTED: ActivationState.DEAD,
    Ending.FAILED: ActivationState.DEAD,
    Ending.FAILED_FOR_GOOD: ActivationState.DEAD,
    Ending.LOST: ActivationState.DEAD,
    Ending.CANCELLED: ActivationState.OBVIATED,
}
"""The state of an activation that is not run again."""


class RunAgain(IntEnum):
    """Whether an activation that is leased has a further run after this one.

    A trigger that fires during the run makes it `YES`. A commit that does what the activation asks for, of this run or
    of anybody, makes it `NO`.
    """

    YES = 1
    IF_UNFINISHED = 0
    NO = -1


class Next(NamedTuple):
    """The state of an activation after a run, the attempts counted so far, and how long it waits."""

    state: ActivationState
    attempts: int
    wait_seconds: float = 0.0


def after(ending: Ending, *, attempts: int, retries: int, run_again: RunAgain, wait_seconds: float = 0.0) -> Next:
    """Return what an activation is after a run; one that was postponed waits for at least `wait_seconds`.

    Attempts were counted at the claim. A trigger that fired during the run asks for one more run and resets the count,
    except where an operator cancelled the activation.
    """
    if run_again is RunAgain.NO:
        return Next(ActivationState.DONE if ending is Ending.FINISHED else ActivationState.OBVIATED, 0)
    if ending in _UNCOUNTED:
        wait = max(FIRST_WAIT_SECONDS, wait_seconds) if ending is Ending.POSTPONED else 0.0
        return Next(ActivationState.PENDING, max(0, attempts - 1), wait)
    wait = backoff_seconds(attempts) if ending is Ending.FAILED else 0.0
    if run_again is RunAgain.YES and ending is not Ending.CANCELLED:
        return Next(ActivationState.PENDING, 0, wait)
    if ending in REPEATED and attempts <= retries:
        return Next(ActivationState.PENDING, attempts, wait)
    state = _LAST[ending]
    return Next(state, attempts if state is ActivationState.DEAD else 0)


def backoff_seconds(attempts: int) -> float:
    """Return how long an activation waits after so many failed attempts."""
    return float(min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** max(0, attempts - 1)))


@dataclass(frozen=True, slots=True)
class Activation:
    """A request of one source to act on one target.

    Attributes:
        kind: The trigger that woke it last.
        external: Its source runs outside the controller.
        waits_for: The keys that have to be there before it can run.
        quarantined: Why its source gets no work, None where it gets some.
        error: Class name of the last failure; `reason` is its text, or the cycle as JSON where it is looped.
        expires: When its lease ends by the store's clock, None where it has none.
    """

    source: str
    target: str
    kind: str
    state: ActivationState
    rating: float
    dirty: bool
    attempts: int
    revision: int
    external: bool = False
    waits_for: tuple[str, ...] = ()
    quarantined: str | None = None
    error: str | None = None
    reason: str = ""
    expires: float | None = None


def waiting(links: Iterable[Link]) -> dict[str, set[str]]:
    """Return key -> keys that wait for it.

    A component waits for its task and for the decisions that it uses or implements; a component that uses a decision
    waits also for those that implement it.
    """
    users: dict[str, set[str]] = {}
    makers: dict[str, set[str]] = {}
    waits: dict[str, set[str]] = {}
    for link in links:
        by_side = users if link.side is Side.USES else makers
        for found, key in ((waits, link.decision), (waits, f"task/{link.component}"), (by_side, link.decision)):
            found.setdefault(key, set()).add(link.component)
    for decision, components in makers.items():
        for component in components:
            waits.setdefault(component, set()).update(users.get(decision, set()) - {component})
    return waits


def chains(waits: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """Return key -> length of the longest chain of keys that wait for it, one after the other.

    Keys that wait for each other in a circle count together, as many as they are: all of them have to be done.

    >>> chains({"api": ["server"], "server": ["web"]})
    {'web': 0, 'server': 1, 'api': 2}
    """
    graph = {key: sorted(set(after)) for key, after in waits.items()}
    for key in sorted({after for keys in graph.values() for after in keys} - graph.keys()):
        graph[key] = []
    found: dict[str, int] = {}
    for group in _groups(graph):
        members = set(group)
        behind = [found[after] + 1 for key in group for after in graph[key] if after not in members]
        length = max(behind, default=0) + len(group) - 1
        found.update(dict.fromkeys(group, length))
    return found


def _groups(graph: Mapping[str, list[str]]) -> Iterable[list[str]]:
    """Yield the strongly connected groups, each after all that it leads to (Tarjan, without recursion)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    stacked: set[str] = set()
    for root in sorted(graph):
        path = [] if root in order else [(root, iter(graph[root]))]
        while path:
            key, rest = path[-1]
            if key not in order:
                order[key] = low[key] = len(order)
                stack.append(key)
                stacked.add(key)
            step = next((other for other in rest if other not in order), None)
            if step is not None:
                path.append((step, iter(graph[step])))
                continue
            path.pop()
            low[key] = min([low[key], *(low[other] for other in graph[key] if other in stacked)])
            if low[key] == order[key]:
                group = _pop_to(key, stack)
                stacked.difference_update(group)
                yield group


def _pop_to(key: str, stack: list[str]) -> list[str]:
    group = [stack.pop()]
    while group[-1] != key:
        group.append(stack.pop())
    return group
