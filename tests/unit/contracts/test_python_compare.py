"""Whom a change of a stub breaks: those who use it, those who implement it, both, nobody."""

import pytest
from python_changes import OPAQUE, STUBS

from blackboard.contracts.language import Contract
from blackboard.spec.effects import UNDECIDED


def compared(old, new):
    return Contract.python(old).compare(Contract.python(new))


def effects(old, new):
    comparison = compared(old, new)
    return "".join(str(comparison.effect(side))[0] for side in ("uses", "implements"))


IMPORTED = [(f"from .models import A, B\n{old}", f"from .models import A, B\n{new}", said) for old, new, said in OPAQUE]


@pytest.mark.parametrize(("old", "new", "expected"), [*STUBS, *IMPORTED])
def test_a_change_breaks_those_who_are_no_longer_served(old, new, expected):
    undecided = any(UNDECIDED in change.proof for name, change in compared(old, new).effects.items() if name)

    assert effects(old, new) == expected.removesuffix("?")
    assert undecided == expected.endswith("?")


def test_what_is_the_same_protocol_in_other_names_is_the_same_type():
    stub = "class A(Protocol):\n  def next(self) -> 'A': ...\nclass B(Protocol):\n  def next(self) -> 'B': ...\n"

    assert effects(f"{stub}def f() -> A: ...", f"{stub}def f() -> B: ...") == "nn"


def test_an_alias_may_be_of_itself():
    stub = "class A: ...\nJson = list['Json'] | int{}\ndef f() -> Json: ..."

    assert effects(stub.format(""), stub.format(" | None"))[0] == "b"
    assert effects("X = Y\nY = X\ndef f() -> X: ...", "X = Y\nY = X\ndef f() -> Y: ...") == "bb"


def test_a_reason_tells_what_was_and_what_is():
    change = Contract.python("def f(a: int) -> str: ...").compare(Contract.python("def f(a: bytes) -> str: ..."))

    assert change.effects["f"].reason == "parameter a: int -> bytes"


def test_what_nobody_can_resolve_is_undecided():
    change = Contract.python("def f(a: m.A): ...").compare(Contract.python("def f(a: m.B): ..."))

    assert change.effects["f"].proof == UNDECIDED


def test_the_set_of_names_has_the_worst_effect_of_what_came_and_what_went():
    change = Contract.python("x: int\ny: int").compare(Contract.python("y: int\nz: int"))

    assert {name: (str(e.uses)[0], str(e.implements)[0]) for name, e in change.effects.items()} == {
        "x": ("b", "c"),
        "z": ("c", "b"),
        "": ("b", "b"),
    }


def test_a_name_from_a_module_beside_the_stub_is_a_type_like_others():
    stub = "from .models import A\ndef f() -> {}: ..."

    assert effects(stub.format("A | None"), stub.format("A")) == "cb"
    assert effects(stub.format("list[A]"), stub.format("Iterable[A]")) == "bc"
    bound = "from .models import A\nT = TypeVar('T', bound=A)\ndef f(a: T) -> {}: ..."
    assert effects(bound.format("T"), bound.format("A"))[0] == "b"


@pytest.mark.parametrize("other", ["None", "str", "bytes", "bool"])
def test_a_builtin_class_without_a_member_of_a_protocol_is_known_to_be_none(other):
    named = "class Named(Protocol):\n    def say(self) -> str: ...\n"
    comparison = Contract.python(f"{named}def f() -> Named: ...").compare(
        Contract.python(f"{named}def f() -> Named | {other}: ...")
    )
    assert comparison.effects["f"].proof != UNDECIDED


def test_a_class_made_by_a_call_may_be_the_same_and_nothing_shows_that_it_is_not():
    made = "from typing import NamedTuple\nN = NamedTuple('N', [('a', int)])\n"
    written = "from typing import NamedTuple\nclass N(NamedTuple):\n    a: int\n"
    for old, new in ((made, written), (written, made)):
        change = Contract.python(old).compare(Contract.python(new)).effects["N"]

        assert (change.uses, change.implements, change.proof) == ("breaking", "breaking", UNDECIDED)


@pytest.mark.parametrize(
    ("old", "new", "facet", "reason"),
    [
        ("class C(A, B): ...", "class C(B, A): ...", "C", "bases: A, B -> B, A"),
        ("class C:\n    x: int", "class C:\n    @property\n    def x(self) -> int: ...", "C.x", "int -> property int"),
    ],
)
def test_a_reason_has_no_notation_of_ours(old, new, facet, reason):
    bases = "class A: ...\nclass B: ...\n"

    assert Contract.python(bases + old).compare(Contract.python(bases + new)).effects[facet].reason == reason
