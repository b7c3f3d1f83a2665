"""Random histories on a real store give the states, refusals and feed of a model that was written independently.

A history is a list of scripts. Each begins a transaction, reads, acts, and commits now or some scripts later, so that
others slip in between. Each answer is held against the model, and at the end everything that the board says of every
revision. The second half of the file breaks the store in one place after the other:
whatever the model would not notice, it does not test.
"""

import random
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import hypothesis.strategies as st
import pytest
import store_model
from drawing import drawn
from hypothesis import HealthCheck, given, settings
from plan_facts import Witness

from blackboard import Blackboard, BlackboardError, Conflict, Contract, Invalid, Team, external, on
from blackboard.plan import decisions, plan
from blackboard.store import commit, gather, read, reservations, wake

BOUND = 4
DECISIONS = ("a/x", "a/y", "b/x")
COMPONENTS = ("c", "d")
KEYS = (*DECISIONS, *COMPONENTS)


@pytest.fixture(autouse=True)
def nothing_is_reserved(monkeypatch):
    """The model says what is serializable; who may come first has tests of its own."""
    monkeypatch.setattr(reservations, "refused", lambda *_: None)


def weighted(**weights):
    """Return a strategy that draws names, each as often as its weight says."""
    return st.sampled_from([name.replace("_", " ") for name, weight in weights.items() for _ in range(weight)])


decision_keys = st.sampled_from(DECISIONS * 8 + COMPONENTS)
"""Now and then the key of a component, which is an error."""
component_keys = st.sampled_from(COMPONENTS * 12 + ("a/x",))
patterns = st.sampled_from(("a/*", "**", "b/x", "*", "a/**"))
values = st.sampled_from(
    (
        1,
        {"p": 1},
        {"p": 1, "q": 1},
        {"p": 2, "q": 1},
        {"p": 1, "q": 2},
        {"q": 1},
        {"p": 2, "q": 2},
        {"p": 2, "r": [1, 2]},
    )
)
facet_names = st.lists(st.sampled_from(("p", "q", "r", "$")), min_size=1, max_size=2, unique=True)


@dataclass(frozen=True)
class Read:
    what: str
    key: str
    pattern: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Act:
    what: str
    key: str
    component: str
    value: object
    careful: bool
    yes: bool
    evidence: tuple[int, ...]
    implements: tuple[str, ...]


@dataclass(frozen=True)
class Script:
    author: str
    rules: bool
    reads: tuple[Read, ...]
    acts: tuple[Act, ...]
    held: int


reads = st.builds(
    Read,
    weighted(whole=4, facets=5, pattern=3, questions=1, history=2, component=2, components=1, verdicts=1),
    decision_keys,
    patterns,
    facet_names.map(tuple),
)
acts = st.builds(
    Act,
    weighted(decide=9, keep=3, propose=3, retract=3, ask=3, write=9, judge=6),
    decision_keys,
    component_keys,
    values,
    st.sampled_from([True] * 7 + [False]),
    st.booleans(),
    st.lists(st.integers(1, 40), max_size=3).map(tuple),
    st.sampled_from(((), ("b/x",), ("a/*",))),
)
scripts = st.builds(
    Script,
    st.sampled_from(("ann", "bob")),
    st.sampled_from([True] + [False] * 5),
    st.lists(reads, max_size=3).map(tuple),
    st.lists(acts, min_size=1, max_size=3).map(tuple) | st.just(()),
    st.sampled_from((0, 0, 0, 1, 2, 4)),
)
histories = st.lists(scripts, min_size=30, max_size=60)


def composed(count):
    """Return histories, the same each time, in which more happens than in those that Hypothesis likes to repeat."""
    some = drawn(scripts, 300)
    return [random.Random(number).choices(some, k=45) for number in range(count)]


