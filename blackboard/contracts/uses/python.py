"""What Python code relies on: names of contracts, and members reached through what has their types.

Names of one scope have one set of possible types, whatever the order of its statements. Two rounds over the code: in
the second, what was learnt further down is known further up.
"""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from blackboard.contracts.facets import join
from blackboard.contracts.python.interface import FunctionNode, decorators, last_name
from blackboard.contracts.python.modules import Modules, imported_names
from blackboard.contracts.uses import literals
from blackboard.contracts.uses.expressions import CLOSING, Expressions
from blackboard.contracts.uses.known import Known, Scope, Types, collected, instance, items
from blackboard.contracts.uses.offers import Offer

MAX_CHARACTERS = 150_000
"""More of one component's code is not looked at: it would take longer than a second."""

_ROUNDS = 2
_TELLING = frozenset({"critical", "debug", "error", "exception", "info", "log", "print", "warn", "warning"})
_HELP = frozenset({"description", "epilog", "help"})
_ENTERING = {ast.With: ("__enter__", "__exit__"), ast.AsyncWith: ("__aenter__", "__aexit__")}

_COMPARING: Mapping[type[ast.cmpop], tuple[str, ...]] = {
    ast.Eq: ("__eq__",),
    ast.NotEq: ("__eq__", "__ne__"),
    ast.Lt: ("__lt__", "__gt__"),
    ast.Gt: ("__gt__", "__lt__"),
    ast.LtE: ("__le__", "__ge__"),
    ast.GtE: ("__ge__", "__le__"),
}


class Code:
    """The Python code among some files: what it mentions, and with that what it relies on.

    Attributes:
        modules: The modules that it imports, or imports something of.
        documents: The paths of JSON files that it names.
        has_sql: Whether statements of SQL stand in it.
    """

    def __init__(self, files: Mapping[str, str]) -> None:
        found = Modules.of(files, most=MAX_CHARACTERS).found
        self._trees = {one.name or one.path: one.tree for one in found}
        nodes = [node for tree in self._trees.values() for node in ast.walk(tree)]
        texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        paths = (literals.path_of(node) for node in nodes if isinstance(node, ast.Constant | ast.BinOp | ast.Call))
        self.modules = {name for tree in self._trees.values() for name in imported_names(tree)}
        self.documents = {path for path in paths if path is not None and path.endswith(".json")}
        self.has_sql = any(map(literals.is_sql, texts))

    def uses(self, offers: Sequence[Offer]) -> dict[str, frozenset[str]]:
        """Return decision -> the facets of it that the code relies on."""
        reader = _Reader(offers, self._trees)
        reader.read()
        return {key: frozenset(names) for key, names in sorted(reader.found.items())}


