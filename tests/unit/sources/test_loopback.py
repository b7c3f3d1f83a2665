"""The server that stands in for a provider answers as OpenAI's client expects it."""

import openai
import pytest
from langchain_core.exceptions import ModelTimeoutError
from loopback import HANG, RESET, Answer, Fault, Loopback, Raw

TOOL = {"type": "function", "function": {"name": "reply", "parameters": {"type": "object", "properties": {}}}}


def test_a_text_is_the_content_with_usage_that_is_counted():
    with Loopback(lambda asked: f"you said {asked.prompt}") as server:
        answer = server.model().invoke("hello")
    assert answer.content == "you said hello"
    assert answer.usage_metadata["total_tokens"] > 2
    assert server.asked[0].body["model"] == "loopback"


def test_an_object_is_a_tool_call_where_a_tool_is_offered_and_text_where_none_is():
    with Loopback(lambda _: {"approve": True}) as server:
        called = server.model().bind_tools([TOOL]).invoke("vote")
        said = server.model().invoke("vote")
    assert called.tool_calls[0]["args"] == {"approve": True}
    assert said.content == '{"approve": true}'


@pytest.mark.parametrize("answer", [Answer("word " * 100), Answer(None, calls=[("reply", {"a": 1})])])
def test_a_stream_says_the_same_as_one_response(answer):
    with Loopback(lambda _: answer) as server:
        whole = server.model().bind_tools([TOOL]).invoke("go")
        streamed = server.model(streaming=True, stream_usage=True).bind_tools([TOOL]).invoke("go")
    assert server.asked[1].streams
    assert (streamed.content, streamed.tool_calls) == (whole.content, whole.tool_calls)
    assert streamed.usage_metadata["total_tokens"] == whole.usage_metadata["total_tokens"]


def test_a_fault_is_an_http_error_with_its_headers():
    fault = Fault(429, "slow down", headers={"retry-after": "7"})
    with Loopback(lambda _: fault) as server, pytest.raises(openai.RateLimitError, match="slow down") as error:
        server.model().invoke("go")
    assert error.value.response.headers["retry-after"] == "7"


def test_a_refusal_comes_in_its_field():
    with Loopback(lambda _: Answer(None, refusal="no")) as server:
        assert server.model().invoke("go").additional_kwargs["refusal"] == "no"


def test_garbage_a_reset_and_silence_are_errors_of_the_client():
    said = iter([Raw(b"<html>"), RESET])
    with Loopback(lambda _: next(said)) as server:
        with pytest.raises(Exception, match=r".") as garbage:
            server.model().invoke("go")
        with pytest.raises(openai.APIConnectionError):
            server.model().invoke("go")
    assert not isinstance(garbage.value, AssertionError)
    with Loopback(lambda _: HANG) as server, pytest.raises(ModelTimeoutError):
        server.model(timeout=0.05).invoke("go")


def test_an_answer_function_that_fails_is_told_to_the_client():
    with Loopback(lambda _: 1 // 0) as server, pytest.raises(openai.InternalServerError, match="ZeroDivisionError"):
        server.model().invoke("go")
