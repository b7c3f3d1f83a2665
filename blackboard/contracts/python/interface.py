"""What a contract declares, as syntax: each name and member with the statements that declare it.

Held against code by `conform` (by syntax) and `probe` (by a type checker).
"""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass

from blackboard.contracts.python.aliases import expanded

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef

ENUMS = frozenset({"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"})
_YIELDED = frozenset({"AsyncGenerator", "AsyncIterable", "AsyncIterator"})
# Why only these: all others are called by operators and the like, which pass their arguments by place.
_CALLED_BY_NAME = frozenset({"__init__", "__new__", "__call__", "__init_subclass__", "__post_init__"})
_TYPE_VARIABLES = frozenset({"TypeVar", "ParamSpec", "TypeVarTuple"})


@dataclass(frozen=True, slots=True)
class Declared:
    """A name or member of a contract.

    Attributes:
        path: The facet: `Note.rename`.
        nodes: The statements that declare it, several for overloads and properties.
        owner: The class that it stands in, None for a name of the module.
    """

    path: str
    nodes: tuple[ast.stmt, ...]
    owner: ast.ClassDef | None = None

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition(".")[2]

    @property
    def node(self) -> ast.stmt:
        """The first statement that declares it."""
        return self.nodes[0]

    @property
    def said(self) -> str:
        """What the contract says of it, in one line."""
        return " ".join(text_of(_heading(self.node), self.path).split()).removesuffix(" ...").removesuffix(":")


def declared(tree: ast.Module) -> tuple[Declared, ...]:
    """Return everything that a contract declares, in its order; type variables are nobody's interface."""
    return tuple(one for one in _declared(iter(statements(tree)), "", None) if not is_type_variable(one.node))


def statements(tree: ast.Module) -> list[ast.stmt]:
    """Return a contract's statements, also under `if TYPE_CHECKING:`, each alias of a function or class written out."""
    return expanded(as_written(tree))


def as_written(tree: ast.Module) -> list[ast.stmt]:
    """Return a contract's statements as they stand there, also those under `if TYPE_CHECKING:`."""
    return [part for one in tree.body for part in (one.body if isinstance(one, ast.If) else [one])]


def shapes(nodes: Iterable[ast.stmt]) -> frozenset[str]:
    """Return the private aliases, protocols and typed dictionaries: a contract's own words, that no code holds."""
    found: set[str] = set()
    for node in nodes:
        for name in declared_names(node):
            bases = {last_name(base) for base in node.bases} if isinstance(node, ast.ClassDef) else set[str]()
            if name.startswith("_") and (is_alias(node) or bases & {"Protocol", "TypedDict", *found}):
                found.add(name)
    return frozenset(found)


def is_alias(node: ast.stmt) -> bool:
    """Say whether a statement gives a type another name."""
    if isinstance(node, ast.AnnAssign):
        return last_name(node.annotation) == "TypeAlias"
    return isinstance(node, ast.Assign) and isinstance(node.value, ast.Name | ast.Attribute | ast.Subscript | ast.BinOp)


def is_type_variable(node: ast.stmt) -> bool:
    """Say whether a statement makes a type variable."""
    value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
    return isinstance(value, ast.Call) and last_name(value.func) in _TYPE_VARIABLES


def text_of(node: ast.AST, otherwise: str) -> str:
    """Spell a part of a contract; something else where it is nested too deeply, as a union of thousands is."""
    try:
        return ast.unparse(ast.fix_missing_locations(node))
    except RecursionError:
        return otherwise


def last_name(node: ast.expr | None) -> str:
    """Return the last part of a plain or dotted name, also of one that is called or subscripted; "" of all else."""
    while isinstance(node, ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def decorators(node: ast.stmt) -> tuple[str, ...]:
    """Return the last parts of the names of what decorates a function or class."""
    return tuple(last_name(one) for one in getattr(node, "decorator_list", ()))


def is_awaited(node: FunctionNode) -> bool:
    """Say whether a call is awaited; `async def` that gives an AsyncIterator is written for what yields its items."""
    return isinstance(node, ast.AsyncFunctionDef) and last_name(node.returns) not in _YIELDED


def is_operator(name: str) -> bool:
    """Say whether a method is called by the language, which names no parameter: `__exit__`, `__getitem__`, `__eq__`."""
    return name.startswith("__") and name.endswith("__") and name not in _CALLED_BY_NAME


def members(node: ast.ClassDef) -> Mapping[str, Sequence[ast.stmt]]:
    """Return member -> the statements in the class' body that declare it."""
    found: dict[str, list[ast.stmt]] = {}
    for statement in node.body:
        for name in declared_names(statement):
            found.setdefault(name, []).append(statement)
    return found


def _declared(body: Iterator[ast.stmt], prefix: str, owner: ast.ClassDef | None) -> Iterator[Declared]:
    found: dict[str, list[ast.stmt]] = {}
    for statement in body:
        for name in declared_names(statement):
            found.setdefault(name, []).append(statement)
    for name, nodes in found.items():
        yield Declared(prefix + name, tuple(nodes), owner)
        if isinstance(nodes[0], ast.ClassDef):
            yield from _declared(iter(nodes[0].body), f"{prefix}{name}.", nodes[0])


def declared_names(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement declares."""
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield statement.name
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name
        case ast.Assign():
            yield from (target.id for target in statement.targets if isinstance(target, ast.Name))
        case ast.ImportFrom():
            yield from (one.name for one in statement.names if one.asname == one.name)


def _heading(node: ast.stmt) -> ast.stmt:
    """Return a statement without its body and what decorates it."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return node
    bare = copy(node)
    bare.body, bare.decorator_list = [ast.Expr(ast.Constant(...))], []
    return bare
