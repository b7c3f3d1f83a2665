"""What the tests of the sources share: a model that answers by a function, and a desk in place of a lease."""

import asyncio
import inspect
import json

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr

from blackboard import Contract
from blackboard.spec.keys import matches
from knowledge_sources.facts import parse


class Answers(BaseChatModel):
    """A model that answers from the facts in its prompt, and keeps what it was shown."""

    answer: object
    meanwhile: object = None
    _shown: list = PrivateAttr(default_factory=list)
    _said: list = PrivateAttr(default_factory=list)

    @property
    def _llm_type(self):
        return "answers"

    @property
    def shown(self):
        """The facts of each prompt so far."""
        return self._shown

    @property
    def said(self):
        """The last message of each prompt so far."""
        return self._said

    def _generate(self, messages, *_, **__):
        self._said.append(messages[-1].content)
        facts = parse(messages[1].content)
        self._shown.append(facts)
        if self.meanwhile is not None:
            self.meanwhile()
        said = self.answer(facts) if callable(self.answer) else self.answer
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content=json.dumps(said)))])


class Free:
    """A hold on a budget without a limit."""

    def settle(self, *used):
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

    def __init__(self, board, source, target, *, previous=None, cause=0, kind="", checks=()):
        self.board, self.source, self.target, self.previous, self.cause = board, source, target, previous, cause
        self.kind, self.role, self.attempts, self.models, self.calls = kind, source.role, 1, [], []
        self.team_checks = checks
        self.prompt, self.cancelled, self.transactions, self.reports = "", False, [], []

    def transaction(self):
        opened = self.board.transaction(self.source.name, role=self.source.role)
        self.transactions.append(opened)
        return opened

    def hold(self, _tokens, *, model=""):
        self.models.append(model)
        return Free()

    @property
    def calls_made(self):
        return len(self.calls)

    def record_call(self, **call):
        self.calls.append(call)

    def checks(self, component=None):
        return tuple(one for one in self.team_checks if component is None or matches(one.on, component))

    def report(self, text):
        self.reports.append(text)


def run(board, source, target, **desk_settings):
    """Run a source once on a target and return its desk."""
    desk = Desk(board, source, target, **desk_settings)
    done = source.execute(desk)
    if inspect.iscoroutine(done):
        asyncio.run(done)
    return desk


def facets_shown(facts):
    """Return the (key, facet) pairs that a prompt shows as decided; all facets of a decision that is shown whole."""
    shown = set()
    for fact in facts:
        header = fact.header
        if fact.kind == "prompt":
            shown.add((header["key"], "text"))
        elif fact.kind == "task":
            shown |= {(header["key"], facet) for facet in Contract("task", fact.body).facets}
        elif fact.kind == "decision":
            named = header.get("facets") or Contract(header["language"], fact.body).facets
            shown |= {(header["key"], facet) for facet in named}
    return shown


def of_kind(facts, kind):
    """Return the facts of one kind."""
    return [fact for fact in facts if fact.kind == kind]
