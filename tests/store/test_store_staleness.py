"""Section 7 on a real store: who becomes stale, orphaned, current again, and who is told."""

import pytest

from blackboard import Blackboard, Contract, Team, external, on


@pytest.fixture
def state(board):
    return lambda component: board.snapshot().component(component).state


IDS = {"kind": "int", "maker": "server"}


def test_a_component_is_current_until_a_facet_changes_that_it_pins(board, given, state):
    to = given(board)
    to.decided("api/ids", IDS)
    to.written("kinds", facets={"api/ids": ["kind"]})
    to.written("makers", facets={"api/ids": ["maker"]})
    to.written("all", uses=["api/ids"])
    to.written("none")
    to.decided("api/ids", {**IDS, "kind": "text"})
    assert [state(name) for name in ("kinds", "makers", "all", "none")] == ["stale", "current", "stale", "current"]


def test_a_component_is_current_again_when_the_value_is(board, given, state):
    to = given(board)
    to.decided("api/ids", IDS)
    to.written("server", facets={"api/ids": ["kind"]})
    to.decided("api/ids", {**IDS, "kind": "text"})
    assert state("server") == "stale"
    to.decided("api/ids", {**IDS, "maker": "client"}, role="operator")
    assert state("server") == "current"


def test_another_text_with_the_same_meaning_leaves_dependents_alone(board, given, state):
    to = given(board)
    to.decided("api/ids", Contract("value", '{"kind": "int", "maker": "server"}'))
    to.written("server", uses=["api/ids"])
    to.decided("api/ids", Contract("value", '{"maker":"server",\n"kind":"int"}'))
    assert state("server") == "current"


@pytest.mark.parametrize("changed", [{**IDS, "style": "x"}, {"kind": "int"}])
def test_a_changed_set_of_facets_breaks_a_whole_pin_and_no_narrow_one(board, given, state, changed):
    to = given(board)
    to.decided("api/ids", IDS)
    to.written("all", uses=["api/ids"])
    to.written("kinds", facets={"api/ids": ["kind"]})
    to.decided("api/ids", changed)
    assert (state("all"), state("kinds")) == ("stale", "current")


def test_a_removed_facet_breaks_its_pin_and_its_return_mends_it(board, given, state):
    to = given(board)
    to.decided("api/ids", IDS)
    to.written("server", facets={"api/ids": ["maker"]})
    to.decided("api/ids", {"kind": "int"})
    assert state("server") == "stale"
    to.decided("api/ids", {"kind": "text", "maker": "server"})
    assert state("server") == "current"


def test_a_facet_that_was_looked_for_and_absent_is_a_premise_too(board, given, state):
    to = given(board)
    to.decided("api/ids", IDS)
    to.written("server", facets={"api/ids": ["style"]})
    to.decided("api/ids", {**IDS, "kind": "text"})
    assert state("server") == "current"
    to.decided("api/ids", {**IDS, "style": "snake"})
    assert state("server") == "stale"
    to.decided("api/ids", {**IDS, "kind": "uuid"})
    assert state("server") == "current"
    to.decided("api/ids", {**IDS, "style": "camel"})
    assert state("server") == "stale"


def test_a_facet_that_was_absent_because_it_had_gone_is_a_premise_too(board, given, state):
    to = given(board)
    to.decided("api/ids", {**IDS, "style": "snake"})
    to.decided("api/ids", IDS)
    to.written("server", facets={"api/ids": ["style"]})
    to.decided("api/ids", {**IDS, "style": "camel"})
    assert state("server") == "stale"


def test_a_retracted_premise_orphans_and_a_new_one_of_the_same_value_mends(board, given, state):
    to = given(board)
    to.decided("api/ids", IDS)
    to.written("server", uses=["api/ids"])
    to.retracted("api/ids")
    assert state("server") == "orphaned"
    to.decided("api/ids", IDS, role="operator")
    assert state("server") == "current"


def test_a_question_about_a_retracted_premise_changes_nothing(board, given, state, pending):
    to = given(board)
    to.decided("api/ids", IDS)
    to.written("server", uses=["api/ids"])
    to.written("styled", facets={"api/ids": ["style"]})
    to.retracted("api/ids")
    assert (state("server"), state("styled")) == ("orphaned", "orphaned")
    to.asked("api/ids")
    assert (state("server"), state("styled")) == ("orphaned", "orphaned")
    assert [one.state for one in board.snapshot(at=board.revision).components()] == ["orphaned", "orphaned"]
    to.decided("api/ids", IDS, role="operator")
    assert (state("server"), state("styled")) == ("current", "current")


