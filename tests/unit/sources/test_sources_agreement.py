"""Planner, architect, reviewer and mediator: each does its part of an agreement once."""

import pytest
from sources_kit import Answers, of_kind, run

from blackboard import Budget, Contract, Controller, Team, on
from blackboard.choreography import Choreography, Role, agree, each, may, quorum
from blackboard.testing import open_memory
from knowledge_sources import architect, human, mediator, planner, reviewer

PLAN = {
    "questions": [
        {"key": "style/dates", "question": "Which form?", "options": ["iso", "unix"]},
        {"key": "style/names", "question": "Which names?", "options": ["long", "short"]},
    ],
    "decisions": [{"key": "api/clock", "language": "value", "text": '{"now":"()"}', "rationale": "one function"}],
    "tasks": [{"name": "clock", "summary": "tell the time", "uses": {"style/dates": []}}],
}
ISO = {"language": "value", "text": '"iso"', "rationale": "sorts well"}


@pytest.fixture
def board():
    with open_memory() as opened:
        yield opened


def decide(board, key, value, author="ann", role=None):
    with board.transaction(author, role=role) as transaction:
        transaction.decision(key)
        transaction.decide(key, value if isinstance(value, Contract) else Contract.value(value))


def ask(board, key, options=("iso", "unix")):
    with board.transaction("ann", role="operator") as transaction:
        transaction.ask(key, "Which form?", options=options)


def install_voters(board, *, rounds=3, amendments=1):
    """Let arthur propose and two of three reviewers accept."""
    arthur, voter, ann = Role("architect"), Role("reviewer", members=3), Role("operator", reliable=True)
    choreography = Choreography(
        "votes",
        each(
            "style/{name}",
            agree(
                arthur.proposes("style/{name}"),
                by=quorum(2, of=voter),
                within_seconds=300,
                rounds=rounds,
                amendments=amendments,
                otherwise=ann.decides("style/{name}"),
            ),
            at_most=20,
        ),
        may(arthur, "ask", "**"),
    )
    idle = Answers(answer={})
    sources = [architect("arthur", idle), *(reviewer(name, idle) for name in ("rita", "rob", "ruby"))]
    board.install(Team("make me a clock", tuple(sources), choreography=choreography))


def propose(board, value, key="style/dates"):
    run(board, architect("arthur", Answers(answer={"language": "value", "text": value, "rationale": "why"})), key)


# --- the planner -----------------------------------------------------------------------------------------------------


def test_a_plan_is_one_commit_of_questions_decisions_and_tasks(board):
    decide(board, "prompt", Contract.text("make me a clock"))
    before = board.revision
    model = Answers(answer=PLAN)
    run(board, planner("paula", model, settles="propose"), "prompt")
    now = board.snapshot()
    assert board.revision == before + 1
    assert {(question.key, question.options) for question in now.questions()} == {
        ("style/dates", ("iso", "unix")),
        ("style/names", ("long", "short")),
    }
    assert now.decision("api/clock").value == {"now": "()"}
    assert now.decision("task/clock").contract.facets["uses"] == {"style/dates": []}
    [prompt] = of_kind(model.shown[0], "prompt")
    assert prompt.body == "make me a clock"


def test_a_planner_without_the_right_to_propose_asks_whether_its_contracts_are_right(board):
    decide(board, "prompt", Contract.text("make me a clock"))
    stub = {"key": "api/alarm", "language": "text", "text": "It rings.", "rationale": ""}
    run(board, planner("paula", Answers(answer={**PLAN, "decisions": [*PLAN["decisions"], stub]})), "prompt")
    asked = {question.key: (question.question, question.options) for question in board.snapshot().questions("api/*")}
    assert asked == {
        "api/clock": ("Is this what api/clock should be? one function", ({"now": "()"},)),
        "api/alarm": ("Is this what api/alarm should be?", ({"language": "text", "text": "It rings."},)),
    }
    assert board.snapshot().decisions("api/*") == ()


def test_a_key_that_is_decided_is_shown_and_not_asked_again(board):
    decide(board, "prompt", Contract.text("make me a clock"))
    decide(board, "style/dates", "unix")
    model = Answers(answer={**PLAN, "decisions": []})
    run(board, planner("paula", model), "prompt")
    assert [question.key for question in board.snapshot().questions()] == ["style/names"]
    shown = {(fact.header["key"], fact.body) for fact in of_kind(model.shown[0], "decision")}
    assert shown == {("style/dates", '"unix"')}


def test_a_plan_that_was_made_is_not_made_again(board):
    decide(board, "prompt", Contract.text("make me a clock"))
    model = Answers(answer=PLAN)
    run(board, planner("paula", model), "prompt")
    before = board.revision
    run(board, planner("paula", model), "prompt")
    assert len(model.shown) == 1
    assert board.revision == before


