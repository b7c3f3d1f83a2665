"""A chat model that answers from a script, for runs that need no model and come out the same every time.

Invariant: an answer is a pure function of the facts that stand in the prompt (`facts.parse`) and of the script, which
never changes. There is no counter, no order and no access to a board: what was not shown cannot be answered from.

A script is a folder with `experts.toml` and `texts/`:

    [experts.NAME]                        # who the prompt's fact `you` names
    role = "coder"
    latency_seconds = [0.2, 0.6]          # bounds; where between them, a hash of prompt and seed says
    assumes = { "KEY#FACET" = JSON }      # what it takes for granted where a text consults what was not shown
    prefers = { "KEY" = JSON }            # in votes and proposals; a list is an order of preference
    because = { "KEY" = "sentence" }      # the rationale of its proposals and votes

    [[reply]]                             # the first entry that fits the situation answers
    who = "*"                             # patterns: `*` is one segment, `**` any number of them
    role = "*"
    act = "write"
    target = "**"
    when = [{ kind = "log", passed = false, contains = "refused" }]     # each holds for a fact that is shown
    unless = [{ kind = "file", component = "a" }]                       # none holds for any fact that is shown
    texts = ["a.py"]                      # or { "a.py" = "draft_of_a.py" }: path -> file of texts/
    supposes = { "KEY#FACET" = JSON }     # what it goes by in this situation, whatever was decided

In a condition `kind` is the fact's kind, `contains` a part of its body, `value` its body read as JSON, and any other
name a member of its header. Instead of `texts` an entry has `answer`, a table, or `json`, a text that holds one.

Texts are selected by facts: lines `#: when KEY FACET == JSON`, `#: else` and `#: end` keep or drop what is between
them, and `#{KEY FACET}` stands for a value (`selector`). A facet's value is what the entry supposes, else what the
prompt shows as decided, else what the expert assumes.

Without an entry that fits, three acts follow from preferences: `propose` names the first one that was not rejected,
`vote` approves exactly that one, `mediate` names the first one whatever was rejected. Anything else is `NoReply`.
"""

import asyncio
import hashlib
import json
import time
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NoReturn

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from blackboard import BlackboardError, Contract, Invalid, InvalidTeam
from knowledge_sources.facts import Fact, parse
from knowledge_sources.selector import canonical, consults, select


class NoReply(BlackboardError):
    """The script has no answer to what the prompt asks, so its source fails instead of inventing one."""

    def __init__(self, expert: str, act: str, target: str, *, shown: Sequence[str], why: str) -> None:
        self.expert, self.act, self.target, self.shown, self.why = expert, act, target, tuple(shown), why
        super().__init__(
            f"the script has no reply of {expert} to {act} {target}: {why}; "
            f"shown: {', '.join(shown) or 'nothing'}; add a [[reply]] that fits"
        )


class Expert(BaseModel):
    """One expert of a script: what it takes for granted, what it prefers, how long it thinks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: str
    latency_seconds: tuple[float, float] = (0.0, 0.0)
    assumes: Mapping[str, Any] = {}
    prefers: Mapping[str, Any] = {}
    because: Mapping[str, str] = {}

    def preferences(self, key: str) -> list[Any]:
        """Return what it would like a key to be, best first; empty where it does not care."""
        if key not in self.prefers:
            return []
        preferred = self.prefers[key]
        return list(preferred) if isinstance(preferred, list) else [preferred]


class Reply(BaseModel):
    """One entry of a script: the situations that it fits, and the answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    who: str = "*"
    role: str = "*"
    act: str
    target: str = "**"
    when: tuple[Mapping[str, Any], ...] = ()
    unless: tuple[Mapping[str, Any], ...] = ()
    answer: Mapping[str, Any] | None = None
    json_text: str | None = Field(default=None, alias="json")
    texts: Mapping[str, str] | None = None
    supposes: Mapping[str, Any] = {}

    @model_validator(mode="before")
    @classmethod
    def _name_texts(cls, entry: Any) -> Any:  # noqa: ANN401 - what TOML holds here is not known yet
        if isinstance(entry, dict) and isinstance(entry.get("texts"), list):
            return {**entry, "texts": {path: path for path in entry["texts"]}}
        return entry

    @model_validator(mode="after")
    def _answer_once(self) -> "Reply":
        if sum(given is not None for given in (self.answer, self.json_text, self.texts)) != 1:
            raise ValueError("an entry has one of `answer`, `json` and `texts`")
        if self.json_text is not None and not isinstance(json.loads(self.json_text), dict):
            raise ValueError("`json` holds an object")
        return self

    def fits(self, situation: "Situation") -> bool:
        """Say whether this entry answers in a situation."""
        return (
            self.act == situation.act
            and matches(self.who, situation.name)
            and matches(self.role, situation.role)
            and matches(self.target, situation.target)
            and all(any(_holds(condition, fact) for fact in situation.facts) for condition in self.when)
            and not any(_holds(condition, fact) for condition in self.unless for fact in situation.facts)
        )


