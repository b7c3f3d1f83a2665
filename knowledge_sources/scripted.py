"""A chat model for tests of a team: its reply is a function of the facts in its prompt."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult

from knowledge_sources.facts import Fact, parse


class ScriptedChatModel(BaseChatModel):
    """A model without a provider, which costs nothing and counts words as tokens.

    Attributes:
        answer: The facts of a prompt -> the reply: an object, or the text itself. An error that it raises is a failed
            call.
    """

    answer: Callable[[Sequence[Fact]], Mapping[str, Any] | str]

    @property
    def _llm_type(self) -> str:
        return "scripted"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        return {"model_name": "scripted"}

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - the base class's signature
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **_: Any,  # noqa: ANN401
    ) -> ChatResult:
        # Only human messages have text of the board; the blocks in instructions are examples.
        facts = [fact for one in messages if isinstance(one, HumanMessage) for fact in parse(one.text)]
        said = self.answer(facts)
        content = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
        asked, used = sum(len(one.text.split()) for one in messages), len(content.split())
        usage = UsageMetadata(input_tokens=asked, output_tokens=used, total_tokens=asked + used)
        message = AIMessage(content=content, usage_metadata=usage, response_metadata={"model_name": "scripted"})
        return ChatResult(generations=[ChatGeneration(message=message)])
