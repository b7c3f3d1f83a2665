"""How often a model is asked for one activation, whatever becomes of its replies."""

import asyncio
import json

import pytest
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda

from blackboard import Contract, Controller, Team
from blackboard.choreography import Choreography, Role, may
from blackboard.testing import open_memory
from knowledge_sources import coder

FREE = Choreography("free", may(Role("coder"), "write", "**"))
LOCKED = Choreography("locked", may(Role("coder"), "ask", "**"))
GOOD = json.dumps({"files": {"shop.py": "def find(text: str) -> int:\n    return len(text)\n"}})


class Hangs:
    """A model that never answers."""

    async def __call__(self, _):
        await asyncio.Event().wait()


def run(reply, *, choreography=FREE, retries=5, **settings):
    """Run a coder whose model always replies the same; return how often it was asked, and the outcome."""
    asked = []

    async def answer(messages):
        asked.append(messages)
        if isinstance(reply, Exception):
            raise reply
        return AIMessage(content=await reply(messages) if callable(reply) else reply)

    with open_memory() as board:
        with board.transaction("olga", role="operator") as transaction:
            transaction.decide("api/shop", Contract.python("def find(text: str) -> int: ..."))
            transaction.decide("task/shop", Contract.task(summary="x", implements={"api/shop": []}, files=["shop.py"]))
        model = RunnableLambda(answer)
        team = Team("x", [coder("cora", model, retries=retries, **settings)], choreography=choreography)
        outcome = Controller(board, team).run()
    return len(asked), outcome


@pytest.mark.parametrize(
    ("reply", "calls", "said"),
    [
        ("no JSON", 2, "UnreadableReply"),
        ("", 2, "UnreadableReply"),
        ('{"files": {"shop.py": "def find(', 2, "UnreadableReply"),
        ('{"files": {"../shop.py": ""}}', 2, "UnreadableReply"),
        (ConnectionError("reset"), 3, "CallsExhausted"),
    ],
)
def test_a_model_whose_replies_cannot_be_used_is_asked_three_times_at_most(reply, calls, said):
    asked, outcome = run(reply)
    assert asked == calls
    assert outcome.kind == "stalled"
    assert any(said in one.reason for one in outcome.obligations), outcome.obligations


def test_a_run_that_ends_at_its_own_time_out_has_made_its_call():
    asked, outcome = run(Hangs(), timeout_seconds=0.2)
    assert asked == 3
    assert any("CallsExhausted" in one.reason for one in outcome.obligations), outcome.obligations


def test_what_the_choreography_never_permits_is_written_once():
    asked, outcome = run(GOOD, choreography=LOCKED)
    assert asked == 1
    assert any("NotPermitted" in one.reason for one in outcome.obligations), outcome.obligations


def test_a_good_reply_is_asked_for_once():
    asked, outcome = run(GOOD)
    assert asked == 1
    assert outcome.kind == "converged", outcome.obligations
