"""Commands that run a team and export its program: run, work, init, export."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from blackboard.board import Blackboard
from blackboard.cli import report
from blackboard.cli.exits import Exit, of_outcome
from blackboard.cli.place import BOARD_FILE, BOARD_VARIABLE, TEAM_FILE, BoardOption, JsonOption, opened
from blackboard.cli.teamfile import Options, load_team, parse_values, team_path
from blackboard.cli.terminal import complain, console, emit, say, terminated_like_interrupted
from blackboard.cli.watch import Lines, Screen, View, Waits, follow
from blackboard.cli.workers import other_version
from blackboard.errors import InvalidPath
from blackboard.spec.convergence import Outcome

if TYPE_CHECKING:
    from blackboard.control.controller import Controller
    from blackboard.control.team import Team

PROGRAM_FOLDER = "program"

LOOKED_FOR_SECONDS = 0.2
"""The interval at which a view looks whether the run has ended."""

Ended = TypeVar("Ended")

AllowOption = Annotated[
    list[str] | None,
    typer.Option(
        "--allow", metavar="FILE", help="Write this file, though tools run it unasked or another is in its place."
    ),
]
Target = Annotated[Path, typer.Argument(metavar="DIR|team.py", help="The team file, or its folder.")]
ModelOption = Annotated[
    str | None,
    typer.Option("--model", metavar="PROVIDER:NAME", help="Model for every source that uses one, e.g. openai:gpt-5."),
]
WorkersOption = Annotated[int, typer.Option("--workers", min=1, help="The number of sources that run at once.")]
TeamOption = Annotated[list[str] | None, typer.Option("--option", metavar="NAME=VALUE", help="For the team.")]


def run(
    target: Target = Path(),
    *,
    plain: Annotated[bool, typer.Option("--plain", help="Print one line for each change.")] = False,
    model: ModelOption = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Seed for every random choice.")] = None,
    workers: WorkersOption = 4,
    option: TeamOption = None,
    allow: AllowOption = None,
    board: BoardOption = None,
    as_json: JsonOption = False,
) -> int:
    """Run a team until the spec has converged, or no source can act any more.

    The board is made if it does not exist; a run on an existing board continues it. The program of a converged run is
    exported to a folder next to the board.
    """
    from blackboard.control.controller import Controller  # noqa: PLC0415 - of no use to any other command

    with _opened_with_team(target, Options(model, seed, parse_values(option or [])), board, create=True) as (
        found,
        team,
    ):
        controller = Controller(found, team, workers=workers, seed=seed)
        as_lines = plain or as_json or not console().is_terminal
        view: View = Lines(found, as_json=as_json, waits=Waits(found)) if as_lines else Screen(found)
        outcome = _work(found, controller, view)
        program = (
            _export_program(found, team_path(target).parent, allow or ()) if str(outcome.kind) == "converged" else ""
        )
        shown = report.status(found, outcome=outcome, program=program)
    emit(shown, as_json=as_json)
    return of_outcome(shown.kind, shown.obligations)


def work(
    target: Target = Path(),
    *,
    model: ModelOption = None,
    workers: WorkersOption = 4,
    option: TeamOption = None,
    board: BoardOption = None,
) -> int:
    """Execute a team's sources as a worker, on any host, until SIGTERM or Ctrl-C.

    `bb run` installs the team; any number of workers join it. While the board is unavailable a worker waits. At its end
    it releases its leases: their activations are pending again, and the attempts do not count.
    """
    from blackboard.control.worker import Worker  # noqa: PLC0415 - of no use to most commands

    with _opened_with_team(target, Options(model, None, parse_values(option or [])), board) as (found, team):
        if warned := other_version(found):
            complain(warned)
        worker = Worker(found, team, workers=workers)
        say(f"a worker of {found.store.location}; it ends on SIGTERM or Ctrl-C")
        ended = _begun(worker.run)
        with terminated_like_interrupted():
            try:
                ended.result()
            except KeyboardInterrupt:
                worker.stop()
                ended.result()
    return Exit.YES


@contextmanager
def _opened_with_team(
    target: Path, options: Options, board: str | None, *, create: bool = False
) -> Iterator[tuple[Blackboard, "Team"]]:
    """Load a team file and open the board of the options, else the one in the folder of the team file."""
    path = team_path(target)
    team = load_team(path, options)
    with opened(board or os.environ.get(BOARD_VARIABLE) or str(path.parent / BOARD_FILE), create=create) as found:
        yield found, team


def _work(board: Blackboard, controller: "Controller", view: View) -> Outcome:
    """Run a controller and a view of the board; an interrupt stops the controller and waits for its end."""
    before = board.revision
    ended = _begun(controller.run)
    with terminated_like_interrupted(), view:
        try:
            follow(board, view, after=before, alive=lambda: not ended.done(), wait_seconds=LOOKED_FOR_SECONDS)
        except KeyboardInterrupt:
            controller.stop()
        except BaseException:
            # The view failed (a closed pipe, a store that is gone): stop the controller in order all the same.
            controller.stop()
            ended.exception()
            raise
        return ended.result()


def _begun(run: Callable[[], Ended]) -> Future[Ended]:
    """Start a function in another thread, so that this one can draw and receive interrupts."""
    ended: Future[Ended] = Future()

    def work() -> None:
        try:
            ended.set_result(run())
        except BaseException as error:  # noqa: BLE001 - handed to whoever asks for the result
            ended.set_exception(error)

    # A daemon thread: a second interrupt ends the process at once, and acknowledged commits are durable.
    threading.Thread(target=work, name="controller", daemon=True).start()
    return ended


def _export_program(board: Blackboard, folder: Path, allow: Sequence[str]) -> str:
    """Export a converged program to a folder next to its board; return the folder, "" where a file is refused."""
    path = board.store.database.path
    program = (path.parent if path else folder) / PROGRAM_FOLDER
    try:
        board.snapshot().export(program, allow=allow)
    except InvalidPath as error:
        # The spec has converged all the same; which files may be written is the operator's choice.
        complain(f"{program} was not written: {error} (`--allow FILE`, here or of `bb export`)")
        return ""
    return str(program)


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder, made if it does not exist.")] = Path(),
) -> int:
    """Write a team.py to edit, and make an empty board."""
    team, board = folder / TEAM_FILE, folder / BOARD_FILE
    if team.exists():
        raise typer.BadParameter(f"{team} is there already")
    folder.mkdir(parents=True, exist_ok=True)
    with opened(str(board), create=True):
        pass
    team.write_text((files("blackboard.cli") / "first_team.txt").read_text(encoding="utf-8"), encoding="utf-8")
    say(f"wrote {team} and {board}: say in {team} what is to be built, then run `bb run {folder}`")
    return Exit.YES


def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Files of an earlier export are replaced.")],
    *,
    allow: AllowOption = None,
    at: Annotated[int | None, typer.Option("--at", min=0, metavar="REVISION", help="As of this revision.")] = None,
    board: BoardOption = None,
) -> int:
    """Write every component's files below a folder."""
    with opened(board) as found:
        snapshot = found.snapshot(at=at)
        written = snapshot.export(folder, allow=allow or ())
        outcome = snapshot.convergence()
    say(f"wrote {len(written)} files to {folder}, as of revision {snapshot.revision}")
    if str(outcome.kind) != "converged":
        say(f"the spec has not converged there: {outcome.kind}, {len(outcome.obligations)} things left to do")
    return Exit.YES
