"""Which facets code relies on: each construct in a small program, what is found and what is not."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tools import untraced

from blackboard.contracts.language import Contract
from blackboard.contracts.uses.offers import Offer
from blackboard.contracts.uses.python import Code

STORAGE = """
LIMIT: int
@dataclass
class Recipe:
    id: int
    title: str = ""
    def rename(self, title: str) -> None: ...
    @property
    def owner(self) -> Person: ...
class Person:
    name: str
    def greet(self) -> str: ...
class Store:
    def __init__(self, path: str) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *error: object) -> None: ...
    def close(self) -> None: ...
    def get(self, id: int) -> Recipe | None: ...
    def all(self) -> list[Recipe]: ...
    def by_name(self) -> dict[str, Recipe]: ...
    async def fetch(self) -> Recipe: ...
    def __iter__(self) -> Iterator[Recipe]: ...
    def __getitem__(self, id: int) -> Recipe: ...
    @classmethod
    def opened(cls) -> Store: ...
class Special(Store):
    def only(self) -> Person: ...
class Row(TypedDict):
    id: int
    title: str
class Sink(Protocol):
    def put(self, recipe: Recipe) -> None: ...
    def flush(self) -> None: ...
class Pair(NamedTuple):
    first: int
    second: int
def open_store(path: str) -> Store: ...
@contextmanager
def session() -> Iterator[Store]: ...
async def connect() -> Store: ...
def people() -> Iterator[Person]: ...
"""
SERVICE = "from storage import Recipe\ndef best() -> Recipe: ...\ndef LIMIT() -> int: ...\n"
DOCUMENT = {
    "type": "object",
    "properties": {
        "ttl": {"type": "integer"},
        "unused": {},
        "menu": {"type": "array", "items": {"type": "object", "properties": {"name": {}, "price": {}}}},
        "hosts": {"prefixItems": [{}], "items": {"properties": {"port": {}}}},
    },
}
SCHEMA = """
create table recipe (id integer primary key, title text, kind text);
create table tag (id integer primary key, word text);
"""

OFFERS = (
    Offer(
        "code/storage",
        Contract.python(STORAGE),
        {"storage": frozenset(STORAGE.replace("(", " ").replace(":", " ").split())},
    ),
    Offer("code/service", Contract.python(SERVICE), {"app.service": frozenset({"best", "LIMIT"})}),
    Offer("conf/app", Contract.json_schema(DOCUMENT), {}, frozenset({"conf/app.json"})),
    Offer("db/schema", Contract("sql", SCHEMA)),
)


def uses(files, offers):
    return Code(files).uses(offers)


def _cases():
    """Yield (name, (code, what it relies on)): facets, of code/storage unless a key with an `@` stands before."""
    for case in Path(__file__).with_name("uses_rows.txt").read_text("utf-8").split("## ")[1:]:
        name, said, code = case.split("\n", 2)
        yield name, (code, said.removeprefix("--"))


CASES = dict(_cases())


def expected(said):
    found, key = {}, "code/storage"
    for word in said.split():
        if word.startswith("@"):
            key = word[1:]
        else:
            found.setdefault(key, set()).add(word)
    return found


@pytest.mark.parametrize("name", CASES)
def test_what_is_relied_on_is_found_and_nothing_else(name):
    code, said = CASES[name]
    found = {key: set(facets) for key, facets in uses({"main.py": code}, OFFERS).items()}
    wanted = expected(said)
    if "*" in wanted.get("code/storage", ()):
        assert {"Store", "Store.all"} <= found["code/storage"]
    else:
        assert found == wanted


def test_types_go_from_one_file_of_a_component_to_another():
    files = {
        "pkg/__init__.py": "",
        "pkg/db.py": "from storage import Store\nclass Db:\n    store: Store\ndef make() -> Db: ...",
        "pkg/main.py": "from pkg.db import make\nfrom .db import Db\nmake().store.all()\ndef f(d: Db): d.store.close()",
    }
    assert uses(files, OFFERS) == {"code/storage": {"Store", "Store.all", "Store.close"}}


def test_a_name_that_two_decisions_offer_is_nobodys():
    twice = (OFFERS[0], Offer("code/other", Contract.python("LIMIT: int"), {"storage": frozenset({"LIMIT"})}))
    assert uses({"main.py": "from storage import LIMIT, open_store"}, twice) == {"code/storage": {"open_store"}}
    tables = (OFFERS[3], Offer("db/other", Contract("sql", SCHEMA)))
    assert uses({"main.py": "q = 'SELECT id FROM tag'"}, tables) == {}


@pytest.mark.parametrize(
    ("code", "asked"),
    [("len(BOX)", "__len__"), ("3 in BOX", "__contains__"), ("BOX == 3", "__eq__"), ("3 > BOX", "__lt__")],
)
def test_what_python_asks_by_itself_is_relied_on(code, asked):
    methods = "".join(
        f"    def {name}(self, one: object) -> bool: ...\n" for name in ("__contains__", "__eq__", "__lt__")
    )
    stub = Contract.python(f"class Box:\n    def __len__(self) -> int: ...\n{methods}BOX: Box\n")
    box = (Offer("code/box", stub, {"boxes": frozenset({"Box", "BOX"})}),)
    assert uses({"main.py": f"from boxes import BOX\n{code}"}, box) == {"code/box": {"BOX", f"Box.{asked}"}}


HOSTILE = {
    "a megabyte": "from storage import LIMIT\n" + "x = LIMIT\n" * 100_000,
    "many names": "from storage import open_store\n" + "".join(f"x{n} = open_store('x').all()\n" for n in range(4_000)),
    "a chain of copies": "from storage import Store\n" + "\n".join(f"x{n} = x{n + 1}" for n in range(9_000)),
    "deep subscripts": "from storage import LIMIT\nx = LIMIT" + "[0]" * 3_000,
    "deep calls": "from storage import open_store\nx = open_store" + "()" * 3_000,
    "deep methods": "from storage import Recipe\ndef f(r: Recipe): return r" + ".rename()" * 30,
    "nested": "import storage as s\n" + "".join(f"{' ' * n}class A(s.Store):\n" for n in range(60)) + " " * 60 + "pass",
    "a circle of bases": "from storage import Store\nclass A(B): ...\nclass B(A): ...\nA().x",
    "a sum": "from storage import LIMIT\nx = LIMIT" + " + LIMIT" * 60_000,
    "attributes": "from storage import Store\nclass A: ...\n" + "".join(f"A().x{n} = Store(1)\n" for n in range(5_000)),
    "quotes": "q = 'SELECT " + '"' * 50_000 + " FROM recipe'\nr = \"SELECT " + "'" * 50_000 + '"',
    "many tables": "q = 'SELECT id " + "FROM recipe " * 8_000 + "'",
    "tables and columns": "q = 'SELECT " + "id, " * 8_000 + "FROM recipe, tag'",
    "10,000 nested": "x = " + "(" * 10_000,
    "a document of a document": "import json\nx = json.load(open('conf/app.json'))\nfor y in z:\n    x = x['menu'][0]",
}  # fmt: skip


def test_hostile_code_is_answered_within_a_second_and_200_megabytes():
    """In a child with limits; what takes longer or more is killed."""
    program = """
import json, resource, sys, time
sys.path[:0] = sys.argv[1:]
from cpu_time import second
from test_contract_uses import HOSTILE, OFFERS, uses
[offer.contract.digests for offer in OFFERS]
uses({"a.py": "from storage import LIMIT"}, OFFERS)
here = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (here + (200 << 20),) * 2)
for name, text in HOSTILE.items():
    least = 1
    for _ in range(3):  # a busy machine adds to what is measured, and code cannot make it smaller
        if least >= 1:
            began = time.process_time()
            uses({"a.py": text}, OFFERS)
            spent = time.process_time() - began
            # Measured beside it: later the machine may be less busy.
            least = spent if spent < 1 else spent / second()
    print(json.dumps([name, least]))
"""
    folder = Path(__file__).parent
    command = [sys.executable, "-c", program, str(folder), str(folder.parents[1])]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=untraced())
    assert done.returncode == 0, done.stderr
    seconds = dict(map(json.loads, done.stdout.splitlines()))
    assert seconds.keys() == HOSTILE.keys()
    assert {name: spent for name, spent in seconds.items() if spent >= 1} == {}
