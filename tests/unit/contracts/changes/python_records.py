"""Changes of dataclasses, NamedTuples, TypedDicts and enums."""

from changes.row import PythonRow as Row


def _data(name, old, new, uses, implements, before, after=None, *, how="@dataclass", run=None):
    """Make a row of a dataclass; fields are parted by semicolons."""
    stubs = (f"{how}\nclass D:\n    " + body.replace("; ", "\n    ") for body in (old, new))
    return Row(f"dataclass: {name}", *stubs, uses, implements, before, after, run)


def _settings(name, old, new, uses, implements, before, after=None):
    """Make a row of a dataclass whose decorator changes; such programs are run."""
    stubs = [f"{how}\nclass D:\n    x: int" for how in (old, new)]
    return Row(f"dataclass: {name}", *stubs, uses, implements, before, after, (stubs[0], stubs[1]))


_ONE, _TWO = "@dataclass\nclass D:\n    x: int = 1", "@dataclass\nclass D:\n    x: int = 2"
DATACLASSES = (
    _data("a field is added", "x: int", "x: int; y: int", "breaking", "breaking", "D(1)", "D(1, 2)"),
    _data(
        "a field with a default is added", "x: int", "x: int; y: int = 0", "compatible", "breaking", "D(1)", "D(1, 2)"
    ),
    _data("a field is gone", "x: int; y: int", "x: int", "breaking", "breaking", "D(1, 2)", "D(1)"),
    _data(
        "a field with a default is gone", "x: int; y: int = 0", "x: int", "breaking", "compatible", "D(1).y", "D(1).x"
    ),
    _data("fields change places", "x: int; y: str", "y: str; x: int", "breaking", "breaking", "D(1, '')", "D('', 1)"),
    _data("a field has another name", "x: int", "y: int", "breaking", "breaking", "D(1).x", "D(1).y"),
    _data("a field may be None", "x: int", "x: int | None", "breaking", "breaking", "D(1).x + 1", "D(None)"),
    _data("a field is never None", "x: int | None", "x: int", "breaking", "breaking", "D(None)", "D(1).x + 1"),
    _data("a field gets a default", "x: int", "x: int = 0", "compatible", "breaking", "D(1)", "D()"),
    _data("a field loses its default", "x: int = 0", "x: int", "breaking", "compatible", "D()", "D(1)"),
    _data(
        "a default is another value",
        "x: int = 1",
        "x: int = 2",
        "breaking",
        "breaking",
        "assert D().x == 1",
        "assert D().x == 2",
        run=(_ONE, _TWO),
    ),
    _data("a field is only given by name", "x: int", "_: KW_ONLY; x: int", "breaking", "compatible", "D(1)", "D(x=1)"),
    _data(
        "fields given by name change places",
        "_: KW_ONLY; x: int; y: str",
        "_: KW_ONLY; y: str; x: int",
        "none",
        "none",
        "D(x=1, y='')",
    ),
    _data(
        "a field is no longer given",
        "x: int; y: int",
        "x: int; y: int = field(init=False)",
        "breaking",
        "breaking",
        "D(1, 2)",
        "D(1)",
    ),
    _data(
        "a field is only there to make it",
        "x: int; y: int",
        "x: int; y: InitVar[int]",
        "breaking",
        "compatible",
        "D(1, 2).y + 1",
        "D(1, 2).x",
    ),
    _data(
        "a method is added", "x: int", "x: int; def m(self) -> int: ...", "compatible", "breaking", "D(1)", "D(1).m()"
    ),
    _settings(
        "all fields by name", "@dataclass", "@dataclass(kw_only=True)", "breaking", "compatible", "D(1)", "D(x=1)"
    ),
    _settings(
        "frozen, so it has a hash",
        "@dataclass",
        "@dataclass(frozen=True)",
        "compatible",
        "breaking",
        "D(1).x",
        "{D(1)}",
    ),
    _settings(
        "no longer frozen", "@dataclass(frozen=True)", "@dataclass", "breaking", "compatible", "{D(1)}", "D(1).x"
    ),
    _settings(
        "has an order", "@dataclass", "@dataclass(order=True)", "compatible", "breaking", "D(1).x", "D(1) < D(2)"
    ),
    _settings(
        "without order", "@dataclass(order=True)", "@dataclass", "breaking", "compatible", "D(1) < D(2)", "D(1).x"
    ),
    _settings(
        "defaults spelled out", "@dataclass", "@dataclass(frozen=False, eq=True)", "none", "none", "D(1) == D(1)"
    ),
)


def _tuple(name, old, new, before, after):
    """Make a row of a NamedTuple: it is constructed, read and unpacked, so there is no harmless change."""
    stubs = ("class T(NamedTuple):\n    " + body.replace("; ", "\n    ") + "\ndef f() -> T: ..." for body in (old, new))
    return Row(f"NamedTuple: {name}", *stubs, "breaking", "breaking", before, after)


