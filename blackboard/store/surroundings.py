"""What a board's file stands in: the engine's version, the file system, permissions, links and space."""

import contextlib
import os
import re
import shutil
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

Version = tuple[int, int, int]

MOUNTS = Path("/proc/mounts")

NETWORK = frozenset(
    (
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "smb2", "afs", "coda", "davfs", "ncpfs", "9p", "virtiofs"),
        *("ceph", "fuse.ceph", "glusterfs", "fuse.glusterfs", "lustre", "gpfs", "beegfs", "ocfs2", "gfs2", "orangefs"),
        *("fuse.sshfs", "fuse.s3fs", "fuse.rclone", "prl_fs", "vboxsf", "fuse.vmhgfs-fuse"),
    )
)
"""File systems on which locks or shared memory of several machines are not what SQLite needs."""

IN_THE_MAKING = r"\.bb-[0-9a-f]{12}\.part"
"""Pattern of the name that a new board or a copy has until it is whole; no board is opened by it."""

VOLATILE = frozenset({"tmpfs", "ramfs"})

_LEAST_FREE_BYTES = 64 * 1024 * 1024


class Level(StrEnum):
    """How much a finding matters.

    `fault`: the board is not what it was, or cannot work. `unseen`: something could not be looked at. `warning`: it
    works, and not all that is promised holds. `note`: good to know.
    """

    FAULT = "fault"
    UNSEEN = "unseen"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found, and the next step, "" where there is none to take."""

    level: Level
    about: str
    what: str
    step: str = ""


@dataclass(frozen=True, slots=True)
class KnownBug:
    """A defect of the engine: the releases from `first` to `last` have it, except where `mended` in a line of them."""

    name: str
    first: Version
    last: Version
    mended: Sequence[Version]
    what: str
    ours: str

    def is_in(self, version: Version) -> bool:
        """Say whether a release has it."""
        lines = [one for one in self.mended if one[:2] == version[:2]]
        return self.first <= version <= self.last and not any(version >= one for one in lines)


KNOWN_BUGS = (
    KnownBug(
        "the WAL-reset bug",
        (3, 7, 0),
        (3, 51, 2),
        ((3, 44, 6), (3, 50, 7)),
        "two connections that copy the log into the file at once, while a third begins the log anew, may lose pages",
        "the library copies the log only where it is the one that may write; let no `sqlite3` shell write beside it",
    ),
)


def surroundings(path: Path, *, version: Version = sqlite3.sqlite_version_info) -> Iterator[Finding]:
    """Yield what is to be said about the place of a board."""
    yield from engine(version)
    yield from file_system(path)
    yield from permissions(path)
    yield from space(path)


def engine(version: Version) -> Iterator[Finding]:
    """Yield the engine's version and the known bugs that it has."""
    said = ".".join(map(str, version))
    yield Finding(Level.NOTE, "engine", f"SQLite {said}")
    for bug in KNOWN_BUGS:
        if bug.is_in(version):
            what = f"SQLite {said} has {bug.name}: {bug.what}; {bug.ours}"
            yield Finding(Level.NOTE, "engine", what, f"use SQLite {'.'.join(map(str, _after(bug.last)))} or newer")


def _after(version: Version) -> Version:
    return (*version[:2], version[2] + 1)


def file_system(path: Path, mounts: Path = MOUNTS) -> Iterator[Finding]:
    """Yield the type of the file system, and whether it keeps what is promised."""
    kind = kind_of(path, mounts)
    if is_mounted(path, mounts):
        what = "the file is mounted by itself, so its log is not that of the file outside"
        yield Finding(Level.FAULT, "file system", what, "mount the folder that holds it")
    if kind is None:
        yield Finding(Level.NOTE, "file system", "this system does not tell its type")
    elif kind in NETWORK:
        what = f"{kind} is shared by several machines: its locks and memory are not what SQLite needs"
        yield Finding(Level.WARNING, "file system", what, "keep the board on a disk of the machine that uses it")
    elif kind in VOLATILE:
        yield Finding(Level.WARNING, "file system", f"{kind} is gone with the power", "keep the board on a disk")
    else:
        yield Finding(Level.NOTE, "file system", kind)


