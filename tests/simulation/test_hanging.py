"""Calls in threads that never return: they hold up neither other sources nor the end of the process."""

import subprocess
import sys

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
