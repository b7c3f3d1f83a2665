"""What is permitted now, to whom, by which step, and what a refusal tells."""

import pytest
from choreography_play import ARCHITECT, CODER, OPERATOR, PLANNER, REVIEWER, TESTER, Dictionaries, Play, recipes

from blackboard.choreography import Choreography, Role, agree, each, loop, may, passed, quorum, stop, within
from blackboard.choreography.moves import Act, agreement, guard, lease_cap
from blackboard.choreography.steps import ACTS
from blackboard.errors import NotPermitted


@pytest.fixture
def play():
    return Play(recipes())


@pytest.fixture
def building(play):
    """The recipes team when `server` may be written."""
    play.decide("task/server", "planner")
    play.propose("api/ids")
    play.settle("api/ids")
    return play


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


# order, bounds, rights, templates


def test_steps_of_an_each_are_taken_in_order():
    team = Choreography(
        "team",
        each(
            "task/{name}",
            within(9, PLANNER.decides("task/{name}"), otherwise=stop("late")),
            CODER.writes("{name}", reads=["task/{name}"], lease_seconds=9),
            TESTER.checks("{name}", "unit"),
            within(9, ARCHITECT.decides("release/{name}"), otherwise=stop("late")),
            at_most=3,
        ),
    )
    play = Play(team)
    release = "release/app", "architect"
    assert play.may("decide", *release) is None
    play.decide("task/app", "planner")
    assert refusal(play, "decide", *release).waits_for == ("app to be current", "unit to pass on app")
    play.write("app")
    assert play.may("write", "app", "coder") is None
    assert refusal(play, "decide", *release).waits_for == ("unit to pass on app",)
    play.judge("app", "unit", passed=True)
    assert play.may("decide", *release) == "0.3.0"
    play.turn_stale("app")
    assert play.may("decide", *release) is None


def test_an_each_takes_no_more_keys_than_its_bound():
    bounded = each("api/{name}", within(9, PLANNER.decides("api/{name}"), otherwise=stop("late")), at_most=2)
    play = Play(Choreography("team", bounded, may(CODER, "ask", "**")))
    play.decide("api/a", "planner")
    play.ask("api/b", "coder")
    assert play.may("decide", "api/b", "planner") == "0.0.0"
    for verb, role in (("decide", "planner"), ("propose", "planner"), ("ask", "coder")):
        assert "2 keys under api/* are the most" in refusal(play, verb, "api/c", role).waits_for[0]
    play.ask("api/c", "operator")
    assert play.may("decide", "api/c", "planner") == "0.0.0"
    assert play.may("decide", "api/d", "planner") is None


def test_an_each_of_components_is_bounded_too():
    team = Choreography("team", each("{name}", CODER.writes("{name}", reads=["ids"], lease_seconds=9), at_most=1))
    play = Play(Choreography("team", *team.steps, requires=["ids"]))
    play.accepted.add("ids")
    play.write("server")
    assert "1 keys under * are the most" in refusal(play, "write", "client", "coder").waits_for[0]
    play.turn_stale("server")
    assert play.may("write", "server", "coder") == "0.0"


def test_an_instance_that_does_not_exist_has_no_first_step():
    client = CODER.writes("{name}-client", reads=["api/{name}"], lease_seconds=9)
    play = Play(Choreography("team", each("api/{name}", client, at_most=9), requires=["api/*"]))
    told = refusal(play, "write", "users-client", "coder")
    assert told.waits_for == ("api/users to be asked or decided", "api/users to be accepted")
    play.decide("api/users", "operator")
    assert play.may("write", "users-client", "coder") == "0.0"


@pytest.mark.parametrize(
    ("key", "role"),
    [("ids", "architect"), ("a/b/c", "architect"), ("task/server", "planner"), ("task/server/x", "architect")],
)
def test_the_most_specific_step_governs_a_key(key, role):
    def step(template, who):
        decided = within(9, who.decides(template), otherwise=stop("late"))
        return each(template, decided, at_most=9)

    for order in (1, -1):
        steps = (step("**", ARCHITECT), step("task/{name}", PLANNER))[::order]
        play = Play(Choreography("team", *steps))
        allowed = [who for who in ("architect", "planner") if play.may("decide", key, who)]
        assert allowed == [role]


