"""P6 and P14: what a commit costs with many triggers, and with many keys under a choreography."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from blackboard import Blackboard, Contract, Source, Team, Transaction, external, on
from blackboard.choreography import architect_and_coders
from blackboard.plan import plan
from blackboard.spec.changes import Plan
from blackboard.store.facts import HeadFacts

from . import commits, teams
from .measure import Bar, Bench, Line, cpu, fsync_ms, in_turns

FEW_TRIGGERS, EACH = 10, 100
FEW_KEYS = 100


def run_triggers(bench: Bench) -> Iterator[Line]:
    """Measure P6."""
    many = bench.of(200, 10_000, 10_000)
    bar = Bar("P6", f"commit with {many:,} triggers, beside one with {FEW_TRIGGERS}", 3.0, "the same with 10 triggers")
    each, rounds = bench.of(1, 3, 20), bench.of(1, 15, 51)
    with bench.place("triggers") as folder:
        with _with_triggers(folder / "few.db", FEW_TRIGGERS) as few, _with_triggers(folder / "many.db", many) as large:
            pairs = in_turns(_committing(large, each), _committing(few, each), rounds=rounds, warm=2)
        yield bar.measured(pairs.ratio, fsync_ms(folder), **pairs.milliseconds(each=each))


@contextmanager
def _with_triggers(path: Path, triggers: int) -> Iterator[Blackboard]:
    """Lend a board whose sources have so many triggers, of which one fires at each commit of the case."""
    patterns = ["api/*", *(f"elsewhere-{number:05}/*" for number in range(triggers - 1))]
    sources = [_source(first, patterns[first : first + EACH]) for first in range(0, triggers, EACH)]
    with commits.filled_board(path) as board:
        board.install(teams.open_team(*sources))
        yield board


def _source(number: int, patterns: list[str]) -> Source:
    return external(f"source-{number}", role=teams.CODER, on=[on.accepted(pattern) for pattern in patterns])


def _committing(board: Blackboard, each: int) -> Callable[[], float]:
    numbers = count()
    return lambda: cpu(lambda: commits.commit_ours(board, next(numbers)), times=each)


def run_guard(bench: Bench) -> Iterator[Line]:
    """Measure P14."""
    many = bench.of(300, 3_000, 10_000)
    each, rounds = bench.of(1, 10, 20), bench.of(1, 15, 51)
    with bench.place("guard") as folder:
        with _with_keys(folder / "few.db", FEW_KEYS) as few, _with_keys(folder / "many.db", many) as large:
            for what, act in (("amending a key", _amend), ("deciding a new key", _decide_new)):
                case = f"the guard on {what} at {many:,} keys, beside {FEW_KEYS}"
                bar = Bar("P14", case, 1.2, f"the same at {FEW_KEYS} keys")
                pairs = in_turns(_planning(large, act, each), _planning(few, act, each), rounds=rounds, warm=2)
                yield bar.measured(pairs.ratio, fsync_ms(folder), **pairs.milliseconds(each=each))


@contextmanager
def _with_keys(path: Path, keys: int) -> Iterator[Blackboard]:
    """Lend a board with a choreography and so many decisions under it."""
    protocol = architect_and_coders(decisions=100_000)
    team = Team("make it", [external("ari", role="architect", on=on.asked("**"))], choreography=protocol)
    with Blackboard.open(path, create=True, durability="normal") as board:
        board.install(team)
        for first in range(0, keys, 100):
            with board.transaction("ari") as ari:
                for number in range(first, min(first + 100, keys)):
                    ari.decide(_key(number), Contract.value({"limit": 0}))
        yield board


def _key(number: int) -> str:
    return f"api/part-{number:06}"


def _planning(board: Blackboard, act: Callable[[Transaction, int], None], each: int) -> Callable[[], float]:
    """Return a round that plans, where the guard says what may be done, and writes nothing."""
    numbers = count(1)

    def round_() -> float:
        taken = 0.0
        for _ in range(each):
            transaction = board.transaction("ari")
            act(transaction, next(numbers))
            intent = transaction._intent()
            with board.store.database.reading() as connection:
                began = time.process_time()
                planned = plan(HeadFacts(connection, board.store.kept), intent)
                taken += time.process_time() - began
            if not isinstance(planned, Plan):
                raise planned.error
        return taken

    return round_


def _amend(transaction: Transaction, number: int) -> None:
    transaction.decision(_key(number % FEW_KEYS))
    transaction.decide(_key(number % FEW_KEYS), Contract.value({"limit": number}))


def _decide_new(transaction: Transaction, number: int) -> None:
    transaction.decide(f"api/new-{number}", Contract.value({"limit": number}))
