"""Exit statuses, the same for every command, for use in scripts."""

from collections.abc import Sequence
from enum import IntEnum

from blackboard.spec.convergence import Obligation


class Exit(IntEnum):
    """The exit status of a command."""

    YES = 0
    NO = 1
    USAGE = 2
    FAILED = 3
    PERSON = 4


def of_outcome(kind: str, obligations: Sequence[Obligation]) -> Exit:
    """Return the exit status of an outcome; it has its own status if all obligations wait for a person."""
    if kind == "converged":
        return Exit.YES
    if kind == "aborted":
        return Exit.FAILED
    if kind == "stalled" and obligations and all(obligation.person for obligation in obligations):
        return Exit.PERSON
    return Exit.NO
