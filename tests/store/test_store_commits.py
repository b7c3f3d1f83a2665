"""S2, S5, S6: a commit is all or nothing, refused means nothing happened, revisions are 1, 2, 3."""

import asyncio

import pytest

from blackboard import (
    Blackboard,
    Conflict,
    Contract,
    Controller,
    IllegalTransition,
    Invalid,
    NotPermitted,
    Team,
    knowledge_source,
    on,
)
from blackboard.spec.changes import Committed
from blackboard.testing import open_memory


def everything(board: Blackboard) -> list[tuple]:
    """Return every row of every table but the board's clock and who was refused, which move without a commit."""
    with board.store.database.reading() as connection:
        names = [row[0] for row in connection.raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = [
            (name, *row)
            for name in names
            if name not in ("board", "sqlite_sequence", "refusal_count", "reservation")
            for row in connection.raw.execute(f"SELECT * FROM {name}")
        ]
        head = [tuple(row) for row in connection.raw.execute("SELECT epoch, revision, digest FROM board")]
    return head + sorted(found, key=repr)


def test_a_commit_of_many_acts_is_one_revision_whose_changes_share_it(board):
    with board.transaction("ann") as transaction:
        transaction.ask("api/ids", "int or text?", options=["int", "text"])
        transaction.decide("api/page", Contract.value(20))
        transaction.decide("api/size", Contract.value(40))
        transaction.write("server", {"server.py": "pass\n"})
    assert transaction.committed == Committed(1, (("api/page", 1), ("api/size", 1)), 0)
    changes = board.changes(after=0)
    assert {change.revision for change in changes} == {1}
    assert [change.ordinal for change in changes] == list(range(len(changes)))
    assert [(change.kind, change.key) for change in changes] == [
        ("asked", "api/ids"),
        ("proposed", "api/page"),
        ("accepted", "api/page"),
        ("proposed", "api/size"),
        ("accepted", "api/size"),
        ("written", "server"),
    ]


def test_one_act_that_is_refused_takes_all_the_others_with_it(board, given):
    given(board).decided("api/ids", "int")
    before = everything(board)
    transaction = board.transaction("bob")
    transaction.decide("api/page", Contract.value(20))
    transaction.write("server", {"server.py": "pass\n"})
    transaction.vote("api/ids", version=1, approve=True)
    with pytest.raises(IllegalTransition):
        transaction.commit()
    assert everything(board) == before


def test_one_broken_read_takes_every_write_with_it(board, given):
    given(board).decided("api/ids", "int")
    transaction = board.transaction("bob")
    transaction.decision("api/ids")
    transaction.decide("api/page", Contract.value(20))
    given(board).decided("api/ids", "text")
    before = everything(board)
    with pytest.raises(Conflict):
        transaction.commit()
    assert everything(board) == before


def test_an_exception_in_the_block_writes_nothing(board):
    before = everything(board)
    with pytest.raises(ZeroDivisionError), board.transaction("ann") as transaction:
        transaction.decide("api/ids", Contract.value("int"))
        raise ZeroDivisionError
    assert transaction.committed is None
    assert everything(board) == before


def test_what_was_discarded_or_committed_takes_nothing_more(board):
    discarded = board.transaction("ann")
    discarded.decide("api/ids", Contract.value("int"))
    discarded.discard()
    committed = board.transaction("ann")
    committed.decide("api/ids", Contract.value("int"))
    committed.commit()
    for ended in (discarded, committed):
        with pytest.raises(IllegalTransition):
            ended.decide("api/page", Contract.value(1))
        with pytest.raises(IllegalTransition):
            ended.write("server", {})
        with pytest.raises(IllegalTransition):
            ended.commit()
    assert board.revision == 1


def test_a_refused_transaction_cannot_be_committed_again(board, given):
    given(board).decided("api/ids", "int")
    transaction = board.transaction("bob")
    transaction.decide("api/ids", Contract.value("text"))
    with pytest.raises(Conflict):
        transaction.commit()
    with pytest.raises(IllegalTransition):
        transaction.commit()


def test_an_async_block_commits_without_blocking_its_loop(board):
    async def decide() -> int:
        async with board.transaction("ann") as transaction:
            transaction.decide("api/ids", Contract.value("int"))
        return transaction.committed.revision

    assert asyncio.run(decide()) == 1


def test_an_async_block_with_an_exception_writes_nothing(board):
    async def fail() -> None:
        async with board.transaction("ann") as transaction:
            transaction.decide("api/ids", Contract.value("int"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(fail())
    assert board.revision == 0


def test_revisions_are_dense_whatever_is_refused_between(board, given):
    for number in range(1, 6):
        assert given(board).decided("api/ids", number).revision == number
        blind = board.transaction("bob")
        blind.decide("api/ids", Contract.value(-number))
        with pytest.raises(Conflict):
            blind.commit()
    assert sorted({change.revision for change in board.changes(after=0)}) == [1, 2, 3, 4, 5]
    assert board.revision == 5


# --- empty commits ---------------------------------------------------------------------------------------------------


def test_an_empty_commit_says_at_which_revision_its_reads_held(board, given):
    given(board).decided("api/ids", "int")
    transaction = board.transaction("bob")
    transaction.decision("api/ids")
    given(board).decided("db/ids", "int")
    assert transaction.commit() == Committed(2, (), 2)
    assert board.revision == 2


def test_an_empty_commit_is_refused_when_what_it_read_changed(board, given):
    given(board).decided("api/ids", "int")
    transaction = board.transaction("bob")
    transaction.decision("api/ids")
    given(board).decided("api/ids", "text")
    with pytest.raises(Conflict) as refused:
        transaction.commit()
    assert [premise.key for premise in refused.value.premises] == ["api/ids"]


def test_a_commit_that_changes_nothing_makes_no_revision(board, given):
    given(board).decided("api/ids", "int")
    given(board).asked("api/page", "how many?")
    given(board).written("server", "text", uses=["api/ids"])
    revision = board.revision
    assert given(board).decided("api/ids", "int").revision == revision
    assert given(board).asked("api/page", "how many?").revision == revision
    assert given(board).written("server", "text", uses=["api/ids"]).revision == revision
    assert board.revision == revision


# --- blind overwrites ------------------------------------------------------------------------------------------------


def blindly(board: Blackboard, *acts) -> Conflict:
    before = everything(board)
    transaction = board.transaction("bob")
    for act in acts:
        act(transaction)
    with pytest.raises(Conflict) as refused:
        transaction.commit()
    assert everything(board) == before
    return refused.value


def deciding(key: str, value: object):
    return lambda transaction: transaction.decide(key, Contract.value(value))


def test_what_was_not_read_is_not_written_over(board, given):
    given(board).decided("api/ids", {"kind": "int"})
    given(board).written("server", "one")
    for act in (
        deciding("api/ids", {"kind": "text"}),
        lambda transaction: transaction.propose("api/ids", Contract.value({"kind": "text"})),
        lambda transaction: transaction.retract("api/ids", reason="no"),
    ):
        refused = blindly(board, act)
        assert [premise.key for premise in refused.premises] == ["api/ids"]
        assert refused.action == "replan"


def test_writing_over_a_component_that_was_not_read_says_what_to_call(board, given):
    given(board).written("server", "one")
    with pytest.raises(Invalid, match=r"call transaction.component\('server'\) first"):
        board.transaction("bob").write("server", {"server.txt": "two"})


def test_a_source_may_write_the_target_of_its_lease_again_without_reading_it():
    @knowledge_source(role="coder", on=[on.required("*"), on.stale("*")])
    def writer(context):
        with context.transaction() as transaction:
            task = transaction.decision(f"task/{context.target}")
            if task is not None:
                transaction.write(context.target, {"notes.txt": task.contract.text})

    with open_memory() as board:
        team = Team("notes", [writer])
        for summary in ("the first", "the second"):
            with board.transaction("olga", role="operator") as transaction:
                transaction.decision("task/notes")
                transaction.decide("task/notes", Contract.task(summary=summary))
            assert Controller(board, team, seed=1).run().kind == "converged"
            assert summary in board.snapshot().component("notes").text("notes.txt")


def test_another_act_on_the_key_does_not_count_as_reading_it(board, given):
    given(board).decided("api/ids", {"kind": "int"})
    refused = blindly(
        board, lambda transaction: transaction.ask("api/ids", "why?"), deciding("api/ids", {"kind": "text"})
    )
    assert [premise.key for premise in refused.premises] == ["api/ids"]


def test_a_task_for_a_component_does_not_count_as_reading_it(board, given):
    given(board).written("server", "one")
    transaction = board.transaction("bob")
    transaction.decide("task/server", Contract.task(summary="build it"))
    with pytest.raises(Invalid):
        transaction.write("server", {"server.txt": "two"})


def test_reading_one_facet_is_not_enough_to_write_over_the_others(board, given):
    given(board).decided("api/ids", {"kind": "int", "maker": "server"})
    transaction = board.transaction("bob")
    seen = transaction.decision("api/ids", facets=["kind"])
    given(board).decided("api/ids", {"kind": "int", "maker": "client"})
    transaction.decide("api/ids", Contract.value({**seen.value, "kind": "text"}))
    with pytest.raises(Conflict) as refused:
        transaction.commit()
    assert {premise.key for premise in refused.value.premises} == {"api/ids"}
    assert board.snapshot().decision("api/ids").value == {"kind": "int", "maker": "client"}


def test_a_key_that_was_absent_may_be_written_without_reading_it(board):
    with board.transaction("bob") as transaction:
        transaction.decide("api/ids", Contract.value("int"))
        transaction.write("server", {"server.txt": "one"})
    assert board.revision == 1


def test_a_key_that_was_retracted_may_be_written_without_reading_it(board, given):
    given(board).decided("api/ids", "int")
    given(board).retracted("api/ids")
    with board.transaction("bob") as transaction:
        transaction.decide("api/ids", Contract.value("text"))
    assert board.snapshot().decision("api/ids").value == "text"


def test_a_history_that_was_read_counts_as_reading_the_key(board, given):
    given(board).decided("api/ids", "int")
    with board.transaction("bob") as transaction:
        transaction.versions("api/ids")
        transaction.decide("api/ids", Contract.value("text"))
    assert board.revision == 2


# --- agreement -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("read", [True, False])
def test_the_same_value_from_two_authors_is_agreement(board, read):
    ann, bob = board.transaction("ann"), board.transaction("bob")
    for transaction in (ann, bob):
        if read:
            transaction.decision("api/ids")
        transaction.decide("api/ids", Contract.value({"kind": "int"}))
    assert ann.commit().revision == 1
    assert bob.commit() == Committed(1, (), 1)
    assert [version.author for version in board.snapshot().versions("api/ids")] == ["ann"]


def test_the_same_question_from_two_authors_is_agreement(board):
    ann, bob = board.transaction("ann"), board.transaction("bob")
    for transaction in (ann, bob):
        transaction.questions("**")
        transaction.ask("api/ids", "int or text?", options=["int", "text"])
    ann.commit()
    assert bob.commit() == Committed(1, (), 1)


def test_the_same_files_on_the_same_premises_are_agreement(board, given):
    given(board).decided("api/ids", "int")
    ann, bob = board.transaction("ann"), board.transaction("bob")
    for transaction in (ann, bob):
        transaction.component("server")
        transaction.decision("api/ids")
        transaction.write("server", {"server.txt": "one"})
    ann.commit()
    assert bob.commit() == Committed(2, (), 2)


def test_agreement_on_one_key_does_not_carry_another_write(board, given):
    given(board).decided("api/ids", "int")
    ann, bob = board.transaction("ann"), board.transaction("bob")
    for transaction in (ann, bob):
        transaction.decision("api/ids")
        transaction.decide("api/ids", Contract.value("text"))
    bob.decide("api/page", Contract.value(20))
    ann.commit()
    with pytest.raises(Conflict) as refused:
        bob.commit()
    assert [premise.key for premise in refused.value.premises] == ["api/ids"]
    assert board.snapshot().decision("api/page") is None


def test_other_formatting_of_the_same_value_is_the_same_value(board):
    with board.transaction("ann") as transaction:
        transaction.decide("api/ids", Contract("value", '{"b": 1.0,\n "a": 2}'))
    with board.transaction("bob") as transaction:
        transaction.decide("api/ids", Contract("value", '{"a":2,"b":1}'))
    assert board.revision == 1


# --- one key more than once in a transaction -------------------------------------------------------------------------


def test_the_last_of_two_decisions_in_one_transaction_stands(board, given):
    given(board).decided("api/ids", {"kind": "int", "maker": "server"})
    given(board).written("server", uses=["api/ids"])
    with board.transaction("bob") as transaction:
        transaction.decision("api/ids")
        transaction.decide("api/ids", Contract.value({"kind": "text", "maker": "server"}))
        transaction.decide("api/ids", Contract.value({"kind": "uuid", "maker": "server"}))
    standing = board.snapshot()
    assert standing.decision("api/ids").value["kind"] == "uuid"
    assert [(one.version, one.state) for one in standing.versions("api/ids")] == [
        (1, "superseded"),
        (2, "superseded"),
        (3, "accepted"),
    ]
    assert standing.component("server").state == "stale"
    board.verify()


def test_a_decision_retracted_and_made_anew_in_one_transaction_stands(board, given):
    given(board).decided("api/ids", "int")
    given(board).written("server", uses=["api/ids"])
    with board.transaction("bob") as transaction:
        transaction.decision("api/ids")
        transaction.retract("api/ids", reason="start anew")
        transaction.decide("api/ids", Contract.value("text"))
    assert board.snapshot().decision("api/ids").value == "text"
    assert board.snapshot().component("server").state == "stale"
    board.verify()


@pytest.mark.parametrize(
    "act",
    [
        lambda transaction, passed: transaction.verdict("unit", "server", passed=passed),
        lambda transaction, passed: transaction.ask("api/page", "how many?" if passed else "how few?"),
    ],
    ids=["verdicts", "questions"],
)
def test_two_acts_that_contradict_each_other_are_refused(board, given, act):
    given(board).written("server")
    before = everything(board)
    transaction = board.transaction("bob")
    act(transaction, True)
    act(transaction, False)
    with pytest.raises(IllegalTransition):
        transaction.commit()
    assert everything(board) == before


def test_a_question_closed_by_the_same_transaction_is_not_asked_again_in_it(board):
    transaction = board.transaction("bob")
    transaction.ask("api/page", "how many?")
    transaction.decide("api/page", Contract.value(20))
    transaction.ask("api/page", "how few?")
    with pytest.raises(IllegalTransition):
        transaction.commit()
    assert board.revision == 0


def test_a_component_written_twice_in_one_transaction_has_the_files_of_both(board):
    with board.transaction("bob") as transaction:
        transaction.write("server", {"a.py": "1", "b.py": "1"})
        transaction.write("server", {"b.py": "2", "c.py": "2", "a.py": None})
    assert dict(board.snapshot().component("server").files) == {"b.py": b"2", "c.py": b"2"}
    assert board.snapshot().component("server").version == 1


# --- store time ------------------------------------------------------------------------------------------------------


def test_store_time_never_goes_back_when_the_clock_does(ask_sql):
    times = iter([100.0, 50.0, 120.0, 10.0, 119.0])
    now = [1000.0]
    with Blackboard.in_memory(clock=lambda: now[0]) as board:
        for number, at in enumerate(times):
            now[0] = at
            with board.transaction("ann") as transaction:
                transaction.decide(f"k{number}", Contract.value(1))
        kept = [at for (at,) in ask_sql(board, "SELECT at FROM commit_log ORDER BY revision")]
    assert kept == sorted(kept)
    assert kept[0] >= 1000.0


def test_a_role_that_nobody_gave_an_author_is_no_right(board, voting_team):
    board.install(voting_team())
    for author, role in (("art", "reviewer"), ("stranger", "architect"), ("clock", "architect")):
        transaction = board.transaction(author, role=role)
        transaction.propose("api/ids", Contract.value("int"))
        with pytest.raises(NotPermitted):
            transaction.commit()
    assert list(board.changes(after=1)) == []
