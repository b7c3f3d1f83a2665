"""Changes of overloads, generics, aliases and errors that may be raised, and of names from elsewhere."""

from changes.row import PythonRow as Row


def _of(head):
    """Return a maker of rows whose stubs begin with one text."""

    def row(name, old, new, uses, implements, before, after=None):
        return Row(name, f"{head}\n{old}", f"{head}\n{new}", uses, implements, before, after)

    return row


_over = "@overload\ndef f(a: {}) -> {}: ...\n".format
_INT, _STR, _BYTES = _over("int", "int"), _over("str", "str"), _over("bytes", "bytes")
_MAYBE = _over("str", "str | None")
OVERLOADS = (
    Row("overloads: one is added", _INT + _STR, _INT + _STR + _BYTES, "compatible", "breaking", "f(1) + 1", "f(b'x')"),
    Row(
        "overloads: one is gone",
        _INT + _STR + _BYTES,
        _INT + _STR,
        "breaking",
        "compatible",
        "f(b'x')",
        "f('x').upper()",
    ),
    Row(
        "overloads: they stand in another order",
        _INT + _STR,
        _STR + _INT,
        "none|compatible",
        "none|compatible",
        "f(1) + 1\nf('x').upper()",
    ),
    Row(
        "overloads: one returns more types",
        _INT + _STR,
        _INT + _MAYBE,
        "breaking",
        "compatible",
        "f('x').upper()",
        "f('x') is None",
    ),
    Row(
        "overloads: one function for all forgets which is which",
        _INT + _STR,
        "def f(a: int | str) -> int | str: ...",
        "breaking",
        "compatible",
        "f(1) + 1",
        "def g(a: int | str) -> int | str: return f(a)",
    ),
    Row(
        "overloads: one function is split into two that say more",
        "def f(a: int | str) -> int | str: ...",
        _INT + _STR,
        "compatible",
        "breaking",
        "def g(a: int | str) -> int | str: return f(a)",
        "f(1) + 1",
    ),
    Row(
        "overloads: a second way to call",
        "def f(a: int) -> int: ...",
        _INT + _over("int, b: str", "str"),
        "compatible",
        "breaking",
        "f(1) + 1",
        "f(1, 'x').upper()",
    ),
)

