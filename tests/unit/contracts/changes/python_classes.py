"""Changes of classes: members, hierarchies, Protocols, abstract classes."""

from changes.row import PythonRow as Row


def _body(name, old, new, uses, implements, before, after=None, *, head="class C:"):
    """Make a row of a class whose body changes."""
    stubs = (head + "".join(f"\n    {line}" for line in body.split("\n")) for body in (old, new))
    return Row(name, *stubs, uses, implements, before, after)


MEMBERS = (
    _body(
        "a method is added",
        "def m(self) -> int: ...",
        "def m(self) -> int: ...\ndef n(self) -> int: ...",
        "compatible",
        "breaking",
        "C().m()",
        "C().n()",
    ),
    _body(
        "a method is gone",
        "def m(self) -> int: ...\ndef n(self) -> int: ...",
        "def m(self) -> int: ...",
        "breaking",
        "compatible",
        "C().n()",
        "C().m()",
    ),
    _body(
        "methods stand in another order",
        "def m(self) -> int: ...\ndef n(self) -> int: ...",
        "def n(self) -> int: ...\ndef m(self) -> int: ...",
        "none",
        "none",
        "C().m() + C().n()",
    ),
    _body(
        "a class is documented", "x: int", '"""What it is."""\nx: int', "documentation", "documentation", "C().x + 1"
    ),
    _body("an attribute is added", "x: int", "x: int\ny: int", "compatible", "breaking", "C().x", "C().y"),
    _body("an attribute is gone", "x: int\ny: int", "x: int", "breaking", "compatible", "C().y", "C().x"),
    _body(
        "an attribute may be None", "x: int", "x: int | None", "breaking", "compatible", "C().x + 1", "C().x is None"
    ),
    _body(
        "an attribute is never None", "x: int | None", "x: int", "compatible", "breaking", "C().x is None", "C().x + 1"
    ),
    _body(
        "an attribute becomes a property",
        "x: int",
        "@property\ndef x(self) -> int: ...",
        "none|compatible",
        "none|compatible",
        "C().x + 1",
    ),
    _body(
        "a property becomes an attribute",
        "@property\ndef x(self) -> int: ...",
        "x: int",
        "none|compatible",
        "none|compatible",
        "C().x + 1",
    ),
    _body(
        "a property becomes a method",
        "@property\ndef x(self) -> int: ...",
        "def x(self) -> int: ...",
        "breaking",
        "breaking",
        "C().x + 1",
        "C().x() + 1",
    ),
    _body(
        "a method becomes a property",
        "def x(self) -> int: ...",
        "@property\ndef x(self) -> int: ...",
        "breaking",
        "breaking",
        "C().x() + 1",
        "C().x + 1",
    ),
    _body(
        "a property may be None",
        "@property\ndef x(self) -> int: ...",
        "@property\ndef x(self) -> int | None: ...",
        "breaking",
        "compatible",
        "C().x + 1",
        "C().x is None",
    ),
    _body(
        "a static method becomes a class method",
        "@staticmethod\ndef m(a: int) -> int: ...",
        "@classmethod\ndef m(cls, a: int) -> int: ...",
        "none|compatible",
        "none|compatible",
        "C.m(1) + C().m(1)",
    ),
    _body(
        "a class method becomes a static method",
        "@classmethod\ndef m(cls, a: int) -> int: ...",
        "@staticmethod\ndef m(a: int) -> int: ...",
        "none|compatible",
        "none|compatible",
        "C.m(1) + C().m(1)",
    ),
    _body(
        "a static method becomes one of instances",
        "@staticmethod\ndef m(a: int) -> int: ...",
        "def m(self, a: int) -> int: ...",
        "breaking",
        "compatible",
        "C.m(1)",
        "C().m(1)",
    ),
    _body(
        "a method of instances becomes one of the class",
        "def m(self, a: int) -> int: ...",
        "@classmethod\ndef m(cls, a: int) -> int: ...",
        "compatible",
        "breaking",
        "C().m(1)",
        "C.m(1)",
    ),
    _body(
        "a method becomes async",
        "def m(self) -> int: ...",
        "async def m(self) -> int: ...",
        "breaking",
        "breaking",
        "C().m() + 1",
        "async def g() -> int: return await C().m()",
    ),
    _body(
        "a class is made from one more argument",
        "def __init__(self, a: int) -> None: ...",
        "def __init__(self, a: int, b: int) -> None: ...",
        "breaking",
        "breaking",
        "C(1)",
        "C(1, 2)",
    ),
    _body(
        "a class may be made from one more argument",
        "def __init__(self, a: int) -> None: ...",
        "def __init__(self, a: int, b: int = 0) -> None: ...",
        "compatible",
        "breaking",
        "C(1)",
        "C(1, 2)",
    ),
    _body(
        "an operator takes more types",
        "def __add__(self, other: int) -> int: ...",
        "def __add__(self, other: int | str) -> int: ...",
        "compatible",
        "breaking",
        "C() + 1",
        "C() + 'x'",
    ),
    _body(
        "instances can no longer be iterated over",
        "x: int\ndef __iter__(self) -> Iterator[int]: ...",
        "x: int",
        "breaking",
        "compatible",
        "list(C())",
        "C().x",
    ),
    _body(
        "instances can be called",
        "x: int",
        "x: int\ndef __call__(self) -> int: ...",
        "compatible",
        "breaking",
        "C().x",
        "C()()",
    ),
    _body(
        "with gives something that may be None",
        "def __enter__(self) -> int: ...\ndef __exit__(self, *why: object) -> None: ...",
        "def __enter__(self) -> int | None: ...\ndef __exit__(self, *why: object) -> None: ...",
        "breaking",
        "compatible",
        "with C() as c: c + 1",
        "with C() as c: c is None",
    ),
    _body(
        "a method of a class in a class may return None",
        "class D:\n    def m(self) -> int: ...",
        "class D:\n    def m(self) -> int | None: ...",
        "breaking",
        "compatible",
        "C.D().m() + 1",
        "C.D().m() is None",
    ),
)

