"""L2: who was refused twice on one target has it to itself for a while, so that no writer starves."""

import threading

import pytest

from blackboard import Blackboard, Conflict, Contract, NotPermitted, Reserved
from blackboard.spec import reservation
from blackboard.testing import FakeClock


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def board(clock):
    with Blackboard.in_memory(clock=clock) as board:
        yield board


def amending(board, author, key, value, reads=()):
    """Return a transaction that read a key (and others) and wants to write it."""
    transaction = board.transaction(author)
    transaction.decision(key)
    for one in reads:
        transaction.decision(one)
    transaction.decide(key, Contract.value(value))
    return transaction


def refuse(board, author, key, times, *, reads=()):
    """Let an author be refused on a key as often, because somebody else was quicker."""
    for _ in range(times):
        at = board.revision
        slow = amending(board, author, key, f"{author} {at}", reads)
        amending(board, "quick", key, f"{author} was too slow at {at}").commit()
        with pytest.raises(Conflict):
            slow.commit()


def test_after_two_conflicts_on_one_target_others_are_refused_until_it_committed(board, given):
    given(board).decided("api/ids", 0)
    refuse(board, "slow", "api/ids", 2)
    with pytest.raises(Reserved) as refused:
        amending(board, "quick", "api/ids", "quicker again").commit()
    assert (refused.value.key, refused.value.holder) == ("api/ids", "slow")
    assert refused.value.expires_in_seconds <= reservation.SECONDS
    amending(board, "slow", "api/ids", "at last").commit()
    amending(board, "quick", "api/ids", "and then").commit()


def test_after_one_conflict_nothing_is_reserved(board, given):
    given(board).decided("api/ids", 0)
    refuse(board, "slow", "api/ids", 1)
    amending(board, "quick", "api/ids", "again").commit()


def test_a_commit_in_between_begins_the_count_anew(board, given):
    given(board).decided("api/ids", 0)
    refuse(board, "slow", "api/ids", 1)
    amending(board, "slow", "api/ids", "mine").commit()
    refuse(board, "slow", "api/ids", 1)
    amending(board, "quick", "api/ids", "again").commit()


def test_a_reservation_ends_after_its_time_and_is_not_had_again_at_once(board, given, clock):
    given(board).decided("api/ids", 0)
    refuse(board, "slow", "api/ids", 2)
    clock.sleep(reservation.SECONDS + 1)
    refuse(board, "slow", "api/ids", 1)
    amending(board, "quick", "api/ids", "again").commit()


@pytest.mark.parametrize(("thought", "holds"), [(0, 1), (30, 60), (500, reservation.SECONDS)])
def test_a_reservation_holds_as_long_as_two_such_attempts_take(board, given, clock, thought, holds):
    given(board).decided("api/ids", 0)
    for _ in range(2):
        at = board.revision
        slow = amending(board, "slow", "api/ids", f"slow {at}")
        clock.sleep(thought)
        amending(board, "quick", "api/ids", f"quick {at}").commit()
        with pytest.raises(Conflict):
            slow.commit()
    with pytest.raises(Reserved) as refused:
        amending(board, "quick", "api/ids", "again").commit()
    assert refused.value.expires_in_seconds == pytest.approx(holds, abs=1)


def test_what_others_change_beside_it_is_free(board, given):
    given(board).decided("api/ids", {"kind": "int", "maker": "server"})
    given(board).decided("api/page", 20)
    transaction = None
    for number in range(2):
        transaction = board.transaction("slow")
        transaction.decision("api/ids", facets=["kind"])
        transaction.decide(f"mine/{number}", Contract.value(number))
        given(board).decided("api/ids", {"kind": f"kind {number}", "maker": "server"}, by="quick")
        with pytest.raises(Conflict):
            transaction.commit()
    given(board).decided("api/page", 30)
    given(board).decided("api/ids", {"kind": "kind 1", "maker": "client"})


