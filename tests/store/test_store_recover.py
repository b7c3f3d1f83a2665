"""A damaged board is saved into a new one: the longest whole part of its history, and a word about what was lost."""

import json
import random
import shutil
import sqlite3
import time

import pytest
from examinations import FRAME, changed, log_of, sound

from blackboard import Blackboard, Compacted, Contract, Damaged, Forked, NotABoard, Unavailable
from blackboard.cli.exits import Exit
from blackboard.cli.main import main
from blackboard.plan import plan
from blackboard.store import pages
from blackboard.store.compact import compact
from blackboard.store.feed import Cursor
from blackboard.store.recover import recover

PAGE = 4096


def save(damaged, new):
    return recover(damaged, new, planner=plan, author="ann", clock=time.time)


@pytest.fixture(scope="module")
def made_long(tmp_path_factory, given, voting_team):
    """Return the place of a closed board with a team, many pages, and a lease that lives; and what it said."""
    place = tmp_path_factory.mktemp("long") / "board.db"
    with Blackboard.open(place, create=True, durability="normal") as board:
        board.install(voting_team())
        to = given(board)
        for number in range(25):
            to.decided(f"free/k{number}", "v" * 400, by="art", role="architect")
            to.written(f"c{number}", f"text {number}", uses=[f"free/k{number}"], by="art")
        to.asked("api/ids", by="art")
        (lease,) = board.claim("art")
        head = board.cursor
        said = feed_of(board)
    checkpoint(place)
    return place, head, said, lease.token


@pytest.fixture
def long_board(made_long, location):
    """Return the same of a copy, for a test of its own."""
    return copied(made_long, location)


def copied(made, location):
    shutil.copytree(made[0].parent, location.parent, dirs_exist_ok=True)
    return location, *made[1:]


def checkpoint(place):
    raw = sqlite3.connect(place)
    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()


def feed_of(board):
    return [(one.revision, one.kind, one.key, one.version, one.author) for one in board.changes(after=0) if one.key]


def pages_of(place, table):
    """Return the numbers of the leaf pages of a table or index, the root left out where it is none."""
    raw = sqlite3.connect(place)
    try:
        rows = raw.execute("SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path", (table,))
        return [row[0] for row in rows]
    except sqlite3.OperationalError:
        pytest.skip("this SQLite has no dbstat")
    finally:
        raw.close()


def spoil(place, number):
    with place.open("r+b") as file:
        file.seek((number - 1) * PAGE)
        content = file.read(PAGE)
        file.seek((number - 1) * PAGE)
        file.write(bytes(one ^ 0x5A for one in content))


def spoil_row(place, table, key):
    """Change a row behind the board's back, so that its page is whole and what it says is not."""
    raw = sqlite3.connect(place)
    raw.execute(f"UPDATE {table} SET digest = digest || 'x' WHERE {key}")
    raw.commit()
    raw.close()
    checkpoint(place)


def test_a_sound_board_is_saved_whole_as_a_board_of_its_own(long_board, tmp_path):
    place, head, said, token = long_board
    before = place.read_bytes()
    found = save(place, tmp_path / "new.db")
    assert (found.told, found.known, found.lost) == (head.revision, head.revision, ())
    assert place.read_bytes() == before
    assert sorted(one.name for one in tmp_path.iterdir()) == ["board.db", "board.db-queue", "new.db"]
    with Blackboard.open(tmp_path / "new.db") as board:
        assert feed_of(board) == said
        assert board.cursor == found.head
        assert board.revision == head.revision + 1
        with pytest.raises(Forked):
            board.changes(after=head)
        board.verify(known_head=Cursor(found.head.epoch, head.revision, head.digest))
        (again,) = board.claim("art")
        assert again.token > token
    assert sound(tmp_path / "new.db", found.head)


def test_the_longest_whole_part_is_kept_and_the_rest_is_named(long_board, tmp_path):
    place, head, said, _ = long_board
    spoil_row(place, "commit_log", "revision = 30")
    found = save(place, tmp_path / "new.db")
    assert (found.told, found.known) == (29, head.revision)
    assert any(one.startswith("revision 30 by ") for one in found.lost)
    assert sum(one.startswith("revision ") for one in found.lost[1:]) == head.revision - 29
    assert any(one.startswith("file c") for one in found.lost)
    with Blackboard.open(tmp_path / "new.db") as board:
        assert feed_of(board) == [one for one in said if one[0] <= 29]
        board.verify(known_head=found.head)
        with board.transaction("boss", role="operator") as transaction:
            transaction.decide("free/on", Contract.value(1))
    assert sound(tmp_path / "new.db", found.head)


