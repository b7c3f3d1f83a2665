"""What the accepted constraints of a board are worth at one revision."""

import json
from collections.abc import Iterator, Mapping

from blackboard.contracts.constraint import LANGUAGE, PREFIX
from blackboard.contracts.language import Contract
from blackboard.contracts.lookup import expression_of, finder
from blackboard.spec.expressions import Expression, judge, keys_of
from blackboard.spec.spec_state import ConstraintRecord
from blackboard.store.read import Row
from blackboard.store.statements import Reads, Statement

_TEXTS = Statement("""
    SELECT e.key, v.language, v.text FROM json_each(:versions) e
    JOIN key k ON k.key = e.key JOIN version v ON v.key_id = k.id AND v.version = e.value""")


def constraint_records(on: Reads, accepted: Mapping[str, Row]) -> tuple[ConstraintRecord, ...]:
    """Return the constraints by key.

    Args:
        on: Where.
        accepted: key -> language, version, and of a constraint the text, of what is accepted at the revision.
    """
    constraints = dict(_constraints(accepted))
    named = {key for expression in constraints.values() for key in keys_of(expression)}
    versions = {key: accepted[key]["version"] for key in sorted(named & accepted.keys())}
    rows = on.all(_TEXTS, {"versions": json.dumps(versions)}) if versions else []
    decided = {row["key"]: Contract.stored(row["language"], row["text"]) for row in rows}
    return tuple(
        ConstraintRecord(
            key, judge(expression, finder(decided.get)), tuple(one for one in keys_of(expression) if one not in decided)
        )
        for key, expression in constraints.items()
    )


def _constraints(accepted: Mapping[str, Row]) -> Iterator[tuple[str, Expression]]:
    for key, row in accepted.items():
        if key.startswith(PREFIX) and row["language"] == LANGUAGE:
            yield key, expression_of(Contract.stored(row["language"], row["text"]))
