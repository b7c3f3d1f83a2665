"""Code against the contracts that it uses, before their providers are there and after: one run of the type checker."""

import sys

import pytest

from blackboard.contracts.conformance import conformance_plan
from blackboard.contracts.language import Contract
from blackboard.control.sandbox import Limits, Sandbox

STORE = Contract.python("""
class Note:
    id: int
    title: str
    def rename(self, title: str) -> None: ...
def load(key: int) -> Note: ...
def every(*, limit: int = 20) -> list[Note]: ...
""")
PRICES = Contract.python('"""Prices.\n\nmodule: shop.prices\n"""\ndef price(of: str) -> int: ...\n')
USED = {"api/storage": STORE, "api/money": PRICES}

CODE = {
    "web.py": """\
import json
import pytest
from pathlib import Path
from storage import Note, load
import storage
from shop.prices import price
from helpers import twice
from app_storage import load as guessed
from shop.storage import every
import nowhere
from storage import save

def page(key):
    note = load(key)
    note.rename(note.titel)
    return twice(load("1")).id + price(of="x") + price(name="x")

def listed():
    return [one.title for one in storage.every(limit="3")]

def fine():
    return storage.every(limit=3)[0].title, load(3).id, load(key=1)

def own(text: int) -> str:
    return text.upper()
""",
    "helpers.py": "def twice(x):\n    return x\n\n\ndef other(x: int) -> None: ...\n\n\nother('its own business')\n",
}
STORAGE = "api/storage is the module storage"
SAID = [
    (8, f"import app_storage: there is no such module; {STORAGE}"),
    (9, f"import shop.storage: there is no such module; {STORAGE}"),
    (10, f"import nowhere: there is no such module; api/money is the module shop.prices; {STORAGE}"),
    (11, 'Module "storage" has no attribute "save", by its contract'),
    (15, 'by the contract: "Note" has no attribute "titel"; maybe "title"?'),
    (16, 'by the contract: Argument 1 to "load" has incompatible type "str"; expected "int"'),
    (16, 'by the contract: Unexpected keyword argument "name" for "price"'),
    (19, 'by the contract: Argument "limit" to "every" has incompatible type "str"; expected "int"'),
]  # fmt: skip

PROVIDERS = {
    "nothing yet": {},
    "modules": {"storage.py": "def load(key): ...\ndef save(): ...\n", "shop/prices.py": "def price(name): ...\n"},
    "packages": {
        "storage/__init__.py": "from storage.files import *\n",
        "storage/files.py": "def load(key): ...\ndef save(): ...\n",
        "shop/__init__.py": "",
        "shop/prices/__init__.py": "def price(*name): ...\n",
    },
}


def judged(used, files, providers):
    plan = conformance_plan({}, files, used=used, inputs=providers)
    inputs = {**files, **providers}
    result = Sandbox.best(Limits(seconds=120)).run([sys.executable, *plan.command], {**inputs, **plan.probes})
    assert result.status in (0, 1), result.output
    owed, again = (), plan.again(result.output)
    if again:
        second = Sandbox.best(Limits(seconds=120)).run([sys.executable, *plan.command], {**inputs, **again})
        owed = plan.owed(result.output, second.output)
    return sorted({*plan.found, *plan.said(result.output), *owed})


@pytest.mark.parametrize("inputs", PROVIDERS.values(), ids=PROVIDERS)
def test_users_are_held_to_the_contracts_and_not_to_the_code_of_their_providers(inputs):
    found = judged(USED, CODE, inputs)
    assert {one.file for one in found} == {"web.py"}
    assert sorted((one.line, one.what) for one in found) == sorted(SAID)


COUNTS = Contract.python("""
class Book:
    title: str
def count(text: str) -> list[tuple[str, int]]: ...
def total(text: str) -> int: ...
def find(text: str) -> Book | None: ...
async def later() -> Book: ...
""")
RESULTS = {
    "a list has no items": ("print(count('a').items())", "items"),
    "a number is no text": ("print('n: ' + total('a'))", "operand"),
    "a number is not indexed": ("print(total('a')[0])", "index"),
    "nothing may be found": ("print(find('a').title)", "None"),
    "nobody waits": ("later()", "must be used"),
    "what is not awaited has no title": ("print(later().title)", "title"),
    "what comes out of a pair": (
        "for word, number in count('a'):\n        print(word.upper(), number.upper())",
        "upper",
    ),
}
RIGHT = {
    "all as declared": "for word, number in count('a'):\n        print(word.upper(), number + total('a'))",
    "nothing is minded": "book = find('a')\n    if book is not None:\n        print(book.title)",
    "the author's own faults": "text = 'a'\n    print(text.nothing, text + 1, None.x)",
    "what is made of it is known to the author": "found: dict[str, object] = {}\n    print(found['a'].title)",
}


