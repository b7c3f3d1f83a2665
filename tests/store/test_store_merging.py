"""Where a choreography says `facet`: two texts with one base become one version, or meet by name."""

import pytest
from compactions import folded
from examinations import examine

from blackboard import Blackboard, Conflict, Contract, IllegalTransition, Team, external, on
from blackboard.choreography import Choreography, Role, agree, each, may, quorum
from blackboard.store.surroundings import Level
from blackboard.testing import FakeClock

OPERATOR = Role("operator", reliable=True)
ART = Role("architect", reliable=True)
REVIEWER = Role("reviewer", members=2, reliable=True)


def merging_team(*, merge=("api/*", "free/*"), within_seconds=None, amendments=3) -> Team:
    """Return a team in which both reviewers settle `api/…`, and two architects decide `free/…` alone."""
    step = agree(
        ART.proposes("api/{name}"),
        by=quorum(2, of=REVIEWER),
        rounds=2,
        within_seconds=within_seconds,
        amendments=amendments,
        otherwise=OPERATOR.decides("api/{name}"),
    )
    protocol = Choreography(
        "merging",
        each("api/{name}", step, at_most=9),
        may(ART, "decide", "free/*"),
        may(ART, "propose", "free/*"),
        may(ART, "write", "*"),
        may(ART, "ask", "free/*"),
        may(ART, "retract", "free/*"),
        merge=dict.fromkeys(merge, "facet"),
    )
    members = [
        *(external(name, role="architect", on=on.asked("**")) for name in ("art", "bea")),
        *(external(f"rev-{number}", role="reviewer", on=on.proposed("api/*")) for number in (1, 2)),
    ]
    return Team("merge what touches different facets", members, choreography=protocol)


BASE = {"ids": "int", "page": 20, "sort": "title"}


def with_base(board, given, team=None, key="api/notes"):
    board.install(team or merging_team())
    given(board).decided(key, BASE, by="boss", role="operator")
    return board


@pytest.fixture
def team(board, given):
    return with_base(board, given)


def propose(board, value, *, by="art", key="api/notes"):
    """Return a transaction that read the key as it is and proposes a value, not yet committed."""
    transaction = board.transaction(by)
    transaction.decision(key)
    transaction.propose(key, Contract.value(value))
    return transaction


def accept(board, given, version, key="api/notes"):
    given(board).voted(key, version, by="rev-1")
    return given(board).voted(key, version, by="rev-2")


def versions(board, key="api/notes"):
    return [(one.version, one.state, one.bases) for one in board.snapshot().versions(key)]


def holds(board):
    """Check the chain, and the rows against the replay of the feed."""
    board.verify()
    found = examine(board.store.location, full=True, known_head=board.cursor)
    assert found.level(Level.FAULT, Level.UNSEEN) == ()


def test_two_proposals_that_touch_different_facets_become_one_version_with_both_as_bases(team, given):
    propose(team, {**BASE, "ids": "uuid"}).commit()
    propose(team, {**BASE, "page": 50}, by="bea").commit()
    accept(team, given, 2)
    assert versions(team) == [(1, "superseded", ()), (2, "accepted", (1,)), (3, "proposed", (1,))]
    done = accept(team, given, 3)
    assert done.accepted == (("api/notes", 4),)
    decision = team.snapshot().decision("api/notes")
    assert decision.value == {**BASE, "ids": "uuid", "page": 50}
    assert decision.author == "bea"
    assert versions(team)[1:] == [(2, "superseded", (1,)), (3, "merged", (1,)), (4, "accepted", (2, 3))]
    assert [one.kind for one in team.changes(after=done.revision - 1)] == ["voted", "proposed", "merged", "accepted"]


def test_the_order_in_which_they_are_accepted_does_not_matter(team, given):
    propose(team, {**BASE, "ids": "uuid"}).commit()
    propose(team, {**BASE, "page": 50}, by="bea").commit()
    accept(team, given, 3)
    assert versions(team)[1:] == [(2, "proposed", (1,)), (3, "accepted", (1,))]
    accept(team, given, 2)
    assert team.snapshot().decision("api/notes").value == {**BASE, "ids": "uuid", "page": 50}


