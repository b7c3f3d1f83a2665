"""Two documents beside each other: what one sends and the other refuses."""

from collections.abc import Sequence
from dataclasses import dataclass

from blackboard.contracts.json_schema.documents import Document, Path, Schema
from blackboard.contracts.json_schema.judge import Judge
from blackboard.contracts.json_schema.literals import Effort, ExhaustedError, Found, Literal, No, Source
from blackboard.contracts.json_schema.solve import Solver
from blackboard.spec.canonical import JSON, canonical_json
from blackboard.spec.effects import UNDECIDED, Effect

STEPS = 60_000
STEPS_EACH = 12_000
_MOST_TRIES = 12
_MOST_BYTES = 4_096
_WORKED = {
    ("request", True): "a request that was accepted and is refused",
    ("request", False): "a request that is accepted and was refused",
    ("response", True): "a response that was sent and is no longer",
    ("response", False): "a response that is sent and never was",
    ("both", True): "a document that was valid and is not",
    ("both", False): "a document that is valid and was not",
}


@dataclass(frozen=True, slots=True)
class Break:
    """That something is sent and refused, with an example if one was found."""

    example: Found | None = None

    def proof(self, direction: str, *, forward: bool) -> str:
        """Return what worked and fails, the word *undecided* where there is no example.

        Args:
            direction: Who reads it: `request`, `response` or `both`.
            forward: It was of the old version; else it is of the new one.
        """
        text = "" if self.example is None else canonical_json(self.example.value)
        return f"{_WORKED[direction, forward]}: {text}" if 0 < len(text) <= _MOST_BYTES else UNDECIDED


class Versus:
    """Two documents, 0 the old and 1 the new one, each of which may send to the other."""

    def __init__(self, old: Document, new: Document) -> None:
        self._documents = (old, new)
        self._effort = Effort(STEPS, STEPS_EACH)
        self.sources = (Source(old, self._effort), Source(new, self._effort))
        self.sources[0].compared_with(self.sources[1])
        self.sources[1].compared_with(self.sources[0])
        self._known: dict[tuple[object, ...], Break | None] = {}
        self._judges = (Judge(old, self._effort), Judge(new, self._effort))

    def whole(self, side: int, path: Path, *, holds: bool = True, sent: bool = True) -> Literal:
        """Return the literal of a schema in a document."""
        return self.sources[side].literal(self._documents[side].schemas[path], holds=holds, sent=sent)

    def between(self, sender: int, path: Path, to: Path, *, sent: bool = True, also: Schema = True) -> Break | None:
        """Say whether what is sent by a schema of one document breaks a schema of the other; None: it does not.

        Args:
            also: What is sent fulfils this too.
        """
        more = self.sources[sender].literal(also, holds=True)
        literals = (self.whole(sender, path, sent=sent), more, self.whole(1 - sender, to, holds=False))
        self._effort.begin()
        try:
            asked = (sender, sent, *(literal.key for literal in literals))
        except ExhaustedError:
            return Break()
        if asked not in self._known:
            self._known[asked] = self.refuted(literals, sender, path, to)
        return self._known[asked]

    def refuted(self, literals: Sequence[Literal], sender: int, path: Path, to: Path) -> Break | None:
        """Look for a value that fulfils literals, valid by one schema of the sender and not by the other's.

        Returns:
            None where there is none.
        """
        self._effort.begin()
        unknown = False
        try:
            for count, found in enumerate(Solver(self.sources[sender]).candidates(literals)):
                if isinstance(found, Found) and self._differs(found.value, sender, path, to):
                    return Break(found)
                unknown = unknown or found is not No.EMPTY
                if unknown and count > _MOST_TRIES:
                    break
        except (ExhaustedError, RecursionError):
            unknown = True
        return Break() if unknown else None

    def example(self, side: int, path: Path, also: Schema) -> Found | None:
        """Return a value that is sent by a schema, and fulfils another too; None where none was found."""
        self._effort.begin()
        try:
            for found in Solver(self.sources[side]).candidates(
                (self.whole(side, path), self.sources[side].literal(also, holds=True))
            ):
                if isinstance(found, Found) and self._judges[side].valid(found.value, path):
                    return found
        except (ExhaustedError, RecursionError):
            return None
        return None

    def valid(self, side: int, value: JSON, path: Path) -> bool | None:
        """Say whether a value is valid by a schema of a document; None where that is not known."""
        return self._judges[side].valid(value, path)

    def _differs(self, value: JSON, sender: int, path: Path, to: Path) -> bool:
        return self._judges[sender].valid(value, path) is True and self._judges[1 - sender].valid(value, to) is False


def by_side(direction: str, *, forward: bool, backward: bool) -> tuple[Effect, Effect]:
    """Return the effects on users and implementers: users send requests and receive responses.

    Args:
        forward: What was sent by the old version breaks the new one.
        backward: What is sent by the new version breaks the old one.
    """
    uses = (forward and direction != "response") or (backward and direction != "request")
    implements = (backward and direction != "response") or (forward and direction != "request")
    effects = [Effect.BREAKING if broken else Effect.COMPATIBLE for broken in (uses, implements)]
    return effects[0], effects[1]
