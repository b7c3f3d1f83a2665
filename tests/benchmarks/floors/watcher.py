"""The bare watcher: looks at the board's folder and says when the `-wal` changed, and knows nothing of what is in it.

`watcher.py FOLDER` prints the clock's time (CLOCK_MONOTONIC, the same in every process of a machine) at each change.
"""

import sys
import threading
import time

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer


class Seen(FileSystemEventHandler):
    """Prints when the log is written."""

    def on_modified(self, event: FileSystemEvent) -> None:
        """Say that it was."""
        if str(event.src_path).endswith("-wal"):
            sys.stdout.write(f"{time.monotonic()}\n")
            sys.stdout.flush()


def main() -> None:
    """Watch until the input is closed."""
    observer = Observer()
    observer.schedule(Seen(), sys.argv[1])
    observer.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()
    observer.stop()
    observer.join()


if __name__ == "__main__":
    threading.current_thread().name = "watcher"
    main()