@dataclass(frozen=True, slots=True)
class Situation:
    """What a prompt shows: who is asked, for which act on which target, and the facts."""

    name: str
    role: str
    act: str
    target: str
    facts: tuple[Fact, ...]

    @classmethod
    def read(cls, facts: Iterable[Fact]) -> "Situation":
        """Read a situation from the facts of a prompt.

        Raises:
            Invalid: No fact `you` says who is asked.
        """
        shown = tuple(facts)
        you = next((fact.header for fact in shown if fact.kind == "you"), None)
        if you is None:
            raise Invalid("the prompt has no fact `you`; render one that names the expert, its role, act and target")
        name, role, act, target = (str(you.get(member, "")) for member in ("name", "role", "act", "target"))
        return cls(name, role, act, target, shown)

    def about_target(self, kind: str) -> list[Fact]:
        """Return the facts of a kind whose key is the target, oldest version first."""
        found = [fact for fact in self.facts if fact.kind == kind and fact.header.get("key") == self.target]
        return sorted(found, key=lambda fact: int(fact.header.get("version", 0)))

    def refuse(self, why: str) -> NoReturn:
        """Raise the error that names this situation.

        Raises:
            NoReply: Always.
        """
        raise NoReply(self.name, self.act, self.target, shown=[_label(fact) for fact in self.facts], why=why)


class Script(BaseModel):
    """What all experts of a team would say, and the texts that they write."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    experts: Mapping[str, Expert]
    replies: tuple[Reply, ...] = Field(default=(), alias="reply")
    texts: Mapping[str, str] = {}

    @model_validator(mode="after")
    def _texts_are_there(self) -> "Script":
        for reply in self.replies:
            for name in (reply.texts or {}).values():
                if name not in self.texts:
                    raise ValueError(f"the reply to {reply.act} {reply.target} names the text {name!r}: there is none")
        for name, text in self.texts.items():
            consults(text, name=name)
        return self

    def answer(self, facts: Iterable[Fact]) -> Mapping[str, Any]:
        """Return what the expert named by the fact `you` says to these facts.

        Raises:
            NoReply: Nothing in the script fits, or a text consults what is neither shown nor assumed.
            Invalid: The facts name nobody.
        """
        situation = Situation.read(facts)
        expert = self.experts.get(situation.name)
        if expert is None:
            situation.refuse("no such expert")
        for reply in self.replies:
            if reply.fits(situation):
                return self._say(reply, expert, situation)
        match situation.act:
            case "vote":
                return _vote(expert, situation)
            case "propose":
                return _name(expert, situation, _left(expert, situation))
            case "mediate":
                return _name(expert, situation, expert.preferences(situation.target))
        return situation.refuse("no entry fits")

    def _say(self, reply: Reply, expert: Expert, situation: Situation) -> Mapping[str, Any]:
        if reply.answer is not None:
            return reply.answer
        if reply.json_text is not None:
            said: Mapping[str, Any] = json.loads(reply.json_text)
            return said
        decided = {
            f"{fact.header.get('key')}#{facet}": value
            for fact in situation.facts
            if fact.kind == "decision"
            for facet, value in facet_values(fact).items()
        }

        def value_of(key: str, facet: str) -> Any:  # noqa: ANN401 - a facet's value is any JSON
            name = f"{key}#{facet}"
            for known in (reply.supposes, decided, expert.assumes):
                if name in known:
                    return known[name]
            return situation.refuse(f"{name} is neither shown nor assumed")

        texts = (reply.texts or {}).items()
        return {"files": {path: select(self.texts[name], value_of, name=name) for path, name in texts}}


def read_script(folder: Path | str) -> Script:
    """Read `experts.toml` and everything under `texts/`.

    Raises:
        InvalidTeam: Something is missing or not well formed; the error names it.
    """
    folder = Path(folder)
    texts = folder / "texts"
    try:
        tables = tomllib.loads((folder / "experts.toml").read_text("utf-8"))
        contents = {
            path.relative_to(texts).as_posix(): path.read_text("utf-8") for path in texts.rglob("*") if path.is_file()
        }
        return Script.model_validate({**tables, "texts": contents})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise InvalidTeam(
            f"the script in {folder.name} cannot be read: {error}", "mend the file that is named"
        ) from None


def matches(pattern: str, text: str) -> bool:
    """Say whether a text of segments is one that a pattern names (`*` one segment or a part of it, `**` any number)."""
    return _match(pattern.split("/"), text.split("/"))


def _match(pattern: list[str], segments: list[str]) -> bool:
    if not pattern:
        return not segments
    if pattern[0] == "**":
        return any(_match(pattern[1:], segments[start:]) for start in range(len(segments) + 1))
    return bool(segments) and fnmatchcase(segments[0], pattern[0]) and _match(pattern[1:], segments[1:])


def _holds(condition: Mapping[str, Any], fact: Fact) -> bool:
    for name, wanted in condition.items():
        if name == "contains":
            if str(wanted) not in fact.body:
                return False
            continue
        found = fact.kind if name == "kind" else _read(fact.body) if name == "value" else fact.header.get(name)
        if canonical(found) != canonical(wanted):
            return False
    return True


def _vote(expert: Expert, situation: Situation) -> Mapping[str, Any]:
    proposals = situation.about_target("proposal")
    if not proposals:
        situation.refuse("no proposal of it is shown")
    if not expert.preferences(situation.target):
        situation.refuse(f"{situation.name} has no preference")
    left = _left(expert, situation)
    approve = bool(left) and canonical(left[0]) == canonical(_proposed(proposals[-1]))
    better = f"{canonical(left[0])} is better" if left else "nothing is left that I would accept"
    reason = expert.because.get(situation.target, "it is what I would choose" if approve else better)
    return {"approve": approve, "reason": reason}


def _name(expert: Expert, situation: Situation, choices: Sequence[Any]) -> Mapping[str, Any]:
    if not choices:
        situation.refuse(f"{situation.name} prefers nothing that is still possible")
    rationale = expert.because.get(situation.target, f"{situation.name} prefers it")
    return {"language": "value", "text": canonical(choices[0]), "rationale": rationale}


def _left(expert: Expert, situation: Situation) -> list[Any]:
    """Return what an expert prefers and may still choose: an option of the question, and not rejected."""
    rejected = {canonical(_proposed(fact)) for fact in situation.about_target("rejected")}
    options: set[str] = set()
    for fact in situation.about_target("question"):
        for option in fact.header.get("options", ()):
            # An option may stand as a value or as the JSON text of one.
            options.update({canonical(option), canonical(_read(option) if isinstance(option, str) else option)})
    return [
        choice
        for choice in expert.preferences(situation.target)
        if canonical(choice) not in rejected and (not options or canonical(choice) in options)
    ]


def _proposed(fact: Fact) -> Any:  # noqa: ANN401 - any JSON
    return _read(fact.body) if fact.header.get("language") == "value" else fact.body


def facet_values(fact: Fact) -> Mapping[str, Any]:
    """Return the facets that a block of a decision declares: name -> value."""
    language, named = str(fact.header.get("language", "value")), fact.header.get("facets", ())
    lines = [line.partition(": ") for line in fact.body.splitlines()]
    # Of a contract that is shown in part each line holds one facet.
    if language == "value" and lines and all(name in named for name, _, _ in lines):
        return {name: _read(value) for name, _, value in lines}
    return Contract(language, fact.body).facets


def _read(text: str) -> Any:  # noqa: ANN401 - any JSON
    """Read a JSON text; a text that is none stands for itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _label(fact: Fact) -> str:
    about = [str(fact.header[name]) for name in ("key", "component", "check", "path") if name in fact.header]
    return " ".join([fact.kind, *about])


