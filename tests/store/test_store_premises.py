"""Decisions that rest on decisions: who made one is woken when what was read for it breaks, and looks again."""

import pytest
from rich.console import Console

from blackboard import Contract, Team, external, on
from blackboard.choreography import Choreography, Role, agree, each, may, quorum
from blackboard.cli.impact import decide as decide_keys
from blackboard.cli.place import Author
from blackboard.cli.render import render
from blackboard.cli.why import why
from blackboard.store.compact import compact

ARCHITECT, CODER, REVIEWER = Role("architect"), Role("coder"), Role("reviewer", members=2)


@pytest.fixture
def team():
    anybody = may(ARCHITECT, "decide", "*/*"), may(CODER, "write", "**"), may(CODER, "decide", "db/*")
    members = [
        external("art", role="architect", on=[on.asked("api/*"), on.stale("*/*")]),
        external("cora", role="coder", on=on.stale("**")),
    ]
    return Team("make it", members, choreography=Choreography("open", *anybody))


@pytest.fixture
def decide(board):
    """Decide a key after reading others, whole or some facets of them."""

    def act(key, value, *, reads=(), facets=None, by="art", role=None):
        with board.transaction(by, role=role) as transaction:
            transaction.decision(key)
            for one in reads:
                transaction.decision(one, facets=facets)
            transaction.decide(key, Contract.value(value))
        return transaction.committed

    return act


@pytest.fixture
def rested(board, team, decide):
    """A board on which `api/items`, of the architect, rests on `db/items`, of the coder."""
    board.install(team)
    decide("db/items", {"id": "integer", "note": "text"}, by="cora")
    decide("api/items", {"id": "int"}, reads=["db/items"], facets=["id"])
    return decide


def test_who_made_it_is_woken_when_what_was_read_for_it_breaks(rested, pending):
    rested("db/items", {"id": "text", "note": "text"}, by="cora")
    assert pending() == [("art", "api/items", "stale")]


def test_what_was_not_read_for_it_wakes_nobody(rested, pending):
    rested("db/items", {"id": "integer", "note": "blob"}, by="cora")
    assert pending() == []


def test_who_builds_what_is_stale_is_not_asked_to_decide(rested, pending):
    rested("db/items", {"id": "text"}, by="cora")
    assert {source for source, _, _ in pending()} == {"art"}


def test_a_retraction_of_what_it_rests_on_wakes_too(rested, board, pending):
    with board.transaction("boss", role="operator") as transaction:
        transaction.decision("db/items")
        transaction.retract("db/items", reason="not needed")
    assert pending() == [("art", "api/items", "stale")]


def test_deciding_it_as_it_is_says_that_it_holds_and_wakes_nobody(rested, board, pending):
    rested("db/items", {"id": "text"}, by="cora")
    rested("top/app", 1, reads=["api/items"])
    accepted = rested("api/items", {"id": "int"}, reads=["db/items"]).accepted
    assert accepted == (("api/items", 2),)
    assert pending() == []
    rested("db/items", {"id": "uuid"}, by="cora")
    assert pending() == [("art", "api/items", "stale")]
    board.verify()


def test_what_is_asked_about_it_meanwhile_is_answered_by_that(rested, board, pending):
    rested("db/items", {"id": "text"}, by="cora")
    with board.transaction("boss", role="operator") as transaction:
        transaction.ask("api/items", "still?")
    assert rested("api/items", {"id": "int"}, reads=["db/items"]).accepted == (("api/items", 2),)
    assert board.snapshot().questions() == ()
    assert not [one for one in why(board, "api/items").causes if one.act.startswith("amended db/items")]
    board.verify()


def test_deciding_it_as_it_is_changes_nothing_while_what_it_rests_on_stands(rested):
    assert rested("api/items", {"id": "int"}, reads=["db/items"]).accepted == ()


@pytest.mark.parametrize("gone", [False, True], ids=["amended", "retracted"])
def test_who_changes_what_it_rests_on_can_say_with_it_that_it_holds(rested, board, pending, gone):
    with board.transaction("boss", role="operator") as transaction:
        transaction.decision("db/items")
        transaction.decision("api/items")
        if gone:
            transaction.retract("db/items", reason="not needed")
        else:
            transaction.decide("db/items", Contract.value({"id": "text"}))
        transaction.decide("api/items", Contract.value({"id": "int"}))
    assert ("api/items", 2) in transaction.committed.accepted
    assert pending() == []
    board.verify()


