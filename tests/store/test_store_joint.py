"""Section 6: joint proposals under several rules, how they end and why, and votes that come late."""

import pytest

from blackboard import Blackboard, Contract, IllegalTransition, NotPermitted, Team, external, on
from blackboard.choreography import Choreography, Role, agree, each, majority, may, quorum
from blackboard.testing import FakeClock

OPERATOR = Role("operator", reliable=True)
ART = Role("architect", reliable=True)
REVIEWER = Role("reviewer", members=3, reliable=True)
KEEPER = Role("keeper", members=2, reliable=True)


def two_rules(*, within_seconds: float | None = None) -> Team:
    """Return a team in which 2 of 3 reviewers settle `api/…` and both keepers settle `db/…`."""
    said = {"within_seconds": within_seconds, "rounds": 2, "amendments": 3}
    api = agree(ART.proposes("api/{name}"), by=quorum(2, of=REVIEWER), otherwise=OPERATOR.decides("api/{name}"), **said)
    schema = agree(ART.proposes("db/{name}"), by=quorum(2, of=KEEPER), otherwise=OPERATOR.decides("db/{name}"), **said)
    protocol = Choreography(
        "two-rules",
        each("api/{name}", api, at_most=9),
        each("db/{name}", schema, at_most=9),
        may(ART, "decide", "free/*"),
        may(ART, "propose", "free/*"),
        may(ART, "retract", "**"),
    )
    members = [
        external("art", role="architect", on=on.asked("**")),
        *(external(f"rev-{number}", role="reviewer", on=on.proposed("api/*")) for number in (1, 2, 3)),
        *(external(f"keep-{number}", role="keeper", on=on.proposed("db/*")) for number in (1, 2)),
    ]
    return Team("agree under two rules", members, choreography=protocol)


@pytest.fixture
def team(board):
    board.install(two_rules())
    return board


def jointly(board, values, *, by="art", role=None):
    transaction = board.transaction(by, role=role)
    for key in values:
        transaction.decision(key)
    transaction.propose_jointly({key: Contract.value(value) for key, value in values.items()})
    return transaction.commit()


def newest(board, key):
    return board.snapshot().versions(key)[-1]


PAIR = {"api/ids": "int", "db/ids": "integer"}
YES = (("api/ids", "rev-1"), ("api/ids", "rev-3"), ("db/ids", "keep-2"), ("db/ids", "keep-1"))


@pytest.mark.parametrize("order", [YES, YES[::-1], (YES[2], YES[0], YES[3], YES[1])])
def test_each_key_is_tallied_by_its_own_rule_and_the_last_quorum_accepts_all_in_one_commit(team, given, order):
    jointly(team, PAIR)
    assert [newest(team, key).quorum for key in PAIR] == [2, 2]
    assert [len(newest(team, key).electorate) for key in PAIR] == [3, 2]
    *before, last = order
    for key, voter in before:
        assert given(team).voted(key, 1, by=voter).accepted == ()
        assert team.snapshot().decisions("*/ids") == ()
    done = given(team).voted(last[0], 1, by=last[1])
    assert sorted(done.accepted) == [("api/ids", 1), ("db/ids", 1)]
    assert {one.mod_revision for one in team.snapshot().decisions("*/ids")} == {done.revision}


def test_a_part_that_nobody_votes_on_waits_for_the_others(team, given):
    jointly(team, {**PAIR, "free/note": "so be it"})
    assert team.snapshot().decision("free/note") is None
    for key, voter in YES:
        done = given(team).voted(key, 1, by=voter)
    assert ("free/note", 1) in done.accepted


def lost(board, given):
    for voter in ("rev-1", "rev-2"):
        given(board).voted("api/ids", 2, by=voter, approve=False)
    return "rejected"


def taken_back(board, given):
    with board.transaction("art") as transaction:
        transaction.withdraw("api/ids", version=2)
    return "withdrawn"


def overtaken(board, given):
    version = given(board).proposed("api/ids", "uuid", by="art")
    for voter in ("rev-1", "rev-2"):
        given(board).voted("api/ids", version, by=voter)
    return "rejected"


