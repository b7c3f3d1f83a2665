"""Commands that only read: status, why, show, log, diff."""

from contextlib import suppress
from typing import Annotated

import typer

from blackboard.board import Blackboard
from blackboard.cli import report
from blackboard.cli.calls import calls as calls_about
from blackboard.cli.exits import Exit, of_outcome
from blackboard.cli.place import BoardOption, JsonOption, opened
from blackboard.cli.records import ComponentReport, DecisionReport
from blackboard.cli.terminal import complain, emit, write_calls, write_line
from blackboard.cli.watch import Lines
from blackboard.cli.watch import follow as follow_feed
from blackboard.cli.why import why as why_of
from blackboard.spec.keys import check_key, check_pattern, is_pattern

Key = Annotated[str, typer.Argument(metavar="KEY", help="A decision or component.")]
Pattern = Annotated[str, typer.Option("--key", metavar="PATTERN", help="Only keys under this pattern.")]


def status(*, board: BoardOption = None, as_json: JsonOption = False) -> int:
    """Show whether the spec has converged, and the open obligations.

    The exit status is 0 if it has converged, 4 if all obligations wait for a person, else 1.
    """
    with opened(board) as found:
        shown = report.status(found)
    emit(shown, as_json=as_json)
    return of_outcome(shown.kind, shown.obligations)


def why(key: Key, *, board: BoardOption = None, as_json: JsonOption = False) -> int:
    """Show the causes of a key's state, and the next steps."""
    with opened(board) as found:
        shown = why_of(found, check_key(key))
    emit(shown, as_json=as_json)
    return Exit.YES if shown.state else Exit.NO


def show(
    key: Annotated[str, typer.Argument(metavar="KEY|PATTERN", help="A decision, a component, or many.")] = "**",
    *,
    version: Annotated[int | None, typer.Option("--version", min=1, help="One version of a decision.")] = None,
    files: Annotated[bool, typer.Option("--files", help="Show the texts of a component's files.")] = False,
    at: Annotated[int | None, typer.Option("--at", min=0, metavar="REVISION", help="As of this revision.")] = None,
    prompts: Annotated[bool, typer.Option("--prompts", help="Show model calls about the key.")] = False,
    call: Annotated[int | None, typer.Option("--call", min=1, help="Show only this model call.")] = None,
    board: BoardOption = None,
    as_json: JsonOption = False,
) -> int:
    """Show a decision, a component, or the keys of a pattern; or the calls of models about one key."""
    with opened(board) as found:
        if prompts or call is not None:
            return _calls(found, key, call, as_json=as_json)
        if is_pattern(key):
            return _list(found, check_pattern(key), as_json=as_json)
        shown = _one(found, check_key(key), version, files=files, at=at)
    if shown is None:
        complain(f"{key}: the board has nothing under this key" + (f" as version {version}" if version else ""))
        return Exit.NO
    emit(shown, as_json=as_json)
    return Exit.YES


def _calls(board: Blackboard, key: str, call: int | None, *, as_json: bool) -> int:
    if is_pattern(key):
        raise typer.BadParameter("name one key, not a pattern, to see the calls about it")
    shown = calls_about(board.store, check_key(key), number=call)
    if not shown.calls:
        complain(f"{key}: the board has no " + (f"call {call}" if call else "call of a model") + " about it")
        return Exit.NO
    write_calls(shown, as_json=as_json)
    return Exit.YES


def _list(board: Blackboard, pattern: str, *, as_json: bool) -> int:
    shown = report.listing(board, pattern)
    emit(shown, as_json=as_json)
    return Exit.YES if shown.keys else Exit.NO


def _one(
    board: Blackboard, key: str, version: int | None, *, files: bool, at: int | None
) -> ComponentReport | DecisionReport | None:
    return report.component(board, key, files=files, at=at) or report.decision(board, key, version=version, at=at)


def log(
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Also show new changes, until interrupted.")] = False,
    after: Annotated[int | None, typer.Option("--after", min=0, metavar="REVISION", help="Only newer changes.")] = None,
    key: Pattern = "**",
    board: BoardOption = None,
    as_json: JsonOption = False,
) -> int:
    """Show changes in order: the newest 200, or all after a revision."""
    pattern = check_pattern(key)
    with opened(board) as found:
        shown = report.log(found, after=after, pattern=pattern)
        if not follow:
            emit(shown, as_json=as_json)
            return Exit.YES
        for line in shown.changes:
            write_line(line, as_json=as_json)
        view = Lines(found, pattern=pattern, as_json=as_json)
        with suppress(KeyboardInterrupt):
            follow_feed(found, view, after=shown.revision, alive=lambda: True)
    return Exit.YES


def diff(
    old: Annotated[int, typer.Argument(min=0, metavar="OLD", help="A revision.")],
    new: Annotated[
        int | None, typer.Argument(min=0, metavar="[NEW]", help="A later revision; the newest if omitted.")
    ] = None,
    *,
    key: Pattern = "**",
    proofs: Annotated[bool, typer.Option("--proofs", help="Show a proof of each break.")] = False,
    board: BoardOption = None,
    as_json: JsonOption = False,
) -> int:
    """Show the differences between two revisions.

    The exit status is 1 if there is any.
    """
    with opened(board) as found:
        until = found.revision if new is None else new
        shown = report.diff(found, old, until, pattern=check_pattern(key), proofs=proofs)
    emit(shown, as_json=as_json)
    return Exit.NO if shown.decisions or shown.components else Exit.YES
