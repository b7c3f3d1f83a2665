"""Section 6, agreement: fixed electorates, votes cast once, quorums reached or out of reach, joint proposals."""

import pytest

from blackboard import Conflict, Contract, IllegalTransition, NotPermitted


@pytest.fixture
def team(board, voting_team):
    board.install(voting_team())
    return board


def states(board, key="api/ids"):
    return [(one.version, one.state) for one in board.snapshot().versions(key)]


def vote(board, version, *, by, approve=True, key="api/ids"):
    transaction = board.transaction(by)
    transaction.vote(key, version=version, approve=approve)
    return transaction.commit()


def test_a_proposal_waits_for_its_quorum(team, given):
    to = given(team)
    to.proposed("api/ids", "int", by="art")
    assert team.snapshot().decision("api/ids") is None
    assert vote(team, 1, by="rev-1").accepted == ()
    assert states(team) == [(1, "proposed")]
    assert vote(team, 1, by="rev-2").accepted == (("api/ids", 1),)
    decision = team.snapshot().decision("api/ids")
    assert (decision.value, decision.state) == ("int", "accepted")
    assert [(one.author, one.approve) for one in decision.votes] == [("rev-1", True), ("rev-2", True)]


def test_the_deciding_vote_accepts_in_its_own_commit(team, given):
    given(team).proposed("api/ids", "int", by="art")
    vote(team, 1, by="rev-1")
    done = vote(team, 1, by="rev-3")
    assert [change.kind for change in team.changes(after=done.revision - 1)] == ["voted", "accepted"]


def test_a_quorum_out_of_reach_rejects_in_the_commit_of_the_vote(team, given):
    given(team).proposed("api/ids", "int", by="art")
    vote(team, 1, by="rev-1", approve=False)
    assert states(team) == [(1, "proposed")]
    vote(team, 1, by="rev-2", approve=False)
    assert states(team) == [(1, "rejected")]
    assert team.snapshot().versions("api/ids")[0].reason


def test_a_vote_is_cast_once(team, given):
    given(team).proposed("api/ids", "int", by="art")
    first = vote(team, 1, by="rev-1")
    assert vote(team, 1, by="rev-1").revision == first.revision
    with pytest.raises(IllegalTransition):
        vote(team, 1, by="rev-1", approve=False)
    assert team.revision == first.revision


def test_a_vote_cannot_be_doubled_in_one_transaction(team, given):
    given(team).proposed("api/ids", "int", by="art")
    transaction = team.transaction("rev-1")
    transaction.vote("api/ids", version=1, approve=True)
    transaction.vote("api/ids", version=1, approve=True)
    transaction.commit()
    assert states(team) == [(1, "proposed")]


@pytest.mark.parametrize("author", ["art", "stranger"])
def test_only_the_electorate_votes(team, given, author):
    given(team).proposed("api/ids", "int", by="art")
    with pytest.raises(NotPermitted) as refused:
        vote(team, 1, by=author)
    assert refused.value.waits_for
    assert states(team) == [(1, "proposed")]


def test_an_author_does_not_vote_on_its_own_version(board, given):
    from blackboard import Team, external, on
    from blackboard.choreography import Choreography, Role, agree, each, majority

    peer, operator = Role("peer", members=3, reliable=True), Role("operator", reliable=True)
    agreed = agree(
        peer.proposes("api/{name}"), by=majority(of=peer), rounds=2, otherwise=operator.decides("api/{name}")
    )
    peers = [external(f"peer-{number}", role="peer", on=on.proposed("api/*")) for number in (1, 2, 3)]
    board.install(Team("agree", peers, choreography=Choreography("peers", each("api/{name}", agreed, at_most=9))))
    given(board).proposed("api/ids", "int", by="peer-1")
    version = board.snapshot().versions("api/ids")[0]
    assert version.electorate == ("peer-2", "peer-3")
    with pytest.raises(NotPermitted):
        vote(board, 1, by="peer-1")
    vote(board, 1, by="peer-2")
    assert states(board) == [(1, "proposed")]
    vote(board, 1, by="peer-3")
    assert states(board) == [(1, "accepted")]


