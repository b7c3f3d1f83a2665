"""Other sentences about a facet are a version: who relies on it is looked at again, and nobody rewrites anything."""

import pytest

from blackboard import Conflict, Contract, Team, external, on

STUB = 'def count(text: str) -> int:\n    """{}"""\n'
LETTERS, ASCII = (Contract.python(STUB.format(said)) for said in ("A word is of letters.", "A word is of ASCII."))


@pytest.fixture
def built(board, given):
    asking = [
        external("coder", role="operator", on=on.stale("**")),
        external("reviewer", role="operator", on=on.suspect("words")),
    ]
    board.install(Team("count", asking))
    to = given(board)
    to.decided("api/words", LETTERS, role="operator")
    to.written("words", uses=["api/words"], role="operator")
    return to


def test_another_docstring_is_a_version_that_makes_suspect_and_wakes_who_asked_for_that_alone(board, built, pending):
    built.decided("api/words", ASCII, role="operator")
    assert board.snapshot().decision("api/words").version == 2
    assert board.snapshot().component("words").state == "suspect"
    assert [one for one in pending() if one[0] != "conformance"] == [("reviewer", "words", "suspect")]


@pytest.mark.parametrize(("passed", "state"), [(True, "current"), (False, "stale")])
def test_the_checks_say_whether_it_still_holds(board, given, passed, state):
    built = given(board)
    built.decided("api/words", LETTERS)
    built.written("words", uses=["api/words"])
    built.decided("api/words", ASCII)
    built.judged("words", passed=passed)
    assert board.snapshot().component("words").state == state


def test_layout_and_comments_are_no_version_to_look_at(board, built, pending):
    built.decided(
        "api/words", Contract.python("# nothing\n" + STUB.format("A word\n    is of letters.")), role="operator"
    )
    assert board.snapshot().component("words").state == "current"
    assert [one for one in pending() if one[0] != "conformance"] == []


def test_who_writes_against_the_old_sentence_is_shown_both(board, built):
    with pytest.raises(Conflict) as refused, board.transaction("bob", role="operator") as transaction:
        transaction.decision("api/words")
        transaction.write("other", {"other.txt": "x"}, uses=["api/words"])
        built.decided("api/words", ASCII, role="operator")
    (premise,) = refused.value.premises
    assert (premise.facet, premise.effect) == ("count", "documentation")
    assert (premise.base, premise.current) == ("A word is of letters.", "A word is of ASCII.")


def test_the_preview_says_who_is_looked_at_again(board, built):
    with board.transaction("ann", role="operator") as transaction:
        transaction.decision("api/words")
        transaction.decide("api/words", ASCII)
        impact = transaction.preview()
        transaction.discard()
    assert (impact.stale, impact.suspect) == ((), ("words",))
