"""Two changes of one stub put together, declaration by declaration and member by member.

What is put together are the lines as they were written, comments included; whether they mean what was wanted is for
others to hold against the facets.
"""

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass

from blackboard.contracts.python.source import read
from blackboard.contracts.units import CannotMergeError, merged

PUBLIC = "__all__"
"""The list of public names, which is a set: what both add to it and take from it goes together."""

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")


@dataclass(frozen=True, slots=True)
class _Unit:
    """Statements that declare one name, with the lines above them that belong to no other.

    Attributes:
        lines: Of the whole stub.
        start, end: Its own are `lines[start:end]`.
    """

    name: str
    nodes: tuple[ast.stmt, ...]
    lines: Sequence[str]
    start: int
    end: int

    @property
    def text(self) -> str:
        return _whole("".join(self.lines[self.start : self.end]))

    @property
    def meaning(self) -> list[str]:
        return [ast.dump(node) for node in self.nodes]


def merge(base: str, ours: str, theirs: str) -> str:
    """Return our stub with what theirs changed of the base.

    Raises:
        CannotMergeError: Both change one declaration that has no members, or the lines cannot be told apart.
    """
    return "".join(merged(*(_read(text) for text in (base, ours, theirs)), both=_both))


def _read(text: str) -> list[_Unit]:
    source = read(text)
    lines = _LINE.findall(source.text)
    return _units(lines, [node for node in source.tree.body if node.lineno], 0, len(lines))


def _units(lines: Sequence[str], body: Sequence[ast.stmt], start: int, end: int) -> list[_Unit]:
    """Return the units of a body that stands in `lines[start:end]`."""
    units: list[_Unit] = []
    modules: set[str] = set()
    for node in body:
        last = node.end_lineno or start
        if min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))]) <= start:
            raise CannotMergeError
        name = _name(node)
        if isinstance(node, ast.ImportFrom):
            # A second import from one module has a name of its own.
            name = ast.unparse(node) if name in modules else name
            modules.add(name)
        again = units and units[-1].name == name and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if again or (units and name == '"'):
            # Overloads, the parts of a property, and the docs below a field.
            before = units.pop()
            units.append(_Unit(before.name, (*before.nodes, node), lines, before.start, last))
        else:
            units.append(_Unit(name, (node,), lines, start, last))
        start = last
    return [*units, _Unit("", (), lines, start, end)] if start < end else units


def _whole(text: str) -> str:
    return text if text.endswith(("\n", "\r")) else f"{text}\n"


def _name(node: ast.stmt) -> str:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return node.name
        case ast.AnnAssign(target=target) | ast.Assign(targets=[target]):
            return ast.unparse(target)
        case ast.Expr(value=ast.Constant(value=str())):
            return '"'
        case ast.ImportFrom():
            return f"from {'.' * node.level}{node.module or ''}"
        case ast.If():
            return f"if {ast.unparse(node.test)}"
    return ast.unparse(node)


def _both(base: _Unit, ours: _Unit, theirs: _Unit) -> str:
    """Return a declaration of which both change the text: one its layout alone, or each other members of a class."""
    if base.name == PUBLIC:
        return _public(base, ours, theirs)
    if base.name.startswith("from "):
        return _imports(base, ours, theirs)
    if ours.meaning == base.meaning:
        return theirs.text
    return ours.text if theirs.meaning == base.meaning else _class(base, ours, theirs)


def _public(*units: _Unit) -> str:
    """Return `__all__` with the names that both kept, in our order, and those that either added."""
    lists: list[list[str]] = []
    for unit in units:
        value = unit.nodes[0].value if isinstance(unit.nodes[0], ast.Assign) else None
        if not isinstance(value, ast.List | ast.Tuple):
            raise CannotMergeError
        lists.append([one.value for one in value.elts if isinstance(one, ast.Constant) and isinstance(one.value, str)])
    names = "".join(f"    {name!r},\n" for name in _kept(*lists))
    return f"{PUBLIC} = [\n{names}]\n"


def _imports(*units: _Unit) -> str:
    """Return an import from one module with the names that both kept and those that either added."""
    nodes = [unit.nodes[0] for unit in units]
    lists = [[ast.unparse(one) for one in node.names] for node in nodes if isinstance(node, ast.ImportFrom)]
    if len(lists) != len(units) or not (names := _kept(*lists)):
        raise CannotMergeError
    listed = "".join(f"    {name},\n" for name in names)
    return f"{units[0].name} import (\n{listed})\n"


def _kept(base: Sequence[str], ours: Sequence[str], theirs: Sequence[str]) -> list[str]:
    """Return names without what either dropped, in our order, and then what theirs added."""
    kept = [name for name in ours if name in theirs or name not in base]
    return [*kept, *(name for name in theirs if name not in ours and name not in base)]


def _class(base: _Unit, ours: _Unit, theirs: _Unit) -> str:
    """Return a class of which both change members, and at most one of them what stands above these."""
    (was, _, before), (mine, head, own), (other, their_head, their_own) = map(_parts, (base, ours, theirs))
    if mine not in (was, other) and other != was:
        raise CannotMergeError
    return (their_head if mine == was else head) + "".join(merged(before, own, their_own, both=_both))


def _parts(unit: _Unit) -> tuple[list[str], str, list[_Unit]]:
    """Return what stands above the members of a class, what of it has a meaning, its lines, and the members."""
    node = unit.nodes[0] if len(unit.nodes) == 1 else None
    if not isinstance(node, ast.ClassDef):
        raise CannotMergeError
    above: list[ast.expr | ast.keyword] = [*node.decorator_list, *node.bases, *node.keywords]
    first = min([node.body[0].lineno, *(one.lineno for one in getattr(node.body[0], "decorator_list", ()))])
    # Lines between the two, comments mostly, belong to the first member.
    last = max([node.lineno, *(one.end_lineno or 0 for one in above)])
    if first <= last:
        raise CannotMergeError
    head = "".join(unit.lines[unit.start : last])
    return [ast.dump(one) for one in above], head, _units(unit.lines, node.body, last, unit.end)
