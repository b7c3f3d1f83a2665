"""The reads of one act from the board, recorded as the facts of its prompt.

Invariant: only the method that reads a text of the board makes a fact of it, so the prompt shows exactly the
transaction's read set, and a component has pins to it. Two exceptions: the files of other components and proposals for
other keys are shown for orientation only, and a change of them is no conflict.
"""

import json
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from blackboard import Component, Context, Contract, Decision, Question, Transaction, Version
from knowledge_sources.facts import Fact
from knowledge_sources.refusals import refusal_fact

TASK = "task/"
"""The prefix that makes the key of a task from a component's name."""
PROMPT = "prompt"

LIVE = "proposed"
CURRENT = "current"
_OTHERS = (TASK, "choreography/", "role/", "member/", "source/")
"""Prefixes of keys that are reserved, or are shown as tasks."""
_BRIEF = frozenset({"text", "value"})
"""Languages of contracts that often need the question that they answer."""
_LOST = frozenset({"rejected", "withdrawn"})

_MAX_PROVIDED = 40_000
"""Characters of other components' files that one prompt shows."""
_MAX_COMMAND = 8_000
"""The number of first characters of a check's command that a prompt shows."""
_MAX_LOG = 12_000
"""The number of last characters of a log that a prompt shows."""


@dataclass(frozen=True, slots=True)
class Task:
    """The task of one component.

    Attributes:
        implements: Key or pattern -> facets, empty for all of them.
        uses: The same for the decisions that it uses.
        checks: Names of the checks that it has to pass.
        files: Paths of its files, if the task names them.
        command: Its entry point, empty if it has none.
    """

    summary: str
    implements: Mapping[str, tuple[str, ...]]
    uses: Mapping[str, tuple[str, ...]]
    checks: tuple[str, ...]
    files: tuple[str, ...]
    command: tuple[str, ...] = ()

    @classmethod
    def of(cls, decision: Decision) -> "Task":
        """Return the task in a decision."""
        facets: Mapping[str, Any] = decision.contract.facets
        return cls(
            str(facets.get("summary", decision.contract.text)),
            {key: tuple(names) for key, names in facets.get("implements", {}).items()},
            {key: tuple(names) for key, names in facets.get("uses", {}).items()},
            tuple(facets.get("checks", ())),
            tuple(facets.get("files", ())),
            tuple(facets.get("command", ())),
        )


