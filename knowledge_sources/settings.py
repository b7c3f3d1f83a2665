"""What every source here takes besides its own arguments."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, TypedDict

from blackboard import Context, Trigger

Triggers: TypeAlias = Trigger | Sequence[Trigger]
"""What wakes a source: what `blackboard.on` returns, one or several."""


class Settings(TypedDict, total=False):
    """The arguments that go to `knowledge_source` as they are; see there."""

    rate: Callable[[Context], float | None] | None
    max_concurrency: int
    needs: Mapping[str, int] | None
    retries: int
    timeout_seconds: float | None
