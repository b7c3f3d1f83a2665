"""The facets of the language `python`."""

import ast

import pytest

from blackboard.contracts.language import Contract


def facets(stub):
    return dict(Contract.python(stub).facets)


STUB = '''
"""What recipes are."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass, field
from enum import Enum
from uuid import UUID

from .errors import Refused as Refused

T = t.TypeVar("T", bound="Recipe")
Ids: t.TypeAlias = "t.Union[None, int, str]"
LIMIT: t.Final = 60 * 60


class NotFound(Exception):
    """There is no such recipe."""


class Course(Enum):
    STARTER = 1
    DESSERT = 2


@dataclass(frozen=True, eq=True)
class Recipe:
    """A recipe."""

    id: UUID
    title: t.Optional[str] = None
    tags: t.List["str"] = field(default_factory=list)
    shared: t.ClassVar[int] = 1
    _: KW_ONLY
    minutes: int = 0
    author: str = ""

    def rename(this, title: str, /, *, notify: bool = False, by: str) -> None:
        """Give it another title.

        Raises:
            NotFound: It is gone,
                or was never there.
            ValueError, KeyError: The title is bad.
        """

    @property
    def slug(self) -> str: ...
    @slug.setter
    def slug(self, value: str | None) -> None: ...
    @classmethod
    async def load(klass, *ids: int, **options: t.Any) -> t.Self: ...


class Store(t.Protocol[T]):
    def get(self, id: int) -> T: ...


class Draft(t.TypedDict, total=False):
    title: t.Required[str]
    minutes: int


class Page(t.NamedTuple):
    items: list[Recipe]
    next: int | None = None


@t.overload
def find(key: int) -> Recipe: ...
@t.overload
def find(key: str) -> list[Recipe]: ...
async def each(done: t.Callable[[int, "Recipe"], None], limit: t.Union[int, None] = ...) -> Iterable[Recipe]:
    """All of them."""


class Outer:
    class Inner:
        value: int
'''


def test_every_declaration_is_a_facet_of_its_own():
    assert facets(STUB) == {
        "Refused": "import .errors.Refused",
        "T": "= TypeVar('T', bound=Recipe)",
        "Ids": "= int | str | None",
        "LIMIT": "Final = (60 * 60)",
        "NotFound": {"kind": "class", "bases": ["Exception"]},
        "Course": {"kind": "enum", "bases": ["Enum"], "members": ["DESSERT", "STARTER"]},
        "Course.STARTER": "= 1",
        "Course.DESSERT": "= 2",
        "Recipe": {
            "kind": "dataclass",
            "options": {"frozen": "True"},
            "fields": ["id", "title", "tags"],
            "keyword_only": ["author", "minutes"],
        },
        "Recipe.id": "uuid.UUID",
        "Recipe.title": "str | None = None",
        "Recipe.tags": "list[str] = field(default_factory=list)",
        "Recipe.shared": "ClassVar[int] = 1",
        "Recipe.minutes": "int = 0",
        "Recipe.author": "str = ''",
        "Recipe.rename": (
            "(self, _: str, /, *, by: str, notify: bool = False) -> None raises KeyError, NotFound, ValueError"
        ),
        "Recipe.slug": {"property": "str", "settable": "str | None"},
        "Recipe.load": "@classmethod async (cls, *args: int, **kwargs: Any) -> Self",
        "Store": {"kind": "protocol", "bases": ["Protocol[T]"], "members": ["get"]},
        "Store.get": "(self, id: int) -> T",
        "Draft": {"kind": "typeddict", "bases": ["TypedDict"], "members": ["minutes", "title"]},
        "Draft.title": "str",
        "Draft.minutes": "NotRequired[int]",
        "Page": {"kind": "namedtuple", "bases": ["NamedTuple"], "fields": ["items", "next"]},
        "Page.items": "list[Recipe]",
        "Page.next": "int | None = None",
        "find": ["(key: int) -> Recipe", "(key: str) -> list[Recipe]"],
        "each": "async (done: Callable[[int, Recipe], None], limit: int | None = ...) -> Iterable[Recipe]",
        "Outer": {"kind": "class"},
        "Outer.Inner": {"kind": "class"},
        "Outer.Inner.value": "int",
        "__module__": None,
    }


