"""When votes accept a version, when they can no longer, and which quorums are valid under declared faults.

Votes are write-once and the store orders them, so agreement needs no quorum larger than w + 1; validity does.
"""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum


class Tally(StrEnum):
    """What votes say about a version."""

    UNDECIDED = "undecided"
    REACHED = "reached"
    UNREACHABLE = "unreachable"


def tally(electorate: Collection[str], quorum: int, votes: Mapping[str, bool]) -> Tally:
    """Count votes (member -> yes) of an electorate; votes of others do not count."""
    cast = [votes[member] for member in electorate if member in votes]
    if cast.count(True) >= quorum:
        return Tally.REACHED
    if len(electorate) - cast.count(False) < quorum:
        return Tally.UNREACHABLE
    return Tally.UNDECIDED


def majority_of(members: int) -> int:
    """Return the smallest number that is more than half."""
    return members // 2 + 1


def quorum_bounds(members: int, *, crash: int, wrong: int) -> tuple[int, int]:
    """Return the smallest and the largest quorum that are valid with so many crashed and wrong members.

    The smallest cannot be reached by wrong members alone (w + 1), the largest can be reached without those who crashed
    or refuse (n - c - w). The second is below the first where there are too few members (n < c + 2w + 1).
    """
    return wrong + 1, members - crash - wrong


def eligible(members: Sequence[str], author: str) -> tuple[str, ...]:
    """Return who may vote on an author's version: every member but the author."""
    return tuple(member for member in members if member != author)
