"""Who relies on a function relies on what its signature names: it is told when that changes its meaning."""

import pytest

from blackboard import Contract

CASES = {
    "an alias stands for something else": ("X = int\ndef f(a: X) -> X: ...", "= int", "= str", "f(1)"),
    "a document has one more key": (
        "from typing import TypedDict\nclass D(TypedDict):\n    x: int\ndef f(a: D) -> None: ...",
        "x: int",
        "x: int\n    y: int",
        "f({'x': 1})",
    ),
    "one more method has to be written": (
        "from typing import Protocol\nclass P(Protocol):\n    def m(self) -> int: ...\ndef f(a: P) -> None: ...",
        "class P(Protocol):",
        "class P(Protocol):\n    def n(self) -> int: ...",
        "f(object())",
    ),
    "an answer has one more value": (
        "from enum import Enum\nclass E(Enum):\n    A = 1\ndef f() -> E: ...",
        "A = 1",
        "A = 1\n    B = 2",
        "f()",
    ),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("reads", [True, False], ids=["read", "observed"])
def test_what_a_facet_names_makes_stale_who_relies_on_it(board, name, reads):
    stub, old, new, call = CASES[name]
    with board.transaction("ann") as transaction:
        transaction.decide("code/lib", Contract.python(stub))
    with board.transaction("ann") as transaction:
        transaction.decision("code/lib", side="implements")
        transaction.write("lib", {"lib.py": stub})
    with board.transaction("bob") as transaction:
        if reads:
            transaction.decision("code/lib", facets=["f"])
        transaction.write("app", {"app.py": f"from lib import f\n{call}\n"})
    assert board.snapshot().component("app").state == "current"
    with board.transaction("ann") as transaction:
        transaction.decision("code/lib")
        transaction.decide("code/lib", Contract.python(stub.replace(old, new)))
    assert board.snapshot().component("app").state == "stale"


def test_the_members_of_a_class_are_relied_on_one_by_one(board):
    stub = "class Film:\n    title: str\n    year: int\ndef find() -> Film: ..."
    with board.transaction("ann") as transaction:
        transaction.decide("code/lib", Contract.python(stub))
    with board.transaction("bob") as transaction:
        transaction.decision("code/lib", facets=["find", "Film.title"])
        transaction.write("app", {"app.py": ""})
    with board.transaction("ann") as transaction:
        transaction.decision("code/lib")
        transaction.decide("code/lib", Contract.python(stub.replace("year: int", "year: str")))
    assert board.snapshot().component("app").state == "current"
