"""The records that commands print: plain values, complete and limited in size.

`--json` prints exactly these. Their texts are those of the board; `render` cleans them for a terminal. An empty text or
None means that there is none.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TypeAlias

from blackboard.cli.affected import NOBODY, Affected
from blackboard.cli.examined import HealthReport
from blackboard.cli.spending import BudgetLine, CallsReport, SpentLine, WaitingLine
from blackboard.cli.workers import WorkerLine
from blackboard.contracts.losing import Lost
from blackboard.solver import Possible
from blackboard.spec.canonical import JSON
from blackboard.spec.convergence import Obligation


@dataclass(frozen=True, slots=True)
class FacetLine:
    """The effect of a facet's change (`''` is the set of names) on each side, and the rules that it breaks."""

    facet: str
    reason: str
    uses: str
    implements: str
    proof: str = ""
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyChange:
    """The difference of a decision between two versions; None means that there is none before, or none after.

    Attributes:
        bases: The versions that the new one was made from.
    """

    key: str
    old: int | None
    new: int | None
    facets: tuple[FacetLine, ...] = ()
    bases: tuple[int, ...] = ()


def merged_from(bases: tuple[int, ...]) -> str:
    """Return the versions that one was merged from, as the end of a sentence; "" if it was not merged."""
    return f", merged from {' and '.join(map(str, bases))}" if len(bases) > 1 else ""


@dataclass(frozen=True, slots=True)
class ActivationLine:
    """One activation.

    Attributes:
        kind: The kind of the trigger that made it.
        since: The revision that made it.
        holder: Host and process that hold its lease.
        expires_in_seconds: The remaining time of the lease by the store's clock.
        reason: The text of its last failure.
    """

    source: str
    target: str
    kind: str
    state: str
    rating: float
    attempts: int
    since: int
    holder: str = ""
    expires_in_seconds: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One entry of the feed.

    Attributes:
        key: Empty for an operator's act on the whole board.
        note: The result of a check, an operator's arguments and reason, or the breaks that a decision accepts.
    """

    revision: int
    ordinal: int
    kind: str
    key: str | None
    version: int | None
    author: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class StatusReport:
    """Whether a board has converged, and its obligations.

    Attributes:
        kind: `converged`, `stalled`, `oscillating`, `budget_exhausted` or `aborted`.
        decisions, components, agenda: state -> number.
        program: The folder of the exported program, if a run exported it.
        halt: The halt of the board, its revision, operator and reason.
        possible: The answers to open questions that the constraints permit.
        waiting: The running calls of models.
        calls: The spending of calls by source and model.
        workers: The processes that execute the team's sources.
    """

    location: str
    revision: int
    converged: bool
    kind: str
    obligations: tuple[Obligation, ...]
    cycle: tuple[str, ...]
    fingerprint: str | None
    decisions: Mapping[str, int]
    components: Mapping[str, int]
    agenda: Mapping[str, int]
    budget: tuple[BudgetLine, ...] = ()
    program: str = ""
    halt: str = ""
    possible: Possible | None = None
    waiting: tuple[WaitingLine, ...] = ()
    calls: tuple[SpentLine, ...] = ()
    workers: tuple[WorkerLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Cause:
    """One act that is a cause of a key's state.

    Attributes:
        act: The act as a sentence without its author: `amended some/key 2 -> 3`.
        rationale: The author's rationale.
        facets: The facets that it changed.
    """

    revision: int
    author: str
    role: str
    act: str
    rationale: str = ""
    facets: tuple[FacetLine, ...] = ()


@dataclass(frozen=True, slots=True)
class FacetsOf:
    """Some facets of a decision."""

    key: str
    facets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WhyReport:
    """The causes of a key's state, and the next steps.

    Attributes:
        state: The state of the decision or component; empty if the key is absent.
        since: The revision of this state.
        stale_since: The revision that broke a premise of a decision, None if there is none.
        waits_for: Keys that have to be accepted first.
        left: The open obligations about the key.
        unread: Decisions and facets that a component's code uses and its author did not read.
        unused: Decisions and facets that its author read and its code does not use.
    """

    key: str
    kind: str
    state: str
    since: int | None
    causes: tuple[Cause, ...]
    waits_for: tuple[str, ...]
    left: tuple[Obligation, ...]
    next: tuple[ActivationLine, ...]
    unread: tuple[FacetsOf, ...] = ()
    unused: tuple[FacetsOf, ...] = ()
    stale_since: int | None = None


@dataclass(frozen=True, slots=True)
class VoteLine:
    """One vote."""

    author: str
    approve: bool
    reason: str
    revision: int


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One version of a decision; for a proposal also its differences from the accepted version.

    Attributes:
        electorate, quorum: The members who may vote, and the number of yes votes that accepts; None without a vote.
        text: Empty unless it is shown in full.
        reason: Why it was rejected, withdrawn or retracted, or the version that it was merged into.
        bases: The versions that it was made from.
        compacted: Its text is no longer kept.
        affected: The components that will need work if it is accepted.
        lost: The facets for which another version was accepted.
    """

    version: int
    state: str
    language: str
    author: str
    role: str
    rationale: str
    revision: int
    electorate: tuple[str, ...] | None
    quorum: int | None
    votes: tuple[VoteLine, ...]
    reason: str
    text: str
    changes: tuple[FacetLine, ...] = ()
    compacted: bool = False
    bases: tuple[int, ...] = ()
    affected: Affected = NOBODY
    lost: tuple[Lost, ...] = ()


