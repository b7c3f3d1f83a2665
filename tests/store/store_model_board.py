"""Everything on the board of a hundred dictionaries at one moment."""

import json
from dataclasses import dataclass, field
from fnmatch import fnmatchcase


def matches(pattern, key):
    """Say whether a key is under a pattern, by comparing segments."""

    def under(parts, segments):
        if not parts:
            return not segments
        if parts[0] == "**":
            return any(under(parts[1:], segments[n:]) for n in range(len(segments) + 1))
        return bool(segments) and fnmatchcase(segments[0], parts[0]) and under(parts[1:], segments[1:])

    return under(pattern.split("/"), key.split("/"))


def facets(value):
    """Return the facets of a value: the members of a flat object, or the value itself."""
    return dict(value) if isinstance(value, dict) else {"$": value}


def sided(pins, implements):
    """Return pins of which those under what is implemented are on that side."""
    return frozenset(
        (key, name, value, "implements" if any(matches(one, key) for one in implements) else side)
        for key, name, value, side in pins
    )


@dataclass
class Version:
    value: object
    author: str
    state: str = "proposed"
    reason: str = ""
    premises: dict = field(default_factory=dict)  # (key, facet or None for the set of names) -> value, in a team


@dataclass
class Built:
    files: dict
    pins: frozenset  # (key, facet or None for the set of names, JSON of the value, side)
    patterns: frozenset
    author: str
    revision: int = 0
    verdicts: dict = field(default_factory=dict)  # check -> (passed, inputs)


@dataclass
class Key:
    kind: str
    state: str = "absent"
    versions: list = field(default_factory=list)
    current: int | None = None
    generation: int = 0
    question: str | None = None
    member: int = 0
    asked: int = 0
    changed: int = 0
    builds: list = field(default_factory=list)

    @property
    def value(self):
        return None if self.current is None else self.versions[self.current - 1].value

    @property
    def accepted(self):
        return self.kind == "decision" and self.current is not None


class Board:
    """Everything at one moment."""

    def __init__(self):
        self.keys: dict[str, Key] = {}

    def decision(self, key):
        found = self.keys.get(key)
        return found if found is not None and found.accepted else None

    def component(self, key):
        found = self.keys.get(key)
        return found.builds[-1] if found is not None and found.builds else None

    def facet(self, key, name):
        """Return a facet of what is accepted, None where it has no such; with None for a name the set of names."""
        found = self.decision(key)
        if found is None:
            return "gone"
        here = facets(found.value)
        return encoded(sorted(here) if name is None else here.get(name))

    def is_shaken(self, key):
        """Say whether anything that an accepted decision rests on is otherwise now."""
        found = self.keys[key]
        premises = found.versions[found.current - 1].premises
        return any(self.facet(*premise) != value for premise, value in premises.items())

    def together(self, component):
        """Return the component and all that implement what it or one of them uses."""
        found, size = {component}, 0
        while len(found) > size:
            size = len(found)
            used = {key for one in found for key, _, _, side in self.pins(one) if side == "uses"}
            found |= {
                one for one in self.keys for key, _, _, side in self.pins(one) if side == "implements" and key in used
            }
        return found

    def pins(self, key):
        built = self.component(key)
        return built.pins if built else ()

    def inputs(self, component):
        """Return what a check of it sees: its own pins as they stand now, of others what they were built against."""
        others = {one: self.component(one) for one in self.together(component) - {component}}
        # That nothing is accepted looks to a check as if nothing was there.
        now = {
            (key, name, self.facet(key, name).replace("gone", "null"), side)
            for key, name, _, side in self.pins(component)
        }
        return self.component(component).files, now, {key: (one.files, one.pins) for key, one in others.items()}

    def freshness(self, key):
        built, states = self.component(key), {"current"}
        for name, facet, value, _ in built.pins:
            now = self.facet(name, facet)
            if now != value:
                states.add("orphaned" if now == "gone" else "stale")
        for pattern in built.patterns:
            members = [one.member for name, one in self.keys.items() if one.accepted and matches(pattern, name)]
            if max(members, default=0) > built.revision:
                states.add("stale")
        return next(state for state in ("orphaned", "stale", "current") if state in states)


def encoded(value):
    return json.dumps(value, sort_keys=True)
