"""Where the board is and who asks: the options that all commands share.

A board is `--board`, else `BB_BOARD`, else `board.db` beside the nearest team.py upward. No command finds a board by
making one.
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
    str | None, typer.Option("--as", metavar="NAME:ROLE", help="Who does it; you, as operator, unless said.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the same record as JSON.")]


def _reason(text: str) -> str:
    """Return why something is done: refused here, before anything is read, where no board takes it."""
    return arguments.text(text, "the reason")


BecauseOption = Annotated[
    str, typer.Option("--because", parser=_reason, metavar="TEXT", help="Why; shown to whoever meets it.")
]


@dataclass(frozen=True, slots=True)
class Author:
    """Who does something, and as what."""

    name: str
    role: str


def find_board(given: str | None, environment: Mapping[str, str], folder: Path) -> str:
    """Return the location of the board that a command means.

    Args:
        given: The option `--board`.
        environment: Where BB_BOARD may stand.
        folder: Where the search for a team.py begins.

    Raises:
        Invalid: The option is there and empty: another board than was meant is none.
        Unavailable: None of the three says where it is.
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
    """Lend the board that a command means; only `run` and `init` let it be made."""
    board = Blackboard.open(find_board(given, os.environ, Path.cwd()), create=create)
    try:
        yield board
    finally:
        board.close()


def author_of(given: str | None) -> Author:
    """Return who `NAME:ROLE` is; the account's user, as operator, where it says nothing.

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
