"""The read set of a transaction: what has to hold at its commit."""

from collections.abc import Collection
from dataclasses import dataclass, field

from blackboard.spec.keys import matches_any


@dataclass(slots=True)
class Reads:
    """Everything that a transaction read, as what has to hold at its commit.

    Attributes:
        decisions: key -> digest of the whole accepted version, None where there was none.
        facets: (key, facet name) -> digest, None where the facet was absent.
        components: key -> version, None where there was none.
        histories: key -> revision of its last change of any kind, None where the key was unknown.
        patterns: (what, pattern), what being `decision`, `component` or `question`.
    """

    decisions: dict[str, str | None] = field(default_factory=dict)
    facets: dict[tuple[str, str], str | None] = field(default_factory=dict)
    components: dict[str, int | None] = field(default_factory=dict)
    histories: dict[str, int | None] = field(default_factory=dict)
    patterns: set[tuple[str, str]] = field(default_factory=set)

    def keys(self) -> set[str]:
        """Return every key that was read by name."""
        return {*self.decisions, *(key for key, _ in self.facets), *self.components, *self.histories}

    def whole(self, key: str, kind: str) -> bool:
        """Say whether all of a `decision` or `component` was read, not just some of its facets."""
        return key in self.histories or key in (self.components if kind == "component" else self.decisions)

    def rows(self) -> list[tuple[str, str, str, str | int | None]]:
        """Return (kind, key, facet name, expected) of all but whole decisions and patterns."""
        return [
            *(("facet", key, name, digest) for (key, name), digest in self.facets.items()),
            *(("component", key, "", version) for key, version in self.components.items()),
            *(("history", key, "", revision) for key, revision in self.histories.items()),
        ]

    def touched_by(self, changed: Collection[str]) -> bool:
        """Say whether a change of any of these keys may break what was read."""
        return not self.keys().isdisjoint(changed) or matches_any([pattern for _, pattern in self.patterns], changed)