class _Reader(Expressions):
    """Reads the statements of one component."""

    def __init__(self, offers: Sequence[Offer], trees: Mapping[str, ast.Module]) -> None:
        super().__init__(offers, trees)
        self._parts: set[int] = set()
        self._tables = {one.key: _tables(one) for one in offers if one.contract.language == "sql"}
        others = any(one.contract.language != "python" for one in offers)
        imported = (name for tree in trees.values() for name in imported_names(tree))
        self._worthwhile = others or any(map(self.stubs.has, imported))

    def read(self) -> None:
        """Read everything, if there is anything that it could rely on."""
        if not self._worthwhile:
            return
        self.declare()
        for _ in range(_ROUNDS):
            self.forget()
            self._parts.clear()
            for scope in self.tops.values():
                self._walk(scope)

    def _walk(self, top: Scope) -> None:
        """Visit every node once, each in its scope, without recursion."""
        pending: list[tuple[ast.AST, Scope]] = [(top.node, top)]
        while pending:
            node, scope = pending.pop()
            inner = scope
            if isinstance(node, FunctionNode | ast.ClassDef | ast.Lambda):
                inner = self.scopes.setdefault(id(node), Scope(scope, node, scope.own))
            visit = self._VISITED.get(type(node))
            if visit is not None:
                visit(self, node, scope)
            elif isinstance(node, ast.expr):
                self.types(node, scope)
            pending.extend((child, inner) for child in reversed(list(_inside(node))))

    # --- names ---

    def _import(self, node: ast.Import, scope: Scope) -> None:
        for alias in node.names:
            if self.stubs.has(alias.name) or alias.name in self.tops:
                name = alias.name if alias.asname else alias.name.partition(".")[0]
                scope.bind(alias.asname or name, [Known("module", "", name)])

    def _import_from(self, node: ast.ImportFrom, scope: Scope) -> None:
        base = scope.own.split(".")[: -node.level] if node.level else []
        module = ".".join([*base, *([node.module] if node.module else [])])
        for alias in node.names:
            every = {name for one in self.stubs.offers for name in one.modules.get(module, ())}
            for name in sorted(every) if alias.name == "*" else [alias.name]:
                types = self.of_module(module, name, seen=alias.name != "*")
                scope.bind(name if alias.name == "*" else alias.asname or name, types)

    def _used(self, node: ast.Name, scope: Scope) -> None:
        """Using a name that came with all others is relying on it."""
        for one in self.types(node, scope):
            if one.kind in ("class", "function") and "." not in one.path:
                self.see(one.key, one.path)

    def _function(self, node: FunctionNode, scope: Scope) -> None:
        inner = self.scopes[id(node)]
        self.annotation(node.returns, scope)
        args = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        for one in args:
            inner.bind(one.arg, self.annotation(one.annotation, scope))
        if isinstance(scope.node, ast.ClassDef) and args and "staticmethod" not in decorators(node):
            inner.bind(args[0].arg, [Known("own", scope.own, scope.node.name)])

    def _class(self, node: ast.ClassDef, scope: Scope) -> None:
        """Who subclasses a contract's class implements all that it declares."""
        for one in (one for base in node.bases for one in self.types(base, scope) if one.kind == "class"):
            self.see(one.key, *(path for path in self.stubs.trees[one.key] if path.startswith(f"{one.path}.")))

    # --- values ---

    def _assigned(self, node: ast.Assign | ast.NamedExpr, scope: Scope) -> None:
        types = self.types(node.value, scope)
        if not types and isinstance(node.value, ast.Subscript):
            # What is not seen to be a value may be the name of a type.
            types = frozenset(one._replace(kind="class") for one in self.annotation(node.value, scope))
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            self._assign(target, types, scope)

    def _outside(self, node: ast.Global | ast.Nonlocal, scope: Scope) -> None:
        """Let names be those of the module, or of the function around."""
        for name in node.names:
            outer = scope.outer
            while outer is not None and outer.outer is not None:
                if isinstance(node, ast.Nonlocal) and name in outer.names:
                    break
                outer = outer.outer
            if outer is not None:
                outer.names.setdefault(name, set()).update(scope.names.get(name, ()))
                scope.names[name] = outer.names[name]

    def _annotated(self, node: ast.AnnAssign, scope: Scope) -> None:
        types = self.annotation(node.annotation, scope)
        self._assign(node.target, types | self.types(node.value, scope), scope)
        self._keys(node.value, types)

    def _looped(self, node: ast.For | ast.AsyncFor | ast.comprehension, scope: Scope) -> None:
        self._assign(node.target, self.iterated(self.types(node.iter, scope)), scope)

    def _assign(self, target: ast.expr, types: Types, scope: Scope) -> None:
        pending = [(target, types)]
        while pending:
            one, given = pending.pop()
            if isinstance(one, ast.Name):
                scope.bind(one.id, given)
            elif isinstance(one, ast.Tuple | ast.List):
                pending += [(inner, items(given)) for inner in one.elts]
            elif isinstance(one, ast.Starred):
                pending.append((one.value, given))
            elif isinstance(one, ast.Attribute):
                for body in map(self.body, self.types(one.value, scope)):
                    if body is not None:
                        body.bind(one.attr, given)

    def _entered(self, node: ast.With | ast.AsyncWith, scope: Scope) -> None:
        enter, leave = _ENTERING[type(node)]
        for item in node.items:
            entered: set[Known] = set()
            for one in self.types(item.context_expr, scope):
                if one.inside or one.kind != "instance":
                    entered |= items(frozenset({one}))
                    continue
                if isinstance(item.context_expr, ast.Call) and last_name(item.context_expr.func) in CLOSING:
                    entered.add(one)
                    continue
                made = [given for method in self.attributes([one], enter) for given in self.returned(method, one)]
                entered |= items(frozenset(made)) if isinstance(node, ast.AsyncWith) else set(made)
                self.attributes([one], leave)
            if item.optional_vars is not None:
                self._assign(item.optional_vars, frozenset(entered), scope)

    def _return(self, node: ast.Return, scope: Scope) -> None:
        scope.bind("return", self.types(node.value, scope))
        if isinstance(scope.node, FunctionNode):
            self._keys(node.value, self.annotation(scope.node.returns, scope))

    def _yielded(self, node: ast.Yield, scope: Scope) -> None:
        scope.bind("return", collected(self.types(node.value, scope)))

    def _keys(self, value: ast.expr | None, types: Types) -> None:
        """A dictionary that is written where a class of a contract is wanted names its keys."""
        if isinstance(value, ast.Dict):
            names = [key.value for key in value.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
            self.fields((one._replace(kind="class") for one in types if one.kind == "instance"), [], names)

    def _matched(self, node: ast.MatchClass, scope: Scope) -> None:
        self.fields(self.types(node.cls, scope), [], node.kwd_attrs)

    def _cases(self, node: ast.Match, scope: Scope) -> None:
        """What a case takes for a class is one there, and what it takes out of a document is a part of it."""
        subject = self.types(node.subject, scope)
        for pattern in (case.pattern for case in node.cases):
            inner = pattern.pattern if isinstance(pattern, ast.MatchAs) else pattern
            names = [pattern.name] if isinstance(pattern, ast.MatchAs) and pattern.name else []
            names += [node.subject.id] if isinstance(node.subject, ast.Name) else []
            if isinstance(inner, ast.MatchClass):
                made = [instance(one) for one in self.types(inner.cls, scope) if one.kind == "class"]
                for name in names:
                    scope.bind(name, made)
            elif isinstance(inner, ast.MatchMapping):
                for key in inner.keys:
                    self.part([one for one in subject if one.kind == "json"], key)

    def _compared(self, node: ast.Compare, scope: Scope) -> None:
        """What compares asks either side, what looks for a member asks the whole."""
        sides = [[one for one in self.types(side, scope) if not one.inside] for side in (node.left, *node.comparators)]
        for operator, left, right in zip(node.ops, sides, sides[1:], strict=False):
            if isinstance(operator, ast.In | ast.NotIn):
                self.part([one for one in right if one.kind == "json"], node.left)
            if isinstance(operator, ast.In | ast.NotIn) and not self.attributes(right, "__contains__"):
                self.attributes(right, "__iter__")
            for name in _COMPARING.get(type(operator), ()):
                self.attributes([*left, *right], name)

    # --- statements of SQL ---

    def _text(self, node: ast.Constant, _: Scope) -> None:
        if isinstance(node.value, str):
            self._statement(node.value)

    def _formatted(self, node: ast.JoinedStr, _: Scope) -> None:
        self._statement(_spelled(node))

    def _joined(self, node: ast.BinOp, scope: Scope) -> None:
        """A statement may be put together of parts; what is no text stands for a value."""
        self.types(node, scope)
        if not isinstance(node.op, ast.Add) or id(node) in self._parts:
            return
        parts: list[str] = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp) and isinstance(left.op, ast.Add):
            self._parts.add(id(left))
            parts.append(_spelled(left.right))
            left = left.left
        self._statement("".join([_spelled(left), *reversed(parts)]))

    def _statement(self, text: str) -> None:
        """A statement is about the one contract that has its tables."""
        if not self._tables or not literals.is_sql(text):
            return
        found = {key: set(literals.facets(text, tables)) for key, tables in self._tables.items()}
        holding = [key for key, named in found.items() if named]
        if len(holding) == 1:
            named = found[holding[0]]
            self.see(holding[0], *(join(table, column) if column else table for table, column in named))

    _VISITED: ClassVar[Mapping[type[ast.AST], Callable[[Any, Any, Scope], None]]] = {
        ast.Import: _import,
        ast.ImportFrom: _import_from,
        ast.Name: _used,
        ast.FunctionDef: _function,
        ast.AsyncFunctionDef: _function,
        ast.ClassDef: _class,
        ast.Assign: _assigned,
        ast.NamedExpr: _assigned,
        ast.AnnAssign: _annotated,
        ast.For: _looped,
        ast.AsyncFor: _looped,
        ast.comprehension: _looped,
        ast.With: _entered,
        ast.AsyncWith: _entered,
        ast.Global: _outside,
        ast.Nonlocal: _outside,
        ast.Return: _return,
        ast.Yield: _yielded,
        ast.Match: _cases,
        ast.MatchClass: _matched,
        ast.Compare: _compared,
        ast.Constant: _text,
        ast.JoinedStr: _formatted,
        ast.BinOp: _joined,
    }


def _spelled(node: ast.expr) -> str:
    """Return the text of a literal, with a question mark for what is put in."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(str(one.value) if isinstance(one, ast.Constant) else "?" for one in values)
    return "?"


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what stands in a node, but no text that is for people: what documents, is logged, or says what is wrong."""
    match node:
        case ast.Expr():
            is_message = True
        case ast.Call(func=ast.Name() | ast.Attribute()):
            is_message = last_name(node.func) in _TELLING or last_name(node.func).endswith("Error")
        case _:
            is_message = isinstance(node, ast.keyword) and node.arg in _HELP
    for child in ast.iter_child_nodes(node):
        if is_message and isinstance(child, ast.JoinedStr):
            yield from (part for part in child.values if not isinstance(part, ast.Constant))
        elif not (is_message and isinstance(child, ast.Constant)):
            yield child


def _tables(offer: Offer) -> dict[str, frozenset[str]]:
    """Return table -> columns of a contract in SQL."""
    names = [name.partition(".") for name in offer.contract.digests if "." in name and '"' not in name]
    return {table: frozenset(column for of, _, column in names if of == table) for table, _, _ in names}
