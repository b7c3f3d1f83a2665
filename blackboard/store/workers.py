"""The workers of a board: control state that each worker writes about itself, for people.

A worker writes its row at its start, renews it every SEEN_SECONDS, and deletes it at its end. Each worker also deletes
the rows of dead processes of its own host. A row that is not renewed is shown as silent after SILENT_SECONDS and is
deleted after FORGOTTEN_SECONDS. No lease depends on these rows.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from itertools import count
from typing import TYPE_CHECKING, Any

from blackboard.store.liveness import Process, dead, this_host, this_process
from blackboard.store.session import Turn
from blackboard.store.statements import Reads, Statement

if TYPE_CHECKING:
    from blackboard.store.opened import Store

SEEN_SECONDS = 5.0
SILENT_SECONDS = 15.0
FORGOTTEN_SECONDS = 3600.0

_SHOW = Statement("""
    INSERT INTO worker (host, process, process_started, number, library, sources, began, seen)
    VALUES (:host, :process, :started, :number, :library, :sources, :now, :now)
    ON CONFLICT (host, process, process_started, number) DO UPDATE SET seen = excluded.seen""")

_WITHDRAW = Statement("""
    DELETE FROM worker
    WHERE host = :host AND process = :process AND process_started = :started AND number = :number""")

_FORGET = Statement("DELETE FROM worker WHERE seen < :before")

_OF_DEAD = Statement("DELETE FROM worker WHERE host = :host AND process = :process AND process_started = :started")

_ON_HOST = Statement("SELECT DISTINCT process, process_started FROM worker WHERE host = :host")

_ALL = Statement("""
    SELECT w.host, w.process, w.process_started, w.library, w.sources, w.began, w.seen, b.library AS installed_by
    FROM worker w, board b ORDER BY w.host, w.process, w.number""")

_INSTALLED_BY = Statement("SELECT library FROM board")

_NOTE_INSTALLER = Statement("UPDATE board SET library = :library WHERE library IS NOT :library")

_numbers = count(1)


@lru_cache(maxsize=1)
def library_version() -> str:
    """Return the version of this library."""
    try:
        return version("sharedspec")
    except PackageNotFoundError:
        return "unknown"


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A worker of a board.

    Attributes:
        process_started: The start time in the units of `liveness`.
        library: The version of the library that it runs.
        sources: The sources for which it claims, sorted.
        seconds: The time since it began, by the store's clock.
        seen_seconds_ago: The time since it last renewed its row.
        installed_by: The version of the library that last installed the team, "" if none did.
    """

    host: str
    process: int
    process_started: float
    library: str
    sources: tuple[str, ...]
    seconds: float
    seen_seconds_ago: float
    installed_by: str

    @property
    def silent(self) -> bool:
        """Whether it has not renewed its row for so long that it is probably dead or cannot reach the board."""
        return self.seen_seconds_ago > SILENT_SECONDS

    @property
    def other_version(self) -> bool:
        """Whether another version of the library installed the team."""
        return self.installed_by not in ("", self.library)


class Presence:
    """The row of one worker of this process."""

    def __init__(self, store: "Store", sources: Sequence[str]) -> None:
        self._store = store
        self._sources = json.dumps(sorted(sources))
        self._number = next(_numbers)

    def show(self) -> None:
        """Write or renew the worker's row, and delete the rows of dead processes."""
        gone = self._dead()
        with self._store.writer.turn() as turn:
            _delete(turn, gone)
            shown = {"library": library_version(), "sources": self._sources, "now": turn.now}
            turn.run(_SHOW, {**_process(this_process()), "number": self._number, **shown})

    def withdraw(self) -> None:
        """Delete the worker's row, and those of dead processes."""
        gone = self._dead()
        with self._store.writer.turn() as turn:
            _delete(turn, gone)
            turn.run(_WITHDRAW, {**_process(this_process()), "number": self._number})

    def _dead(self) -> frozenset[Process]:
        """Return the processes of this host that have a row and do not run any more."""
        with self._store.database.reading() as on:
            rows = on.all(_ON_HOST, {"host": this_host()})
        others = {Process(this_host(), row["process"], row["process_started"]) for row in rows}
        return dead(others - {this_process()})


def _delete(turn: Turn, gone: frozenset[Process]) -> None:
    turn.run(_FORGET, {"before": turn.now - FORGOTTEN_SECONDS})
    for one in gone:
        turn.run(_OF_DEAD, _process(one))


def _process(one: Process) -> dict[str, Any]:
    return {"host": one.host, "process": one.number, "started": one.started}


def present(on: Reads, now: float) -> tuple[WorkerRow, ...]:
    """Return the workers of a board.

    Args:
        now: Store time.
    """
    return tuple(
        WorkerRow(
            host=row["host"],
            process=row["process"],
            process_started=row["process_started"],
            library=row["library"],
            sources=tuple(json.loads(row["sources"])),
            seconds=max(0.0, now - row["began"]),
            seen_seconds_ago=max(0.0, now - row["seen"]),
            installed_by=row["installed_by"] or "",
        )
        for row in on.all(_ALL)
    )


def installed_by(on: Reads) -> str:
    """Return the version of the library that last installed the team, "" if none did."""
    return str(on.all(_INSTALLED_BY)[0]["library"] or "")


def note_installer(turn: Turn) -> None:
    """Record that this version of the library installs the team."""
    turn.run(_NOTE_INSTALLER, {"library": library_version()})
