"""The argument of a running source: its lease, and methods to read, write, report, run commands and spend."""

import json
import logging
import math
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from blackboard.control.check import Check
from blackboard.control.holding import Hold
from blackboard.control.prices import UNPRICED, Price, Prices, Usage
from blackboard.control.redaction import keepable
from blackboard.control.sandbox import Limits, Result, Sandbox
from blackboard.errors import Compacted, Conflict, InvalidTeam
from blackboard.lease import Failure, Lease
from blackboard.spec.activation import Ending
from blackboard.spec.keys import matches
from blackboard.store import calls, feed
from blackboard.store.agenda import End
from blackboard.store.claims import Claimed
from blackboard.store.opened import Store
from blackboard.transaction import Transaction

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.2


class Cancel(StrEnum):
    """Why a run is cancelled."""

    STOPPED = "the controller stops"
    LOST = "its lease is lost"
    DEADLINE = "it ran longer than it may"
    OVERTAKEN = "what it read has changed"


@dataclass(frozen=True, slots=True)
class Setting:
    """The settings that all runs of a controller share.

    Attributes:
        checks: The team's checks.
        virtual: The store's clock is virtual: it advances only by calls of `sleep`.
        prices: The prices of models.
        priced: The team limits money, so that a model without a price may not be called.
    """

    store: Store
    prompt: str
    sandbox: Sandbox
    virtual: bool
    prices: Prices = UNPRICED
    priced: bool = False
    checks: tuple[Check, ...] = ()


@dataclass(slots=True)
class _RunState:
    """The mutable state of a run: why it has to end, the end that the source asked for, its transactions."""

    stop: Cancel | None = None
    since: float = 0.0
    seen: Cancel | None = None
    end: End | None = None
    transactions: list[Transaction] = field(default_factory=list)


