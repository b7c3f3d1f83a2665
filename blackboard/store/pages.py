"""A board's file and its log as bytes, before SQLite reads them: what is whole, what is cut off, what is left over.

It is run as a script in a process of its own, with nothing but the standard library: closing a descriptor of a
database drops the locks that this process's SQLite holds on it, and acknowledged commits vanish. What SQLite leaves
unsaid is said here: it takes a log whose checksums break for one that ends there, and is silent about the rest.
"""

import json
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MAGIC = b"SQLite format 3\0"
LITTLE, BIG = 0x377F0682, 0x377F0683
"""The first word of a log, which says how the words are ordered that its checksums add up."""

_VERSION = 3_007_000
_LOG_HEADER, _FRAME_HEADER, _FILE_HEADER = 32, 24, 100
_WORD = 0xFFFFFFFF
_LARGEST_PAGE = 65536
_LOOKS = 5
"""How often a file that changes while it is read is read again."""

LOOK_SECONDS = 120.0

Facts = dict[str, Any]


def examine(path: Path) -> Facts:
    """Look at a board's file and its log in a process of its own.

    Raises:
        OSError: The process could not look, as where the file cannot be read.
    """
    command = [sys.executable, "-I", __file__, str(path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LOOK_SECONDS)  # noqa: S603 - this very file
    if ran.returncode:
        raise OSError(ran.stderr.strip().splitlines()[-1] if ran.stderr.strip() else f"exit {ran.returncode}")
    found: Facts = json.loads(ran.stdout)
    return found


def look(path: Path) -> Facts:
    """Return what stands in a file and its log; only where no SQLite of this process has it open.

    `changing` says that somebody wrote meanwhile each time, so that what is cut off may just be on its way.
    """
    # SQLite follows links to the file before it names the log beside it.
    path = path.resolve()
    log = path.with_name(path.name + "-wal")
    for _ in range(_LOOKS):
        before = _stamp(path), _stamp(log)
        found = {"file": _file(path.read_bytes()), "log": _log(log.read_bytes()) if log.exists() else None}
        if before == (_stamp(path), _stamp(log)):
            return {**found, "changing": False}
    return {**found, "changing": True}


def _stamp(path: Path) -> tuple[int, int] | None:
    if not path.exists():
        return None
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _file(content: bytes) -> Facts:
    """Return what the header of a database says, beside what is there."""
    found: Facts = {"bytes": len(content), "database": content.startswith(MAGIC)}
    if not found["database"] or len(content) < _FILE_HEADER:
        return found
    (page,) = struct.unpack_from(">H", content, 16)
    changed, pages = struct.unpack_from(">II", content, 24)
    (encoding,) = struct.unpack_from(">I", content, 56)
    (application,) = struct.unpack_from(">I", content, 68)
    (valid_for,) = struct.unpack_from(">I", content, 92)
    return {
        **found,
        "page_bytes": _LARGEST_PAGE if page == 1 else page,
        # A count that an old library did not keep says nothing.
        "pages": pages if changed == valid_for else None,
        "application": application,
        "encoding": encoding,
        "logged": content[18:20] == b"\x02\x02",
    }


def _log(content: bytes) -> Facts:
    """Return how far a log can be read, and what stands behind that.

    A frame with the salts of the header belongs to this round of the log; behind where the checksums break it is
    `cut`. One with other salts is of an earlier round, copied into the file long ago.
    """
    found: Facts = {"bytes": len(content), "whole": False, "frames": 0, "committed": 0, "commits": 0}
    found.update(uncommitted=0, cut=0, cut_commits=0, earlier=0, torn_bytes=0, pages=None)
    if not content:
        return {**found, "whole": True}
    if len(content) < _LOG_HEADER:
        return {**found, "torn_bytes": len(content)}
    magic, version, page, _, *salts = struct.unpack_from(">6I", content)
    size = page + _FRAME_HEADER
    if magic not in (LITTLE, BIG) or version != _VERSION or not _is_page(page):
        return found
    found["torn_bytes"] = (len(content) - _LOG_HEADER) % size
    order = "<" if magic == LITTLE else ">"
    sums = _sum(content[:24], order, (0, 0))
    found["whole"] = sums == struct.unpack_from(">2I", content, 24)
    good = bool(found["whole"])
    for frame in _frames(content, size):
        number, commit, *marked = struct.unpack_from(">4I", frame)
        found["frames"] += 1
        if good and marked == salts and number:
            sums = _sum(frame[_FRAME_HEADER:], order, _sum(frame[:8], order, sums))
            good = sums == struct.unpack_from(">2I", frame, 16)
        else:
            good = False
        if good:
            found["uncommitted"] += 1
            if commit:
                found["committed"] += found["uncommitted"]
                found.update(uncommitted=0, commits=found["commits"] + 1, pages=commit)
        elif marked == salts:
            found["cut"] += 1
            found["cut_commits"] += 1 if commit else 0
        else:
            found["earlier"] += 1
    return found


def _is_page(size: int) -> bool:
    return 512 <= size <= _LARGEST_PAGE and size & (size - 1) == 0  # noqa: PLR2004 - the smallest page


def _frames(content: bytes, size: int) -> Iterator[bytes]:
    for start in range(_LOG_HEADER, len(content) - size + 1, size):
        yield content[start : start + size]


def _sum(data: bytes, order: str, sums: tuple[int, int]) -> tuple[int, int]:
    """Return a log's running checksum after more bytes."""
    one, two = sums
    for first, second in struct.iter_unpack(f"{order}II", data):
        one = (one + first + two) & _WORD
        two = (two + second + one) & _WORD
    return one, two


def main() -> None:
    """Print what stands in the file that is named on the command line."""
    try:
        sys.stdout.write(json.dumps(look(Path(sys.argv[1]))))
    except OSError as error:
        sys.exit(f"{error.strerror or error}")


if __name__ == "__main__":
    main()