@pytest.mark.parametrize(
    "table", ["facet_effect", "need", "head_facet", "tenure", "activation", "idempotency", "position"]
)
def test_what_follows_from_the_history_is_told_again_however_damaged(long_board, tmp_path, table):
    place, head, said, _ = long_board
    numbers = pages_of(place, table)
    for number in numbers:
        spoil(place, number)
    found = save(place, tmp_path / "new.db")
    assert (found.told, found.lost) == (head.revision, ())
    with Blackboard.open(tmp_path / "new.db") as board:
        assert feed_of(board) == said
    assert sound(tmp_path / "new.db", found.head)


def test_keys_are_read_from_their_index_where_their_page_is_damaged(long_board, tmp_path):
    place, head, _, _ = long_board
    spoil(place, pages_of(place, "key")[-1])
    found = save(place, tmp_path / "new.db")
    assert (found.told, found.lost) == (head.revision, ())


def test_a_damaged_header_hides_nothing(long_board, tmp_path):
    place, head, _, _ = long_board
    content = place.read_bytes()
    place.write_bytes(bytes(one ^ 0x77 for one in content[:100]) + content[100:])
    with pytest.raises(NotABoard):
        Blackboard.open(place)
    found = save(place, tmp_path / "new.db")
    assert (found.told, found.lost) == (head.revision, ())


def test_whatever_page_is_damaged_what_is_saved_is_a_part_of_what_was(long_board, tmp_path, seed, length):
    place, head, said, _ = long_board
    for new, found in saved_from_damage(place, tmp_path, seed, length(4, 200)):
        assert found.told == head.revision or found.lost
        with Blackboard.open(new) as board:
            if found.told:
                assert feed_of(board) == [one for one in said if one[0] <= found.told]
            board.verify(known_head=found.head)


