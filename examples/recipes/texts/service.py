"""What a recipe may be, and what can be done with recipes."""

import sqlite3
#: when api/ids kind == "uuid"
import uuid
#: end
from typing import Any

import storage

TITLE_LIMIT = #{api/recipe title.limit}
DEFAULT_SERVINGS = #{api/recipe servings.default}
BEST_RATING = #{api/recipe rating.scale}
#: when api/durations unit == "minutes"
LONGEST = 7 * 24 * 60  # a week, in minutes
#: else
LONGEST = 7 * 24 * 60 * 60  # a week, in seconds
#: end
#: when api/ids kind == "int"
LARGEST_ID = 2**53 - 1  # what every client can hold exactly
#: end
FIELDS = ("title", "servings", "duration", "rating", "ingredients", "steps")


class Problem(Exception):
    """Something that cannot be done: `kind` is `invalid`, `missing` or `taken`."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind, self.message = kind, message


def create(db: sqlite3.Connection, draft: Any) -> dict[str, Any]:
    """Add a recipe and return it as it is kept.

    Raises:
        Problem: The draft is no recipe, or its id is taken.
    """
    #: when api/id_maker made_by == "server"
    if isinstance(draft, dict) and "id" in draft:
        raise Problem("invalid", "id is made by the server, so leave it out")
    #: when api/ids kind == "int"
    recipe = _checked(draft)
    #: else
    recipe = _checked(draft) | {"id": str(uuid.uuid4())}
    #: end
    #: else
    recipe = _checked(draft, also=("id",))
    recipe["id"] = _checked_id(draft.get("id"))
    #: end
    try:
        return recipe | {"id": storage.add(db, recipe)}
    except storage.Taken:
        raise Problem("taken", f"there is a recipe with id {recipe['id']}") from None


def read(db: sqlite3.Connection, recipe_id: Any) -> dict[str, Any]:
    """Return one recipe.

    Raises:
        Problem: There is none.
    """
    recipe = storage.get(db, recipe_id)
    if recipe is None:
        raise _missing(recipe_id)
    return recipe


def find(db: sqlite3.Connection, words: str = "", offset: int = 0, limit: int = -1) -> tuple[list[dict[str, Any]], int]:
    """Return the recipes with these words in their titles, in order, and how many there are in all."""
    return storage.find(db, words, offset, limit)


def change(db: sqlite3.Connection, recipe_id: Any, draft: Any) -> dict[str, Any]:
    """Replace a recipe and return it as it is kept; its id stays.

    Raises:
        Problem: The draft is no recipe, or there is none to replace.
    """
    recipe = _checked(draft, also=("id",))
    if draft.get("id", recipe_id) != recipe_id:
        raise Problem("invalid", "id cannot be changed")
    if not storage.replace(db, recipe_id, recipe):
        raise _missing(recipe_id)
    return recipe | {"id": recipe_id}


def remove(db: sqlite3.Connection, recipe_id: Any) -> None:
    """Remove a recipe.

    Raises:
        Problem: There is none.
    """
    if not storage.remove(db, recipe_id):
        raise _missing(recipe_id)


def _missing(recipe_id: Any) -> Problem:
    return Problem("missing", f"there is no recipe with id {recipe_id}")


def _checked(draft: Any, also: tuple[str, ...] = ()) -> dict[str, Any]:
    if not isinstance(draft, dict):
        raise Problem("invalid", "a recipe is an object")
    if unknown := sorted(set(draft) - {*FIELDS, *also}):
        raise Problem("invalid", f"a recipe has no {unknown[0]}")
    rating, ingredients, steps = draft.get("rating"), draft.get("ingredients", []), draft.get("steps", "")
    if not isinstance(ingredients, list) or not all(isinstance(line, str) for line in ingredients):
        raise Problem("invalid", "ingredients is a list of texts")
    if not isinstance(steps, str):
        raise Problem("invalid", "steps is a text")
    return {
        "title": _title(draft.get("title")),
        "servings": _whole("servings", draft.get("servings", DEFAULT_SERVINGS), 100),
        "duration": _whole("duration", draft.get("duration"), LONGEST),
        "rating": None if rating is None else _whole("rating", rating, BEST_RATING),
        "ingredients": ingredients,
        "steps": steps,
    }


def _title(title: Any) -> str:
    if not isinstance(title, str) or not title.strip():
        raise Problem("invalid", "title is missing")
    if len(title.strip()) > TITLE_LIMIT:
        raise Problem("invalid", f"title is longer than {TITLE_LIMIT} characters")
    return title.strip()


def _whole(name: str, value: Any, largest: int) -> int:
    if type(value) is not int or not 1 <= value <= largest:
        raise Problem("invalid", f"{name} is a whole number from 1 to {largest}")
    return value
#: when api/id_maker made_by == "client"


#: when api/ids kind == "int"
def _checked_id(recipe_id: Any) -> int:
    if type(recipe_id) is not int or not 1 <= recipe_id <= LARGEST_ID:
        raise Problem("invalid", f"id is made by the client: a whole number from 1 to {LARGEST_ID}")
    return recipe_id
#: else
def _checked_id(recipe_id: Any) -> str:
    try:
        if isinstance(recipe_id, str) and str(uuid.UUID(recipe_id)) == recipe_id:
            return recipe_id
    except ValueError:
        pass
    raise Problem("invalid", "id is made by the client: a UUID in lower case with hyphens")
#: end
#: end
