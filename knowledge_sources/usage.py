"""The tokens of a model call: as the model reports them, else an estimate from prompt and reply.

A wrapper such as `with_retry`, or a graph, may call its model several times and returns only the last reply, so each
try is counted at the chat model. A failed call counts as sent, unless the provider cannot have read it.
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
"""The largest credible use of one call; a larger report is ignored."""


class Meter(BaseCallbackHandler):
    """Counts the tokens of every try of one call; one that did not end counts as sent."""

    run_inline = True  # too short for a thread

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
        """Return the tokens of all tries, or `otherwise` if no chat model was called."""
        every = [*self._used.values()] or [otherwise]
        return Usage(sum(one.input_tokens for one in every), sum(one.output_tokens for one in every))


def used(sent: int, answer: AIMessage) -> Usage:
    """Return the tokens of a reply; without a credible report they are estimated."""
    said: dict[str, Any] = {**(answer.usage_metadata or {})}
    if said.get("total_cost") == 0:  # LangChain's mark of a reply from its cache
        return Usage(0, 0)
    amounts = said.get("input_tokens", -1), said.get("output_tokens", -1)
    if any(amounts) and all(type(amount) is int and 0 <= amount <= _MOST_TOKENS for amount in amounts):
        return Usage(*amounts)
    return Usage(sent, len(said_in(answer)) // _CHARACTERS_PER_TOKEN + 1)


def lost(sent: int, error: BaseException) -> Usage:
    """Return the tokens of a call without a reply."""
    cut_off = completed(error)
    if cut_off is not None:
        return used(sent, cut_off)
    return Usage(sent if may_have_been_read(error) else 0, 0)


def tokens(messages: Sequence[BaseMessage]) -> int:
    """Estimate the tokens of some messages."""
    return sum(len(str(message.content)) for message in messages) // _CHARACTERS_PER_TOKEN + len(messages)
