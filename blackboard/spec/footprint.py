"""What an answer depends on: recorded while the rules ask, looked at again before the answer is used."""

from collections.abc import Callable, Collection
from typing import NamedTuple

from blackboard.spec.keys import matches_any


class Room(NamedTuple):
    """Whether fewer keys than a limit existed under a template; which ones they are, nobody asked."""

    template: str
    limit: int
    left: bool


class Footprint(NamedTuple):
    """Everything that an answer depends on; a commit that changes none of it leaves the answer true."""

    keys: frozenset[str] = frozenset()
    patterns: frozenset[str] = frozenset()
    rooms: frozenset[Room] = frozenset()
    builds: bool = False
    """Which components there are, and what they hold."""

    def touched_by(self, changed: Collection[str]) -> bool:
        """Say whether a change of any of these keys may change the answer."""
        return not self.keys.isdisjoint(changed) or matches_any(self.patterns, changed)

    def filled_by(self, count: Callable[[str], int]) -> bool:
        """Say whether some room is another now, `count` being how many keys exist under a template."""
        return any((count(template) < limit) is not left for template, limit, left in self.rooms)
