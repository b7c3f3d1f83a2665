import io

import pytest
from rich.console import Console

from blackboard import Contract, Team, external, on
from blackboard.choreography import Choreography, Role, agree, each, may, quorum
from blackboard.cli import report
from blackboard.cli.affected import NOBODY, Affected
from blackboard.cli.impact import decide
from blackboard.cli.place import Author
from blackboard.cli.render import render
from blackboard.cli.why import why
from blackboard.errors import Refused
from blackboard.testing import FakeClock, open_memory

ANN = Author("ann", "operator")


@pytest.fixture
def board():
    with open_memory(clock=FakeClock()) as opened:
        yield opened


def decided(board, key, value, *, author="ann", because=""):
    with board.transaction(author) as transaction:
        transaction.decision(key)
        transaction.decide(key, Contract.value(value), rationale=because)


def built(board, component, *, key, facets, text="x = 1\n", author="bob"):
    with board.transaction(author) as transaction:
        transaction.decision(key, facets=facets)
        transaction.component(component)
        transaction.write(component, {f"{component}.py": text})


@pytest.fixture
def amended(board):
    """Two components on two facets of one decision, one of which was amended."""
    decided(board, "api/ids", {"kind": "int", "page": 20})
    built(board, "server", key="api/ids", facets=["kind"])
    built(board, "pager", key="api/ids", facets=["page"])
    decided(board, "api/ids", {"kind": "uuid", "page": 20}, because="clients make them")
    return board


def test_status_counts_what_there_is_and_names_what_is_left(amended):
    shown = report.status(amended)
    assert (shown.kind, shown.converged, shown.revision) == ("stalled", False, 4)
    assert shown.decisions == {"accepted": 1}
    assert shown.components == {"current": 1, "stale": 1}
    assert [one.key for one in shown.obligations] == ["server"]


def test_why_names_the_change_its_author_its_reason_and_the_facet_that_broke(amended):
    shown = why(amended, "server")
    assert (shown.state, shown.since) == ("stale", 4)
    broke, wrote = shown.causes
    assert (broke.revision, broke.author, broke.act) == (4, "ann", "amended api/ids 1 -> 2")
    assert broke.rationale == "clients make them"
    assert [(one.facet, one.reason, one.uses, one.implements) for one in broke.facets] == [
        ("kind", "int -> uuid", "breaking", "")
    ]
    assert (wrote.revision, wrote.author, wrote.act) == (2, "bob", "wrote server 1 against api/ids 1 (facets kind)")


def test_why_of_a_component_that_is_current_names_only_what_it_was_written_against(amended):
    shown = why(amended, "pager")
    assert (shown.state, shown.since) == ("current", 3)
    assert [one.act for one in shown.causes] == ["wrote pager 1 against api/ids 1 (facets page)"]


def test_why_is_stale_since_the_first_of_several_changes(amended):
    decided(amended, "api/ids", {"kind": "text", "page": 20})
    assert why(amended, "server").since == 5
    decided(amended, "api/other", 1)
    assert [one.revision for one in why(amended, "server").causes] == [5, 2]


def test_why_of_a_component_whose_decision_was_retracted_says_who_took_it_back(amended):
    with amended.transaction("ann") as transaction:
        transaction.decision("api/ids")
        transaction.retract("api/ids", reason="not needed")
    shown = why(amended, "pager")
    assert (shown.state, shown.since) == ("orphaned", 5)
    assert (shown.causes[0].author, shown.causes[0].act) == ("ann", "retracted api/ids")


def test_why_of_a_component_that_listed_a_pattern_names_what_joined_it(board):
    decided(board, "api/a", 1)
    with board.transaction("bob") as transaction:
        transaction.decisions("api/*")
        transaction.write("server", {"server.py": ""})
    decided(board, "api/b", 2)
    assert why(board, "server").causes[0].act == "decided api/b 1, which joined api/*"


def test_a_merged_version_is_shown_with_what_it_was_made_of(board):
    operator, writer = Role("operator", reliable=True), Role("writer", members=2, reliable=True)
    step = operator.decides("law")
    rights = [may(writer, act, "api/*") for act in ("decide", "propose")]
    members = [external(name, role="writer", on=on.asked("**")) for name in ("ann", "bob")]
    protocol = Choreography("merging", step, *rights, merge={"api/*": "facet"})
    board.install(Team("agree", members, choreography=protocol))
    decided(board, "api/ids", {"kind": "int", "page": 20})
    late = board.transaction("bob")
    late.decision("api/ids")
    late.decide("api/ids", Contract.value({"kind": "int", "page": 50}), rationale="fewer pages")
    decided(board, "api/ids", {"kind": "uuid", "page": 20}, because="clients make them")
    late.commit()

    shown = report.decision(board, "api/ids")
    (newest,), (part,) = shown.versions, report.decision(board, "api/ids", version=3).versions
    assert (newest.version, newest.bases, part.state) == (4, (2, 3), "merged")
    assert part.reason == "it became version 4 with version 2"
    assert "bob (writer), merged from 2 and 3" in said(shown)
    (cause,) = why(board, "api/ids").causes
    assert cause.act == "amended api/ids 2 -> 4, merged from 2 and 3"
    (change,) = report.diff(board, board.revision - 1, board.revision).decisions
    assert (change.old, change.new, change.bases) == (2, 4, (2, 3))
    assert "amended api/ids 2 -> 4, merged from 2 and 3:" in said(
        report.diff(board, board.revision - 1, board.revision)
    )