def test_three_become_one_two_by_two(team, given):
    for value in ({"ids": "uuid"}, {"page": 50}, {"sort": "date"}):
        propose(team, {**BASE, **value}).commit()
    for version in (2, 3, 4):
        accept(team, given, version)
    assert team.snapshot().decision("api/notes").value == {"ids": "uuid", "page": 50, "sort": "date"}
    assert versions(team)[-2:] == [(5, "superseded", (2, 3)), (6, "accepted", (5, 4))]


def test_where_they_meet_the_one_that_is_accepted_ends_the_other_and_names_the_facet(team, given):
    propose(team, {**BASE, "ids": "uuid"}).commit()
    propose(team, {**BASE, "ids": "text", "page": 50}, by="bea").commit()
    accept(team, given, 2)
    lost = team.snapshot().versions("api/notes")[-1]
    assert (lost.state, lost.reason) == ("rejected", "version 2 was accepted: both change ids")
    assert [(one.key, one.facet, one.old, one.new) for one in lost.lost] == [("api/notes", "ids", '"int"', '"uuid"')]
    assert all(one.lost == () for one in team.snapshot().versions("api/notes")[:-1])
    with pytest.raises(IllegalTransition):
        given(team).voted("api/notes", 3, by="rev-1")


def test_where_nothing_says_so_another_acceptance_ends_it_as_ever(board, given):
    with_base(board, given, merging_team(merge=()))
    propose(board, {**BASE, "ids": "uuid"}).commit()
    propose(board, {**BASE, "page": 50}, by="bea").commit()
    accept(board, given, 2)
    assert versions(board)[-1] == (3, "rejected", (1,))


def test_a_ruling_ends_what_touches_other_facets_too(team, given):
    propose(team, {**BASE, "page": 50}, by="bea").commit()
    given(team).decided("api/notes", {**BASE, "ids": "uuid"}, by="boss", role="operator")
    assert versions(team)[1:] == [(2, "rejected", (1,)), (3, "accepted", (1,))]
    (lost,) = team.snapshot().versions("api/notes")[1].lost
    assert (lost.facet, lost.old, lost.new) == ("ids", '"int"', '"uuid"')


def test_what_was_proposed_by_who_read_the_base_goes_to_the_vote_beside_what_stands_now(team, given):
    late = propose(team, {**BASE, "page": 50}, by="bea")
    propose(team, {**BASE, "ids": "uuid"}).commit()
    accept(team, given, 2)
    assert late.preview().refused_by is None
    late.commit()
    assert versions(team)[-1] == (3, "proposed", (1,))
    accept(team, given, 3)
    assert team.snapshot().decision("api/notes").value == {**BASE, "ids": "uuid", "page": 50}


def amend(board, by, changes):
    """Return a transaction that decides a text for each of some keys, not yet committed."""
    transaction = board.transaction(by)
    for key, change in changes.items():
        transaction.decision(key)
        transaction.decide(key, Contract.value({**BASE, **change}))
    return transaction


def test_a_commit_of_several_decisions_is_merged_key_by_key(file_board, given):
    board = file_board
    with_base(board, given, key="free/notes")
    given(board).decided("free/users", BASE, by="boss", role="operator")
    late = amend(board, "bea", {"free/notes": {"page": 50}, "free/users": {"sort": "name"}})
    amend(board, "art", {"free/notes": {"ids": "uuid"}, "free/users": {"ids": "uuid"}}).commit()
    late.commit()
    assert board.snapshot().decision("free/notes").value == {**BASE, "ids": "uuid", "page": 50}
    assert board.snapshot().decision("free/users").value == {**BASE, "ids": "uuid", "sort": "name"}
    holds(board)


def test_a_commit_that_also_asks_and_retracts_is_merged(file_board, given):
    board = file_board
    with_base(board, given, key="free/notes")
    given(board).decided("free/other", 1, by="boss", role="operator")
    late = amend(board, "art", {"free/notes": {"page": 50}})
    late.ask("free/zones", "Which time zone?")
    late.decision("free/other")
    late.retract("free/other", reason="nobody needs it")
    amend(board, "bea", {"free/notes": {"ids": "uuid"}}).commit()
    late.commit()
    assert board.snapshot().decision("free/notes").value == {**BASE, "ids": "uuid", "page": 50}
    assert [one.key for one in board.snapshot().questions()] == ["free/zones"]
    holds(board)


