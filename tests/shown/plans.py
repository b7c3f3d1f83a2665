"""How the model splits the prompts of whole teams: prompt -> the reply to the act `plan`."""

from collections.abc import Mapping, Sequence
from typing import Any

WORDS_PROMPT = "make me a command that counts the words of a text"
TODO_PROMPT = "make me a to-do list for the terminal"
RECIPES_PROMPT = "make me an app to track recipes"

WORDS_STUB = '''\
def count(text: str) -> list[tuple[str, int]]:
    """Return each word of a text with how often it occurs.

    A word is a maximal run of letters. The most frequent word comes first. Words of the same count are in
    alphabetical order.
    """
'''

_ENTRIES = '''\
from dataclasses import dataclass

@dataclass
class Entry:
    """One thing to do."""

    number: int
    text: str
    done: bool = False

def add(entries: list[Entry], text: str) -> Entry:
    """Append an entry that is not done, and return it. Numbers begin at 1."""

def finish(entries: list[Entry], number: int) -> None:
    """Mark the entry that has a number as done.

    Raises:
        KeyError: No entry has the number.
    """
'''

_STORE = '''\
"""Where entries are kept.

module: kept.store
"""

from entries import Entry

def load(path: str) -> list[Entry]:
    """Return the entries that a file holds. A file that is not there holds none."""

def save(path: str, entries: list[Entry]) -> None:
    """Write entries into a file, as a JSON list of objects."""
'''

_BOOK = '''\
"""The recipes that are kept.

module: recipes.book
"""

from dataclasses import dataclass

@dataclass
class Recipe:
    """A dish, and how long it takes."""

    name: str
    minutes: int

class Book:
    """All recipes."""

    def __init__(self, path: str) -> None:
        """Read the recipes of a JSON file. A file that is not there has none."""

    def add(self, recipe: Recipe) -> None:
        """Keep a recipe in the file; one of the same name is replaced."""

    def find(self, text: str) -> list[Recipe]:
        """Return the recipes whose names contain a text, in upper or lower case.

        They are in the order of their names.
        """
'''

_LINES = '''\
"""How recipes look.

module: recipes.lines
"""

from recipes.book import Recipe

def line(recipe: Recipe) -> str:
    """Return a recipe as `NAME (TIME)`."""
'''


def _decided(key: str, text: str) -> dict[str, Any]:
    return {"key": key, "language": "python", "text": text, "rationale": "the parts meet here"}


def _task(
    name: str, summary: str, *, implements: Sequence[str] = (), uses: Sequence[str] = (), **more: Any
) -> dict[str, Any]:
    sides = {"implements": {key: [] for key in implements}, "uses": {key: _PARTS.get((name, key), []) for key in uses}}
    return {"name": name, "summary": summary, "checks": ["unit"], **sides, **more}


_PARTS: Mapping[tuple[str, str], Sequence[str]] = {("lines", "api/recipes"): ["Recipe"]}
"""(Component, key) -> the facets that it uses, where it does not use all."""


_WORDS = {
    "questions": [
        {"key": "words/case", "question": "How are words compared?", "options": ["lower case", "as written"]}
    ],
    "decisions": [_decided("api/words", WORDS_STUB)],
    "tasks": [
        _task(
            "words",
            "Count the words of a text.",
            implements=["api/words"],
            uses=["words/case"],
            files=["words.py", "test_words.py"],
        ),
        _task(
            "count-command",
            "The command. It prints the words of the file that its argument names, one `word count` per line. "
            "A file that is not there is an error with status 1.",
            uses=["api/words"],
            files=["count_words.py", "test_count_words.py"],
            command=["python", "-m", "count_words"],
        ),
    ],
}

_TODO = {
    "questions": [],
    "decisions": [_decided("api/entries", _ENTRIES), _decided("api/store", _STORE)],
    "tasks": [
        _task("entries", "What entries are.", implements=["api/entries"], files=["entries.py", "test_entries.py"]),
        _task(
            "store",
            "Where entries are kept.",
            implements=["api/store"],
            uses=["api/entries"],
            files=["kept/store.py", "test_store.py"],
        ),
        _task(
            "todo",
            "The command. The entries are kept in `todo.json` in the current folder. `add TEXT` adds an entry. "
            "`done NUMBER` marks one as done; a number that nothing has is an error with status 1. "
            "`list` prints `NUMBER [ ] TEXT` for each, with `[x]` for what is done.",
            uses=["api/entries", "api/store"],
            files=["todo.py", "test_todo.py"],
            command=["python", "-m", "todo"],
        ),
    ],
}

_RECIPES = {
    "questions": [{"key": "times", "question": "How are times shown?", "options": ["hours and minutes", "minutes"]}],
    "decisions": [_decided("api/recipes", _BOOK), _decided("api/lines", _LINES)],
    "tasks": [
        _task("book", "The recipes.", implements=["api/recipes"], files=["recipes/book.py", "test_book.py"]),
        _task(
            "lines",
            "How a recipe looks.",
            implements=["api/lines"],
            uses=["api/recipes", "times"],
            files=["recipes/lines.py", "test_lines.py"],
        ),
        _task(
            "app",
            "The command. The recipes are in `recipes.json` in the current folder. `add NAME MINUTES` keeps a recipe. "
            "`find TEXT` prints the recipes whose names contain the text, one per line.",
            uses=["api/recipes", "api/lines"],
            files=["recipes/__main__.py", "test_app.py"],
            command=["python", "-m", "recipes"],
        ),
    ],
}

PLANS: Mapping[str, Mapping[str, Any]] = {WORDS_PROMPT: _WORDS, TODO_PROMPT: _TODO, RECIPES_PROMPT: _RECIPES}
