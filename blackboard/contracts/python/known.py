"""The classes that everybody knows: what each of them is, and the variance of its arguments.

`int` is listed under `float` and that under `complex`, as type checkers promote them. A base is spelled as a type in
which `_0` and `_1` stand for the class' own arguments.
"""

import builtins
import collections.abc
import contextlib
import typing
from collections.abc import Iterable, Mapping

VARIANCE: Mapping[str, str] = {
    **dict.fromkeys(
        (
            *("list", "set", "MutableSequence", "MutableSet", "TypeIs", "collections.deque", "collections.Counter"),
            *("typing.IO", "re.Pattern", "re.Match", "weakref.ref", "weakref.ReferenceType"),
        ),
        "=",
    ),
    **dict.fromkeys(("dict", "MutableMapping", "collections.defaultdict", "collections.OrderedDict"), "=="),
    **dict.fromkeys(("Mapping", "collections.ChainMap"), "=+"),
    **dict.fromkeys(("Generator",), "+-+"),
    **dict.fromkeys(("Coroutine",), "+-+"),
    **dict.fromkeys(("AsyncGenerator",), "+-"),
    **dict.fromkeys(("ItemsView",), "++"),
    **dict.fromkeys(
        (
            *("TypeGuard", "tuple", "frozenset", "type", "Sequence", "Collection", "Container", "Iterable", "Iterator"),
            *("Reversible", "AbstractSet", "Awaitable", "AsyncIterable", "AsyncIterator", "KeysView", "ValuesView"),
            *("contextlib.AbstractContextManager", "contextlib.AbstractAsyncContextManager", "os.PathLike"),
        ),
        "+",
    ),
}
"""Class -> for each of its arguments `+` covariant, `-` contravariant, `=` invariant."""

ARGUMENTS = ("_0", "_1", "_2")

BASES: Mapping[str, tuple[str, ...]] = {
    "bool": ("int",),
    "int": ("float", "SupportsInt"),
    "float": ("complex", "SupportsFloat"),
    "str": ("Sequence[str]",),
    "bytes": ("Sequence[int]",),
    "bytearray": ("MutableSequence[int]",),
    "range": ("Sequence[int]",),
    "list": ("MutableSequence[_0]",),
    "tuple": ("Sequence[_0]",),
    "set": ("MutableSet[_0]",),
    "frozenset": ("AbstractSet[_0]",),
    "dict": ("MutableMapping[_0, _1]",),
    "collections.deque": ("MutableSequence[_0]",),
    "collections.defaultdict": ("dict[_0, _1]",),
    "collections.OrderedDict": ("dict[_0, _1]",),
    "collections.ChainMap": ("MutableMapping[_0, _1]",),
    "collections.Counter": ("dict[_0, int]",),
    "MutableSequence": ("Sequence[_0]",),
    "Sequence": ("Reversible[_0]", "Collection[_0]"),
    "Reversible": ("Iterable[_0]",),
    "Collection": ("Iterable[_0]", "Container[_0]", "Sized"),
    "MutableSet": ("AbstractSet[_0]",),
    "AbstractSet": ("Collection[_0]",),
    "KeysView": ("AbstractSet[_0]",),
    "ItemsView": ("AbstractSet[tuple[_0, _1]]",),
    "ValuesView": ("Collection[_0]",),
    "MutableMapping": ("Mapping[_0, _1]",),
    "Mapping": ("Collection[_0]",),
    "Iterator": ("Iterable[_0]",),
    "Generator": ("Iterator[_0]",),
    "AsyncIterator": ("AsyncIterable[_0]",),
    "AsyncGenerator": ("AsyncIterator[_0]",),
    "Coroutine": ("Awaitable[_2]",),
    "IntEnum": ("int", "Enum"),
    "StrEnum": ("str", "Enum"),
    "IntFlag": ("int", "Flag"),
    "Flag": ("Enum",),
    "TypeGuard": ("bool",),
    "TypeIs": ("bool",),
    "datetime.datetime": ("datetime.date",),
    "typing.TextIO": ("typing.IO[str]",),
    "typing.BinaryIO": ("typing.IO[bytes]",),
    "weakref.ref": ("weakref.ReferenceType[_0]",),
    "pathlib.PurePath": ("os.PathLike[str]",),
    "pathlib.Path": ("pathlib.PurePath",),
    "pathlib.PosixPath": ("pathlib.Path",),
    **dict.fromkeys(("Iterable", "Container", "Sized", "Awaitable", "AsyncIterable", "Hashable"), ()),
    **dict.fromkeys(("Enum", "ABC", "Protocol", "Generic", "NamedTuple", "TypedDict", "None", "Callable"), ()),
    **dict.fromkeys(("SupportsAbs", "SupportsBytes", "SupportsComplex", "SupportsIndex", "SupportsRound"), ()),
    **dict.fromkeys(("SupportsInt", "SupportsFloat", "os.PathLike", "uuid.UUID", "decimal.Decimal"), ()),
    **dict.fromkeys(("datetime.date", "datetime.time", "datetime.timedelta", "datetime.tzinfo"), ()),
    **dict.fromkeys(("fractions.Fraction", "types.ModuleType", "re.Pattern", "re.Match"), ()),
    **dict.fromkeys(("typing.IO", "weakref.ReferenceType"), ()),
    **dict.fromkeys(("contextlib.AbstractContextManager", "contextlib.AbstractAsyncContextManager"), ()),
}

