"""Runs scenes of `crash_points` under strace: what they ask the system for, and what happens where that fails."""

import contextlib
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import crash_points
from tools import lacking, require_tool, with_tests

CALLS = (
    "write",
    "writev",
    "pwrite64",
    "pwritev",
    "pwritev2",
    "ftruncate",
    "truncate",
    "fallocate",
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "unlink",
    "unlinkat",
)
"""What changes files or makes them durable; those that a machine does not have are left out by the question mark."""

TRACED = "trace=" + ",".join(f"?{name}" for name in CALLS)

NO_SPACE = frozenset({"write", "writev", "pwrite64", "pwritev", "pwritev2", "ftruncate", "fallocate"})
"""Calls that fail for want of space."""

KILL, EIO, ENOSPC = "signal=KILL", "error=EIO", "error=ENOSPC"
FAULTS = (KILL, EIO, ENOSPC)


@dataclass(frozen=True, order=True)
class Point:
    """The n-th call of a kind by one thread of a scene (0 is the main one), and what happens instead of it."""

    scene: str
    call: str
    fault: str
    thread: int
    n: int


class Scenes:
    """A server of scenes."""

    def __init__(self, complaints: Path) -> None:
        self._strace = require_tool("strace")
        self.threads: list[str] = []
        self._complaints = complaints.open("wb")
        command = [sys.executable, crash_points.__file__]
        self._server = subprocess.Popen(
            command,
            env=with_tests(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            bufsize=0,
        )

    def close(self) -> None:
        self._server.stdin.close()
        try:
            self._server.wait(timeout=crash_points.SECONDS)
        finally:
            self._server.kill()
            self._server.wait()
            self._server.stdout.close()
            self._complaints.close()

    def prepare(self, scene: str, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._say("prepare", scene, folder)
        assert self._hear() == "ended 0"

    def run(self, scene: str, folder: Path, log: Path, options, *, wrong: str = "", thread: int | None = None) -> int:
        """Do a scene under strace and return how its process ended.

        Args:
            options: For strace.
            thread: The number of the thread to trace alone; all of them if None.
        """
        self._say("run", scene, folder, log, wrong)
        word, *numbers = self._hear().split()
        assert word == "threads", (word, numbers)
        self.threads = numbers
        whom = ["-f", "-p", numbers[0]] if thread is None else ["-p", numbers[thread]]
        command = [self._strace, *map(str, options), *whom]
        with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as tracer:
            try:
                attached = tracer.stderr.readline()
                if "not permitted" in attached:
                    lacking("strace", f"may not trace here ({attached.strip()})")
                assert "attached" in attached, attached
                self._say("go")
                ended = self._hear().split()
                assert ended[0] == "ended", ended
                with contextlib.suppress(subprocess.TimeoutExpired):
                    tracer.communicate(timeout=10)
            finally:
                tracer.kill()
        return int(ended[1])

    def enumerate(self, scene: str, folder: Path, log: Path, trace: Path) -> tuple[Counter, list[Path]]:
        """Return how often each thread made each call on the board's files, and the names of these files."""
        assert self.run(scene, folder, log, ["-y", "-s", "0", "-e", TRACED, "-o", trace]) == 0
        calls: Counter = Counter()
        names: set[Path] = {folder}
        for line in trace.read_text().splitlines():
            number, call = re.match(r"(\d+) +(\w*)", line).groups()
            if call in CALLS and (found := re.findall(rf'[<"]({re.escape(str(folder))}(?:/[^">]*)?)[">]', line)):
                names.update(map(Path, found))
                calls[self.threads.index(number), call] += 1
        return calls, sorted(names)

    def inject(self, point: Point, folder: Path, log: Path, names, trace: Path, *, wrong: str = "") -> tuple[int, bool]:
        """Do a scene with a fault in it; return how its process ended and whether the fault was reached."""
        inject = f"inject={point.call}:{point.fault}:when={point.n}"
        only = [option for name in names for option in ("-P", name)]
        options = ["-e", f"trace={point.call}", "-e", inject, *only, "-o", trace]
        status = self.run(point.scene, folder, log, options, wrong=wrong, thread=point.thread)
        return status, "INJECTED" in trace.read_text() or status == -9

    def _say(self, *words) -> None:
        self._server.stdin.write(("\t".join(map(str, words)) + "\n").encode())

    def _hear(self) -> str:
        return self._server.stdout.readline().decode().strip()
