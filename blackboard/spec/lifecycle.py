"""The life of a version of a decision.

Two rules. Everything that changes a version's state is in this file. Nothing in this file knows who asks, or why.
"""

from collections.abc import Mapping
from enum import StrEnum

from blackboard.errors import IllegalTransition


class State(StrEnum):
    """The states of a version."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"
    SUPERSEDED = "superseded"
    RETRACTED = "retracted"


class Event(StrEnum):
    """What can happen to a version."""

    QUORUM = "quorum"
    LOST = "lost"
    WITHDRAW = "withdraw"
    MERGE = "merge"
    REPLACED = "replaced"
    RETRACT = "retract"


MOVES: Mapping[tuple[State, Event], State] = {
    (State.PROPOSED, Event.QUORUM): State.ACCEPTED,
    (State.PROPOSED, Event.LOST): State.REJECTED,
    (State.PROPOSED, Event.WITHDRAW): State.WITHDRAWN,
    # Another text was accepted before this one had its quorum: a third version has the changes of both.
    (State.PROPOSED, Event.MERGE): State.MERGED,
    (State.ACCEPTED, Event.REPLACED): State.SUPERSEDED,
    (State.ACCEPTED, Event.RETRACT): State.RETRACTED,
}


class KeyState(StrEnum):
    """The states of a key; components are `written`, a key that is only named so far is `absent`."""

    ABSENT = "absent"
    OPEN = "open"
    ACCEPTED = "accepted"
    CONTESTED = "contested"
    RETRACTED = "retracted"
    WRITTEN = "written"


def move(state: State, event: Event, *, subject: str) -> State:
    """Return the state after an event.

    Raises:
        IllegalTransition: The table has no such move; the error names the subject, the state and the event.
    """
    try:
        return MOVES[state, event]
    except KeyError:
        raise IllegalTransition(subject, str(state), str(event)) from None
