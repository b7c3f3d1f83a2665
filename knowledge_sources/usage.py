"""What a call of a model used: what the model reports, else what was sent and came back, counted roughly.

A wrapper such as `with_retry` and a graph ask their models several times and return the last reply alone, so each try
is counted where the chat model is asked. A call that failed counts as sent unless its provider cannot have read it.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import LLMResult

from blackboard import Usage
from knowledge_sources.failures import may_have_been_read
from knowledge_sources.messages import completed, said_in

_CHARACTERS_PER_TOKEN = 4
_MOST_TOKENS = 10**9
"""No call uses more; a report that says so is taken for none."""


class Meter(BaseCallbackHandler):
    """Counts what every try of one call used; one that did not end counts as sent."""

    run_inline = True  # no thread for so little

    def __init__(self, sent: int) -> None:
        self._sent = sent
        self._used: dict[UUID, Usage] = {}

    def on_chat_model_start(self, *_: object, run_id: UUID, **__: object) -> None:
        """Count a try as sent."""
        self._used[run_id] = Usage(self._sent, 0)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **_: object) -> None:
        """Count a reply."""
        for first in response.generations[0][:1]:
            message = getattr(first, "message", None)
            self._used[run_id] = used(self._sent, message if isinstance(message, AIMessage) else AIMessage(first.text))

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **_: object) -> None:
        """Count a try that failed."""
        self._used[run_id] = lost(self._sent, error)

    def total(self, otherwise: Usage) -> Usage:
        """Return what all tries used, or what is known otherwise where no chat model was asked."""
        every = [*self._used.values()] or [otherwise]
        return Usage(sum(one.input_tokens for one in every), sum(one.output_tokens for one in every))


def used(sent: int, answer: AIMessage) -> Usage:
    """Return what a reply used; a model that reports nothing, or nonsense, still costs something."""
    said: dict[str, Any] = {**(answer.usage_metadata or {})}
    if said.get("total_cost") == 0:  # LangChain's mark of a reply from its cache
        return Usage(0, 0)
    amounts = said.get("input_tokens", -1), said.get("output_tokens", -1)
    if any(amounts) and all(type(amount) is int and 0 <= amount <= _MOST_TOKENS for amount in amounts):
        return Usage(*amounts)
    return Usage(sent, len(said_in(answer)) // _CHARACTERS_PER_TOKEN + 1)


def lost(sent: int, error: BaseException) -> Usage:
    """Return what a call without a reply used."""
    cut_off = completed(error)
    if cut_off is not None:
        return used(sent, cut_off)
    return Usage(sent if may_have_been_read(error) else 0, 0)


def tokens(messages: Sequence[BaseMessage]) -> int:
    """Return roughly how many tokens some messages are."""
    return sum(len(str(message.content)) for message in messages) // _CHARACTERS_PER_TOKEN + len(messages)
