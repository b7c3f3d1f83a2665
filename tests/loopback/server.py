"""The server: one thread for each request, one HTTP response, then the connection ends.

Invariant: nothing here waits for longer than the server is open. A delay ends with the server, so a test that leaves
its block never waits for a hanging reply.
"""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self, TypeAlias

if TYPE_CHECKING:
    from langchain_openai import ChatOpenAI

_CHARACTERS_PER_TOKEN = 4
_CHUNK = 64


class Silence(Enum):
    """Ways to give no answer."""

    HANG = "hang"
    RESET = "reset"


HANG = Silence.HANG
"""Read the request and say nothing until the server closes."""
RESET = Silence.RESET
"""Read the request and reset the connection."""


@dataclass(frozen=True)
class Answer:
    """A reply, with everything that a provider can say about it.

    Attributes:
        text: The content; None is null.
        calls: Tool calls: pairs of a name and the arguments, as an object or as the text that stands for it.
        refusal: What stands in the field `refusal`.
        finish: The finish reason; None: `tool_calls` where there are calls, else `stop`.
        usage: Input and output tokens; None: counted from the texts. () reports no usage.
        after_seconds: How long the server waits before it answers.
    """

    text: str | None = ""
    calls: Sequence[tuple[str, object]] = ()
    refusal: str | None = None
    finish: str | None = None
    usage: tuple[int, int] | tuple[()] | None = None
    after_seconds: float = 0.0


@dataclass(frozen=True)
class Fault:
    """An HTTP error in the form that OpenAI gives it."""

    status: int
    message: str = "it did not work"
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Raw:
    """Bytes in place of a response's body.

    Attributes:
        pause_seconds: How long the server waits before each byte; 0 sends all at once.
    """

    body: bytes
    status: int = 200
    type: str = "application/json"
    pause_seconds: float = 0.0


Said: TypeAlias = str | dict[str, Any] | list[Any] | Answer | Fault | Raw | Silence


@dataclass(frozen=True)
class Asked:
    """One request.

    Attributes:
        body: The request's JSON.
        headers: Its headers, names in lower case.
        number: How many came before it.
    """

    body: Mapping[str, Any]
    headers: Mapping[str, str]
    number: int

    @property
    def messages(self) -> list[tuple[str, str]]:
        """The role and the text of each message."""
        return [(one["role"], _text(one.get("content"))) for one in self.body["messages"]]

    @property
    def system(self) -> str:
        """The instructions."""
        return "\n".join(text for role, text in self.messages if role in ("system", "developer"))

    @property
    def prompt(self) -> str:
        """The last thing that was said to the model."""
        return self.messages[-1][1]

    @property
    def tools(self) -> list[str]:
        """Names of the tools that it may call."""
        return [tool["function"]["name"] for tool in self.body.get("tools", ())]

    @property
    def streams(self) -> bool:
        """Whether the answer is to come in parts."""
        return bool(self.body.get("stream"))


