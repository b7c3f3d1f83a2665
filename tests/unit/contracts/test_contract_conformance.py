"""Code against a contract: what conforms, what does not, and where; half of it by syntax, half by the type checker.

Each row of the table is a facet that has to be found, its declaration, code that conforms and code that does not. All
rows are looked at together: one run of the type checker for what conforms, one for what does not.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tools import untraced

from blackboard.contracts.conformance import conformance_plan, decoded
from blackboard.contracts.language import Contract
from blackboard.control.sandbox import Limits, Sandbox

HEAD = """
from __future__ import annotations
import abc, asyncio, enum, functools, typing
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import KW_ONLY, dataclass, field
from typing import (Any, ClassVar, Final, Generic, Literal, NamedTuple, NewType, NotRequired, Protocol, Self, TypeVar,
                    Optional, TypedDict, overload)
from uuid import UUID
T = TypeVar("T")
"""


def _rows():
    """Yield (declaration, code that conforms, code that does not, facet); the file says them in that order."""
    for row in Path(__file__).with_name("conformance_rows.txt").read_text("utf-8").split("## ")[1:]:
        facet, _, rest = row.partition("\n")
        declares, _, rest = rest.partition("\n-- conforms\n")
        conforms, _, differs = rest.partition("\n-- differs")
        yield declares, conforms, differs.strip("\n"), facet


ROWS = list(_rows())


def judged(contract, files, *, facets=None, key="api/a"):
    """Return facet-bearing findings as `Finding`s, after a run of the type checker where there is anything to ask."""
    plan = conformance_plan({key: (Contract.python(contract), facets)}, files)
    found = [*plan.found]
    if plan.probes:
        sandbox = Sandbox.best(Limits(seconds=120))
        result = sandbox.run([sys.executable, *plan.command], {**files, **plan.probes})
        assert result.status in (0, 1), result.output
        found += plan.said(result.output)
    return found


CONTRACT = HEAD + "\n".join(row[0] for row in ROWS)


def test_code_that_conforms_is_left_alone():
    good = HEAD + "\n".join(row[1] for row in ROWS)
    assert [str(one) for one in judged(CONTRACT, {"things.py": good}, key="api/things")] == []


def test_code_that_does_not_is_found_facet_by_facet_at_its_line():
    bad, lines = HEAD, {}
    for _, _, differs, facet in ROWS:
        lines[facet] = (bad.count("\n") + 1, bad.count("\n") + 1 + differs.count("\n"))
        bad += differs + "\n"
    found = judged(CONTRACT, {"things.py": bad}, key="api/things")
    for _, _, differs, facet in ROWS:
        said = [one for one in found if f"{facet} " in one.what or f"{facet}:" in one.what]
        assert said, facet
        first, last = lines[facet]
        assert all(one.file == "things.py" for one in said)
        assert any(first <= one.line <= last or (one.line == 0 and not differs) for one in said), said
    wrong = [one for one in found if not any(row[3].split(".")[0] in one.what for row in ROWS)]
    assert wrong == []


def test_what_is_found_is_told_in_the_words_of_the_contract():
    contract = (
        "'module: app.a'\ndef get(key: int) -> str | None: ...\ndef put(key: int, *, deep: bool = False) -> None: ..."
    )
    files = {"app/a.py": "\ndef get(key: str) -> str | None: ...\n\ndef put(key: int, *, deep: bool) -> None: ...\n"}
    assert [str(one) for one in judged(contract, files)] == [
        "app/a.py:4: by the contract `def put(key: int, *, deep: bool=False) -> None`, but put needs deep, \
which the contract makes optional",
        "app/a.py:2: by the contract `def get(key: int) -> str | None`, but get is `Callable[[str], str | None]`",
    ]


def test_a_component_is_held_only_against_the_facets_that_it_implements():
    contract = "def one() -> int: ...\ndef two() -> int: ..."
    files = {"a.py": "def one() -> int: return 1"}
    assert judged(contract, files, facets=frozenset({"one"})) == []
    assert [one.file for one in judged(contract, files)] == ["a.py"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "f is missing"),
        ({"notes.txt": "def f(): ..."}, "f is missing"),
        ({"a.py": "from b import f", "b.py": "def f() -> int: return 1"}, None),
        ({"a/__init__.py": "from a.q import f", "a/q.py": "def f() -> int: return 1"}, None),
        ({"a.py": "from elsewhere import f"}, None),
        ({"a.py": "try:\n    import x\nexcept ImportError: ...\nif x:\n    f = 1\nelse:\n    def f(): ..."}, None),
        ({"a.py": "def f() -> int: return 1", "b.py": "def f() -> int: return 1"}, "f is in a.py and b.py"),
        ({"a.py": "def f() -> int: return 1\ndef g() -> int: return 1", "b.py": "def f() -> int: return 1"}, None),
        ({"my-tool.py": "def f() -> int: return 1"}, "no import can name it"),
        ({"a.py": "def f() -> int:\n    return (1"}, "cannot be read"),
        ({"a.py": "def f() -> int: return 1", "a.pyi": "nonsense ("}, None),
    ],
)  # fmt: skip
def test_the_module_that_holds_a_name_is_the_one_that_makes_it(files, said):
    contract = "def f() -> int: ..." + ("\ndef g() -> int: ..." if "def g" in str(files) else "")
    plan = conformance_plan({"api/a": (Contract.python(contract), None)}, files)
    assert any(said in one.what for one in plan.found) if said else plan.found == ()


@pytest.mark.parametrize(("base", "package"), [("", "p"), ("src/", "p"), ("server/src/", "p"), ("src/", "src.p")])
def test_imports_of_a_component_are_followed_from_where_they_begin(base, package):
    contract = f"'module: {package}.a'\ndef f(a: int) -> int: ..."
    files = {
        f"{base}p/__init__.py": "",
        f"{base}p/a.py": f"from {package}.b import T\ndef f(a: int) -> T: return T()",
        f"{base}p/b.py": "class T: ...",
    }
    [found] = judged(contract, files)
    assert (found.file, found.line) == (f"{base}p/a.py", 2)
    assert judged(contract, {**files, f"{base}p/b.py": "T = int"}) == []


def test_what_a_class_does_itself_is_judged_whatever_else_it_is():
    contract = "class R:\n    a: int\n    def m(self) -> int: ..."
    files = {"a.py": "import nosuch\nclass R(nosuch.View):\n    a: str\n    def m(self) -> str: return ''"}
    assert [(one.line, one.what.partition(",")[0]) for one in judged(contract, files)] == [
        (3, "by the contract `a: int`"),
        (4, "by the contract `def m(self) -> int`"),
    ]


def test_what_only_a_base_that_cannot_be_read_could_have_is_missing():
    contract = "class R:\n    a: int\n    b: int\n    def m(self) -> int: ...\n    def n(self) -> int: ...\n    X: int"
    code = """import nosuch
