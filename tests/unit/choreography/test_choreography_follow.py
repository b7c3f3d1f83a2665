"""What follows from what happened: rounds, deadlines, and what is handed over."""

import pytest
from choreography_play import ARCHITECT, OPERATOR, PLANNER, REVIEWER, Dictionaries, Play, recipes

from blackboard.choreography import (
    Choreography,
    Role,
    agree,
    quorum,
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

IDS = "api/ids"


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
