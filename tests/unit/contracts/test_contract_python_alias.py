"""`load = read` is one function under two names, whichever way it is written; `Old = New` is one class."""

import sys

import pytest

from blackboard.contracts.conformance import conformance_plan
from blackboard.contracts.language import Contract
from blackboard.control.sandbox import Limits, Sandbox

READ = "def read(path: str, *, strict: bool = False) -> bytes: ..."
METHODS = "class Store:\n  def read(self, path: str) -> bytes: ...\n"
CLASS = "class {}:\n  size: int\n  def read(self) -> bytes: ...\n"


def effects(old, new):
    comparison = Contract.python(old).compare(Contract.python(new))
    return {name: (str(one.uses), str(one.implements)) for name, one in comparison.effects.items() if name}


@pytest.mark.parametrize(
    ("written", "alias"),
    [
        (f"{READ}\n{READ.replace('read', 'load')}", f"{READ}\nload = read"),
        (f"{METHODS}  def load(self, path: str) -> bytes: ...", f"{METHODS}  load = read"),
        (
            f"{METHODS}  async def go(self): ...\n  async def start(self): ...",
            f"{METHODS}  async def go(self): ...\n  start = go",
        ),
        (f"{READ}\n{READ.replace('read', 'load')}\n{READ.replace('read', 'get')}", f"{READ}\nload = read\nget = load"),
    ],
)
def test_an_alias_of_a_function_says_what_a_second_def_says(written, alias):
    assert Contract.python(alias).facets == Contract.python(written).facets
    assert effects(written, alias) == effects(alias, written) == {}


def test_an_alias_that_is_added_breaks_nobody_who_uses():
    assert effects(READ, f"{READ}\nload = read") == {"load": ("compatible", "breaking")}
    assert effects(METHODS, f"{METHODS}  load = read") == {"Store.load": ("compatible", "breaking")}
    one = CLASS.format("Store")
    found = effects(one, f"{one}Shelf = Store")
    assert found == dict.fromkeys(["Shelf", "Shelf.size", "Shelf.read"], ("compatible", "breaking"))


def test_an_alias_of_another_function_is_what_that_one_is():
    before = f"{READ}\ndef load(path: str) -> str: ..."
    assert effects(before, f"{READ}\nload = read")["load"][0] == "breaking"


RENAMED = f"{CLASS.format('New')}def make() -> New: ...\n"
BEFORE = f"{CLASS.format('Old')}def make() -> Old: ...\n"


@pytest.mark.parametrize("alias", ["Old = New", "Old: TypeAlias = New"])
def test_the_facets_of_a_renamed_class_stay_under_the_old_name(alias):
    found = Contract.python(f"{RENAMED}{alias}").facets
    assert {f"Old.{name}": found[f"New.{name}"] for name in ("size", "read")}.items() <= found.items()
    assert effects(BEFORE, f"{RENAMED}{alias}") == {
        "Old": ("compatible", "compatible"),
        "make": ("none", "none"),
        **dict.fromkeys(["New", "New.size", "New.read"], ("compatible", "breaking")),
    }


def test_a_type_statement_of_a_class_gives_a_name_that_cannot_be_called():
    assert effects(BEFORE, f"{BEFORE}type New = Old") == {"New": ("compatible", "breaking")}
    assert effects(BEFORE, f"{BEFORE.replace('-> Old', '-> New')}type New = Old")["make"] == ("none", "none")
    assert effects(BEFORE, f"{RENAMED}type Old = New")["Old"] == ("breaking", "breaking")


def test_a_class_of_everyday_name_is_told_from_the_everyday_one():
    old = CLASS.format("Sequence") + "def make() -> Sequence: ..."
    new = CLASS.format("New") + "Sequence = New\ndef make() -> New: ..."
    assert effects(old, new)["make"] == ("none", "none")
    assert effects(old, f"from typing import Sequence\n{RENAMED}")["make"][0] == "breaking"


def test_a_large_class_under_very_many_names_is_read_in_time():
    many = "".join(f"A{number} = Big\n" for number in range(9_000))
    assert Contract.python(f"class Big:\n  x: tuple[{', '.join(f'T{n}' for n in range(9_000))}]\n{many}").facets["A1"]


def findings(stub, code):
    plan = conformance_plan({"api/x": (Contract.python(stub), None)}, {"x.py": code})
    found = [str(one) for one in plan.found]
    if plan.probes:
        result = Sandbox.best(Limits(seconds=120)).run([sys.executable, *plan.command], {"x.py": code, **plan.probes})
        found += map(str, plan.said(result.output))
    return found


STUB = f"{READ}\nload = read\n{METHODS}  load = read"
CODE = STUB.replace(": ...", ": return b''")


@pytest.mark.parametrize(
    "code",
    [
        CODE,
        CODE.replace("load = read\nclass", f"{READ.replace('read', 'load').replace('...', 'return bytes()')}\nclass"),
    ],
)
def test_code_conforms_with_an_alias_and_with_a_second_def(code):
    assert findings(STUB, code) == []
    assert findings(STUB.replace("load = read\nclass", f"{READ.replace('read', 'load')}\nclass"), code) == []


EMPTY = "return b''"
STORE = "class New:\n  def read(self) -> bytes: return b''\n"


@pytest.mark.parametrize("alias", ["Old = New", "Old: TypeAlias = New"])
def test_code_conforms_with_a_second_name_of_a_class_and_not_with_a_second_class(alias):
    stub = f"from typing import TypeAlias\n{STORE.replace(EMPTY, '...')}{alias}"
    assert findings(stub, f"from typing import TypeAlias\n{STORE}{alias}") == []
    assert any("Old" in one for one in findings(stub, STORE + STORE.replace("New", "Old")))
    assert any("Old" in one for one in findings(stub, STORE))


def test_code_without_the_second_name_does_not_conform():
    assert any("load" in one for one in findings(STUB, CODE.replace("load = read\nclass", "class")))


def test_an_excerpt_of_an_alias_shows_the_function():
    assert Contract.python(f"{READ}\nload = read\ndef other(): ...").excerpt(["load"]) == f"{READ}\nload = read\n"


def test_an_excerpt_of_a_member_under_a_second_name_shows_the_class():
    text = f"{CLASS.format('New')}Mid = New\nOld = Mid\nclass Other: ...\n"
    shown = Contract.python(text).excerpt(["Old.size"])
    assert shown == "class New:\n  size: int\nMid = New\nOld = Mid\n"


def test_a_skeleton_keeps_the_alias():
    assert Contract.python(f"{READ}\nload = read").skeleton().count("NotImplementedError") == 1
