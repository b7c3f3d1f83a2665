"""When a board has converged, and what is left where it has not."""

from dataclasses import replace

import pytest

from blackboard.spec.activation import Activation, ActivationState
from blackboard.spec.convergence import OutcomeKind, fingerprint, obligations, outcome
from blackboard.spec.effects import Side
from blackboard.spec.expressions import Truth
from blackboard.spec.history import UNRULED
from blackboard.spec.inputs import BuiltComponent, inputs_digest
from blackboard.spec.spec_state import (
    CheckRecord,
    ConstraintRecord,
    ControlState,
    DecisionRecord,
    SpecState,
    TaskRecord,
    VerdictRecord,
)
from blackboard.spec.staleness import Freshness, Pin


def decision(key, state="accepted", **named):
    return DecisionRecord(key, state, named.pop("accepted", state == "accepted"), f"1:{key}", **named)


def built(key, *, freshness=Freshness.CURRENT, files="1:f", uses=("api/ids",)):
    pins = tuple(Pin(name, "$", Side.USES, 1, 1, f"1:{name}") for name in uses)
    return BuiltComponent(key, 1, files, pins, tuple(pin.digest for pin in pins), freshness)


COMPONENTS = {"server": built("server")}
CHECK = CheckRecord("unit", "**", "1:unit")


def verdict(*, passed=True, revision=9, components=COMPONENTS, definition="1:unit", component="server"):
    return VerdictRecord("unit", component, passed, inputs_digest(component, components, definition), revision)


def converged(**named):
    """Return the state of a board with one decision, one component and one check, all met."""
    state = SpecState(
        revision=10,
        decisions={"api/ids": decision("api/ids"), "task/server": decision("task/server")},
        tasks={"server": TaskRecord("server", ("api/ids",), ())},
        requires=("api/*", "task/*"),
        components=COMPONENTS,
        checks=(CHECK,),
        verdicts=(verdict(),),
        persons={},
        settlers=(),
        announced=True,
    )
    return replace(state, **named)


def test_a_suspect_component_that_no_check_could_clear_is_as_good_as_current():
    suspect = {"server": built("server", freshness=Freshness.SUSPECT)}
    assert outcome(converged(components=suspect, checks=(), verdicts=())).kind is OutcomeKind.CONVERGED
    task = TaskRecord("server", ("api/ids",), ("unit",))
    left = outcome(converged(components=suspect, checks=(), verdicts=(), tasks={"server": task})).obligations
    assert "it is suspect" in [one.reason for one in left]


def active(state=ActivationState.PENDING, *, source="coder", target="server", kind="stale", **named):
    return Activation(source, target, kind, state, 1.0, dirty=False, attempts=3, revision=5, **named)


def test_a_board_with_everything_met_and_quiescence_announced_has_converged():
    found = outcome(converged())
    assert (found.kind, found.revision, found.obligations, found.cycle) == (OutcomeKind.CONVERGED, 10, (), ())
    assert not found.waits_for_a_person


def test_silence_is_never_convergence():
    found = outcome(converged(announced=False))
    assert found.kind is OutcomeKind.STALLED
    assert [one.waits_for for one in found.obligations] == [("a controller",)]


LEFT = {
    "C1 a required key that nobody decided": ({"decisions": {"task/server": decision("task/server")}}, "api/ids"),
    "C1 a required key that is open": (
        {"decisions": {"api/ids": decision("api/ids", "open"), "task/server": decision("task/server")}},
        "api/ids",
    ),
    "C1 a required pattern without a match": ({"requires": ("db/*",)}, "db/*"),
    "C1 a required pattern whose match was retracted": (
        {"requires": ("db/*",), "decisions": {**converged().decisions, "db/a": decision("db/a", "retracted")}},
        "db/*",
    ),
    "C1 a required pattern with one match open": (
        {"decisions": {**converged().decisions, "api/page": decision("api/page", "open")}},
        "api/page",
    ),
    "C1 an amendment that is up for a vote": (
        {"decisions": {**converged().decisions, "api/ids": decision("api/ids", missing={2: ("rev-1",)})}},
        "api/ids",
    ),
    "C1 a question that is open": (
        {"decisions": {**converged().decisions, "x": decision("x", "open", asked=True)}},
        "x",
    ),
    "C1 a contested key": (
        {"decisions": {**converged().decisions, "x": decision("x", "contested", accepted=True)}},
        "x",
    ),
    "C1 a key that the choreography gave up on": ({"stops": {"server": "unbuildable"}}, "server"),
    "C2 a component that nobody wrote": ({"components": {}, "verdicts": ()}, "server"),
    "C2 a stale component": ({"components": {"server": built("server", freshness=Freshness.STALE)}}, "server"),
    "C2 a suspect component": ({"components": {"server": built("server", freshness=Freshness.SUSPECT)}}, "server"),
    "C2 an orphaned component": ({"components": {"server": built("server", freshness=Freshness.ORPHANED)}}, "server"),
    "C2 a stale component that no task asked for": (
        {
            "components": {**COMPONENTS, "extra": built("extra", freshness=Freshness.STALE)},
            "checks": (),
        },
        "extra",
    ),
    "C3 a check without a verdict": ({"verdicts": ()}, "server"),
    "C3 a check that failed": ({"verdicts": (verdict(passed=False),)}, "server"),
    "C3 a verdict on other inputs": ({"verdicts": (verdict(definition="1:older"),)}, "server"),
    "C3 a check that is flaky": ({"verdicts": (verdict(passed=False, revision=8), verdict())}, "server"),
    "C3 a check that the team does not have": (
        {"tasks": {"server": TaskRecord("server", ("api/ids",), ("lint",))}},
        "server",
    ),
    "C4 a pending activation": ({"control": ControlState((active(),))}, "server"),
    "C4 a leased activation": ({"control": ControlState((active(ActivationState.LEASED),))}, "server"),
    "C4 a dead activation that left something undone": (
        {
            "control": ControlState((active(ActivationState.DEAD, error="Boom"),)),
            "components": {"server": built("server", freshness=Freshness.STALE)},
        },
        "server",
    ),
    "C4 a loop": ({"control": ControlState((active(ActivationState.LOOPED),))}, "server"),
    "C4 an armed deadline": ({"control": ControlState(deadlines=(("api/ids", "round 1"),))}, "api/ids"),
}


