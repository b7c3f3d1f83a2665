"""Whatever two stubs are, comparing them ends soon, within bounds, and says what it could not find out."""

import subprocess
import sys
from pathlib import Path

from blackboard.contracts.language import Contract
from blackboard.spec.effects import UNDECIDED, Effect

MANY = 4_000


def many(header, line, count=MANY):
    return header + "".join(line.format(number, number + 1) for number in range(count))


CHAIN = "".join(
    many("", f"class {name}{{0}}(Protocol):\n  def m(self) -> {name}{{1}}: ...\n", 1_000) + f"class {name}1000: ...\n"
    for name in "AB"
)
DOUBLED = many("", "A{0} = tuple[A{1}, A{1}]\n", 60)
GENERIC = many("T = TypeVar('T')\nclass A0(Generic[T]): ...\n", "class A{1}(A{0}[tuple[T, T]]): ...\n", 60)
OVERLOADS = many("", "@overload\ndef f(a: A{0}, b: int) -> int: ...\n", 250)
SUBCLASSES = "class B:\n" + many("", "  x{0}: int\n", 1_500) + many("", "class C{0}(B):\n  y: int\n", 1_500)

CHANGED = {
    "constants": (many("", "x{0}: int\n"), many("", "x{0}: str\n")),
    "a dataclass": (many("@dataclass\nclass A:\n", "  x{0}: int\n"), many("@dataclass\nclass A:\n", "  x{0}: str\n")),
    "a Protocol": (many("class A(Protocol):\n", "  x{0}: int\n"), many("class A(Protocol):\n", "  x{0}: str\n")),
    "a TypedDict": (many("class A(TypedDict):\n", "  x{0}: int\n"), many("class A(TypedDict):\n", "  x{0}: str\n")),
    "an enum": (many("class A(Enum):\n", "  x{0} = 1\n", MANY), many("class A(Enum):\n", "  y{0} = 1\n", MANY)),
    "parameters": (f"def f({many('', 'a{0}: int, ')}): ...", f"def f({many('', 'a{0}: str, ')}): ..."),
    "names": (f"def f(*, {many('', 'a{0}: int, ')}): ...", f"def f(*, {many('', 'b{0}: int, ')}): ..."),
    "a union": ("x: " + "|".join(f"A{n}" for n in range(900)), "x: " + "|".join(f"B{n}" for n in range(900))),
    "a chain of aliases": (many("", "A{0} = A{1}\n", MANY), many("", "A{0} = A{1}\n", MANY) + "A4000 = str"),
    "a chain of bases": (many("class A0: ...\n", "class A{1}(A{0}): ...\n"), "class A0: ..."),
    "a chain of Protocols": (f"{CHAIN}def f() -> A0: ...", f"{CHAIN}def f() -> B0: ..."),
    "aliases that double": (f"{DOUBLED}A60 = int\ndef f() -> A0: ...", f"{DOUBLED}A60 = str\ndef f() -> A1: ..."),
    "bases that double": (f"{GENERIC}def f() -> A0[int]: ...", f"{GENERIC}def f() -> A59[int]: ..."),
    "aliases in a circle": ("A = B\nB = A\ndef f() -> A: ...", "A = B\nB = A\ndef f() -> B: ..."),
    "overloads": (OVERLOADS, OVERLOADS.replace("b: int", "b: float, c: int")),
    "subclasses": (SUBCLASSES, SUBCLASSES.replace("int", "str")),
    "exceptions": (many("def f():\n  '''Raises:\n", "    A{0}: x\n") + "'''", "def f(): ..."),
}


def peak_kilobytes():
    # Not ru_maxrss: a child is told that of its parent if that is more.
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


LIMITED = """
import signal
from test_python_compare_hostile import CHANGED, peak_kilobytes
from blackboard.contracts.language import Contract

for name, stubs in CHANGED.items():
    old, new = map(Contract.python, stubs)
    print(name, flush=True)
    signal.setitimer(signal.ITIMER_PROF, 2)  # ends the process after so many seconds of CPU time
    assert old.compare(new).effects
    signal.setitimer(signal.ITIMER_PROF, 0)
    assert peak_kilobytes() < 200 * 1024
"""


def test_a_vast_change_is_answered_within_bounds_of_time_and_memory():
    path = ":".join(entry for entry in sys.path if entry)
    run = subprocess.run(
        [sys.executable, "-c", LIMITED], capture_output=True, text=True, check=False, env={"PYTHONPATH": path}
    )

    assert (run.returncode, run.stdout.split("\n")[:-1]) == (0, list(CHANGED)), run.stderr


def test_what_was_not_found_out_is_undecided_and_breaks_both():
    change = Contract.python(OVERLOADS).compare(Contract.python(CHANGED["overloads"][1])).effects["f"]

    assert (change.uses, change.implements, change.proof) == (Effect.BREAKING, Effect.BREAKING, UNDECIDED)
