"""Start the whole program: the recipes' HTTP API and web pages in one process."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing, suppress

import http_api
import storage
import web_page


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="app.py", description="Track recipes.")
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--database", default="recipes.db", help="made if it is absent (default: %(default)s)")
    options = parser.parse_args(arguments)
    with (
        closing(storage.open_database(options.database)) as db,
        http_api.make_server(db, options.port, web_page.pages) as server,
        suppress(KeyboardInterrupt),
    ):
        print(f"recipes at http://127.0.0.1:{server.server_port}/", flush=True)
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
