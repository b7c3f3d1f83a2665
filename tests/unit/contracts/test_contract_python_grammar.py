"""Stubs in the grammar of Python 3.12 say what the same stubs say with TypeVar and TypeAlias."""

import sys

import pytest

from blackboard.contracts.conformance import conformance_plan
from blackboard.contracts.language import Contract
from blackboard.errors import InvalidContract

PAIRS = [
    ("def f[T](x: T) -> T: ...", "T = TypeVar('T')\ndef f(x: T) -> T: ..."),
    ("def f[T: int](x: T) -> list[T]: ...", "T = TypeVar('T', bound=int)\ndef f(x: T) -> list[T]: ..."),
    ("def f[T: (int, str)](x: T) -> T: ...", "T = TypeVar('T', int, str)\ndef f(x: T) -> T: ..."),
    ("async def f[**P](x: Callable[P, int]): ...", "P = ParamSpec('P')\nasync def f(x: Callable[P, int]): ..."),
    ("class C[T]:\n  def m(self) -> T: ...", "T = TypeVar('T')\nclass C(Generic[T]):\n  def m(self) -> T: ..."),
    ("class C[K, V](Base):\n  x: K", "K = TypeVar('K')\nV = TypeVar('V')\nclass C(Base, Generic[K, V]):\n  x: K"),
    ("class C:\n  def m[T](self, x: T) -> T: ...", "T = TypeVar('T')\nclass C:\n  def m(self, x: T) -> T: ..."),
    ("type X = int | str", "X: TypeAlias = int | str"),
    ("type X[T] = list[T]", "T = TypeVar('T')\nX: TypeAlias = list[T]"),
    ("def f[\n  T: int,  # a number\n](x: T) -> T: ...", "T = TypeVar('T', bound=int)\ndef f(x: T) -> T: ..."),
    ("def f[T](x: T): ...\ndef g[T](x: T): ...", "T = TypeVar('T')\ndef f(x: T): ...\ndef g(x: T): ..."),
]


@pytest.mark.parametrize(("new", "old"), PAIRS)
def test_both_spellings_have_the_same_facets(new, old):
    assert Contract.python(new).facets == Contract.python(old).facets
    assert Contract.python(new).compare(Contract.python(old)).effects == {}


def test_two_parameters_of_one_name_that_differ_are_two_variables():
    facets = Contract.python("def f[T: int](x: T): ...\ndef g[T: str](x: T): ...").facets
    assert facets["f"] == "(x: T)"
    assert facets["g"] == "(x: T_g)"
    assert facets["T_g"] == "= TypeVar('T_g', bound=str)"


@pytest.mark.parametrize(
    "text", ["type = 3", "type: int", "x: str = 'type X = int'", "def f(a: C[int]): ...", "class C(B[int]): ..."]
)
def test_what_only_looks_like_it_is_read_as_ever(text):
    assert not {"T", "X"} & set(Contract.python(text).facets)


@pytest.mark.parametrize("text", ["def f[(x): ...", "def f[](x): ...", "type X", "class C[: ...", "def f[T:](x): ..."])
def test_what_is_not_python_is_refused(text):
    with pytest.raises(InvalidContract):
        Contract.python(text)


def test_the_text_stays_as_it_was_written():
    text = "def f[T](x: T) -> T: ...\ntype X = int\ndef g(): ...\n"
    assert Contract.python(text).excerpt(["f"]) == "def f[T](x: T) -> T: ...\n"
    assert "def f[T](x: T) -> T:" in Contract.python(text).skeleton()


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="this Python reads it")
def test_code_that_the_checks_cannot_read_is_told_so_in_one_sentence():
    plan = conformance_plan(
        {"api/x": (Contract.python(PAIRS[0][0]), None)}, {"x.py": "def f[T](x: T) -> T: return x\n"}
    )
    said = [one.what for one in plan.found if "3.12" in one.what]
    assert len(said) == 1
    assert "the checks run with Python 3." in said[0]
