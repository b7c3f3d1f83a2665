"""The mediator: decides contested keys."""

from collections.abc import Sequence
from typing import Unpack

from blackboard import Context, Source, knowledge_source
from blackboard import on as when
from knowledge_sources.model import Expert
from knowledge_sources.reading import TASK, Reading
from knowledge_sources.replies import Statement
from knowledge_sources.settings import ModelSettings, Triggers, of_source
from knowledge_sources.shaping import Model

_CONTESTED = "contested"


def mediator(
    name: str,
    model: Model,
    *,
    role: str = "mediator",
    on: Triggers | None = None,
    reads: Sequence[str] = (),
    **settings: Unpack[ModelSettings],
) -> Source:
    """Return a source that decides a contested key.

    It does not decide about a contested component (one that could not be built); a person has to.

    Args:
        name: Its name as an author.
        model: A chat model, any runnable that takes messages, or a string that names a model.
        role: Its role; the fallback of an agreement has to permit it to decide.
        on: The triggers that wake it; None: any key becomes contested.
        reads: Patterns of other decisions that it reads.
        settings: See `knowledge_source`, and `ModelSettings` for the calls of the model.
    """
    expert = Expert(model, Statement, "mediate", "languages", "board", settings=settings)

    @knowledge_source(name=name, role=role, on=when.contested("**") if on is None else on, **of_source(settings))
    async def mediate(context: Context) -> None:
        key = context.target
        async with context.transaction() as transaction:
            if transaction.decision(f"{TASK}{key}") is not None:
                return
            reading = Reading(transaction)
            reading.introduce(name, role, "mediate", key)
            current = reading.decision(key)
            if current is not None and current.state != _CONTESTED:
                return
            reading.questions(key)
            reading.versions(key)
            reading.prompt()
            reading.around(key)
            for pattern in reads:
                reading.decisions(pattern)
            reading.refusal(context.previous)
            await expert.aask(
                reading.facts, context=context, accept=lambda said: said.bring_in(transaction, key, "decide")
            )

    return mediate
