"""The ready choreographies serve a team that they know nothing about."""

import pytest
from choreography_play import Play

import blackboard.choreography as front
from blackboard.choreography import Choreography, architect_and_coders, reviewed
from blackboard.choreography.moves import agreement, lease_cap
from blackboard.errors import NotPermitted

BOTH = [architect_and_coders(), reviewed(3)]
both = pytest.mark.parametrize("team", BOTH, ids=lambda team: team.name)
any_key = pytest.mark.parametrize("key", ["ids", "api/ids", "a/b/c/d", "task/server/more", "tasks/x"])


def settled(play, key):
    play.propose(key, "architect")
    if play.live(key):
        play.settle(key)


@both
@any_key
def test_a_decision_of_any_depth_is_asked_and_settled(team, key):
    play = Play(team)
    play.ask(key, "planner")
    assert play.deadlines == {(key, "0.0"): (1, 300)}
    settled(play, key)
    assert play.state(key) == "accepted"
    assert not play.deadlines


@both
def test_a_task_is_the_planners_alone(team):
    play = Play(team)
    assert play.may("decide", "task/server", "architect") is None
    assert play.may("propose", "task/server", "architect") is None
    assert play.decide("task/server", "planner") == "1.0.0"
    assert agreement(team, "task/server") is None


@any_key
def test_the_architect_decides_alone_or_proposes_to_reviewers(key):
    alone, voted = Play(BOTH[0]), Play(BOTH[1])
    assert alone.may("decide", key, "architect") == "0.0.0"
    assert alone.may("propose", key, "architect") == "0.0.0"
    assert agreement(BOTH[0], key) is None
    assert voted.may("decide", key, "architect") is None
    assert voted.propose(key, "architect") == "0.0.0"
    assert voted.may("vote", key, "reviewer") == "0.0"
    rule = agreement(BOTH[1], key)
    assert (rule.of, rule.rounds, rule.quorum_of(3), rule.quorum_of(4)) == ("reviewer", 3, 2, 3)


@both
@pytest.mark.parametrize("role", ["planner", "architect", "coder"])
def test_whoever_plans_or_builds_may_ask(team, role):
    assert Play(team).may("ask", "api/ids", role)
    assert Play(team).may("ask", "task/server", role)


@both
@pytest.mark.parametrize("role", ["reviewer", "tester", "mediator", None])
def test_nobody_else_may_ask_or_settle(team, role):
    for verb in ("ask", "propose", "decide", "retract", "withdraw", "write"):
        assert Play(team).may(verb, "api/ids", role) is None


@both
def test_a_component_is_written_once_its_task_is_decided(team):
    play = Play(team)
    with pytest.raises(NotPermitted) as refused:
        play.guard("write", "server", "coder")
    assert refused.value.waits_for == ("task/server to be accepted",)
    play.decide("task/server", "planner")
    assert play.write("server") == "1.1.0"
    assert lease_cap(team, "coder", "server") == 600


@both
def test_to_write_looks_at_no_pattern(team):
    class Narrow(Play):
        def room(self, template, at_most):
            raise AssertionError(template)

        def any_accepted(self, pattern):
            raise AssertionError(pattern)

    play = Narrow(team)
    play.accepted.add("task/server")
    play.states["task/server"] = "accepted"
    assert play.write("server") == "1.1.0"


@both
def test_a_team_without_checks_is_done_when_the_component_is_current(team):
    play = Play(team)
    play.decide("task/server", "planner")
    play.write("server")
    assert play.positions["server", "1.1"]["state"] == "done"
    assert play.may("write", "server", "coder") == "1.1.0"
    play.turn_stale("server")
    assert play.may("write", "server", "coder") == "1.1.0"


@both
def test_any_check_of_the_team_sends_a_component_back_until_it_is_given_up(team):
    play = Play(team)
    play.decide("task/server", "planner")
    for name in ("unit", "lint", "unit", "end-to-end"):
        play.write("server")
        play.judge("server", name, passed=False)
    assert play.stopped["server"].startswith("unbuildable: end-to-end failed on server after 4 versions")
    assert play.may("write", "server", "coder") is None


@both
def test_what_is_late_is_the_operators(team):
    play = Play(team)
    play.ask("task/server", "planner")
    play.tick("task/server")
    play.ask("api/ids", "planner")
    while play.deadlines:
        play.tick("api/ids")
    for key in ("task/server", "api/ids"):
        assert play.state(key) == "contested"
        for role in ("planner", "architect", "coder", "reviewer"):
            assert play.may("decide", key, role) is None
            assert play.may("propose", key, role) is None
        play.decide(key, "operator")


def test_with_a_mediator_what_is_contested_is_the_mediators_first():
    play = Play(reviewed(3, rounds=1, mediator_seconds=60))
    play.propose("api/ids")
    play.lose("api/ids")
    assert play.decide("api/ids", "mediator") == "0.0.1.0"


def test_the_bounds_are_those_that_were_given():
    play = Play(architect_and_coders(decisions=2, tasks=1))
    play.decide("task/server", "planner")
    play.decide("ids", "architect")
    assert play.may("decide", "task/client", "planner") is None
    assert play.may("decide", "names", "architect") is None


def test_the_names_of_the_room_are_those_that_are_told():
    assert front.__all__ == sorted(front.__all__)
    assert all(hasattr(front, name) for name in front.__all__)
    told = {"Choreography", "Role", "each", "within", "loop", "agree", "may", "passed", "stop", "quorum", "majority"}
    assert set(front.__all__) == told | {"architect_and_coders", "reviewed", "current"}


@both
def test_they_come_back_from_json(team):
    assert Choreography.from_json(team.to_json()) == team
