"""Which paths the files of components may have, and which of these are written to a folder only if its owner says so.

A component's files come from agents. On the board they are data. In a folder their names can have power: tools load or
run some files as soon as they are there, whoever wrote them.
"""

import unicodedata
from collections.abc import Collection, Iterable, Mapping

from blackboard.errors import InvalidPath

MAX_PATH_BYTES = 1024
MAX_NAME_BYTES = 255
"""What Linux file systems take for one name."""

_PYTEST = "pytest runs it, or plugins that it names, in every run of tests below this folder"
_PYTHON = "every Python that has this folder on its path runs it at its start"
_BUILD = "pip and build tools run what it says when the folder is installed"
_AGENT = "coding agents follow it as instructions of the folder's owner"
_MAKE = "`make` runs it"

EXECUTED: Mapping[str, str] = {
    "conftest.py": _PYTEST,
    "pytest.ini": _PYTEST,
    "tox.ini": _PYTEST,
    "setup.cfg": _PYTEST,
    "pyproject.toml": f"{_BUILD}; pytest and other tools load the plugins that it names",
    "setup.py": _BUILD,
    "sitecustomize.py": _PYTHON,
    "usercustomize.py": _PYTHON,
    "noxfile.py": "`nox` runs it",
    "makefile": _MAKE,
    "gnumakefile": _MAKE,
    "package.json": "npm runs the scripts that it names when the folder is installed",
    "team.py": "`bb run` and `bb work` run it",
    "agents.md": _AGENT,
    "claude.md": _AGENT,
    "gemini.md": _AGENT,
}
"""Name of a file, in lower case -> which tool runs or obeys it without being asked."""


def check_path(path: object) -> str:
    """Return the path of a component's file: relative, with `/`, the same on every system.

    Raises:
        InvalidPath: It is not; says why.
    """
    if not isinstance(path, str):
        raise InvalidPath(ascii(path), "a path is a text")
    parts = path.split("/")
    if len(path.encode("utf-8", "surrogatepass")) > MAX_PATH_BYTES:
        raise InvalidPath(path, f"it is longer than {MAX_PATH_BYTES} bytes")
    if not path.isprintable() or "\\" in path or any(part in ("", ".", "..") for part in parts):
        raise InvalidPath(path, "a path is relative, with '/', without '..', empty parts or control characters")
    if any(len(part.encode()) > MAX_NAME_BYTES for part in parts):
        raise InvalidPath(path, f"one of its names is longer than {MAX_NAME_BYTES} bytes")
    if not unicodedata.is_normalized("NFC", path):
        raise InvalidPath(path, "it is not in Unicode's form NFC, so another spelling would look the same")
    if parts[0] == ".spec":
        raise InvalidPath(path, "`.spec` is the folder in which the board describes its decisions")
    if any(part.casefold() == ".git" for part in parts):
        raise InvalidPath(path, "`.git` is the folder of a repository, whose settings and hooks run commands")
    return path


def check_tree(paths: Iterable[str]) -> None:
    """Make sure that all paths can exist together, also where upper and lower case are the same.

    Raises:
        InvalidPath: One path is a folder of another, or two differ in case only.
    """
    files = sorted(set(paths))
    spelled: dict[str, str] = {}
    for path in files:
        parts = path.split("/")
        for end in range(1, len(parts) + 1):
            prefix = "/".join(parts[:end])
            other = spelled.setdefault(prefix.casefold(), prefix)
            if other != prefix:
                raise InvalidPath(path, f"{other} exists beside it and differs in upper and lower case only")
    known = frozenset(files)
    for path in files:
        parts = path.split("/")
        for end in range(1, len(parts)):
            if "/".join(parts[:end]) in known:
                raise InvalidPath("/".join(parts[:end]), f"it cannot be a file and the folder of {path}")


def export_refusal(path: str, allowed: Collection[str] = ()) -> str | None:
    """Return why a path is not written to a folder unless its owner allows it by name, None where it may be.

    Args:
        path: The path of a component's file.
        allowed: Paths or names of files that the owner of the folder allows.
    """
    parts = path.split("/")
    if path in allowed or parts[-1] in allowed:
        return None
    if any(part.startswith(".") for part in parts):
        return "names that begin with a dot belong to tools, which read such files without being asked"
    if parts[-1].casefold().endswith(".pth"):
        return _PYTHON
    return EXECUTED.get(parts[-1].casefold())
