"""A program in a folder: its files are written there, and those of an earlier export that it has no more are removed.

Invariants: nothing outside the folder is written or removed, whatever links or names lead there. Nothing in the folder
is replaced that an earlier export did not write. All paths are checked before the first file is written.
"""

import json
import stat
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath

from blackboard.errors import InvalidPath, ReadOnly
from blackboard.spec.files import check_path, export_refusal

OWN = ".spec/"
"""The folder in which an export describes itself and the decisions."""

LISTED = f"{OWN}files.json"
"""The paths of the last export; the next one removes those that the program does not have any more."""


def export(
    root: Path, content: Mapping[str, bytes], *, owned: Callable[[Path], bool], allowed: Collection[str] = ()
) -> tuple[Path, ...]:
    """Write files below a folder and return their paths, in order.

    Args:
        root: The folder, made if it is absent.
        content: Path below it -> content.
        owned: Says of a path whether it is the board's own file.
        allowed: Paths of files that are written though tools run them or another file is in their place. The name of a
            file allows the first alone.

    Raises:
        InvalidPath: A file is not allowed, something that no export wrote is in its place, or a link leads there.
        ReadOnly: The folder cannot be written, or a file would be the board's.
    """
    for path in content:
        if owned(root / path):
            raise ReadOnly(str(root / path), "it is the board itself")
    before = _listed(root) if _is_file(root, LISTED) else set()
    for path, data in content.items():
        refusal = None if path.startswith(OWN) else export_refusal(path, allowed)
        if refusal is not None:
            raise refusal
        if _is_file(root, path) and path not in before and path not in allowed and _differs(root / path, data):
            raise InvalidPath(path, "a file that no export wrote is in its place", f"move it away or allow {path}")
    listed = {**content, LISTED: (json.dumps(sorted(content), indent=1) + "\n").encode()}
    written = tuple(_write(root, path, data) for path, data in sorted(listed.items()))
    for path in before - listed.keys():
        if not owned(root / path):
            _remove(root, path)
    return written


def _is_file(root: Path, path: str) -> bool:
    """Say whether a path leads to a file, or to nothing.

    Why no link, even one that stays inside: it can lead into a folder that no component may write, such as `.git`.

    Raises:
        InvalidPath: It leads through or to something else, or is too long for the system.
    """
    names = path.split("/")
    try:
        kinds = [_kind_of(root.joinpath(*names[:end])) for end in range(1, len(names) + 1)]
    except OSError as error:
        raise InvalidPath(path, f"{error.strerror} in this folder", "name another folder") from None
    for end, kind in enumerate(kinds, 1):
        if kind not in (None, "file" if end == len(names) else "folder"):
            raise InvalidPath(
                path, f"a {kind} is in the place of {'/'.join(names[:end])}", "remove it or name another folder"
            )
    return kinds[-1] is not None


def _differs(place: Path, data: bytes) -> bool:
    with suppress(OSError):
        return place.read_bytes() != data
    return True


def _kind_of(place: Path) -> str | None:
    """Return what is at a path without opening it: `file`, `folder`, `link`, `pipe`, `device`, `socket`, or None."""
    try:
        mode = place.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    kinds = (
        (stat.S_ISREG, "file"),
        (stat.S_ISDIR, "folder"),
        (stat.S_ISLNK, "link"),
        (stat.S_ISFIFO, "pipe"),
        (stat.S_ISSOCK, "socket"),
    )
    return next((name for is_kind, name in kinds if is_kind(mode)), "device")


def _listed(root: Path) -> set[str]:
    """Return what an earlier export wrote, nothing where that cannot be read."""
    try:
        found = json.loads((root / LISTED).read_text("utf-8"))
    except (OSError, ValueError):
        return set()
    return {path for path in found if isinstance(path, str)} if isinstance(found, list) else set()


def _write(root: Path, path: str, data: bytes) -> Path:
    place = root / PurePosixPath(path)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    except OSError as error:
        raise ReadOnly(str(place), error.strerror or str(error)) from None
    return place


def _remove(root: Path, path: str) -> None:
    """Remove a file of an earlier export; where something else is in its place by now, that is somebody's own."""
    with suppress(OSError, InvalidPath):
        if _is_file(root, check_path(path)):
            (root / PurePosixPath(path)).unlink()
