"""Track recipes from the command line: a client of the recipes' HTTP API."""

import argparse
import json
import re
#: when api/id_maker made_by == "client"
#: when api/ids kind == "int"
import secrets
#: end
#: end
import sys
import urllib.error
import urllib.request
#: when api/ids kind == "uuid"
import uuid
#: end
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

Call = Callable[..., tuple[int, Any]]
"""call(method, target, value=None) -> (status, JSON value)."""


class Failed(Exception):
    """The API refused; the message is its own."""


def main(arguments: Sequence[str] | None = None, call: Call | None = None) -> int:
    """Run one command and return its exit status; `call` stands in for HTTP."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options, call or _over_http(options.url))
    except Failed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {options.url} cannot be reached: {error}", file=sys.stderr)
        return 1
    return 0


def add(options: argparse.Namespace, call: Call) -> None:
    """Add a recipe and print its id."""
    recipe = {
        #: when api/id_maker made_by == "client"
        #: when api/ids kind == "int"
        "id": secrets.randbelow(2**53 - 1) + 1,
        #: else
        "id": str(uuid.uuid4()),
        #: end
        #: end
        "title": options.title,
        "servings": options.servings,
        "duration": options.time,
        "rating": options.rating,
        "ingredients": options.ingredient,
        "steps": options.steps,
    }
    print(_said(*call("POST", "/api/recipes", recipe))["id"])


def list_all(options: argparse.Namespace, call: Call) -> None:
    """Print one line for each recipe."""
    #: when api/list shape == "list"
    recipes = _said(*call("GET", f"/api/recipes?q={quote(' '.join(options.words))}"))
    #: else
    recipes = []
    following = f"/api/recipes?q={quote(' '.join(options.words))}"
    while following:
        page = _said(*call("GET", following))
        recipes += page["recipes"]
        following = page["next"]
    #: end
    for recipe in recipes:
        rated = "" if recipe["rating"] is None else f"  rated {recipe['rating']}"
        print(f"{recipe['id']}  {recipe['title']}  ({_time(recipe['duration'])}){rated}")


def show(options: argparse.Namespace, call: Call) -> None:
    """Print one recipe."""
    recipe = _said(*call("GET", f"/api/recipes/{options.id}"))
    print(recipe["title"])
    print(f"serves {recipe['servings']}, takes {_time(recipe['duration'])}")
    for line in recipe["ingredients"]:
        print(f"- {line}")
    if recipe["steps"]:
        print(recipe["steps"])


def remove(options: argparse.Namespace, call: Call) -> None:
    """Remove a recipe."""
    _said(*call("DELETE", f"/api/recipes/{options.id}"))


def _said(status: int, value: Any) -> Any:
    if status < 400:
        return value
    #: when api/errors shape == "text"
    raise Failed(value["error"])
    #: else
    raise Failed("; ".join(error["message"] for error in value["errors"]))
    #: end


def _over_http(url: str) -> Call:
    def call(method: str, target: str, value: Any = None) -> tuple[int, Any]:
        content = None if value is None else json.dumps(value).encode()
        request = urllib.request.Request(url.rstrip("/") + target, content, {"Content-Type": "application/json"})
        request.method = method
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                status, text = response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                status, text = error.code, error.read()
        return status, json.loads(text) if text else None

    return call


#: when api/durations unit == "minutes"
def _duration(text: str) -> int:
    """Read H:MM as minutes."""
    found = re.fullmatch(r"(\d{1,3}):([0-5]\d)", text)
    if found is None:
        raise argparse.ArgumentTypeError("a time is H:MM")
    return int(found[1]) * 60 + int(found[2])


def _time(duration: int) -> str:
    """Write minutes as people say it."""
    hours, minutes = divmod(duration, 60)
    return " ".join(part for part in (f"{hours} h" * (hours > 0), f"{minutes} min" * (minutes > 0)) if part)
#: else
def _duration(text: str) -> int:
    """Read H:MM or H:MM:SS as seconds."""
    found = re.fullmatch(r"(\d{1,3}):([0-5]\d)(?::([0-5]\d))?", text)
    if found is None:
        raise argparse.ArgumentTypeError("a time is H:MM or H:MM:SS")
    return int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3] or 0)


def _time(duration: int) -> str:
    """Write seconds as people say it."""
    minutes, seconds = divmod(duration, 60)
    hours, minutes = divmod(minutes, 60)
    parts = (f"{hours} h" * (hours > 0), f"{minutes} min" * (minutes > 0), f"{seconds} s" * (seconds > 0))
    return " ".join(part for part in parts if part)
#: end


#: when api/ids kind == "int"
def _id(text: str) -> int:
    """Read an id, a whole number."""
    if not re.fullmatch(r"[1-9]\d{0,15}", text, re.ASCII):
        raise argparse.ArgumentTypeError("an id is a whole number")
    return int(text)
#: else
def _id(text: str) -> str:
    """Read an id, a UUID."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise argparse.ArgumentTypeError("an id is a UUID") from None
#: end


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cli.py", description="Track recipes.")
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="where app.py serves (default: %(default)s)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    adding = commands.add_parser("add", help="add a recipe and print its id")
    adding.add_argument("title")
    #: when api/durations unit == "minutes"
    adding.add_argument("--time", type=_duration, required=True, metavar="H:MM", help="how long it takes")
    #: else
    adding.add_argument("--time", type=_duration, required=True, metavar="H:MM[:SS]", help="how long it takes")
    #: end
    adding.add_argument("--servings", type=int, default=#{api/recipe servings.default}, help="default: %(default)s")
    adding.add_argument("--rating", type=int, help="how good it is")
    adding.add_argument("--ingredient", action="append", default=[], metavar="LINE", help="may be repeated")
    adding.add_argument("--steps", default="", help="how it is made")
    adding.set_defaults(run=add)
    listing = commands.add_parser("list", help="print one line for each recipe")
    listing.add_argument("words", nargs="*", help="only those with these words in the title")
    listing.set_defaults(run=list_all)
    for name, run, text in (("show", show, "print one recipe"), ("remove", remove, "remove a recipe")):
        command = commands.add_parser(name, help=text)
        command.add_argument("id", type=_id)
        command.set_defaults(run=run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
