"""The program: one command that serves all tables over HTTP, or works on them directly."""

import re
from collections.abc import Sequence


def code(names: Sequence[str], prompt: str) -> str:
    """Return the module that starts everything.

    Args:
        names: The tables, each after those that it refers to.
        prompt: What the team was asked for.
    """
    imports = "\n".join(sorted(f"import {name}_{layer}" for name in names for layer in ("cli", "http", "storage")))
    answers = "\n".join(f'    "{name}": {name}_http.answer,' for name in names)
    made = "\n".join(f"    {name}_storage.create_table(db)" for name in names)
    registered = "\n".join(f"    {name}_cli.register(commands)" for name in names)
    # Of whatever was asked for, one line that needs no escape in a docstring.
    asked = re.sub(r"[^\w .,;:!?()/'-]+", " ", " ".join(prompt.split()))[:80].strip() or "What was asked for"
    return f'''"""{asked.capitalize()}: the whole program."""

import argparse
import json
import sqlite3
import sys
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

{imports}

ANSWERS: dict[str, Callable[..., tuple[int, Any]]] = {{
{answers}
}}
LARGEST_BODY = 1_000_000


def open_database(path: str) -> sqlite3.Connection:
    """Open the database, with all tables in it."""
    db = sqlite3.connect(path)
    db.execute("PRAGMA foreign_keys = ON")
{made}
    return db


def make_server(db: sqlite3.Connection, port: int) -> HTTPServer:
    """Return a server on the loopback interface; port 0 takes a free one."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 30

        def respond(self) -> None:
            status, value = self.answered()
            content = b"" if value is None else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def answered(self) -> tuple[int, Any]:
            url = urlsplit(self.path)
            name, _, rest = url.path.strip("/").partition("/")
            if name not in ANSWERS:
                return 404, {{"error": f"there is nothing at {{url.path}}"}}
            length = self.headers.get("Content-Length", "0")
            if not length.isdecimal() or int(length) > LARGEST_BODY:
                return 413, {{"error": f"a body has at most {{LARGEST_BODY}} bytes"}}
            try:
                body = json.loads(self.rfile.read(int(length)) or b"null")
            except ValueError:
                return 400, {{"error": "the body is no JSON"}}
            return ANSWERS[name](db, self.command, unquote(rest), dict(parse_qsl(url.query)), body)

        def log_message(self, *_: object) -> None:
            """Say nothing of each request."""

        do_GET = do_POST = do_PUT = do_DELETE = respond

    return HTTPServer(("127.0.0.1", port), Handler)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="app.py", description={" ".join(prompt.split()).replace("%", "%%")!r})
    parser.add_argument("--database", default="app.db", help="made if it is absent (default: %(default)s)")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serving = commands.add_parser("http-server", help="serve everything over HTTP on the loopback interface")
    serving.add_argument("--port", type=int, default=8000, help="0 takes a free one (default: %(default)s)")
{registered}
    options = parser.parse_args(arguments)
    db = open_database(options.database)
    try:
        if options.command != "http-server":
            return int(options.run(options, db))
        with make_server(db, options.port) as server:
            print(f"http://127.0.0.1:{{server.server_port}}/", flush=True)
            server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        db.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
'''
