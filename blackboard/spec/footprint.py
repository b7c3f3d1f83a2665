"""What an answer depends on: recorded while the rules ask, compared before the answer is used."""

from collections.abc import Callable, Collection
from typing import NamedTuple

from blackboard.spec.keys import matches_any


class Room(NamedTuple):
    """Whether fewer keys than a limit existed under a template."""

    template: str
    limit: int
    is_below: bool


class Footprint(NamedTuple):
    """Everything that an answer depends on: the answer holds until a commit changes some of it."""

    keys: frozenset[str] = frozenset()
    patterns: frozenset[str] = frozenset()
    rooms: frozenset[Room] = frozenset()
    builds: bool = False
    """Whether it depends on which components exist, and on their files."""

    def touched_by(self, changed: Collection[str]) -> bool:
        """Say whether a change of any of these keys may change the answer."""
        return not self.keys.isdisjoint(changed) or matches_any(self.patterns, changed)

    def filled_by(self, count: Callable[[str], int]) -> bool:
        """Say whether a limit has another answer now; `count` gives how many keys exist under a template."""
        return any((count(template) < limit) is not is_below for template, limit, is_below in self.rooms)
