"""S8 where a clock is wrong: store time does not stand still, and no jump of it takes a lease that is renewed."""

import subprocess
import sys
import time

import pytest
from examinations import examine

from blackboard import Blackboard, Conflict, Contract, LeaseLost, Reserved, Team, external, on
from blackboard.spec import reservation
from blackboard.store.surroundings import Level
from blackboard.testing import FakeClock

DAY = 86_400.0


@pytest.fixture
def clock():
    return FakeClock()


class SystemClock:
    """A host's clock, which can be set, and its monotonic one, which cannot."""

    wall, monotonic = 1_700_000_000.0, 100.0

    def go_on(self, seconds):
        self.wall += seconds
        self.monotonic += seconds


@pytest.fixture
def system_clock(monkeypatch):
    clock = SystemClock()
    monkeypatch.setattr(time, "time", lambda: clock.wall)
    monkeypatch.setattr(time, "monotonic", lambda: clock.monotonic)
    return clock


def installed(location, clock=None):
    """Return a new board with one job, which whoever speaks for `worker` may claim."""
    board = Blackboard.open(location, create=True, clock=clock)
    board.install(Team("jobs", [external("worker", role="architect", on=on.accepted("job"))]))
    with board.transaction("boss", role="operator") as transaction:
        transaction.decide("job", Contract.value(1))
    return board


@pytest.fixture
def board(location, clock):
    with installed(location, clock) as board:
        yield board


def commit_from(location, clock, key="other"):
    """Let a process with a clock of its own commit something."""
    with Blackboard.open(location, clock=clock) as other, other.transaction("ann", role="operator") as transaction:
        transaction.decide(key, Contract.value(1))


def cannot_claim_from(location, clock):
    """Say that a process with a clock of its own gets no lease."""
    with Blackboard.open(location, clock=clock) as other:
        return other.claim("worker") == ()


def claim(board, seconds=60):
    (lease,) = board.claim("worker", lease_seconds=seconds)
    return lease


def result(lease, text):
    transaction = lease.transaction()
    transaction.decision("result")
    transaction.decide("result", Contract.value(text))
    return transaction


def ahead(clock, days=1):
    return FakeClock(clock() + days * DAY)


# --- a dead holder ----------------------------------------------------------------------------------------------------


def test_after_a_commit_from_a_day_ahead_a_lease_ends_after_its_length(board, clock, location):
    commit_from(location, ahead(clock))
    lost = claim(board)
    clock.sleep(59)
    assert board.claim("worker") == ()
    assert lost.expires_in_seconds == pytest.approx(1)
    clock.sleep(2)
    taken = claim(board)
    assert taken.token > lost.token
    with pytest.raises(LeaseLost):
        result(lost, "late").commit()
    result(taken, "in time").commit()


def test_a_lease_from_before_the_jump_ends_after_its_length_too(board, clock, location):
    lost = claim(board)
    commit_from(location, ahead(clock))
    assert board.claim("worker") == ()
    clock.sleep(61)
    assert claim(board).token > lost.token


def test_who_joins_later_waits_the_length_of_a_lease_and_no_longer(board, clock, location):
    commit_from(location, ahead(clock))
    claim(board)
    with Blackboard.open(location, clock=FakeClock(clock())) as late:
        late.store.clock.sleep(59)
        assert late.claim("worker") == ()
        late.store.clock.sleep(2)
        assert claim(late)


def test_a_board_that_nobody_used_for_a_week_is_at_the_time_of_who_opens_it(board, clock, location):
    claim(board)
    board.close()
    clock.sleep(7 * DAY)
    with Blackboard.open(location, clock=clock) as again:
        with again.transaction("ann", role="operator") as transaction:
            transaction.decide("other", Contract.value(1))
        assert again.store.time.now() == clock()
        clock.sleep(31)
        assert claim(again)


def test_a_clock_that_is_set_back_lets_no_lease_last_longer(location, system_clock):
    with installed(location) as board:
        lost = claim(board)
        system_clock.wall -= DAY
        system_clock.go_on(59)
        assert board.claim("worker") == ()
        system_clock.go_on(2)
        assert claim(board).token > lost.token


