"""The architect: proposes a contract for keys that are asked about or required."""

from collections.abc import Sequence
from typing import Unpack

from blackboard import Context, Source, knowledge_source
from blackboard import on as when
from knowledge_sources.model import Expert
from knowledge_sources.reading import LIVE, TASK, Reading
from knowledge_sources.replies import Settles, Statement
from knowledge_sources.settings import ModelSettings, Triggers, of_source
from knowledge_sources.shaping import Model


def architect(
    name: str,
    model: Model,
    *,
    role: str = "architect",
    on: Triggers | None = None,
    reads: Sequence[str] = (),
    settles: Settles = "propose",
    **settings: Unpack[ModelSettings],
) -> Source:
    """Return a source that proposes a version for a key that needs one.

    It proposes nothing for tasks, components, settled keys without an open question, and keys with a live proposal of
    its own (or, without an open question, of any author). Its prompt shows rejected versions with the reasons, so that
    the next one can satisfy them. If `on.stale` wakes it for a decision of its own with a broken premise, it decides
    again; the same text confirms the decision.

    Args:
        name: Its name as an author.
        model: A chat model, any runnable that takes messages, or a string that names a model.
        role: Its role.
        on: The triggers that wake it; None: a key is asked about or required.
        reads: Patterns of other decisions that its proposals depend on: it reads them, so they are validated. The more
            it reads, the more conflicts there are.
        settles: Whether it proposes or decides.
        settings: See `knowledge_source`, and `ModelSettings` for the calls of the model.
    """
    expert = Expert(model, Statement, "propose", "languages", "board", settings=settings)
    wakes = (when.asked("**"), when.required("**")) if on is None else on

    @knowledge_source(name=name, role=role, on=wakes, **of_source(settings))
    async def propose(context: Context) -> None:
        key = context.target
        if key.startswith(TASK):
            return
        async with context.transaction() as transaction:
            if transaction.decision(f"{TASK}{key}") is not None:
                return
            reading = Reading(transaction)
            reading.introduce(name, role, "propose", key)
            questions = reading.questions(key)
            current = reading.decision(key)
            if current is not None and not questions and context.kind != "stale":
                return
            versions = reading.versions(key)
            # An open question permits another proposal; for a key that is only required, one live proposal is enough.
            if any(version.state == LIVE and (version.author == name or not questions) for version in versions):
                return
            reading.prompt()
            reading.around(key)
            for pattern in reads:
                reading.decisions(pattern)
            reading.refusal(context.previous)
            await expert.aask(
                reading.facts, context=context, accept=lambda said: said.bring_in(transaction, key, settles)
            )

    return propose
