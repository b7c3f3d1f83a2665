"""A program in a folder: its files are written there, and those of an earlier export that it has no more are removed.

Invariant: nothing outside the folder is written or removed, whatever links or names lead there.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

from blackboard.errors import ReadOnly

LISTED = ".spec/files.json"
"""The paths of the last export; the next one removes those that the program does not have any more."""


def export(root: Path, content: Mapping[str, bytes], *, owned: Callable[[Path], bool]) -> tuple[Path, ...]:
    """Write files below a folder and return their paths, in order.

    Args:
        root: The folder, made if it is absent.
        content: Path below it -> content.
        owned: Says of a path whether it is the board's own file.

    Raises:
        ReadOnly: The folder cannot be written, leads out of itself by a link, or a file would be the board's.
    """
    for path in content:
        if owned(root / path):
            raise ReadOnly(str(root / path), "it is the board itself")
    before = _listed(root)
    listed = {**content, LISTED: (json.dumps(sorted(content), indent=1) + "\n").encode()}
    written = tuple(_write(root, path, data) for path, data in sorted(listed.items()))
    for path in before - listed.keys():
        if not owned(root / path):
            _remove(root, path)
    return written


def _listed(root: Path) -> set[str]:
    """Return what an earlier export wrote, nothing where that cannot be read."""
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
