"""The exported program from outside: its process, its HTTP API, its command line, its pages and its database."""

import json
import queue
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

START_SECONDS = 20.0
ANSWER_SECONDS = 10.0
ALL_SECONDS = 90.0
MOST = 1_000
"""No check adds so many: who lists more repeats itself."""


@dataclass(frozen=True)
class Spec:
    """What was decided, as far as it can be observed."""

    kind: str
    made_by: str
    listed_as: str
    unit: str
    error: str
    title_limit: int
    servings: int
    scale: int
    order: str

    @classmethod
    def read(cls, decisions: Mapping[str, Any]) -> "Spec":
        """Read it from key -> JSON value.

        Raises:
            LookupError: A decision is missing.
        """
        recipe = decisions["api/recipe"]
        return cls(
            decisions["api/ids"]["kind"],
            decisions["api/id_maker"]["made_by"],
            decisions["api/list"]["shape"],
            decisions["api/durations"]["unit"],
            decisions["api/errors"]["shape"],
            recipe["title"]["limit"],
            recipe["servings"]["default"],
            recipe["rating"]["scale"],
            recipe["order"],
        )

    def minutes(self, number: int) -> int:
        """Return minutes as the API counts them."""
        return number if self.unit == "minutes" else number * 60


@dataclass
class Program:
    """The running program, and what the checks ask it."""

    folder: Path
    database: Path
    spec: Spec
    ends: float = field(default_factory=lambda: time.monotonic() + ALL_SECONDS)
    url: str = ""
    errors: str = ""
    made: int = 0

    def http(self, method: str, target: str, content: bytes | None = None) -> tuple[int, str]:
        """Send one request and return status and text; redirections are followed."""
        request = urllib.request.Request(self.url + target, content, method=method)  # noqa: S310 - our own loopback URL
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as response:  # noqa: S310
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def api(self, method: str, target: str, value: Any = None) -> tuple[int, Any]:  # noqa: ANN401 - any JSON
        """Send one request to the API and return status and JSON value."""
        status, text = self.http(method, target, None if value is None else json.dumps(value).encode())
        return status, json.loads(text) if text else None

    def new_id(self) -> Any:  # noqa: ANN401 - a number or a text
        """Return an id of the decided kind that no recipe has."""
        self.made += 1
        return 10**12 + self.made if self.spec.kind == "int" else str(uuid.uuid4())

    def draft(self, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        """Return a recipe as a client would send it."""
        recipe = {"title": "Soup", "duration": self.spec.minutes(20)} | fields
        return recipe | {"id": self.new_id()} if self.spec.made_by == "client" else recipe

    def add(self, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        """Add a recipe and return it."""
        status, recipe = self.api("POST", "/api/recipes", self.draft(**fields))
        expect(status, 201, f"adding a recipe, which says {recipe}")
        return dict(recipe)

    def refused(self, method: str, target: str, value: Any, status: int) -> str:  # noqa: ANN401 - any JSON
        """Send a request that has to be refused, in the decided shape, and return the message."""
        found, said = self.api(method, target, value)
        expect(found, status, f"{method} {target} {json.dumps(value)[:60]}, which says {said}")
        if self.spec.error == "text":
            expect(sorted(said), ["error"], "the members of an error")
            message = said["error"]
        else:
            expect(sorted(said), ["errors"], "the members of an error")
            expect([sorted(error) for error in said["errors"]], [["code", "message"]], "the members of its errors")
            hold("a code is one word", said["errors"][0]["code"].isidentifier())
            message = said["errors"][0]["message"]
        hold("an error has a message", isinstance(message, str) and bool(message))
        return str(message)

    def all(self, words: str = "") -> list[dict[str, Any]]:
        """Return every recipe, read as the list was decided to be."""
        target: str | None = "/api/recipes?" + urlencode({"q": words})
        recipes: list[dict[str, Any]] = []
        while target is not None:
            status, value = self.api("GET", target)
            expect(status, 200, f"GET {target}")
            if self.spec.listed_as == "list":
                expect(type(value), list, "the type of the list")
                return list(value)
            expect(sorted(value), ["next", "recipes", "total"], "the members of a page")
            recipes += value["recipes"]
            hold("the total counts all", value["total"] >= len(recipes))
            hold("the pages end", len(recipes) < MOST)
            target = value["next"]
        return recipes

    def cli(self, *arguments: str) -> tuple[int, str, str]:
        """Run the command line and return its exit status and what it printed."""
        command = [sys.executable, "-E", "-s", "-B", str(self.folder / "cli.py"), "--url", self.url, *arguments]
        done = subprocess.run(  # noqa: S603 - the program that is tested
            command, cwd=self.database.parent, capture_output=True, text=True, timeout=2 * ANSWER_SECONDS, check=False
        )
        return done.returncode, done.stdout, done.stderr

    def page(self, target: str, form: Mapping[str, str] | None = None, *, status: int = 200) -> str:
        """Read a page, or send a form and read the page that it leads to."""
        content = None if form is None else urlencode(form).encode()
        found, text = self.http("GET" if form is None else "POST", target, content)
        expect(found, status, f"the page {target}")
        return text


def hold(what: str, condition: object) -> None:
    """Fail the check unless a condition holds.

    Raises:
        AssertionError: It does not.
    """
    if not condition:
        raise AssertionError(f"it is not so that {what}")


def expect(found: object, wanted: object, what: str) -> None:
    """Fail the check unless two values are equal and of one type.

    Raises:
        AssertionError: They are not.
    """
    if found != wanted or type(found) is not type(wanted):
        raise AssertionError(f"{what}: {found!r} is not {wanted!r}")


@contextmanager
def running(program: Program) -> Iterator[None]:
    """Run the program, and end it whatever happens, at the latest when its time is over.

    Raises:
        AssertionError: It does not say where it listens.
    """
    command = [sys.executable, "-E", "-s", "-B", str(program.folder / "app.py"), "--port", "0"]
    with (
        tempfile.TemporaryFile("w+", dir=program.database.parent) as errors,
        subprocess.Popen(  # noqa: S603 - the program that is tested
            [*command, "--database", str(program.database)],
            cwd=program.database.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as started,
    ):
        too_late = threading.Timer(max(0.0, program.ends - time.monotonic()), started.kill)
        too_late.start()
        try:
            program.url = _address(started)
            yield
        finally:
            too_late.cancel()
            started.kill()
            started.wait()
            errors.seek(0)
            program.errors += errors.read()


def _address(started: "subprocess.Popen[str]") -> str:
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=lambda: lines.put(next(iter(started.stdout or ()), "")), daemon=True).start()
    try:
        line = lines.get(timeout=START_SECONDS)
    except queue.Empty:
        line = ""
    found = re.search(r"(http://127\.0\.0\.1:\d+)/", line)
    hold(f"it says where it listens, not {line!r}", found)
    return "" if found is None else found[1]
