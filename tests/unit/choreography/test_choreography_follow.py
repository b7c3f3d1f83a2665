"""What follows from what happened: rounds, deadlines, loops, and what is handed over."""

import copy

import pytest
from choreography_play import ARCHITECT, CODER, OPERATOR, PLANNER, REVIEWER, TESTER, Dictionaries, Play, recipes
from hypothesis import given, settings
from hypothesis import strategies as st

from blackboard.choreography import (
    Choreography,
    Role,
    agree,
    architect_and_coders,
    current,
    each,
    loop,
    passed,
    quorum,
    reviewed,
    stop,
    within,
)
from blackboard.choreography.moves import (
    Accepted,
    Arm,
    Contest,
    Disarm,
    Due,
    Judged,
    Lost,
    Opened,
    RejectLive,
    Reopen,
    Retracted,
    SetPosition,
    Stop,
    Written,
    follow,
)
from blackboard.choreography.values import Loop, walk
from blackboard.errors import NotPermitted

IDS = "api/ids"


@pytest.fixture
def play():
    return Play(recipes())


@pytest.fixture
def building(play):
    """The recipes team when `server` may be written."""
    play.decide("task/server", "planner")
    play.propose(IDS)
    play.settle(IDS)
    return play


def at(play, key, path):
    return play.positions[key, path]


def test_without_a_choreography_nothing_follows():
    assert follow(None, Dictionaries(), Opened(IDS)) == ()


@pytest.mark.parametrize(
    "event",
    [
        *(Opened("x/y"), Accepted("x/y", by_step=False), Lost("x/y", amendment=False), Retracted("x/y")),
        *(Written("x/y", same_premises=True), Judged("x/y", "unit", passed=False), Due("x/y", "9.9", 1)),
        *(Lost(IDS, amendment=False), Retracted(IDS), Due(IDS, "0.0", 1), Judged("server", "unit", passed=False)),
    ],
)
def test_nothing_follows_where_nothing_was_opened(event):
    assert follow(recipes(), Dictionaries(), event) == ()


# agree


def test_a_question_opens_the_first_round_with_a_deadline(play):
    play.ask(IDS)
    assert play.told == (
        SetPosition(IDS, "0.0", {"round": 1, "amendments": 0, "state": "open"}),
        Arm(IDS, "0.0", 1, 300),
    )
    play.propose(IDS)
    assert play.told == ()


def test_an_accepted_version_ends_the_round(play):
    play.ask(IDS)
    play.propose(IDS)
    play.settle(IDS)
    assert at(play, IDS, "0.0") == {"round": 1, "amendments": 0, "state": "settled"}
    assert Disarm(IDS, "0.0") in play.told
    assert not play.deadlines


def test_the_other_proposals_are_lost_when_one_is_accepted(play):
    play.propose(IDS)
    play.propose(IDS)
    play.settle(IDS)
    assert play.told[-1] == RejectLive(IDS, "another version was accepted")
    assert play.live(IDS) == ()


def test_a_lost_round_wakes_the_next_with_a_new_deadline(play):
    play.propose(IDS)
    play.lose(IDS)
    assert play.told == (
        SetPosition(IDS, "0.0", {"round": 2, "amendments": 0, "state": "open"}),
        Disarm(IDS, "0.0"),
        Reopen(IDS, 2),
        Arm(IDS, "0.0", 2, 300),
    )


def test_a_late_round_loses_what_is_live_and_wakes_the_next(play):
    play.propose(IDS)
    play.tick(IDS)
    assert play.told == (
        SetPosition(IDS, "0.0", {"round": 2, "amendments": 0, "state": "open"}),
        Disarm(IDS, "0.0"),
        RejectLive(IDS, "round 1 of 3 was late after 300 s"),
        Reopen(IDS, 2),
        Arm(IDS, "0.0", 2, 300),
    )


@pytest.mark.parametrize("ends", [("lose",) * 3, ("tick",) * 3, ("lose", "tick", "lose"), ("tick", "lose", "tick")])
def test_after_the_last_round_the_key_is_contested(play, ends):
    for end in ends:
        play.propose(IDS)
        getattr(play, end)(IDS)
    assert play.state(IDS) == "contested"
    assert at(play, IDS, "0.0")["state"] == "contested"
    assert isinstance(play.told[-1], Contest)
    assert (play.deadlines, play.live(IDS)) == ({}, ())
    play.decide(IDS, "operator")
    assert at(play, IDS, "0.0")["state"] == "settled"


