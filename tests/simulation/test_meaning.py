"""One facet amended among many: who is written anew is exactly who no longer works, and nobody else is woken."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from meant_specs import NAMES, VALUES, Function, Slot, Spec, offers, stub, uses, works
from simulated_teams import free

from blackboard import on
from blackboard.contracts.language import Contract
from blackboard.control.simulation import virtual_board
from blackboard.control.source import external
from blackboard.control.team import Team

DECISIONS, IMPLEMENTERS, COMPONENTS = 40, 40, 60
FILE = "component.py"


# --- one spec, made from a seed --------------------------------------------------------------------------------------


def some_slots(draw: random.Random, kinds: list[str]) -> tuple[Slot, ...]:
    count = draw.randint(1, 3)
    needed = draw.randint(1, count)
    names = draw.sample(NAMES, count)
    return tuple(
        Slot(name, tuple(draw.sample(kinds, draw.randint(1, 2))), optional=place >= needed)
        for place, name in enumerate(names)
    )


def some_spec(draw: random.Random) -> Spec:
    plain = list(VALUES)
    record = some_slots(draw, plain)
    taken = [*plain, "Record"]
    functions = [
        Function(f"f{number}", some_slots(draw, taken), tuple(draw.sample(plain, draw.randint(1, 2))))
        for number in range(draw.randint(1, 3))
    ]
    functions.append(Function("fetch", some_slots(draw, plain), ("Record", "None")))
    functions.append(Function("choose", some_slots(draw, plain), ("Choice",)))
    return Spec(tuple(functions), record, tuple(NAMES[: draw.randint(2, 3)]))


# --- amendments ------------------------------------------------------------------------------------------------------


def fresh(slots: tuple[Slot, ...]) -> str:
    return next(name for name in (*NAMES, "extra") if name not in {one.name for one in slots})


def slots_added(draw: random.Random, slots: tuple[Slot, ...]) -> tuple[Slot, ...]:
    return (*slots, Slot(fresh(slots), (draw.choice(list(VALUES)),), optional=True))


def slots_needed(draw: random.Random, slots: tuple[Slot, ...]) -> tuple[Slot, ...]:
    return (Slot(fresh(slots), (draw.choice(list(VALUES)),)), *slots)


def slots_dropped(draw: random.Random, slots: tuple[Slot, ...]) -> tuple[Slot, ...]:
    gone = draw.choice(slots)
    return tuple(one for one in slots if one is not gone) if len(slots) > 1 else slots


def slots_renamed(draw: random.Random, slots: tuple[Slot, ...]) -> tuple[Slot, ...]:
    other = draw.choice(slots)
    return tuple(replace(one, name=fresh(slots)) if one is other else one for one in slots)


def slots_widened(draw: random.Random, slots: tuple[Slot, ...]) -> tuple[Slot, ...]:
    other = draw.choice(slots)
    more = draw.choice([kind for kind in VALUES if kind not in other.kinds])
    return tuple(replace(one, kinds=(*one.kinds, more)) if one is other else one for one in slots)


def slots_narrowed(draw: random.Random, slots: tuple[Slot, ...]) -> tuple[Slot, ...]:
    wide = [one for one in slots if len(one.kinds) > 1]
    if not wide:
        return slots
    other = draw.choice(wide)
    return tuple(replace(one, kinds=one.kinds[1:]) if one is other else one for one in slots)


def slots_relaxed(_: random.Random, slots: tuple[Slot, ...]) -> tuple[Slot, ...]:
    needed = [one for one in slots if not one.optional]
    return tuple(replace(one, optional=True) if one is needed[-1] else one for one in slots) if needed else slots


ON_SLOTS = (*(slots_added, slots_needed, slots_dropped, slots_renamed, slots_widened, slots_narrowed, slots_relaxed),)


def returns_widened(draw: random.Random, returns: tuple[str, ...]) -> tuple[str, ...]:
    more = [kind for kind in VALUES if kind not in returns]
    return (*returns, draw.choice(more)) if more else returns


def returns_narrowed(_: random.Random, returns: tuple[str, ...]) -> tuple[str, ...]:
    return returns[:-1] if len(returns) > 1 else returns


def amended(draw: random.Random, spec: Spec) -> Spec:
    """Return the spec with one thing changed, perhaps nothing that matters."""
    function = draw.choice(spec.functions)
    ways: list[Callable[[], Spec]] = [
        lambda: spec.with_function(replace(function, slots=draw.choice(ON_SLOTS)(draw, function.slots))),
        lambda: spec.with_function(replace(function, returns=returns_widened(draw, function.returns))),
        lambda: spec.with_function(replace(function, returns=returns_narrowed(draw, function.returns))),
        lambda: replace(spec, record=draw.choice(ON_SLOTS)(draw, spec.record)),
        lambda: replace(spec, choice=NAMES[: len(spec.choice) + 1]),
        lambda: replace(spec, functions=(*spec.functions, Function(f"more_{len(spec.functions)}", (), ("int",)))),
        lambda: replace(spec, functions=tuple(one for one in spec.functions if one.name != "f0")),
    ]
    return draw.choice(ways)()


# --- a team that builds it -------------------------------------------------------------------------------------------


class World:
    """Decisions and what is built on them; a component is code for the specs as its author read them."""

    def __init__(self, board, seed: int) -> None:
        self.board, self.draw = board, random.Random(seed)
        self.specs = [some_spec(self.draw) for _ in range(DECISIONS)]
        self.wanted = [self._wants(number) for number in range(COMPONENTS)]
        coder = external("coder", role="coder", on=[on.required("*"), on.stale("*")])
        board.install(Team("build it", [coder], choreography=free("coder")))
        for number in range(DECISIONS):
            self.decide(number)
        for number in range(COMPONENTS):
            implements = [f"api/d{number}"] if number < IMPLEMENTERS else []
            named = sorted({f"api/d{other}" for other, _ in self.wanted[number]})
            task = Contract.task(summary=f"build c{number}", implements=implements, uses=named)
            with board.transaction("boss", role="operator") as transaction:
                transaction.decide(f"task/c{number}", task)

    def _wants(self, number: int) -> list[tuple[int, str]]:
        """Return the (decision, symbol) that a component uses."""
        others = [other for other in range(DECISIONS) if other != number]
        found = [(other, self.draw.choice(self.specs[other].symbols[:-1])) for other in self.draw.sample(others, 3)]
        return sorted(found[: self.draw.randint(1, 3)])

    def decide(self, number: int) -> None:
        with self.board.transaction("boss", role="operator") as transaction:
            transaction.decision(f"api/d{number}")
            transaction.decide(f"api/d{number}", Contract.python(stub(self.specs[number])))

    def run(self) -> list[str]:
        """Let the coder do whatever it is woken for, and return what that was."""
        woken = []
        while leases := self.board.claim("coder", limit=COMPONENTS):
            for lease in leases:
                woken.append(lease.target)
                self._build(lease)
                lease.finish()
        return sorted(set(woken))

    def _build(self, lease) -> None:
        number = int(lease.target.removeprefix("c"))
        with lease.transaction() as transaction:
            transaction.decision(f"task/{lease.target}")
            transaction.component(lease.target)
            files = {}
            if number < IMPLEMENTERS:
                transaction.decision(f"api/d{number}", side="implements")
                files[FILE] = offers(self.specs[number])
            for place, (other, symbol) in enumerate(self.wanted[number]):
                files[f"used_{place}.py"] = self._part(transaction, other, symbol)
            transaction.write(lease.target, files)

    def _part(self, transaction, other: int, symbol: str) -> str:
        key, spec = f"api/d{other}", self.specs[other]
        mentioned = spec.mentioned([symbol])
        found = self.board.snapshot().decision(key).contract.facets
        names = [name for name in found if name.partition(".")[0] in mentioned]
        transaction.decision(key, facets=names or [symbol])
        return uses(spec, [symbol])

    def broken(self) -> list[str]:
        """Return the components whose code no longer works beside the specs as they are, or does not offer them."""
        return sorted(f"c{number}" for number in range(COMPONENTS) if not self._works(number))

    def _works(self, number: int) -> bool:
        files = self.board.snapshot().component(f"c{number}").files
        texts = {path: content.decode() for path, content in files.items()}
        if number < IMPLEMENTERS:
            spec = self.specs[number]
            if not works(uses(spec, spec.symbols), texts[FILE]):
                return False
        used = enumerate(self.wanted[number])
        return all(works(texts[f"used_{place}.py"], offers(self.specs[other])) for place, (other, _) in used)

    def versions(self) -> dict[str, int]:
        return {one.key: one.version for one in self.board.snapshot().components()}


@pytest.fixture(params=[7])
def world(request):
    with virtual_board() as board:
        made = World(board, request.param)
        assert len(made.run()) == COMPONENTS
        assert made.broken() == []
        yield made


AMENDMENTS = 40


def test_who_is_written_anew_is_who_no_longer_works(world):
    counted = {"broken": 0, "nobody": 0}
    for _ in range(AMENDMENTS):
        number = world.draw.randrange(DECISIONS)
        before, world.specs[number] = world.specs[number], amended(world.draw, world.specs[number])
        world.decide(number)
        broken, versions = world.broken(), world.versions()
        woken = world.run()
        assert woken == broken, (before, world.specs[number])
        assert {key for key, version in world.versions().items() if version != versions[key]} == set(broken)
        assert world.broken() == []
        counted["broken" if broken else "nobody"] += 1
    assert min(counted.values()) > 0, counted


def test_words_make_suspect_and_have_nobody_rewritten_and_order_means_nothing(world):
    for number in range(DECISIONS):
        world.specs[number] = replace(world.specs[number], words="as it was agreed once", backwards=True)
        world.decide(number)
    assert world.run() == []
    states = {one.state for one in world.board.snapshot().components()}
    assert states == {"suspect"}
