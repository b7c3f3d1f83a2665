"""Random changes of stubs: who was told that a change is compatible, type-checks and runs beside the new stub.

Share called breaking though no program broke is printed, and bounded.
"""

import random
import sys
import types
from collections import Counter

from checked_stubs import PRELUDE, Checked
from stub_pairs import changed, random_world, stub
from stub_users import Users

from blackboard.contracts.language import Contract
from blackboard.spec.effects import UNDECIDED, Effect

TOGETHER, IN_ONE_RUN = 25, 500
HEAD = "import contract\nimport inspect\nfrom typing import *\nfrom typing_extensions import ReadOnly\n"


def test_nothing_that_is_called_compatible_breaks(tmp_path, length, seed, capsys, monkeypatch):
    rng, counts, wrong = random.Random(seed), Counter(), []
    pairs = length(150, 20_000)
    for first in range(0, pairs, IN_ONE_RUN):
        batch = []
        for number in range(first, min(first + IN_ONE_RUN, pairs)):
            old = random_world(rng, number)
            batch.append((old, *changed(rng, old)))
        folder = tmp_path / str(first)
        folder.mkdir()
        broken = type_checked(Checked(folder), batch)
        for old, new, kind in batch:
            wrong += judged(old, new, kind, broken, counts, monkeypatch)

    with capsys.disabled():
        print(f"\n{summary(counts)} (seed {seed})")  # noqa: T201 - what the test is asked for
    assert wrong == []
    assert counts["breaking, though nothing broke"] <= 0.15 * counts["breaking"]
    assert counts["exercised"] >= 0.95 * counts["changed"]


def judged(old, new, kind, broken, counts, monkeypatch):
    """Compare what a comparison says with what the programs did, and return where it says too little."""
    comparison = Contract.python(stub(old)).compare(Contract.python(stub(new)))
    for side, own, other in (("uses", old, new), ("implements", new, old)):
        errors = broken[side, old.number] or ran(own, other, side, monkeypatch)
        breaking = comparison.effect(side) is Effect.BREAKING
        counts["breaking"] += breaking
        counts["breaking, though nothing broke"] += breaking and not errors
        if errors and not breaking:
            yield kind, side, stub(old), stub(new), errors
    facets = [name for name in comparison.effects if name]
    users = Users(old, "uses", new), Users(new, "implements", old)
    programs = "\n".join(line for one in users for line in (*one.program(), *one.asserts()))
    counts["changed"] += len(facets)
    counts["exercised"] += sum(name.rpartition(".")[2] in programs for name in facets)
    counts["undecided"] += sum(comparison.effects[name].proof == UNDECIDED for name in facets)


def summary(counts):
    share = counts["breaking, though nothing broke"] / max(counts["breaking"], 1)
    return (
        f"{counts['changed']} facets changed, {counts['exercised']} exercised, {counts['undecided']} undecided; "
        f"called breaking {counts['breaking']} times, {share:.1%} of them though no program broke"
    )


def type_checked(checked, batch):
    """Return (side, world) -> what the type checker finds wrong in programs beside the other stub."""
    places, broken = {}, {(side, old.number): [] for old, _, _ in batch for side in ("uses", "implements")}
    for first in range(0, len(batch), TOGETHER):
        part = batch[first : first + TOGETHER]
        olds, news = (checked.stub("".join(stub(pair[place]) for pair in part)) for place in (0, 1))
        for side, beside, other in (("uses", olds, news), ("implements", news, olds)):
            lines = [(None, line) for line in HEAD.rstrip("\n").split("\n")]
            for old, new, _ in part:
                users = Users(old, side, new) if side == "uses" else Users(new, side, old)
                lines += [(old.number, line) for line in users.program()]
            text = "\n".join(line for _, line in lines) + "\n"
            places[checked.program(text, beside)] = (side, lines, True)
            places[checked.program(text, other)] = (side, lines, False)
    for module, number, error in checked.error_lines():
        assert module in places, error
        side, lines, right = places[module]
        world, line = lines[number - 1]
        assert not right, (line, error)
        assert world is not None, error
        broken[side, world].append((line, error))
    return broken


def ran(own, other, side, monkeypatch):
    """Return what fails when it is run beside the other stub's module."""
    module = types.ModuleType("contract")
    monkeypatch.setitem(sys.modules, "contract", module)
    text = Contract.python(stub(other)).skeleton().partition("\n")[2]
    exec(PRELUDE + text, module.__dict__)  # noqa: S102 - our own stubs
    try:
        exec("\n".join(["import contract, inspect", *Users(own, side, other).asserts()]), {})  # noqa: S102 - our own
    except (AssertionError, AttributeError, KeyError, IndexError) as error:
        return [repr(error)]
    return []
