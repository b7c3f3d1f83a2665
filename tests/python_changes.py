"""Changes of stubs and whom each breaks, as two letters: users, then implementers; none, compatible, breaking.

A `?` says that the change is undecided: no program shows it.
"""

HIERARCHY = "class Animal: ...\nclass Dog(Animal): ...\n"
STORE = "class Store(Protocol):\n  def get(self, id: int) -> str: ..."
COLOUR = "class Colour(Enum):\n  RED = 1\n  BLUE = 2\n"
ABSTRACT = "class K(ABC):\n  @abstractmethod\n  def m(self) -> int: ...\n"
DYNAMIC = "def __getattr__(name: str) -> Any: ..."
FILM = "class Film(TypedDict):\n  title: str\n"


def raising(*names):
    return "def f() -> int:\n  '''Raises:\n" + "".join(f"    {name}: x\n" for name in names) + "  '''"


SIGNATURES = [
    ("(a: int)", "(a: int, b: int = 1)", "cb"),
    ("(a: int)", "(a: int, *, b: int = 1)", "cb"),
    ("(a: int)", "(a: int, *args: int)", "cb"),
    ("(a: int)", "(a: int, b: int)", "bb"),
    ("(a: int)", "(a: int, *, b: int)", "bb"),
    ("(a: int, b: int = 1)", "(a: int)", "bc"),
    ("(a: int, b: int)", "(a: int)", "bb"),
    ("(a: int)", "(a: int = 0)", "cb"),
    ("(a: int = 0)", "(a: int)", "bc"),
    ("(a: int = 0)", "(a: int = 1)", "bb"),
    ("(a: int = ...)", "(a: int = 1)", "cb"),
    ("(a: int | None = None)", "(a: int = 0)", "bb"),
    ("(a: int | None = None)", "(a: int = None)", "bc"),
    ("(a: int)", "(b: int)", "bb"),
    ("(a: int, /)", "(b: int, /)", "nn"),
    ("(__a: int)", "(b: int, /)", "nn"),
    ("(*args: int, **kwargs: int)", "(*a: int, **k: int)", "nn"),
    ("(a: int, /)", "(b: int)", "cb"),
    ("(a: int)", "(a: int, /)", "bc"),
    ("(a: int)", "(*, a: int)", "bc"),
    ("(a: int, b: str, /)", "(b: str, a: int, /)", "bb"),
    ("(a: int, b: int)", "(b: int, a: int)", "bb"),
    ("(*, a: int, b: int)", "(*, b: int, a: int)", "nn"),
    ("(a: int)", "(*args: int, **kwargs: int)", "cb"),
    ("(*args: int)", "(*args: str)", "bb"),
    ("(a: int)", "(a: float)", "cb"),
    ("(a: float)", "(a: bool)", "bc"),
    ("(a: int | str)", "(a: int)", "bc"),
    ("(a: int | float)", "(a: float)", "nn"),
    ("(a: list[int])", "(a: Sequence[int])", "cb"),
    ("(a: list[int])", "(a: list[float])", "bb"),
    ("(a: Sequence[int])", "(a: Sequence[float])", "cb"),
    ("(a: Literal[1, 2])", "(a: int)", "cb"),
    ("(a: Literal[True, False])", "(a: bool)", "nn"),
    ("(a: Callable[[int], str])", "(a: Callable[[bool], str])", "cb"),
    ("(a: Callable[[int], str])", "(a: Callable[[int], object])", "cb"),
    ("(a: Callable[[int], str])", "(a: Callable[[int, int], str])", "bb"),
    ("(a: int)", "(a: Any)", "cb"),
    ("(a: UUID)", "(a: str)", "bb?"),
    ("(a: UUID)", "(a: UUID, b: int = 1)", "cb"),
    ("(a: UUID, b: int = 1)", "(a: UUID)", "bc"),
    ("(a: list[UUID])", "(a: list[UUID], b: int)", "bb"),
    ("() -> int", "() -> bool", "cb"),
    ("() -> int", "() -> int | None", "bc"),
    ("() -> int", "() -> Any", "bc"),
    ("() -> Any", "() -> list[str]", "cb"),
    ("() -> tuple", "() -> tuple[int, str]", "cb"),
    ("() -> dict[str, Any]", "() -> dict[str, int]", "bb"),
    ("() -> Generator[int]", "() -> Generator[int, None, None]", "nn"),
    ("() -> Generator[Any, None, None]", "() -> Iterator[str]", "bb"),
    ("(a: Any)", "(a: list[Any])", "bc"),
    ("(a: int)", "(a: SupportsIndex)", "cb"),
    ("(a: IO)", "(a: IO[bytes])", "bb?"),
    ("(*args: Any)", "(a: bool = True, *args: Any)", "bb"),
    ("() -> int", "() -> Never", "cb"),
    ("() -> Awaitable[int]", "() -> Awaitable[str]", "bb"),
    ("() -> Iterator[int]", "() -> Coroutine[object, object, Iterator[int]]", "bb"),
    ("(a: str)", "(a: Hashable)", "cb"),
    ("(a: list[int])", "(a: Hashable)", "bb"),
    ("() -> map[int]", "() -> Iterator[int]", "bb?"),
    ("() -> memoryview", "() -> Sequence[int]", "bb?"),
    ("(a: dict[str, int])", "(a: Reversible[str])", "bb?"),
    ("() -> tuple[int, str]", "() -> tuple[str, int]", "bb"),
    ("() -> tuple[int, int]", "() -> tuple[int, ...]", "bc"),
    ("() -> list[int]", "() -> Iterable[int]", "bc"),
    ("() -> Iterator[int]", "() -> Generator[int, None, None]", "cb"),
    ("() -> dict[str, int]", "() -> Mapping[str, float]", "bc"),
    ("() -> type[int]", "() -> type[bool]", "cb"),
]

