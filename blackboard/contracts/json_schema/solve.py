"""The search for a value that fulfils some schemas and does not fulfil others.

It ends with a value, with the knowledge that there is none, or with neither. That there is none is certain: a smallest
value that fulfils some literals has none inside it that fulfils the same ones, so where a search for the same is under
way further up, none has to be found further down. What is found is to be looked at by who asked (see `cases`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from blackboard.contracts.json_schema.arrays import array
from blackboard.contracts.json_schema.cases import Case, Demand, cases, spelled
from blackboard.contracts.json_schema.documents import Schema
from blackboard.contracts.json_schema.literals import KINDS, Found, Literal, No, Result, Source, listed
from blackboard.contracts.json_schema.objects import object_
from blackboard.contracts.json_schema.scalars import fits, number, string
from blackboard.spec.canonical import JSON

MAX_DEPTH = 40
_NEVER = MAX_DEPTH + 1
_FINITE: dict[str, list[JSON]] = {"null": [None], "boolean": [False, True]}

_State = frozenset[tuple[object, bool, bool]]


class Solver:
    """One search, which remembers what it found."""

    def __init__(self, source: Source) -> None:
        self.effort = source.effort
        self.source = source
        self._known: dict[_State, Result] = {}
        self._under_way: dict[_State, int] = {}
        self._lowest = _NEVER

    def candidates(self, literals: Sequence[Literal]) -> Iterator[Result]:
        """Return values for one case after the other; a `No` for each case without one."""
        self._under_way.clear()
        self._lowest = _NEVER
        state = _state(literals)
        self._under_way[state] = 0
        for kind in KINDS:
            for case in cases(literals, kind):
                yield self._case(kind, case)

    def solve(self, literals: Iterable[Literal]) -> Result:
        """Find a value that fulfils all literals."""
        asked = tuple(literals)
        state = _state(asked)
        if state in self._known:
            return self._known[state]
        if state in self._under_way:
            self._lowest = min(self._lowest, self._under_way[state])
            return No.EMPTY
        depth = len(self._under_way)
        if depth > MAX_DEPTH:
            return No.UNKNOWN
        self._under_way[state] = depth
        before, self._lowest = self._lowest, _NEVER
        try:
            found = self._search(asked)
        finally:
            del self._under_way[state]
        # Why: that there is none may rest on a search further up, which is not at its end.
        if isinstance(found, Found) or self._lowest >= depth:
            self._known[state] = found
        else:
            before = min(before, self._lowest)
        self._lowest = before
        return found

    def _search(self, literals: Sequence[Literal]) -> Result:
        worst = No.EMPTY
        for kind in KINDS:
            for case in cases(literals, kind):
                found = self._case(kind, case)
                if isinstance(found, Found):
                    return found
                worst = No.UNKNOWN if found is No.UNKNOWN else worst
        return worst

    def _case(self, kind: str, case: Case) -> Result:
        among = [demand.value for demand in case if demand.word == "among"]
        if kind in _FINITE:
            among.append(_FINITE[kind])
        if among:
            return self._one_of(kind, among, case)
        found = self._made(kind, case)
        if kind in ("array", "object") and isinstance(found, Found) and spelled(found.value) in _left_out(case):
            return No.UNKNOWN
        return found

    def _one_of(self, kind: str, among: Sequence[JSON], case: Case) -> Result:
        """Find one of some values that fulfils the rest of a case."""
        lists = [{spelled(value): value for value in listed(values)} for values in among]
        self.effort.spend(sum(map(len, lists)) // 8)
        out = _left_out(case)
        left = [value for text, value in lists[0].items() if text not in out and all(text in one for one in lists[1:])]
        rest = tuple(demand for demand in case if demand.word not in ("among", "not among"))
        worst = No.EMPTY
        for value in left:
            self.effort.spend()
            found = self._exactly(kind, value, rest)
            if isinstance(found, Found):
                return found
            worst = No.UNKNOWN if found is No.UNKNOWN else worst
        return worst

    def _exactly(self, kind: str, value: JSON, rest: Case) -> Result:
        """Return a value if it fulfils a case."""
        if not rest:
            return Found(value)
        if isinstance(value, str):
            fulfils = fits(value, rest, self.effort)
            return No.UNKNOWN if fulfils is None else Found(value) if fulfils else No.EMPTY
        same = self.source.literal(_only_schema(value), holds=True, sent=True)
        found = self._made(kind, (*rest, Demand("says", None, same)))
        return Found(value) if isinstance(found, Found) else found

    def _made(self, kind: str, case: Case) -> Result:
        if kind == "number":
            return number(case, self.effort)
        if kind == "string":
            return string(case, self.effort)
        return array(case, self) if kind == "array" else object_(case, self)


def _only_schema(value: JSON) -> Schema:
    """Return what only one number, list or object fulfils among its kind, by keywords that are about this kind."""
    if isinstance(value, Mapping):
        parts = {name: {"const": part} for name, part in value.items()}
        return {"properties": parts, "required": list(value), "maxProperties": len(value)}
    if isinstance(value, list):
        return {"prefixItems": [{"const": part} for part in value], "minItems": len(value), "maxItems": len(value)}
    return {"minimum": value, "maximum": value}


def _left_out(case: Case) -> set[str]:
    return {spelled(value) for demand in case if demand.word == "not among" for value in listed(demand.value)}


def _state(literals: Iterable[Literal]) -> _State:
    return frozenset((literal.key, literal.holds, literal.sent) for literal in literals)
