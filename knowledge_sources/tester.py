"""The tester: judges components by reading them, for a check that has no command."""

from dataclasses import replace
from typing import Unpack

from blackboard import Context, Source, Transaction, knowledge_source
from blackboard import on as when
from knowledge_sources.model import Expert
from knowledge_sources.reading import Reading
from knowledge_sources.replies import Judgement
from knowledge_sources.settings import ModelSettings, Triggers, of_source
from knowledge_sources.shaping import Model


def tester(
    name: str,
    model: Model,
    *,
    check: str,
    role: str = "tester",  # noqa: PT028 - no test, whatever its name begins with
    on: Triggers | None = None,  # noqa: PT028
    **settings: Unpack[ModelSettings],
) -> Source:
    """Return a source that records the verdict of one check.

    Its prompt shows the component's task, the decisions that the task names, and the files. It judges a version once.

    Args:
        name: Its name as an author.
        model: A chat model, any runnable that takes messages, or a string that names a model.
        check: The name of the check; the team's check of this name has no command.
        role: Its role.
        on: The triggers that wake it; None: a component of one segment is written or becomes suspect.
        settings: See `knowledge_source`, and `ModelSettings` for the calls of the model.
    """
    expert = Expert(model, Judgement, "judge", "languages", "board", settings=settings)
    wakes = (when.written("*"), when.suspect("*")) if on is None else on

    @knowledge_source(name=name, role=role, on=wakes, **of_source(settings))
    async def judge(context: Context) -> None:
        target = context.target
        async with context.transaction() as transaction:
            if _is_judged(transaction, target, check, since=context.cause):
                return
            reading = Reading(transaction)
            reading.introduce(name, role, "judge", target, check=check)
            component = reading.component(target)
            task = reading.task(target)
            if component is None:
                return
            reading.prompt()
            if task is not None:
                reading.premises(task)
            reading.refusal(context.previous)

            def give(judgement: Judgement) -> None:
                transaction.verdict(check, target, passed=judgement.passed, log=judgement.log)

            await expert.aask(reading.facts, context=context, accept=give)

    return replace(judge, check=check)


def _is_judged(transaction: Transaction, component: str, check: str, *, since: int) -> bool:
    """Say whether the check has a verdict newer than the activation, without recording the read."""
    verdicts, _ = transaction.verdicts_on(component)
    return any(verdict.check == check and verdict.revision > since for verdict in verdicts)
