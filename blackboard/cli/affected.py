"""Who needs work when decisions change, and about what that costs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Affected:
    """Whom a change leaves with work.

    Attributes:
        stale, suspect, orphaned: Components that need it.
        decisions: Decisions that are stale: who made them looks again.
        components: How many components there are.
        tokens: What the work costs at this run's rate; None where no tokens were counted.
    """

    stale: tuple[str, ...] = ()
    suspect: tuple[str, ...] = ()
    orphaned: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    components: int = 0
    tokens: int | None = None

    @property
    def rework(self) -> tuple[str, ...]:
        """The components that are to be written anew; those that are suspect are only checked."""
        return (*self.stale, *self.orphaned)


NOBODY = Affected()
