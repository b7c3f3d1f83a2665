"""A component's code as the type checker reads it: nothing silences it, and the contract says what is returned.

Where a function of the contract says nothing of what it returns, or says `Any`, a checker would believe whatever its
body does. So the contract's word is written into it, by a name that stands in the probe. No line moves.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from blackboard.contracts.python.interface import FunctionNode, decorators, last_name
from blackboard.contracts.python.modules import Module, bases
from blackboard.contracts.python.source import parse_expression
from blackboard.errors import InvalidContract

SETTING = "conformance_probe.ini"

_SILENT = re.compile(r"#(\s*)(type:\s*ignore|mypy:)")
# Last, so that no line moves: a local name is what was last assigned to it, whatever it was before.
_REBINDS = "\n# mypy: allow-redefinition\n"
_UNCHECKED = re.compile(r"\bno_type_check\b")
# Between the last parameter of a function, or its name, and the colon before its body.
_REST = re.compile(rb"(?:[\s,()/\\]|#[^\n]*)*+:")
_NAME = re.compile(rb"(?:async\s+)?def\s+\w+\s*\(")
_SAYING_NOTHING = frozenset({"abstractmethod", "final", "no_type_check", "override"})
_AS_THEY_RUN = frozenset({"__init__", "__new__"})


@dataclass(frozen=True, slots=True)
class Body:
    """A function of a component that a contract declares.

    Attributes:
        module: Where it stands.
        node: What it is there.
        facet: Of the contract.
        probe: The path of the contract's probe.
        result: The name in the probe of what it returns by the contract, "" where it has none.
        declares: What the contract says of it.
    """

    module: Module
    node: FunctionNode
    facet: str
    probe: str
    result: str
    declares: ast.stmt

    def holds(self, path: str, line: int) -> bool:
        """Say whether a line is of this function."""
        return path == self.module.path and self.node.lineno <= line <= (self.node.end_lineno or self.node.lineno)

    @property
    def may_return_none(self) -> bool:
        """Say whether it may end without `return`, by what it says that it returns or else by the contract."""
        said = self.declares if self.is_given else self.node
        return isinstance(said, FunctionNode) and _holds_none(said.returns)

    @property
    def is_given(self) -> bool:
        """Say whether the contract says what it returns, and not the code."""
        node = self.node
        said = set(decorators(node)) ^ set(decorators(self.declares))
        return (
            bool(self.result)
            and type(node) is type(self.declares)
            and not said - _SAYING_NOTHING
            and node.name not in _AS_THEY_RUN
            and (node.returns is None or last_name(node.returns) == "Any")
        )


def laid(files: Mapping[str, str], bodies: Iterable[Body], others: Iterable[str] = ()) -> dict[str, str]:
    """Return path -> text of what the checker reads in place of the component's files, and its configuration.

    Args:
        files: path -> text of the component's files.
        bodies: Its functions that contracts declare.
        others: The paths of the files of other components that it reads too.
    """
    given: dict[str, dict[int, Body]] = {}
    for body in bodies:
        if body.is_given:
            given.setdefault(body.module.path, {}).setdefault(body.node.lineno, body)
    begins = bases({**dict.fromkeys(others, ""), **files})
    found = {SETTING: f"[mypy]\nmypy_path = {':'.join(begins)}\n"}
    for path, text in files.items():
        if path.endswith(".py"):
            found[path] = heard(_with_results(text, [*given.get(path, {}).values()])) + _REBINDS
    return found


def heard(text: str) -> str:
    """Return code without what would silence the checker; no line moves."""
    return _UNCHECKED.sub("final", _SILENT.sub(r"#\1", text))


def _holds_none(of: ast.expr | None) -> bool:
    """Say whether None is of a type, by how it is written."""
    match of:
        case ast.Constant(value=str(text)):
            try:
                return _holds_none(parse_expression(text))
            except InvalidContract:
                return False
        case ast.BinOp(left=left, right=right):
            return _holds_none(left) or _holds_none(right)
        case ast.Subscript(slice=ast.Tuple(elts=parts)) if last_name(of) == "Union":
            return any(map(_holds_none, parts))
        case ast.Constant(value=None):
            return True
    return last_name(of) in ("Any", "Optional", "object")


def _with_results(text: str, bodies: Sequence[Body]) -> str:
    """Return code in which functions say what they return by the contract, and none that they never do."""
    if not bodies:
        return text
    content = text.removeprefix("\ufeff").encode(errors="surrogatepass")
    said = [(body.node, body.probe.removesuffix(".py"), body.result) for body in bodies]
    # Why those too: where one of them is called, the function around ends.
    known_lines = {node.lineno for node, _, _ in said}
    never = (node for node in bodies[0].module.tree.body if _never_returns(node) and node.lineno not in known_lines)
    said += [(node, "typing", "NoReturn") for node in never]
    begins = [0, *(match.end() for match in re.finditer(rb"\n", content))]
    imports: list[str] = []
    for node, module, result in sorted(said, key=lambda one: -one[0].lineno):
        place = _place(node, content, begins)
        if place is not None:
            name = f"{result.lstrip('_')}_{len(imports)}_"
            imports.append(f"from {module} import {result} as {name}\n")
            content = content[: place.start] + f' -> "{name}"'.encode() + content[place.stop :]
    return content.decode(errors="surrogatepass") + "\n" + "".join(imports)


def _never_returns(node: ast.stmt) -> TypeGuard[FunctionNode]:
    """Say whether a function that says nothing of it only ends by an error; one that is abstract may return yet."""
    if not isinstance(node, ast.FunctionDef) or node.returns is not None or not isinstance(node.body[-1], ast.Raise):
        return False
    ends = any(isinstance(one, ast.Return | ast.Yield | ast.YieldFrom) for one in ast.walk(node))
    return not ends and last_name(node.body[-1].exc) != "NotImplementedError" and not node.decorator_list


def _place(node: FunctionNode, content: bytes, begins: list[int]) -> slice | None:
    """Return where a function says what it returns, or would say it."""
    if node.returns is not None:
        start, stop = _at(node.returns, begins)
        start = content.rindex(b"->", 0, start)
        return slice(start, stop)
    last = max((_at(one, begins)[1] for one in _parameters(node)), default=0)
    if not last:
        name = _NAME.match(content, _at(node, begins)[0])
        last = name.end() if name else 0
    rest = _REST.match(content, last) if last else None
    return slice(rest.end() - 1, rest.end() - 1) if rest else None


def _at(node: ast.expr | ast.arg | ast.stmt, begins: list[int]) -> tuple[int, int]:
    return begins[node.lineno - 1] + node.col_offset, begins[(node.end_lineno or 1) - 1] + (node.end_col_offset or 0)


def _parameters(node: FunctionNode) -> Iterator[ast.expr | ast.arg]:
    for part in ast.iter_child_nodes(node.args):
        if isinstance(part, ast.expr | ast.arg):
            yield part