MODULES = [
    ("x: int", "x: int\ndef f() -> int: ...", "cb"),
    ("x: int\ndef f() -> int: ...", "x: int", "bc"),
    ("def f() -> int: ...", "async def f() -> int: ...", "bb"),
    ("async def f() -> int: ...", "async def f() -> bool: ...", "cb"),
    ("def f() -> int: ...", "@cache\ndef f() -> int: ...", "bb?"),
    (raising(), raising("KeyError"), "bc?"),
    (raising("KeyError"), raising("LookupError"), "bc?"),
    (raising("LookupError"), raising("IndexError"), "cb?"),
    (raising("KeyError", "ValueError"), raising("KeyError"), "cb?"),
    ("class E(KeyError): ...\n" + raising("KeyError"), "class E(KeyError): ...\n" + raising("E"), "cb?"),
    ("T = TypeVar('T')\ndef f(x: int) -> int: ...", "T = TypeVar('T')\ndef f(x: T) -> T: ...", "cb"),
    ("T = TypeVar('T')\ndef f(x: T) -> T: ...", "F = TypeVar('F')\ndef f(x: F) -> F: ...", "nn"),
    ("T = TypeVar('T')\ndef f(x: T) -> T: ...", "F = TypeVar('F', bound=int)\ndef f(x: F) -> F: ...", "bc?"),
    ("T = TypeVar('T', int, str)\ndef f(x: T): ...", "F = TypeVar('F', int)\ndef f(x: F): ...", "bc?"),
    ("T = TypeVar('T', bound='int')\ndef f(x: T): ...", "T = TypeVar('T', bound=int)\ndef f(x: T): ...", "nn"),
    (
        "T = TypeVar('T')\ndef f() -> Callable[[T], T]: ...",
        "F = TypeVar('F')\ndef f() -> Callable[[F], F]: ...",
        "nn",
    ),
    ("async def f() -> Any: ...", "async def f() -> int: ...", "cb"),
    (f"class A:\n  x: int\nX: int\n{DYNAMIC}", DYNAMIC, "bc"),
    (f"def f() -> Any: ...\n{DYNAMIC}", DYNAMIC, "bc?"),
    ("x: int", f"x: int\n{DYNAMIC}", "cb"),
    ("x: int", "x: bool", "cb"),
    ("x: int", "x: float", "bc"),
    ("X = 60", "X = 61", "bb"),
    ("X: Final = 60", "X: int = 60", "bc"),
    ("A = int\ndef f() -> A: ...", "A = bool\ndef f() -> A: ...", "cb"),
    ("A = int\ndef f(a: A): ...", "A = bool\ndef f(a: A): ...", "bc"),
    ("A = int", "A = bool", "bb"),
    ("A = int\ndef f() -> A: ...", "A = int\ndef f() -> int: ...", "nn"),
    ("__all__ = ['a', 'b']", "__all__ = ['a']", "bc"),
    (f"{HIERARCHY}def f() -> Animal: ...", f"{HIERARCHY}def f() -> Dog: ...", "cb"),
    (f"{HIERARCHY}def f() -> Animal: ...", f"{HIERARCHY}def f() -> Dog | Animal: ...", "nn"),
    (f"{HIERARCHY}def f(a: list[Dog]): ...", f"{HIERARCHY}def f(a: Iterable[Animal]): ...", "cb"),
]