def saved_from_damage(place, folder, seed, attempts):
    """Damage one page after the other, drawn by the seed; yield the place of what was saved, and the report of it."""
    whole, draw, saved = place.read_bytes(), random.Random(seed), 0
    for attempt in range(attempts):
        content = bytearray(whole)
        number = draw.randrange(len(whole) // PAGE)
        content[number * PAGE : (number + 1) * PAGE] = draw.randbytes(PAGE)
        damaged, new = folder / f"damaged{attempt}.db", folder / f"new{attempt}.db"
        damaged.write_bytes(content)
        try:
            found = save(damaged, new)
        except (Damaged, NotABoard):
            assert not new.exists()
        else:
            saved += 1
            yield new, found
        assert damaged.read_bytes() == bytes(content)
    assert saved > 0


def test_a_log_that_breaks_is_saved_up_to_there(location, given, tmp_path):
    with Blackboard.open(location, create=True, durability="normal") as board:
        for number in range(6):
            given(board).decided(f"k{number}", number)
        damaged = tmp_path / "damaged.db"
        for suffix in ("", "-wal"):
            damaged.with_name(damaged.name + suffix).write_bytes(
                location.with_name(location.name + suffix).read_bytes()
            )
    seen = pages.look(damaged)["log"]
    changed(log_of(damaged), 32 + (seen["frames"] - 20) * FRAME + 200)
    kept = damaged.read_bytes(), log_of(damaged).read_bytes()
    found = save(damaged, tmp_path / "new.db")
    assert 0 < found.told < 6
    assert any("the log breaks" in one for one in found.lost)
    assert (damaged.read_bytes(), log_of(damaged).read_bytes()) == kept


def test_what_was_spent_stays_spent(file_board, location, given, tmp_path):
    file_board.store.writer.run(
        lambda turn: turn.connection.raw.execute(
            "INSERT INTO budget (resource, cap, spent, held, given) VALUES ('tokens', 100, 40, 5, 100)"
        )
    )
    given(file_board).decided("k", 1)
    file_board.close()
    save(location, tmp_path / "new.db")
    raw = sqlite3.connect(tmp_path / "new.db")
    assert raw.execute("SELECT * FROM budget").fetchall() == [("tokens", 100.0, 45.0, 0.0, 100.0)]
    raw.close()


def test_what_cannot_be_saved_is_an_error_and_leaves_nothing(long_board, tmp_path):
    place = long_board[0]
    (tmp_path / "letter").write_text("dear board" * 1000)
    (tmp_path / "there.db").write_text("mine")
    for damaged, new, error in (
        (tmp_path / "none.db", tmp_path / "new.db", Unavailable),
        (tmp_path / "letter", tmp_path / "new.db", NotABoard),
        (place, tmp_path / "there.db", NotABoard),
        (place, place, NotABoard),
        (place, tmp_path / "none" / "new.db", Unavailable),
    ):
        with pytest.raises(error):
            save(damaged, new)
    assert not [one.name for one in tmp_path.iterdir() if one.name.startswith((".bb", "new"))]
    assert (tmp_path / "there.db").read_text() == "mine"


def test_what_never_was_a_board_is_not_called_damaged(tmp_path):
    (tmp_path / "letter").write_text("dear board\n")
    (tmp_path / "book").write_text("dear board" * 10_000)
    raw = sqlite3.connect(tmp_path / "other.db")
    raw.execute("CREATE TABLE mine (id INTEGER)")
    raw.commit()
    raw.close()
    for name, what in (("letter", "no SQLite"), ("book", "no SQLite"), ("other.db", "no commit can be read")):
        before = (tmp_path / name).read_bytes()
        with pytest.raises(NotABoard) as refused:
            save(tmp_path / name, tmp_path / "new.db")
        assert refused.value.location == str(tmp_path / name)
        assert what in refused.value.why
        assert "name another path" in str(refused.value)
        assert (tmp_path / name).read_bytes() == before
    assert sorted(one.name for one in tmp_path.iterdir()) == ["book", "letter", "other.db"]


def test_a_board_of_which_the_header_alone_is_left_is_damaged(long_board, tmp_path):
    place = long_board[0]
    content = place.read_bytes()
    place.write_bytes(content[:100] + bytes(len(content) - 100))
    with pytest.raises(Damaged):
        save(place, tmp_path / "new.db")


def test_the_command_reports_what_was_lost(long_board, tmp_path, capsys):
    place = str(long_board[0])
    assert main(["board", "recover", place, str(tmp_path / "new.db"), "--json"]) == Exit.YES
    assert json.loads(capsys.readouterr().out)["lost"] == []
    spoil_row(long_board[0], "commit_log", "revision = 30")
    assert main(["board", "recover", place, str(tmp_path / "newer.db")]) == Exit.NO
    said = capsys.readouterr().out
    assert "revision 30 by" in said
    assert "holds revisions 1 to 29 of" in said


# --- of a compacted board ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made_compacted(made_long, tmp_path_factory):
    """Return the place of a closed board that was compacted twice, its head, its first kept revision and its feed."""
    place = copied(made_long, tmp_path_factory.mktemp("compacted") / "board.db")[0]
    with Blackboard.open(place) as board:
        for before in (12, 30):
            compact(board.store, planner=plan, before=before, author="olga")
        for number in range(8):
            with board.transaction("boss", role="operator") as transaction:
                transaction.decision(f"free/k{number}")
                transaction.decide(f"free/k{number}", Contract.value("w" * 400))
        head = board.cursor
        said = [(one.revision, one.kind, one.key, one.version, one.author) for one in board.changes(after=29)]
    checkpoint(place)
    return place, head, 30, said


@pytest.fixture
def compacted(made_compacted, location):
    """Return the same of a copy, for a test of its own."""
    return copied(made_compacted, location)


def since(board, first):
    return [(one.revision, one.kind, one.key, one.version, one.author) for one in board.changes(after=first - 1)]


def test_a_sound_compacted_board_is_saved_whole(compacted, tmp_path):
    place, head, first, said = compacted
    with Blackboard.open(place) as board:
        shown = board.snapshot(at=head)
        stands = (shown.decisions(), shown.components(), shown.questions())
    found = save(place, tmp_path / "new.db")
    assert (found.told, found.known, found.lost) == (head.revision, head.revision, ())
    with Blackboard.open(tmp_path / "new.db") as board:
        assert since(board, first)[: len(said)] == said
        shown = board.snapshot(at=head.revision)
        assert (shown.decisions(), shown.components(), shown.questions()) == stands
        with pytest.raises(Compacted):
            board.snapshot(at=first - 1)
        # What was pending before the first kept revision still is.
        assert [one.target for one in board.claim("art")] == ["api/ids"]
        board.verify()
    assert sound(tmp_path / "new.db", found.head)


def test_the_command_says_with_which_revision_it_begins(compacted, tmp_path, capsys):
    place, head, first, _ = compacted
    assert main(["board", "recover", str(place), str(tmp_path / "new.db")]) == Exit.YES
    assert f"holds revisions {first} to {head.revision} of" in capsys.readouterr().out
    raw = sqlite3.connect(place)
    raw.execute("DELETE FROM compacted_row")
    raw.commit()
    raw.close()
    assert main(["board", "recover", str(place), str(tmp_path / "newer.db")]) == Exit.NO
    assert "decided anew" in capsys.readouterr().out


def test_of_a_compacted_board_the_longest_whole_part_is_kept(compacted, tmp_path):
    place, head, first, said = compacted
    spoil_row(place, "commit_log", "revision = 45")
    found = save(place, tmp_path / "new.db")
    assert (found.told, found.known) == (44, head.revision)
    assert any(one.startswith("revision 45 by ") for one in found.lost)
    with Blackboard.open(tmp_path / "new.db") as board:
        kept = [one for one in said if one[0] <= 44]
        assert since(board, first)[: len(kept)] == kept
        # The commit that compacted is among those that are lost: the new board says it again.
        assert [one[1] for one in since(board, first)[len(kept) :]] == ["compacted", "recovered"]
        board.verify(known_head=found.head)
        with board.transaction("boss", role="operator") as transaction:
            transaction.decide("free/on", Contract.value(1))
    assert sound(tmp_path / "new.db", found.head)


@pytest.mark.parametrize("table", ["need", "head_facet", "activation", "position", "wakes"])
def test_what_follows_is_told_again_from_what_was_kept(compacted, tmp_path, table):
    place, head, first, said = compacted
    for number in pages_of(place, table):
        spoil(place, number)
    found = save(place, tmp_path / "new.db")
    assert (found.told, found.lost) == (head.revision, ())
    with Blackboard.open(tmp_path / "new.db") as board:
        assert since(board, first)[: len(said)] == said
    assert sound(tmp_path / "new.db", found.head)


@pytest.mark.parametrize(
    ("table", "where"), [("version", "revision < 30"), ("compacted_key", "1"), ("compacted_row", "1"), ("blob", "1")]
)
def test_where_what_was_kept_is_damaged_what_stands_is_decided_anew(compacted, tmp_path, table, where):
    place, head, _, _ = compacted
    with Blackboard.open(place) as board:
        shown = board.snapshot(at=head)
        values = {one.key: one.contract.text for one in shown.decisions()}
        files = {one.key: one.files for one in shown.components()}
        states = {one.key: one.state for one in shown.components()}
    raw = sqlite3.connect(place)
    raw.execute(f"DELETE FROM {table} WHERE {where}")
    raw.commit()
    raw.close()
    checkpoint(place)
    found = save(place, tmp_path / "new.db")
    assert (found.told, found.known) == (0, head.revision)
    # Nothing is passed off as whole.
    assert "before revision 30" in found.lost[0] or "file" in found.lost[0]
    said = " ".join(found.lost)
    assert "question on api/ids" in said
    assert f"revision {head.revision} by boss" in said
    assert not any(one.startswith("revision 29") for one in found.lost)
    with Blackboard.open(tmp_path / "new.db") as board:
        shown = board.snapshot()
        saved = {one.key: one.contract.text for one in shown.decisions()}
        built = {one.key: one.files for one in shown.components()}
        assert saved.items() <= values.items()
        assert built.items() <= files.items()
        assert all(f"{key} version" in said for key in (values.keys() - saved.keys()) | (files.keys() - built.keys()))
        assert len(saved) > 10 if table != "version" else len(saved) > 5
        assert (table == "blob") is (len(built) == 0)
        if table.startswith("compacted"):
            assert (saved, built) == (values, files)
            assert {one.key: one.state for one in shown.components()} == states
        assert [one.kind for one in board.changes(after=board.revision - 1)] == ["recovered"]
        board.verify(known_head=found.head)
    assert sound(tmp_path / "new.db", found.head)


def test_whatever_page_of_a_compacted_board_is_damaged_what_is_saved_is_a_part_of_it(compacted, tmp_path, seed, length):
    place, head, first, said = compacted
    for new, found in saved_from_damage(place, tmp_path, seed, length(4, 200)):
        assert found.told == head.revision or found.lost
        if not found.told:
            continue
        kept = [one for one in said if one[0] <= found.told]
        with Blackboard.open(new) as board:
            assert since(board, first)[: len(kept)] == kept
            board.verify(known_head=found.head)
