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


class Edit(Reply):
    """A passage of a file, to be replaced: it is found once and exactly."""

    path: str
    search: str = Field(min_length=1)
    replace: str


class Writing(Reply):
    """The reply to the act `write`; a file that it does not name stays as it is.

    Attributes:
        files: Path -> the whole text of a file.
        edits: Changes of files that are there, made in order.
        delete: Paths of files that go.
    """

    files: Mapping[str, str] = Field(default_factory=dict)
    edits: tuple[Edit, ...] = ()
    delete: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _changes_each_file_in_one_way(self) -> Self:
        ways = [*self.files, *{edit.path for edit in self.edits}, *self.delete]
        if not ways:
            raise ValueError("it names no file; reply with the files of the component")
        twice = sorted(path for path in set(ways) if ways.count(path) > 1)
        if twice:
            raise ValueError(f"{twice[0]} is in two of `files`, `edits` and `delete`; change it in one way")
        return self

    def onto(self, current: Mapping[str, bytes]) -> dict[str, str | None]:
        """Return the files that change, path -> whole text, None for those that go.

        Raises:
            ValueError: It edits or deletes what is not there, or a passage is not found exactly once.
        """
        changed: dict[str, str | None] = dict(self.files)
        gone = sorted({*self.delete, *(edit.path for edit in self.edits)} - set(current))
        if gone:
            raise ValueError(f"{gone[0]} is no file of the component as it is; give new files whole, in `files`")
        for edit in self.edits:
            text = changed.get(edit.path)
            changed[edit.path] = _edited(current[edit.path].decode() if text is None else text, edit)
        return changed | dict.fromkeys(self.delete)


def _edited(text: str, edit: Edit) -> str:
    found = text.count(edit.search)
    if found != 1:
        raise ValueError(
            f"the search text {edit.search[:80]!r} of an edit is {found} times in {edit.path}, and must be once: copy "
            "more lines around it from the file as it is, or give the whole file in `files`"
        )
    return text.replace(edit.search, edit.replace)


class Judgement(Reply):
    """The reply to the act `judge`."""

    passed: bool
    log: str = ""


def _read(contract: Callable[[], Contract]) -> None:
    try:
        contract()
    except Invalid as error:
        raise ValueError(str(error)) from error
