"""Whoever dies, stands still, is interrupted or meets a broken disk: an errand is done once, and answered truly."""

import sqlite3
import threading

import pytest
from lining import attempted, deciding, until
from queueing import Interrupted, fail, names_noted, noting, queued

from blackboard import CommitUnknown, Forked, Full
from blackboard.spec.changes import Committed
from blackboard.store.errands import Errands
from blackboard.store.group import Group
from blackboard.store.queue import Member
from blackboard.store.slips import Slip, Slips
from blackboard.store.statements import Statement
from blackboard.store.tickets import Tickets
from blackboard.store.writer import Writer
from blackboard.testing import APPLIED, COMMITTED, FakeClock, SimulatedCrash, crash_at

DONE = Committed(1, (("api/ids", 1),), 0)


def impatient(monkeypatch, owner):
    """Let an owner wait for neither its turn nor SQLite's lock."""
    monkeypatch.setattr("blackboard.store.tickets.PATIENCE_SECONDS", 0.05)
    owner.store.writer.session.connection().raw.execute("PRAGMA busy_timeout = 0")


def once(board):
    """Make sure that the owner's commit is there, once and no more, and that nobody holds a ticket."""
    assert [change.kind for change in board.changes(after=0)] == ["proposed", "accepted"]
    assert board.verify().revision == 1
    tickets = board.store.database.tickets
    assert not any(tickets._is_held(number) for number in range(16))


# --- who dies or is interrupted ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("point", [APPLIED, COMMITTED])
def test_where_the_leader_dies_in_its_transaction_the_owner_has_its_commit_once(line, leader, owner, point):
    def act():
        with crash_at(point), pytest.raises(SimulatedCrash):
            leader.store.writer.run(noting("leader"))

    (done,) = line.behind(leader, deciding(owner).commit, act=act)
    assert done == DONE
    assert line.answered == ([owner] if point == COMMITTED else [])
    assert names_noted(leader) == (["leader"] if point == COMMITTED else [])
    once(owner)


INTERRUPTS = {
    "before it looks what was left": (Tickets, "behind"),
    "when it reads what was left": (Errands, "member"),
    "when it looks whether it stands": (Tickets, "stands"),
    "before it answers": (Slips, "answer"),
}


@pytest.mark.parametrize("when", INTERRUPTS)
def test_where_the_leader_is_interrupted_nobody_waits_for_ever_and_nothing_is_done_twice(
    line, leader, owner, monkeypatch, when
):
    of, name = INTERRUPTS[when]
    whole, interrupts, behind, answers = getattr(of, name), [Interrupted], [], []

    def interrupted(*arguments):
        if interrupts and threading.current_thread() is threading.main_thread():
            raise interrupts.pop()
        return whole(*arguments)

    def lined_up():
        # One more thread of the leader's process waits by now.
        behind.append(threading.Thread(target=lambda: answers.append(leader.store.writer.run(noting("member")))))
        behind[0].start()
        queued(leader, 1)
        monkeypatch.setattr(of, name, interrupted)

    def act():
        with pytest.raises(Interrupted):
            leader.store.writer.run(noting("leader"))

    (done,) = line.behind(leader, deciding(owner).commit, act=act, lined_up=lined_up)
    behind[0].join(30)
    assert (done, answers, interrupts) == (DONE, ["member"], [])
    committed = ["leader"] if when == "before it answers" else []
    assert names_noted(leader) == [*committed, "member"]
    once(owner)


@pytest.mark.parametrize("name", ["leave", "answered", "take_back"])
def test_where_the_owner_is_interrupted_in_line_nobody_waits_for_ever_and_it_may_come_again(
    line, leader, owner, monkeypatch, name
):
    whole, mine, answers = getattr(Slips, name), [], []

    def interrupted(slips, *arguments):
        if slips is owner.store.database.tickets._slips and mine:
            mine.clear()
            raise Interrupted
        return whole(slips, *arguments)

    monkeypatch.setattr(Slips, name, interrupted)
    other = threading.Thread(target=lambda: answers.append(owner.store.writer.run(noting("member"))))
    with leader.store.writer.turn():
        leader.store.database.tickets.take()
        mine.append(True)
        told = []
        first = threading.Thread(target=lambda: told.append(attempted(deciding(owner, name="call-1").commit)))
        first.start()
        if name == "take_back":
            until(lambda: owner.store.database.tickets._mine)
        else:
            first.join(30)
            other.start()
    first.join(30)
    if name == "take_back":
        other.start()
    other.join(30)
    assert (len(told), answers) == (1, ["member"])
    assert isinstance(told[0], Interrupted)
    assert deciding(owner, name="call-1").commit() == DONE
    once(owner)


