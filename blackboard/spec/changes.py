"""What an author wants, what it read, and what a commit would write: acts, reads, rows, plans.

An intent goes into the plan, a plan comes out: rows as data, the events that wake sources, and the footprint, which
is everything that the answer depends on.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from blackboard.errors import Refused
from blackboard.spec.canonical import JSON
from blackboard.spec.footprint import Footprint
from blackboard.spec.lifecycle import KeyState, State
from blackboard.spec.reads import Reads
from blackboard.spec.records import Body
from blackboard.spec.staleness import PatternPin, Pin, spelled
from blackboard.spec.triggers import Recheck


@dataclass(frozen=True, slots=True)
class Ask:
    """Put a question about a key."""

    key: str
    question: str
    options: tuple[JSON, ...] = ()


@dataclass(frozen=True, slots=True)
class Propose:
    """Propose a version; several keys together are accepted in one commit or not at all."""

    bodies: tuple[tuple[str, Body], ...]
    rationale: str = ""
    evidence: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Take one's own proposal back."""

    key: str
    version: int


@dataclass(frozen=True, slots=True)
class Vote:
    """Vote on a proposed version, once."""

    key: str
    version: int
    approve: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Decide:
    """Accept a version by one's own right."""

    key: str
    body: Body
    rationale: str = ""


@dataclass(frozen=True, slots=True)
class Retract:
    """Take an accepted decision back."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class Write:
    """Write a component: all its files (path -> digest and content) and what they were built against."""

    component: str
    files: Mapping[str, tuple[str, bytes]]
    pins: tuple[Pin, ...] = ()
    patterns: tuple[PatternPin, ...] = ()


@dataclass(frozen=True, slots=True)
class Observe(Write):
    """Note that a component's code, as `author` wrote it, relies on more: what it names was written after it."""

    author: str = ""
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Judge:
    """Record the result of a check for exactly these inputs."""

    check: str
    component: str
    version: int
    passed: bool
    log: str
    inputs: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Note that a deadline is due; the store's own author `clock` does it."""

    key: str
    path: str
    round: int
    due: float


@dataclass(frozen=True, slots=True)
class Install:
    """Make the reserved keys those of a team, and the prompt its prompt."""

    bodies: Mapping[str, Body]


Act: TypeAlias = Ask | Propose | Withdraw | Vote | Decide | Retract | Write | Observe | Judge | Tick | Install


def amended_by(acts: Collection[Act]) -> set[str]:
    """Return the decisions that acts change."""
    keys = {act.key for act in acts if isinstance(act, Decide | Retract)}
    return keys.union(*({key for key, _ in act.bodies} for act in acts if isinstance(act, Propose)))


OBSERVED = "observed"
"""The path of a version that no author wrote: it follows from what was written elsewhere."""


class Intent(NamedTuple):
    """One transaction, ready to be planned.

    Attributes:
        base: The revision that its reads are from.
        token: The fencing token of the lease under which it was made.
    """

    author: str
    role: str | None
    acts: tuple[Act, ...]
    reads: Reads
    base: int
    idempotency_key: str
    token: int | None = None


class KeyRow(NamedTuple):
    """A key's new state and current version."""

    key: str
    kind: str
    state: KeyState
    last_version: int
    current: int | None
    digest: str | None
    generation: int
    id: int | None = None
    """What the store calls it, None where it had no record before."""
    moved: bool = True
    """Its state or its current version is another one than before."""
    member: bool = False
    """It joined or left what a pattern names."""
    appeared: bool = False
    """It was absent before and is so no longer; it never becomes so again."""


class VersionRow(NamedTuple):
    """A new version. `state` is what it is after this commit."""

    key: str
    version: int
    body: Body
    state: State
    base: int | None
    author: str
    role: str | None
    rationale: str = ""
    evidence: tuple[int, ...] = ()
    electorate: tuple[str, ...] | None = None
    quorum: int | None = None
    round: int = 1
    joint: bool = False
    merged: int | None = None
    premises: tuple[Pin, ...] = ()
    """What its author relied on of other decisions; kept where there is a team that can be told when it changes."""

    def content(self) -> JSON:
        """Return what the change's digest is over; what most versions lack is named only where it is."""
        return {
            **({} if self.merged is None else {"merged": self.merged}),
            **({"premises": spelled(self.premises)} if self.premises else {}),
            "language": self.body.language,
            "text": self.body.text,
            "digest": self.body.digest,
            "base": self.base,
            "author": self.author,
            "role": self.role,
            "rationale": self.rationale,
            "evidence": list(self.evidence),
            "electorate": None if self.electorate is None else list(self.electorate),
            "quorum": self.quorum,
            "round": self.round,
            "joint": self.joint,
        }


class SettleRow(NamedTuple):
    """An existing version's new state."""

    key: str
    version: int
    state: State
    reason: str


class HeadRow(NamedTuple):
    """A facet of what is current that has another value now; digest None: it went."""

    key: str
    name: str
    digest: str | None


