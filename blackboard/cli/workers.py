"""The workers of a board as they are printed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from blackboard.board import Blackboard
from blackboard.store import workers
from blackboard.store.opened import Store
from blackboard.store.workers import WorkerRow

_SOURCES_NAMED = 6


@dataclass(frozen=True, slots=True)
class WorkerLine:
    """A process that executes sources of the team.

    Attributes:
        process_started: The start time of the process in ticks since the boot.
        version: The version of the library that it runs.
        seconds: The time since it began.
        seen_seconds_ago: The time since it last renewed its row.
        silent: It has not renewed its row for long: it is dead, or cannot reach the board.
        installed_by: The version that installed the team if it differs from the worker's, else "".
    """

    host: str
    process: int
    process_started: float
    version: str
    sources: tuple[str, ...]
    seconds: float
    seen_seconds_ago: float
    silent: bool
    installed_by: str


def worker_lines(store: Store) -> tuple[WorkerLine, ...]:
    """Return the workers of a board."""
    with store.database.reading() as on:
        return tuple(_line(row) for row in workers.present(on, store.now(on)))


def _line(row: WorkerRow) -> WorkerLine:
    return WorkerLine(
        host=row.host,
        process=row.process,
        process_started=row.process_started,
        version=row.library,
        sources=row.sources,
        seconds=row.seconds,
        seen_seconds_ago=row.seen_seconds_ago,
        silent=row.silent,
        installed_by=row.installed_by if row.other_version else "",
    )


def sentences(lines: Iterable[WorkerLine]) -> Iterator[tuple[str, bool]]:
    """Yield a line about each worker, and whether it is silent or of another version."""
    for line in lines:
        more = f" and {len(line.sources) - _SOURCES_NAMED} more" if len(line.sources) > _SOURCES_NAMED else ""
        where = f"{line.host.split('/')[0]}:{line.process}"
        what = f"{where} version {line.version}, seen {line.seen_seconds_ago:.0f} s ago"
        silent = ", silent" if line.silent else ""
        other = f", the team was installed by version {line.installed_by}" if line.installed_by else ""
        for_whom = f": {', '.join(line.sources[:_SOURCES_NAMED])}{more}"
        yield what + silent + other + for_whom, bool(line.silent or line.installed_by)


def other_version(board: Blackboard) -> str:
    """Return a warning if another version of the library installed the team, else ""."""
    with board.store.database.reading() as on:
        installed_by = workers.installed_by(on)
    mine = workers.library_version()
    if installed_by in ("", mine):
        return ""
    return (
        f"warning: this is version {mine} of sharedspec, and version {installed_by} installed the team: "
        "use one version on all hosts"
    )
