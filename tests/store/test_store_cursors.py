"""The feed's six words, its places, and what becomes of them when the board is another one: `Forked`, no resume."""

import shutil
import sqlite3
import threading
import tracemalloc
from dataclasses import replace

import pytest

from blackboard import Blackboard, Contract, Cursor, Forked, LeaseLost
from blackboard.store import feed
from blackboard.store.compact import compact
from blackboard.store.epoch import new_epoch
from blackboard.store.remembered import Head


def filled(board, count=12):
    """Make commits of one, two, three, one … decisions."""
    for number in range(count):
        with board.transaction("ann") as transaction:
            for key in range(number % 3 + 1):
                transaction.decide(f"c{number}/k{key}", Contract.value(key))


def places(changes):
    return [(one.revision, one.ordinal) for one in changes]


def begin_epoch(board):
    with board.store.writer.turn() as turn:
        return new_epoch(turn)


# --- the six words ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 8, 1000])
def test_ordered_unique_reliable_atomic_and_resumable_from_every_answer(board, limit):
    filled(board)
    whole = board.changes(after=0)
    assert places(whole) == sorted(set(places(whole)))
    assert {one.revision for one in whole} == set(range(1, board.revision + 1))
    found, place = [], 0
    while page := board.changes(after=place, limit=limit):
        assert page == tuple(one for one in whole if one.revision in {change.revision for change in page})
        assert page.cursor.revision == page[-1].revision
        found += page
        place = page.cursor
    assert tuple(found) == whole


def test_every_answer_is_a_bookmark_also_one_without_changes(board, given):
    assert board.changes(after=0).cursor == board.cursor
    filled(board, 4)
    assert board.changes(after=0).cursor == board.cursor
    assert board.changes(after=board.cursor).cursor == board.cursor
    marks = [batch.cursor for batch in board.watch(after=0, timeout_seconds=0)]
    assert [mark.revision for mark in marks] == [1, 2, 3, 4]
    given(board).decided("later", 1)
    for mark in marks:
        assert {one.revision for one in board.changes(after=mark)} == set(range(mark.revision + 1, 6))


def test_a_snapshot_at_a_bookmark_is_what_the_changes_after_it_begin_from(board):
    filled(board, 5)
    for batch in board.watch(after=0, timeout_seconds=0):
        assert board.snapshot(at=batch.cursor).decisions() == board.snapshot(at=batch.cursor.revision).decisions()


@pytest.mark.parametrize("page", [1, 2, 3, 7])
def test_a_watcher_reads_page_by_page_and_misses_nothing(board, page, monkeypatch):
    monkeypatch.setattr(feed, "PAGE", page)
    filled(board)
    batches = list(board.watch(after=0, timeout_seconds=0))
    assert [batch[0].revision for batch in batches] == list(range(1, board.revision + 1))
    assert tuple(one for batch in batches for one in batch) == board.changes(after=0)


# --- another history --------------------------------------------------------------------------------------------------


@pytest.fixture
def ways():
    """Return the ways in which a place is given to a board."""
    return {
        "changes": lambda board, place: board.changes(after=place),
        "watch": lambda board, place: next(board.watch(after=place, timeout_seconds=0)),
        "snapshot": lambda board, place: board.snapshot(at=place),
        "verify": lambda board, place: board.verify(known_head=place),
    }


@pytest.mark.parametrize("way", ["changes", "watch", "snapshot", "verify"])
@pytest.mark.parametrize(
    "wrong",
    [
        lambda head: replace(head, epoch="another"),
        lambda head: replace(head, digest="1:0"),
        lambda head: replace(head, revision=head.revision + 1),
        lambda head: replace(head, revision=head.revision - 1),
    ],
    ids=["epoch", "digest", "beyond", "older"],
)
def test_a_place_of_another_history_is_forked(board, ways, way, wrong):
    filled(board, 4)
    with pytest.raises(Forked):
        ways[way](board, wrong(board.cursor))


def test_a_number_beyond_the_newest_revision_is_forked_too(board):
    filled(board, 2)
    with pytest.raises(Forked):
        board.changes(after=3)
    with pytest.raises(Forked):
        next(board.watch(after=3, timeout_seconds=0))


def test_a_watcher_notices_a_new_epoch_though_it_began_with_a_number(board, given):
    filled(board, 2)
    watcher = board.watch(after=0, timeout_seconds=30)
    next(watcher), next(watcher)
    begin_epoch(board)
    given(board).decided("later", 1)
    with pytest.raises(Forked):
        next(watcher)


