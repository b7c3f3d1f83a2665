"""A chat model that somebody answers by hand: each prompt becomes a file, and the reply is read from another one.

Invariant: `NNN.prompt.md` holds every message of the prompt word for word and nothing else, so whoever reads it alone
knows as much as a model would.

Three files belong to one call:

    NNN.prompt.md      the prompt, complete as soon as the file exists
    NNN.reply.json     the reply, to be written by the reader
    NNN.questions.md   what the reader had to guess or would have asked, where there is something
"""

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr

POLL_SECONDS = 0.1
_CHARACTERS_PER_TOKEN = 4


class FileChatModel(BaseChatModel):
    """Write each prompt into a folder and wait there for its reply.

    A prompt that is in the folder already has the reply that is there: a run that was interrupted goes on, and nobody
    answers the same prompt twice.

    Attributes:
        folder: Where the files are.
        announces: Whether to print each prompt that waits for its reply.
        reader: Who answers, as the name of the model.
    """

    folder: Path
    announces: bool = False
    reader: str = "a reader"
    _taken: dict[int, str] = PrivateAttr(default_factory=dict)
    _lock: Any = PrivateAttr(default_factory=threading.Lock)

    @property
    def _llm_type(self) -> str:
        return "file"

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        reply = self._put(messages)
        before = None
        while (text := _read(reply, before)) is None:
            before = _size(reply)
            time.sleep(POLL_SECONDS)
        return _result(messages, text, self.reader)

    async def _agenerate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        reply = self._put(messages)
        before = None
        while (text := _read(reply, before)) is None:
            before = _size(reply)
            await asyncio.sleep(POLL_SECONDS)
        return _result(messages, text, self.reader)

    def _put(self, messages: list[BaseMessage]) -> Path:
        """Write a prompt unless it is there, and return the path of its reply."""
        text = prompt_text(messages)
        with self._lock:
            self.folder.mkdir(parents=True, exist_ok=True)
            known = sorted(self.folder.glob("*.prompt.md"))
            path = next((one for one in known if one.read_text("utf-8") == text), None)
            if path is None:
                path = self.folder / f"{len(known) + 1:03d}.prompt.md"
                draft = path.with_suffix(".part")
                draft.write_text(text, "utf-8")
                draft.rename(path)
        reply = reply_path(path)
        if self.announces and not reply.exists():
            print(f"waits for {reply}", flush=True)  # noqa: T201 - for the person at the terminal
        return reply


def prompt_text(messages: list[BaseMessage]) -> str:
    """Return the messages of a prompt as one text."""
    return "\n".join(f"===== {message.type} message =====\n\n{message.content}\n" for message in messages)


def reply_path(prompt: Path) -> Path:
    """Return where the reply to a prompt is expected."""
    return prompt.with_name(prompt.name.replace(".prompt.md", ".reply.json"))


def questions_path(prompt: Path) -> Path:
    """Return where a reader writes what a prompt left open."""
    return prompt.with_name(prompt.name.replace(".prompt.md", ".questions.md"))


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.exists() else None


def _read(path: Path, before: int | None) -> str | None:
    """Return a reply that did not grow since the last look, None where there is none yet."""
    size = _size(path)
    return path.read_text("utf-8") if size and size == before else None


def _result(messages: list[BaseMessage], text: str, reader: str) -> ChatResult:
    asked = len(prompt_text(messages)) // _CHARACTERS_PER_TOKEN
    said = len(text) // _CHARACTERS_PER_TOKEN
    usage = UsageMetadata(input_tokens=asked, output_tokens=said, total_tokens=asked + said)
    message = AIMessage(content=text, usage_metadata=usage, response_metadata={"model_name": reader})
    return ChatResult(generations=[ChatGeneration(message=message)])
