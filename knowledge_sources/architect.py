"""The architect: answers what is asked and what is required with a contract."""

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
    """Return a source that proposes a version where a key needs one.

    It leaves alone tasks, components, keys that are settled with no question open, and keys for which a version of its
    own, or without a question anybody's, is up for a vote. A version that was rejected is shown with the reasons, so
    that the next one can meet them. Woken by `on.stale` of a decision of its own, whose premises broke, it looks again:
    the same answer says that the decision holds.

    Args:
        name: Its author's name.
        model: A chat model, any runnable that takes messages, or a string that names a model.
        role: The role whose rights it has.
        on: What wakes it; None: a key is asked about or required.
        reads: Patterns of other decisions that its proposals rely on: shown, and validated when it proposes. The more
            it reads, the more often somebody changes it in the meantime.
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
            # Who is asked may offer something else; what is only required is being seen to.
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
