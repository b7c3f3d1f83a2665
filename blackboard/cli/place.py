"""The options that all commands share: the board and the author.

The board is `--board`, else `BB_BOARD`, else `board.db` next to the nearest team.py in this folder or above it. Only
`run` and `init` make a board that does not exist.
"""

import getpass
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from blackboard.board import Blackboard
from blackboard.errors import Invalid, Unavailable
from blackboard.spec import arguments
from blackboard.spec.keys import check_name

TEAM_FILE = "team.py"
BOARD_FILE = "board.db"
BOARD_VARIABLE = "BB_BOARD"
OPERATOR = "operator"

BoardOption = Annotated[
    str | None, typer.Option("--board", metavar="BOARD", help="The board's file or URL (or BB_BOARD).")
]
AuthorOption = Annotated[
    str | None, typer.Option("--as", metavar="NAME:ROLE", help="Author and role; default: your account, as operator.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the same record as JSON.")]


def _reason(text: str) -> str:
    """Check a reason before anything is read, so that the commit cannot refuse it."""
    return arguments.text(text, "the reason")


BecauseOption = Annotated[
    str, typer.Option("--because", parser=_reason, metavar="TEXT", help="The reason, which the board keeps.")
]


@dataclass(frozen=True, slots=True)
class Author:
    """An author and a role."""

    name: str
    role: str


def find_board(given: str | None, environment: Mapping[str, str], folder: Path) -> str:
    """Return the location of the board that a command means.

    Args:
        given: The option `--board`.
        environment: The environment variables, BB_BOARD among them.
        folder: The folder in which the search for a team.py begins.

    Raises:
        Invalid: The option is empty, which must not mean another board.
        Unavailable: None of the three names a board.
    """
    if given == "":
        raise Invalid("the board's name is empty; give a path or sqlite:///path")
    named = given or environment.get(BOARD_VARIABLE)
    if named:
        return named
    for above in (folder, *folder.parents):
        if (above / TEAM_FILE).is_file():
            return str(above / BOARD_FILE)
    step = f"name it with --board or {BOARD_VARIABLE}, or begin one with `bb init`"
    raise Unavailable("the board", f"there is no {TEAM_FILE} in {folder} or above it", step)


@contextmanager
def opened(given: str | None, *, create: bool = False) -> Iterator[Blackboard]:
    """Lend the board that a command means, and close it; only `run` and `init` make it."""
    board = Blackboard.open(find_board(given, os.environ, Path.cwd()), create=create)
    try:
        yield board
    finally:
        board.close()


def author_of(given: str | None) -> Author:
    """Parse `NAME:ROLE`; without it return the account's name with role operator.

    Raises:
        InvalidKey: The name or role is not well formed.
    """
    name, _, role = (given or "").partition(":")
    return Author(check_name(name or _account()), check_name(role or OPERATOR))


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        raise typer.BadParameter("this account has no name: say who you are with --as NAME:ROLE") from None
