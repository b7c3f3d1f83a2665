"""What is permitted now, to whom, by which step, and what a refusal tells."""

import pytest
from choreography_play import ARCHITECT, CODER, OPERATOR, PLANNER, REVIEWER, TESTER, Play, recipes

from blackboard.choreography import Choreography, Role, agree, loop, may, passed, quorum, stop, within
from blackboard.choreography.moves import Act, agreement, guard, lease_cap
from blackboard.choreography.steps import ACTS
from blackboard.errors import NotPermitted


def refusal(play, verb, key, role, check=""):
    with pytest.raises(NotPermitted) as refused:
        play.guard(verb, key, role, check)
    return refused.value


class Unasked:
    """A board that must not be looked at."""

    def __getattr__(self, question):
        raise AssertionError(question)


@pytest.mark.parametrize("verb", ACTS)
def test_without_a_choreography_everything_is_allowed_unseen(verb):
    assert guard(None, Unasked(), Act(verb, "any/key"), role=None, author="ann") == ""


@pytest.mark.parametrize("verb", ["ask", "propose", "decide", "retract", "withdraw", "write"])
def test_the_operator_may_always_and_the_board_is_not_looked_at(verb):
    assert guard(recipes(), Unasked(), Act(verb, "any/key"), role="operator", author="ann") == "operator"


@pytest.mark.parametrize("verb", ["vote", "check"])
def test_the_operator_neither_votes_nor_judges_without_a_step(play, verb):
    assert play.may(verb, "api/ids", "operator", "unit") is None


@pytest.mark.parametrize("verb", ACTS)
@pytest.mark.parametrize("role", ["architect", "planner", "reviewer", "coder", "tester", "nobody", None])
def test_a_key_that_no_step_names_is_the_operators(play, verb, role):
    assert play.may(verb, "elsewhere/x/y", role, "unit") is None


@pytest.mark.parametrize("key", ["choreography/team", "role/coder", "member/ann", "source/ann"])
def test_a_reserved_key_is_nobodys(key):
    play = Play(Choreography("x", may(PLANNER, "decide", "**"), may(PLANNER, "ask", "**")))
    assert play.may("decide", "roles/coder", "planner") == "may:0"
    assert play.may("decide", key, "planner") is None
    assert play.may("ask", key, "planner") is None


# agree


def test_only_the_proposing_role_proposes(play):
    assert play.may("propose", "api/ids", "architect") == "0.0.0"
    for role in ("planner", "reviewer", "coder", "tester", None):
        assert play.may("propose", "api/ids", role) is None


def test_the_voting_role_votes_while_a_proposal_is_live(play):
    assert play.may("vote", "api/ids", "reviewer") is None
    play.propose("api/ids")
    assert play.may("vote", "api/ids", "reviewer") == "0.0"
    assert play.may("vote", "api/ids", "architect") is None
    play.lose("api/ids")
    assert play.may("vote", "api/ids", "reviewer") is None


def test_the_proposer_takes_back_what_is_live(play):
    assert play.may("withdraw", "api/ids", "architect") is None
    play.propose("api/ids")
    assert play.may("withdraw", "api/ids", "architect") == "0.0.0"
    assert play.may("withdraw", "api/ids", "reviewer") is None


def test_nobody_decides_what_is_voted(play):
    play.propose("api/ids")
    for role in ("architect", "planner", "reviewer"):
        assert play.may("decide", "api/ids", role) is None


def test_every_round_permits_a_proposal_and_after_the_last_none(play):
    for _ in range(3):
        play.propose("api/ids")
        play.lose("api/ids")
    assert play.state("api/ids") == "contested"
    told = refusal(play, "propose", "api/ids", "architect")
    assert told.waits_for == ("the operator to decide api/ids",)


def test_an_accepted_key_takes_as_many_amendments_as_its_step_says(play):
    play.propose("api/ids")
    play.settle("api/ids")
    play.propose("api/ids")
    assert play.may("propose", "api/ids", "architect") == "0.0.0"
    play.settle("api/ids")
    assert play.may("propose", "api/ids", "architect") is None
    assert "operator" in refusal(play, "propose", "api/ids", "architect").waits_for[0]


