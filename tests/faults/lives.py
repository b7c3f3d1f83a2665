"""Workers that live several lives side by side: each is killed and another one goes on."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable

KILLED = -signal.SIGKILL


class Lives:
    """The lives of some workers; whoever has not ended by the limit is ended, which is a problem."""

    def __init__(self, *, workers: int, limit_seconds: float) -> None:
        self.problems: list[str] = []
        self._workers, self._limit_seconds = workers, limit_seconds
        self._processes: set[subprocess.Popen] = set()

    def go(self) -> None:
        """Let each worker live all its lives."""
        ending = threading.Timer(self._limit_seconds, self._end)
        threads = [threading.Thread(target=self.lives, args=(number,)) for number in range(self._workers)]
        ending.start()
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            ending.cancel()
            self._end()

    def lives(self, number: int) -> None:
        """Live one life after the other."""
        raise NotImplementedError

    def life(self, *command: object, heard: Callable[[subprocess.Popen, int, str], None]) -> int:
        """Live one life, a process, and return how it ended.

        Args:
            heard: Gets the process, and each line with its number; the last one of a killed process may be cut short.
        """
        arguments = [sys.executable, *map(str, command)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
            self._processes.add(process)
            for count, line in enumerate(process.stdout, 1):
                heard(process, count, line)
            process.wait()
            self._processes.discard(process)
            return process.returncode

    def _end(self) -> None:
        for process in list(self._processes):
            process.kill()
