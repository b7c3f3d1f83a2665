"""What a new document means for those who send requests and for those who answer them."""

import re
from collections.abc import Callable, Mapping
from functools import partial

from blackboard.contracts.facets import NAMES, changed_names
from blackboard.contracts.json_schema.literals import Found, listed, members
from blackboard.contracts.json_schema.versus import Break, Versus, by_side
from blackboard.contracts.json_schema.wording import differences
from blackboard.contracts.openapi.exchanges import NOT_EMPTY, Exchanges, UnshownError
from blackboard.contracts.openapi.parts import Api, Part
from blackboard.spec.canonical import JSON, canonical_json, parse_json
from blackboard.spec.effects import UNDECIDED, Comparison, Effect, FacetChange

_ASKED = ("operation", "parameter", "body", "request", "servers")
_ANSWERED = ("status", "response", "header")
_TURNED = {"request": "response", "response": "request", "both": "both"}
_HOW = ("style", "explode", "media", "allowReserved", "allowEmptyValue")
_HOST = re.compile(r"https?://[^/{}?#]+/?")
_BOTH = Effect.BREAKING, Effect.BREAKING


def compare(old: Api, new: Api) -> Comparison:
    """Say what changes, for changed facets only."""
    before, after = old.facets, new.facets
    texts = [{name: canonical_json(value) for name, value in facets.items()} for facets in (before, after)]
    changed = [name for name in sorted({**before, **after}) if texts[0].get(name) != texts[1].get(name)]
    pair = _Pair(old, new)
    effects = {name: pair.change(name) for name in changed}
    moved = before.keys() ^ after.keys()
    if moved:
        effects[NAMES] = changed_names([effects[name] for name in moved], after.keys() - before.keys(), moved)
    return Comparison(effects)


class _Pair:
    """Two documents, looked at in both directions."""

    def __init__(self, old: Api, new: Api) -> None:
        self._apis = (old, new)
        self._versus = Versus(old.document, new.document)
        self._exchanges = (
            Exchanges(old, partial(self._versus.example, 0)),
            Exchanges(new, partial(self._versus.example, 1)),
        )

    def change(self, name: str) -> FacetChange:
        """Say what the change of a facet means."""
        parts = [api.parts.get(name) for api in self._apis]
        part = next(part for part in parts if part is not None)
        before, after = parts
        if before is not None and after is not None:
            reason = differences(before.value, after.value)
        else:
            reason = f"{part.word} {'added' if before is None else 'removed'}"
        if part.word == "security":
            # Why a new one or one that is gone does nothing: the operations that need it say so.
            effects = (Effect.COMPATIBLE, Effect.COMPATIBLE) if None in parts else _BOTH
            return FacetChange(*effects, reason, "" if None in parts else UNDECIDED)
        forward, backward = self._breaks(name, 0), self._breaks(name, 1)
        ways = {one.direction for one in parts if one is not None}
        direction = "response" if part.word in _ANSWERED else ways.pop() if len(ways) == 1 else "both"
        direction = "request" if part.word in _ASKED else direction
        if part.calls:
            direction = "both" if part.word == "operation" and None in parts else _TURNED[direction]
        uses, implements = by_side(direction, forward=forward is not None, backward=backward is not None)
        broken = [one for one in (forward, backward) if one is not None]
        if not broken:
            effect = Effect.NONE if self._is_same(*parts) else Effect.COMPATIBLE
            return FacetChange(effect, effect, reason, "")
        proof_direction = "both" if part.calls else direction
        proofs = [one.proof(proof_direction, forward=one is forward) for one in broken]
        proof = next((one for one in proofs if one != UNDECIDED), UNDECIDED)
        return FacetChange(uses, implements, reason, proof)

    def _breaks(  # noqa: PLR0911 - one for each kind of part
        self, name: str, sender: int
    ) -> Break | None:
        """Say whether messages by one document break a facet of the other."""
        sends, takes = self._apis[sender], self._apis[1 - sender]
        part = sends.parts.get(name) or takes.parts[name]
        if part.word == "schema":
            return self._shared(sends.parts.get(name), takes.parts.get(name), sender)
        if part.word == "servers":
            return _unserved(sends.servers(), takes.servers(), of_all=True)
        if part.operation not in sends.parts and name not in sends.parts:
            return None
        if (part.operation or name) not in takes.parts:
            # Nobody takes the request, so nobody waits for an answer.
            return None if part.word in _ANSWERED else self._request(sender, part.operation or name, {})
        match part.word:
            case "operation":
                if not _admitted(sends, takes, name):
                    return self._request(sender, name, {})
                return _unserved(sends.servers(name), takes.servers(name))
            case "parameter" | "body":
                return self._given(name, part, sender)
            case "request":
                return self._content(name, part, sender)
            case _:
                return self._answer(name, part, sender)

    def _shared(self, sent: Part | None, taken: Part | None, sender: int) -> Break | None:
        if sent is None or taken is None or sent.path is None or taken.path is None:
            return None
        if members(sent.value).get("encoding") != members(taken.value).get("encoding"):
            return Break()
        return self._versus.between(sender, sent.path, taken.path)

    def _given(self, name: str, part: Part, sender: int) -> Break | None:
        """Say whether a parameter or a body is sent that is not taken, or is left out though it is needed."""
        sent, taken = (api.parts.get(name) for api in (self._apis[sender], self._apis[1 - sender]))
        if taken is not None and taken.required and (sent is None or not sent.required):
            return self._request(sender, part.operation, {name: None})
        if sent is None:
            return None
        if taken is None:
            return self._request(sender, part.operation, {name: self._some(sent, sender)})
        if any(members(sent.value).get(word) != members(taken.value).get(word) for word in _HOW):
            return Break()
        found = self._written(sent, taken, sender)
        if found is not None and found.example is not None and self._reads(found.example.value, taken, 1 - sender):
            return Break()
        return _shown(found, lambda value: self._request(sender, part.operation, {name: value}))

    def _written(self, sent: Part, taken: Part, sender: int) -> Break | None:
        """Say whether a parameter breaks another, shown by one that is not empty: that is as if it were not there."""
        if sent.path is None or taken.path is None:
            return None
        found = self._versus.between(sender, sent.path, taken.path, also=NOT_EMPTY)
        return found or (None if sent.name.startswith("path ") else self._shared(sent, taken, sender))

    def _reads(self, value: JSON, taken: Part, side: int) -> bool:
        """Say whether what is written into a target is taken though it is no value of the schema: it may be a text."""
        written = isinstance(value, int | float) and taken.path is not None
        return written and self._versus.valid(side, canonical_json(value), taken.path or ()) is not False

    def _content(self, name: str, part: Part, sender: int) -> Break | None:
        """Say whether a body of a media type is sent that is not taken."""
        sent, taken = (api.parts.get(name) for api in (self._apis[sender], self._apis[1 - sender]))
        if sent is None:
            return None
        found = Break(self._some(sent, sender)) if taken is None else self._shared(sent, taken, sender)
        return _shown(found, lambda value: self._request(sender, part.operation, {part.within: value, name: value}))

    def _answer(self, name: str, part: Part, sender: int) -> Break | None:
        """Say whether an answer is given that is not taken."""
        sends, takes = self._apis[sender], self._apis[1 - sender]
        facet = part.within or name
        if facet not in sends.parts:
            return None
        status = sends.parts[facet].name
        for taken in _taken(sends, takes, part.operation, status):
            if taken is None:
                found = Break(self._some(sends.parts[name], sender)) if name in sends.parts else None
            else:
                found = self._answered(name, part, sender, taken)
            if found is not None:
                given = {name: found.example} if part.word == "response" else {}
                return _shown(found, lambda _, given=given: self._response(sender, part.operation, status, given))  # type: ignore[misc]
        return None

    def _answered(self, name: str, part: Part, sender: int, facet: str) -> Break | None:
        """Say whether a part of an answer breaks what the facet of a status says of it."""
        sends, takes = self._apis[sender], self._apis[1 - sender]
        if part.word == "status":
            return None if sends.parts[name].value == takes.parts[facet].value else Break(Found(None))
        sent, taken = sends.parts.get(name), takes.parts.get(f"{facet} {part.name}")
        if part.word == "header":
            left_out = taken is not None and taken.required and (sent is None or not sent.required)
            return Break(Found(None)) if left_out else self._shared(sent, taken, sender) and Break()
        if sent is not None and taken is None:
            return Break(self._some(sent, sender))
        return self._shared(sent, taken, sender)

    def _some(self, part: Part, side: int) -> Found | None:
        if part.path is None:
            return Found(None)
        return self._versus.example(side, part.path, NOT_EMPTY if part.word == "parameter" else True)

    def _request(self, sender: int, operation: str, given: Mapping[str, Found | None]) -> Break:
        try:
            return Break(Found(self._exchanges[sender].request(operation, given)))
        except UnshownError:
            return Break()

    def _response(self, sender: int, operation: str, status: str, given: Mapping[str, Found | None]) -> Break:
        try:
            return Break(Found(self._exchanges[sender].response(operation, status, given)))
        except UnshownError:
            return Break()

    def _is_same(self, old: Part | None, new: Part | None) -> bool:
        """Say whether exactly the same is sent, undeclared names too."""
        if old is None or new is None or old.path is None or new.path is None or old.required != new.required:
            return False
        there = self._versus.between(0, old.path, new.path, sent=False)
        return there is None and self._versus.between(1, new.path, old.path, sent=False) is None