def test_a_pattern_that_was_contested_gets_no_new_member(board, given):
    for number in range(2):
        transaction = board.transaction("slow")
        transaction.decisions("item/*")
        transaction.decide("count", Contract.value(number))
        given(board).decided(f"item/{number}", number, by="quick")
        with pytest.raises(Conflict):
            transaction.commit()
    with pytest.raises(Reserved):
        given(board).decided("item/more", 1, by="quick")
    given(board).decided("other/more", 1, by="quick")
    given(board).decided("item/0", "amended: no member came or left", by="quick")


def test_two_never_wait_for_each_other(board, given):
    """Each lost what the other writes: only the first reserves, so that one of them goes on."""
    given(board).decided("a", 0)
    given(board).decided("b", 0)
    refuse(board, "first", "a", 2, reads=["b"])
    for number in range(2):
        slow = amending(board, "second", "b", number, reads=["a"])
        given(board).decided("b", f"other {number}", by="quick")
        with pytest.raises(Conflict):
            slow.commit()
    amending(board, "first", "a", "mine", reads=["b"]).commit()
    amending(board, "second", "b", "mine", reads=["a"]).commit()


def test_a_reservation_covers_no_more_than_its_share_of_the_board(board, given, ask_sql):
    for number in range(40):
        given(board).decided(f"item/{number}", number)
    for number in range(3):
        transaction = board.transaction("slow")
        transaction.decisions("**")
        transaction.decide("count", Contract.value(number))
        given(board).decided(f"new/{number}", number, by="quick")
        with pytest.raises(Conflict):
            transaction.commit()
    assert ask_sql(board, "SELECT count(*) FROM reservation") == [(0,)]


def test_an_attempt_that_is_not_permitted_reserves_nothing(board, given, ask_sql, voting_team):
    board.install(voting_team())
    for _ in range(3):
        with pytest.raises(NotPermitted):
            given(board).decided("api/ids", 1, by="stranger")
    assert ask_sql(board, "SELECT count(*) FROM refusal_count") == [(0,)]


def test_run_transaction_waits_for_what_is_reserved(location, given):
    """On a real clock: the one who is refused goes on as soon as the holder has committed."""
    with Blackboard.open(location, create=True, durability="normal") as board:
        given(board).decided("api/ids", 0)
        refuse(board, "slow", "api/ids", 2)
        done = []

        def quick():
            def amend(transaction):
                transaction.decision("api/ids")
                transaction.decide("api/ids", Contract.value("quick, after it"))

            done.append(board.run_transaction(amend, "quick", attempts=1))

        waiting = threading.Thread(target=quick)
        waiting.start()
        waiting.join(0.2)
        assert done == []
        amending(board, "slow", "api/ids", "at last").commit()
        waiting.join(30)
        assert [one.accepted for one in done] == [(("api/ids", board.snapshot().decision("api/ids").version),)]


def test_a_long_transaction_gets_through_among_short_ones(location, given):
    """What plain retrying does not do: one that reads much and thinks long, among many that are quick."""
    with Blackboard.open(location, create=True, durability="normal") as board:
        for number in range(4):
            given(board).decided(f"hot/{number}", 0)
        stop = threading.Event()

        def quick(name):
            number = 0
            while not stop.is_set():
                number += 1

                def amend(transaction, number=number):
                    key = f"hot/{number % 4}"
                    transaction.decision(key)
                    transaction.decide(key, Contract.value([name, number]))

                board.run_transaction(amend, name, role="operator", attempts=1000)

        def slow(transaction):
            for number in range(4):
                transaction.decision(f"hot/{number}")
            stop.wait(0.05)
            transaction.decide("sum", Contract.value(transaction.revision))

        threads = [threading.Thread(target=quick, args=(f"quick-{number}",)) for number in range(2)]
        for thread in threads:
            thread.start()
        try:
            committed = board.run_transaction(slow, "slow", attempts=8)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert committed.accepted[0][0] == "sum"