def kind_of(path: Path, mounts: Path = MOUNTS) -> str | None:
    """Return the type of the file system that holds a path, None where the system does not tell."""
    place = path.resolve()
    found: tuple[int, str] | None = None
    for point, kind in _mounted(mounts):
        if place.is_relative_to(point) and (found is None or len(point.parts) >= found[0]):
            found = (len(point.parts), kind)
    return None if found is None else found[1]


def is_mounted(path: Path, mounts: Path = MOUNTS) -> bool:
    """Say whether a file is mounted by itself, False where the system does not tell."""
    place = path.resolve()
    return any(point == place for point, _ in _mounted(mounts))


def _mounted(mounts: Path) -> Iterator[tuple[Path, str]]:
    """Yield the place and the type of each file system that is mounted."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
    except OSError:
        return
    for line in lines:
        _, where, kind, *_ = [*line.split(" "), "", "", ""]
        # Blanks and backslashes are written as octal numbers.
        yield Path(re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), where)), kind


def names_of(path: Path) -> int:
    """Return how many names a file has by which it may be opened: more than one where it has hard links."""
    # In this order: whoever made the file removes the name that it had in the making at any moment, or died before it.
    made = len(made_names(path)) if path.stat().st_nlink > 1 else 0
    return path.stat().st_nlink - made


def made_names(path: Path) -> list[Path]:
    """Return the names that a file had in the making and that were not removed yet."""
    found, file = [], path.resolve()
    with contextlib.suppress(PermissionError):
        for one in file.parent.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if re.fullmatch(IN_THE_MAKING, one.name) and one.samefile(file):
                    found.append(one)
    return found


def permissions(path: Path) -> Iterator[Finding]:
    """Yield who may do what with the file, its log, its shared memory and its folder."""
    owner: int | None = None
    # SQLite follows links to the file before it names the log beside it.
    path = path.resolve()
    for place in (path, *(path.with_name(path.name + suffix) for suffix in ("-wal", "-shm"))):
        if not os.path.lexists(place):
            continue
        found = place.stat()
        owner = found.st_uid if owner is None else owner
        yield Finding(Level.NOTE, "permissions", f"{place.name} {stat.filemode(found.st_mode)} user {found.st_uid}")
        if not os.access(place, os.R_OK | os.W_OK):
            yield Finding(Level.WARNING, "permissions", f"{place.name} cannot be written by you", "change its mode")
        if found.st_uid != owner:
            what = f"{place.name} belongs to another user than the board: who owns the board may be locked out"
            yield Finding(Level.WARNING, "permissions", what, "give it to the board's owner while nobody uses it")
        if found.st_mode & stat.S_IWOTH:
            what = f"everybody on this machine may write {place.name}"
            yield Finding(Level.WARNING, "permissions", what, f"chmod o-w {place}")
        if (names := names_of(place)) > 1:
            what = f"{place.name} has {names} names (hard links), and each would have a log of its own"
            yield Finding(Level.FAULT, "permissions", what, "remove the other names: until then it is not opened")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        what = f"the folder {path.parent} cannot be written by you, and the log stands in it"
        yield Finding(Level.WARNING, "permissions", what, "change its mode")


def space(path: Path) -> Iterator[Finding]:
    """Yield how much room is left."""
    free = shutil.disk_usage(path.parent).free
    needed = max(_LEAST_FREE_BYTES, 2 * path.stat().st_size)
    said = f"{free // 1_000_000} MB left"
    if free < needed:
        what = f"{said}; a backup and the log may need {needed // 1_000_000} MB"
        yield Finding(Level.WARNING, "space", what, "free some")
    else:
        yield Finding(Level.NOTE, "space", said)