TUPLES = (
    _tuple("a field is added", "x: int", "x: int; y: int", "T(1)", "T(1, 2)"),
    _tuple("a field with a default is added", "x: int; y: int", "x: int; y: int; z: int = 0", "a, b = f()", "f().z"),
    _tuple("a field is gone", "x: int; y: int", "x: int", "f().y", "T(1)"),
    _tuple("fields change places", "x: int; y: str", "y: str; x: int", "T(1, '')", "T('', 1)"),
    _tuple("a field has another name", "x: int", "y: int", "f().x", "f().y"),
    _tuple("a field may be None", "x: int", "x: int | None", "f().x + 1", "T(None)"),
)


def _dict(name, old, new, uses, implements, before, after=None, *, flow="def f() -> T: ...", run=None):
    """Make a row of a TypedDict; the first line of a body that begins with a parenthesis goes on with the head."""
    stubs = (
        "class T(TypedDict" + (body if body[0] == "," else "):\n    " + body).replace("; ", "\n    ") + f"\n{flow}"
        for body in (old, new)
    )
    return Row(f"TypedDict: {name}", *stubs, uses, implements, before, after, run)


_BOTH = "def f() -> T: ...\ndef take(t: T) -> None: ..."
_FULL, _EMPTY = "def f(): return {'x': 1}", "def f(): return {}"
DICTS = (
    _dict("keys stand in another order", "x: int; y: str", "y: str; x: int", "none", "none", "f()['x'] + 1"),
    _dict(
        "a key is added to what is returned",
        "x: int",
        "x: int; y: int",
        "compatible",
        "breaking",
        "f()['x']",
        "f()['y']",
    ),
    _dict(
        "a key is gone from what is returned",
        "x: int; y: int",
        "x: int",
        "breaking",
        "compatible",
        "f()['y']",
        "f()['x']",
    ),
    _dict("a key has another name", "x: int", "y: int", "breaking", "breaking", "f()['x']", "f()['y']"),
    _dict(
        "a returned key may be None",
        "x: int",
        "x: int | None",
        "breaking",
        "compatible",
        "f()['x'] + 1",
        "f()['x'] is None",
    ),
    _dict(
        "a key is added that has to be given",
        "x: int",
        "x: int; y: int",
        "breaking",
        "breaking",
        "take({'x': 1})",
        "f()['y']",
        flow=_BOTH,
    ),
    _dict(
        "a key is added that need not be given",
        "x: int",
        "x: int; y: NotRequired[int]",
        "compatible",
        "breaking",
        "take({'x': 1})",
        "take({'x': 1, 'y': 2})",
        flow=_BOTH,
    ),
    _dict(
        "a key is added to what is returned that need not be there",
        "x: int",
        "x: int; y: NotRequired[int]",
        "compatible",
        "breaking",
        "f()['x']",
        "f().get('y', 1) + 1",
    ),
    _dict(
        "a taken key may be None",
        "x: int",
        "x: int | None",
        "compatible",
        "breaking",
        "take({'x': 1})",
        "take({'x': None})",
        flow="def take(t: T) -> None: ...",
    ),
    _dict(
        "a taken key need not be given",
        "x: int",
        "x: NotRequired[int]",
        "compatible",
        "breaking",
        "take({'x': 1})",
        "take({})",
        flow="def take(t: T) -> None: ...",
    ),
    _dict(
        "a taken key has to be given",
        "x: NotRequired[int]",
        "x: int",
        "breaking",
        "compatible",
        "take({})",
        "take({'x': 1})",
        flow="def take(t: T) -> None: ...",
    ),
    _dict(
        "a returned key may be absent",
        "x: int",
        "x: NotRequired[int]",
        "breaking",
        "compatible",
        "assert f()['x'] == 1",
        "assert f().get('x', 1) == 1",
        run=(_FULL, _EMPTY),
    ),
    _dict(
        "a returned key is always there",
        "x: NotRequired[int]",
        "x: int",
        "compatible",
        "breaking",
        "assert f().get('x', 1) == 1",
        "assert f()['x'] == 1",
        run=(_EMPTY, _FULL),
    ),
    _dict(
        "no taken key has to be given",
        "x: int",
        ", total=False):\n    x: int",
        "compatible",
        "breaking",
        "take({'x': 1})",
        "take({})",
        flow="def take(t: T) -> None: ...",
    ),
    _dict(
        "keys that may be absent are said in two ways",
        "x: NotRequired[int]",
        ", total=False):\n    x: int",
        "none",
        "none",
        "f().get('x')",
    ),
)

_SHOW = """\
def show(k: K) -> int:
    if k is K.A: return 1
    if k is K.B: return 2
    assert_never(k)
"""
_SHOW_C = _SHOW.replace("    assert_never", "    if k is K.C: return 3\n    assert_never")
_SHOW_A = _SHOW.replace("    if k is K.B: return 2\n", "")


