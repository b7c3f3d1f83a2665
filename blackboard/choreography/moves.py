"""The transition relation of one instance: which acts are permitted now, and the consequences of an event.

Two rules. Only this package decides what is permitted and changes positions and deadlines. It reads only the keys of
one instance, so the cost of an answer does not depend on the size of the board.

    agree   (none) --opened--> open --accepted--> settled --opened: an amendment--> open
            open --lost or due--> open, next round          open --the last one--> contested or stopped
            open, an amendment --lost or due--> settled, the accepted version stays
            contested, stopped --accepted or retracted--> settled
    within  (none) --opened--> open --accepted--> done      open --due--> late --accepted--> done
    loop    (none) --written--> open --until holds--> done --a check fails--> open --failed, used up--> stopped
            any --written on new premises--> open, counted from 1

A deadline is armed exactly while a position is open and its step has one.
"""

from dataclasses import replace

from blackboard.choreography.consequences import consequences
from blackboard.choreography.events import (
    Accepted,
    Act,
    Agreement,
    Arm,
    BoardState,
    Consequence,
    Contest,
    Disarm,
    Due,
    Event,
    Judged,
    Lost,
    Opened,
    RejectLive,
    Reopen,
    Retracted,
    SetPosition,
    Stop,
    Written,
)
from blackboard.choreography.places import Places, places, writers
from blackboard.choreography.project import sentence
from blackboard.choreography.rights import rights
from blackboard.choreography.steps import ACTS, OPERATOR, Choreography
from blackboard.choreography.values import Agree
from blackboard.errors import NotPermitted
from blackboard.spec import keys

__all__ = [
    "Accepted",
    "Act",
    "Agreement",
    "Arm",
    "BoardState",
    "Consequence",
    "Contest",
    "Disarm",
    "Due",
    "Event",
    "Judged",
    "Lost",
    "Opened",
    "RejectLive",
    "Reopen",
    "Retracted",
    "SetPosition",
    "Stop",
    "Written",
    "agreement",
    "counted",
    "follow",
    "guard",
    "lease_cap",
    "merges",
]


_OPERATORS_ACTS = frozenset({"ask", "propose", "decide", "retract", "withdraw", "write"})

_SAID = {"vote": "votes on", "withdraw": "withdraws a proposal of"}


def guard(choreography: Choreography | None, board: BoardState, act: Act, *, role: str | None, author: str) -> str:
    """Return the path of the step that allows the act now.

    Returns:
        The step's path; `may:N` for the right of a `may`, N being its index among the top-level steps; `operator` for
        an act that an operator may always do; the empty string if there is no choreography.

    Raises:
        NotPermitted: No step permits the act to this role now.
    """
    if choreography is None:
        return ""
    path = _permitted(choreography, board, act, role)
    if path is None:
        raise _refusal(choreography, board, act, role, author)
    return path


def agreement(choreography: Choreography | None, key: str) -> Agreement | None:
    """Return the rule by which votes settle the key, None if the key is decided without a vote."""
    place = None if choreography is None else places(choreography).settling(key)
    if place is None or not isinstance(place.unit.step, Agree):
        return None
    step = place.unit.step
    return Agreement(
        path=place.unit.path,
        bindings=place.bindings,
        proposer=step.proposes.role.name,
        by=step.by,
        rounds=step.rounds,
        amendments=step.amendments,
        within_seconds=step.within_seconds,
        otherwise=step.otherwise,
    )


def lease_cap(choreography: Choreography | None, role: str, key: str) -> float | None:
    """Return the longest duration of one lease of the role on the component, None if there is no limit."""
    if choreography is None or not limits_leases(choreography):
        return None
    steps = (step for place in places(choreography).building(key) for _, step in writers(place.unit))
    return next((step.lease_seconds for step in steps if step.role.name == role), None)


def limits_leases(choreography: Choreography | None) -> bool:
    """Say whether any step limits the duration of leases."""
    return choreography is not None and places(choreography).limits_leases


def merges(choreography: Choreography | None, key: str) -> bool:
    """Say whether two versions of a decision that change different facets are merged."""
    return choreography is not None and places(choreography).merges(key)


def counted(choreography: Choreography | None) -> tuple[str, ...]:
    """Return the templates whose number of instances the guard has to know."""
    return () if choreography is None else places(choreography).counted


def follow(choreography: Choreography | None, board: BoardState, event: Event) -> tuple[Consequence, ...]:
    """Return the consequences of an event, in the order in which they have to be applied."""
    return () if choreography is None else consequences(places(choreography), board, event)


def _permitted(choreography: Choreography, board: BoardState, act: Act, role: str | None) -> str | None:
    if role == OPERATOR and act.verb in _OPERATORS_ACTS:
        return OPERATOR
    if role is None or keys.is_reserved(act.key):
        return None
    index = places(choreography)
    found = rights(index, choreography.requires, board, act)
    for name, path in found.allowed:
        if name == role:
            return path
    if not found.others:
        return None
    # A role that may propose may also withdraw.
    own = index.right(role, act.verb, act.key)
    return index.right(role, "propose", act.key) if own is None and act.verb == "withdraw" else own


def _refusal(choreography: Choreography, board: BoardState, act: Act, role: str | None, author: str) -> NotPermitted:
    index = places(choreography)
    found = rights(index, choreography.requires, board, act)
    others = tuple(f"the {name} to {act.verb} {act.key}" for name, _ in found.allowed)
    now = (verb for verb in ACTS if _permitted(choreography, board, replace(act, verb=verb), role))
    what = f"{act.check} on {act.key}" if act.check else act.key
    return NotPermitted(
        f"{author} ({role or 'without a role'}) {_SAID.get(act.verb, f'{act.verb}s')} {what}, {_governed(index, act)}",
        permitted_now=tuple(f"{verb} {act.key}" for verb in now),
        waits_for=found.waits or others,
    )


def _governed(index: Places, act: Act) -> str:
    """Return the sentence of the step that governs an act."""
    if act.verb == "write":
        found = next(iter(index.building(act.key)), None)
    elif act.verb == "check":
        found = next((place for place, _ in index.checking(act.key, act.check)), None)
    else:
        found = index.settling(act.key)
    if found is None:
        return f"which no step lets anybody {act.verb}"
    return f"where {sentence(found.unit.step, found.bindings)}"
