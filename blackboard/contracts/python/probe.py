"""Code against a contract by a type checker: a module of claims, each of which the checker refutes or not.

The classes that the contract declares are those of the component; everything else in a claim is as the contract says.
Each claim is a function whose body is one line; what the checker says of that line is about the facet, what it says of
other lines (a name that cannot be resolved) is about the contract, and is nobody's finding. Users call, construct and
read, so that is what is claimed. What is decorated by something unknown is not claimed anything of.
"""

import abc
import ast
import builtins
import collections.abc
import dataclasses
import enum
import re
import typing
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from blackboard.contracts.python.aliases import second_names
from blackboard.contracts.python.bare import MANAGERS, as_run, bare, by_self, called, returning, self_of, unbound
from blackboard.contracts.python.interface import (
    ENUMS,
    Declared,
    FunctionNode,
    as_written,
    declared,
    decorators,
    is_alias,
    is_awaited,
    is_type_variable,
    last_name,
    members,
    shapes,
    statements,
    text_of,
)
from blackboard.contracts.python.modules import bindings
from blackboard.contracts.python.source import Source

Line = tuple[str, str]
"""A line of the probe, and the facet that it claims something of ("" for none)."""

UNSEEN = "unused-ignore"
"""The code of what the checker says of a member that nothing it can read has."""

_SELF = re.compile(r"\b(?:\w+\.)?Self\b")
_NOT_BASES = frozenset({"ABC", "Generic", "NamedTuple", "Protocol", "TypedDict", "object"})
_SAYING_NOTHING = frozenset({"abstractmethod", "deprecated", "final", "override", "overload", "type_check_only"})
_GETTERS = frozenset({"property", "cached_property", "abstractproperty"})
_OF_CLASS = frozenset({"staticmethod", "classmethod"})
_WRAPPERS = frozenset({"ClassVar", "Final", "NotRequired", "ReadOnly", "Required"})


def result_of(facet: str) -> str:
    """Return the name in a probe of what a function of the contract returns."""
    return f"_result_{facet.replace('.', '__')}"


def probe(
    source: Source, modules: Mapping[str, str], *, without: Iterable[str] = (), unseen: Collection[str] = ()
) -> tuple[Line, ...]:
    """Return the probe of a contract.

    Args:
        source: The contract.
        modules: Name of the contract -> the module of the component that holds it.
        without: Facets of which nothing is claimed: what is known to differ already.
        unseen: Members that only a base beyond the component could have; the checker says `UNSEEN` of those that it
            sees nothing of either.
    """
    return tuple(_Probe(source, modules, frozenset(without), unseen).lines())


