"""The agenda in SQL: who may claim what, and in which order."""

import pytest
from agenda_board import Board, targets
from hypothesis import given, settings
from hypothesis import strategies as st

from blackboard.spec.activation import Ending
from blackboard.spec.effects import Side
from blackboard.spec.inputs import BuiltComponent, closure
from blackboard.spec.staleness import Freshness, Pin
from blackboard.store import agenda, ratings


@pytest.fixture
def board() -> Board:
    return Board()


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
    board.do("UPDATE key SET state = 'accepted', current_version = 1 WHERE key = 'api'")
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
    board.do("UPDATE key SET state = 'written', current_version = 1 WHERE key = 'server'")
    assert targets(board.claim("unit")) == [("unit", "web")]


def test_a_check_waits_for_a_stale_part_two_steps_away(board):
    board.source("unit", role="tester", check="unit")
    for key in ("api", "db"):
        board.key(key)
    board.written("web", uses=("api",))
    board.written("server", implements=("api",), uses=("db",))
    board.written("storage", implements=("db",))
    board.woken("unit", "web", "written")
    board.do("UPDATE current_facet SET digest = 'other', since = 5 WHERE key_id = :id", id=board.id("db"))
    assert board.claim("unit") == ()
    board.do("UPDATE current_facet SET digest = 'd', since = 1")
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
    board.do("UPDATE board SET mode = 'paused', mode_reason = 'lunch'")
    assert board.claim("ann") == ()


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
        board.do("UPDATE current_facet SET digest = 'other', since = 5 WHERE key_id = :id", id=board.id(key))
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
