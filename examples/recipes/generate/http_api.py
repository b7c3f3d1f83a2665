"""The rows of a table over HTTP, as JSON."""

import json
from collections.abc import Mapping
from typing import Any

from generate.tables import Column, Table

PAGE = 20


def stub(name: str) -> str:
    """Return the contract of the function that answers requests; it is the same for every table."""
    return f'''import sqlite3
from typing import Any

def answer(
    db: sqlite3.Connection, method: str, rest: str, query: dict[str, str], value: Any
) -> tuple[int, Any]:
    """Answer a request to /{name}: status and JSON value, which is None where there is nothing to say.

    GET and POST have no `rest`; with the key of a row there are GET, PUT and DELETE. `value` is the body, read as JSON.
    """
'''


def routes(table: Table, agreed: Mapping[str, Any]) -> str:
    """Return the OpenAPI contract of the table's addresses."""
    columns = {column.name: _schema(column, agreed.get("api/dates", "iso")) for column in table.columns}
    row = {"type": "object", "required": sorted(columns), "properties": columns}
    many: dict[str, Any] = {"type": "array", "items": row}
    if agreed["api/list"] == "page":
        parts = {"rows": many, "total": {"type": "integer"}, "next": {"type": ["string", "null"]}}
        many = {"type": "object", "required": sorted(parts), "properties": parts}
    message = {"type": "string"}
    if agreed["api/errors"] == "text":
        wrong: dict[str, Any] = {"error": message}
    else:
        one = {"type": "object", "required": ["code", "message"], "properties": {"code": message, "message": message}}
        wrong = {"errors": {"type": "array", "items": one}}
    refused = _says("what is wrong", {"type": "object", "required": sorted(wrong), "properties": wrong})
    body = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
    kept, none = _says("the row", row), {"description": "removed"}
    start = {"name": "offset", "in": "query", "schema": {"type": "integer"}}
    key = {"name": "key", "in": "path", "required": True, "schema": {"type": "string"}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": table.name, "version": "1"},
        "paths": {
            f"/{table.name}": {
                "get": {"parameters": [start], "responses": {"200": _says("rows by their key", many)}},
                "post": {"requestBody": body, "responses": {"201": kept, "400": refused}},
            },
            f"/{table.name}/{{key}}": {
                "parameters": [key],
                "get": {"responses": {"200": kept, "404": refused}},
                "put": {"requestBody": body, "responses": {"200": kept, "400": refused, "404": refused}},
                "delete": {"responses": {"204": none, "404": refused}},
            },
        },
    }
    return json.dumps(document, indent=1)


def _says(what: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": what, "content": {"application/json": {"schema": schema}}}


def _schema(column: Column, form: str) -> dict[str, Any]:
    dates = "string" if form == "iso" else "integer"
    names = {"int": "integer", "float": "number", "bool": "boolean", "str": "string"}
    name = names.get(column.kind, dates)
    return {"type": [name, "null"] if column.nullable else name}


def code(name: str, agreed: Mapping[str, Any]) -> str:
    """Return the module that answers requests."""
    listed = {
        "list": "    return 200, [service.shown(row) for row in service.find(db, service.count(db), 0)]",
        "page": f"""    offset = int(query.get("offset", "0")) if query.get("offset", "0").isdecimal() else 0
    rows, total = [service.shown(row) for row in service.find(db, {PAGE}, offset)], service.count(db)
    following = f"/{name}?offset={{offset + {PAGE}}}" if offset + {PAGE} < total else None
    return 200, {{"rows": rows, "total": total, "next": following}}""",
    }[agreed["api/list"]]
    wrong = {"text": '{"error": message}', "list": '{"errors": [{"code": code, "message": message}]}'}
    return f'''"""The rows of {name} over HTTP."""

import sqlite3
from typing import Any

import {name}_service as service


def answer(
    db: sqlite3.Connection, method: str, rest: str, query: dict[str, str], value: Any
) -> tuple[int, Any]:
    try:
        if rest:
            return _one(db, method, service.key_of(rest), value)
        return _all(db, method, query, value)
    except service.Invalid as error:
        return 400, _wrong("invalid", str(error))
    except service.Missing as error:
        return 404, _wrong("missing", str(error))


def _all(db: sqlite3.Connection, method: str, query: dict[str, str], value: Any) -> tuple[int, Any]:
    if method == "POST":
        return 201, service.shown(service.create(db, _object(value)))
    if method != "GET":
        return 405, _wrong("not_allowed", f"{{method}} is not possible here")
{listed}


def _one(db: sqlite3.Connection, method: str, key: Any, value: Any) -> tuple[int, Any]:
    if method == "GET":
        return 200, service.shown(service.read(db, key))
    if method == "PUT":
        return 200, service.shown(service.change(db, key, _object(value)))
    if method == "DELETE":
        service.remove(db, key)
        return 204, None
    return 405, _wrong("not_allowed", f"{{method}} is not possible here")


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise service.Invalid("the body has to be a JSON object")
    return value


def _wrong(code: str, message: str) -> dict[str, Any]:
    return {wrong[agreed["api/errors"]]}
'''