OVERLOADS = [
    ("def f(a: int) -> int|def f(a: str) -> str", "def f(a: str) -> str|def f(a: int) -> int", "nn"),
    ("def f(a: bool) -> int|def f(a: int) -> str", "def f(a: int) -> str|def f(a: bool) -> int", "bb"),
    ("def f(a: int) -> int|def f(a: str) -> str", "def f(a: int) -> int|def f(a: bytes) -> str", "bb"),
    ("def f(a: int) -> int", "def f(a: int) -> int|def f(a: str) -> str", "cb"),
    ("def f(a: int) -> Any|def f(a: str) -> Any", "def f(a: int) -> int|def f(a: str) -> str", "cb"),
]

CLASSES = [
    ("class A:\n  x: int", "class A:\n  x: bool", "cb"),
    ("class A:\n  x: int", "class A:\n  @property\n  def x(self) -> int: ...", "cc"),
    ("class A:\n  x: int", "class A:\n  def x(self) -> int: ...", "bb"),
    ("class A:\n  x: Any", "class A:\n  def x(self) -> int: ...", "cb"),
    ("class A:\n  x: int", "class A:\n  x: Any", "bc"),
    ("class A:\n  def m(self: T) -> T: ...\nT = TypeVar('T', bound=A)", "class A:\n  def m(self) -> Self: ...", "nn"),
    ("class A:\n  def m(self) -> Any: ...", "class A:\n  def m(self) -> Self: ...", "cb"),
    (
        "class A:\n  def __init__(self, *args: Any) -> None: ...",
        "class A:\n  def __init__(self, a: bool = True, *args: Any) -> None: ...",
        "bb",
    ),
    ("class A:\n  def m(self, a: Any): ...", "T = TypeVar('T')\nclass A(Generic[T]):\n  def m(self, a: T): ...", "bb?"),
    ("class A(Sized): ...", "T = TypeVar('T')\nclass A(Sized, Generic[T]): ...", "bb?"),
    ("class A:\n  x: int", "class A:\n  x: ClassVar[int]", "cb?"),
    ("class A:\n  def m(self): ...", "class A:\n  @staticmethod\n  def m(): ...", "cb"),
    ("class A:\n  def m(self): ...", "class A:\n  @abstractmethod\n  def m(self): ...", "bc"),
    ("class A:\n  def m(self): ...", "class A(Protocol):\n  def m(self): ...", "bb"),
    ("class A:\n  x: int", "class A:\n  x: int\n  def __init__(self, x: int) -> None: ...", "bb"),
    ("class A:\n  def __init__(self, x: int): ...", "class A:\n  def __init__(self, x: float): ...", "cb"),
    (f"{HIERARCHY}class B(Dog): ...", f"{HIERARCHY}class B(Animal): ...", "bc"),
    (f"{HIERARCHY}class B: ...", f"{HIERARCHY}class B(Animal): ...", "cb"),
    ("class A:\n  x: int\nclass B(A):\n  y: int", "class A:\n  x: int\n  y: int\nclass B(A): ...", "cb"),
    ("class E(KeyError): ...", "class E(LookupError): ...", "bc"),
    ("@dataclass\nclass A:\n  x: int", "@dataclass(frozen=True)\nclass A:\n  x: int", "cb"),
    ("@dataclass(frozen=True)\nclass A:\n  x: int", "@dataclass\nclass A:\n  x: int", "bc"),
    ("@dataclass\nclass A:\n  x: int", "@dataclass\nclass A:\n  x: bool", "bb"),
    ("@dataclass\nclass A:\n  x: int", "@dataclass\nclass A:\n  x: int\n  y: int", "bb"),
    ("@dataclass\nclass A:\n  x: int", "@dataclass\nclass A:\n  x: int\n  y: int = 0", "cb"),
    ("@dataclass\nclass A:\n  x: int\n  y: int", "@dataclass\nclass A:\n  y: int\n  x: int", "bb"),
    ("@dataclass\nclass A:\n  x: int", "@dataclass(kw_only=True)\nclass A:\n  x: int", "bc"),
    ("@dataclass\nclass A:\n  x: int", "@dataclass(order=True)\nclass A:\n  x: int", "cb"),
    ("class A(NamedTuple):\n  x: int", "class A(NamedTuple):\n  x: int\n  y: int = 0", "bb"),
    ("class A(NamedTuple):\n  x: int\n  y: int", "class A(NamedTuple):\n  y: int\n  x: int", "bb"),
    ("class A:\n  def __getitem__(self, i: int): ...", "class A:\n  def __getitem__(self, k: str): ...", "bb"),
    ("class A:\n  def __eq__(self, o: object): ...", "class A:\n  def __eq__(self, other: object): ...", "nn"),
    (
        "T = TypeVar('T')\nclass A(Generic[T]):\n  def m(self) -> T: ...",
        "T = TypeVar('T')\nclass A(Generic[T]):\n  def m(self) -> list[T]: ...",
        "bb?",
    ),
    ("class E(StrEnum):\n  A = 'a'", "class E(Enum):\n  A = 'a'", "bc"),
    ("class A(NamedTuple):\n  x: int", "@dataclass\nclass A:\n  x: int", "bb"),
    (f"{COLOUR}", f"{COLOUR}  GREEN = 3", "cb"),
    (f"{COLOUR}def f() -> list[Colour]: ...", f"{COLOUR}  GREEN = 3\ndef f() -> list[Colour]: ...", "bb"),
    (f"{COLOUR}def f(a: Colour): ...", f"{COLOUR}  GREEN = 3\ndef f(a: Colour): ...", "cb"),
    (f"{COLOUR}def f(a: Colour) -> Colour: ...", f"{COLOUR}  G = 3\ndef f(a: Colour) -> Colour: ...", "bb"),
    (f"{COLOUR}  G = 3\ndef f() -> Colour: ...", f"{COLOUR}def f() -> Colour: ...", "bb"),
    (f"{COLOUR}A = list[Colour]\ndef f() -> A: ...", f"{COLOUR}  G = 3\nA = list[Colour]\ndef f() -> A: ...", "bb"),
    (COLOUR, COLOUR.replace("2", "3"), "bb"),
    (f"{COLOUR}  def m(self, a: int): ...", f"{COLOUR}  def m(self, a: str): ...", "bb"),
    (f"{COLOUR}  def m(self): ...\ndef f(a: Colour): ...", f"{COLOUR}def f(a: Colour): ...", "bc"),
    (f"{COLOUR}  @classmethod\n  def m(cls) -> int: ...", f"{COLOUR}  @classmethod\n  def m(cls) -> bool: ...", "cb"),
    (ABSTRACT, f"{ABSTRACT}  def __init__(self, a: int) -> None: ...", "bb"),
    (f"{ABSTRACT}  def __init__(self, a: int): ...", f"{ABSTRACT}  def __init__(self, a: float): ...", "cb"),
    (f"{ABSTRACT}  def __init__(self, a: int): ...", f"{ABSTRACT}  def __init__(self, b: int): ...", "bb"),
    (f"{ABSTRACT}  def __init__(self, a: int): ...", ABSTRACT, "bb"),
    (f"{COLOUR}{FILM}  c: Colour", f"{COLOUR}  GREEN = 3\n{FILM}  c: Colour", "bb"),
    (f"{FILM}def f() -> tuple[Film]: ...", f"{FILM}  year: int\ndef f() -> tuple[Film]: ...", "cb"),
    (f"{FILM}def f() -> list[Film]: ...", f"{FILM}  year: int\ndef f() -> list[Film]: ...", "bb"),
    (f"{FILM}def f(a: Film): ...", f"{FILM}  year: int\ndef f(a: Film): ...", "bb"),
    (f"{FILM}def f(a: Film): ...", f"{FILM}  year: NotRequired[int]\ndef f(a: Film): ...", "cb"),
    (f"{FILM}def f() -> Film: ...", f"{FILM}  year: NotRequired[int]\ndef f() -> Film: ...", "cb"),
    (f"{FILM}  year: int\ndef f() -> Film: ...", f"{FILM}  year: NotRequired[int]\ndef f() -> Film: ...", "bc"),
    (f"{FILM}  year: int\ndef f() -> Film: ...", f"{FILM}  year: bool\ndef f() -> Film: ...", "cb"),
    (STORE, f"{STORE}\n  def put(self) -> None: ...", "bb"),
    (f"{STORE}\ndef f(a: Store): ...", f"{STORE}\n  def put(self): ...\ndef f(a: Store): ...", "bc"),
    (f"{STORE}\ndef f() -> Store: ...", f"{STORE}\n  def put(self): ...\ndef f() -> Store: ...", "cb"),
    (f"{STORE}\ndef f(a: Store): ...", f"{STORE.replace('str', 'object')}\ndef f(a: Store): ...", "cb"),
]