def ruled(board, given):
    given(board).decided("api/ids", "uuid", by="boss", role="operator")
    return "rejected"


def without_a_base(board, given):
    given(board).retracted("api/ids", by="art")
    return "rejected"


NOT_ALLOWED = ("db/ids", "$", None, None)
OTHERWISE = ("api/ids", "$", '"text"', '"uuid"')
LOST_FOR = {
    lost: NOT_ALLOWED,
    taken_back: NOT_ALLOWED,
    overtaken: OTHERWISE,
    ruled: OTHERWISE,
    without_a_base: NOT_ALLOWED,
}


@pytest.mark.parametrize("end", [lost, taken_back, overtaken, ruled, without_a_base])
def test_when_one_part_ends_or_its_base_moves_all_end_with_it_and_say_why(team, given, end):
    given(team).decided("api/ids", "text", by="boss", role="operator")
    jointly(team, PAIR)
    for voter in ("keep-1", "keep-2"):
        given(team).voted("db/ids", 1, by=voter)
    state = end(team, given)
    mine = next(one for one in team.snapshot().versions("api/ids") if one.version == 2)
    other = newest(team, "db/ids")
    assert (mine.state, other.state) == (state, "rejected")
    assert other.reason == f"api/ids 2, proposed with it, was {state}"
    assert [(one.key, one.facet, one.old, one.new) for one in other.lost] == [LOST_FOR[end]]
    assert team.snapshot().decision("db/ids") is None
    with pytest.raises(IllegalTransition):
        given(team).voted("api/ids", 2, by="rev-3")
    team.verify()


def test_an_unreachable_quorum_loses_all_that_was_to_change(team, given):
    given(team).decided("api/ids", "text", by="boss", role="operator")
    version = given(team).proposed("api/ids", "uuid", by="art")
    for voter in ("rev-1", "rev-2"):
        given(team).voted("api/ids", version, by=voter, approve=False)
    given(team).decided("api/ids", "later", by="boss", role="operator")
    (one,) = team.snapshot().versions("api/ids")[1].lost
    assert (one.key, one.facet, one.old, one.new) == ("api/ids", "$", '"text"', '"text"')


def test_two_joint_proposals_that_share_a_key_exclude_each_other(team, given):
    jointly(team, {"api/ids": "int", "db/ids": "integer"})
    jointly(team, {"api/ids": "uuid", "db/page": "page"})
    for key, voter in YES:
        given(team).voted(key, 1, by=voter)
    assert newest(team, "api/ids").reason == "version 1 was accepted"
    assert newest(team, "db/page").reason == "api/ids 2, proposed with it, was rejected"


def test_what_is_up_alone_is_not_up_together(team, given):
    for key, value in PAIR.items():
        given(team).proposed(key, value, by="art")
    jointly(team, PAIR)
    assert [newest(team, key).version for key in PAIR] == [2, 2]
    revision = team.revision
    assert jointly(team, PAIR).revision == revision == team.revision
    for key, voter in YES:
        done = given(team).voted(key, 2, by=voter)
    assert sorted(done.accepted) == [("api/ids", 2), ("db/ids", 2)]
    team.verify()


def test_what_is_up_together_is_not_up_alone_nor_with_others(team, given):
    jointly(team, PAIR)
    given(team).proposed("api/ids", PAIR["api/ids"], by="art")
    jointly(team, {**PAIR, "free/note": "so be it"})
    assert [one.state for one in team.snapshot().versions("api/ids")] == ["proposed"] * 3
    for voter in ("rev-1", "rev-2"):
        given(team).voted("api/ids", 2, by=voter)
    assert team.snapshot().decision("api/ids").version == 2
    assert {one.state for one in team.snapshot().versions("db/ids")} == {"rejected"}


