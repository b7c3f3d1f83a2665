"""Constraints in the commit: none that is accepted becomes false, whoever decides what in which order."""

import pytest

from blackboard import Contract, Inconsistent, Team, external, on
from blackboard.choreography import Choreography, Role, agree, each, quorum
from blackboard.store import facts

IDS = Contract.constraint("value('api/ids') == value('free/ids')")
TTL = Contract.constraint("session.ttl >= auth.ttl")


def decide(board, texts, *, by="ann", role=None):
    with board.transaction(by, role=role) as transaction:
        for key, value in texts.items():
            transaction.decision(key)
            transaction.decide(key, value if isinstance(value, Contract) else Contract.value(value))
    return transaction.committed


@pytest.fixture
def limited(board, given):
    given(board).decided("session", {"ttl": 60}, by="ann")
    given(board).decided("auth", {"ttl": 30}, by="bob")
    given(board).decided("constraint/ttl", TTL)
    return board


@pytest.mark.parametrize(("key", "value"), [("session", {"ttl": 20}), ("auth", {"ttl": 61})])
def test_a_commit_that_makes_a_constraint_false_is_refused_with_the_values_and_who_decided_them(limited, key, value):
    head = limited.revision
    with pytest.raises(Inconsistent) as refused:
        decide(limited, {key: value}, by="cat")
    assert limited.revision == head
    error = refused.value
    assert (error.constraint, error.expression, error.why) == ("constraint/ttl", "session.ttl >= auth.ttl", "")
    found = {term.key: (term.text, term.value, term.version, term.author) for term in error.terms}
    expected = {"session": ("session.ttl", "60", 1, "ann"), "auth": ("auth.ttl", "30", 1, "bob")}
    assert found == {**expected, key: (f"{key}.ttl", str(value["ttl"]), 2, "cat")}


def test_what_keeps_it_true_is_committed(limited):
    decide(limited, {"session": {"ttl": 30}})
    decide(limited, {"session": {"ttl": 10}, "auth": {"ttl": 10}})
    assert limited.snapshot().decision("session").value == {"ttl": 10}


def test_a_value_of_the_wrong_kind_or_none_makes_it_false(limited):
    for value, why in (({"ttl": "long"}, "for numbers"), ({}, "does not exist")):
        with pytest.raises(Inconsistent) as refused:
            decide(limited, {"auth": value})
        assert why in refused.value.why


def test_a_new_constraint_that_is_false_is_refused(limited):
    with pytest.raises(Inconsistent) as refused:
        decide(limited, {"constraint/other": Contract.constraint("session.ttl < auth.ttl")})
    assert refused.value.constraint == "constraint/other"
    assert limited.snapshot().decision("constraint/other") is None


def test_a_constraint_goes_with_what_it_is_about_in_one_commit(limited):
    decide(limited, {"constraint/ttl": Contract.constraint("session.ttl < auth.ttl"), "auth": {"ttl": 90}})
    with pytest.raises(Inconsistent):
        decide(limited, {"auth": {"ttl": 50}})


def test_what_is_not_decided_makes_nothing_false_until_it_is(board):
    decide(board, {"constraint/ttl": TTL, "session": {"ttl": 5}})
    with pytest.raises(Inconsistent):
        decide(board, {"auth": {"ttl": 6}})
    decide(board, {"auth": {"ttl": 5}})


def test_a_retracted_decision_makes_it_undecided_again(limited, given):
    given(limited).retracted("auth")
    decide(limited, {"session": {"ttl": 1}})
    with pytest.raises(Inconsistent):
        decide(limited, {"auth": {"ttl": 31}})


def test_a_retracted_constraint_binds_nobody(limited, given):
    given(limited).retracted("constraint/ttl")
    decide(limited, {"session": {"ttl": 1}})


def test_a_ruling_of_the_operator_is_bound_too(limited):
    with pytest.raises(Inconsistent):
        decide(limited, {"session": {"ttl": 1}}, by="op", role="operator")


def test_only_keys_under_constraint_hold_constraints(board):
    decide(board, {"notes/ttl": TTL, "session": {"ttl": 1}, "auth": {"ttl": 2}})
    with pytest.raises(Inconsistent):
        decide(board, {"constraint/ttl": TTL})


@pytest.mark.parametrize("first", ["api/ids", "free/ids"])
def test_two_keys_under_an_equality_are_amended_together_or_not_at_all(board, first):
    other = ({"api/ids", "free/ids"} - {first}).pop()
    decide(board, {"api/ids": "int", "free/ids": "int", "constraint/ids": IDS})
    with pytest.raises(Inconsistent):
        decide(board, {first: "str"})
    decide(board, {first: "str", other: "str"})
    assert board.snapshot().decision(first).value == board.snapshot().decision(other).value == "str"