# --- who stands still -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["before it is read", "when it was read"])
def test_what_was_taken_back_is_not_done_by_one_who_stood_still_meanwhile(line, leader, owner, monkeypatch, when):
    impatient(monkeypatch, owner)
    told = []

    def commit():
        told.append(attempted(deciding(owner, name="call-1").commit))

    member = Errands.member

    def read(errands, *arguments):
        if when == "when it was read" and errands is leader.store.errands:
            until(lambda: told)
        return member(errands, *arguments)

    monkeypatch.setattr(Errands, "member", read)
    line.behind(leader, commit, lined_up=(lambda: until(lambda: told)) if when == "before it is read" else int)
    assert isinstance(told[0], CommitUnknown)
    assert leader.revision == 0
    assert deciding(owner, name="call-1").commit() == DONE
    once(owner)


def test_what_was_taken_back_is_not_done_though_its_owner_still_has_its_ticket(line, leader, owner, monkeypatch):
    """It waits for SQLite's lock, which the leader has."""
    monkeypatch.setattr("blackboard.store.tickets.PATIENCE_SECONDS", 0.05)
    member, stood, applied = Errands.member, [], []
    slips = leader.store.database.tickets._slips
    stands = Tickets.stands

    def read(errands, *arguments):
        until(lambda: not slips.of(1 + stood[0]))
        return member(errands, *arguments)

    def look(tickets, slip):
        applied.append(stands(tickets, slip))
        return applied[-1]

    monkeypatch.setattr(Errands, "member", read)
    monkeypatch.setattr(Tickets, "stands", look)
    stood.append(leader.store.database.tickets._numbers()[0])
    (done,) = line.behind(leader, deciding(owner).commit)
    assert (done, applied, line.answered) == (DONE, [False], [])
    once(owner)


def test_one_who_was_read_and_waits_no_longer_has_its_commit_once(line, leader, owner, monkeypatch):
    """It comes by itself when the leader has already applied what it left, and has not committed yet."""
    monkeypatch.setattr("blackboard.store.tickets.PATIENCE_SECONDS", 0.05)
    session = leader.store.writer.session
    commit, slips, given = (
        session.commit,
        leader.store.database.tickets._slips,
        leader.store.database.tickets._numbers()[0],
    )

    def later(key):
        until(lambda: not slips.of(given + 1))
        commit(key)

    session.commit = later
    (done,) = line.behind(leader, deciding(owner).commit)
    assert (done, line.answered) == (DONE, [])
    once(owner)


# --- the disk and the engine ------------------------------------------------------------------------------------------

LATER = Statement("PRAGMA defer_foreign_keys = ON")
NOBODY_S = Statement("INSERT INTO component_file (key_id, version, path, blob) VALUES (9, 9, 'x', 'no such blob')")


def violate_at_commit(turn):
    turn.run(LATER)
    turn.run(NOBODY_S)


def test_nobody_is_answered_before_the_commit(line, leader, owner):
    session = leader.store.writer.session
    commit, answers = session.commit, []

    def looked(key):
        slips = leader.store.database.tickets._slips
        answers.extend(slips.answered(slip) for slip in leader.store.database.tickets.behind())
        commit(key)

    session.commit = looked
    (done,) = line.behind(leader, deciding(owner).commit)
    assert (done, answers, line.answered) == (DONE, [None], [owner])


def test_where_the_commit_of_the_leader_fails_no_owner_is_told_anything_false(line, leader, owner):
    def act():
        with pytest.raises(CommitUnknown):
            leader.store.writer.run(noting("bad", violate_at_commit))

    (done,) = line.behind(leader, deciding(owner).commit, act=act)
    assert done == DONE
    assert names_noted(leader) == []
    once(owner)


