"""The components that need work after a change of decisions, and an estimate of the cost."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Affected:
    """The components and decisions that a change affects.

    Attributes:
        stale, suspect, orphaned: The components that get this state.
        decisions: The decisions that become stale: their authors have to review them.
        components: The number of all components.
        tokens: The estimated cost of the work at this run's rate; None if no tokens were counted.
    """

    stale: tuple[str, ...] = ()
    suspect: tuple[str, ...] = ()
    orphaned: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    components: int = 0
    tokens: int | None = None

    @property
    def rework(self) -> tuple[str, ...]:
        """The components that have to be written again; suspect ones are only checked."""
        return (*self.stale, *self.orphaned)


NOBODY = Affected()