class _Probe:
    """Writes the probe of one contract."""

    def __init__(
        self, source: Source, modules: Mapping[str, str], without: frozenset[str], unseen: Collection[str]
    ) -> None:
        self._unseen = unseen
        self._statements = list(statements(source.tree))
        self._declared = [one for one in declared(source.tree) if one.path not in without]
        self._gone = {one.path for one in declared(source.tree) if one.owner is None and one.path not in modules}
        self._modules = modules
        self._shapes = shapes(self._statements)
        self._second_names = second_names(as_written(source.tree))
        self._classes = {one.name: one for one in self._statements if isinstance(one, ast.ClassDef)}
        self._variables = {
            target.id
            for one in self._statements
            if is_type_variable(one) and isinstance(one, ast.Assign)
            for target in one.targets
            if isinstance(target, ast.Name)
        }
        self._numbers = 0

    def lines(self) -> Iterator[Line]:
        yield "# mypy: warn-unused-ignores", ""
        yield "from __future__ import annotations", ""
        yield "import contextlib as _c", ""
        yield "import typing as _t", ""
        yield from ((line, "") for line in self._everyday())
        for number, module in enumerate(sorted(set(self._modules.values()))):
            yield f"import {module} as _m{number}", ""
        for statement in self._statements:
            yield from ((line, "") for text in self._given(statement) for line in text.split("\n"))
        for one in self._declared:
            if one.path.partition(".")[0] not in self._gone:
                yield from self._claims(one)

    def _everyday(self) -> Iterator[str]:
        """Import what everybody knows and the contract does not import."""
        known = {name for one in self._statements for name, _ in bindings([one])}
        used = {"Self"} | {node.id for one in self._statements for node in ast.walk(one) if isinstance(node, ast.Name)}
        for name in sorted(used - known - set(dir(builtins))):
            for module in (typing, collections.abc, enum, dataclasses, abc):
                if name in getattr(module, "__all__", dir(module)):
                    yield f"from {module.__name__} import {name}"
                    break

    def _given(self, statement: ast.stmt) -> Iterator[str]:
        """Let the names of a statement mean what they mean in the contract; classes are the component's."""
        match statement:
            case ast.ImportFrom(module="__future__"):
                return
            case ast.Import() | ast.ImportFrom():
                yield text_of(statement, "")
            case ast.ClassDef(name=name):
                is_own = name in self._shapes and name not in self._modules
                yield text_of(statement, "") if is_own else self._own(name)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=function)):
                yield self._own(name) if last_name(function) == "NewType" else text_of(statement, "")
            case ast.Assign(targets=[ast.Name()]) | ast.AnnAssign() if is_alias(statement):
                yield text_of(statement, "")

    def _own(self, name: str) -> str:
        if name not in self._modules:
            return f"{name}: _t.TypeAlias = _t.Any"
        return f"from {self._modules[name]} import {name} as {name}"

    # --- claims ---

    def _claims(self, one: Declared) -> Iterator[Line]:
        node = one.node
        if isinstance(node, ast.ClassDef):
            yield from self._class(one, node)
        elif isinstance(node, FunctionNode):
            yield from self._function(one, [node for node in one.nodes if isinstance(node, FunctionNode)])
        elif isinstance(node, ast.AnnAssign | ast.Assign):
            yield from self._variable(one, node)
        if one.path in self._unseen:
            # Why so: of a class whose base cannot be resolved, a checker never says that a name is missing. But only
            # there what is called for a missing name is of any type too, and nothing is left to silence.
            it = f"(it.{one.name}, it.__getattr__)"
            self._numbers += 1
            yield f"def _claim{self._numbers}(it: {self._type(one)}) -> None:", ""
            yield f"    _t.assert_type({it}, tuple[_t.Any, _t.Any])  # type: ignore", one.path

    def _claim(self, one: Declared, given: str, wanted: str, expression: str) -> Iterator[Line]:
        """Claim that an expression over what is given has the type that is wanted."""
        self._numbers += 1
        if wanted == "None":  # a checker takes no value where nothing is returned
            wanted, expression = "tuple[None]", f"({expression},)"
        yield f"def _claim{self._numbers}({given}) -> {wanted}:", ""
        yield f"    return {expression}", one.path

    def _protocol(
        self, nodes: Sequence[ast.stmt], variables: Sequence[str] = (), *, above: str = ""
    ) -> tuple[str, list[Line]]:
        self._numbers += 1
        name = f"_Protocol{self._numbers}"
        of = f"[{', '.join(variables)}]" if variables else ""
        text = "\n".join(text_of(node, "...") for node in nodes)
        body = [f"    {line}" for line in text.split("\n")]
        return name + of, [(line, "") for line in [f"class {name}({above}_t.Protocol{of}):", *body]]

    def _callable(self, one: Declared, nodes: Sequence[FunctionNode], expression: str) -> Iterator[Line]:
        """Claim that something can be called as functions say."""
        wanted, lines = self._protocol([called(node) for node in nodes])
        # Why by its name: here `Self` would be what is called, and not what the call is made of.
        yield from ((_SELF.sub(self._type(one), line), facet) for line, facet in lines) if one.owner else lines
        yield from self._claim(one, "", wanted, expression)

    def _reach(self, one: Declared) -> str:
        """Return the expression for a name or member of the component."""
        first, dot, rest = one.path.partition(".")
        return f"_m{sorted(set(self._modules.values())).index(self._modules[first])}.{first}{dot}{rest}"

    def _result(self, one: Declared, returns: ast.expr | None) -> Iterator[Line]:
        """Name what a function returns, where that means the same outside of the function and its class."""
        if returns is not None and _names(returns).isdisjoint({"Self", *self._variables}):
            yield f"{result_of(one.path)}: _t.TypeAlias = {_text(returns)}", ""

    def _made_by(self, node: FunctionNode, one: Declared) -> str:
        """Return what a constructor makes: what its first parameter is said to be, or else its class."""
        said = self_of(node)
        return self._type(one) if said is None else _text(said)

    def _function(self, one: Declared, nodes: Sequence[FunctionNode]) -> Iterator[Line]:
        nodes = [as_run(node) for node in nodes]
        if len(one.nodes) == 1:
            yield from self._result(one, nodes[0].returns)
        extra = set(decorators(nodes[0])) - _SAYING_NOTHING
        owner = one.owner
        nodes = nodes if owner is None else [by_self(node, self._variables) for node in nodes]
        if owner is None or extra & _OF_CLASS:
            if extra <= _OF_CLASS | MANAGERS.keys():
                bound = [unbound(node) if "classmethod" in extra else node for node in nodes]
                yield from self._callable(one, bound, self._reach(one))
        elif one.name == "__init__":
            made = [returning(unbound(node), self._made_by(node, one)) for node in nodes]
            if not self._is_abstract(owner):
                yield from self._callable(one, made, self._reach(one).removesuffix(".__init__"))
        elif extra & _GETTERS:
            yield from self._property(one, nodes)
        elif extra <= MANAGERS.keys() and one.name not in ("__new__", "__init_subclass__", "__class_getitem__"):
            variables = self._variables_of(owner)
            wanted, lines = self._protocol([bare(node) for node in nodes], variables)
            yield from lines
            yield from self._claim(one, f"it: {self._type(one)}", wanted, "it")
            if any("Self" in _names(node) or self_of(node) is not None for node in nodes):
                return
            # Why again: whatever has a base that cannot be resolved fits every protocol.
            wanted, lines = self._protocol([called(unbound(node)) for node in nodes], variables)
            yield from lines
            yield from self._claim(one, f"it: {self._type(one)}", wanted, f"it.{one.name}")

    def _property(self, one: Declared, nodes: Sequence[FunctionNode]) -> Iterator[Line]:
        it, given = f"it: {self._type(one)}", _text(nodes[0].returns)
        read = f"_t.Awaitable[{given}]" if is_awaited(nodes[0]) else given
        yield from self._claim(one, it, read, f"it.{one.name}")
        for node in nodes[1:]:
            values = node.args.args[1:]
            if "setter" in decorators(node) and values:
                self._numbers += 1
                yield f"def _claim{self._numbers}({it}, value: {_text(values[0].annotation)}) -> None:", ""
                yield f"    it.{one.name} = value", one.path

    def _variable(self, one: Declared, node: ast.AnnAssign | ast.Assign) -> Iterator[Line]:
        annotation = node.annotation if isinstance(node, ast.AnnAssign) else None
        if one.owner is not None:
            yield from self._field(one, one.owner, node)
        elif isinstance(node.value, ast.Call) and last_name(node.value.func) == "NewType":
            base = _text(node.value.args[1]) if len(node.value.args) > 1 else "_t.Any"
            yield from self._claim(one, f"it: {base}", one.name, f"{self._reach(one)}(it)")
            yield from self._claim(one, f"it: {one.name}", base, "it")
        elif is_alias(node):
            alias = _text(node.value)
            yield from self._claim(one, f"it: {alias}", self._reach(one), "it")
            yield from self._claim(one, f"it: {self._reach(one)}", alias, "it")
        else:
            yield from self._claim(one, "", _plain(annotation), self._reach(one))

    def _field(self, one: Declared, owner: ast.ClassDef, node: ast.AnnAssign | ast.Assign) -> Iterator[Line]:
        annotation = node.annotation if isinstance(node, ast.AnnAssign) else None
        bases = self._ancestry(owner)
        if bases & ENUMS:
            yield from self._claim(one, "", self._type(one), self._reach(one))
        elif "TypedDict" in bases:
            yield from self._claim(one, f"it: {self._type(one)}", _plain(annotation), f"it[{one.name!r}]")
        elif last_name(annotation) == "ClassVar" or (annotation is None and not is_alias(node)):
            yield from self._claim(one, "", _plain(annotation), self._reach(one))
        elif (kind := self._classes.get(last_name(annotation))) is not None and "__get__" in members(kind):
            # Why not by its own type: what is read of a descriptor is what that gives.
            self._numbers += 1
            yield f"class _Holding{self._numbers}:", ""
            yield f"    it: {_text(annotation)}", ""
            yield f"def _claim{self._numbers}(it: {self._type(one)}, held: _Holding{self._numbers}) -> None:", ""
            yield "    read = held.it", ""
            yield f"    read = it.{one.name}", one.path
        elif last_name(annotation) not in ("KW_ONLY", "InitVar"):
            # Why of an instance what the class gives another name: by a generic class itself it cannot be read.
            yield from self._claim(one, f"it: {self._type(one)}", _plain(annotation), f"it.{one.name}")

    # --- classes ---

    def _class(self, one: Declared, node: ast.ClassDef) -> Iterator[Line]:
        own = self._type(one, of=node)
        for base in node.bases:
            if last_name(base) not in _NOT_BASES:
                yield from self._claim(one, f"it: {own}", _text(base), "it")
        if one.path in self._second_names:
            same = f"{self._second_names[one.path]}{own.removeprefix(one.path)}"
            yield from self._claim(one, f"it: {own}", same, "it")
            yield from self._claim(one, f"it: {same}", own, "it")
        bases = self._ancestry(node)
        if not self._is_abstract(node):
            self._numbers += 1
            yield f"_made{self._numbers}: type[{one.path}] = {self._reach(one)}", one.path
        fields = list(self._fields(node))
        if "Protocol" in {last_name(base) for base in node.bases}:
            above = "".join(f"{_text(base)}, " for base in node.bases if last_name(base) not in _NOT_BASES)
            wanted, lines = self._protocol(node.body, self._variables_of(node), above=above)
            yield from lines
            yield from self._claim(one, f"it: {wanted}", own, "it")
        elif "TypedDict" in bases:
            required = [(name, node) for name, node, optional in fields if not optional]
            given = ", ".join(f"{name}: {_plain(node.annotation)}" for name, node in required)
            written = ", ".join(f"{name!r}: {name}" for name, _ in required)
            yield from self._claim(one, given, own, f"{{{written}}}")
        elif "NamedTuple" in bases:
            items = ", ".join(_plain(node.annotation) for _, node, _ in fields)
            yield from self._claim(one, f"it: {own}", f"tuple[{items or '()'}]", "it")
            yield from self._callable(one, [_made(fields, own)], self._reach(one))
        elif "dataclass" in decorators(node) and "__init__" not in members(node) and not self._is_abstract(node):
            yield from self._callable(one, [_made(fields, own)], self._reach(one))

    def _fields(self, node: ast.ClassDef) -> Iterator[tuple[str, ast.AnnAssign, bool]]:
        """Yield (name, declaration, optional) of the fields of a class, those of its bases in the contract first."""
        found: dict[str, tuple[str, ast.AnnAssign, bool]] = {}
        for base in node.bases:
            above = self._classes.get(last_name(base))
            if above is not None and above is not node:
                found |= {field[0]: field for field in self._fields(above)}
        total = not any(word.arg == "total" and _is_false(word.value) for word in node.keywords)
        is_map = "TypedDict" in self._ancestry(node)
        by_name = "kw_only" in {word.arg for word in _options(node) if not _is_false(word.value)}
        for statement in node.body:
            if not (isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)):
                continue
            kind = last_name(statement.annotation)
            if kind == "KW_ONLY":
                by_name = True
            elif kind != "ClassVar" and not _is_left_out(statement.value):
                optional = kind == "NotRequired" or not (total or kind == "Required") if is_map else None
                field = _field_of(statement, by_name=by_name)
                found[statement.target.id] = (statement.target.id, field, _has_default(field, optional))
        yield from found.values()

    def _ancestry(self, node: ast.ClassDef) -> set[str]:
        """Return the last names of a class' bases, and of theirs in the contract."""
        found: set[str] = set()
        pending = [node]
        while pending:
            for name in (last_name(base) for base in pending.pop().bases):
                if name not in found and name in self._classes:
                    pending.append(self._classes[name])
                found.add(name)
        return found

    def _is_abstract(self, node: ast.ClassDef) -> bool:
        own = (inner for inner in node.body if isinstance(inner, FunctionNode))
        return bool({"ABC", "Protocol"} & self._ancestry(node)) or any("abstractmethod" in decorators(x) for x in own)

    def _variables_of(self, node: ast.ClassDef) -> tuple[str, ...]:
        """Return the type variables of a class, in their order."""
        generic = [base for base in node.bases if last_name(base) in ("Generic", "Protocol")]
        where = [base for base in generic if isinstance(base, ast.Subscript)] or node.bases
        names = (inner.id for base in where for inner in ast.walk(base) if isinstance(inner, ast.Name))
        return tuple(dict.fromkeys(name for name in names if name in self._variables))

    def _type(self, one: Declared, *, of: ast.ClassDef | None = None) -> str:
        """Return the class of a member, or a class itself, as a type."""
        node = of or one.owner
        assert node is not None  # noqa: S101 - asked for members and classes alone
        path = one.path if of is not None else one.path.rpartition(".")[0]
        variables = self._variables_of(node)
        return f"{path}[{', '.join(variables)}]" if variables else path


