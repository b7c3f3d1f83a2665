"""The recipes over HTTP: JSON under /api/, and whatever pages the program brings along."""

import json
import re
import sqlite3
import threading
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
#: when api/list shape == "list"
from urllib.parse import parse_qs, urlsplit
#: else
from urllib.parse import parse_qs, urlencode, urlsplit
#: end

import service

Call = Callable[..., tuple[int, Any]]
"""call(method, target, value=None) -> (status, JSON value): the API from inside."""

Pages = Callable[[str, str, str, Call], tuple[int, dict[str, str], str]]
"""pages(method, target, body, call) -> (status, headers, text)."""

STATUS = {"invalid": 400, "missing": 404, "not_allowed": 405, "taken": 409, "too_large": 413, "failed": 500}
LARGEST_BODY = 1_000_000
#: when api/list shape == "page"
PAGE_SIZE = 20
#: end
#: when api/ids kind == "int"
RECIPE = re.compile(r"/api/recipes/([1-9][0-9]{0,15})")
#: else
RECIPE = re.compile(r"/api/recipes/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
#: end


def answer(db: sqlite3.Connection, method: str, target: str, body: str = "") -> tuple[int, Any]:
    """Answer one request to the API: (status, JSON value); the value is None where there is nothing to say."""
    try:
        return _route(db, method, target, body)
    except service.Problem as problem:
        return STATUS[problem.kind], _error(problem.kind, problem.message)


def make_server(db: sqlite3.Connection, port: int, pages: Pages | None = None) -> ThreadingHTTPServer:
    """Return a server on the loopback interface, ready to serve; port 0 takes a free one."""
    one_at_a_time = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        timeout = 30

        def respond(self) -> None:
            try:
                body = self.body()
                with one_at_a_time:
                    status, headers, text = _respond(db, pages, self.command, self.path, body)
            except service.Problem as problem:
                status, headers, text = _json(STATUS[problem.kind], _error(problem.kind, problem.message))
            except Exception:
                traceback.print_exc()
                status, headers, text = _json(STATUS["failed"], _error("failed", "the server has a fault"))
            content = text.encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def body(self) -> str:
            length = self.headers.get("Content-Length", "0")
            if not length.isdecimal() or int(length) > LARGEST_BODY:
                raise service.Problem("too_large", f"a body has at most {LARGEST_BODY} bytes")
            return self.rfile.read(int(length)).decode("utf-8", "replace")

        def log_message(self, *_: object) -> None:
            """Stay quiet: only faults are printed."""

        do_GET = do_POST = do_PUT = do_DELETE = respond

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def _respond(
    db: sqlite3.Connection, pages: Pages | None, method: str, target: str, body: str
) -> tuple[int, dict[str, str], str]:
    if target.startswith("/api/") or pages is None:
        return _json(*answer(db, method, target, body))

    def call(method: str, target: str, value: Any = None) -> tuple[int, Any]:
        status, said = answer(db, method, target, "" if value is None else json.dumps(value))
        return status, json.loads(json.dumps(said))

    return pages(method, target, body, call)


def _json(status: int, value: Any) -> tuple[int, dict[str, str], str]:
    text = "" if value is None else json.dumps(value, ensure_ascii=False)
    return status, {"Content-Type": "application/json; charset=utf-8"}, text


def _route(db: sqlite3.Connection, method: str, target: str, body: str) -> tuple[int, Any]:
    url = urlsplit(target)
    if url.path == "/api/recipes":
        if method == "GET":
            return 200, _list(db, {name: values[-1] for name, values in parse_qs(url.query).items()})
        if method == "POST":
            return 201, service.create(db, _value(body))
    elif found := RECIPE.fullmatch(url.path):
        #: when api/ids kind == "int"
        recipe_id = int(found[1])
        #: else
        recipe_id = found[1]
        #: end
        if method == "GET":
            return 200, service.read(db, recipe_id)
        if method == "PUT":
            return 200, service.change(db, recipe_id, _value(body))
        if method == "DELETE":
            return 204, service.remove(db, recipe_id)
    else:
        raise service.Problem("missing", f"there is nothing at {url.path}")
    raise service.Problem("not_allowed", f"{method} is not possible at {url.path}")


#: when api/list shape == "list"
def _list(db: sqlite3.Connection, query: dict[str, str]) -> list[dict[str, Any]]:
    recipes, _ = service.find(db, query.get("q", ""))
    return recipes
#: else
def _list(db: sqlite3.Connection, query: dict[str, str]) -> dict[str, Any]:
    words, start = query.get("q", ""), query.get("offset", "0")
    if not re.fullmatch(r"\d{1,9}", start, re.ASCII):
        raise service.Problem("invalid", "offset is a whole number")
    offset = int(start)
    recipes, total = service.find(db, words, offset, PAGE_SIZE)
    after = offset + PAGE_SIZE
    following = "/api/recipes?" + urlencode({"q": words, "offset": after}) if after < total else None
    return {"recipes": recipes, "total": total, "next": following}
#: end


def _value(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        raise service.Problem("invalid", "the body is no JSON") from None


#: when api/errors shape == "text"
def _error(_: str, message: str) -> dict[str, Any]:
    return {"error": message}
#: else
def _error(code: str, message: str) -> dict[str, Any]:
    return {"errors": [{"code": code, "message": message}]}
#: end
