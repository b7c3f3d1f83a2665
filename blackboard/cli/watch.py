"""The live view of a board, which follows the commits of all processes.

Invariant: the cost of a frame does not depend on the size of the board. It has no more rows than fit on the screen; the
obligations, which need the whole board, are computed so rarely that they take at most a twentieth of the time.
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
"""The interval of reads of leases and budgets, which are not in the feed."""

LONG_SECONDS = 10.0
"""The age at which a running call gets its first line."""

MOST_SILENT_SECONDS = 60.0
"""The longest interval between two lines about a running call."""

BETWEEN_FRAMES_SECONDS = 0.1
"""The shortest interval between two frames."""

_PICTURE = (100, 60)
"""Columns and lines of a frame without a terminal."""

ASKED_SHARE = 20
"""Computing the obligations takes at most one part in this many of the time."""


class RecentOutcome:
    """The outcome of a board, computed again when the last computation took only a small part of the time since."""

    def __init__(self, board: Blackboard, clock: Callable[[], float] = time.monotonic) -> None:
        self._board = board
        self._clock = clock
        self._next = float("-inf")
        self._known: Outcome | None = None

    def outcome(self) -> Outcome:
        """Return the current outcome of the board, or a recent one."""
        begun = self._clock()
        if self._known is None or begun >= self._next:
            self._known = self._board.snapshot().convergence()
            ended = self._clock()
            self._next = ended + (ended - begun) * (ASKED_SHARE - 1)
        return self._known


def frame(board: Blackboard, rows: overview.Rows, recent: RecentOutcome) -> Frame:
    """Return one frame of a board with at most this many rows of each kind."""
    picture = overview.picture(board.store, rows)
    outcome = recent.outcome()
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
    """A view of a board that other processes change."""

    def __enter__(self) -> Self:
        """Begin."""
        ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End, also after an error."""
        ...

    def show(self, changes: Sequence[ChangeRecord]) -> None:
        """Show new changes; without any, update what depends on time."""
        ...


class Waits:
    """Reports long-running calls of models: after 10 seconds, then at growing intervals of at most a minute."""

    def __init__(self, board: Blackboard, clock: Callable[[], float] = time.monotonic) -> None:
        self._board = board
        self._clock = clock
        self._next = clock() + IDLE_SECONDS
        self._due: dict[int, float] = {}

    def lines(self) -> list[str]:
        """Return a line for each call that is due for a report."""
        if self._clock() < self._next:
            return []
        self._next = self._clock() + IDLE_SECONDS
        waiting = overview.called(self._board.store)[1]
        self._due = {one.call: self._due.get(one.call, LONG_SECONDS) for one in waiting}
        said = [one for one in waiting if one.seconds >= self._due[one.call]]
        self._due |= {one.call: one.seconds + min(one.seconds, MOST_SILENT_SECONDS) for one in said}
        return [waiting_line(one) for one in said]


class Lines:
    """A view for logs and pipes: each change as one line, and optionally, but not as JSON, long-running calls."""

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
        """End; the printed lines stay."""

    def show(self, changes: Sequence[ChangeRecord]) -> None:
        """Print new changes."""
        for text in self._waits.lines() if self._waits else ():
            say(text)
        if not changes:
            return
        for line in overview.change_lines(self._board.store, shown(changes, self._pattern)):
            write_line(line, as_json=self._as_json)


class Screen:
    """A view of the whole terminal, drawn again at each change, and once a second for leases and budgets."""

    def __init__(self, board: Blackboard) -> None:
        self._board = board
        self._recent = RecentOutcome(board)
        self._console = console()
        self._live = Live(console=self._console, screen=True, auto_refresh=False)
        self._drawn = float("-inf")

    def __enter__(self) -> Self:
        # The first frame is made before the switch to the alternate screen, so that an error leaves the terminal as is.
        self._live.update(self._picture())
        self._live.start(refresh=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._live.stop()

    def show(self, changes: Sequence[ChangeRecord]) -> None:  # noqa: ARG002 - a frame shows the newest by itself
        """Draw a frame, unless the last one is very recent."""
        time.sleep(max(0.0, self._drawn + BETWEEN_FRAMES_SECONDS - time.monotonic()))
        self._live.update(self._picture(), refresh=True)
        self._drawn = time.monotonic()

    def _picture(self) -> RenderableType:
        width, height = self._console.size
        return screen(frame(self._board, room(width, height), self._recent), width)


def follow(
    board: Blackboard, view: View, *, after: int, alive: Callable[[], bool], wait_seconds: float = IDLE_SECONDS
) -> None:
    """Show changes until the run has ended, including its last ones.

    Args:
        board: The board, which any process may write.
        view: The view.
        after: The last revision that was shown.
        alive: Says whether more may come; called before each wait, so that the last changes are shown.
        wait_seconds: The longest wait for a change.
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
    """Return all changes after a revision, waiting for the first; nothing if none came in time."""
    for _ in board.watch(after=after, timeout_seconds=wait_seconds):
        return board.changes(after=after)
    return ()


def watch(
    *,
    once: Annotated[bool, typer.Option("--once", help="Print one frame and end.")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="Print one line for each change.")] = False,
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
    picture = frame(board, room(width, height), RecentOutcome(board))
    if as_json:
        emit(picture, as_json=True)
    else:
        out.print(screen(picture, width))
    return Exit.YES