HIERARCHIES = (
    Row("a class is added", "class A: ...", "class A: ...\nclass B: ...", "compatible", "breaking", "A()", "B()"),
    Row("a class is gone", "class A: ...\nclass B: ...", "class A: ...", "breaking", "compatible", "B()", "A()"),
    Row(
        "a class no longer has its base",
        "class A: ...\nclass B(A): ...",
        "class A: ...\nclass B: ...",
        "breaking",
        "compatible",
        "a: A = B()",
        "B()",
    ),
    Row(
        "a class gets a base",
        "class A: ...\nclass B: ...",
        "class A: ...\nclass B(A): ...",
        "compatible",
        "breaking",
        "B()",
        "a: A = B()",
    ),
    Row(
        "a class is put between two",
        "class A: ...\nclass B(A): ...",
        "class A: ...\nclass M(A): ...\nclass B(M): ...",
        "compatible",
        "breaking",
        "a: A = B()",
        "m: M = B()",
    ),
    Row(
        "an error has a wider base",
        "class Gone(KeyError): ...",
        "class Gone(LookupError): ...",
        "breaking",
        "compatible",
        "e: KeyError = Gone()",
        "e: LookupError = Gone()",
    ),
    Row(
        "a base is returned",
        "class A: ...\nclass B(A):\n    x: int\ndef f() -> B: ...",
        "class A: ...\nclass B(A):\n    x: int\ndef f() -> A: ...",
        "breaking",
        "compatible",
        "f().x",
        "a: A = f()",
    ),
    Row(
        "a base is taken",
        "class A: ...\nclass B(A): ...\ndef f(a: B) -> None: ...",
        "class A: ...\nclass B(A): ...\ndef f(a: A) -> None: ...",
        "compatible",
        "breaking",
        "f(B())",
        "f(A())",
    ),
    Row(
        "a method returns its own class in classes below too",
        "class A:\n    def m(self) -> 'A': ...\nclass B(A):\n    x: int",
        "class A:\n    def m(self) -> Self: ...\nclass B(A):\n    x: int",
        "compatible",
        "breaking",
        "B().m().m()",
        "B().m().x",
    ),
    Row(
        "a method moves to the base",
        "class A: ...\nclass B(A):\n    def m(self) -> int: ...",
        "class A:\n    def m(self) -> int: ...\nclass B(A): ...",
        "compatible",
        "breaking",
        "B().m()",
        "A().m()",
    ),
    Row(
        "a class becomes a Protocol",
        "class C:\n    def m(self) -> int: ...",
        "class C(Protocol):\n    def m(self) -> int: ...",
        "breaking",
        "breaking",
        "C()",
        "class D:\n    def m(self) -> int: return 1\nc: C = D()",
    ),
    Row(
        "a Protocol becomes a class",
        "class C(Protocol):\n    def m(self) -> int: ...",
        "class C:\n    def m(self) -> int: ...",
        "breaking",
        "breaking",
        "class D:\n    def m(self) -> int: return 1\nc: C = D()",
        "C()",
    ),
)