def test_a_joint_proposal_keeps_an_equality_where_one_alone_would_break_it(board):
    decide(board, {"a": "int", "b": "int", "constraint/ids": Contract.constraint("a == b")})
    with pytest.raises(Inconsistent), board.transaction("ann") as transaction:
        transaction.decision("a")
        transaction.propose("a", Contract.value("str"))
    with board.transaction("ann") as transaction:
        transaction.decision("a"), transaction.decision("b")
        transaction.propose_jointly({"a": Contract.value("str"), "b": Contract.value("str")})
    assert board.snapshot().decision("b").value == "str"


def test_a_preview_says_which_constraint_refuses(limited):
    transaction = limited.transaction("ann")
    transaction.decision("session")
    transaction.decide("session", Contract.value({"ttl": 1}))
    refused = transaction.preview().refused_by
    transaction.discard()
    assert isinstance(refused, Inconsistent)
    assert refused.constraint == "constraint/ttl"


# --- votes -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def team(board, voting_team, given):
    given(board).decided("constraint/ids", IDS)
    given(board).decided("free/ids", "int")
    board.install(voting_team(amendments=9))
    return board


def test_a_deciding_vote_that_would_break_a_constraint_is_recorded_and_the_version_contested(team, given):
    given(team).proposed("api/ids", "str", by="art")
    given(team).voted("api/ids", 1, by="rev-1")
    done = given(team).voted("api/ids", 1, by="rev-2")
    assert done.accepted == ()
    assert [(one.kind, one.key) for one in team.changes(after=done.revision - 1)] == [
        ("voted", "api/ids"),
        ("contested", "api/ids"),
    ]
    version = team.snapshot().versions("api/ids")[0]
    assert (version.state, [one.approve for one in version.votes]) == ("proposed", [True, True])
    assert team.snapshot().decision("api/ids") is None
    contested = [one.reason for one in team.snapshot().convergence().obligations if one.key == "api/ids"]
    assert any("constraint/ids" in reason for reason in contested)


def test_a_deciding_vote_that_keeps_the_constraint_accepts(team, given):
    given(team).proposed("api/ids", "int", by="art")
    given(team).voted("api/ids", 1, by="rev-1")
    assert given(team).voted("api/ids", 1, by="rev-2").accepted == (("api/ids", 1),)


# --- what happens in between -----------------------------------------------------------------------------------------


def test_a_constraint_that_comes_between_plan_and_row_refuses_what_it_makes_false(board, given, before_the_row):
    given(board).decided("auth", {"ttl": 30})
    given(board).decided("session", {"ttl": 60})
    before_the_row(board, lambda: given(board).decided("constraint/ttl", TTL))
    with pytest.raises(Inconsistent):
        decide(board, {"session": {"ttl": 1}})


def test_a_value_that_comes_between_plan_and_row_refuses_the_constraint_that_it_makes_false(
    board, given, before_the_row
):
    given(board).decided("auth", {"ttl": 30})
    before_the_row(board, lambda: given(board).decided("session", {"ttl": 1}))
    with pytest.raises(Inconsistent):
        decide(board, {"constraint/ttl": TTL})


def test_a_board_finds_the_constraints_on_a_key_by_an_index_and_one_without_constraints_asks_for_none(
    board, ask_sql, given, monkeypatch
):
    plan = ask_sql(board, f"EXPLAIN QUERY PLAN {facts._NAMING}", "names:a")
    assert "current_facet_names (name=?)" in " ".join(str(row) for row in plan)
    given(board).decided("a", 1)
    monkeypatch.setattr(facts, "_NAMING", None)
    given(board).decided("a", 2)
    with pytest.raises(AttributeError):
        given(board).decided("constraint/a", Contract.constraint("a == 2"))
        given(board).decided("a", 3)


# --- convergence -----------------------------------------------------------------------------------------------------


def left(snapshot):
    return [(one.key, one.reason) for one in snapshot.convergence().obligations if one.key != "**"]


def test_a_board_has_not_converged_before_each_constraint_is_true(board, given):
    given(board).decided("constraint/ttl", TTL)
    assert left(board.snapshot()) == [("constraint/ttl", "it is undecided: session is not decided")]
    given(board).decided("session", {"ttl": 60})
    assert left(board.snapshot()) == [("constraint/ttl", "it is undecided: auth is not decided")]
    given(board).decided("auth", {"ttl": 30})
    decided = board.revision
    assert left(board.snapshot()) == []
    given(board).retracted("auth")
    assert [key for key, _ in left(board.snapshot())] == ["constraint/ttl"]
    assert left(board.snapshot(at=decided)) == []


# --- two quorums -----------------------------------------------------------------------------------------------------