def test_a_commit_of_several_decisions_names_just_the_facets_that_both_changed(board, given):
    with_base(board, given, key="free/notes")
    given(board).decided("free/users", BASE, by="boss", role="operator")
    late = amend(board, "bea", {"free/notes": {"page": 50, "sort": "date"}, "free/users": {"ids": "text"}})
    amend(board, "art", {"free/notes": {"ids": "uuid", "sort": "age"}, "free/users": {"ids": "uuid"}}).commit()
    with pytest.raises(Conflict) as caught:
        late.commit()
    found = {(one.key, one.facet, one.base, one.draft, one.current) for one in caught.value.premises}
    assert found == {
        ("free/notes", "sort", '"title"', '"date"', '"age"'),
        ("free/users", "ids", '"int"', '"text"', '"uuid"'),
    }


@pytest.mark.parametrize("act", ["propose", "decide"])
def test_where_nobody_votes_the_later_commit_makes_the_merged_version(board, given, act):
    with_base(board, given, key="free/notes")
    late = board.transaction("bea")
    late.decision("free/notes")
    getattr(late, act)("free/notes", Contract.value({**BASE, "page": 50}))
    given(board).decided("free/notes", {**BASE, "ids": "uuid"}, by="art")
    done = late.commit()
    assert done.accepted == (("free/notes", 4),)
    assert versions(board, "free/notes")[1:] == [(2, "superseded", (1,)), (3, "merged", (1,)), (4, "accepted", (2, 3))]
    assert board.snapshot().decision("free/notes").value == {**BASE, "ids": "uuid", "page": 50}
    # What was merged was never what stood, so its text may come.
    given(board).decided("free/notes", {**BASE, "page": 50}, by="art")


def test_a_commit_that_meets_what_changed_is_a_conflict_that_names_the_facet_alone(board, given):
    with_base(board, given, key="free/notes")
    late = propose(board, {**BASE, "ids": "text", "page": 50}, by="bea", key="free/notes")
    given(board).decided("free/notes", {**BASE, "ids": "uuid", "sort": "date"}, by="art")
    for refuse in (lambda: late.preview().refused_by, late.commit):
        try:
            error = refuse()
        except Conflict as raised:
            error = raised
        (premise,) = error.premises
        assert (premise.key, premise.facet, premise.author) == ("free/notes", "ids", "art")
        assert (premise.base, premise.draft, premise.current) == ('"int"', '"text"', '"uuid"')
    assert versions(board, "free/notes")[-1][1] == "accepted"


def test_a_proposal_that_meets_what_was_accepted_since_is_a_conflict_too(team, given):
    late = propose(team, {**BASE, "ids": "text"}, by="bea")
    propose(team, {**BASE, "ids": "uuid"}).commit()
    accept(team, given, 2)
    with pytest.raises(Conflict) as refused:
        late.commit()
    assert [(one.key, one.facet) for one in refused.value.premises] == [("api/notes", "ids")]


def test_two_deciding_votes_planned_on_one_base_come_to_the_changes_of_both(team, given, before_the_row):
    propose(team, {**BASE, "ids": "uuid"}).commit()
    propose(team, {**BASE, "page": 50}, by="bea").commit()
    for version in (2, 3):
        given(team).voted("api/notes", version, by="rev-1")
    last = team.transaction("rev-2")
    last.vote("api/notes", version=3, approve=True)
    before_the_row(team, lambda: given(team).voted("api/notes", 2, by="rev-2"))
    assert last.commit().accepted == (("api/notes", 4),)
    assert team.snapshot().decision("api/notes").value == {**BASE, "ids": "uuid", "page": 50}
    assert versions(team)[-1] == (4, "accepted", (2, 3))


def test_two_decisions_planned_on_one_base_come_to_the_changes_of_both(board, given, before_the_row):
    with_base(board, given, key="free/notes")
    late = propose(board, {**BASE, "page": 50}, by="bea", key="free/notes")
    before_the_row(board, lambda: given(board).decided("free/notes", {**BASE, "ids": "uuid"}, by="art"))
    late.commit()
    assert board.snapshot().decision("free/notes").value == {**BASE, "ids": "uuid", "page": 50}