def test_a_new_epoch_voids_every_place_and_keeps_the_history(board):
    filled(board, 3)
    before = board.cursor
    epoch = begin_epoch(board)
    assert board.cursor == replace(before, epoch=epoch)
    for call in (
        lambda: board.changes(after=before),
        lambda: board.snapshot(at=before),
        lambda: board.verify(known_head=before),
    ):
        with pytest.raises(Forked):
            call()
    assert board.verify(known_head=board.cursor) == board.cursor


# --- leases of an older epoch -----------------------------------------------------------------------------------------


@pytest.fixture
def at_work(board, given, voting_team):
    """Return a board with a team whose architect `art` sees to two questions."""
    board.install(voting_team())
    for key in ("api/x", "api/y"):
        given(board).asked(key, by="art")
    return board


def test_leases_of_an_older_epoch_are_void(at_work):
    (one,) = at_work.claim("art")
    transaction = one.transaction()
    transaction.propose(one.target, Contract.value(1))
    begin_epoch(at_work)
    with pytest.raises(LeaseLost):
        transaction.commit()
    with pytest.raises(LeaseLost):
        one.renew()
    with pytest.raises(LeaseLost):
        one.finish()
    assert at_work.snapshot().versions(one.target) == ()
    (again,) = at_work.claim("art")
    assert (again.target, again.token > one.token) == (one.target, True)
    with again.transaction() as transaction:
        transaction.propose(one.target, Contract.value(2))
    again.finish()
    assert at_work.verify() == at_work.cursor


def test_a_lease_that_had_expired_is_void_in_a_new_epoch_too(given, voting_team):
    now = [1e9]
    with Blackboard.in_memory(clock=lambda: now[0]) as board:
        board.install(voting_team())
        given(board).asked("api/x", by="art")
        (lease,) = board.claim("art", lease_seconds=1)
        now[0] += 10
        board.claim("rev-1")  # whoever claims sweeps what has expired
        begin_epoch(board)
        transaction = lease.transaction()
        transaction.propose("api/x", Contract.value(1))
        with pytest.raises(LeaseLost):
            transaction.commit()


def test_what_was_leased_is_pending_again_in_a_new_epoch_and_what_it_held_is_spent(at_work, ask_sql):
    (lease,) = at_work.claim("art")
    begin_epoch(at_work)
    assert ask_sql(at_work, "SELECT source, state FROM activation") == [("art", "pending")] * 2
    assert ask_sql(at_work, "SELECT state FROM lease WHERE token = ?", lease.token) == [("revoked",)]
    assert ask_sql(at_work, "SELECT count(*) FROM resource_hold") == [(0,)]


def test_a_restored_board_never_gives_out_a_token_that_the_lost_history_gave_out(
    location, tmp_path, given, voting_team
):
    with Blackboard.open(location, create=True, durability="normal") as board:
        board.install(voting_team())
        given(board).asked("api/x", by="art")
        given(board).asked("api/y", by="art")
        board.backup(tmp_path / "early.db")
        tokens = {lease.token for lease in board.claim("art", limit=1)}
    with Blackboard.open(tmp_path / "early.db") as restored:
        begin_epoch(restored)
        assert tokens.isdisjoint({lease.token for lease in restored.claim("art", limit=1)})


# --- what a process remembers -----------------------------------------------------------------------------------------


def put_back(location, copy):
    """Write an older board into the file of a newer one, as SQLite itself does it: the file stays the same one."""
    source, target = sqlite3.connect(copy), sqlite3.connect(location)
    source.backup(target)
    source.close()
    target.close()


@pytest.fixture
def gone_back(location, tmp_path, given):
    """Return an open board whose file an older one was written into."""
    with Blackboard.open(location, create=True, durability="normal") as board:
        filled(board, 3)
        board.backup(tmp_path / "early.db")
        given(board).decided("later", 1)
        given(board).decided("more", 1)
        put_back(location, tmp_path / "early.db")
        yield board


EVERYTHING = {
    "revision": lambda board: board.revision,
    "cursor": lambda board: board.cursor,
    "snapshot": lambda board: board.snapshot(),
    "changes": lambda board: board.changes(after=0),
    "watch": lambda board: next(board.watch(after=0, timeout_seconds=0)),
    "transaction": lambda board: board.transaction("ann"),
    "find_commit": lambda board: board.find_commit("call-1", author="ann"),
}


@pytest.mark.parametrize("call", EVERYTHING.values(), ids=EVERYTHING.keys())
def test_an_open_board_refuses_its_file_when_it_has_gone_back(gone_back, call):
    with pytest.raises(Forked):
        call(gone_back)


