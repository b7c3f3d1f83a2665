"""Whatever a text is, reading it as `python` ends soon and in a typed error or a contract."""

import re
import subprocess
import sys
import warnings
from functools import reduce

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blackboard.contracts.language import Contract
from blackboard.contracts.python.source import MAX_CHARACTERS, MAX_WORDS
from blackboard.errors import InvalidContract, TooLarge

MANY = 20_000


@pytest.mark.parametrize(
    ("stub", "line", "column"),
    [
        ("def f(:", 1, 7),
        ("x: 'é' = (", 1, 10),
        ("x: int\né: int\0", 2, 7),
        ("class A:\n    def f(self):\n        return 1", 3, 9),
        ("x: int\nfor a in b: ...", 2, 1),
        ("x: int\nprint(1)", 2, 1),
        ("from x import *", 1, 1),
        ("x: int\nx: str", 2, 1),
        ("def f(): ...\ndef f(): ...", 2, 1),
        ("class A:\n    x: int\n    def x(self): ...", 3, 5),
        ("from a import f as f\ndef f(): ...", 2, 1),
        ("class A:\n    @x.setter\n    def x(self, v): ...", 3, 5),
        ("a, b = 1, 2", 1, 1),
        ("a.b = 1", 1, 1),
        ("x: '['", 1, 4),
        ("é = 1; y: 'not a type'", 1, 11),
        ("class A:\n    import os", 2, 5),
        ("if True:\n    x: int", 1, 1),
    ],
)
def test_what_is_no_stub_is_refused_with_its_place(stub, line, column):
    with pytest.raises(InvalidContract) as caught:
        Contract.python(stub)

    assert (caught.value.language, caught.value.line, caught.value.column) == ("python", line, column)


@pytest.mark.parametrize(
    "stub",
    {
        "brackets": "x: " + "list[" * 90 + "int" + "]" * 90,
        "open brackets": "x = " + "(" * MANY,
        "signs": "x = " + "-" * MANY + "1",
        "attributes": "x: " + "a." * MANY + "a",
        "attributes of a call": "x = f()" + ".a" * MANY,
        "calls": "x = f" + "()" * MANY,
        "an import": "import " + "a." * MANY + "a",
        "an import over lines": "import " + "a.\\\n" * MANY + "a",
        "lambdas": "x = " + "lambda:" * MANY,
        "powers": "x = " + "a**" * MANY + "a",
        "a long union": "x: " + "a|" * MANY + "a",
        "elifs": "if a: pass\n" + "elif a: pass\n" * 15_000,
        "indents": "".join(" " * depth + "class A:\n" for depth in range(150)),
        "quotes": "'\\" * MANY,
        "triple quotes": "'''" + "\\'" * MANY,
        "strings in strings": "x: " + reduce(lambda text, _: repr(text), range(9), "a[" * 40),
        "digits": "x = 1" + "0" * MANY,
        "digits of sixteen": "x = 0x" + "f" * MANY,
        "underscores": "x = " + "1_" * MANY,
        "NUL": "\0" * MANY,
        "accents": "x: a" + "\u0315\u0300" * MANY,
        "accents in quotes": "x: 'a" + r"\u0315\u0300" * 16_000 + "'",
        "fields": "def f(): raise NotImplementedError(f'" + "{a}" * 20_000 + "')",
        "fields in quotes": "x: \"f'" + "{a}" * 20_000 + "'\"",
        "overloads": "@overload\ndef f(): ...\n" * 1000,
        "twice": "x: int\n" * 10_000,
        "facets": "".join(f"x{number}: int\n" for number in range(10_001)),
    }.values(),
)
def test_hostile_texts_are_refused(stub):
    with pytest.raises(InvalidContract):
        Contract.python(stub)


