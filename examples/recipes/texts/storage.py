"""Keep recipes in one SQLite file."""

import json
import sqlite3
from pathlib import Path
from typing import Any

SCHEMA = Path(__file__).with_name("schema.sql")

#: when api/durations unit == "minutes"
COLUMNS = "id, title, servings, duration_minutes AS duration, rating, ingredients, steps"
#: else
COLUMNS = "id, title, servings, duration_seconds AS duration, rating, ingredients, steps"
#: end
#: when api/recipe order == "title"
ORDER = "title COLLATE NOCASE, id"
#: else
ORDER = "rating DESC NULLS LAST, title COLLATE NOCASE, id"
#: end


class Taken(Exception):
    """Another recipe has this id."""


def open_database(path: str) -> sqlite3.Connection:
    """Open a database file, made if it is absent; the caller lets only one thread at a time use it."""
    db = sqlite3.connect(path, check_same_thread=False)
    db.row_factory = sqlite3.Row
    db.executescript(SCHEMA.read_text("utf-8"))
    return db


def add(db: sqlite3.Connection, recipe: dict[str, Any]) -> Any:
    """Add a recipe and return its id, which the database makes where the recipe has none.

    Raises:
        Taken: Its id is in use.
    """
    try:
        with db:
            cursor = db.execute(
                #: when api/durations unit == "minutes"
                "INSERT INTO recipes (id, title, servings, duration_minutes, rating, ingredients, steps)"
                #: else
                "INSERT INTO recipes (id, title, servings, duration_seconds, rating, ingredients, steps)"
                #: end
                " VALUES (:id, :title, :servings, :duration, :rating, :ingredients, :steps)",
                {"id": None} | _row(recipe),
            )
    except sqlite3.IntegrityError as error:
        if "UNIQUE" in str(error):
            raise Taken(recipe.get("id")) from None
        raise
    return cursor.lastrowid if recipe.get("id") is None else recipe["id"]


def get(db: sqlite3.Connection, recipe_id: Any) -> dict[str, Any] | None:
    """Return one recipe, or None."""
    row = db.execute(f"SELECT {COLUMNS} FROM recipes WHERE id = ?", (recipe_id,)).fetchone()
    return None if row is None else _recipe(row)


def find(db: sqlite3.Connection, words: str = "", offset: int = 0, limit: int = -1) -> tuple[list[dict[str, Any]], int]:
    """Return the recipes whose title has all of the words, in order, and how many there are; limit -1 is no limit."""
    patterns = ["%" + "".join("\\" + c if c in "\\%_" else c for c in word) + "%" for word in words.split()]
    where = " AND ".join(["TRUE", *(r"title LIKE ? ESCAPE '\'" for _ in patterns)])
    (total,) = db.execute(f"SELECT count(*) FROM recipes WHERE {where}", patterns).fetchone()
    rows = db.execute(
        f"SELECT {COLUMNS} FROM recipes WHERE {where} ORDER BY {ORDER} LIMIT ? OFFSET ?", [*patterns, limit, offset]
    )
    return [_recipe(row) for row in rows], total


def replace(db: sqlite3.Connection, recipe_id: Any, recipe: dict[str, Any]) -> bool:
    """Replace a recipe and say whether there was one."""
    with db:
        cursor = db.execute(
            #: when api/durations unit == "minutes"
            "UPDATE recipes SET title = :title, servings = :servings, duration_minutes = :duration, rating = :rating,"
            #: else
            "UPDATE recipes SET title = :title, servings = :servings, duration_seconds = :duration, rating = :rating,"
            #: end
            " ingredients = :ingredients, steps = :steps WHERE id = :id",
            _row(recipe) | {"id": recipe_id},
        )
    return cursor.rowcount == 1


def remove(db: sqlite3.Connection, recipe_id: Any) -> bool:
    """Remove a recipe and say whether there was one."""
    with db:
        return db.execute("DELETE FROM recipes WHERE id = ?", (recipe_id,)).rowcount == 1


def _row(recipe: dict[str, Any]) -> dict[str, Any]:
    return recipe | {"ingredients": json.dumps(recipe["ingredients"], ensure_ascii=False)}


def _recipe(row: sqlite3.Row) -> dict[str, Any]:
    return dict(row) | {"ingredients": json.loads(row["ingredients"])}
