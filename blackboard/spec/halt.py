"""Whether a board gives out work and takes commits, and which of an operator's acts moves it.

Paused: nothing is handed out, what runs goes on and may commit. Draining: the same, and whoever drains waits until
nothing runs. Sealed: nothing is written any more, by nobody, until an operator lifts the seal.
"""

from collections.abc import Mapping
from enum import StrEnum

from blackboard.errors import IllegalTransition


class Halt(StrEnum):
    """How a board stands; `running` is stored as none of the others."""

    RUNNING = "running"
    PAUSED = "paused"
    DRAINING = "draining"
    SEALED = "sealed"


class HaltAct(StrEnum):
    """What an operator does to the whole board, named as the change that tells of it."""

    PAUSE = "paused"
    DRAIN = "drained"
    RESUME = "resumed"
    SEAL = "sealed"
    UNSEAL = "unsealed"


MOVES: Mapping[tuple[Halt, HaltAct], Halt] = {
    (Halt.RUNNING, HaltAct.PAUSE): Halt.PAUSED,
    (Halt.DRAINING, HaltAct.PAUSE): Halt.PAUSED,
    (Halt.RUNNING, HaltAct.DRAIN): Halt.DRAINING,
    (Halt.PAUSED, HaltAct.DRAIN): Halt.DRAINING,
    (Halt.PAUSED, HaltAct.RESUME): Halt.RUNNING,
    (Halt.DRAINING, HaltAct.RESUME): Halt.RUNNING,
    (Halt.RUNNING, HaltAct.SEAL): Halt.SEALED,
    (Halt.PAUSED, HaltAct.SEAL): Halt.SEALED,
    (Halt.DRAINING, HaltAct.SEAL): Halt.SEALED,
    # Whoever lifts a seal looks around before work goes on.
    (Halt.SEALED, HaltAct.UNSEAL): Halt.PAUSED,
}

THERE: Mapping[HaltAct, Halt] = {
    HaltAct.PAUSE: Halt.PAUSED,
    HaltAct.DRAIN: Halt.DRAINING,
    HaltAct.RESUME: Halt.RUNNING,
    HaltAct.SEAL: Halt.SEALED,
}
"""Where an act leads that finds the board there already: nothing changes, and nothing is refused."""


def move(state: Halt, act: HaltAct) -> Halt:
    """Return how the board stands after an act.

    Raises:
        IllegalTransition: The table has no such move.
    """
    if THERE.get(act) is state:
        return state
    found = MOVES.get((state, act))
    if found is None:
        raise IllegalTransition("the board", str(state), f"to be {act}")
    return found
