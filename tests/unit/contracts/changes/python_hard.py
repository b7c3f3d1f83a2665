"""Changes whose effect hangs on something else in the stub: who gives, who receives, what is inherited or inside."""

from changes.row import PythonRow as Row


def _of(head):
    """Return a maker of rows whose stubs begin with one text."""

    def row(name, old, new, uses, implements, before, after=None):
        return Row(name, f"{head}\n{old}", f"{head}\n{new}", uses, implements, before, after)

    return row


_PAIR = "class A:\n    x: int\nclass B:\n    y: int\nclass C:\n    z: int\nS: TypeAlias = {}\ndef f() -> S: ...".format
_EVENT = (
    "class A(TypedDict):\n    kind: Literal['a']\nclass B(TypedDict):\n    kind: Literal['b']\n    y: int\n"
    "S: TypeAlias = {}\n{}"
).format
_SHOW = "def show(s: S) -> int:\n    if isinstance(s, A): return s.x\n    return s.y\nshow(f())"
_ONE_EVENT = "def g(s: S) -> str:\n    k: Literal['a'] = s['kind']\n    return k"
UNIONS = (
    Row(
        "a union of classes has one more, returned",
        _PAIR("A | B"),
        _PAIR("A | B | C"),
        "breaking",
        "compatible",
        _SHOW,
        "def g(s: A | B | C) -> None: ...\ng(f())",
    ),
    Row(
        "a union of classes has one fewer, returned",
        _PAIR("A | B | C"),
        _PAIR("A | B"),
        "compatible",
        "breaking",
        "def g(s: A | B | C) -> None: ...\ng(f())",
        _SHOW,
    ),
    Row(
        "a union of dicts has one more, returned",
        _EVENT("A", "def f() -> S: ..."),
        _EVENT("A | B", "def f() -> S: ..."),
        "breaking",
        "compatible",
        "k: Literal['a'] = f()['kind']",
        "k: Literal['a', 'b'] = f()['kind']",
    ),
    Row(
        "a union of dicts has one more, taken",
        _EVENT("A", "def f(s: S) -> None: ..."),
        _EVENT("A | B", "def f(s: S) -> None: ..."),
        "compatible",
        "breaking",
        "f({'kind': 'a'})",
        "f({'kind': 'b', 'y': 1})",
    ),
)

_K = "class K(Enum):\n    A = 1\n    B = 2\n"
_K_MORE = _K + "    C = 3\n"
_SHOWN = """\
def show(k: K) -> int:
    if k is K.A: return 1
    if k is K.B: return 2
    assert_never(k)
"""
_BOX = "T = TypeVar('T', covariant=True)\nclass Box(Protocol[T]):\n    def get(self) -> T: ...\n"


def _enum(name, flow, uses, implements, before, after):
    before = _SHOWN + before if "show(" in before else before
    return Row(f"one more member: {name}", _K + flow, _K_MORE + flow, uses, implements, before, after)


FLOWS = (
    _enum(
        "in a box that is returned",
        _BOX + "def f() -> Box[K]: ...",
        "breaking",
        "breaking",
        "show(f().get())",
        "K.C",
    ),
    _enum(
        "in a box that is taken",
        _BOX + "def f(b: Box[K]) -> None: ...",
        "compatible",
        "breaking",
        "class Mine:\n    def get(self) -> K: return K.A\nf(Mine())",
        "class Mine:\n    def get(self) -> K: return K.C\nf(Mine())",
    ),
    _enum(
        "in a dataclass that is made and read",
        "@dataclass\nclass D:\n    k: K\ndef f() -> D: ...\ndef g(d: D) -> None: ...",
        "breaking",
        "breaking",
        "show(f().k)",
        "g(D(K.C))",
    ),
    _enum(
        "by a Protocol that is taken",
        "class P(Protocol):\n    def k(self) -> K: ...\ndef f(p: P) -> None: ...",
        "compatible",
        "breaking",
        "class Mine:\n    def k(self) -> K: return K.A\nf(Mine())",
        "class Mine:\n    def k(self) -> K: return K.C\nf(Mine())",
    ),
    _enum(
        "to a Protocol that is taken",
        "class P(Protocol):\n    def m(self, k: K) -> None: ...\ndef f(p: P) -> None: ...",
        "breaking",
        "breaking",
        "class Mine:\n    def m(self, k: K) -> None: show(k)\nf(Mine())",
        "K.C",
    ),
    _enum(
        "waited for",
        "async def f() -> K: ...",
        "breaking",
        "breaking",
        "async def g() -> int: return show(await f())",
        "K.C",
    ),
    _enum(
        "one of them by name, returned",
        "def f() -> Literal[K.A]: ...",
        "compatible",
        "breaking",
        "k: Literal[K.A] = f()",
        "K.C",
    ),
)

