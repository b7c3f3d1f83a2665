"""The check that every team has: a component's files against the contracts that it implements and uses.

It is required, and runs, for components that implement a decision in a language that can judge files, or use one in a
language that can judge its users. Whatever the texts show is found without running anything; the rest is found by a
type checker in the sandbox. The verdict is bound to its inputs, to the rules and to the type checker's version.
"""

import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from importlib.metadata import version
from typing import TYPE_CHECKING

from blackboard.contracts.conformance import JUDGED, JUDGES_USERS, RULES, ConformancePlan, conformance_plan, decoded
from blackboard.contracts.finding import Finding
from blackboard.contracts.language import Contract
from blackboard.control.checker_cache import FOLDER, with_cache
from blackboard.control.checks import assemble
from blackboard.control.source import Source
from blackboard.spec.canonical import JSON, digest
from blackboard.spec.effects import Side
from blackboard.spec.triggers import CONFORMANCE
from blackboard.store import gather
from blackboard.transaction import Transaction

if TYPE_CHECKING:
    from blackboard.control.context import Context

TIMEOUT_SECONDS = 60.0


@lru_cache(maxsize=1)
def definition() -> str:
    """Return the digest of what the check does."""
    rules: JSON = [CONFORMANCE, RULES, list(JUDGED), f"mypy {version('mypy')}"]
    return digest(rules)


def record() -> JSON:
    """Return the check's record in the team."""
    sides: list[JSON] = [*(f"implements {one}" for one in JUDGED), *(f"uses {one}" for one in JUDGES_USERS)]
    return {"on": "**", "definition": definition(), "languages": sides}


def conformance_source() -> Source:
    """Return the source that runs the check; it has no triggers, the decisions that a component implements wake it."""
    return Source(CONFORMANCE, CONFORMANCE, (), _execute, check=CONFORMANCE, definition=definition())


def _execute(context: "Context") -> None:
    with context.transaction() as transaction:
        inputs = assemble(transaction, context.target)
        component = transaction.component(context.target)
        implemented = _pinned(transaction, context.target, Side.IMPLEMENTS, JUDGED)
        used = _pinned(transaction, context.target, Side.USES, JUDGES_USERS)
        if inputs is None or component is None or not (implemented or used):
            return
        own, unread = decoded(component.files)
        contracts = {key: contract for key, (contract, _) in used.items()}
        plan = conformance_plan(implemented, own, used=contracts, inputs=inputs)
        passed, log = _judge(context, plan, unread, inputs)
        if passed is None:
            transaction.discard()
            return
        transaction.verdict(CONFORMANCE, context.target, passed=passed, log=log)


def _pinned(
    transaction: Transaction, key: str, side: Side, languages: Sequence[str]
) -> dict[str, tuple[Contract, frozenset[str] | None]]:
    """Read the decisions that a component implements or uses: key -> contract and facets, None for all facets."""
    with transaction.reading() as connection:
        built = gather.components(connection, transaction.revision).get(key)
    names: dict[str, set[str]] = {}
    for pin in built.pins if built is not None else ():
        if pin.side is side:
            names.setdefault(pin.key, set()).add(pin.name)
    found: dict[str, tuple[Contract, frozenset[str] | None]] = {}
    for decision, facets in names.items():
        only = None if "" in facets else frozenset(facets)
        read = transaction.decision(decision, facets=None if only is None else sorted(only))
        if read is not None and read.contract.language in languages:
            found[decision] = (read.contract, only)
    return found


def _judge(
    context: "Context", plan: ConformancePlan, unread: Sequence[Finding], inputs: Mapping[str, bytes]
) -> tuple[bool | None, str]:
    """Return whether the files conform, and the log; None if the run was cancelled."""
    findings = [*unread, *plan.found]
    label = f"[mypy {version('mypy')}]"
    if plan.probes:
        # The type checker would read a stub next to the code instead of the code.
        files = {
            path: content
            for path, content in inputs.items()
            if not path.endswith(".pyi") and not path.startswith(FOLDER)
        }
        command, cached = with_cache(plan.command)
        run = partial(context.run_command, [sys.executable, *command], timeout_seconds=TIMEOUT_SECONDS)
        result = run({**files, **plan.probes, **cached})
        findings += plan.said(result.output)
        again = {} if result.cancelled else plan.again(result.output)
        if again:
            second = run({**files, **again, **cached})
            findings += plan.owed(result.output, second.output) if second.status in (0, 1) else ()
            result = second if second.cancelled else result
        if result.cancelled:
            return None, ""
        label = f"[{result.label}, mypy {version('mypy')}]"
        if result.status not in (0, 1) and not findings:
            why = "killed at its deadline" if result.timed_out else f"exit status {result.status}"
            return False, f"{result.output.rstrip()}\n[the type checker did not finish: {why}]\n{label}"
    return not findings, "\n".join([*map(str, sorted(set(findings))), *plan.unjudged, label])
