"""Changes of schemas drawn by lot: none that is called compatible breaks a document, and each proof is one that breaks.

What is sent is said by the table of changes, which knows nothing of our comparison; what is valid by `jsonschema`.
"""

import json
import random
from collections import Counter

from changes.sent import Documents
from schema_pairs import document, drawn_pair

from blackboard.contracts.language import Contract
from blackboard.spec.effects import UNDECIDED

DOCUMENTS = 24
MOST_FALSE_ALARMS = 0.15


def sampled(lot, old, new):
    """Return documents for a pair of schemas."""
    found = [document(lot, schema, schema) for schema in (old, new) for _ in range(DOCUMENTS // 2)]
    pairs = zip(found, reversed(found), strict=True)
    return found + [{**one, **other} for one, other in pairs if {type(one), type(other)} == {dict}]


def breaks(sender, receiver, documents):
    """Return documents that one sends and the other refuses."""
    return [one for one in documents if sender.sent(one) and not receiver._valid(one)]


def look_at(lot, old, new, counts):
    """Compare a pair, hold what is said against documents, and count what was said."""
    comparison = Contract.json_schema(old, direction="request").compare(Contract.json_schema(new, direction="request"))
    before, after = Documents(old), Documents(new)
    found = sampled(lot, old, new)
    broken = {"uses": breaks(before, after, found), "implements": breaks(after, before, found)}
    for side, documents in broken.items():
        effect = comparison.effect(side)
        counts[side, str(effect)] += 1
        assert effect == "breaking" or not documents, (side, old, new, documents[0], dict(comparison.effects))
        if effect == "breaking":
            said = [change.proof for change in comparison.effects.values() if change.effect(side) == "breaking"]
            counts["called breaking"] += 1
            counts["undecided"] += set(said) == {UNDECIDED}
            counts["false alarms"] += set(said) == {UNDECIDED} and not documents
    if all(comparison.effect(side) == "none" for side in broken):
        assert all(before._valid(one) == after._valid(one) for one in found), (old, new)
    for name, change in comparison.effects.items():
        if name and change.proof not in ("", UNDECIDED):
            check(name, change, old, new)


def check(name, change, old, new):
    """Look at a proof: one sends it and the other refuses it."""
    if name.startswith("$defs."):
        old, new = ({"$ref": f"#/$defs/{name[-1]}", "$defs": schema["$defs"]} for schema in (old, new))
    before, after, proof = Documents(old), Documents(new), json.loads(change.proof.partition(": ")[2])
    sender, receiver = (before, after) if change.uses == "breaking" and before._valid(proof) else (after, before)
    assert sender.sent(proof), (old, new, change)
    assert not receiver._valid(proof), (old, new, change)


def test_none_that_is_called_compatible_breaks(seed, length):
    lot = random.Random(seed)
    counts = Counter()
    pairs = length(150, 20_000)
    for _ in range(pairs):
        look_at(lot, *drawn_pair(lot), counts)

    called = counts["called breaking"]
    shown = f"{pairs} pairs: called breaking {called}; undecided {counts['undecided'] / called:.1%} of them, "
    print(shown + f"though nothing was found to break {counts['false alarms'] / called:.1%}; {dict(counts)}")  # noqa: T201
    assert counts["false alarms"] <= MOST_FALSE_ALARMS * called
    assert min(counts[side, effect] for side in ("uses", "implements") for effect in ("compatible", "breaking")) > 0
