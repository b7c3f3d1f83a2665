"""What the transition relation asks of a board, what it is told, and what it answers.

`Standing` is the only way in which it looks at a board, so whoever implements it knows everything that an answer
depends on. It shows what earlier acts of the same commit did, their consequences included. A right is asked for before
the act is shown; whether it shows the event that is being followed makes no difference.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from blackboard.choreography.values import Otherwise, Quorum
from blackboard.spec.canonical import JSON


class Standing(Protocol):
    """How the keys that a rule asks about stand."""

    def state(self, key: str) -> str | None:
        """Return `open`, `accepted`, `contested` or `retracted`; `written` of a component; None where there is none."""

    def asked(self, key: str) -> bool:
        """Say whether the key has an open question."""

    def live(self, key: str) -> tuple[int, ...]:
        """Return the versions of the key that are proposed and not settled."""

    def has_accepted(self, key: str) -> bool:
        """Say whether the key has an accepted version, be it beside an amendment or contested."""

    def current(self, component: str) -> bool:
        """Say whether the component exists and no pin of it is stale or orphaned."""

    def passed(self, check: str, component: str) -> bool:
        """Say whether the newest verdict of the check on the component's current version is a pass."""

    def position(self, key: str, path: str) -> Mapping[str, JSON] | None:
        """Return the stored position of the step with this path for this key, None where it has none."""

    def room(self, template: str, at_most: int) -> bool:
        """Say whether there is any record of fewer keys than so many under the template, reserved ones not counted."""

    def any_accepted(self, pattern: str) -> bool:
        """Say whether some key under the pattern has an accepted version."""


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody wants to do: one of `steps.ACTS`, to a key; `check` names the check of a verdict."""

    verb: str
    key: str
    check: str = ""


@dataclass(frozen=True, slots=True)
class Agreement:
    """The rule by which a key is settled.

    Attributes:
        path: The path of the `agree` step, under which its position is stored.
        bindings: What the step's variables stand for: variable -> segment.
        proposer: The name of the role that proposes.
        by: The votes needed.
        within_seconds: How long a round may last, None for ever.
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
        """Return the votes needed in an electorate of so many members, the author of the version not counted."""
        return self.by.needed(members)


@dataclass(frozen=True, slots=True)
class Opened:
    """The key was asked, became required while nothing was accepted, or got a live proposal while it had none.

    On an accepted key it opens an amendment. A decision that settles a key at once is told as `Accepted` alone.
    """

    key: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A version of the key was accepted: by its step's own rule, or by a ruling beside it."""

    key: str
    by_step: bool


@dataclass(frozen=True, slots=True)
class Lost:
    """The last live proposal of the key was rejected or withdrawn; `amendment` where an accepted version stands."""

    key: str
    amendment: bool


@dataclass(frozen=True, slots=True)
class Retracted:
    """The key was given up. Where something still requires it, `Opened` comes next."""

    key: str


@dataclass(frozen=True, slots=True)
class Written:
    """The component got a new version; `same_premises` where all it pins has the digests pinned before."""

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
    """A deadline is over: the one armed for this key, path and round."""

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
    """Forget the deadline of this key and path, if there is one."""

    key: str
    path: str


@dataclass(frozen=True, slots=True)
class Contest:
    """The key is contested: its own rule can no longer settle it."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reopen:
    """The key's next round began: whoever is woken by a question is woken again."""

    key: str
    round: int


@dataclass(frozen=True, slots=True)
class RejectLive:
    """Every proposal of the key that is live once the event has been applied is rejected; no `Lost` follows.

    Where an accepted version stands, it also answers what was asked about the key meanwhile: the question closes.
    """

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class Stop:
    """The instance of the key ends here, unfinished, until a premise changes or the operator acts."""

    key: str
    reason: str


Consequence: TypeAlias = SetPosition | Arm | Disarm | Contest | Reopen | RejectLive | Stop
