"""Ask a chat model for a reply of one pydantic model, and settle what it cost.

How: by a JSON schema where the model's profile says that it has that and the schema is closed (providers refuse open
objects there), by a tool call where the model has tools, else as JSON in the text. A reply that cannot be read is sent
back once with the reason. Every call is held in the budget before it and settled after it from the usage that the
model reports.

Invariant: instructions stand in the system message alone; text from the board stands in the other message alone.
"""

import re
from collections.abc import Generator, Iterable, Mapping, Sequence
from enum import StrEnum
from importlib import import_module
from importlib.resources import files
from typing import Any, Generic, TypeVar

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import Runnable
from pydantic import ValidationError

from blackboard import Context
from knowledge_sources.facts import Fact, in_order, render
from knowledge_sources.replies import Reply

REPLY_TOKENS = 4_000
"""Held for a reply whose length nobody knows yet."""

_CHARACTERS_PER_TOKEN = 4
_FENCED = re.compile(r"```(?:json)?\s*\n(.*)\n\s*```", re.DOTALL)
_SHOWN = 2_000


class UnreadableReply(ValueError):
    """The model's reply is not what was asked for, and its repair is not either."""


Answer = TypeVar("Answer", bound=Reply)


class Way(StrEnum):
    """How a model is made to answer in a given shape."""

    SCHEMA = "schema"
    TOOL = "tool"
    TEXT = "text"


def chat_model(model: BaseChatModel | str) -> BaseChatModel:
    """Return the model itself, or the one that a string such as `openai:gpt-5` names.

    Raises:
        ImportError: The string needs the extra `models`, or the provider's package.
    """
    if isinstance(model, BaseChatModel):
        return model
    try:
        init_chat_model = import_module("langchain.chat_models").init_chat_model
    except ImportError as error:
        raise ImportError(f"{error}: the model {model!r} needs it; pip install 'sharedspec[models]'") from error
    named: BaseChatModel = init_chat_model(model)
    return named


def instructions(*names: str) -> str:
    """Return the texts of `prompts/<name>.md`, joined."""
    folder = files("knowledge_sources") / "prompts"
    return "\n".join((folder / f"{name}.md").read_text(encoding="utf-8") for name in names)


class Expert(Generic[Answer]):
    """A chat model with the instructions for one act.

    Attributes:
        reply: The shape of its answers.
        way: How it is made to answer in that shape.
    """

    def __init__(self, model: BaseChatModel | str, reply: type[Answer], *prompts: str) -> None:
        self.reply = reply
        self._model = chat_model(model)
        self._system = SystemMessage(instructions(*prompts))
        schema = reply.model_json_schema(mode="serialization")
        self.way = way_for(self._model, schema)
        self._runnable = _shaped(self._model, self.way, schema)

    def ask(self, facts: Iterable[Fact], *, context: Context) -> Answer:
        """Return the model's answer to some facts.

        Raises:
            UnreadableReply: Neither the reply nor its repair can be read.
            BudgetExhausted: The team has too few tokens left for the call.
        """
        talk = self._talk(facts)
        messages = next(talk)
        while True:
            with context.hold(_estimate(messages)) as held:
                answer = _raw(self._runnable.invoke(messages))
                held.settle(_used(messages, answer))
            try:
                messages = talk.send(answer)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]

    async def aask(self, facts: Iterable[Fact], *, context: Context) -> Answer:
        """Return the model's answer to some facts without blocking the event loop; see `ask`."""
        talk = self._talk(facts)
        messages = next(talk)
        while True:
            async with context.hold(_estimate(messages)) as held:
                answer = _raw(await self._runnable.ainvoke(messages))
                held.settle(_used(messages, answer))
            try:
                messages = talk.send(answer)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]

    def _talk(self, facts: Iterable[Fact]) -> Generator[list[BaseMessage], AIMessage, Answer]:
        """Yield the messages of each call, take its answer, return what the model meant."""
        messages: list[BaseMessage] = [self._system, HumanMessage(render(in_order(facts)))]
        answer = yield messages
        try:
            return self._read(answer)
        except ValueError as error:
            told = HumanMessage(_repair(_payload(answer), error))
        answer = yield [*messages, told]
        try:
            return self._read(answer)
        except ValueError as error:
            raise UnreadableReply(
                f"the model's reply is no {self.reply.__name__.lower()} even after one repair: {_reason(error)}; "
                f"it said {_payload(answer)[:_SHOWN]!r}: use a model that follows instructions better"
            ) from error

    def _read(self, answer: AIMessage) -> Answer:
        if self.way is Way.TOOL and answer.tool_calls:
            return self.reply.model_validate(answer.tool_calls[0]["args"])
        return self.reply.model_validate_json(_json_in(_text(answer)))


def way_for(model: BaseChatModel, schema: Mapping[str, Any]) -> Way:
    """Return how a model can be made to answer by a schema."""
    if (model.profile or {}).get("structured_output") and _is_closed(schema):
        return Way.SCHEMA
    if type(model).bind_tools is not BaseChatModel.bind_tools:
        return Way.TOOL
    return Way.TEXT


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


def _shaped(model: BaseChatModel, way: Way, schema: dict[str, Any]) -> Runnable[Any, Any]:
    match way:
        case Way.SCHEMA:
            return model.with_structured_output(schema, method="json_schema", include_raw=True)
        case Way.TOOL:
            about = {"name": "reply", "description": "Give your reply.", "parameters": schema}
            return model.bind_tools([{"type": "function", "function": about}], tool_choice="any")
        case Way.TEXT:
            return model


def _raw(output: Any) -> AIMessage:  # noqa: ANN401 - a runnable's output; structured ones wrap the message
    answer = output["raw"] if isinstance(output, dict) else output
    if not isinstance(answer, AIMessage):
        raise TypeError(f"a chat model answered with {type(answer).__name__}; it has to be an AIMessage")
    return answer


def _text(answer: AIMessage) -> str:
    if isinstance(answer.content, str):
        return answer.content
    parts = [part if isinstance(part, str) else part.get("text", "") for part in answer.content]
    return "".join(part for part in parts if isinstance(part, str))


def _payload(answer: AIMessage) -> str:
    return str(answer.tool_calls[0]["args"]) if answer.tool_calls else _text(answer)


def _json_in(text: str) -> str:
    """Return the JSON object in a text: all of it, what a fence encloses, or from the first brace to the last."""
    stripped = text.strip()
    if stripped.startswith("{"):
        return stripped
    fenced = _FENCED.search(text)
    if fenced:
        return fenced[1]
    begin, end = text.find("{"), text.rfind("}")
    return text[begin : end + 1] if 0 <= begin < end else text


def _reason(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    told = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'reply'}: {one['msg']}" for one in told)


def _repair(said: str, error: ValueError) -> str:
    return (
        f"Your reply could not be read: {_reason(error)}.\nIt was:\n{said[:_SHOWN]}\n"
        "Reply again with one JSON object of the shape that was asked for, and with nothing else."
    )


def _estimate(messages: Sequence[BaseMessage]) -> int:
    return _tokens(messages) + REPLY_TOKENS


def _used(messages: Sequence[BaseMessage], answer: AIMessage) -> int:
    usage = answer.usage_metadata
    # A model that reports no usage still costs something: better counted roughly than free.
    return usage["total_tokens"] if usage else _tokens([*messages, answer])


def _tokens(messages: Sequence[BaseMessage]) -> int:
    return sum(len(str(message.content)) for message in messages) // _CHARACTERS_PER_TOKEN + len(messages)