def test_where_it_is_unknown_whether_the_leader_committed_the_owner_finds_out_for_itself(line, leader, owner):
    session = leader.store.writer.session
    commit = session.commit

    def failed(key):
        session.commit = commit
        commit(key)
        raise CommitUnknown(key, "the disk failed")

    def act():
        with pytest.raises(CommitUnknown):
            leader.store.writer.run(noting("leader"))

    session.commit = failed
    (done,) = line.behind(leader, deciding(owner).commit, act=act)
    assert (done, line.answered) == (DONE, [])
    once(owner)


def test_nobody_is_served_before_one_of_whom_it_is_unknown_whether_its_errand_was_done(leader, monkeypatch):
    writer = leader.store.writer

    def failed(key):
        writer.session.roll_back()
        raise CommitUnknown(key, "the disk failed")

    monkeypatch.setattr(writer.session, "commit", failed)
    monkeypatch.setattr(writer.errands, "member", lambda text, _stands: Member(noting(text.decode())))
    monkeypatch.setattr(Writer, "_gather_seconds", -1.0)
    group, tickets = Group(writer.session, leader.store.database.courtesy), leader.store.database.tickets
    with writer._turn:
        tickets._before = [Slip(1, b"", b"a"), Slip(2, b"", b"b")]
        assert not writer._do_errands(group, [], before=True)
        tickets.give_back()
    assert names_noted(leader) == []


def test_where_the_engine_ends_the_transaction_at_an_errand_all_others_are_committed(line, leader, owner, monkeypatch):
    stands, ended = Tickets.stands, []

    def end(tickets, slip):
        if not ended:
            ended.append(slip)
            leader.store.writer.session.connection().raw.execute("ROLLBACK")
            raise sqlite3.OperationalError("disk I/O error")
        return stands(tickets, slip)

    monkeypatch.setattr(Tickets, "stands", end)
    answers = []
    (done,) = line.behind(
        leader, deciding(owner).commit, act=lambda: answers.append(leader.store.writer.run(noting("leader")))
    )
    assert (done, answers, line.answered) == (DONE, ["leader"], [])
    assert names_noted(leader) == ["leader"]
    once(owner)


class Unending:
    """A driver's connection on which no savepoint ends, once."""

    def __init__(self, raw) -> None:
        self._raw, self.failed = raw, False

    def execute(self, text):
        if text == "RELEASE member" and not self.failed:
            self.failed = True
            raise sqlite3.OperationalError("disk I/O error")
        return self._raw.execute(text)

    def __getattr__(self, name):
        return getattr(self._raw, name)


def test_an_errand_whose_savepoint_does_not_end_is_undone_and_the_head_is_that_before_it(line, leader, owner, given):
    connection = leader.store.writer.session.connection()
    connection.raw = Unending(connection.raw)
    first = []
    (done,) = line.behind(
        leader, deciding(owner).commit, act=lambda: first.append(given(leader).decided("db/ids", "int"))
    )
    assert (first[0].revision, done.revision, line.answered, connection.raw.failed) == (1, 2, [], True)
    assert given(leader).decided("db/page", 1).revision == 3
    assert leader.verify() == owner.cursor


def test_an_errand_that_fills_the_disk_is_refused_by_itself_and_nobody_else_is(line, leader, owner):
    for board in (leader, owner):
        raw = board.store.writer.session.connection().raw
        pages = raw.execute("PRAGMA page_count").fetchone()[0]
        raw.execute(f"PRAGMA max_page_count = {pages}")
    first = []
    (full,) = line.behind(
        leader,
        deciding(owner, value="x" * 20_000).commit,
        act=lambda: first.append(leader.store.writer.run(noting("leader"))),
    )
    assert isinstance(full, Full)
    assert (first, names_noted(leader), line.answered) == (["leader"], ["leader"], [])
    assert leader.verify().revision == 0


