"""What is kept of the calls of models, and what they cost."""

import json
from hashlib import sha256

import pytest
from simulated_teams import coder, planner, run

from blackboard import Blackboard, Budget, Contract, InvalidTeam, Team, Usage, knowledge_source, on
from blackboard.control.simulation import virtual_board
from blackboard.spec.convergence import OutcomeKind
from blackboard.store import budgets, calls

ONE = {"a": ({}, {"k/a": []})}
USED = Usage(1000, 200)
SECRET = "ghp_" + "0123456789abcdefghij0123456789abcdef"
SENT = [{"role": "system", "content": "be brief"}, {"role": "user", "content": f"write a; use {SECRET}"}]
PRICES = {"m:*": {"input": 2.0, "output": 10.0}}


def calling(body, **more):
    """Return an architect that does something before it decides."""

    @knowledge_source(name="cora", role="architect", on=on.required("k/*"), **more)
    def decide(context):
        body(context)
        with context.transaction() as transaction:
            if transaction.decision(context.target) is None:
                transaction.decide(context.target, Contract.value(1))

    return decide


def recorded(context, *, reply="done", outcome="answered", usage=USED, messages=SENT, model="m:1"):
    return context.record_call(model=model, messages=messages, reply=reply, usage=usage, seconds=1.5, outcome=outcome)


def ran(board, body, **team):
    return run(board, Team("x", [planner(ONE), calling(body), coder()], **team))


def about(board, target="k/a"):
    with board.store.database.reading() as reading:
        return calls.about(reading, target, f"task/{target}")


def test_a_call_is_kept_with_its_texts_under_the_digest_that_is_returned():
    digests, revisions = [], []

    def body(context):
        revisions.append(board.revision)
        digests.append(recorded(context))
        revisions.append(board.revision)

    with virtual_board() as board:
        assert ran(board, body, prices=PRICES).kind is OutcomeKind.CONVERGED
        [call] = about(board)
    assert (call["source"], call["target"], call["model"], call["outcome"]) == ("cora", "k/a", "m:1", "answered")
    assert (call["attempt"], call["number"], call["seconds"]) == (1, 1, 1.5)
    assert call["money"] == pytest.approx(0.004)
    assert call["prompt"] == digests[0] == sha256(call["prompt_text"].encode()).hexdigest()
    assert [one["role"] for one in json.loads(call["prompt_text"])] == ["system", "user"]
    assert call["reply_text"] == "done"
    assert revisions[0] == revisions[1]


def test_no_secret_of_a_known_format_reaches_the_file_of_the_board(tmp_path):
    path = tmp_path / "board.db"
    with Blackboard.open(path, create=True) as board:
        ran(board, lambda context: recorded(context, reply=f"Authorization: Bearer {SECRET}"))
        [call] = about(board)
        assert "write a; use [redacted: github token]" in call["prompt_text"]
        assert call["reply_text"] == "Authorization: [redacted: authorization header]"
    assert SECRET.encode() not in b"".join(one.read_bytes() for one in tmp_path.iterdir())


def test_a_text_is_kept_once_and_calls_are_numbered():
    def body(context):
        recorded(context)
        recorded(context, reply="other", outcome="refused", usage=None)

    with virtual_board() as board:
        ran(board, body)
        found = about(board)
        assert [one["number"] for one in found] == [1, 2]
        assert [one["outcome"] for one in found] == ["answered", "refused"]
        assert found[0]["prompt"] == found[1]["prompt"]
        with board.store.database.reading() as reading:
            assert len(reading.all(calls.Statement("SELECT digest FROM call_text"))) == 3


def test_where_there_are_too_many_texts_the_oldest_go_and_rows_stay(monkeypatch):
    monkeypatch.setattr(calls, "MAX_KEPT_BYTES", 1000)

    def body(context):
        for number in range(5):
            recorded(context, reply=str(number) * 400)

    with virtual_board() as board:
        ran(board, body)
        found = about(board)
        with board.store.database.reading() as reading:
            kept = reading.all(calls.Statement("SELECT sum(bytes) AS bytes FROM call_text"))[0]["bytes"]
    assert len(found) == 5
    assert all(one["reply"] for one in found)
    assert kept <= 1000
    assert sum(one["reply_text"] is None for one in found) >= 3


def test_a_call_is_shown_as_running_while_its_hold_is_open_and_its_record_takes_that_row():
    seen = []

    def running(board):
        with board.store.database.reading() as reading:
            return [(one["source"], one["model"], one["target"]) for one in calls.running(reading, 9)]

    def body(context):
        with context.hold(100, model="m:1") as held:
            seen.append(running(board))
            held.settle(10, 5)
        seen.append(running(board))
        recorded(context)

    with virtual_board() as board:
        ran(board, body)
        [call] = about(board)
    assert seen == [[("cora", "m:1", "k/a")], []]
    assert (call["outcome"], call["reply_text"]) == ("answered", "done")


@pytest.mark.parametrize(("error", "outcome"), [(TimeoutError, "timed out"), (ZeroDivisionError, "ZeroDivisionError")])
def test_a_call_that_fails_ends_with_the_name_of_its_error(error, outcome):
    def body(context):
        with pytest.raises(error), context.hold(100, model="m:1") as held:
            held.settle(0)
            raise error

    with virtual_board() as board:
        ran(board, body)
        [call] = about(board)
    assert call["outcome"] == outcome


def test_money_is_held_at_the_dearer_price_and_settled_by_what_was_used():
    def body(context):
        with context.hold(100_000, model="m:1") as held:
            with board.store.database.reading() as reading:
                assert budgets.accounts(reading)["money"].held == pytest.approx(1.0)
            held.settle(10_000, 2_000)

    with virtual_board() as board:
        assert ran(board, body, budget=Budget(money=1.5), prices=PRICES).kind is OutcomeKind.CONVERGED
        with board.store.database.reading() as reading:
            account = budgets.accounts(reading)["money"]
    assert (account.spent, account.held) == (pytest.approx(0.04), 0)


def test_a_limit_of_money_ends_the_run():
    def body(context):
        with context.hold(100_000, model="m:1") as held:
            held.settle(1_000_000, 0)

    with virtual_board() as board:
        assert ran(board, body, budget=Budget(money=0.5), prices=PRICES).kind is OutcomeKind.BUDGET_EXHAUSTED


def test_where_money_is_limited_a_model_without_a_price_is_not_called():
    def body(context):
        for model in ("other:1", ""):
            with pytest.raises(InvalidTeam) as refused:
                context.hold(10, model=model)
            assert (model or "names none") in refused.value.what
        called.append(1)

    called = []
    with virtual_board() as board:
        ran(board, body, budget=Budget(money=1), prices=PRICES)
    assert called == [1]


def test_what_was_used_is_told_by_source_and_model():
    def body(context):
        recorded(context)
        recorded(context)
        recorded(context, model="free", usage=None)

    with virtual_board() as board:
        ran(board, body, prices=PRICES)
        with board.store.database.reading() as reading:
            found = [tuple(one) for one in calls.spent(reading)]
    assert found == [("cora", "free", 1, 0, 0, None, ""), ("cora", "m:1", 2, 2000, 400, pytest.approx(0.008), "")]
