"""Compaction: below the first kept revision there is only `Compacted`; from it on everything is as it was before.

The property at the heart: on a random history that is compacted at a random revision, whatever a kept revision showed
before it shows after, the chain is whole, and going on gives what the same acts give on a twin that keeps everything.
"""

import random
import shutil
import sqlite3
import threading
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import given as drawn
from hypothesis import strategies as st
from test_store_chain import checkpoint, other, team
from test_store_model import BOUND, COMPONENTS, KEYS, Play, WithATeam, histories

from blackboard import Blackboard, Compacted, Contract, Damaged, Forked, Invalid, KeyReused, Returning
from blackboard.cli import report
from blackboard.cli.main import main
from blackboard.cli.why import why
from blackboard.plan import plan
from blackboard.store import compact as compaction
from blackboard.store import read, retell, schema
from blackboard.store.compact import compact
from blackboard.store.statements import Statement


def folded(board, before, *, author="olga", reason="tidy"):
    return compact(board.store, planner=plan, before=before, author=author, reason=reason)


def shown(board, revision, head):
    """Return everything that a revision shows, but for the texts of versions that were neither accepted nor live."""
    snapshot = board.snapshot(at=revision)
    texts = {}
    for key in KEYS:
        for one in snapshot.versions(key):
            standing = one.state in ("accepted", "proposed")
            said = (one.contract.text, one.votes) if standing else (one.language,)
            texts[key, one.version] = (one.state, one.author, one.reason, one.rationale, one.base, said)
    return (
        snapshot.decisions(),
        snapshot.components(),
        snapshot.questions(),
        texts,
        {key: snapshot.verdicts(key) for key in COMPONENTS},
        {key: snapshot.versions_of(key)[1] for key in KEYS},
        heads_at(snapshot),
        # What the agenda says counts at the head alone.
        None if revision == head else outcome(snapshot),
    )


def heads_at(snapshot):
    """Return key -> since when each facet has its value."""
    with snapshot.reading() as on:
        return {key: read.facet_heads(on, key, snapshot.revision) for key in KEYS}


def outcome(snapshot):
    found = snapshot.convergence()
    return found.kind, found.obligations, found.fingerprint


def feed(board, after):
    return [
        (one.revision, one.ordinal, one.kind, one.key, one.version, one.author) for one in board.changes(after=after)
    ]


def first_of(board):
    with board.store.database.reading() as on:
        return read.board_row(on)["first"]


@pytest.fixture
def _a_small_bound(monkeypatch):
    monkeypatch.setattr("blackboard.plan.decisions.GENERATION_BOUND", BOUND)


class Alone(Play):
    """Acts on a board without asking the model, which knows nothing of compaction."""

    def read(self, real, model, one):
        if one.what == "whole":
            real.decision(one.key)
        else:
            super().read(real, model, one)


class Together(Alone, WithATeam):
    """The same under a team."""


class Twins:
    """Two boards to which the same happens; one of them is compacted now and then."""

    def __init__(self, play, one, two):
        self.plays = [play(one), play(two)]

    def go_on(self, history):
        """Play a history on both, without the model: what the boards answer has to be the same."""
        answers = [self._answers(play, history) for play in self.plays]
        assert answers[0] == answers[1]

    def _answers(self, play, history):
        found = []
        for script in history:
            real, _ = play.begun(script)
            try:
                done = real.commit()
                found.append((done.accepted, ()))
            except (Compacted, AssertionError):
                raise
            except Exception as error:  # noqa: BLE001 - whichever it is, the twin has to give it too
                premises = [(one.key, one.facet, one.base, one.current) for one in getattr(error, "premises", ())]
                found.append((type(error).__name__, premises))
        return found

    def standing(self, board):
        snapshot = board.snapshot()
        return (
            {one.key: (one.version, one.state, one.contract.text) for one in snapshot.decisions()},
            {one.key: (one.version, one.state, one.files) for one in snapshot.components()},
            {one.key: one.question for one in snapshot.questions()},
            outcome(snapshot)[0],
            outcome(snapshot)[2],
        )


