"""Every unhappy reply ends as its case states, in few calls, and costs what it used."""

import json

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from loopback import HANG

from knowledge_sources.failures import MAX_CALLS

from .cases import CASES, GOOD, Case
from .play import PRICES, Played, play


def prompt_tokens(played: Played) -> int:
    """Return how many tokens the first prompt is said to be."""
    messages = json.loads(played.kept[0]["prompt_text"])
    return sum(len(one["content"]) for one in messages) // 4 + len(messages)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_unhappy_reply_ends_as_stated(case):
    played = play(case)
    assert (played.error, played.outcome == "converged") == (case.error, not case.error), played.why
    assert case.calls in (None, played.calls), [one["outcome"] for one in played.kept]
    assert sum(one["outcome"] != "RetryLater" for one in played.kept) <= MAX_CALLS
    assert played.waited >= case.waits
    assert all(case.arrives.items() <= asked.body.items() for asked in played.asked)

    plausible = [one for one in played.reported if type(one[0]) is int and 0 < one[0] <= 10**9]
    assert played.input_tokens == sum(one for one, _ in plausible) + case.sent * prompt_tokens(played)
    assert played.output_tokens >= sum(one for _, one in plausible)
    assert played.tokens == played.input_tokens + played.output_tokens
    price = PRICES["*"]
    money = (played.input_tokens * price["input"] + played.output_tokens * price["output"]) / 1_000_000
    assert played.money == pytest.approx(money)


def test_a_run_that_hangs_is_no_case_that_ended():
    played = play(Case("a hang", [HANG], by_clock=True), guard_seconds=0.5)
    assert (played.outcome, played.error) == ("aborted", "")


class Notes(BaseCallbackHandler):
    """Notes what it is told of the calls."""

    def __init__(self):
        self.begun, self.ended = [], 0

    def on_chat_model_start(self, *_, name, tags, metadata, **__):
        self.begun.append((name, tags, metadata))

    def on_llm_end(self, *_, **__):
        self.ended += 1


def test_callbacks_tags_and_the_name_of_the_run_arrive_at_a_handler():
    notes = Notes()
    settings = {"callbacks": [notes], "tags": ["night"], "metadata": {"ticket": 7}}
    play(Case("callbacks", [GOOD], settings=settings))
    [(name, tags, metadata)] = notes.begun
    assert notes.ended == 1
    assert (name, {"write", "night"} <= {*tags}) == ("write shop", True)
    assert {"source": "cora", "role": "coder", "target": "shop", "ticket": 7}.items() <= metadata.items()