@dataclass(slots=True)
class Reading:
    """The reads of one transaction, each recorded as facts, in order."""

    transaction: Transaction
    facts: list[Fact] = field(default_factory=list)
    _built_on: dict[str, int] = field(default_factory=dict)
    """Key -> version that the component was written against; changes since are shown with the decision."""

    def introduce(self, name: str, role: str, act: str, target: str, **more: str | int) -> None:
        """Add a fact with the source's name, role, act and target."""
        self.facts.append(Fact("you", {"name": name, "role": role, "act": act, "target": target, **more}))

    def prompt(self) -> Decision | None:
        """Read the team's prompt."""
        found = self.transaction.decision(PROMPT)
        if found is not None:
            self.facts.append(Fact("prompt", self._origin(found), found.contract.text))
        return found

    def task(self, component: str) -> Task | None:
        """Read the task of a component."""
        found = self.transaction.decision(f"{TASK}{component}")
        if found is None:
            return None
        self._show_task(found)
        return Task.of(found)

    def tasks(self) -> tuple[Decision, ...]:
        """Read all tasks, as decisions."""
        found = tuple(self.transaction.decisions(f"{TASK}*"))
        for decision in found:
            self._show_task(decision)
        return found

    def decision(self, key: str, *, side: str = "uses", facets: Sequence[str] = ()) -> Decision | None:
        """Read a decision, or some of its facets, and show the text that declares them.

        If a facet names a class or a table, all its members or columns are read too, because they are needed to make
        an instance or a row.
        """
        needed = self._needed(key, facets)
        found = self.transaction.decision(key, side=side, facets=needed or None)
        if found is not None:
            self._show(found, side, needed)
        return found

    def decisions(self, pattern: str) -> tuple[Decision, ...]:
        """Read all decisions under a pattern as a whole; reserved ones are not shown."""
        found = tuple(self.transaction.decisions(pattern))
        for decision in found:
            if decision.key != PROMPT and not decision.key.startswith(_OTHERS):
                self._show(decision, "uses", ())
        return found

    def around(self, key: str) -> None:
        """Read all tasks, and the accepted decisions that tasks with this key name.

        Proposals are shown for orientation. A later decision is no conflict, so a member who answers one question does
        not wait for the others.
        """
        needed: set[str] = set()
        for task in map(Task.of, self.tasks()):
            named = {*task.implements, *task.uses}
            if key in named:
                needed |= named
        for other in sorted(needed - {key}):
            if "*" in other:
                continue
            if self.transaction.decision_of(other) is not None:
                self.decision(other)
            else:
                self.show_versions(one for one in self.transaction.versions_of(other)[0] if one.state == LIVE)

    def premises(self, task: Task) -> tuple[str, ...]:
        """Read the decisions that a task implements and uses: the named facets of a key, all decisions of a pattern.

        Returns:
            The keys that the task names and that are not decided.
        """
        missing: list[str] = []
        for side, wanted in (("implements", task.implements), ("uses", task.uses)):
            for key, facets in wanted.items():
                if "*" in key:
                    self.decisions(key)
                elif self.decision(key, side=side, facets=facets) is None:
                    missing.append(key)
        return tuple(missing)

    def checks(self, context: Context, *, component: str = "") -> None:
        """Show the team's checks that a component has to pass, or all checks without a component."""
        for check in context.checks(component or None):
            header = {"check": check.name, "on": check.on, "timeout_seconds": check.timeout_seconds}
            self.facts.append(Fact("check", header, _begin_of(shlex.join(check.command))))

    def providers(self, component: str, task: Task) -> None:
        """Show the files of the components that implement the decisions that a task uses, up to a limit."""
        left = _MAX_PROVIDED
        for one in self.transaction.providers(component, tuple(task.uses)):
            for path, content in sorted(one.files.items()):
                text = _readable(content)
                if len(text) > left:
                    text = f"({len(text)} characters; not shown, the prompt would be too long)"
                left -= len(text)
                self.facts.append(Fact("provider", {"component": one.key, "path": path, "state": one.state}, text))

    def questions(self, pattern: str) -> tuple[Question, ...]:
        """Read the open questions under a pattern."""
        found = tuple(self.transaction.questions(pattern))
        for question in found:
            contracts, values = _options(question)
            origin = {"key": question.key, "author": question.author, "role": question.role}
            header = {**origin, "revision": question.revision, "options": values}
            texts = (f"An option, in language {language}:\n\n{text}" for language, text in contracts)
            self.facts.append(Fact("question", header, "\n\n".join([question.question, *texts])))
        return found

    def versions(self, key: str) -> tuple[Version, ...]:
        """Read the versions of a key: live ones are shown as proposals, rejected ones as rejected."""
        found = tuple(self.transaction.versions(key))
        self.show_versions(found)
        return found

    def show_versions(self, versions: Iterable[Version], *, instead_of: Decision | None = None) -> None:
        """Show versions that were read before; a version's text never changes.

        Args:
            versions: The versions.
            instead_of: The decision that a proposal would amend; the header shows the differences.
        """
        for version in versions:
            if version.state == LIVE:
                changes = _changes(None if instead_of is None else instead_of.contract, version.contract)
                header = {**_version_header(version), **({"changes": changes} if changes else {})}
                self.facts.append(Fact("proposal", header, _body(version)))
            elif version.state in _LOST:
                against = [f"{vote.author}: {vote.reason}" for vote in version.votes if not vote.approve]
                header = {**_version_header(version), "reason": version.reason, "against": against}
                self.facts.append(Fact("rejected", header, _body(version)))

    def component(self, key: str) -> Component | None:
        """Read a component with its files; later reads of decisions show the changes since it was written."""
        found = self.transaction.component(key)
        if found is not None:
            self._built_on = {pin.key: pin.version for pin in found.pins}
            for path, content in sorted(found.files.items()):
                self.facts.append(Fact("file", {"component": key, "path": path}, _readable(content)))
        return found

    def failures(self, component: str) -> bool:
        """Show the logs of failed verdicts on a component, and say whether there is one.

        This is not in the read set: a verdict never changes, and a new one is no conflict.
        """
        failed = [verdict for verdict in self.transaction.verdicts_on(component)[0] if not verdict.passed]
        for verdict in failed:
            header = {"check": verdict.check, "component": component, "passed": False, "revision": verdict.revision}
            self.facts.append(Fact("log", header, _end_of(verdict.log)))
        return bool(failed)

    def refusal(self, previous: object | None, *, draft: Mapping[str, str] | None = None) -> None:
        """Show why the last attempt failed, if the reply is the reason, and the files of its draft."""
        if previous is None:
            return
        refusal = refusal_fact(previous)
        if refusal is not None:
            self.facts.append(refusal)
        for path, text in sorted((draft or {}).items()):
            self.facts.append(Fact("draft", {"path": path}, text))

    def _origin(self, decision: Decision, facets: Collection[str] = ()) -> dict[str, Any]:
        header: dict[str, Any] = {
            "key": decision.key,
            "version": decision.version,
            "author": decision.author,
            "role": decision.role,
            "revision": decision.mod_revision,
        }
        if decision.rationale:
            header["rationale"] = decision.rationale
        changes = self._changed(decision, facets)
        return {**header, "changes": changes} if changes else header

    def _changed(self, decision: Decision, facets: Collection[str]) -> list[str]:
        """Return the changes of a decision since the component was written against it."""
        before = self._built_on.get(decision.key, decision.version)
        if before == decision.version:
            return []
        versions = self.transaction.versions_of(decision.key)[0]
        old = next((one.contract for one in versions if one.version == before), None)
        return _changes(old, decision.contract, facets)

    def _show_task(self, decision: Decision) -> None:
        fields = {name: value for name, value in decision.contract.facets.items() if value}
        header = {**self._origin(decision), "component": decision.key.removeprefix(TASK)}
        self.facts.append(Fact("task", header, json.dumps(fields, indent=1, ensure_ascii=False)))

    def _needed(self, key: str, facets: Sequence[str]) -> list[str]:
        """Return facets with all that they name and its members; for a column its whole table."""
        names = {*facets}
        decision = self.transaction.decision_of(key) if names else None
        if decision is None:
            return sorted(names)
        contract, before = decision.contract, set[str]()
        if contract.language == "sql":
            names |= {name.partition(".")[0] for name in names}
        while names != before:
            before = names
            mentioned = contract.meant_by(names)
            names = {*mentioned, *(one for one in contract.facets if one.rpartition(".")[0] in mentioned)}
        return sorted(names)

    def _show(self, decision: Decision, side: str, facets: Sequence[str]) -> None:
        header = {**self._origin(decision, facets), "language": decision.contract.language, "side": side}
        if facets:
            header["facets"] = list(facets)
        text = decision.contract.excerpt(facets or None)
        header |= _place(decision, side, facets)
        if decision.contract.language in _BRIEF:
            for question in self.transaction.questions_under(decision.key, at=decision.mod_revision - 1):
                header |= {"answers": question.question, "options": list(question.options)}
        self.facts.append(Fact("decision", header, text.rstrip("\n")))


