"""P12: what importing the package costs, beside the libraries that it stands on."""

import resource
import subprocess
import sys
from collections.abc import Iterator

from .measure import Bar, Bench, Line, fsync_ms, in_turns

BESIDE = "import sqlalchemy, pydantic"
USED = "from blackboard import Blackboard, Contract"
IMPORT = Bar("P12", "import blackboard", 1.15, BESIDE)


def run(bench: Bench) -> Iterator[Line]:
    """Measure P12."""
    pairs = in_turns(lambda: _cpu_of("import blackboard"), lambda: _cpu_of(BESIDE), rounds=bench.of(1, 9, 31))
    # Names are loaded when they are first used; what that costs stands beside the bar.
    used = min(_cpu_of(USED) for _ in range(bench.of(1, 5, 15)))
    yield IMPORT.measured(pairs.ratio, fsync_ms(bench.folder), **pairs.milliseconds(), with_a_board_ms=used * 1000)


def _cpu_of(program: str) -> float:
    """Return the CPU time of a new interpreter that runs a program, its start included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", program], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
