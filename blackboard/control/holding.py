"""Tokens and money held for one call of a model, which is shown as running while the hold is open."""

import asyncio
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Protocol, Self

from blackboard.control.prices import Price, Usage
from blackboard.store import budgets, calls
from blackboard.store.opened import Store

_HOLD_WAIT_SECONDS = 0.05


class Postponed(Exception):
    """Other runs hold the rest of the budget, and this thread must not wait for them."""


class Run(Protocol):
    """The run that opens a hold, as far as the hold needs it."""

    @property
    def store(self) -> Store:
        """The store that keeps the board."""

    @property
    def token(self) -> int:
        """The fencing token of its lease."""

    @property
    def attempts(self) -> int:
        """The number of claims of its activation."""

    @property
    def virtual(self) -> bool:
        """Whether the store's clock is virtual."""

    @property
    def cancelled(self) -> bool:
        """Whether the run should end."""

    def price(self, model: str) -> Price | None:
        """Return the price of a model; None if there is none and none is needed."""


class Hold:
    """Tokens and money held for one call; a context manager, plain or async.

    Opening it holds the amounts, or raises `BudgetExhausted` if the budget would be too small even after all other
    holds end. If the model was named, the board shows the call as running until the block ends. Without a call of
    `settle`, the whole amount counts as spent, because the use of a failed call is unknown; if nothing was sent, call
    `settle(0)`.
    """

    def __init__(self, run: Run, tokens: int, model: str) -> None:
        self._run = run
        self._model = model
        self._price = run.price(model)
        money = 0.0 if self._price is None else self._price.most(tokens)
        self._amounts: Mapping[str, float] = {budgets.TOKENS: float(tokens), budgets.MONEY: money}
        self._used: Mapping[str, float] | None = None
        self._call: int | None = None

    def settle(self, input_tokens: int, output_tokens: int = 0) -> None:
        """Record the tokens that were used and release the rest; the price is that of the model of the hold."""
        usage = Usage(input_tokens, output_tokens)
        money = 0.0 if self._price is None else self._price.of(usage)
        self._used = {budgets.TOKENS: float(usage.total_tokens), budgets.MONEY: money}

    def __enter__(self) -> Self:
        while not self._taken():
            if _in_event_loop():
                # The run that could release it may be in this very event loop.
                raise Postponed
            time.sleep(_HOLD_WAIT_SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        used = self._amounts if self._used is None else self._used
        if self._call is not None:
            outcome = "answered" if kind is None else "timed out" if issubclass(kind, TimeoutError) else kind.__name__
            calls.end(self._run.store, self._call, outcome)
        budgets.settle(self._run.store, self._run.token, self._amounts, used)

    async def __aenter__(self) -> Self:
        while not await asyncio.to_thread(self._taken):  # noqa: ASYNC110 - what others give back on the board sets no event here
            await asyncio.sleep(_HOLD_WAIT_SECONDS)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.__exit__, kind, error, trace)

    def _taken(self) -> bool:
        run = self._run
        if budgets.hold(run.store, run.token, self._amounts):
            if self._model:
                self._call = calls.begin(run.store, run.token, attempt=run.attempts, model=self._model)
            return True
        if run.virtual or run.cancelled:
            raise Postponed
        return False


def _in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
