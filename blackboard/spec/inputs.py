"""What a check's result rests on: a component, and those that implement what it uses, transitively.

A verdict is bound to the digest of exactly this: files, pinned facets, and the check's definition.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from blackboard.spec.canonical import JSON, digest
from blackboard.spec.effects import Side
from blackboard.spec.staleness import Freshness, Pin


@dataclass(frozen=True, slots=True)
class BuiltComponent:
    """A component's newest version: digest of its files, what it pins, how it stands."""

    key: str
    version: int
    files: str
    pins: tuple[Pin, ...]
    freshness: Freshness


def closure(component: str, components: Mapping[str, BuiltComponent]) -> tuple[str, ...]:
    """Return the component and all that its checks rest on, sorted."""
    makers = implementers(components.values())
    found: set[str] = set()
    waiting = [component] if component in components else []
    while waiting:
        key = waiting.pop()
        if key in found:
            continue
        found.add(key)
        uses = {pin.key for pin in components[key].pins if pin.side is Side.USES}
        waiting.extend(maker for decision in uses for maker in makers.get(decision, ()))
    return tuple(sorted(found))


def implementers(components: Iterable[BuiltComponent]) -> dict[str, set[str]]:
    """Return decision -> components that implement it."""
    makers: dict[str, set[str]] = {}
    for one in components:
        for pin in one.pins:
            if pin.side is Side.IMPLEMENTS:
                makers.setdefault(pin.key, set()).add(one.key)
    return makers


def inputs_digest(component: str, components: Mapping[str, BuiltComponent], definition: str) -> str:
    """Return the digest of a check's inputs.

    Args:
        component: Whose check it is.
        components: key -> every component of the board at one revision.
        definition: Digest of what the check does.
    """
    described: list[JSON] = [
        [one.key, one.files, sorted([pin.key, pin.name, str(pin.side), pin.digest] for pin in one.pins)]
        for one in (components[key] for key in closure(component, components))
    ]
    return digest([definition, described])
