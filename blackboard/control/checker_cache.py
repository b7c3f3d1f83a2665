"""The type checker's cache of the standard library, kept in the user's cache folder.

It is made once for each environment, version of Python and version of the checker, from a text that imports common
modules; it never contains a component's files. A run gets a copy. Without a cache folder the checker runs without it.
"""

import hashlib
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType

from blackboard.contracts.python.checker import COMMAND
from blackboard.contracts.python.laid import SETTING

FOLDER = ".spec/mypy"
"""The folder of the copy in the sandbox."""

_SECONDS = 120
_MODULES = """
abc argparse ast asyncio base64 collections collections.abc concurrent.futures contextlib copy csv dataclasses
datetime decimal email.message enum fractions functools hashlib heapq html http http.client http.server importlib
inspect io itertools json logging math operator os pathlib queue random re secrets shutil signal socket sqlite3
statistics string struct subprocess sys tempfile textwrap threading time tomllib traceback types typing unittest
unittest.mock urllib.error urllib.parse urllib.request uuid warnings wsgiref.simple_server xml.etree.ElementTree
zoneinfo
"""


def with_cache(command: Sequence[str]) -> tuple[list[str], Mapping[str, bytes]]:
    """Return a command of the checker that uses the cache, and the files of the copy."""
    files = _kept()
    return ([*command, f"--cache-dir={FOLDER}"] if files else [*command]), files


@lru_cache(maxsize=1)
def _kept() -> Mapping[str, bytes]:
    """Return path -> content of the cache, empty if there is none and none can be made."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    # The environment is in the name because the cache contains the paths of the checker's own files.
    where = hashlib.sha256(sys.prefix.encode()).hexdigest()[:12]
    place = home / "sharedspec" / f"mypy-{version('mypy')}-python-{platform.python_version()}-{where}"
    try:
        if not place.is_dir():
            _make(place)
        found = sorted(path for path in place.rglob("*") if path.is_file())
        return MappingProxyType({f"{FOLDER}/{path.relative_to(place).as_posix()}": path.read_bytes() for path in found})
    except (OSError, subprocess.SubprocessError):
        return MappingProxyType({})


def _make(place: Path) -> None:
    """Make the cache under a temporary name and rename it when it is complete."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as folder:
        work = Path(folder)
        (work / SETTING).write_text("[mypy]\n", encoding="utf-8")
        (work / "seed.py").write_text("".join(f"import {name}\n" for name in _MODULES.split()), encoding="utf-8")
        command = [sys.executable, *COMMAND, f"--cache-dir={work / 'made'}", "seed.py"]
        subprocess.run(command, cwd=work, capture_output=True, timeout=_SECONDS, check=True)  # noqa: S603
        try:
            (work / "made").rename(place)
        except OSError:
            # Another process was first.
            if not place.is_dir():
                raise
