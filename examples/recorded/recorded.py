"""A chat model that answers from a recording, and one that makes a recording.

A reply is found by the SHA-256 of everything that was sent: instructions, and what the board shows. So a prompt that
has changed since has no reply, and a recording cannot pretend to answer it.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr

from blackboard import StopRun


def digest(messages: Sequence[BaseMessage]) -> str:
    """Return the digest of a prompt."""
    return hashlib.sha256(json.dumps([[one.type, one.text] for one in messages]).encode()).hexdigest()


class Recorded(BaseChatModel):
    """Say what a model said to exactly the same prompt.

    Attributes:
        calls: The folder of the recording: one JSON file for each prompt, named by its digest.
        model: Who is asked what is not recorded, and whose reply is kept; None: nobody.
    """

    calls: Path
    model: BaseChatModel | None = None
    _asked: set[Path] = PrivateAttr(default_factory=set)

    @property
    def _llm_type(self) -> str:
        return "recorded"

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:  # noqa: ANN401 - not used
        path = self.calls / f"{digest(messages)[:16]}.json"
        self._asked.add(path)
        if not path.exists():
            if self.model is None:
                raise StopRun(
                    f"no reply to this prompt is recorded ({path.name}): what is sent has changed since; "
                    "record it anew with --model PROVIDER:NAME --option record=yes"
                )
            self._record(path, self.model.invoke(messages))
        call = json.loads(path.read_text("utf-8"))
        message = AIMessage(content=call["reply"], usage_metadata=UsageMetadata(**call["usage"]))
        return ChatResult(generations=[ChatGeneration(message=message)])

    def forget_others(self) -> None:
        """Remove the replies to prompts that were not asked so far: of an earlier recording."""
        for path in set(self.calls.glob("*.json")) - self._asked:
            path.unlink()

    def _record(self, path: Path, answer: AIMessage) -> None:
        named = answer.response_metadata.get("model_name", type(self.model).__name__)
        usage = answer.usage_metadata or UsageMetadata(input_tokens=0, output_tokens=0, total_tokens=0)
        call = {
            "model": named,
            "recorded": dt.datetime.now(dt.UTC).date().isoformat(),
            "reply": answer.text,
            "usage": {name: usage[name] for name in ("input_tokens", "output_tokens", "total_tokens")},
        }
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(call, indent=1, ensure_ascii=False) + "\n", "utf-8")
