"""What a new stub means for those who use the old one and for those who implement it.

A facet that changed and of which nothing is missing to either side says the same in other words: no effect.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from blackboard.contracts.facets import NAMES, changed_names, difference
from blackboard.contracts.python.calls import Gap
from blackboard.contracts.python.declarations import Class, Declaration, Property, Variable
from blackboard.contracts.python.members import Members
from blackboard.contracts.python.module_name import FACET as MODULE
from blackboard.contracts.python.proofs import Proofs
from blackboard.contracts.python.same import with_one_name
from blackboard.contracts.python.serving import Ends
from blackboard.contracts.python.serving_classes import gaps
from blackboard.contracts.python.types import VARIABLE_MAKERS, Budget, Pool, Types, Undecidable
from blackboard.contracts.rules import of_python
from blackboard.spec.canonical import JSON, canonical_json
from blackboard.spec.effects import UNDECIDED, Effect, FacetChange, Side

MAX_STEPS = 100_000
"""So much work one comparison may take; what is left then is undecided."""

_FACET_STEPS = 4
_MAX_REASON = 160

Gaps = tuple[Sequence[Gap], Sequence[Gap]]
Stubs = tuple[Mapping[str, Declaration], Mapping[str, JSON]]
"""The declarations of a stub, and their facets."""


def compared(old: Stubs, new: Stubs) -> dict[str, FacetChange]:
    """Return facet -> what its change does, for changed facets only."""
    pool = Pool(Budget(MAX_STEPS))
    spelled = with_one_name(old[0], new[0]), with_one_name(new[0], old[0])
    before, after = (Members(Types(one, pool, origin)) for origin, one in enumerate(spelled))
    ends = Ends(after, before, Side.USES), Ends(before, after, Side.IMPLEMENTS)
    moved = old[1].keys() ^ new[1].keys()
    # The docstring of a stub that states no module has no value, so that it came or went shows in the names alone.
    changed = [
        name for name in sorted(old[1].keys() | new[1].keys()) if name in moved or old[1].get(name) != new[1].get(name)
    ]
    found = {name: None if name == MODULE else _gaps(ends, name) for name in changed}
    # Why a budget of their own: what is proved is not to cost what is known.
    pool.budget = Budget(MAX_STEPS // 2)
    proofs = Proofs(ends)
    effects = {name: _change(ends, name, found[name], (old[1].get(name), new[1].get(name)), proofs) for name in changed}
    effects |= {name: _with_members(ends, name, effects) for name in changed if name not in moved}
    if moved:
        effects[NAMES] = changed_names([effects[name] for name in moved], new[1].keys() - old[1].keys(), moved)
    return effects


def _gaps(ends: tuple[Ends, Ends], name: str) -> Gaps | None:
    """Return what is missing to users and to implementers, None where that cannot be found out."""
    try:
        ends[0].pool.budget.spend(_FACET_STEPS)
        return gaps(ends[0], name), gaps(ends[1], name)
    except (Undecidable, RecursionError):
        return None


def _change(
    ends: tuple[Ends, Ends], name: str, found: Gaps | None, values: tuple[JSON, JSON], proofs: Proofs
) -> FacetChange:
    if name == MODULE and values == (None, None):
        return FacetChange(Effect.DOCUMENTATION, Effect.DOCUMENTATION, "the docstring of the stub came or went", "")
    if name == MODULE:
        old, new = (value if isinstance(value, str) else "the module that the key names" for value in values)
        proof = UNDECIDED if values[0] is None else f"import {old}"
        text = f"module: {old} -> {new}"
        return FacetChange(Effect.BREAKING, Effect.BREAKING, text, proof, of_python([text]))
    if found is None:
        texts = _differences(values)
        return FacetChange(Effect.BREAKING, Effect.BREAKING, _line(texts), rules=of_python(texts))
    harmless = Effect.COMPATIBLE if any(found) or _is_seen(ends[1], name) else Effect.NONE
    uses, implements = (Effect.BREAKING if one else harmless for one in found)
    try:
        ends[0].pool.budget.spend(_FACET_STEPS)
        shown = proofs.proof(name, found)
    except (Undecidable, RecursionError):
        shown = UNDECIDED
    texts = _texts(found) or _differences(values)
    rules = of_python(texts) if any(found) else ()
    return FacetChange(uses, implements, _line(texts), shown, rules)


def _with_members(ends: tuple[Ends, Ends], name: str, effects: Mapping[str, FacetChange]) -> FacetChange:
    """Return what a class does to who relies on its having just these members: the worst of what came and went too."""
    old, new = (end.types.declarations.get(name) for end in (ends[0].wanted, ends[1].wanted))
    if not (isinstance(old, Class) and isinstance(new, Class)) or old.members == new.members:
        return effects[name]
    came = {f"{name}.{member}" for member in {*new.members} - {*old.members}}
    moved = {*came, *(f"{name}.{member}" for member in {*old.members} - {*new.members})}
    own = [] if replace(old, members=()) == replace(new, members=()) else [effects[name]]
    whole = changed_names([*own, *(effects[one] for one in moved if one in effects)], came, moved)
    rules = dict.fromkeys([*(rule for one in own for rule in one.rules), *of_python(["members:"])])
    reason = _line([*(one.reason for one in own), whole.reason.replace("facets", "members")])
    return whole._replace(reason=reason, rules=tuple(rules))


def _is_seen(ends: Ends, name: str) -> bool:
    """Say whether a change that breaks nobody is still one, and not the same in other words."""
    old, new = (members.types.declarations.get(name) for members in (ends.served, ends.wanted))
    if _is_type_variable(ends, name):
        return False
    if old is None or new is None or type(old) is not type(new) or isinstance(old, Class):
        return True
    if isinstance(old, Property) and isinstance(new, Property):
        return (old.settable, old.deletable) != (new.settable, new.deletable)
    return isinstance(old, Variable) and isinstance(new, Variable) and (old.value is None) != (new.value is None)


def _is_type_variable(ends: Ends, name: str) -> bool:
    """Say whether a name only stands in the types of others: nobody uses it, whatever it is called."""
    return any(end.types.constructed(name, maker) for end in (ends.served, ends.wanted) for maker in VARIABLE_MAKERS)


def _texts(found: Gaps) -> list[str]:
    """Return each thing that is missing to a side, as it was and as it is."""
    uses, implements = found
    differences = [(gap.what, gap.wanted, gap.served) for gap in uses]
    differences += [(gap.what, gap.served, gap.wanted) for gap in implements]
    # The facet itself says what has a type.
    texts = [f"{old} -> {new}" if what == "type" else f"{what}: {old} -> {new}" for what, old, new in differences]
    return list(dict.fromkeys(texts))


def _differences(values: tuple[JSON, JSON]) -> list[str]:
    """Return each word of a facet that is different, as it was and as it is."""
    old, new = values
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        words = (word for word in sorted({**old, **new}) if old.get(word) != new.get(word))
        return [f"{word}: {_shown(old.get(word))} -> {_shown(new.get(word))}" for word in words]
    if isinstance(old, Mapping | str) and isinstance(new, Mapping | str):
        return [f"{_shown(old)} -> {_shown(new)}"]
    return [difference(*(None if value is None else canonical_json(value) for value in values))]


def _shown(value: JSON) -> str:
    """Return what a facet says under one of its words, as it is read."""
    if value is None or value == []:
        return "none"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(map(str, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{word} {_shown(said)}" for word, said in sorted(value.items()))
    return value if isinstance(value, str) else canonical_json(value)


def _line(texts: Iterable[str]) -> str:
    line = "; ".join(texts).replace("\n", " ")
    return line if len(line) <= _MAX_REASON else f"{line[: _MAX_REASON - 1]}…"
