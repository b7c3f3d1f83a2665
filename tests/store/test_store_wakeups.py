"""L1: nobody sleeps for ever; what is given up is let go; who is waited for is named. Each was once a defect."""

import os

import pytest

from blackboard import (
    Blackboard,
    Budget,
    Check,
    Contract,
    Invalid,
    InvalidPath,
    Team,
    TeamMismatch,
    Unavailable,
    external,
    on,
)
from blackboard.store.statements import Statement
from blackboard.testing import FakeClock, open_memory

AGENDA = Statement("SELECT source, target, kind, state FROM agenda WHERE state = 'pending'")


class Desk:
    """An operator at a board in memory."""

    def __init__(self, *sources, checks=()):
        self.board = open_memory(clock=FakeClock())
        self.team = Team("p", sources, checks=checks)
        self.board.install(self.team)

    def begin(self, author="op", role="operator"):
        return self.board.transaction(author, role=role)

    def decide(self, key, value):
        with self.begin() as transaction:
            transaction.decision(key)
            transaction.decide(key, value if isinstance(value, Contract) else Contract.value(value))

    def retract(self, key):
        with self.begin() as transaction:
            transaction.decision(key)
            transaction.retract(key, reason="no")

    def write(self, component, text="x", *, uses=(), implements=()):
        with self.begin() as transaction:
            transaction.component(component)
            transaction.write(component, {f"{component}.txt": text}, uses=uses, implements=implements)

    def judge(self, check, component, *, passed, by):
        with self.begin(by, None) as transaction:
            transaction.verdict(check, component, passed=passed)

    def run(self, check):
        """Let a check pass on everything that it was woken for."""
        while leases := self.board.claim(check, limit=9):
            for lease in leases:
                with lease.transaction() as transaction:
                    transaction.verdict(check, lease.target, passed=True)
                lease.finish()

    def pending(self):
        with self.board.store.database.reading() as on_head:
            return {(row["source"], row["target"], row["kind"]) for row in on_head.all(AGENDA)}

    def left(self):
        found = self.board.snapshot().convergence().obligations
        return {one.key for one in found if "quiescence" not in one.reason}


def task(**named):
    return Contract.task(summary="s", **named)


CODER = external("cora", role="coder", on=[on.required("*"), on.stale("*"), on.failed("unit")])
TESTER = external("tom", role="tester", on=on.written("elsewhere"))


def test_a_failure_to_mend_survives_that_its_component_was_stale_meanwhile():
    desk = Desk(CODER, TESTER, checks=[Check("unit", on="*")])
    desk.decide("api/x", 1)
    desk.decide("task/web", task(uses=["api/x"]))
    desk.write("web", uses=["task/web", "api/x"])
    desk.judge("unit", "web", passed=False, by="tom")
    for value in (2, 1):
        desk.decide("api/x", value)
    assert ("cora", "web", "failed") in desk.pending()


def test_a_component_that_stops_implementing_wakes_the_checks_of_those_that_rested_on_it():
    desk = Desk(CODER, checks=[Check("unit", on="*", command=["true"])])
    for key in ("api/x", "api/y"):
        desk.decide(key, 1)
    for name in ("server", "web"):
        desk.decide(f"task/{name}", task())
    desk.write("server", implements=["api/x"])
    desk.write("web", uses=["api/x"])
    desk.run("unit")
    assert desk.pending() == set()
    desk.write("server", "y", implements=["api/y"])
    assert ("unit", "web", "written") in desk.pending()


def test_a_check_that_only_a_task_names_is_woken_with_the_task_and_with_what_the_component_rests_on():
    desk = Desk(CODER, checks=[Check("slow", on="nothing/at/all", command=["true"])])
    desk.decide("api/x", 1)
    desk.write("web", uses=["api/x"])
    desk.decide("task/web", task(uses=["api/x"], checks=["slow"]))
    assert ("slow", "web", "written") in desk.pending()
    desk.run("slow")
    desk.write("server", implements=["api/x"])
    assert ("slow", "web", "written") in desk.pending()


def test_another_command_under_a_check_s_name_judges_what_is_built_already():
    desk = Desk(CODER, checks=[Check("unit", on="*", command=["true"])])
    desk.decide("task/web", task())
    desk.write("web")
    desk.run("unit")
    desk.board.install(Team("p", [CODER], checks=[Check("unit", on="*", command=["true", "harder"])]))
    assert ("unit", "web", "written") in desk.pending()


def test_a_source_that_left_the_team_leaves_nothing_on_the_agenda():
    desk = Desk(external("ari", role="architect", on=on.accepted("x")))
    desk.decide("x", 1)
    assert ("ari", "x", "accepted") in desk.pending()
    desk.board.install(Team("p", [external("ada", role="architect", on=on.accepted("y"))]))
    assert desk.pending() == set()


def test_a_task_that_is_given_up_takes_its_work_and_deadlines_along():
    desk = Desk(CODER, external("ari", role="architect", on=on.required("api/*")))
    desk.decide("task/web", task(uses=["api/x"]))
    assert {"web", "api/x"} <= desk.left()
    desk.retract("task/web")
    assert desk.left() == {"task/*"}
    assert desk.board.next_deadline() is None