@pytest.mark.parametrize(
    "stub",
    [
        "a" * 2000 + ": int",
        "class " + "a" * 1000 + ":\n" + "".join(f"  b{number:05}{'c' * 50}: int\n" for number in range(9000)),
        "from " + "m" * 200_000 + " import X\nx: tuple[" + "X, " * 1000 + "X]",
    ],
)
def test_names_that_would_multiply_are_too_large(stub):
    with pytest.raises(TooLarge):
        Contract.python(stub)


@pytest.mark.parametrize(
    "stub",
    [
        "def f():\n  '''" + "\n  Raises:" * MANY + "\n  '''",
        "def f():\n  '''" + "\n  Raises:\n    A: x" * 12_000 + "\n  '''",
        "def f(*, " + ", ".join(f"a{number}" for number in range(MANY)) + "): ...",
        "@a\n" * MANY + "def f(): ...",
        "x: Literal[" + ",".join(map(str, range(MANY))) + "]",
        "x = '''" + "\\d" * MANY + "'''",
    ],
)
def test_a_vast_stub_is_read_in_time_that_grows_with_its_length(stub):
    assert len(Contract.python(stub).facets) == 1


VAST = {  # what is before, what is repeated, what is after
    "functions": ("", "def f{0}(a: int, b: str = '') -> bool: ...\n", ""),
    "short functions": ("", "def f{0}():...\n", ""),
    "documented functions": ("", "def f{0}():'''Raises:\n  A:'''\n", ""),
    "a class": ("class A:\n", " x{0}:a\n", ""),
    "a dataclass": ("@dataclass\nclass A:\n", " x{0}:a=1\n", ""),
    "properties": ("class A:\n", " @property\n def a{0}(self):...\n", ""),
    "classes in classes": ("", "class A{0}:\n class B:\n  class C:\n   x:int\n", ""),
    "bases": ("class A(", "a,", "):..."),
    "constants": ("", "x{0}:a\n", ""),
    "one constant": ("", "a:a\n", ""),
    "aliases": ("", "A{0}=B|C\n", ""),
    "overloads": ("", "@overload\ndef f(a:A{0}):...\n", ""),
    "parameters": ("def f(*,", "a{0}:A=1,", "):..."),
    "decorators": ("", "@a\n", "def f():..."),
    "a list": ("x=[", "1,", "]"),
    "lists": ("x=[", "[" * 30 + "]" * 30 + ",", "]"),
    "a dict": ("x=dict(", "a{0}=1,", ")"),
    "sums": ("x=[", "1" + "+1" * 16 + ",", "]"),
    "calls": ("x=[", "f" + "()" * 30 + ",", "]"),
    "fields": ("def f(): raise NotImplementedError(f'", "{{a}}", "')"),
    "text and fields": ("def f(): raise NotImplementedError(f'", "{{a}}" + "a" * 100, "')"),
    "a union": ("x:Union[", "a{0},", "]"),
    "unions": ("x:tuple[", "a|" * 500 + "a,", "]"),
    "a Literal": ("x:Literal[", "{0},", "]"),
    "a Callable": ("x:Callable[[", "a,", "],a]"),
    "nested types": ("x:tuple[", "list[" * 25 + "int" + "]" * 25 + ",", "]"),
    "types in quotes": ("x:tuple[", "'a|b',", "]"),
    "one type in quotes": ("x:'tuple[", "a,", "]'"),
    "long names": ("x:tuple[", "a" * 60 + "{0},", "]"),
    "dotted names": ("x:tuple[", "a." * 60 + "a,", "]"),
    "names that are not ASCII": ("x:tuple[", "é,", "]"),
    "names to be normalised": ("x:tuple[", "\ufb01,", "]"),
    "accents": ("x:a", "\u0315\u0300", ""),
    "some accents": ("x:tuple[", "a" + "\u0315\u0300" * 490 + ",", "]"),
    "imports": ("", "import a{0}\n", ""),
    "a docstring": ("def f():\n '''", "Raises", "'''"),
    "a docstring of headings": ("def f():\n '''\n", "Raises:\n", "'''"),
    "a docstring of lines": ("def f():\n '''Raises:\n", "\n", "'''"),
    "a string of escapes": ("x='", r"\d", "'"),
    "nested beyond": ("x=", "[", ""),
    "code": ("def f():", "...;", ""),
    "comments": ("", "#\n", ""),
}