def test_a_real_process_a_day_ahead_does_not_hold_up_the_others(location):
    program = (
        "import sys, time\nfrom blackboard import Blackboard\n"
        "Blackboard.open(sys.argv[1], clock=lambda: time.time() + 86400).close()\n"
    )
    with installed(location) as board:
        subprocess.run([sys.executable, "-c", program, str(location)], check=True)
        assert board.store.time.now() < time.time() + DAY
        lost = claim(board, seconds=0.3)
        assert lost.expires_in_seconds <= 0.3
        patience = time.monotonic() + 60
        while not (taken := board.claim("worker")):
            assert time.monotonic() < patience
            time.sleep(0.02)
        assert taken[0].token > lost.token


# --- a living holder --------------------------------------------------------------------------------------------------


def test_whoever_renews_keeps_its_lease_however_often_a_clock_jumps(board, clock, location):
    lease = claim(board)
    for days in range(1, 6):
        clock.sleep(20)
        commit_from(location, ahead(clock, days), f"key-{days}")
        assert cannot_claim_from(location, ahead(clock, days))
        lease.renew()
    result(lease, "done").commit()
    lease.finish()


def test_whoever_renews_keeps_its_lease_where_the_clock_of_all_is_set_forward(location, system_clock):
    with installed(location) as board:
        lease = claim(board)
        system_clock.wall += DAY
        system_clock.go_on(20)
        assert board.claim("worker") == ()
        lease.renew()
        result(lease, "done").commit()


def test_a_jump_costs_a_lease_no_seconds_of_the_budget_and_none_of_its_longest_time(board, clock, location, ask_sql):
    lease = claim(board)
    before = ask_sql(board, "SELECT expires - claimed, longest_until - claimed FROM lease WHERE token = ?", lease.token)
    commit_from(location, ahead(clock))
    after = ask_sql(board, "SELECT expires - claimed, longest_until - claimed FROM lease WHERE token = ?", lease.token)
    assert after[0][0] <= before[0][0] == 60
    assert after[0][1] == before[0][1]


def test_a_jump_in_a_turn_that_was_undone_takes_no_lease(location, system_clock):
    with installed(location) as board:
        lease = claim(board)
        system_clock.wall += DAY
        with pytest.raises(ZeroDivisionError), board.store.writer.turn() as turn:
            turn.keep_time()
            raise ZeroDivisionError
        assert board.claim("worker") == ()
        lease.renew()


# --- a reservation ----------------------------------------------------------------------------------------------------


def test_after_a_commit_from_a_day_ahead_a_reservation_ends_after_its_length(board, clock, location):
    with board.transaction("ann", role="operator") as transaction:
        transaction.decide("api", Contract.value(0))
    commit_from(location, ahead(clock))
    for number in range(2):
        slow = amending(board, "slow", f"slow {number}")
        amending(board, "quick", f"quick {number}").commit()
        with pytest.raises(Conflict):
            slow.commit()
    with pytest.raises(Reserved) as refused:
        amending(board, "quick", "again").commit()
    assert 0 < refused.value.expires_in_seconds <= reservation.SECONDS
    clock.sleep(refused.value.expires_in_seconds + 1)
    amending(board, "quick", "again").commit()


def amending(board, author, value):
    transaction = board.transaction(author, role="operator")
    transaction.decision("api")
    transaction.decide("api", Contract.value(value))
    return transaction


# --- the doctor -------------------------------------------------------------------------------------------------------


def test_the_doctor_says_since_when_store_time_is_ahead_and_what_that_means(location):
    with installed(location) as board:
        before = board.revision
    commit_from(location, lambda: time.time() + DAY)
    (found,) = [one for one in examine(location).level(Level.WARNING) if one.about == "clock"]
    assert "24.0 h ahead of this host's clock" in found.what
    assert f"since revision {before + 1} by ann" in found.what
    assert "leases" in found.what
    assert "clock" in found.step


def test_the_doctor_says_so_where_no_commit_moved_it(location):
    installed(location).close()
    Blackboard.open(location, clock=lambda: time.time() + DAY).close()
    (found,) = [one for one in examine(location).level(Level.WARNING) if one.about == "clock"]
    assert "since no commit" in found.what
