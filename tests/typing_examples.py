"""Code as users write it: never run, only type-checked, strictly.

A line that is wrong on purpose says so, with the error that it must get; a type checker that does not find it reports
the comment as unused.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import assert_type

from blackboard import (
    Blackboard,
    Budget,
    Change,
    Check,
    Committed,
    Component,
    Conflict,
    Context,
    Contract,
    Controller,
    Cursor,
    Decision,
    Impact,
    Outcome,
    Premise,
    Snapshot,
    Source,
    Team,
    Transaction,
    external,
    knowledge_source,
    on,
)
from blackboard.choreography import Choreography, Role, agree, each, majority, quorum, reviewed
from blackboard.testing import FakeClock, open_memory


def opening(path: Path) -> None:
    with Blackboard.open(path, create=True, durability="normal") as board:
        assert_type(board, Blackboard)
        assert_type(board.revision, int)
    Blackboard.open(path, clock=0.0)  # type: ignore[arg-type]
    Blackboard.open(path, durability="none")  # type: ignore[arg-type]


def reading(board: Blackboard) -> None:
    snapshot = board.snapshot(at=3)
    assert_type(snapshot, Snapshot)
    decision = snapshot.decision("api/notes")
    assert_type(decision, Decision | None)
    assert decision.value  # type: ignore[union-attr]
    assert_type(snapshot.components("shop/*"), tuple[Component, ...])
    assert_type(snapshot.convergence(), Outcome)
    for changes in board.watch(after=0, timeout_seconds=1):
        assert_type(changes[0], Change)
        assert_type(changes.cursor, Cursor)


def writing(board: Blackboard) -> None:
    with board.transaction("ann") as transaction:
        assert_type(transaction, Transaction)
        transaction.ask("api/ids", "int or text?", options=["int", "text"])
        transaction.decide("api/ids", Contract.value("int"), rationale="shorter")
        transaction.decide("api/ids", "int")  # type: ignore[arg-type]
        transaction.vote("api/ids", version=1)  # type: ignore[call-arg]
        transaction.write("shop", {"shop.py": "print()\n", "old.py": None, "logo.png": b"\x89PNG"}, uses=["api/ids"])
        assert_type(transaction.preview(), Impact)
    assert_type(transaction.committed, Committed | None)


def conflicts(board: Blackboard) -> Sequence[Premise]:
    def work(transaction: Transaction) -> None:
        if transaction.previous is not None:
            assert_type(transaction.previous, Conflict)
        transaction.decide("api/ids", Contract.value("int"))

    try:
        assert_type(board.run_transaction(work, "ann", attempts=3), Committed)
    except Conflict as conflict:
        return conflict.premises
    return ()


async def concurrently(board: Blackboard) -> None:
    async with board.transaction("ann") as transaction:
        transaction.retract("api/ids", reason="not needed")


@knowledge_source(role="coder", on=[on.required("**"), on.stale("**")], retries=2)
def cora(context: Context) -> None:
    with context.transaction() as transaction:
        transaction.write(context.target, {"shop.py": "print()\n"})


@knowledge_source(role="architect", on=on.asked("api/**"))
async def arthur(context: Context) -> None:
    async with context.transaction() as transaction:
        transaction.propose(context.target, Contract.python("def find(name: str) -> int: ...\n"))


def teams(board: Blackboard) -> None:
    assert_type(cora, Source)
    person = external("ann", role="operator", on=on.contested("**"))
    team = Team(
        "a shop",
        [cora, arthur, person],
        choreography=reviewed(3),
        checks=[Check("unit", on="**", command=["python", "-m", "unittest"])],
        budget=Budget(activations=100),
    )
    assert_type(Controller(board, team, workers=2, seed=7).run(), Outcome)
    Team("a shop", [cora], reviewed(3))  # type: ignore[call-arg]


def protocols() -> Choreography:
    architect, reviewer = Role("architect"), Role("reviewer", members=3)
    proposal = architect.proposes("api/{name}")
    agreed = agree(proposal, by=quorum(2, of=reviewer), within_seconds=60, rounds=2)
    agree(proposal, by=2)  # type: ignore[arg-type]
    agree(proposal, by=majority(of=reviewer))
    return Choreography("shop", each("api/{name}", agreed, at_most=20), requires=["api/*"])


def testing() -> None:
    clock = FakeClock()
    with open_memory(clock=clock) as board:
        assert_type(board, Blackboard)