def _is_false(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is False


def _text(node: ast.expr | None) -> str:
    return "_t.Any" if node is None else " ".join(text_of(node, "_t.Any").split())


def _plain(annotation: ast.expr | None) -> str:
    """Return the type that an annotation says, without what says how it is held."""
    while annotation is not None and last_name(annotation) in _WRAPPERS:
        annotation = annotation.slice if isinstance(annotation, ast.Subscript) else None
    return "object" if annotation is None else _text(annotation)


def _options(node: ast.ClassDef) -> list[ast.keyword]:
    calls = [one for one in node.decorator_list if isinstance(one, ast.Call) and last_name(one) == "dataclass"]
    return [word for call in calls for word in call.keywords]


def _names(of: ast.AST) -> set[str]:
    """Return the last parts of all names in a part of a contract."""
    return {last_name(one) for one in ast.walk(of) if isinstance(one, ast.Name | ast.Attribute)}


def _words(value: ast.expr | None) -> Mapping[str | None, ast.expr]:
    return {word.arg: word.value for word in value.keywords} if isinstance(value, ast.Call) else {}


def _is_left_out(value: ast.expr | None) -> bool:
    """Say whether a field is not given to the constructor."""
    init = _words(value).get("init")
    return init is not None and _is_false(init)


def _field_of(statement: ast.AnnAssign, *, by_name: bool) -> ast.AnnAssign:
    """Return the declaration, with `simple` 0 where it is given by name only."""
    said = _words(statement.value).get("kw_only")
    named = by_name if said is None else not _is_false(said)
    return ast.AnnAssign(statement.target, statement.annotation, statement.value, 0 if named else 1)


def _has_default(field: ast.AnnAssign, optional: bool | None) -> bool:  # noqa: FBT001 - of a TypedDict's key
    if optional is not None:
        return optional
    if last_name(field.value) == "field" and isinstance(field.value, ast.Call):
        return bool({"default", "default_factory", "factory"} & {str(name) for name in _words(field.value)})
    return field.value is not None


def _made(fields: Iterable[tuple[str, ast.AnnAssign, bool]], own: str) -> FunctionNode:
    """Return the constructor that fields make."""
    made = ast.parse(f"def __init__() -> {own}: ...").body[0]
    assert isinstance(made, ast.FunctionDef)  # noqa: S101 - it was just spelled
    for name, node, optional in fields:
        inner = node.annotation
        passed = inner.slice if isinstance(inner, ast.Subscript) and last_name(inner) == "InitVar" else inner
        default = ast.Constant(...) if optional else None
        if node.simple:
            made.args.args.append(ast.arg(name, passed))
            made.args.defaults += [] if default is None else [default]
        else:
            made.args.kwonlyargs.append(ast.arg(name, passed))
            made.args.kw_defaults.append(default)
    return made
