"""What follows from versions and verdicts: loops, and what is opened when what was before is done."""

from choreography_play import ARCHITECT, CODER, OPERATOR, PLANNER, REVIEWER, TESTER, Play

from blackboard.choreography import (
    Choreography,
    agree,
    current,
    each,
    loop,
    passed,
    quorum,
    stop,
    within,
)
from blackboard.choreography.moves import (
    Judged,
    Stop,
)

IDS = "api/ids"


def at(play, key, path):
    return play.positions[key, path]


def test_versions_on_the_same_premises_are_counted(building):
    for count in (1, 2, 3, 4):
        building.write("server")
        assert at(building, "server", "1.1") == {"count": count, "state": "open"}
        building.judge("server", "unit", passed=False)
    assert building.told[-1] == Stop(
        "server", "unbuildable: unit failed on server after 4 versions on the same premises"
    )
    assert at(building, "server", "1.1") == {"count": 4, "state": "stopped", "failed": ["unit"]}


def test_versions_on_what_changed_do_not_count(building):
    for _ in range(3):
        building.write("server")
        building.judge("server", "unit", passed=False)
    building.turn_stale("server")
    building.write("server", same=False)
    assert at(building, "server", "1.1") == {"count": 1, "state": "open"}


def test_a_pass_ends_the_loop_and_a_failure_opens_it_again(building):
    building.write("server")
    building.judge("server", "unit", passed=True)
    assert at(building, "server", "1.1") == {"count": 1, "state": "done"}
    building.judge("server", "unit", passed=True)
    assert building.told == ()
    building.judge("server", "unit", passed=False)
    assert at(building, "server", "1.1") == {"count": 1, "state": "open", "failed": ["unit"]}


def test_a_loop_stops_once_and_a_late_pass_ends_it_well(building):
    for _ in range(4):
        building.write("server")
        building.judge("server", "unit", passed=False)
    building.judge("server", "unit", passed=False)
    assert building.told == ()
    building.judge("server", "unit", passed=True)
    assert at(building, "server", "1.1") == {"count": 4, "state": "done"}


def test_the_operators_version_opens_a_stopped_loop(building):
    for _ in range(4):
        building.write("server")
        building.judge("server", "unit", passed=False)
    building.write("server", "operator")
    assert at(building, "server", "1.1") == {"count": 5, "state": "open"}
    building.judge("server", "unit", passed=True)
    assert at(building, "server", "1.1")["state"] == "done"


def test_a_check_that_is_not_the_loops_does_not_repeat_it(building):
    building.write("server")
    building.happened(Judged("server", "lint", passed=False))
    assert building.told == ()


def test_a_loop_does_not_end_while_its_component_does_not_conform(building):
    building.write("server")
    building.happened(Judged("server", "conformance", passed=False))
    building.judge("server", "unit", passed=True)
    assert at(building, "server", "1.1")["state"] == "open"
    building.happened(Judged("server", "conformance", passed=True))
    assert at(building, "server", "1.1")["state"] == "done"
    building.happened(Judged("server", "conformance", passed=False))
    assert at(building, "server", "1.1")["state"] == "open"
    building.write("server")
    building.judge("server", "unit", passed=True)
    assert at(building, "server", "1.1")["state"] == "done"


def until_current(otherwise):
    return Choreography(
        "team",
        within(9, PLANNER.decides("task/app"), otherwise=OPERATOR.decides("task/app")),
        loop(
            CODER.writes("app", reads=["task/app"], lease_seconds=9),
            TESTER.checks("app", "*"),
            until=current(of="app"),
            at_most=2,
            otherwise=otherwise,
        ),
    )


def test_a_loop_until_current_is_done_without_checks_and_repeated_by_any_failure():
    play = Play(until_current(stop("unbuildable")))
    play.decide("task/app", "planner")
    play.write("app")
    assert at(play, "app", "1") == {"count": 1, "state": "done"}
    assert play.may("write", "app", "coder") == "1.0"  # nothing asks for it, nothing forbids it
    play.judge("app", "unit", passed=False)
    play.judge("app", "lint", passed=False)
    assert at(play, "app", "1") == {"count": 1, "state": "open", "failed": ["lint", "unit"]}
    play.judge("app", "unit", passed=True)
    assert play.may("write", "app", "coder") == "1.0"
    play.judge("app", "lint", passed=True)
    assert at(play, "app", "1") == {"count": 1, "state": "done"}
    assert play.may("write", "app", "coder") == "1.0"


def test_a_loop_that_is_used_up_hands_its_task_over_and_a_new_decision_opens_it():
    play = Play(until_current(within(9, ARCHITECT.decides("task/app"), otherwise=OPERATOR.decides("task/app"))))
    play.decide("task/app", "planner")
    for _ in range(2):
        play.write("app")
        play.judge("app", "unit", passed=False)
    assert play.state("task/app") == "contested"
    assert play.deadlines == {("task/app", "1.2"): (1, 9)}
    assert play.may("decide", "task/app", "planner") is None
    assert play.may("write", "app", "coder") is None
    assert play.decide("task/app", "architect") == "1.2.0"
    assert at(play, "app", "1") == {"count": 0, "state": "open"}
    assert play.deadlines == {}
    assert play.may("decide", "task/app", "architect") is None


# sequences


def test_what_comes_next_is_opened_when_what_was_before_is_done():
    team = Choreography(
        "team",
        each(
            "task/{name}",
            within(9, PLANNER.decides("task/{name}"), otherwise=stop("late")),
            within(8, ARCHITECT.decides("api/{name}"), otherwise=stop("late")),
            loop(
                CODER.writes("{name}", reads=["task/{name}", "api/{name}"], lease_seconds=9),
                TESTER.checks("{name}", "unit"),
                until=passed("unit", of="{name}"),
                at_most=2,
                otherwise=stop("unbuildable"),
            ),
            agree(ARCHITECT.proposes("release/{name}"), by=quorum(2, of=REVIEWER), within_seconds=7),
            at_most=3,
        ),
    )
    play = Play(team)
    play.ask("release/app", "operator")
    play.ask("api/app", "operator")
    assert play.deadlines == {}
    play.decide("task/app", "planner")
    assert play.deadlines == {("api/app", "0.1"): (1, 8)}
    play.decide("api/app", "architect")
    assert play.deadlines == {}
    play.write("app")
    assert play.deadlines == {}
    play.judge("app", "unit", passed=True)
    assert play.deadlines == {("release/app", "0.3"): (1, 7)}


def test_a_first_step_about_another_key_is_opened_with_its_instance():
    first = within(9, ARCHITECT.decides("api/{name}"), otherwise=stop("late"))
    play = Play(Choreography("team", each("feature/{name}", first, at_most=3)))
    play.ask("feature/login")
    assert play.deadlines == {("api/login", "0.0"): (1, 9)}
    play.decide("api/login", "architect")
    play.decide("feature/login", "operator")
    assert play.told == ()


def test_a_single_check_opens_what_comes_next():
    team = Choreography(
        "team",
        each(
            "{name}",
            CODER.writes("{name}", reads=["ids"], lease_seconds=9),
            TESTER.checks("{name}", "unit"),
            within(9, ARCHITECT.decides("release/{name}"), otherwise=stop("late")),
            at_most=3,
        ),
        requires=["ids"],
    )
    play = Play(team)
    play.decide("ids", "operator")
    play.write("app")
    play.judge("app", "unit", passed=False)
    assert play.deadlines == {}
    play.judge("app", "unit", passed=True)
    assert play.deadlines == {("release/app", "0.2"): (1, 9)}
