"""Compaction: below the first kept revision there is only `Compacted`; from it on everything is as it was before."""

import sqlite3
import threading
from dataclasses import replace

import pytest
from compactions import first_of, folded

from blackboard import Blackboard, Compacted, Contract, Damaged, Forked, Invalid, KeyReused, Returning

# --- what goes and what stays -----------------------------------------------------------------------------------------


@pytest.fixture
def amended(board, given):
    """Return a board on which `api/ids` was amended four times, and `server` was built against its third version."""
    to = given(board)
    to.decided("api/ids", {"kinds": 1})
    for number in (2, 3):
        to.decided("api/ids", {"kind": number})
    to.written("server", "one", uses=["api/ids"])
    to.written("server", "two", uses=["api/ids"])
    to.judged("server", passed=True)
    to.decided("api/ids", {"kind": 4})
    to.decided("api/ids", {"kind": 5})
    return board


def texts(board, key):
    return {one.version: one.contract and one.contract.text for one in board.snapshot().versions(key)}


def test_texts_go_that_nobody_stands_on_and_their_digests_stay(amended, ask_sql):
    digests = ask_sql(amended, "SELECT version, digest, facets FROM version ORDER BY version")
    folded(amended, 8)
    # With version 2 the set of names became what it is; version 4 is what the first kept revision amended.
    kept = {number: f'{{"kind":{number}}}' for number in (2, 3, 4, 5)}
    assert texts(amended, "api/ids") == {1: None, **kept}
    assert ask_sql(amended, "SELECT version, digest, facets FROM version ORDER BY version") == digests
    # `server` was built against version 3, which is what it is compared with from now on too.
    assert amended.snapshot().component("server").state == "stale"


def test_files_go_with_the_version_of_the_component_that_held_them(amended, given, ask_sql):
    given(amended).written("server", "three", uses=["api/ids"])
    folded(amended, 8)
    assert ask_sql(amended, "SELECT content FROM blob ORDER BY content") == [(b"three",), (b"two",)]
    assert amended.snapshot(at=8).component("server").text("server.txt") == "two"
    folded(amended, 10)
    assert ask_sql(amended, "SELECT content FROM blob") == [(b"three",)]
    assert ask_sql(amended, "SELECT version FROM component_version ORDER BY version") == [(1,), (2,), (3,)]
    assert ask_sql(amended, "SELECT DISTINCT component_version FROM pin") == [(3,)]
    assert ask_sql(amended, "SELECT count(*) FROM verdict") == [(0,)]


def test_the_newest_verdict_of_what_stands_is_kept_however_old(amended):
    folded(amended, 8)
    assert [one.passed for one in amended.snapshot().verdicts("server")] == [True]


def test_what_a_change_meant_for_who_pinned_the_old_value_is_kept(board, given, ask_sql):
    given(board).decided("api/users", {"find": 1})
    given(board).written("cli", uses=["api/users"])
    given(board).written("server", implements=["api/users"])
    given(board).decided("api/users", {"find": 2})
    with board.store.writer.turn() as turn:
        # As a language would say it of a change that harms nobody who uses it.
        turn.connection.raw.execute("UPDATE facet_effect SET uses = 'compatible'")
    given(board).decided("api/page", 1)
    given(board).decided("api/page", 2)
    effects = "SELECT count(*) FROM facet_effect JOIN key ON id = key_id WHERE key = 'api/page'"
    for before, left in ((6, 1), (7, 0)):
        folded(board, before)
        assert {one.key: one.state for one in board.snapshot().components()} == {"cli": "suspect", "server": "stale"}
        assert ask_sql(board, effects) == [(left,)]
    given(board).decided("api/users", {"find": 1}, role="operator")
    assert {one.key: one.state for one in board.snapshot().components()} == {"cli": "current", "server": "current"}
    board.verify()


def test_a_facet_that_was_absent_before_may_come_back_though_the_text_that_lost_it_is_gone(board, given, ask_sql):
    for value in ({"page": 1}, {"name": 1}, {"item": 1}, {"item": 2}):
        given(board).decided("api/ids", value)
    folded(board, board.revision)
    assert [version for version, text in texts(board, "api/ids").items() if text is None] == [1, 2]
    given(board).written("server", facets={"api/ids": ["page"]})
    given(board).decided("api/ids", {"item": 2, "page": 1})
    assert ask_sql(board, "SELECT name, uses FROM facet_effect WHERE name = 'page'") == [("page", "breaking")]
    assert board.snapshot().component("server").state == "stale"


def test_an_old_text_still_cannot_return(amended):
    folded(amended, 8)
    transaction = amended.transaction("ann")
    transaction.decision("api/ids")
    transaction.decide("api/ids", Contract.value({"kinds": 1}))
    with pytest.raises(Returning) as refused:
        transaction.commit()
    assert refused.value.version == 1


def test_evidence_that_was_compacted_is_said_to_be(amended, given):
    asked = given(amended).asked("free/other").revision
    given(amended).decided("free/more", 1)
    folded(amended, asked + 1)
    transaction = amended.transaction("ann")
    transaction.decision("api/ids")
    transaction.propose("api/ids", Contract.value({"kinds": 1}), evidence=[asked])
    with pytest.raises(Compacted) as refused:
        transaction.commit()
    assert (refused.value.asked, refused.value.first) == (asked, asked + 1)


