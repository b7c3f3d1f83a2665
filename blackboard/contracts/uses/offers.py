"""What a component can rely on: contracts, and the names under which code finds what they declare.

An import finds a decision where it names a module of a component that implements the decision, the module binds the
name, and the contract declares it; a name that two decisions offer so is nobody's. A JSON file finds the decision that
the component which holds it implements, a table the one contract in SQL that declares it.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from blackboard.contracts.language import Contract
from blackboard.contracts.python.interface import declared, last_name, statements
from blackboard.contracts.python.stub import Stub


@dataclass(frozen=True, slots=True)
class Offer:
    """A decision that can be relied on.

    Attributes:
        modules: Name of a module that implements it -> the names that the module binds.
        documents: Paths of JSON files that implement it.
    """

    key: str
    contract: Contract
    modules: Mapping[str, frozenset[str]] = field(default_factory=dict)
    documents: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Stubs:
    """The offers in Python, so that a name finds its declaration."""

    offers: tuple[Offer, ...]
    trees: Mapping[str, Mapping[str, tuple[ast.stmt, ...]]]
    """key -> path -> the statements that declare it."""
    imports: Mapping[str, Mapping[str, tuple[str, str]]]
    """key -> name -> (module, name there) of what the contract imports."""

    @classmethod
    def of(cls, offers: tuple[Offer, ...]) -> "Stubs":
        """Read the offers that are in Python."""
        read = {one.key: one.contract.body for one in offers if one.contract.language == "python"}
        sources = {key: body.source for key, body in read.items() if isinstance(body, Stub)}
        return cls(
            tuple(one for one in offers if one.key in sources),
            {key: {one.path: one.nodes for one in declared(source.tree)} for key, source in sources.items()},
            {key: dict(imports(list(statements(source.tree)))) for key, source in sources.items()},
        )

    def find(self, module: str, name: str) -> str | None:
        """Return the key of the one decision that offers a name of a module."""
        found = [one.key for one in self.offers if name in one.modules.get(module, ()) and name in self.trees[one.key]]
        return found[0] if len(found) == 1 else None

    def has(self, module: str) -> bool:
        """Say whether some decision is offered under a module, or under one inside it."""
        return any(name == module or name.startswith(f"{module}.") for one in self.offers for name in one.modules)

    def node(self, key: str, path: str) -> ast.stmt | None:
        """Return the first statement that declares a path."""
        nodes = self.trees[key].get(path)
        return nodes[0] if nodes else None

    def member(self, key: str, owner: str, name: str) -> tuple[str, str] | None:
        """Return (key, path) of the member of a class, of its nearest ancestor that declares it."""
        pending, seen = [(key, owner)], set[tuple[str, str]]()
        while pending:
            one = pending.pop(0)
            if one in seen:
                continue
            seen.add(one)
            of, path = one
            if f"{path}.{name}" in self.trees[of]:
                return of, f"{path}.{name}"
            node = self.node(of, path)
            bases = node.bases if isinstance(node, ast.ClassDef) else ()
            pending += [found for base in bases if (found := self.named(of, last_name(base))) is not None]
        return None

    def named(self, key: str, name: str) -> tuple[str, str] | None:
        """Return (key, path) of what a name in a contract stands for, its own or another contract's."""
        if name in self.trees[key]:
            return key, name
        if name in self.imports[key]:
            module, there = self.imports[key][name]
            other = self.find(module, there)
            return None if other is None else (other, there)
        return None


def imports(body: list[ast.stmt]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield name -> (module, name there) of `from … import …`."""
    for one in body:
        if isinstance(one, ast.ImportFrom) and one.module and not one.level:
            yield from ((alias.asname or alias.name, (one.module, alias.name)) for alias in one.names)
