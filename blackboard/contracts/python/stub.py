"""The language `python`: from a stub to its facets.

`Note` is the facet of the class, `Note.id` of a field, `Note.rename` of a method, `create` of a function. Formatting,
imports and the order of declarations are in no facet; what an imported name stands for is. Docstrings document the
facets that they belong to. `__module__` is the facet of the stub's own docstring: its value is the module that this
states, null where it states none.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from blackboard.contracts.facets import Facets, Reading
from blackboard.contracts.python.aliases import expanded, second_names
from blackboard.contracts.python.classes import declare_class, declare_field, inherited_kinds
from blackboard.contracts.python.compare import compared
from blackboard.contracts.python.declarations import Class, Declaration, Kind, PublicNames, Reexport, Variable
from blackboard.contracts.python.docstrings import documentation
from blackboard.contracts.python.functions import declare_function, is_empty
from blackboard.contracts.python.interface import FunctionNode
from blackboard.contracts.python.mentions import mentioned
from blackboard.contracts.python.module_name import FACET as MODULE
from blackboard.contracts.python.module_name import stated_module
from blackboard.contracts.python.names import Names, imported
from blackboard.contracts.python.skeletons import skeleton
from blackboard.contracts.python.source import LANGUAGE, Source, check_size, read
from blackboard.contracts.python.spelling import Speller
from blackboard.spec.canonical import JSON
from blackboard.spec.effects import Comparison


@dataclass(frozen=True, slots=True)
class Stub:
    """A stub as read: its declarations by facet name, and their facets.

    Attributes:
        module: The dotted name that it states, None where its key says it.
        docs: Facet name -> the sentences of its docstrings.
    """

    source: Source
    declarations: Mapping[str, Declaration]
    facets: Mapping[str, JSON]
    module: str | None = None
    docs: Mapping[str, str] = field(default_factory=dict)


class Python:
    """The language `python`."""

    name = LANGUAGE

    def parse(self, text: str) -> Stub:
        """Read a stub; nothing in it is executed or imported.

        Raises:
            InvalidContract: It is not Python, or holds what does not belong in a stub.
            TooLarge: It has too many characters or words, or a name in it is too long.
        """
        check_size(text)
        return _Reader(read(text)).stub()

    def kept(self, text: str, body: Stub) -> str:  # noqa: ARG002 -- part of the protocol
        """Keep the text as it was written."""
        return text

    def facets(self, body: Stub) -> dict[str, JSON]:
        """Return one facet for each function, class, member, alias and constant."""
        return dict(body.facets)

    def compare(self, old: Reading[Stub], new: Reading[Stub]) -> Comparison:
        """Say for each changed declaration whom it breaks."""
        before, after = ((reading.body.declarations, reading.facets) for reading in (old, new))
        return Comparison(compared(before, after))

    def mentioned(self, body: Stub, names: Iterable[str]) -> frozenset[str]:
        """Return some facets and all that they name of the stub, and rest on by that."""
        return mentioned(body.declarations, body.facets, names)

    def skeleton(self, body: Stub) -> str:
        """Return a module with the same declarations, whose functions are not implemented."""
        return skeleton(body.source, body.declarations)


class _Reader:
    """Reads one stub, class by class."""

    def __init__(self, source: Source) -> None:
        self._source = source
        written = _statements(source.tree.body)
        self._statements = expanded(written)
        self._speller = Speller(source, Names(_declared(self._statements), imported(self._statements)))
        names = second_names(written)
        self._second_names = {alias: self._speller.names.resolve(name) for alias, name in names.items()}
        classes = [statement for statement in self._statements if isinstance(statement, ast.ClassDef)]
        self._kinds = inherited_kinds(
            {node.name: [self._speller.value(base) for base in node.bases] for node in classes}
        )
        self._found = Facets(LANGUAGE)
        self._declarations: dict[str, Declaration] = {}

    def stub(self) -> Stub:
        for statement in self._statements:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                self._read_import(statement)
            else:
                self._read(statement, None)
        declarations = {**self._declarations, **_with_members(self._declarations)}
        # Why only now: a function or property is complete when its last `def` has been read.
        facets: dict[str, JSON] = {name: declaration.facet() for name, declaration in declarations.items()}
        module = stated_module(self._source.tree)
        docs = documentation(self._source.tree)
        if module is not None or MODULE in docs:
            facets[MODULE] = module
        return Stub(self._source, declarations, facets, module, {name: docs[name] for name in facets if name in docs})

    def _read(self, statement: ast.stmt, owner: "_Owner | None") -> None:
        match statement:
            case ast.ClassDef():
                self._read_class(statement, owner)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._read_function(statement, owner)
            case ast.AnnAssign(target=ast.Name(id=name)):
                field = declare_field(
                    self._speller, statement, owner.node if owner else None, owner.kind if owner else None
                )
                if field is not None:
                    self._declare(name, field, statement, owner)
            case ast.Assign():
                self._read_assignment(statement, owner)
            case ast.Pass() | ast.Expr() if is_empty(statement):
                pass
            case _:
                raise self._source.refusal(statement, "this statement declares nothing: it does not belong in a stub")

    def _read_class(self, node: ast.ClassDef, owner: "_Owner | None") -> None:
        declared = declare_class(self._speller, node, self._kinds)
        if owner is None and node.name in self._second_names:
            declared = replace(declared, same_as=self._second_names[node.name])
        self._declare(node.name, declared, node, owner)
        inner = _Owner(_path(node.name, owner), node, declared.kind)
        for statement in node.body:
            self._read(statement, inner)

    def _read_function(self, node: FunctionNode, owner: "_Owner | None") -> None:
        path = _path(node.name, owner)
        existing = self._declarations.get(path)
        function = declare_function(self._speller, node, existing, method=owner is not None)
        if existing is None:
            self._declare(node.name, function, node, owner)
        self._declarations[path] = function

    def _read_assignment(self, node: ast.Assign, owner: "_Owner | None") -> None:
        for target in node.targets:
            if not isinstance(target, ast.Name):
                raise self._source.refusal(target, "a stub gives values to plain names only")
            public = _strings(node.value) if target.id == "__all__" else None
            value = Variable(None, self._speller.value(node.value)) if public is None else PublicNames(public)
            self._declare(target.id, value, node, owner)

    def _read_import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name == "*":
                raise self._source.refusal(node, "import by name: what `*` stands for is not in this text")
            if alias.asname == alias.name:
                self._declare(alias.name, Reexport(imported([node])[alias.name]), node, None)

    def _declare(self, name: str, declaration: Declaration, node: ast.stmt, owner: "_Owner | None") -> None:
        path = _path(name, owner)
        if path == MODULE:
            raise self._source.refusal(node, f"{path} is stated in the docstring: `module: NAME`")
        if path in self._declarations:
            raise self._source.refusal(node, f"{path} is declared twice")
        self._found.add(path, None)
        self._declarations[path] = declaration


@dataclass(frozen=True, slots=True)
class _Owner:
    """The class that a statement stands in."""

    path: str
    node: ast.ClassDef
    kind: Kind


def _path(name: str, owner: _Owner | None) -> str:
    return name if owner is None else f"{owner.path}.{name}"


def _with_members(declarations: Mapping[str, Declaration]) -> dict[str, Class]:
    """Return the classes of which it matters that they have no other members than these."""
    members: dict[str, list[str]] = {
        name: [] for name, one in declarations.items() if isinstance(one, Class) and one.is_closed
    }
    for path in declarations:
        owner, _, name = path.rpartition(".")
        if owner in members:
            members[owner].append(name)
    return {
        name: replace(one, members=tuple(sorted(members[name])))
        for name, one in declarations.items()
        if isinstance(one, Class) and name in members
    }


def _statements(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Return the statements of a module, with those under `if TYPE_CHECKING:` in its place."""
    found: list[ast.stmt] = []
    for statement in body:
        match statement:
            case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"), orelse=[]):
                found += statement.body
            case _:
                found.append(statement)
    return found


def _declared(statements: Sequence[ast.stmt]) -> Iterator[str]:
    for statement in statements:
        match statement:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                yield statement.name
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case ast.Assign():
                yield from (target.id for target in statement.targets if isinstance(target, ast.Name))


def _strings(node: ast.expr) -> tuple[str, ...] | None:
    if not isinstance(node, ast.List | ast.Tuple):
        return None
    values = [item.value for item in node.elts if isinstance(item, ast.Constant)]
    strings = tuple(value for value in values if isinstance(value, str))
    return strings if len(strings) == len(node.elts) else None
