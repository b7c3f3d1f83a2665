"""What models may answer: one shape for each act.

A contract that a reply states is read at once, so a model hears of its own syntax errors while it can still mend them.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from blackboard import Contract, Invalid, Transaction

Settles = Literal["propose", "decide"]
"""How a source brings in what it states: as a proposal for others, or by its own right."""


class Reply(BaseModel):
    """A shape; what a model says beyond it is an error that it is told about."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_serialization_defaults_required=True)


class Statement(Reply):
    """A text for a key: the reply to the acts `propose` and `mediate`."""

    language: str
    text: str
    rationale: str = ""

    @model_validator(mode="after")
    def _is_a_contract(self) -> Self:
        _read(lambda: self.contract)
        return self

    @property
    def contract(self) -> Contract:
        """The contract that the text states."""
        return Contract(self.language, self.text)

    @property
    def option(self) -> Any:  # noqa: ANN401 - any JSON
        """The contract as an option of a question: the value of a `value`, language and text of any other."""
        if self.language == "value":
            return json.loads(self.text)
        return {"language": self.language, "text": self.text}

    def bring_in(self, transaction: Transaction, key: str, settles: Settles) -> None:
        """Propose or decide the text for a key."""
        if settles == "decide":
            transaction.decide(key, self.contract, rationale=self.rationale)
        else:
            transaction.propose(key, self.contract, rationale=self.rationale)


class AskedQuestion(Reply):
    """A question that a plan asks."""

    key: str
    question: str
    options: tuple[Any, ...] = ()


class DecidedKey(Statement):
    """A decision that a plan brings in."""

    key: str


class PlannedTask(Reply):
    """A task that a plan states; its sides are as in a contract of language `task`."""

    name: str
    summary: str
    implements: Mapping[str, Sequence[str]] | Sequence[str] = ()
    uses: Mapping[str, Sequence[str]] | Sequence[str] = ()
    checks: Sequence[str] = ()
    files: Sequence[str] = ()
    command: Sequence[str] = ()
    probe: Sequence[str] = ()

    @model_validator(mode="after")
    def _is_a_task(self) -> Self:
        _read(lambda: self.contract)
        return self

    @property
    def contract(self) -> Contract:
        """The contract of the task."""
        return Contract.task(
            summary=self.summary,
            implements=self.implements,
            uses=self.uses,
            checks=self.checks,
            files=self.files,
            command=self.command,
            probe=self.probe,
        )


class Plan(Reply):
    """The reply to the act `plan`."""

    questions: tuple[AskedQuestion, ...] = ()
    decisions: tuple[DecidedKey, ...] = ()
    tasks: tuple[PlannedTask, ...] = ()


class Ballot(Reply):
    """The reply to the act `vote`."""

    approve: bool
    reason: str = ""


class Writing(Reply):
    """The reply to the act `write`: path -> the whole text of the file."""

    files: Mapping[str, str] = Field(min_length=1)


class Judgement(Reply):
    """The reply to the act `judge`."""

    passed: bool
    log: str = ""


def _read(contract: Callable[[], Contract]) -> None:
    try:
        contract()
    except Invalid as error:
        raise ValueError(str(error)) from error