_t = _of("T = TypeVar('T')\nP = ParamSpec('P')")
FUNCTIONS = (
    _t(
        "generic: only for one type",
        "def f(a: T) -> T: ...",
        "def f(a: int) -> int: ...",
        "breaking",
        "compatible",
        "f('x')",
        "f(1)",
    ),
    _t(
        "generic: for any type",
        "def f(a: int) -> int: ...",
        "def f(a: T) -> T: ...",
        "compatible",
        "breaking",
        "f(1) + 1",
        "f('x')",
    ),
    _t(
        "generic: may give back something else",
        "def f(a: list[T]) -> T: ...",
        "def f(a: list[T]) -> T | None: ...",
        "breaking",
        "compatible",
        "f([1]) + 1",
        "f([1]) is None",
    ),
    _t(
        "generic: forgets the type",
        "def f(a: T) -> T: ...",
        "def f(a: object) -> object: ...",
        "breaking",
        "compatible",
        "f(1) + 1",
        "str(f(1))",
    ),
    _t(
        "generic: takes any iterable",
        "def f(a: list[T]) -> T: ...",
        "def f(a: Iterable[T]) -> T: ...",
        "compatible",
        "breaking",
        "f([1]) + 1",
        "f({1}) + 1",
    ),
    _t(
        "generic: two need not be of one type",
        "def f(a: list[T], b: list[T]) -> None: ...",
        "def f(a: list[T], b: list[U]) -> None: ...\nU = TypeVar('U')",
        "compatible",
        "breaking",
        "def g(a: list[int]) -> None: f(a, a)",
        "def g(a: list[int], b: list[str]) -> None: f(a, b)",
    ),
    Row(
        "generic: the variable has another name",
        "T = TypeVar('T')\ndef f(a: T) -> list[T]: ...",
        "S = TypeVar('S')\ndef f(a: S) -> list[S]: ...",
        "none",
        "none",
        "f(1)[0] + 1",
    ),
    Row(
        "generic: gets a bound",
        "T = TypeVar('T')\ndef f(a: T) -> T: ...",
        "T = TypeVar('T', bound=int)\ndef f(a: T) -> T: ...",
        "breaking",
        "compatible",
        "f('x')",
        "f(1)",
    ),
    Row(
        "generic: loses its bound",
        "T = TypeVar('T', bound=int)\ndef f(a: T) -> T: ...",
        "T = TypeVar('T')\ndef f(a: T) -> T: ...",
        "compatible",
        "breaking",
        "f(True)",
        "f('x')",
    ),
    Row(
        "generic: has a wider bound",
        "T = TypeVar('T', bound=bool)\ndef f(a: T) -> T: ...",
        "T = TypeVar('T', bound=int)\ndef f(a: T) -> T: ...",
        "compatible",
        "breaking",
        "f(True)",
        "f(2)",
    ),
    Row(
        "generic: is one of fewer types",
        "T = TypeVar('T', int, str, bytes)\ndef f(a: T) -> T: ...",
        "T = TypeVar('T', int, str)\ndef f(a: T) -> T: ...",
        "breaking",
        "compatible",
        "f(b'x')",
        "f('x')",
    ),
    _t(
        "decorator: what it makes may return None",
        "def deco(f: Callable[P, T]) -> Callable[P, T]: ...",
        "def deco(f: Callable[P, T]) -> Callable[P, T | None]: ...",
        "breaking",
        "compatible",
        "@deco\ndef g(a: int) -> int: return a\ng(1) + 1",
        "@deco\ndef g(a: int) -> int: return a\ng(1) is None",
    ),
    _t(
        "decorator: what it makes takes one more argument",
        "def deco(f: Callable[P, T]) -> Callable[P, T]: ...",
        "def deco(f: Callable[P, T]) -> Callable[Concatenate[str, P], T]: ...",
        "breaking",
        "breaking",
        "@deco\ndef g(a: int) -> int: return a\ng(1)",
        "@deco\ndef g(a: int) -> int: return a\ng('x', 1)",
    ),
    _t(
        "decorator: no longer for functions with keywords",
        "def deco(f: Callable[P, T]) -> Callable[P, T]: ...",
        "def deco(f: Callable[[int], T]) -> Callable[[int], T]: ...",
        "breaking",
        "compatible",
        "@deco\ndef g(*, a: str) -> int: return 1\ng(a='x')",
        "@deco\ndef g(a: int, /) -> int: return 1\ng(1)",
    ),
)