@pytest.mark.parametrize("name", LEFT)
def test_whatever_is_left_is_named_and_is_no_convergence(name):
    changed, key = LEFT[name]
    found = outcome(converged(**changed))
    assert found.kind is not OutcomeKind.CONVERGED
    assert key in {one.key for one in found.obligations}
    assert all(one.reason for one in found.obligations)


FREE = {
    "a retracted key that nobody requires": {"decisions": {**converged().decisions, "x": decision("x", "retracted")}},
    "a key that is only named": {"decisions": {**converged().decisions, "x": decision("x", "absent")}},
    "an open key without a question that nobody requires": {
        "decisions": {**converged().decisions, "x": decision("x", "open")}
    },
    "work that is done, obviated or dead for nothing": {
        "control": ControlState(
            (
                active(ActivationState.DONE),
                active(ActivationState.OBVIATED, source="other"),
                active(ActivationState.DEAD, source="third", error="Boom"),
            )
        )
    },
    "a fail before the pass of other inputs": {"verdicts": (verdict(passed=False, definition="1:older"), verdict())},
    "a pattern that a task names": {"tasks": {"server": TaskRecord("server", ("api/ids", "other/*"), ())}},
}


@pytest.mark.parametrize("name", FREE)
def test_what_is_nobodys_business_is_not_left(name):
    assert outcome(converged(**FREE[name])).kind is OutcomeKind.CONVERGED


def test_a_loop_outranks_a_spent_budget_and_that_outranks_a_stall():
    stalled = converged(verdicts=())
    assert outcome(stalled).kind is OutcomeKind.STALLED
    spent = replace(stalled, control=ControlState(exhausted=("activations",)))
    assert outcome(spent).kind is OutcomeKind.BUDGET_EXHAUSTED
    for looped in (
        active(ActivationState.LOOPED),
        active(ActivationState.DEAD, error="Returning"),
    ):
        control = ControlState((looped,), exhausted=("activations",), cycle=("coder on server",))
        found = outcome(replace(stalled, control=control))
        assert found.kind is OutcomeKind.OSCILLATING
        assert found.cycle == ("coder on server",)


def test_a_key_at_its_bound_of_generations_oscillates():
    contested = decision("x", "contested", accepted=True, reason=f"it was amended 16 times {UNRULED}")
    found = outcome(converged(decisions={**converged().decisions, "x": contested}))
    assert found.kind is OutcomeKind.OSCILLATING
    assert not found.waits_for_a_person


def test_a_spent_budget_is_no_matter_where_nothing_is_left():
    assert outcome(converged(control=ControlState(exhausted=("tokens",)))).kind is OutcomeKind.CONVERGED


# --- who is waited for -----------------------------------------------------------------------------------------------


def test_a_question_that_only_a_person_was_woken_for_waits_for_that_person():
    asked = {**converged().decisions, "x": decision("x", "open", asked=True)}
    persons = {"operator": ("ann",)}
    control = ControlState((active(source="ann", target="x", kind="asked", external=True),))
    found = outcome(converged(decisions=asked, persons=persons, control=control))
    assert found.waits_for_a_person
    assert {name for one in found.obligations for name in one.waits_for} == {"ann"}
    shared = ControlState((*control.activations, active(source="architect", target="x", kind="asked")))
    assert not outcome(converged(decisions=asked, persons=persons, control=shared)).waits_for_a_person


