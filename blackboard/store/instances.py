"""How many keys exist under the templates that a choreography bounds, kept so that no guard has to count a board.

Invariant: each row of `instance_count` is exact after every commit, and of a template that the standing choreography
bounds; it is written in the commit that makes a key appear, and a key that exists never becomes absent again. A
template without a row is counted when somebody asks, until the next key appears.
"""

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from blackboard.spec import keys
from blackboard.store.statements import Statement

if TYPE_CHECKING:
    from blackboard.store.session import Turn
    from blackboard.store.statements import Rows

_COUNT = Statement("SELECT keys FROM instance_count WHERE template = :template")
_COUNTS = Statement("SELECT template FROM instance_count")
_EXISTING = Statement("SELECT key FROM key WHERE key >= :low AND key < :high AND state <> 'absent'")
_SET = Statement("INSERT INTO instance_count (template, keys) VALUES (:template, :keys)")
_ADD = Statement("UPDATE instance_count SET keys = keys + :more WHERE template = :template")
_FORGET = Statement("DELETE FROM instance_count WHERE template NOT IN (SELECT value FROM json_each(:kept))")
_ACCEPTED = Statement(
    "SELECT key FROM key WHERE key >= :low AND key < :high AND key > :after AND kind = 'decision' "
    "AND current_version IS NOT NULL ORDER BY key LIMIT :limit"
)

_FIRST_PAGE, _LARGER = 8, 4


def count_instances(on: "Rows", template: str) -> int:
    """Return how many keys under a template are not absent, without those that `install` writes."""
    found = on.all(_COUNT, {"template": template})
    return int(found[0]["keys"]) if found else _counted(on, template)


def _counted(on: "Rows", template: str) -> int:
    return matching(template, (row["key"] for row in on.all(_EXISTING, keys.key_range(template))))


def matching(template: str, known: Iterable[str]) -> int:
    """Return how many of some keys a template names, without those that `install` writes."""
    return sum(keys.matches(template, key) and not keys.is_reserved(key) for key in known)


def keep_counts(turn: "Turn", counted: Sequence[str], appeared: Sequence[str]) -> None:
    """Count the keys that appeared, once they are written, under the templates of the choreography as it is then."""
    known = {row["template"] for row in turn.all(_COUNTS)}
    if not known.issubset(counted):
        turn.run(_FORGET, {"kept": json.dumps(counted)})
    for template in counted:
        if template not in known:
            turn.run(_SET, {"template": template, "keys": _counted(turn, template)})
        elif more := matching(template, appeared):
            turn.run(_ADD, {"template": template, "more": more})


def first_accepted(on: "Rows", pattern: str) -> str | None:
    """Return the first key under a pattern that has an accepted decision, mostly from the first few of its range."""
    within = keys.key_range(pattern)
    after, limit = "", _FIRST_PAGE
    while True:
        rows: Sequence[str] = [row["key"] for row in on.all(_ACCEPTED, {**within, "after": after, "limit": limit})]
        found = next((key for key in rows if keys.matches(pattern, key)), None)
        if found is not None or len(rows) < limit:
            return found
        after, limit = rows[-1], limit * _LARGER
