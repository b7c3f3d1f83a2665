"""CHECK: CPU of the check `conformance` on a component of 300 lines, from the second time on beside the first.

The first time the type checker reads the standard library; then what it found there is laid beside the files.
"""

import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence

from blackboard.contracts.conformance import conformance_plan
from blackboard.contracts.language import Contract
from blackboard.control.checker_cache import with_cache

from .measure import Bar, Bench, Line, fsync_ms, in_turns

FUNCTIONS = 75
IMPORTS = "import json\nimport sqlite3\nfrom dataclasses import dataclass\nfrom pathlib import Path\n"
AGAIN = Bar("CHECK", "conformance of 300 lines, from the second time on", 0.5, "the first time, without a cache")


def run(bench: Bench) -> Iterator[Line]:
    """Measure CHECK."""
    contract, code = component()
    plan = conformance_plan({"api/storage": (contract, None)}, code)
    command, cached = with_cache(plan.command)
    files = {**code, **plan.probes}
    pairs = in_turns(
        lambda: seconds(bench, command, {**files, **cached}),
        lambda: seconds(bench, plan.command, files),
        rounds=bench.of(1, 5, 15),
        warm=bench.of(0, 1, 1),
    )
    yield AGAIN.measured(pairs.ratio, fsync_ms(bench.folder), **pairs.milliseconds())


def component() -> tuple[Contract, dict[str, str]]:
    """Return a contract of functions, and code of about 300 lines that implements it."""
    stub = "".join(f"def f{number}(key: int) -> str: ...\n" for number in range(FUNCTIONS))
    body = '(key: int) -> str:\n    return json.dumps({"key": key})\n\n\n'
    return Contract.python(stub), {"storage.py": IMPORTS + "".join(f"def f{one}{body}" for one in range(FUNCTIONS))}


def seconds(bench: Bench, command: Sequence[str], files: Mapping[str, str | bytes]) -> float:
    """Return the CPU time of one run of the checker in a folder of files."""
    with bench.place("checked") as folder:
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content.encode() if isinstance(content, str) else content)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *command], cwd=folder, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
