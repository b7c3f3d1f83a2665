"""The documentation of facets: docstrings, descriptions, and comments that a language defines as such.

It is in a facet's digest and not in its value. If only the documentation changes, components become suspect and not
stale. Invariant: layout is ignored, so any white space is one space.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol, runtime_checkable

from blackboard.contracts.facets import Reading, first_difference
from blackboard.spec.effects import Comparison, Effect, FacetChange, worst

_SHOWN = 100
_BEFORE = 30


@runtime_checkable
class Documented(Protocol):
    """A contract's body that documents its facets."""

    @property
    def docs(self) -> Mapping[str, str]:
        """Facet name -> sentences; no empty ones."""
        ...


def documented(body: object) -> Mapping[str, str]:
    """Return facet name -> the sentences that document it; no language without documentation has any."""
    return body.docs if isinstance(body, Documented) else {}


def sentences(texts: Iterable[object]) -> str:
    """Join texts without their layout; other values are ignored."""
    return " ".join(word for text in texts if isinstance(text, str) for word in text.split())


def with_documentation(comparison: Comparison, old: Reading[object], new: Reading[object]) -> Comparison:
    """Return a comparison of values, extended by changes of the documentation.

    The effect is that of the value if the value changed, else `documentation`. For added and removed facets only the
    value counts.
    """
    effects = dict(comparison.effects)
    for name in sorted(old.facets.keys() & new.facets.keys()):
        before, after = old.docs.get(name, ""), new.docs.get(name, "")
        if before != after:
            effects[name] = _with_sentences(effects.get(name), f"documentation: {difference(before, after)}")
    return Comparison(effects)


def difference(before: str, after: str) -> str:
    """Return `"old" -> "new"` of two sentences, shortened to where they differ."""
    start = 0
    if max(len(before), len(after)) > _SHOWN:
        start = before.rfind(" ", 0, max(0, first_difference(before, after) - _BEFORE)) + 1
    return f"{_shown(before, start)} -> {_shown(after, start)}"


def _shown(text: str, start: int) -> str:
    if not text:
        return "none"
    cut = text[start : start + _SHOWN]
    return f'"{"…" if start else ""}{cut}{"…" if start + _SHOWN < len(text) else ""}"'


def _with_sentences(change: FacetChange | None, said: str) -> FacetChange:
    if change is None:
        return FacetChange(Effect.DOCUMENTATION, Effect.DOCUMENTATION, said, "")
    uses, implements = (worst((one, Effect.DOCUMENTATION)) for one in (change.uses, change.implements))
    return change._replace(uses=uses, implements=implements, reason=f"{change.reason}; {said}")
