"""One commit slipped between the plan and the apply of another, for every pair that could fool them.

A race finds such a moment by chance; here it is arranged: the planning function that the commit is given is wrapped, so
that when it returns somebody else has committed. `SCENARIOS` says for each pair what must come of it. Each plan is made
as a long one is, by who wants it: who leads the queue could not let others of its process go first.
"""

import pytest
from interleaved import SCENARIOS
from overtaken import play
from plan_facts import Witness

from blackboard import (
    Contract,
    IllegalTransition,
)
from blackboard import transaction as transactions
from blackboard.plan import plan
from blackboard.spec.changes import EffectRow
from blackboard.store import apply
from blackboard.store.apply import Application


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_slips_in_between_plan_and_apply_is_noticed(name, file_board, given, monkeypatch):
    play(SCENARIOS[name], file_board, given(file_board), monkeypatch)


@pytest.mark.parametrize("rounds", [1, 2, 3, 7])
def test_a_commit_that_is_overtaken_again_and_again_gets_through(file_board, given, monkeypatch, rounds):
    """After two plans outside it is planned under the board's row, where nobody can slip in."""
    board, overtaken = file_board, []
    given(board).decided("x", 0)

    def slow(facts, intent):
        made = plan(facts, intent)
        under_the_row = board.store.writer.session.in_transaction
        if intent.author == "ann" and len(overtaken) < rounds and not under_the_row:
            overtaken.append(True)
            given(board).asked("x" if len(overtaken) == 1 else "y", by="bob")
        return made

    transaction = board.transaction("ann")
    transaction.decision("x")
    transaction.decide("x", Contract.value(1))
    transaction.ask("y", "why?")
    monkeypatch.setattr(transactions, "plan", slow)
    monkeypatch.setattr("blackboard.store.commit._is_short", lambda _: False)
    try:
        transaction.commit()
    except IllegalTransition:
        assert rounds > 1  # the other one asked another question about y
    else:
        assert board.snapshot().decision("x").value == 1
    assert len(overtaken) == min(rounds, 2)


def witnessed(facts, intent):
    witness = Witness(facts)
    made = plan(witness, intent)
    assert witness.missed_by(made.footprint) == set(), intent
    return made


@pytest.mark.parametrize("name", SCENARIOS)
def test_whatever_any_of_these_plans_asked_is_in_its_footprint(name, file_board, given, monkeypatch):
    monkeypatch.setattr(transactions, "plan", witnessed)
    monkeypatch.setattr("blackboard.board.plan", witnessed)
    play(SCENARIOS[name], file_board, given(file_board), monkeypatch)


# --- tests of the tests ----------------------------------------------------------------------------------------------

NEEDS_THE_FOOTPRINT = {
    "two deciding votes",
    "two votes that decide together",
    "two votes that reject together",
    "a vote and a withdrawal",
    "a vote and a ruling",
    "two first texts, blindly",
    "a team with another reviewer",
    "a team without the proposer",
    "a team with another watcher",
    "the last place of an each",
    "a decision before the task that names its pattern lands",
    "a text that was given up meanwhile",
}
"""What only the footprint notices: nothing that these transactions read has changed."""

NEEDS_THE_READS = {
    "lost update",
    "write skew",
    "phantom",
    "a facet each",
    "a vote under a history that was read",
    "an amendment of the pinned facet before the component lands",
    "a new match before the component lands",
    "a retraction before the component lands",
}
"""What is noticed by validating reads; the plan made anew would go through."""


def caught(scenario, board, to, monkeypatch) -> bool:
    try:
        play(scenario, board, to, monkeypatch)
    except Exception:  # noqa: BLE001 - a broken store may fail in any way
        return True
    return False


@pytest.mark.parametrize("name", sorted(NEEDS_THE_FOOTPRINT))
def test_a_store_that_never_looks_at_the_footprint_is_caught(name, file_board, given, monkeypatch):
    monkeypatch.setattr("blackboard.store.commit._overtaken", lambda *_: False)
    assert caught(SCENARIOS[name], file_board, given(file_board), monkeypatch)


@pytest.mark.parametrize("name", sorted(NEEDS_THE_READS))
def test_a_store_that_validates_no_reads_is_caught(name, file_board, given, monkeypatch):
    monkeypatch.setattr("blackboard.store.commit.broken_reads", lambda *_: [])
    assert caught(SCENARIOS[name], file_board, given(file_board), monkeypatch)


@pytest.mark.parametrize("name", ["a pin before the amendment lands", "a pin of one facet before the amendment lands"])
def test_a_store_that_computes_effects_only_for_the_pins_it_saw_is_caught(name, file_board, given, monkeypatch):
    """The trap of the design's appendix: a pin that lands in between would sleep for ever."""
    effects = Application._effects

    def asleep(self, rows):
        said = "nobody pinned it when it was planned"
        effects(self, [EffectRow(row.key, row.name, row.old_since, "none", "none", said) for row in rows])

    monkeypatch.setitem(apply._APPLY, EffectRow, asleep)
    assert caught(SCENARIOS[name], file_board, given(file_board), monkeypatch)