OPAQUE = [
    ("def f() -> list[A]: ...", "def f() -> Sequence[A]: ...", "bc"),
    ("def f(a: A) -> int: ...", "def f(a: A) -> str: ...", "bb"),
    ("def f() -> tuple[A, int]: ...", "def f() -> tuple[A, str]: ...", "bb"),
    ("def f() -> Any: ...", "def f() -> list[A]: ...", "cb?"),
    ("def f() -> A: ...", "def f() -> A | None: ...", "bc?"),
    ("def f() -> A: ...", "def f() -> B: ...", "bb?"),
    ("class T(TypedDict):\n  a: A\n  n: int", "class T(TypedDict):\n  a: A\n  n: int | None", "bb"),
    ("class K(A):\n  def m(self) -> int: ...", "class K(A):\n  def m(self) -> str: ...", "bb"),
    (
        "@dataclass\nclass K:\n  x: A = field(default_factory=A)",
        "@dataclass\nclass K:\n  x: A = field(default_factory=A)\n  y: int = 0",
        "cb",
    ),
    ("class K:\n  def m(self) -> int: ...", "class K(A):\n  def m(self) -> int: ...", "cb?"),
]
"""Changes of stubs that import `A` and `B` from a module of which nothing is known."""


def overloaded(signatures):
    return "".join(f"@overload\n{line}: ...\n" for line in signatures.split("|"))


def in_class(signature):
    return f"class A:\n  def f(self, {signature[1:]}: ..."


STUBS = [
    *((f"def f{old}: ...", f"def f{new}: ...", expected) for old, new, expected in SIGNATURES),
    *((in_class(old), in_class(new), expected) for old, new, expected in SIGNATURES),
    *MODULES,
    *((overloaded(old), overloaded(new), expected) for old, new, expected in OVERLOADS),
    *CLASSES,
]
"""All changes: the old stub, the new one, the effects."""
