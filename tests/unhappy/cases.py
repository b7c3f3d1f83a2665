"""The table: what a model's server says, and how the run has to end."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from threading import Event
from typing import Any

from langchain_core.caches import InMemoryCache
from langchain_core.rate_limiters import InMemoryRateLimiter
from langchain_core.runnables import Runnable, RunnableLambda
from loopback import HANG, RESET, Answer, Fault, Loopback, Raw, Said

USED = (120, 30)
"""What the server says that a reply used."""

Model = Callable[[Loopback], Runnable[Any, Any]]


@dataclass(frozen=True)
class Case:
    """A model that misbehaves, and what has to come of it.

    Attributes:
        said: The server's replies in order; the last one is said for ever.
        error: The name of the error that the outcome has to show, "" where the run has to converge.
        calls: How many calls the board has to keep, None where that depends on the clock.
        model: Made from the server.
        sent: How many prompts the board has to book besides what the server reports, since nothing is known of their
            calls.
        waits: How many seconds the run has to wait, at least, by the board's clock.
        by_clock: Whether that clock is real; else such waits take no time.
        rounds: How many boards are played one after the other with one model; the last one counts.
        settings: Of the coder.
        budget: Of the team, besides one of tokens and money that is never spent.
        arrives: What has to stand in each request.
    """

    name: str
    said: Sequence[Said]
    error: str = ""
    calls: int | None = 2
    model: Model = Loopback.model
    sent: int = 0
    waits: float = 0.0
    by_clock: bool = False
    rounds: int = 1
    settings: Mapping[str, Any] = field(default_factory=dict)
    budget: Mapping[str, float] = field(default_factory=dict)
    arrives: Mapping[str, object] = field(default_factory=dict)


CODE = "def find(text: str) -> int:\n    '''Return how long the text is.'''\n    return len(text)\n"
BLOCKED = Event()
"""Never set: who waits for it blocks its thread for ever."""


def reply(given: object, **more: Any) -> Answer:
    """Return a tool call with some arguments: an object, or the text that stands for it."""
    return Answer(None, calls=[("reply", given)], **{"usage": USED, **more})


def text(said: str | None, **more: Any) -> Answer:
    """Return a reply in text."""
    return Answer(said, **{"usage": USED, **more})


def file(content: str, path: str = "shop.py", **more: Any) -> Answer:
    """Return a reply that writes one file."""
    return reply({"files": {path: content}}, **more)


def busy(status: int, **headers: str) -> Fault:
    """Return a provider that asks to wait."""
    return Fault(status, "too much", headers={name.replace("_", "-"): said for name, said in headers.items()})


def text_of_date(seconds: float) -> str:
    """Return the date in so many seconds, as headers write it."""
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


def nobody(_: Loopback) -> Runnable[Any, Any]:
    """Return a model of a server that is not there any more."""
    with Loopback(lambda _: "") as gone:
        return gone.model()


def blocked(_: Loopback) -> Runnable[Any, Any]:
    """Return a model without `async` that never returns."""
    return RunnableLambda(lambda _: BLOCKED.wait())


def retrying(server: Loopback) -> Runnable[Any, Any]:
    """Return a model that asks again by itself, at once."""
    return server.model().with_retry(wait_exponential_jitter=False)


def asking_twice(server: Loopback) -> Runnable[Any, Any]:
    """Return a chain that returns the second of two replies."""
    model = server.model()

    async def ask(messages: object) -> object:
        await model.ainvoke(messages)
        return await model.ainvoke(messages)

    return RunnableLambda(ask)


def in_turns(server: Loopback) -> Runnable[Any, Any]:
    """Return a model with a limit of its own."""
    limiter = InMemoryRateLimiter(requests_per_second=50, check_every_n_seconds=0.01, max_bucket_size=1)
    return server.model(rate_limiter=limiter)


GOOD = file(CODE)
WRITING = json.dumps({"files": {"shop.py": CODE}})
DEEP = '{"files": ' + "[" * 200_000

_TEXTS = (
    Case("a refusal in its field", [text(None, refusal="I cannot help with that.")], "ModelRefused", 1),
    Case("a refusal in prose", [text("I'm sorry, but I can't help with that.")], "UnreadableReply"),
    Case("cut off once", [reply('{"files": {"shop.py": "def fi', finish="length"), GOOD]),
    Case("cut off twice", [reply('{"files": {"shop.py": "def fi', finish="length")], "ReplyTruncated"),
    Case("a content filter", [text("", finish="content_filter")], "ModelRefused", 1),
    Case("garbled text", [text("\u00e2\u20ac\u2122\ufffd\ufffd {]} \u202e 0x")], "UnreadableReply"),
    Case("an empty reply", [text("")], "UnreadableReply"),
    Case("null content", [text(None)], "UnreadableReply"),
    Case("null content, then good", [text(None), GOOD]),
    Case("arguments that are no JSON", [reply("{files: shop.py}")], "UnreadableReply"),
    Case("a tool that is not there", [Answer(None, calls=[("write_file", {"path": "shop.py"})], usage=USED), GOOD]),
    Case("a tool loop", [Answer(None, calls=[("search", {"query": "find"})], usage=USED)], "UnreadableReply"),
    Case("two different calls", [Answer(None, calls=[("reply", {"files": {}}), ("reply", {})], usage=USED), GOOD]),
    Case(
        "the same call twice",
        [Answer(None, calls=[("reply", {"files": {"shop.py": CODE}})] * 2, usage=USED)],
        calls=1,
    ),
    Case("JSON inside prose", [text(f"Here it is: {WRITING} Good luck!")], calls=1),
    Case("JSON in a fence", [text(f"Sure!\n```json\n{WRITING}\n```\n")], calls=1),
    Case("JSON of another shape", [reply({"shop.py": CODE})], "UnreadableReply"),
    Case("JSON that is no object", [text("[1, 2, 3]")], "UnreadableReply"),
    Case("German prose", [text("Gerne! Die Funktion soll einfach die Länge zurückgeben."), GOOD]),
    Case("JavaScript in a Python file", [file("export function find(text) { return text.length; }\n"), GOOD]),
    Case("half a file", [file('def find(text: str) -> int:\n    return len("te')], "UnreadableReply"),
    Case("a stub with an ellipsis", [file("def find(text: str) -> int:\n    ...\n")], "UnreadableReply"),
    Case("a stub that raises", [file("def find(text: str) -> int:\n    raise NotImplementedError\n"), GOOD]),
    Case("a stub with a TODO", [file("def find(text: str) -> int:\n    # TODO: implement\n    return 0\n"), GOOD]),
    Case("a path out of the folder", [file(CODE, "../shop.py")], "UnreadableReply"),
    Case("an absolute path", [file(CODE, "/etc/shop.py"), GOOD]),
    Case("a path into a repository", [file("[core]\nfsmonitor = ./shop.sh\n", "sub/.Git/config"), GOOD]),
    Case("a path with NUL", [file(CODE, "shop\0.py"), GOOD]),
    Case("NUL in a file", [file(CODE + "\0")], "UnreadableReply"),
    Case("a lone surrogate", [reply('{"files": {"shop.py": "a = \'\\ud800\'"}}'), GOOD]),
    Case("50 MB of text", [text("word " * 10_000_000), GOOD]),
    Case("12 MB in a call", [file("a = 1\n" * 2_000_000), GOOD]),
    Case("deep JSON in text", [text(DEEP)], "UnreadableReply"),
    Case("deep JSON in a call", [reply(DEEP)], "UnreadableReply"),
)

_SHORT = {"call_seconds": 0.5, "retries": 0}

_FAULTS = (
    Case("401", [Fault(401, "invalid key")], "StopRun", 1),
    Case("402", [Fault(402, "pay first")], "StopRun", 1),
    Case("403", [Fault(403, "not allowed")], "StopRun", 1),
    Case("404", [Fault(404, "no such model")], "StopRun", 1),
    Case("429 without quota", [Fault(429, "quota", code="insufficient_quota")], "StopRun", 1),
    Case("400, too long", [Fault(400, "too many tokens", code="context_length_exceeded")], "RequestRejected", 1),
    Case("429 with seconds", [busy(429, retry_after="7"), GOOD], waits=7),
    Case("429 with milliseconds", [busy(429, retry_after_ms="8500"), GOOD], waits=8.5),
    Case("429 with a date", [busy(429, retry_after=text_of_date(3000)), GOOD], waits=1000),
    Case("429 with nonsense", [busy(429, retry_after="soon"), GOOD], waits=15),
    Case(
        "429 for ever",
        [busy(429, retry_after_ms="1")],
        "BudgetExhausted",
        None,
        by_clock=True,
        budget={"seconds": 0.02},
    ),
    Case("503, then good", [busy(503), GOOD], waits=15),
    Case("500", [Fault(500)], "CallsExhausted", 3, waits=0.75),
    Case("500, then good", [Fault(500), GOOD], waits=0.25),
    Case("a reset connection", [RESET], "CallsExhausted", 3, sent=3),
    Case("a reset, then good", [RESET, GOOD], sent=1),
    Case("a refused connection", [GOOD], "CallsExhausted", 3, model=nobody),
    Case("HTML with status 200", [Raw(b"<html>login</html>", type="text/html")], "CallsExhausted", 3, sent=3),
    Case("a body that is no JSON", [Raw(b'{"id": "1", "choi')], "CallsExhausted", 3, sent=3),
    Case("a body of other JSON", [Raw(b'{"choices": []}')], "CallsExhausted", 3, sent=3),
    Case("a hang", [HANG], "ModelTimeout", 1, sent=1, by_clock=True, settings=_SHORT),
    Case(
        "a hang, until the run's time is up",
        [HANG],
        "TimeoutError",
        1,
        sent=1,
        by_clock=True,
        settings={"timeout_seconds": 0.5, "retries": 0},
    ),
    Case(
        "a slow trickle",
        [Raw(b" " * 1000, pause_seconds=0.1)],
        "ModelTimeout",
        1,
        sent=1,
        by_clock=True,
        settings=_SHORT,
    ),
    Case("a model that blocks its thread", [], "ModelTimeout", 1, blocked, 1, by_clock=True, settings=_SHORT),
    Case("no usage", [file(CODE, usage=())], calls=1, sent=1),
    Case("negative usage", [file(CODE, usage=(-500, -10))], calls=1, sent=1),
    Case("usage of zero", [file(CODE, usage=(0, 0))], calls=1, sent=1),
    Case("usage in halves", [file(CODE, usage=(120.5, 30.5))], calls=1, sent=1),
    Case("enormous usage", [file(CODE, usage=(10**30, 7))], calls=1, sent=1),
)

_STREAM = {"streaming": True, "stream_usage": True}
_HEAD = b'{"object": "chat.completion.chunk", "model": "loopback", "choices": [{"index": 0, "delta": '
_BROKEN = Raw(b'data: %s{"content": "{\\"files\\": "}}]}\n\n' % _HEAD, type="text/event-stream")

_SCHEMA = {"output": "json_schema"}

_MODELS = (
    Case("a schema and a refusal", [text(None, refusal="no")], "ModelRefused", 1, settings=_SCHEMA),
    Case(
        "a schema and a filter",
        [text("", finish="content_filter", usage=())],
        "ModelRefused",
        1,
        sent=1,
        settings=_SCHEMA,
    ),
    Case("a schema, cut off twice", [text('{"files": {', finish="length")], "ReplyTruncated", settings=_SCHEMA),
    Case("with_retry", [Fault(500), GOOD], calls=1, model=retrying),
    Case("with_retry and a reset", [RESET, GOOD], calls=1, model=retrying, sent=1),
    Case(
        "with_fallbacks",
        [Fault(401), GOOD],
        calls=1,
        model=lambda server: server.model("first").with_fallbacks([server.model("second")]),
    ),
    Case("bind", [GOOD], calls=1, model=lambda server: server.model().bind(seed=7), arrives={"seed": 7}),
    Case("a model that says a number", [], "CallsExhausted", 3, lambda _: RunnableLambda(lambda _: 7), sent=3),
    Case("a chain that asks twice", [text("hm"), text(WRITING)], calls=1, model=asking_twice),
    Case("a stream", [GOOD], calls=1, model=lambda server: server.model(**_STREAM)),
    Case("a stream without usage", [GOOD], calls=1, sent=1, model=lambda server: server.model(streaming=True)),
    Case("a stream that breaks off", [_BROKEN, GOOD], sent=1, model=lambda server: server.model(**_STREAM)),
    Case("a rate limiter", [text("hm"), GOOD], model=in_turns),
    Case("a cache", [GOOD], calls=1, rounds=2, model=lambda server: server.model(cache=InMemoryCache())),
)

CASES = (*_TEXTS, *_FAULTS, *_MODELS)