def test_orphaned_outranks_stale(board, given, state):
    to = given(board)
    to.decided("api/ids", IDS)
    to.decided("api/page", 20)
    to.written("server", uses=["api/ids", "api/page"])
    to.decided("api/page", 40)
    assert state("server") == "stale"
    to.retracted("api/ids")
    assert state("server") == "orphaned"


def test_a_new_match_under_a_listed_pattern_makes_stale_and_a_match_elsewhere_does_not(board, given, state):
    to = given(board)
    to.decided("api/ids", "int")
    to.written("flat", listed=["api/*"])
    to.written("deep", listed=["api/**"])
    to.decided("api/page/size", 20)
    assert (state("flat"), state("deep")) == ("current", "stale")
    to.decided("api/page", 20)
    assert (state("flat"), state("deep")) == ("stale", "stale")


def test_a_match_that_goes_orphans_and_one_that_returns_is_new(board, given, state):
    to = given(board)
    to.decided("api/ids", "int")
    to.decided("api/page", 20)
    to.written("server", listed=["api/*"])
    to.retracted("api/page")
    assert state("server") == "orphaned"
    to.decided("api/page", 20, role="operator")
    assert state("server") == "stale"


def test_a_question_under_a_listed_pattern_is_no_match(board, given, state):
    to = given(board)
    to.written("server", listed=["api/*"])
    to.asked("api/ids")
    assert state("server") == "current"
    to.decided("api/ids", "int")
    assert state("server") == "stale"


def test_a_component_is_built_against_what_its_own_transaction_decides(board, given, state):
    given(board).decided("api/ids", "int")
    with board.transaction("bob") as transaction:
        transaction.decisions("api/*")
        transaction.decide("api/page", Contract.value(20))
        transaction.write("server", {"server.txt": "one"})
    assert state("server") == "current"
    given(board).decided("api/size", 20)
    assert state("server") == "stale"


def test_a_component_pins_nothing_that_its_own_transaction_amends(board, given, state):
    given(board).decided("api/ids", "int")
    with board.transaction("bob") as transaction:
        transaction.decision("api/ids")
        transaction.decide("api/ids", Contract.value("text"))
        transaction.write("server", {"server.txt": "one"})
    assert board.snapshot().component("server").pins == ()
    assert state("server") == "current"


def test_reading_another_component_pins_nothing(board, given, state):
    given(board).written("server")
    with board.transaction("bob") as transaction:
        transaction.component("server")
        transaction.write("client", {"client.txt": "one"})
    given(board).written("server", "two")
    assert state("client") == "current"


def test_a_rewritten_component_stands_on_what_it_read_this_time(board, given, state):
    to = given(board)
    to.decided("api/ids", IDS)
    to.decided("api/page", 20)
    to.written("server", "one", uses=["api/ids", "api/page"])
    to.decided("api/page", 40)
    to.written("server", "two", facets={"api/ids": ["kind"]})
    assert state("server") == "current"
    to.decided("api/page", 80)
    to.decided("api/ids", {**IDS, "maker": "client"})
    assert state("server") == "current"


def test_a_pin_follows_a_value_that_went_and_came_back_before_it_was_written(board, given, state):
    to = given(board)
    to.decided("api/ids", IDS)
    transaction = board.transaction("bob")
    transaction.decision("api/ids", facets=["kind"])
    transaction.write("server", {"server.txt": "one"})
    to.decided("api/ids", {**IDS, "kind": "text"})
    to.decided("api/ids", IDS, role="operator")
    transaction.commit()
    assert state("server") == "current"
    to.decided("api/ids", {**IDS, "kind": "uuid"})
    assert state("server") == "stale"


@pytest.mark.parametrize("side", ["uses", "implements"])
def test_a_change_reaches_both_sides(board, state, given, side):
    given(board).decided("api/ids", IDS)
    given(board).written("server", **{side: ["api/ids"]})
    assert {str(pin.side) for pin in board.snapshot().component("server").pins} == {side}
    given(board).decided("api/ids", "text")
    assert state("server") == "stale"


