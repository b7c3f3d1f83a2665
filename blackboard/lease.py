"""A claimed activation: the right, for a while, to act on a target in a source's name.

A lease ends by the store's clock unless renewed. Its token is compared inside every commit made under it, so whoever
was taken over can no longer write, however late it notices.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from blackboard.choreography.moves import lease_cap, limits_leases
from blackboard.errors import Conflict, LeaseLost, Premise
from blackboard.plan.view import registry_of
from blackboard.snapshot import Snapshot
from blackboard.spec import given
from blackboard.spec.activation import Ending
from blackboard.spec.canonical import JSON
from blackboard.store import agenda, claims, feed
from blackboard.store.agenda import End
from blackboard.store.claims import Cap, Claimants, Claimed
from blackboard.store.facts import Reads, reserved
from blackboard.store.opened import Store
from blackboard.transaction import Transaction

TASK = "task/"

_NO_RESULT = frozenset({"LeaseLost", "RetryLater"})
_GIVEN_BACK = "Released"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the last attempt at the same work failed; as a text, what to tell whoever tries again.

    Attributes:
        error: Class name of what was raised.
        premises: What no longer held, where it was a conflict in this process.
    """

    error: str
    text: str
    premises: tuple[Premise, ...] = ()

    @classmethod
    def of(cls, error: BaseException) -> "Failure":
        """Return an error as the failure of an attempt."""
        return cls(type(error).__name__, str(error), error.premises if isinstance(error, Conflict) else ())

    def __str__(self) -> str:
        return self.text


class Board(Protocol):
    """What an opened board has below its front door."""

    @property
    def store(self) -> Store:
        """Where it is kept."""


class Lease:
    """One claimed activation.

    Attributes:
        target: The key that it is about.
        source, role: In whose name, and with whose rights.
        kind: The trigger that woke it.
        token: The fencing token.
        attempts: How often it was claimed since it was last woken, this time included.
        cause: The revision of the commit that woke it.
        previous: Why the last attempt failed; None at the first, and where the attempt just ended with its process.
    """

    def __init__(self, store: Store, claimed: Claimed) -> None:
        self._store = store
        self._expires = claimed.expires
        self._conflict: Conflict | None = None
        self.claimed = claimed
        self.target = claimed.target
        self.source = claimed.source
        self.role = claimed.role
        self.kind = claimed.kind
        self.token = claimed.token
        self.attempts = claimed.attempts
        self.cause = claimed.cause
        self.previous: Failure | None = None
        if claimed.reason and claimed.error not in _NO_RESULT:
            self.previous = Failure(claimed.error or _GIVEN_BACK, claimed.reason)

    @property
    def task(self) -> Mapping[str, JSON] | None:
        """The fields of the accepted task of the target, None where it has none."""
        revision = feed.head(self._store)["revision"]
        found = Snapshot(self._store, revision).decision(f"{TASK}{self.target}")
        if found is None or found.contract.language != "task":
            return None
        facets: Mapping[str, Any] = found.contract.facets
        return facets

    @property
    def expires_in_seconds(self) -> float:
        """How long it lasts yet; negative once it has ended, though nobody may have taken it over."""
        return self._expires - self._store.clock()

    def transaction(self, *, idempotency_key: str | None = None) -> Transaction:
        """Begin a transaction in the name of the source, fenced by this lease."""
        return Transaction(
            self._store,
            feed.head(self._store)["revision"],
            self.source,
            role=self.role,
            idempotency_key=idempotency_key,
            token=self.token,
            target=self.target,
            previous=self._conflict,
        )

    def renew(self, *, lease_seconds: float = 60) -> None:
        """Let it last this long from now, never past the cap of the choreography.

        Raises:
            LeaseLost: It ended and was swept, was taken over, or has lasted as long as it may.
        """
        given.a_time(lease_seconds, "lease_seconds")
        renewed = agenda.renew(self._store, [self.token], lease_seconds=lease_seconds)
        if self.token not in renewed:
            raise LeaseLost(self.target, self.token, None)
        self._expires = renewed[self.token]

    def finish(self) -> None:
        """Say that the work is done; a trigger that came meanwhile puts it on the agenda once more.

        Raises:
            LeaseLost: It had ended already.
        """
        self._end(End(self.token, Ending.FINISHED))

    def release(self, *, reason: str = "", failed: bool = False) -> None:
        """Give the work back; whoever claims it next is told why.

        Args:
            reason: What to tell.
            failed: Whether the attempt counts; after too many the activation is dead.

        Raises:
            LeaseLost: It had ended already.
        """
        ending = Ending.FAILED if failed else Ending.RETURNED
        self._end(End(self.token, ending, _GIVEN_BACK if failed else None, reason or None))

    def _end(self, end: End) -> None:
        if self.token not in agenda.end(self._store, [end]):
            raise LeaseLost(self.target, self.token, None)


_SWEPT_SECONDS = 0.01
"""How long a claim trusts that no more leases have ended than the last one found: a look goes through all of them."""


def claim(board: Board, author: str, *, limit: int = 1, lease_seconds: float = 60) -> tuple[Lease, ...]:
    """Take up to `limit` of an author's pending activations, highest rating first.

    Args:
        board: The board.
        author: The registered name of the source.
        limit: How many at most.
        lease_seconds: How long each lease lasts by the store's clock unless renewed.

    Returns:
        The leases, possibly none; each has a fencing token larger than any given out before.
    """
    now, kept = board.store.clock(), board.store.kept
    due = not 0 <= now - kept.swept < _SWEPT_SECONDS
    with board.store.database.reading() as on:
        claimants = Claimants((author,), cap=caps(on, board.store))
        sweepable = due and any(agenda.sweepable(on, board.store))
    if due:
        kept.swept = now
    if sweepable:
        agenda.sweep(board.store)
    claimed = claims.claim(board.store, claimants, limit=limit, lease_seconds=lease_seconds)
    return tuple(Lease(board.store, one) for one in claimed)


def caps(on: Reads, store: Store) -> Cap:
    """Return the choreography's limit on the total time of leases: (role, target) -> seconds or None."""
    choreography = registry_of(reserved(on, store.kept)).choreography
    return partial(lease_cap, choreography) if limits_leases(choreography) else claims.without_limit
