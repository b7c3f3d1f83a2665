"""Which pairs of real features a board merges, where each is one commit that changes the stubs of several modules.

A folder holds tasks: a library's tree, and features as patches of it that different people could be asked for at once
(`base.tar.gz`, `features/N/feature.patch`). The stubs of each module come from mypy's `stubgen`. Both authors of a pair
read the same base; one commits what its patch makes of every module that it changes, then so does the other. A conflict
is *true* where each facet that it names was changed by both of them, and differently.
"""

import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from blackboard import Blackboard, Conflict, Contract
from blackboard.choreography import Choreography, Role, may
from blackboard.control.source import external
from blackboard.control.team import Team
from blackboard.errors import Invalid
from blackboard.on import asked
from blackboard.testing import open_memory

Stubs = Mapping[str, Contract]
"""Key of a decision -> the stub of a module."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What became of two features that were committed one after the other.

    Attributes:
        keys: How many decisions the second commit changes.
        refused: Facets that the refusal names, as `key#facet`; none where both were merged.
        untrue: Those of them that were not changed by both, and differently.
    """

    task: str
    first: int
    second: int
    keys: int
    refused: tuple[str, ...] = ()
    untrue: tuple[str, ...] = ()


def measure(tasks: Path, folder: Path) -> list[Pair]:
    """Commit both features of every pair of every task, each pair on a board of its own."""
    return [pair for task in sorted(tasks.iterdir()) if task.is_dir() for pair in _pairs(task, folder / task.name)]


def as_table(pairs: list[Pair]) -> str:
    """Return the figures as a plain table."""
    rows = ["task                                  pairs  several keys  merged  conflicts  of them not true"]
    tasks = dict.fromkeys(pair.task for pair in pairs)
    rows += (_row(task, [pair for pair in pairs if pair.task == task]) for task in tasks)
    untrue = [f"{one.task} {one.first}+{one.second}: {', '.join(one.untrue)}" for one in pairs if one.untrue]
    return "\n".join([*rows, _row("all", pairs), *untrue])


def _row(name: str, pairs: list[Pair]) -> str:
    counts = [len(pairs), sum(one.keys > 1 for one in pairs), sum(not one.refused for one in pairs)]
    counts += [sum(bool(one.refused) for one in pairs), sum(bool(one.untrue) for one in pairs)]
    return f"{name:<36}" + "".join(f"{count:>{width}}" for count, width in zip(counts, (7, 14, 8, 11, 18), strict=True))


def _pairs(task: Path, folder: Path) -> Iterator[Pair]:
    base = _stubs(task, folder / "base", None)
    made = {int(one.name): _stubs(task, folder / one.name, one) for one in (task / "features").iterdir()}
    for first, second in combinations(sorted(made), 2):
        yield _pair(task.name, (first, second), base, (made[first], made[second]))


def _pair(task: str, numbers: tuple[int, int], base: Stubs, made: tuple[Stubs, Stubs]) -> Pair:
    protocol = Choreography("features", may(Role("author"), "decide", "api/*"), merge={"api/*": "facet"})
    members = [external(name, role="author", on=asked("**")) for name in ("ann", "bob")]
    board = open_memory()
    board.install(Team("two features", members, choreography=protocol))
    _commit(board, "ann", {}, base)
    first, second = (_changed(base, stubs) for stubs in made)
    # Both read the base before either commits.
    late = board.transaction("bob")
    for key in second:
        late.decision(key)
    _commit(board, "ann", base, first)
    for key, contract in second.items():
        late.decide(key, contract)
    try:
        late.commit()
    except Conflict as error:
        named = tuple((one.key, one.facet) for one in error.premises)
        return Pair(
            task,
            *numbers,
            len(second),
            tuple(f"{key}#{facet}" for key, facet in named),
            tuple(f"{key}#{facet}" for key, facet in named if not _met(base, *made, key, facet)),
        )
    return Pair(task, *numbers, len(second))


def _commit(board: Blackboard, author: str, base: Stubs, stubs: Stubs) -> None:
    transaction = board.transaction(author)
    for key, contract in stubs.items():
        if key in base:
            transaction.decision(key)
        transaction.decide(key, contract)
    transaction.commit()


def _changed(base: Stubs, stubs: Stubs) -> Stubs:
    return {
        key: contract for key, contract in stubs.items() if key not in base or contract.digests != base[key].digests
    }


def _met(base: Stubs, first: Stubs, second: Stubs, key: str, facet: str | None) -> bool:
    """Say whether both changed a facet, and not to the same."""
    if facet is None:
        return False
    values = [one[key].digests.get(facet) if key in one else None for one in (base, first, second)]
    return values[0] not in values[1:] and values[1] != values[2]


def _stubs(task: Path, folder: Path, feature: Path | None) -> Stubs:
    """Return the stubs of a task's library, with a feature's patch applied or without."""
    folder.mkdir(parents=True)
    with tarfile.open(task / "base.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    if feature is not None:
        patch = ["git", "apply", "--whitespace=nowarn", str(feature / "feature.patch")]
        subprocess.run(patch, check=True, cwd=folder, capture_output=True)
    # Not -m: compiled, it is no module that can be run.
    stubgen = [sys.executable, "-c", "from mypy.stubgen import main; main()", "--quiet", "--include-private"]
    packages = [str(one.parent.relative_to(folder)) for one in _packages(folder)]
    subprocess.run([*stubgen, *packages, "-o", "stubs"], check=True, cwd=folder, capture_output=True)
    return dict(_read(folder / "stubs"))


def _packages(folder: Path) -> list[Path]:
    found = [*folder.glob("*/__init__.py"), *folder.glob("src/*/__init__.py")]
    return [one for one in found if one.parent.name not in ("tests", "docs", "examples")]


def _read(folder: Path) -> Iterator[tuple[str, Contract]]:
    for path in sorted(folder.rglob("*.pyi")):
        try:
            contract = Contract.python(path.read_text())
        except Invalid:
            continue
        yield "api/" + ".".join(path.relative_to(folder).with_suffix("").parts), contract