class EffectRow(NamedTuple):
    """What a facet's change from the value of `old_since` means for each side."""

    key: str
    name: str
    old_since: int
    uses: str
    implements: str
    reason: str


@dataclass(frozen=True, slots=True)
class VoteRow:
    """A vote."""

    key: str
    version: int
    author: str
    approve: bool
    reason: str

    def content(self) -> JSON:
        """Return what the change's digest is over."""
        return {"approve": self.approve, "author": self.author, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """A new question."""

    key: str
    text: str
    options: tuple[JSON, ...]
    author: str
    role: str | None

    def content(self) -> JSON:
        """Return what the change's digest is over."""
        return {"text": self.text, "options": list(self.options), "author": self.author, "role": self.role}


@dataclass(frozen=True, slots=True)
class CloseRow:
    """The end of the open question about a key."""

    key: str


@dataclass(frozen=True, slots=True)
class ComponentRow:
    """A new version of a component."""

    key: str
    version: int
    author: str
    role: str | None
    digest: str
    files: Mapping[str, tuple[str, bytes]]
    pins: tuple[Pin, ...]
    patterns: tuple[PatternPin, ...]

    def content(self) -> JSON:
        """Return what the change's digest is over."""
        return {
            "author": self.author,
            "role": self.role,
            "files": {path: digest for path, (digest, _) in self.files.items()},
            "pins": spelled(self.pins),
            "patterns": sorted(pinned.pattern for pinned in self.patterns),
        }


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """A verdict.

    Attributes:
        settles: Whether the component was suspect and this ends it: a failure, or the last pass that was missing.
    """

    check: str
    component: str
    version: int
    passed: bool
    log: str
    inputs: str
    author: str
    settles: bool = False

    def content(self) -> JSON:
        """Return what the change's digest is over; what the verdict settles follows from the history before it."""
        return {
            "check": self.check,
            "passed": self.passed,
            "log": self.log,
            "inputs": self.inputs,
            "author": self.author,
        }


@dataclass(frozen=True, slots=True)
class PositionRow:
    """Where an instance of the choreography stands."""

    key: str
    path: str
    state: Mapping[str, JSON]


@dataclass(frozen=True, slots=True)
class DeadlineRow:
    """A deadline, `seconds` after the commit's store time; None: no deadline any more."""

    key: str
    path: str
    round: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class NeedRow:
    """The decisions for which a component waits; nothing where its task is gone."""

    component: str
    keys: tuple[str, ...]
    patterns: tuple[str, ...]
    under: tuple[str, ...] = ()
    """Keys that exist under the patterns."""


@dataclass(frozen=True, slots=True)
class WakesRow:
    """The sources that want to know when a component becomes stale or suspect: (source, trigger kind)."""

    component: str
    sources: tuple[tuple[str, str], ...]


Row: TypeAlias = (
    KeyRow
    | VersionRow
    | SettleRow
    | HeadRow
    | EffectRow
    | VoteRow
    | QuestionRow
    | CloseRow
    | ComponentRow
    | VerdictRow
    | PositionRow
    | DeadlineRow
    | NeedRow
    | WakesRow
)


class ChangeRow(NamedTuple):
    """One entry of the feed."""

    kind: str
    key: str
    version: int | None
    path: str
    digest: str
    reason: str = ""


class Plan(NamedTuple):
    """What a commit would do at one head, which is the revision that it was planned at.

    Attributes:
        accepted: (key, version) of the versions that become accepted.
        wakes: (source, target key, trigger kind) to put on the agenda.
        written: Components that get a new version: the checks of those that rest on them have to run again.
        rechecks: Those who give verdicts.
        reshaped: Keys whose current facets change or go, so that dependents have to be looked at.
        settled: (key, trigger kinds) of the activations that this makes pointless.
        watched: Whether there is any source: without one nothing is on the agenda, and nothing gets there.
        counted: The templates of which it has to be known how many keys exist under them.
        merged: Decisions that were read whole and have changed since, and of which both changes are kept.
    """

    head: int
    footprint: Footprint
    rows: tuple[Row, ...] = ()
    changes: tuple[ChangeRow, ...] = ()
    accepted: tuple[tuple[str, int], ...] = ()
    wakes: tuple[tuple[str, str, str], ...] = ()
    reshaped: tuple[str, ...] = ()
    settled: tuple[tuple[str, tuple[str, ...]], ...] = ()
    written: tuple[str, ...] = ()
    rechecks: tuple[Recheck, ...] = ()
    choreography: str | None = None
    watched: bool = True
    counted: tuple[str, ...] = ()
    merged: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A plan's no, which stands only while nothing touches its footprint; and what only a constraint forbids."""

    head: int
    footprint: Footprint
    error: Refused
    otherwise: Plan | None = None


@dataclass(frozen=True, slots=True)
class Committed:
    """A commit that is durable.

    Attributes:
        revision: Its number; of a commit without changes, the revision at which its reads were validated.
        accepted: (key, version) of what became accepted.
        head_before: The revision of the head that it was applied to.
    """

    revision: int
    accepted: tuple[tuple[str, int], ...]
    head_before: int
