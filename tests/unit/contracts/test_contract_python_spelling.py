"""One text for each type and value of the language `python`."""

import pytest

from blackboard.contracts.language import Contract
from blackboard.errors import InvalidContract

IMPORTS = "import typing\nimport typing as t\nfrom typing import *\n".replace("from typing import *\n", "")


def spelled(annotation):
    return Contract.python(f"{IMPORTS}x: {annotation}").facets["x"]


@pytest.mark.parametrize(
    "same",
    [
        [
            "Optional[int]",
            "int | None",
            "None | int",
            "Union[None, int]",
            "t.Optional[int]",
            "'int | None'",
            "int|None|int",
        ],
        ["Union[int, Union[str, None]]", "Optional[Union[str, int]]", "str | int | None", "Optional['int | str']"],
        ["list[int]", "List[int]", "typing.List[int]", "'list[int]'", "list['int']", "(list[int])"],
        ["Literal['a', 'b']", "Literal['b', 'a', 'a']", "Literal['b'] | Literal['a']", "t.Literal[Literal['a'], 'b']"],
        ["Literal['a', None]", "Optional[Literal['a']]"],
        ["dict[str, list[int | None]]", "Dict[str, List[Optional[int]]]"],
        ["Callable[[int, str], None]", "t.Callable[[int,str],None]", "Callable[['int', str], 'None']"],
        ["tuple[int, ...]", "Tuple[int, ...]"],
        ["type[int]", "typing.Type[int]"],
        ["Annotated[Optional[int], 'a']", "t.Annotated[int | None, 'a']"],
        ["tuple[()]", "Tuple[()]"],
        ["tuple[*Ts]", "'tuple[*Ts]'"],
    ],
)
def test_what_means_the_same_is_spelled_the_same(same):
    assert len({spelled(annotation) for annotation in same}) == 1


@pytest.mark.parametrize(
    "different",
    [
        ["int", "str", "Optional[int]", "list[int]", "Any"],
        ["tuple[int, str]", "tuple[str, int]", "tuple[int]", "tuple[int, ...]", "tuple[()]"],
        ["Literal[1]", "Literal['1']", "Literal[True]", "Literal[b'1']", "Literal[-1]"],
        ["Callable[[int], str]", "Callable[[str], int]", "Callable[..., str]", "Callable[[], str]"],
        ["Annotated[int, 1, 2]", "Annotated[int, 2, 1]", "Annotated[int, 'str']", "Annotated[int, str]"],
        ["a.B", "b.B", "B"],
        ["Set[int]", "AbstractSet[int]", "frozenset[int]"],
    ],
)
def test_what_means_something_else_is_spelled_otherwise(different):
    assert len({spelled(annotation) for annotation in different}) == len(different)


@pytest.mark.parametrize(
    ("imports", "name"),
    [
        ("from collections.abc import Iterable", "Iterable"),
        ("from typing import Iterable", "Iterable"),
        ("import collections.abc", "collections.abc.Iterable"),
        ("import collections.abc as c", "c.Iterable"),
        ("import typing_extensions", "typing_extensions.Iterable"),
        ("", "Iterable"),
    ],
)
def test_an_everyday_name_is_itself_wherever_it_is_from(imports, name):
    assert Contract.python(f"{imports}\nx: {name}[int]").facets == {"x": "Iterable[int]"}


@pytest.mark.parametrize(
    ("stub", "text"),
    [
        ("from uuid import UUID\nx: UUID", "uuid.UUID"),
        ("import uuid as u\nx: u.UUID", "uuid.UUID"),
        ("import xml.dom\nx: xml.dom.Node", "xml.dom.Node"),
        ("from . import models\nx: models.A", ".models.A"),
        ("from ..shop.models import A as B\nx: B", "..shop.models.A"),
        ("from builtins import int as i\nx: i", "int"),
        ("from collections.abc import Set\nx: Set[int]", "AbstractSet[int]"),
        ("from collections.abc import Buffer\nx: Buffer", "collections.abc.Buffer"),
        ("from typing import assert_never\nx: assert_never", "typing.assert_never"),
        ("import enum\nx: enum.property", "enum.property"),
        ("from typing import Deque\nx: Deque[int]", "collections.deque[int]"),
        ("x: Unknown", "Unknown"),
    ],
)
def test_an_imported_name_stands_for_where_it_is_from(stub, text):
    assert Contract.python(stub).facets["x"] == text


def test_a_declared_name_is_never_taken_for_the_known_one_that_it_hides():
    plain = "def f() -> list[int]: ...\ndef g() -> Iterable: ..."
    hidden = Contract.python(f"{plain}\nclass list: ...\nclass Iterable: ...")

    assert hidden.facets["f"] == "() -> this.list[int]"
    assert set(Contract.python(plain).compare(hidden).effects) == {"", "f", "g", "list", "Iterable"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("60*60", "= (60 * 60)"),
        ("-1", "= -1"),
        ("'a'", "= 'a'"),
        ('"a"', "= 'a'"),
        ("0x10", "= 16"),
        ("...", "= ..."),
        ("(1,)", "= (1,)"),
        ("(1, 2)", "= (1, 2)"),
        ("[1, 'b']", "= [1, 'b']"),
        ("{'b', 'a'}", "= {'a', 'b'}"),
        ("{'b': 1, **c}", "= {'b': 1, **c}"),
        ("NewType('Id', int)", "= NewType('Id', int)"),
        ("f(1, *a, z=1, b=2, **c)", "= f(1, *a, b=2, z=1, **c)"),
        ("A | B", "= A | B"),
        ("B | A | None", "= A | B | None"),
        ("Optional[int]", "= int | None"),
        ("re.A | 4", "= (re.A | 4)"),
        ("4 | re.A", "= (4 | re.A)"),
        ("(A | B) + C", "= ((A | B) + C)"),
        ("A | (B + C)", "= (A | (B + C))"),
        ("f().x", "= f().x"),
        ("not ~a", "= not ~a"),
    ],
)
def test_a_value_has_one_spelling(value, text):
    assert Contract.python(f"x = {value}").facets["x"] == text


@pytest.mark.parametrize(
    "value", ["lambda: 1", "[i for i in a]", "1 if a else 2", "f'{a}'", "a and b", "a < b", "(y := 1)", "a[1:2]"]
)
def test_an_expression_that_only_computes_does_not_belong_in_a_stub(value):
    with pytest.raises(InvalidContract) as caught:
        Contract.python(f"y: int\nx = {value}")

    assert caught.value.line == 2
    assert caught.value.column >= 5


def test_a_union_may_be_long_and_its_order_does_not_matter():
    names = [f"A{number}" for number in range(900)]

    assert spelled("|".join(names)) == spelled("|".join(reversed(names)))
    assert spelled(f"Union[{','.join(names)}]") == spelled("|".join(names))
