"""Check one component of the recipes program: `python check.py [COMPONENT]`, run in a folder with its files.

The folder holds the component's files and those of what it uses. Without a name the uppermost component that is there
is meant. The tests ask the code what it does and not what was decided, so that they say whether a part works; whether
the parts go together is asked by end_to_end.py.
"""

# ruff: noqa: D102, PT009, PT027 - unittest, in its own words: the check runs where nothing else is installed

import contextlib
import io
import json
import re
import sqlite3
import sys
import unittest
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

HERE = Path.cwd()
PANCAKES = {"title": "Pancakes", "servings": 3, "duration": 30, "rating": 4, "ingredients": ["milk"], "steps": "Fry."}


class Schema(unittest.TestCase):
    """The table of recipes."""

    def setUp(self) -> None:
        self.sql = (HERE / "schema.sql").read_text("utf-8")
        self.db = sqlite3.connect(":memory:")
        self.addCleanup(self.db.close)

    def test_a_new_database_has_the_table_afterwards(self) -> None:
        self.db.executescript(self.sql)
        names = [row[1] for row in self.db.execute("PRAGMA table_info(recipes)")]
        self.assertEqual([name.partition("_")[0] for name in names], ["id", *PANCAKES])

    def test_it_can_be_applied_at_every_start_of_the_program(self) -> None:
        self.db.executescript(self.sql)
        self.db.executescript(self.sql)


class Storage(unittest.TestCase):
    """Recipes in a file."""

    def setUp(self) -> None:
        import storage  # noqa: PLC0415 - what is imported depends on what is checked

        self.storage = storage
        self.db = storage.open_database(":memory:")
        self.addCleanup(self.db.close)

    def ids(self) -> list[Any]:
        kinds = {row[1]: row[2] for row in self.db.execute("PRAGMA table_info(recipes)")}
        return [1, 2] if kinds["id"] == "INTEGER" else [str(uuid.uuid4()), str(uuid.uuid4())]

    def test_what_was_added_is_found_and_can_be_replaced_and_removed(self) -> None:
        first, second = self.ids()
        self.assertEqual(self.storage.add(self.db, PANCAKES | {"id": first}), first)
        self.assertEqual(self.storage.get(self.db, first), PANCAKES | {"id": first})
        self.assertFalse(self.storage.replace(self.db, second, PANCAKES))
        self.assertTrue(self.storage.replace(self.db, first, PANCAKES | {"title": "Waffles"}))
        self.assertEqual(self.storage.get(self.db, first)["title"], "Waffles")
        self.assertTrue(self.storage.remove(self.db, first))
        self.assertFalse(self.storage.remove(self.db, first))

    def test_an_id_is_taken_once(self) -> None:
        first, _ = self.ids()
        self.storage.add(self.db, PANCAKES | {"id": first})
        with self.assertRaises(self.storage.Taken):
            self.storage.add(self.db, PANCAKES | {"id": first})

    def test_words_are_found_in_titles_as_they_stand(self) -> None:
        for recipe_id, title in zip(self.ids(), ("100% rye", "1000 layers"), strict=True):
            self.storage.add(self.db, PANCAKES | {"id": recipe_id, "title": title})
        self.assertEqual([recipe["title"] for recipe in self.storage.find(self.db, "100%")[0]], ["100% rye"])
        self.assertEqual(len(self.storage.find(self.db, "", 1, 1)[0]), 1)
        self.assertEqual(self.storage.find(self.db, "", 1, 1)[1], 2)


