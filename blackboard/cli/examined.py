"""What an examination of a board found, as a finished record."""

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
