"""What a commit would do, planned from dictionaries: pure, with everything it looked at in its footprint."""

from dataclasses import replace

import pytest
from plan_facts import Facts, Witness, body

from blackboard.choreography import Choreography, Role, agree, each, quorum
from blackboard.contracts.language import Contract
from blackboard.errors import (
    Conflict,
    IllegalTransition,
    InvalidKey,
    NotPermitted,
    Returning,
)
from blackboard.plan import plan
from blackboard.spec.changes import (
    Ask,
    Decide,
    EffectRow,
    Intent,
    NeedRow,
    Plan,
    Propose,
    Refusal,
    Retract,
    SettleRow,
    Vote,
    Withdraw,
)
from blackboard.spec.history import GENERATION_BOUND
from blackboard.spec.lifecycle import KeyState, State
from blackboard.spec.reads import Reads
from blackboard.spec.records import KeyRecord, VersionRecord


def intend(*acts, author="ann", role=None, reads=None):
    return Intent(author, role, acts, reads or Reads(), 0, "call-1")


def reading(*keys_read):
    return Reads(decisions=dict.fromkeys(keys_read, "1:whatever"))


def planned(facts, *acts, **named) -> Plan:
    found = plan(facts, intend(*acts, **named))
    assert isinstance(found, Plan), found
    return found


def refused(facts, error, *acts, **named):
    found = plan(facts, intend(*acts, **named))
    assert isinstance(found, Refusal)
    assert isinstance(found.error, error)
    return found.error


def rows(found, kind):
    return [row for row in found.rows if isinstance(row, kind)]


@pytest.fixture
def decided():
    """Return facts in which api/ids is accepted as int."""
    return Facts().apply(planned(Facts(), Decide("api/ids", body({"kind": "int"}))))


TEAM_ROLES = (
    Role("architect", reliable=True),
    Role("reviewer", members=3, reliable=True),
    Role("operator", reliable=True),
)


def team_values():
    architect, reviewer, operator = TEAM_ROLES
    agreed = agree(
        architect.proposes("api/{name}"),
        by=quorum(2, of=reviewer),
        rounds=2,
        amendments=2,
        otherwise=operator.decides("api/{name}"),
    )
    choreography = Choreography("voting", each("api/{name}", agreed, at_most=9))
    members = {"art": "architect", "rev-1": "reviewer", "rev-2": "reviewer", "rev-3": "reviewer"}
    return {
        "choreography/team": {"choreography": choreography.to_json(), "checks": {}},
        **{f"member/{name}": {"roles": [role]} for name, role in members.items()},
    }


@pytest.fixture
def proposed():
    """Return facts with a team, in which art proposed api/ids."""
    facts = Facts(values=team_values())
    return facts.apply(planned(facts, Propose((("api/ids", body("int")),)), author="art"))


def test_a_new_key_becomes_a_version_that_is_accepted():
    found = planned(Facts(), Decide("api/ids", body("int")))
    (version,) = rows(found, VersionRecord)
    assert (version.key, version.version, version.base, version.author) == ("api/ids", 1, None, "ann")
    (key,) = rows(found, KeyRecord)
    assert (key.state, key.current, key.last_version, key.generation, key.member) == (KeyState.ACCEPTED, 1, 1, 1, True)
    assert found.accepted == (("api/ids", 1),)
    assert [change.kind for change in found.changes] == ["proposed", "accepted"]
    assert found.reshaped == ("api/ids",)


def test_a_plan_is_a_function_of_facts_and_intent(decided):
    intent = intend(Decide("api/ids", body("text")), Ask("x", "?"), reads=reading("api/ids"))
    assert plan(decided, intent) == plan(decided, intent)
    before = (dict(decided.records), dict(decided.versions))
    plan(decided, intent)
    assert (decided.records, decided.versions) == before


def test_a_plan_without_changes_has_no_rows(decided):
    found = planned(decided, Decide("api/ids", body({"kind": "int"})))
    assert (found.rows, found.changes, found.accepted) == ((), (), ())
    assert "api/ids" in found.footprint.keys


