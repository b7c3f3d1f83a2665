"""A knowledge source: an expert with triggers, a rating and an execution.

An agent is a knowledge source with a model. An external source has no execution here: a person, or an agent of another
process, claims and finishes its activations.
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from blackboard.errors import InvalidTeam
from blackboard.spec.keys import check_name
from blackboard.spec.triggers import SourceRecord, Trigger

if TYPE_CHECKING:
    from blackboard.control.context import Context

Execute = Callable[["Context"], Coroutine[Any, Any, None] | None]
Rate = Callable[["Context"], float | None]


@dataclass(frozen=True, slots=True)
class Source:
    """One expert.

    Attributes:
        name: Its name as an author; with its role it is a member.
        triggers: The triggers that wake it.
        execute: The function for a claimed activation; None for an external source.
        rate: Called after the claim: returns a rating (larger is sooner), or None to refuse the activation.
        needs: resource -> units held while it runs.
        retries: The number of attempts after the first, before the activation is dead.
        timeout_seconds: The time-out of one run; None is ten minutes.
    """

    name: str
    role: str
    triggers: tuple[Trigger, ...]
    execute: Execute | None = None
    rate: Rate | None = None
    max_concurrency: int = 1
    needs: Mapping[str, int] = field(default_factory=dict)
    retries: int = 3
    timeout_seconds: float | None = None
    check: str = ""
    definition: str = ""

    def __post_init__(self) -> None:
        check_name(self.name)
        check_name(self.role)
        if self.max_concurrency < 1:
            raise InvalidTeam(f"source {self.name} has max_concurrency {self.max_concurrency}", "give it at least 1")
        if self.retries < 0:
            raise InvalidTeam(f"source {self.name} has retries {self.retries}", "give it 0 or more")
        if not all(isinstance(trigger, Trigger) for trigger in self.triggers):
            raise InvalidTeam(f"source {self.name} has an `on` that is no trigger", "use on.accepted(…) and the like")

    @property
    def external(self) -> bool:
        """Say whether it runs outside the controller."""
        return self.execute is None

    @property
    def record(self) -> SourceRecord:
        """Return its record on the board."""
        return SourceRecord(
            self.name,
            self.role,
            self.triggers,
            external=self.external,
            check=self.check,
            definition=self.definition,
            max_concurrency=self.max_concurrency,
            retries=self.retries,
        )


def knowledge_source(
    *,
    role: str,
    on: Trigger | Sequence[Trigger],
    name: str | None = None,
    rate: Rate | None = None,
    max_concurrency: int = 1,
    needs: Mapping[str, int] | None = None,
    retries: int = 3,
    timeout_seconds: float | None = None,
) -> Callable[[Execute], Source]:
    """Make a source of a function (sync or async) that takes a `Context`.

    Args:
        role: Its role.
        on: The triggers that wake it.
        name: Its name as an author; the function's name if None.
        rate: See `Source`.
        max_concurrency: The largest number of its activations that run at once.
        needs: resource -> units held while it runs.
        retries: The number of attempts after the first.
        timeout_seconds: The time-out of one run; None is ten minutes.

    Returns:
        A decorator that turns the function into a `Source`.
    """
    triggers = (on,) if isinstance(on, Trigger) else tuple(on)

    def decorate(execute: Execute) -> Source:
        return Source(
            name or execute.__name__,
            role,
            triggers,
            execute,
            rate,
            max_concurrency,
            dict(needs or {}),
            retries,
            timeout_seconds,
        )

    return decorate


def external(name: str, *, role: str, on: Trigger | Sequence[Trigger]) -> Source:
    """Make a source that runs outside the controller: a person, or an agent that claims its activations.

    Args:
        name: Its name as an author.
        role: Its role.
        on: The triggers that wake it.

    Returns:
        A source without an execution.
    """
    return Source(name, role, (on,) if isinstance(on, Trigger) else tuple(on))
