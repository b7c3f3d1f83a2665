"""What changed up to the head of a transaction that writes: read once for all commits that share it.

Invariant: it ends with the transaction, and holds nothing of what was undone: outside of the board's row others commit.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from blackboard.store.statements import Statement

if TYPE_CHECKING:
    from blackboard.store.facts import Rows

_CHANGED = Statement(
    "SELECT k.key, c.kind, c.revision FROM change c LEFT JOIN key k ON k.id = c.key_id "
    "WHERE c.revision > :after AND c.revision <= :until ORDER BY c.revision"
)


class Since:
    """The keys that changed, and when last."""

    def __init__(self, revision: int) -> None:
        self._after = revision  # what changed up to then is not known yet
        self._changed: dict[str, int] = {}
        self._all = self._written = 0  # when the whole board was last, and when a component was written

    def changed(self, on: "Rows", after: int) -> set[str] | None:
        """Return the keys that changed after a revision, None where it may be anything."""
        if after < self._after:
            older: dict[str, int] = {}
            for key, kind, revision in on.all(_CHANGED, {"after": after, "until": self._after}):
                if key is None:
                    self._all = max(self._all, revision)
                else:
                    older[key] = revision
                if kind == "written":
                    self._written = max(self._written, revision)
            self._after, self._changed = after, {**older, **self._changed}
        if self._all > after:
            return None
        return {key for key, revision in self._changed.items() if revision > after}

    def built(self, after: int) -> bool:
        """Say whether a component was written after a revision, once it was asked what changed."""
        return self._written > after

    def add(self, keys: Iterable[str], revision: int, *, built: bool) -> None:
        """Note what the transaction itself changed."""
        self._changed.update(dict.fromkeys(keys, revision))
        if built:
            self._written = revision
