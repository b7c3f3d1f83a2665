"""What the commands print, as finished records: plain values, already asked for and already limited.

`--json` prints exactly these. Texts stand in them as the board holds them; whoever shows them on a terminal cleans
them. An empty text or None means that there is none.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TypeAlias

from blackboard.cli.affected import NOBODY, Affected
from blackboard.cli.examined import HealthReport
from blackboard.cli.spending import BudgetLine, CallsReport, SpentLine, WaitingLine
from blackboard.contracts.losing import Lost
from blackboard.solver import Possible
from blackboard.spec.canonical import JSON
from blackboard.spec.convergence import Obligation


@dataclass(frozen=True, slots=True)
class FacetLine:
    """What the change of one facet (`''` is the set of names) means for each side, and the rules that it breaks."""

    facet: str
    reason: str
    uses: str
    implements: str
    proof: str = ""
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A decision that goes from one version to another; None: there is none before, or none after.

    Attributes:
        bases: The versions of which the new one was made.
    """

    key: str
    old: int | None
    new: int | None
    facets: tuple[FacetLine, ...] = ()
    bases: tuple[int, ...] = ()


def merged_from(bases: tuple[int, ...]) -> str:
    """Return of which versions one was merged, as the end of a sentence; "" where it was not."""
    return f", merged from {' and '.join(map(str, bases))}" if len(bases) > 1 else ""


@dataclass(frozen=True, slots=True)
class ActivationLine:
    """One wish of one source to act on one target.

    Attributes:
        kind: The trigger that woke it.
        since: The revision that woke it.
        holder: Host and process that hold its lease.
        expires_in_seconds: How long the lease still lasts by the store's clock.
        reason: Of its last failure.
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
        key: Empty where an operator did it to the whole board.
        note: How a check went, what an operator named and why, or which breaks the operator who decided accepts.
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
    """Whether a board has converged, and what is left.

    Attributes:
        kind: `converged`, `stalled`, `oscillating`, `budget_exhausted` or `aborted`.
        decisions, components, agenda: state -> how many.
        program: Where the program was put, where a run did that.
        halt: How an operator halted the board, since when, by whom and why.
        possible: What the constraints leave of the open questions.
        waiting: The calls of models that run now.
        calls: What calls used by source and model.
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


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that somebody did, and that is why a key stands as it does.

    Attributes:
        act: What it was, as a sentence without its author: `amended some/key 2 -> 3`.
        rationale: What the author said about it.
        facets: What it changed.
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
    """Why a key stands as it does, and what happens next.

    Attributes:
        state: Of the decision or component; empty where the board knows nothing under the key.
        since: The revision that brought it into this state.
        stale_since: The revision that broke what a decision rests on, None where it stands.
        waits_for: Keys that have to be accepted first.
        left: What the board still wants of it.
        unread: What a component's code relies on and its author did not read: a decision and facets each.
        unused: What its author read and its code does not rely on.
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
    """One version of a decision, with what it changes against the accepted one while it is proposed.

    Attributes:
        electorate, quorum: Who may vote, and how many yes votes accept it; None where nobody votes.
        text: Empty unless it is shown in full.
        reason: Why it was rejected, withdrawn or retracted, or what it was merged into.
        bases: The versions of which it was made.
        compacted: Its text is no longer kept.
        affected: Who will need work if it is accepted.
        lost: The facets for which another version was accepted instead of it.
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
    """What a component was built against of one decision: facets, and the version that is accepted now.

    Attributes:
        observed: Those of the facets that nobody read: the code shows that they are used.
        changes: What became of the facets since, for this side.
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
    """One component: path -> size in bytes, pins, verdicts; the text of its files where it was asked for."""

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
        cut: There are older ones that were not asked for.
        first: The first revision whose changes are kept.
    """

    revision: int
    changes: tuple[ChangeLine, ...]
    cut: bool = False
    first: int = 1


@dataclass(frozen=True, slots=True)
class FileChange:
    """A component that differs between two revisions, and which of its files do."""

    key: str
    old: int | None
    new: int | None
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DiffReport:
    """What differs in the spec between two revisions.

    Attributes:
        proofs: Whether the proofs are to be shown too; as JSON they always are.
        affected: The components that need work at the newer one and did not at the older one.
    """

    old: int
    new: int
    decisions: tuple[KeyChange, ...]
    components: tuple[FileChange, ...]
    proofs: bool = False
    affected: Affected = NOBODY


@dataclass(frozen=True, slots=True)
class ImpactReport:
    """What a commit would do, or did.

    Attributes:
        affected: Who needs work after it.
        refused_by: Why it would be refused; "" where it would not.
        constraint: The constraint that refuses it.
        together: The command that amends in one commit all that the constraint names.
        revision: Of the commit; None where nothing was written.
    """

    changes: tuple[KeyChange, ...]
    affected: Affected = NOBODY
    refused_by: str = ""
    constraint: str = ""
    together: str = ""
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class DoneReport:
    """What a commit did: a sentence for each act, and what became accepted by it (key, version)."""

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
    """One picture of a running board, with no more rows than fit.

    Attributes:
        kind: Of the outcome when it was last asked, empty before that.
        obligations_left: How many there are; the first of them stand in `obligations`.
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
    """Return a record as one line of JSON in ASCII, so that nothing in it can do anything to a terminal."""
    return json.dumps(asdict(record), separators=(", ", ": "))