class ScriptedChatModel(BaseChatModel):
    """Answer every prompt from a script, after the latency that a hash of the prompt and the seed draws."""

    script: Script
    seed: int = 0
    latency_seconds: tuple[float, float] | None = None
    """Bounds for every expert; None: each expert's own."""

    @property
    def _llm_type(self) -> str:
        return "scripted"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        return {"model_name": "scripted", "seed": self.seed}

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - the base class's signature
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **_: Any,  # noqa: ANN401
    ) -> ChatResult:
        result, seconds = self._think(messages)
        time.sleep(seconds)
        return result

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - the base class's signature
        run_manager: AsyncCallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **_: Any,  # noqa: ANN401
    ) -> ChatResult:
        result, seconds = self._think(messages)
        await asyncio.sleep(seconds)
        return result

    def _think(self, messages: Sequence[BaseMessage]) -> tuple[ChatResult, float]:
        texts = [_text(message) for message in messages]
        shown = zip(messages, texts, strict=True)
        facts = [fact for message, text in shown if isinstance(message, HumanMessage) for fact in parse(text)]
        content = json.dumps(self.script.answer(facts), ensure_ascii=False)
        prompt = "\n".join(texts)
        asked, said = len(prompt.split()), len(content.split())
        usage = UsageMetadata(input_tokens=asked, output_tokens=said, total_tokens=asked + said)
        message = AIMessage(content=content, usage_metadata=usage, response_metadata={"model_name": "scripted"})
        return ChatResult(generations=[ChatGeneration(message=message)]), self._latency(prompt, facts)

    def _latency(self, prompt: str, facts: Sequence[Fact]) -> float:
        own = self.script.experts[Situation.read(facts).name].latency_seconds
        low, high = own if self.latency_seconds is None else self.latency_seconds
        drawn = hashlib.sha256(f"{self.seed}\n{prompt}".encode()).digest()[:8]
        return low + (high - low) * int.from_bytes(drawn) / 2**64


def _text(message: BaseMessage) -> str:
    if isinstance(message.content, str):
        return message.content
    return "".join(part if isinstance(part, str) else str(part.get("text", "")) for part in message.content)
