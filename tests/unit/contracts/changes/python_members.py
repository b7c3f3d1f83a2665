"""Changes of members that are used through the class itself, by who names a value of an enum or subclasses."""

from changes.row import PythonRow as Row

_ENUM = "class E({}):\n    A = {}\n{}".format
_BASE = "class K(ABC):\n    @abstractmethod\n    def go(self) -> int: ...\n{}".format
_MADE = "class M(K):\n    def __init__(self) -> None: super().__init__({})\n    def go(self) -> int: return 1".format

_MADE_WITH = (
    f"class P(Protocol):\n    x: int\n{{}}{_BASE('    def __init__(self, p: P) -> None: ...')}\ndef f(k: K): ..."
)


def _enum(name, old, new, uses, implements, before, after, *, kind="Enum", value="1", rest=""):
    """Make a row of an enum whose member changes."""
    stubs = (_ENUM(kind, value, "".join(f"    {line}\n" for line in body.split("\n"))) + rest for body in (old, new))
    return Row(f"an enum: {name}", *stubs, uses, implements, before, after)


ENUMS = (
    _enum(
        "what a method takes becomes something else",
        "def m(self, a: int) -> int: ...",
        "def m(self, a: str) -> int: ...",
        "breaking",
        "breaking",
        "E.A.m(1)",
        "E.A.m('')",
    ),
    _enum(
        "a method is gone of what is only given",
        "def m(self) -> int: ...",
        "x: int",
        "breaking",
        "breaking",
        "E.A.m()",
        "E.A.x",
        rest="def f(e: E) -> None: ...",
    ),
    _enum(
        "a property becomes less",
        "@property\ndef m(self) -> int: ...",
        "@property\ndef m(self) -> float: ...",
        "breaking",
        "compatible",
        "x: int = E.A.m",
        "y: float = E.A.m",
        kind="StrEnum",
        value="'a'",
    ),
    _enum(
        "a class method gives more",
        "@classmethod\ndef m(cls) -> float: ...",
        "@classmethod\ndef m(cls) -> int: ...",
        "compatible",
        "breaking",
        "x: float = E.m()",
        "y: int = E.m()",
        kind="Flag",
    ),
    _enum(
        "a static method takes more",
        "@staticmethod\ndef m(a: int) -> int: ...",
        "@staticmethod\ndef m(a: float) -> int: ...",
        "compatible",
        "breaking",
        "E.m(1)",
        "E.m(1.5)",
    ),
    _enum(
        "it is called otherwise",
        "def __call__(self, a: int) -> int: ...",
        "def __call__(self, a: str) -> int: ...",
        "breaking",
        "breaking",
        "E.A(1)",
        "E.A('')",
    ),
    Row(
        "an enum in a class: a method is added",
        "class C:\n    class E(Enum):\n        A = 1",
        "class C:\n    class E(Enum):\n        A = 1\n        def m(self) -> int: ...",
        "compatible",
        "breaking",
        "C.E.A",
        "C.E.A.m()",
    ),
)

ABSTRACT = (
    Row(
        "an abstract class is made with something else",
        _BASE("    def __init__(self, a: int) -> None: ..."),
        _BASE("    def __init__(self, a: str) -> None: ..."),
        "breaking",
        "breaking",
        _MADE("1"),
        _MADE("''"),
    ),
    Row(
        "an abstract class has to be made with something",
        _BASE(""),
        _BASE("    def __init__(self, a: int) -> None: ..."),
        "breaking",
        "breaking",
        _MADE(""),
        _MADE("1"),
    ),
    Row(
        "an abstract class may be made with something",
        _BASE(""),
        _BASE("    def __init__(self, a: int = ...) -> None: ..."),
        "compatible",
        "breaking",
        _MADE(""),
        _MADE("1"),
    ),
    Row(
        "an abstract class is made with nothing any longer",
        _BASE("    def __init__(self, a: int) -> None: ..."),
        _BASE(""),
        "breaking",
        "breaking",
        _MADE("1"),
        _MADE(""),
    ),
    Row(
        "an abstract dataclass has another field",
        "@dataclass\n" + _BASE("    a: int"),
        "@dataclass\n" + _BASE("    a: int\n    b: int"),
        "breaking",
        "breaking",
        _MADE("1"),
        _MADE("1, 2"),
    ),
    Row(
        "what an abstract class that is only given is made with needs more",
        _MADE_WITH.format(""),
        _MADE_WITH.format("    y: int\n"),
        "breaking",
        "compatible",
        "class A:\n    x: int\n" + _MADE("A()"),
        "class A:\n    x: int\n    y: int\n" + _MADE("A()"),
    ),
)

