"""Reading of a model's message: its text, its tool calls, why it ended, and the requested JSON object."""

import json
import re
from typing import Any

import pydantic_core
from langchain_core.messages import AIMessage
from pydantic import ValidationError

from knowledge_sources.failures import CutOff, ModelRefused
from knowledge_sources.shaping import TOOL_NAME, Output

MAX_REPLY_CHARACTERS = 4_000_000
"""The longest reply that is read."""

_FENCED = re.compile(r"```(?:json)?\s*\n(.*)\n\s*```", re.DOTALL)
_CUT_OFF = frozenset({"length", "max_tokens", "max_output_tokens", "model_context_window_exceeded"})
_REFUSED = frozenset({"refusal", "content_filter", "safety", "prohibited_content", "blocklist", "spii"})
_SHOWN = 500


def message_of(output: Any) -> AIMessage:  # noqa: ANN401 - a runnable's output; structured ones wrap the message
    """Return the message in a model's result.

    Raises:
        TypeError: The result contains no message.
    """
    answer = output["raw"] if isinstance(output, dict) and "raw" in output else output
    if isinstance(answer, str):
        return AIMessage(answer)
    if not isinstance(answer, AIMessage):
        raise TypeError(f"a model answered with {type(answer).__name__}; it has to be an AIMessage or a text")
    return answer


def completed(error: BaseException) -> AIMessage | None:
    """Return the truncated reply inside an error of a client that raises it; None for other errors."""
    completion: Any = getattr(error, "completion", None)
    if type(error).__name__ != "LengthFinishReasonError" or completion is None:
        return None
    used = completion.usage
    usage = used and {
        "input_tokens": used.prompt_tokens,
        "output_tokens": used.completion_tokens,
        "total_tokens": used.total_tokens,
    }
    text = completion.choices[0].message.content or ""
    return AIMessage(text, usage_metadata=usage or None, response_metadata={"finish_reason": "length"})


def ended(answer: AIMessage) -> str:
    """Return why a reply ended, as `answered`, `refused` or `truncated`."""
    said = answer.response_metadata
    incomplete: Any = said.get("incomplete_details") or {}
    reasons = {said.get(name) for name in ("finish_reason", "stop_reason", "done_reason")} | {incomplete.get("reason")}
    lowered = {str(reason).lower() for reason in reasons}
    if _refusal(answer) or lowered & _REFUSED:
        return "refused"
    return "truncated" if lowered & _CUT_OFF else "answered"


def object_in(answer: AIMessage, output: Output) -> Any:  # noqa: ANN401 - JSON, before it is validated
    """Return the JSON of a reply.

    Raises:
        ModelRefused: The reply is a refusal.
        ValueError: The reply has no such JSON; the text tells the model what to change.
    """
    end = ended(answer)
    if end == "refused":
        raise ModelRefused(f"the model declined: {(_refusal(answer) or text_of(answer) or 'no reason given')[:_SHOWN]}")
    if end == "truncated":
        raise CutOff
    if output is Output.TOOL and (answer.tool_calls or answer.invalid_tool_calls):
        found = _called(answer)
    else:
        found = _parsed(_text_to_read(answer))
    # Parsers accept NaN and lone surrogates, which the board cannot store.
    json.dumps(found, allow_nan=False, ensure_ascii=False).encode()
    return found


def _called(answer: AIMessage) -> Any:  # noqa: ANN401 - as in `object_in`
    calls = [*answer.tool_calls, *answer.invalid_tool_calls]
    wrong = sorted({str(call["name"]) for call in calls} - {TOOL_NAME})
    if wrong:
        raise ValueError(f"there is no tool {wrong[0][:_SHOWN]!r}; call {TOOL_NAME!r}")
    first, *others = [args if isinstance(args := call["args"], dict) else _parsed(args or "") for call in calls]
    if any(other != first for other in others):
        raise ValueError(f"it calls {TOOL_NAME!r} {len(others) + 1} times; call it once")
    if len(str(first)) > MAX_REPLY_CHARACTERS:
        raise ValueError(f"it is longer than {MAX_REPLY_CHARACTERS:,} characters; reply with less text")
    return first


def _text_to_read(answer: AIMessage) -> str:
    text = text_of(answer)
    if len(text) > MAX_REPLY_CHARACTERS:
        raise ValueError(f"it has {len(text):,} characters, and at most {MAX_REPLY_CHARACTERS:,} are read")
    if not text.strip():
        raise ValueError("it calls a tool, and there are none" if answer.tool_calls else "it is empty")
    return text


def _parsed(text: str) -> Any:  # noqa: ANN401 - as in `object_in`
    try:
        return pydantic_core.from_json(_json_in(text), allow_inf_nan=False)
    except ValueError as error:
        raise ValueError(f"Invalid JSON: {error}") from error


def text_of(answer: AIMessage) -> str:
    """Return the text of a reply, joined from all its blocks."""
    if isinstance(answer.content, str):
        return answer.content
    parts = [part if isinstance(part, str) else part.get("text", "") for part in answer.content]
    return "".join(part for part in parts if isinstance(part, str))


def said_in(answer: AIMessage) -> str:
    """Return the content of a reply for people and for a repair: its text, and its tool calls with arguments.

    Lone surrogates, which no request can contain, are written as escapes.
    """
    calls = [f"{call['name']}({json.dumps(call['args'], ensure_ascii=False)})" for call in answer.tool_calls]
    bad = [f"{call.get('name')}({call.get('args')})" for call in answer.invalid_tool_calls]
    said = "\n".join(part for part in (text_of(answer), _refusal(answer), *calls, *bad) if part)
    return said.encode("utf-8", "backslashreplace").decode()


def why(error: Exception) -> str:
    """Return the text of an error about a reply, bounded, without the reply itself."""
    if not isinstance(error, ValidationError):
        return str(error)[: 4 * _SHOWN]
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'reply'}: {one['msg']}" for one in faults)[: 4 * _SHOWN]


def _refusal(answer: AIMessage) -> str:
    said = answer.additional_kwargs.get("refusal")
    if said:
        return str(said)
    blocks = answer.content if isinstance(answer.content, list) else []
    found = [block for block in blocks if isinstance(block, dict) and block.get("type") == "refusal"]
    return str(found[0].get("refusal") or "it gave no reason") if found else ""


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
