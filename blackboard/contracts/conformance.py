"""The conformance plan of a component: findings from its files, and probes for a type checker.

This module is pure: it finds everything that the texts show; `control.conformance` runs the type checker over the
probes in the sandbox.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from blackboard.contracts.finding import Finding
from blackboard.contracts.json_schema import conform as json_schema
from blackboard.contracts.language import Contract
from blackboard.contracts.openapi import conform as openapi
from blackboard.contracts.python.checker import COMMAND, Judging, entries, judging, said
from blackboard.contracts.python.laid import laid
from blackboard.contracts.python.modules import Modules, bases
from blackboard.contracts.python.stub import Stub
from blackboard.contracts.python.users import Used, Using, using
from blackboard.contracts.sql import conform as sql
from blackboard.errors import InvalidContract
from blackboard.spec.effects import Effect

_Judge = Callable[[Any, Mapping[str, str]], Iterable[Finding]]
_BY_TEXT: Mapping[str, tuple[str, _Judge]] = {
    "json-schema": (".json", json_schema.findings),
    "openapi": (".openapi.yaml", openapi.findings),
    "sql": (".sql", sql.findings),
}
"""Language -> the suffix of its files, and the function that finds faults in them."""

JUDGED = ("python", *_BY_TEXT)
"""The languages that can judge files."""

JUDGES_USERS = ("python",)
"""The languages that can also judge the files of components that use a decision."""

RULES = 11
"""Incremented with each change of the rules, so that verdicts of earlier rules are not valid."""


@dataclass(frozen=True, slots=True)
class ConformancePlan:
    """The conformance plan of some files.

    Attributes:
        found: The findings from the texts.
        unjudged: Why the texts of some decisions cannot be judged.
        probes: path -> text: files to add or to replace for the type checker; empty if it need not run.
        command: The arguments for Python that check the probes.
    """

    found: tuple[Finding, ...]
    unjudged: tuple[str, ...]
    probes: Mapping[str, str]
    command: tuple[str, ...]
    _judgings: tuple[Judging, ...]
    _using: Using | None = None

    def said(self, output: str) -> tuple[Finding, ...]:
        """Return the findings in the output of the command, in terms of the contracts."""
        of_users = () if self._using is None else self._using.found(_entries(output))
        return (*said(output, self._judgings), *of_users)

    def again(self, output: str) -> dict[str, str]:
        """Return the probes of a second run, which `owed` compares with the first; none where no error is in doubt."""
        if self._using is None or not self._using.doubtful(_entries(output)):
            return {}
        return {**self.probes, **self._using.unknown()}

    def owed(self, output: str, unknowing: str) -> Iterator[Finding]:
        """Yield what the first output says of users and the second, of stubs that say nothing, does not."""
        if self._using is not None:
            own = {*_entries(unknowing)}
            for one in self._using.doubtful(_entries(output)):
                if one not in own:
                    yield Finding(one[0], one[1], f"by the contracts that it uses: {one[2]}")


def _entries(output: str) -> list[tuple[str, int, str, str]]:
    return [one[:4] for one in entries(output.splitlines())]


def conformance_plan(
    implemented: Mapping[str, tuple[Contract, Collection[str] | None]],
    files: Mapping[str, str],
    *,
    used: Mapping[str, Contract] | None = None,
    inputs: Collection[str] = (),
) -> ConformancePlan:
    """Return the conformance plan of some files.

    Args:
        implemented: key -> the contract and the implemented facets, None for all.
        files: path -> text.
        used: key -> the contract, for used decisions.
        inputs: The paths of the other files in the sandbox.
    """
    judgings: list[Judging] = []
    found: list[Finding] = []
    unjudged: list[str] = []
    modules = cache(lambda: Modules.of(files, begins=bases(files)))
    for number, (key, (contract, facets)) in enumerate(sorted(implemented.items())):
        body = contract.body
        if isinstance(body, Stub):
            judgings.append(judging(body.source, modules(), facets=facets, number=number))
            if facets is None or body.module is not None:
                # Why not else: where several components implement a contract, one of them has its module.
                found += _outside_module(key, str(contract.module(key)), judgings[-1], modules())
            found += judgings[-1].found
            found += _handed(contract, judgings[-1])
        elif contract.language in _BY_TEXT:
            suffix, findings = _BY_TEXT[contract.language]
            held = _holding(contract.language, key.rpartition("/")[2], files)
            if facets is not None:
                unjudged.append(f"{key} is implemented in part, and files are judged by the whole")
            elif not held:
                name = "*" if contract.language == "sql" else key.rpartition("/")[2]
                unjudged.append(f"{key} could be judged by a file {name}{suffix}, and there is none")
            else:
                found += findings(body, held)
    probes = {one.path: one.text for one in judgings if one.lines}
    bodies = [body for one in judgings for body in one.bodies]
    of_user = _using(used or {}, files, inputs, modules()) if used else None
    if of_user is not None:
        found += (Finding(path, line, f"it cannot be read: {why}") for path, (line, why) in modules().unread.items())
    paths = () if of_user is None else of_user.paths
    read: dict[str, str] = {}
    if probes or paths:
        read = {**laid(files, bodies, inputs), **probes}
        read = read if of_user is None else of_user.laid(files, read)
    command = (*COMMAND, *probes, *paths)
    return ConformancePlan(tuple(sorted({*found})), tuple(unjudged), read, command, tuple(judgings), of_user)


def _using(
    used: Mapping[str, Contract], files: Mapping[str, str], inputs: Collection[str], modules: Modules
) -> Using | None:
    found = [
        Used.of(key, str(contract.module(key)), contract.body.source)
        for key, contract in sorted(used.items())
        if isinstance(contract.body, Stub)
    ]
    return using(found, files, inputs, modules) if found else None


def _outside_module(key: str, name: str, judged: Judging, modules: Modules) -> Iterator[Finding]:
    """Yield what users of a contract do not find: the module that they import, or what the component has elsewhere."""
    users = f"users of {key} import the module {name}"
    module = next((one for one in modules.found if one.name == name), None)
    if module is None:
        path = name.replace(".", "/")
        other = f"name the file {path}.py or {path}/__init__.py, or let the stub's docstring say `module: NAME`"
        yield from () if modules.unread else (Finding(f"{path}.py", 0, f"it is missing: {users}; {other}"),)
    elif "*" not in module.bound:
        public = (one for one in judged.places if one.isidentifier() and not one.startswith("_"))
        missing = sorted(one for one in public if one not in module.bound)
        yield from (
            Finding(module.path, 0, f"{one} is not in it, and {users}: write `from … import {one}` there")
            for one in missing
        )


def _handed(contract: Contract, judged: Judging) -> Iterator[Finding]:
    """Yield the values of the component's enumerations that the contract lacks and that users may receive."""
    if judged.more:
        try:
            effects = contract.compare(Contract.python(judged.widened)).effects
        except InvalidContract:
            return
        yield from (one for at, one in judged.more.items() if at in effects and effects[at].uses is Effect.BREAKING)