def test_what_was_built_on_other_facets_stays_current(team, given):
    propose(team, {**BASE, "ids": "uuid"}).commit()
    propose(team, {**BASE, "page": 50}, by="bea").commit()
    accept(team, given, 2)
    given(team).written("ids", facets={"api/notes": ["ids"]}, by="art")
    given(team).written("pager", facets={"api/notes": ["page"]}, by="art")
    given(team).voted("api/notes", 3, by="rev-1")
    transaction = team.transaction("rev-2")
    transaction.vote("api/notes", version=3, approve=True)
    assert transaction.preview().stale == ("pager",)
    transaction.commit()
    assert {one.key: one.state for one in team.snapshot().components()} == {"ids": "current", "pager": "stale"}


def test_a_constraint_is_held_against_what_is_merged(team, given):
    few = Contract.constraint('value("api/notes", "page") < 50 or value("api/notes", "ids") == "int"')
    given(team).decided("constraint/few", few, by="boss", role="operator")
    propose(team, {**BASE, "ids": "uuid"}).commit()
    propose(team, {**BASE, "page": 50}, by="bea").commit()
    accept(team, given, 2)
    assert accept(team, given, 3).accepted == ()
    decision = team.snapshot().decision("api/notes")
    assert (decision.state, decision.value) == ("contested", {**BASE, "ids": "uuid"})


def test_what_says_only_what_stands_already_is_agreement(board, given):
    with_base(board, given, key="free/notes")
    late = propose(board, {**BASE, "page": 50}, by="bea", key="free/notes")
    head = given(board).decided("free/notes", {**BASE, "ids": "uuid", "page": 50}, by="art").revision
    assert late.commit().revision == head == board.revision


def test_who_writes_a_component_too_relies_on_what_it_read(board, given):
    with_base(board, given, key="free/notes")
    late = propose(board, {**BASE, "page": 50}, by="bea", key="free/notes")
    late.write("notes", {"notes.txt": "rests on it"})
    given(board).decided("free/notes", {**BASE, "ids": "uuid"}, by="art")
    with pytest.raises(Conflict):
        late.commit()


def test_a_facet_that_was_read_by_name_is_relied_on(board, given):
    with_base(board, given, key="free/notes")
    late = board.transaction("bea")
    late.decision("free/notes", facets=["ids"])
    late.decision("free/notes")
    late.decide("free/notes", Contract.value({**BASE, "page": 50}))
    given(board).decided("free/notes", {**BASE, "ids": "uuid"}, by="art")
    with pytest.raises(Conflict) as refused:
        late.commit()
    assert {one.facet for one in refused.value.premises} == {"ids"}


def test_what_would_be_a_text_that_was_given_up_does_not_come_back_by_merging(board, given):
    with_base(board, given, key="free/notes")
    given(board).decided("free/notes", {"ids": 1, "page": 1}, by="art")
    given(board).decided("free/notes", {"ids": 0, "page": 2}, by="art")
    late = propose(board, {"ids": 0, "page": 1}, by="bea", key="free/notes")
    given(board).decided("free/notes", {"ids": 1, "page": 2}, by="art")
    with pytest.raises(Conflict):
        late.commit()


@pytest.mark.parametrize("apart", ["api/notes", "api/other", "both"])
@pytest.mark.parametrize("last", ["api/notes", "api/other"])
def test_parts_of_joint_proposals_are_merged_too(file_board, given, apart, last):
    board, keys = with_base(file_board, given), ("api/notes", "api/other")
    given(board).decided("api/other", BASE, by="boss", role="operator")
    with board.transaction("art") as transaction:
        for key in keys:
            transaction.decision(key)
        transaction.propose_jointly({key: Contract.value({**BASE, "page": 50}) for key in keys})
    changed = keys if apart == "both" else (apart,)
    for key in changed:
        propose(board, {**BASE, "ids": "uuid"}, by="bea", key=key).commit()
        accept(board, given, 3, key=key)
    for key in sorted(keys, key=last.__eq__):
        done = accept(board, given, 2, key=key)
    assert done.accepted == tuple((key, 4 if key in changed else 2) for key in keys)
    told = [(one.kind, one.key) for one in board.changes(after=done.revision - 1)]
    merged, whole = ("proposed", "merged", "accepted"), ("accepted",)
    assert told == [("voted", last), *((kind, key) for key in keys for kind in (merged if key in changed else whole))]
    for key in keys:
        ids = "uuid" if key in changed else "int"
        assert board.snapshot().decision(key).value == {**BASE, "ids": ids, "page": 50}
        assert {one.state for one in board.snapshot().versions(key)} <= {"superseded", "merged", "accepted"}
    holds(board)