def test_a_contested_key_waits_for_the_operator_unless_a_source_settles_it():
    contested = {**converged().decisions, "x": decision("x", "contested", accepted=True)}
    assert outcome(converged(decisions=contested)).waits_for_a_person
    assert not outcome(converged(decisions=contested, settlers=("mediator",))).waits_for_a_person


def test_a_component_that_waits_for_a_persons_key_waits_for_that_person():
    decisions = {"api/ids": decision("api/ids", "open", asked=True), "task/server": decision("task/server")}
    control = ControlState(
        (
            active(source="ann", target="api/ids", kind="asked", external=True),
            active(source="coder", kind="required", waits_for=("api/ids",)),
        ),
        deadlines=(("api/ids", "round 1"),),
    )
    state = converged(decisions=decisions, persons={"operator": ("ann",)}, control=control, components={}, verdicts=())
    found = outcome(state)
    assert found.waits_for_a_person
    assert {one.key for one in found.obligations} >= {"api/ids", "server"}
    alone = replace(state, control=replace(control, activations=control.activations[1:]))
    assert not outcome(alone).waits_for_a_person


def test_votes_that_are_missing_are_waited_for_by_name():
    voting = {**converged().decisions, "api/ids": decision("api/ids", missing={2: ("rev-1", "rev-2")})}
    (left,) = obligations(converged(decisions=voting))
    assert left.waits_for == ("rev-1", "rev-2")
    assert not left.person
    (left,) = obligations(converged(decisions=voting, persons={"reviewer": ("rev-1", "rev-2")}))
    assert left.person


def test_the_same_thing_is_left_once():
    control = ControlState((active(), active(source="other")))
    left = [one for one in obligations(converged(control=control)) if one.key == "server"]
    assert [one.waits_for for one in left] == [("coder", "other")]


# --- fingerprints ----------------------------------------------------------------------------------------------------


def test_the_fingerprint_is_of_what_was_agreed_built_and_verified_and_of_nothing_else():
    state = converged()
    same = replace(
        state,
        revision=99,
        announced=False,
        persons={"operator": ("ann",)},
        control=ControlState((active(),)),
        components={"server": replace(COMPONENTS["server"], version=7, freshness=Freshness.STALE)},
        verdicts=(verdict()._replace(revision=50), verdict(passed=False, revision=3)),
    )
    assert fingerprint(same) == fingerprint(state)


@pytest.mark.parametrize(
    "changed",
    [
        {"decisions": {**converged().decisions, "x": decision("x")}},
        {"decisions": {**converged().decisions, "api/ids": decision("api/ids")._replace(digest="1:other")}},
        {"components": {"server": built("server", files="1:other")}},
        {"components": {"server": built("server", uses=("api/other",))}},
        {"components": {**COMPONENTS, "more": built("more")}},
        {"verdicts": (verdict(passed=False),)},
        {"verdicts": (verdict(definition="1:other"),)},
        {"verdicts": ()},
    ],
)
def test_another_spec_has_another_fingerprint(changed):
    assert fingerprint(converged(**changed)) != fingerprint(converged())


def test_reserved_keys_and_what_is_not_accepted_are_no_part_of_the_fingerprint():
    more = {
        **converged().decisions,
        "role/coder": decision("role/coder"),
        "x": decision("x", "open"),
        "y": decision("y", "retracted"),
    }
    assert fingerprint(converged(decisions=more)) == fingerprint(converged())


def constrained(value, why="", undecided=()):
    return (ConstraintRecord("constraint/ids", Truth(value, why), undecided),)


def test_a_true_constraint_is_met_and_one_that_is_undecided_or_false_is_left_with_its_reason():
    assert obligations(converged(constraints=constrained(value=True))) == ()
    (undecided,) = obligations(converged(constraints=constrained(None, "db/ids is not decided", ("db/ids",))))
    assert (undecided.key, undecided.reason) == ("constraint/ids", "it is undecided: db/ids is not decided")
    (false,) = obligations(converged(constraints=constrained(value=False)))
    assert (false.key, false.reason) == ("constraint/ids", "it is false")


def test_a_constraint_on_what_a_person_has_to_decide_waits_for_that_person():
    asked = {**converged().decisions, "db/ids": decision("db/ids", "open", accepted=False, asked=True)}
    woken = Activation("ann", "db/ids", "asked", ActivationState.PENDING, 0.0, False, 0, 9)
    state = converged(
        decisions=asked,
        constraints=constrained(None, "db/ids is not decided", ("db/ids",)),
        persons={"operator": ("ann",)},
        control=ControlState(activations=(woken,)),
    )
    found = outcome(state)
    assert found.waits_for_a_person
    assert {one.waits_for for one in found.obligations} == {("ann",)}
