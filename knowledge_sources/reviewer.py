"""The reviewer: votes on proposals of other authors."""

from collections.abc import Sequence
from typing import Unpack

from blackboard import Context, Refused, Source, Transaction, Version, knowledge_source
from blackboard import on as when
from knowledge_sources.model import Expert
from knowledge_sources.reading import LIVE, Reading
from knowledge_sources.replies import Ballot
from knowledge_sources.settings import ModelSettings, Triggers, of_source
from knowledge_sources.shaping import Model


def reviewer(
    name: str,
    model: Model,
    *,
    role: str = "reviewer",
    on: Triggers | None = None,
    reads: Sequence[str] = (),
    **settings: Unpack[ModelSettings],
) -> Source:
    """Return a source that votes on every live version of a key that it may vote on and has not voted on yet.

    Each vote is a separate commit. Its read set has everything in the prompt except the other votes and the version's
    text: members vote at the same time without conflicts, and the text of a version never changes.

    Args:
        name: Its name as an author.
        model: A chat model, any runnable that takes messages, or a string that names a model.
        role: Its role.
        on: The triggers that wake it; None: a version of any key is proposed.
        reads: Patterns of other decisions that it reads.
        settings: See `knowledge_source`, and `ModelSettings` for the calls of the model.
    """
    expert = Expert(model, Ballot, "vote", "languages", "board", settings=settings)

    async def vote_once(context: Context) -> bool:
        """Cast one vote; say whether there was one to cast."""
        key = context.target
        async with context.transaction() as transaction:
            versions = _versions(transaction, key)
            judged = next((version for version in versions if _is_waiting(version, name)), None)
            if judged is None:
                return False
            reading = Reading(transaction)
            reading.introduce(name, role, "vote", key, version=judged.version)
            reading.prompt()
            reading.questions(key)
            current = reading.decision(key)
            reading.around(key)
            for pattern in reads:
                reading.decisions(pattern)
            judgeable = [version for version in versions if version is judged or version.state != LIVE]
            reading.show_versions(judgeable, instead_of=current)

            def cast(ballot: Ballot) -> None:
                transaction.vote(key, version=judged.version, approve=ballot.approve, reason=ballot.reason)

            await expert.aask(reading.facts, context=context, accept=cast)
        return True

    @knowledge_source(name=name, role=role, on=when.proposed("**") if on is None else on, **of_source(settings))
    async def vote(context: Context) -> None:
        while True:
            before = _waiting(context, name)
            try:
                if not await vote_once(context):
                    return
            except Refused:
                # If other members settled the version meanwhile, no vote is missing; any other refusal is an error.
                if before & _waiting(context, name):
                    raise

    return vote


def _versions(transaction: Transaction, key: str) -> tuple[Version, ...]:
    """Read the versions of a key without recording the read, because other members vote at the same time."""
    return transaction.versions_of(key)[0]


def _waiting(context: Context, name: str) -> set[int]:
    versions = _versions(context.transaction(), context.target)
    return {version.version for version in versions if _is_waiting(version, name)}


def _is_waiting(version: Version, name: str) -> bool:
    return (
        version.state == LIVE
        and version.author != name
        and name in (version.electorate or ())
        and all(vote.author != name for vote in version.votes)
    )
