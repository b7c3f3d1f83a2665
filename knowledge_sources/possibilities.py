"""What is still possible, looked at again after each commit that may change it."""

from typing import Unpack

from blackboard import Context, Source, Transaction, knowledge_source
from blackboard import on as when
from blackboard.solver import EFFORT, Kind, Possible, possible
from knowledge_sources.settings import Settings, Triggers

_CONSTRAINTS = "constraint/**"


def possibilities(
    name: str, *, role: str = "operator", on: Triggers | None = None, effort: int = EFFORT, **settings: Unpack[Settings]
) -> Source:
    """Return a source that asks which constraint gives way when nothing is possible any more.

    The question is put on the first constraint of those that clash, and names all of them; it is closed by upholding
    that constraint when something has become possible again.

    Args:
        name: Its author's name.
        role: The role whose rights it has: to ask, and to decide, under `constraint/`.
        on: What wakes it; None: a question, a decision or a retraction.
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
