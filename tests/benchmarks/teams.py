"""Boards with a team on them, as the cases about work need them."""

from collections.abc import Iterable
from pathlib import Path

from blackboard import Blackboard, Contract, Source, Team
from blackboard.choreography import Choreography, Role, may

CODER = "coder"


def open_team(*sources: Source) -> Team:
    """Return a team whose coders may do everything."""
    coder = Role(CODER, reliable=True)
    protocol = Choreography("open", may(coder, "write", "**"), may(coder, "decide", "**"), may(coder, "ask", "**"))
    return Team("make it", sources, choreography=protocol)


def decide(board: Blackboard, author: str, values: Iterable[tuple[str, object]]) -> None:
    """Read and decide some keys in one commit."""
    with board.transaction(author, role="operator") as transaction:
        for key, value in values:
            transaction.decision(key)
            transaction.decide(key, Contract.value(value))


def build_on(board: Blackboard, author: str, key: str, names: list[str], *, at_once: int = 500) -> None:
    """Write components that are built against one facet of a decision."""
    for first in range(0, len(names), at_once):
        with board.transaction(author) as transaction:
            transaction.decision(key, facets=["limit"])
            for name in names[first : first + at_once]:
                transaction.write(name, {"part.py": "x"})


def checkpoint(path: Path) -> None:
    """Let a closed board stand in its file alone, so that the file can be copied."""
    beside = [path.with_name(path.name + end) for end in ("-wal", "-shm")]
    if any(one.exists() for one in beside):
        raise RuntimeError(f"{path} is still open: {', '.join(one.name for one in beside if one.exists())}")