def test_an_amendment_supersedes_and_says_what_it_means_for_what_is_pinned(decided):
    facts = replace(decided, pins={"api/ids": (("kind", 1), ("style", 0))})
    found = planned(facts, Decide("api/ids", body({"kind": "text", "style": "x"})), reads=reading("api/ids"))
    assert [(row.version, row.state) for row in rows(found, SettleRow)] == [(2, State.ACCEPTED)]
    effects = {(row.name, row.old_since): (row.uses, row.implements) for row in rows(found, EffectRow)}
    assert effects["kind", 1] == ("breaking", "breaking")
    assert effects["style", 0] == ("breaking", "breaking")


def test_effects_are_said_against_the_heads_own_though_nobody_pins_it(decided):
    found = planned(decided, Decide("api/ids", body({"kind": "text"})), reads=reading("api/ids"))
    assert ("kind", 1) in {(row.name, row.old_since) for row in rows(found, EffectRow)}


@pytest.mark.parametrize(
    ("error", "acts", "named"),
    [
        (Conflict, (Decide("api/ids", body("text")),), {}),
        (Conflict, (Retract("api/ids", "no"),), {}),
        (Conflict, (Ask("api/ids", "?"), Decide("api/ids", body("text"))), {}),
        (Conflict, (Decide("api/ids", body("text")),), {"reads": Reads(facets={("api/ids", "kind"): "1:x"})}),
        (Conflict, (Decide("api/ids", body("text")),), {"reads": Reads(components={"api/ids": None})}),
        (IllegalTransition, (Retract("x", "no"),), {}),
        (IllegalTransition, (Vote("api/ids", 1, True),), {}),
        (IllegalTransition, (Vote("api/ids", 7, True),), {}),
        (IllegalTransition, (Withdraw("api/ids", 1),), {}),
        (IllegalTransition, (Ask("x", "?"), Ask("x", "!")), {}),
    ],
)
def test_an_act_that_does_not_fit_is_refused_with_a_footprint(decided, error, acts, named):
    intent = intend(*acts, **named)
    found = plan(decided, intent)
    assert isinstance(found, Refusal)
    assert isinstance(found.error, error)
    assert found.head == decided.revision
    assert found.footprint.touched_by([acts[-1].key])


@pytest.mark.parametrize("act", [Decide("role/x", body(1)), Ask("member/x", "?"), Propose((("source/x", body(1)),))])
def test_a_reserved_key_is_valid_on_no_board(act):
    with pytest.raises(InvalidKey):
        plan(Facts(), intend(act))


def test_a_text_that_was_given_up_returns_only_with_newer_evidence(decided):
    facts = decided.apply(planned(decided, Decide("api/ids", body("text")), reads=reading("api/ids")))
    again = Propose((("api/ids", body({"kind": "int"})),))
    error = refused(facts, Returning, again, reads=reading("api/ids"))
    assert (error.version, error.current) == (1, 2)
    facts = replace(facts, evidence={1: ("judged",), 3: ("accepted",), 4: ("ruled",), 5: ("judged", "accepted")})
    for cited, returns in (((1,), False), ((3,), False), ((9,), False), ((4,), True), ((3, 5), True)):
        found = plan(facts, intend(again._replace(evidence=cited), reads=reading("api/ids")))
        assert isinstance(found, Plan) is returns, cited
    assert isinstance(
        plan(facts, intend(Decide("api/ids", body({"kind": "int"})), role="operator", reads=reading("api/ids"))), Plan
    )


def test_the_bound_of_generations_contests_and_a_ruling_counts_anew(decided):
    worn = replace(decided, records={"api/ids": decided.records["api/ids"]._replace(generation=GENERATION_BOUND)})
    found = planned(worn, Decide("api/ids", body("text")), reads=reading("api/ids"))
    assert [change.kind for change in found.changes] == ["proposed", "contested"]
    assert rows(found, KeyRecord)[0].state is KeyState.CONTESTED
    ruled = planned(worn, Decide("api/ids", body("text")), role="operator", reads=reading("api/ids"))
    assert (rows(ruled, KeyRecord)[0].state, rows(ruled, KeyRecord)[0].generation) == (KeyState.ACCEPTED, 1)


