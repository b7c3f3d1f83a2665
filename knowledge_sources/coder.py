"""The coder: writes the files of a component from its task and the decisions that the task names."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Unpack

from blackboard import Context, NotPermitted, Source, knowledge_source
from blackboard import on as when
from knowledge_sources.model import Expert
from knowledge_sources.reading import CURRENT, Reading, Task
from knowledge_sources.replies import Writing
from knowledge_sources.settings import ModelSettings, Triggers, of_source
from knowledge_sources.shaping import Model
from knowledge_sources.wholeness import unfinished


def coder(
    name: str,
    model: Model,
    *,
    role: str = "coder",
    on: Triggers | None = None,
    checks: Sequence[str] = (),
    **settings: Unpack[ModelSettings],
) -> Source:
    """Return a source that writes components.

    It reads the team's prompt, its task, the facets that the task names with the classes and tables that they need, the
    newest version of the component and the logs of its failed checks; these reads become the component's pins. Its
    prompt also shows the checks of the team, the files of the components that implement the decisions that it uses, and
    after a refusal the reason and its draft. It writes nothing if the component is current and failed no check.

    Args:
        name: Its name as an author.
        model: A chat model, any runnable that takes messages, or a string that names a model.
        role: Its role.
        on: The triggers that wake it; None: a component of one segment is required or stale, fails `conformance` or
            `starts`, or fails one of `checks`.
        checks: Names of the checks whose failures it repairs.
        settings: See `knowledge_source`, and `ModelSettings` for the calls of the model.
    """
    expert = Expert(model, Writing, "write", "languages", "board", settings=settings)
    mended = ("conformance", "starts", *checks)
    drafts: dict[str, Mapping[str, str]] = {}
    wakes = (when.required("*"), when.stale("*"), *(when.failed(check) for check in mended)) if on is None else on

    @knowledge_source(name=name, role=role, on=wakes, **of_source(settings))
    async def write(context: Context) -> None:
        target = context.target
        async with context.transaction() as transaction:
            reading = Reading(transaction)
            reading.introduce(name, role, "write", target)
            current = reading.component(target)
            task = reading.task(target)
            if task is None:
                return
            if current is not None:
                failed = reading.failures(target)
                if current.state == CURRENT and not failed:
                    return
            reading.prompt()
            missing = reading.premises(task)
            if missing:
                raise NotPermitted(f"{name} writes {target}", (), missing)
            reading.checks(context, component=target)
            reading.providers(target, task)
            reading.refusal(context.previous, draft=drafts.pop(target, None))
            # Decisions under a pattern are read as used; these patterns of the task are implemented.
            implements = [key for key in task.implements if "*" in key]

            def write_down(writing: Writing) -> None:
                changes = writing.onto({} if current is None else current.files)
                drafts[target] = {path: text for path, text in changes.items() if text is not None}
                if unlisted := _unlisted(task, drafts[target].keys() - ({} if current is None else current.files)):
                    raise ValueError(f"the task lists the files {', '.join(task.files)}, and not {', '.join(unlisted)}")
                incomplete = unfinished(drafts[target])
                if incomplete:
                    raise ValueError(f"the component is not finished: {incomplete}; write all of it")
                transaction.write(target, changes, implements=implements)

            await expert.aask(reading.facts, context=context, accept=write_down)
        drafts.pop(target, None)

    return write


def _unlisted(task: Task, paths: Iterable[str]) -> list[str]:
    """Return the new files that are not in the task's list of files; an `__init__.py` need not be in it."""
    return sorted(one for one in paths if task.files and one not in task.files and not one.endswith("__init__.py"))
