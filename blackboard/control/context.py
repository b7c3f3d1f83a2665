"""What a source has while it runs: its lease, and the ways to ask, to tell, to run commands and to spend."""

import json
import logging
import math
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from blackboard.control.checks import Check
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
    """Why a run is no longer wanted."""

    STOPPED = "the controller stops"
    LOST = "its lease is lost"
    DEADLINE = "it ran longer than it may"
    OVERTAKEN = "what it read has changed"


@dataclass(frozen=True, slots=True)
class Setting:
    """What all runs of a controller share.

    Attributes:
        checks: Those of the team.
        virtual: The store's clock stands still unless somebody sleeps.
        prices: What calls of models cost.
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
    """What was said about the end of a run while it ran."""

    stop: Cancel | None = None
    since: float = 0.0
    seen: Cancel | None = None
    end: End | None = None
    transactions: list[Transaction] = field(default_factory=list)


class Context(Lease):
    """A lease while its source runs.

    Attributes:
        prompt: What the team builds.
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
        """Whether the run should end: deadline, stop, lost lease, or what it read has changed.

        A source that returns early because of it is run again or counted as failed; it is never taken for done.
        """
        why = self.cancellation
        if why is not None:
            self._run.seen = why
        return why is not None

    @property
    def cancellation(self) -> Cancel | None:
        """Why it should end, None where it should not; for the controller, which asks without telling the source."""
        if self._run.stop is not None:
            return self._run.stop
        if self._store.clock() >= self._deadline:
            return Cancel.DEADLINE
        return Cancel.OVERTAKEN if self._overtaken() else None

    @property
    def overdue_seconds(self) -> float:
        """How much longer it runs than it may; negative while it may run."""
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
        """Give the work back when the source returns.

        The attempt counts either way: a source that always gives back would otherwise be woken for ever.
        """
        del failed
        self._run.end = End(self.token, Ending.FAILED, "Released", reason or "given back")

    def report(self, text: str) -> None:
        """Say how it goes, for people: logged as information under this module's name."""
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
            timeout_seconds: How long it may take.
            network: Whether it may reach the network.
        """
        sandbox = Sandbox(self._setting.sandbox.kind, Limits(seconds=timeout_seconds))
        return sandbox.run(command, files, network=network, cancelled=lambda: self.cancelled)

    def hold(self, tokens: int, *, model: str = "") -> Hold:
        """Return a hold on tokens of the budget, and on what they cost, for one call; open it in a `with` block.

        Args:
            tokens: How many the call will use at most, as far as one can tell. Money is held as if all of them cost
                what the dearer of input and output does.
            model: The model's name as in the price table, `openai:gpt-5`; `bb status` shows the call while it runs.

        Raises:
            InvalidTeam: The team limits money, and the model has no price: nothing may be sent.
        """
        return Hold(self, tokens, model)

    def price(self, model: str) -> Price | None:
        """Return the price of a model; None where there is none and the team does not limit money.

        Raises:
            InvalidTeam: There is none and the team limits money.
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
            model: The one that answered, as in the price table.
            messages: What was sent: objects with `role` and `content`.
            reply: What came back, "" where nothing did.
            usage: None where the model reported none.
            seconds: How long the call took.
            outcome: `answered`, `refused`, `truncated`, `timed out`, or the name of an error.

        Returns:
            The SHA-256 of the prompt as it is kept: the JSON of the messages.
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
        """How many calls of a model this activation has made since it was woken, those of earlier attempts included."""
        with self._store.database.reading() as on:
            return calls.made(on, self.claimed.activation, self.target)

    @property
    def virtual(self) -> bool:
        """Whether time stands still unless somebody lets it jump."""
        return self._setting.virtual

    # --- for the controller ---

    @property
    def store(self) -> Store:
        """Where its board is kept."""
        return self._store

    def start(self) -> None:
        """Begin to count the time that it may take."""
        self._deadline = self._store.clock() + self._timeout_seconds

    def cancel(self, why: Cancel) -> None:
        """Let the source know that its run is no longer wanted."""
        if self._run.stop is None:
            self._run.stop, self._run.since = why, self._store.clock()

    def renewed(self, expires: float) -> None:
        """Note until when the lease lasts now."""
        self._expires = expires

    @property
    def lost_for_seconds(self) -> float:
        """Since when the lease is lost; 0 while it is not."""
        return self._store.clock() - self._run.since if self._run.stop is Cancel.LOST else 0.0

    def begin_again(self, conflict: BaseException | None) -> None:
        """Forget the transactions of the last attempt and remember why it failed."""
        self._run.transactions.clear()
        self._run.seen = None
        self._run.end = None
        if conflict is not None:
            self.previous = Failure.of(conflict)
            self._conflict = conflict if isinstance(conflict, Conflict) else None

    @property
    def observed_cancel(self) -> Cancel | None:
        """Why the source was told to end, None where it was not."""
        return self._run.seen

    @property
    def end(self) -> End | None:
        """The end that the source asked for."""
        return self._run.end

    @property
    def committed(self) -> bool:
        """Whether something was committed in this attempt."""
        return any(one.committed is not None for one in self._run.transactions)

    def moved(self) -> bool:
        """Whether what this attempt read has changed since, so that a refusal may be of something that is gone."""
        return any(self._touched(one) for one in list(self._run.transactions))

    def _overtaken(self) -> bool:
        """Look at the feed, but not at every question."""
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
            # Nobody can tell any more; it could not commit either.
            return True
        return transaction.reads_touched_by({change.key for change in changes if change.key is not None})
