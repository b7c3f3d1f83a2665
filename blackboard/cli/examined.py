"""What an examination of a board found and what a recovery saved, as finished records."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FindingLine:
    """One thing that the doctor found; `level` is fault, unseen, warning or note."""

    level: str
    about: str
    what: str
    step: str = ""


@dataclass(frozen=True, slots=True)
class HealthReport:
    """Whether a board is what it was.

    Attributes:
        sound: Everything was looked at and no fault was found.
        head: EPOCH:REVISION:DIGEST of the newest commit, None where it could not be verified.
    """

    location: str
    sound: bool
    full: bool
    head: str | None
    findings: tuple[FindingLine, ...]


@dataclass(frozen=True, slots=True)
class RecoveryReport:
    """What of a damaged board stands in a new one, and what was lost.

    Attributes:
        first: The first revision of the damaged board that the new one holds.
        told: The last; 0 where none could be told, and what stands was decided anew.
        known: The last revision of which anything could be read.
        head: EPOCH:REVISION:DIGEST of the new board.
        lost: Each loss, as a sentence.
    """

    location: str
    new: str
    first: int
    told: int
    known: int
    head: str
    lost: tuple[str, ...]
