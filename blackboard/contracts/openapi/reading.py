"""From a document to its parts."""

import re
from collections.abc import Collection, Mapping
from dataclasses import replace

from blackboard.contracts.facets import Facets
from blackboard.contracts.json_schema import metaschema
from blackboard.contracts.json_schema.described import Described
from blackboard.contracts.json_schema.documents import DIALECT, Document, Path, Schema, check_references, read
from blackboard.contracts.json_schema.literals import listed, members, references_in
from blackboard.contracts.json_schema.normal import normal
from blackboard.contracts.json_schema.whole import Whole
from blackboard.contracts.openapi.parts import Api, Part, Word
from blackboard.contracts.openapi.text import LANGUAGE, read_text
from blackboard.errors import InvalidContract
from blackboard.spec.canonical import JSON, canonical_json

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

_OWN_DIALECT = "/oas/3.1/dialect/base"
_VERSION = re.compile(r"3\.1\.\d{1,3}", re.ASCII)
_IN_PATH = re.compile(r"\{([^{}]*)\}")
_PLACES = ("query", "header", "path", "cookie")
_STYLE = {"query": "form", "header": "simple", "path": "simple", "cookie": "form"}
_UNNAMED = frozenset({"accept", "content-type", "authorization"})
_HINTS = frozenset({"description", "bearerFormat"})
_OF_SERVER = frozenset({"url", "variables"})
_SENT = {True: ("parameter", "request"), False: ("response", "header")}
"""Whether it is sent by who asks -> what has a schema."""
_HOPS = 16


def read_api(text: str) -> Api:
    """Read a document; nothing is fetched.

    Raises:
        InvalidContract: It is no JSON or YAML, no OpenAPI 3.1, or refers to what is not in it.
        TooLarge: A facet's name is too long.
    """
    root = read_text(text)
    version = members(root).get("openapi")
    if not isinstance(root, Mapping) or not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise InvalidContract(LANGUAGE, "a document of OpenAPI 3.1 says openapi: 3.1.0 at its top")
    dialect = root.get("jsonSchemaDialect", DIALECT)
    if dialect != DIALECT and not str(dialect).endswith(_OWN_DIALECT):
        raise InvalidContract(LANGUAGE, f"the only dialect read here is {DIALECT}")
    return _Reader(text if text.lstrip().startswith("{") else "", root).read()