_MAKES = "def make() -> P: ...\ndef take(p: P) -> None: ..."


def _protocol(name, old, new, uses, implements, before, after=None):
    """Make a row of a Protocol that is both taken and returned."""
    stubs = (
        "class P(Protocol):" + "".join(f"\n    {line}" for line in [*body, ""]) + f"\n{_MAKES}" for body in (old, new)
    )
    return Row(f"Protocol: {name}", *stubs, uses, implements, before, after)


_M, _N = "def m(self) -> int: ...", "def n(self) -> int: ..."
_MINE = "class Mine:\n    def m(self) -> int: return 1\ntake(Mine())"
_NO_MORE = "class Mine:\n    def m(self) -> int: return 1\n    def n(self) -> int: return 1\ntake(Mine())"
PROTOCOLS = (
    _protocol("a method is added", (_M,), (_M, _N), "breaking", "breaking", _MINE, "make().n()"),
    _protocol("a method is gone", (_M, _N), (_M,), "breaking", "breaking", "make().n()", _MINE),
    _protocol("its methods stand in another order", (_M, _N), (_N, _M), "none", "none", _NO_MORE),
    _protocol(
        "a parameter takes more types",
        ("def m(self, a: int) -> None: ...",),
        ("def m(self, a: int | str) -> None: ...",),
        "breaking",
        "breaking",
        "class Mine:\n    def m(self, a: int) -> None: ...\ntake(Mine())",
        "make().m('x')",
    ),
    _protocol(
        "a method may return None",
        (_M,),
        ("def m(self) -> int | None: ...",),
        "breaking",
        "breaking",
        "make().m() + 1",
        "class Mine:\n    def m(self) -> None: ...\ntake(Mine())",
    ),
    _protocol(
        "an attribute may be a property",
        ("x: int",),
        ("@property\ndef x(self) -> int: ...".replace("\n", "\n    "),),
        "compatible",
        "breaking",
        "class Mine:\n    x: int = 1\ntake(Mine())\nmake().x",
        "class Mine:\n    @property\n    def x(self) -> int: return 1\ntake(Mine())",
    ),
    Row(
        "abstract: a method is added that has to be written",
        "class A(ABC):\n    @abstractmethod\n    " + _M,
        "class A(ABC):\n    @abstractmethod\n    " + _M + "\n    @abstractmethod\n    " + _N,
        "breaking",
        "breaking",
        "class Mine(A):\n    def m(self) -> int: return 1\nMine()",
        "def g(a: A) -> int: return a.n()",
    ),
    Row(
        "abstract: a method is added that is there already",
        "class A(ABC):\n    @abstractmethod\n    " + _M,
        "class A(ABC):\n    @abstractmethod\n    " + _M + "\n    " + _N,
        "compatible",
        "breaking",
        "class Mine(A):\n    def m(self) -> int: return 1\nMine()",
        "def g(a: A) -> int: return a.n()",
    ),
    Row(
        "abstract: a method need no longer be written",
        "class A(ABC):\n    @abstractmethod\n    " + _M,
        "class A(ABC):\n    " + _M,
        "compatible",
        "breaking",
        "class Mine(A):\n    def m(self) -> int: return 1\nMine()",
        "class Mine(A): ...\nMine()",
    ),
    Row(
        "abstract: a method has to be written",
        "class A(ABC):\n    " + _M,
        "class A(ABC):\n    @abstractmethod\n    " + _M,
        "breaking",
        "compatible",
        "class Mine(A): ...\nMine()",
        "class Mine(A):\n    def m(self) -> int: return 1\nMine()",
    ),
)


ROWS = (*MEMBERS, *HIERARCHIES, *PROTOCOLS)
