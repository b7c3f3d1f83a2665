"""Where a compatibility library says something else than we do, there is a reason for it.

The library compares sets of documents, so what may stand in an open object without being declared counts for it; by our
convention such names are never sent. Each difference is listed with its reason, shown by a document where it has one.
"""

import json
import random
from collections import Counter

import jsoncompat
from changes.sent import Documents
from schema_pairs import document, drawn_pair

from blackboard.contracts.json_schema.versus import Versus
from blackboard.contracts.language import Contract
from blackboard.spec.effects import UNDECIDED

# Of a request: users may go on if who reads the new schema takes what the old one allows; implementers the reverse.
ROLES = {"uses": "deserializer", "implements": "serializer"}
OPEN = "open objects: only a document with an undeclared name breaks, which is never sent"
MISSED = "a document breaks, valid by the one schema and not by the other, that the library does not see"
STRICT = "nothing breaks: every document that is valid by the one schema is valid by the other"
UNSURE = "undecided here"


def reason(side, old, new, lot):
    """Return why we differ on a side, None where we do not."""
    contracts = [Contract.json_schema(schema, direction="request") for schema in (old, new)]
    comparison = contracts[0].compare(contracts[1])
    breaks = comparison.effect(side) == "breaking"
    if breaks is not jsoncompat.check_compat(json.dumps(old), json.dumps(new), ROLES[side]):
        return None
    sender = 0 if side == "uses" else 1
    sends, takes = (old, new) if side == "uses" else (new, old)
    if breaks:
        said = [change.proof for name, change in comparison.effects.items() if not name.startswith("$defs.")]
        proofs = [json.loads(proof.partition(": ")[2]) for proof in said if proof not in ("", UNDECIDED)]
        shown = [proof for proof in proofs if is_valid(proof, sends) and not is_valid(proof, takes)]
        return MISSED if shown else definition_alone(comparison, side) or UNSURE
    # Why again without the convention: is it what makes the difference?
    found = Versus(*(contract.body.document for contract in contracts)).between(sender, (), (), sent=False)
    if found is None:
        documents = [document(lot, sends, sends) for _ in range(40)]
        return STRICT if all(is_valid(one, takes) for one in documents if is_valid(one, sends)) else "unexplained"
    if found.example is None or Documents(sends).sent(found.example.value):
        return "unexplained"
    return OPEN if is_valid(found.example.value, sends) and not is_valid(found.example.value, takes) else "unexplained"


def is_valid(one, schema):
    return Documents(schema)._valid(one)


def definition_alone(comparison, side):
    broken = [name for name, change in comparison.effects.items() if name and change.effect(side) == "breaking"]
    if all(name.startswith("$defs.") for name in broken):
        return "a definition breaks whoever relies on it, though no document of the whole does"
    return None


def test_each_difference_from_the_library_has_a_reason(seed, length):
    lot = random.Random(seed)
    found, first, same = Counter(), {}, 0
    for _ in range(length(60, 2_000)):
        old, new = drawn_pair(lot)
        for side in ROLES:
            try:
                why = reason(side, old, new, lot)
            except ValueError as error:
                why = f"the library refuses it: {str(error)[:40]}"
            same += why is None
            if why is not None:
                found[why] += 1
                first.setdefault(why, (side, old, new))

    print(f"\n{same} answers alike")  # noqa: T201
    for why, count in found.most_common():
        side, old, new = first[why]
        print(f"{count} times: {why}\n    {side}: {json.dumps(old)} -> {json.dumps(new)}")  # noqa: T201
    assert "unexplained" not in found, first["unexplained"]
    assert found[OPEN] > 0
