"""The live view of a board, which follows whatever process works on it.

Invariant: a frame costs the same whatever the size of the board. It holds no more rows than fit on the screen, and
what has to look at the whole board, the obligations, is asked so seldom that it takes a twentieth of the time.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Annotated, Protocol, Self

import typer
from rich.console import RenderableType
from rich.live import Live

from blackboard.board import Blackboard
from blackboard.cli import overview
from blackboard.cli.exits import Exit
from blackboard.cli.place import BoardOption, JsonOption, opened
from blackboard.cli.records import Frame
from blackboard.cli.report import shown
from blackboard.cli.screen import room, screen
from blackboard.cli.spending import waiting_line
from blackboard.cli.terminal import console, emit, say, terminated_like_interrupted, write_line
from blackboard.spec.convergence import Outcome
from blackboard.spec.records import ChangeRecord

IDLE_SECONDS = 1.0
"""How often leases and budgets, which are not in the feed, are looked at while nothing else happens."""

LONG_SECONDS = 10.0
"""From here on a call of a model is worth a line."""

MOST_SILENT_SECONDS = 60.0
"""How long nothing is said about a call that runs."""

BETWEEN_FRAMES_SECONDS = 0.1
"""What arrives sooner waits for the next frame."""

_PICTURE = (100, 60)
"""Columns and lines of one picture where no terminal says how many there are."""

ASKED_SHARE = 20
"""Asking for the obligations takes at most one part in so many of the time."""


class Left:
    """What is left to do, asked anew only when asking last took little of the time that has gone by since."""

    def __init__(self, board: Blackboard, clock: Callable[[], float] = time.monotonic) -> None:
        self._board = board
        self._clock = clock
        self._next = float("-inf")
        self._known: Outcome | None = None

    def outcome(self) -> Outcome:
        """Return the outcome of the board as it stands, or as it stood a short while ago."""
        begun = self._clock()
        if self._known is None or begun >= self._next:
            self._known = self._board.snapshot().convergence()
            ended = self._clock()
            self._next = ended + (ended - begun) * (ASKED_SHARE - 1)
        return self._known


def frame(board: Blackboard, rows: overview.Rows, left: Left) -> Frame:
    """Return one picture of a board with at most so many rows of each kind."""
    picture = overview.picture(board.store, rows)
    outcome = left.outcome()
    return Frame(
        location=board.store.location,
        revision=picture.revision,
        decisions=picture.decisions,
        components=picture.components,
        agenda=picture.agenda,
        budget=picture.budget,
        changes=picture.changes,
        kind=str(outcome.kind),
        obligations=tuple(outcome.obligations[: rows.obligations]),
        obligations_left=len(outcome.obligations),
        waiting=picture.waiting,
    )


class View(Protocol):
    """What shows a board while others change it."""

    def __enter__(self) -> Self:
        """Begin."""
        ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End, whatever happened."""
        ...

    def show(self, changes: Sequence[ChangeRecord]) -> None:
        """Show what came; nothing means that only time went on."""
        ...


class Waits:
    """Says which calls of models have run long: after 10 seconds, then ever more seldom, once a minute at least."""

    def __init__(self, board: Blackboard, clock: Callable[[], float] = time.monotonic) -> None:
        self._board = board
        self._clock = clock
        self._next = clock() + IDLE_SECONDS
        self._due: dict[int, float] = {}

    def lines(self) -> list[str]:
        """Return a line for each call about which it is time to say something."""
        if self._clock() < self._next:
            return []
        self._next = self._clock() + IDLE_SECONDS
        waiting = overview.called(self._board.store)[1]
        self._due = {one.call: self._due.get(one.call, LONG_SECONDS) for one in waiting}
        said = [one for one in waiting if one.seconds >= self._due[one.call]]
        self._due |= {one.call: one.seconds + min(one.seconds, MOST_SILENT_SECONDS) for one in said}
        return [waiting_line(one) for one in said]


class Lines:
    """Each change as one line, for logs and pipes; and, where asked for and not as JSON, calls that run long."""

    def __init__(
        self, board: Blackboard, *, pattern: str = "**", as_json: bool = False, waits: Waits | None = None
    ) -> None:
        self._board = board
        self._pattern = pattern
        self._as_json = as_json
        self._waits = None if as_json else waits

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Leave what was printed."""

    def show(self, changes: Sequence[ChangeRecord]) -> None:
        """Print what came."""
        for text in self._waits.lines() if self._waits else ():
            say(text)
        if not changes:
            return
        for line in overview.change_lines(self._board.store, shown(changes, self._pattern)):
            write_line(line, as_json=self._as_json)


class Screen:
    """The whole terminal, drawn anew at each change, and once a second for what is not in the feed."""

    def __init__(self, board: Blackboard) -> None:
        self._board = board
        self._left = Left(board)
        self._console = console()
        self._live = Live(console=self._console, screen=True, auto_refresh=False)
        self._drawn = float("-inf")

    def __enter__(self) -> Self:
        # Drawn first: what cannot be read must not leave a terminal behind that is in its other screen.
        self._live.update(self._picture())
        self._live.start(refresh=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._live.stop()

    def show(self, changes: Sequence[ChangeRecord]) -> None:  # noqa: ARG002 - a frame shows the newest by itself
        """Draw a frame, not sooner than a moment after the last one."""
        time.sleep(max(0.0, self._drawn + BETWEEN_FRAMES_SECONDS - time.monotonic()))
        self._live.update(self._picture(), refresh=True)
        self._drawn = time.monotonic()

    def _picture(self) -> RenderableType:
        width, height = self._console.size
        return screen(frame(self._board, room(width, height), self._left), width)


def follow(
    board: Blackboard, view: View, *, after: int, alive: Callable[[], bool], wait_seconds: float = IDLE_SECONDS
) -> None:
    """Show what comes until nobody is alive any more, and what came up to then.

    Args:
        board: Whose feed it is; any process may write it.
        view: Where it is shown.
        after: The revision that was shown last.
        alive: Says whether more may come; asked before each wait, so that the last changes are not missed.
        wait_seconds: How long to wait where nothing comes.
    """
    while True:
        going_on = alive()
        changes = _arrived(board, after, wait_seconds if going_on else 0)
        if changes:
            after = changes[-1].revision
        view.show(changes)
        if not going_on:
            return


def _arrived(board: Blackboard, after: int, wait_seconds: float) -> tuple[ChangeRecord, ...]:
    """Return everything after a revision, waiting for the first of it; nothing where nothing came in time."""
    for _ in board.watch(after=after, timeout_seconds=wait_seconds):
        return board.changes(after=after)
    return ()


def watch(
    *,
    once: Annotated[bool, typer.Option("--once", help="One picture, and no more.")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="A line for each change, as without a terminal.")] = False,
    board: BoardOption = None,
    as_json: JsonOption = False,
) -> int:
    """Watch a board while any process works on it."""
    with opened(board) as found:
        if once:
            return _picture(found, as_json=as_json)
        lines = plain or as_json or not console().is_terminal
        view: View = Lines(found, as_json=as_json, waits=Waits(found)) if lines else Screen(found)
        with suppress(KeyboardInterrupt), terminated_like_interrupted(), view:
            follow(found, view, after=found.revision, alive=lambda: True)
    return Exit.YES


def _picture(board: Blackboard, *, as_json: bool) -> int:
    out = console()
    width, height = out.size if out.is_terminal else _PICTURE
    picture = frame(board, room(width, height), Left(board))
    if as_json:
        emit(picture, as_json=True)
    else:
        out.print(screen(picture, width))
    return Exit.YES