def test_sides_named_at_the_write_overrule_those_of_the_reads(board, given):
    to = given(board)
    to.decided("api/ids", IDS)
    to.decided("api/page", 20)
    with board.transaction("bob") as transaction:
        transaction.decisions("api/*")
        transaction.write("server", {"server.txt": "one"}, implements=["api/ids"], uses=["api/**"])
    sides = {pin.key: str(pin.side) for pin in board.snapshot().component("server").pins}
    assert sides == {"api/ids": "implements", "api/page": "uses"}


def test_a_key_named_at_the_write_is_read_and_pinned(board, given, state):
    given(board).decided("api/ids", IDS)
    with board.transaction("bob") as transaction:
        transaction.write("server", {"server.txt": "one"}, implements=["api/ids"])
    given(board).decided("api/ids", {**IDS, "kind": "text"})
    assert state("server") == "stale"


@pytest.mark.parametrize("otherwise", ["its history", "for a verdict"])
def test_a_key_named_at_the_write_is_pinned_also_where_it_was_read_otherwise(board, given, otherwise):
    given(board).decided("api/ids", IDS)
    given(board).written("client", uses=["api/ids"])
    with board.transaction("bob") as transaction:
        if otherwise == "its history":
            transaction.versions("api/ids")
        else:
            transaction.verdict("unit", "client", passed=True)
        transaction.write("server", {"server.txt": "one"}, implements=["api/ids"])
    assert {pin.key for pin in board.snapshot().component("server").pins} == {"api/ids"}


def test_a_pattern_named_at_the_write_says_the_side_of_what_was_listed(board, given, state):
    given(board).decided("api/ids", IDS)
    with board.transaction("bob") as transaction:
        transaction.decisions("api/*")
        transaction.write("server", {"server.txt": "one"}, implements=["api/*"])
    assert {str(pin.side) for pin in board.snapshot().component("server").pins} == {"implements"}
    given(board).decided("api/page", 20)
    assert state("server") == "stale"


# --- who is told -----------------------------------------------------------------------------------------------------


@pytest.fixture
def told(board) -> Blackboard:
    sources = [external("coder-1", role="coder", on=on.stale("*")), external("idle", role="coder", on=on.stale("x/*"))]
    board.install(Team("build it", sources))
    return board


def operator(given, board):
    class Operator(given):
        def decided(self, key, value, **named):
            return super().decided(key, value, role="operator", **named)

        def retracted(self, key):
            return super().retracted(key, role="operator")

        def written(self, component, text="x", **premises):
            return super().written(component, text, role="operator", **premises)

    return Operator(board)


def test_whoever_waits_for_staleness_is_woken_in_the_same_commit(told, given, pending):
    to = operator(given, told)
    to.decided("api/ids", IDS)
    to.written("kinds", facets={"api/ids": ["kind"]})
    to.written("makers", facets={"api/ids": ["maker"]})
    to.written("lists", listed=["api/*"])
    to.written("orphan", uses=["api/ids"])
    assert pending() == []
    to.decided("api/ids", {**IDS, "kind": "text"})
    assert pending() == [("coder-1", name, "stale") for name in ("kinds", "lists", "orphan")]
    to.written("kinds", "y", facets={"api/ids": ["kind"]})
    assert pending() == [("coder-1", name, "stale") for name in ("lists", "orphan")]
    to.retracted("api/ids")
    assert pending() == [("coder-1", name, "stale") for name in ("kinds", "lists", "makers", "orphan")]


def test_an_activation_is_obviated_when_the_component_is_current_again(told, given, pending):
    to = operator(given, told)
    to.decided("api/ids", IDS)
    to.written("server", uses=["api/ids"])
    to.decided("api/ids", {**IDS, "kind": "text"})
    assert pending() == [("coder-1", "server", "stale")]
    to.decided("api/ids", IDS)
    assert pending() == []


def test_a_new_match_wakes_those_who_listed_the_pattern(told, given, pending):
    to = operator(given, told)
    to.written("server", listed=["api/*"])
    to.decided("db/ids", "int")
    assert pending() == []
    to.decided("api/ids", "int")
    assert pending() == [("coder-1", "server", "stale")]


