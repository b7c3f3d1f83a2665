"""Numbers and strings that fulfil a case."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain
from math import lcm

from blackboard.contracts.json_schema.cases import Case, whole
from blackboard.contracts.json_schema.literals import Effort, Found, No, Result
from blackboard.contracts.json_schema.patterns import MAX_LENGTH, matches, text_for
from blackboard.spec.canonical import JSON

FORMATS: Mapping[str, str] = {
    "date": "2000-01-01",
    "email": "a@example.org",
    "ipv4": "127.0.0.1",
    "ipv6": "::1",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
"""Formats that the library checks without further packages, each with a text of it."""

_TRIES = 2_000


@dataclass(slots=True)
class _Span:
    """The numbers of a case: between two bounds, multiples of some and not of others."""

    low: Fraction | None = None
    high: Fraction | None = None
    low_open: bool = False
    high_open: bool = False
    steps: list[Fraction] = field(default_factory=list)
    not_steps: list[Fraction] = field(default_factory=list)
    but: set[Fraction] = field(default_factory=set)

    def at_least(self, bound: Fraction, *, is_open: bool) -> None:
        if self.low is None or bound > self.low or (bound == self.low and is_open):
            self.low, self.low_open = bound, is_open

    def at_most(self, bound: Fraction, *, is_open: bool) -> None:
        if self.high is None or bound < self.high or (bound == self.high and is_open):
            self.high, self.high_open = bound, is_open

    def holds(self, number: Fraction) -> bool:
        if self.low is not None and (number < self.low or (number == self.low and self.low_open)):
            return False
        if self.high is not None and (number > self.high or (number == self.high and self.high_open)):
            return False
        return number not in self.but and not any(_divides(step, number) for step in self.not_steps)

    def empty(self) -> bool:
        if self.low is None or self.high is None:
            return False
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))


def number(case: Case, effort: Effort) -> Result:
    """Find a number that fulfils a case."""
    span = _span(case)
    if span.empty():
        return No.EMPTY
    step = _common(span.steps)
    if step is not None and any(_divides(other, step) for other in span.not_steps):
        return No.EMPTY
    try:
        return _between(span, effort) if step is None else _stepped(span, step, effort)
    except OverflowError:  # a number that no float can hold
        return No.UNKNOWN


def _span(case: Case) -> _Span:
    span = _Span()
    for demand in case:
        match demand.word:
            case "integer":
                span.steps.append(Fraction(1))
            case "no integer":
                span.not_steps.append(Fraction(1))
            case "not among":
                span.but |= {exact(value) for value in _list(demand.value)}
            case "says" if demand.literal is not None and isinstance(demand.literal.schema, Mapping):
                for keyword, value in demand.literal.schema.items():
                    _bound(span, keyword, value)
            case word if word.startswith("not "):
                _unbound(span, word.removeprefix("not "), exact(demand.value))
    return span


def _bound(span: _Span, keyword: str, value: JSON) -> None:
    if keyword in ("minimum", "exclusiveMinimum"):
        span.at_least(exact(value), is_open=keyword != "minimum")
    elif keyword in ("maximum", "exclusiveMaximum"):
        span.at_most(exact(value), is_open=keyword != "maximum")
    elif keyword == "multipleOf":
        span.steps.append(exact(value))


def _unbound(span: _Span, keyword: str, bound: Fraction) -> None:
    if keyword in ("minimum", "exclusiveMinimum"):
        span.at_most(bound, is_open=keyword == "minimum")
    elif keyword in ("maximum", "exclusiveMaximum"):
        span.at_least(bound, is_open=keyword == "maximum")
    else:
        span.not_steps.append(bound)


def _between(span: _Span, effort: Effort) -> Result:
    """Find one of infinitely many numbers, of which those left out are countable, or the only one."""
    if span.low is not None and span.low == span.high:
        return Found(plain(span.low)) if span.holds(span.low) else No.EMPTY
    low, high = span.low, span.high
    if low is None and high is None:
        low, high = Fraction(0), Fraction(64)
    low = low if low is not None else (high or Fraction(0)) - 64
    high = high if high is not None else low + 64
    near = (Fraction(0), low, high, low + 1, Fraction(1, 2), Fraction(int(low) + 1), Fraction(int(high) - 1))
    parts = ((low + (high - low) * part / 1024) for part in (512, 511, 307, *range(1, 1024)))
    for candidate in chain(near, parts):
        effort.spend()
        shown = exact(plain(candidate))
        if span.holds(shown):
            return Found(plain(shown))
    return No.UNKNOWN


def _stepped(span: _Span, step: Fraction, effort: Effort) -> Result:
    """Find a multiple of a step, beginning at a bound or at zero and going towards the other bound."""
    if span.low is not None:
        first, towards = -(-span.low // step), 1
    elif span.high is not None:
        first, towards = span.high // step, -1
    else:
        first, towards = 0, 1
    for index in range(_TRIES):
        effort.spend()
        candidate = (first + towards * index) * step
        if towards > 0 and span.high is not None and candidate > span.high:
            return No.EMPTY
        if span.holds(candidate):
            return Found(plain(candidate))
    return No.UNKNOWN


def exact(value: JSON) -> Fraction:
    """Return a number as it is written."""
    return Fraction(str(value)) if isinstance(value, int | float) else Fraction(0)


def plain(value: Fraction) -> int | float:
    """Return a number as JSON has it."""
    return int(value) if value.denominator == 1 else float(value)


def _divides(step: Fraction, value: Fraction) -> bool:
    return step != 0 and (value / step).denominator == 1


def _common(steps: Sequence[Fraction]) -> Fraction | None:
    """Return the least number that is a multiple of all steps, None of no steps."""
    if not steps:
        return None
    below = lcm(*(step.denominator for step in steps))
    return Fraction(lcm(*(int(step * below) for step in steps)), below)


def string(case: Case, effort: Effort) -> Result:
    """Find a string that fulfils a case."""
    least, most, yes, no, formats, no_formats, but = 0, None, [], [], [], [], []  # type: ignore[var-annotated]
    for keyword, value, holds in _said(case):
        match keyword, holds:
            case ("minLength", True) | ("maxLength", False):
                least = max(least, whole(value) + (not holds))
            case ("maxLength", True) | ("minLength", False):
                bound = whole(value) - (not holds)
                most = bound if most is None else min(most, bound)
            case "pattern", _:
                (yes if holds else no).append(str(value))
            case "format", _:
                (formats if holds else no_formats).append(str(value))
            case "among", _:
                but += [str(item) for item in _list(value)]
    if (most is not None and least > most) or set(formats) & set(no_formats):
        return No.EMPTY
    if formats or no_formats:
        return _of_format(case, formats, no_formats, effort)
    if not yes and not no:
        return _free(least, most, but, effort)
    return text_for(yes, no, least=least, most=most, but=but, effort=effort)


def _said(case: Case) -> Iterator[tuple[str, JSON, bool]]:
    for demand in case:
        if demand.word == "says" and demand.literal is not None and isinstance(demand.literal.schema, Mapping):
            yield from ((keyword, value, True) for keyword, value in demand.literal.schema.items())
        elif demand.word.startswith("not "):
            yield demand.word.removeprefix("not "), demand.value, False


def _of_format(case: Case, formats: list[str], no_formats: list[str], effort: Effort) -> Result:
    """Find a text of some formats and not of others, among a few: what a format allows is in no schema."""
    if not {*formats, *no_formats} <= FORMATS.keys():
        return No.UNKNOWN
    for candidate in (*(FORMATS[name] for name in formats), *(() if formats else ("", "x", "xxxxxxxx"))):
        effort.spend()
        # Why not only True: that it has the formats is known, and of who looks at it last whether it has no other.
        if fits(candidate, case, effort) is not False:
            return Found(candidate)
    return No.UNKNOWN


def fits(text: str, case: Case, effort: Effort) -> bool | None:
    """Say whether a text fulfils a case, None where that is not known."""
    unknown = False
    for keyword, value, holds in _said(case):
        if keyword in ("minLength", "maxLength"):
            satisfied: bool | None = len(text) >= whole(value) if keyword == "minLength" else len(text) <= whole(value)
        elif keyword == "pattern":
            satisfied = matches(str(value), text, effort)
        elif keyword == "format":
            satisfied = None
        elif keyword == "among":
            satisfied = text in _list(value)
        else:
            continue
        unknown = unknown or satisfied is None
        if satisfied is not None and satisfied is not holds:
            return False
    return None if unknown else True


def _free(least: int, most: int | None, but: Iterable[str], effort: Effort) -> Result:
    """Find a text of which only the length is said."""
    if least > MAX_LENGTH:
        return No.UNKNOWN
    without = set(but)
    for candidate in _texts(least, most, len(without) + 1):
        effort.spend()
        if candidate not in without:
            return Found(candidate)
    return No.EMPTY if most == 0 else No.UNKNOWN


def _texts(least: int, most: int | None, count: int) -> Iterator[str]:
    """Return different texts, the plainest first."""
    yield "a" * least
    if most == 0:
        return
    length = max(least, 1)
    for index in range(count):
        # Beyond the letters: there are enough characters for a text of one.
        yield "a" * (length - 1) + (chr(97 + index) if index < 26 else chr(0x4E00 + index))  # noqa: PLR2004


def _list(value: JSON) -> list[JSON]:
    return list(value) if isinstance(value, list) else []
