"""Two threads and four processes at once: nothing is lost, nothing gets through that should not, nothing sleeps.

All workloads run mixed on one board, so that each also disturbs the others. What they promise is checked afterwards,
from
the history that they left.
"""

import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import fault_worker
import pytest

from blackboard import Blackboard, Team, external, on
from blackboard.choreography import Choreography, Role, agree, each, quorum
from blackboard.spec.staleness import Freshness

WORKER = Path(fault_worker.__file__)
AUTHORS = ("rev-1", "rev-2", "rev-3", "rev-4")


def arrange(location, given):
    """Make the board of a race: reviewers who vote, and somebody who waits for whatever becomes stale."""
    operator = Role("operator", reliable=True)
    architect, reviewer = Role("architect", reliable=True), Role("reviewer", members=4, reliable=True)
    agreed = agree(
        architect.proposes("api/{name}"), by=quorum(2, of=reviewer), rounds=2, otherwise=operator.decides("api/{name}")
    )
    choreography = Choreography("race", each("api/{name}", agreed, at_most=100_000))
    members = [external(name, role="reviewer", on=on.proposed("api/*")) for name in AUTHORS]
    members += [external("watcher", role="architect", on=on.stale("**"))]
    with Blackboard.open(location, create=True) as board:
        board.install(Team("race", members, choreography=choreography))
        given(board).decided("race/duty-a", value=True, role="operator")
        given(board).decided("race/duty-b", value=True, role="operator")


def check(location, lines) -> Counter:
    """Hold what was acknowledged against what is there; return how often each thing happened."""
    acknowledged = Counter()
    happened = Counter()
    for line in lines:
        workload, answer, *_ = line.split()
        if answer.isdecimal():
            acknowledged[workload] += 1
            happened[f"{workload} done"] += 1
        else:
            happened[f"{workload} {answer}"] += 1
    with Blackboard.open(location) as board:
        board.verify()
        every_acknowledged_revision_is_there(board, lines)
        no_update_was_lost(board, acknowledged)
        never_were_both_off_duty(board)
        no_number_was_given_twice(board, acknowledged)
        no_facet_was_lost(board, acknowledged)
        every_vote_counted(board)
        nothing_sleeps(board)
    return happened


def every_acknowledged_revision_is_there(board, lines):
    known = {change.revision: change.author for change in board.changes(after=0)}
    assert sorted(known) == list(range(1, board.revision + 1))
    for line in lines:
        answer = line.split()[1]
        assert not answer.isdecimal() or int(answer) in known


def no_update_was_lost(board, acknowledged):
    counter = board.snapshot().decision("race/count")
    assert (counter.value["count"] if counter else 0) == acknowledged["count"]


def never_were_both_off_duty(board):
    duty = {"race/duty-a": True, "race/duty-b": True}
    texts = {key: {one.version: one.contract.text for one in board.snapshot().versions(key)} for key in duty}
    for change in board.changes(after=0):
        if change.key in duty and change.kind == "accepted":
            duty[change.key] = texts[change.key][change.version] == "true"
            assert any(duty.values()), change


def no_number_was_given_twice(board, acknowledged):
    shelves: dict[str, list[int]] = {}
    for one in board.snapshot().decisions("item/*/*"):
        shelves.setdefault(one.key.split("/")[1], []).append(one.value["number"])
    for numbers in shelves.values():
        assert sorted(numbers) == list(range(len(numbers)))
    assert sum(map(len, shelves.values())) == acknowledged["phantom"]


def no_facet_was_lost(board, acknowledged):
    decision = board.snapshot().decision("race/facets")
    assert sum(decision.value.values() if decision else ()) == acknowledged["facet"]


def every_vote_counted(board):
    """A version is accepted by its second yes, once, and none that has two is left proposed."""
    changes = [one for one in board.changes(after=0) if one.key.startswith("api/")]
    accepted = Counter((one.key, one.version) for one in changes if one.kind == "accepted")
    assert all(count == 1 for count in accepted.values())
    snapshot = board.snapshot()
    for key in sorted({change.key for change in changes}):
        for version in snapshot.versions(key):
            yes = sum(vote.approve for vote in version.votes)
            assert version.state == ("accepted" if yes >= version.quorum else "proposed")
            assert yes <= version.quorum


