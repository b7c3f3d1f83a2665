"""The agenda in SQL: who may claim what, what becomes of it, and what every end of a lease settles."""

import json
import os
import uuid

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from blackboard.control.simulation import FakeClock
from blackboard.errors import BudgetExhausted, LeaseLost
from blackboard.spec.activation import Activation, ActivationState, Ending
from blackboard.spec.effects import Side
from blackboard.spec.inputs import BuiltComponent, closure
from blackboard.spec.staleness import Freshness, Pin
from blackboard.store import agenda, budgets, claims, ratings, schema, views
from blackboard.store.agenda import End
from blackboard.store.claims import Claimants, Claimed
from blackboard.store.dialect import DIALECT
from blackboard.store.opened import Store
from blackboard.store.sqlite import Database
from blackboard.store.statements import Statement
from blackboard.store.writer import Writer


class Board:
    """A board's control tables with just as much spec as an agenda needs."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        database = Database(None, f"agenda-{uuid.uuid4().hex}")
        self.store = Store(database, Writer(database, self.clock), self.clock)
        self._keep = database.connect()
        for table in schema.metadata.sorted_tables:
            self._keep.raw.execute(str(sa.schema.CreateTable(table).compile(dialect=DIALECT)))
            for index in sorted(table.indexes, key=lambda one: one.name or ""):
                self._keep.raw.execute(str(sa.schema.CreateIndex(index).compile(dialect=DIALECT)))
        for name, text in views.VIEWS.items():
            self._keep.raw.execute(f"CREATE VIEW {name} AS {text}")
        self._keep.raw.execute("CREATE TABLE alembic_version (version_num TEXT)")
        self._keep.raw.execute("INSERT INTO board VALUES (1, 'epoch', 7, '', 0, 0, 1, NULL, '')")

    def do(self, text: str, /, **parameters: object) -> None:
        with self.store.writer.turn() as turn:
            turn.run(Statement(text), parameters)

    def ask(self, text: str, /, **parameters: object) -> list[tuple]:
        with self.store.database.reading() as connection:
            return [tuple(row) for row in connection.all(Statement(text), parameters)]

    def key(self, key: str, kind: str = "decision", state: str = "accepted", current: int | None = 1) -> int:
        self.do(
            "INSERT INTO key (key, kind, state, last_version, current, generation, create_revision, member_revision, "
            "question_revision, mod_revision) VALUES (:key, :kind, :state, 1, :current, 0, 1, 1, 0, 1)",
            key=key,
            kind=kind,
            state=state,
            current=current,
        )
        return self.id(key)

    def id(self, key: str) -> int:
        return self.ask("SELECT id FROM key WHERE key = :key", key=key)[0][0]

    def decided(self, key: str, value: object) -> None:
        identifier = self.key(key)
        self.do(
            "INSERT INTO version VALUES (:id, 1, 'value', :text, '{}', '', 'accepted', NULL, 'ann', NULL, '', '[]', "
            "NULL, NULL, 1, NULL, '', 1, NULL, NULL)",
            id=identifier,
            text=json.dumps(value),
        )

    def source(self, name: str, *, role: str = "coder", check: str = "", runs: int = 1, retries: int = 2) -> None:
        record = {"role": role, "on": [], "external": False, "check": check}
        self.decided(f"source/{name}", {**record, "max_concurrency": runs, "retries": retries})

    def woken(self, source: str, target: str, kind: str = "required", *, rating: float = 0) -> None:
        self.do(
            "INSERT INTO activation (source, target_id, kind, state, rating, dirty, attempts, revision, since, "
            "not_before, error, reason) VALUES (:source, :target, :kind, 'pending', :rating, 0, 0, 7, "
            ":since, 0, NULL, '')",
            source=source,
            target=self.id(target),
            kind=kind,
            rating=rating,
            since=self.clock(),
        )

    def written(self, component: str, *, uses: tuple[str, ...] = (), implements: tuple[str, ...] = ()) -> None:
        identifier = self.key(component, "component", "written")
        for side, keys in (("uses", uses), ("implements", implements)):
            for key in keys:
                self.do(
                    "INSERT INTO pin VALUES (:component, 1, :key, 'f', :side, 1, 1, 'd', NULL)",
                    component=identifier,
                    key=self.id(key),
                    side=side,
                )
                self.do("INSERT OR IGNORE INTO head_facet VALUES (:key, 'f', 1, 'd')", key=self.id(key))

    def needed(self, component: str, *keys: str) -> None:
        for key in keys:
            self.do("INSERT INTO need VALUES (:component, :key, 1)", component=self.id(component), key=self.id(key))

    def claim(self, *names: str, limit: int = 10, **more: object) -> tuple[Claimed, ...]:
        return claims.claim(self.store, Claimants(names, **more), limit=limit, lease_seconds=5)

    def states(self) -> dict[tuple[str, str], str]:
        rows = self.ask("SELECT a.source, k.key, a.state FROM activation a JOIN key k ON k.id = a.target_id")
        return {(source, key): state for source, key, state in rows}

    def end(self, one: Claimed, ending: Ending, **more: object) -> bool:
        return one.token in agenda.end(self.store, [End(one.token, ending, **more)])

    def claimable(self, name: str) -> bool:
        return claims._any_ready(self.store, [name])

    def open(self) -> tuple[Activation, ...]:
        with self.store.database.reading() as connection:
            return agenda.open_activations(connection)

    def account(self, resource: str) -> budgets.Account:
        with self.store.database.reading() as connection:
            return budgets.accounts(connection)[resource]


@pytest.fixture
def board() -> Board:
    return Board()


def targets(claimed: tuple[Claimed, ...]) -> list[tuple[str, str]]:
    return [(one.source, one.target) for one in claimed]


def test_the_highest_rating_comes_first_and_among_equals_the_oldest(board):
    board.source("ann", runs=9)
    for key in ("a", "b", "c"):
        board.key(key)
    board.woken("ann", "a", "asked")
    board.clock.sleep(1)
    board.woken("ann", "b", "asked")
    board.woken("ann", "c", "asked", rating=2)
    assert targets(board.claim("ann", limit=2)) == [("ann", "c"), ("ann", "a")]
    assert targets(board.claim("ann")) == [("ann", "b")]


def test_only_the_named_sources_are_served(board):
    board.source("ann")
    board.source("ben")
    board.key("a")
    board.woken("ann", "a", "asked")
    assert board.claim("ben") == ()
    assert targets(board.claim("ben", "ann")) == [("ann", "a")]


def test_a_source_runs_no_more_than_it_may_and_what_stands_behind_it_is_found(board):
    board.source("ann", runs=2)
    board.source("ben")
    for number in range(9):
        board.key(f"k{number}")
        board.woken("ann", f"k{number}", "asked", rating=5)
    board.woken("ben", "k8", "asked")
    assert targets(board.claim("ann", "ben", limit=3)) == [("ann", "k0"), ("ann", "k1"), ("ben", "k8")]
    assert board.claim("ann", "ben") == ()


def test_two_of_a_role_never_work_on_one_target_at_once(board):
    for name in ("ann", "ben"):
        board.source(name)
    board.key("a", "component", "absent", None)
    board.key("b", "component", "absent", None)
    for name in ("ann", "ben"):
        board.woken(name, "a")
    board.woken("ben", "b")
    first = board.claim("ann", "ben")
    assert targets(first) == [("ann", "a"), ("ben", "b")]
    assert board.end(first[1], Ending.FINISHED)
    assert board.claim("ben") == ()
    assert board.end(first[0], Ending.RETURNED)
    assert targets(board.claim("ben")) == [("ben", "a")]


def test_a_reader_and_a_voter_do_not_exclude_each_other(board):
    for name in ("ann", "ben"):
        board.source(name, role="reviewer")
        board.woken(name, f"source/{name}", "asked")
    board.key("a")
    for name in ("ann", "ben"):
        board.woken(name, "a", "proposed", rating=1)
    assert len(board.claim("ann", "ben", limit=2)) == 2


def test_a_component_waits_until_everything_that_its_task_names_is_accepted(board):
    board.source("ann")
    board.key("a", "component", "absent", None)
    board.key("api", state="open", current=None)
    board.needed("a", "api")
    board.woken("ann", "a")
    assert board.claim("ann") == ()
    assert [(one.target, one.waits_for) for one in board.open()] == [("a", ("api",))]
    board.do("UPDATE key SET state = 'accepted', current = 1 WHERE key = 'api'")
    assert targets(board.claim("ann")) == [("ann", "a")]


def test_a_check_waits_until_what_its_inputs_rest_on_is_built(board):
    board.source("unit", role="tester", check="unit")
    board.key("api")
    board.written("web", uses=("api",))
    board.key("server", "component", "absent", None)
    board.needed("server", "api")
    board.decided("task/server", {"implements": {"a*": [], "api": []}, "uses": {}})
    board.woken("unit", "web", "written")
    assert board.claim("unit") == ()
    board.do("UPDATE key SET state = 'written', current = 1 WHERE key = 'server'")
    assert targets(board.claim("unit")) == [("unit", "web")]


def test_a_check_waits_for_a_stale_part_two_steps_away(board):
    board.source("unit", role="tester", check="unit")
    for key in ("api", "db"):
        board.key(key)
    board.written("web", uses=("api",))
    board.written("server", implements=("api",), uses=("db",))
    board.written("storage", implements=("db",))
    board.woken("unit", "web", "written")
    board.do("UPDATE head_facet SET digest = 'other', since = 5 WHERE key_id = :id", id=board.id("db"))
    assert board.claim("unit") == ()
    board.do("UPDATE head_facet SET digest = 'd', since = 1")
    assert targets(board.claim("unit")) == [("unit", "web")]


def test_two_components_that_rest_on_each_other_can_be_checked(board):
    board.source("unit", role="tester", check="unit")
    for key in ("x", "y"):
        board.key(key)
    board.written("a", implements=("x",), uses=("y",))
    board.written("b", implements=("y",), uses=("x",))
    board.woken("unit", "a", "written")
    assert targets(board.claim("unit")) == [("unit", "a")]


def test_a_paused_board_hands_out_nothing(board):
    board.source("ann")
    board.key("a")
    board.woken("ann", "a", "asked")
    board.do("UPDATE board SET halt = 'paused', halt_reason = 'lunch'")
    assert board.claim("ann") == ()


def test_resources_are_held_while_a_run_lasts(board):
    with board.store.writer.turn() as turn:
        budgets.install(turn, {}, {"gpu": 1})
    board.source("ann", runs=5)
    for key in ("a", "b"):
        board.key(key)
        board.woken("ann", key, "asked")
    (first,) = board.claim("ann", needs={"ann": {"gpu": 1}})
    assert board.claim("ann", needs={"ann": {"gpu": 1}}) == ()
    board.end(first, Ending.FINISHED)
    assert len(board.claim("ann", needs={"ann": {"gpu": 1}})) == 1


def test_a_budget_of_activations_ends_the_claims(board):
    with board.store.writer.turn() as turn:
        budgets.install(turn, {"activations": 3}, {})
    board.source("ann", runs=9)
    for number in range(5):
        board.key(f"k{number}")
        board.woken("ann", f"k{number}", "asked")
    assert len(board.claim("ann")) == 3
    assert board.claim("ann") == ()
    assert board.account("activations").exhausted


def test_finished_is_done_and_a_trigger_meanwhile_asks_for_one_more_run(board):
    board.source("ann", runs=2)
    for key in ("a", "b"):
        board.key(key)
        board.woken("ann", key, "asked")
    first, second = board.claim("ann")
    board.do("UPDATE activation SET dirty = 1, revision = 8 WHERE id = :id", id=second.activation)
    assert agenda.end(board.store, [End(first.token, Ending.FINISHED), End(second.token, Ending.FINISHED)])
    assert board.states() == {("ann", "a"): "done", ("ann", "b"): "pending"}
    (again,) = board.claim("ann")
    assert (again.target, again.cause, again.attempts) == ("b", 8, 1)
    assert again.token > second.token


def test_after_its_retries_an_activation_is_dead_and_says_why(board):
    board.source("ann", retries=2)
    board.key("a")
    board.woken("ann", "a", "asked")
    waits = []
    for _ in range(3):
        (one,) = board.claim("ann")
        board.end(one, Ending.FAILED, error="ValueError", reason="no good")
        begun = board.clock()
        while not board.claimable("ann") and board.clock() < begun + 60:
            board.clock.sleep(0.25)
        waits.append(board.clock() - begun)
    assert waits[:2] == [0.25, 0.5]
    (dead,) = board.open()
    assert (dead.state, dead.error, dead.reason, dead.attempts) == (ActivationState.DEAD, "ValueError", "no good", 3)
    agenda.revive(board.store, ["ann"])
    assert len(board.claim("ann")) == 1


def test_a_lease_that_runs_out_is_taken_over_and_its_old_holder_is_refused(board):
    board.source("ann")
    board.key("a")
    board.woken("ann", "a", "asked")
    (first,) = board.claim("ann")
    board.clock.sleep(4.9)
    assert agenda.sweep(board.store) == 0
    board.clock.sleep(0.2)
    assert agenda.sweep(board.store) == 1
    with board.store.writer.turn() as turn:
        agenda.fence(turn, first.token)  # expired, and nobody took it over
    (second,) = board.claim("ann")
    assert (second.attempts, second.error) == (2, "LeaseLost")
    with board.store.writer.turn() as turn:
        agenda.fence(turn, second.token)
        with pytest.raises(LeaseLost) as lost:
            agenda.fence(turn, first.token)
    assert (lost.value.target, lost.value.newest) == ("a", second.token)
    assert not board.end(first, Ending.FINISHED)
    assert board.states() == {("ann", "a"): "leased"}


def test_a_takeover_by_another_member_of_the_role_fences_the_first(board):
    for name in ("ann", "ben"):
        board.source(name)
    board.key("a", "component", "absent", None)
    for name in ("ann", "ben"):
        board.woken(name, "a")
    (first,) = board.claim("ann")
    board.clock.sleep(6)
    agenda.sweep(board.store)
    assert targets(board.claim("ben")) == [("ben", "a")]
    with board.store.writer.turn() as turn, pytest.raises(LeaseLost):
        agenda.fence(turn, first.token)


def test_what_was_given_back_may_not_commit_any_more(board):
    board.source("ann")
    board.key("a")
    board.woken("ann", "a", "asked")
    (one,) = board.claim("ann")
    board.end(one, Ending.RETURNED, reason="not mine")
    with board.store.writer.turn() as turn:
        with pytest.raises(LeaseLost):
            agenda.fence(turn, one.token)
        with pytest.raises(LeaseLost):
            agenda.fence(turn, 999)
    (again,) = board.claim("ann")
    assert (again.attempts, again.reason) == (1, "not mine")


def test_renewal_never_goes_past_the_longest_time(board):
    board.source("ann")
    board.key("a")
    board.woken("ann", "a", "asked")
    (one,) = board.claim("ann", cap=lambda role, target: 8.0 if (role, target) == ("coder", "a") else None)
    start = board.clock()
    board.clock.sleep(4)
    assert agenda.renew(board.store, [one.token], lease_seconds=5) == {one.token: start + 8}
    board.clock.sleep(4)
    assert agenda.renew(board.store, [one.token], lease_seconds=5) == {}


def test_leases_of_a_dead_process_of_this_host_end_at_once(board):
    board.source("ann", runs=3)
    for key in ("a", "b", "c"):
        board.key(key)
        board.woken("ann", key, "asked")
    first, second, third = board.claim("ann")
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    board.do("UPDATE lease SET process = :pid WHERE token = :token", pid=pid, token=first.token)
    # The number is in use again by another process: ours.
    board.do("UPDATE lease SET process_started = process_started - 1 WHERE token = :token", token=second.token)
    board.do("UPDATE lease SET process = :pid, host = 'elsewhere' WHERE token = :token", pid=pid, token=third.token)
    assert agenda.sweep(board.store) == 2
    assert board.states() == {("ann", "a"): "pending", ("ann", "b"): "pending", ("ann", "c"): "leased"}
    assert [row[0] for row in board.ask("SELECT error FROM activation ORDER BY id")] == ["LeaseLost"] * 2 + [None]


def test_five_refused_results_in_a_row_quarantine_a_source(board):
    board.source("ann", retries=99)
    board.key("a")
    board.woken("ann", "a", "asked")
    for _ in range(4):
        (one,) = board.claim("ann")
        board.end(one, Ending.FAILED, error="Returning", reason="again", refused=True)
        board.clock.sleep(60)
    (one,) = board.claim("ann")
    board.end(one, Ending.FINISHED)
    board.do("UPDATE activation SET state = 'pending'")
    for number in range(5):
        (one,) = board.claim("ann")
        board.end(one, Ending.FAILED, error="Returning", reason=f"no {number}", refused=True)
        board.clock.sleep(60)
    assert board.claim("ann") == ()
    (left,) = board.open()
    assert "5 refused results in a row" in left.quarantined
    assert "Returning: no 4" in left.quarantined
    agenda.revive(board.store, ["ann"])
    assert len(board.claim("ann")) == 1


def test_tokens_are_held_before_and_settled_after_and_lost_ones_are_spent(board):
    with board.store.writer.turn() as turn:
        budgets.install(turn, {"tokens": 100, "seconds": 1000}, {})
    board.source("ann", runs=2, retries=0)
    for key in ("a", "b"):
        board.key(key)
        board.woken("ann", key, "asked")
    first, second = board.claim("ann")
    assert budgets.hold(board.store, first.token, {"tokens": 60})
    assert not budgets.hold(board.store, second.token, {"tokens": 60})
    budgets.settle(board.store, first.token, {"tokens": 60}, {"tokens": 10})
    assert (board.account("tokens").spent, board.account("tokens").held) == (10, 0)
    assert budgets.hold(board.store, second.token, {"tokens": 60})
    with pytest.raises(BudgetExhausted):
        budgets.hold(board.store, first.token, {"tokens": 95})
    board.end(first, Ending.FINISHED)
    board.clock.sleep(6)
    agenda.sweep(board.store)
    budgets.settle(board.store, second.token, {"tokens": 60}, {"tokens": 65})
    assert (board.account("tokens").spent, board.account("tokens").held) == (75, 0)
    assert board.account("seconds").spent == 5  # the first took no time, the second until its lease ended
    assert board.states() == {("ann", "a"): "done", ("ann", "b"): "dead"}


def test_the_budget_of_seconds_counts_what_still_runs(board):
    with board.store.writer.turn() as turn:
        budgets.install(turn, {"seconds": 7}, {})
    board.source("ann", runs=2)
    for key in ("a", "b"):
        board.key(key)
        board.woken("ann", key, "asked")
    (first,) = board.claim("ann", limit=1)
    (second,) = board.claim("ann", limit=1)
    board.clock.sleep(3)
    assert set(agenda.renew(board.store, [first.token, second.token], lease_seconds=5)) == {first.token, second.token}
    board.clock.sleep(1)
    assert agenda.renew(board.store, [first.token], lease_seconds=5) == {}


def test_quiescence_is_announced_once_for_a_revision_and_wakes_who_waits(board):
    board.decided(
        "source/eve",
        {
            "role": "planner",
            "on": [["quiescent", "**"]],
            "external": False,
            "check": "",
            "max_concurrency": 1,
            "retries": 3,
        },
    )
    seen = []
    assert not agenda.announce(board.store, lambda turn: bool(seen.append(turn.revision)))
    assert seen == [7]
    assert agenda.announce(board.store, lambda _: True)
    assert not agenda.announce(board.store, lambda _: True)
    assert board.states() == {("eve", "source/eve"): "pending"}
    (one,) = board.claim("eve")
    assert (one.kind, one.cause) == ("quiescent", 7)
    board.end(one, Ending.FINISHED)
    board.do("UPDATE board SET revision = 8")
    assert agenda.announce(board.store, lambda _: True)
    assert board.states() == {("eve", "source/eve"): "pending"}


def test_the_critical_path_is_rated_highest(board):
    board.source("ann")
    for key in ("db", "api"):
        board.key(key)
    for component, task in (
        ("storage", {"implements": {"db": []}, "uses": {}}),
        ("server", {"implements": {"api": []}, "uses": {"db": []}}),
        ("web", {"implements": {}, "uses": {"api": []}}),
    ):
        board.key(component, "component", "absent", None)
        board.decided(f"task/{component}", task)
        board.needed(component, *task["implements"], *task["uses"])
        board.woken("ann", component)
    board.source("own")
    board.woken("own", "storage", rating=99)
    assert ratings.rerate(board.store, bidders=["own"]) == 2
    assert board.ask("SELECT source, rating FROM activation ORDER BY id") == [
        ("ann", 2.0),
        ("ann", 1.0),
        ("ann", 0.0),
        ("own", 99.0),
    ]
    assert ratings.rerate(board.store, bidders=["own"]) == 0
    assert targets(board.claim("ann")) == [("ann", "storage")]


def test_a_rating_of_its_own_puts_an_activation_back_without_counting_an_attempt(board):
    board.source("ann")
    for key in ("a", "b"):
        board.key(key)
        board.woken("ann", key, "asked", rating=5)
    (one,) = board.claim("ann")
    agenda.rebid(board.store, one.token, one.activation, 1.0)
    (other,) = board.claim("ann")
    assert (one.target, other.target) == ("a", "b")
    board.end(other, Ending.REFUSED_BY_RATE)
    (again,) = board.claim("ann")
    assert (again.target, again.attempts, again.rating) == ("a", 1, 1.0)
    assert board.states()["ann", "b"] == "obviated"


@settings(max_examples=60, deadline=None)
@given(
    uses=st.sets(st.tuples(st.sampled_from("abcd"), st.sampled_from("xyz"))),
    implements=st.sets(st.tuples(st.sampled_from("abcd"), st.sampled_from("xyz"))),
    missing=st.sets(st.sampled_from("bcd")),
    changed=st.sets(st.sampled_from("xyz"), max_size=1),
)
def test_the_readiness_of_checks_is_the_pure_one_on_random_graphs(uses, implements, missing, changed):
    board = Board()
    board.source("unit", role="tester", check="unit")
    pins = {name: (_of(uses, name), _of(implements, name)) for name in "abcd"}
    for key in "xyz":
        board.key(key)
    for name, (used, made) in pins.items():
        if name in missing:
            board.key(name, "component", "absent", None)
            board.decided(f"task/{name}", {"implements": {key: [] for key in made}, "uses": {key: [] for key in used}})
            board.needed(name, *sorted({*used, *made}))
        else:
            board.written(name, uses=used, implements=made)
    for key in changed:
        board.do("UPDATE head_facet SET digest = 'other', since = 5 WHERE key_id = :id", id=board.id(key))
    board.woken("unit", "a", "written")
    built = {
        name: BuiltComponent(name, 1, "", *_pinned(used, made), _freshness({*used, *made} & changed))
        for name, (used, made) in pins.items()
        if name not in missing
    }
    rests = closure("a", built)
    used = {pin.key for name in rests for pin in built[name].pins if pin.side is Side.USES}
    ready = all(built[name].freshness is Freshness.CURRENT for name in rests) and not any(
        used & set(pins[name][1]) for name in missing
    )
    assert bool(board.claim("unit")) is ready


def _of(pairs, name):
    return tuple(sorted(key for component, key in pairs if component == name))


def _pinned(used, made):
    """Return pins and the values that they have now."""
    sides = [*((key, Side.USES) for key in used), *((key, Side.IMPLEMENTS) for key in made)]
    return tuple(Pin(key, "f", side, 1, 1, "d") for key, side in sides), ("d",) * len(sides)


def _freshness(broken):
    return Freshness.STALE if broken else Freshness.CURRENT
