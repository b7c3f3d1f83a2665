"""So many steps that do nothing, in LangGraph with its async SQLite saver: `langgraph_steps.py PATH STEPS`.

Each step is a superstep whose checkpoint is durable before the next one begins, as an activation's end is. It runs in
an environment of its own, and prints the seconds that the run took.
"""

import asyncio
import sys
import time
from typing import TypedDict

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    """How far it is."""

    done: int


async def run(path: str, steps: int) -> float:
    """Return how long the steps take, in seconds."""

    async def step(state: State) -> State:
        return {"done": state["done"] + 1}

    graph = StateGraph(State)
    graph.add_node("step", step)
    graph.add_edge(START, "step")
    graph.add_conditional_edges("step", lambda state: "step" if state["done"] < steps else END)
    async with AsyncSqliteSaver.from_conn_string(path) as saver:
        await saver.setup()
        await saver.conn.execute("PRAGMA synchronous = FULL")
        compiled = graph.compile(checkpointer=saver)
        config = {"configurable": {"thread_id": "one"}, "recursion_limit": steps + 10}
        began = time.perf_counter()
        ended = await compiled.ainvoke({"done": 0}, config, durability="sync")
        taken = time.perf_counter() - began
    if ended["done"] != steps:
        raise RuntimeError(f"{ended['done']} of {steps} steps were done")
    return taken


if __name__ == "__main__":
    sys.stdout.write(f"{asyncio.run(run(sys.argv[1], int(sys.argv[2])))}\n")
