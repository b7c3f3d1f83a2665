"""The rows of an overview: each statement of the live picture goes through an index, however large the board is."""

import pytest

from blackboard import Contract, Team, external, on
from blackboard.store import overview


@pytest.fixture
def busy(memory_board):
    """Return a board with work of two sources: some of it leased, some pending, most of it done."""
    memory_board.install(Team("p", [external(name, role="planner", on=on.asked("api/*")) for name in ("ann", "bob")]))
    for number in range(6):
        with memory_board.transaction("cat", role="operator") as transaction:
            transaction.ask(f"api/k{number}", "which?")
    with memory_board.transaction("cat", role="operator") as transaction:
        transaction.decide("api/k0", Contract.value(0))
    memory_board.claim("ann", limit=1)
    return memory_board


def seen(board, look, *arguments):
    with board.store.database.reading() as connection:
        return [(row["source"], row["target"], row["state"]) for row in look(connection, *arguments)]


def test_what_is_leased_and_what_each_source_claims_next_is_seen(busy):
    assert [(source, state) for source, _, state in seen(busy, overview.leased)] == [("ann", "leased")]
    found = seen(busy, overview.pending, 2)
    assert [(source, state) for source, _, state in found] == [("ann", "pending")] * 2 + [("bob", "pending")] * 2
    assert [lease.target for lease in busy.claim("bob")] == [found[2][1]]


@pytest.mark.parametrize(
    ("statement", "index"),
    [("SOURCES", "activation_pending"), ("PENDING", "activation_pending"), ("LEASED", "lease_")],
)
def test_the_agenda_is_looked_at_through_an_index(busy, statement, index):
    asked = getattr(overview, statement)
    with busy.store.database.reading() as connection:
        rows = connection.raw.execute(
            f"EXPLAIN QUERY PLAN {asked.text}", asked.placed({"source": "ann", "limit": 3})
        ).fetchall()
    steps = [row[3] for row in rows]
    assert any(index in step for step in steps), steps
    # `name` is what the recursion has found so far; a search without an index is a scan by another name.
    by_index = ("SCAN name", "USING INDEX", "USING COVERING INDEX", "USING INTEGER PRIMARY KEY")
    looks = [step for step in steps if step.startswith(("SCAN", "SEARCH"))]
    assert [step for step in looks if not any(how in step for how in by_index)] == []
