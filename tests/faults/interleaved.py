"""Pairs of commits that could fool each other, and what must come of each."""

from overtaken import IDS, Scenario, team

from blackboard import (
    Conflict,
    Contract,
    IllegalTransition,
    NotPermitted,
    Returning,
)


def _lost_update(stage):
    stage.refused(Conflict, "x")
    assert stage.value("x") == 2


def _skewed(stage):
    stage.refused(Conflict, "y")
    assert (stage.value("x"), stage.value("y")) == (1, 0)


def _phantom(stage):
    stage.refused(Conflict, "a/new")
    assert stage.value("sum") is None


def _both_facets(stage):
    stage.refused(Conflict, "x")
    assert stage.value("x") == {**IDS, "b": 1}


def _one_acceptance(stage):
    assert stage.count("accepted", "api/ids") == 1
    assert stage.value("api/ids") == "int"
    stage.refused(IllegalTransition)


def _accepted_by_the_second(stage):
    stage.went_through()
    assert stage.count("accepted", "api/ids") == 1


def _rejected_by_the_second(stage):
    stage.went_through()
    assert [one.state for one in stage.board.snapshot().versions("api/ids")] == ["rejected"]


def _stale_and_told(stage):
    stage.went_through()
    assert stage.state() == "stale"
    assert stage.pending() == {"server"}


def _orphaned_and_told(stage):
    stage.went_through()
    assert stage.state() == "orphaned"
    assert stage.pending() == {"server"}


def _current_and_quiet(stage):
    stage.went_through()
    assert stage.state() == "current"
    assert stage.pending() == set()
    stage.decided("x", {**IDS, "kind": "bool", "maker": "x"})
    assert (stage.state(), stage.pending()) == ("stale", {"server"})


def _with_a_proposal(stage):
    stage.board.install(team())
    stage.to.proposed("api/ids", "int", by="art")


def _with_a_vote(stage, *, approve=True):
    _with_a_proposal(stage)
    stage.vote("rev-1", approve=approve).commit()


def _started(stage):
    stage.board.install(team())
    stage.decided("x", IDS)
    stage.decided("y", 1)


def _propose(stage, key="api/ids", value="int", author="art"):
    transaction = stage.board.transaction(author)
    transaction.decision(key)
    transaction.propose(key, Contract.value(value))
    return transaction


def _ask(stage, key):
    transaction = stage.board.transaction("art")
    transaction.ask(key, "which?")
    return transaction


def _task(stage, **named):
    transaction = stage.begin()
    transaction.decide("task/server", Contract.task(summary="build", **named))
    return transaction


def _electorate_is_the_new_teams(stage):
    stage.went_through()
    assert stage.board.snapshot().versions("api/ids")[0].electorate == ("rev-1", "rev-2", "rev-3", "rev-4")


def _retract(stage, key):
    transaction = stage.begin()
    transaction.decision(key)
    transaction.retract(key, reason="no")
    return transaction


def _needs_both(stage):
    stage.went_through()
    assert stage.needs("server") >= {"db/ids"}


def _new_watcher_is_told(stage):
    stage.went_through()
    stage.decided("x", 3)
    assert stage.pending("newcomer") == {"server"}


def _only_one_within_bounds(stage):
    stage.refused(NotPermitted)
    assert {one.key for one in stage.board.snapshot().questions()} == {"api/a", "api/b"}


def _returns(stage):
    stage.refused(Returning)


def _ask_and_close(stage):
    stage.went_through()
    assert [one.key for one in stage.board.snapshot().questions()] == ["x"]


def _gone_before(stage):
    assert isinstance(stage.error, Conflict | IllegalTransition)
    assert stage.count("retracted", "x") == 1


def _history_changed(stage):
    stage.refused(Conflict, "api/ids")


def _old_verdict(stage):
    stage.refused(Conflict, "server")
    assert stage.board.snapshot().verdicts("server") == ()


def _judged(stage):
    transaction = stage.board.transaction("tess", role=None)
    transaction.verdict("unit", "server", passed=True)
    return transaction


def _withdrawn(stage):
    stage.refused(IllegalTransition)
    assert [one.state for one in stage.board.snapshot().versions("api/ids")] == ["withdrawn"]


def _withdraw(stage):
    transaction = stage.board.transaction("art")
    transaction.withdraw("api/ids", version=1)
    return transaction


def _chosen_by_operator(stage):
    assert stage.count("accepted", "api/ids") == 1
    stage.refused(IllegalTransition)
    assert stage.value("api/ids") == "ruled"


