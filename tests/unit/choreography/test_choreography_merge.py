"""Where a choreography says that texts are merged facet by facet: its form, its sentence, its rule, what follows."""

import pytest
from choreography_play import ARCHITECT, OPERATOR, PLANNER, REVIEWER, Play

from blackboard.choreography import Choreography, agree, each, may, quorum, rules
from blackboard.choreography.moves import Arm, RejectLive, merges
from blackboard.choreography.project import sentences
from blackboard.errors import InvalidKey, InvalidTeam
from blackboard.spec.canonical import canonical_json, parse_json

IDS = "api/ids"


def merging(merge):
    step = agree(
        ARCHITECT.proposes("api/{name}"),
        by=quorum(2, of=REVIEWER),
        within_seconds=300,
        amendments=2,
        otherwise=OPERATOR.decides("api/{name}"),
    )
    return Choreography("merging", each("api/{name}", step, at_most=9), may(PLANNER, "decide", "free/*"), merge=merge)


def test_it_is_kept_in_the_json_form_and_changes_the_digest():
    written = merging({"free/*": "facet", "api/*": "facet"})
    read = Choreography.from_json(parse_json(canonical_json(written.to_json())))
    assert read == written == merging({"api/*": "facet", "free/*": "facet"})
    assert dict(read.merge) == {"api/*": "facet", "free/*": "facet"}
    assert written.digest != merging({"api/*": "facet"}).digest != merging(None).digest


def test_who_merges_nothing_says_nothing_of_it():
    assert "merge" not in merging({}).to_json()
    assert merging({}).digest == merging(None).digest


def test_it_is_about_the_keys_of_its_pattern_alone():
    protocol = merging({"api/*": "facet"})
    assert merges(protocol, IDS)
    assert not merges(protocol, "free/ids")
    assert not merges(None, IDS)


def test_it_is_said():
    assert sentences(merging({"api/*": "facet"}))[-1] == ("two texts of api/* that touch different facets become one")


@pytest.mark.parametrize("merge", [{"api/*": "line"}, {"api/*": None}, ["api/*"]])
def test_there_is_one_way_to_merge(merge):
    with pytest.raises(InvalidTeam):
        merging(merge)


def test_what_is_merged_is_a_pattern():
    with pytest.raises(InvalidKey):
        merging({"api//x": "facet"})


def test_what_is_merged_is_decided_by_somebody():
    rules.check(merging({"api/*": "facet", "free/x": "facet"}))
    with pytest.raises(InvalidTeam) as refused:
        rules.check(merging({"db/*": "facet"}))
    assert refused.value.repair == "merge one of api/{name}, free/*, or drop it"


def test_what_is_still_up_when_another_is_accepted_goes_on_as_an_amendment_with_a_deadline_of_its_own():
    play = Play(merging({"api/*": "facet"}))
    play.propose(IDS)
    play.propose(IDS)
    play.settle(IDS)
    assert play.positions[IDS, "0.0"] == {"round": 1, "amendments": 1, "state": "open"}
    assert play.deadlines == {(IDS, "0.0"): (1, 300)}
    assert Arm(IDS, "0.0", 1, 300) in play.told
    assert not [one for one in play.told if isinstance(one, RejectLive)]
    play.tick(IDS)
    assert play.positions[IDS, "0.0"]["state"] == "settled"
    assert play.states[IDS] == "accepted"
    assert not play.live(IDS)


def test_where_nothing_is_left_the_round_ends():
    play = Play(merging({"api/*": "facet"}))
    play.propose(IDS)
    play.settle(IDS)
    assert play.positions[IDS, "0.0"]["state"] == "settled"
    assert not play.deadlines