def test_a_leader_that_is_refused_itself_does_what_others_left(line, leader, owner):
    def act():
        with pytest.raises(ZeroDivisionError):
            leader.store.writer.run(noting("bad", fail))

    (done,) = line.behind(leader, deciding(owner).commit, act=act)
    assert (done, line.answered) == (DONE, [owner])
    once(owner)


@pytest.mark.parametrize("call", ["leave", "of", "stands", "take_back", "answer", "answered"])
def test_where_the_line_cannot_be_read_or_written_every_commit_goes_through(line, leader, owner, monkeypatch, call):
    def failed(*_):
        raise OSError(5, "the disk failed")

    ended = []

    def lined_up():
        if call != "leave":
            monkeypatch.setattr(Slips, call, failed)

    if call == "leave":
        monkeypatch.setattr(Slips, call, failed)
        monkeypatch.setattr("lining.LONG_SECONDS", 1)
        assert deciding(owner).commit() == DONE
    else:
        (done,) = line.behind(leader, deciding(owner).commit, act=int, lined_up=lined_up)
        ended.append(done)
        assert ended == [DONE]
    monkeypatch.undo()
    once(owner)


# --- who is not alike -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("of_leader", "of_owner"), [("normal", "full"), ("full", "normal")])
def test_who_promises_another_durability_does_nothing_for_others(line, of_leader, of_owner):
    leader, owner = line.open(durability=of_leader), line.open(durability=of_owner)
    (done,) = line.behind(leader, deciding(owner).commit)
    assert (done, line.answered) == (DONE, [])


def test_who_has_a_clock_of_its_own_leaves_no_errands(line, leader):
    owner = line.open(clock=FakeClock())
    (done,) = line.behind(leader, deciding(owner).commit)
    assert (done, line.answered) == (DONE, [])


def test_who_has_a_clock_of_its_own_does_no_errands(line, owner):
    leader, answers = line.open(clock=FakeClock()), []
    commit = deciding(owner).commit
    thread = threading.Thread(target=lambda: answers.append(commit()))

    def work(_turn):
        tickets = leader.store.database.tickets
        given = tickets._numbers()[0]
        thread.start()
        until(lambda: tickets._numbers()[0] > given)

    leader.store.writer.run(work)
    thread.join(30)
    assert (answers, line.answered) == ([DONE], [])


@pytest.mark.parametrize(("of", "value"), [("schema", "other"), ("identity", (1, 2)), ("synchronous", "EXTRA")])
def test_who_means_another_schema_or_file_does_nothing_for_others(line, leader, owner, of, value):
    database = owner.store.database
    true = getattr(database, of)
    setattr(database, of, value)
    owner.store.errands = Errands(owner.store)
    setattr(database, of, true)
    (done,) = line.behind(leader, deciding(owner).commit)
    assert (done, line.answered) == (DONE, [])


# --- what is remembered -----------------------------------------------------------------------------------------------


def test_who_was_answered_remembers_the_head_and_refuses_an_older_board(line, leader, owner):
    (done,) = line.behind(leader, deciding(owner).commit)
    assert (done, line.answered) == (DONE, [owner])
    head = owner.store.database.remembered.head
    assert head == leader.store.database.remembered.head
    assert head.revision == 1
    with leader.store.writer.transaction() as connection:
        connection.raw.execute("UPDATE board SET revision = 0, digest = ''")
    with pytest.raises(Forked):
        owner.snapshot()
    with pytest.raises(Forked):
        deciding(owner, "db/ids").commit()


def test_revisions_are_dense_and_the_feed_is_the_state_however_many_are_done_in_one_turn(line, leader, given):
    owners = [line.open() for _ in range(12)]
    works = [deciding(owner, f"own/{number}", number).commit for number, owner in enumerate(owners)]
    answers = line.behind(leader, *works, act=lambda: given(leader).decided("api/ids", "int"))
    assert [answer.revision for answer in answers] == list(range(2, 14))
    assert set(line.answered) == set(owners)
    changes = [(change.revision, change.key) for change in owners[3].changes(after=1) if change.kind == "accepted"]
    assert changes == [(number + 2, f"own/{number}") for number in range(12)]
    assert {board.verify() for board in line.boards} == {leader.cursor}
    assert owners[5].snapshot().decision("own/7").value == 7
