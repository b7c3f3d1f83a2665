"""An operator's acts: each is an audited commit, each does in one turn what it says, and none is anybody else's."""

import pytest

from blackboard import (
    Blackboard,
    Budget,
    BudgetExhausted,
    Contract,
    IllegalTransition,
    KeyReused,
    LeaseLost,
    NotPermitted,
    Sealed,
    Team,
    external,
    knowledge_source,
    on,
)
from blackboard.control.simulation import FakeClock
from blackboard.spec.activation import Ending
from blackboard.spec.halt import MOVES, Halt, HaltAct, move
from blackboard.store import agenda, budgets, operate
from blackboard.store.agenda import End
from blackboard.store.operate import Operator

BOSS = Operator("boss", reason="the disk is replaced")


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture(params=["file", "memory"])
def board(request, clock, location):
    """Return a board on which `coder` is woken for every question under `api/`."""
    opened = (
        Blackboard.in_memory(clock=clock)
        if request.param == "memory"
        else Blackboard.open(location, create=True, clock=clock)
    )
    with opened:
        opened.install(team())
        yield opened


def team(**more):
    @knowledge_source(role="coder", on=on.asked("api/*"), name="coder", max_concurrency=9)
    def coder(context):
        raise AssertionError("nobody runs it")

    return Team("build", [coder], **more)


def asked(board, key="api/ids"):
    with board.transaction("boss", role="operator") as transaction:
        transaction.ask(key, "which?")


def state(board, ask_sql, target="api/ids"):
    sql = "SELECT a.state, a.attempts FROM activation a JOIN key k ON k.id = a.target_id WHERE k.key = ?"
    return ask_sql(board, sql, target)[0]


def act(board, kind, **given):
    return operate.halt(board.store, given.pop("by", BOSS), kind)


# --- what every act is ---


def test_an_act_is_a_revision_in_the_feed_and_in_the_chain(board):
    head = board.cursor
    done = act(board, HaltAct.PAUSE)
    assert done.revision == head.revision + 1
    (change,) = board.changes(after=head)
    assert (change.kind, change.key, change.author, change.version) == ("paused", None, "boss", None)
    assert board.verify(known_head=head).revision == done.revision


def test_acts_on_keys_pass_the_doctor_and_leave_the_key_readable(board):
    asked(board)
    operate.cancel(board.store, BOSS, source="coder", target="api/ids")
    operate.retry(board.store, BOSS, source="coder", target="api/ids")
    assert [one.path for one in board.changes(after=board.revision - 2)] == ["coder", "coder"]
    with board.transaction("boss", role="operator") as transaction:
        assert transaction.versions("api/ids") == ()
        transaction.decide("api/ids", Contract.value("int"))
    board.verify()


@pytest.mark.parametrize("role", ["coder", None])
def test_nobody_but_an_operator_may(board, role):
    asked(board)
    head, who = board.revision, Operator("coder", role)
    for call in (
        lambda: act(board, HaltAct.PAUSE, by=who),
        lambda: operate.cancel(board.store, who, source="coder", target="api/ids"),
        lambda: operate.unlock(board.store, who, target="api/ids"),
        lambda: operate.raise_budget(board.store, who, resource="tokens", cap=1),
    ):
        with pytest.raises(NotPermitted):
            call()
    assert board.revision == head


def test_an_act_under_one_idempotency_key_is_done_once(board):
    named = Operator("boss", reason="why", idempotency_key="night-1")
    first = act(board, HaltAct.PAUSE, by=named)
    act(board, HaltAct.RESUME)
    assert act(board, HaltAct.PAUSE, by=named) == first
    assert board.find_commit("night-1", author="boss") == first
    with board.store.database.reading() as connection:
        assert operate.halted(connection) is None
    with pytest.raises(KeyReused):
        act(board, HaltAct.DRAIN, by=named)


def test_an_act_that_finds_it_done_makes_no_revision(board):
    first = act(board, HaltAct.PAUSE)
    assert act(board, HaltAct.PAUSE).revision == first.revision == board.revision


def test_the_table_of_halts_has_a_way_back_from_everywhere():
    for halt in Halt:
        for kind in HaltAct:
            if (halt, kind) not in MOVES:
                with pytest.raises(IllegalTransition):
                    move(halt, kind)
    assert {to for (_, _), to in MOVES.items()} == set(Halt)


