"""Say whether an exported program is what was decided: `python end_to_end.py DIR [--facts FACTS.json]`.

Starts the program on a free port of the loopback interface with a database of its own, speaks HTTP to it, runs its
command line, reads its pages and looks into its database. What it has to find stands in the decisions exported beside
the program, `DIR/.spec/decisions.json` (key -> an object whose `value` is the decision's JSON). Prints each check;
exits 0 if all hold, 1 if not, 2 if there is nothing to run or nothing decided. It ends by itself, whatever the program
does.
"""

import argparse
import html
import json
import re
import sqlite3
import sys
import tempfile
import uuid
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from recipes_program import MOST, Program, Spec, expect, hold, running

MANY = 25
"""More recipes than a page holds."""

Check = Callable[[Program], None]
CHECKS: list[tuple[str, Check]] = []


def check(name: str) -> Callable[[Check], Check]:
    """Add a function to the checks, which run in the order of this file."""

    def add(function: Check) -> Check:
        CHECKS.append((name, function))
        return function

    return add


@check("an empty list is a {listed_as}")
def _(program: Program) -> None:
    nothing = [] if program.spec.listed_as == "list" else {"recipes": [], "total": 0, "next": None}
    expect(program.api("GET", "/api/recipes"), (200, nothing), "the list")


@check("ids are of kind {kind} and unique")
def _(program: Program) -> None:
    ids = [program.add()["id"] for _ in range(3)]
    expect(len(set(ids)), 3, "how many ids there are")
    for recipe_id in ids:
        if program.spec.kind == "int":
            expect(type(recipe_id), int, f"the type of {recipe_id!r}")
        else:
            expect(str(uuid.UUID(recipe_id)), recipe_id, "the spelling of a UUID")
        expect(program.api("GET", f"/api/recipes/{recipe_id}")[1]["id"], recipe_id, "the id when it is read")


@check("ids are made by the {made_by}, and by nobody else")
def _(program: Program) -> None:
    plain = {"title": "Soup", "duration": program.spec.minutes(20)}
    if program.spec.made_by == "server":
        program.refused("POST", "/api/recipes", plain | {"id": program.new_id()}, 400)
        return
    sent = program.draft()
    expect(program.api("POST", "/api/recipes", sent)[1]["id"], sent["id"], "the id that the client made")
    program.refused("POST", "/api/recipes", sent, 409)
    program.refused("POST", "/api/recipes", plain, 400)
    for wrong in (str(uuid.uuid4()), "7", True, 0) if program.spec.kind == "int" else (7, "7", None, "Soup"):
        program.refused("POST", "/api/recipes", plain | {"id": wrong}, 400)


@check("a recipe is kept as it was sent, replaced, and removed")
def _(program: Program) -> None:
    fields = {
        "title": "Crème brûlée <b>",
        "servings": 6,
        "duration": program.spec.minutes(95),
        "rating": 2,
        "ingredients": ["cream", "½ l milk"],
        "steps": "Stir.\nBake.",
    }
    kept = program.add(**fields)
    target = f"/api/recipes/{kept['id']}"
    expect(kept, fields | {"id": kept["id"]}, "the recipe that was added")
    expect(program.api("GET", target), (200, kept), "the recipe that is read")
    expect(program.api("PUT", target, fields | {"title": "Flan", "rating": None})[0], 200, "the status of PUT")
    expect(program.api("GET", target), (200, kept | {"title": "Flan", "rating": None}), "the recipe after PUT")
    expect(program.api("DELETE", target), (204, None), "the answer to DELETE")
    program.refused("GET", target, None, 404)


@check("who leaves out the servings cooks for {servings}")
def _(program: Program) -> None:
    expect(program.add()["servings"], program.spec.servings, "servings")


@check("a title has at most {title_limit} characters")
def _(program: Program) -> None:
    expect(program.add(title="é" * program.spec.title_limit)["title"], "é" * program.spec.title_limit, "the title")
    program.refused("POST", "/api/recipes", program.draft(title="é" * (program.spec.title_limit + 1)), 400)
    for wrong in ("", " ", None, 7):
        program.refused("POST", "/api/recipes", program.draft(title=wrong), 400)


