"""Who runs here, and which of those who claimed work on this host are dead.

A process is named by host, number and start time. The host includes the boot and the namespace of process numbers, so
that a number is only looked up where it means the same process; of all others, only the end of a lease tells.
"""

import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_PROC = Path("/proc")
_START_FIELD = 19  # of /proc/<pid>/stat, counted from behind the command's closing bracket


@dataclass(frozen=True, slots=True)
class Process:
    """A process as a lease names it; `started` is 0 where the system does not tell."""

    host: str
    number: int
    started: float


def this_process() -> Process:
    """Return the process that runs this."""
    return _process(os.getpid())


@lru_cache(maxsize=4)
def _process(number: int) -> Process:
    return Process(this_host(), number, _start_of(number) or 0.0)


@lru_cache(maxsize=1)
def this_host() -> str:
    """Return the name of this host, its boot, and its namespace of process numbers."""
    parts = [socket.gethostname()]
    try:
        parts.append((_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()[:8])
        parts.append(str((_PROC / "self/ns/pid").readlink()).strip("pid:[]"))
    except OSError:
        return parts[0]
    return "/".join(parts)


def dead(processes: Iterable[Process]) -> frozenset[Process]:
    """Return those of this host that certainly run no more."""
    here = this_host()
    return frozenset(process for process in processes if process.host == here and not _runs(process))


def _runs(process: Process) -> bool:
    if process.started:
        started = _start_of(process.number)
        if started is not None or _PROC.is_dir():
            return started == process.started
    try:
        os.kill(process.number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _start_of(number: int) -> float | None:
    """Return when a process started, in ticks since the boot; None where there is none or the system does not tell."""
    try:
        stat = (_PROC / str(number) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    # A zombie holds its number and start time, but nothing of it runs any more.
    return None if fields[0] == "Z" else float(fields[_START_FIELD])
