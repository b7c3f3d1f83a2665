"""S7: the feed is ordered, unique, atomic, reliable, resumable, and notices another history."""

import shutil
import threading

import pytest

from blackboard import Blackboard, Contract, Cursor, Forked, Invalid


def fill(board, given, count=5):
    """Make commits of one, two, three … decisions."""
    for number in range(1, count + 1):
        with board.transaction("ann") as transaction:
            for key in range(number):
                transaction.decide(f"c{number}/k{key}", Contract.value(key))


def test_the_feed_tells_everything_in_order_and_once(board, given):
    fill(board, given)
    changes = board.changes(after=0)
    places = [(change.revision, change.ordinal) for change in changes]
    assert places == sorted(set(places))
    assert [change.kind for change in changes if change.revision == 2] == ["proposed", "accepted"] * 2
    assert {change.author for change in changes} == {"ann"}


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 7, 11, 100])
def test_a_limit_never_splits_a_revision_and_reading_on_misses_nothing(board, given, limit):
    fill(board, given)
    whole = board.changes(after=0)
    found, after = [], 0
    while page := board.changes(after=after, limit=limit):
        revisions = {change.revision for change in page}
        assert len(page) <= limit or len(revisions) == 1
        assert list(page) == [change for change in whole if change.revision in revisions]
        found += page
        after = page[-1].revision
    assert tuple(found) == whole


def test_a_place_in_the_middle_goes_on_from_there(board, given):
    fill(board, given)
    for after in range(board.revision + 1):
        assert {change.revision for change in board.changes(after=after)} == set(range(after + 1, 6))


def test_a_cursor_resumes_where_it_was_taken(board, given):
    fill(board, given, 2)
    cursor = board.cursor
    assert cursor.revision == 2
    given(board).decided("later", 1)
    assert {change.revision for change in board.changes(after=cursor)} == {3}
    assert board.changes(after=board.cursor) == ()


def test_a_cursor_of_another_board_is_forked(board, given):
    given(board).decided("api/ids", "int")
    with Blackboard.in_memory() as other:
        given(other).decided("api/ids", "int")
        with pytest.raises(Forked):
            board.changes(after=other.cursor)
        with pytest.raises(Forked):
            next(board.watch(after=other.cursor, timeout_seconds=0))


def test_a_cursor_of_another_history_is_forked(location, tmp_path, given):
    with Blackboard.open(location, create=True) as board:
        given(board).decided("api/ids", "int")
    shutil.copy(location, tmp_path / "copy.db")
    with Blackboard.open(location) as board, Blackboard.open(tmp_path / "copy.db") as copy:
        given(board).decided("api/page", 20)
        given(copy).decided("api/page", 40)
        with pytest.raises(Forked):
            copy.changes(after=board.cursor)
        given(board).decided("api/size", 1)
        with pytest.raises(Forked):
            copy.changes(after=board.cursor)
        head = copy.cursor
        with pytest.raises(Forked):
            copy.changes(after=Cursor(head.epoch, head.revision, "1:0"))


def test_a_lost_tail_is_noticed_by_whoever_remembers_it(location, tmp_path, given):
    with Blackboard.open(location, create=True) as board:
        given(board).decided("api/ids", "int")
        early = board.cursor
        board.backup(tmp_path / "early.db")
        given(board).decided("api/page", 20)
        late = board.cursor
    with Blackboard.open(tmp_path / "early.db") as restored:
        assert restored.changes(after=early) == ()
        with pytest.raises(Forked):
            restored.changes(after=late)
        with pytest.raises(Forked):
            restored.verify(known_head=late)
        assert restored.verify(known_head=early) == early


def test_replaying_the_feed_gives_the_state_at_every_revision(board, given):
    to = given(board)
    for number in range(4):
        to.decided("a", number)
        to.decided(f"b{number}", number)
    to.retracted("b1")
    to.written("server", "one")
    to.written("server", "two")
    for revision in range(board.revision + 1):
        current: dict[str, int | None] = {}
        for change in board.changes(after=0):
            if change.revision > revision:
                break
            if change.kind in ("accepted", "written"):
                current[change.key] = change.version
            elif change.kind == "retracted":
                current[change.key] = None
        snapshot = board.snapshot(at=revision)
        standing = {one.key: one.version for one in (*snapshot.decisions(), *snapshot.components())}
        assert standing == {key: version for key, version in current.items() if version is not None}


# --- watching --------------------------------------------------------------------------------------------------------


def test_a_watcher_sees_what_was_there_and_what_comes(board, given):
    fill(board, given, 2)
    watcher = board.watch(after=0, timeout_seconds=30)
    assert [change.revision for change in next(watcher)] == [1, 1]
    assert {change.revision for change in next(watcher)} == {2}
    given(board).decided("later", 1)
    assert {change.revision for change in next(watcher)} == {3}
    watcher.close()


def test_a_watcher_ends_after_a_time_without_a_change(board, given):
    fill(board, given, 3)
    assert [batch[0].revision for batch in board.watch(after=1, timeout_seconds=0)] == [2, 3]
    assert list(board.watch(after=3, timeout_seconds=0.01)) == []


def test_a_watcher_from_a_cursor_goes_on_from_there(board, given):
    fill(board, given, 2)
    cursor = board.cursor
    given(board).decided("later", 1)
    assert [batch[0].revision for batch in board.watch(after=cursor, timeout_seconds=0)] == [3]


def test_several_watchers_see_the_same_while_threads_write(file_board, length):
    board, commits = file_board, length(30, 300)
    seen: dict[int, list[int]] = {0: [], 1: []}

    def watch(number):
        for batch in board.watch(after=0, timeout_seconds=60):
            seen[number].append(batch[0].revision)
            if batch[0].revision == 2 * commits:
                return

    def write(author):
        for number in range(commits):
            with board.transaction(author) as transaction:
                transaction.decide(f"{author}/k{number}", Contract.value(1))

    threads = [threading.Thread(target=watch, args=(number,)) for number in seen]
    threads += [threading.Thread(target=write, args=(author,)) for author in ("ann", "bob")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen[0] == seen[1] == list(range(1, 2 * commits + 1))


def test_a_refused_commit_is_not_in_the_feed(board, given):
    given(board).decided("api/ids", "int")
    late = board.transaction("bob")
    late.decision("api/ids")
    late.decide("api/page", Contract.value(1))
    given(board).decided("api/ids", "text")
    with pytest.raises(Exception, match="api/ids"):
        late.commit()
    assert {change.key for change in board.changes(after=0)} == {"api/ids"}


def test_what_happens_on_the_agenda_is_not_in_the_feed(board, given, voting_team):
    board.install(voting_team())
    given(board).asked("api/ids", by="art")
    head = board.cursor
    (lease,) = board.claim("art")
    lease.renew()
    lease.finish()
    assert board.cursor == head
    with pytest.raises(Invalid):
        board.changes(after=-1)