def test_what_goes_on_beside_an_accepted_version_has_a_deadline_of_its_own(given):
    clock = FakeClock()
    with Blackboard.in_memory(clock=clock) as board:
        with_base(board, given, merging_team(within_seconds=60))
        propose(board, {**BASE, "ids": "uuid"}).commit()
        propose(board, {**BASE, "page": 50}, by="bea").commit()
        clock.sleep(50)
        accept(board, given, 2)
        clock.sleep(50)
        assert board.tick() == 0
        clock.sleep(11)
        assert board.tick() == 1
        assert versions(board)[-1] == (3, "rejected", (1,))
        assert board.snapshot().decision("api/notes").state == "accepted"
        board.verify()


def merged_history(board, given):
    """Make a board on which a merged version stands, a lost one beside it, and a component built on it."""
    with_base(board, given)
    propose(board, {**BASE, "ids": "uuid"}).commit()
    propose(board, {**BASE, "page": 50}, by="bea").commit()
    propose(board, {**BASE, "ids": "text"}, by="bea").commit()
    accept(board, given, 2)
    given(board).written("server", uses=["api/notes"], by="art")
    accept(board, given, 3)


def test_a_history_with_a_merged_version_holds(file_board, given):
    merged_history(file_board, given)
    assert file_board.snapshot().component("server").state == "stale"
    holds(file_board)


def test_what_each_of_the_two_rests_on_holds(file_board, given):
    board = with_base(file_board, given, key="free/notes")
    begun = {}
    for by, value in (("art", {"ids": "uuid"}), ("bea", {"page": 50})):
        given(board).decided(f"free/{by}", 1, by=by)
        begun[by] = board.transaction(by)
        begun[by].decision(f"free/{by}")
        begun[by].decision("free/notes")
        begun[by].decide("free/notes", Contract.value({**BASE, **value}))
    for one in begun.values():
        one.commit()
    assert versions(board, "free/notes")[-1] == (4, "accepted", (2, 3))
    holds(board)


def test_as_of_then_a_merged_version_is_what_it_was_then(board, given):
    merged_history(board, given)
    before = board.revision - 1
    assert [one.state for one in board.snapshot(at=before).versions("api/notes")][1:] == [
        "accepted",
        "proposed",
        "rejected",
    ]
    assert board.snapshot(at=before).decision("api/notes").value == {**BASE, "ids": "uuid"}


@pytest.mark.parametrize("back", range(9))
def test_a_compacted_board_keeps_what_a_live_proposal_began_with_and_merges_it(file_board, given, back):
    board = file_board
    with_base(board, given)
    propose(board, {**BASE, "ids": "uuid"}).commit()
    propose(board, {**BASE, "page": 50}, by="bea").commit()
    accept(board, given, 2)
    given(board).voted("api/notes", 3, by="rev-1")
    given(board).decided("free/late", 1, by="art")
    given(board).voted("api/notes", 3, by="rev-2")
    given(board).decided("free/later", 1, by="art")
    folded(board, board.revision - back)
    assert board.snapshot().decision("api/notes").value == {**BASE, "ids": "uuid", "page": 50}
    holds(board)
    propose(board, {**BASE, "ids": "uuid", "page": 50, "sort": "date"}).commit()
    accept(board, given, 5)
    holds(board)


def test_a_proposal_whose_base_is_folded_away_is_merged_all_the_same(file_board, given):
    board = file_board
    with_base(board, given)
    propose(board, {**BASE, "ids": "uuid"}).commit()
    propose(board, {**BASE, "page": 50}, by="bea").commit()
    accept(board, given, 2)
    for number in range(3):
        given(board).decided("free/late", number, by="art")
    folded(board, board.revision)
    assert board.snapshot().versions("api/notes")[0].contract is not None
    accept(board, given, 3)
    assert board.snapshot().decision("api/notes").value == {**BASE, "ids": "uuid", "page": 50}
    holds(board)