def test_a_lost_amendment_is_used_up_too(play):
    play.propose("api/ids")
    play.settle("api/ids")
    play.propose("api/ids")
    play.lose("api/ids")
    assert play.has_accepted("api/ids")
    assert play.may("propose", "api/ids", "architect") is None


def test_a_question_of_the_operator_opens_one_more_amendment(play):
    play.propose("api/ids")
    play.settle("api/ids")
    play.propose("api/ids")
    play.lose("api/ids")
    play.ask("api/ids", "operator")
    assert play.propose("api/ids") == "0.0.0"


def test_a_right_to_ask_asks_about_an_accepted_key_only_while_it_may_be_amended(play):
    assert play.ask("api/ids", "planner") == "may:2"
    play.propose("api/ids")
    play.settle("api/ids")
    assert play.ask("api/ids", "planner") == "may:2"
    play.lose("api/ids")
    assert play.may("ask", "api/ids", "planner") is None


def test_a_retracted_key_begins_anew(play):
    play.propose("api/ids")
    play.settle("api/ids")
    play.retract("api/ids")
    assert play.propose("api/ids") == "0.0.0"
    assert play.positions["api/ids", "0.0"] == {"round": 1, "amendments": 0, "state": "open"}


@pytest.mark.parametrize("members", [1, 2, 3, 4, 5, 9])
def test_the_rule_of_a_key_says_how_many_votes_of_whom(members):
    rule = agreement(recipes(), "api/ids")
    assert (rule.path, rule.bindings, rule.of, rule.proposer) == ("0.0", {"name": "ids"}, "reviewer", "architect")
    assert (rule.rounds, rule.amendments, rule.within_seconds) == (3, 1, 300)
    assert rule.otherwise == OPERATOR.decides("api/{name}")
    assert rule.quorum_of(members) == 2


@pytest.mark.parametrize("key", ["task/server", "server", "api", "api/ids/more", "other/x"])
def test_other_keys_have_no_vote(key):
    assert agreement(recipes(), key) is None
    assert agreement(None, "api/ids") is None


# decide


def test_a_decider_may_amend_what_it_decided(play):
    assert play.decide("task/server", "planner") == "1.0.0"
    assert play.may("decide", "task/server", "planner") == "1.0.0"
    assert play.may("decide", "task/server", "coder") is None


def test_a_question_of_the_operator_lets_the_decider_decide_again(play):
    play.decide("task/server", "planner")
    play.ask("task/server", "operator")
    assert play.decide("task/server", "planner") == "1.0.0"


def test_a_proposal_that_needs_no_vote_is_a_decision(play):
    assert play.propose("task/server", "planner") == "1.0.0"
    assert play.has_accepted("task/server")
    assert play.may("propose", "task/server", "planner") == "1.0.0"
    assert play.may("propose", "task/other", "architect") is None


def test_a_late_decider_decides_no_more():
    team = Choreography(
        "team",
        within(
            60,
            ARCHITECT.decides("ids"),
            otherwise=within(30, PLANNER.decides("ids"), otherwise=OPERATOR.decides("ids")),
        ),
    )
    play = Play(team)
    play.ask("ids")
    assert play.may("decide", "ids", "architect") == "0.0"
    assert play.may("decide", "ids", "planner") is None
    play.tick("ids")
    assert play.may("decide", "ids", "architect") is None
    assert play.may("decide", "ids", "planner") == "0.1.0"
    play.tick("ids")
    assert play.may("decide", "ids", "planner") is None
    assert refusal(play, "decide", "ids", "planner").waits_for == ("the operator to decide ids",)


def test_what_the_rounds_left_contested_goes_to_the_mediator_then_to_the_operator():
    mediator = Role("mediator")
    last = within(30, mediator.decides("ids"), otherwise=OPERATOR.decides("ids"))
    vote = agree(ARCHITECT.proposes("ids"), by=quorum(2, of=REVIEWER), within_seconds=60, otherwise=last)
    play = Play(Choreography("team", vote))
    assert play.may("decide", "ids", "mediator") is None
    play.propose("ids")
    play.lose("ids")
    assert play.may("decide", "ids", "mediator") == "0.1.0"
    assert play.deadlines == {("ids", "0.1"): (1, 30)}
    play.tick("ids")
    assert play.may("decide", "ids", "mediator") is None


