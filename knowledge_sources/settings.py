"""What every source here takes besides its own arguments."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypedDict, cast

from langchain_core.callbacks import BaseCallbackHandler

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


class ModelSettings(Settings, total=False):
    """The same for a source with a model, and how that model is called.

    Attributes:
        output: How it is made to reply in the shape of its act; what it is known to have if absent.
        model_name: Its name in the operator's table of prices, where it cannot be told from the model.
        call_seconds: How long one call may take.
        tags, metadata, callbacks: Go to the model with each call, as LangChain's config has them.
    """

    output: Literal["json_schema", "tool", "text"]
    model_name: str
    call_seconds: float
    tags: Sequence[str]
    metadata: Mapping[str, Any]
    callbacks: Sequence[BaseCallbackHandler]


def of_source(settings: ModelSettings) -> Settings:
    """Return those of some settings that go to `knowledge_source`.

    Raises:
        TypeError: There is no setting of one of these names.
    """
    unknown = sorted(settings.keys() - Settings.__annotations__.keys() - ModelSettings.__annotations__.keys())
    if unknown:
        raise TypeError(f"a source has no setting {unknown[0]!r}; see `ModelSettings`")
    return cast("Settings", {name: given for name, given in settings.items() if name in Settings.__annotations__})
