"""What a person sees of the calls of models: one that hangs, what was spent, and each prompt with its reply."""

import json

import pytest
from rich.console import Console

from blackboard import Contract, Team, Usage, external, on
from blackboard.board import Blackboard
from blackboard.cli import report
from blackboard.cli.exits import Exit
from blackboard.cli.main import main
from blackboard.cli.overview import Rows
from blackboard.cli.render import render
from blackboard.cli.screen import screen
from blackboard.cli.watch import Lines, RecentOutcome, Waits, frame
from blackboard.control.context import Context, Setting
from blackboard.control.prices import Price, Prices
from blackboard.control.sandbox import Sandbox
from blackboard.spec.activation import Ending
from blackboard.store import agenda
from blackboard.store.agenda import End
from blackboard.testing import FakeClock

PRICES = Prices({"openai:*": Price(10, 100)}, "USD")
LONG = "long " * 3000 + "end"
SENT = [
    {"role": "system", "content": "you write code"},
    {"role": "user", "content": f"one\n\tindented [bold] \u202e\n{LONG}"},
]
WAITING = "cora: waiting for openai:gpt-5 about task/storage, {} s"


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def board(tmp_path, clock):
    with Blackboard.open(tmp_path / "board.db", create=True, clock=clock) as opened:
        opened.install(Team("p", [external("cora", role="coder", on=on.accepted("task/*"))]))
        with opened.transaction("ann", role="operator") as transaction:
            transaction.decide("task/storage", Contract.task(summary="keep it"))
        yield opened


@pytest.fixture
def context(board):
    [lease] = board.claim("cora", lease_seconds=3600)
    setting = Setting(board.store, "p", Sandbox.best(), virtual=False, prices=PRICES)
    return Context(setting, lease.claimed, timeout_seconds=3600)


def recorded(context, reply="done", **more):
    values = {"model": "openai:gpt-5", "usage": Usage(1200, 300), "seconds": 2.4, "outcome": "answered", **more}
    return context.record_call(messages=SENT, reply=reply, **values)


def plain(renderable, width=200):
    console = Console(width=width, color_system=None, markup=False)
    with console.capture() as captured:
        console.print(renderable)
    return captured.get()


def show(tmp_path, capsys, *arguments):
    status = main(["show", *arguments, "--board", str(tmp_path / "board.db")])
    return status, capsys.readouterr()


def test_a_prompt_is_printed_as_the_model_saw_it_and_cleaned(tmp_path, context, capsys):
    digest = recorded(context)
    status, shown = show(tmp_path, capsys, "storage", "--prompts")
    assert status == Exit.YES
    lines = shown.out.splitlines()
    assert lines[0].startswith(
        "=== call 1: cora about task/storage (accepted, attempt 1), openai:gpt-5, 1,200 + 300 tokens, 0.042 USD, "
        "answered after 2.4 s, "
    )
    assert lines[0].endswith(f" UTC, prompt {digest}")
    assert lines[1:] == [
        "--- system",
        "you write code",
        "--- user",
        "one",
        "\tindented [bold] \\u202e",
        LONG,
        "--- reply",
        "done",
    ]


def test_calls_come_in_their_order_and_one_of_them_can_be_named(tmp_path, context, capsys):
    for reply in ("first", "second"):
        recorded(context, reply)
    _, both = show(tmp_path, capsys, "task/storage", "--prompts")
    assert both.out.index("first") < both.out.index("second")
    _, one = show(tmp_path, capsys, "storage", "--call", "2", "--json")
    [call] = json.loads(one.out)["calls"]
    assert (call["call"], call["reply_text"], call["messages"]) == (2, "second", SENT)


def test_where_there_is_no_such_call_the_answer_is_no(tmp_path, context, capsys):
    recorded(context)
    for arguments in (("other", "--prompts"), ("storage", "--call", "2")):
        status, shown = show(tmp_path, capsys, *arguments)
        assert (status, shown.out) == (Exit.NO, "")
    assert show(tmp_path, capsys, "--prompts")[0] == Exit.USAGE


def test_a_call_that_failed_and_one_that_was_not_recorded_are_shown(tmp_path, context, capsys):
    recorded(context, "", outcome="RateLimitError", usage=None)
    with context.hold(10, model="openai:gpt-5"):
        _, shown = show(tmp_path, capsys, "storage", "--prompts")
    first, second = shown.out.split("=== ")[1:]
    assert "tokens not known, no price, RateLimitError after" in first
    assert "running, " in second
    assert "--- the prompt was not recorded" in second


def test_status_shows_what_was_spent_and_what_is_waited_for(board, context, clock):
    recorded(context)
    recorded(context, model="local", usage=None)
    with context.hold(10, model="openai:gpt-5"):
        clock.sleep(42)
        shown = plain(render(report.status(board)))
    assert "calls        openai:gpt-5: 1 call, 1,200 + 300 tokens, 0.042 USD" in shown
    assert "calls        local: 1 call, 0 + 0 tokens\n" in shown
    assert f"running      {WAITING.format(42)}" in shown
    assert "waiting" not in plain(render(report.status(board)))


@pytest.mark.parametrize("width", [80, 160])
def test_a_picture_of_the_board_shows_what_is_waited_for(board, context, clock, width):
    with context.hold(10, model="openai:gpt-5"):
        clock.sleep(3)
        assert WAITING.format(3) in plain(screen(frame(board, Rows(3, 3, 3, 3, 3), RecentOutcome(board)), width), width)


def test_a_call_of_a_lease_that_ended_is_not_waited_for(board, context, tmp_path, capsys):
    context.hold(10, model="openai:gpt-5").__enter__()
    agenda.end(board.store, [End(context.token, Ending.RETURNED)])
    assert report.status(board).waiting == ()
    assert ", lost, " in show(tmp_path, capsys, "storage", "--prompts")[1].out


def test_lines_say_after_ten_seconds_and_then_ever_more_seldom_what_is_waited_for(board, context, clock, capsys):
    view = Lines(board, waits=Waits(board, clock))
    said = {}
    with context.hold(10, model="openai:gpt-5"):
        for second in range(1, 200):
            clock.sleep(1)
            view.show(())
            if text := capsys.readouterr().out:
                said[second] = text
    assert list(said) == [10, 20, 40, 80, 140]
    assert said[20] == WAITING.format(20) + "\n"
    clock.sleep(100)
    view.show(())
    assert capsys.readouterr().out == ""


def test_lines_of_json_hold_changes_only(board, context, clock, capsys):
    view = Lines(board, as_json=True, waits=Waits(board, clock))
    with context.hold(10, model="openai:gpt-5"):
        clock.sleep(60)
        view.show(())
    assert capsys.readouterr().out == ""
