"""In which order steps are taken and how often, which of several governs a key, and what a refusal quotes."""

import pytest
from choreography_play import ARCHITECT, CODER, PLANNER, REVIEWER, TESTER, Dictionaries, Play, recipes

from blackboard.choreography import Choreography, Role, agree, each, may, quorum, stop, within
from blackboard.choreography.moves import Act, agreement, guard, lease_cap
from blackboard.errors import NotPermitted


def refusal(play, verb, key, role, check=""):
    with pytest.raises(NotPermitted) as refused:
        play.guard(verb, key, role, check)
    return refused.value


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
