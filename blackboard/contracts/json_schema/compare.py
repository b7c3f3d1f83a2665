"""What a new schema means for those who send documents by it and for those who receive them.

Who sends by one schema and who receives by another get on where nothing is sent that breaks what the other says.
An undeclared name is never sent in an open object, and is ignored when received. A document is conform where it is
conform in each facet, so each changed facet is looked at on its own: can a whole document be sent that breaks it? If
so, that document is the proof; it was held against both schemas by a library.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from blackboard.contracts.facets import NAMES, changed_names
from blackboard.contracts.json_schema.documents import Document, Path, Schema
from blackboard.contracts.json_schema.literals import Literal, members
from blackboard.contracts.json_schema.properties import Place
from blackboard.contracts.json_schema.versus import Break, Versus, by_side
from blackboard.contracts.json_schema.wording import differences
from blackboard.spec.canonical import JSON, canonical_json
from blackboard.spec.effects import UNDECIDED, Comparison, Effect, FacetChange

_ANNOTATIONS = ("default", "deprecated", "readOnly", "writeOnly")


@dataclass(frozen=True, slots=True)
class Version:
    """A schema as it is compared: its document, its facets, and where each of them is."""

    document: Document
    direction: str
    facets: Mapping[str, JSON]
    places: Mapping[str, Place]


def compare(old: Version, new: Version) -> Comparison:
    """Say what changes, for changed facets only."""
    changed = _changed(old.facets, new.facets)
    effects: dict[str, FacetChange] = {}
    if changed and old.direction != new.direction:
        reason = f"direction {old.direction} -> {new.direction}"
        effects = {name: FacetChange(Effect.BREAKING, Effect.BREAKING, reason) for name in changed}
    elif changed:
        pair = _Pair(old, new)
        effects = {name: pair.change(name) for name in changed}
    moved = old.facets.keys() ^ new.facets.keys()
    if moved:
        effects[NAMES] = changed_names([effects[name] for name in moved], new.facets.keys() - old.facets.keys(), moved)
    return Comparison(effects)


def _changed(old: Mapping[str, JSON], new: Mapping[str, JSON]) -> list[str]:
    names = sorted(old.keys() | new.keys())
    return [
        name
        for name in names
        if name not in old or name not in new or canonical_json(old[name]) != canonical_json(new[name])
    ]


class _Pair:
    """Two versions, looked at in both directions."""

    def __init__(self, old: Version, new: Version) -> None:
        self._versions = (old, new)
        self._versus = Versus(old.document, new.document)

    def change(self, name: str) -> FacetChange:
        """Say what the change of a facet means."""
        old, new = self._versions
        forward, backward = self._breaks(name, 0), self._breaks(name, 1)
        uses, implements = by_side(old.direction, forward=forward is not None, backward=backward is not None)
        what = _what(name, old, new)
        if not forward and not backward:
            effect = Effect.NONE if self._is_same(name) else Effect.COMPATIBLE
            return FacetChange(effect, effect, what, "")
        proofs = [
            found.proof(old.direction, forward=found is forward) for found in (forward, backward) if found is not None
        ]
        return FacetChange(uses, implements, what, next((proof for proof in proofs if proof != UNDECIDED), UNDECIDED))

    def _breaks(self, name: str, sender: int) -> Break | None:
        """Say whether documents by one version break a facet of the other."""
        receiver = self._versions[1 - sender]
        path = _definition(name, self._versions[sender])
        if path is not None:
            if _definition(name, receiver) is None:
                return None
            return self._versus.between(sender, path, path)
        broken = self._violation(name, sender)
        return None if broken is None else self._refuted(broken, sender)

    def _violation(self, name: str, sender: int) -> tuple[Literal, ...] | None:
        """Return what a document is that breaks a facet of who receives it."""
        receiver, source = self._versions[1 - sender], self._versus.sources[1 - sender]
        if name in receiver.facets:
            if _definition(name, receiver) is not None:
                return None
            return (source.literal(_only(name, receiver), holds=False),)
        place = self._versions[sender].places[name]
        if place.parent is None or place.parent not in receiver.facets:
            return None
        if place.segment is None:
            return (source.literal(_only(place.parent, receiver), holds=False),)
        there: Schema = {"type": "object", "required": [place.segment]}
        there = _wrapped(there, place.parent, self._versions[sender], every=False)
        return source.literal(_only(place.parent, receiver), holds=False), source.literal(there, holds=True)

    def _is_same(self, name: str) -> bool:
        """Say whether exactly the same documents are meant, undeclared names too."""
        old, new = self._versions
        if name not in old.facets or name not in new.facets or _annotations(old, name) != _annotations(new, name):
            return False
        for sender in (0, 1):
            path = _definition(name, self._versions[sender])
            if path is not None:
                broken = self._versus.between(sender, path, path, sent=False)
            else:
                violation = _only(name, self._versions[1 - sender])
                literal = self._versus.sources[1 - sender].literal(violation, holds=False)
                broken = self._refuted((literal,), sender, sent=False)
            if broken is not None:
                return False
        return True

    def _refuted(self, broken: tuple[Literal, ...], sender: int, *, sent: bool = True) -> Break | None:
        return self._versus.refuted((self._versus.whole(sender, (), sent=sent), *broken), sender, (), ())


def _what(name: str, old: Version, new: Version) -> str:
    if name in old.facets and name in new.facets:
        return differences(old.facets[name], new.facets[name])
    needed = members((new if name in new.facets else old).facets[name]).get("required")
    kind = "" if needed is None else ", required" if needed else ", optional"
    return f"{'added' if name in new.facets else 'removed'}{kind}"


def _definition(name: str, version: Version) -> Path | None:
    place = version.places.get(name)
    return None if place is None else place.definition


def _annotations(version: Version, name: str) -> list[JSON]:
    schema = members(members(version.facets[name]).get("schema"))
    return [schema.get(word) for word in _ANNOTATIONS]


def _only(name: str, version: Version) -> Schema:
    """Return the schema that says of a document what one facet says, and nothing else."""
    place = version.places[name]
    facet = members(version.facets[name])
    schema: Schema = place.whole if place.by_its_members else _with_names(facet.get("schema", True), name, version)
    if place.segment is None or place.parent is None:
        return _wrapped(schema, name, version)
    inner: dict[str, JSON] = {"properties": {place.segment: schema}}
    if facet.get("required") is True:
        inner["required"] = [place.segment]
    return _wrapped(inner, place.parent, version)


def _with_names(schema: JSON, name: str, version: Version) -> Schema:
    """Return a schema that closes an object with the names that are not closed out."""
    if isinstance(schema, Mapping) and "additionalProperties" in schema and "properties" not in schema:
        return {**schema, "properties": dict.fromkeys(version.places[name].names, True)}
    return schema if isinstance(schema, bool | Mapping) else True


def _wrapped(schema: Schema, name: str, version: Version, *, every: bool = True) -> Schema:
    """Return the schema that says something of what is at a place: of every such value, or that there is one."""
    place = version.places[name]
    while place.parent is not None:
        if place.segment is not None:
            schema = {"properties": {place.segment: schema}} | (
                {} if every else {"type": "object", "required": [place.segment]}
            )
        elif every:
            schema = {"prefixItems": [True] * place.after, "items": schema} if place.after else {"items": schema}
        else:
            schema = {"type": "array", "contains": schema}
        place = version.places[place.parent]
    return schema
