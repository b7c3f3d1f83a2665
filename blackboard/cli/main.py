"""The command `bb`: the list of commands, and the handling of errors.

Every command returns an exit status or raises. A typed error becomes one line on standard error; the exit status is 1
for `Refused` (the answer is no, and nothing was written) and 3 for any other error.
"""

import os
import sys
import traceback
from collections.abc import Callable, Sequence

import typer

from blackboard.cli import admin, decide, govern, look, operate, watch
from blackboard.cli.exits import Exit
from blackboard.cli.rivals import warning
from blackboard.cli.terminal import complain
from blackboard.errors import BlackboardError, Refused

INTERRUPTED, UNREAD = 128 + 2, 128 + 13
"""The exit statuses that a shell gives to commands that SIGINT and SIGPIPE ended."""

COMMANDS: Sequence[Callable[..., int]] = (
    operate.run,
    watch.watch,
    look.status,
    look.why,
    look.show,
    decide.decide,
    decide.propose,
    decide.vote,
    look.log,
    look.diff,
    decide.ask,
    decide.revert,
    operate.init,
    operate.export,
    operate.work,
)
"""In the order of the help: most used first."""

BOARD_COMMANDS: Sequence[Callable[..., int]] = (
    admin.create,
    admin.upgrade,
    admin.backup,
    admin.copy,
    admin.compact,
    admin.doctor,
    govern.pause,
    govern.drain,
    govern.resume,
    govern.cancel,
    govern.retry,
    govern.unlock,
    govern.budget,
    govern.seal,
)

SIGNED = frozenset({govern.budget})
"""Commands whose arguments may begin with a minus; they refuse a wrong number themselves."""


def _app() -> typer.Typer:
    app = typer.Typer(
        help="A shared, versioned spec for a team that builds one piece of software together.",
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    board = typer.Typer(help="Make, examine, back up and govern boards.", rich_markup_mode=None)
    for command in COMMANDS:
        app.command()(command)
    for command in BOARD_COMMANDS:
        board.command(context_settings={"ignore_unknown_options": command in SIGNED})(command)
    app.add_typer(board, name="board")
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit status.

    Args:
        arguments: The arguments without the program's name; None means those of this process.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        answer = _app()(args=words or ["--help"], prog_name="bb", standalone_mode=False)
    except (Exception, KeyboardInterrupt, SystemExit) as error:  # noqa: BLE001 - whatever it is, it must not look like a plain no
        return _failed(error)
    return int(answer or Exit.YES) if words else Exit.USAGE


def _failed(error: BaseException) -> int:
    """Print an error on standard error, and return its exit status."""
    match error:
        case Refused():
            complain(f"refused: {error}")
            return Exit.NO
        case BlackboardError():
            complain(str(error))
        case BrokenPipeError() | SystemExit():
            # typer and click turn a closed pipe into SystemExit(1), which would look like the answer no.
            return _reader_gone()
        case OSError():
            complain(f"{error.filename or 'the system'}: {error.strerror or error}")
        case KeyboardInterrupt() | typer.Abort():
            return INTERRUPTED
        case _ if hasattr(error, "format_message"):
            # A usage error: typer does not export its exception class.
            usage = getattr(getattr(error, "ctx", None), "command_path", "bb")
            complain(f"{error.format_message()} (see {usage} --help)")
            return Exit.USAGE
        case _:
            complain("this is a bug of bb: " + "".join(traceback.format_exception(error)), lines=True)
    return Exit.FAILED


def _reader_gone() -> int:
    """End without a message, as after `bb log | head`; nothing is flushed to the closed pipe at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return UNREAD


def run() -> None:
    """Run the command line of this process; the entry point of `bb`."""
    if warned := warning():
        complain(warned)
    sys.exit(main())