def test_a_proposal_beside_what_was_accepted_since_is_shown_with_its_own_changes(board):
    operator, reviewer = Role("operator", reliable=True), Role("reviewer", reliable=True)
    said = {"within_seconds": 9, "amendments": 3, "otherwise": operator.decides("api/{name}")}
    agreed = agree(Role("writer").proposes("api/{name}"), by=quorum(1, of=reviewer), **said)
    members = [external(name, role=role, on=on.asked("**")) for name, role in (("ada", "writer"), ("rik", "reviewer"))]
    protocol = Choreography("merging", each("api/{name}", agreed, at_most=5), merge={"api/*": "facet"})
    board.install(Team("agree", members, choreography=protocol))
    with board.transaction("ann", role="operator") as transaction:
        transaction.decide("api/ids", Contract.value({"kind": "int", "page": 20}))
    for value in ({"kind": "int", "page": 50}, {"kind": "uuid", "page": 20}):
        with board.transaction("ada") as transaction:
            transaction.decision("api/ids")
            transaction.propose("api/ids", Contract.value(value))
    with board.transaction("rik") as transaction:
        transaction.vote("api/ids", version=3, approve=True)
    shown = {one.version: one for one in report.decision(board, "api/ids").versions}
    assert [(one.facet, one.reason) for one in shown[2].changes] == [("page", "20 -> 50")]


def said(shown):
    """Return what a terminal shows of a report, on long lines."""
    console = Console(width=300, record=True, file=io.StringIO())
    console.print(render(shown))
    return console.export_text()


def test_why_of_an_open_question_says_who_asked_what(board):
    with board.transaction("ann") as transaction:
        transaction.ask("api/ids", "int or uuid?", options=["int", "uuid"])
    shown = why(board, "api/ids")
    assert (shown.state, shown.causes[0].act) == ("open", "asked: int or uuid?")
    assert shown.left


def test_why_of_a_key_that_nobody_named_has_no_state(board):
    assert why(board, "api/ids").state == ""


@pytest.fixture
def voted(board):
    """A decision of an architect on which one of three reviewers has voted."""
    architect, reviewer, operator = Role("architect"), Role("reviewer", members=3), Role("operator", reliable=True)
    agreed = agree(
        architect.proposes("api/{name}"),
        by=quorum(2, of=reviewer),
        within_seconds=60,
        amendments=1,
        otherwise=operator.decides("api/{name}"),
    )
    choreography = Choreography("voted", each("api/{name}", agreed, at_most=5))
    experts = [
        external("ada", role="architect", on=on.asked("api/*")),
        *(external(name, role="reviewer", on=on.proposed("api/*")) for name in ("rik", "ros", "roy")),
    ]
    board.install(Team("p", experts, choreography=choreography))
    with board.transaction("ada") as transaction:
        transaction.propose("api/ids", Contract.value("int"), rationale="small")
    with board.transaction("rik") as transaction:
        transaction.vote("api/ids", version=1, approve=True)
    return board


def test_why_of_a_proposal_says_who_voted_what_is_needed_and_who_is_waited_for(voted):
    shown = why(voted, "api/ids")
    assert shown.causes[0].act == "proposed version 1, rik says yes, needs 2 yes, waits for the votes of ros, roy"
    assert {("ros", "api/ids"), ("roy", "api/ids")} <= {(line.source, line.target) for line in shown.next}


def test_a_version_that_a_vote_accepted_stays_its_writers(voted):
    with voted.transaction("ros") as transaction:
        transaction.vote("api/ids", version=1, approve=True)
    cause = why(voted, "api/ids").causes[0]
    assert (cause.author, cause.role, cause.act) == ("ada", "architect", "decided api/ids 1, accepted by ros")


def test_show_has_the_electorate_the_votes_and_what_a_proposal_would_change(voted):
    shown = report.decision(voted, "api/ids")
    assert (shown.state, shown.current) == ("open", None)
    (version,) = shown.versions
    assert (version.electorate, version.quorum) == (("rik", "ros", "roy"), 2)
    assert [(vote.author, vote.approve) for vote in version.votes] == [("rik", True)]
    with voted.transaction("ros") as transaction:
        transaction.vote("api/ids", version=1, approve=True)
    with voted.transaction("ann", role="operator") as transaction:
        transaction.decision("api/ids")
        transaction.propose("api/ids", Contract.value("uuid"))
    newest = report.decision(voted, "api/ids").versions[0]
    assert [(line.facet, line.reason) for line in newest.changes] == [("$", "int -> uuid")]