def test_a_task_names_what_its_component_waits_for():
    task = Contract.task(summary="build", uses=["api/ids", "db/*"], implements=["http/*"])
    found = planned(Facts(), Decide("task/server", body(task)))
    (need,) = rows(found, NeedRow)
    assert (need.component, set(need.keys), set(need.patterns)) == ("server", {"api/ids"}, {"db/*", "http/*"})
    assert found.footprint.patterns >= {"db/*", "http/*"}


# --- votes -----------------------------------------------------------------------------------------------------------


def test_a_proposal_under_a_rule_waits_for_its_electorate(proposed):
    version = proposed.versions["api/ids", 1]
    assert (version.state, version.electorate, version.quorum) == (State.PROPOSED, ("rev-1", "rev-2", "rev-3"), 2)
    assert proposed.records["api/ids"].state is KeyState.OPEN


def test_the_vote_that_decides_accepts_in_the_same_plan(proposed):
    first = planned(proposed, Vote("api/ids", 1, True), author="rev-1")
    assert (len(rows(first, Vote)), first.accepted) == (1, ())
    second = planned(proposed.apply(first), Vote("api/ids", 1, True), author="rev-2")
    assert second.accepted == (("api/ids", 1),)
    assert [change.kind for change in second.changes] == ["voted", "accepted"]


@pytest.mark.parametrize("author", ["art", "stranger"])
def test_nobody_else_votes(proposed, author):
    assert refused(proposed, NotPermitted, Vote("api/ids", 1, True), author=author).waits_for


def test_a_vote_depends_on_the_votes_the_electorate_and_the_team(proposed):
    found = planned(proposed, Vote("api/ids", 1, True), author="rev-1")
    assert found.footprint.touched_by(["api/ids"])
    for reserved in ("choreography/team", "member/rev-1", "role/reviewer", "source/rev-1"):
        assert found.footprint.touched_by([reserved])
    assert not found.footprint.touched_by(["db/ids"])


def test_a_role_that_an_author_does_not_have_is_refused(proposed):
    for author, role in (
        ("art", "reviewer"),
        ("rev-1", "architect"),
        ("clock", "architect"),
        ("stranger", "architect"),
    ):
        refused(proposed, NotPermitted, Propose((("api/x", body(1)),)), author=author, role=role)


# --- footprints ------------------------------------------------------------------------------------------------------

ACTS = [
    Ask("api/ids", "why?"),
    Ask("new", "what?"),
    Decide("api/ids", body({"kind": "text"})),
    Decide("new", body(1)),
    Decide("task/server", body(Contract.task(summary="build", uses=["api/ids", "api/*"]))),
    Propose((("api/ids", body({"kind": "text"})),)),
    Propose((("a", body(1)), ("b", body(2)))),
    Retract("api/ids", "no"),
    Vote("api/ids", 1, True),
    Withdraw("api/ids", 1),
]


@pytest.mark.parametrize("act", ACTS, ids=lambda act: f"{type(act).__name__} {getattr(act, 'key', '')}")
@pytest.mark.parametrize("start", ["nothing", "decided", "proposed"])
@pytest.mark.parametrize("author", ["ann", "art", "rev-1"])
def test_whatever_a_plan_asked_is_in_its_footprint(request, start, act, author):
    facts = Facts() if start == "nothing" else request.getfixturevalue(start)
    witness = Witness(facts)
    found = plan(witness, intend(act, author=author, reads=reading("api/ids")))
    assert witness.missed_by(found.footprint) == set()
    assert witness.patterns_asked


def test_a_view_that_forgets_a_question_is_caught(decided, monkeypatch):
    """The test of the test above: a rule that reads something without a key in the footprint."""
    from blackboard.plan.view import View

    monkeypatch.setattr(View, "question", lambda self, key: self.facts.question(key))
    monkeypatch.setattr(View, "key", lambda self, key: self.written.get(key) or self.facts.key(key))
    witness = Witness(decided)
    found = plan(witness, intend(Ask("new", "what?")))
    assert witness.missed_by(found.footprint) == {"new"}
