"""Exit statuses, the same for every command, so that a script can ask."""

from collections.abc import Sequence
from enum import IntEnum

from blackboard.spec.convergence import Obligation


class Exit(IntEnum):
    """What a command says to the shell."""

    YES = 0
    NO = 1
    USAGE = 2
    FAILED = 3
    PERSON = 4


def of_outcome(kind: str, obligations: Sequence[Obligation]) -> Exit:
    """Return the answer to *converged?*: where all that is left waits for a person, that is said apart."""
    if kind == "converged":
        return Exit.YES
    if kind == "aborted":
        return Exit.FAILED
    if kind == "stalled" and obligations and all(obligation.person for obligation in obligations):
        return Exit.PERSON
    return Exit.NO
