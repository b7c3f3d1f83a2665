"""Specs of functions, records and choices as data: as stubs, as code that offers them, as code that uses them.

What uses a symbol does with it all that its stub allows, so that whatever breaks a user of it breaks this one. Code
that was written for one spec is run beside code that offers another: an assertion, or any other error, is what a
program would have seen.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from itertools import product
from types import SimpleNamespace

VALUES = {"int": "3", "str": "'s'", "bytes": "b'b'", "None": "None"}
ANSWERS = 8
"""So many answers of whatever a function may answer are tried: at least one of each kind."""
NAMES = ("alpha", "beta", "gamma", "delta", "omega", "sigma")


@dataclass(frozen=True)
class Slot:
    """A parameter or a field: what it may hold, and whether it may be left out."""

    name: str
    kinds: tuple[str, ...]
    optional: bool = False


@dataclass(frozen=True)
class Function:
    name: str
    slots: tuple[Slot, ...]
    returns: tuple[str, ...]


@dataclass(frozen=True)
class Spec:
    """One decision: functions, at most one record and one choice, and words that mean nothing to code."""

    functions: tuple[Function, ...]
    record: tuple[Slot, ...] = ()
    choice: tuple[str, ...] = ()
    words: str = "as agreed"
    backwards: bool = False

    @property
    def symbols(self) -> tuple[str, ...]:
        named = [function.name for function in self.functions]
        return (*named, *(["Record"] if self.record else []), *(["Choice"] if self.choice else []))

    def function(self, name: str) -> Function | None:
        return next((one for one in self.functions if one.name == name), None)

    def with_function(self, function: Function) -> "Spec":
        return replace(self, functions=tuple(function if one.name == function.name else one for one in self.functions))

    def mentioned(self, symbols: Iterable[str]) -> tuple[str, ...]:
        """Return the symbols, and the record and choice that they lead to, of those that there are."""
        wanted = {symbol for symbol in symbols if symbol in self.symbols}
        for function in self.functions:
            if function.name in wanted:
                wanted |= {kind for slot in function.slots for kind in slot.kinds} | set(function.returns)
        return tuple(symbol for symbol in self.symbols if symbol in wanted)

    def expanded(self, kinds: Iterable[str]) -> tuple[str, ...]:
        """Return kinds with each value of the choice for itself."""
        values = [f"Choice.{value}" for value in self.choice]
        return tuple(one for kind in kinds for one in (values if kind == "Choice" else [kind]))


# --- as a stub -------------------------------------------------------------------------------------------------------


def stub(spec: Spec) -> str:
    parts = []
    if spec.choice:
        lines = "".join(f"    {value} = {value!r}\n" for value in spec.choice)
        parts.append(f'class Choice(Enum):\n    """{spec.words}"""\n{lines}')
    if spec.record:
        lines = "".join(f"    {one.name}: {_type(one)}{' = ...' if one.optional else ''}\n" for one in spec.record)
        parts.append(f'@dataclass\nclass Record:\n    """{spec.words}"""\n{lines}')
    for function in spec.functions:
        slots = ", ".join(f"{one.name}: {_type(one)}{' = ...' if one.optional else ''}" for one in function.slots)
        returns = " | ".join(function.returns)
        parts.append(f'def {function.name}({slots}) -> {returns}:\n    """{spec.words}"""\n    ...\n')
    if spec.backwards:
        parts.reverse()
    return "from dataclasses import dataclass\nfrom enum import Enum\n" + "\n".join(parts)


def _type(slot: Slot) -> str:
    return " | ".join(slot.kinds)


# --- as code that offers it ------------------------------------------------------------------------------------------


def offers(spec: Spec) -> str:
    lines = []
    if spec.choice:
        lines += ["class Choice(Enum):", *(f"    {value} = {value!r}" for value in spec.choice)]
    if spec.record:
        lines += ["@dataclass", "class Record:"]
        lines += [f"    {one.name}: object{' = UNSET' if one.optional else ''}" for one in spec.record]
        lines += ["    def __post_init__(self):"]
        lines += [f"        accept(self.{one.name}, {spec.expanded(one.kinds)})" for one in spec.record]
    for function in spec.functions:
        signature = ", ".join(f"{one.name}{'=UNSET' if one.optional else ''}" for one in function.slots)
        lines += [f"def {function.name}({signature}):"]
        lines += [f"    accept({one.name}, {spec.expanded(one.kinds)})" for one in function.slots]
        lines += [f"    return answer({spec.expanded(function.returns)})"]
    if spec.record:
        lines += ["def filled(number):"]
        given = ", ".join(f"{one.name}=given(number, {spec.expanded(one.kinds)})" for one in spec.record)
        lines += [f"    return Record({given})"]
    return "\n".join([*lines, ""])


# --- as code that uses it --------------------------------------------------------------------------------------------


def uses(spec: Spec, symbols: Sequence[str]) -> str:
    """Return code that does with symbols of the namespace `d` everything that their stubs allow.

    Args:
        spec: What it is written for.
        symbols: What it uses; of a choice it names each value.
    """
    lines = ["def use(d, expect):", "    pass"]
    for symbol in spec.mentioned(symbols):
        function = spec.function(symbol)
        if function is not None:
            lines += [
                f"    got = {call}\n{_looks(spec, function.returns)}" for call in _calls(spec, symbol, function.slots)
            ]
        elif symbol == "Record":
            for call in _calls(spec, symbol, spec.record):
                lines += [f"    made = {call}"]
                lines += [f"    expect(made.{one.name}, {_seen(spec, one)})" for one in spec.record]
        else:
            lines += [f"    expect(d.Choice.{value}, ('Choice.{value}',))" for value in spec.choice]
    return "\n".join([*lines, ""])


def _calls(spec: Spec, symbol: str, slots: Sequence[Slot]) -> Iterator[str]:
    """Yield calls in which every slot holds each of its kinds, is given by place, by name and not at all."""
    for named, with_optional in product((False, True), (False, True)):
        given = [one for one in slots if with_optional or not one.optional]
        for number in range(max((len(spec.expanded(one.kinds)) for one in given), default=1)):
            texts = [(one, _text(spec, one.kinds, number)) for one in given]
            yield f"d.{symbol}({', '.join(f'{one.name}={text}' if named else text for one, text in texts)})"


def _text(spec: Spec, kinds: Sequence[str], number: int) -> str:
    found = spec.expanded(kinds)
    kind = found[number % len(found)]
    if kind == "Record":
        needed = ", ".join(_text(spec, one.kinds, 0) for one in spec.record if not one.optional)
        return f"d.Record({needed})"
    return f"d.{kind}" if kind.startswith("Choice.") else VALUES[kind]


def _looks(spec: Spec, kinds: Sequence[str]) -> str:
    lines = [f"    expect(got, {spec.expanded(kinds)})"]
    if "Record" in kinds:
        lines += ["    if type(got).__name__ == 'Record':"]
        lines += [f"        expect(got.{one.name}, {_seen(spec, one)})" for one in spec.record]
    return "\n".join(lines)


def _seen(spec: Spec, slot: Slot) -> tuple[str, ...]:
    return (*spec.expanded(slot.kinds), *(["Unset"] if slot.optional else []))


# --- one beside the other --------------------------------------------------------------------------------------------


class Unset:
    """What stands where nothing was given."""


@cache
def works(used: str, offered: str) -> bool:
    """Say whether code that uses a spec runs beside code that offers one, whatever that answers."""
    for number in range(ANSWERS):
        namespace = _offered(offered, number)
        code: dict[str, object] = {}
        exec(used, code)  # noqa: S102 - made above
        try:
            code["use"](SimpleNamespace(**namespace), _expect)
        except (AssertionError, TypeError, AttributeError):
            return False
    return True


def _offered(offered: str, number: int) -> dict[str, object]:
    def given(at: int, kinds: Sequence[str]) -> object:
        kind = kinds[at % len(kinds)]
        if kind == "Record":
            return namespace["filled"](at)
        if kind.startswith("Choice."):
            return namespace["Choice"][kind.removeprefix("Choice.")]
        return eval(VALUES[kind])  # noqa: S307 - of the table above

    def accept(value: object, kinds: Sequence[str]) -> None:
        assert isinstance(value, Unset) or _kind_of(value) in kinds

    namespace: dict[str, object] = {"Enum": Enum, "dataclass": dataclass, "UNSET": Unset(), "accept": accept}
    namespace |= {"given": given, "answer": lambda kinds: given(number, kinds)}
    exec(offered, namespace)  # noqa: S102 - made above
    return namespace


def _expect(value: object, kinds: Sequence[str]) -> None:
    assert _kind_of(value) in kinds


def _kind_of(value: object) -> str:
    if value is None:
        return "None"
    name = type(value).__name__
    return f"Choice.{value.name}" if isinstance(value, Enum) else name
