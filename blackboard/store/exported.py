"""A program in a folder: its files are written there, and those of an earlier export that it has no more are removed.

Invariants: nothing outside the folder is written or removed, whatever links or names lead there. Nothing in the folder
is replaced that an earlier export did not write. All paths are checked before the first file is written.
"""

import json
import stat
from collections.abc import Callable, Collection, Mapping
from pathlib import Path, PurePosixPath

from blackboard.errors import InvalidPath, ReadOnly
from blackboard.spec.files import export_refusal

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
        allowed: Paths or names of files that are written whatever they are called and whatever is in their place.

    Raises:
        InvalidPath: A file is not allowed, or something that no export wrote is in its place.
        ReadOnly: The folder cannot be written, leads out of itself by a link, or a file would be the board's.
    """
    for path in content:
        if owned(root / path):
            raise ReadOnly(str(root / path), "it is the board itself")
    _check_kind(root, LISTED)
    before = _listed(root)
    for path, data in content.items():
        if not path.startswith(OWN) and (why := export_refusal(path, allowed)) is not None:
            raise InvalidPath(path, f"{why}; allow {path} by name to write it all the same")
        _check_kind(root, path)
        if path not in before and not {path, PurePosixPath(path).name}.intersection(allowed):
            _check_foreign(root, path, data)
    listed = {**content, LISTED: (json.dumps(sorted(content), indent=1) + "\n").encode()}
    written = tuple(_write(root, path, data) for path, data in sorted(listed.items()))
    for path in before - listed.keys():
        if not owned(root / path):
            _remove(root, path)
    return written


def _check_kind(root: Path, path: str) -> None:
    kind = _kind_of(root / PurePosixPath(path))
    # A link is refused where files are written, as what leads out of the folder.
    if kind not in (None, "file", "link"):
        raise InvalidPath(path, f"a {kind} is in its place in {root}; remove it or name another folder")


def _check_foreign(root: Path, path: str, data: bytes) -> None:
    place = root / PurePosixPath(path)
    if _kind_of(place) == "file" and place.read_bytes() != data:
        raise InvalidPath(
            path, f"{root} holds another file of this name, which no export wrote; move it away, or allow it by name"
        )


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
    if _kind_of(root / LISTED) != "file":
        return set()
    try:
        found = json.loads((root / LISTED).read_text("utf-8"))
    except (OSError, ValueError):
        return set()
    return {path for path in found if isinstance(path, str)} if isinstance(found, list) else set()


def _place(root: Path, path: str) -> Path:
    place = root / PurePosixPath(path)
    if place.is_symlink() or not place.parent.resolve().is_relative_to(root.resolve()):
        raise ReadOnly(str(place), "it is, or lies behind, a link that leads elsewhere")
    return place


def _write(root: Path, path: str, data: bytes) -> Path:
    try:
        (root / PurePosixPath(path)).parent.mkdir(parents=True, exist_ok=True)
        place = _place(root, path)
        place.write_bytes(data)
    except OSError as error:
        raise ReadOnly(str(root / path), error.strerror or str(error)) from None
    return place


def _remove(root: Path, path: str) -> None:
    try:
        place = _place(root, path)
        if place.is_file():
            place.unlink()
    except (OSError, ReadOnly, ValueError):
        # Somebody has put something else there since: it is theirs.
        return
