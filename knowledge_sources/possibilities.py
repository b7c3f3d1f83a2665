"""A source that runs the solver after each commit that may change its answer."""

from typing import Unpack

from blackboard import Context, Source, Transaction, knowledge_source
from blackboard import on as when
from blackboard.solver import EFFORT, Kind, Possible, possible
from knowledge_sources.settings import Settings, Triggers

_CONSTRAINTS = "constraint/**"


def possibilities(
    name: str, *, role: str = "operator", on: Triggers | None = None, effort: int = EFFORT, **settings: Unpack[Settings]
) -> Source:
    """Return a source that asks which constraint to change when the open questions have no possible answer.

    The question is about the first of the clashing constraints, and names all of them. When there is a possible answer
    again, the source decides the same constraint again, which closes the question.

    Args:
        name: Its name as an author.
        role: Its role, which has to permit questions and decisions under `constraint/`.
        on: The triggers that wake it; None: a question, a decision or a retraction.
        effort: See `blackboard.solver.possible`.
        settings: See `knowledge_source`.
    """
    wakes = (when.asked("**"), when.accepted("**"), when.retracted("**")) if on is None else on

    @knowledge_source(name=name, role=role, on=wakes, **settings)
    def look(context: Context) -> None:
        with context.transaction() as transaction:
            if transaction.decisions(_CONSTRAINTS):
                _tell(transaction, name, possible(transaction, effort=effort))

    return look


def _tell(transaction: Transaction, name: str, found: Possible) -> None:
    asked = {one.key: one.author for one in transaction.questions(_CONSTRAINTS)}
    if found.kind is Kind.SATISFIABLE:
        for key in (key for key, author in asked.items() if author == name):
            current = transaction.decision(key)
            if current is not None:
                transaction.decide(key, current.contract, rationale="it can be met again")
    elif found.clash and found.clash[0].key not in asked:
        said = "; ".join(member.said for member in found.clash)
        transaction.ask(found.clash[0].key, f"No choice of options meets all of these, so what gives way? {said}")
