"""One commit slipped between the plan and the apply of another, for every pair that could fool them.

A race finds such a moment by chance; here it is arranged: the planning function that the commit is given is wrapped, so
that when it returns somebody else has committed. `SCENARIOS` says for each pair what must come of it. Each plan is made
as a long one is, by who wants it: who leads the queue could not let others of its process go first.
"""

from dataclasses import dataclass

import pytest
from plan_facts import Witness

from blackboard import (
    Blackboard,
    BlackboardError,
    Conflict,
    Contract,
    IllegalTransition,
    NotPermitted,
    Returning,
    Team,
    external,
    on,
)
from blackboard import transaction as transactions
from blackboard.choreography import Choreography, Role, agree, each, may, quorum
from blackboard.plan import plan
from blackboard.spec.changes import EffectRow
from blackboard.store import apply
from blackboard.store.apply import Application

IDS = {"kind": "int", "maker": "server"}


def team(*, reviewers=3, watchers=("watcher",), at_most=100):
    architect, operator = Role("architect", reliable=True), Role("operator", reliable=True)
    reviewer = Role("reviewer", members=reviewers, reliable=True)
    agreed = agree(
        architect.proposes("api/{name}"),
        by=quorum(2, of=reviewer),
        rounds=3,
        amendments=5,
        otherwise=operator.decides("api/{name}"),
    )
    choreography = Choreography("voting", each("api/{name}", agreed, at_most=at_most), may(architect, "ask", "api/*"))
    members = [external("art", role="architect", on=on.asked("api/*"))]
    members += [external(name, role="architect", on=on.stale("**")) for name in watchers]
    members += [external(f"rev-{n}", role="reviewer", on=on.proposed("api/*")) for n in range(1, reviewers + 1)]
    return Team("agree", members, choreography=choreography)


class Stage:
    """A board, what is done on it, and what came of the commit that was overtaken."""

    def __init__(self, board: Blackboard, to) -> None:
        self.board, self.to = board, to
        self.error: BlackboardError | None = None
        self.committed = None

    def begin(self, author="ann", *, role="operator"):
        return self.board.transaction(author, role=role)

    def decided(self, key, value):
        self.to.decided(key, value, by="boss", role="operator")

    def decide(self, transaction, key, value):
        transaction.decision(key)
        transaction.decide(key, Contract.value(value))
        return transaction

    def build(self, transaction, *, uses=(), facets=None, listed=(), component="server"):
        transaction.component(component)
        for key in uses:
            transaction.decision(key)
        for key, names in (facets or {}).items():
            transaction.decision(key, facets=names)
        for pattern in listed:
            transaction.decisions(pattern)
        transaction.write(component, {f"{component}.txt": transaction.author})
        return transaction

    def vote(self, author, key="api/ids", version=1, *, approve=True):
        transaction = self.board.transaction(author)
        transaction.vote(key, version=version, approve=approve)
        return transaction

    def pending(self, source="watcher"):
        query = """SELECT k.key FROM activation a JOIN key k ON k.id = a.target_id
            WHERE a.state = 'pending' AND a.source = ?"""
        with self.board.store.database.reading() as connection:
            return {row[0] for row in connection.raw.execute(query, (source,))}

    def needs(self, component):
        query = """SELECT d.key FROM need n JOIN key c ON c.id = n.component_id JOIN key d ON d.id = n.key_id
            WHERE c.key = ?"""
        with self.board.store.database.reading() as connection:
            return {row[0] for row in connection.raw.execute(query, (component,))}

    def state(self, component="server"):
        return self.board.snapshot().component(component).state

    def value(self, key):
        found = self.board.snapshot().decision(key)
        return None if found is None else found.value

    def count(self, kind, key):
        return sum(1 for one in self.board.changes(after=0) if (one.kind, one.key) == (kind, key))

    # --- what must come of it ---

    def refused(self, error, *keys):
        assert isinstance(self.error, error), (self.error, self.committed)
        if error is Conflict:
            assert {premise.key for premise in self.error.premises} == set(keys)

    def went_through(self):
        assert self.error is None, self.error


@dataclass(frozen=True)
class Scenario:
    """What stands before, the commit that is overtaken, what overtakes it, and what must come of it."""

    before: object
    overtaken: object
    between: object
    after: object


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