def words(text):
    return len(re.findall(r"\w+|[^\w\s]", text))


def repeated(shape, characters, most_words):
    """Return a shape repeated as often as leaves it within so many characters and words."""
    head, line, tail = shape
    longest = line.format(99_999)
    by_words = (most_words - words(head + tail)) // max(words(longest), 1)
    count = min((characters - len(head + tail)) // len(longest), by_words)
    return head + "".join(line.format(number) for number in range(count)) + tail


LIMITED = """
import time
from test_contract_python_hostile import MAX_CHARACTERS, MAX_WORDS, VAST, repeated
from test_python_compare_hostile import peak_kilobytes
from blackboard.contracts.language import Contract
from blackboard.errors import InvalidContract

for name, shape in VAST.items():
    text = repeated(shape, MAX_CHARACTERS, MAX_WORDS)
    began = time.process_time()
    try:
        Contract.python(text).skeleton()
    except InvalidContract:
        pass
    assert time.process_time() - began < 1, name
    assert peak_kilobytes() < 200 * 1024, name
    print(name, flush=True)
"""


def test_the_largest_stubs_are_read_or_refused_within_a_second_and_200_megabytes():
    path = ":".join(entry for entry in sys.path if entry)
    run = subprocess.run(
        [sys.executable, "-c", LIMITED], capture_output=True, text=True, check=False, env={"PYTHONPATH": path}
    )

    assert (run.returncode, run.stdout.split("\n")[:-1]) == (0, list(VAST)), run.stderr


@pytest.mark.parametrize(("stub", "limit"), [(" " * 1_000_000, MAX_CHARACTERS), ("#" * 65_537, MAX_WORDS)])
def test_a_stub_beyond_what_is_read_in_time_is_too_large(stub, limit):
    with pytest.raises(TooLarge) as caught:
        Contract.python(stub)

    assert (caught.value.field, caught.value.size, caught.value.limit) == ("stub", len(stub), limit)


def test_an_escape_that_python_warns_about_is_neither_a_warning_nor_an_error():
    stub = 'def f(x: str = "\\d\\n") -> int:\n    """Match `\\w+`, \\N{BULLET}."""\ny = r"\\d"\nz = b"\\N"  # \\q'
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        facets = Contract.python(stub).facets

    assert facets == {"f": "(x: str = '\\\\d\\n') -> int", "y": "= '\\\\d'", "z": "= b'\\\\N'"}


def test_nothing_in_a_stub_is_executed_or_imported():
    stub = "import there.was.no.such.module\nfrom nowhere import thing\nx: int = thing(1 / 0)\nclass A(thing()): ..."

    assert Contract.python(stub).facets["x"] == "int = nowhere.thing((1 / 0))"


def test_line_ends_and_a_byte_order_mark_are_formatting():
    lines = ["class A:", "    x: int", "    y: int", ""]

    digests = {
        Contract.python(mark + end.join(lines)).digest for end in ("\n", "\r\n", "\r") for mark in ("", "\ufeff")
    }
    assert len(digests) == 1


WORDS = """def·f class·A ( ) : [ ] x int ... = | ' \""" \\ @ , * / -> async·f é 1 import from . lambda Raises: # { }"""
FRAGMENTS = st.lists(
    st.sampled_from([*WORDS.replace("·", " ").split(" "), "\n", "    ", "\0", "\r", "\t"]), max_size=40
)


@settings(max_examples=100, deadline=None)
@given(FRAGMENTS.map("".join) | st.text(max_size=60))
def test_any_text_is_a_contract_or_a_typed_error(text):
    try:
        contract = Contract.python(text)
    except InvalidContract:
        return
    assert Contract.python(contract.text).digest == contract.digest
    assert Contract.python(contract.skeleton()).digests.keys() == contract.digests.keys()