_BOX = "class Box(Generic[{}]):\n    def get(self) -> {}: ..."
_T, _T_CO = "T = TypeVar('T')\n", "T = TypeVar('T', covariant=True)\n"
_FILM = "class Film(TypedDict):\n    title: str\n"
_BOX_CO = _T_CO + "class Box(Generic[T]):\n    def get(self) -> T: ..."
_BOX_IN = _T + "class Box(Generic[T]):\n    def get(self) -> T: ...\n    def put(self, a: T) -> None: ..."
_SINK = "T = TypeVar('T', contravariant=True)\nclass Sink(Generic[T]):\n    def put(self, a: T) -> None: ..."
CLASSES = (
    _of(_BOX_CO)(
        "variance: a covariant box of more types is returned",
        "def f() -> Box[bool]: ...",
        "def f() -> Box[int]: ...",
        "breaking",
        "compatible",
        "b: Box[bool] = f()",
        "b: Box[int] = f()",
    ),
    _of(_BOX_CO)(
        "variance: a covariant box of more types is taken",
        "def f(b: Box[bool]) -> None: ...",
        "def f(b: Box[int]) -> None: ...",
        "compatible",
        "breaking",
        "def g(b: Box[bool]) -> None: f(b)",
        "def g(b: Box[int]) -> None: f(b)",
    ),
    _of(_BOX_IN)(
        "variance: an invariant box of more types is another box",
        "def f() -> Box[bool]: ...",
        "def f() -> Box[int]: ...",
        "breaking",
        "breaking",
        "b: Box[bool] = f()",
        "b: Box[int] = f()",
    ),
    _of(_SINK)(
        "variance: a contravariant sink for fewer types is returned",
        "def f() -> Sink[int]: ...",
        "def f() -> Sink[bool]: ...",
        "breaking",
        "compatible",
        "f().put(2)",
        "f().put(True)",
    ),
    _of(_SINK)(
        "variance: a contravariant sink for fewer types is taken",
        "def f(s: Sink[int]) -> None: ...",
        "def f(s: Sink[bool]) -> None: ...",
        "compatible",
        "breaking",
        "def g(s: Sink[int]) -> None: f(s)",
        "def g(s: Sink[bool]) -> None: f(s)",
    ),
    Row(
        "variance: a box becomes covariant",
        _T + _BOX.format("T", "T"),
        _BOX_CO,
        "compatible",
        "breaking",
        "def g(b: Box[bool]) -> bool: return b.get()",
        "def g(b: Box[bool]) -> None:\n    c: Box[int] = b",
    ),
    Row(
        "variance: a box is no longer covariant",
        _BOX_CO,
        _T + _BOX.format("T", "T"),
        "breaking",
        "compatible",
        "def g(b: Box[bool]) -> None:\n    c: Box[int] = b",
        "def g(b: Box[bool]) -> bool: return b.get()",
    ),
    Row(
        "generic class: has one more parameter",
        _T + _BOX.format("T", "T"),
        _T + "U = TypeVar('U')\n" + _BOX.format("T, U", "T | U"),
        "breaking",
        "breaking",
        "def g(b: Box[int]) -> int: return b.get()",
        "def g(b: Box[int, str]) -> int | str: return b.get()",
    ),
    Row(
        "generic class: its parameter gets a bound",
        _T + _BOX.format("T", "T"),
        "T = TypeVar('T', bound=int)\n" + _BOX.format("T", "T"),
        "breaking",
        "compatible",
        "def g(b: Box[str]) -> str: return b.get()",
        "def g(b: Box[int]) -> int: return b.get()",
    ),
    Row(
        "generic class: a method may return None",
        _T + _BOX.format("T", "T"),
        _T + _BOX.format("T", "T | None"),
        "breaking",
        "compatible",
        "def g(b: Box[int]) -> int: return b.get()",
        "def g(b: Box[int]) -> int | None: return b.get()",
    ),
    *(
        Row(
            f"generics: {what} takes what it is made of, to which a key is added",
            f"{_FILM}{_BOX_IN}\n{returned}",
            f"{_FILM}    year: int\n{_BOX_IN}\n{returned}",
            "breaking",
            "breaking",
            "f().put({'title': 'a'})",
            "f().get()['year'] + 1",
        )
        for what, returned in (
            ("a class", "def f() -> Box[Film]: ..."),
            ("a class' base", "class Films(Box[Film]): ...\ndef f() -> Films: ...\ndef g() -> Film: ..."),
        )
    ),
    Row(
        "generics: a class takes longer types of what it is made of, to which a key is added",
        f"{_FILM}{_BOX_IN}\n    def more(self) -> 'Box[list[T]]': ...\ndef f() -> Box[Film]: ...",
        f"{_FILM}    year: int\n{_BOX_IN}\n    def more(self) -> 'Box[list[T]]': ...\ndef f() -> Box[Film]: ...",
        "breaking",
        "breaking",
        "f().more().put([{'title': 'a'}])",
        "f().more().get()[0]['year'] + 1",
    ),
)
_ID = "Id: TypeAlias = {}\n".format
ALIASES = (
    Row(
        "alias: of more types, taken",
        _ID("int") + "def f(a: Id) -> None: ...",
        _ID("int | str") + "def f(a: Id) -> None: ...",
        "compatible",
        "breaking",
        "f(1)",
        "f('x')",
    ),
    Row(
        "alias: of more types, returned",
        _ID("int") + "def f() -> Id: ...",
        _ID("int | str") + "def f() -> Id: ...",
        "breaking",
        "compatible",
        "f() + 1",
        "isinstance(f(), str)",
    ),
    Row(
        "alias: of an alias of more types, returned",
        "Key: TypeAlias = int\n" + _ID("list[Key]") + "def f() -> Id: ...",
        "Key: TypeAlias = int | str\n" + _ID("list[Key]") + "def f() -> Id: ...",
        "breaking",
        "breaking",
        "sum(f())",
        "f().append('x')",
    ),
    Row(
        "alias: spelled in another way",
        _ID("Optional[int]") + "def f(a: Id) -> None: ...",
        _ID("None | int") + "def f(a: Id) -> None: ...",
        "none",
        "none",
        "f(None)",
    ),
    Row(
        "alias: put in, so that it has a name",
        "def f(a: int | str) -> None: ...",
        _ID("int | str") + "def f(a: Id) -> None: ...",
        "compatible",
        "breaking",
        "f(1)",
        "def g(a: Id) -> None: f(a)",
    ),
    Row(
        "alias: written out, so that it has no name",
        _ID("int | str") + "def f(a: Id) -> None: ...",
        "def f(a: int | str) -> None: ...",
        "breaking",
        "compatible",
        "def g(a: Id) -> None: f(a)",
        "f(1)",
    ),
    Row(
        "alias: recursive, with one more leaf, returned",
        "Json: TypeAlias = dict[str, 'Json'] | int\ndef f() -> Json: ...",
        "Json: TypeAlias = dict[str, 'Json'] | int | str\ndef f() -> Json: ...",
        "breaking",
        "breaking",
        "x: int | dict[str, Any] = f()",
        "x = f()\nif isinstance(x, dict): x['a'] = 'x'",
    ),
    Row(
        "elsewhere: another class that is not known here",
        "from elsewhere import One, Two\ndef f(a: One) -> None: ...",
        "from elsewhere import One, Two\ndef f(a: Two) -> None: ...",
        "breaking",
        "breaking",
        "import elsewhere\nf(elsewhere.One())",
        "import elsewhere\nf(elsewhere.Two())",
    ),
    Row(
        "elsewhere: the same class by another way to import it",
        "from elsewhere import One\ndef f(a: One) -> None: ...",
        "import elsewhere as e\ndef f(a: e.One) -> None: ...",
        "none",
        "none",
        "import elsewhere\nf(elsewhere.One())",
    ),
)