def test_the_electorate_is_fixed_in_the_proposal(board, given, voting_team):
    board.install(voting_team(reviewers=3, votes=2))
    given(board).proposed("api/ids", "int", by="art")
    board.install(voting_team(reviewers=4, votes=3))
    version = board.snapshot().versions("api/ids")[0]
    assert (version.electorate, version.quorum) == (("rev-1", "rev-2", "rev-3"), 2)
    with pytest.raises(NotPermitted):
        vote(board, 1, by="rev-4")
    vote(board, 1, by="rev-1")
    vote(board, 1, by="rev-2")
    assert states(board) == [(1, "accepted")]
    given(board).proposed("api/page", 20, by="art")
    assert board.snapshot().versions("api/page")[0].quorum == 3


@pytest.mark.parametrize("ending", ["accepted", "rejected", "withdrawn"])
def test_a_settled_version_takes_no_votes(team, given, ending):
    given(team).proposed("api/ids", "int", by="art")
    if ending == "withdrawn":
        with team.transaction("art") as transaction:
            transaction.withdraw("api/ids", version=1)
    else:
        for reviewer in ("rev-1", "rev-2"):
            vote(team, 1, by=reviewer, approve=ending == "accepted")
    with pytest.raises(IllegalTransition):
        vote(team, 1, by="rev-3")
    assert states(team) == [(1, ending)]


def test_votes_on_what_is_not_there_are_refused(team, given):
    given(team).proposed("api/ids", "int", by="art")
    for key, version in (("api/ids", 2), ("api/ids", 0), ("api/ids", -1), ("api/other", 1)):
        with pytest.raises(IllegalTransition):
            vote(team, version, by="rev-1", key=key)


def test_only_its_author_takes_a_proposal_back(team, given):
    given(team).proposed("api/ids", "int", by="art")
    transaction = team.transaction("rev-1")
    transaction.withdraw("api/ids", version=1)
    with pytest.raises(NotPermitted):
        transaction.commit()
    with team.transaction("art") as own:
        own.withdraw("api/ids", version=1)
    assert states(team) == [(1, "withdrawn")]


def test_an_amendment_is_voted_beside_what_stands_and_loses_alone(team, given):
    to = given(team)
    to.proposed("api/ids", "int", by="art")
    for reviewer in ("rev-1", "rev-2"):
        vote(team, 1, by=reviewer)
    to.proposed("api/ids", "text", by="art")
    assert team.snapshot().decision("api/ids").value == "int"
    for reviewer in ("rev-1", "rev-2"):
        vote(team, 2, by=reviewer, approve=False)
    assert states(team) == [(1, "accepted"), (2, "rejected")]
    assert team.snapshot().decision("api/ids").value == "int"


def test_an_amendment_that_wins_supersedes_what_stood(team, given):
    to = given(team)
    to.proposed("api/ids", "int", by="art")
    for reviewer in ("rev-1", "rev-2"):
        vote(team, 1, by=reviewer)
    to.proposed("api/ids", "text", by="art")
    for reviewer in ("rev-2", "rev-3"):
        vote(team, 2, by=reviewer)
    assert states(team) == [(1, "superseded"), (2, "accepted")]


def test_the_winner_of_two_live_proposals_ends_the_other(team, given):
    to = given(team)
    to.proposed("api/ids", "int", by="art")
    to.proposed("api/ids", "text", by="art")
    for reviewer in ("rev-1", "rev-2"):
        vote(team, 2, by=reviewer)
    assert states(team) == [(1, "rejected"), (2, "accepted")]


def test_the_same_text_proposed_again_is_agreement(team, given):
    given(team).proposed("api/ids", "int", by="art")
    revision = team.revision
    given(team).proposed("api/ids", "int", by="art")
    assert team.revision == revision
    assert states(team) == [(1, "proposed")]


def test_an_operator_settles_a_vote_and_ends_the_proposals(team, given):
    given(team).proposed("api/ids", "int", by="art")
    given(team).decided("api/ids", "text", by="boss", role="operator")
    assert states(team) == [(1, "rejected"), (2, "accepted")]
    with pytest.raises(IllegalTransition):
        vote(team, 1, by="rev-1")


