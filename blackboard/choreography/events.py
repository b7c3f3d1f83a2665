"""The facts that the transition relation reads, its events, and its consequences.

The relation reads a board only through `BoardState`, so an implementation can record the footprint of an answer. It
includes the effects of earlier acts of the same commit and their consequences. `guard` is called before the act is
applied; `follow` gives the same answer before and after its event is applied.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from blackboard.choreography.values import Otherwise, Quorum
from blackboard.spec.canonical import JSON


class BoardState(Protocol):
    """The facts of a board that a rule can ask for."""

    def state(self, key: str) -> str | None:
        """Return `open`, `accepted`, `contested` or `retracted`, `written` for a component, None for an absent key."""

    def asked(self, key: str) -> bool:
        """Say whether the key has an open question."""

    def live(self, key: str) -> tuple[int, ...]:
        """Return the versions of the key that are proposed and not settled."""

    def has_accepted(self, key: str) -> bool:
        """Say whether the key has an accepted version, even if an amendment is open or contested."""

    def current(self, component: str) -> bool:
        """Say whether the component exists and no pin of it is stale or orphaned."""

    def passed(self, check: str, component: str) -> bool:
        """Say whether the newest verdict of the check on the component's current version is a pass."""

    def position(self, key: str, path: str) -> Mapping[str, JSON] | None:
        """Return the stored position of the step with this path for this key, None if there is none."""

    def room(self, template: str, at_most: int) -> bool:
        """Say whether fewer than this number of keys exist under the template, reserved keys not counted."""

    def any_accepted(self, pattern: str) -> bool:
        """Say whether some key under the pattern has an accepted version."""


@dataclass(frozen=True, slots=True)
class Act:
    """An act on a key: `verb` is one of `steps.ACTS`; `check` names the check of a verdict."""

    verb: str
    key: str
    check: str = ""


@dataclass(frozen=True, slots=True)
class Agreement:
    """The rule by which a key is settled.

    Attributes:
        path: The path of the `agree` step, under which its position is stored.
        bindings: The values of the step's variables: variable -> segment.
        proposer: The name of the role that proposes.
        by: The quorum.
        within_seconds: The deadline of a round, None for no deadline.
    """

    path: str
    bindings: Mapping[str, str]
    proposer: str
    by: Quorum
    rounds: int
    amendments: int
    within_seconds: float | None
    otherwise: Otherwise | None

    @property
    def of(self) -> str:
        """The name of the role whose members vote."""
        return self.by.of.name

    def quorum_of(self, members: int) -> int:
        """Return the number of votes for an electorate of this size, the author of the version not included."""
        return self.by.needed(members)


@dataclass(frozen=True, slots=True)
class Opened:
    """The key was asked about, became required while nothing was accepted, or got its first live proposal.

    On an accepted key this opens an amendment. A decision without a vote is the event `Accepted` only.
    """

    key: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A version of the key was accepted, by the rule of its step or by a ruling."""

    key: str
    by_step: bool


@dataclass(frozen=True, slots=True)
class Lost:
    """The last live proposal of the key was rejected or withdrawn; `amendment` if the key has an accepted version."""

    key: str
    amendment: bool


@dataclass(frozen=True, slots=True)
class Retracted:
    """The key was retracted. If it is still required, the next event is `Opened`."""

    key: str


@dataclass(frozen=True, slots=True)
class Written:
    """The component got a new version; `same_premises` if its pins have the digests of the version before."""

    component: str
    same_premises: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """The component's current version got a verdict."""

    component: str
    check: str
    passed: bool


@dataclass(frozen=True, slots=True)
class Due:
    """The deadline of this key, path and round has passed."""

    key: str
    path: str
    round: int


Event: TypeAlias = Opened | Accepted | Lost | Retracted | Written | Judged | Due


@dataclass(frozen=True, slots=True)
class SetPosition:
    """Store the position of the step with this path under this key."""

    key: str
    path: str
    state: Mapping[str, JSON]


@dataclass(frozen=True, slots=True)
class Arm:
    """Arm the deadline of this key and path; there is at most one."""

    key: str
    path: str
    round: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Disarm:
    """Delete the deadline of this key and path, if there is one."""

    key: str
    path: str


@dataclass(frozen=True, slots=True)
class Contest:
    """The key becomes contested, because its step can no longer settle it."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reopen:
    """The key's next round begins, and wakes the sources that questions about the key wake."""

    key: str
    round: int


@dataclass(frozen=True, slots=True)
class RejectLive:
    """Reject every proposal of the key that is live after the event; no `Lost` follows.

    If the key has an accepted version, this also closes its open question.
    """

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class Stop:
    """The instance of the key ends unfinished, until a premise changes or an operator acts."""

    key: str
    reason: str


Consequence: TypeAlias = SetPosition | Arm | Disarm | Contest | Reopen | RejectLive | Stop
