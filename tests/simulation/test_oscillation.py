"""Stubborn experts: whatever goes round in circles ends within its stated bound, and the cycle is named."""

from collections import Counter

import pytest
from simulated_teams import free, run

from blackboard import Contract, Returning, on
from blackboard.control.simulation import virtual_board
from blackboard.control.source import knowledge_source
from blackboard.control.team import Team
from blackboard.spec.convergence import OutcomeKind
from blackboard.spec.history import CHAIN_BOUND, GENERATION_BOUND


@pytest.fixture
def board():
    with virtual_board() as board:
        yield board


def wants(name, key, text, *, begins=False):
    """Return an expert who, whenever the key changes, makes it what `text` says of what stands."""
    triggers = [on.accepted(key), *([on.accepted("prompt")] if begins else [])]

    @knowledge_source(name=name, role="architect", on=triggers, retries=1)
    def insist(context):
        with context.transaction() as transaction:
            standing = transaction.decision(key)
            wanted = text(None if standing is None else standing.value)
            if standing is None or standing.value != wanted:
                transaction.decide(key, Contract.value(wanted))

    return insist


def follows(name, cause, key):
    """Return an expert who changes a key whenever another one was changed, each time to a new text."""

    @knowledge_source(name=name, role="architect", on=[on.accepted(cause)])
    def adapt(context):
        with context.transaction() as transaction:
            transaction.decision(cause)
            standing = transaction.decision(key)
            transaction.decide(key, Contract.value(0 if standing is None else standing.value + 1))

    return adapt


def decided(board):
    return Counter(change.key for change in board.changes(after=0) if change.kind == "accepted")


def ended(board, *experts):
    outcome = run(board, Team("agree", experts, choreography=free("architect")))
    assert outcome.kind is OutcomeKind.OSCILLATING
    assert any(one.loop for one in outcome.obligations)
    return outcome


def rule(board, key, value):
    with board.transaction("boss", role="operator") as transaction:
        transaction.decision(key)
        transaction.decide(key, Contract.value(value), rationale="enough")
    assert board.snapshot().decision(key).value == value


def test_two_who_each_insist_on_a_text_stop_where_the_first_would_return_and_a_ruling_ends_it(board):
    left = wants("left", "ids", lambda _: "int", begins=True)
    right = wants("right", "ids", lambda _: "uuid", begins=True)
    outcome = ended(board, left, right)
    assert set(outcome.cycle) <= {f"{who} on {what}" for who in ("left", "right") for what in ("ids", "prompt")}
    assert {one.split()[0] for one in outcome.cycle} == {"left", "right"}
    assert decided(board)["ids"] == 2
    # Whichever of the two was given up: an operator's revert to it is a ruling, and passes.
    given_up = "int" if board.snapshot().decision("ids").value == "uuid" else "uuid"
    rule(board, "ids", given_up)


def test_two_who_outbid_each_other_with_new_texts_are_a_loop_within_its_bound(board):
    left = wants("left", "ids", lambda stands: (stands or 0) // 2 * 2 + 2, begins=True)
    right = wants("right", "ids", lambda stands: (stands or 0) // 2 * 2 + 1)
    outcome = ended(board, left, right)
    assert set(outcome.cycle) == {"left on ids", "right on ids"}
    assert decided(board)["ids"] <= GENERATION_BOUND


def test_two_people_who_outbid_each_other_are_named_though_nobody_woke_them(board, given):
    for number in range(GENERATION_BOUND + 1):
        given(board).decided("ids", number, by=("left", "right")[number % 2])
    outcome = run(board, Team("agree", [wants("nobody", "other", str)], choreography=free("architect")))
    assert (outcome.kind, outcome.cycle) == (OutcomeKind.OSCILLATING, ("left on ids", "right on ids"))


def test_three_on_a_cycle_of_keys_are_a_loop_that_names_all_three(board):
    begins = wants("first", "a", lambda stands: 0 if stands is None else stands, begins=True)
    outcome = ended(board, begins, follows("of-b", "a", "b"), follows("of-c", "b", "c"), follows("of-a", "c", "a"))
    assert set(outcome.cycle) == {"of-b on a", "of-c on b", "of-a on c"}
    assert len(outcome.cycle) == 3
    assert max(decided(board)[key] for key in "abc") <= CHAIN_BOUND + 1
    for key in "abc":
        rule(board, key, 100)


def test_who_always_goes_back_to_an_old_text_is_stopped_at_the_first_return(board):
    changes = wants("curious", "ids", lambda stands: 0 if stands in (None, "int") else stands)
    returns = wants("nostalgic", "ids", lambda _: "int", begins=True)
    outcome = ended(board, returns, changes)
    assert any("Returning" in one.reason and one.waits_for == ("nostalgic",) for one in outcome.obligations)
    assert "nostalgic on ids" in outcome.cycle
    assert board.snapshot().decision("ids").value == 0
    assert decided(board)["ids"] == 2
    rule(board, "ids", "int")


def test_a_key_that_is_amended_without_end_is_contested_at_its_bound_and_a_ruling_counts_anew(board, given):
    for number in range(GENERATION_BOUND):
        assert given(board).decided("ids", number).accepted
    assert given(board).decided("ids", "one more").accepted == ()
    assert board.snapshot().decision("ids").state == "contested"
    outcome = run(board, Team("agree", [wants("nobody", "other", str)], choreography=free("architect")))
    assert outcome.kind is OutcomeKind.OSCILLATING
    assert outcome.cycle == ("ann on ids",)
    said = next(one for one in outcome.obligations if one.key == "ids")
    assert f"amended {GENERATION_BOUND} times" in said.reason
    rule(board, "ids", 3)
    with board.transaction("architect-1", role="operator") as transaction:
        transaction.decision("ids")
        transaction.decide("ids", Contract.value("again"))
    assert board.snapshot().decision("ids").state == "accepted"


@pytest.mark.parametrize("newer", ["verdict", "question", "ruling"])
def test_evidence_that_is_newer_lets_an_old_text_return_and_older_does_not(board, given, newer):
    given(board).decided("ids", "int")
    given(board).written("server", uses=["ids"])
    older = given(board).judged("server", passed=True).revision
    given(board).decided("ids", "uuid")

    def back(cited):
        return given(board).proposed("ids", "int", evidence=cited)

    for cited in ((), (older,), (board.revision,)):
        with pytest.raises(Returning) as refused:
            back(cited)
        assert refused.value.key == "ids"
    does = {
        "verdict": lambda: given(board).judged("server", passed=False),
        "question": lambda: given(board).asked("other"),
        "ruling": lambda: given(board).decided("law", "be kind", role="operator"),
    }
    back((does[newer]().revision,))
    assert board.snapshot().decision("ids").value == "int"
