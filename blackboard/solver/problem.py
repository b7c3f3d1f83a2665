"""The solver's input from a board: constraints, decisions, and open questions with their options."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from blackboard.contracts.constraint import LANGUAGE, PREFIX
from blackboard.contracts.language import Contract
from blackboard.contracts.lookup import expression_of, finder
from blackboard.snapshot import Decision, Question
from blackboard.spec.canonical import canonical_json
from blackboard.spec.expressions import (
    Expression,
    Found,
    Lookup,
    Reference,
    Undecided,
    Wrong,
    keys_of,
    references,
    shown,
)


class Reads(Protocol):
    """A snapshot or a transaction, as far as the solver reads it."""

    def decision(self, key: str) -> Decision | None:
        """Return the accepted version of a key."""

    def decisions(self, pattern: str = "**") -> tuple[Decision, ...]:
        """Return the accepted versions under a pattern."""

    def questions(self, pattern: str = "**") -> tuple[Question, ...]:
        """Return the open questions under a pattern."""


@dataclass(frozen=True)
class Problem:
    """The constraints, and the questions that they depend on.

    Attributes:
        constraints: Key -> an accepted constraint.
        decided: Key -> the accepted decision, for keys that the constraints name.
        questions: Key -> the open question with options, for such keys without an accepted version.
    """

    constraints: Mapping[str, Decision]
    decided: Mapping[str, Decision]
    questions: Mapping[str, Question]

    @cached_property
    def expressions(self) -> Mapping[str, Expression]:
        """Key of a constraint -> its expression."""
        return {key: expression_of(one.contract) for key, one in self.constraints.items()}

    @cached_property
    def options(self) -> Mapping[str, tuple[Contract, ...]]:
        """Key of a question -> its options as decisions, without repeated values."""
        return {
            key: tuple(
                Contract.value(option) for option in {canonical_json(one): one for one in asked.options}.values()
            )
            for key, asked in self.questions.items()
        }

    def said(self, key: str) -> str:
        """Return the text of a constraint, decision or question."""
        if key in self.constraints:
            return f"{key}: {' '.join(self.constraints[key].contract.text.split())}"
        if key in self.questions:
            offered = " or ".join(shown(one.body) for one in self.options[key])  # type: ignore[arg-type]
            return f"{key} is asked for: {offered}"
        one, lookup = self.decided[key], finder({key: self.decided[key].contract}.get)
        named = dict.fromkeys(
            name for said in self.expressions.values() for name in references(said) if name.key == key
        )
        values = [(name, value) for name in named if not isinstance(value := lookup(name), Undecided | Wrong)]
        said = ", ".join(f"{name} is {shown(value)}" for name, value in values) or key
        return f"{said} ({key} {one.version} by {one.author})"


def read(board: Reads) -> Problem:
    """Read the problem from a board."""
    constraints = {one.key: one for one in board.decisions(f"{PREFIX}**") if one.contract.language == LANGUAGE}
    named = {key for one in constraints.values() for key in keys_of(expression_of(one.contract))}
    asked = {one.key: one for one in board.questions() if one.options}
    decisions = {key: board.decision(key) for key in sorted(named | asked.keys())}
    decided = {key: one for key, one in decisions.items() if one is not None}
    return Problem(constraints, decided, {key: one for key, one in asked.items() if key not in decided})


def looked_up(problem: Problem, chosen: Mapping[str, Contract], free: Mapping[Reference, Found]) -> Lookup:
    """Return the look-up of values under the chosen answers and free values."""
    decided: Callable[[str], Contract | None] = {
        **{key: one.contract for key, one in problem.decided.items()},
        **chosen,
    }.get
    lookup = finder(decided)
    return lambda reference: free[reference] if reference in free else lookup(reference)
