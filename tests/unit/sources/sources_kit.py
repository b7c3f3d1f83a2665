"""What the tests of the sources share: a model that answers by a function, and a desk in place of a lease."""

import asyncio
import inspect
import json

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr

from knowledge_sources.facts import parse


class Answers(BaseChatModel):
    """A model that answers from the facts in its prompt, and keeps what it was shown."""

    answer: object
    meanwhile: object = None
    _shown: list = PrivateAttr(default_factory=list)

    @property
    def _llm_type(self):
        return "answers"

    @property
    def shown(self):
        """The facts of each prompt so far."""
        return self._shown

    def _generate(self, messages, *_, **__):
        facts = parse(messages[1].content)
        self._shown.append(facts)
        if self.meanwhile is not None:
            self.meanwhile()
        said = self.answer(facts) if callable(self.answer) else self.answer
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content=json.dumps(said)))])


class Free:
    """A hold on a budget without a limit."""

    def settle(self, used):
        """Take note of nothing."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        return None


class Desk:
    """Stands for the lease that a controller would give to a source."""

    def __init__(self, board, source, target, *, previous=None, cause=0, kind=""):
        self.board, self.source, self.target, self.previous, self.cause = board, source, target, previous, cause
        self.kind = kind
        self.prompt, self.cancelled, self.transactions, self.reports = "", False, [], []

    def transaction(self):
        opened = self.board.transaction(self.source.name, role=self.source.role)
        self.transactions.append(opened)
        return opened

    def hold(self, _tokens):
        return Free()

    def report(self, text):
        self.reports.append(text)


def run(board, source, target, *, previous=None, cause=0, kind=""):
    """Run a source once on a target and return its desk."""
    desk = Desk(board, source, target, previous=previous, cause=cause, kind=kind)
    done = source.execute(desk)
    if inspect.iscoroutine(done):
        asyncio.run(done)
    return desk


def facets_shown(facts):
    """Return the (key, facet) pairs that a prompt shows as decided."""
    return {(fact.header["key"], fact.header["facet"]) for fact in facts if fact.kind in ("decision", "task")}


def of_kind(facts, kind):
    """Return the facts of one kind."""
    return [fact for fact in facts if fact.kind == kind]