@pytest.mark.parametrize(
    ("otherwise", "last", "state"),
    [
        (None, Contest, "contested"),
        (OPERATOR.decides("ids"), Contest, "contested"),
        (stop("nobody agrees"), Stop, "stopped"),
        (within(9, PLANNER.decides("ids"), otherwise=stop("late")), Arm, "contested"),
    ],
)
def test_the_last_round_ends_as_its_otherwise_says(otherwise, last, state):
    vote = agree(ARCHITECT.proposes("ids"), by=quorum(2, of=REVIEWER), within_seconds=9, otherwise=otherwise)
    play = Play(Choreography("team", vote))
    play.propose("ids")
    play.tick("ids")
    assert isinstance(play.told[-1], last)
    assert at(play, "ids", "0")["state"] == state
    assert play.may("propose", "ids", "architect") is None


def test_a_tick_that_comes_twice_or_for_an_earlier_round_does_nothing(play):
    play.propose(IDS)
    play.tick(IDS)
    positions = dict(play.positions)
    play.happened(Due(IDS, "0.0", 1))
    assert play.told == ()
    play.propose(IDS)
    play.settle(IDS)
    play.happened(Due(IDS, "0.0", 2))
    assert play.told == ()
    assert positions[IDS, "0.0"]["round"] == 2


def test_an_amendment_is_opened_counted_and_has_a_deadline(play):
    play.propose(IDS)
    play.settle(IDS)
    play.propose(IDS)
    assert play.told == (
        SetPosition(IDS, "0.0", {"round": 1, "amendments": 1, "state": "open"}),
        Arm(IDS, "0.0", 1, 300),
    )


@pytest.mark.parametrize("end", ["lose", "tick"])
def test_a_failed_or_late_amendment_keeps_the_status_quo(play, end):
    play.propose(IDS)
    play.settle(IDS)
    play.propose(IDS)
    getattr(play, end)(IDS)
    assert at(play, IDS, "0.0") == {"round": 1, "amendments": 1, "state": "settled"}
    assert play.has_accepted(IDS)
    assert play.state(IDS) == "accepted"
    assert (play.deadlines, play.live(IDS), play.woken) == ({}, (), [])


def test_an_amendment_that_nobody_proposes_answers_its_question_with_what_stands(play):
    play.propose(IDS)
    play.settle(IDS)
    play.ask(IDS)
    play.tick(IDS)
    assert not play.asked(IDS)
    assert at(play, IDS, "0.0")["state"] == "settled"


def test_a_ruling_ends_the_round_that_is_running(play):
    play.propose(IDS)
    play.tick(IDS)
    play.propose(IDS)
    play.decide(IDS, "operator")
    assert at(play, IDS, "0.0") == {"round": 2, "amendments": 0, "state": "settled"}
    assert (play.deadlines, play.live(IDS)) == ({}, ())


def test_a_retraction_ends_the_round_that_is_running(play):
    play.propose(IDS)
    play.settle(IDS)
    play.propose(IDS)
    play.retract(IDS)
    assert at(play, IDS, "0.0")["state"] == "settled"
    assert (play.deadlines, play.live(IDS)) == ({}, ())


def test_a_round_of_a_key_that_became_contested_otherwise_is_not_repeated(play):
    play.propose(IDS)
    play.states[IDS] = "contested"
    play.tick(IDS)
    assert at(play, IDS, "0.0") == {"round": 1, "amendments": 0, "state": "contested"}
    assert not any(isinstance(one, Reopen | Contest | Arm) for one in play.told)


# within


def test_a_deadline_that_was_met_is_forgotten(play):
    play.ask("task/server")
    assert play.deadlines == {("task/server", "1.0"): (1, 300)}
    play.decide("task/server", "planner")
    assert at(play, "task/server", "1.0") == {"state": "done"}
    assert play.deadlines == {}


def test_a_decision_that_nobody_asked_for_has_no_deadline(play):
    play.decide("task/server", "planner")
    assert play.told == ()


def test_a_late_decision_is_handed_over(play):
    play.ask("task/server")
    play.tick("task/server")
    assert play.told == (
        Disarm("task/server", "1.0"),
        SetPosition("task/server", "1.0", {"state": "late"}),
        Contest("task/server", "not decided within 300 s"),
    )
    play.decide("task/server", "operator")
    assert at(play, "task/server", "1.0") == {"state": "done"}


def test_a_late_answer_to_a_question_about_an_accepted_key_keeps_the_status_quo(play):
    play.decide("task/server", "planner")
    play.ask("task/server")
    play.tick("task/server")
    assert play.state("task/server") == "accepted"
    assert not play.asked("task/server")
    assert at(play, "task/server", "1.0") == {"state": "done"}


def test_a_retracted_key_that_is_asked_again_has_a_deadline_again(play):
    play.ask("task/server")
    play.decide("task/server", "planner")
    play.retract("task/server")
    assert play.deadlines == {}
    play.ask("task/server")
    assert play.deadlines == {("task/server", "1.0"): (1, 300)}


