"""What a team may be, and what the board is told of it."""

import pytest

from blackboard import on
from blackboard.choreography.steps import Choreography, may
from blackboard.choreography.values import Role
from blackboard.control.checks import TESTER
from blackboard.control.source import external, knowledge_source
from blackboard.control.team import Budget, Check, Team
from blackboard.errors import InvalidKey, InvalidTeam


def source(name="ann", role="coder", **more):
    return knowledge_source(name=name, role=role, on=on.required("*"), **more)(lambda _: None)


def test_the_board_is_told_of_members_sources_checks_and_the_choreography():
    check = Check("unit", on="*", command=["true"])
    team = Team("notes", [source(), external("eve", role="operator", on=on.contested("**"))], checks=[check])
    records = team.records()
    assert {key for key in records if not key.startswith("role/")} == {
        "prompt",
        "choreography/team",
        "member/ann",
        "member/conformance",
        "member/eve",
        "member/starts",
        "member/unit",
        "source/ann",
        "source/conformance",
        "source/eve",
        "source/starts",
        "source/unit",
    }
    assert records["source/eve"].facets["external"] is True
    assert records["source/unit"].facets["check"] == "unit"
    assert records["source/unit"].facets["role"] == TESTER
    assert records["prompt"].text == "notes"
    assert team.records() == records


def test_a_check_that_is_judged_by_reading_has_no_source_of_its_own():
    team = Team("x", [source()], checks=[Check("style", on="*")])
    assert [record.name for record in team.source_records()] == ["ann", "conformance", "starts"]


def test_a_definition_changes_with_everything_that_a_check_does():
    made = {
        Check("unit", on="*", command=["a"]).definition,
        Check("unit", on="*", command=["b"]).definition,
        Check("unit", on="*", command=["a"], timeout_seconds=1).definition,
        Check("unit", on="*", command=["a"], network=True).definition,
    }
    assert len(made) == 4


def test_limits_are_those_that_were_given():
    assert Team("x", [], budget=Budget(tokens=5, seconds=0)).limits() == {"tokens": 5.0, "seconds": 0.0}


@pytest.mark.parametrize(
    "make",
    [
        lambda: Team("x", [source(), source()]),
        lambda: Team("x", [source("unit")], checks=[Check("unit", on="*", command=["true"])]),
        lambda: Team("x", [], checks=[Check("unit", on="*"), Check("unit", on="*")]),
        lambda: Team("x", [], checks=[Check("conformance", on="*")]),
        lambda: Team("x", [source("conformance")]),
        lambda: Team("x", [source("starts")]),
        lambda: Team("x", [source(role="wizard")]),
        lambda: Team("x", [source(needs={"gpu": 2})], resources={"gpu": 1}),
        lambda: Team("x", [], resources={"tokens": 1}),
        lambda: Check("unit", on="*", command="true"),
        lambda: Check("unit", on="*", command=["true"], timeout_seconds=0),
        lambda: source(max_concurrency=0),
        lambda: source(retries=-1),
        lambda: Team("x", [], checks=[Check("u", on="*", command=["a"])], choreography=_without_tester()),
    ],
)
def test_what_cannot_work_is_refused_with_a_repair(make):
    with pytest.raises(InvalidTeam) as refused:
        make()
    assert refused.value.repair


def test_a_name_is_one_segment():
    with pytest.raises(InvalidKey):
        source("a/b")


def _without_tester():
    return Choreography("c", may(Role("coder"), "write", "**"))
