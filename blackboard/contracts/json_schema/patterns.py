"""Regular expressions as automata, so that what matches some and not others is found, and never by backtracking.

Read are the expressions of ECMA-262 without groups that are referred to, looking around, and edges of words; for one
of those nothing is known. Characters are sets of code points, kept as sorted ranges.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

from blackboard.contracts.json_schema.literals import Effort, Found, No, Result

Ranges: TypeAlias = tuple[tuple[int, int], ...]

_LAST = 0x10FFFF
_ANY: Ranges = ((0, _LAST),)
_DIGITS: Ranges = ((48, 57),)
_WORD: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACE: Ranges = ((9, 13), (32, 32), (160, 160), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0xFEFF, 0xFEFF))
_LINE: Ranges = ((10, 10), (13, 13), (0x2028, 0x2029))
_CLASSES: Mapping[str, Ranges] = {"d": _DIGITS, "w": _WORD, "s": _SPACE}
_CONTROL = {"n": 10, "r": 13, "t": 9, "f": 12, "v": 11, "0": 0}
_PLAIN = [*range(97, 123), *range(48, 58), *range(65, 91), 45, 32, 95, *range(33, 127)]

MAX_STATES = 4_000
MAX_LENGTH = 1_000
MAX_SETS = 3_000
MAX_STEPS = 2_000


class UnreadError(Exception):
    """The expression has something that is not read here."""


@dataclass(slots=True)
class Automaton:
    """States with edges: `moves` by a character, `jumps` by none, at the start or the end of the text alone."""

    moves: list[list[tuple[Ranges, int]]] = field(default_factory=list)
    jumps: list[list[tuple[str, int]]] = field(default_factory=list)
    first: int = 0
    last: int = 0

    def state(self) -> int:
        """Add a state."""
        if len(self.moves) >= MAX_STATES:
            raise UnreadError
        self.moves.append([])
        self.jumps.append([])
        return len(self.moves) - 1

    def closed(self, states: Iterable[int], where: str) -> frozenset[int]:
        """Return the states that are reached without a character; `where` holds `^` at the start and `$` at the end."""
        found = set(states)
        pending = list(found)
        while pending:
            for mark, target in self.jumps[pending.pop()]:
                if mark in where and target not in found:
                    found.add(target)
                    pending.append(target)
        return frozenset(found)

    def step(self, states: frozenset[int], point: int) -> frozenset[int]:
        """Return the states after a character."""
        after = {
            target
            for state in states
            for ranges, target in self.moves[state]
            if any(low <= point <= high for low, high in ranges)
        }
        return self.closed(after, "")

    def matched(self, states: frozenset[int], start: str) -> bool:
        """Say whether the text may end here."""
        return self.last in states or self.last in self.closed(states, start + "$")


def automaton(pattern: str) -> Automaton | None:
    """Return the automaton that finds a pattern anywhere in a text, None for an expression that is not read here."""
    # A short expression that counts nothing has few states: in the memory of one that has most many are kept.
    few = len(pattern) <= _SHORT and "{" not in pattern
    return _kept_if_few(pattern) if few else _kept(pattern)


def _read(pattern: str) -> Automaton | None:
    try:
        return _Reader(pattern).read()
    except (UnreadError, IndexError, ValueError, RecursionError):
        return None


_SHORT = 60
_kept = lru_cache(maxsize=256)(_read)
_kept_if_few = lru_cache(maxsize=4_096)(_read)


Steps: TypeAlias = dict[tuple[frozenset[int], str], frozenset[int]]


def matches(pattern: str, text: str, effort: Effort, known: Steps | None = None) -> bool | None:
    """Say whether a pattern is found in a text, None where the expression is not read here.

    Args:
        known: The steps that were taken before for this pattern; those that are taken now are added, up to a bound.
    """
    found = automaton(pattern)
    if found is None:
        return None
    steps: Steps = {} if known is None else known
    states = found.closed((found.first,), "^")
    for character in text:
        effort.spend(1 + len(states) // 8)
        after = steps.get((states, character))
        if after is None:
            after = found.step(states, ord(character))
            if len(steps) < MAX_STEPS:
                steps[states, character] = after
        states = after
    return found.matched(states, "" if text else "^")


def text_for(
    yes: Sequence[str], no: Sequence[str], *, least: int, most: int | None, effort: Effort, but: Sequence[str] = ()
) -> Result:
    """Find a shortest text in which some patterns are found and others are not.

    Args:
        least: Its length is at least this.
        most: And at most this.
        but: Texts that it is not.
    """
    read = [automaton(pattern) for pattern in (*yes, *no)]
    known = [(found, index < len(yes)) for index, found in enumerate(read) if found is not None]
    if but:
        known.append((_words(but), False))
    found = _search(known, least, most, effort)
    # What fulfils those that are read may not fulfil the others, and then nobody knows.
    return No.UNKNOWN if isinstance(found, Found) and any(one is None for one in read) else found


def _search(known: list[tuple[Automaton, bool]], least: int, most: int | None, effort: Effort) -> Result:
    if least > MAX_LENGTH:
        return No.UNKNOWN
    points = _representatives([found for found, _ in known])
    start = tuple(found.closed((found.first,), "^") for found, _ in known)
    layer: dict[tuple[frozenset[int], ...], str] = {start: ""}
    seen: set[tuple[frozenset[int], ...]] = set()
    length = 0
    while layer and (most is None or length <= most):
        mark = "" if length else "^"
        if length >= least:
            for states, text in layer.items():
                ends = zip(known, states, strict=True)
                if all(found.matched(now, mark) is wanted for (found, wanted), now in ends):
                    return Found(text)
            seen |= layer.keys()
        after: dict[tuple[frozenset[int], ...], str] = {}
        for states, text in layer.items():
            effort.spend(1 + sum(map(len, states)) // 8)
            for point in points:
                effort.spend()
                moved = tuple(found.step(now, point) for (found, _), now in zip(known, states, strict=True))
                if moved not in seen and moved not in after:
                    after[moved] = text + chr(point)
        if len(seen) + len(after) > MAX_SETS or length > MAX_LENGTH:
            return No.UNKNOWN
        layer, length = after, length + 1
    return No.EMPTY


def _representatives(automata: list[Automaton]) -> list[int]:
    """Return one character for each set of characters that no automaton tells apart, plain ones first."""
    edges = {0}
    for found in automata:
        for moves in found.moves:
            for ranges, _ in moves:
                edges |= {edge for low, high in ranges for edge in (low, high + 1)}
    starts = sorted(edge for edge in edges if edge <= _LAST)
    chosen: dict[int, int] = {}
    for point in _PLAIN:
        chosen.setdefault(_last_at_most(starts, point), point)
    # No lone surrogates: they are in no text.
    others = [start for start in starts if start not in chosen and not 0xD800 <= start <= 0xDFFF]  # noqa: PLR2004
    return [*chosen.values(), *others]


def _last_at_most(starts: list[int], point: int) -> int:
    low, high = 0, len(starts)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if starts[middle] <= point else (low, middle)
    return starts[low]


def _words(words: Sequence[str]) -> Automaton:
    """Return the automaton of exactly these texts."""
    made = Automaton()
    made.first, made.last = made.state(), made.state()
    for word in dict.fromkeys(words):
        at = made.first
        for character in word:
            after = made.state()
            made.moves[at].append((((ord(character), ord(character)),), after))
            at = after
        made.jumps[at].append(("$", made.last))
    return made


class _Reader:
    """Reads an expression from left to right, building its automaton."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._made = Automaton()

    def read(self) -> Automaton:
        made = self._made
        made.first, made.last = made.state(), made.state()
        made.moves[made.first].append((_ANY, made.first))
        made.moves[made.last].append((_ANY, made.last))
        start, end = self._either()
        if self._at < len(self._pattern):
            raise UnreadError
        made.jumps[made.first].append(("", start))
        made.jumps[end].append(("", made.last))
        return made

    def _peek(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _take(self, text: str) -> bool:
        found = self._pattern.startswith(text, self._at)
        self._at += len(text) * found
        return found

    def _either(self) -> tuple[int, int]:
        start, end = self._made.state(), self._made.state()
        while True:
            first, last = self._sequence()
            self._made.jumps[start].append(("", first))
            self._made.jumps[last].append(("", end))
            if not self._take("|"):
                return start, end

    def _sequence(self) -> tuple[int, int]:
        start = end = self._made.state()
        while self._peek() not in ("", "|", ")"):
            begin = self._at
            first, last = self._one()
            for low, high in self._repeats():
                first, last = self._repeated(begin, low, high)
            self._made.jumps[end].append(("", first))
            end = last
        return start, end

    def _repeats(self) -> Iterator[tuple[int, int | None]]:
        """Return how often what was just read is there, at most once."""
        if self._take("*"):
            found: tuple[int, int | None] = 0, None
        elif self._take("+"):
            found = 1, None
        elif self._take("?"):
            found = 0, 1
        elif self._peek() == "{":
            close = self._pattern.index("}", self._at)
            low, comma, high = self._pattern[self._at + 1 : close].partition(",")
            self._at = close + 1
            found = int(low), (int(high) if high else None) if comma else int(low)
        else:
            return
        self._take("?")  # lazy or not is the same language
        if self._peek() in ("*", "+", "?", "{") and self._peek():
            raise UnreadError
        yield found

    def _repeated(self, begin: int, low: int, high: int | None) -> tuple[int, int]:
        resume, made = self._at, self._made
        start = end = made.state()
        for index in range(max(low, high or 0, 1) if high != 0 else 0):
            self._at = begin
            first, last = self._one()
            made.jumps[end].append(("", first))
            if index >= low:
                made.jumps[end].append(("", last))
            end = last
            if high is None and index + 1 >= low:
                made.jumps[last].append(("", first))
        self._at = resume
        return start, end

    def _one(self) -> tuple[int, int]:
        made = self._made
        character = self._peek()
        self._at += 1
        if character == "(":
            if self._take("?") and not self._take(":"):
                raise UnreadError
            inner = self._either()
            if not self._take(")"):
                raise UnreadError
            return inner
        start, end = made.state(), made.state()
        if character in ("^", "$"):
            made.jumps[start].append((character, end))
        else:
            made.moves[start].append((self._ranges(character), end))
        return start, end

    def _ranges(self, character: str) -> Ranges:
        if character == ".":
            return _but(_LINE)
        if character == "[":
            return self._class()
        if character in ("*", "+", "?", "{", "}", "]"):
            raise UnreadError
        return self._escape() if character == "\\" else ((ord(character), ord(character)),)

    def _escape(self) -> Ranges:
        character = self._peek()
        self._at += 1
        if character.lower() in _CLASSES:
            found = _CLASSES[character.lower()]
            return found if character.islower() else _but(found)
        if character in ("x", "u"):
            digits = self._pattern[self._at : self._at + (2 if character == "x" else 4)]
            self._at += len(digits)
            point = int(digits, 16)
        elif character in _CONTROL:
            point = _CONTROL[character]
        elif not character or character.isalnum():
            raise UnreadError
        else:
            point = ord(character)
        return ((point, point),)

    def _class(self) -> Ranges:
        negated = self._take("^")
        found: list[tuple[int, int]] = []
        while not self._take("]"):
            low = self._member()
            if self._peek() == "-" and self._pattern[self._at + 1 : self._at + 2] != "]" and len(low) == 1:
                self._at += 1
                high = self._member()
                if low[0][0] != low[0][1] or len(high) != 1 or high[0][1] < low[0][0]:
                    raise UnreadError
                low = ((low[0][0], high[0][1]),)
            found += low
        ranges = _joined(found)
        return _but(ranges) if negated else ranges

    def _member(self) -> Ranges:
        character = self._pattern[self._at]
        self._at += 1
        if character == "[":
            raise UnreadError
        return self._escape() if character == "\\" else ((ord(character), ord(character)),)


def _joined(ranges: Iterable[tuple[int, int]]) -> Ranges:
    joined: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = joined[-1][0], max(high, joined[-1][1])
        else:
            joined.append((low, high))
    return tuple(joined)


def _but(ranges: Ranges) -> Ranges:
    edges = [-1, *(edge for span in ranges for edge in span), _LAST + 1]
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return tuple((low + 1, high - 1) for low, high in pairs if low + 1 <= high - 1)
