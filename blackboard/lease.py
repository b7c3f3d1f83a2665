"""A lease: the right of a worker, for a limited time, to act on a target in a source's name.

A lease ends by the store's clock unless renewed. Every commit under a lease compares its fencing token, so a worker
whose activation was claimed by another one can no longer write, however late it notices.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from blackboard.choreography.moves import lease_cap, limits_leases
from blackboard.errors import Conflict, LeaseLost, Premise
from blackboard.plan.view import registry_of
from blackboard.snapshot import Snapshot
from blackboard.spec import arguments
from blackboard.spec.activation import Ending
from blackboard.spec.canonical import JSON
from blackboard.store import agenda, claims, feed
from blackboard.store.agenda import End
from blackboard.store.claims import Cap, Claimants, Claimed
from blackboard.store.facts import reserved
from blackboard.store.opened import Store
from blackboard.store.statements import Reads
from blackboard.transaction import Transaction

TASK = "task/"

_NO_RESULT = frozenset({"LeaseLost", "RetryLater"})
_GIVEN_BACK = "Released"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the previous attempt at an activation failed; `str()` is the text for the next attempt.

    Attributes:
        error: Class name of the error.
        premises: Those of the conflict, if the attempt ended with one in this process.
    """

    error: str
    text: str
    premises: tuple[Premise, ...] = ()

    @classmethod
    def of(cls, error: BaseException) -> "Failure":
        """Return the failure that an error caused."""
        return cls(type(error).__name__, str(error), error.premises if isinstance(error, Conflict) else ())

    def __str__(self) -> str:
        return self.text


class Board(Protocol):
    """An opened board, as far as a claim needs it."""

    @property
    def store(self) -> Store:
        """The store that keeps the board."""


class Lease:
    """One claimed activation.

    Attributes:
        target: The key that the activation is about.
        source, role: The source that acts, and its role.
        kind: The kind of the trigger that woke the source.
        token: The fencing token.
        attempts: The number of claims since the source was woken, this one included.
        cause: The revision of the commit that woke the source.
        previous: Why the previous attempt failed; None for the first, and if the attempt ended with its process.
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
        """The fields of the target's accepted task, None if there is none."""
        revision = feed.head(self._store)["revision"]
        found = Snapshot(self._store, revision).decision(f"{TASK}{self.target}")
        if found is None or found.contract.language != "task":
            return None
        facets: Mapping[str, Any] = found.contract.facets
        return facets

    @property
    def expires_in_seconds(self) -> float:
        """The remaining time; negative once the lease has ended, even if no other worker has claimed the activation."""
        return self._expires - self._store.time.now()

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
        """Extend the lease to this long from now, never past the choreography's limit.

        Raises:
            LeaseLost: The lease ended, another worker claimed the activation, or the limit is reached.
        """
        arguments.seconds(lease_seconds, "lease_seconds")
        renewed = agenda.renew(self._store, [self.token], lease_seconds=lease_seconds)
        if self.token not in renewed:
            raise LeaseLost(self.target, self.token, None)
        self._expires = renewed[self.token]

    def finish(self) -> None:
        """End the lease with the work done; a trigger that fired meanwhile makes the activation pending again.

        Raises:
            LeaseLost: The lease had ended already.
        """
        self._end(End(self.token, Ending.FINISHED))

    def release(self, *, reason: str = "", failed: bool = False) -> None:
        """End the lease and make the activation pending again.

        Args:
            reason: The text of `previous` for the next attempt.
            failed: Whether this counts as a failed attempt; after too many the activation is dead.

        Raises:
            LeaseLost: The lease had ended already.
        """
        ending = Ending.FAILED if failed else Ending.RETURNED
        self._end(End(self.token, ending, _GIVEN_BACK if failed else None, reason or None))

    def _end(self, end: End) -> None:
        if self.token not in agenda.end(self._store, [end]):
            raise LeaseLost(self.target, self.token, None)


_SWEPT_SECONDS = 0.01
"""How long a claim relies on the last search for ended leases: each search reads all live leases."""


def claim(board: Board, author: str, *, limit: int = 1, lease_seconds: float = 60) -> tuple[Lease, ...]:
    """Take up to `limit` of an author's pending activations, highest rating first.

    Args:
        board: The board.
        author: The registered name of the source.
        limit: The largest number of leases.
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
