"""A blackboard with a shared, versioned spec for teams of agents and people that build one piece of software.

    import blackboard
    board = blackboard.Blackboard.open("board.db", create=True)
    with board.transaction("ann") as tx:
        tx.decide("api/notes", blackboard.Contract.value("int"))

The packages, lowest first; each imports only those above it in this list (docs/glossary.md explains the terms):

    clean          removal of control and invisible characters from texts
    errors         all errors, as one tree
    spec           records and rules of a spec, pure
    contracts      the languages of contracts: parsing and comparison
    choreography   the rules that permit acts; `on`: the triggers of sources
    store, plan    the database of a board; the pure computation of a commit
    snapshot, transaction, lease, board    the public objects
    control        sources, teams, the controller, checks
    testing        clocks, boards in memory and faults for the tests of applications
    cli            the command `bb`
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from blackboard import on
from blackboard.errors import (
    BlackboardError,
    BudgetExhausted,
    CommitUnknown,
    Compacted,
    Conflict,
    Damaged,
    Forked,
    Full,
    GiveUp,
    IllegalTransition,
    Inconsistent,
    Invalid,
    InvalidContract,
    InvalidKey,
    InvalidPath,
    InvalidTeam,
    KeyReused,
    LeaseLost,
    NotABoard,
    NotPermitted,
    Premise,
    ReadOnly,
    Refused,
    Reserved,
    RetryLater,
    Returning,
    SandboxMissing,
    SchemaMismatch,
    Sealed,
    StopRun,
    StoreError,
    TeamMismatch,
    TooLarge,
    Unavailable,
)

if TYPE_CHECKING:
    from blackboard.board import Blackboard
    from blackboard.contracts.language import Contract
    from blackboard.control.context import Context
    from blackboard.control.controller import Controller
    from blackboard.control.prices import Usage
    from blackboard.control.source import Source, external, knowledge_source
    from blackboard.control.team import Budget, Check, Team
    from blackboard.lease import Failure, Lease
    from blackboard.snapshot import Component, Decision, Question, Snapshot, Verdict, Version, Vote
    from blackboard.spec.changes import Committed
    from blackboard.spec.convergence import Obligation, Outcome
    from blackboard.spec.files import export_refusal
    from blackboard.spec.records import ChangeRecord as Change
    from blackboard.spec.triggers import Trigger
    from blackboard.store.feed import Cursor
    from blackboard.store.preview import Impact
    from blackboard.transaction import Transaction

_HEAVY = {
    "Blackboard": "blackboard.board",
    "Contract": "blackboard.contracts.language",
    "Context": "blackboard.control.context",
    "Controller": "blackboard.control.controller",
    "Usage": "blackboard.control.prices",
    "Source": "blackboard.control.source",
    "external": "blackboard.control.source",
    "knowledge_source": "blackboard.control.source",
    "Budget": "blackboard.control.team",
    "Check": "blackboard.control.team",
    "Team": "blackboard.control.team",
    "Failure": "blackboard.lease",
    "Lease": "blackboard.lease",
    "Component": "blackboard.snapshot",
    "Decision": "blackboard.snapshot",
    "Question": "blackboard.snapshot",
    "Snapshot": "blackboard.snapshot",
    "Verdict": "blackboard.snapshot",
    "Version": "blackboard.snapshot",
    "Vote": "blackboard.snapshot",
    "Committed": "blackboard.spec.changes",
    "Trigger": "blackboard.spec.triggers",
    "export_refusal": "blackboard.spec.files",
    "Obligation": "blackboard.spec.convergence",
    "Outcome": "blackboard.spec.convergence",
    "Change": "blackboard.spec.records",
    "Cursor": "blackboard.store.feed",
    "Impact": "blackboard.store.preview",
    "Transaction": "blackboard.transaction",
}
"""Public name -> module: loaded when first used, so that importing the package stays cheap."""

_RENAMED = {"Change": "ChangeRecord"}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    if name not in _HEAVY:
        raise AttributeError(f"module 'blackboard' has no attribute {name!r}")
    found = getattr(import_module(_HEAVY[name]), _RENAMED.get(name, name))
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)


__all__ = [
    "Blackboard",
    "BlackboardError",
    "Budget",
    "BudgetExhausted",
    "Change",
    "Check",
    "CommitUnknown",
    "Committed",
    "Compacted",
    "Component",
    "Conflict",
    "Context",
    "Contract",
    "Controller",
    "Cursor",
    "Damaged",
    "Decision",
    "Failure",
    "Forked",
    "Full",
    "GiveUp",
    "IllegalTransition",
    "Impact",
    "Inconsistent",
    "Invalid",
    "InvalidContract",
    "InvalidKey",
    "InvalidPath",
    "InvalidTeam",
    "KeyReused",
    "Lease",
    "LeaseLost",
    "NotABoard",
    "NotPermitted",
    "Obligation",
    "Outcome",
    "Premise",
    "Question",
    "ReadOnly",
    "Refused",
    "Reserved",
    "RetryLater",
    "Returning",
    "SandboxMissing",
    "SchemaMismatch",
    "Sealed",
    "Snapshot",
    "Source",
    "StopRun",
    "StoreError",
    "Team",
    "TeamMismatch",
    "TooLarge",
    "Transaction",
    "Trigger",
    "Unavailable",
    "Usage",
    "Verdict",
    "Version",
    "Vote",
    "export_refusal",
    "external",
    "knowledge_source",
    "on",
]