class Service(unittest.TestCase):
    """What a recipe may be."""

    def setUp(self) -> None:
        import service  # noqa: PLC0415
        import storage  # noqa: PLC0415

        self.service = service
        self.db = storage.open_database(":memory:")
        self.addCleanup(self.db.close)

    def create(self, recipe: dict[str, Any]) -> dict[str, Any]:
        def attempt(identified: dict[str, Any]) -> dict[str, Any]:
            created: dict[str, Any] = self.service.create(self.db, identified)
            return created

        return create(recipe, attempt, self.service.Problem)

    def test_a_recipe_is_kept_as_it_was_drafted(self) -> None:
        kept = self.create(PANCAKES)
        self.assertEqual(kept, PANCAKES | {"id": kept["id"]})
        self.assertEqual(self.service.read(self.db, kept["id"]), kept)
        self.assertEqual(self.service.find(self.db), ([kept], 1))
        changed = self.service.change(self.db, kept["id"], PANCAKES | {"title": "Waffles"})
        self.assertEqual(self.service.read(self.db, kept["id"]), changed)
        self.service.remove(self.db, kept["id"])
        with self.assertRaises(self.service.Problem) as caught:
            self.service.read(self.db, kept["id"])
        self.assertEqual(caught.exception.kind, "missing")

    def test_what_is_no_recipe_is_refused(self) -> None:
        kept = self.create(PANCAKES)["id"]
        for wrong in ({"title": " "}, {"title": 1}, {"servings": 0}, {"duration": None}, {"rating": True}, {"x": 1}):
            with self.subTest(wrong=wrong), self.assertRaises(self.service.Problem) as caught:
                self.service.change(self.db, kept, PANCAKES | wrong)
            self.assertEqual(caught.exception.kind, "invalid")


class HttpApi(unittest.TestCase):
    """The recipes as JSON over HTTP, without the socket."""

    def setUp(self) -> None:
        self.call = api(self)

    def create(self) -> dict[str, Any]:
        def attempt(identified: dict[str, Any]) -> dict[str, Any]:
            status, value = self.call("POST", "/api/recipes", identified)
            if status >= 400:  # noqa: PLR2004
                raise ValueError(value)
            self.assertEqual(status, 201)
            return dict(value)

        return create(PANCAKES, attempt, ValueError)

    def test_a_recipe_can_be_added_read_replaced_listed_and_removed(self) -> None:
        kept = self.create()
        one = f"/api/recipes/{kept['id']}"
        self.assertEqual(self.call("GET", one), (200, kept))
        self.assertEqual(self.call("PUT", one, PANCAKES)[0], 200)
        self.assertEqual(self.call("GET", "/api/recipes?q=pan")[0], 200)
        self.assertEqual(self.call("DELETE", one), (204, None))
        self.assertEqual(self.call("GET", one)[0], 404)

    def test_what_cannot_be_done_has_its_status(self) -> None:
        self.assertEqual(self.call("POST", "/api/recipes", "no recipe")[0], 400)
        self.assertEqual(self.call("DELETE", "/api/recipes")[0], 405)
        self.assertEqual(self.call("GET", "/api/nothing")[0], 404)


class Cli(unittest.TestCase):
    """The command line, speaking to the API without a socket."""

    def setUp(self) -> None:
        import cli  # noqa: PLC0415

        self.cli, self.call = cli, api(self)

    def run_cli(self, *arguments: str) -> tuple[int, str, str]:
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as errors:
            status = self.cli.main(arguments, self.call)
        return status, out.getvalue(), errors.getvalue()

    def test_a_recipe_can_be_added_listed_shown_and_removed(self) -> None:
        status, printed, _ = self.run_cli("add", "Pancakes", "--time", "0:30", "--rating", "4", "--ingredient", "milk")
        self.assertEqual(status, 0)
        self.assertIn("Pancakes  (30 min)  rated 4", self.run_cli("list")[1])
        self.assertIn("- milk", self.run_cli("show", printed.strip())[1])
        self.assertEqual(self.run_cli("remove", printed.strip())[0], 0)
        self.assertEqual(self.run_cli("list"), (0, "", ""))

    def test_what_the_api_refuses_is_said_on_one_line(self) -> None:
        status, printed, errors = self.run_cli("add", " ", "--time", "0:30")
        self.assertEqual((status, printed, errors), (1, "", "error: title is missing\n"))


