"""Whatever a text is, reading it as `python` ends soon and in a typed error or a contract."""

import warnings
from functools import reduce

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blackboard.contracts.language import Contract
from blackboard.errors import InvalidContract, TooLarge

MANY = 100_000


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
        ("type X = int", 1, 6),
        ("class A[T]: ...", 1, 8),
        ("def f[T](x: T): ...", 1, 6),
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
        "elifs": "if a: pass\n" + "elif a: pass\n" * 20_000,
        "indents": "".join(" " * depth + "class A:\n" for depth in range(150)),
        "quotes": "'\\" * MANY,
        "triple quotes": "'''" + "\\'" * MANY,
        "strings in strings": "x: " + reduce(lambda text, _: repr(text), range(9), "a[" * 40),
        "digits": "x = 1" + "0" * MANY,
        "underscores": "x = " + "1_" * MANY,
        "NUL": "\0" * MANY,
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
        "from " + "m" * 500_000 + " import X\nx: tuple[" + "X, " * 1000 + "X]",
    ],
)
def test_names_that_would_multiply_are_too_large(stub):
    with pytest.raises(TooLarge):
        Contract.python(stub)


@pytest.mark.parametrize(
    "stub",
    [
        "def f():\n  '''" + "\n  Raises:" * 50_000 + "\n  '''",
        "def f():\n  '''" + "\n  Raises:\n    A: x" * 25_000 + "\n  '''",
        "def f(*, " + ", ".join(f"a{number}" for number in range(20_000)) + "): ...",
        "@a\n" * 50_000 + "def f(): ...",
        "x: Literal[" + ",".join(map(str, range(50_000))) + "]",
        "x = '''" + "\\d" * MANY + "'''",
    ],
)
def test_a_vast_stub_is_read_in_time_that_grows_with_its_length(stub):
    assert len(Contract.python(stub).facets) == 1


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
