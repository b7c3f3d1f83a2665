"""An operator accepts a break by the id of its rule: what is built on the facet is checked again, not written again."""

import pytest

from blackboard import Contract, Invalid, NotPermitted

OLD, NEW = "def read(path: str) -> bytes: ...", "def read(path: str, strict: bool) -> bytes: ..."


def built(board):
    """Decide the old stub and write a component that uses all of it."""
    with board.transaction("ann", role="operator") as transaction:
        transaction.decide("api/files", Contract.python(OLD))
    with board.transaction("ann", role="operator") as transaction:
        transaction.decision("api/files")
        transaction.write("server", {"server.txt": "reads files"})


def amended(board, text, *accept, role="operator"):
    with board.transaction("ann", role=role) as transaction:
        transaction.decision("api/files")
        transaction.decide("api/files", Contract.python(text), rationale="no way around", accept=accept)


def test_an_accepted_break_makes_suspect_and_another_one_stale(board):
    built(board)
    amended(board, NEW, "python.parameter-required")
    assert board.snapshot().component("server").state == "suspect"
    amended(board, NEW.replace("bytes", "str"))
    assert board.snapshot().component("server").state == "stale"


def test_a_rule_that_the_change_does_not_break_is_named_with_those_that_it_does(board):
    built(board)
    with pytest.raises(Invalid, match=r"does not break python.raises.*python.return-type"):
        amended(board, NEW.replace("bytes", "str"), "python.raises")
    with pytest.raises(Invalid, match="it breaks none"):
        amended(board, OLD, "python.raises")


def test_a_facet_that_breaks_in_two_ways_is_accepted_only_with_both_rules(board):
    built(board)
    amended(board, NEW.replace("bytes", "str"), "python.parameter-required")
    assert board.snapshot().component("server").state == "stale"


def test_both_ways_of_one_facet_may_be_accepted(board):
    built(board)
    amended(board, NEW.replace("bytes", "str"), "python.parameter-required", "python.return-type")
    assert board.snapshot().component("server").state == "suspect"


def test_a_name_that_is_gone_may_be_accepted_too(board):
    built(board)
    amended(board, "def write(path: str) -> None: ...", "python.name-removed", "python.name-added")
    assert board.snapshot().component("server").state == "suspect"


def test_what_is_accepted_is_on_the_version(board):
    built(board)
    amended(board, NEW, "python.parameter-required")
    assert board.snapshot().versions("api/files")[-1].rationale == "no way around\naccepts python.parameter-required"
    board.verify()


def test_only_an_operator_accepts_and_only_what_is_a_rule(board):
    built(board)
    with pytest.raises(NotPermitted):
        amended(board, NEW, "python.parameter-required", role=None)
    with pytest.raises(Invalid):
        amended(board, NEW, "python.whatever")
    assert len(board.snapshot().versions("api/files")) == 1


def test_an_operator_accepts_by_the_argument_alone(board):
    built(board)
    with pytest.raises(Invalid, match="accept"), board.transaction("ann", role="operator") as transaction:
        transaction.decision("api/files")
        transaction.decide("api/files", Contract.python(NEW), rationale="so be it\naccepts python.parameter-required")


def test_somebody_else_who_writes_the_line_accepts_nothing(board):
    built(board)
    with board.transaction("bea") as transaction:
        transaction.decision("api/files")
        transaction.decide("api/files", Contract.python(NEW), rationale="accepts python.parameter-required")
    assert board.snapshot().component("server").state == "stale"
