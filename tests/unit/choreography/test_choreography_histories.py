"""What holds after every event of every history of a team."""

import copy

import pytest
from choreography_play import ARCHITECT, CODER, OPERATOR, PLANNER, REVIEWER, TESTER, Dictionaries, Play, recipes
from hypothesis import given, settings
from hypothesis import strategies as st

from blackboard.choreography import (
    Choreography,
    agree,
    architect_and_coders,
    current,
    each,
    loop,
    quorum,
    reviewed,
    stop,
    within,
)
from blackboard.choreography.moves import (
    RejectLive,
    follow,
)
from blackboard.choreography.values import Agree, Loop, walk
from blackboard.errors import NotPermitted

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


KEYS = st.sampled_from(["api/app", "api/ids", "task/app", "release/app"])
ROLES = st.sampled_from(["operator", "planner", "architect", "coder", "mediator"])
ACTS = st.one_of(
    st.tuples(st.sampled_from(["ask", "propose", "decide"]), KEYS, ROLES),
    st.tuples(st.just("retract"), KEYS, st.sampled_from(["operator", "planner"])),
    st.tuples(st.sampled_from(["settle", "lose", "tick"]), KEYS),
    st.tuples(st.just("write"), st.just("app"), st.sampled_from(["coder", "coder", "operator"])),
    st.tuples(st.just("judge"), st.just("app"), st.sampled_from(["unit", "lint"]), st.booleans()),
    st.tuples(st.just("turn_stale"), st.just("app")),
    # Drawn one by one, acts hardly ever bring an agreement to its last round.
    st.tuples(st.just("rounds"), st.sampled_from(["settle", "tick", "lose"]), st.integers(1, 3)),
)


@pytest.mark.parametrize("team", TEAMS, ids=lambda team: team.name)
def test_in_every_history_deadlines_rounds_and_counts_stay_in_step(team, length):
    ended = set()

    @given(st.lists(ACTS, min_size=5, max_size=25))
    @settings(max_examples=length(100, 600), deadline=None)
    def every(history):
        play = Watched(team)
        for act in history:
            perform(play, act)
        ended.update(
            (path, position["round"])
            for (_, path), position in play.positions.items()
            if "round" in position and position["state"] == "contested"
        )

    every()
    # Some of them were of as many rounds as there may be, so that one more would have been seen.
    assert ended >= {(path, step.rounds) for path, step in walk(team.steps) if isinstance(step, Agree)}


def perform(play, act):
    match act:
        case ("rounds", end, number):
            perform(play, ("decide", "task/app", "planner"))
            for one in [("propose", "api/app", "architect"), (end, "api/app")] * number:
                perform(play, one)
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
