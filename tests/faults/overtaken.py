"""A commit that is overtaken between its plan and its apply, as it is arranged."""

from dataclasses import dataclass

from blackboard import (
    Blackboard,
    BlackboardError,
    Conflict,
    Contract,
    Team,
    external,
    on,
)
from blackboard import transaction as transactions
from blackboard.choreography import Choreography, Role, agree, each, may, quorum

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

    def build(self, transaction, *, component="server", **premises):
        self.to.write(transaction, component, transaction.author, **premises)
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
        query = """SELECT d.key FROM requirement n JOIN key c ON c.id = n.component_id JOIN key d ON d.id = n.key_id
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