# --- pause, drain, resume ---


@pytest.mark.parametrize("kind", [HaltAct.PAUSE, HaltAct.DRAIN])
def test_a_halted_board_hands_nothing_out_and_what_runs_goes_on(board, kind):
    asked(board, "api/ids")
    asked(board, "api/names")
    (lease,) = board.claim("coder")
    act(board, kind)
    assert board.claim("coder") == ()
    lease.renew()
    with lease.transaction() as transaction:
        transaction.ask("api/more", "how many?")
    with board.store.database.reading() as connection:
        assert operate.live_leases(connection) == 1
    lease.finish()
    with board.store.database.reading() as connection:
        assert operate.live_leases(connection) == 0
        assert operate.halted(connection).reason == BOSS.reason
    act(board, HaltAct.RESUME)
    assert len(board.claim("coder", limit=5)) == 2


# --- seal ---


def test_a_sealed_board_takes_nothing_from_anybody_and_says_who_sealed_it_and_why(board):
    asked(board)
    (lease,) = board.claim("coder")
    transaction = lease.transaction()
    transaction.ask("api/names", "which?")
    act(board, HaltAct.SEAL)
    sealed = board.cursor
    for call in (
        transaction.commit,
        lease.renew,
        lease.finish,
        lambda: asked(board, "api/more"),
        lambda: board.install(team(resources={"gpu": 1})),
        lambda: act(board, HaltAct.PAUSE),
        lambda: operate.cancel(board.store, BOSS, source="coder", target="api/ids"),
        lambda: board.find_commit("unheard-of", author="boss"),
    ):
        with pytest.raises(Sealed) as refused:
            call()
        assert (refused.value.by, refused.value.reason) == ("boss", BOSS.reason)
    assert board.cursor == sealed
    assert board.snapshot().questions("api/ids")
    board.verify(known_head=sealed)


def test_a_commit_from_before_the_seal_is_still_answered(board):
    with board.transaction("boss", role="operator", idempotency_key="c1") as transaction:
        transaction.ask("api/ids", "which?")
    act(board, HaltAct.SEAL)
    again = board.transaction("boss", role="operator", idempotency_key="c1")
    again.ask("api/ids", "which?")
    assert again.commit() == transaction.committed == board.find_commit("c1", author="boss")


def test_a_sealed_board_opens_and_its_seal_can_be_lifted(location, given):
    with Blackboard.open(location, create=True) as board:
        given(board).decided("api/ids", "int")
        act(board, HaltAct.SEAL)
    with Blackboard.open(location) as board:
        with pytest.raises(Sealed):
            given(board).decided("api/names", "text")
        act(board, HaltAct.UNSEAL)
        with pytest.raises(IllegalTransition):
            act(board, HaltAct.UNSEAL)
        given(board).decided("api/names", "text")
        with board.store.database.reading() as connection:
            assert operate.halted(connection).halt == "paused"
        board.verify()


# --- cancel, retry, unlock ---


def test_what_is_cancelled_ends_under_its_holder_and_stays_so_until_a_new_trigger(board, ask_sql):
    asked(board)
    (lease,) = board.claim("coder")
    transaction = lease.transaction()
    transaction.ask("api/names", "which?")
    operate.cancel(board.store, BOSS, source="coder", target="api/ids")
    for call in (transaction.commit, lease.renew, lease.finish):
        with pytest.raises(LeaseLost):
            call()
    assert state(board, ask_sql) == ("obviated", 0)
    assert board.claim("coder") == ()
    with board.transaction("boss", role="operator") as closing:
        closing.decision("api/ids")
        closing.decide("api/ids", Contract.value(1))
        closing.retract("api/ids", reason="no")
    asked(board)
    assert [one.target for one in board.claim("coder")] == ["api/ids"]


def test_a_lease_that_expired_can_no_longer_commit_after_a_cancel(board, clock):
    asked(board)
    (lease,) = board.claim("coder", lease_seconds=5)
    transaction = lease.transaction()
    transaction.ask("api/names", "which?")
    clock.sleep(6)
    agenda.sweep(board.store)
    operate.cancel(board.store, BOSS, source="coder", target="api/ids")
    with pytest.raises(LeaseLost):
        transaction.commit()