class WebPage(unittest.TestCase):
    """The pages, speaking to the API without a socket."""

    def setUp(self) -> None:
        import web_page  # noqa: PLC0415

        self.pages, self.call = web_page.pages, api(self)

    def get(self, target: str) -> str:
        status, _, text = self.pages("GET", target, "", self.call)
        self.assertEqual(status, 200, text)
        return str(text)

    def test_a_recipe_can_be_entered_shown_edited_and_deleted(self) -> None:
        entered = {"title": "Fish & chips", "hours": "1", "minutes": "5", "rating": "3", "ingredients": "fish\nchips"}
        self.assertIn('name="title"', self.get("/new"))
        status, headers, _ = self.pages("POST", "/new", urlencode(entered), self.call)
        self.assertEqual(status, 303)
        shown = self.get(headers["Location"])
        for text in ("Fish &amp; chips", "1 h 5 min", "3 of ", "<li>chips</li>"):
            self.assertIn(text, shown)
        self.assertIn('value="Fish &amp; chips"', self.get(headers["Location"] + "/edit"))
        self.assertIn("Fish &amp; chips", self.get("/"))
        self.assertEqual(self.pages("POST", headers["Location"] + "/delete", "", self.call)[0], 303)
        self.assertNotIn("Fish", self.get("/"))

    def test_what_the_api_refuses_is_said_beside_the_form(self) -> None:
        status, _, text = self.pages("POST", "/new", "title=&minutes=5", self.call)
        self.assertEqual(status, 400)
        self.assertIn("title is missing", text)

    def test_the_program_that_serves_the_pages_can_be_started(self) -> None:
        import app  # noqa: PLC0415

        with contextlib.redirect_stdout(io.StringIO()), self.assertRaises(SystemExit) as caught:
            app.main(["--help"])
        self.assertEqual(caught.exception.code, 0)


def create(
    recipe: dict[str, Any], attempt: Callable[[dict[str, Any]], dict[str, Any]], refused: type[Exception]
) -> dict[str, Any]:
    """Add a recipe, with an id of any kind if it has to have one."""
    for given in ({}, {"id": 7}):
        try:
            return attempt(recipe | given)
        except refused:
            continue
    return attempt(recipe | {"id": str(uuid.uuid4())})


def api(test: unittest.TestCase) -> Callable[..., tuple[int, Any]]:
    """Return the API of a new database as a function."""
    import http_api  # noqa: PLC0415
    import storage  # noqa: PLC0415

    db = storage.open_database(":memory:")
    test.addCleanup(db.close)

    def call(method: str, target: str, value: Any = None) -> tuple[int, Any]:  # noqa: ANN401 - any JSON
        status, said = http_api.answer(db, method, target, "" if value is None else json.dumps(value))
        return status, json.loads(json.dumps(said))

    return call


COMPONENTS: dict[str, tuple[str, type[unittest.TestCase]]] = {
    "web_page": ("web_page.py", WebPage),
    "cli": ("cli.py", Cli),
    "http_api": ("http_api.py", HttpApi),
    "service": ("service.py", Service),
    "storage": ("storage.py", Storage),
    "schema": ("schema.sql", Schema),
}
"""From the uppermost down: component -> its first file, its tests."""


def main(arguments: list[str]) -> int:
    """Run the tests of one component; 0 if all pass, 1 if not, 2 if there is none."""
    there = [name for name, (file, _) in COMPONENTS.items() if (HERE / file).exists()]
    wanted = arguments or there[:1]
    if not wanted or wanted[0] not in there:
        print(f"no component {wanted[0] if wanted else ''} in this folder: {', '.join(COMPONENTS)}", file=sys.stderr)
        return 2
    sys.path.insert(0, str(HERE))
    sys.dont_write_bytecode = True
    tests = unittest.defaultTestLoader.loadTestsFromTestCase(COMPONENTS[wanted[0]][1])
    told = io.StringIO()
    result = unittest.TextTestRunner(stream=told, verbosity=2).run(tests)
    # The same result has the same log, so that the same run has the same history: no times.
    print(re.sub(r"(?<=Ran )(.*) in [0-9.]+s", r"\1", told.getvalue()), file=sys.stderr, end="")
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
