"""The chat model for tests: what it replies follows from the facts of its prompt."""

import asyncio

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from knowledge_sources import ScriptedChatModel
from knowledge_sources.facts import Fact, render

FACTS = [Fact("prompt", {"key": "prompt"}, "make an app"), Fact("you", {"act": "vote", "name": "ann"})]


def keys(facts):
    """Return the kinds of the facts that a model is shown."""
    return {"kinds": [fact.kind for fact in facts]}


def test_the_reply_is_a_function_of_the_facts_in_the_prompt():
    answer = ScriptedChatModel(answer=keys).invoke([SystemMessage("be brief"), HumanMessage(render(FACTS))])
    assert answer.text == '{"kinds": ["prompt", "you"]}'
    assert answer.usage_metadata["input_tokens"] > answer.usage_metadata["output_tokens"] == 3


def test_only_what_stands_in_a_human_message_is_a_fact():
    shown = render(FACTS)
    answer = ScriptedChatModel(answer=keys).invoke([SystemMessage(shown), AIMessage(shown), HumanMessage("go on")])
    assert answer.text == '{"kinds": []}'


def test_a_text_is_the_reply_itself():
    assert ScriptedChatModel(answer=lambda _: "no").invoke("may I?").text == "no"


def test_what_the_function_raises_is_the_call_s_failure():
    def fails(_):
        raise LookupError("nothing fits")

    with pytest.raises(LookupError, match="nothing fits"):
        asyncio.run(ScriptedChatModel(answer=fails).ainvoke("go"))
