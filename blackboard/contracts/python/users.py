"""Code that uses contracts: the modules that it imports, and what it calls and reads of them, by a type checker.

The stub of each contract is laid where its module is imported from, in place of the provider's code, so that it makes
no difference whether the provider is there yet. The checker is believed where an import leads nowhere, and where it
speaks of a function or class that a contract declares and the component does not define. What else it says of what is
called, read or added up is believed where it does not say it of the same code beside stubs of which nothing is known:
then the contract is the reason. How code is typed otherwise is its author's business.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from blackboard.contracts.finding import Finding
from blackboard.contracts.python.interface import declared
from blackboard.contracts.python.laid import heard
from blackboard.contracts.python.modules import Modules, bases, module_name
from blackboard.contracts.python.source import Source

Entry = tuple[str, int, str, str]
_CHECKED = "\n# mypy: check-untyped-defs\n"
_NOWHERE = re.compile(r'Cannot find implementation or library stub for module named "(?P<name>[\w.]+)"')
_NO_NAME = re.compile(r'Module "(?P<name>[\w.]+)" (?:has no attribute|does not explicitly export attribute) ')
_OF_CALLS = frozenset({"arg-type", "attr-defined", "call-arg", "call-overload", "index", "typeddict-item"})
_OF_VALUES = frozenset(
    {"attr-defined", "call-arg", "call-overload", "index", "operator", "union-attr", "unused-coroutine"}
)
_UNKNOWN = "from typing import Any\ndef __getattr__(name: str) -> Any: ...\n"
"""A stub of which nothing is known."""
_QUOTED = re.compile(r'"(\w+)(?:\[[^"]*\])?"')


@dataclass(frozen=True, slots=True)
class Used:
    """A contract that a component uses.

    Attributes:
        module: Where it is imported from.
        names: What it declares at the top.
    """

    key: str
    module: str
    source: Source
    names: frozenset[str]

    @classmethod
    def of(cls, key: str, module: str, source: Source) -> "Used":
        """Read what a contract declares."""
        tops = (one.path for one in declared(source.tree) if one.owner is None)
        return cls(key, module, source, frozenset(tops))


@dataclass(frozen=True, slots=True)
class Using:
    """How a component is held against what it uses.

    Attributes:
        stubs: path -> text of the contracts, as the checker reads them.
        paths: Of the component's code that is checked.
    """

    used: tuple[Used, ...]
    stubs: Mapping[str, str]
    paths: tuple[str, ...]
    _own: frozenset[str]
    _imports: Mapping[tuple[str, int], tuple[str, frozenset[str]]]

    def laid(self, files: Mapping[str, str], read: Mapping[str, str]) -> dict[str, str]:
        """Return path -> text that the checker reads in place of the component's files.

        Args:
            files: path -> text of those files.
            read: The same for what it reads in their place already.
        """
        code = {path: (read[path] if path in read else heard(files[path])) + _CHECKED for path in self.paths}
        return {**read, **self.stubs, **code}

    def unknown(self) -> dict[str, str]:
        """Return what is laid in place of `stubs`, so that the checker knows nothing of what is used."""
        return dict.fromkeys(self.stubs, _UNKNOWN)

    def doubtful(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return the errors of which the contract or the author may be the reason."""
        every = [*entries]
        reported = {(one.file, one.line) for one in self.found(every)}
        return [one for one in every if one[0] in self.paths and one[3] in _OF_VALUES and one[:2] not in reported]

    def found(self, entries: Iterable[Entry]) -> Iterator[Finding]:
        """Yield what the checker says of what is used.

        Args:
            entries: (file, line, text, code) of each error.
        """
        known = {name for one in self.used for name in one.names} - self._own
        modules = {one.module for one in self.used}
        for path, line, text, code in entries:
            if path not in self.paths:
                continue
            if nowhere := _NOWHERE.match(text):
                yield Finding(path, line, f"import {nowhere['name']}: there is no such module{self._right(path, line)}")
            elif (no_name := _NO_NAME.match(text)) and no_name["name"] in modules:
                yield Finding(path, line, f"{text.rstrip('.')}, by its contract")
            elif code in _OF_CALLS and not no_name and known.intersection(_QUOTED.findall(text)):
                yield Finding(path, line, f"by the contract: {text}")

    def _right(self, path: str, line: int) -> str:
        """Say where what is imported is imported from."""
        _, names = self._imports.get((path, line), ("", frozenset()))
        meant = [one for one in self.used if names & one.names] or self.used
        said = "; ".join(f"{one.key} is the module {one.module}" for one in meant)
        return f"; {said}" if said else ""


def using(used: Iterable[Used], files: Mapping[str, str], others: Iterable[str], modules: Modules) -> Using:
    """Return how a component is held against what it uses.

    Args:
        used: The contracts.
        files: path -> text of the component's files.
        others: The paths of all files that the checker is given.
        modules: The component's modules.
    """
    every = [*used]
    own = {module.name for module in modules.found}
    there = sorted({*files, *others})
    names = {one.module for one in every}
    stubs = {_place(one.module, names, there): heard(one.source.text) for one in every if one.module not in own}
    paths = tuple(module.path for module in modules.found if module.name is not None)
    tops = frozenset(name for module in modules.found for name in module.bound if module.defines(name))
    return Using(tuple(every), stubs, paths, tops, _imports(modules))


def _place(module: str, used: Iterable[str], paths: Iterable[str]) -> str:
    """Return where the stub of a module lies: beside the module's code where that is there, and in its package."""
    begins = bases(dict.fromkeys(paths, ""))
    code = next((path for path in paths if path.endswith(".py") and module_name(path, begins) == module), None)
    if code is not None:
        return f"{code}i"
    folder = module.replace(".", "/")
    package = PurePosixPath(folder).parent.parts[:1]
    holding = [one for one in begins for top in package if any(path.startswith(f"{one}/{top}/") for path in paths)]
    base = f"{holding[0]}/" if holding else ""
    is_package = any(other.startswith(f"{module}.") for other in used) or any(
        path.startswith(f"{base}{folder}/") for path in paths
    )
    return f"{base}{folder}/__init__.pyi" if is_package else f"{base}{folder}.pyi"


def _imports(modules: Modules) -> dict[tuple[str, int], tuple[str, frozenset[str]]]:
    """Return (file, line) -> the module that is imported from there, and the names that are."""
    return {
        (module.path, node.lineno): (node.module or "", frozenset(alias.name for alias in node.names))
        for module in modules.found
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom)
    }