class Context(Lease):
    """A lease while its source runs.

    Attributes:
        prompt: The team's prompt.
    """

    def __init__(self, setting: Setting, claimed: Claimed, *, timeout_seconds: float) -> None:
        super().__init__(setting.store, claimed)
        self.prompt = setting.prompt
        self._setting = setting
        self._timeout_seconds = timeout_seconds
        self._deadline = math.inf
        self._run = _RunState()
        self._looked = 0.0
        self._guard = threading.Lock()

    @property
    def cancelled(self) -> bool:
        """Whether the run should end: deadline, stop, lost lease, or a change of what the source read.

        If a source returns after this was true, it runs again or the attempt fails; it never counts as done.
        """
        why = self.cancellation
        if why is not None:
            self._run.seen = why
        return why is not None

    @property
    def cancellation(self) -> Cancel | None:
        """Why the run should end, None if it should not; the controller reads this without marking it as seen."""
        if self._run.stop is not None:
            return self._run.stop
        if self._store.clock() >= self._deadline:
            return Cancel.DEADLINE
        return Cancel.OVERTAKEN if self._overtaken() else None

    @property
    def overdue_seconds(self) -> float:
        """The time since the run's deadline; negative before it."""
        return self._store.clock() - self._deadline

    def transaction(self, *, idempotency_key: str | None = None) -> Transaction:
        """Begin a transaction in the name of the source, fenced by this lease."""
        transaction = super().transaction(idempotency_key=idempotency_key)
        self._run.transactions.append(transaction)
        return transaction

    def finish(self) -> None:
        """Say that the work is done; the lease ends when the source returns."""
        self._run.end = End(self.token, Ending.FINISHED)

    def release(self, *, reason: str = "", failed: bool = False) -> None:
        """Make the activation pending again when the source returns.

        The attempt always counts as failed, so that a source that always releases is not woken for ever.
        """
        del failed
        self._run.end = End(self.token, Ending.FAILED, "Released", reason or "given back")

    def report(self, text: str) -> None:
        """Log a progress message for people, as information under this module's name."""
        log.info("%s on %s: %s", self.source, self.target, text)

    def checks(self, component: str | None = None) -> tuple[Check, ...]:
        """Return the team's checks that a component has to pass, all of them for None."""
        return tuple(one for one in self._setting.checks if component is None or matches(one.on, component))

    def run_command(
        self,
        command: Sequence[str],
        files: Mapping[str, str | bytes],
        *,
        timeout_seconds: float = 60,
        network: bool = False,
    ) -> Result:
        """Run a command on some files in the sandbox; it is killed when the run is cancelled.

        Args:
            command: Its arguments, without a shell.
            files: Relative path -> content.
            timeout_seconds: The command is killed after this time.
            network: Whether the command may reach the network.
        """
        sandbox = Sandbox(self._setting.sandbox.kind, Limits(seconds=timeout_seconds))
        return sandbox.run(command, files, network=network, cancelled=lambda: self.cancelled)

    def hold(self, tokens: int, *, model: str = "") -> Hold:
        """Return a hold on tokens of the budget, and on what they cost, for one call; open it in a `with` block.

        Args:
            tokens: An estimate of the most that the call will use. Money is held at the higher of the prices for input
                and output.
            model: The model's name as in the price table, `openai:gpt-5`; `bb status` shows the call while it runs.

        Raises:
            InvalidTeam: The team limits money, and the model has no price; do not send the call.
        """
        return Hold(self, tokens, model)

    def price(self, model: str) -> Price | None:
        """Return the price of a model; None if there is none and the team does not limit money.

        Raises:
            InvalidTeam: There is no price and the team limits money.
        """
        found = self._setting.prices.of(model)
        if found is None and self._setting.priced:
            raise InvalidTeam(
                f"money is limited and the model {model or '(of a call that names none)'} has no price",
                "add it to the team's `prices`, or leave `money` out of its budget",
            )
        return found

    def record_call(
        self,
        *,
        model: str,
        messages: Sequence[Mapping[str, str]],
        reply: str,
        usage: Usage | None,
        seconds: float,
        outcome: str,
    ) -> str:
        """Keep a call of a model on the board, for `bb show KEY --prompts`; inside the block of its hold, or after it.

        Secrets of known formats are replaced before anything is stored, and long texts are cut.

        Args:
            model: The model's name as in the price table.
            messages: The prompt: objects with `role` and `content`.
            reply: The reply, "" if there was none.
            usage: The tokens that the model reported, None if it reported none.
            seconds: The duration of the call.
            outcome: `answered`, `refused`, `truncated`, `timed out`, or the name of an error.

        Returns:
            The SHA-256 of the stored prompt: the JSON of the redacted messages.
        """
        kept = [{"role": one["role"], "content": keepable(one["content"])} for one in messages]
        price = self._setting.prices.of(model)
        ended = calls.Ended(
            model=model,
            prompt=json.dumps(kept, ensure_ascii=False, sort_keys=True),
            reply=keepable(reply),
            input_tokens=None if usage is None else usage.input_tokens,
            output_tokens=None if usage is None else usage.output_tokens,
            money=None if usage is None or price is None else price.of(usage),
            currency=self._setting.prices.currency,
            seconds=seconds,
            outcome=outcome,
        )
        return calls.record(self._store, self.token, ended, attempt=self.attempts)

    @property
    def calls_made(self) -> int:
        """The number of model calls of this activation since the source was woken, earlier attempts included."""
        with self._store.database.reading() as on:
            return calls.made(on, self.claimed.activation, self.target)

    @property
    def virtual(self) -> bool:
        """Whether the store's clock is virtual."""
        return self._setting.virtual

    # --- for the controller ---

    @property
    def store(self) -> Store:
        """The store that keeps the board."""
        return self._store

    def start(self) -> None:
        """Set the run's deadline."""
        self._deadline = self._store.clock() + self._timeout_seconds

    def cancel(self, why: Cancel) -> None:
        """Cancel the run; the source sees it in `cancelled`."""
        if self._run.stop is None:
            self._run.stop, self._run.since = why, self._store.clock()

    @property
    def is_stopped(self) -> bool:
        """Whether the run was cancelled or is past its deadline; this reads no store."""
        return self._run.stop is not None or self.overdue_seconds >= 0

    def renewed(self, expires: float) -> None:
        """Record the new end of the lease."""
        self._expires = expires

    @property
    def lost_for_seconds(self) -> float:
        """The time since the lease was lost; 0 while it is not lost."""
        return self._store.clock() - self._run.since if self._run.stop is Cancel.LOST else 0.0

    def begin_again(self, conflict: BaseException | None) -> None:
        """Clear the state of the last run and record why it failed."""
        self._run.transactions.clear()
        self._run.seen = None
        self._run.end = None
        if conflict is not None:
            self.previous = Failure.of(conflict)
            self._conflict = conflict if isinstance(conflict, Conflict) else None

    @property
    def observed_cancel(self) -> Cancel | None:
        """The reason for which the source saw `cancelled`, None if it did not."""
        return self._run.seen

    @property
    def end(self) -> End | None:
        """The end that the source asked for."""
        return self._run.end

    @property
    def committed(self) -> bool:
        """Whether a transaction of this attempt was committed."""
        return any(one.committed is not None for one in self._run.transactions)

    def moved(self) -> bool:
        """Whether the reads of this attempt have changed, so that a refusal may no longer apply."""
        return any(self._touched(one) for one in list(self._run.transactions))

    def _overtaken(self) -> bool:
        """Say whether an open transaction's reads have changed; the feed is read at most once per interval."""
        with self._guard:
            now = time.monotonic()
            if now < self._looked + _LOOK_SECONDS and not self._setting.virtual:
                return False
            self._looked = now
        return any(self._touched(one) for one in list(self._run.transactions) if one.is_open)

    def _touched(self, transaction: Transaction) -> bool:
        try:
            changes = feed.changes(self._store, after=transaction.revision)
        except Compacted:
            # Its base was compacted, so it cannot commit either.
            return True
        return transaction.reads_touched_by({change.key for change in changes if change.key is not None})