def test_what_comes_back_with_it_breaks_nothing(rested, board):
    with board.transaction("boss", role="operator") as transaction:
        transaction.decision("db/items")
        transaction.retract("db/items", reason="not needed")
    with board.transaction("boss", role="operator") as transaction:
        transaction.decision("db/items")
        transaction.decision("api/items")
        transaction.decide("db/items", Contract.value({"id": "integer", "note": "text"}))
        transaction.decide("api/items", Contract.value({"id": "int"}))
    assert transaction.committed.accepted == (("db/items", 2),)


def test_what_returns_takes_the_wish_back(rested, board, pending):
    rested("db/items", {"id": "text", "note": "text"}, by="cora")
    rested("db/items", {"id": "integer", "note": "text"}, by="boss", role="operator")
    assert pending() == []


def test_a_chain_is_woken_step_by_step(rested, pending):
    rested("top/app", "int", reads=["api/items"])
    rested("db/items", {"id": "text"}, by="cora")
    assert pending() == [("art", "api/items", "stale")]
    rested("api/items", {"id": "str"}, reads=["db/items"])
    assert pending() == [("art", "top/app", "stale")]


def test_what_broke_while_it_was_voted_on_is_looked_at_again(board, pending):
    settled = Role("operator", reliable=True).decides("api/{name}")
    by_vote = each(
        "api/{name}",
        agree(ARCHITECT.proposes("api/{name}"), by=quorum(1, of=REVIEWER), within_seconds=300, otherwise=settled),
        at_most=9,
    )
    choreography = Choreography("voted", by_vote, may(CODER, "decide", "db/*"))
    members = [external("art", role="architect", on=on.stale("api/*")), external("cora", role="coder", on=[])]
    members += [external(name, role="reviewer", on=[]) for name in ("rob", "ruth")]
    board.install(Team("make it", members, choreography=choreography))
    with board.transaction("cora") as transaction:
        transaction.decide("db/items", Contract.value("integer"))
    with board.transaction("art") as transaction:
        transaction.decision("db/items")
        transaction.propose("api/items", Contract.value("int"))
    with board.transaction("cora") as transaction:
        transaction.decision("db/items")
        transaction.decide("db/items", Contract.value("text"))
    assert pending() == []
    with board.transaction("rob") as transaction:
        transaction.vote("api/items", version=1, approve=True)
    assert pending() == [("art", "api/items", "stale")]


@pytest.fixture
def merging(board):
    """A board on which `api/items` stands and texts of it are merged, of architects and of a designer."""
    designer = Role("designer")
    settled = Role("operator", reliable=True).decides("api/{name}")
    bounds = {"within_seconds": 300, "amendments": 3}
    step = agree(ARCHITECT.proposes("api/{name}"), by=quorum(1, of=REVIEWER), **bounds, otherwise=settled)
    extra = may(designer, "propose", "api/*"), may(CODER, "decide", "db/*")
    choreography = Choreography("merging", each("api/{name}", step, at_most=9), *extra, merge={"api/*": "facet"})
    members = [external("art", role="architect", on=on.stale("api/*")), external("cora", role="coder", on=[])]
    members += [external("dora", role="designer", on=on.stale("api/*"))]
    members += [external(name, role="reviewer", on=[]) for name in ("rob", "ruth")]
    board.install(Team("make it", members, choreography=choreography))
    with board.transaction("olga", role="operator") as transaction:
        transaction.decide("db/items", Contract.value("integer"))
        transaction.decide("api/items", Contract.value({"id": 0, "page": 0}))
    return board


def up(board, by, value):
    with board.transaction(by) as transaction:
        transaction.decision("db/items")
        transaction.decision("api/items")
        transaction.propose("api/items", Contract.value(value))


def accepted(board, version):
    with board.transaction("rob") as transaction:
        transaction.vote("api/items", version=version, approve=True)


@pytest.mark.parametrize("order", [(2, 3), (3, 2)])
def test_what_became_one_rests_on_what_either_read_and_wakes_the_authors_of_both(merging, decide, pending, order):
    up(merging, "dora", {"id": 1, "page": 0})
    decide("db/items", "text", by="cora")
    up(merging, "art", {"id": 0, "page": 1})
    for version in order:
        accepted(merging, version)
    assert merging.snapshot().decision("api/items").value == {"id": 1, "page": 1}
    assert pending() == [("art", "api/items", "stale"), ("dora", "api/items", "stale")]
    merging.verify()


def test_the_authors_of_both_are_woken_when_what_one_of_them_read_breaks_later(merging, decide, pending):
    with merging.transaction("dora") as transaction:
        transaction.decision("api/items")
        transaction.propose("api/items", Contract.value({"id": 1, "page": 0}))
    up(merging, "art", {"id": 0, "page": 1})
    accepted(merging, 2)
    accepted(merging, 3)
    assert pending() == []
    decide("db/items", "text", by="cora")
    assert pending() == [("art", "api/items", "stale"), ("dora", "api/items", "stale")]