def test_after_the_last_round_the_key_is_contested(board, given, voting_team):
    board.install(voting_team(rounds=2))
    for version, value in ((1, "int"), (2, "text")):
        given(board).proposed("api/ids", value, by="art")
        assert board.snapshot().versions("api/ids")[-1].round == version
        for reviewer in ("rev-1", "rev-2"):
            vote(board, version, by=reviewer, approve=False)
    assert board.changes(after=0)[-1].kind == "contested"
    transaction = board.transaction("art")
    transaction.propose("api/ids", Contract.value("uuid"))
    with pytest.raises(NotPermitted):
        transaction.commit()
    given(board).decided("api/ids", "uuid", by="boss", role="operator")
    assert board.snapshot().decision("api/ids").value == "uuid"


def test_a_reader_of_the_history_sees_a_vote(team, given):
    given(team).proposed("api/ids", "int", by="art")
    reader = team.transaction("art")
    assert reader.versions("api/ids")[0].votes == ()
    reader.ask("api/page", "how many?")
    vote(team, 1, by="rev-1")
    with pytest.raises(Conflict) as refused:
        reader.commit()
    assert [(one.key, one.author) for one in refused.value.premises] == [("api/ids", "rev-1")]


def test_a_question_closes_when_its_key_is_accepted(team, given):
    given(team).asked("api/ids", by="art")
    given(team).proposed("api/ids", "int", by="art")
    assert [one.key for one in team.snapshot().questions()] == ["api/ids"]
    for reviewer in ("rev-1", "rev-2"):
        vote(team, 1, by=reviewer)
    assert team.snapshot().questions() == ()


@pytest.fixture
def amended(team, given):
    """A board on which `api/ids` stands, an amendment of it is up for a vote, and somebody asks about it."""
    given(team).decided("api/ids", "int", by="boss", role="operator")
    given(team).proposed("api/ids", "uuid", by="art")
    given(team).asked("api/ids", by="art")
    return team


def test_who_proposes_what_stands_answers_a_question_and_ends_nothing_that_is_up_for_a_vote(amended, given):
    vote(amended, 2, by="rev-1")
    given(amended).proposed("api/ids", "int", by="art")
    assert [change.kind for change in amended.changes(after=amended.revision - 1)] == ["accepted"]
    assert amended.snapshot().questions() == ()
    assert states(amended) == [(1, "accepted"), (2, "proposed")]
    amended.verify()
    assert vote(amended, 2, by="rev-2").accepted == (("api/ids", 2),)
    amended.verify()


def test_after_such_an_answer_a_lost_vote_leaves_what_stands(amended, given):
    given(amended).proposed("api/ids", "int", by="art")
    for reviewer in ("rev-1", "rev-2"):
        vote(amended, 2, by=reviewer, approve=False)
    assert states(amended) == [(1, "accepted"), (2, "rejected")]
    given(amended).proposed("api/ids", "text", by="art")
    assert states(amended)[-1] == (3, "proposed")
    amended.verify()


def test_who_decides_by_right_that_it_stands_ends_the_vote(amended, given):
    given(amended).decided("api/ids", "int", by="boss", role="operator")
    assert amended.snapshot().questions() == ()
    assert states(amended) == [(1, "accepted"), (2, "rejected")]
    assert amended.snapshot().versions("api/ids")[-1].reason == "the standing version was upheld"


def test_a_preview_of_the_deciding_vote_says_who_becomes_stale(team, given):
    to = given(team)
    to.proposed("api/ids", "int", by="art")
    for reviewer in ("rev-1", "rev-2"):
        vote(team, 1, by=reviewer)
    to.written("server", uses=["api/ids"], by="art")
    to.proposed("api/ids", "text", by="art")
    vote(team, 2, by="rev-1")
    transaction = team.transaction("rev-2")
    transaction.vote("api/ids", version=2, approve=True)
    assert transaction.preview().stale == ("server",)
    transaction.commit()
    assert team.snapshot().component("server").state == "stale"


# --- joint proposals -------------------------------------------------------------------------------------------------


def jointly(board, values, *, by="art"):
    transaction = board.transaction(by)
    for key in values:
        transaction.decision(key)
    transaction.propose_jointly({key: Contract.value(value) for key, value in values.items()})
    return transaction.commit()


PAIR = {"api/ids": "int", "api/page": 20}


