"""What an expression may be, as far as contracts are concerned, and what of them it relies on.

Types are followed where they are written down or follow from one step: annotations, what is imported, constructed,
returned, assigned, iterated over, awaited. What is found errs on the side of too much within what is certain: a member
counts only where the contract declares it.
"""

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from blackboard.contracts.facets import join
from blackboard.contracts.python.interface import FunctionNode, decorators, last_name, members
from blackboard.contracts.python.source import parse_expression
from blackboard.contracts.uses.offers import Offer, Stubs
from blackboard.errors import InvalidContract

MAX_DEPTH = 48

_LONGEST = 1024
"""Characters of a facet's name; what is longer is none."""

_SLICE = re.compile(r"\[\d+:\]")

_READING_JSON = frozenset({"load", "loads"})
CLOSING = frozenset({"closing", "aclosing"})
_ASKING = {"len": "__len__", **dict.fromkeys(CLOSING, "close")}
_PASSING_ON = frozenset({"enumerate", "iter", "list", "reversed", "set", "sorted", "tuple", "zip"})
_PICKING = frozenset({"max", "min", "next"})
_PLAIN_AROUND = frozenset({"Annotated", "ClassVar", "Final", "Optional", "Union"})


class Known(NamedTuple):
    """A type that an expression may have.

    Attributes:
        kind: `instance` or `class` of a contract's class, `function`, `module`, `own` for an instance and `maker` for
            a class or function of the component itself, `json` for a part of a document.
        key: Of the decision; of the component's own, the module.
        path: Of the declaration; of a part of a document, its facet.
        inside: Whether it is a collection of such, or something that is awaited or entered for one.
    """

    kind: str
    key: str
    path: str
    inside: bool = False


Types = frozenset[Known]
NOTHING: Types = frozenset()


