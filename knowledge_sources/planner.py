"""The planner: splits the prompt into tasks, and asks about the keys on which they have to agree."""

from collections.abc import Iterable
from typing import Literal, Unpack

from blackboard import Context, Decision, Source, Transaction, knowledge_source
from blackboard import on as when
from knowledge_sources.model import Expert
from knowledge_sources.reading import PROMPT, TASK, Reading
from knowledge_sources.replies import Plan, Settles
from knowledge_sources.settings import ModelSettings, Triggers, of_source
from knowledge_sources.shaping import Model


def planner(
    name: str,
    model: Model,
    *,
    role: str = "planner",
    on: Triggers | None = None,
    reads: str = "**",
    settles: Settles | Literal["ask"] = "ask",
    **settings: Unpack[ModelSettings],
) -> Source:
    """Return a source that plans in one commit: questions, decisions and tasks.

    It does not ask about a key that is accepted or has an open question, and does not repeat a plan that is newer than
    the prompt.

    Args:
        name: Its name as an author.
        model: A chat model, any runnable that takes messages, or a string that names a model.
        role: Its role, which has to permit questions, and decisions under `task/`.
        on: The triggers that wake it; None: the prompt is accepted or amended.
        reads: Pattern of the decisions in its prompt, in addition to prompt, tasks and questions.
        settles: How it states decisions other than tasks: as decisions, or as questions with one option.
        settings: See `knowledge_source`, and `ModelSettings` for the calls of the model.
    """
    expert = Expert(model, Plan, "plan", "languages", "board", settings=settings)

    @knowledge_source(name=name, role=role, on=when.accepted(PROMPT) if on is None else on, **of_source(settings))
    async def plan(context: Context) -> None:
        async with context.transaction() as transaction:
            reading = Reading(transaction)
            reading.introduce(name, role, "plan", context.target)
            prompt = reading.prompt()
            tasks = reading.tasks()
            if prompt is None or _is_planned(tasks, by=name, since=prompt.mod_revision):
                return
            reading.questions("**")
            reading.decisions(reads)
            reading.checks(context)
            reading.refusal(context.previous)

            def rehearse(plan: Plan) -> None:
                with context.transaction() as rehearsal:
                    _bring_in(rehearsal, plan, settles)
                    rehearsal.discard()

            _bring_in(transaction, await expert.aask(reading.facts, context=context, accept=rehearse), settles)

    return plan


def _is_planned(tasks: Iterable[Decision], *, by: str, since: int) -> bool:
    return any(task.author == by and task.mod_revision > since for task in tasks)


def _bring_in(transaction: Transaction, plan: Plan, settles: Settles | Literal["ask"]) -> None:
    for asked in plan.questions:
        if transaction.decision(asked.key) is None and not transaction.questions(asked.key):
            transaction.ask(asked.key, asked.question, options=asked.options)
    for decided in plan.decisions:
        if transaction.decision(decided.key) is not None:
            continue
        if settles != "ask":
            decided.bring_in(transaction, decided.key, settles)
        elif not transaction.questions(decided.key):
            question = f"Is this what {decided.key} should be? {decided.rationale}".rstrip()
            transaction.ask(decided.key, question, options=(decided.option,))
    for task in plan.tasks:
        key = f"{TASK}{task.name}"
        transaction.decision(key)
        transaction.decide(key, task.contract)
