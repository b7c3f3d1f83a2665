"""What was read lately is not read again while it stands, and never told of another moment than the one asked for."""

import random
import threading
from functools import partial

import pytest

from blackboard import Blackboard, Compacted, Conflict, Contract
from blackboard.store import compact, read
from blackboard.store.recent import Recent


@pytest.fixture
def counted(monkeypatch):
    """Return the keys that were looked up in the store, in order."""
    looked_up, look = [], read.decision_row

    def row(on, key, at):
        looked_up.append(key)
        return look(on, key, at)

    monkeypatch.setattr(read, "decision_row", row)
    return looked_up


def values(board, *keys, at=None):
    snapshot = board.snapshot(at=at)
    found = [snapshot.decision(key) for key in keys]
    return [one and one.value for one in found]


def told(board, *keys, at=None):
    """Return all that a decision says, by key."""
    snapshot = board.snapshot(at=at)
    found = [snapshot.decision(key) for key in keys]
    return [one and (one._replace(contract=None), one.contract.digest, dict(one.contract.digests)) for one in found]


def overtaken(board, key, value, act):
    """Decide what was read before another process acts."""
    late = board.transaction("ann", role="operator")
    late.decision(key)
    late.decide(key, Contract.value(value))
    act()
    late.commit()


def test_what_stands_is_looked_up_once(board, given, counted):
    given(board).decided("api/a", 1)
    given(board).decided("api/b", 2)
    counted.clear()
    for _ in range(3):
        assert values(board, "api/a", "api/b") == [1, 2]
    assert counted == ["api/a", "api/b"]


def test_what_this_process_read_and_decides_anew_is_not_looked_up_again(board, given, counted):
    given(board).decided("api/a", 1)
    given(board).decided("api/b", 2)
    assert values(board, "api/a", "api/b") == [1, 2]
    counted.clear()
    for number in (3, 4):
        given(board).decided("api/a", number - 10)
        given(board).decided("api/a", number)
        assert values(board, "api/a", "api/b") == [number, 2]
    assert counted == []


def test_what_this_process_changes_otherwise_is_looked_up_again_and_nothing_else(board, given, counted):
    given(board).decided("api/a", 1)
    given(board).decided("api/b", 2)
    assert values(board, "api/a", "api/b") == [1, 2]
    given(board).retracted("api/a")
    counted.clear()
    assert values(board, "api/a", "api/b") == [None, 2]
    assert counted == ["api/a"]


def test_what_is_decided_and_retracted_in_one_commit_does_not_stand(board, given):
    given(board).decided("api/a", 1)
    assert values(board, "api/a") == [1]
    with board.transaction("ann", role="operator") as both:
        both.decision("api/a")
        both.decide("api/a", Contract.value(2))
        both.retract("api/a", reason="no longer")
    assert values(board, "api/a") == [None]


def test_what_another_process_changes_is_looked_up_again_and_nothing_else(location, given, counted):
    with Blackboard.open(location, create=True) as here, Blackboard.open(location) as there:
        given(here).decided("api/a", 1)
        given(here).decided("api/b", 2)
        assert values(there, "api/a", "api/b") == [1, 2]
        given(here).decided("api/a", 3)
        counted.clear()
        assert values(there, "api/a", "api/b") == [3, 2]
        assert counted == ["api/a"]


@pytest.mark.parametrize("again", [False, True], ids=["it stands", "another process wrote over it"])
def test_what_this_process_writes_after_another_one_is_not_looked_up_while_it_stands(location, given, counted, again):
    with Blackboard.open(location, create=True) as here, Blackboard.open(location) as there:
        for key in ("api/a", "api/b", "api/c"):
            given(here).decided(key, 1)
        assert values(here, "api/a", "api/b", "api/c") == [1, 1, 1]
        overtaken(here, "api/b", 3, lambda: given(there).decided("api/a", 2))
        if again:
            given(there).decided("api/b", 4)
        counted.clear()
        assert values(here, "api/a", "api/b", "api/c") == [2, 4 if again else 3, 1]
        assert counted == ["api/a", *["api/b"] * again]
        with Blackboard.open(location) as fresh:
            assert told(here, "api/a", "api/b") == told(fresh, "api/a", "api/b")


def test_an_earlier_moment_is_told_as_it_was(board, given):
    first = given(board).decided("api/a", 1).revision
    before = board.snapshot()
    assert values(board, "api/a") == [1]
    given(board).decided("api/a", 2)
    assert values(board, "api/a") == [2]
    assert before.decision("api/a").value == 1
    assert values(board, "api/a", at=first) == [1]
    assert board.snapshot(at=0).decision("api/a") is None