@dataclass(slots=True, eq=False)
class Scope:
    """The names of a module, class or function; a class' names are also the attributes of its instances."""

    outer: "Scope | None"
    node: ast.AST
    own: str = ""
    names: dict[str, set[Known]] = field(default_factory=dict)

    def find(self, name: str) -> Types:
        """Return what a name is; inside of a method those of its class are not seen."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names and not (isinstance(scope.node, ast.ClassDef) and scope is not self):
                return frozenset(scope.names[name])
            scope = scope.outer
        return NOTHING

    def bind(self, name: str, types: Iterable[Known]) -> None:
        """Let a name be one of some types too."""
        self.names.setdefault(name, set()).update(types)


class Expressions:
    """The expressions of one component, its classes and functions, and what was found to be relied on.

    Attributes:
        tops: Module -> its names.
        scopes: Identity of a class or function -> its names.
        found: Decision -> facets.
    """

    def __init__(self, offers: Sequence[Offer], trees: Mapping[str, ast.Module]) -> None:
        self.stubs = Stubs.of(tuple(offers))
        self.tops = {name: Scope(None, tree, name) for name, tree in trees.items()}
        self.scopes: dict[int, Scope] = {}
        self.found: dict[str, set[str]] = {}
        self._facets = {one.key: _reached(one.contract.digests) for one in offers}
        self._documents = {path: one.key for one in offers for path in one.documents}
        self._classes: dict[str, ast.ClassDef] = {}
        self._known: dict[int, Types] = {}

    def declare(self) -> None:
        """Let the names of each module be its classes and functions."""
        for module, scope in self.tops.items():
            for node in getattr(scope.node, "body", ()):
                if isinstance(node, ast.ClassDef | FunctionNode):
                    scope.bind(node.name, [Known("maker", module, node.name)])
                if isinstance(node, ast.ClassDef):
                    self._classes[f"{module}:{node.name}"] = node

    def forget(self) -> None:
        """Look anew at every expression: more is known by now."""
        self._known.clear()

    def see(self, key: str, *paths: str) -> None:
        """Note that facets of a decision are relied on; of what is none nothing is noted."""
        if here := {facet for path in paths for facet in self._facets[key].get(path, ())}:
            self.found.setdefault(key, set()).update(here)

    # --- expressions ---

    def types(self, node: ast.expr | None, scope: Scope, depth: int = 0) -> Types:
        """Return what an expression may be."""
        if node is None or depth > MAX_DEPTH:
            return NOTHING
        known = self._known.get(id(node))
        if known is None:
            typed = self._TYPED.get(type(node))
            known = self._known[id(node)] = NOTHING if typed is None else typed(self, node, scope, depth + 1)
        return known

    def _name(self, node: ast.Name, scope: Scope, _: int) -> Types:
        return scope.find(node.id)

    def _dotted(self, node: ast.Attribute, scope: Scope, depth: int) -> Types:
        return self.attributes(self.types(node.value, scope, depth), node.attr)

    def _taken_out(self, node: ast.Await | ast.Starred | ast.YieldFrom, scope: Scope, depth: int) -> Types:
        return items(self.types(node.value, scope, depth))

    def _named(self, node: ast.NamedExpr, scope: Scope, depth: int) -> Types:
        return self.types(node.value, scope, depth)

    def _either(self, node: ast.IfExp | ast.BoolOp, scope: Scope, depth: int) -> Types:
        values = node.values if isinstance(node, ast.BoolOp) else [node.body, node.orelse]
        return frozenset(one for value in values for one in self.types(value, scope, depth))

    def _listed(self, node: ast.Tuple | ast.List | ast.Set, scope: Scope, depth: int) -> Types:
        return collected(one for value in node.elts for one in self.types(value, scope, depth))

    def _comprehended(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp, scope: Scope, depth: int) -> Types:
        return collected(self.types(node.elt, scope, depth))

    def _mapped(self, node: ast.DictComp, scope: Scope, depth: int) -> Types:
        return collected(self.types(node.value, scope, depth))

    def _subscript(self, node: ast.Subscript, scope: Scope, depth: int) -> Types:
        found: set[Known] = set()
        literal = node.slice.value if isinstance(node.slice, ast.Constant) else None
        for one in self.types(node.value, scope, depth):
            if one.kind == "json":
                found |= self._part([one], node.slice)
            elif one.inside or one.kind == "class":
                found |= {one, one._replace(inside=False)}
            elif one.kind == "instance" and isinstance(literal, str):
                found |= self.attributes([one], literal)
            elif one.kind == "instance":
                found |= {made for item in self.attributes([one], "__getitem__") for made in self.returned(item)}
        return frozenset(found)

    # --- members ---

    def attributes(self, owners: Iterable[Known], name: str) -> Types:
        """Return what an attribute is; where a contract declares it, reaching for it is relying on it."""
        found: set[Known] = set()
        pending, seen = list(owners), set[Known]()
        while pending:
            owner = pending.pop()
            if owner in seen:
                continue
            seen.add(owner)
            if owner.kind == "module":
                found |= self.of_module(owner.path, name)
            elif owner.inside:
                found.add(owner)
            elif owner.kind == "json":
                found.add(owner._replace(kind="reading"))
            elif owner.kind in ("instance", "class"):
                found |= self._member(owner, name)
            elif (body := self.body(owner)) is not None:
                own = members(body.node).get(name) if isinstance(body.node, ast.ClassDef) else None
                if own is not None and isinstance(own[0], FunctionNode):
                    found.add(Known("maker", owner.key, f"{owner.path}.{name}"))
                else:
                    found |= body.names.get(name, set())
                    pending += self._bases(body)
        return frozenset(found)

    def _member(self, owner: Known, name: str) -> Types:
        found = self.stubs.member(owner.key, owner.path, name)
        if found is None:
            return NOTHING
        self.see(*found)
        node = self.stubs.node(*found)
        if isinstance(node, FunctionNode) and "property" in decorators(node):
            return self.said(found[0], node.returns)
        return self.declared(*found)

    def _bases(self, body: Scope) -> Iterator[Known]:
        """Yield the bases of an own class of which something is known."""
        for base in getattr(body.node, "bases", ()):
            for one in self.types(base, body.outer or body):
                if one.kind in ("class", "maker"):
                    yield one._replace(kind="instance" if one.kind == "class" else "own")

    def body(self, one: Known) -> Scope | None:
        """Return the names of an own class."""
        node = self._classes.get(f"{one.key}:{one.path}") if one.kind in ("own", "maker") and not one.inside else None
        return None if node is None else self.scopes.get(id(node))

    def of_module(self, module: str, name: str, *, seen: bool = True) -> Types:
        """Return what a name of a module is; naming it is relying on it."""
        if module in self.tops:
            return frozenset(self.tops[module].names.get(name, ()))
        inner = f"{module}.{name}" if module else name
        key = self.stubs.find(module, name)
        if key is None:
            is_module = self.stubs.has(inner) or inner in self.tops
            return frozenset({Known("module", "", inner)}) if is_module else NOTHING
        if seen:
            self.see(key, name)
        return self.declared(key, name)

    def declared(self, key: str, path: str) -> Types:
        """Return what a path of a contract is as an expression."""
        node = self.stubs.node(key, path)
        if isinstance(node, ast.AnnAssign):
            return self.said(key, node.annotation)
        kind = "class" if isinstance(node, ast.ClassDef) else "function" if isinstance(node, FunctionNode) else ""
        return frozenset({Known(kind, key, path)}) if kind else NOTHING

    # --- calls ---

    def _call(self, node: ast.Call, scope: Scope, depth: int) -> Types:
        name = last_name(node.func)
        given = self.types(node.args[0], scope, depth) if node.args else NOTHING
        called = self.types(node.func, scope, depth)
        if not called:
            return self._known_call(name, node, given, scope)
        self.fields(called, node.args, _keywords(node))
        if name == "get" and node.args:
            parts = self._part([one._replace(kind="json") for one in called if one.kind == "reading"], node.args[0])
            return parts | {made for function in called for made in self.returned(function)}
        return frozenset(one for function in called for one in self.returned(function))

    def _known_call(self, name: str, node: ast.Call, given: Types, scope: Scope) -> Types:
        """Return what comes of a call of something that everybody knows."""
        second = node.args[1] if len(node.args) > 1 else None
        if name in _READING_JSON:
            return self._document(node) if self._documents else NOTHING
        if name == "import_module":
            return self._module(node.args[0] if node.args else None)
        if name in _ASKING:
            self.attributes(given, _ASKING[name])
            return given if name in CLOSING else NOTHING
        if name in ("getattr", "hasattr") and isinstance(second, ast.Constant):
            return self.attributes(given, str(second.value))
        if name == "isinstance" and isinstance(node.args[0], ast.Name):
            classes = (one for one in self.types(second, scope) if one.kind == "class")
            scope.bind(node.args[0].id, (one._replace(kind="instance", inside=False) for one in classes))
        if name in ("partial", "replace"):
            standing = (one._replace(kind="class") for one in given if one.kind == "instance")
            self.fields(given if name == "partial" else standing, node.args[1:], _keywords(node))
            return given
        return self._gone_through(name, node, scope) if name in _PASSING_ON | _PICKING else NOTHING

    def _module(self, node: ast.expr | None) -> Types:
        """Return the module that is imported by a name that stands there."""
        name = node.value if isinstance(node, ast.Constant) else None
        known = isinstance(name, str) and (self.stubs.has(name) or name in self.tops)
        return frozenset({Known("module", "", str(name))}) if known else NOTHING

    def _gone_through(self, name: str, node: ast.Call, scope: Scope) -> Types:
        """Return what is picked or passed on of collections; what they are looked at by is called with each."""
        ones = frozenset(one for argument in node.args for one in self.iterated(self.types(argument, scope)))
        for key in (word.value for word in node.keywords if isinstance(word.value, ast.Lambda)):
            inner = self.scopes.setdefault(id(key), Scope(scope, key, scope.own))
            for one in key.args.args:
                inner.bind(one.arg, ones)
        return ones if name in _PICKING else collected(ones)

    def iterated(self, types: Types) -> Types:
        """Return what is gone through one by one; what is no collection is asked for what it gives."""
        # Of what may be either, a call gave it: `items()` and `values()` of a mapping.
        plain = [one for one in types if one.kind == "instance" and one._replace(inside=True) not in types]
        made = (given for item in self.attributes(plain, "__iter__") for given in self.returned(item))
        return items(types.difference(plain).union(made))

    def returned(self, called: Known, owner: Known | None = None) -> Types:
        """Return what a call gives; `owner` is whose method it is, for `Self`."""
        found: Iterable[Known] = ()
        if called.inside:
            found = (called, called._replace(inside=False))
        elif called.kind in ("class", "reading"):
            found = (called._replace(kind="instance" if called.kind == "class" else "json"),)
        elif called.kind == "maker" and f"{called.key}:{called.path}" in self._classes:
            found = (called._replace(kind="own"),)
        elif called.kind == "maker":
            found = self._made(called)
        elif called.kind == "function":
            node = self.stubs.node(called.key, called.path)
            returns = node.returns if isinstance(node, FunctionNode) else None
            if last_name(returns) == "Self":
                found = (owner or Known("instance", called.key, called.path.rpartition(".")[0]),)
            else:
                found = self.said(called.key, returns)
            found = collected(found) if isinstance(node, ast.AsyncFunctionDef) else found
        return frozenset(found)

    def _made(self, called: Known) -> Types:
        """Return what a function of the component returns: as it is annotated, else as it was seen to."""
        owner, _, name = called.path.rpartition(".")
        among: ast.AST = self._classes[f"{called.key}:{owner}"] if owner else self.tops[called.key].node
        body: Sequence[ast.stmt] = getattr(among, "body", ())
        node = next((one for one in body if isinstance(one, FunctionNode) and one.name == name), None)
        scope = self.scopes.get(id(node))
        if node is None or scope is None:
            return NOTHING
        types = self.annotation(node.returns, scope) or frozenset(scope.names.get("return", ()))
        return collected(types) if isinstance(node, ast.AsyncFunctionDef) else types

    def fields(self, called: Iterable[Known], args: Sequence[ast.expr], keywords: Iterable[str]) -> None:
        """Who constructs relies on the constructor, or on the fields that it names or gives by their place."""
        for one in called:
            if one.kind != "class" or one.inside:
                continue
            init = self.stubs.member(one.key, one.path, "__init__")
            if init is not None:
                self.see(*init)
                continue
            node = self.stubs.node(one.key, one.path)
            declared = members(node) if isinstance(node, ast.ClassDef) else {}
            ordered = [name for name, of in declared.items() if isinstance(of[0], ast.AnnAssign)]
            for name in [*ordered[: len(args)], *keywords]:
                found = self.stubs.member(one.key, one.path, name)
                if found is not None:
                    self.see(*found)

    # --- documents ---

    def _document(self, node: ast.Call) -> Types:
        """Return the document that is read where a call names its file."""
        named = [one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        return frozenset(Known("json", self._documents[name], "") for name in named if name in self._documents)

    def _part(self, documents: Iterable[Known], index: ast.expr) -> Types:
        literal = index.value if isinstance(index, ast.Constant) else None
        if not isinstance(literal, str):
            return items(frozenset(documents))
        found = frozenset(one._replace(path=join(one.path, literal)) for one in documents)
        for one in found:
            self.see(one.key, one.path)
        return frozenset(one for one in found if len(one.path) < _LONGEST)

    # --- annotations ---

    def annotation(self, node: ast.expr | None, scope: Scope) -> Types:
        """Return what a value with an annotation of the component is."""
        found: set[Known] = set()
        for inner, inside in _parts(node):
            for one in self.types(inner, scope):
                if one.kind == "class":
                    found.add(one._replace(kind="instance", inside=inside))
                elif one.kind == "maker" and f"{one.key}:{one.path}" in self._classes:
                    found.add(one._replace(kind="own", inside=inside))
        return frozenset(found)

    def said(self, key: str, node: ast.expr | None) -> Types:
        """Return what a value with an annotation of a contract is."""
        found: set[Known] = set()
        for inner, inside in _parts(node):
            named = self.stubs.named(key, last_name(inner))
            if named is not None and isinstance(self.stubs.node(*named), ast.ClassDef):
                found.add(Known("instance", *named, inside=inside))
        return frozenset(found)

    _TYPED: ClassVar[Mapping[type[ast.expr], Callable[[Any, Any, Scope, int], Types]]] = {
        ast.Name: _name,
        ast.Attribute: _dotted,
        ast.Call: _call,
        ast.Subscript: _subscript,
        ast.Await: _taken_out,
        ast.Starred: _taken_out,
        ast.YieldFrom: _taken_out,
        ast.NamedExpr: _named,
        ast.IfExp: _either,
        ast.BoolOp: _either,
        ast.Tuple: _listed,
        ast.List: _listed,
        ast.Set: _listed,
        ast.ListComp: _comprehended,
        ast.SetComp: _comprehended,
        ast.GeneratorExp: _comprehended,
        ast.DictComp: _mapped,
    }


def items(types: Types) -> Types:
    """Return what comes out of a collection; what is none stays what it is."""
    return frozenset(
        one for whole in types for one in ([whole._replace(inside=False), whole] if whole.inside else [_item(whole)])
    )


def collected(types: Iterable[Known]) -> Types:
    """Return what a collection of some is; a document knows its own lists."""
    return frozenset(one if one.kind == "json" else one._replace(inside=True) for one in types)


def _reached(facets: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """Return path -> the facets that code relies on by it: which item of a list it takes is not known."""
    found: dict[str, list[str]] = {}
    for facet in facets:
        for path in {facet, _SLICE.sub("[]", facet)}:
            found.setdefault(path, []).append(facet)
    return found


def _keywords(node: ast.Call) -> list[str]:
    return [word.arg for word in node.keywords if word.arg is not None]


def _item(one: Known) -> Known:
    return one._replace(path=f"{one.path}[]") if one.kind == "json" and one.path else one


def _parts(node: ast.expr | None) -> Iterator[tuple[ast.expr, bool]]:
    """Yield the plain names in an annotation, and whether each is inside of something."""
    pending = [] if node is None else [(node, False)]
    while pending:
        one, inside = pending.pop()
        if isinstance(one, ast.Name | ast.Attribute):
            yield one, inside
        elif isinstance(one, ast.BinOp):
            pending += [(one.left, inside), (one.right, inside)]
        elif isinstance(one, ast.Subscript):
            pending += [(one.value, inside), (one.slice, inside or last_name(one.value) not in _PLAIN_AROUND)]
        elif isinstance(one, ast.Tuple):
            pending += [(item, inside) for item in one.elts]
        elif isinstance(one, ast.Constant) and isinstance(one.value, str):
            with suppress(InvalidContract):
                pending.append((parse_expression(one.value), inside))