def _enum(name, flow, program, uses="breaking", implements="breaking", *, after="K.C"):
    """Make a row of an enum that gets one more member, which its implementer has to declare."""
    stubs = (f"class K(Enum):\n    A = 1\n    B = 2\n{more}{flow}" for more in ("", "    C = 3\n"))
    before = _SHOW + program if "show" in program else program
    return Row(f"enum: one more member, {name}", *stubs, uses, implements, before, after)


ENUMS = (
    *(
        _enum(name, flow, f"show({got})")
        for name, flow, got in (
            ("returned", "def f() -> K: ...", "f()"),
            ("returned in a list", "def f() -> list[K]: ...", "f()[0]"),
            ("returned in a tuple", "def f() -> tuple[int, K]: ...", "f()[1]"),
            ("returned in a dict", "def f() -> dict[str, list[K]]: ...", "f()['a'][0]"),
            ("returned in a TypedDict", "class T(TypedDict):\n    k: K\ndef f() -> T: ...", "f()['k']"),
            (
                "returned in a list in a TypedDict",
                "class T(TypedDict):\n    k: list[K]\ndef f() -> T: ...",
                "f()['k'][0]",
            ),
            ("returned by an alias", "Kind: TypeAlias = K\ndef f() -> Kind: ...", "f()"),
            ("returned by an alias of a list", "Kinds: TypeAlias = list[K]\ndef f() -> Kinds: ...", "f()[0]"),
            ("yielded", "def f() -> Iterator[K]: ...", "next(f())"),
            ("an attribute", "class C:\n    k: K", "C().k"),
            ("of a property", "class C:\n    @property\n    def k(self) -> K: ...", "C().k"),
            (
                "returned by a method of what is returned",
                "class C:\n    def k(self) -> K: ...\ndef f() -> C: ...",
                "f().k()",
            ),
            ("a constant", "KIND: K", "KIND"),
        )
    ),
    _enum(
        "given to a callback",
        "def f(c: Callable[[K], None]) -> None: ...",
        "def c(k: K) -> None: show(k)\nf(c)",
    ),
    _enum("taken", "def f(k: K) -> None: ...", "f(K.A)", "compatible", "breaking", after="f(K.C)"),
    _enum("taken in a list", "def f(k: list[K]) -> None: ...", "f([K.A])", "compatible", "breaking", after="f([K.C])"),
    _enum(
        "taken in a TypedDict",
        "class T(TypedDict):\n    k: K\ndef f(t: T) -> None: ...",
        "f({'k': K.A})",
        "compatible",
        "breaking",
        after="f({'k': K.C})",
    ),
    _enum(
        "returned by a callback",
        "def f(c: Callable[[], K]) -> None: ...",
        "f(lambda: K.A)",
        "compatible",
        "breaking",
        after="f(lambda: K.C)",
    ),
    _enum(
        "taken and returned",
        "def f(k: K) -> K: ...",
        "show(f(K.A))",
        "breaking",
        "breaking",
        after="f(K.C)",
    ),
    Row(
        "enum: a returned member is gone",
        "class K(Enum):\n    A = 1\n    B = 2\ndef f() -> K: ...",
        "class K(Enum):\n    A = 1\ndef f() -> K: ...",
        "breaking",
        "breaking",
        _SHOW + "show(f())\nK.B",
        _SHOW_A + "show(f())",
    ),
    Row(
        "enum: a taken member is gone",
        "class K(Enum):\n    A = 1\n    B = 2\ndef f(k: K) -> None: ...",
        "class K(Enum):\n    A = 1\ndef f(k: K) -> None: ...",
        "breaking",
        "compatible",
        "f(K.B)",
        "f(K.A)",
    ),
    Row(
        "enum: members stand in another order",
        "class K(Enum):\n    A = 1\n    B = 2\ndef f() -> K: ...",
        "class K(Enum):\n    B = 2\n    A = 1\ndef f() -> K: ...",
        "none",
        "none",
        _SHOW + "show(f())",
    ),
    Row(
        "enum: a member has another value",
        "class K(Enum):\n    A = 1",
        "class K(Enum):\n    A = 2",
        "breaking",
        "breaking",
        "assert K(1) is K.A",
        "assert K(2) is K.A",
        ("class K(Enum):\n    A = 1", "class K(Enum):\n    A = 2"),
    ),
    Row(
        "enum: members are numbers no more",
        "class K(IntEnum):\n    A = 1",
        "class K(Enum):\n    A = 1",
        "breaking",
        "compatible",
        "K.A + 1",
        "K.A.value + 1",
    ),
    Row(
        "enum: members are strings too",
        "class K(Enum):\n    A = 'a'",
        "class K(StrEnum):\n    A = 'a'",
        "compatible",
        "breaking",
        "K.A.value.upper()",
        "K.A.upper()",
    ),
)

ROWS = (*DATACLASSES, *TUPLES, *DICTS, *ENUMS)
