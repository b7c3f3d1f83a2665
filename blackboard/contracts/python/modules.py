"""The Python files of a component as modules: what each binds, by syntax alone.

Which module holds a name of a contract: the one that defines it (`def`, `class`, an assignment); where none does, one
that imports it. Where several do, the one that defines most of the contract's names, or else that has most of them;
where that leaves several, the one that imports the name and defines more; or else none, and it is said which they are.
"""

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from blackboard.contracts.python.interface import last_name
from blackboard.contracts.python.source import count_words, read
from blackboard.errors import InvalidContract

MAX_CHARACTERS = 500_000
MAX_WORDS = 100_000
"""More of one component's code is not read: the parser takes up to half a second and 200 MB for so many words."""

_PLAIN = re.compile(r"[\w./-]+")
_FROM_SRC = re.compile(r"^[ \t]*(?:from|import)[ \t]+(?:\w+\.)*src\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Module:
    """A Python file.

    Attributes:
        name: Under which it is imported, None where it cannot be.
        bound: Name -> the statements that bind it, in the order of the file.
    """

    path: str
    name: str | None
    tree: ast.Module
    bound: Mapping[str, Sequence[ast.stmt]] = field(default_factory=dict)

    def defines(self, name: str) -> bool:
        """Say whether the file itself makes what the name stands for."""
        return any(not isinstance(one, ast.Import | ast.ImportFrom) for one in self.bound.get(name, ()))


@dataclass(frozen=True, slots=True)
class Modules:
    """The modules of some files, by path, and the Python files that cannot be read: path -> (line, why)."""

    found: tuple[Module, ...]
    unread: Mapping[str, tuple[int, str]]

    @classmethod
    def of(cls, files: Mapping[str, str], *, most: int = MAX_CHARACTERS, begins: Collection[str] = ()) -> "Modules":
        """Read the Python files among some, the smallest first, as long as they have no more characters together.

        Args:
            files: path -> text.
            most: So many characters.
            begins: The folders where imports begin beside the topmost one.
        """
        found: list[Module] = []
        unread: dict[str, tuple[int, str]] = {}
        left, words = most, MAX_WORDS
        for path, text in sorted(files.items(), key=lambda item: (len(item[1]), item[0])):
            if not path.endswith(".py"):
                continue
            left -= len(text)
            words -= count_words(text) if left >= 0 else 0
            if min(left, words) < 0:
                most_read = f"{most:,} characters or {MAX_WORDS:,} words"
                unread[path] = (0, f"more than {most_read} with the others; split the component")
                continue
            try:
                tree = read(text, grammar=-1).tree
            except InvalidContract as error:
                unread[path] = (error.line, error.why)
                continue
            bound: dict[str, list[ast.stmt]] = {}
            for name, statement in bindings(tree.body, when_run=True):
                if isinstance(statement, ast.Delete):
                    bound.pop(name, None)
                else:
                    bound.setdefault(name, []).append(statement)
            found.append(Module(path, module_name(path, begins), tree, bound))
        return cls(tuple(found), unread)

    def holders(self, names: Iterable[str]) -> dict[str, tuple[Module, ...]]:
        """Return name -> the module that holds it; none where none does, several where it cannot be told which."""
        wanted = list(names)
        defined = {
            module.path: (sum(map(module.defines, wanted)), sum(name in module.bound for name in wanted))
            for module in self.found
        }
        return {name: self._holding(name, defined) for name in wanted}

    def _holding(self, name: str, defined: Mapping[str, tuple[int, int]]) -> tuple[Module, ...]:
        having = [module for module in self.found if name in module.bound]
        best: tuple[Module, ...] = ()
        for among in ([module for module in having if module.defines(name)], having):
            most = max((defined[module.path] for module in among), default=None)
            first = tuple(module for module in among if defined[module.path] == most)
            if len(first) == 1:
                return first
            best = best or first
        return best


def imported_names(tree: ast.Module) -> set[str]:
    """Return the modules that code imports, or imports something of."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Call) and last_name(node.func) == "import_module":
            found |= {
                one.value for one in node.args[:1] if isinstance(one, ast.Constant) and isinstance(one.value, str)
            }
    return found


def bases(files: Mapping[str, str]) -> tuple[str, ...]:
    """Return the folders where imports begin beside the topmost one.

    Those are the ones called `src` that are no packages; none where the code itself imports from `src`.
    """
    code = {path: text for path, text in files.items() if path.endswith(".py")}
    if any(_FROM_SRC.search(text) for text in code.values()):
        return ()
    folders = (PurePosixPath(path).parts[:-1] for path in code)
    found = {"/".join(parts[: parts.index("src") + 1]) for parts in folders if "src" in parts}
    return tuple(sorted(one for one in found if _PLAIN.fullmatch(one) and f"{one}/__init__.py" not in code))


def module_name(path: str, begins: Iterable[str] = ()) -> str | None:
    """Return the name under which a file is imported, None where it cannot be.

    Args:
        path: Of the file.
        begins: The folders where imports begin beside the topmost one.
    """
    for base in begins:
        path = path.removeprefix(f"{base}/")
    parts = PurePosixPath(path).with_suffix("").parts
    if len(parts) > 1 and parts[-1] == "__init__":
        parts = parts[:-1]
    return ".".join(parts) if all(part.isidentifier() for part in parts) else None


def bindings(statements: Sequence[ast.stmt], *, when_run: bool = False) -> Iterator[tuple[str, ast.stmt]]:
    """Yield what statements bind in their scope, those inside `if`, `try`, `with` and loops included.

    Args:
        statements: Of a scope.
        when_run: Only what is there once the code was imported: nothing that only a type checker or a script comes to,
            and no name without a value; and what is deleted, by the statement that does it.
    """
    pending = list(reversed(statements))
    while pending:
        statement = pending.pop()
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield statement.name, statement
            case ast.Import() | ast.ImportFrom():
                yield from ((one.asname or one.name.partition(".")[0], statement) for one in statement.names)
            case ast.Assign():
                yield from ((name, statement) for target in statement.targets for name in _names(target))
            case ast.AnnAssign() | ast.AugAssign():
                if statement.value is not None or not when_run:
                    yield from ((name, statement) for name in _names(statement.target))
            case ast.Delete() if when_run:
                yield from ((name, statement) for target in statement.targets for name in _names(target))
            case ast.If() | ast.While() if when_run and (holds := _holds(statement.test)) is not None:
                pending.extend(reversed(statement.body if holds else statement.orelse))
            case ast.If() | ast.For() | ast.While() | ast.Try() | ast.With():
                pending.extend(reversed(_inner(statement)))


def _inner(statement: ast.stmt) -> list[ast.stmt]:
    """Return the statements in one; without what is deleted on a condition, for that may be there."""
    dropped = ast.Delete if isinstance(statement, ast.If) else ()
    inner = [part for part in ast.iter_child_nodes(statement) if isinstance(part, ast.stmt)]
    handled = [one for part in getattr(statement, "handlers", ()) for one in part.body]
    return [one for one in [*inner, *handled] if not isinstance(one, dropped)]


def _holds(test: ast.expr) -> bool | None:
    """Say whether a condition holds when code is imported, None where that depends."""
    turned = False
    while isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        test, turned = test.operand, not turned
    match test:
        case ast.Constant(value=value):
            return bool(value) is not turned
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return turned
        case ast.Compare(left=ast.Name(id="__name__"), ops=[ast.Eq()], comparators=[ast.Constant(value="__main__")]):
            return turned
    return None


def _names(target: ast.expr) -> Iterator[str]:
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Tuple | ast.List):
        yield from (item.id for item in target.elts if isinstance(item, ast.Name))