def test_a_key_contested_for_another_reason_goes_the_same_way(play):
    play.decide("task/server", "planner")
    play.states["task/server"] = "contested"
    assert play.may("decide", "task/server", "planner") is None
    assert play.may("decide", "task/server", "operator") == "operator"


# write and check


def test_a_writer_waits_for_what_it_reads(play):
    assert refusal(play, "write", "server", "coder").waits_for == (
        "task/server to be accepted",
        "a decision under api/*",
    )
    play.decide("task/server", "planner")
    assert refusal(play, "write", "server", "coder").waits_for == ("a decision under api/*",)
    play.propose("api/ids")
    assert refusal(play, "write", "server", "coder").waits_for == ("a decision under api/*",)
    play.settle("api/ids")
    assert play.may("write", "server", "coder") == "1.1.0"


def test_a_pattern_that_is_not_required_is_not_waited_for():
    play = Play(Choreography("team", *recipes().steps))
    play.decide("task/server", "planner")
    assert play.may("write", "server", "coder") == "1.1.0"


def test_a_premise_that_is_retracted_stops_the_writer(building):
    building.retract("task/server")
    assert building.may("write", "server", "coder") is None


def test_a_premise_that_is_being_amended_does_not_stop_the_writer(building):
    building.propose("api/ids")
    assert building.may("write", "server", "coder") == "1.1.0"


def test_only_the_writing_role_writes(building):
    for role in ("architect", "planner", "reviewer", "tester", None):
        assert building.may("write", "server", role) is None
    assert refusal(building, "write", "server", "tester").waits_for == ("the coder to write server",)


def test_what_passed_is_not_written_again_until_a_premise_changes(building):
    building.write("server")
    building.judge("server", "unit", passed=True)
    assert building.may("write", "server", "coder") is None
    building.turn_stale("server")
    assert building.may("write", "server", "coder") == "1.1.0"


def test_after_at_most_failures_on_the_same_premises_nobody_writes(building):
    for _ in range(4):
        building.write("server")
        building.judge("server", "unit", passed=False)
    assert building.stopped["server"].startswith("unbuildable: ")
    assert building.may("write", "server", "coder") is None
    building.turn_stale("server")
    assert building.write("server", same=False) == "1.1.0"
    assert building.may("write", "server", "coder") == "1.1.0"


def test_a_verdict_waits_for_a_version_and_comes_from_the_checking_role(building):
    assert refusal(building, "check", "server", "tester", "unit").waits_for == ("server to be written",)
    building.write("server")
    assert building.may("check", "server", "tester", "unit") == "1.1.1"
    assert building.may("check", "server", "tester", "lint") is None
    assert building.may("check", "server", "coder", "unit") is None


def test_a_verdict_that_comes_after_its_premise_changed_is_recorded(building):
    building.write("server")
    building.turn_stale("server")
    assert building.judge("server", "unit", passed=True) == "1.1.1"
    assert building.told == ()


def test_a_passed_check_may_be_repeated(building):
    building.write("server")
    building.judge("server", "unit", passed=True)
    assert building.judge("server", "unit", passed=False) == "1.1.1"
    assert building.may("write", "server", "coder") == "1.1.0"


def test_checks_in_a_loop_run_in_order():
    steps = (
        within(9, PLANNER.decides("task/app"), otherwise=stop("late")),
        loop(
            CODER.writes("app", reads=["task/app"], lease_seconds=9),
            TESTER.checks("app", "lint"),
            TESTER.checks("app", "unit"),
            until=passed("unit", of="app"),
            at_most=2,
            otherwise=stop("unbuildable"),
        ),
    )
    play = Play(Choreography("team", *steps))
    play.decide("task/app", "planner")
    play.write("app")
    assert refusal(play, "check", "app", "tester", "unit").waits_for == ("lint to pass on app",)
    play.judge("app", "lint", passed=True)
    assert play.may("check", "app", "tester", "unit") == "1.2"


def test_the_lease_of_a_writer_is_capped_by_its_step():
    assert lease_cap(recipes(), "coder", "server") == 600
    assert lease_cap(recipes(), "planner", "server") is None
    assert lease_cap(recipes(), "coder", "api/ids") is None
    assert lease_cap(None, "coder", "server") is None
