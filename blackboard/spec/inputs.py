"""The inputs of a check: a component, and those that implement what it uses, transitively.

A verdict is bound to the digest of exactly this: files, current values of what is pinned, and the check's definition.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from blackboard.spec.canonical import JSON, digest
from blackboard.spec.effects import Side
from blackboard.spec.staleness import UNCHECKED, Checked, Freshness, Pin


@dataclass(frozen=True, slots=True)
class BuiltComponent:
    """A component's newest version; `files` is the digest of its files.

    Attributes:
        values: The digest that each pinned facet has now, "" where there is none.
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
    """Return the component and all that are inputs of its checks, sorted."""
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
    """Return the digest of the inputs of a component's check, from all components of the board at one revision."""
    described: list[JSON] = []
    for key in closure(component, components):
        one = components[key]
        # A check sees the current decisions that its own component pins; of the others it sees their files.
        values = one.values if key == component else tuple(pin.digest for pin in one.pins)
        pinned = zip(one.pins, values, strict=True)
        described.append([key, one.files, sorted([pin.key, pin.name, str(pin.side), value] for pin, value in pinned)])
    return digest([definition, described])


def whole_digest(components: Mapping[str, BuiltComponent], probes: Mapping[str, Sequence[str]], definition: str) -> str:
    """Return the digest of the inputs of a check of the whole program, from all components at one revision.

    Args:
        probes: Component -> the arguments that its entry point has to answer, if it makes one.
    """
    built: list[JSON] = [[key, one.files] for key, one in sorted(components.items())]
    started: list[JSON] = [[key, list(probe)] for key, probe in sorted(probes.items()) if probe and key in components]
    return digest([definition, built, started])
