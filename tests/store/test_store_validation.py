"""What a compatible change asks for: checks run again, and say whether the component is current or stale."""

import pytest

from blackboard import Check, Conflict, Contract, Team, external, on
from blackboard.choreography import Choreography, Role, may
from blackboard.contracts.plain import Value
from blackboard.spec.effects import Comparison, Effect, FacetChange
from blackboard.store.compact import compact
from blackboard.store.facts import HeadFacts
from blackboard.store.statements import Statement


@pytest.fixture(autouse=True)
def growing_is_compatible(monkeypatch):
    """Let values mean something: a larger number, or `spare` going, is compatible for both sides; all else breaks."""
    compare = Value.compare

    def by_size(self, old, new):
        found = dict(compare(self, old, new).effects)
        for name, change in found.items():
            before, after = old.facets.get(name), new.facets.get(name)
            if (isinstance(before, int) and isinstance(after, int) and after > before) or (name, after) == (
                "spare",
                None,
            ):
                found[name] = FacetChange(Effect.COMPATIBLE, Effect.COMPATIBLE, change.reason)
        return Comparison(found)

    monkeypatch.setattr(Value, "compare", by_size)


@pytest.fixture
def state(board):
    return lambda component, at=None: board.snapshot(at=at).component(component).state


@pytest.fixture
def in_sql(board, ask_sql):
    return lambda component: ask_sql(board, f"SELECT state FROM component_state WHERE key = '{component}'")[0][0]


@pytest.fixture
def suspect(board, given):
    """Return what speaks for a board on which `server` is suspect."""
    to = given(board)
    to.decided("api/limit", {"most": 10, "least": 1})
    to.written("server", facets={"api/limit": ["most"]})
    to.written("other", facets={"api/limit": ["least"]})
    to.decided("api/limit", {"most": 20, "least": 1}, role="operator")
    return to


def test_a_compatible_change_makes_suspect_whom_it_concerns(suspect, state, in_sql):
    assert (state("server"), in_sql("server")) == ("suspect", "suspect")
    assert (state("other"), in_sql("other")) == ("current", "current")


@pytest.mark.parametrize(("passed", "expected"), [(True, "current"), (False, "stale")])
def test_its_check_says_what_it_is(suspect, state, in_sql, passed, expected):
    suspect.judged("server", passed=passed)
    assert (state("server"), in_sql("server")) == (expected, expected)


def test_a_verdict_from_before_the_change_says_nothing_about_it(board, given, state):
    to = given(board)
    to.decided("api/limit", {"most": 10})
    to.written("server", uses=["api/limit"])
    to.judged("server", passed=True)
    to.decided("api/limit", {"most": 20}, role="operator")
    assert state("server") == "suspect"


def test_each_further_change_has_to_be_validated_again(suspect, state, in_sql):
    suspect.judged("server", passed=True)
    suspect.decided("api/limit", {"most": 30, "least": 1}, role="operator")
    assert (state("server"), in_sql("server")) == ("suspect", "suspect")
    suspect.judged("server", passed=True)
    assert (state("server"), in_sql("server")) == ("current", "current")


def test_a_facet_that_went_may_have_gone_compatibly_then_and_now(board, given, state, in_sql):
    to = given(board)
    to.decided("api/limit", {"most": 10, "spare": 1})
    to.written("server", facets={"api/limit": ["spare"]})
    to.decided("api/limit", {"most": 10}, role="operator")
    gone = board.revision
    to.decided("api/limit", {"most": 5}, role="operator")
    assert (state("server"), in_sql("server"), state("server", gone)) == ("suspect", "suspect", "suspect")
    to.judged("server", passed=True)
    assert (state("server"), in_sql("server"), state("server", gone)) == ("current", "current", "suspect")
    to.decided("api/limit", {"most": 5, "spare": 2}, role="operator")
    assert (state("server"), in_sql("server")) == ("suspect", "suspect")


def test_a_validation_stays_one_when_something_else_changes(suspect, state, in_sql):
    suspect.judged("server", passed=True)
    suspect.decided("api/limit", {"most": 20, "least": 2}, role="operator")
    assert (state("server"), in_sql("server")) == ("current", "current")
    assert (state("other"), in_sql("other")) == ("suspect", "suspect")


def test_a_breaking_change_is_not_made_good_by_a_pass(suspect, state):
    suspect.judged("server", passed=True)
    suspect.decided("api/limit", {"most": 5, "least": 1}, role="operator")
    assert state("server") == "stale"
    suspect.judged("server", passed=True)
    assert state("server") == "stale"


def test_a_pass_after_a_failure_makes_current_again(suspect, state, in_sql):
    suspect.judged("server", passed=False)
    suspect.decided("api/limit", {"most": 30, "least": 1}, role="operator")
    assert (state("server"), in_sql("server")) == ("suspect", "suspect")
    suspect.judged("server", passed=True)
    assert (state("server"), in_sql("server")) == ("current", "current")


def test_the_past_is_told_as_it_was(suspect, board, state):
    changed = board.revision
    suspect.judged("server", passed=True)
    suspect.decided("api/limit", {"most": 30, "least": 1}, role="operator")
    assert [state("server", changed + step) for step in range(3)] == ["suspect", "current", "suspect"]


def test_a_new_version_begins_without_what_was_said_of_the_old_one(suspect, state):
    suspect.judged("server", passed=False)
    suspect.written("server", text="y", facets={"api/limit": ["most"]})
    assert state("server") == "current"


def test_a_verdict_is_about_what_is_pinned_as_it_stands_when_it_is_committed(suspect, board, state):
    with pytest.raises(Exception, match="api/limit"):
        with board.transaction("tester") as transaction:
            transaction.verdict("unit", "server", passed=True)
            suspect.decided("api/limit", {"most": 30, "least": 1}, role="operator")
    assert state("server") == "suspect"


