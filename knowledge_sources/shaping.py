"""Ask a model for a reply in a given shape, also through wrappers.

A wrapper (`with_retry`, `with_fallbacks`, `bind`) is kept; the chat model inside it gets the shape. A runnable without
a chat model is asked for JSON in its text.
"""

from collections.abc import Mapping
from enum import StrEnum
from importlib import import_module
from typing import Any, TypeAlias

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable, RunnableParallel, RunnableSequence, RunnableWithFallbacks
from langchain_core.runnables.base import RunnableBindingBase

Model: TypeAlias = Runnable[Any, Any] | str
"""A chat model, any runnable that takes messages and returns a message, or a string such as `openai:gpt-5`."""

TOOL_NAME = "reply"


class Output(StrEnum):
    """The way in which a model is asked for a shape."""

    JSON_SCHEMA = "json_schema"
    TOOL = "tool"
    TEXT = "text"


def runnable_of(model: Model) -> Runnable[Any, Any]:
    """Return the model itself, or the one that a string such as `openai:gpt-5` names.

    Raises:
        ImportError: The string needs the extra `models`, or the provider's package.
        TypeError: The argument is neither.
    """
    if isinstance(model, Runnable):
        return model
    if not isinstance(model, str):
        raise TypeError(
            f"a model is a string or takes messages as a LangChain Runnable; {type(model).__name__} is neither"
        )
    try:
        init_chat_model = import_module("langchain.chat_models").init_chat_model
    except ImportError as error:
        raise ImportError(f"{error}: the model {model!r} needs it; pip install 'sharedspec[models]'") from error
    # The client does not retry: the board does, and shows it.
    named: BaseChatModel = init_chat_model(model, max_retries=0)
    return named


def chat_model_in(runnable: object) -> BaseChatModel | None:
    """Return the chat model inside some wrappers, the first one if there are several."""
    match runnable:
        case BaseChatModel():
            return runnable
        case RunnableWithFallbacks():
            return chat_model_in(runnable.runnable)
        case RunnableBindingBase():
            return chat_model_in(runnable.bound)
        case RunnableSequence():
            return next((found for step in runnable.steps if (found := chat_model_in(step))), None)
    return None


def name_of(model: Model, runnable: Runnable[Any, Any]) -> str:
    """Return a model's name as in a table of prices, `openai:gpt-5`, or the name of its class if it has none."""
    if isinstance(model, str):
        return model
    inner = chat_model_in(runnable)
    if inner is None:
        return runnable.get_name()
    said = inner._get_ls_params()  # noqa: SLF001 - what LangChain's own tracer calls a model
    name = said.get("ls_model_name")
    return f"{said.get('ls_provider', '')}:{name}" if name else type(inner).__name__


def default_output(model: Runnable[Any, Any], schema: Mapping[str, Any]) -> Output:
    """Return the best way in which a model can be asked for a schema."""
    inner = chat_model_in(model)
    if inner is None or isinstance(model, RunnableSequence):
        return Output.TEXT
    profile = inner.profile or {}
    if profile.get("structured_output") and _is_closed(schema):
        return Output.JSON_SCHEMA
    if type(inner).bind_tools is BaseChatModel.bind_tools or profile.get("tool_calling") is False:
        return Output.TEXT
    return Output.TOOL


def shaped(model: Runnable[Any, Any], output: Output, schema: dict[str, Any]) -> Runnable[Any, Any]:
    """Return a model that is asked for a shape in the given way, with its wrappers kept."""
    if output is Output.TEXT:
        return model
    if isinstance(model, RunnableWithFallbacks):
        others = [shaped(one, output, schema) for one in model.fallbacks]
        return model.model_copy(update={"runnable": shaped(model.runnable, output, schema), "fallbacks": others})
    if isinstance(model, RunnableBindingBase):
        return model.model_copy(update={"bound": shaped(model.bound, output, schema)})
    if not isinstance(model, BaseChatModel):
        raise TypeError(
            f"{model.get_name()} cannot be asked by {output.value}, since it is no chat model; use output='text'"
        )
    if output is Output.TOOL:
        about = {"name": TOOL_NAME, "description": "Give your reply.", "parameters": schema}
        return model.bind_tools([{"type": "function", "function": about}], tool_choice="any")
    structured = model.with_structured_output(schema, method="json_schema", include_raw=True)
    # Only the request is used, so that arguments bound by a wrapper reach the model; `messages` reads the replies.
    if isinstance(structured, RunnableSequence) and isinstance(structured.first, RunnableParallel):
        return structured.first.steps__["raw"]
    return structured


def _is_closed(schema: Any) -> bool:  # noqa: ANN401 - a JSON schema, read by its parts
    """Say whether every object in a JSON schema names all its members and every value has a type."""
    match schema:
        case {"$ref": _} | {"enum": _} | {"const": _}:
            return True
        case {"anyOf": [*choices]}:
            return all(_is_closed(choice) for choice in choices)
        case {"type": "object"}:
            parts = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values()]
            return schema.get("additionalProperties") is False and all(_is_closed(part) for part in parts)
        case {"type": "array"}:
            return _is_closed(schema.get("items"))
        case {"type": _}:
            return True
    return False