STRUCTURAL = frozenset(
    """
    Iterable Iterator Container Sized Collection Reversible Awaitable AsyncIterable AsyncIterator Hashable SupportsInt
    SupportsFloat SupportsAbs SupportsBytes SupportsComplex SupportsIndex SupportsRound os.PathLike
    contextlib.AbstractContextManager contextlib.AbstractAsyncContextManager
    """.split()  # noqa: SIM905 -- a word list is read more easily than a list of words
)
"""Those that a class is by what it has, so that no list of bases tells."""

RESTRICTED: Mapping[str, tuple[str, ...]] = dict.fromkeys(
    ("typing.IO", "re.Pattern", "re.Match", "os.PathLike"), ("bytes", "str")
)
"""Class -> what its argument may be, where that may not be just any type."""


def is_resolved(name: str) -> bool:
    """Say whether a program can name a class: everybody knows it, or the module that it is imported from."""
    module, _, last = name.rpartition(".")
    return last.isidentifier() and not name.startswith(".") and (bool(module) or is_known(name))


def is_known(name: str) -> bool:
    """Say whether it is known what a class is."""
    return name in BASES or is_builtin(name)


def is_builtin(name: str) -> bool:
    """Say whether a class needs no import."""
    return isinstance(getattr(builtins, name, None), type)


def is_below(name: str, base: str) -> bool:
    """Say whether a known class is another or inherits from it."""
    return name == base or any(is_below(above.partition("[")[0], base) for above in bases(name))


def is_one(name: str, structural: str) -> bool | None:
    """Say whether instances of a builtin class have all that an abstract class of the standard library asks for."""
    name_there = structural.removeprefix("contextlib.")
    homes = (collections.abc, typing) if name_there == structural else (contextlib,)
    asked = next((found for home in homes if (found := getattr(home, name_there, None))), None)
    if not isinstance(asked, type):
        return False
    # Why not a class itself: what it is, its metaclass says.
    return None if name == "type" and structural != "Hashable" else issubclass(getattr(builtins, name), asked)


def bases(name: str) -> tuple[str, ...]:
    """Return the bases of a known class, `object` left out."""
    if name in BASES:
        return BASES[name]
    return tuple(base.__name__ for base in getattr(builtins, name).__bases__ if base is not object)


def lacks(name: str, members: Iterable[str]) -> bool:
    """Say whether a class that everybody knows has not all of some members."""
    found = type(None) if name == "None" else getattr(builtins, name, None) or getattr(typing, name, None)
    found = getattr(found, "__origin__", found)
    return isinstance(found, type) and not all(hasattr(found, member) for member in members)
