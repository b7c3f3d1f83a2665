import json

import pytest

from blackboard import Budget, Team, external, on
from blackboard.board import Blackboard
from blackboard.cli.exits import Exit
from blackboard.cli.main import main
from blackboard.store.statements import Statement


@pytest.fixture
def board(tmp_path, monkeypatch):
    """A board with one piece of work for `ann`; commands run beside it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BB_BOARD", str(tmp_path / "board.db"))
    with Blackboard.open(tmp_path / "board.db", create=True) as opened:
        opened.install(Team("talk", [external("ann", role="coder", on=on.asked("**"))], budget=Budget(tokens=10)))
        with opened.transaction("boss", role="operator") as transaction:
            transaction.ask("style", "how loud?")
        yield opened


def said(capsys, *arguments, status=Exit.YES):
    assert main([*arguments]) == status
    shown = capsys.readouterr()
    return shown.out + shown.err


def test_each_act_says_what_it_did_and_stands_in_the_log_with_its_reason(board, capsys):
    assert "the board is paused" in said(capsys, "board", "pause", "--because", "lunch", "--as", "ann")
    said(capsys, "board", "resume")
    said(capsys, "board", "cancel", "ann", "style", "--because", "not now")
    said(capsys, "board", "retry", "ann", "style")
    said(capsys, "board", "budget", "tokens", "500")
    log = said(capsys, "log")
    assert "ann paused the board: lunch" in log
    assert "cancelled style: ann, not now" in log
    assert "raised a budget of the board: tokens 500" in log
    assert "cancelled ann on style" in said(capsys, "why", "style")
    assert json.loads(said(capsys, "board", "pause", "--json"))["acts"] == ["the board is paused"]
    assert "with the head" in said(capsys, "board", "doctor")


def test_status_why_and_watch_say_that_the_board_is_halted(board, capsys):
    said(capsys, "board", "pause", "--because", "lunch", "--as", "eve")
    assert "the board is paused since" in said(capsys, "status", status=Exit.PERSON)
    assert "eve (operator) paused the board" in said(capsys, "why", "style")
    assert "eve paused the board" in said(capsys, "watch", "--once")


def test_drain_waits_for_live_leases_and_says_how_many_are_left(board, capsys):
    (lease,) = board.claim("ann")
    assert "1 leases are still live" in said(capsys, "board", "drain", "--wait", "0.2", status=Exit.NO)
    lease.finish()
    assert "nothing runs" in said(capsys, "board", "drain", "--wait", "0")


def test_a_sealed_board_refuses_every_command_that_writes_and_names_the_way_out(board, capsys):
    said(capsys, "board", "seal", "--because", "handed over", "--as", "eve")
    refused = said(capsys, "ask", "tone", "which?", status=Exit.NO)
    assert "sealed by eve: handed over" in refused
    assert "bb board seal --off" in refused
    assert "the board is paused" in said(capsys, "board", "seal", "--off")
    said(capsys, "ask", "tone", "which?")


def test_only_an_operator_may_and_only_what_is_there(board, capsys):
    assert "not permitted" in said(capsys, "board", "pause", "--as", "ann:coder", status=Exit.NO)
    assert "held by nobody" in said(capsys, "board", "unlock", "style", status=Exit.NO)
    assert "nothing to do" in said(capsys, "board", "cancel", "ben", "style", status=Exit.NO)


@pytest.mark.parametrize("amount", ["nan", "inf", "-inf", "-5", "0", "much"])
def test_a_budget_that_is_no_amount_is_a_wrong_usage_and_one_sentence_says_what_to_give(board, capsys, amount):
    head = board.revision
    refused = said(capsys, "board", "budget", "tokens", amount, status=Exit.USAGE)
    assert amount in refused
    assert "give a number that is finite and more than 0" in refused
    assert refused.count("\n") == 1
    assert board.revision == head


@pytest.mark.parametrize("name", ["tokenz", "--jsno"])
def test_a_budget_of_something_else_is_a_wrong_usage_and_names_those_there_are(board, capsys, name):
    refused = said(capsys, "board", "budget", name, "5", status=Exit.USAGE)
    assert f"{name} is no budget; give tokens, money, seconds or activations" in refused


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "soon"])
def test_drain_waits_for_a_time_that_ends(board, capsys, seconds):
    head = board.revision
    refused = said(capsys, "board", "drain", "--wait", seconds, status=Exit.USAGE)
    assert "give seconds, finite and 0 or more" in refused
    assert board.revision == head


def test_all_that_a_source_gave_up_is_retried_at_once(board, capsys):
    assert "not given up" in said(capsys, "board", "retry", "ann", status=Exit.NO)
    with board.transaction("boss", role="operator") as transaction:
        transaction.ask("colour", "which?")
    with board.store.writer.turn() as turn:
        turn.run(Statement("UPDATE activation SET state = 'dead' WHERE source = 'ann'"))
    assert "ann on colour, style is pending again" in said(capsys, "board", "retry", "ann")
    assert "not given up" in said(capsys, "board", "retry", "ann", status=Exit.NO)
    assert len(board.claim("ann")) == 1


def test_who_accepted_which_breaks_stands_in_the_log_and_in_why_and_show(board, capsys, tmp_path):
    for text, arguments in (
        ("def read(path: str) -> bytes: ...", []),
        (
            "def read(path: str, strict: bool) -> bytes: ...",
            ["--because", "no way around", "--accept", "python.parameter-required"],
        ),
    ):
        (tmp_path / "files.pyi").write_text(text)
        said(capsys, "decide", "api/files", "files.pyi", "--as", "eve", *arguments)
    accepted = "accepting python.parameter-required"
    log = [line for line in said(capsys, "log").splitlines() if "api/files" in line]
    assert [accepted in line and "eve" in line for line in log if "accepted" in line] == [False, True]
    why = said(capsys, "why", "api/files")
    assert f'eve (operator) amended api/files 1 -> 2, {accepted} "no way around"' in why
    assert f'"no way around", {accepted}' in said(capsys, "show", "api/files")