def test_only_what_is_there_can_be_cancelled(board):
    with pytest.raises(IllegalTransition):
        operate.cancel(board.store, BOSS, source="coder", target="api/ids")
    asked(board)
    operate.cancel(board.store, BOSS, source="coder", target="api/ids")
    with pytest.raises(IllegalTransition):
        operate.cancel(board.store, BOSS, source="coder", target="api/ids")


def test_what_is_dead_gets_another_chance_and_its_attempts_are_counted_anew(board, ask_sql, clock):
    asked(board)
    for _ in range(4):
        clock.sleep(60)
        (lease,) = board.claim("coder")
        lease.release(reason="no idea", failed=True)
    assert state(board, ask_sql)[0] == "dead"
    operate.retry(board.store, BOSS, source="coder", target="api/ids")
    (lease,) = board.claim("coder")
    assert (lease.attempts, lease.cause) == (1, board.revision)


def test_a_retry_lifts_the_quarantine_of_its_source(board, clock):
    asked(board)
    for _ in range(5):
        clock.sleep(60)
        for one in board.claim("coder"):
            agenda.end(board.store, [End(one.token, Ending.FAILED, "Inconsistent", "no", refused=True)])
        asked(board, f"api/more{_}")
    clock.sleep(60)
    assert board.claim("coder") == ()
    operate.retry(board.store, BOSS, source="coder", target="api/ids")
    assert "api/ids" in [one.target for one in board.claim("coder", limit=9)]


def test_what_runs_is_not_retried(board):
    asked(board)
    board.claim("coder")
    with pytest.raises(IllegalTransition):
        operate.retry(board.store, BOSS, source="coder", target="api/ids")


def test_unlock_breaks_leases_and_the_work_is_pending_again_with_no_attempt_counted(board, ask_sql):
    asked(board)
    (lease,) = board.claim("coder")
    operate.unlock(board.store, BOSS, target="api/ids")
    with pytest.raises(LeaseLost):
        lease.finish()
    assert state(board, ask_sql) == ("pending", 0)
    (after,) = board.claim("coder")
    assert after.token > lease.token
    assert "unlocked by boss" in str(after.previous)


def test_unlock_of_what_nobody_holds_is_refused(board):
    with pytest.raises(IllegalTransition):
        operate.unlock(board.store, BOSS, target="api/ids")


# --- budgets ---


def test_a_raise_lets_more_be_spent_and_wakes_what_gave_up_for_want_of_it(board, ask_sql):
    board.install(team(budget=Budget(tokens=100)))
    asked(board)
    (lease,) = board.claim("coder")
    with pytest.raises(BudgetExhausted) as gave_up:
        budgets.hold(board.store, lease.token, {"tokens": 200.0})
    reason = f"tokens: {gave_up.value}"
    agenda.end(board.store, [End(lease.token, Ending.EXHAUSTED, "BudgetExhausted", reason)])
    assert state(board, ask_sql)[0] == "dead"
    operate.raise_budget(board.store, BOSS, resource="tokens", cap=500)
    assert board.changes(after=board.revision - 1)[0].path == "tokens 500"
    (lease,) = board.claim("coder")
    assert budgets.hold(board.store, lease.token, {"tokens": 200.0})


def test_a_raise_outlives_the_same_team_and_ends_with_the_limit_that_was_raised(board, ask_sql):
    board.install(team(budget=Budget(tokens=100)))
    operate.raise_budget(board.store, BOSS, resource="tokens", cap=500)
    board.install(team(budget=Budget(tokens=100)))
    assert ask_sql(board, "SELECT cap FROM budget") == [(500,)]
    board.install(team(budget=Budget(tokens=50)))
    assert ask_sql(board, "SELECT cap FROM budget") == [(50,)]


def test_only_a_limit_can_be_raised_and_only_up(board):
    with pytest.raises(IllegalTransition):
        operate.raise_budget(board.store, BOSS, resource="tokens", cap=1)
    board.install(team(budget=Budget(tokens=100)))
    with pytest.raises(IllegalTransition):
        operate.raise_budget(board.store, BOSS, resource="tokens", cap=99)


def test_an_external_source_claims_as_before(location, clock):
    with Blackboard.open(location, create=True, clock=clock) as board:
        board.install(Team("build", [external("ann", role="coder", on=on.asked("**"))]))
        asked(board, "free")
        assert [one.target for one in board.claim("ann")] == ["free"]
