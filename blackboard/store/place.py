"""The path of a board's file: a place where no board can be used is refused before SQLite opens it.

Invariant: the file of a board that is opened has one name. SQLite names the log (`-wal`) after the file: under a second
name, a hard link or a file that is mounted by itself, commits go to a second log, and each log overwrites the other's.
"""

import os
from pathlib import Path

from blackboard.errors import Damaged, NotABoard, Unavailable
from blackboard.store.surroundings import is_mounted, names_of


def check(path: Path) -> bool:
    """Make sure that a board may be at a path, and return whether a file is there.

    Raises:
        NotABoard: Something else than a file is there.
        Unavailable: The file has a second name.
        Damaged: The file is gone or empty, and its log is not.
    """
    if path.is_dir():
        raise NotABoard(str(path), "it is a folder")
    _check_log(path)
    if not path.exists():
        return False
    if not path.is_file():
        raise NotABoard(str(path), "it is a device or a pipe")
    if path.stat().st_size == 1:
        # SQLite takes a file of one byte for an empty one and would write over it.
        raise NotABoard(str(path), "it is one byte long")
    _check_names(path)
    return True


def _check_log(path: Path) -> None:
    """Refuse to open an empty file, or to make one, beside a log that holds something: SQLite deletes that log."""
    # SQLite follows links to the board's file before it names the log beside it.
    place = Path(os.path.realpath(path))
    log = place.with_name(place.name + "-wal")
    try:
        orphan = (not path.exists() or path.stat().st_size == 0) and log.stat().st_size > 0
    except OSError:
        return
    if orphan:
        what = "empty" if path.exists() else "gone"
        raise Damaged(str(path), f"it is {what} and {log.name} is not: to begin anew here, move that away first")


def _check_names(path: Path) -> None:
    """Refuse a file that has a second name.

    Raises:
        Unavailable: It is a hard link, or mounted by itself.
    """
    if is_mounted(path):
        what = "the file is mounted by itself, so its log would not be that of the file outside"
        raise Unavailable(str(path), what, "mount the folder that holds it")
    if (names := names_of(path)) > 1:
        what = f"the file has {names} names (hard links), and each name would have a log of its own"
        raise Unavailable(str(path), what, f"remove the other names; `find DIRECTORY -samefile {path.name}` lists them")