@check("ratings go from 1 to {scale}")
def _(program: Program) -> None:
    for rating in (1, program.spec.scale):
        expect(program.add(rating=rating)["rating"], rating, "the rating")
    for wrong in (0, program.spec.scale + 1, 1.5, "5", True):
        program.refused("POST", "/api/recipes", program.draft(rating=wrong), 400)


@check("durations are in {unit}, a week at most")
def _(program: Program) -> None:
    week = program.spec.minutes(7 * 24 * 60)
    expect(program.add(duration=week)["duration"], week, "the duration")
    for wrong in (week + 1, 0, -5, "20", None):
        program.refused("POST", "/api/recipes", program.draft(duration=wrong), 400)


@check("the database counts {unit} and has ids of kind {kind}")
def _(program: Program) -> None:
    kept = program.add(duration=program.spec.minutes(33))
    with closing(sqlite3.connect(program.database)) as db:
        statement = f"SELECT typeof(id), duration_{program.spec.unit} FROM recipes WHERE id = ?"
        row = db.execute(statement, (kept["id"],)).fetchone()
    expect(row, ("integer" if program.spec.kind == "int" else "text", program.spec.minutes(33)), "the row")


@check("what cannot be done is refused in the shape `{error}`")
def _(program: Program) -> None:
    kept = program.add()
    program.refused("GET", f"/api/recipes/{program.new_id()}", None, 404)
    program.refused("DELETE", f"/api/recipes/{program.new_id()}", None, 404)
    program.refused("PUT", f"/api/recipes/{program.new_id()}", {"title": "Soup", "duration": 60}, 404)
    program.refused("GET", f"/api/recipes/{uuid.uuid4() if program.spec.kind == 'int' else 7}", None, 404)
    program.refused("GET", "/api/nothing", None, 404)
    program.refused("DELETE", "/api/recipes", None, 405)
    program.refused("POST", f"/api/recipes/{kept['id']}", {}, 405)
    program.refused("POST", "/api/recipes", ["no recipe"], 400)
    program.refused("POST", "/api/recipes", program.draft(colour="red"), 400)
    program.refused("POST", "/api/recipes", program.draft(servings=0), 400)
    program.refused("POST", "/api/recipes", program.draft(ingredients="milk"), 400)
    status, _ = program.http("POST", "/api/recipes", b"{no JSON")
    expect(status, 400, "a body that is no JSON")


@check("{listed_as}: all recipes are listed once, by {order}, and found by words")
def _(program: Program) -> None:
    made = [program.add(title=f"Cake {chr(97 + n)}{n}", rating=1 + n % 3)["id"] for n in reversed(range(MANY))]
    found = program.all()
    ids = [recipe["id"] for recipe in found]
    expect(len(set(ids)), len(ids), "how many ids the list has")
    hold("the list has all that were added", set(made) <= set(ids))
    titles = [recipe["title"].casefold() for recipe in found]
    if program.spec.order == "title":
        expect([title for title in titles if title.isascii()], sorted(filter(str.isascii, titles)), "the order")
    else:
        ratings = [recipe["rating"] or 0 for recipe in found]
        expect(ratings, sorted(ratings, reverse=True), "the order of ratings")
    cakes = program.all("cake")
    expect(sorted(recipe["title"] for recipe in cakes), sorted(f"Cake {chr(97 + n)}{n}" for n in range(MANY)), "cakes")
    expect([recipe["title"] for recipe in program.all("b1 CAKE")], ["Cake b1"], "the cake b1")
    expect(program.all("%"), [], "what has a % in its title")


