"""Calls in threads that never return: they hold up neither other sources nor the end of the process."""

import subprocess
import sys

import pytest

HUNG = 40
"""More than the threads that an event loop has by default."""

RUN = f"""
import asyncio, threading
from blackboard import Controller, Contract, Team, knowledge_source, on
from blackboard.choreography import Choreography, Role, may
from blackboard.testing import open_memory

def source(name, hangs):
    @knowledge_source(name=name, role="architect", on=on.accepted("prompt"), retries=0, timeout_seconds=0.5)
    async def run(context):
        if hangs:
            await asyncio.to_thread(threading.Event().wait)
        async with context.transaction() as transaction:
            transaction.decide("done", Contract.value(1))
    return run

free = Choreography("free", may(Role("architect", members={HUNG + 1}), "decide", "**"))
with open_memory() as board:
    hung = [source(f"a{{number}}", True) for number in range({HUNG})]
    outcome = Controller(board, Team("x", [*hung, source("z", False)], choreography=free)).run()
    print(outcome.kind, board.snapshot().decision("done") is not None)
"""


def test_threads_that_hang_delay_neither_the_outcome_nor_the_end_of_the_process():
    done = subprocess.run([sys.executable, "-c", RUN], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["stalled", "True"], done.stdout


EXITS = """
import asyncio, sys
from langchain_core.runnables import RunnableLambda
from blackboard import Controller, Contract, Team, knowledge_source, on
from blackboard.choreography import Choreography, Role, may
from blackboard.testing import open_memory
from knowledge_sources.model import Expert
from knowledge_sources.replies import Ballot

def exits(_):
    raise {error}

async def in_a_task():
    exits(None)

def source(name, *, by_model):
    @knowledge_source(name=name, role="architect", on=on.accepted("prompt"), retries=0)
    async def run(context):
        if by_model:
            await Expert(RunnableLambda(exits), Ballot, "vote", "board").aask([], context=context)
        elif name == "task":
            await asyncio.gather(in_a_task(), asyncio.sleep(0.1))
        await asyncio.sleep(0.2)
        async with context.transaction() as transaction:
            transaction.decide("done", Contract.value(1))
    return run

free = Choreography("free", may(Role("architect", members=3), "decide", "**"))
with open_memory() as board:
    sources = [source("task", by_model=False), source("model", by_model=True), source("other", by_model=False)]
    outcome = Controller(board, Team("x", sources, choreography=free)).run()
    said = " ".join(one.reason for one in outcome.obligations)
    print(outcome.kind, board.snapshot().decision("done") is not None, "{error}" in said, "it raised {error}" in said)
"""


@pytest.mark.parametrize("error", ["SystemExit", "KeyboardInterrupt"])
def test_what_exits_in_the_event_loop_ends_its_own_run_alone(error):
    command = [sys.executable, "-c", EXITS.format(error=error)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["stalled", "True", "True", "True"], done.stdout
