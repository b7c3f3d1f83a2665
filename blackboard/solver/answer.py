"""Calls of z3, and its result in terms of the board."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from blackboard.solver.problem import Problem, Reads, looked_up, read
from blackboard.spec import arguments
from blackboard.spec.canonical import JSON
from blackboard.spec.expressions import Wrong, judge, keys_of

if TYPE_CHECKING:
    from blackboard.solver.encoding import Encoding

EFFORT = 2_000_000
"""The default effort in z3's resource units, the same on every machine; arithmetic takes about a second per million."""


_MOST = 2**32 - 1
"""The largest limit that z3 accepts."""


class Kind(StrEnum):
    """The kind of a result: possible, impossible, or unknown."""

    SATISFIABLE = "satisfiable"
    UNSATISFIABLE = "unsatisfiable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Member:
    """A constraint, decision or question in a clash, and its text."""

    key: str
    said: str


@dataclass(frozen=True, slots=True)
class Possible:
    """The result, under the assumption that each open question with options is answered by one of them.

    A board accepts other answers too, and these may be possible although no option is.

    Attributes:
        witness: Name -> value: one possible set of answers; the name is `key` or `key.path`.
        implied: Key of an open question -> its only possible option.
        excluded: Key of an open question -> its impossible options.
        clash: Constraints, decisions and questions that cannot hold together. Without `why` the set is minimal: without
            any one member it is possible or unknown.
        why: Why the result is unknown, or why a clash may not be minimal.
    """

    kind: Kind
    witness: Mapping[str, JSON] = field(default_factory=dict)
    implied: Mapping[str, JSON] = field(default_factory=dict)
    excluded: Mapping[str, tuple[JSON, ...]] = field(default_factory=dict)
    clash: tuple[Member, ...] = ()
    why: str = ""


def possible(board: Reads, *, effort: int = EFFORT) -> Possible:
    """Return whether the open questions of a board have possible answers.

    Args:
        board: A snapshot, or a transaction, whose read set then includes everything that the result depends on.
        effort: The limit of z3's work; above it the result is unknown, on every machine alike.

    Raises:
        Invalid: The effort is no whole number.
    """
    effort = min(arguments.integer(effort, "the effort"), _MOST)
    problem = read(board)
    if not problem.constraints and not problem.questions:
        return Possible(Kind.SATISFIABLE)
    return _Search(problem, effort).answer()


_NOT_SMALLEST = "the effort was spent before it was clear that none can be left out"


class _Limit(Exception):
    """The effort is spent."""