@pytest.fixture
def two_quorums(board):
    """Return a board on which reviewers accept what is under `api/`, keepers what is under `db/`."""
    architect, operator = Role("architect", reliable=True), Role("operator", reliable=True)
    steps = []
    for folder, role in (("api", "reviewer"), ("db", "keeper")):
        voters = Role(role, members=3, reliable=True)
        key = f"{folder}/{{name}}"
        by, otherwise = quorum(2, of=voters), operator.decides(key)
        agreed = agree(architect.proposes(key), by=by, rounds=3, amendments=5, otherwise=otherwise)
        steps.append(each(key, agreed, at_most=9))
    members = [external("art", role="architect", on=on.asked("**"))]
    members += [external(f"rev-{number}", role="reviewer", on=on.proposed("api/*")) for number in (1, 2, 3)]
    members += [external(f"keep-{number}", role="keeper", on=on.proposed("db/*")) for number in (1, 2, 3)]
    decide(board, {"api/ids": "int", "db/ids": "int", "constraint/ids": SAME})
    board.install(Team("agree", members, choreography=Choreography("two", *steps)))
    return board


SAME = Contract.constraint('value("api/ids") == value("db/ids")')


@pytest.mark.parametrize(("key", "voters"), [("api/ids", ("rev-1", "rev-2")), ("db/ids", ("keep-1", "keep-2"))])
def test_under_two_quorums_one_alone_becomes_contested_in_either_order(two_quorums, given, key, voters):
    version = given(two_quorums).proposed(key, "str", by="art")
    for voter in voters:
        given(two_quorums).voted(key, version, by=voter)
    assert two_quorums.snapshot().decision(key).value == "int"
    assert two_quorums.snapshot().decision(key).state == "contested"


def test_a_joint_proposal_under_two_quorums_is_accepted_in_the_one_commit_that_completes_both(two_quorums, given):
    with two_quorums.transaction("art") as transaction:
        transaction.decision("api/ids"), transaction.decision("db/ids")
        transaction.propose_jointly({"api/ids": Contract.value("str"), "db/ids": Contract.value("str")})
    for key, voter in (("api/ids", "rev-1"), ("api/ids", "rev-2"), ("db/ids", "keep-3")):
        assert given(two_quorums).voted(key, 2, by=voter).accepted == ()
    done = given(two_quorums).voted("db/ids", 2, by="keep-1")
    assert sorted(done.accepted) == [("api/ids", 2), ("db/ids", 2)]


def test_a_joint_proposal_that_breaks_a_constraint_leaves_both_contested(two_quorums, given):
    with two_quorums.transaction("art") as transaction:
        transaction.decision("api/ids"), transaction.decision("db/ids")
        transaction.propose_jointly({"api/ids": Contract.value("str"), "db/ids": Contract.value("text")})
    for key, voter in (("api/ids", "rev-1"), ("api/ids", "rev-2"), ("db/ids", "keep-3"), ("db/ids", "keep-1")):
        assert given(two_quorums).voted(key, 2, by=voter).accepted == ()
    assert {two_quorums.snapshot().decision(key).state for key in ("api/ids", "db/ids")} == {"contested"}
    assert {two_quorums.snapshot().decision(key).value for key in ("api/ids", "db/ids")} == {"int"}


# --- what stood against a version goes --------------------------------------------------------------------------------


@pytest.fixture
def refused(team, given):
    """Return a board on which a quorum approved `str` for `api/ids` and the constraint stands against it."""
    given(team).proposed("api/ids", "str", by="art")
    for voter in ("rev-1", "rev-2"):
        given(team).voted("api/ids", 1, by=voter)
    assert ("api/ids", 1) not in [(one.key, one.version) for one in team.snapshot().decisions()]
    return team


def accepted_with(board, act):
    with board.transaction("op", role="operator") as transaction:
        act(transaction)
    return board.snapshot(), transaction.committed.accepted


def test_what_was_approved_is_accepted_in_the_commit_that_retracts_the_constraint(refused):
    def retract(transaction):
        transaction.decision("constraint/ids")
        transaction.retract("constraint/ids", reason="ids differ")

    snapshot, accepted = accepted_with(refused, retract)
    assert accepted == (("api/ids", 1),)
    assert snapshot.decision("api/ids").state == "accepted"
    assert "contested" not in " ".join(one.reason for one in snapshot.convergence().obligations)
    refused.verify()


@pytest.mark.parametrize(
    ("key", "contract"),
    [
        ("constraint/ids", Contract.constraint("value('api/ids') != value('free/ids')")),
        ("free/ids", Contract.value("str")),
    ],
)
def test_what_was_approved_is_accepted_in_the_commit_after_which_the_constraint_holds(refused, key, contract):
    def amend(transaction):
        transaction.decision(key)
        transaction.decide(key, contract)

    snapshot, accepted = accepted_with(refused, amend)
    assert ("api/ids", 1) in accepted
    assert snapshot.decision("api/ids").value == "str"


def test_what_the_changed_constraint_still_stands_against_stays_contested(refused):
    def amend(transaction):
        transaction.decision("constraint/ids")
        transaction.decide("constraint/ids", Contract.constraint("value('api/ids') in ['int', 'uuid']"))

    snapshot, accepted = accepted_with(refused, amend)
    assert "api/ids" not in dict(accepted)
    assert snapshot.versions("api/ids")[0].state == "proposed"
