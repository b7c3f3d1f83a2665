"""Which paths the files of components may have, and which of these are written to a folder only if its owner says so.

A component's files come from agents. On the board they are data. In a folder their names can have power: tools load or
run some files as soon as they are there, whoever wrote them.
"""

import unicodedata
from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase

from blackboard.errors import InvalidPath

MAX_PATH_BYTES = 1024
MAX_NAME_BYTES = 255
"""What Linux file systems take for one name."""

_PYTEST = "pytest runs it, or plugins that it names, in every run of tests below this folder"
_PYTHON = "every Python that has this folder on its path runs it at its start"
_BUILD = "pip and build tools run what it says when the folder is installed"
_AGENT = "coding agents follow it as instructions of the folder's owner"
_MAKE = "`make` runs it"
_NPM = "npm runs the commands that it names when the folder is installed"
_EDITOR = "editors run it, or commands that it names, when they open the folder"
_BUNDLER = "its tool runs it as a program whenever it is started in this folder"
_SERVER = "build servers run it when the folder is pushed"
_TASKS = "its tool loads it as a program even to list what it could do"

EXECUTED: Mapping[str, str] = {
    "conftest.py": _PYTEST,
    "pytest.ini": _PYTEST,
    "pytest.toml": _PYTEST,
    "tox.ini": _PYTEST,
    "setup.cfg": _PYTEST,
    "mypy.ini": "mypy loads the plugins that it names",
    "pyproject.toml": f"{_BUILD}; pytest and other tools load the plugins that it names",
    "setup.py": _BUILD,
    "sitecustomize": _PYTHON,
    "sitecustomize.*": _PYTHON,
    "usercustomize": _PYTHON,
    "usercustomize.*": _PYTHON,
    "*.pth": _PYTHON,
    "ipython_config.py": "IPython and Jupyter run it when they start in this folder",
    "jupyter_*config.py": "Jupyter runs it when it starts in this folder",
    "gunicorn.conf.py": "gunicorn runs it when it starts in this folder",
    "noxfile.py": _TASKS,
    "fabfile.py": _TASKS,
    "dodo.py": _TASKS,
    "rakefile": _TASKS,
    "makefile": _MAKE,
    "gnumakefile": _MAKE,
    "cmakelists.txt": _EDITOR,
    "build.gradle*": _EDITOR,
    "settings.gradle*": _EDITOR,
    "*.code-workspace": _EDITOR,
    "build.rs": "cargo runs it in every build, and so do editors that open the folder",
    "gemfile": "Ruby's bundler runs it as a program",
    "package.json": _NPM,
    "binding.gyp": _NPM,
    "composer.json": "composer runs the commands that it names when the folder is installed",
    "*.config.[jt]s": _BUNDLER,
    "*.config.[cm][jt]s": _BUNDLER,
    "jenkinsfile": _SERVER,
    "azure-pipelines.yml": _SERVER,
    "bitbucket-pipelines.yml": _SERVER,
    "team.py": "`bb run` and `bb work` run it",
    "agents.md": _AGENT,
    "claude.md": _AGENT,
    "gemini.md": _AGENT,
}
"""Pattern of a name, in lower case -> which tool runs or obeys such a file without being asked."""

_DOT = "names that begin with a dot belong to tools, which read such files without being asked"


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


def export_refusal(path: str, allowed: Collection[str] = ()) -> InvalidPath | None:
    """Return why a path is not written to a folder, None where it may be.

    Args:
        path: The path of a component's file.
        allowed: What the owner of the folder allows though tools run or read it: paths, or names of files in whatever
            folder that is not itself one of tools. What is malformed cannot be allowed.
    """
    try:
        parts = check_path(path).split("/")
    except InvalidPath as error:
        return error
    if path in allowed:
        return None
    asked = parts[:-1] if parts[-1] in allowed else parts
    why = next((why for part in asked if (why := _power(part.casefold()))), None)
    return None if why is None else InvalidPath(path, why, f"allow {path} by name, or give the file another name")


def _power(name: str) -> str | None:
    """Return which tool reads or runs what has a name, None where none does."""
    if name.startswith("."):
        return _DOT
    return next((why for pattern, why in EXECUTED.items() if fnmatchcase(name, pattern)), None)
