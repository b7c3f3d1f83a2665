"""S8: a fencing token only grows, and whoever was taken over writes nothing, however late it notices."""

import pytest

from blackboard import Blackboard, Conflict, Contract, LeaseLost, Team, external, on
from blackboard.control.simulation import FakeClock


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture(params=["file", "memory"])
def team(request, clock, location):
    """Return a board with two coders who wait for `server` to be rewritten."""
    board = (
        Blackboard.in_memory(clock=clock)
        if request.param == "memory"
        else Blackboard.open(location, create=True, clock=clock)
    )
    with board:
        board.install(Team("build", [external(f"coder-{n}", role="coder", on=on.stale("*")) for n in (1, 2)]))
        yield board


@pytest.fixture
def stale(team, given):
    """Return the board after `server` has become stale."""
    with team.transaction("boss", role="operator") as transaction:
        transaction.decide("api/ids", Contract.value("int"))
        transaction.decide("task/server", Contract.task(summary="build", uses=["api/ids"]))
    write(team.transaction("boss", role="operator"), "one").commit()
    given(team).decided("api/ids", "text", by="boss", role="operator")
    return team


def write(transaction, text):
    transaction.decision("api/ids")
    transaction.component("server")
    transaction.write("server", {"server.txt": text})
    return transaction


def claim(board, author="coder-1", seconds=60):
    (lease,) = board.claim(author, lease_seconds=seconds)
    return lease


def test_what_is_written_under_a_lease_names_it(stale, ask_sql):
    lease = claim(stale)
    assert (lease.target, lease.source, lease.role, lease.kind) == ("server", "coder-1", "coder", "stale")
    done = write(lease.transaction(), "two").commit()
    assert ask_sql(stale, "SELECT token FROM commit_log WHERE revision = ?", done.revision) == [(lease.token,)]
    assert stale.snapshot().component("server").author == "coder-1"


def test_a_holder_stopped_and_continued_after_the_takeover_is_refused(stale, clock):
    slow = claim(stale, "coder-1", seconds=10)
    thinking = write(slow.transaction(), "late")
    clock.sleep(11)
    fast = claim(stale, "coder-1", seconds=10)
    assert fast.token > slow.token
    done = write(fast.transaction(), "two").commit()
    fast.finish()
    with pytest.raises(LeaseLost) as refused:
        thinking.commit()
    assert (refused.value.target, refused.value.token) == ("server", slow.token)
    assert stale.revision == done.revision
    assert stale.snapshot().component("server").text("server.txt") == "two"
    for call in (slow.finish, slow.renew, slow.release, write(slow.transaction(), "again").commit):
        with pytest.raises(LeaseLost):
            call()


def test_the_takeover_alone_is_enough_to_refuse(stale, clock):
    slow = claim(stale, "coder-1", seconds=10)
    thinking = write(slow.transaction(), "late")
    clock.sleep(11)
    claim(stale, "coder-1", seconds=10)
    with pytest.raises(LeaseLost):
        thinking.commit()


def test_a_takeover_by_another_member_refuses_too(stale, clock):
    slow = claim(stale, "coder-1", seconds=10)
    thinking = write(slow.transaction(), "late")
    assert stale.claim("coder-2") == ()
    clock.sleep(11)
    fast = claim(stale, "coder-2")
    with pytest.raises(LeaseLost):
        thinking.commit()
    write(fast.transaction(), "two").commit()


def test_a_lease_that_expired_and_that_nobody_took_over_may_still_commit(stale, clock):
    slow = claim(stale, "coder-1", seconds=10)
    thinking = write(slow.transaction(), "late")
    clock.sleep(100)
    thinking.commit()
    assert stale.snapshot().component("server").text("server.txt") == "late"


def test_a_lease_that_was_swept_and_not_taken_over_may_still_commit(stale, clock):
    slow = claim(stale, "coder-1", seconds=10)
    thinking = write(slow.transaction(), "late")
    clock.sleep(11)
    assert stale.claim("nobody") == ()  # sweeps
    thinking.commit()


@pytest.mark.parametrize("failed", [True, False])
def test_a_lease_that_was_given_back_writes_nothing_more(stale, failed):
    lease = claim(stale)
    thinking = write(lease.transaction(), "late")
    lease.release(reason="no idea", failed=failed)
    with pytest.raises(LeaseLost):
        thinking.commit()


def test_a_lease_that_is_finished_writes_nothing_more(stale):
    lease = claim(stale)
    write(lease.transaction(), "two").commit()
    lease.finish()
    with pytest.raises(LeaseLost):
        write(lease.transaction(), "three").commit()
    with pytest.raises(LeaseLost):
        lease.finish()


def test_a_token_that_was_never_given_out_is_refused(stale):
    from blackboard.transaction import Transaction

    transaction = Transaction(stale.store, stale.revision, "coder-1", token=999)
    write(transaction, "forged")
    with pytest.raises(LeaseLost):
        transaction.commit()


def test_tokens_only_grow(stale, clock):
    tokens = []
    for number in range(6):
        lease = claim(stale, "coder-1" if number % 2 else "coder-2", seconds=5)
        tokens.append(lease.token)
        if number % 3:
            lease.release()
        else:
            clock.sleep(6)
    assert tokens == sorted(set(tokens))


def test_a_renewed_lease_is_not_taken_over(stale, clock):
    lease = claim(stale, seconds=10)
    for _ in range(3):
        clock.sleep(8)
        lease.renew(lease_seconds=10)
        assert stale.claim("coder-2") == ()
    write(lease.transaction(), "two").commit()


def test_a_lease_goes_by_the_stores_time_which_never_goes_back(stale, clock, given):
    lease = claim(stale, seconds=10)
    clock.sleep(11)
    given(stale).decided("db/ids", 1, by="boss", role="operator")
    clock.now -= 3600
    assert claim(stale, "coder-2").token > lease.token


def test_a_refused_commit_leaves_the_lease_alone(stale, given):
    lease = claim(stale)
    thinking = write(lease.transaction(), "two")
    given(stale).decided("api/ids", "uuid", by="boss", role="operator")
    with pytest.raises(Conflict):
        thinking.commit()
    write(lease.transaction(), "two").commit()
    lease.finish()


def test_a_replay_is_answered_even_after_the_lease_is_over(stale):
    lease = claim(stale)
    first = write(lease.transaction(idempotency_key="result"), "two").commit()
    again = write(lease.transaction(idempotency_key="result"), "two")
    lease.finish()
    assert again.commit() == first


def test_a_trigger_that_comes_while_it_runs_has_it_run_once_more(stale, given):
    lease = claim(stale)
    write(lease.transaction(), "two").commit()
    given(stale).decided("api/ids", "uuid", by="boss", role="operator")
    assert stale.claim("coder-1") == ()
    lease.finish()
    again = claim(stale)
    assert (again.target, again.cause) == ("server", stale.revision)


def test_what_has_ended_is_looked_for_again_a_moment_later(stale, clock):
    claim(stale, "coder-1", seconds=10)
    clock.sleep(9.995)
    assert stale.claim("coder-2") == ()
    # In the same moment nobody looks again, a hundredth of a second after that look everybody does.
    clock.sleep(0.0099)
    assert stale.claim("coder-2") == ()
    clock.sleep(0.0002)
    assert claim(stale, "coder-2").target == "server"