def decoded(files: Mapping[str, bytes]) -> tuple[dict[str, str], list[Finding]]:
    """Return path -> text, and where a file that is judged is no text."""
    texts: dict[str, str] = {}
    found: list[Finding] = []
    suffixes = (".py", ".json", ".sql", *openapi.SUFFIXES)
    for path, content in sorted(files.items()):
        texts[path] = content.decode(errors="replace")
        if "\ufffd" in texts[path] and path.lower().endswith(suffixes):
            try:
                content.decode()
            except UnicodeDecodeError as error:
                line = content.count(b"\n", 0, error.start) + 1
                found.append(Finding(path, line, "it cannot be read: it is not in UTF-8"))
    return texts, found


def _holding(language: str, name: str, files: Mapping[str, str]) -> dict[str, str]:
    """Return the files that a decision is about.

    For DDL these are all. JSON files have to be named as the decision, because most JSON files of a component are not
    about it. OpenAPI documents are recognised by their content; if some are named as the decision, only these.
    """
    if language == "sql":
        return {path: text for path, text in files.items() if path.lower().endswith(".sql")}
    if language == "json-schema":
        return {path: text for path, text in files.items() if path.rpartition("/")[2] == f"{name}.json"}
    held = {path: text for path, text in files.items() if openapi.is_document(path, text)}
    names = {f"{name}{suffix}" for suffix in openapi.SUFFIXES}
    return {path: text for path, text in held.items() if path.rpartition("/")[2] in names} or held
