"""What a check's result rests on: a component, and those that implement what it uses, transitively.

A verdict is bound to the digest of exactly this: files, what is pinned as it stands now, and the check's definition.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from blackboard.spec.canonical import JSON, digest
from blackboard.spec.effects import Side
from blackboard.spec.staleness import UNCHECKED, Checked, Freshness, Pin


@dataclass(frozen=True, slots=True)
class BuiltComponent:
    """A component's newest version: digest of its files, what it pins, how it stands.

    Attributes:
        values: The digest that each pinned facet has now, "" where there is none.
        checked: What its checks said last while it was suspect.
        has_code: Whether one of its files is a Python file.
    """

    key: str
    version: int
    files: str
    pins: tuple[Pin, ...]
    values: tuple[str, ...]
    freshness: Freshness
    checked: Checked = UNCHECKED
    has_code: bool = False

    @property
    def implemented(self) -> frozenset[str]:
        """The decisions that it implements."""
        return frozenset(pin.key for pin in self.pins if pin.side is Side.IMPLEMENTS)


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
        for key in one.implemented:
            makers.setdefault(key, set()).add(one.key)
    return makers


def inputs_digest(component: str, components: Mapping[str, BuiltComponent], definition: str) -> str:
    """Return the digest of a check's inputs.

    Args:
        component: Whose check it is.
        components: key -> every component of the board at one revision.
        definition: Digest of what the check does.
    """
    described: list[JSON] = [
        _described(components[key], own=key == component) for key in closure(component, components)
    ]
    return digest([definition, described])


def whole_digest(components: Mapping[str, BuiltComponent], probes: Mapping[str, Sequence[str]], definition: str) -> str:
    """Return the digest of the inputs of a check of the whole program.

    Args:
        components: key -> every component of the board at one revision.
        probes: component -> the arguments that its entry point has to answer, for those that make one.
        definition: Digest of what the check does.
    """
    built: list[JSON] = [[key, one.files] for key, one in sorted(components.items())]
    started: list[JSON] = [[key, list(probe)] for key, probe in sorted(probes.items()) if probe and key in components]
    return digest([definition, built, started])


def _described(one: BuiltComponent, *, own: bool) -> JSON:
    # A check sees the decisions that its own component pins as they stand now; of the others it sees their files.
    values = one.values if own else tuple(pin.digest for pin in one.pins)
    pinned = zip(one.pins, values, strict=True)
    return [one.key, one.files, sorted([pin.key, pin.name, str(pin.side), value] for pin, value in pinned)]