def nothing_sleeps(board):
    """What is not current is on the agenda, and the two ways of saying what is current agree."""
    query = "SELECT k.key FROM activation a JOIN key k ON k.id = a.target_id WHERE a.state = 'pending' AND source = ?"
    with board.store.database.reading() as connection:
        pending = {row[0] for row in connection.raw.execute(query, ("watcher",))}
        in_sql = dict(connection.raw.execute("SELECT key, state FROM component_state").fetchall())
    components = board.snapshot().components()
    began = joined(board)
    assert {one.key: one.state for one in components} == in_sql
    assert {one.key: one.state for one in components} == {one.key: by_values(board, one, began) for one in components}
    assert pending == {one.key for one in components if one.state != "current"}


def by_values(board, component, began):
    """Say how a component stands by comparing digests of what it pins with what is there, without effects."""
    snapshot, states = board.snapshot(), {Freshness.CURRENT}
    for pin in component.pins:
        decision = snapshot.decision(pin.key)
        if decision is None:
            states.add(Freshness.ORPHANED)
            continue
        there = decision.contract.digests
        if pin.name and there.get(pin.name, "") != pin.digest:
            states.add(Freshness.STALE)
        if not pin.name:
            then = next(one for one in snapshot.versions(pin.key) if one.version == pin.version)
            if set(then.contract.digests) != set(there):
                states.add(Freshness.STALE)
    with board.store.database.reading() as connection:
        listed = connection.raw.execute(
            """SELECT 1 FROM pattern_pin pp JOIN key k ON k.id = pp.component_id
              AND k.current_version = pp.component_version
            WHERE k.key = ?""",
            (component.key,),
        ).fetchone()
    if listed:
        if any(began[one.key] > component.revision for one in snapshot.decisions("pinned/*")):
            states.add(Freshness.STALE)
    return next(str(one) for one in (Freshness.ORPHANED, Freshness.STALE, Freshness.CURRENT) if one in states)


def joined(board):
    """Return key -> the revision at which it last began to be an accepted decision."""
    began, there = {}, set()
    for change in board.changes(after=0):
        if change.kind == "accepted" and change.key not in there:
            there.add(change.key)
            began[change.key] = change.revision
        elif change.kind == "retracted":
            there.discard(change.key)
    return began