def test_what_is_contested_says_why_after_its_reason_was_folded(board, given, monkeypatch):
    monkeypatch.setattr("blackboard.plan.decisions.GENERATION_BOUND", 2)
    for number in (1, 2, 3):
        given(board).decided("api/ids", number)
    given(board).decided("api/page", 1)
    before = [one for one in board.snapshot().convergence().obligations if one.key == "api/ids"]
    assert before
    folded(board, 4)
    assert [one for one in board.snapshot().convergence().obligations if one.key == "api/ids"] == before


def test_a_vote_goes_on_across_a_compaction(board, given, voting_team):
    board.install(voting_team())
    with board.transaction("art") as transaction:
        transaction.propose_jointly({"api/a": Contract.value(1), "api/b": Contract.value(2)})
    for key in ("api/a", "api/b"):
        given(board).voted(key, 1, by="rev-1")
    given(board).asked("api/c", by="art")
    folded(board, board.revision)
    given(board).voted("api/a", 1, by="rev-2")
    assert board.snapshot().decision("api/a") is None
    assert given(board).voted("api/b", 1, by="rev-3").accepted == (("api/a", 1), ("api/b", 1))
    assert {vote.author for vote in board.snapshot().decision("api/a").votes} == {"rev-1", "rev-2"}
    board.verify(known_head=board.cursor)


def test_votes_on_a_text_that_is_gone_go_with_it(board, given, voting_team, ask_sql):
    board.install(voting_team())
    for name in ("old", "new"):
        version = given(board).proposed("api/a", {name: 1}, by="art")
        given(board).voted("api/a", version, by="rev-1")
        given(board).voted("api/a", version, by="rev-2")
    given(board).asked("api/c", by="art")
    folded(board, board.revision)
    assert ask_sql(board, "SELECT DISTINCT version FROM vote") == [(2,)]
    board.verify()


def test_a_lease_goes_on_across_a_compaction(board, given, voting_team):
    board.install(voting_team())
    given(board).asked("api/a", by="art")
    (lease,) = board.claim("art")
    given(board).asked("api/b", by="art")
    folded(board, board.revision)
    with lease.transaction() as transaction:
        transaction.propose("api/a", Contract.value(1))
    lease.finish()
    board.verify()


# --- what is refused --------------------------------------------------------------------------------------------------


def test_below_the_first_kept_revision_everything_says_compacted(amended):
    old, place = amended.snapshot(at=3), amended.changes(after=0, limit=1).cursor
    known = amended.changes(after=6, limit=1).cursor
    folded(amended, 8)
    for call in (
        lambda: amended.snapshot(at=7),
        lambda: amended.snapshot(at=place),
        lambda: old.decision("api/ids"),
        old.components,
        old.questions,
        old.convergence,
        lambda: amended.changes(after=0),
        lambda: amended.changes(after=place),
        lambda: next(amended.watch(after=0)),
        lambda: amended.verify(known_head=place),
    ):
        with pytest.raises(Compacted) as refused:
            call()
        assert refused.value.first == 8
    # The last revision that is not kept is a place from which nothing is missing.
    assert [one.revision for one in amended.changes(after=known)] == [8, 8, 9]
    assert amended.verify(known_head=known) == amended.cursor
    with pytest.raises(Forked):
        amended.changes(after=replace(known, digest="1:0"))


def test_what_was_begun_on_a_revision_that_is_gone_is_refused_and_nothing_is_written(amended):
    late = amended.transaction("ann")
    late.decision("api/ids")
    late.decide("new/key", Contract.value(1))
    in_time = amended.transaction("ann")
    in_time.decide("other/key", Contract.value(1))
    amended.run_transaction(lambda transaction: transaction.decide("more", Contract.value(1)), "bob")
    folded(amended, amended.revision)
    head = amended.revision
    with pytest.raises(Compacted):
        late.commit()
    assert amended.revision == head
    assert amended.snapshot().decision("new/key") is None
    with pytest.raises(Compacted):
        in_time.decision("api/ids")


def test_a_compaction_that_overtakes_a_plan_has_it_made_again(board, given, before_the_row):
    transaction = board.transaction("ann")
    transaction.decide("api/ids", Contract.value(1))

    def happen():
        given(board).asked("api/ids")
        given(board).decided("more", 1)
        given(board).decided("more", 2)

    before_the_row(board, happen)
    transaction.commit()
    assert board.snapshot().questions() == ()

    late = board.transaction("ann")
    late.decide("api/page", Contract.value(1))
    base = late.revision

    def fold():
        given(board).asked("api/page")
        given(board).decided("more", 3)
        folded(board, base)

    before_the_row(board, fold)
    late.commit()
    assert board.snapshot().questions() == ()
    board.verify()