class Play:
    """One history, on a board and in the model."""

    def __init__(self, board: Blackboard, *, role: str | None = None, team: bool = False) -> None:
        self.board = board
        self.role = role
        self.started = board.revision
        self.begun_so_far = 0
        self.model = store_model.Model(BOUND, team=team)
        self.heads = [board.cursor]

    def play(self, history) -> None:
        held: list[tuple[int, object, object]] = []
        for number, script in enumerate(history):
            held.append((number + script.held, *self.begun(script)))
            for due, real, model in [one for one in held if one[0] <= number]:
                held.remove((due, real, model))
                self.commit(real, model)
                self.looks_alike()
        for _, real, model in held:
            self.commit(real, model)
            self.looks_alike()
        self.past_looks_alike()

    def begun(self, script):
        role = self.role or ("operator" if script.rules else None)
        # With a key of its own a blind write is refused where the model refuses it: in the commit.
        self.begun_so_far += 1
        real = self.board.transaction(script.author, role=role, idempotency_key=f"script {self.begun_so_far}")
        model = self.model.begin(script.author, role)
        for one in script.reads:
            self.read(real, model, one)
        for one in script.acts:
            self.act(real, model, one)
        return real, model

    def read(self, real, model, one):
        match one.what:
            case "whole":
                found, standing = real.decision(one.key), model.base.decision(one.key)
                assert (None if found is None else found.value) == (None if standing is None else standing.value)
                model.decision(one.key)
            case "facets":
                real.decision(one.key, facets=one.names)
                model.decision(one.key, one.names)
            case "pattern":
                real.decisions(one.pattern)
                model.decisions(one.pattern)
            case "questions":
                real.questions(one.pattern)
                model.read("questions", one.pattern)
            case "history":
                real.versions(one.key)
                model.read("history", one.key)
            case "component":
                real.component(COMPONENTS[0])
                model.read("component", COMPONENTS[0])
            case "components":
                real.components(one.pattern)
                model.components(one.pattern)
            case "verdicts":
                real.verdicts(COMPONENTS[1])
                model.read("history", COMPONENTS[1])

    def look(self, real, model, one):
        """Read first what is written; who keeps what stands does so always."""
        if one.what == "keep" or (one.careful and one.what in ("decide", "propose", "retract")):
            real.decision(one.key)
            model.decision(one.key)
        if one.careful and one.what == "write":
            real.component(one.component)
            model.read("component", one.component)

    def act(self, real, model, one):
        self.look(real, model, one)
        match one.what:
            case "decide":
                real.decide(one.key, Contract.value(one.value))
                model.act("decide", one.key, one.value)
            case "keep" if (found := real.decision(one.key)) is not None:
                real.decide(one.key, found.contract)
                model.act("decide", one.key, found.value)
            case "propose":
                # What nobody has read yet cannot be cited.
                there = [revision for revision in one.evidence if 1 <= revision + self.started <= real.revision]
                cited = [revision + self.started for revision in there]
                real.propose(one.key, Contract.value(one.value), evidence=cited)
                model.act("propose", one.key, one.value, there)
            case "retract":
                real.retract(one.key, reason="no")
                model.act("retract", one.key, "no")
            case "ask":
                real.ask(one.key, "how?" if one.yes else "why?")
                model.act("ask", one.key, "how?" if one.yes else "why?")
            case "write":
                real.write(one.component, {"f.txt": "one" if one.yes else "two"}, implements=one.implements)
                model.write(one.component, {"f.txt": "one" if one.yes else "two"}, one.implements)
            case "judge" if self.role is None:  # an operator has no right to judge
                real.verdict("unit", one.component, passed=one.yes)
                model.verdict("unit", one.component, passed=one.yes)

    def commit(self, real, model):
        before = self.board.revision
        try:
            done = real.commit()
        except BlackboardError as error:
            self.refused(error, model)
            assert self.board.revision == before
            return
        expected = model.commit()
        assert (done.revision - self.started, done.accepted) == expected
        assert done.head_before == before
        if done.revision != before:
            self.heads.append(self.board.cursor)

    def refused(self, error, model):
        with pytest.raises(store_model.Refused) as refusal:
            model.commit()
        name = "InvalidKey" if isinstance(error, Invalid) else type(error).__name__
        assert name == refusal.value.name, (error, refusal.value)
        if isinstance(error, Conflict):
            assert {premise.key for premise in error.premises} == refusal.value.keys, error

    # --- what is held against the model ---

    def looks_alike(self):
        assert self.board.revision - self.started == self.model.revision
        with self.board.store.database.reading() as connection:
            found = dict(connection.raw.execute("SELECT key, state FROM component_state").fetchall())
        assert found == {key: self.model.head.freshness(key) for key, one in self.model.head.keys.items() if one.builds}

    def past_looks_alike(self):
        feed = [
            (one.revision - self.started, one.ordinal, one.kind, one.key, one.version, one.author)
            for one in self.board.changes(after=self.started)
        ]
        assert feed == self.model.feed
        for revision, past in enumerate(self.model.past):
            self.alike(self.board.snapshot(at=revision + self.started), past)
        self.board.verify(known_head=self.heads[len(self.heads) // 2])

    def alike(self, snapshot, model):
        assert {one.key: (one.value, one.version, one.state) for one in snapshot.decisions() if one.key in KEYS} == {
            key: (one.value, one.current, one.state) for key, one in model.keys.items() if one.accepted
        }
        for key in KEYS:
            known = model.keys[key].versions if key in model.keys else []
            versions = list(snapshot.versions(key))
            assert [(one.contract.text, one.state, one.author) for one in versions] == [
                (Contract.value(one.value).text, one.state, one.author) for one in known
            ]
            assert [one.reason if one.state == "retracted" else "" for one in versions] == [one.reason for one in known]
        assert {one.key: one.question for one in snapshot.questions()} == {
            key: one.question for key, one in model.keys.items() if one.question is not None
        }
        assert {one.key: (one.version, one.state, one.author) for one in snapshot.components()} == {
            key: (len(one.builds), model.freshness(key), one.builds[-1].author)
            for key, one in model.keys.items()
            if one.builds
        }
        for component in snapshot.components():
            built = model.component(component.key)
            assert {path: data.decode() for path, data in component.files.items()} == built.files
            assert {one.check: one.passed for one in snapshot.verdicts(component.key)} == {
                check: passed for check, (passed, _) in built.verdicts.items()
            }


class WithATeam(Play):
    """The same under a team whose source waits for whatever becomes stale; everything is done by the operator."""

    def __init__(self, board):
        board.install(Team("build", [external("watcher", role="coder", on=on.stale("**"))]))
        super().__init__(board, role="operator", team=True)

    def looks_alike(self):
        """Hold also that nothing sleeps: what is stale is pending, what is current again is not."""
        super().looks_alike()
        query = """SELECT k.key FROM activation a JOIN key k ON k.id = a.target_id
            WHERE a.state = 'pending' AND a.source = 'watcher'"""
        with self.board.store.database.reading() as connection:
            pending = {row[0] for row in connection.raw.execute(query)}
        head = self.model.head
        assert pending == {key for key, one in head.keys.items() if one.builds and head.freshness(key) != "current"}


@pytest.fixture(autouse=True)
def _a_small_bound(monkeypatch):
    monkeypatch.setattr("blackboard.plan.decisions.GENERATION_BOUND", BOUND)


def in_memory(play, history):
    with Blackboard.in_memory() as board:
        play(board).play(history)


def on_a_file(play, history):
    with tempfile.TemporaryDirectory() as folder:
        with Blackboard.open(Path(folder) / "board.db", create=True, durability="normal") as board:
            play(board).play(history)


@pytest.mark.parametrize(
    ("play", "where"), [(Play, in_memory), (WithATeam, in_memory), (Play, on_a_file)], ids=["alone", "team", "file"]
)
def test_random_histories_give_what_the_model_gives(play, where, length):
    @settings(max_examples=length(25, 2000), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(histories)
    def every(history):
        where(play, history)

    every()


def test_whatever_a_plan_of_a_random_history_asked_is_in_its_footprint(monkeypatch, length):
    def witnessed(facts, intent):
        witness = Witness(facts)
        made = plan(witness, intent)
        assert witness.missed_by(made.footprint) == set(), intent
        return made

    monkeypatch.setattr("blackboard.transaction.plan", witnessed)

    @settings(max_examples=length(10, 500), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(histories)
    def every(history):
        in_memory(WithATeam, history)

    every()


# --- tests of the tests: each of these stores is broken on purpose, and the model has to notice -----------------------


def without(*kinds):
    """Return a validation that overlooks some reads."""
    honest = commit.broken_reads
    return lambda on, intent: [one for one in honest(on, intent) if one[0] not in kinds]


def nothing(*_arguments, **_named):
    return None


def effects_none():
    honest = decisions.note_effects

    def every_change_is_harmless(draft, key, body):
        before = len(draft.rows)
        honest(draft, key, body)
        draft.rows[before:] = [row._replace(uses="none", implements="none") for row in draft.rows[before:]]

    return every_change_is_harmless


def states_of_the_head():
    honest = read.versions

    def versions(on, row, at):
        return honest(on, row, at + 1)

    return versions


def quietly():
    honest = wake.update_agenda
    return lambda turn, revision, plan, **named: honest(turn, revision, plan._replace(reshaped=()), **named)


def of_files_alone():
    honest = gather.components
    return lambda on, at: {key: replace(one, pins=(), values=()) for key, one in honest(on, at).items()}


BROKEN = {
    "no read is validated": ("blackboard.store.commit.broken_reads", lambda: lambda *_: []),
    "no whole read is validated": ("blackboard.store.commit.broken_reads", lambda: without("decision")),
    "no pattern is validated": ("blackboard.store.commit.broken_reads", lambda: without("pattern")),
    "no facet is validated": ("blackboard.store.commit.broken_reads", lambda: without("facet")),
    "no history is validated": ("blackboard.store.commit.broken_reads", lambda: without("history")),
    "no component is validated": ("blackboard.store.commit.broken_reads", lambda: without("component")),
    "nobody looks what changed since": ("blackboard.store.commit._touched", lambda: nothing),
    "blind overwrites pass": ("blackboard.plan.draft.Draft.require_read", lambda: nothing),
    "old texts return": ("blackboard.plan.decisions._refuse_return", lambda: nothing),
    "no key is bounded": ("blackboard.plan.decisions.GENERATION_BOUND", lambda: 10**6),
    "every change is harmless": ("blackboard.plan.decisions.note_effects", effects_none),
    "patterns have no members": ("blackboard.store.apply.Application._membership", lambda: nothing),
    "facets never move": ("blackboard.plan._head_rows", lambda: lambda _: []),
    "questions never close": ("blackboard.plan.draft.Draft.close", lambda: nothing),
    "premises do not matter": ("blackboard.plan.builds._compared", lambda: lambda *_: frozenset()),
    "proposals outlive the winner": ("blackboard.plan.draft.Draft.reject_live", lambda: nothing),
    "versions have the states of the future": ("blackboard.store.read.versions", states_of_the_head),
    "the function knows no new members": ("blackboard.store.read._joined_at", lambda: lambda *_: 0),
    "a verdict rests on its own component alone": ("blackboard.transaction.closure", lambda: lambda key, _: (key,)),
    "a verdict is about files alone": ("blackboard.store.gather.components", of_files_alone),
}
BROKEN_TEAMS = {
    "nobody is woken": ("blackboard.store.commit.update_agenda", quietly),
    "decisions rest on nothing": ("blackboard.plan.decisions.premises_of", lambda: lambda _: ()),
    "nobody looks again": ("blackboard.plan.decisions.was_read_broken", lambda: lambda *_: False),
    "who looks always looks again": (
        "blackboard.plan.decisions.was_read_broken",
        lambda: lambda draft, record: draft.intent.reads.whole(record.key, record.kind),
    ),
}


@pytest.fixture(scope="module")
def tried():
    return composed(40)


@pytest.mark.parametrize("name", [*BROKEN, *BROKEN_TEAMS])
def test_the_model_notices_that(name, tried, monkeypatch):
    place, broken = {**BROKEN, **BROKEN_TEAMS}[name]
    in_memory(WithATeam, tried[0])
    monkeypatch.setattr(place, broken())
    # That something was not refused is told by pytest's own exception, which is no `Exception`.
    with pytest.raises((Exception, pytest.fail.Exception)):
        for history in tried:
            in_memory(WithATeam if name in BROKEN_TEAMS else Play, history)