def test_what_is_read_this_way_is_validated_like_everything_else(location, given):
    with Blackboard.open(location, create=True) as here, Blackboard.open(location) as there:
        given(here).decided("api/a", 1)
        assert values(there, "api/a") == [1]
        late = there.transaction("bob")
        given(here).decided("api/a", 2)
        assert late.decision("api/a").value == 1
        late.ask("api/b", "what follows?")
        with pytest.raises(Conflict):
            late.commit()


def test_of_a_moment_that_is_not_kept_any_more_nothing_is_told(board, given):
    given(board).decided("api/a", 1)
    old = board.snapshot()
    assert old.decision("api/a").value == 1
    for number in range(2, 5):
        given(board).decided("api/b", number)
    compact.compact(board.store, before=board.revision, author="olga")
    with pytest.raises(Compacted):
        old.decision("api/a")


def test_random_histories_of_two_processes_are_told_like_to_one_that_knows_nothing(location, given, seed, length):
    draw = random.Random(seed)
    keys = [f"api/k{number}" for number in range(4)]
    with Blackboard.open(location, create=True, durability="normal") as first, Blackboard.open(location) as second:
        boards = (first, second)
        for step in range(length(150, 5_000)):
            board = draw.choice(boards)
            match draw.choice(("decide", "decide", "overtaken", "retract", "read", "read", "read", "compact")):
                case "decide":
                    given(board).decided(draw.choice(keys), step, role="operator")
                case "overtaken":
                    key, meanwhile = draw.sample(keys, 2)
                    decide = partial(given(boards[board is first]).decided, meanwhile, -step, role="operator")
                    overtaken(board, key, step, decide)
                case "retract":
                    standing = [one.key for one in board.snapshot().decisions("api/*")]
                    if standing:
                        given(board).retracted(draw.choice(standing))
                case "compact" if step % 10 == 0 and board.revision > 20:
                    compact.compact(board.store, before=board.revision - 10, author="olga")
                case _:
                    with Blackboard.open(location) as fresh:
                        oldest = read.board_row(fresh.store.database)["first"]
                        at = draw.choice((None, draw.randint(min(oldest, fresh.revision), fresh.revision)))
                        assert told(board, *keys, at=at) == told(fresh, *keys, at=at), (step, at)


def test_threads_that_read_while_others_commit_are_told_of_their_own_moment(file_board, given, length):
    written, seen, ends = {0: None}, [], threading.Event()

    def reads():
        while not ends.is_set():
            snapshot = file_board.snapshot()
            found = snapshot.decision("api/n")
            seen.append((snapshot.revision, found and found.value))

    readers = [threading.Thread(target=reads, daemon=True) for _ in range(4)]
    for thread in readers:
        thread.start()
    for number in range(length(100, 5_000)):
        written[given(file_board).decided("api/n", number, role="operator").revision] = number
    ends.set()
    for thread in readers:
        thread.join()
    assert [(at, value) for at, value in seen if written[at] != value] == []


def test_a_store_that_hears_of_no_changes_is_caught(location, given, seed, length, monkeypatch):
    """Then what it keeps is told for ever, and who writes on it is refused."""
    honest = Recent.moved
    monkeypatch.setattr(Recent, "moved", lambda self, before, after, _: honest(self, before, after, {}))
    with pytest.raises((AssertionError, Conflict)):
        test_random_histories_of_two_processes_are_told_like_to_one_that_knows_nothing(location, given, seed, length)


class Held:
    def __init__(self, mod_revision, text=""):
        self.mod_revision, self.text, self.contract = mod_revision, text, self


def test_nothing_is_kept_of_a_moment_that_is_past_or_of_a_gap():
    recent = Recent()
    recent.moved(-1, 5, None)
    recent.put("a", Held(3), 5, 1)
    recent.put("b", Held(3), 4, 2)
    recent.put("c", Held(5, "x" * 100_000), 5, 3)
    assert [recent.get(key, 5) is not None for key in "abc"] == [True, False, False]
    assert recent.get("a", 2) is None
    assert recent.get("a", 6) is None
    recent.moved(5, 6, {"b": None})
    assert recent.get("a", 6) is not None
    recent.moved(3, 6, None)
    assert recent.get("a", 6) is not None
    recent.moved(8, 9, {})
    assert recent.get("a", 9) is None


def test_what_was_compacted_is_not_told_though_it_stands(location, given):
    with Blackboard.open(location, create=True) as board, Blackboard.open(location) as other:
        given(board).decided("api/ids", "int")
        given(board).decided("api/names", "text")
        old, kept = board.snapshot(at=1), board.snapshot()
        for number in range(3):
            given(other).decided("api/page", number)
        compact.compact(other.store, before=3, author="ann")
        assert board.snapshot().decision("api/ids").value == "int"
        assert board.snapshot(at=4).decision("api/ids").value == "int"
        for snapshot in (old, kept):
            with pytest.raises(Compacted):
                snapshot.decision("api/ids")
