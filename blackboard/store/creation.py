"""How a new board gets its file: whole under its name, or nothing of that name at all.

It is made under another name first, so that neither a full disk nor a process that dies leaves a file that is no board
where one was asked for. A file that is there already, an empty one too, is never written over by this.
"""

import time
from pathlib import Path

from blackboard.errors import NotABoard, Unavailable
from blackboard.store import upgrade
from blackboard.store.backup import new_file
from blackboard.store.opened import Store
from blackboard.store.sqlite import Database
from blackboard.store.writer import Writer


def create(path: Path) -> None:
    """Make an empty board where no file is; where somebody else makes one there meanwhile, theirs stands.

    Raises:
        Unavailable: The folder is missing, or it is a link to what is not there.
        ReadOnly: The folder cannot be written.
        Full: There is no space for it.
    """
    if path.is_symlink():
        raise Unavailable(str(path), "it is a link, and what it leads to is not there", "make that first")
    if not path.parent.is_dir():
        raise Unavailable(str(path), f"the folder {path.parent} is missing", "make it first")
    try:
        with new_file(path) as part:
            _make(part, path)
    except NotABoard:
        if not path.exists():
            raise


def _make(part: Path, path: Path) -> None:
    # Whole or not there: what is made reaches the disk when all of it does.
    database = Database(part, synchronous="OFF")
    database.location = str(path)
    store = Store(database, Writer(database, time.time))
    try:
        upgrade.create(store)
    finally:
        store.close()