def test_every_deadline_of_a_chain_is_forgotten_when_the_key_is_accepted():
    chain = within(9, PLANNER.decides("ids"), otherwise=within(5, Role("mediator").decides("ids"), otherwise=stop("x")))
    vote = agree(ARCHITECT.proposes("ids"), by=quorum(2, of=REVIEWER), within_seconds=60, otherwise=chain)
    play = Play(Choreography("team", vote))
    play.propose("ids")
    play.tick("ids")
    play.tick("ids")
    assert play.deadlines == {("ids", "0.1.1"): (1, 5)}
    play.decide("ids", "mediator")
    assert {path: state["state"] for (_, path), state in play.positions.items()} == {
        "0": "settled",
        "0.1": "done",
        "0.1.1": "done",
    }


# loop


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


# what holds in every history

TEAMS = [
    recipes(),
    architect_and_coders(attempts=2),
    reviewed(3, mediator_seconds=60, rounds=2, amendments=1),
    Choreography(
        "sequence",
        each(
            "task/{name}",
            within(9, PLANNER.decides("task/{name}"), otherwise=OPERATOR.decides("task/{name}")),
            agree(ARCHITECT.proposes("api/{name}"), by=quorum(2, of=REVIEWER), within_seconds=9, rounds=2),
            loop(
                CODER.writes("{name}", reads=["task/{name}"], lease_seconds=9),
                TESTER.checks("{name}", "*"),
                until=current(of="{name}"),
                at_most=2,
                otherwise=OPERATOR.decides("task/{name}"),
            ),
            within(9, ARCHITECT.decides("release/{name}"), otherwise=stop("late")),
            at_most=3,
        ),
    ),
]


class Watched(Play):
    """Holds what must hold after every event of every history."""

    def __init__(self, choreography):
        super().__init__(choreography)
        self.before = self.copy()

    def copy(self):
        shown = Dictionaries()
        for name in vars(shown):
            setattr(shown, name, copy.deepcopy(getattr(self, name)))
        return shown

    def act(self, verb, *about, **how):
        self.before = self.copy()
        try:
            getattr(self, verb)(*about, **how)
        except NotPermitted:
            assert vars(self.copy()) == vars(self.before)

    def happened(self, event):
        shown = self.copy()
        told = follow(self.choreography, shown, event)
        assert told == follow(self.choreography, shown, event)
        assert vars(shown) == vars(self.copy()), "to follow an event changes nothing by itself"
        unseen = follow(self.choreography, self.before, event)
        assert decisive(told) == decisive(unseen), "it makes no difference whether the event is shown already"
        super().happened(event)
        self.hold()

    def hold(self):
        steps = dict(walk(self.choreography.steps))
        timed = {about: at for about, at in self.positions.items() if not isinstance(steps[about[1]], Loop)}
        waiting = {about for about, position in timed.items() if position["state"] == "open"}
        assert set(self.deadlines) == waiting, "a deadline is armed exactly while its step is open"
        for (_, path), position in timed.items():
            assert 1 <= position.get("round", 1) <= getattr(steps[path], "rounds", 1)
        for key in (key for key, versions in self.proposals.items() if versions):
            ends = any(about == key for about, _ in self.deadlines) or self.state(key) == "contested"
            # The operator may propose before a step has its turn; what comes before it is what is waited for.
            assert ends or self.choreography.name == "sequence", "a live proposal has a deadline"


def decisive(told):
    return [one for one in told if not isinstance(one, RejectLive)]


@pytest.mark.parametrize("team", TEAMS, ids=lambda team: team.name)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_in_every_history_deadlines_rounds_and_counts_stay_in_step(team, data):
    play = Watched(team)
    keys = st.sampled_from(["api/app", "api/ids", "task/app", "release/app"])
    roles = st.sampled_from(["operator", "planner", "architect", "coder", "mediator"])
    acts = st.one_of(
        st.tuples(st.sampled_from(["ask", "propose", "decide"]), keys, roles),
        st.tuples(st.just("retract"), keys, st.sampled_from(["operator", "planner"])),
        st.tuples(st.sampled_from(["settle", "lose", "tick"]), keys),
        st.tuples(st.just("write"), st.just("app"), st.sampled_from(["coder", "coder", "operator"])),
        st.tuples(st.just("judge"), st.just("app"), st.sampled_from(["unit", "lint"]), st.booleans()),
        st.tuples(st.just("turn_stale"), st.just("app")),
    )
    for act in data.draw(st.lists(acts, max_size=25)):
        perform(play, act)


def perform(play, act):
    match act:
        case ("settle" | "lose", key) if not play.live(key):
            return
        case ("tick", key) if not any(about == key for about, _ in play.deadlines):
            return
        case ("retract", key, _) if not play.has_accepted(key):
            return
        case ("judge", component, check, verdict):
            play.act("judge", component, check, passed=verdict)
        case ("write", component, role):
            play.act("write", component, role, same=play.current(component))
        case (verb, *about):
            play.act(verb, *about)
