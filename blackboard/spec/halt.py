"""Whether a board hands out work and takes commits, and which acts of an operator change that.

Paused: nothing is handed out, what runs goes on and may commit. Draining: the same, and whoever drains waits until
nothing runs. Sealed: nothing is written until an operator lifts the seal.
"""

from collections.abc import Mapping
from enum import StrEnum

from blackboard.errors import IllegalTransition


class Halt(StrEnum):
    """Operating mode of a board; `running` is NULL in its table."""

    RUNNING = "running"
    PAUSED = "paused"
    DRAINING = "draining"
    SEALED = "sealed"


class HaltAct(StrEnum):
    """What an operator does to the whole board, named as the kind of its change."""

    PAUSE = "paused"
    DRAIN = "drained"
    RESUME = "resumed"
    SEAL = "sealed"
    UNSEAL = "unsealed"


MOVES: Mapping[tuple[Halt, HaltAct], Halt] = {
    (Halt.RUNNING, HaltAct.PAUSE): Halt.PAUSED,
    (Halt.PAUSED, HaltAct.PAUSE): Halt.PAUSED,
    (Halt.DRAINING, HaltAct.PAUSE): Halt.PAUSED,
    (Halt.RUNNING, HaltAct.DRAIN): Halt.DRAINING,
    (Halt.PAUSED, HaltAct.DRAIN): Halt.DRAINING,
    (Halt.DRAINING, HaltAct.DRAIN): Halt.DRAINING,
    (Halt.RUNNING, HaltAct.RESUME): Halt.RUNNING,
    (Halt.PAUSED, HaltAct.RESUME): Halt.RUNNING,
    (Halt.DRAINING, HaltAct.RESUME): Halt.RUNNING,
    (Halt.RUNNING, HaltAct.SEAL): Halt.SEALED,
    (Halt.PAUSED, HaltAct.SEAL): Halt.SEALED,
    (Halt.DRAINING, HaltAct.SEAL): Halt.SEALED,
    (Halt.SEALED, HaltAct.SEAL): Halt.SEALED,
    # Whoever lifts a seal looks around before work goes on.
    (Halt.SEALED, HaltAct.UNSEAL): Halt.PAUSED,
}


def move(state: Halt, act: HaltAct) -> Halt:
    """Return the mode of the board after an act.

    Raises:
        IllegalTransition: The table has no such move.
    """
    try:
        return MOVES[state, act]
    except KeyError:
        raise IllegalTransition("the board", str(state), f"to be {act}") from None