def test_an_amended_prompt_is_planned_with_what_exists_in_sight(board):
    decide(board, "prompt", Contract.text("make me a clock"))
    model = Answers(answer=PLAN)
    run(board, planner("paula", model), "prompt")
    decide(board, "prompt", Contract.text("make me a clock with an alarm"))
    run(board, planner("paula", model), "prompt")
    assert {fact.header["key"] for fact in of_kind(model.shown[1], "task")} == {"task/clock"}
    assert {fact.header["key"] for fact in of_kind(model.shown[1], "question")} == {
        "api/clock",
        "style/dates",
        "style/names",
    }


# --- the architect ---------------------------------------------------------------------------------------------------


def test_a_question_is_answered_with_its_options_in_sight(board):
    ask(board, "style/dates")
    model = Answers(answer=ISO)
    run(board, architect("arthur", model), "style/dates")
    [question] = of_kind(model.shown[0], "question")
    assert (question.body, question.header["options"]) == ("Which form?", ["iso", "unix"])
    assert board.snapshot().decision("style/dates").value == "iso"


@pytest.mark.parametrize("settles", ["propose", "decide"])
def test_a_settled_key_is_left_alone(board, settles):
    ask(board, "style/dates")
    model = Answers(answer=ISO)
    for _ in range(2):
        run(board, architect("arthur", model, settles=settles), "style/dates")
    assert len(model.shown) == 1


def test_a_decision_whose_premises_broke_is_looked_at_again(board):
    model = Answers(answer=ISO)
    arthur = architect("arthur", model, reads=["db/*"], settles="decide", on=on.stale("style/*"))
    board.install(Team("make me a clock", [arthur]))
    decide(board, "db/clock", "text", role="operator")
    ask(board, "style/dates")
    run(board, arthur, "style/dates")
    decide(board, "db/clock", "integer", role="operator")
    [lease] = board.claim("arthur")
    assert (lease.target, lease.kind) == ("style/dates", "stale")
    run(board, arthur, "style/dates", kind="stale")
    assert len(model.shown) == 2
    assert board.snapshot().decision("style/dates").version == 2


def test_tasks_and_components_are_not_the_architects(board):
    decide(board, "task/clock", Contract.task(summary="tell the time"))
    model = Answers(answer=ISO)
    for key in ("task/alarm", "clock"):
        run(board, architect("arthur", model), key)
    assert model.shown == []


def test_it_waits_while_a_version_of_its_own_is_up_for_a_vote(board):
    install_voters(board)
    ask(board, "style/dates")
    model = Answers(answer=ISO)
    for _ in range(2):
        run(board, architect("arthur", model), "style/dates")
    assert len(model.shown) == 1
    assert [version.state for version in board.snapshot().versions("style/dates")] == ["proposed"]


def test_a_key_that_is_only_required_is_left_to_who_proposed_it(board):
    install_voters(board)
    propose(board, '"iso"')
    model = Answers(answer=ISO)
    run(board, architect("anna", model), "style/dates")
    assert model.shown == []


def test_a_rejected_version_is_shown_with_the_reasons_against_it(board):
    install_voters(board)
    ask(board, "style/dates")
    propose(board, '"iso"')
    for name in ("rita", "rob"):
        run(board, reviewer(name, Answers(answer={"approve": False, "reason": f"{name} says no"})), "style/dates")
    model = Answers(answer={"language": "value", "text": '"unix"', "rationale": "then this"})
    run(board, architect("arthur", model), "style/dates")
    [lost] = of_kind(model.shown[0], "rejected")
    assert lost.header["against"] == ["rita: rita says no", "rob: rob says no"]
    assert [version.round for version in board.snapshot().versions("style/dates")] == [1, 2]


def test_decisions_that_it_relies_on_are_shown_on_demand(board):
    decide(board, "style/names", "long")
    ask(board, "style/dates")
    ask(board, "style/times")
    for key, reads, shown in (("style/dates", (), set()), ("style/times", ("style/names",), {"style/names"})):
        model = Answers(answer=ISO)
        run(board, architect("arthur", model, reads=reads), key)
        assert {fact.header["key"] for fact in of_kind(model.shown[0], "decision")} == shown


# --- the reviewer ----------------------------------------------------------------------------------------------------


def test_a_reviewer_votes_once_on_what_is_proposed(board):
    install_voters(board)
    ask(board, "style/dates")
    propose(board, '"iso"')
    model = Answers(answer={"approve": True, "reason": "sorts well"})
    for _ in range(2):
        run(board, reviewer("rita", model), "style/dates")
    assert len(model.shown) == 1
    [version] = board.snapshot().versions("style/dates")
    assert [(vote.author, vote.approve, vote.reason) for vote in version.votes] == [("rita", True, "sorts well")]
    [proposal] = of_kind(model.shown[0], "proposal")
    assert proposal.body == '"iso"'
    assert of_kind(model.shown[0], "you")[0].header["version"] == 1