def play(scenario, board, to, monkeypatch) -> None:
    """Play a scenario; raises AssertionError where something got through."""
    stage = Stage(board, to)
    scenario.before(stage)
    planning, once = transactions.plan, []

    def overtaken(facts, intent):
        made = planning(facts, intent)
        if not once:
            once.append(True)
            scenario.between(stage)
        return made

    first = scenario.overtaken(stage)
    with monkeypatch.context() as patched:
        patched.setattr(transactions, "plan", overtaken)
        patched.setattr("blackboard.store.commit._is_short", lambda _: False)
        try:
            stage.committed = first.commit()
        except BlackboardError as error:
            stage.error = error
    assert once, "nothing slipped in between"
    scenario.after(stage)
    board.verify()


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_slips_in_between_plan_and_apply_is_noticed(name, file_board, given, monkeypatch):
    play(SCENARIOS[name], file_board, given(file_board), monkeypatch)


@pytest.mark.parametrize("rounds", [1, 2, 3, 7])
def test_a_commit_that_is_overtaken_again_and_again_gets_through(file_board, given, monkeypatch, rounds):
    """After two plans outside it is planned under the board's row, where nobody can slip in."""
    board, overtaken = file_board, []
    given(board).decided("x", 0)

    def slow(facts, intent):
        made = plan(facts, intent)
        if intent.author == "ann" and len(overtaken) < min(rounds, 2):
            overtaken.append(True)
            given(board).asked("x" if len(overtaken) == 1 else "y", by="bob")
        return made

    transaction = board.transaction("ann")
    transaction.decision("x")
    transaction.decide("x", Contract.value(1))
    transaction.ask("y", "why?")
    monkeypatch.setattr(transactions, "plan", slow)
    monkeypatch.setattr("blackboard.store.commit._is_short", lambda _: False)
    try:
        transaction.commit()
    except IllegalTransition:
        assert rounds > 1  # the other one asked another question about y
    else:
        assert board.snapshot().decision("x").value == 1


def witnessed(facts, intent):
    witness = Witness(facts)
    made = plan(witness, intent)
    assert witness.missed_by(made.footprint) == set(), intent
    return made


@pytest.mark.parametrize("name", SCENARIOS)
def test_whatever_any_of_these_plans_asked_is_in_its_footprint(name, file_board, given, monkeypatch):
    monkeypatch.setattr(transactions, "plan", witnessed)
    monkeypatch.setattr("blackboard.board.plan", witnessed)
    play(SCENARIOS[name], file_board, given(file_board), monkeypatch)


# --- tests of the tests ----------------------------------------------------------------------------------------------

NEEDS_THE_FOOTPRINT = {
    "two deciding votes",
    "two votes that decide together",
    "two votes that reject together",
    "a vote and a withdrawal",
    "a vote and a ruling",
    "two first texts, blindly",
    "a team with another reviewer",
    "a team without the proposer",
    "a team with another watcher",
    "the last place of an each",
    "a decision before the task that names its pattern lands",
    "a text that was given up meanwhile",
}
"""What only the footprint notices: nothing that these transactions read has changed."""

NEEDS_THE_READS = {
    "lost update",
    "write skew",
    "phantom",
    "a facet each",
    "a vote under a history that was read",
    "an amendment of the pinned facet before the component lands",
    "a new match before the component lands",
    "a retraction before the component lands",
}
"""What is noticed by validating reads; the plan made anew would go through."""


def caught(scenario, board, to, monkeypatch) -> bool:
    try:
        play(scenario, board, to, monkeypatch)
    except Exception:  # noqa: BLE001 - a broken store may fail in any way
        return True
    return False


@pytest.mark.parametrize("name", sorted(NEEDS_THE_FOOTPRINT))
def test_a_store_that_never_looks_at_the_footprint_is_caught(name, file_board, given, monkeypatch):
    monkeypatch.setattr("blackboard.store.commit._overtaken", lambda *_: False)
    assert caught(SCENARIOS[name], file_board, given(file_board), monkeypatch)


@pytest.mark.parametrize("name", sorted(NEEDS_THE_READS))
def test_a_store_that_validates_no_reads_is_caught(name, file_board, given, monkeypatch):
    monkeypatch.setattr("blackboard.store.commit.broken_reads", lambda *_: [])
    assert caught(SCENARIOS[name], file_board, given(file_board), monkeypatch)


@pytest.mark.parametrize("name", ["a pin before the amendment lands", "a pin of one facet before the amendment lands"])
def test_a_store_that_computes_effects_only_for_the_pins_it_saw_is_caught(name, file_board, given, monkeypatch):
    """The trap of the design's appendix: a pin that lands in between would sleep for ever."""
    effects = Application._effects

    def asleep(self, rows):
        said = "nobody pinned it when it was planned"
        effects(self, [EffectRow(row.key, row.name, row.old_since, "none", "none", said) for row in rows])

    monkeypatch.setitem(apply._APPLY, EffectRow, asleep)
    assert caught(SCENARIOS[name], file_board, given(file_board), monkeypatch)
