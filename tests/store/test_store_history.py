"""Section 6, oscillation: what was given up returns only with newer evidence, and no key is amended without end."""

import pytest

from blackboard import Conflict, Contract, Invalid, Returning
from blackboard.spec.history import GENERATION_BOUND


def attempt(board, key, value, *, by="ann", role=None, evidence=(), propose=False):
    transaction = board.transaction(by, role=role)
    transaction.decision(key)
    if propose or evidence:
        transaction.propose(key, Contract.value(value), evidence=evidence)
    else:
        transaction.decide(key, Contract.value(value))
    return transaction.commit()


@pytest.mark.parametrize("propose", [True, False])
def test_a_text_that_was_given_up_does_not_return(board, given, propose):
    given(board).decided("api/ids", "int")
    given(board).decided("api/ids", "text")
    with pytest.raises(Returning) as refused:
        attempt(board, "api/ids", "int", propose=propose)
    assert (refused.value.key, refused.value.version, refused.value.current) == ("api/ids", 1, 2)
    assert board.revision == 2


def test_a_text_that_was_retracted_does_not_return(board, given):
    given(board).decided("api/ids", "int")
    given(board).retracted("api/ids")
    with pytest.raises(Returning) as refused:
        attempt(board, "api/ids", "int")
    assert (refused.value.version, refused.value.current) == (1, None)


def test_a_text_of_the_same_meaning_is_the_same_text(board, given):
    given(board).decided("api/ids", Contract("value", '{"a": 1, "b": 2}'))
    given(board).decided("api/ids", {"a": 1})
    with pytest.raises(Returning):
        attempt(board, "api/ids", {"b": 2, "a": 1})


def test_a_text_that_was_only_proposed_may_be_proposed_again(board, given, voting_team):
    board.install(voting_team())
    given(board).proposed("api/ids", "int", by="art")
    with board.transaction("art") as transaction:
        transaction.withdraw("api/ids", version=1)
    assert given(board).proposed("api/ids", "int", by="art") == 2


def test_an_operators_ruling_brings_anything_back(board, given):
    given(board).decided("api/ids", "int")
    given(board).decided("api/ids", "text")
    given(board).decided("api/ids", "int", role="operator")
    assert board.snapshot().decision("api/ids").version == 3


@pytest.mark.parametrize(
    "happen",
    [
        lambda to, number: to.judged("server", passed=number == 1),
        lambda to, number: to.asked(f"api/q{number}"),
        lambda to, number: to.decided("db/ids", number, role="operator"),
    ],
    ids=["verdict", "requirement", "ruling"],
)
def test_newer_evidence_brings_a_text_back_and_older_does_not(board, given, happen):
    to = given(board)
    to.written("server")
    to.decided("api/ids", "int")
    older = happen(to, 1).revision
    to.decided("api/ids", "text")
    newer = happen(to, 2).revision
    with pytest.raises(Returning):
        attempt(board, "api/ids", "int", evidence=[older])
    assert attempt(board, "api/ids", "int", evidence=[older, newer]).accepted == (("api/ids", 3),)


def test_what_somebody_decides_elsewhere_is_no_ruling(board, given):
    given(board).decided("api/ids", "int")
    given(board).decided("api/ids", "text")
    elsewhere = given(board).decided("db/ids", "int").revision
    with pytest.raises(Returning):
        attempt(board, "api/ids", "int", evidence=[elsewhere])


@pytest.mark.parametrize("revision", [0, -1, 99, 2**62])
def test_what_nobody_committed_cannot_be_cited(board, given, revision):
    given(board).decided("api/ids", "int")
    with pytest.raises(Invalid):
        attempt(board, "api/ids", "text", evidence=[revision])


@pytest.mark.parametrize("revision", [2, 3])
def test_what_is_no_newer_evidence_does_not_count(board, given, revision):
    to = given(board)
    to.decided("api/ids", "int")
    to.decided("api/ids", "text")
    to.written("server")
    with pytest.raises(Returning):
        attempt(board, "api/ids", "int", evidence=[revision])


def test_the_acceptance_of_what_stands_is_no_evidence_against_it(board, given, voting_team):
    board.install(voting_team(votes=1))
    to = given(board)
    to.proposed("api/ids", "int", by="art")
    to.voted("api/ids", 1, by="rev-1")
    to.proposed("api/ids", "text", by="art")
    accepted = to.voted("api/ids", 2, by="rev-1").revision
    with pytest.raises(Returning):
        attempt(board, "api/ids", "int", by="art", evidence=[accepted])


def test_a_key_that_is_amended_without_a_ruling_becomes_contested(board, given):
    for number in range(GENERATION_BOUND):
        given(board).decided("api/ids", number)
    assert board.snapshot().decision("api/ids").state == "accepted"
    given(board).decided("api/ids", "one too many")
    standing = board.snapshot()
    assert standing.decision("api/ids").state == "contested"
    assert standing.decision("api/ids").value == GENERATION_BOUND - 1
    assert [change.kind for change in board.changes(after=GENERATION_BOUND)] == ["proposed", "contested"]
    left = [one for one in standing.convergence().obligations if one.key == "api/ids"]
    assert any(one.loop for one in left)


def test_a_ruling_settles_the_key_and_counts_anew(board, given):
    for number in range(GENERATION_BOUND + 1):
        given(board).decided("api/ids", number)
    given(board).decided("api/ids", "ruled", role="operator")
    assert board.snapshot().decision("api/ids").state == "accepted"
    assert {one.state for one in board.snapshot().versions("api/ids")} == {"accepted", "superseded", "rejected"}
    for number in range(GENERATION_BOUND - 1):
        given(board).decided("api/ids", f"again {number}")
        assert board.snapshot().decision("api/ids").state == "accepted"
    given(board).decided("api/ids", "one too many")
    assert board.snapshot().decision("api/ids").state == "contested"


def test_upholding_what_stands_settles_the_key_and_is_no_ruling(board, given):
    for number in range(GENERATION_BOUND + 1):
        given(board).decided("api/ids", number)
    given(board).decided("api/ids", GENERATION_BOUND - 1)
    assert board.snapshot().decision("api/ids").state == "accepted"
    given(board).decided("api/ids", "one too many")
    assert board.snapshot().decision("api/ids").state == "contested"


def test_proposing_what_stands_settles_no_contested_key(board, given):
    for number in range(GENERATION_BOUND + 1):
        given(board).decided("api/ids", number)
    given(board).asked("api/ids", by="ann")
    revision = board.revision
    given(board).proposed("api/ids", GENERATION_BOUND - 1, by="ann")
    assert board.revision == revision
    assert board.snapshot().decision("api/ids").state == "contested"


def test_another_key_has_its_own_bound(board, given):
    for number in range(GENERATION_BOUND + 1):
        given(board).decided("api/ids", number)
    given(board).decided("api/page", 1)
    assert board.snapshot().decision("api/page").state == "accepted"


def test_a_contested_key_is_no_conflict_for_those_who_read_its_value(board, given):
    for number in range(GENERATION_BOUND):
        given(board).decided("api/ids", number)
    reader = board.transaction("bob")
    reader.decision("api/ids")
    reader.decide("sum", Contract.value(1))
    given(board).decided("api/ids", "one too many")
    reader.commit()
    historian = board.transaction("bob")
    historian.versions("api/ids")
    historian.decide("sum/of", Contract.value(1))
    given(board).decided("api/ids", "another too many")
    with pytest.raises(Conflict):
        historian.commit()