def _shown(found: Break | None, message: Callable[[Found], Break]) -> Break | None:
    """Return the break with a message as its example."""
    return found if found is None or found.example is None else message(found.example)


def _taken(sends: Api, takes: Api, operation: str, status: str) -> list[str | None]:
    """Return the facets by which an answer with a status, or one of a class, is taken; None: by none."""
    found = [takes.answers(operation, status)]
    if status == "default" or status.endswith("XX"):
        others = [part.name for part in takes.within(operation, "status")]
        alike = [one for one in others if one != "default" and (status == "default" or one[0] == status[0])]
        found += [f"{operation} {one}" for one in alike if f"{operation} {one}" not in sends.parts]
    return list(dict.fromkeys(found))


def _admitted(sends: Api, takes: Api, operation: str) -> bool:
    """Say whether who is known in each way that one document says is known in a way that the other says."""
    ways, needed = (
        [_way(api, one) for one in listed(members(api.parts[operation].value).get("security"))]
        for api in (sends, takes)
    )
    return all(any(need <= way for need in needed or [set()]) for way in ways or [set()])


def _way(api: Api, text: JSON) -> set[tuple[str, str]]:
    schemes = members(parse_json(str(text)))
    return {
        (canonical_json(api.scheme(scheme)), str(scope))
        for scheme, scopes in schemes.items()
        for scope in ("", *listed(scopes))
    }


def _unserved(sent: list[str], served: list[str], *, of_all: bool = False) -> Break | None:
    """Say whether requests are sent to where nobody answers them."""
    # Why a host alone: a document that names no server says "/", and leaves open which host that is.
    some = of_all and ("/" in sent or "/" in served)
    known = {*served, *(one for one in sent if some and _bare(one) and any(map(_bare, served)))}
    return next((Break(Found({"server": one})) for one in sent if one not in known), None)


def _bare(server: str) -> bool:
    return server == "/" or _HOST.fullmatch(server) is not None