class Loopback:
    """The server while its block is open.

    Attributes:
        asked: The requests so far.
        reported: Input and output tokens of each answer that said what it used.
    """

    def __init__(self, answer: Callable[[Asked], Said]) -> None:
        self.asked: list[Asked] = []
        self.reported: list[tuple[int, int]] = []
        self._answer = answer
        self._closing = threading.Event()
        self._guard = threading.Lock()
        self._http = _Server(("127.0.0.1", 0), _Handler)
        self._http.loopback = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), name="loopback", daemon=True)

    @property
    def url(self) -> str:
        """The base of its addresses, as OpenAI's clients want it."""
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    def model(self, name: str = "loopback", **settings: Any) -> "ChatOpenAI":
        """Return a chat model of this server; it does not retry unless `max_retries` says so."""
        from langchain_openai import ChatOpenAI

        given = {"base_url": self.url, "api_key": "loopback", "max_retries": 0, **settings}
        return ChatOpenAI(model=name, **given)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def say(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> tuple[Asked, Said]:
        """Note a request and return what is to be done about it."""
        with self._guard:
            asked = Asked(body, headers, len(self.asked))
            self.asked.append(asked)
        try:
            return asked, self._answer(asked)
        except Exception as error:  # noqa: BLE001 - the test's function failed: the model's client hears of it
            return asked, Fault(500, f"the test's answer function raised {type(error).__name__}: {error}")

    def wait(self, seconds: float | None) -> None:
        """Wait so long, or until the server closes."""
        self._closing.wait(seconds)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    loopback: Loopback

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that hang up are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        """Answer one chat completion."""
        length = int(self.headers.get("content-length", 0))
        body = json.loads(self.rfile.read(length))
        asked, said = self.server.loopback.say(body, {name.lower(): text for name, text in self.headers.items()})
        match said:
            case Silence.HANG:
                self.server.loopback.wait(None)
            case Silence.RESET:
                # A lingering time of 0 makes the close a reset.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
            case Fault():
                error = {"message": said.message, "type": "error", "param": None, "code": said.code}
                self._respond(said.status, _json({"error": error}), headers=said.headers)
            case Raw():
                self._respond(said.status, said.body, media=said.type, pause_seconds=said.pause_seconds)
            case _:
                self._complete(asked, _shaped(said, asked))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
        """Log nothing."""

    def _complete(self, asked: Asked, answer: Answer) -> None:
        if answer.after_seconds:
            self.server.loopback.wait(answer.after_seconds)
        usage = _usage(asked, answer).get("usage")
        if usage and _says_usage(asked):
            self.server.loopback.reported.append((usage["prompt_tokens"], usage["completion_tokens"]))
        if not asked.streams:
            self._respond(200, _json(_completion(asked, answer)))
            return
        events = [*(_json(part) for part in _parts(asked, answer)), b"[DONE]"]
        self._respond(200, b"".join(b"data: %s\n\n" % event for event in events), media="text/event-stream")

    def _respond(
        self,
        status: int,
        body: bytes,
        *,
        media: str = "application/json",
        headers: Mapping[str, str] | None = None,
        pause_seconds: float = 0.0,
    ) -> None:
        self.send_response(status)
        for name, text in {"content-type": media, "content-length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, text)
        self.end_headers()
        if not pause_seconds:
            self.wfile.write(body)
            return
        for byte in body:
            self.server.loopback.wait(pause_seconds)
            self.wfile.write(bytes([byte]))


def _shaped(said: str | dict[str, Any] | list[Any] | Answer, asked: Asked) -> Answer:
    if isinstance(said, Answer):
        return said
    if isinstance(said, str):
        return Answer(said)
    return Answer(None, calls=[(asked.tools[0], said)]) if asked.tools else Answer(json.dumps(said))


def _completion(asked: Asked, answer: Answer) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer.text, "refusal": answer.refusal}
    if answer.calls:
        message["tool_calls"] = _calls(answer)
    choice = {"index": 0, "message": message, "finish_reason": _finish(answer), "logprobs": None}
    return {**_head(asked, "chat.completion"), "choices": [choice], **_usage(asked, answer)}


def _parts(asked: Asked, answer: Answer) -> Iterator[dict[str, Any]]:
    head = _head(asked, "chat.completion.chunk")

    def part(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    yield part({"role": "assistant", "content": "", **({"refusal": answer.refusal} if answer.refusal else {})})
    text = answer.text or ""
    for begin in range(0, len(text), _CHUNK):
        yield part({"content": text[begin : begin + _CHUNK]})
    for index, call in enumerate(_calls(answer)):
        yield part({"tool_calls": [{**call, "index": index}]})
    yield part({}, _finish(answer))
    if _says_usage(asked):
        yield {**head, "choices": [], **_usage(asked, answer)}


def _head(asked: Asked, kind: str) -> dict[str, Any]:
    return {"id": f"reply-{asked.number}", "object": kind, "created": 0, "model": asked.body.get("model", "")}


def _calls(answer: Answer) -> list[dict[str, Any]]:
    return [
        {
            "id": f"call-{index}",
            "type": "function",
            "function": {"name": name, "arguments": given if isinstance(given, str) else json.dumps(given)},
        }
        for index, (name, given) in enumerate(answer.calls)
    ]


def _finish(answer: Answer) -> str:
    return answer.finish or ("tool_calls" if answer.calls else "stop")


def _usage(asked: Asked, answer: Answer) -> dict[str, Any]:
    if answer.usage == ():
        return {}
    if answer.usage:
        spent, made = answer.usage
    else:
        spent = sum(len(text) for _, text in asked.messages) // _CHARACTERS_PER_TOKEN + 1
        made = len(answer.text or "".join(str(given) for _, given in answer.calls)) // _CHARACTERS_PER_TOKEN + 1
    return {"usage": {"prompt_tokens": spent, "completion_tokens": made, "total_tokens": spent + made}}


def _says_usage(asked: Asked) -> bool:
    return not asked.streams or bool((asked.body.get("stream_options") or {}).get("include_usage"))


def _text(content: object) -> str:
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _json(given: object) -> bytes:
    return json.dumps(given).encode()
