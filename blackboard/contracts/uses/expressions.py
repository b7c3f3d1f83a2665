"""What an expression may be, as far as contracts are concerned, and what of them it relies on.

Types are followed where they are written down or follow from one step: annotations, what is imported, constructed,
returned, assigned, iterated over, awaited. What is found errs on the side of too much within what is certain: a member
counts only where the contract declares it.
"""

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from blackboard.contracts.facets import join
from blackboard.contracts.python.interface import FunctionNode, decorators, last_name, members
from blackboard.contracts.uses import literals
from blackboard.contracts.uses.known import NOTHING, Known, Scope, Types, collected, instance, items, parts
from blackboard.contracts.uses.offers import Offer, Stubs

MAX_DEPTH = 48

_LONGEST = 1024
"""Characters of a facet's name; what is longer is none."""

_SLICE = re.compile(r"\[\d+:\]")

_READING = {"Path": "file", "open": "file", "load": "json", "loads": "json"}
_NAMING = frozenset({"TypeVar", "cast", "import_module"})
CLOSING = frozenset({"closing", "aclosing"})
_GETTERS = frozenset({"cached_property", "property"})
_ASKING = {"len": "__len__", **dict.fromkeys(CLOSING, "close")}
_WAITING = frozenset({"run", "run_until_complete", "wait_for"})
_PASSING_ON = frozenset({"enumerate", "filter", "iter", "list", "reversed", "set", "sorted", "tuple", "zip"})
_PICKING = frozenset({"max", "min", "next"})
_GOING_THROUGH = _PASSING_ON | _PICKING | _WAITING | {"map"}


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
                found |= self.part([one], node.slice)
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
            elif owner.kind == "file":
                found.add(owner)
            elif owner.kind in ("instance", "class"):
                found |= self._member(owner, name)
            elif (body := self.body(owner)) is not None:
                own = members(body.node).get(name) if isinstance(body.node, ast.ClassDef) else None
                if own is not None and isinstance(own[0], FunctionNode):
                    made = Known("maker", owner.key, f"{owner.path}.{name}")
                    found |= {made} if _GETTERS.isdisjoint(decorators(own[0])) else self._made(made)
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
        if file := self._file(node, scope, depth):
            return file
        name = last_name(node.func)
        given = self.types(node.args[0], scope, depth) if node.args else NOTHING
        called = self.types(node.func, scope, depth)
        if not called:
            return self._known_call(name, node, given, scope)
        self.fields(called, node.args, _keywords(node))
        if name in ("get", "pop", "setdefault") and node.args:
            parts = self.part([one._replace(kind="json") for one in called if one.kind == "reading"], node.args[0])
            return parts | {made for function in called for made in self.returned(function)}
        return frozenset(one for function in called for one in self.returned(function))

    def _known_call(self, name: str, node: ast.Call, given: Types, scope: Scope) -> Types:
        """Return what comes of a call of something that everybody knows."""
        second = node.args[1] if len(node.args) > 1 else None
        if name in _READING:
            return frozenset(one._replace(kind=_READING[name]) for one in given if one.kind == "file")
        if name in _NAMING:
            return self._named_type(name, node, scope)
        if name in _ASKING:
            self.attributes(given, _ASKING[name])
            return given if name in CLOSING else NOTHING
        if name in ("getattr", "hasattr", "setattr") and isinstance(second, ast.Constant):
            return self.attributes(given, str(second.value))
        if name == "isinstance" and isinstance(node.args[0], ast.Name):
            classes = (one for one in self.types(second, scope) if one.kind == "class")
            scope.bind(node.args[0].id, map(instance, classes))
        if name in ("partial", "replace"):
            classes = (one._replace(kind="class") for one in given if one.kind == "instance")
            self.fields(given if name == "partial" else classes, node.args[1:], _keywords(node))
            return given
        return self._gone_through(name, node, scope) if name in _GOING_THROUGH else NOTHING

    def _named_type(self, name: str, node: ast.Call, scope: Scope) -> Types:
        """Return what a call names: a module by its text, or a type."""
        first = node.args[0] if node.args else None
        if name == "cast":
            return self.annotation(first, scope)
        if name == "TypeVar":
            return self.types(next((word.value for word in node.keywords if word.arg == "bound"), None), scope)
        text = first.value if isinstance(first, ast.Constant) else None
        known = isinstance(text, str) and (self.stubs.has(text) or text in self.tops)
        return frozenset({Known("module", "", str(text))}) if known else NOTHING

    def _gone_through(self, name: str, node: ast.Call, scope: Scope) -> Types:
        """Return what is picked or passed on of collections; what they are looked at by is called with each."""
        if name in _WAITING:
            return items(self.types(node.args[0], scope)) if node.args else NOTHING
        ones = frozenset(one for argument in node.args for one in self.iterated(self.types(argument, scope)))
        given = [*node.args[:1], *(word.value for word in node.keywords)]
        for key in (one for one in given if isinstance(one, ast.Lambda)):
            inner = self.scopes.setdefault(id(key), Scope(scope, key, scope.own))
            for one in key.args.args:
                inner.bind(one.arg, ones)
        return ones if name in _PICKING else collected(ones if name != "map" else ())

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
        elif called.kind == "file":
            found = (called,)
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

    def _file(self, node: ast.expr, _: Scope, __: int) -> Types:
        """Return the document whose path an expression spells."""
        key = self._documents.get(literals.path_of(node) or "") if self._documents else None
        return frozenset({Known("file", key, "")}) if key is not None else NOTHING

    def part(self, documents: Iterable[Known], index: ast.expr) -> Types:
        """Return a part of documents; naming it is relying on it."""
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
        for inner, inside in parts(node):
            for one in self.types(inner, scope):
                if one.kind == "class":
                    found.add(one._replace(kind="instance", inside=inside or one.inside))
                elif one.kind == "maker" and f"{one.key}:{one.path}" in self._classes:
                    found.add(one._replace(kind="own", inside=inside))
        return frozenset(found)

    def said(self, key: str, node: ast.expr | None) -> Types:
        """Return what a value with an annotation of a contract is."""
        found: set[Known] = set()
        for inner, inside in parts(node):
            named = self.stubs.named(key, last_name(inner))
            if named is not None and isinstance(self.stubs.node(*named), ast.ClassDef):
                found.add(Known("instance", *named, inside=inside))
        return frozenset(found)

    _TYPED: ClassVar[Mapping[type[ast.expr], Callable[[Any, Any, Scope, int], Types]]] = {
        ast.Name: _name,
        ast.Constant: _file,
        ast.BinOp: _file,
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


def _reached(facets: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """Return path -> the facets that code relies on by it: which item of a list it takes is not known."""
    found: dict[str, list[str]] = {}
    for facet in facets:
        for path in {facet, _SLICE.sub("[]", facet)}:
            found.setdefault(path, []).append(facet)
    return found


def _keywords(node: ast.Call) -> list[str]:
    return [word.arg for word in node.keywords if word.arg is not None]