class _Reader:
    def __init__(self, text: str, root: Mapping[str, JSON]) -> None:
        self._text, self._root = text, root
        self._parts: dict[str, Part] = {}
        self._inside: dict[str, dict[str, None]] = {}
        self._schemas: dict[Path, Schema] = {}
        self._places: dict[str, Path] = {}

    def read(self) -> Api:
        for name, schema in members(members(self._root.get("components")).get("schemas")).items():
            self._schema(schema, ("components", "schemas", name))
            at = ("components", "schemas", name)
            self._part(f"schemas {name}", Part("schema", None, path=at), at)
        for template, item in _named(self._root.get("paths")):
            self._item(template, item, ("paths", template))
        for name, item in _named(self._root.get("webhooks")):
            self._item(f"webhook {name}", item, ("webhooks", name), calls=True)
        for name, scheme in members(members(self._root.get("components")).get("securitySchemes")).items():
            value = {word: part for word, part in members(scheme).items() if word not in _HINTS}
            value |= {"scheme": str(value["scheme"]).lower()} if "scheme" in value else {}
            self._part(f"security {name}", Part("security", value), ("components", "securitySchemes", name))
        if self._root.get("servers"):
            self._part("servers", Part("servers", _servers(self._root)), ("servers",))
        return self._finished()

    def _item(self, shown: str, item: JSON, path: Path, *, calls: bool = False) -> None:
        resolved, path = self._real(item, path)
        for method in METHODS:
            if method in resolved:
                self._operation(shown, method, resolved, path, calls=calls)

    def _real(self, part: JSON, path: Path) -> tuple[Mapping[str, JSON], Path]:
        """Follow the references of what is no schema."""
        for _ in range(_HOPS):
            if not isinstance(part, Mapping):
                raise self._refusal(path, "an object is needed here")
            reference = part.get("$ref")
            if reference is None:
                return part, path
            steps = tuple(step.replace("~1", "/").replace("~0", "~") for step in str(reference).split("/"))
            part = self._root
            for step in steps[1:]:
                part = members(part).get(step)
            if steps[0] != "#" or part is None:
                raise self._refusal(path, f"{reference!r} names nothing in this text")
            path = steps[1:]
        raise self._refusal(path, "its references lead on and on")

    def _operation(self, shown: str, method: str, item: Mapping[str, JSON], path: Path, *, calls: bool) -> None:
        operation = members(item[method])
        name = f"{method.upper()} {shown if calls else _IN_PATH.sub('{}', shown)}"
        if name in self._parts:
            raise self._refusal((*path, method), f"{name} is there twice")
        security = operation.get("security", [] if calls else self._root.get("security", []))
        ways = sorted((canonical_json(members(way)) for way in listed(security)), key=str)
        servers = _servers(operation) or _servers(item)
        self._part(name, Part("operation", {"security": ways, **servers}, calls=calls), (*path, method))
        places = {} if calls else {word: index for index, word in enumerate(_IN_PATH.findall(shown), 1)}
        for holder, at in ((item, path), (operation, (*path, method))):
            for index, given in enumerate(listed(holder.get("parameters"))):
                self._parameter(name, given, (*at, "parameters", str(index)), places)
        if "requestBody" in operation:
            body, at = self._real(operation["requestBody"], (*path, method, "requestBody"))
            part = Part("body", {"required": body.get("required") is True}, name, required=body.get("required") is True)
            self._add(f"{name} body", part, at)
            self._contents("request", name, f"{name} body", body, at)
        for status, response in _named(operation.get("responses")):
            given_response, at = self._real(response, (*path, method, "responses", status))
            self._status(name, status, given_response, at)
        for callback, given in _named(operation.get("callbacks")):
            if calls:
                raise self._refusal((*path, method, "callbacks"), "a callback has no callbacks of its own")
            to, at = self._real(given, (*path, method, "callbacks", callback))
            for address, called in _named(to):
                self._item(f"callback {callback} {address} of {name}", called, (*at, address), calls=True)

    def _parameter(self, operation: str, given: JSON, path: Path, places: Mapping[str, int]) -> None:
        parameter, path = self._real(given, path)
        place, name = str(parameter.get("in")), str(parameter.get("name"))
        if place not in _PLACES or (place == "path" and name not in places):
            raise self._refusal(path, f"there is no place {place} for {name!r}")
        if place == "header" and name.lower() in _UNNAMED:
            return
        shown = f"{place} {places[name] if place == 'path' else name.lower() if place == 'header' else name}"
        content = members(parameter.get("content"))
        media = next(iter(content), None)
        at = (*path, "schema") if media is None else (*path, "content", media, "schema")
        schema = parameter.get("schema", True) if media is None else members(content[media]).get("schema", True)
        style = parameter.get("style", _STYLE[place])
        how: dict[str, JSON] = {"style": style, "explode": parameter.get("explode", style == "form"), "media": media}
        how |= {word: parameter.get(word, False) for word in ("allowReserved", "allowEmptyValue")}
        required = parameter.get("required") is True or place == "path"
        self._schema(schema, at)
        value: JSON = {"required": required, **how}
        part = Part("parameter", value, operation, "", shown, at, required, "request")
        self._add(f"{operation} {shown}", part, path)

    def _status(self, operation: str, status: str, response: Mapping[str, JSON], path: Path) -> None:
        facet = f"{operation} {status.upper() if status != 'default' else status}"
        content = bool(members(response.get("content")))
        self._add(facet, Part("status", {"content": content}, operation, "", facet.removeprefix(f"{operation} ")), path)
        for name, given in members(response.get("headers")).items():
            header, at = self._real(given, (*path, "headers", name))
            if name.lower() != "content-type":
                self._schema(header.get("schema", True), (*at, "schema"))
                required = header.get("required") is True
                shown = f"header {name.lower()}"
                part = Part("header", {"required": required}, operation, facet, shown, (*at, "schema"), required)
                self._add(f"{facet} {shown}", part, at)
        self._contents("response", operation, facet, response, path)

    def _contents(self, word: Word, operation: str, within: str, holder: Mapping[str, JSON], path: Path) -> None:
        for media, content in members(holder.get("content")).items():
            at = (*path, "content", media, "schema")
            self._schema(members(content).get("schema", True), at)
            encoding = members(content).get("encoding")
            value: JSON = {"encoding": encoding} if encoding else {}
            part = Part(word, value, operation, within, media.lower(), at, direction=word)
            self._add(f"{within} {media.lower()}", part, at[:-1])

    def _part(self, facet: str, part: Part, at: Path) -> None:
        self._parts[facet], self._places[facet] = part, at

    def _add(self, facet: str, part: Part, at: Path) -> None:
        self._part(facet, replace(part, calls=self._parts[part.operation].calls), at)
        self._inside.setdefault(part.within or part.operation, {})[facet] = None

    def _schema(self, schema: JSON, path: Path) -> None:
        if not isinstance(schema, bool | Mapping):
            raise self._refusal(path, "a schema is an object or a boolean")
        self._schemas[path] = schema

    def _refusal(self, path: Path, why: str) -> InvalidContract:
        return Document(self._text, self._root, {}, {}, LANGUAGE).refusal(path, why)

    def _finished(self) -> Api:
        inner = list(self._schemas.items())
        document = read(self._text, self._root, language=LANGUAGE, inner=inner)
        if inner:
            metaschema.check(document, inner)
        check_references(document)
        whole = Whole(document)
        flows = _flows(document, self._parts.values())
        found, described = Facets(LANGUAGE), Described(document)
        parts: dict[str, Part] = {}
        for name, part in self._parts.items():
            value, direction = part.value, part.direction
            if part.path is not None:
                value = {**members(value), **whole.value(normal(document, self._schemas[part.path]))}
            if part.word == "schema":
                direction = flows.get(part.path or (), "both")
                value = {**members(value), "direction": direction}
            found.add(name, value)
            parts[name] = replace(part, value=value, direction=direction)
            schemas = [] if part.path is None else [self._schemas[part.path]]
            own = None if part.word == "schema" else self._at(self._places[name])
            described.add(name, schemas, members(value).get("refs"), own=own)
        inside = {name: tuple(inside) for name, inside in self._inside.items()}
        return Api(document, parts, inside, self._places, described.docs)

    def _at(self, path: Path) -> JSON:
        """Return what is at a path of the document."""
        found: JSON = self._root
        for step in path:
            found = found[int(step)] if isinstance(found, list) else members(found).get(step)
        return found