def test_a_new_match_that_goes_again_obviates(told, given, pending):
    to = operator(given, told)
    to.written("server", listed=["api/*"])
    to.decided("api/ids", "int")
    to.retracted("api/ids")
    assert told.snapshot().component("server").state == "current"
    assert pending() == []


def test_what_is_retracted_and_decided_in_one_commit_is_no_new_match(told, given, pending):
    to = operator(given, told)
    to.decided("api/ids", {"kind": "int"})
    with told.transaction("bob", role="operator") as transaction:
        transaction.decisions("api/*")
        transaction.discard()
    to.written("server", listed=["api/*"])
    with told.transaction("ann", role="operator") as transaction:
        transaction.decision("api/ids")
        transaction.retract("api/ids", reason="anew")
        transaction.decide("api/ids", Contract.value({"kind": "int"}))
    assert told.snapshot().component("server").state == "current"
    assert told.snapshot(at=told.revision).component("server").state == "current"
    assert pending() == []
    told.verify()


def test_an_absent_facet_that_appears_wakes(told, given, pending):
    to = operator(given, told)
    to.decided("api/ids", IDS)
    to.written("server", facets={"api/ids": ["style"]})
    to.decided("api/ids", {**IDS, "style": "snake"})
    assert pending() == [("coder-1", "server", "stale")]


def test_a_facet_that_was_dropped_by_a_retraction_and_comes_back_is_a_change(told, given, pending, state):
    """What is pinned is the absence that began with the retraction, not the version that stood before it."""
    to = operator(given, told)
    to.decided("api/ids", {**IDS, "page": 20})
    to.retracted("api/ids")
    to.decided("api/ids", IDS)
    to.written("server", facets={"api/ids": ["page"]})
    to.decided("api/ids", {**IDS, "page": 20})
    assert state("server") == "stale"
    assert ("coder-1", "server", "stale") in pending()


def test_a_hundred_dependents_are_woken_by_one_commit(told, given, pending):
    to = operator(given, told)
    to.decided("api/ids", IDS)
    for number in range(100):
        to.written(f"c{number}", facets={"api/ids": ["kind" if number % 2 else "maker"]})
    to.decided("api/ids", {**IDS, "kind": "text"})
    assert len(pending()) == 50


# --- preview ---------------------------------------------------------------------------------------------------------


def test_a_preview_says_what_would_become_stale_and_does_nothing(board, given, state):
    to = given(board)
    to.decided("api/ids", IDS)
    to.written("kinds", facets={"api/ids": ["kind"]})
    to.written("makers", facets={"api/ids": ["maker"]})
    to.written("lists", listed=["db/*"])
    head = board.cursor
    transaction = board.transaction("ann")
    transaction.decision("api/ids")
    transaction.decide("api/ids", Contract.value({**IDS, "kind": "text"}))
    transaction.decide("db/ids", Contract.value(1))
    impact = transaction.preview()
    assert (impact.stale, impact.orphaned, impact.refused_by) == (("kinds", "lists"), (), None)
    assert board.cursor == head
    transaction.commit()
    assert {name for name in ("kinds", "makers", "lists") if state(name) != "current"} == set(impact.stale)


def test_a_preview_of_a_retraction_says_who_would_be_orphaned(board, given):
    to = given(board)
    to.decided("api/ids", IDS)
    to.written("server", uses=["api/ids"])
    transaction = board.transaction("ann")
    transaction.decision("api/ids")
    transaction.retract("api/ids", reason="no")
    assert transaction.preview().orphaned == ("server",)


def test_a_preview_says_why_a_commit_would_be_refused(board, given):
    to = given(board)
    to.decided("api/ids", IDS)
    transaction = board.transaction("ann")
    transaction.decision("api/ids")
    transaction.decide("api/page", Contract.value(20))
    to.decided("api/ids", "text")
    refused = transaction.preview().refused_by
    assert {premise.key for premise in refused.premises} == {"api/ids"}


def test_a_preview_tells_of_a_component_that_would_be_current_again(board, given):
    to = given(board)
    to.decided("api/ids", IDS)
    to.written("server", uses=["api/ids"])
    to.decided("api/ids", {**IDS, "kind": "text"})
    transaction = board.transaction("ann", role="operator")
    transaction.decision("api/ids")
    transaction.decide("api/ids", Contract.value(IDS))
    assert transaction.preview().stale == ()
