"""One case as a run: a board with one task, a coder whose model is the server's, and a controller until its outcome."""

import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import chain, repeat

from langchain_core.runnables import Runnable
from loopback import Asked, Loopback, Said

from blackboard import Blackboard, Budget, Contract, Controller, Outcome, Team
from blackboard.choreography import Choreography, Role, may
from blackboard.spec.convergence import OutcomeKind
from blackboard.store import budgets, calls
from blackboard.testing import FakeClock, open_memory
from knowledge_sources import coder

from .cases import Case

GUARD_SECONDS = 60.0
"""After this a run is stopped, so that a case that hangs fails."""

FREE = Choreography("free", may(Role("coder"), "write", "**"))
API = Contract.python("def find(text: str) -> int:\n    '''Return how long the text is.'''\n    ...\n")
TASK = Contract.task(summary="Find how long a text is.", implements={"api/shop": []}, files=["shop.py"])
PRICES = {"*": {"input": 2.0, "output": 10.0}}

_GAVE_UP = re.compile(r"gave up after \d+ attempts?: (\w+):")
_STOPPED = "aborted: stopped"


@dataclass(frozen=True)
class Played:
    """How a case went.

    Attributes:
        calls: How many the board counts.
        input_tokens, output_tokens: Of these calls, as the board has them.
        tokens, money: What the budgets say is spent.
        error: The name of the error that the outcome shows, "" where there is none.
        seconds: By the clock.
        waited: The same by the board's clock.
        why: What is left, in the outcome's words.
        reported: Input and output tokens of each reply that said what it used.
        asked: The requests.
        kept: Each call as the board has it.
    """

    name: str
    calls: int
    input_tokens: int
    output_tokens: int
    tokens: float
    money: float
    outcome: str
    error: str
    seconds: float
    waited: float
    why: str
    reported: tuple[tuple[int, int], ...]
    asked: tuple[Asked, ...]
    kept: tuple[dict[str, object], ...]

    @property
    def row(self) -> dict[str, object]:
        """What is printed: everything up to the seconds."""
        names = [field.name for field in fields(self)]
        return {name: getattr(self, name) for name in names[: names.index("waited")]}


def play(case: Case, *, guard_seconds: float = GUARD_SECONDS) -> Played:
    """Run a case and say how it went; stop it when it takes longer than any should."""
    replies: Iterator[Said] = chain(case.said, repeat(case.said[-1] if case.said else ""))
    with Loopback(lambda _: next(replies)) as server:
        model = case.model(server)
        for _ in range(case.rounds):
            before = len(server.asked), len(server.reported)
            clock = time.time if case.by_clock else FakeClock()
            with open_memory(clock=clock) as board:
                began, clock_began = time.monotonic(), clock()
                outcome = _run(board, case, model, guard_seconds)
                took = time.monotonic() - began, clock() - clock_began
                asked, reported = server.asked[before[0] :], server.reported[before[1] :]
                played = _played(case, board, outcome, took, asked, reported)
    return played


def _run(board: Blackboard, case: Case, model: Runnable, guard_seconds: float) -> Outcome:
    with board.transaction("olga", role="operator") as transaction:
        transaction.decide("api/shop", API)
        transaction.decide("task/shop", TASK)
    budget = Budget(**{"tokens": 10**12, "money": 10**9, **case.budget})
    source = coder("cora", model, **case.settings)
    controller = Controller(board, Team("Build a shop.", [source], choreography=FREE, budget=budget, prices=PRICES))
    guard = threading.Timer(guard_seconds, controller.stop)
    guard.start()
    try:
        return controller.run()
    finally:
        guard.cancel()


def _played(
    case: Case,
    board: Blackboard,
    outcome: Outcome,
    took: tuple[float, float],
    asked: list[Asked],
    reported: list[tuple[int, int]],
) -> Played:
    with board.store.database.reading() as reading:
        kept = tuple(dict(zip(one.keys(), one, strict=True)) for one in calls.about(reading, "shop", "task/shop"))
        accounts = budgets.accounts(reading)
    why = "; ".join(one.reason for one in outcome.obligations)
    gave_up = _GAVE_UP.search(why)
    return Played(
        name=case.name,
        calls=len(kept),
        input_tokens=sum(one["input_tokens"] or 0 for one in kept),
        output_tokens=sum(one["output_tokens"] or 0 for one in kept),
        tokens=accounts["tokens"].spent,
        money=accounts["money"].spent,
        outcome=str(outcome.kind),
        error=gave_up[1] if gave_up else _named(outcome),
        seconds=took[0],
        waited=took[1],
        why=why,
        reported=tuple(reported),
        asked=tuple(asked),
        kept=kept,
    )


def _named(outcome: Outcome) -> str:
    """Return the error behind an outcome that names none; "" where the guard stopped the run."""
    match outcome.kind:
        case OutcomeKind.BUDGET_EXHAUSTED:
            return "BudgetExhausted"
        case OutcomeKind.ABORTED if outcome.obligations[0].reason != _STOPPED:
            return "StopRun"
    return ""
