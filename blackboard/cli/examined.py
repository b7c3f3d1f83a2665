"""The record of an examination of a board."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FindingLine:
    """One finding of the doctor; `level` is fault, unseen, warning or note."""

    level: str
    about: str
    what: str
    step: str = ""


@dataclass(frozen=True, slots=True)
class HealthReport:
    """Whether a board is sound.

    Attributes:
        sound: Everything was examined and no fault was found.
        head: EPOCH:REVISION:DIGEST of the newest commit, None if it could not be verified.
    """

    location: str
    sound: bool
    full: bool
    head: str | None
    findings: tuple[FindingLine, ...]