@check("command line: a recipe is added, listed, shown and removed")
def _(program: Program) -> None:
    status, printed, errors = program.cli("add", "Goulash", "--time", "1:30", "--rating", "3", "--ingredient", "beef")
    expect((status, errors), (0, ""), "adding")
    added = printed.strip()
    kept = program.api("GET", f"/api/recipes/{added}")[1]
    expect(kept["duration"], program.spec.minutes(90), "the duration of 1:30")
    expect(kept["servings"], program.spec.servings, "servings that were left out")
    status, printed, errors = program.cli("list")
    expect((status, errors), (0, ""), "listing")
    hold("the list has the recipe", f"{added}  Goulash  (1 h 30 min)  rated 3" in printed.splitlines())
    expect(len(printed.splitlines()), len(program.all()), "the number of lines")
    status, printed, errors = program.cli("show", added)
    expect((status, errors), (0, ""), "showing")
    expect(printed, f"Goulash\nserves {program.spec.servings}, takes 1 h 30 min\n- beef\n", "what is shown")
    expect(program.cli("remove", added), (0, "", ""), "removing")
    expect(program.api("GET", f"/api/recipes/{added}")[0], 404, "the status afterwards")


@check("command line: what the API refuses is said in its words")
def _(program: Program) -> None:
    nobody = program.new_id()
    message = program.refused("GET", f"/api/recipes/{nobody}", None, 404)
    expect(program.cli("show", str(nobody)), (1, "", f"error: {message}\n"), "showing an unknown recipe")
    status, printed, errors = program.cli("add", " ", "--time", "0:05")
    expect((status, printed, errors.startswith("error: ")), (1, "", True), f"adding no title, which says {errors}")
    expect(len(errors.splitlines()), 1, f"the number of lines of {errors}")


@check("web page: the home page leads to every recipe")
def _(program: Program) -> None:
    program.add(title="Fish & chips", duration=program.spec.minutes(65))
    seen: list[str] = []
    target: str | None = "/"
    while target is not None:
        text = program.page(target)
        seen += re.findall(r'<li><a href="(/recipes/[^"]+)">', text)
        following = re.search(r'rel="next" href="([^"]+)"', text)
        target = html.unescape(following[1]) if following else None
        hold("the pages end", len(seen) < MOST)
    expect(seen, [f"/recipes/{recipe['id']}" for recipe in program.all()], "the links of the home page")
    text = program.page("/?q=chips")
    hold("the search finds fish and chips", "Fish &amp; chips" in text and "1 h 5 min" in text)


@check("web page: the form knows servings, limit and ratings")
def _(program: Program) -> None:
    text = program.page("/new")
    expect(re.findall(r'maxlength="(\d+)"', text), [str(program.spec.title_limit)], "the limit of the title")
    expect(re.findall(r'name="servings"[^>]*value="(\d+)"', text), [str(program.spec.servings)], "the servings")
    ratings = [str(rating) for rating in range(1, program.spec.scale + 1)]
    expect(re.findall(r'<option value="(\d+)"', text), ratings, "the ratings to choose from")


@check("web page: a recipe is entered, shown, edited and deleted")
def _(program: Program) -> None:
    best = program.spec.scale
    entered = {"title": "Ragù", "servings": "2", "hours": "2", "minutes": "15", "rating": str(best), "steps": "Wait."}
    text = program.page("/new", entered | {"ingredients": "beef\r\nwine\r\n"})
    for shown in ("Ragù", "2 h 15 min", f"{best} of {best}", "★" * best, "<li>wine</li>", "Wait."):
        hold(f"the page shows {shown}", shown in text)
    (kept,) = program.all("Ragù")
    expect((kept["duration"], kept["servings"]), (program.spec.minutes(135), 2), "what was entered")
    expect((kept["ingredients"], kept["rating"]), (["beef", "wine"], best), "what was entered")
    here = f"/recipes/{kept['id']}"
    text = program.page(f"{here}/edit")
    expect(re.findall(r'name="(?:hours|minutes)"[^>]*value="(\d+)"', text), ["2", "15"], "the form's hours and minutes")
    program.page(f"{here}/edit", entered | {"title": "Ragout", "rating": "1"})
    changed = program.api("GET", f"/api/recipes/{kept['id']}")[1]
    expect((changed["title"], changed["rating"]), ("Ragout", 1), "what was edited")
    text = program.page(here)
    hold("the page shows one star", f"1 of {best}" in text and "★" + "☆" * (best - 1) in text)
    program.page(f"{here}/delete", {})
    program.page(here, status=404)