def test_a_key_that_is_only_named_holds_back_nobody_who_listed_its_pattern():
    desk = Desk(CODER)
    desk.decide("api/a", 1)
    desk.decide("task/web", task(uses=["api/*"]))
    desk.decide("task/two", task(uses=["api/never"]))
    desk.retract("task/two")
    assert [lease.target for lease in desk.board.claim("cora", limit=9)] == ["web"]


def test_a_new_member_makes_nobody_stale_who_listed_every_decision():
    desk = Desk(CODER)
    with desk.begin() as transaction:
        assert "source/cora" not in [one.key for one in transaction.decisions("**")]
        transaction.write("web", {"a": "b"})
    desk.board.install(Team("p", [CODER, external("carl", role="coder", on=on.required("*"))]))
    assert desk.board.snapshot().component("web").state == "current"
    assert desk.board.snapshot().decisions("source/*")


def test_a_question_about_what_is_accepted_can_be_answered_with_it():
    desk = Desk(external("ari", role="architect", on=on.asked("**")))
    desk.decide("k", 1)
    with desk.begin() as transaction:
        transaction.ask("k", "still?")
    desk.decide("k", 1)
    assert desk.board.snapshot().questions() == ()


def test_a_vote_on_one_of_two_proposals_leaves_the_wish_to_vote_on_the_other(given, voting_team):
    board = open_memory()
    board.install(voting_team())
    for value in (1, 2):
        given(board).proposed("api/ids", value, by="art")
    given(board).voted("api/ids", 1, by="rev-1")
    with board.store.database.reading() as on_head:
        assert "rev-1" in {row["source"] for row in on_head.all(AGENDA)}
    given(board).voted("api/ids", 2, by="rev-1", approve=False)
    with board.store.database.reading() as on_head:
        assert "rev-1" not in {row["source"] for row in on_head.all(AGENDA)}


def test_where_all_that_is_left_waits_for_a_person_a_pattern_waits_for_that_person_too():
    desk = Desk(external("pat", role="planner", on=on.accepted("prompt")))
    outcome = desk.board.snapshot().convergence()
    assert outcome.waits_for_a_person
    assert {one.waits_for for one in outcome.obligations} == {("pat",)}


@pytest.mark.parametrize("reason", ["file \udce9.txt is not there", "\ud800"])
def test_what_no_store_can_carry_in_an_error_s_text_is_written_out(reason):
    desk = Desk(CODER)
    desk.decide("task/web", task())
    (lease,) = desk.board.claim("cora")
    lease.release(reason=reason, failed=True)
    assert desk.board.snapshot().convergence().obligations


@pytest.mark.parametrize("change", [os.remove, lambda path: path.rename(f"{path}.old")])
def test_a_file_that_is_gone_takes_no_more_commits(tmp_path, change):
    place = tmp_path / "board.db"
    with Blackboard.open(place, create=True) as board:
        with board.transaction("ann") as transaction:
            transaction.decide("a", Contract.value(1))
        change(place)
        with pytest.raises(Unavailable, match="moved, deleted or replaced"):
            board.transaction("ann")


@pytest.mark.parametrize("durability", ["off", "banana", None])
def test_durability_is_one_of_two_words(tmp_path, durability):
    with pytest.raises(Invalid, match="durability"):
        Blackboard.open(tmp_path / "board.db", create=True, durability=durability)
    assert not (tmp_path / "board.db").exists()


@pytest.mark.parametrize("path", [".git/config", "sub/.GIT/hooks/pre-commit"])
def test_no_component_writes_into_the_folder_of_a_repository(path):
    with pytest.raises(InvalidPath, match="repository"):
        Desk(CODER).begin().write("web", {path: "[core]", ".gitignore": "*.pyc"})


def test_a_file_cannot_be_the_folder_of_another_and_spec_is_the_board_s():
    desk = Desk(CODER)
    with pytest.raises(InvalidPath, match="folder"):
        desk.begin().write("web", {"x": "1", "x/y": "2"})
    with pytest.raises(InvalidPath, match="spec"):
        desk.begin().write("web", {".spec/decisions.json": "{}"})


def test_an_export_follows_no_link_out_of_its_folder(tmp_path):
    desk = Desk(CODER)
    with desk.begin() as transaction:
        transaction.write("web", {"out/a.txt": "1"})
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "out").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidPath, match="link"):
        desk.board.snapshot().export(tmp_path / "here")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_another_team_is_refused_while_a_lease_lives_and_changes_nothing():
    desk = Desk(CODER)
    desk.decide("task/web", task())
    (lease,) = desk.board.claim("cora")
    revision = desk.board.revision
    other = Team("p", [external("carl", role="coder", on=on.required("*"))], budget=Budget(activations=1))
    with pytest.raises(TeamMismatch, match="source/carl"):
        desk.board.install(other)
    assert desk.board.revision == revision
    with desk.board.store.database.reading() as on_head:
        assert on_head.all(Statement("SELECT cap FROM budget WHERE resource = 'activations'")) == []
    desk.board.install(desk.team)
    lease.finish()
    assert desk.board.install(other).revision == revision + 1
