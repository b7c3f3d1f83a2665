"""Two writers, one board: what one of them relied on is changed by the other, and the board does not let it pass.

python examples/two_writers.py
"""

import tempfile
from pathlib import Path

from blackboard import Blackboard, Conflict, Contract

with tempfile.TemporaryDirectory() as folder, Blackboard.open(Path(folder) / "board.db", create=True) as board:
    with board.transaction("ann") as ann:
        ann.decide("api/notes", Contract.value({"id": "int", "title": "str"}))

    # Bob reads what a note's id is, and writes a component that relies on it. He thinks for a while …
    bob = board.transaction("bob")
    notes = bob.decision("api/notes", facets=["id"])
    bob.write("shop", {"shop.py": f"def find(id: {notes.value['id']}): ...\n"})

    # … and meanwhile Ann decides otherwise.
    with board.transaction("ann") as ann:
        ann.decision("api/notes")
        ann.decide("api/notes", Contract.value({"id": "str", "title": "str"}), rationale="clients make the ids")

    try:
        bob.commit()
    except Conflict as conflict:
        print("refused:", conflict)
        for premise in conflict.premises:
            print(f"  {premise.key}#{premise.facet}: {premise.base} -> {premise.current}, by {premise.author}")

    # Nothing of Bob's was written. He reads again, and changes what depends on it.
    with board.transaction("bob") as bob:
        notes = bob.decision("api/notes", facets=["id"])
        bob.write("shop", {"shop.py": f"def find(id: {notes.value['id']}): ...\n"})

    # A change of the title alone does not concern him: his component is pinned to the id and nothing else.
    with board.transaction("ann") as ann:
        ann.decision("api/notes")
        ann.decide("api/notes", Contract.value({"id": "str", "title": "text"}))
    print("after a change of the title:", board.snapshot().component("shop").state)

    with board.transaction("ann") as ann:
        ann.decision("api/notes")
        ann.decide("api/notes", Contract.value({"id": "bytes", "title": "text"}))
    print("after a change of the id:", board.snapshot().component("shop").state)