def _without_a_team(stage):
    stage.to.written("server")


SCENARIOS = {
    "lost update": Scenario(
        _started,
        lambda stage: stage.decide(stage.begin(), "x", 1),
        lambda stage: stage.decide(stage.begin("bob"), "x", 2).commit(),
        _lost_update,
    ),
    "write skew": Scenario(
        lambda stage: (_started(stage), stage.decided("x", 1)),
        lambda stage: [tx := stage.begin(), tx.decision("y"), stage.decide(tx, "x", 0)][-1],
        lambda stage: [tx := stage.begin("bob"), tx.decision("x"), stage.decide(tx, "y", 0)][-1].commit(),
        _skewed,
    ),
    "phantom": Scenario(
        _started,
        lambda stage: [tx := stage.begin(), tx.decisions("a/*"), stage.decide(tx, "sum", 0)][-1],
        lambda stage: stage.decided("a/new", 1),
        _phantom,
    ),
    "phantom in an empty commit": Scenario(
        _started,
        lambda stage: [tx := stage.begin(), tx.decisions("a/*"), stage.decide(tx, "sum", 0)][-1],
        lambda stage: stage.decided("a/new", 1),
        _phantom,
    ),
    "a facet each": Scenario(
        _started,
        lambda stage: stage.decide(stage.begin(), "x", {**IDS, "a": 1}),
        lambda stage: stage.decided("x", {**IDS, "b": 1}),
        _both_facets,
    ),
    "two deciding votes": Scenario(
        _with_a_vote, lambda stage: stage.vote("rev-2"), lambda stage: stage.vote("rev-3").commit(), _one_acceptance
    ),
    "two votes that decide together": Scenario(
        _with_a_proposal,
        lambda stage: stage.vote("rev-2"),
        lambda stage: stage.vote("rev-3").commit(),
        _accepted_by_the_second,
    ),
    "two votes that reject together": Scenario(
        _with_a_proposal,
        lambda stage: stage.vote("rev-2", approve=False),
        lambda stage: stage.vote("rev-3", approve=False).commit(),
        _rejected_by_the_second,
    ),
    "a vote and a withdrawal": Scenario(
        _with_a_vote, lambda stage: stage.vote("rev-2"), lambda stage: _withdraw(stage).commit(), _withdrawn
    ),
    "a vote and a ruling": Scenario(
        _with_a_vote,
        lambda stage: stage.vote("rev-2"),
        lambda stage: stage.decided("api/ids", "ruled"),
        _chosen_by_operator,
    ),
    "a vote under a history that was read": Scenario(
        _with_a_proposal,
        lambda stage: [
            tx := stage.begin(),
            tx.versions("api/ids"),
            tx.decide("free", Contract.value(1)),
        ][0],
        lambda stage: stage.vote("rev-1").commit(),
        _history_changed,
    ),
    "a pin before the amendment lands": Scenario(
        _started,
        lambda stage: stage.decide(stage.begin(), "x", {**IDS, "kind": "text"}),
        lambda stage: stage.build(stage.begin("bob"), uses=["x"]).commit(),
        _stale_and_told,
    ),
    "a pin of one facet before the amendment lands": Scenario(
        _started,
        lambda stage: stage.decide(stage.begin(), "x", {**IDS, "kind": "text"}),
        lambda stage: stage.build(stage.begin("bob"), facets={"x": ["kind"]}).commit(),
        _stale_and_told,
    ),
    "a pin of an absent facet before it appears": Scenario(
        _started,
        lambda stage: stage.decide(stage.begin(), "x", {**IDS, "style": "snake"}),
        lambda stage: stage.build(stage.begin("bob"), facets={"x": ["style"]}).commit(),
        _stale_and_told,
    ),
    "a pin of another facet before the amendment lands": Scenario(
        _started,
        lambda stage: stage.decide(stage.begin(), "x", {**IDS, "kind": "text"}),
        lambda stage: stage.build(stage.begin("bob"), facets={"x": ["maker"]}).commit(),
        _current_and_quiet,
    ),
    "a pin before the retraction lands": Scenario(
        _started,
        lambda stage: _retract(stage, "x"),
        lambda stage: stage.build(stage.begin("bob"), uses=["x"]).commit(),
        _orphaned_and_told,
    ),
    "a list before the new match lands": Scenario(
        _started,
        lambda stage: stage.decide(stage.begin(), "a/new", 1),
        lambda stage: stage.build(stage.begin("bob"), listed=["a/*"]).commit(),
        _stale_and_told,
    ),
    "an amendment of the pinned facet before the component lands": Scenario(
        _started,
        lambda stage: stage.build(stage.begin(), facets={"x": ["kind"]}),
        lambda stage: stage.decided("x", {**IDS, "kind": "text"}),
        lambda stage: stage.refused(Conflict, "x"),
    ),
    "an amendment of another facet before the component lands": Scenario(
        _started,
        lambda stage: stage.build(stage.begin(), facets={"x": ["kind"]}),
        lambda stage: stage.decided("x", {**IDS, "maker": "client"}),
        _current_and_quiet,
    ),
    "there and back before the component lands": Scenario(
        _started,
        lambda stage: stage.build(stage.begin(), facets={"x": ["kind"]}),
        lambda stage: (stage.decided("x", {**IDS, "kind": "text"}), stage.decided("x", IDS)),
        _current_and_quiet,
    ),
    "a new match before the component lands": Scenario(
        _started,
        lambda stage: stage.build(stage.begin(), listed=["a/*"]),
        lambda stage: stage.decided("a/new", 1),
        lambda stage: stage.refused(Conflict, "a/new"),
    ),
    "a retraction before the component lands": Scenario(
        _started,
        lambda stage: stage.build(stage.begin(), uses=["x"]),
        lambda stage: _retract(stage, "x").commit(),
        lambda stage: stage.refused(Conflict, "x"),
    ),
    "a retraction before a component lands that looked for an absent facet": Scenario(
        _started,
        lambda stage: stage.build(stage.begin(), facets={"x": ["style"]}),
        lambda stage: _retract(stage, "x").commit(),
        lambda stage: stage.refused(Conflict, "x"),
    ),
    "two first versions of a component": Scenario(
        _started,
        lambda stage: stage.build(stage.begin()),
        lambda stage: stage.build(stage.begin("bob")).commit(),
        lambda stage: stage.refused(Conflict, "server"),
    ),
    "two first texts, blindly": Scenario(
        _started,
        lambda stage: [tx := stage.begin(), tx.decide("z", Contract.value(1))][0],
        lambda stage: stage.decided("z", 2),
        lambda stage: stage.refused(Conflict, "z"),
    ),
    "two retractions": Scenario(
        _started, lambda stage: _retract(stage, "x"), lambda stage: _retract(stage, "x").commit(), _gone_before
    ),
    "a team with another reviewer": Scenario(
        lambda stage: stage.board.install(team()),
        _propose,
        lambda stage: stage.board.install(team(reviewers=4)),
        _electorate_is_the_new_teams,
    ),
    "a team without the proposer": Scenario(
        lambda stage: stage.board.install(team(watchers=("watcher", "extra"))),
        lambda stage: _propose(stage, author="extra"),
        lambda stage: stage.board.install(team()),
        lambda stage: stage.refused(NotPermitted),
    ),
    "a team with another watcher": Scenario(
        _started,
        lambda stage: stage.build(stage.begin(), uses=["x"]),
        lambda stage: stage.board.install(team(watchers=("watcher", "newcomer"))),
        _new_watcher_is_told,
    ),
    "the last place of an each": Scenario(
        lambda stage: (stage.board.install(team(at_most=2)), _ask(stage, "api/a").commit()),
        lambda stage: _ask(stage, "api/c"),
        lambda stage: _ask(stage, "api/b").commit(),
        _only_one_within_bounds,
    ),
    "a decision before the task that names its pattern lands": Scenario(
        _started, lambda stage: _task(stage, uses=["db/*"]), lambda stage: stage.decided("db/ids", 1), _needs_both
    ),
    "a task that names its pattern before the decision lands": Scenario(
        _started,
        lambda stage: stage.decide(stage.begin(), "db/ids", 1),
        lambda stage: _task(stage, uses=["db/*"]).commit(),
        _needs_both,
    ),
    "a text that was given up meanwhile": Scenario(
        lambda stage: (stage.board.install(team()), stage.decided("api/ids", "int")),
        lambda stage: _propose(stage, value="text"),
        lambda stage: (stage.decided("api/ids", "text"), stage.decided("api/ids", "int")),
        _returns,
    ),
    "a question on a key that is decided meanwhile": Scenario(
        _started,
        lambda stage: [tx := stage.begin(), tx.ask("x", "why?")][0],
        lambda stage: stage.decided("x", 3),
        _ask_and_close,
    ),
    "a verdict on a component that is rewritten meanwhile": Scenario(
        _without_a_team,
        _judged,
        lambda stage: stage.to.written("server", "two"),
        _old_verdict,
    ),
}