def test_a_call_is_answered_again_as_long_as_its_base_is_kept(board, given):
    def call(base):
        transaction = board.transaction("ann", idempotency_key="call-1")
        transaction.decide("api/ids", Contract.value(base))
        return transaction

    first, again, late = call(1), call(1), call(1)
    done = first.commit()
    assert again.commit() == done
    with pytest.raises(KeyReused):
        call(2).commit()
    given(board).decided("api/page", 1)
    folded(board, 2)
    with pytest.raises(Compacted):
        late.commit()
    assert board.snapshot().decision("api/ids").version == 1


def test_a_no_that_is_final_stays_so_while_its_window_is_kept(board, given):
    given(board).decided("api/ids", 1)
    assert board.find_commit("call-1", author="ann") is None
    given(board).decided("api/ids", 2)
    folded(board, 2)
    late = board.transaction("ann", idempotency_key="call-1")
    late.decide("api/page", Contract.value(1))
    # Whoever began before the question was answered has a base that is gone; this one began after it.
    assert late.commit().revision == board.revision


def test_there_has_to_be_such_a_revision(amended):
    with pytest.raises(Invalid):
        folded(amended, amended.revision + 1)
    for before in (0, -1, True, "3", 1 << 70):
        with pytest.raises(Invalid):
            folded(amended, before)
    with pytest.raises(Invalid):
        folded(amended, 3, author="no such\nname")


def test_compacting_as_far_as_before_is_no_change(amended):
    head = amended.cursor
    assert folded(amended, 1).revision == head.revision
    assert amended.cursor == head
    folded(amended, 5)
    head = amended.cursor
    assert folded(amended, 5).revision == folded(amended, 2).revision == head.revision
    assert amended.cursor == head


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE version SET text = '77' WHERE version = 2",
        "DELETE FROM change WHERE revision = 2",
        "DELETE FROM key_history WHERE revision = 1",
        "INSERT INTO vote VALUES (1, 1, 'eve', 1, '', 2)",
    ],
)
def test_a_history_that_does_not_hold_is_never_folded(location, given, damage):
    with Blackboard.open(location, create=True) as board:
        for number in range(4):
            given(board).decided("api/ids", number)
        raw = sqlite3.connect(location)
        raw.execute(damage)
        raw.commit()
        raw.close()
        head = board.revision
        with pytest.raises(Damaged):
            folded(board, 4)
        assert board.revision == head
        assert first_of(board) == 1


def test_the_whole_board_may_be_folded_and_goes_on(amended, given):
    for _ in range(3):
        folded(amended, amended.revision)
    assert [one.kind for one in amended.changes(after=amended.revision - 1)] == ["compacted"]
    assert amended.snapshot().component("server").state == "stale"
    given(amended).written("server", "three", uses=["api/ids"])
    given(amended).decided("api/ids", {"kind": 6})
    assert amended.snapshot().component("server").state == "stale"
    amended.verify()


def test_two_operators_at_once_fold_one_after_the_other(file_board, given, length):
    board, failed = file_board, []
    for number in range(length(40, 400)):
        given(board).decided(f"k{number % 7}", number)
    head = board.revision

    def fold(before):
        try:
            folded(board, before)
        except Exception as error:  # noqa: BLE001 - told by the test
            failed.append(error)

    threads = [threading.Thread(target=fold, args=(head - number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert first_of(board) == head
    board.verify()


def test_a_function_runs_anew_where_its_base_was_compacted(board, given):
    for number in range(3):
        given(board).decided("api/ids", number)
    begun = []

    def slowly(transaction):
        begun.append(transaction.revision)
        transaction.decide("new/key", Contract.value(1))
        if len(begun) == 1:
            folded(board, board.revision)
            folded(board, board.revision)

    assert board.run_transaction(slowly, "ann").revision == 6
    assert begun == [3, 5]


def test_writers_go_on_while_somebody_folds_again_and_again(location, given, length):
    commits, failed, written = length(60, 1000), [], []

    def write(name):
        try:
            with Blackboard.open(location, durability="normal") as mine:
                for number in range(commits):

                    def work(transaction, number=number):
                        transaction.decision("shared")
                        transaction.decision(f"{name}/{number % 5}")
                        transaction.decide(f"{name}/{number % 5}", Contract.value([name, number]))
                        if number % 7 == 0:
                            transaction.decide("shared", Contract.value([name, number]))

                    mine.run_transaction(work, name, attempts=100)
                    written.append((name, number))
        except Exception as error:  # noqa: BLE001 - told by the test
            failed.append(error)

    with Blackboard.open(location, create=True, durability="normal") as board:
        given(board).decided("shared", 0)
        threads = [threading.Thread(target=write, args=(name,)) for name in ("ann", "bob", "cat")]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            folded(board, board.revision)
        for thread in threads:
            thread.join()
        assert failed == []
        assert len(written) == 3 * commits
        snapshot = board.snapshot()
        for name in ("ann", "bob", "cat"):
            newest = {number % 5: number for number in range(commits)}
            assert {one: snapshot.decision(f"{name}/{one}").value for one in newest} == {
                one: [name, number] for one, number in newest.items()
            }
        board.verify(known_head=board.cursor)