def test_a_reviewer_sees_what_a_proposal_would_change(board):
    decide(board, "style/dates", "unix")
    install_voters(board)
    ask(board, "style/dates")
    propose(board, '"iso"')
    model = Answers(answer={"approve": True, "reason": ""})
    run(board, reviewer("rita", model), "style/dates")
    [proposal] = of_kind(model.shown[0], "proposal")
    assert proposal.header["changes"] == ["$: unix -> iso"]


def test_members_who_vote_at_the_same_time_do_not_refuse_each_other(board):
    install_voters(board)
    ask(board, "style/dates")
    propose(board, '"iso"')
    yes = {"approve": True, "reason": ""}

    def rob_votes():
        run(board, reviewer("rob", Answers(answer={"approve": False, "reason": ""})), "style/dates")

    run(board, reviewer("rita", Answers(answer=yes, meanwhile=rob_votes)), "style/dates")
    [version] = board.snapshot().versions("style/dates")
    assert {vote.author for vote in version.votes} == {"rita", "rob"}


def test_a_vote_that_comes_after_the_decision_is_no_failure(board):
    install_voters(board)
    ask(board, "style/dates")
    propose(board, '"iso"')
    yes = {"approve": True, "reason": ""}

    def others_decide():
        for name in ("rob", "ruby"):
            run(board, reviewer(name, Answers(answer=yes)), "style/dates")

    run(board, reviewer("rita", Answers(answer=yes, meanwhile=others_decide)), "style/dates")
    assert board.snapshot().decision("style/dates").value == "iso"


def test_who_may_not_vote_is_not_asked(board):
    install_voters(board)
    ask(board, "style/dates")
    propose(board, '"iso"')
    model = Answers(answer={"approve": True, "reason": ""})
    run(board, reviewer("arthur", model, role="architect"), "style/dates")
    assert model.shown == []


def test_an_amendment_is_judged_with_what_stands_in_sight(board):
    install_voters(board)
    ask(board, "style/dates")
    yes = {"approve": True, "reason": ""}
    propose(board, '"iso"')
    for name in ("rita", "rob"):
        run(board, reviewer(name, Answers(answer=yes)), "style/dates")
    ask(board, "style/dates")
    propose(board, '"unix"')
    model = Answers(answer={"approve": False, "reason": "not worth it"})
    run(board, reviewer("rita", model), "style/dates")
    [standing] = of_kind(model.shown[0], "decision")
    assert standing.body == '"iso"'


# --- the mediator and the person -------------------------------------------------------------------------------------


def test_a_mediator_settles_a_key_once(board):
    ask(board, "style/dates")
    model = Answers(answer=ISO)
    for _ in range(2):
        run(board, mediator("mona", model), "style/dates")
    assert len(model.shown) == 1
    assert board.snapshot().decision("style/dates").author == "mona"


def test_a_mediator_sees_what_was_lost_and_why(board):
    install_voters(board, rounds=1)
    ask(board, "style/dates")
    propose(board, '"iso"')
    for name in ("rita", "rob"):
        run(board, reviewer(name, Answers(answer={"approve": False, "reason": "no"})), "style/dates")
    model = Answers(answer=ISO)
    run(board, mediator("olga", model, role="operator"), "style/dates")
    [lost] = of_kind(model.shown[0], "rejected")
    assert lost.header["against"] == ["rita: no", "rob: no"]
    assert board.snapshot().decision("style/dates").value == "iso"


def test_a_component_that_is_contested_is_left_to_a_person(board):
    decide(board, "task/clock", Contract.task(summary="tell the time"))
    model = Answers(answer=ISO)
    run(board, mediator("mona", model), "clock")
    assert model.shown == []


def test_a_person_is_on_the_agenda_and_is_not_run():
    ann = human("ann", on=[on.asked("**")])
    assert ann.external
    assert (ann.name, ann.role) == ("ann", "operator")


# --- together --------------------------------------------------------------------------------------------------------


def test_a_team_without_coders_agrees_under_a_real_controller(board):
    yes = Answers(answer={"approve": True, "reason": "fine"})
    plan = Answers(answer={"questions": PLAN["questions"], "decisions": [], "tasks": []})
    people = Role("planner"), Role("architect"), Role("reviewer", members=3), Role("operator", reliable=True)
    paula, arthur, voter, ann = people
    choreography = Choreography(
        "votes",
        each(
            "style/{name}",
            agree(
                arthur.proposes("style/{name}"),
                by=quorum(2, of=voter),
                within_seconds=300,
                rounds=2,
                otherwise=ann.decides("style/{name}"),
            ),
            at_most=20,
        ),
        may(paula, "ask", "**"),
    )
    team = Team(
        "make me a clock",
        (
            planner("paula", plan),
            architect("arthur", Answers(answer=ISO)),
            *(reviewer(name, yes) for name in ("rita", "rob", "ruby")),
        ),
        choreography=choreography,
        budget=Budget(activations=60),
    )
    outcome = Controller(board, team, workers=1, seed=1).run()
    assert outcome.kind == "converged", outcome
    assert board.snapshot().decision("style/dates").value == "iso"