_BASE = "class A:\n    def m(self) -> int: ...\n"
INHERITED = (
    Row(
        "inherited: a method may return None",
        _BASE + "class B(A): ...",
        _BASE.replace("int", "int | None") + "class B(A): ...",
        "breaking",
        "compatible",
        "B().m() + 1",
        "B().m() is None",
    ),
    Row(
        "inherited: a method is gone",
        _BASE + "    def n(self) -> int: ...\nclass B(A): ...",
        _BASE + "class B(A): ...",
        "breaking",
        "compatible",
        "B().n()",
        "B().m()",
    ),
    Row(
        "inherited: a class says more of what it inherits",
        "class A:\n    def m(self) -> int | None: ...\nclass B(A): ...",
        "class A:\n    def m(self) -> int | None: ...\nclass B(A):\n    def m(self) -> int: ...",
        "compatible",
        "breaking",
        "B().m() is None",
        "B().m() + 1",
    ),
    Row(
        "inherited: made from one more argument",
        "class A:\n    def __init__(self, a: int) -> None: ...\nclass B(A): ...",
        "class A:\n    def __init__(self, a: int, b: int) -> None: ...\nclass B(A): ...",
        "breaking",
        "breaking",
        "B(1)",
        "B(1, 2)",
    ),
    Row(
        "inherited: a field of a dataclass is added",
        "@dataclass\nclass A:\n    x: int\n@dataclass\nclass B(A):\n    y: str",
        "@dataclass\nclass A:\n    x: int\n    z: int\n@dataclass\nclass B(A):\n    y: str",
        "breaking",
        "breaking",
        "B(1, 'x')",
        "B(1, 2, 'x')",
    ),
    Row(
        "inherited: a Protocol asks for one method more",
        "class P(Protocol):\n    def m(self) -> int: ...\nclass Q(P, Protocol):\n"
        "    def n(self) -> int: ...\ndef f(q: Q) -> None: ...",
        "class P(Protocol):\n    def m(self) -> int: ...\n    def o(self) -> int: ...\nclass Q(P, Protocol):\n"
        "    def n(self) -> int: ...\ndef f(q: Q) -> None: ...",
        "breaking",
        "breaking",
        "class Mine:\n    def m(self) -> int: return 1\n    def n(self) -> int: return 1\nf(Mine())",
        "def g(q: Q) -> int: return q.o()",
    ),
    Row(
        "inherited: an abstract property is added",
        "class A(ABC):\n    @abstractmethod\n    def m(self) -> int: ...",
        "class A(ABC):\n    @abstractmethod\n    def m(self) -> int: ...\n    @property\n    @abstractmethod\n"
        "    def n(self) -> int: ...",
        "breaking",
        "breaking",
        "class Mine(A):\n    def m(self) -> int: return 1\nMine()",
        "def g(a: A) -> int: return a.n",
    ),
    Row(
        "inherited: a subclass is returned",
        "class A: ...\nclass B(A): ...\ndef f() -> A: ...",
        "class A: ...\nclass B(A): ...\ndef f() -> B: ...",
        "compatible",
        "breaking",
        "a: A = f()",
        "b: B = f()",
    ),
)