def test_a_transaction_that_was_begun_before_its_board_went_back_writes_nothing(location, tmp_path, given):
    with Blackboard.open(location, create=True, durability="normal") as board:
        filled(board, 3)
        board.backup(tmp_path / "early.db")
        given(board).decided("later", 1)
        transaction = board.transaction("ann")
        transaction.decide("more", Contract.value(1))
        put_back(location, tmp_path / "early.db")
        with pytest.raises(Forked):
            transaction.commit()
    with Blackboard.open(location) as board:
        assert board.revision == 3


def test_a_board_that_went_back_and_grew_past_it_is_noticed(gone_back, location, given):
    with Blackboard.open(location, durability="normal") as other:
        for number in range(5):
            given(other).decided(f"another/k{number}", number)
    with pytest.raises(Forked):
        gone_back.changes(after=0)


def test_a_board_that_went_back_and_grew_as_far_is_noticed(gone_back, location, given):
    with Blackboard.open(location, durability="normal") as other:
        given(other).decided("another", 1)
        given(other).decided("history", 1)
    with pytest.raises(Forked):
        gone_back.snapshot()


def test_what_others_commit_and_compact_is_no_fork(location, given):
    with (
        Blackboard.open(location, create=True, durability="normal") as one,
        Blackboard.open(location, durability="normal") as two,
    ):
        for number in range(4):
            given(one).decided(f"one/k{number}", number)
            assert two.revision == one.revision
            given(two).decided(f"two/k{number}", number)
        seen = one.revision
        given(two).decided("more", 1)
        given(two).decided("more", 2)
        compact(two.store, before=seen + 2, author="olga")
        assert one.revision == two.revision
        given(one).decided("more", 3)
        assert one.verify() == two.cursor


def test_threads_that_read_while_others_commit_never_see_a_fork(file_board, length):
    board, failed, stop = file_board, [], threading.Event()

    def read():
        try:
            while not stop.is_set():
                assert board.revision <= board.cursor.revision
        except Exception as error:  # noqa: BLE001 - told by the test
            failed.append(error)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    filled(board, length(60, 2000))
    stop.set()
    for reader in readers:
        reader.join()
    assert failed == []


def test_a_process_remembers_what_it_committed_itself(board, given):
    given(board).decided("api/ids", 1)
    head = board.store.database.remembered.head
    done = given(board).decided("api/ids", 2)
    remembered = board.store.database.remembered.head
    assert remembered != head
    assert remembered == Head(board.cursor.epoch, done.revision, board.cursor.digest)


# --- slow and forgotten subscribers -----------------------------------------------------------------------------------


def test_a_watcher_that_is_forgotten_holds_nothing(file_board, given):
    board = file_board
    filled(board, 3)
    watcher = board.watch(after=0)
    next(watcher)
    # Whoever wants the file for himself gets it: no read is open.
    raw = sqlite3.connect(board.store.database.path, isolation_level=None, timeout=0)
    filled(board, 3)
    busy, log, moved = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    raw.close()
    assert (busy, log, moved) == (0, 0, 0)
    assert [batch[0].revision for batch in (next(watcher), next(watcher))] == [2, 3]
    watcher.close()


def test_a_watcher_that_comes_late_takes_no_more_memory_than_a_page(file_board, monkeypatch, length):
    board, commits = file_board, length(400, 5000)
    watcher = board.watch(after=0)
    filled(board, commits)
    monkeypatch.setattr(feed, "PAGE", 20)
    tracemalloc.start()
    try:
        for _ in range(commits):
            next(watcher)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        watcher.close()
    tracemalloc.start()
    whole = board.changes(after=0)
    _, all_at_once = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(whole) > commits
    assert peak < all_at_once / 3


def test_writers_go_on_while_subscribers_sleep(file_board, given):
    board = file_board
    watchers = [board.watch(after=0) for _ in range(20)]
    filled(board, 1)
    for watcher in watchers:
        next(watcher)
    filled(board, 30)
    for watcher in watchers:
        assert next(watcher)[0].revision == 2
        watcher.close()


def test_the_copy_of_a_board_tells_its_own_places(location, tmp_path, given):
    with Blackboard.open(location, create=True, durability="normal") as board:
        filled(board, 2)
    shutil.copy(location, tmp_path / "copy.db")
    with Blackboard.open(location) as board, Blackboard.open(tmp_path / "copy.db") as copy:
        begin_epoch(copy)
        given(board).decided("mine", 1)
        assert isinstance(board.cursor, Cursor)
        for place in (board.cursor, board.changes(after=0, limit=1).cursor):
            with pytest.raises(Forked):
                copy.changes(after=place)