def changed(old, new):
    return set(Contract.python(old).compare(Contract.python(new)).effects)


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("def get(id: int) -> str: ...", "def get(id: str) -> str: ...", {"get"}),
        ("def get(id: int) -> str: ...", "def get(key: int) -> str: ...", {"get"}),
        ("def get(id: int) -> str: ...", "def get(id: int, /) -> str: ...", {"get"}),
        ("def get(id: int) -> str: ...", "def get(id: int = 1) -> str: ...", {"get"}),
        ("def get(id: int) -> str: ...", "async def get(id: int) -> str: ...", {"get"}),
        ("def get(id: int) -> str: ...", "def get(id: int) -> str:\n    '''Raises:\n        KeyError: No.'''", {"get"}),
        ("def f(a: int, b: int): ...", "def f(b: int, a: int): ...", {"f"}),
        ("x: tuple[int, str]", "x: tuple[str, int]", {"x"}),
        ("class A:\n  def m(self): ...", "class A:\n  @staticmethod\n  def m(self): ...", {"A.m"}),
        ("class A:\n  def m(self): ...", "class A:\n  def n(self): ...", {"A.m", "A.n", ""}),
        ("class A: ...\nclass B(A): ...", "class A: ...\nclass B: ...", {"B"}),
        ("x = 1", "x = 2", {"x"}),
        ("x: 'int'", "x: 'str'", {"x"}),
        ("from a import X\nx: X\ny: int", "from b import X\nx: X\ny: int", {"x"}),
        ("__all__ = ['a', 'b']", "__all__ = ['a']", {"__all__"}),
    ],
)
def test_a_change_is_in_exactly_the_facets_that_it_touches(old, new, names):
    assert changed(f"{old}\nz: int", f"{new}\nz: int") == names


@pytest.mark.parametrize("header", ["from dataclasses import dataclass\n@dataclass\nclass A:", "class A(NamedTuple):"])
def test_the_order_of_positional_fields_is_in_the_facet_of_the_class_alone(header):
    assert changed(f"{header}\n  x: int\n  y: int", f"{header}\n  y: int\n  x: int") == {"A"}


def test_the_order_of_fields_of_other_classes_is_no_facet():
    for header in ("class A:", "class A(TypedDict):", "class A(Protocol):", "class A(Enum):", "@final\nclass A:"):
        assert changed(f"{header}\n  x: int\n  y: int", f"{header}\n  y: int\n  x: int") == set()


def test_the_order_of_fields_may_matter_under_a_decorator_that_nobody_knows():
    assert changed("@define\nclass A:\n  x: int\n  y: int", "@define\nclass A:\n  y: int\n  x: int") == {"A"}


def test_the_order_of_keyword_only_fields_is_a_facet_only_where_instances_are_ordered():
    plain, ordered = "@dataclass(kw_only=True)", "@dataclass(kw_only=True, order=True)"
    for header, names in ((plain, set()), (ordered, {"A"})):
        assert changed(f"{header}\nclass A:\n  x: int\n  y: int", f"{header}\nclass A:\n  y: int\n  x: int") == names


def test_a_field_can_be_keyword_only_by_itself():
    stub = "@dataclass\nclass A:\n  x: int = field(kw_only=True)\n  y: int"

    assert facets(stub)["A"] == {"kind": "dataclass", "fields": ["y"], "keyword_only": ["x"]}


@pytest.mark.parametrize(
    "decorator", ["@dataclass", "@dataclass()", "@dataclass(frozen=False)", "@dataclasses.dataclass(init=True)", "@d"]
)
def test_options_that_say_what_holds_anyway_are_no_facets(decorator):
    imports = "import dataclasses\nfrom dataclasses import dataclass\nfrom dataclasses import dataclass as d\n"

    assert facets(f"{imports}{decorator}\nclass A:\n  x: int")["A"] == {"kind": "dataclass", "fields": ["x"]}


def test_whether_a_key_of_a_typed_dict_must_be_there_is_in_the_facet_of_the_key():
    total = facets("class A(TypedDict):\n  x: NotRequired[int]\n  y: str")
    partial = facets("class A(TypedDict, total=False):\n  x: int\n  y: Required[str]")

    assert total == partial
    assert total["A.x"] == "NotRequired[int]"


def test_what_a_class_is_follows_from_its_bases_wherever_they_stand():
    stub = "class B(A):\n  y: int\nclass A(TypedDict, total=False):\n  x: int\nclass C(A, total=False):\n  z: int"

    assert facets(stub)["B"]["kind"] == facets(stub)["C"]["kind"] == "typeddict"
    assert facets(stub)["C.z"] == "NotRequired[int]"
    assert facets("class A(B): ...\nclass B(A): ...")["A"]["kind"] == "class"