INSIDE = (
    Row(
        "inside: a callback gets a Sequence of fewer types",
        "def f(c: Callable[[Sequence[int]], None]) -> None: ...",
        "def f(c: Callable[[Sequence[bool]], None]) -> None: ...",
        "compatible",
        "breaking",
        "def g(a: Sequence[int]) -> None: ...\nf(g)",
        "def g(a: Sequence[bool]) -> None: ...\nf(g)",
    ),
    Row(
        "inside: a callback gets another list",
        "def f(c: Callable[[list[int]], None]) -> None: ...",
        "def f(c: Callable[[list[bool]], None]) -> None: ...",
        "breaking",
        "breaking",
        "def g(a: list[int]) -> None: ...\nf(g)",
        "def g(a: list[bool]) -> None: ...\nf(g)",
    ),
    Row(
        "inside: a Mapping to Sequences of more types",
        "def f() -> Mapping[str, Sequence[int]]: ...",
        "def f() -> Mapping[str, Sequence[int | None]]: ...",
        "breaking",
        "compatible",
        "f()['a'][0] + 1",
        "f()['a'][0] is None",
    ),
    Row(
        "inside: a list in a Sequence becomes a Sequence",
        "def f() -> Sequence[list[int]]: ...",
        "def f() -> Sequence[Sequence[int]]: ...",
        "breaking",
        "compatible",
        "f()[0].append(1)",
        "f()[0][0] + 1",
    ),
    Row(
        "inside: an attribute of the same class may be None",
        "class N:\n    next: 'N'",
        "class N:\n    next: 'N | None'",
        "breaking",
        "compatible",
        "N().next.next",
        "N().next is None",
    ),
    Row(
        "inside: what a context manager gives may be None",
        "from contextlib import AbstractContextManager\ndef f() -> AbstractContextManager[int]: ...",
        "from contextlib import AbstractContextManager\ndef f() -> AbstractContextManager[int | None]: ...",
        "breaking",
        "compatible",
        "with f() as a: a + 1",
        "with f() as a: a is None",
    ),
    Row(
        "inside: an iterator can only be iterated over",
        "def f() -> Iterator[int]: ...",
        "def f() -> Iterable[int]: ...",
        "breaking",
        "compatible",
        "next(f())",
        "sum(f())",
    ),
    Row(
        "inside: a test says what it means",
        "def f(a: object) -> bool: ...",
        "def f(a: object) -> TypeGuard[int]: ...",
        "compatible",
        "breaking",
        "f(1) is True",
        "def g(a: object) -> int: return a if f(a) else 0",
    ),
    Row(
        "inside: a test no longer says what it means",
        "def f(a: object) -> TypeGuard[int]: ...",
        "def f(a: object) -> bool: ...",
        "breaking",
        "compatible",
        "def g(a: object) -> int: return a if f(a) else 0",
        "f(1) is True",
    ),
    Row(
        "inside: two names for nothing",
        "def f() -> NoReturn: ...",
        "def f() -> Never: ...",
        "none",
        "none",
        "x: int = f()",
    ),
    Row(
        "inside: an overload of a method is gone",
        "class C:\n    @overload\n    def m(self, a: int) -> int: ...\n"
        "    @overload\n    def m(self, a: str) -> str: ...",
        "class C:\n    def m(self, a: int) -> int: ...",
        "breaking",
        "compatible",
        "C().m('x')",
        "C().m(1) + 1",
    ),
    Row(
        "inside: a callback that is a Protocol gets its argument by name",
        "class P(Protocol):\n    def __call__(self, a: int, /) -> None: ...\ndef f(p: P) -> None: ...",
        "class P(Protocol):\n    def __call__(self, *, a: int) -> None: ...\ndef f(p: P) -> None: ...",
        "breaking",
        "breaking",
        "def g(b: int) -> None: ...\nf(g)",
        "def g(*, a: int) -> None: ...\nf(g)",
    ),
    Row(
        "inside: a type of its own is made from another type",
        "Id = NewType('Id', int)\ndef f(a: Id) -> None: ...",
        "Id = NewType('Id', str)\ndef f(a: Id) -> None: ...",
        "breaking",
        "breaking",
        "f(Id(1))",
        "f(Id('x'))",
    ),
)