@check("web page: what the API refuses is said in its words")
def _(program: Program) -> None:
    nobody = program.new_id()
    message = program.refused("GET", f"/api/recipes/{nobody}", None, 404)
    said = re.findall(r'role="alert">([^<]*)<', program.page(f"/recipes/{nobody}", status=404))
    expect([html.unescape(text) for text in said], [message], "what the page says about an unknown recipe")
    text = program.page("/new", {"title": " ", "servings": "3", "minutes": "5"}, status=400)
    (said_of_title,) = re.findall(r'role="alert">([^<]*)<', text)
    hold(f"the form says what is wrong, not {said_of_title!r}", "title" in said_of_title)
    expect(re.findall(r'name="servings"[^>]*value="(\d+)"', text), ["3"], "what was entered and is kept")


def run(
    folder: Path, decisions: Mapping[str, Any], *, say: Callable[[str], object] = print, stop_early: bool = False
) -> bool:
    """Start the program in a folder, check it against decisions (key -> JSON value), and say whether it holds.

    Args:
        folder: Where the exported program is.
        decisions: What it has to do.
        say: Is given each line of the report.
        stop_early: Whether the first failure ends it.

    Raises:
        LookupError: A decision is missing.
    """
    spec = Spec.read(decisions)
    failures = 0
    with tempfile.TemporaryDirectory(prefix="recipes-") as temporary:
        program = Program(folder.resolve(), Path(temporary) / "recipes.db", spec)
        with closing(_run_twice(program)) as checks:
            for name, function in checks:
                failures += not _holds(name.format(**vars(spec)), function, program, say)
                if failures and stop_early:
                    break
        if program.errors:
            say(f"the program said:\n{program.errors[-1000:]}")
    say("stopped" if failures and stop_early else f"{failures} failed" if failures else "all checks hold")
    return not failures


def _run_twice(program: Program) -> Generator[tuple[str, Check], None, None]:
    """Yield the checks, each while the program runs; the last ones after it was started again."""
    listed: list[dict[str, Any]] = []
    try:
        with running(program):
            yield from CHECKS
            yield "its list can be read", lambda program: listed.extend(program.all())
        with running(program):
            yield "started again, it has what it had", lambda program: expect(program.all(), listed, "the list")
    except (AssertionError, OSError) as error:
        yield "it starts", _failing(str(error))


def _failing(reason: str) -> Check:
    def fail(_: Program) -> None:
        raise AssertionError(reason)

    return fail


def _holds(name: str, function: Check, program: Program, say: Callable[[str], object]) -> bool:
    try:
        function(program)
    except Exception as error:  # noqa: BLE001 - whatever a broken program causes is a failure of the check
        reason = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
        say(f"FAILED  {name}: {reason}")
        return False
    say(f"ok      {name}")
    return True


def main(arguments: list[str] | None = None) -> int:
    """Check one program."""
    parser = argparse.ArgumentParser(description="Check an exported program against what was decided.")
    parser.add_argument("folder", metavar="DIR", type=Path)
    parser.add_argument("--facts", type=Path, metavar="FILE", help="instead of DIR/.spec/decisions.json")
    options = parser.parse_args(arguments)
    facts = options.facts or options.folder / ".spec" / "decisions.json"
    try:
        decisions = {key: decision["value"] for key, decision in json.loads(facts.read_text("utf-8")).items()}
        Spec.read(decisions)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        print(f"{facts} does not say what was decided: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    return 0 if run(options.folder, decisions) else 1


if __name__ == "__main__":
    sys.exit(main())