_ERRORS = "class Bad(Exception): ...\nclass Worse(Bad): ...\nclass Gone(Exception): ...\n"


def _raises(name, old, new, uses, implements, before, after=None):
    """Make a row of a function that may raise errors; an implementation raises the last of them."""

    def stub(errors):
        lines = "".join(f"        {error}: It went wrong.\n" for error in errors)
        return f'{_ERRORS}def f() -> None:\n    """Do it.\n' + (f"\n    Raises:\n{lines}" if lines else "") + '    """'

    def runs(errors):
        return f"{_ERRORS}def f():\n    " + (f"raise {errors[-1]}" if errors else "pass")

    return Row(f"raises: {name}", stub(old), stub(new), uses, implements, before, after, (runs(old), runs(new)))


def _catch(*errors):
    return f"try: f()\nexcept ({', '.join(errors)},): pass"


RAISES = (
    _raises("the first error", [], ["Bad"], "breaking", "compatible", "f()", _catch("Bad")),
    _raises("one more", ["Bad"], ["Bad", "Gone"], "breaking", "compatible", _catch("Bad"), _catch("Bad", "Gone")),
    _raises("one fewer", ["Bad", "Gone"], ["Bad"], "compatible", "breaking", _catch("Bad", "Gone"), _catch("Bad")),
    _raises("none any more", ["Bad"], [], "compatible", "breaking", _catch("Bad"), "f()"),
    _raises("another", ["Bad"], ["Gone"], "breaking", "breaking", _catch("Bad"), _catch("Gone")),
    _raises("a narrower one", ["Bad"], ["Worse"], "compatible", "breaking", _catch("Bad"), _catch("Worse")),
    _raises("a wider one", ["Worse"], ["Bad"], "breaking", "compatible", _catch("Worse"), _catch("Bad")),
    _raises(
        "in another order", ["Bad", "Gone"], ["Gone", "Bad"], "documentation", "documentation", _catch("Bad", "Gone")
    ),
)

ROWS = (*OVERLOADS, *FUNCTIONS, *CLASSES, *ALIASES, *RAISES)