@pytest.mark.parametrize("gone", [{"least": 1}, None], ids=["the facet", "the decision"])
def test_a_verdict_on_what_was_gone_says_nothing_about_what_comes_back_otherwise(suspect, board, state, gone):
    with board.transaction("boss", role="operator") as transaction:
        transaction.decision("api/limit")
        if gone is None:
            transaction.retract("api/limit", reason="no")
        else:
            transaction.decide("api/limit", Contract.value(gone))
    with pytest.raises(Conflict, match="api/limit"):
        with board.transaction("tester") as transaction:
            transaction.verdict("unit", "server", passed=True)
            suspect.decided("api/limit", {"most": 30, "least": 1}, role="operator")
    assert state("server") == "suspect"


def test_a_verdict_on_what_is_gone_holds_while_it_is_gone(suspect, board):
    with board.transaction("boss", role="operator") as transaction:
        transaction.decision("api/limit")
        transaction.retract("api/limit", reason="no")
    suspect.judged("server", passed=False)
    assert [one.passed for one in board.snapshot().verdicts("server")] == [False]


def test_a_preview_knows_what_was_validated(suspect, board):
    suspect.judged("server", passed=True)
    with board.transaction("boss", role="operator") as transaction:
        transaction.decision("api/limit")
        transaction.decide("api/limit", Contract.value({"most": 20, "least": 2}))
        impact = transaction.preview()
        transaction.discard()
    assert (impact.suspect, impact.stale) == (("other",), ())


def test_it_survives_a_compaction_and_is_told_again(suspect, board, state):
    suspect.judged("server", passed=True)
    suspect.decided("api/other", 1, role="operator")
    compact(board.store, before=board.revision, author="olga")
    assert state("server") == "current"
    board.verify()


# --- a team of which several checks have to pass ----------------------------------------------------------------------


@pytest.fixture
def team():
    tester, coder = Role("tester", reliable=True), Role("coder", reliable=True)
    anybody = may(coder, "write", "**"), may(tester, "check", "**")
    choreography = Choreography("checked", *anybody)
    members = [
        external("tess", role="tester", on=on.written("x")),
        external("bob", role="coder", on=on.stale("**")),
    ]
    checks = [
        Check("unit", on="server", command=["true"]),
        Check("lint", on="*", command=["true"]),
        Check("deep", on="nothing", command=["true"]),
    ]
    return Team("make it", members, choreography=choreography, checks=checks)


@pytest.fixture
def checked(board, given, team):
    """Return what speaks for a board on which `server`, which three checks have to pass, is suspect."""
    board.install(team)
    to = given(board)
    to.decided("api/limit", {"most": 10}, role="operator")
    to.decided("task/server", Contract.task(summary="s", uses=["api/limit"], checks=["deep"]), role="operator")
    to.written("server", uses=["api/limit"], by="bob")
    for check in ("unit", "lint", "deep"):
        to.judged("server", passed=True, check=check, by="tess")
    done = Statement("UPDATE activation SET state = 'done'")
    board.store.writer.run(lambda turn: turn.run(done))
    to.decided("api/limit", {"most": 20}, role="operator")
    return to


def test_all_its_checks_are_woken_and_nobody_else(checked, pending):
    woken = [(source, kind) for source, target, kind in pending() if target == "server" and source != "bob"]
    assert woken == [("deep", "suspect"), ("lint", "suspect"), ("unit", "suspect")]
    assert not [one for one in pending() if one[0] == "bob"]


def test_it_is_suspect_until_the_last_of_them_passed(checked, state, pending):
    for check in ("unit", "lint"):
        checked.judged("server", passed=True, check=check, by="tess")
        assert state("server") == "suspect"
    assert "deep" in [source for source, _, _ in pending()]
    checked.judged("server", passed=True, check="deep", by="tess")
    assert state("server") == "current"


def test_one_failure_makes_it_stale_at_once_and_wakes_who_mends_it(checked, state, pending):
    checked.judged("server", passed=False, check="lint", by="tess")
    assert state("server") == "stale"
    assert ("bob", "server", "stale") in pending()


def test_a_pass_beside_a_failure_on_the_same_inputs_is_no_pass(checked, board, state):
    def known():
        with board.store.database.reading() as on:
            return HeadFacts(on, board.store.kept).verdict("lint", "server")

    checked.judged("server", passed=True, check="lint", by="tess")
    assert known().is_pass
    checked.judged("server", passed=False, check="lint", by="tess")
    checked.judged("server", passed=True, check="lint", by="tess")
    assert (known().passed, known().flaky, known().is_pass) == (True, True, False)
    for check in ("unit", "deep"):
        checked.judged("server", passed=True, check=check, by="tess")
    assert state("server") == "stale"
    board.verify()


def test_who_became_suspect_after_it_was_stale_is_not_to_be_written_anew(checked, state, pending):
    checked.decided("api/limit", {"most": 5}, role="operator")
    assert (state("server"), ("bob", "server", "stale") in pending()) == ("stale", True)
    checked.decided("api/limit", {"most": 15}, role="operator")
    assert (state("server"), ("bob", "server", "stale") in pending()) == ("suspect", False)


def test_a_task_that_names_another_check_has_it_woken_too(checked, pending):
    task = Contract.task(summary="s", uses=["api/limit"], checks=[])
    checked.decided("task/server", task, role="operator")
    for check in ("unit", "lint"):
        checked.judged("server", passed=True, check=check, by="tess")
    checked.decided("api/limit", {"most": 30}, role="operator")
    assert [source for source, target, _ in pending() if target == "server"] == ["lint", "unit"]
