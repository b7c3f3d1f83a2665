"""Ratings of pending activations, re-rated in batches: read outside the writer's turn, write what differs in one."""

import json
from collections.abc import Collection
from typing import TYPE_CHECKING

from blackboard.spec.activation import Link, chains, waiting
from blackboard.spec.effects import Side
from blackboard.store.statements import Statement

if TYPE_CHECKING:
    from blackboard.store.opened import Store

_LINKS = Statement("""
    SELECT DISTINCT c.key AS component, d.key AS decision, p.side
    FROM pin p JOIN key c ON c.id = p.component_id AND c.current_version = p.component_version
    JOIN key d ON d.id = p.key_id
    UNION
    SELECT c.key, d.key, CASE WHEN EXISTS (
        SELECT 1 FROM key t JOIN version v ON v.key_id = t.id AND v.version = t.current_version
          JOIN json_each(v.text, '$.implements') i
        WHERE t.key = 'task/' || c.key AND d.key || '/' GLOB replace(i.key || '/', '**/', '*'))
      THEN 'implements' ELSE 'uses' END
    FROM requirement n JOIN key c ON c.id = n.component_id JOIN key d ON d.id = n.key_id""")

_PENDING = Statement("""
    SELECT a.id, a.source, a.rating, k.key AS target FROM activation a JOIN key k ON k.id = a.target_id
    WHERE a.state = 'pending'""")

_RATE = Statement("""
    UPDATE activation SET rating = json_extract(r.value, '$[1]') FROM json_each(:rows) r
    WHERE activation.id = json_extract(r.value, '$[0]') AND activation.state = 'pending'""")


def rerate(store: "Store", *, bidders: Collection[str] = ()) -> int:
    """Rate every pending activation by the longest chain of work that waits for its target.

    Args:
        store: Of the board.
        bidders: Sources that rate for themselves; theirs are left alone.

    Returns:
        How many ratings changed.
    """
    with store.database.reading() as connection:
        pending = [row for row in connection.all(_PENDING) if row["source"] not in bidders]
        links = (
            [Link(row["component"], row["decision"], Side(row["side"])) for row in connection.all(_LINKS)]
            if len(pending) > 1
            else []
        )
    if not links:
        return 0
    length = chains(waiting(links))
    changed = [
        [row["id"], float(length.get(row["target"], 0))]
        for row in pending
        if row["rating"] != length.get(row["target"], 0)
    ]
    if changed:
        with store.writer.turn() as turn:
            turn.run(_RATE, {"rows": json.dumps(changed)})
    return len(changed)
