"""Requests and responses that show what works, as JSON.

A request is {"request": "POST /r/7?n=1", "headers": {…}, "media": …, "body": …}, a response {"response": "POST /r",
"status": 200, "media": …, "body": …}; what they do not have is left out.
"""

from collections.abc import Callable, Mapping
from typing import NoReturn
from urllib.parse import quote

from blackboard.contracts.json_schema.documents import Path, Schema
from blackboard.contracts.json_schema.literals import Found, listed, members
from blackboard.contracts.openapi.parts import Api, Part
from blackboard.spec.canonical import JSON, canonical_json, parse_json

Example = Callable[[Path, Schema], Found | None]
NOT_EMPTY: Schema = {"minLength": 1}
"""What a parameter fulfils so that it is seen in a target."""


class UnshownError(Exception):
    """No message was found."""


class Exchanges:
    """Makes messages by one document, plain ones but for what is given."""

    def __init__(self, api: Api, example: Example) -> None:
        self._api = api
        self._example = example

    def request(self, operation: str, given: Mapping[str, Found | None]) -> JSON:
        """Return a request.

        Args:
            given: Facet of a parameter, of a body or of a media type -> its value; None: it is left out.

        Raises:
            UnshownError: Some value that is needed was not found.
        """
        query: list[str] = []
        headers: dict[str, JSON] = {}
        message: dict[str, JSON] = {}
        method, template = operation.split(" ", 1)
        places = template.split("{}")
        for name in self._api.inside.get(operation, ()):
            part = self._api.parts[name]
            if part.word == "parameter" and (part.required or name in given):
                value = given[name] if name in given else self._found(part)
                place, _, called = part.name.partition(" ")
                if value is None:
                    continue
                if place == "query":
                    query.append(f"{quote(called)}={quote(_plain(value))}")
                elif place == "path":
                    places[int(called) - 1] += quote(_plain(value) or _unshown(), safe="")
                else:
                    headers[called] = _plain(value)
            elif part.word == "body" and given.get(name, True) is not None:
                message |= self._content(name, given, needed=part.required or name in given)
        for name in self._known_by(operation):
            scheme = members(self._api.scheme(name))
            if scheme.get("in") == "query":
                query.append(f"{quote(str(scheme.get('name')))}=…")
            else:
                by_header = scheme.get("in") == "header"
                headers[str(scheme.get("name")).lower() if by_header else str(scheme.get("in", "authorization"))] = "…"
        target = "".join(places) + ("?" + "&".join(query) if query else "")
        return {"request": f"{method} {target}", **({"headers": headers} if headers else {}), **message}

    def _known_by(self, operation: str) -> list[str]:
        """Return the names of what says who asks, in the first of the ways that an operation has."""
        ways = listed(members(self._api.parts[operation].value).get("security"))
        return sorted(members(parse_json(str(ways[0])))) if ways else []

    def response(self, operation: str, status: str, given: Mapping[str, Found | None]) -> JSON:
        """Return a response.

        Raises:
            UnshownError: Some value that is needed was not found.
        """
        codes = [status.replace("XX", "99")] if status != "default" else ["599", "499", "399", "299"]
        code = next((one for one in codes if self._api.answers(operation, one) == f"{operation} {status}"), None)
        facet = f"{operation} {status}"
        headers = {part.name.partition(" ")[2]: part for part in self._api.within(facet, "header") if part.required}
        shown: dict[str, JSON] = {name: _plain(self._found(part)) for name, part in headers.items()}
        content = self._content(facet, given, needed=True)
        return {
            "response": operation,
            "status": int(code or _unshown()),
            **({"headers": shown} if shown else {}),
            **content,
        }

    def _content(self, facet: str, given: Mapping[str, Found | None], *, needed: bool) -> dict[str, JSON]:
        contents = [name for name in self._api.inside.get(facet, ()) if "/" in self._api.parts[name].name]
        name = next((name for name in contents if name in given), contents[0] if contents and needed else None)
        if name is None:
            return {}
        part = self._api.parts[name]
        return {"media": part.name, "body": (given.get(name) or self._found(part)).value}

    def _found(self, part: Part) -> Found:
        also = NOT_EMPTY if part.word in ("parameter", "header") else True
        found = None if part.path is None else self._example(part.path, also)
        return _unshown() if found is None else found


def _plain(found: Found) -> str:
    value = found.value
    if isinstance(value, list | Mapping) or value is None:
        return _unshown()
    return value if isinstance(value, str) else canonical_json(value)


def _unshown() -> NoReturn:
    raise UnshownError