def test_a_joint_proposal_is_accepted_by_the_vote_that_completes_it(team):
    jointly(team, PAIR)
    for key, reviewer in (("api/ids", "rev-1"), ("api/ids", "rev-2"), ("api/page", "rev-1")):
        assert vote(team, 1, by=reviewer, key=key).accepted == ()
    assert vote(team, 1, by="rev-3", key="api/page").accepted == (("api/ids", 1), ("api/page", 1))


def test_a_joint_proposal_is_lost_as_a_whole(team):
    jointly(team, PAIR)
    for reviewer in ("rev-1", "rev-2"):
        vote(team, 1, by=reviewer, key="api/ids")
    for reviewer in ("rev-1", "rev-2"):
        vote(team, 1, by=reviewer, key="api/page", approve=False)
    assert states(team, "api/ids") == [(1, "rejected")]
    assert states(team, "api/page") == [(1, "rejected")]


def test_a_joint_proposal_without_a_rule_is_accepted_at_once(board):
    assert jointly(board, PAIR, by="ann").accepted == (("api/ids", 1), ("api/page", 1))


def test_a_joint_proposal_is_accepted_whole_or_not_at_all_where_one_part_is_at_its_bound(board, given):
    for number in range(16):
        given(board).decided("api/ids", number)
    jointly(board, {"api/ids": "one too many", "api/page": 20}, by="ann")
    assert board.snapshot().decision("api/ids").value == 15
    assert board.snapshot().decision("api/page") is None


def end_by_withdrawal(board, given):
    with board.transaction("art") as transaction:
        transaction.withdraw("api/ids", version=1)


def end_by_ruling(board, given):
    given(board).decided("api/ids", "uuid", by="boss", role="operator")


def end_by_another_winner(board, given):
    version = given(board).proposed("api/ids", "uuid", by="art")
    for reviewer in ("rev-1", "rev-2"):
        vote(board, version, by=reviewer)


@pytest.mark.parametrize("end", [end_by_withdrawal, end_by_ruling, end_by_another_winner])
def test_when_one_part_of_a_joint_proposal_ends_the_others_do(team, given, end):
    jointly(team, PAIR)
    end(team, given)
    assert states(team, "api/page")[0][1] in ("rejected", "withdrawn")
    with pytest.raises(IllegalTransition):
        vote(team, 1, by="rev-1", key="api/page")
    assert team.snapshot().decision("api/page") is None


def test_two_joint_proposals_in_one_commit_are_refused_for_they_would_become_one(team):
    revision = team.revision
    transaction = team.transaction("art")
    transaction.propose_jointly({"api/a": Contract.value(1), "api/b": Contract.value(1)})
    transaction.propose_jointly({"api/c": Contract.value(1), "api/d": Contract.value(1)})
    with pytest.raises(IllegalTransition):
        transaction.commit()
    assert team.revision == revision


def test_a_joint_proposal_made_again_is_agreement(team):
    jointly(team, PAIR)
    revision = team.revision
    jointly(team, PAIR)
    assert team.revision == revision


def test_a_part_that_stands_already_does_not_hold_a_joint_proposal_back(team, given):
    given(team).proposed("api/ids", "int", by="art")
    for reviewer in ("rev-1", "rev-2"):
        vote(team, 1, by=reviewer)
    jointly(team, PAIR)
    for reviewer in ("rev-1", "rev-2"):
        vote(team, 1, by=reviewer, key="api/page")
    assert team.snapshot().decision("api/page").value == 20


def test_a_part_that_is_still_up_for_a_vote_is_part_of_the_whole(team, given):
    given(team).proposed("api/ids", "int", by="art")
    jointly(team, PAIR)
    for reviewer in ("rev-1", "rev-2"):
        vote(team, 1, by=reviewer, key="api/page")
    assert team.snapshot().decision("api/page") is None


def test_a_joint_proposal_of_one_key_is_a_proposal(team):
    jointly(team, {"api/ids": "int"})
    for reviewer in ("rev-1", "rev-2"):
        vote(team, 1, by=reviewer)
    assert states(team) == [(1, "accepted")]


def test_a_joint_proposal_of_nothing_is_nothing(team):
    revision = team.revision
    jointly(team, {})
    assert team.revision == revision
