"""Ask a model for a reply in the shape of one pydantic model, and account for the call.

The request uses a JSON schema if the model's profile has that and the schema is closed (providers refuse open objects),
a tool call if the model has tools, else JSON in the text; a source's `output` overrides this. An unusable reply is sent
back once with the reason. Every call has a hold on the budget, is settled by the usage that the model reports, and is
recorded on the board.

Invariants: only the system message has instructions; only the other messages have text of the board. An activation
makes at most `MAX_CALLS` calls without a useful reply. A call ends at its time-out, unless the model is `async` and
blocks the event loop.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from importlib.resources import files
from typing import Any, Generic, TypeVar

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableConfig

from blackboard import Context, Invalid, Usage
from knowledge_sources.facts import Fact, in_order, render
from knowledge_sources.failures import (
    OWN,
    ModelFailed,
    ModelTimeout,
    UnusableReply,
    calls_left,
    explained,
    raise_unusable,
)
from knowledge_sources.messages import MAX_REPLY_CHARACTERS, completed, ended, message_of, object_in, said_in, why
from knowledge_sources.replies import Reply
from knowledge_sources.settings import ModelSettings
from knowledge_sources.shaping import Model, Output, default_output, name_of, runnable_of, shaped
from knowledge_sources.usage import Meter, lost, tokens, used

REPLY_TOKENS = 4_000
"""The tokens to hold for a reply, whose length is not known."""

CALL_SECONDS = 300.0
"""The time-out of one call, unless its source sets another."""

_SHOWN = 2_000
_ROLES = {"human": "user", "ai": "assistant"}

Answer = TypeVar("Answer", bound=Reply)


def instructions(*names: str) -> str:
    """Return the texts of `prompts/<name>.md`, joined."""
    folder = files("knowledge_sources") / "prompts"
    return "\n".join((folder / f"{name}.md").read_text(encoding="utf-8") for name in names)


class Expert(Generic[Answer]):
    """A model with the instructions for one act.

    Attributes:
        reply: The shape of its replies.
        output: The way in which it is asked for that shape.
        name: The model's name, as in a table of prices.
    """

    def __init__(self, model: Model, reply: type[Answer], *prompts: str, settings: ModelSettings | None = None) -> None:
        self._settings: ModelSettings = settings or {}
        self.reply = reply
        self._act = prompts[0]
        self._system = SystemMessage(instructions(*prompts))
        runnable, schema = runnable_of(model), reply.model_json_schema(mode="serialization")
        self.name = self._settings.get("model_name") or name_of(model, runnable)
        self.output = Output(self._settings.get("output") or default_output(runnable, schema))
        self._runnable = shaped(runnable, self.output, schema)

    async def aask(
        self, facts: Iterable[Fact], *, context: Context, accept: Callable[[Answer], object] | None = None
    ) -> Answer:
        """Return the model's reply to some facts.

        Args:
            facts: The facts of the prompt.
            context: The context of the run.
            accept: Examines a reply; the model gets the `ValueError` or `Invalid` that it raises, once.

        Raises:
            UnusableReply: Neither the reply nor its repair can be used, or the model declined.
            ModelFailed: There was no reply.
            RetryLater: The provider asks to wait.
            StopRun: The provider will not answer: it rejects the key, or has no such model.
            BudgetExhausted: The team's budget is too small for the call.
        """
        left = calls_left(context)
        messages: list[BaseMessage] = [self._system, HumanMessage(render(in_order(facts)))]
        answer = await self._call(messages, context)
        try:
            return self._read(answer, accept)
        except UnusableReply:
            raise
        except (ValueError, Invalid) as error:
            bad, said = error, said_in(answer)
        if left == 1:
            raise_unusable(bad, self._what, why(bad), said)
        messages.append(HumanMessage(_repair(said, bad)))
        try:
            answer = await self._call(messages, context)
            return self._read(answer, accept)
        except UnusableReply:
            raise
        except (ValueError, Invalid, ModelFailed) as error:
            raise_unusable(error, self._what, why(error), said_in(answer))

    @property
    def _what(self) -> str:
        return self.reply.__name__.lower()

    async def _call(self, messages: Sequence[BaseMessage], context: Context) -> AIMessage:
        sent, began = tokens(messages), time.monotonic()
        seconds, meter = self._settings.get("call_seconds", CALL_SECONDS), Meter(sent)
        async with context.hold(sent + REPLY_TOKENS, model=self.name) as held:
            try:
                asked = self._runnable.ainvoke(messages, self._config(context, meter))
                answer = message_of(await _within(asked, seconds))
            except (Exception, asyncio.CancelledError) as error:
                cut_off = completed(error)
                if cut_off is None:
                    own = isinstance(error, (*OWN, asyncio.CancelledError))
                    fault = error if own else explained(error, self.name)
                    usage = meter.total(lost(sent, error))
                    held.settle(usage.input_tokens, usage.output_tokens)
                    outcome = "timed out" if isinstance(fault, ModelTimeout) else type(fault).__name__
                    await self._keep(context, messages, str(fault), usage, began, outcome)
                    if fault is error:
                        raise
                    raise fault from error
                answer = cut_off
            usage = meter.total(used(sent, answer))
            held.settle(usage.input_tokens, usage.output_tokens)
            await self._keep(context, messages, said_in(answer)[:MAX_REPLY_CHARACTERS], usage, began, ended(answer))
        return answer

    async def _keep(
        self, context: Context, messages: Sequence[BaseMessage], reply: str, usage: Usage, began: float, outcome: str
    ) -> None:
        sent = [{"role": _ROLES.get(one.type, one.type), "content": str(one.content)} for one in messages]
        await asyncio.to_thread(
            context.record_call,
            model=self.name,
            messages=sent,
            reply=reply,
            usage=usage,
            seconds=time.monotonic() - began,
            outcome=outcome,
        )

    def _config(self, context: Context, meter: Meter) -> RunnableConfig:
        metadata: dict[str, Any] = {"source": context.source, "role": context.role, "target": context.target}
        return RunnableConfig(
            run_name=f"{self._act} {context.target}",
            tags=[self._act, *self._settings.get("tags", ())],
            metadata={**metadata, **self._settings.get("metadata", {})},
            callbacks=[meter, *self._settings.get("callbacks", ())],
        )

    def _read(self, answer: AIMessage, accept: Callable[[Answer], object] | None) -> Answer:
        reply = self.reply.model_validate(object_in(answer, self.output))
        if accept is not None:
            accept(reply)
        return reply


async def _within(reply: Coroutine[Any, Any, Any], seconds: float) -> object:
    """Wait this long for a reply, even if it ignores its cancellation."""
    task = asyncio.ensure_future(reply)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if not done:
        task.cancel()
        raise TimeoutError(f"no reply within {seconds:g} s; raise the source's `call_seconds` or use a faster model")
    try:
        return task.result()
    except (SystemExit, KeyboardInterrupt) as error:
        raise RuntimeError(f"it raised {type(error).__name__}") from error


def _repair(said: str, error: Exception) -> str:
    return (
        f"Your reply could not be used: {why(error)}.\nIt was:\n{said[:_SHOWN]}\n"
        "Reply again with one JSON object of the shape that was asked for, and with nothing else."
    )
