"""A disk whose fsync takes longer: a small library that is preloaded into the processes which are measured."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

SOURCE = Path(__file__).with_name("shim.c")
NO_COMPILER = "no C compiler"


def compiled(folder: Path) -> Path | None:
    """Compile the library into a folder and return its path, None where there is no C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    library = folder / "slow_disk.so"
    if not library.exists():
        subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(SOURCE), "-ldl"], check=True)
    return library


def environment(library: Path | None, milliseconds: float) -> Mapping[str, str]:
    """Return the environment of a process whose fsync takes so much longer; without a library nothing is slower."""
    if library is None or not milliseconds:
        return os.environ
    return {**os.environ, "LD_PRELOAD": str(library), "BENCHMARKS_FSYNC_MS": str(milliseconds)}