def test_show_gives_one_version_and_an_old_revision(amended):
    assert [one.text for one in report.decision(amended, "api/ids", version=1).versions] == ['{"kind":"int","page":20}']
    assert report.decision(amended, "api/ids", at=2).current == 1
    assert report.decision(amended, "api/ids").current == 2
    assert report.decision(amended, "api/none") is None


def test_show_has_a_components_pins_with_the_version_that_is_accepted_now(amended):
    shown = report.component(amended, "server", files=True)
    assert [(pin.key, pin.version, pin.facets, pin.now) for pin in shown.pins] == [("api/ids", 1, ("kind",), 2)]
    assert shown.texts == {"server.py": "x = 1\n"}
    assert report.component(amended, "server").texts == {}
    assert report.component(amended, "nobody") is None


def test_a_list_leaves_out_what_install_wrote_unless_it_is_named(voted):
    assert [line.key for line in report.listing(voted, "**").keys] == ["api/ids", "prompt"]
    assert [line.key for line in report.listing(voted, "member/*").keys] == [
        "member/ada",
        "member/conformance",
        "member/rik",
        "member/ros",
        "member/roy",
        "member/starts",
    ]


def test_a_list_says_how_components_stand(amended):
    assert {line.key: line.state for line in report.listing(amended, "*").keys} == {
        "pager": "current",
        "server": "stale",
    }


def test_the_log_is_in_order_and_says_where_older_changes_were_left_out(amended):
    shown = report.log(amended)
    assert [line.revision for line in shown.changes] == sorted(line.revision for line in shown.changes)
    assert (shown.revision, shown.cut) == (4, False)
    newest = report.log(amended, newest=1)
    assert ([line.kind for line in newest.changes], newest.cut) == (["accepted"], True)
    assert {line.revision for line in report.log(amended, after=3).changes} == {4}
    assert {line.key for line in report.log(amended, pattern="server").changes} == {"server"}


def test_the_log_says_how_a_check_went(board):
    with board.transaction("ann") as transaction:
        transaction.write("server", {"server.py": ""})
    for passed in (False, True):
        with board.transaction("ann") as transaction:
            transaction.verdict("unit", "server", passed=passed, log="one failed" * (not passed))
        assert report.log(board).changes[-1].note == f"unit {'passed' if passed else 'failed'}"
    assert [(one.check, one.passed) for one in report.component(board, "server").verdicts] == [("unit", True)]


def test_diff_tells_decisions_by_facet_and_components_by_file(amended):
    built(amended, "server", key="api/ids", facets=["kind"], text="x = 2\n")
    shown = report.diff(amended, 3, 5)
    assert [(one.key, one.old, one.new) for one in shown.decisions] == [("api/ids", 1, 2)]
    assert [(line.facet, line.reason) for line in shown.decisions[0].facets] == [("kind", "int -> uuid")]
    assert [(one.key, one.old, one.new, one.changed) for one in shown.components] == [("server", 1, 2, ("server.py",))]
    assert report.diff(amended, 5, 5) == report.DiffReport(5, 5, (), ())
    assert [one.key for one in report.diff(amended, 0, 5, pattern="pager").components] == ["pager"]


def test_a_dry_run_says_what_would_be_stale_and_writes_nothing(amended):
    head = amended.revision
    shown = decide(amended, ANN, {"api/ids": Contract.value({"kind": "uuid", "page": 50})}, dry_run=True)
    assert [(one.key, one.old, one.new) for one in shown.changes] == [("api/ids", 2, 3)]
    assert shown.affected == Affected(stale=("pager",), components=2)
    assert (shown.refused_by, shown.revision, amended.revision) == ("", None, head)


def test_several_decisions_are_one_commit_that_says_what_it_did(amended):
    contracts = {"api/ids": Contract.value({"kind": "uuid", "page": 50}), "api/more": Contract.value(1)}
    shown = decide(amended, ANN, contracts, rationale="both")
    assert [(one.key, one.old, one.new) for one in shown.changes] == [("api/ids", 2, 3), ("api/more", None, 1)]
    assert (shown.affected.stale, shown.revision, amended.revision) == (("pager",), 5, 5)
    assert amended.snapshot().decision("api/more").rationale == "both"


def test_a_decision_that_says_what_is_accepted_already_changes_nothing(amended):
    shown = decide(amended, ANN, {"api/ids": Contract.value({"kind": "uuid", "page": 20})})
    assert (shown.changes, shown.affected, shown.revision) == ((), NOBODY, None)
    assert amended.revision == 4


def test_a_dry_run_names_the_refusal_and_the_real_one_raises_it(voted):
    contracts = {"api/ids": Contract.value("uuid")}
    rik = Author("rik", "reviewer")
    assert "not permitted" in decide(voted, rik, contracts, dry_run=True).refused_by
    head = voted.revision
    with pytest.raises(Refused):
        decide(voted, rik, contracts)
    assert voted.revision == head