@pytest.mark.parametrize(("body", "said"), RESULTS.values(), ids=RESULTS)
def test_what_a_call_gives_is_held_to_the_contract(body, said):
    code = f"from counts import count, find, later, total\n\ndef main():\n    {body}\n"
    (found,) = judged({"api/counts": COUNTS}, {"main.py": code}, {})
    assert found.line >= 4
    assert "contract" in found.what
    assert said in found.what


@pytest.mark.parametrize("body", RIGHT.values(), ids=RIGHT)
def test_how_code_is_typed_otherwise_is_its_authors_business(body):
    code = f"from counts import count, find, later, total\n\ndef main():\n    {body}\n"
    assert judged({"api/counts": COUNTS}, {"main.py": code}, {}) == []


def test_a_package_of_ones_own_may_hold_the_module_of_another():
    own = {"src/shop/__init__.py": "", "src/shop/till.py": "from shop.prices import price\nprice(3)\n"}
    found = judged({"api/money": PRICES}, own, {})
    assert [(one.file, one.line) for one in found] == [("src/shop/till.py", 2)]
    found = judged({"api/money": PRICES}, own, {"src/shop/prices.py": "def price(of: int): ...\n"})
    assert [(one.file, one.line) for one in found] == [("src/shop/till.py", 2)]


def test_who_implements_a_contract_has_the_module_that_it_states():
    code = "def price(of: str) -> int:\n    return 1\n"
    implemented = {"api/money": (PRICES, None)}
    (found,) = conformance_plan(implemented, {"prices.py": code}).found
    assert str(found) == (
        "shop/prices.py: it is missing: users of api/money import the module shop.prices; name the file shop/prices.py "
        "or shop/prices/__init__.py, or let the stub's docstring say `module: NAME`"
    )
    for path in ("shop/prices.py", "shop/prices/__init__.py", "src/shop/prices.py"):
        assert not conformance_plan(implemented, {path: code}).found


@pytest.mark.parametrize("path", ["storage.py", "storage/__init__.py", "src/storage.py"])
def test_who_implements_a_contract_that_states_no_module_has_the_one_of_its_key(path):
    implemented = {"api/storage": (Contract.python("def load(key: int) -> int: ..."), None)}
    code = "def load(key: int) -> int:\n    return key\n"
    (found,) = conformance_plan(implemented, {"app/store.py": code}).found
    assert (found.file, "users of api/storage import the module storage" in found.what) == ("storage.py", True)
    assert not conformance_plan(implemented, {path: code}).found


def test_who_implements_a_part_may_leave_the_module_to_another_component():
    part = {"api/storage": (Contract.python("def load() -> int: ...\ndef save() -> int: ..."), {"load"})}
    assert not conformance_plan(part, {"loading.py": "def load() -> int: return 1"}).found


@pytest.mark.parametrize(
    ("module", "missing"),
    [
        ("def load(): ...\n", ["Note"]),
        ("from app.impl import Note\ndef load(): ...\n", []),
        ("from app import impl\ndef load(): ...\nNote = impl.Note\n", []),
        ("from app.impl import *\n", []),
        ("import app.impl\n", ["Note", "load"]),
    ],
)
def test_the_module_has_what_the_contract_declares_its_own_or_imported(module, missing):
    implemented = {"api/storage": (Contract.python("class Note: ...\ndef load(): ...\n_Own = int"), None)}
    files = {"storage.py": module, "app/impl.py": "class Note: ...\ndef load(): ...\n_Own = int\n"}
    found = conformance_plan(implemented, files).found
    assert [one.what.partition(" ")[0] for one in found if "is not in it" in one.what] == missing


def test_code_that_cannot_be_read_is_found():
    plan = conformance_plan({}, {"web.py": "def f(:\n"}, used=USED)
    assert [(one.file, one.line) for one in plan.found] == [("web.py", 1)]
    assert not plan.probes