class _Search:
    """One search: all calls of z3 share one effort."""

    def __init__(self, problem: Problem, effort: int) -> None:
        self._problem, self._left = problem, effort
        self._was_short = False

    def answer(self) -> Possible:
        problem = self._problem
        asked = _Asked(problem, problem.constraints, [*problem.decided, *problem.questions])
        try:
            model = self._model(asked, asked.labels.values())
            if model is None:
                clash = self._clash(asked)
                return Possible(Kind.UNSATISFIABLE, clash=clash, why=_NOT_SMALLEST if self._was_short else "")
        except _Limit:
            return Possible(Kind.UNKNOWN, why="the effort was spent")
        witness, why = self._witness(asked.encoding, model)
        try:
            implied, excluded = self._consequences(asked)
        except _Limit:
            return Possible(Kind.UNKNOWN, witness, why="the effort was spent")
        return Possible(Kind.UNKNOWN if why else Kind.SATISFIABLE, witness, implied, excluded, why=why)

    # --- questions to z3 ---

    def _model(self, asked: "_Asked", assumed: Iterable[Any]) -> Any | None:  # noqa: ANN401 - of z3
        """Return a model under assumptions, None if there is none."""
        found = self._paid(asked, lambda: asked.solver.check(*assumed))
        return asked.solver.model() if found == "sat" else None

    def _paid(self, asked: "_Asked", ask: Callable[[], object]) -> str:
        if self._left <= 0:
            raise _Limit
        asked.solver.set("rlimit", self._left)
        found = str(ask())
        self._left -= asked.spent()
        if found == "unknown":
            raise _Limit
        return found

    def _consequences(self, asked: "_Asked") -> tuple[dict[str, JSON], dict[str, tuple[JSON, ...]]]:
        """Return the implied and the excluded options."""
        for label in asked.labels.values():
            asked.solver.add(label)
        options = [one for choices in asked.encoding.choices.values() for one in choices]
        consequences: list[Any] = []

        def ask() -> object:
            found, derived = asked.solver.consequences([], options)
            consequences.extend(derived)
            return found

        self._paid(asked, ask)
        # Each consequence says that an option is always chosen, or (`Not`) never.
        gone = {one.arg(1).arg(0).get_id() for one in consequences if one.arg(1).num_args()}
        implied: dict[str, JSON] = {}
        excluded: dict[str, tuple[JSON, ...]] = {}
        for key, choices in asked.encoding.choices.items():
            bodies: list[Any] = [one.body for one in self._problem.options[key]]
            left = [body for body, choice in zip(bodies, choices, strict=True) if choice.get_id() not in gone]
            if len(left) == 1:
                implied[key] = left[0]
            if len(left) < len(bodies):
                excluded[key] = tuple(
                    body for body, choice in zip(bodies, choices, strict=True) if choice.get_id() in gone
                )
        return implied, excluded

    def _witness(self, encoding: "Encoding", model: Any) -> tuple[dict[str, JSON], str]:  # noqa: ANN401 - of z3
        """Return the values of a model, and why they are no proof that the answers are possible, "" if they are."""
        chosen = {key: self._problem.options[key][place] for key, place in encoding.chosen(model).items()}
        free = encoding.values(model)
        lookup = looked_up(self._problem, chosen, free)
        witness: dict[str, Any] = {key: one.body for key, one in chosen.items()}
        witness.update({str(name): value for name, value in free.items() if not isinstance(value, Wrong)})
        for key, expression in self._problem.expressions.items():
            truth = judge(expression, lookup)
            if truth.value is not True:
                return witness, f"{key}: {truth.why or 'z3 knows no value that can be written'}"
        return witness, ""

    # --- what clashes ---

    def _clash(self, asked: "_Asked") -> tuple[Member, ...]:
        """Return a clash, minimal as far as the effort permits."""
        constraints = list(asked.core())
        for key in list(constraints):
            rest = [one for one in constraints if one != key]
            if key in constraints and self._is_unsatisfiable(asked, rest):
                constraints = list(asked.core())
        named = {key for one in constraints for key in keys_of(self._problem.expressions[one])}
        others = sorted(named & (self._problem.decided.keys() | self._problem.questions.keys()))
        for key in list(others):
            rest = [one for one in others if one != key]
            if self._is_unsatisfiable(_Asked(self._problem, constraints, rest), constraints):
                others = rest
        return tuple(Member(key, self._problem.said(key)) for key in [*constraints, *others])

    def _is_unsatisfiable(self, asked: "_Asked", members: Iterable[str]) -> bool:
        """Say whether it is certain that these cannot hold together."""
        try:
            return self._model(asked, [asked.labels[key] for key in members]) is None
        except _Limit:
            self._was_short = True
            return False


class _Asked:
    """A z3 solver with labelled constraints, some fixed decisions, and the options of some questions."""

    def __init__(self, problem: Problem, constraints: Iterable[str], taken: Iterable[str]) -> None:
        import z3  # noqa: PLC0415 - loaded when it is used

        from blackboard.solver.encoding import Encoding  # noqa: PLC0415

        self.encoding = Encoding(problem, frozenset(taken))
        self.solver = z3.Solver(ctx=self.encoding.context)
        self.labels: dict[str, Any] = {}
        for number, key in enumerate(constraints):
            label = self.labels[key] = z3.Bool(f"constraint {number}", self.encoding.context)
            self.solver.add(z3.Implies(label, self.encoding.truth(key)))
        self.solver.add(*self.encoding.domains())
        self._spent = 0

    def core(self) -> Iterator[str]:
        """Return the constraints in the unsatisfiable core of the last check."""
        found = {one.get_id() for one in self.solver.unsat_core()}
        return (key for key, label in self.labels.items() if label.get_id() in found)

    def spent(self) -> int:
        """Return the work of z3 since the last call of this."""
        statistics = self.solver.statistics()
        total = next((int(value) for name, value in statistics if name == "rlimit count"), self._spent)
        done, self._spent = total - self._spent, total
        return max(done, 1)
