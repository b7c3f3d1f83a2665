"""What a person sees of a compaction: what the commands say of it, and of what is gone."""

import io
import json
import sqlite3

import pytest
from compactions import first_of, folded

from blackboard import Blackboard
from blackboard.cli import report
from blackboard.cli.main import main
from blackboard.cli.why import why
from blackboard.store import compact


def dumped(location) -> list[str]:
    """Return everything on a board but store time, which never stands still."""
    raw = sqlite3.connect(location)
    said = [line for line in raw.iterdump() if not line.startswith('INSERT INTO "board"')]
    said += map(str, raw.execute("SELECT epoch, revision, digest, first_revision FROM board"))
    raw.close()
    return said


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
    status, said = command("board", "compact", "--before", "4", "--yes", "--because", "it is long")
    assert (status, "folded" in said) == (0, True)
    status, said = command("board", "compact", "--before", "4", "--yes")
    assert (status, "nothing to fold" in said) == (0, True)
    assert command("board", "doctor")[0] == 0


def test_a_dry_run_says_what_goes_and_changes_nothing(command, location):
    before = dumped(location)
    status, said = command("board", "compact", "--before", "4", "--dry-run")
    assert status == 0
    assert "the history of the revisions 1 to 3 would go" in said
    # With version 2 nothing began that is still looked at; version 3 is current.
    assert "the texts of 2 versions and 0 files would go: 21 bytes" in said
    assert "every cursor below revision 3 would end" in said
    assert dumped(location) == before
    said = json.loads(command("board", "compact", "--before", "4", "--dry-run", "--json")[1])
    assert len(said["acts"]) == 3
    assert "nothing to fold" in command("board", "compact", "--before", "1", "--dry-run")[1]


def test_what_a_dry_run_says_is_what_goes(board, given):
    for number in range(5):
        given(board).decided("api/ids", {f"kind-{number}": number})
        given(board).written("server", "x" * number, uses=["api/ids"])
    loss = compact.foresee(board.store, before=8)
    sizes = "SELECT count(text), sum(length(text)), (SELECT sum(length(content)) FROM blob) FROM version"
    with board.store.database.reading() as on:
        before = on.raw.execute(sizes).fetchone()
        files = on.raw.execute("SELECT count(*) FROM component_file").fetchone()[0]
    folded(board, 8)
    with board.store.database.reading() as on:
        after = on.raw.execute(sizes).fetchone()
        files -= on.raw.execute("SELECT count(*) FROM component_file").fetchone()[0]
    texts, bytes_of_texts, bytes_of_files = (one - other for one, other in zip(before, after, strict=True))
    assert loss == compact.Loss(1, 7, texts, files, bytes_of_texts + bytes_of_files)
    assert texts > 0
    assert files > 0
    assert compact.foresee(board.store, before=8) is None


def test_without_yes_nobody_is_asked_where_there_is_no_terminal(command, location):
    before = dumped(location)
    status, said = command("board", "compact", "--before", "4")
    assert (status, "--dry-run" in said, "--yes" in said) == (2, True, True)
    assert dumped(location) == before


@pytest.mark.parametrize(("answer", "status", "folds"), [("y\n", 0, True), ("n\n", 130, False), ("", 130, False)])
def test_at_a_terminal_it_says_what_goes_and_asks(command, location, monkeypatch, answer, status, folds):
    monkeypatch.setattr("blackboard.cli.admin.asked_at_a_terminal", lambda: True)
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    found, said = command("board", "compact", "--before", "4")
    assert "the history of the revisions 1 to 3 would go" in said
    assert (found, "is folded" in said) == (status, folds)
    with Blackboard.open(location) as board:
        assert first_of(board) == (4 if folds else 1)


def test_only_an_operator_folds(command):
    status, said = command("board", "compact", "--before", "4", "--as", "ann:coder")
    assert (status, "not permitted" in said) == (1, True)


def test_what_cannot_be_folded_is_no_answer(command):
    assert command("board", "compact", "--before", "40", "--yes")[0] == 3
    assert command("board", "compact", "--before", "0")[0] == 2


def test_every_look_at_a_compacted_board_works_and_says_what_is_gone(command):
    command("board", "compact", "--before", "4", "--yes", "--as", "olga")
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
