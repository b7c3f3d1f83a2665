"""Acts that authors want, rows that a commit would write, and plans.

Planning turns an intent into a plan: rows as data, the activations that it makes, and the footprint, which is
everything that the plan depends on.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from blackboard.errors import Refused
from blackboard.spec.canonical import JSON
from blackboard.spec.footprint import Footprint
from blackboard.spec.lifecycle import State
from blackboard.spec.reads import Reads
from blackboard.spec.records import Body, KeyRecord, QuestionRecord, VersionRecord
from blackboard.spec.staleness import PatternPin, Pin, pins_as_json
from blackboard.spec.triggers import Recheck


class Ask(NamedTuple):
    """Put a question about a key."""

    key: str
    question: str
    options: tuple[JSON, ...] = ()


class Propose(NamedTuple):
    """Propose a version; several keys together are accepted in one commit or not at all."""

    bodies: tuple[tuple[str, Body], ...]
    rationale: str = ""
    evidence: tuple[int, ...] = ()


class Withdraw(NamedTuple):
    """Take one's own proposal back."""

    key: str
    version: int


class Vote(NamedTuple):
    """Vote on a proposed version, once. `author` is set where it is a row."""

    key: str
    version: int
    approve: bool
    reason: str = ""
    author: str = ""

    def content(self) -> JSON:
        """Return what the change's digest is over."""
        return {"approve": self.approve, "author": self.author, "reason": self.reason}


class Decide(NamedTuple):
    """Accept a version by one's own right."""

    key: str
    body: Body
    rationale: str = ""


class Retract(NamedTuple):
    """Take an accepted decision back."""

    key: str
    reason: str


class Write(NamedTuple):
    """Write a component: all its files (path -> digest and content) and what they were built against."""

    component: str
    files: Mapping[str, tuple[str, bytes]]
    pins: tuple[Pin, ...] = ()
    patterns: tuple[PatternPin, ...] = ()


class Observe(NamedTuple):
    """Note that a component's code, as `author` wrote it, relies on more: what it names was written after it."""

    component: str
    files: Mapping[str, tuple[str, bytes]]
    pins: tuple[Pin, ...]
    patterns: tuple[PatternPin, ...]
    author: str
    role: str | None


class Judge(NamedTuple):
    """Record the result of a check for exactly these inputs; `author` and `settles` are set where it is a row.

    Attributes:
        settles: The component was suspect and this ends it: a failure, or the last pass that was missing.
    """

    check: str
    component: str
    version: int
    passed: bool
    log: str
    inputs: str
    author: str = ""
    settles: bool = False

    def content(self) -> JSON:
        """Return what the change's digest is over; `settles` follows from the changes before it."""
        return {name: getattr(self, name) for name in ("check", "passed", "log", "inputs", "author")}


class Tick(NamedTuple):
    """Note that a deadline is due; the store's own author `clock` does it."""

    key: str
    path: str
    round: int
    due: float


class Install(NamedTuple):
    """Make the reserved keys those of a team, and the prompt its prompt."""

    bodies: Mapping[str, Body]


Act: TypeAlias = Ask | Propose | Withdraw | Vote | Decide | Retract | Write | Observe | Judge | Tick | Install


def amended_by(acts: Collection[Act]) -> set[str]:
    """Return the decisions that acts change."""
    keys = {act.key for act in acts if isinstance(act, Decide | Retract)}
    return keys.union(*({key for key, _ in act.bodies} for act in acts if isinstance(act, Propose)))


OBSERVED = "observed"
"""The path of a version that no author wrote: it follows from another component."""


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


class SettleRow(NamedTuple):
    """An existing version's new state."""

    key: str
    version: int
    state: State
    reason: str


class HeadRow(NamedTuple):
    """A new value of a current facet; digest None: it was removed."""

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


class CloseRow(NamedTuple):
    """The end of the open question about a key."""

    key: str


class ComponentRow(NamedTuple):
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
            "pins": pins_as_json(self.pins),
            "patterns": sorted(pinned.pattern for pinned in self.patterns),
        }


class PositionRow(NamedTuple):
    """The position of a step instance."""

    key: str
    path: str
    state: Mapping[str, JSON]


class DeadlineRow(NamedTuple):
    """A deadline, `seconds` after the commit's store time; None: it is disarmed."""

    key: str
    path: str
    round: int
    seconds: float | None


class NeedRow(NamedTuple):
    """The decisions that a component's task names, and those that exist under the patterns; none without a task."""

    component: str
    keys: tuple[str, ...]
    patterns: tuple[str, ...]
    under: tuple[str, ...] = ()


class WakesRow(NamedTuple):
    """The (source, trigger kind) subscribed to a component or decision that becomes stale or suspect."""

    component: str
    sources: tuple[tuple[str, str], ...]


_DecisionRow: TypeAlias = KeyRecord | VersionRecord | SettleRow | HeadRow | EffectRow | Vote | QuestionRecord | CloseRow
Row: TypeAlias = _DecisionRow | ComponentRow | Judge | PositionRow | DeadlineRow | NeedRow | WakesRow
"""What a commit writes. A record is a row of its own table; an act is one where the table holds what the act says."""


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
        wakes: (source, target key, trigger kind) of the activations that it makes.
        reshaped: Keys whose current facets change or go, so that dependents may become stale.
        settled: (key, trigger kinds) of the activations that it obviates.
        written: Components that get a new version: checks that have it as an input have to run again.
        rechecks: The sources that give verdicts.
        watched: Whether there is any source: without one the agenda is and stays empty.
        counted: The templates whose number of keys the choreography bounds.
        merged: Decisions that were read whole and have changed since, and that keep both changes.
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


class Refusal(NamedTuple):
    """A refusal, valid while its footprint does not change; `otherwise` is the plan that only a constraint forbids."""

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
