"""What a type checker says of programs against stubs, all in one run."""

import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from changes.row import with_imports

_COMMAND = ("-m", "mypy", "--config-file=/dev/null", "--cache-dir=/dev/null", "--check-untyped-defs", ".")
# A result that is always None may be used: what it becomes is what a row is about.
_ALLOWED = "--disable-error-code=func-returns-value"


def checked(folder: Path, programs: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Return what mypy says of each program.

    Args:
        folder: An empty one.
        programs: Each with the stub whose names it uses.
    """
    (folder / "elsewhere.py").write_text("class One: ...\nclass Two: ...\n")
    modules = {stub: f"stub{number}" for number, stub in enumerate(dict.fromkeys(stub for _, stub in programs))}
    for stub, module in modules.items():
        (folder / f"{module}.pyi").write_text(with_imports(stub))
    for number, (program, stub) in enumerate(programs):
        text = f"from typing import *\nfrom {modules[stub]} import *\n{program}\n"
        (folder / f"program{number}.py").write_text(text)
    command = [sys.executable, *_COMMAND, _ALLOWED]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    said = defaultdict(list)
    for line in done.stdout.splitlines():
        if (match := re.match(r"(\w+)\.pyi?:\d+: error: (.*)", line)) is not None:
            said[match[1]].append(match[2])
    assert not {stub: said[module] for stub, module in modules.items() if said[module]}, "stubs of the table"
    return [said[f"program{number}"] for number in range(len(programs))]