WRITTEN = (
    Row(
        "what cannot be written is no longer enough",
        "@dataclass(frozen=True)\nclass D:\n    x: int\nclass P(Protocol):\n    x: int\ndef f(a: D) -> None: ...",
        "@dataclass(frozen=True)\nclass D:\n    x: int\nclass P(Protocol):\n    x: int\ndef f(a: P) -> None: ...",
        "breaking",
        "breaking",
        "f(D(1))",
        "class A:\n    x: int\nf(A())",
    ),
    Row(
        "a Protocol whose attribute is read wants it written",
        "class P(Protocol):\n    @property\n    def x(self) -> int: ...\ndef f(p: P) -> None: ...",
        "class P(Protocol):\n    @property\n    def x(self) -> int: ...\n    @x.setter\n"
        "    def x(self, value: int) -> None: ...\ndef f(p: P) -> None: ...",
        "breaking",
        "compatible",
        "class A:\n    @property\n    def x(self) -> int: return 1\nf(A())",
        "class A:\n    x: int\nf(A())",
    ),
)

_P = "class P(Protocol):\n    x: int\n{}".format
_D = "class D(TypedDict):\n    x: int\n{}".format
_BOX = "T = TypeVar('T')\nclass B(Generic[T]):\n    def add(self, a: T) -> None: ...\n"
_Y = "    y: int\n"
_ONE = "class A:\n    x: int\n"
PUT_IN = (
    Row(
        "what is put into a list that is returned needs more",
        _P("def f() -> list[P]: ..."),
        _P(_Y + "def f() -> list[P]: ..."),
        "breaking",
        "breaking",
        _ONE + "f().append(A())",
        "f()[0].y",
    ),
    Row(
        "a TypedDict that is put into a list that is returned needs more",
        _D("def f() -> list[D]: ..."),
        _D(_Y + "def f() -> list[D]: ..."),
        "breaking",
        "breaking",
        "f().append({'x': 1})",
        "f()[0]['y']",
    ),
    Row(
        "what is put into a generic class that is returned needs more",
        _BOX + _P("def f() -> B[P]: ..."),
        _BOX + _P(_Y + "def f() -> B[P]: ..."),
        "breaking",
        "breaking",
        _ONE + "f().add(A())",
        "def g(b: B[P]) -> None: ...\ng(f())\ndef h(p: P) -> int: return p.y",
    ),
    Row(
        "what is read from a sequence that is returned has more",
        _P("def f() -> Sequence[P]: ..."),
        _P(_Y + "def f() -> Sequence[P]: ..."),
        "compatible",
        "breaking",
        "f()[0].x",
        "f()[0].y",
    ),
)

BY_PLACE = (
    Row(
        "an operator's argument has another name",
        "class C:\n    def __eq__(self, other: object) -> bool: ...",
        "class C:\n    def __eq__(self, o: object) -> bool: ...",
        "none",
        "none",
        "C() == 1",
    ),
    Row(
        "an operator takes something else under another name",
        "class C:\n    def __getitem__(self, i: int) -> int: ...",
        "class C:\n    def __getitem__(self, key: str) -> int: ...",
        "breaking",
        "breaking",
        "C()[1]",
        "C()['']",
    ),
    Row(
        "the argument of what is called has another name",
        "class C:\n    def __call__(self, a: int) -> int: ...",
        "class C:\n    def __call__(self, b: int) -> int: ...",
        "breaking",
        "breaking",
        "C()(a=1)",
        "C()(b=1)",
    ),
)

ROWS = (*ENUMS, *ABSTRACT, *WRITTEN, *PUT_IN, *BY_PLACE)