@dataclass(frozen=True, slots=True)
class QuestionLine:
    """An open question."""

    question: str
    options: tuple[JSON, ...]
    author: str
    revision: int


@dataclass(frozen=True, slots=True)
class DecisionReport:
    """One decision: the versions newest first, and its open questions."""

    key: str
    state: str
    current: int | None
    questions: tuple[QuestionLine, ...]
    versions: tuple[VersionLine, ...]


@dataclass(frozen=True, slots=True)
class PinLine:
    """A component's pins to one decision: the facets, and the version that is accepted now.

    Attributes:
        observed: The facets that the author did not read and the code uses.
        changes: The changes of the facets since, for this side.
    """

    key: str
    side: str
    version: int
    facets: tuple[str, ...]
    now: int | None
    observed: tuple[str, ...] = ()
    changes: tuple[FacetLine, ...] = ()


@dataclass(frozen=True, slots=True)
class VerdictLine:
    """The newest result of one check."""

    check: str
    passed: bool
    log: str
    author: str
    revision: int


@dataclass(frozen=True, slots=True)
class ComponentReport:
    """One component: path -> size in bytes, pins, verdicts; optionally the text of its files."""

    key: str
    state: str
    version: int
    author: str
    revision: int
    waits_for: tuple[str, ...]
    files: Mapping[str, int]
    pins: tuple[PinLine, ...]
    verdicts: tuple[VerdictLine, ...]
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class KeyLine:
    """One key in a list."""

    key: str
    kind: str
    state: str
    version: int | None
    revision: int


@dataclass(frozen=True, slots=True)
class ListReport:
    """The keys under a pattern."""

    pattern: str
    keys: tuple[KeyLine, ...]


@dataclass(frozen=True, slots=True)
class LogReport:
    """Changes in order, up to a revision.

    Attributes:
        cut: Whether older changes are not shown.
        first: The first revision whose changes are kept.
    """

    revision: int
    changes: tuple[ChangeLine, ...]
    cut: bool = False
    first: int = 1


@dataclass(frozen=True, slots=True)
class FileChange:
    """A component that differs between two revisions, with the files that differ."""

    key: str
    old: int | None
    new: int | None
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DiffReport:
    """The differences of the spec between two revisions.

    Attributes:
        proofs: Whether the proofs are printed; the JSON always has them.
        affected: The components that need work at the newer revision and did not at the older one.
    """

    old: int
    new: int
    decisions: tuple[KeyChange, ...]
    components: tuple[FileChange, ...]
    proofs: bool = False
    affected: Affected = NOBODY


@dataclass(frozen=True, slots=True)
class ImpactReport:
    """The impact of a commit, before or after it.

    Attributes:
        affected: The components that need work after it.
        refused_by: Why it would be refused; "" if it would not.
        constraint: The constraint that refuses it.
        together: The command that amends all keys of the constraint in one commit.
        revision: The commit's revision; None if nothing was written.
    """

    changes: tuple[KeyChange, ...]
    affected: Affected = NOBODY
    refused_by: str = ""
    constraint: str = ""
    together: str = ""
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class DoneReport:
    """A commit: a sentence for each act, and the accepted versions (key, version)."""

    revision: int
    acts: tuple[str, ...]
    accepted: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """A decision in the live view; `votes` are those on its newest live proposal."""

    key: str
    state: str
    version: int | None
    proposed: int | None
    yes: int
    no: int
    quorum: int | None
    revision: int


@dataclass(frozen=True, slots=True)
class ComponentLine:
    """A component in the live view, and why it is not current."""

    key: str
    state: str
    version: int | None
    why: str
    verdicts: tuple[tuple[str, bool], ...]
    revision: int


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of the live view of a board, with no more rows than fit.

    Attributes:
        kind: The kind of the last computed outcome, empty before the first.
        obligations_left: The number of all obligations; `obligations` has the first of them.
    """

    location: str
    revision: int
    decisions: tuple[DecisionLine, ...]
    components: tuple[ComponentLine, ...]
    agenda: tuple[ActivationLine, ...]
    budget: tuple[BudgetLine, ...]
    changes: tuple[ChangeLine, ...]
    kind: str
    obligations: tuple[Obligation, ...]
    obligations_left: int
    waiting: tuple[WaitingLine, ...] = ()


Record: TypeAlias = (
    StatusReport
    | WhyReport
    | DecisionReport
    | ComponentReport
    | ListReport
    | LogReport
    | ChangeLine
    | DiffReport
    | ImpactReport
    | DoneReport
    | HealthReport
    | Frame
)


def to_json(record: Record | CallsReport) -> str:
    """Return a record as one line of JSON in ASCII, which contains no control character for a terminal."""
    return json.dumps(asdict(record), separators=(", ", ": "))
