"""The command `bb`: which commands there are, and what becomes of errors.

Every command returns an exit status or raises. A typed error is one line on standard error: refused is 1 (the answer
is no, and nothing happened), anything else that kept a command from answering is 3.
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
"""As a shell says that a command was ended by SIGINT, and by SIGPIPE."""

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
"""Those whose arguments may begin with a minus: what is wrong with a number they say themselves."""


def _app() -> typer.Typer:
    app = typer.Typer(
        help="A shared, versioned spec for a team that builds one piece of software together.",
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    board = typer.Typer(help="Make, mend and keep boards.", rich_markup_mode=None)
    for command in COMMANDS:
        app.command()(command)
    for command in BOARD_COMMANDS:
        board.command(context_settings={"ignore_unknown_options": command in SIGNED})(command)
    app.add_typer(board, name="board")
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit status.

    Args:
        arguments: Without the program's name; None means those of this process.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        answer = _app()(args=given or ["--help"], prog_name="bb", standalone_mode=False)
    except (Exception, KeyboardInterrupt, SystemExit) as error:  # noqa: BLE001 - whatever it is, it must not look like a plain no
        return _failed(error)
    return int(answer or Exit.YES) if given else Exit.USAGE


def _failed(error: BaseException) -> int:
    """Say what an error means to whoever typed the command, and return the exit status for it."""
    match error:
        case Refused():
            complain(f"refused: {error}")
            return Exit.NO
        case BlackboardError():
            complain(str(error))
        case BrokenPipeError() | SystemExit():
            # Both libraries make an exit of a closed pipe, with the status of a plain no; nothing else exits.
            return _reader_gone()
        case OSError():
            complain(f"{error.filename or 'the system'}: {error.strerror or error}")
        case KeyboardInterrupt() | typer.Abort():
            return INTERRUPTED
        case _ if hasattr(error, "format_message"):
            # A wrong usage: the library has an exception of its own for it, which it does not export.
            usage = getattr(getattr(error, "ctx", None), "command_path", "bb")
            complain(f"{error.format_message()} (see {usage} --help)")
            return Exit.USAGE
        case _:
            complain("this is a bug of bb: " + "".join(traceback.format_exception(error)), lines=True)
    return Exit.FAILED


def _reader_gone() -> int:
    """End quietly, as after `bb log | head`; nothing is flushed to the closed pipe at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return UNREAD


def run() -> None:
    """Run the command line of this process; the entry point of `bb`."""
    if warned := warning():
        complain(warned)
    sys.exit(main())
