"""What a name in a stub stands for.

An imported name stands for where it comes from, so `UUID` after `from uuid import UUID` is `uuid.UUID`. Old spellings
stand for new ones (`typing.List` is `list`), the everyday names of `typing`, `collections.abc`, `dataclasses`, `enum`
and `abc` for themselves, imported or not. What is neither imported nor declared is opaque: compared by its spelling.
"""

import ast
import builtins
from collections.abc import Iterable

from blackboard.errors import TooLarge

_EVERYDAY_MODULES = frozenset(
    {"typing", "typing_extensions", "collections.abc", "dataclasses", "enum", "abc", "builtins"}
)
_EVERYDAY = frozenset(
    """
    ABC ABCMeta AbstractSet Annotated Any AnyStr AsyncGenerator AsyncIterable AsyncIterator Awaitable Callable ClassVar
    Collection Concatenate Container Coroutine Enum EnumMeta Final Flag Generator Generic Hashable InitVar IntEnum
    IntFlag ItemsView Iterable Iterator KW_ONLY KeysView Literal LiteralString Mapping MappingView MutableMapping
    MutableSequence MutableSet NamedTuple Never NewType NoReturn NotRequired Optional ParamSpec Protocol ReadOnly
    Required Reversible Self Sequence Sized StrEnum SupportsAbs SupportsBytes SupportsComplex SupportsFloat
    SupportsIndex SupportsInt SupportsRound TypeAlias TypeGuard TypeIs TypeVar TypeVarTuple TypedDict Union Unpack
    ValuesView abstractmethod abstractproperty auto dataclass dataclass_transform deprecated field final overload
    override runtime_checkable type_check_only unique
    """.split()  # noqa: SIM905 -- a word list is read more easily than a list of words
)
_NEW_SPELLINGS = {
    "AsyncContextManager": "contextlib.AbstractAsyncContextManager",
    "ChainMap": "collections.ChainMap",
    "ContextManager": "contextlib.AbstractContextManager",
    "Counter": "collections.Counter",
    "DefaultDict": "collections.defaultdict",
    "Deque": "collections.deque",
    "Dict": "dict",
    "EnvironmentError": "OSError",
    "FrozenSet": "frozenset",
    "IOError": "OSError",
    "List": "list",
    "Match": "re.Match",
    "OrderedDict": "collections.OrderedDict",
    "Pattern": "re.Pattern",
    "Set": "set",
    "Text": "str",
    "Tuple": "tuple",
    "Type": "type",
}
_UNIMPORTED_TOO = frozenset({"Dict", "EnvironmentError", "FrozenSet", "IOError", "List", "Set", "Tuple", "Type"})

_MAX_RESOLVED_BYTES = 8_388_608


class Names:
    """The names of one stub.

    A name that the stub declares itself stands for itself; where it hides a name that everybody knows, it is spelled
    `this.name`, so that the two are never taken for one another.
    """

    def __init__(self, declared: Iterable[str], imported: dict[str, str]) -> None:
        self._declared = frozenset(declared)
        self._imported = imported
        self._resolved_bytes = 0

    def resolve(self, dotted: str) -> str:
        """Return what a name or dotted name stands for.

        Raises:
            TooLarge: The stub's names together stand for more text than a contract may have.
        """
        resolved = self._resolve(dotted)
        # Why: one long module name before very many short names is a small text and vast facets.
        self._resolved_bytes += len(resolved)
        if self._resolved_bytes > _MAX_RESOLVED_BYTES:
            raise TooLarge("resolved names", self._resolved_bytes, _MAX_RESOLVED_BYTES)
        return resolved

    def _resolve(self, dotted: str) -> str:
        first, dot, rest = dotted.partition(".")
        if first in self._declared:
            return f"this.{dotted}" if hides(first) else dotted
        if first in self._imported:
            return _canonical(f"{self._imported[first]}{dot}{rest}")
        return _NEW_SPELLINGS[first] if dotted in _UNIMPORTED_TOO else dotted


def hides(name: str) -> bool:
    """Say whether a stub that declares a name hides one that everybody knows."""
    return name in _EVERYDAY or name in _UNIMPORTED_TOO or hasattr(builtins, name)


def imported(statements: Iterable[ast.stmt]) -> dict[str, str]:
    """Return the names that imports bind: name -> what it stands for."""
    found: dict[str, str] = {}
    for statement in statements:
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                top = alias.name.partition(".")[0]
                found[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(statement, ast.ImportFrom) and statement.module != "__future__":
            module = "." * statement.level + (f"{statement.module}." if statement.module else "")
            found |= {alias.asname or alias.name: module + alias.name for alias in statement.names}
    return found


def _canonical(dotted: str) -> str:
    module, _, name = dotted.rpartition(".")
    if dotted == "_typeshed.Incomplete":
        return "Any"  # what a stub's author, or the tool that wrote it, did not find out
    if module not in _EVERYDAY_MODULES:
        return dotted
    if module == "collections.abc":
        return {"Set": "AbstractSet"}.get(name, name if name in _EVERYDAY else dotted)
    if module in ("typing", "typing_extensions") and name in _NEW_SPELLINGS:
        return _NEW_SPELLINGS[name]
    return name if module == "builtins" or name in _EVERYDAY else dotted