@pytest.mark.usefixtures("_a_small_bound")
@pytest.mark.parametrize("play", [Alone, Together], ids=["alone", "team"])
def test_compaction_changes_nothing_of_what_a_kept_revision_shows(play, length):
    @settings(max_examples=length(25, 1000), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @drawn(histories, st.integers(0, 2**32))
    def every(history, number):
        play_apart(play, history, number)

    every()


def play_apart(play, history, number):
    """Play a history in parts on a board that is compacted after each, and on a twin that keeps everything."""
    drawing = random.Random(number)
    parts = [history[part::3] for part in range(3)]
    with Blackboard.in_memory() as board, Blackboard.in_memory() as twin:
        twins = Twins(play, board, twin)
        for part in parts:
            twins.go_on(without_evidence(part))
            compacted(board, drawing)
            board.verify(known_head=board.cursor)
            assert twins.standing(board) == twins.standing(twin)
        for part in parts:
            twins.go_on(without_evidence(part))
        assert told_otherwise(board) == []


def without_evidence(history):
    """Return a history in which nobody cites a revision: the twins' revisions have different numbers."""
    return [replace_acts(script) for script in history]


def replace_acts(script):
    return replace(script, acts=tuple(replace(act, evidence=()) for act in script.acts))


def compacted(board, drawing):
    head, first = board.revision, first_of(board)
    if head <= first:
        return
    before = drawing.randint(first + 1, head)
    seen = {revision: shown(board, revision, head) for revision in range(before, head + 1)}
    told, known = feed(board, before - 1), board.cursor
    late = board.changes(after=before - 1, limit=1).cursor
    done = folded(board, before)
    assert (done.revision, done.head_before) == (head + 1, head)
    for revision, expected in seen.items():
        assert shown(board, revision, head) == expected, revision
    assert feed(board, before - 1) == [*told, (head + 1, 0, "compacted", None, None, "olga")]
    assert feed(board, known)[0][:3] == (head + 1, 0, "compacted")
    assert feed(board, late) == feed(board, late.revision)
    board.verify(known_head=known)
    assert told_otherwise(board) == []
    for revision in (before - 1, 0):
        with pytest.raises(Compacted) as refused:
            board.snapshot(at=revision)
        assert refused.value.first == before
    if before > 1:
        with pytest.raises(Compacted):
            board.changes(after=before - 2)


def told_otherwise(board):
    """Return why the kept history cannot be told again from what was kept, or in what the board differs from it."""
    with board.store.database.reading() as on:
        told = retell.retell(on, plan, until=board.revision)
        with told.store.database.reading() as again:
            found = [told.stopped] if told.stopped else list(retell.differences(on, again))
        told.close()
    return found


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
    assert ask_sql(amended, "SELECT version FROM component ORDER BY version") == [(1,), (2,), (3,)]
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
        "DELETE FROM tenure WHERE revision = 1",
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


# --- damage -----------------------------------------------------------------------------------------------------------

WITHOUT_PAST = {
    *("facet_effect", "need", "need_pattern", "wakes", "position", "deadline", "idempotency", "pattern"),
    "instance_count",
}
"""Tables that hold no history."""

UNCHECKED = {
    ("board", "id"),
    ("board", "installed"),
    ("board", "clock"),
    ("board", "halt"),
    ("board", "halt_reason"),
    ("key", "question_revision"),
}


@pytest.fixture(scope="module")
def small(tmp_path_factory, given):
    """Return the place of a closed board that was compacted twice, with all kinds of things before, and its head."""
    place = tmp_path_factory.mktemp("compacted") / "board.db"
    with Blackboard.open(place, create=True, durability="normal") as board:
        board.install(team())
        to = given(board)
        to.asked("api/page", by="art")
        to.asked("api/ids", by="art")
        to.proposed("api/ids", {"kind": "int"}, by="art")
        to.voted("api/ids", 1, by="rev-1")
        to.voted("api/ids", 1, by="rev-2")
        to.decided("db/ids", 1, role="operator")
        with board.transaction("boss", role="operator") as transaction:
            transaction.decisions("api/*")
            transaction.write("server", {"a.py": "1", "b.py": "2"})
        to.judged("server", passed=True, by="test")
        with board.transaction("boss", role="operator") as transaction:
            transaction.decision("db/ids")
            transaction.retract("db/ids", reason="wrong")
        folded(board, 5)
        to.proposed("api/ids", {"kind": "text"}, by="art")
        to.asked("api/size", by="art")
        folded(board, board.revision)
        to.decided("api/ids", {"kind": "uuid"}, role="operator")
        head = board.verify()
    checkpoint(place)
    return place, head


@pytest.mark.parametrize("table", sorted(set(schema.metadata.tables) - schema.CONTROL - WITHOUT_PAST))
def test_every_changed_or_missing_row_of_a_compacted_board_is_found(small, table, tmp_path):
    place, head = small
    columns = [column.name for column in schema.metadata.tables[table].columns]
    raw = sqlite3.connect(place)
    rows = raw.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall()
    raw.close()
    assert rows, "the board has to have rows in every table"
    where = " AND ".join(f"{column} IS ?" for column in columns)
    missed = []
    for row in {rows[0], rows[-1]}:
        for column in (None, *columns):
            if (table, column) in UNCHECKED:
                continue
            copy = tmp_path / "copy.db"
            shutil.copy(place, copy)
            raw = sqlite3.connect(copy)
            try:
                if column is None:
                    raw.execute(f"DELETE FROM {table} WHERE {where}", row)
                else:
                    raw.execute(
                        f"UPDATE {table} SET {column} = ? WHERE {where}", (other(row[columns.index(column)]), *row)
                    )
                raw.commit()
            except sqlite3.IntegrityError:
                continue  # the table does not take such a row
            finally:
                raw.close()
            try:
                with Blackboard.open(copy, durability="normal") as board:
                    board.verify(known_head=head)
            except (Damaged, Forked, Compacted):
                pass
            else:
                missed.append((column, row))
            for rest in ("", "-wal", "-shm"):
                copy.with_name(copy.name + rest).unlink(missing_ok=True)
    assert missed == []


# --- what a person sees -----------------------------------------------------------------------------------------------


@pytest.fixture
def command(location, given, capsys):
    """Return a way to run `bb` on a board that was amended three times; it returns the status and what was printed."""
    with Blackboard.open(location, create=True, durability="normal") as board:
        to = given(board)
        to.decided("api/ids", {"kinds": 1})
        to.decided("api/ids", {"kind": 2})
        to.decided("api/ids", {"other": 3})
        to.written("server", "one", uses=["api/ids"])
        to.decided("api/ids", {"other": 4})

    def run(*arguments):
        status = main([*arguments, "--board", str(location)])
        said = capsys.readouterr()
        return status, said.out + said.err

    return run


def test_the_command_folds_and_says_so(command):
    status, said = command("board", "compact", "--before", "4", "--because", "it is long")
    assert (status, "folded" in said) == (0, True)
    status, said = command("board", "compact", "--before", "4")
    assert (status, "nothing to fold" in said) == (0, True)
    assert command("board", "doctor")[0] == 0


def test_only_an_operator_folds(command):
    status, said = command("board", "compact", "--before", "4", "--as", "ann:coder")
    assert (status, "not permitted" in said) == (1, True)


def test_what_cannot_be_folded_is_no_answer(command):
    assert command("board", "compact", "--before", "40")[0] == 3
    assert command("board", "compact", "--before", "0")[0] == 2


def test_every_look_at_a_compacted_board_works_and_says_what_is_gone(command):
    command("board", "compact", "--before", "4", "--as", "olga")
    status, said = command("log")
    assert status == 0
    assert "olga compacted the board" in said
    assert "proposed api/ids 2" not in said
    assert command("log", "--after", "0")[0] == 3
    assert "first kept one is 4" in command("log", "--after", "0")[1]
    assert command("log", "--after", "3")[0] == 0
    assert "its text was compacted" in command("show", "api/ids", "--version", "1")[1]
    assert command("show", "api/ids")[0] == 0
    assert command("show", "server", "--at", "4")[0] == 0
    assert "first kept one is 4" in command("show", "server", "--at", "3")[1]
    assert command("diff", "4", "5")[0] == 1
    assert "first kept one is 4" in command("diff", "1", "5")[1]
    for key in ("api/ids", "server"):
        assert command("why", key)[0] == 0
    assert "compacted" in command("revert", "api/ids", "--to", "1")[1]
    assert command("status")[0] in (0, 1, 4)
    for arguments in (("log", "--json"), ("show", "api/ids", "--json"), ("watch", "--once")):
        assert command(*arguments)[0] == 0


def test_why_still_tells_who_wrote_what_stands_when_the_commit_is_gone(board, given):
    given(board).decided("api/ids", 1, by="bob")
    given(board).decided("api/page", 1)
    folded(board, 2)
    (cause,) = why(board, "api/ids").causes
    assert (cause.revision, cause.author, cause.act) == (1, "bob", "decided api/ids 1")


def test_the_log_of_a_pattern_leaves_out_what_was_done_to_the_whole_board(board, given):
    given(board).decided("api/ids", 1)
    given(board).decided("api/ids", 2)
    folded(board, 2)
    assert [line.key for line in report.log(board).changes] == ["api/ids", "api/ids", ""]
    assert [line.key for line in report.log(board, pattern="api/*").changes] == ["api/ids", "api/ids"]


# --- tests of the tests: each of these compactions is wrong on purpose, and the property has to notice ---------------

WRONG = {
    "the past goes": """DELETE FROM tenure WHERE revision < (
        SELECT max(l.revision) FROM tenure l WHERE l.key_id = tenure.key_id AND l.revision < :before)""",
    "keys forget when they changed": "UPDATE compacted_key SET mod_revision = 0",
    "patterns that were listed go": "DELETE FROM pattern_pin",
    "verdicts go": "DELETE FROM verdict WHERE revision < :before",
    "pins go": "DELETE FROM pin WHERE component_version = 1",
    "files go": "DELETE FROM component_file WHERE version = 1",
    "texts go that are compared with": "UPDATE version SET text = NULL WHERE revision < :before",
    "digests go": "UPDATE version SET digest = '1:0' WHERE revision < :before",
    "questions go": "DELETE FROM question WHERE revision < :before",
    "one change more goes": "DELETE FROM change WHERE revision = :before",
    "keys forget how often they were amended": "UPDATE key SET generation = 0",
}


@pytest.mark.usefixtures("_a_small_bound")
def test_each_wrong_compaction_is_noticed(monkeypatch, length):
    names = list(WRONG)
    # The short form tries what is lost most easily; the long one everything.
    for name in names[: length(3, len(names))]:
        with monkeypatch.context() as patched:
            patched.setattr(compaction, "_PRUNE", (*compaction._PRUNE, Statement(WRONG[name])))
            assert find_difference() is not None, name


def find_difference():
    """Return what the property finds wrong on a few random histories, None where it finds nothing."""

    @settings(
        max_examples=60,
        database=None,
        phases=(Phase.generate,),
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @drawn(histories, st.integers(0, 2**32))
    def every(history, number):
        play_apart(Alone, history, number)

    try:
        every()
    except Exception as error:  # noqa: BLE001 - a store that holds what it must not may fail anyhow
        return error
    return None
