"""Every case that is measured, by bar."""

from collections.abc import Callable, Iterable, Mapping

from . import commits, conformance, fan_out, history, imports, processes, rules, threads, watching, work
from .measure import Bench, Line

BARS: Mapping[str, Callable[[Bench], Iterable[Line]]] = {
    "P1": commits.run,
    "P2": threads.run,
    "SLOW": threads.run_slow,
    "P3": processes.run,
    "P4": history.run,
    "P5": fan_out.run,
    "P6": rules.run_triggers,
    "P7": work.run_nothing,
    "P8": work.run_waiting,
    "P9": watching.run,
    "P12": imports.run,
    "P14": rules.run_guard,
    "CHECK": conformance.run,
}
"""Bar -> what measures it, in the order of the table."""