def test_two_threads_lose_nothing(location, given, seed, length):
    arrange(location, given)
    lines, failures = [], []
    with Blackboard.open(location, durability="normal") as board:

        def run(name):
            try:
                fault_worker.Author(board, name, seed, lines.append).run(length(150, 8000))
            except BaseException as error:  # noqa: BLE001 - it is looked at below
                failures.append(error)

        threads = [threading.Thread(target=run, args=(name,)) for name in AUTHORS[:2]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []
    happened = check(location, lines)
    assert sum(count for name, count in happened.items() if name.endswith("refused")) > 0, happened


def test_four_processes_lose_nothing(location, given, seed, length, tmp_path):
    arrange(location, given)
    commits = length(120, 8000)
    logs = [tmp_path / f"{name}.log" for name in AUTHORS]
    workers = [
        subprocess.Popen(
            [sys.executable, WORKER, location, name, str(commits), str(seed), log],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name, log in zip(AUTHORS, logs, strict=True)
    ]
    outputs = [worker.communicate()[0] for worker in workers]
    assert [(worker.returncode, output) for worker, output in zip(workers, outputs, strict=True)] == [(0, "")] * 4
    lines = [line for log in logs for line in log.read_text().splitlines()]
    happened = check(location, lines)
    assert sum(count for name, count in happened.items() if name.endswith("refused")) > 0, happened


@pytest.mark.parametrize("workload", sorted(fault_worker.WORKLOADS))
def test_every_workload_of_the_race_does_what_it_is_for(location, given, workload):
    """So that no check above passes because nothing happened."""
    arrange(location, given)
    lines = []
    with Blackboard.open(location, durability="normal") as board:
        author = fault_worker.Author(board, "rev-1", 1, lines.append)
        if workload == "vote":
            fault_worker.Author(board, "rev-2", 1, lines.append).once("propose")
        for _ in range(5):
            author.once(workload)
    assert [line for line in lines if line.startswith(workload) and line.split()[1].isdecimal()] != []
    check(location, lines)


# --- tests of the tests ----------------------------------------------------------------------------------------------


def test_a_store_that_validates_no_reads_is_caught_by_the_race(location, given, monkeypatch):
    """Both authors read before either writes, as in a race that was lost."""
    arrange(location, given)
    lines: list[str] = []
    together = threading.Barrier(2)
    monkeypatch.setattr("blackboard.store.commit.broken_reads", lambda *_: [])
    with Blackboard.open(location, durability="normal") as board:

        class Slow(fault_worker.Author):
            def count(self, transaction):
                super().count(transaction)
                together.wait()

        monkeypatch.setitem(fault_worker.WORKLOADS, "count", (Slow.count, fault_worker.OPERATOR))
        authors = [Slow(board, name, 1, lines.append) for name in AUTHORS[:2]]
        threads = [threading.Thread(target=author.once, args=("count",)) for author in authors]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    monkeypatch.undo()
    with Blackboard.open(location) as board, pytest.raises(AssertionError):
        no_update_was_lost(board, Counter(line.split()[0] for line in lines))


def both_off_duty(board, given):
    for key in "ab":
        given(board).decided(f"race/duty-{key}", value=False, role="operator")


def the_same_number(board, given):
    for key in "ab":
        given(board).decided(f"item/1/{key}", {"number": 0}, role="operator")


def a_facet_less(board, given):
    given(board).decided("race/facets", {"x": 1}, role="operator")


def an_update_less(board, given):
    given(board).decided("race/count", {"count": 1, "by": "x"}, role="operator")


def raw(board, text):
    with board.store.writer.turn() as turn:
        turn.connection.raw.execute(text)


def a_vote_that_does_not_count(board, given):
    fault_worker.Author(board, "rev-1", 1, print).once("propose")
    raw(board, "INSERT INTO vote SELECT key_id, version, 'rev-2', 1, '', 1 FROM version WHERE electorate IS NOT NULL")
    raw(board, "INSERT INTO vote SELECT key_id, version, 'rev-3', 1, '', 1 FROM version WHERE electorate IS NOT NULL")


def a_component_that_sleeps(board, given):
    given(board).decided("pinned/a", {"x": 1}, role="operator")
    with board.transaction("rev-1", role="operator") as transaction:
        transaction.decision("pinned/a")
        transaction.write("built-1", {"a": "b"})
    given(board).decided("pinned/a", {"x": 2}, role="operator")
    raw(board, "DELETE FROM activation")


def a_component_that_is_called_current(board, given):
    a_component_that_sleeps(board, given)
    raw(board, "UPDATE facet_effect SET uses = 'none', implements = 'none'")


@pytest.mark.parametrize(
    ("violate", "checked"),
    [
        (both_off_duty, never_were_both_off_duty),
        (the_same_number, lambda board: no_number_was_given_twice(board, Counter(phantom=2))),
        (a_facet_less, lambda board: no_facet_was_lost(board, Counter(facet=2))),
        (an_update_less, lambda board: no_update_was_lost(board, Counter(count=2))),
        (a_vote_that_does_not_count, every_vote_counted),
        (a_component_that_sleeps, nothing_sleeps),
        (a_component_that_is_called_current, nothing_sleeps),
        (both_off_duty, lambda board: every_acknowledged_revision_is_there(board, ["count 999"])),
    ],
)
def test_each_check_of_the_race_catches_what_it_is_for(location, given, violate, checked):
    arrange(location, given)
    with Blackboard.open(location, durability="normal") as board:
        for fine in (never_were_both_off_duty, every_vote_counted, nothing_sleeps):
            fine(board)
        violate(board, given)
        with pytest.raises(AssertionError):
            checked(board)