def test_a_constraint_over_two_keys_can_be_kept_though_each_text_is_up_alone(team, given):
    same = Contract.constraint('value("api/ids") == value("db/ids")')
    for key, value in {"api/ids": "int", "db/ids": "int"}.items():
        given(team).decided(key, value, by="boss", role="operator")
    given(team).decided("constraint/same", same, by="boss", role="operator")
    for key in PAIR:
        given(team).proposed(key, "uuid", by="art")
    jointly(team, dict.fromkeys(PAIR, "uuid"))
    for key, voter in YES:
        done = given(team).voted(key, 3, by=voter)
    assert sorted(done.accepted) == [("api/ids", 3), ("db/ids", 3)]


def test_who_may_vote_as_well_does_not_propose_what_too_few_others_could_accept(board, given):
    peer = Role("peer", members=2, reliable=True)
    step = agree(ART.proposes("api/{name}"), by=quorum(2, of=peer), rounds=1, otherwise=OPERATOR.decides("api/{name}"))
    protocol = Choreography("tight", each("api/{name}", step, at_most=9), may(peer, "propose", "api/*"))
    peers = [external(name, role="peer", on=on.proposed("api/*")) for name in ("p", "q")]
    board.install(Team("x", [external("art", role="architect", on=on.asked("**")), *peers], choreography=protocol))
    revision = board.revision
    with pytest.raises(NotPermitted) as refused:
        given(board).proposed("api/ids", "int", by="p")
    assert refused.value.waits_for == ("2 who may vote on it",)
    assert board.revision == revision
    given(board).proposed("api/ids", "int", by="art")


def test_a_majority_is_of_those_who_may_vote(board, given):
    peer = Role("peer", members=4, reliable=True)
    step = agree(peer.proposes("api/{name}"), by=majority(of=peer), rounds=1, otherwise=OPERATOR.decides("api/{name}"))
    protocol = Choreography("peers", each("api/{name}", step, at_most=9))
    peers = [external(f"p{number}", role="peer", on=on.proposed("api/*")) for number in range(4)]
    board.install(Team("x", peers, choreography=protocol))
    given(board).proposed("api/ids", "int", by="p0")
    assert (newest(board, "api/ids").electorate, newest(board, "api/ids").quorum) == (("p1", "p2", "p3"), 2)


# --- deadlines -------------------------------------------------------------------------------------------------------


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def timed(clock):
    with Blackboard.in_memory(clock=clock) as board:
        board.install(two_rules(within_seconds=60))
        yield board


def test_a_late_vote_counts_until_the_deadline_is_committed(timed, clock, given):
    given(timed).proposed("api/ids", "int", by="art")
    given(timed).voted("api/ids", 1, by="rev-1")
    clock.sleep(3600)
    assert given(timed).voted("api/ids", 1, by="rev-2").accepted == (("api/ids", 1),)
    assert timed.tick() == 0
    assert timed.snapshot().decision("api/ids").value == "int"


def test_after_the_deadline_was_committed_a_vote_is_refused(timed, clock, given):
    given(timed).proposed("api/ids", "int", by="art")
    given(timed).voted("api/ids", 1, by="rev-1")
    clock.sleep(61)
    assert timed.tick() == 1
    assert newest(timed, "api/ids").state == "rejected"
    with pytest.raises(IllegalTransition):
        given(timed).voted("api/ids", 1, by="rev-2")


def test_a_deadline_ends_the_whole_of_a_joint_proposal(timed, clock, given):
    jointly(timed, PAIR)
    for voter in ("keep-1", "keep-2"):
        given(timed).voted("db/ids", 1, by=voter)
    clock.sleep(61)
    timed.tick()
    assert {newest(timed, key).state for key in PAIR} == {"rejected"}
    timed.verify()


def test_after_the_last_round_the_key_is_the_operators_and_nobody_elses(timed, clock, given):
    for text in ("int", "uuid"):
        given(timed).proposed("api/ids", text, by="art")
        clock.sleep(61)
        timed.tick()
    transaction = timed.transaction("art")
    transaction.propose("api/ids", Contract.value("text"))
    with pytest.raises(NotPermitted) as refused:
        transaction.commit()
    assert refused.value.waits_for == ("the operator to decide api/ids",)
    given(timed).decided("api/ids", "text", by="boss", role="operator")
    assert timed.snapshot().decision("api/ids").state == "accepted"
