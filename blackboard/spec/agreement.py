"""When votes accept a version, when they can no longer, and which quorums are valid under declared faults.

Votes are write-once and the store orders them, so agreement needs no quorum larger than w + 1; validity does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Tally(StrEnum):
    """What votes say about a version."""

    UNDECIDED = "undecided"
    REACHED = "reached"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Electorate:
    """Who may vote on a version, fixed in its proposal, and how many yes votes accept it."""

    members: tuple[str, ...]
    quorum: int


def tally(electorate: Electorate, votes: Mapping[str, bool]) -> Tally:
    """Count votes (member -> yes); votes of others do not count."""
    yes = sum(1 for member in electorate.members if votes.get(member) is True)
    no = sum(1 for member in electorate.members if votes.get(member) is False)
    if yes >= electorate.quorum:
        return Tally.REACHED
    if len(electorate.members) - no < electorate.quorum:
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
