"""Decisions that this process read or wrote and that still stand: to read them again costs no statement.

Invariant: whatever is kept stands at `revision`, up to which this process knows all that changed. A transaction that
reads as of an earlier revision is given what had changed last by then, one that reads as of a later one nothing. What
is read this way is validated at the commit like everything else.
"""

import threading
from collections.abc import Mapping
from typing import Any, NamedTuple

from blackboard.spec.changes import KeyRow, Plan, VersionRow
from blackboard.spec.lifecycle import KeyState

_MOST, _LARGE = 1024, 16_384  # so many are kept, none with a text of more characters


class Written(NamedTuple):
    """What this process put in the place of a decision that it knew: accepted, and nobody voted on it."""

    row: VersionRow
    mod_revision: int
    create_revision: int


Changed = Mapping[str, tuple[VersionRow, int] | None]
"""key -> the version that was accepted under it, and when; None where something else happened, or nobody here knows."""


def changed_by(plan: Plan, revision: int) -> Changed:
    """Return what a plan changes that is applied as a revision."""
    found: dict[str, tuple[VersionRow, int] | None] = dict.fromkeys([change.key for change in plan.changes])
    stands: dict[str, int | None] = {}
    # The rows of keys come first.
    for row in plan.rows:
        if type(row) is KeyRow:
            if row.state is KeyState.ACCEPTED:
                stands[row.key] = row.current
        elif type(row) is VersionRow and row.electorate is None and stands.get(row.key) == row.version:
            found[row.key] = (row, revision)
    return found


class Recent:
    """What stands on one board, as far as it was read lately.

    Attributes:
        revision: Up to which it is known what changed.
        since: From which on: what was compacted meanwhile is told nobody, so as of earlier ones nothing is known.
    """

    def __init__(self) -> None:
        self.revision = self.since = -1
        self._kept: dict[str, Any] = {}
        # What the store calls a key -> key, of all that are kept.
        self._keys: dict[str, str] = {}
        # What this process wrote beyond `revision`: whether it still stands is told with what others changed before.
        self._beyond: dict[str, tuple[VersionRow, int] | None] = {}
        self._guard = threading.Lock()

    def get(self, key: str, at: int) -> Any:  # noqa: ANN401 - what was put
        """Return what stood under a key as of a revision, None where that is not known here."""
        # In this order: what changes after `revision` was looked at is taken away or is younger than `at`.
        if not self.since <= at <= self.revision:
            return None
        found = self._kept.get(key)
        return found if found is not None and found.mod_revision <= at else None

    def put(self, key: str, found: Any, at: int, number: int | None = None) -> None:  # noqa: ANN401 - as said below
        """Keep what was read under a key as of a revision, if it is certain that it still stands.

        Args:
            found: Anything with a `mod_revision`, and a `create_revision` and a contract's text.
            number: What the store calls the key; None where the key is kept, and is to be kept as this.
        """
        with self._guard:
            if at != self.revision or len(found.contract.text) > _LARGE:
                return
            if number is not None:
                if len(self._keys) >= _MOST:
                    self._forget()
                self._keys[str(number)] = key
            elif key not in self._kept:
                return
            self._kept[key] = found

    def _forget(self) -> None:
        self._kept.clear()
        self._keys.clear()

    def heard(self, before: int, after: int, changed: Mapping[str, int] | None) -> None:
        """Hear when what changed between two revisions was changed last, by number; "" or None: it may be anything."""
        with self._guard:
            if changed is None or "" in changed:
                self._move(before, after, None)
                return
            last = {self._keys[number]: at for number, at in changed.items() if number in self._keys}
            wrote = {key: one for key, one in self._beyond.items() if one is not None and one[1] == last.get(key)}
            self._move(before, after, {**dict.fromkeys(last), **wrote})

    def moved(self, before: int, after: int, changed: Changed | None) -> None:
        """Hear what changed between two revisions; None: it may be anything."""
        with self._guard:
            self._move(before, after, changed)

    def _move(self, before: int, after: int, changed: Changed | None) -> None:
        if after <= self.revision:
            return
        if changed is not None and before > self.revision:
            # What others changed in between is heard of by whoever looks at the head next, and this with it.
            self._beyond.update(changed)
            return
        self._beyond.clear()
        if changed is None:
            self.since = after
            self._forget()
        else:
            for key in changed.keys() & self._kept.keys():
                found, written = self._kept.pop(key), changed[key]
                if written is not None and len(written[0].body.text) <= _LARGE:
                    self._kept[key] = Written(*written, found.create_revision)
        self.revision = after
