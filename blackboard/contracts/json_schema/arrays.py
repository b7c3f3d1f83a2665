"""Lists that fulfil a case."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from blackboard.contracts.json_schema.cases import Case, spelled, whole
from blackboard.contracts.json_schema.literals import Effort, Found, Literal, No, Result, Source, listed
from blackboard.spec.canonical import JSON

MAX_ITEMS = 100
_MOST_WAYS = 1_000


class Search(Protocol):
    """Who finds values for what is inside."""

    effort: Effort
    source: Source

    def solve(self, literals: Sequence[Literal], /) -> Result:
        """Find a value that fulfils all literals."""
        ...


@dataclass(slots=True)
class _Wanted:
    """What a case says about a list."""

    least: int = 0
    most: int | None = None
    unique: bool = False
    twins: bool = False
    groups: list[Literal] = field(default_factory=list)
    every: list[Literal] = field(default_factory=list)
    some: list[tuple[int, int | None, Literal]] = field(default_factory=list)
    """(first place, last place, literal): what one item between them fulfils."""

    def limit(self, most: int) -> None:
        self.most = most if self.most is None else min(self.most, most)

    def prefix(self) -> int:
        return max((len(listed(_schema(group).get("prefixItems"))) for group in self.groups), default=0)

    def at(self, index: int) -> list[Literal]:
        """Return what the item at a place fulfils."""
        found = list(self.every)
        for group in self.groups:
            schema = _schema(group)
            parts = listed(schema.get("prefixItems"))
            if index < len(parts):
                found.append(group.below(parts[index], holds=True))
            elif "items" in schema:
                found.append(group.below(schema["items"], holds=True))
        return found


def array(case: Case, search: Search) -> Result:
    """Find a list that fulfils a case.

    Why no longer ones are tried: from some place on all are alike, so what is neither asked for nor needed for the
    length can be left out.
    """
    wanted = _wanted(case)
    places = len(wanted.some)
    alike = max([wanted.prefix(), *(first for first, _, _ in wanted.some)])
    enough = max(wanted.least, alike + places + 2 * wanted.twins)
    longest = enough if wanted.most is None else min(enough, wanted.most)
    if wanted.least > longest:
        return No.EMPTY
    if wanted.least > MAX_ITEMS or places > MAX_ITEMS:
        return No.UNKNOWN
    worst = No.EMPTY
    for length in range(wanted.least, longest + 1):
        found = _of_length(wanted, length, search)
        if isinstance(found, Found):
            return found
        worst = No.UNKNOWN if found is No.UNKNOWN else worst
    return worst


def _wanted(case: Case) -> _Wanted:
    wanted = _Wanted()
    for demand in case:
        literal = demand.literal
        if demand.word == "least":
            wanted.least = max(wanted.least, whole(demand.value))
        elif demand.word == "most":
            wanted.limit(whole(demand.value))
        elif demand.word == "twins":
            wanted.twins = True
        elif literal is not None and demand.word == "says":
            _says(wanted, literal)
        elif literal is not None and demand.word == "every item":
            wanted.every.append(literal)
        elif literal is not None and demand.word == "some items":
            wanted.some += [(0, None, literal)] * min(whole(demand.value), MAX_ITEMS + 1)
        elif literal is not None and demand.word.startswith("item"):
            at = whole(demand.value)
            wanted.some.append((at, at if demand.word == "item" else None, literal))
    return wanted


def _says(wanted: _Wanted, group: Literal) -> None:
    schema = _schema(group)
    wanted.groups.append(group)
    wanted.least = max(wanted.least, whole(schema.get("minItems", 0)))
    if "maxItems" in schema:
        wanted.limit(whole(schema["maxItems"]))
    wanted.unique = wanted.unique or schema.get("uniqueItems") is True
    if "contains" in schema:
        many = min(whole(schema.get("minContains", 1)), MAX_ITEMS + 1)
        wanted.some += [(0, None, group.below(schema["contains"], holds=True))] * many  # one literal, many times
        if schema.get("maxContains") == 0:
            wanted.every.append(group.below(schema["contains"], holds=False))


def _of_length(wanted: _Wanted, length: int, search: Search) -> Result:
    worst = No.EMPTY
    base = [wanted.at(index) for index in range(length)]
    for way in _ways(wanted, length):
        if way is None:
            return No.UNKNOWN
        search.effort.spend()
        asked = [list(literals) for literals in base]
        for (_, _, literal), index in zip(wanted.some, way[2:], strict=True):
            asked[index].append(literal)
        one, other = way[:2]
        if one != other:
            asked[one] = asked[other] = [*asked[one], *asked[other]]
        found = _filled(asked, search, unique=wanted.unique)
        if isinstance(found, Found):
            return found
        worst = No.UNKNOWN if found is No.UNKNOWN else worst
    return worst


def _ways(wanted: _Wanted, length: int) -> Iterator[tuple[int, ...] | None]:
    """Return (one twin, the other, the place of each item that is asked for); None after too many."""
    if wanted.twins and wanted.unique:
        return
    twins = [(i, j) for j in range(min(length, wanted.prefix() + 2)) for i in range(j)] if wanted.twins else [(0, 0)]
    count = 0
    for pair in twins:
        for chosen in _chosen(wanted.some, length):
            count += 1
            if count > _MOST_WAYS:
                yield None
                return
            yield *pair, *chosen


def _chosen(
    some: Sequence[tuple[int, int | None, Literal]], length: int, before: int = -1, previous: Literal | None = None
) -> Iterator[tuple[int, ...]]:
    """Return places for what is asked for; the same thing asked for twice is asked of two items, in order."""
    if not some:
        yield ()
        return
    (first, last, literal), *rest = some
    room = sum(1 for other in rest if other[2] is literal)
    begin = max(first, before + 1) if literal is previous else first
    for place in range(begin, min(length - room, length if last is None else last + 1)):
        for others in _chosen(rest, length, place, literal):
            yield place, *others


def _filled(asked: list[list[Literal]], search: Search, *, unique: bool) -> Result:
    values: list[JSON] = []
    for literals in asked:
        found = search.solve(literals)
        if isinstance(found, Found) and unique:
            found = _another(literals, values, search)
        if not isinstance(found, Found):
            return found
        values.append(found.value)
    return Found(values)


def _another(literals: list[Literal], values: list[JSON], search: Search) -> Result:
    """Find a value that is none of those before it; which ones these are was chosen, so none is not the last word."""
    if not literals:
        taken = {spelled(value) for value in values}
        return Found(next(number for number in range(len(values) + 1) if str(number) not in taken))
    outside = search.source.literal({"enum": values}, holds=False)
    found = search.solve([*literals, outside] if values else literals)
    return found if isinstance(found, Found) else No.UNKNOWN


def _schema(literal: Literal) -> Mapping[str, JSON]:
    return literal.schema if isinstance(literal.schema, Mapping) else {}