_ABSTRACT = "class A(ABC):\n    @abstractmethod\n    def m(self) -> int: ...\n    "
_MINE = "class Mine(A):\n    def m(self) -> int: return 1\n    "
_BASES = "class A:\n    def m(self, a: int = 0) -> int: ...\nclass B:\n    def m(self) -> int: ...\n"
_MADE = (
    "class X:\n    def __init__(self, a: int) -> None: ...\nclass A(X): ...\n"
    "class B:\n    def __init__(self, b: str) -> None: ...\n"
)
HIDDEN = (
    Row(
        "inheritance: a base comes in between that has the method in another way",
        "class A:\n    def m(self) -> int: ...\nclass C(A): ...",
        "class A:\n    def m(self) -> int: ...\n"
        "class B(A):\n    def m(self, *, b: int = 0) -> bool: ...\nclass C(B): ...",
        "compatible",
        "breaking",
        "def g(c: C) -> int: return c.m()",
        "def g(c: C) -> bool: return c.m(b=1)",
    ),
    Row(
        "inheritance: a base comes in between that asks for more",
        _BASES + "class C(A): ...",
        _BASES + "class C(B, A): ...  # type: ignore[misc]",
        "breaking",
        "breaking",
        "def g(c: C) -> int: return c.m(1)",
        "def g(c: C) -> B: return c",
    ),
    Row(
        "inheritance: two bases in another order, one of which inherits how it is made",
        _MADE + "class C(A, B): ...",
        _MADE + "class C(B, A): ...",
        "breaking",
        "breaking",
        "C(1)",
        "C('x')",
    ),
    Row(
        "abstract: a method that may be overridden takes more",
        _ABSTRACT + "def n(self) -> int: ...",
        _ABSTRACT + "def n(self, a: int = 0) -> int: ...",
        "breaking",
        "breaking",
        _MINE + "def n(self) -> int: return 1\nMine()",
        "def g(a: A) -> int: return a.n(1)",
    ),
    Row(
        "abstract: a method must no longer be overridden",
        _ABSTRACT + "def n(self) -> int: ...",
        _ABSTRACT + "@final\n    def n(self) -> int: ...",
        "breaking",
        "compatible",
        _MINE + "def n(self) -> int: return 1\nMine()",
        "def g(a: A) -> int: return a.n()",
    ),
    Row(
        "instances are no longer hashable",
        "class C:\n    def m(self) -> int: ...",
        "class C:\n    def m(self) -> int: ...\n    __hash__: ClassVar[None]",
        "breaking",
        "breaking",
        "hash(C())",
        "assert C.__hash__ is None",
        ("class C: ...", "class C:\n    __hash__ = None"),
    ),
    Row(
        "arguments by name: one has the name of a parameter that went by its place only",
        "def f(a: int, /, **others: int) -> int: ...",
        "def f(a: int, **others: int) -> int: ...",
        "breaking",
        "breaking",
        "f(1, a=2)",
        "f(a=1)",
    ),
    Row(
        "arguments by place and by name: one gets a place and a name",
        "def f(*args: int, **others: int) -> int: ...",
        "def f(a: int = 0, *args: int, **others: int) -> int: ...",
        "breaking",
        "compatible",
        "f(1, a=2)",
        "f(a=2)",
    ),
    Row(
        "overloads: by None or another, in one",
        "@overload\ndef f(a: int, b: None = None) -> int: ...\n@overload\ndef f(a: int, b: str) -> str: ...",
        "def f(a: int, b: str | None = None) -> int | str: ...",
        "breaking",
        "compatible",
        "def g() -> int: return f(1)",
        "def g(b: str | None) -> int | str: return f(1, b)",
    ),
    Row(
        "generators: what is not sent and not returned need not be said",
        "def f() -> Generator[int, None, None]: ...",
        "def f() -> Generator[int]: ...",
        "none",
        "none",
        "def g() -> Generator[int, None, None]: return f()",
    ),
    Row(
        "deprecated",
        "def f() -> int: ...",
        "import warnings\n@warnings.deprecated('use g')\ndef f() -> int: ...",
        "none|compatible",
        "none|compatible",
        "def g() -> int: return f()",
        "def g() -> int: return f()",
        ("def f(): return 1", "def f(): return 1"),
    ),
)


ROWS = (*HIDDEN, *UNIONS, *FLOWS, *INHERITED, *INSIDE)
