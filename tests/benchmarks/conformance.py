"""CPU of the check `conformance` on a component of 300 lines: without the checker's cache, and with it.

python tests/benchmarks/conformance.py
"""

import resource
import statistics
import sys

from blackboard.contracts.conformance import conformance_plan
from blackboard.contracts.language import Contract
from blackboard.control.checker_cache import with_cache
from blackboard.control.sandbox import Limits, Sandbox

ROUNDS = 5
FUNCTIONS = 75
IMPORTS = "import json\nimport sqlite3\nfrom dataclasses import dataclass\nfrom pathlib import Path\n"


def component() -> tuple[Contract, dict[str, str]]:
    """Return a contract of functions, and code of about 300 lines that implements it."""
    stub = "".join(f"def f{number}(key: int) -> str: ...\n" for number in range(FUNCTIONS))
    body = '(key: int) -> str:\n    return json.dumps({"key": key})\n\n\n'
    return Contract.python(stub), {"storage.py": IMPORTS + "".join(f"def f{one}{body}" for one in range(FUNCTIONS))}


def seconds(command: list[str], files: dict[str, str | bytes]) -> float:
    """Return the CPU time of one run of the checker in the sandbox."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = Sandbox.best(Limits()).run([sys.executable, *command], files)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if result.status != 0:
        raise SystemExit(result.output)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure both, turn by turn, and print them."""
    contract, code = component()
    plan = conformance_plan({"api/storage": (contract, None)}, code)
    command, cached = with_cache(plan.command)
    files = {**code, **plan.probes}
    rounds = [(seconds([*plan.command], files), seconds(command, {**files, **cached})) for _ in range(ROUNDS)]
    without, with_it = (statistics.median(one) for one in zip(*rounds, strict=True))
    lines = code["storage.py"].count("\n")
    sys.stdout.write(
        f"conformance of {lines} lines, CPU: {without:.2f} s without the cache, {with_it:.2f} s with it (bar 0.50)\n"
    )


if __name__ == "__main__":
    main()