def _named(parts: JSON) -> list[tuple[str, JSON]]:
    """Return what is there by name; what begins with x- is somebody's own."""
    return [(name, part) for name, part in members(parts).items() if not name.startswith("x-")]


def _servers(holder: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return where the requests of a document, a path or an operation are sent, nothing where it does not say."""
    said = [
        {word: part for word, part in members(one).items() if word in _OF_SERVER}
        for one in listed(holder.get("servers"))
    ]
    urls = sorted(str(one.get("url")) if len(one) == 1 else canonical_json(one) for one in said)
    return {"servers": [*urls]} if urls else {}


def _flows(document: Document, parts: Collection[Part]) -> dict[Path, str]:
    """Return which way what is of a shared schema is sent, as far as it is sent at all."""
    reached: dict[str, set[Path]] = {}
    for word in ("request", "response"):
        # Who implements a document asks in its callbacks, and so the other way.
        pending = [
            part.path
            for part in parts
            if part.path is not None and part.word in _SENT[(word == "request") is not part.calls]
        ]
        found = reached[word] = set(pending)
        while pending:
            for reference in references_in(normal(document, document.schemas[pending.pop()])):
                path = document.named(reference)
                if path is not None and path not in found:
                    found.add(path)
                    pending.append(path)
    either = reached["request"] ^ reached["response"]
    return {path: word for word, paths in reached.items() for path in paths if path in either}
