"""Whether a history of transactions on lists is strictly serializable; pure.

Every element is appended once in the whole history, so a list that was read tells whose appends came before it and
whose came after. From that come the edges of a graph of transactions: `ww` (appended before), `wr` (read what was
appended), `rw` (did not see what was appended next), and `time` (ended before the other began). The history is
serializable, in an order that agrees with time, if and only if the graph has no cycle. What a pattern did not show is
read as an empty list, so that phantoms are edges like the others.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

Element = object


@dataclass(frozen=True)
class Done:
    """A transaction that was committed.

    Attributes:
        begun, ended: Of one clock for all; `ended` is infinite where nobody was told.
        reads: key -> the list that was there, () where there was none.
        patterns: Patterns that were read; what they showed is among the reads.
        appends: key -> what was appended, in order.
    """

    name: str
    begun: float
    ended: float = math.inf
    reads: Mapping[str, Sequence[Element]] = field(default_factory=dict)
    patterns: Sequence[str] = ()
    appends: Mapping[str, Sequence[Element]] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """What is wrong with a history: sentences, and cycles as lists of (name, kind of edge to the next one)."""

    wrong: tuple[str, ...] = ()
    cycles: tuple[tuple[tuple[str, str], ...], ...] = ()

    @property
    def is_serializable(self) -> bool:
        """Whether nothing is."""
        return not self.wrong and not self.cycles

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of edges in the cycles."""
        return frozenset(kind for cycle in self.cycles for _, kind in cycle)


Edges = dict[object, dict[object, str]]


def judge(
    history: Sequence[Done], end: Mapping[str, Sequence[Element]], matches: Callable[[str, str], bool]
) -> Verdict:
    """Judge a history.

    Args:
        history: Every transaction that was committed, and none that was refused.
        end: key -> the list that is there in the end.
        matches: Whether a pattern names a key.
    """
    wrong, appended = _appended(history, end)
    edges: Edges = {one.name: {} for one in history}
    for order in end.values():
        for before, after in pairwise(order):
            _edge(edges, appended.get(before), appended.get(after), "ww")
    for one in history:
        for key, seen in _all_reads(one, end, matches).items():
            order = end.get(key, ())
            if list(order[: len(seen)]) != list(seen):
                wrong.append(f"{one.name} read {list(seen)} under {key}, which was never so: {list(order)}")
                continue
            if seen:
                _edge(edges, appended.get(seen[-1]), one.name, "wr")
            if len(seen) < len(order):
                _edge(edges, one.name, appended.get(order[len(seen)]), "rw")
    _in_time(edges, history)
    return Verdict(tuple(wrong), tuple(_cycle(edges, part) for part in components(edges) if len(part) > 1))


def _appended(history: Sequence[Done], end: Mapping[str, Sequence[Element]]) -> tuple[list[str], dict[Element, str]]:
    """Return what is wrong with the elements that are there, and element -> who appended it."""
    wrong: list[str] = []
    appended: dict[Element, str] = {}
    for one in history:
        for key, elements in one.appends.items():
            for element in elements:
                appended[element] = one.name
                if list(end.get(key, ())).count(element) != 1:
                    wrong.append(f"{one.name} appended {element} to {key}, which is {list(end.get(key, ()))}")
    strangers = {element for order in end.values() for element in order} - set(appended)
    wrong += [f"{element} was appended by nobody who was told so" for element in sorted(map(str, strangers))]
    return wrong, appended


def _all_reads(
    one: Done, end: Mapping[str, Sequence[Element]], matches: Callable[[str, str], bool]
) -> dict[str, Sequence[Element]]:
    unseen = {key: () for pattern in one.patterns for key in end if matches(pattern, key)}
    return {**unseen, **one.reads}


def _edge(edges: Edges, before: object, after: object, kind: str) -> None:
    if before is not None and after is not None and before != after:
        edges[before].setdefault(after, kind)


def _in_time(edges: Edges, history: Sequence[Done]) -> None:
    """Add an edge from who ended to who began later: by way of a chain of moments, so that they stay few."""
    ends = sorted((one.ended, one.name) for one in history if one.ended < math.inf)
    begins = sorted((one.begun, one.name) for one in history)
    moment, passed = -1, 0
    for number, (_, name) in enumerate(ends):
        edges[number] = {number + 1: "time"} if number + 1 < len(ends) else {}
        edges[name].setdefault(number, "time")
    for begun, name in begins:
        while passed < len(ends) and ends[passed][0] < begun:
            moment, passed = passed, passed + 1
        if moment >= 0:
            edges[moment].setdefault(name, "time")


def components(edges: Mapping[object, Mapping[object, str]]) -> Iterable[list[object]]:
    """Yield the strongly connected parts of a graph (Tarjan, without recursion)."""
    index: dict[object, int] = {}
    low: dict[object, int] = {}
    stack: list[object] = []
    standing: set[object] = set()
    for root in edges:
        if root in index:
            continue
        work = [(root, iter(edges[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        standing.add(root)
        while work:
            node, rest = work[-1]
            for after in rest:
                if after not in index:
                    index[after] = low[after] = len(index)
                    stack.append(after)
                    standing.add(after)
                    work.append((after, iter(edges[after])))
                    break
                if after in standing:
                    low[node] = min(low[node], index[after])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    part = []
                    while not part or part[-1] != node:
                        part.append(stack.pop())
                        standing.discard(part[-1])
                    yield part


def _cycle(edges: Edges, part: Sequence[object]) -> tuple[tuple[str, str], ...]:
    """Return a shortest cycle through a transaction of a part, without the moments between."""
    inside = set(part)
    first = next(node for node in part if isinstance(node, str))
    came: dict[object, object] = {}
    queue = [first]
    for node in queue:
        for after in edges[node]:
            if after == first:
                path = [node]
                while path[-1] != first:
                    path.append(came[path[-1]])
                way = path[::-1]
                steps = [(one, edges[one][then]) for one, then in zip(way, [*way[1:], first], strict=True)]
                return tuple((one, kind) for one, kind in steps if isinstance(one, str))
            if after in inside and after not in came and after != first:
                came[after] = node
                queue.append(after)
    raise AssertionError("a strongly connected part without a cycle")
