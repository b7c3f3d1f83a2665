"""Checks: commands of the operator's team file, run in the sandbox on exactly the inputs of a component.

A check with a command is a source with role `tester` and the check's name, and is woken, claimed and retried like any
other. The transaction that commits its verdict has read the inputs; a change of them is a conflict, and the check runs
again.
"""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from blackboard.control.check import Check
from blackboard.control.context import Context
from blackboard.control.counted import counting, counts_tests, ran_tests
from blackboard.control.source import Source
from blackboard.errors import InvalidTeam
from blackboard.on import suspect, written
from blackboard.snapshot import Decision, decisions_json
from blackboard.spec.inputs import BuiltComponent, closure
from blackboard.spec.triggers import TESTER
from blackboard.store import gather
from blackboard.transaction import Transaction

if TYPE_CHECKING:
    from blackboard.control.sandbox import Result

DECISIONS_FILE = ".spec/decisions.json"


def check_source(check: Check) -> Source:
    """Return the source that runs a check's command; written and suspect components under its pattern wake it."""

    def execute(context: Context) -> None:
        with context.transaction() as transaction:
            inputs = None if _is_retracted(transaction, context.target) else assemble(transaction, context.target)
            if inputs is None:
                return
            result = context.run_command(
                _resolved(counting(check.command)),
                inputs,
                timeout_seconds=check.timeout_seconds,
                network=check.network,
            )
            if result.cancelled:
                transaction.discard()
                return
            transaction.verdict(check.name, context.target, passed=passes(result, check), log=log_of(result, check))

    triggers = (written(check.on), suspect(check.on))
    return Source(check.name, TESTER, triggers, execute, check=check.name, definition=check.definition)


def passes(result: "Result", check: Check) -> bool:
    """Say whether a run is a pass: exit status 0, and at least one test if the tests can be counted."""
    return result.passed and (not counts_tests(check.command) or ran_tests(result.report) > 0)


def _is_retracted(transaction: Transaction, component: str) -> bool:
    """Say whether the task of a component was retracted, so that it requires no verdict and may permit none."""
    versions, _ = transaction.versions_of(f"task/{component}")
    return any(one.state == "retracted" for one in versions) and all(one.state != "accepted" for one in versions)


def _resolved(command: Sequence[str]) -> Sequence[str]:
    return [sys.executable, *command[1:]] if command[0] == "python" else command


def assemble(transaction: Transaction, component: str) -> dict[str, bytes] | None:
    """Read the inputs of a component's check.

    These are its files, the files of the components that implement the decisions that it uses, transitively, and as
    `.spec/decisions.json` the decisions that it pins.

    Returns:
        path -> content, None if the component no longer exists.

    Raises:
        InvalidTeam: Two of the components have a file of the same name.
    """
    with transaction.reading() as connection:
        built = gather.components(connection, transaction.revision)
    files: dict[str, bytes] = {}
    owners: dict[str, str] = {}
    for key in closure(component, built):
        found = transaction.component(key)
        for path, content in found.files.items() if found is not None else ():
            if path in files:
                raise InvalidTeam(
                    f"components {owners[path]} and {key} both hold {path}", "let their tasks name different files"
                )
            files[path], owners[path] = content, key
    if component not in built:
        return None
    files[DECISIONS_FILE] = decisions_json(_pinned(transaction, built[component])).encode()
    return files


def log_of(result: "Result", check: Check) -> str:
    """Return the log of a verdict: the output of the run, its end, and the label of the sandbox."""
    lines = [result.output.rstrip("\n")] if result.output.strip() else []
    if result.timed_out:
        lines.append(f"[killed after {check.timeout_seconds:g} s]")
    elif not result.passed:
        lines.append(f"[exit status {result.status}]")
    if counts_tests(check.command) and not result.timed_out and not ran_tests(result.report):
        lines.append("[no test ran]")
    lines.append(f"[{result.label}]")
    return "\n".join(lines)


def _pinned(transaction: Transaction, component: BuiltComponent) -> tuple[Decision, ...]:
    """Read the pinned facets of the decisions that a component pins."""
    names: dict[str, list[str]] = {}
    for pin in component.pins:
        names.setdefault(pin.key, []).append(pin.name)
    found = (
        transaction.decision(key, facets=None if "" in facets else sorted(facets))
        for key, facets in sorted(names.items())
    )
    return tuple(one for one in found if one is not None)
