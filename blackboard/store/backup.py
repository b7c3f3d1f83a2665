"""Copies of a board, made by the engine while it is in use, checked, and given their name only when they are whole.

Invariants: nothing that exists is written over; under its name a copy is never seen half made, also after a loss of
power; what is left of a copy that failed is removed, as far as the system allows it.
"""

import contextlib
import os
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from blackboard.errors import BlackboardError, Damaged, Forked, Invalid, NotABoard, Unavailable
from blackboard.store import epoch, feed, verify
from blackboard.store.feed import Cursor
from blackboard.store.opened import Store
from blackboard.store.session import Turn
from blackboard.store.sqlite import BESIDE, Database, of_system, translated
from blackboard.store.writer import Writer


def backup(store: Store, path: str | Path) -> int:
    """Copy the board into a new file and check the copy by itself.

    Returns:
        The revision of the copy.

    Raises:
        NotABoard: Something of this name exists: a backup never overwrites.
        Unavailable: The folder is missing.
        ReadOnly: The folder cannot be written.
        Full: There is no space for it.
        Damaged: The copy is not whole, or not a copy of this history.
    """
    with _made(store, path) as (made, _):
        head = feed.cursor(made)
    return head.revision


def copy(store: Store, path: str | Path, *, author: str) -> Cursor:
    """Copy the board into a new file that is a board of its own: of a new epoch, without the leases of this one.

    Args:
        store: Of the board.
        path: A file that is not there yet.
        author: Who does it; the copy's first commit says so.

    Returns:
        The head of the copy.

    Raises:
        StoreError: As for `backup`.
    """
    with _made(store, path) as (made, _):
        source = feed.cursor(made)

        def work(turn: Turn) -> Cursor:
            reason = f"of epoch {source.epoch} at revision {source.revision}"
            return epoch.succeed(turn, author=author, reason=reason)

        head = made.writer.run(work, over_seal=True)
        _check(made, store.location, head)
    return head


def a_new_place(path: str | Path) -> Path:
    """Return a path at which there is nothing yet, in a folder that is there.

    Raises:
        Invalid: It is no path.
        NotABoard: Something of this name exists.
        Unavailable: The folder is missing.
    """
    if not isinstance(path, str | Path) or "\0" in str(path) or not str(path):
        raise Invalid(f"path is {ascii(path)[:60]}; give the path of a file that is not there yet")
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        raise Invalid(f"path is {ascii(str(path))[:60]}, which no file can be called; give another") from None
    place = Path(path)
    try:
        if os.path.lexists(place):
            raise NotABoard(str(place), "something of this name exists; a copy never overwrites")
        if not place.parent.is_dir():
            raise Unavailable(str(place), f"the folder {place.parent} is missing", "make it first")
    except OSError as error:
        raise of_system(error, str(place)) from None
    return place


@contextlib.contextmanager
def _made(store: Store, path: str | Path) -> Iterator[tuple[Store, Path]]:
    """Lend a checked copy that gets its name when the block ends well."""
    place = a_new_place(path)
    with new_file(place) as part:
        known = feed.cursor(store)
        _copy(store, part, place)
        made = opened(part)
        try:
            _check(made, store.location, known)
            yield made, part
        finally:
            made.close()


@contextlib.contextmanager
def new_file(place: Path) -> Iterator[Path]:
    """Lend the path of a file in the making; when the block ends well it is made durable and gets its name."""
    part = place.with_name(f".bb-{uuid.uuid4().hex[:12]}.part")  # as surroundings.IN_THE_MAKING says
    Database.create_file(part)
    try:
        yield part
        _carry_over(part, place)
        _sync(part, place)
        publish(part, place)
    finally:
        for suffix in ("", *BESIDE):
            # A rest that cannot be removed makes no whole copy a failure and hides no failure's cause; it is found
            # beside the copy, under a name that nothing opens.
            with contextlib.suppress(OSError):
                part.with_name(part.name + suffix).unlink()


def opened(path: Path, clock: Callable[[], float] | None = None, *, read_only: bool = False) -> Store:
    """Return the store of a file as it is: nothing is checked, made or written by this."""
    database = Database(path, read_only=read_only)
    return Store(database, Writer(database, clock or time.time), clock or time.time)


def _copy(store: Store, part: Path, place: Path) -> None:
    source = store.database.connect()
    try:
        with translated(str(place)):
            target = sqlite3.connect(part)
            try:
                source.raw.backup(target)
                target.execute("PRAGMA journal_mode = WAL")
            finally:
                target.close()
    finally:
        source.close()


def _check(made: Store, source: str, known: Cursor) -> None:
    """Verify a copy; its name is not given yet, so an error names the board that was copied.

    Raises:
        Damaged: It is not whole.
    """
    try:
        verify.verify(made, known_head=known)
    except Damaged as error:
        raise Damaged(source, f"a copy of it is not whole: {error.where}") from error
    except Forked as error:
        raise Damaged(source, f"a copy of it has another history: {error}") from error


def _carry_over(part: Path, place: Path) -> None:
    """Carry what still waits beside a finished file over into it, since it gets its name alone.

    The connection that was closed last did so, unless that failed: of which closing says nothing.
    """
    if not part.with_name(part.name + "-wal").exists():
        return
    with translated(str(place)):
        raw = sqlite3.connect(part)
        try:
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            raw.close()


def _sync(part: Path, place: Path) -> None:
    """Make a finished file durable. No connection to it is open here: closing this descriptor would drop its locks."""
    try:
        descriptor = os.open(part, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise of_system(error, str(place)) from None


def publish(part: Path, place: Path) -> None:
    """Give a finished file its name, unless somebody else took it meanwhile, and make the name durable."""
    try:
        try:
            place.hardlink_to(part)
        except FileExistsError:
            raise NotABoard(str(place), "something of this name was made meanwhile; a copy never overwrites") from None
        except OSError:
            # A file system without links: between this look and the renaming somebody could take the name.
            if os.path.lexists(place):
                raise NotABoard(str(place), "something of this name exists; a copy never overwrites") from None
            part.rename(place)
        folder = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except BlackboardError:
        raise
    except OSError as error:
        raise of_system(error, str(place)) from None