def test_a_more_specific_right_to_decide_takes_keys_from_a_step():
    vote = agree(ARCHITECT.proposes("**"), by=quorum(2, of=REVIEWER), within_seconds=9)
    play = Play(Choreography("team", each("**", vote, at_most=9), may(CODER, "decide", "notes/*")))
    assert play.may("decide", "notes/a", "coder") == "may:1"
    assert play.may("propose", "notes/a", "architect") is None
    assert agreement(play.choreography, "notes/a") is None
    assert play.may("decide", "plans/a", "coder") is None


def test_a_right_to_propose_widens_who_and_never_when():
    vote = agree(ARCHITECT.proposes("api/{name}"), by=quorum(2, of=REVIEWER), within_seconds=9)
    choreography = Choreography("team", each("api/{name}", vote, at_most=9), may(CODER, "propose", "**"))
    play = Play(choreography)
    assert play.propose("api/ids", "coder") == "may:1"
    assert play.may("withdraw", "api/ids", "coder") == "may:1"
    play.settle("api/ids")
    assert play.may("propose", "api/ids", "coder") is None
    assert play.propose("elsewhere", "coder") == "may:1"


def test_a_right_to_propose_decides_nothing_that_a_step_decides():
    decided = within(9, PLANNER.decides("task/{name}"), otherwise=stop("late"))
    play = Play(Choreography("team", each("task/{name}", decided, at_most=9), may(CODER, "propose", "**")))
    assert play.may("propose", "task/server", "coder") is None


def test_rights_to_write_vote_check_and_retract_stand_beside_the_steps():
    rights = (may(CODER, "write", "*"), may(TESTER, "check", "*"))
    play = Play(Choreography("team", *rights, may(PLANNER, "retract", "api/*"), may(REVIEWER, "vote", "api/*")))
    assert play.write("server", "coder") == "may:0"
    assert play.judge("server", "unit", passed=True) == "may:1"
    assert play.may("retract", "api/ids", "planner") == "may:2"
    assert play.may("vote", "api/ids", "reviewer") == "may:3"


def test_the_most_specific_step_writes_a_component():
    def step(key, role):
        return role.writes(key, reads=["ids"], lease_seconds=9)

    painter = Role("painter")
    team = Choreography(
        "team", each("{name}", step("{name}", CODER), at_most=9), step("page", painter), requires=["ids"]
    )
    play = Play(team)
    play.decide("ids", "operator")
    assert [play.may("write", "page", role) for role in ("coder", "painter")] == [None, "1"]
    assert [play.may("write", "server", role) for role in ("coder", "painter")] == ["0.0", None]


def test_two_roles_may_write_one_component_under_leases():
    fixer = Role("fixer")
    steps = (each("{name}", who.writes("{name}", reads=["ids"], lease_seconds=9), at_most=9) for who in (CODER, fixer))
    play = Play(Choreography("team", *steps, requires=["ids"]))
    play.decide("ids", "operator")
    assert [play.may("write", "page", role) for role in ("coder", "fixer", "tester")] == ["0.0", "1.0", None]
    assert lease_cap(play.choreography, "fixer", "page") == 9


# refusals


def test_a_refusal_quotes_the_step_and_says_what_is_permitted_now(play):
    play.propose("api/ids")
    told = refusal(play, "decide", "api/ids", "architect")
    assert told.attempted == (
        "architect-1 (architect) decides api/ids, where the architect proposes api/ids, reviewers vote, 2 of 4, "
        "within 300 s, 3 rounds, 1 amendment; else the operator decides"
    )
    assert told.permitted_now == ("propose api/ids", "withdraw api/ids")
    assert told.waits_for == ("votes on a proposal of api/ids",)


def test_a_refusal_of_a_key_that_no_step_names_says_so(play):
    told = refusal(play, "write", "web/page", None)
    assert told.attempted == "None-1 (without a role) writes web/page, which no step lets anybody write"
    assert (told.permitted_now, told.waits_for) == ((), ())


def test_the_guard_looks_only_at_keys_of_one_instance(building):
    seen = set()

    class Recorded(Dictionaries):
        def __getattribute__(self, question):
            answer = getattr(building, question)
            return lambda *about: (seen.add(about[-1] if question == "passed" else about[0]), answer(*about))[1]

    guard(recipes(), Recorded(), Act("write", "server"), role="coder", author="coder-1")
    assert seen == {"server", "task/server", "api/*"}
