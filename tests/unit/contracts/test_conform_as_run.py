"""Code is judged as it is when it has been imported, and what its author does not say is what the contract says."""

import pytest
from test_contract_conformance import HEAD, judged

RESULTS = """
class Store:
    def get(self, id: int) -> str | None: ...
    @property
    def size(self) -> int: ...
    @staticmethod
    def parse(text: str) -> list[str]: ...
    @classmethod
    def of(cls, text: str) -> Store: ...
    def __enter__(self) -> Store: ...
    async def fetch(self) -> int: ...
    def each(self) -> Iterator[str]: ...
def told(text: str = "->", *, deep: bool = False) -> int: ...
def anything() -> float: ...
def options() -> dict[str, object]: ...
async def awaited() -> int: ...
@contextmanager
def opened() -> Iterator[Store]: ...
def silent() -> int: ...
def same(a: T) -> T: ...
def ended(text: str) -> str: ...
def perhaps(text: str) -> str | None: ...
def maybe(text: str) -> Optional[str]: ...
"""
BARE = """
class Store:
    def __init__(self):
        self._items = {}
    def get(self, id): return self._items.get(id)
    @property
    def size(self):  # -> what it says: a number
        return len(self._items)
    @staticmethod
    def parse(
        text,  # the "é": of it
    ):
        return [text]
    @classmethod
    def of(cls, text): return cls()
    def __enter__(self): return self
    async def fetch(self): return 1
    def each(self):
        yield "a"
def told(text = "->", *, deep = False): return 1
def anything() -> Any: return 3
def options():
    found = {"a": 1}
    return found
async def awaited(): return await Store().fetch()
@contextmanager
def opened():
    yield Store()
def silent(): return 1
def same(a): return a
def fail(why):
    raise ValueError(why)
def ended(text):
    found = None
    for one in text:
        found = one
    if found is None:
        fail(text)
    try:
        return found
    except ValueError:
        fail(text)
def perhaps(text):
    if text:
        return text
def maybe(text: str) -> "typing.Union[str, None]":
    if text:
        return text
"""


@pytest.mark.parametrize("text", [BARE, "\ufeff" + BARE, BARE.rstrip(), BARE.replace("\n", "\r\n")])
def test_code_that_says_nothing_of_what_it_returns_conforms_where_that_is_right(text):
    assert [str(one) for one in judged(HEAD + RESULTS, {"a.py": text[:1] + HEAD + text[1:]})] == []


def test_what_code_returns_is_judged_where_it_says_nothing_or_anything():
    wrong = {
        "Store.get": ("return self._items.get(id)", "return 1"),
        "Store.size": ("return len(self._items)", "pass"),
        "Store.parse": ("return [text]", "return text, 1"),
        "Store.of": ("return cls()", "return None"),
        "Store.__enter__": ("return self\n", "pass\n"),
        "Store.fetch": ("return 1\n    def each", "return ''\n    def each"),
        "Store.each": ('yield "a"', "return ['a']"),
        "told": ("deep = False): return 1", "deep = False): return 'é'"),
        "anything": ("return 3", "return 'three'"),
        "awaited": ("return await Store", "return Store"),
        "opened": ("yield Store()", "yield 1"),
        "perhaps": ("if text:\n        return text\ndef maybe", "if text:\n        return 1\ndef maybe"),
        "silent": (
            "def silent(): return 1",
            "from typing import no_type_check\n@no_type_check\ndef silent(): return ''",
        ),
    }
    code = BARE
    for right, differs in wrong.values():
        assert right in code
        code = code.replace(right, differs)
    found = judged(HEAD + RESULTS, {"a.py": HEAD + code})
    assert {one.what.partition(": ")[0] for one in found} == wrong.keys()


@pytest.mark.parametrize(
    "code",
    [
        "def f() -> int: return 1\nf = None",
        "def f() -> int: return 1\nf = lambda a: a",
        "def f() -> int: return 1\ndel f",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    def f() -> int: return 1",
        "import typing as t\nif not t.TYPE_CHECKING:\n    pass\nelse:\n    def f() -> int: return 1",
        "if __name__ == '__main__':\n    def f() -> int: return 1",
        "while False:\n    def f() -> int: return 1",
        "f: int",
        "from typing import no_type_check as quiet\n@quiet\ndef f() -> int: return ''",
    ],
)
def test_what_a_name_is_when_the_code_was_imported_counts(code):
    assert judged("def f() -> int: ..." if "f: int" not in code else "f: int", {"a.py": code})


def test_what_is_there_however_it_came_there_conforms():
    code = """
import sys
from functools import lru_cache
if sys.version_info < (3, 12):
    def f() -> int: return 1
else:
    def f() -> int: return 2
f = lru_cache(f)
LIMIT: int
LIMIT = 3
if __name__ == "__main__":
    f = None
    del LIMIT
"""
    assert judged("def f() -> int: ...\nLIMIT: int", {"a.py": code}) == []


REBOUND = """
def parsed(text: str) -> int: ...
def counted(text: str) -> list[tuple[str, int]]: ...
"""
REBINDS = """
from collections import Counter
def parsed(text: str) -> int:
    text = int(text)
    return text
def counted(text: str) -> list[tuple[str, int]]:
    result = text.split()
    result = list(Counter(result).items())
    return result
"""