def test_a_property_says_what_can_be_done_with_it():
    stub = '''
class A:
    @property
    @abstractmethod
    def x(self) -> int:
        """Read it.

        Raises:
            KeyError: Never set.
        """
    @x.deleter
    def x(self) -> None: ...
    @functools.cached_property
    def y(self) -> str: ...
'''
    assert facets(stub)["A.x"] == {
        "property": "int",
        "deletable": True,
        "raises": ["KeyError"],
        "decorators": ["abstractmethod"],
    }
    assert facets(stub)["A.y"] == {"property": "str", "decorators": ["functools.cached_property"]}


def test_an_accessor_is_known_even_where_the_module_has_a_name_like_it():
    stub = """
from datetime import date
class A:
    @property
    def date(self) -> date: ...
    @date.setter
    def date(self, value: date) -> None: ...
"""

    assert facets(stub)["A.date"] == {"property": "datetime.date", "settable": "datetime.date"}


def test_what_a_docstring_says_to_readers_is_in_no_value():
    old = "def f() -> int:\n    'Do it.\\n\\nRaises:\\n    KeyError: Sometimes.'"
    new = "def f() -> int:\n    'Do it.\\n\\nRaises:\\n    KeyError: Often.\\n\\nNotes:\\n    ValueError: No.'"

    assert facets(old) == facets(new)
    assert facets(old) == {"f": "() -> int raises KeyError"}


@pytest.mark.parametrize(
    ("section", "names"),
    [
        ("Raises:\n    NotFound: It is\n        ValueError: not this\n    api.Gone: x", "NotFound, api.Gone"),
        ("Raises:\n    A, B or C: x", "A, B, C"),
        ("Raises:\n    `A`: x\n    ~m.B: y", "A, m.B"),
        ("Raises: A: x", "A"),
        ("Raises:\n    A", "A"),
        ("Raises:\n\n    A: x\n\n    B: y\nReturns:\n    C: z", "A, B"),
        ("Raises:\n    When it must: x", None),
        ("Raises:", None),
        ("Raises:\n        A: x\n    B: y", "A"),
        ("It raises: A", None),
    ],
)
def test_raises_is_read_as_people_write_it(section, names):
    body = "\n    ".join(section.split("\n"))

    assert facets(f'def f():\n    """Do.\n\n    {body}\n    """') == {"f": "()" + (f" raises {names}" if names else "")}


def test_raises_of_a_class_and_names_from_elsewhere_are_resolved():
    stub = 'from shop.errors import Gone\nclass A:\n    """A.\n\n    Raises:\n        Gone: x\n    """'

    assert facets(stub) == {"A": {"kind": "class", "raises": ["shop.errors.Gone"]}}


def test_imports_that_only_the_type_checker_runs_are_read():
    stub = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from uuid import UUID\nx: UUID"

    assert facets(stub) == {"x": "uuid.UUID"}


def test_a_stub_of_docs_alone_has_the_facet_of_its_docstring():
    assert facets('"""Nothing yet."""\n...\npass\nimport os') == {"__module__": None}


def test_a_skeleton_is_a_module_whose_functions_are_not_implemented():
    skeleton = Contract.python(STUB).skeleton()
    tree = ast.parse(skeleton)

    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    implemented = {node.name for node in functions if isinstance(node.body[-1], ast.Raise)}
    assert implemented == {"rename", "slug", "load", "each"}
    assert skeleton.count("from __future__ import annotations") == 1
    assert '"""All of them."""\n    raise NotImplementedError' in skeleton
    assert Contract.python(skeleton).facets == Contract.python(STUB).facets


def test_a_skeleton_may_name_what_stands_further_down():
    skeleton = Contract.python('"""Doc."""\ndef f() -> "A": "doc"\ndef g(): pass\r\nclass A: ...').skeleton()

    module = {}
    exec(compile(skeleton, "skeleton", "exec"), module)  # noqa: S102 -- our own text, made a line above
    with pytest.raises(NotImplementedError):
        module["f"]()
    assert module["__doc__"] == "Doc."
    assert Contract.python("x: int").skeleton() == "from __future__ import annotations\n\nx: int"
