"""Commands about a board as a whole: create, upgrade, backup, copy, compact, doctor."""

import os
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from blackboard.board import Blackboard, path_of
from blackboard.choreography.values import OPERATOR
from blackboard.cli.exits import Exit
from blackboard.cli.health import exit_of, head_of, health
from blackboard.cli.place import (
    AuthorOption,
    BecauseOption,
    BoardOption,
    JsonOption,
    author_of,
    find_board,
    opened,
)
from blackboard.cli.records import DoneReport
from blackboard.cli.terminal import complain, console, emit, say
from blackboard.errors import NotPermitted, SchemaMismatch
from blackboard.store import compact as compaction
from blackboard.store.doctor import examine
from blackboard.store.feed import Cursor

_CURSOR_PARTS = 3


def create(
    location: Annotated[str, typer.Argument(metavar="BOARD", help="Its file or URL; an existing board is kept.")],
) -> int:
    """Make an empty board."""
    with opened(location, create=True) as found:
        say(f"{location} is a board at revision {found.revision}")
    return Exit.YES


def upgrade(*, board: BoardOption = None) -> int:
    """Upgrade an older board to this library's schema, in one transaction."""
    location = find_board(board, os.environ, Path.cwd())
    try:
        with Blackboard.open(location) as found:
            before, after = found.upgrade()
    except SchemaMismatch as mismatch:
        if mismatch.newer:
            raise
        before = mismatch.found
        with Blackboard.open(location, upgrade=True) as found:
            after = found.upgrade()[1]
    say(f"{location} had schema {before} and has {after}" if before != after else f"{location} has schema {after}")
    return Exit.YES


def backup(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A file that is not there yet.")],
    *,
    board: BoardOption = None,
) -> int:
    """Copy the board at one revision, while other processes use it, and verify the copy."""
    with opened(board) as found:
        revision = found.backup(path)
    say(f"{path} is the board as of revision {revision}")
    return Exit.YES


def compact(
    *,
    before: Annotated[
        int, typer.Option("--before", min=1, metavar="REV", help="The first revision whose history is kept.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    because: BecauseOption = "",
    author: AuthorOption = None,
    board: BoardOption = None,
    as_json: JsonOption = False,
) -> int:
    """Replace the history before a revision by the state at it.

    Decisions, components and verdicts of that revision and later are kept, and all digests. Older changes, and texts
    and files that were replaced before, are deleted for ever. The file does not shrink; later commits use the freed
    space.
    """
    who = author_of(author)
    if who.role != OPERATOR:
        raise NotPermitted(f"{who.name}, as {who.role}, compacts the board", waits_for=["an operator"])
    if not (dry_run or yes or asked_at_a_terminal()):
        raise typer.BadParameter("nobody is here to ask: see what goes by --dry-run, then give --yes")
    with opened(board) as found:
        if not yes or dry_run:
            loss = compaction.foresee(found.store, before=before)
            if dry_run or loss is None:
                emit(DoneReport(found.revision, _losses(loss)), as_json=as_json)
                return Exit.YES
            for line in _losses(loss):
                say(line)
            typer.confirm("Fold it?", abort=True)
        done = compaction.compact(found.store, before=before, author=who.name, reason=because)
    act = f"what came before {before} is folded; keep a head that doctor prints from now on"
    emit(DoneReport(done.revision, _losses(None) if done.revision == done.head_before else (act,)), as_json=as_json)
    return Exit.YES


def asked_at_a_terminal() -> bool:
    """Say whether there is somebody to ask."""
    return console().is_terminal and sys.stdin.isatty()


def _losses(loss: compaction.Loss | None) -> tuple[str, ...]:
    if loss is None:
        return ("nothing to fold: the board begins there already, or later",)
    return (
        f"the history of the revisions {loss.first} to {loss.last} would go",
        f"the texts of {loss.texts} versions and {loss.files} files would go: {loss.size_bytes} bytes",
        f"every cursor below revision {loss.last} would end: its reader begins again from a snapshot",
    )


def copy(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A file that is not there yet.")],
    *,
    author: AuthorOption = None,
    board: BoardOption = None,
    as_json: JsonOption = False,
) -> int:
    """Copy the board into a new one with a new epoch, in which this board's cursors and leases are not valid."""
    who = author_of(author)
    with opened(board) as found:
        head = found.copy(path, author=who.name)
    act = f"{path} is a board of its own, with the head {head_of(head)}"
    emit(DoneReport(head.revision, (act,)), as_json=as_json)
    return Exit.YES


def doctor(
    *,
    full: Annotated[bool, typer.Option("--full", help="Check every index entry too.")] = False,
    known_head: Annotated[
        str | None,
        typer.Option("--known-head", "--head", metavar="HEAD", help="A head that doctor printed before."),
    ] = None,
    board: BoardOption = None,
    as_json: JsonOption = False,
) -> int:
    """Examine a board without changing it: its file system, pages, rows and history.

    The exit status is 0 if the board is sound, 1 if it is not, 3 if a part could not be examined. The loss of the
    newest commits can be found only with a known head: keep the head that this prints.
    """
    known = None if known_head is None else _cursor(known_head)
    path = path_of(find_board(board, os.environ, Path.cwd()))
    found = examine(path, clock=time.time, full=full, known_head=known)
    shown = health(found)
    emit(shown, as_json=as_json)
    bad = [one for one in shown.findings if one.level in ("fault", "unseen")]
    if bad:
        more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
        complain(f"{path}: {bad[0].about}: {bad[0].what}{more}")
    return exit_of(found)


def _cursor(text: str) -> Cursor:
    parts = text.split(":", _CURSOR_PARTS - 1)
    if len(parts) != _CURSOR_PARTS or not parts[1].isdecimal():
        raise typer.BadParameter(f"{text} is no EPOCH:REVISION:DIGEST")
    return Cursor(parts[0], int(parts[1]), parts[2])