def test_a_local_name_is_what_was_last_assigned_to_it():
    assert judged(REBOUND, {"a.py": REBINDS}) == []
    wrong = REBINDS.replace("return text", "return [text]").replace("list(Counter(result).items())", "len(result)")
    assert {one.what.partition(":")[0] for one in judged(REBOUND, {"a.py": wrong})} == {"parsed", "counted"}


NOTED = """
class Note(TypedDict):
    text: str
def state(done: bool) -> Literal["open", "done"]: ...
def notes(text: str) -> list[Note]: ...
"""
NOTES = """
class Note(TypedDict):
    text: str
def state(done: bool) -> Literal["open", "done"]:
    said{state} = "done" if done else "open"
    return said
def notes(text: str) -> list[Note]:
    found{notes} = []
    for line in text.split():
        found.append({{"text": line}})
    return found
"""


def test_a_local_name_of_a_narrow_type_conforms_where_it_is_annotated():
    annotated = {"state": ': Literal["open", "done"]', "notes": ": list[Note]"}
    assert judged(HEAD + NOTED, {"a.py": HEAD + NOTES.format(**annotated)}) == []
    found = judged(HEAD + NOTED, {"a.py": HEAD + NOTES.format(state="", notes="")})
    assert {one.what.partition(":")[0] for one in found} == {"state", "notes"}


@pytest.mark.parametrize("place", ["A.m = n", "setattr(A, 'm', n)", "if len('a'):\n    A.m = n"])
def test_a_method_that_code_replaces_is_found_where_it_does(place):
    code = f"class A:\n    def m(self) -> int: return 1\ndef n(self): return ''\n{place}\n"
    found = judged("class A:\n    def m(self) -> int: ...", {"a.py": code})
    assert [(one.line, "A.m is replaced here" in one.what) for one in found] == [(3 + place.count("\n") + 1, True)]
    assert judged("class A:\n    def m(self) -> int: ...", {"a.py": code.replace("A.", "B.").replace("(A", "(B")}) == []


X, D = "class E(enum.{}):\n    X = {}", "@dataclass\nclass D:\n    a: int = {}"
METHOD = "class S:\n    {}def m({}) -> int: {}"
AUTO, STATIC = "enum.auto()", "@staticmethod\n    "


@pytest.mark.parametrize(
    ("contract", "conforms", "differs"),
    [
        (X.format("Enum", "'x'"), X.format("StrEnum", AUTO), X.format("Enum", AUTO)),
        (D.format(1), D.format("field(default=1)"), D.format("field(default=2)")),
        (
            METHOD.format("", "self, a: int", "..."),
            METHOD.format(STATIC, "a: int", "return a"),
            METHOD.format(STATIC, "b: int", "return b"),
        ),
    ],
)
def test_what_is_said_in_another_way_is_the_same(contract, conforms, differs):
    assert judged(HEAD + contract, {"a.py": HEAD + conforms}) == []
    assert judged(HEAD + contract, {"a.py": HEAD + differs})


def test_what_star_imports_is_not_asked_of_a_module_that_happens_to_say_it():
    contract = "'module: p'\n__all__ = ['f', 'g']\ndef f() -> int: ...\ndef g() -> int: ..."
    files = {
        "p/__init__.py": "from p.a import f\nfrom p.b import g\n__all__ = ['g', 'f']",
        "p/a.py": "__all__ = ['f']\ndef f() -> int: return 1",
        "p/b.py": "def g() -> int: return 1",
    }
    assert judged(contract, files) == []


def test_of_modules_that_define_as_much_the_one_that_has_more_holds_it():
    contract = "'module: p'\ndef __getattr__(name: str) -> object: ...\ndef f() -> int: ...\ndef g() -> int: ..."
    late = "def __getattr__(name: str) -> object: ..."
    files = {
        "p/__init__.py": f"from p.a import f, g\n{late}",
        "p/a.py": "def f() -> int: return 1\ndef g() -> int: return 1",
        "p/b.py": f"from p.a import g\n{late}",
    }
    assert judged(contract, files) == []


def test_what_is_deleted_in_some_surroundings_is_there():
    code = "import sys\ndef f() -> int: return 1\nif sys.implementation.name == 'pypy':\n    del f"
    assert judged("def f() -> int: ...", {"a.py": code}) == []


def test_a_private_function_or_class_of_a_contract_is_held_like_any_other():
    found = judged("def _f() -> int: ...\nclass _C:\n    a: int\n_x: int", {"a.py": ""})
    assert [one.what.partition(" ")[0] for one in found] == ["_C", "_f", "_x"]


def test_of_two_that_make_a_name_the_one_is_meant_that_the_rest_of_the_contract_stands_beside():
    contract = "'module: p.c'\ndef pipe() -> int: ...\ndef f() -> int: ...\ndef g() -> int: ..."
    files = {
        "p/a.py": "def pipe() -> int: return 1",
        "p/b.py": "def pipe() -> str: return ''",
        "p/c.py": "from p.a import pipe\ndef f() -> int: return 1\ndef g() -> int: return 1",
    }
    assert judged(contract, files) == []
    files["p/c.py"] = files["p/c.py"].replace("p.a", "p.b")
    assert [one.file for one in judged(contract, files)] == ["p/c.py"]