def _options(question: Question) -> tuple[list[tuple[str, str]], list[Any]]:
    """Return the options that are contracts, as language and text, and all others."""
    contracts: list[tuple[str, str]] = []
    values: list[Any] = []
    for option in question.options:
        match option:
            case {"language": str(language), "text": str(text)}:
                contracts.append((language, text))
            case _:
                values.append(option)
    return contracts, values


def _place(decision: Decision, side: str, facets: Sequence[str]) -> dict[str, str]:
    """Return the module of a Python contract, and the import statement for the shown names."""
    module = decision.contract.module(decision.key)
    if module is None:
        return {}
    if side == "implements":
        return {"module": module, "file": f"{module.replace('.', '/')}.py"}
    names = decision.contract.exports(facets or None)
    return {"module": module, "import": f"from {module} import {', '.join(names)}" if names else f"import {module}"}


def _changes(old: Contract | None, new: Contract | None, facets: Collection[str] = ()) -> list[str]:
    if old is None or new is None:
        return []
    effects = sorted(old.compare(new).effects.items())
    return [f"{name or 'set of facets'}: {one.reason}" for name, one in effects if not facets or name in facets]


def _version_header(version: Version) -> dict[str, Any]:
    return {
        "key": version.key,
        "version": version.version,
        "round": version.round,
        "author": version.author,
        "role": version.role,
        "revision": version.revision,
        "rationale": version.rationale,
        "language": version.language,
    }


def _body(version: Version) -> str:
    return "(its text was folded away)" if version.contract is None else version.contract.text


def _begin_of(command: str) -> str:
    if len(command) <= _MAX_COMMAND:
        return command
    return f"{command[:_MAX_COMMAND]}\n[the last {len(command) - _MAX_COMMAND} characters are left out]"


def _end_of(log: str) -> str:
    if len(log) <= _MAX_LOG:
        return log
    return f"[the first {len(log) - _MAX_LOG} characters are left out]\n{log[-_MAX_LOG:]}"


def _readable(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return f"({len(content)} bytes that are no text)"