def previewed(board, act):
    """Return which decisions a commit of the operator would make stale, and which rest on what broke after it."""
    transaction = board.transaction("boss", role="operator")
    act(transaction)
    told = transaction.preview().decisions
    transaction.commit()
    with board.store.database.reading() as connection:
        states = connection.raw.execute(
            "SELECT key FROM decision_state WHERE state IN ('stale', 'orphaned')"
        ).fetchall()
    return told, tuple(sorted(key for (key,) in states))


def deciding(value, *, reads=("db/items",), key="db/items"):
    def act(transaction):
        for one in reads:
            transaction.decision(one)
        transaction.decide(key, Contract.value(value))

    return act


def retracting(transaction):
    transaction.decision("db/items")
    transaction.retract("db/items", reason="not needed")


def deciding_both(transaction):
    for key in ("db/items", "api/items"):
        deciding({"id": "uuid"}, reads=[key], key=key)(transaction)


@pytest.mark.parametrize(
    ("act", "stale"),
    [
        (deciding({"id": "text", "note": "text"}), ("api/items",)),
        (deciding({"id": "integer", "note": "blob"}), ()),
        (deciding({"id": "integer", "note": "text", "more": 1}), ()),
        (retracting, ("api/items",)),
        (deciding({"id": "str"}, reads=("api/items",), key="api/items"), ("top/app",)),
        (deciding_both, ("top/app",)),
    ],
    ids=["what was read", "what was not read", "a facet more", "a retraction", "one step further", "both at once"],
)
def test_which_decisions_would_be_stale_is_said_before(rested, board, act, stale):
    rested("top/app", "int", reads=["api/items"], facets=["id"])
    assert previewed(board, act) == (stale, stale)


def test_what_is_stale_already_is_no_news(rested, board):
    rested("db/items", {"id": "text"}, by="cora")
    assert previewed(board, deciding({"id": "uuid"})) == ((), ("api/items",))


def test_a_dry_run_and_why_say_it_in_the_same_words(rested, board):
    olga, contracts = Author("olga", "operator"), {"db/items": Contract.value({"id": "text"})}
    assert "  decisions stale: api/items" in shown(decide_keys(board, olga, contracts, dry_run=True))
    changed = decide_keys(board, olga, contracts)
    assert "  decisions stale: api/items" in shown(changed)
    assert shown(why(board, "api/items"))[0] == f"api/items is accepted since 3, stale since {changed.revision}"


def shown(report):
    screen = Console(width=10_000)
    with screen.capture() as captured:
        screen.print(render(report))
    return captured.get().splitlines()


def test_why_says_what_changed_beneath_it(rested, board):
    changed = rested("db/items", {"id": "text", "note": "text"}, by="cora")
    told = why(board, "api/items")
    cause = next(one for one in told.causes if one.revision == changed.revision)
    assert cause.act == "amended db/items 1 -> 2"
    assert [(line.facet, line.uses) for line in cause.facets] == [("id", "breaking")]
    assert [one.kind for one in told.next] == ["stale"]


def test_who_joins_is_told_of_what_has_broken_already(board, team, decide, pending):
    watcher = external("cora", role="coder", on=on.stale("**"))
    choreography = team.choreography
    board.install(Team("make it", [watcher], choreography=choreography))
    decide("db/items", "integer", by="boss", role="operator")
    decide("api/items", "int", reads=["db/items"], by="art", role="operator")
    decide("db/items", "text", by="boss", role="operator")
    assert pending() == []
    board.install(
        Team("make it", [watcher, external("olga", role="operator", on=on.stale("api/*"))], choreography=choreography)
    )
    assert ("olga", "api/items", "stale") in pending()


def test_it_is_told_again_verified_and_survives_a_compaction(rested, board, pending):
    rested("db/items", {"id": "text"}, by="cora")
    board.verify()
    rested("x/y", 1, reads=["api/items"])
    compact(board.store, before=board.revision, author="olga")
    board.verify()
    rested("api/items", {"id": "int"}, reads=["db/items"])
    rested("api/items", {"id": "str"}, reads=["db/items"])
    assert ("art", "x/y", "stale") in pending()
    board.verify()
    compact(board.store, before=board.revision, author="olga")
    board.verify()


def test_without_a_team_nothing_is_kept_of_it(board, decide, ask_sql):
    decide("db/items", 1)
    decide("api/items", 2, reads=["db/items"])
    assert ask_sql(board, "SELECT count(*) FROM pin")[0][0] == 0