from base import Base
class R(Base, nosuch.View):
    def __init__(self) -> None:
        self.a = nosuch.made()
"""
    base = "import nosuch\nclass Base:\n    X = nosuch.X\n    def n(self):\n        return nosuch.n()\n"
    assert [(str(one)) for one in judged(contract, {"a.py": code, "base.py": base})] == [
        f"a.py:3: by the contract `{said}`, but {facet} is missing: R does not have it, and what it has of View cannot \
be read; define it in R"
        for facet, said in (("R.b", "b: int"), ("R.m", "def m(self) -> int"))
    ]


@pytest.mark.parametrize(
    "code",
    [
        "from nosuch import R",
        "from collections import UserDict\nclass R(UserDict[str, int]): ...",
        "from typing import Any\nclass Base:\n    m: Any\nclass R(Base): ...",
        "import nosuch\nclass Base:\n    def m(self): ...\nclass R(nosuch.View, Base): ...",
        "import nosuch\nclass R(nosuch.View):\n    m = nosuch.m",
        "import nosuch\nclass R(nosuch.View):\n    def set(self) -> None:\n        self.m, self.b = nosuch.m()",
    ],
)
def test_what_a_base_has_that_can_be_read_is_not_missing(code):
    name = "keys" if "UserDict" in code else "m"
    assert judged(f"from typing import Any\nclass R:\n    {name}: Any", {"a.py": code}) == []


def test_what_is_no_text_is_found_and_a_picture_is_left_alone():
    files = {"a.py": b"x = 1\ny = '\xff'", "b.json": b"\xfe", "c.png": b"\xff", "d.py": "# \ufffd".encode()}
    texts, found = decoded(files)
    assert [(one.file, one.line) for one in found] == [("a.py", 2), ("b.json", 1)]
    assert texts.keys() == files.keys()


HOSTILE = {
    "a megabyte of functions": "\n".join(f"def f{n}(a): return a" for n in range(40_000)),
    "a long chain": "x = " + "+".join(["1"] * 200_000),
    "10,000 nested": "x = " + "(" * 10_000 + ")" * 10_000,
    "10,000 nested lists": "x = " + "[" * 10_000 + "]" * 10_000,
    "deep attributes": "def f(): return a" + ".b" * 5_000,
    "deep subscripts": "def f(): return a" + "[0]" * 3_000,
    "deep ifs": "".join(f"{' ' * n}if 1:\n" for n in range(90)) + " " * 90 + "def f(): ...",
    "many elifs": "if 1: pass\n" + "".join(f"elif {n}: pass\n" for n in range(900)),
    "many unions": "Id = " + " | ".join(f"T{n}" for n in range(20_000)),
    "nul": "def f(): ...\0",
    "surrogates": "def f(): return '\\udc80'",
    "too large": "#" * 2_000_000,
    "half a megabyte of names": "a\n" * 249_000,
    "half a megabyte of fields": "x = f'" + "{a}" * 160_000 + "'",
    "long text and fields": "x = f'" + "{a}" * 10_000 + "a" * 400_000 + "'",
    "accents": "x = a" + "\u0315\u0300" * 40_000,
}


def test_a_union_of_thousands_is_no_claim_and_no_crash():
    union = " | ".join(f"list[A{number}]" for number in range(2_000))
    contract = f"Id = {union}\ndef f(a: {union}) -> int: ...\nclass C:\n    x: {union}"
    plan = conformance_plan(
        {"api/a": (Contract.python(contract), None)}, {"a.py": "Id = 1\ndef f(b): ...\nclass C: ..."}
    )
    assert [one.what for one in plan.found] == ["by the contract `f`, but f calls the parameter at place 1 b, not a"]
    assert plan.probes


def test_more_words_of_code_than_are_read_in_time_are_not_read():
    files = {"a.py": "def f() -> int: ...", "b.py": "a\n" * 60_000, "c.py": "a\n" * 60_001}
    plan = conformance_plan({"api/a": (Contract.python("def f() -> int: ..."), None)}, files)
    assert [(one.file, "100,000 words" in one.what) for one in plan.found] == [("c.py", True)]


def test_hostile_code_is_answered_within_a_second_and_200_megabytes():
    """In a child with limits; what takes longer or more is killed."""
    program = """
import json, resource, sys, time
from blackboard.contracts.conformance import conformance_plan
from blackboard.contracts.language import Contract
implemented = {"api/a": (Contract.python("def f(a: int) -> int: ...\\nx: int\\nId = int"), None)}
texts = json.load(sys.stdin)
here = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (here + (200 << 20),) * 2)
for text in texts:
    began = time.process_time()
    assert conformance_plan(implemented, {"a.py": text}).found
    print(time.process_time() - began)
"""
    texts = json.dumps(list(HOSTILE.values()))
    done = subprocess.run(
        [sys.executable, "-c", program], input=texts, capture_output=True, text=True, check=False, env=untraced()
    )
    assert done.returncode == 0, done.stderr
    assert all(float(seconds) < 1 for seconds in done.stdout.split()), done.stdout
