"""The settings of every source of this package."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypedDict, cast

from langchain_core.callbacks import BaseCallbackHandler

from blackboard import Context, Trigger

Triggers: TypeAlias = Trigger | Sequence[Trigger]
"""One trigger of `blackboard.on`, or several."""


class Settings(TypedDict, total=False):
    """The arguments that are passed to `knowledge_source`; see there."""

    rate: Callable[[Context], float | None] | None
    max_concurrency: int
    needs: Mapping[str, int] | None
    retries: int
    timeout_seconds: float | None


class ModelSettings(Settings, total=False):
    """The settings of a source with a model, and of the model's calls.

    Attributes:
        output: The way in which the model is asked for the shape of a reply; by default one that its profile has.
        model_name: Its name in the operator's table of prices, if the model does not have it.
        call_seconds: The time-out of one call.
        tags, metadata, callbacks: Passed to the model with each call, as in LangChain's config.
    """

    output: Literal["json_schema", "tool", "text"]
    model_name: str
    call_seconds: float
    tags: Sequence[str]
    metadata: Mapping[str, Any]
    callbacks: Sequence[BaseCallbackHandler]


def of_source(settings: ModelSettings) -> Settings:
    """Return the settings for `knowledge_source`.

    Raises:
        TypeError: There is no setting of one of these names.
    """
    unknown = sorted(settings.keys() - Settings.__annotations__.keys() - ModelSettings.__annotations__.keys())
    if unknown:
        raise TypeError(f"a source has no setting {unknown[0]!r}; see `ModelSettings`")
    return cast("Settings", {name: given for name, given in settings.items() if name in Settings.__annotations__})
