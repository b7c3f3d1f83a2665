"""Objects that fulfil a case."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from blackboard.contracts.json_schema.arrays import Search
from blackboard.contracts.json_schema.cases import Case, Demand, whole
from blackboard.contracts.json_schema.literals import Found, Literal, No, Result, listed, members
from blackboard.contracts.json_schema.patterns import matches
from blackboard.spec.canonical import JSON

MAX_MEMBERS = 60
_MOST_WAYS = 200
_MOST_PATTERNS = 4
_NAMES_A_STEP = 20


@dataclass(slots=True)
class _Wanted:
    """What a case says about an object."""

    least: int = 0
    most: int | None = None
    groups: list[Literal] = field(default_factory=list)
    there: dict[str, tuple[Literal, ...]] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)
    some: list[Demand] = field(default_factory=list)
    """Members of which it is not said what they are called."""
    declares: list[Mapping[str, JSON]] = field(default_factory=list)
    """What who sends the object declares."""
    evaluates: list[Demand] = field(default_factory=list)
    named: list[Literal] = field(default_factory=list)

    def limit(self, most: int) -> None:
        self.most = most if self.most is None else min(self.most, most)


class _UnreadError(Exception):
    """Whether a name matches a pattern is not known."""


def object_(case: Case, search: Search) -> Result:
    """Find an object that fulfils a case."""
    wanted = _wanted(case)
    if wanted.absent & wanted.there.keys() or (wanted.most is not None and wanted.least > wanted.most):
        return No.EMPTY
    if len(wanted.there) > MAX_MEMBERS or wanted.least > MAX_MEMBERS:
        return No.UNKNOWN
    try:
        return _Maker(wanted, search).make()
    except _UnreadError:
        return No.UNKNOWN


def _wanted(case: Case) -> _Wanted:
    wanted = _Wanted()
    for demand in case:
        match demand.word:
            case "least":
                wanted.least = max(wanted.least, whole(demand.value))
            case "most":
                wanted.limit(whole(demand.value))
            case "absent":
                wanted.absent.add(str(demand.value))
            case "present" | "member":
                name, said = str(demand.value), (demand.literal,) if demand.literal else ()
                wanted.there[name] = wanted.there.get(name, ()) + said
            case "declares":
                wanted.declares.append(members(demand.value))
            case "evaluates":
                wanted.evaluates.append(demand)
            case "says":
                _says(wanted, demand.literal)
            case "matching" | "stranger" | "named" | "not evaluated":
                wanted.some.append(demand)
    return wanted


def _says(wanted: _Wanted, group: Literal | None) -> None:
    if group is None:
        return
    schema = _schema(group)
    wanted.groups.append(group)
    wanted.least = max(wanted.least, whole(schema.get("minProperties", 0)))
    if "maxProperties" in schema:
        wanted.limit(whole(schema["maxProperties"]))
    for name in listed(schema.get("required")):
        wanted.there.setdefault(str(name), ())
    if "propertyNames" in schema:
        wanted.named.append(group.below(schema["propertyNames"], holds=True))


class _Maker:
    """Makes an object: chooses names for members that have none, then a value for each member."""

    def __init__(self, wanted: _Wanted, search: Search) -> None:
        self._wanted = wanted
        self._search = search
        telling = [_schema(group) for group in wanted.groups] + wanted.declares
        telling += [members(demand.value) for demand in (*wanted.some, *wanted.evaluates)]
        known = [*wanted.there, *(name for schema in telling for name in members(schema.get("properties")))]
        self._known = list(dict.fromkeys(known))
        search.effort.spend(len(self._known) // _NAMES_A_STEP)
        patterns = [str(demand.value) for demand in wanted.some if demand.word == "matching"]
        patterns += [pattern for schema in telling for pattern in members(schema.get("patternProperties"))]
        self._patterns = list(dict.fromkeys(patterns))
        self._sets = range(2 ** min(len(self._patterns), _MOST_PATTERNS))
        """Each is a number with a bit for each pattern that a name matches."""
        self._fresh: list[list[str]] | None = None
        self._unsure = len(self._patterns) > _MOST_PATTERNS

    def make(self) -> Result:
        worst = No.EMPTY
        choices = [list(self._names_for(demand, place)) for place, demand in enumerate(self._wanted.some)]
        for count, names in enumerate(product(*choices)):
            if count >= _MOST_WAYS:
                return No.UNKNOWN
            self._search.effort.spend()
            asked = {name: list(literals) for name, literals in self._wanted.there.items()}
            for name, demand in zip(names, self._wanted.some, strict=True):
                asked.setdefault(name, []).extend([demand.literal] if demand.literal and demand.word != "named" else [])
            found = self._filled(asked)
            if isinstance(found, Found):
                return found
            worst = No.UNKNOWN if found is No.UNKNOWN else worst
        return No.UNKNOWN if self._unsure else worst

    def _names_for(self, demand: Demand, place: int) -> Iterator[str]:
        """Return what the member may be called that is asked for at a place among those that have no names."""
        if demand.word == "named" and demand.literal is not None:
            unknown = [self._stranger(chosen, self._known, demand.literal) for chosen in self._sets]
            fresh = [name for name in unknown if name is not None]
        else:
            # Why not all: of names that are alike it does not matter which one comes first.
            fresh = [name for names in self._strangers() for name in names[: place + 1]]
        for name in [*self._known, *fresh]:
            if name not in self._wanted.absent and self._suits(demand, name):
                yield name

    def _suits(self, demand: Demand, name: str) -> bool:
        match demand.word:
            case "matching":
                return self._matches(str(demand.value), name)
            case "stranger":
                schema = members(demand.value)
                patterns = members(schema.get("patternProperties"))
                return name not in members(schema.get("properties")) and not any(
                    self._matches(pattern, name) for pattern in patterns
                )
            case "not evaluated":
                return not self._evaluated(whole(demand.value), name)
            case _:
                return self._fulfils(name, demand.literal)

    def _fulfils(self, name: str, rule: Literal | None) -> bool:
        if rule is None:
            return False
        found = self._search.solve([rule.source.literal({"const": name}, holds=True), rule])
        self._unsure = self._unsure or found is No.UNKNOWN
        return isinstance(found, Found)

    def _strangers(self) -> list[list[str]]:
        """Return names that no schema knows: for each set of patterns one for each member that is asked for."""
        if self._fresh is None:
            self._fresh = []
            for chosen in self._sets:
                names: list[str] = []
                while len(names) < len(self._wanted.some):
                    name = self._stranger(chosen, [*self._known, *names])
                    if name is None:
                        break
                    names.append(name)
                self._fresh.append(names)
        return self._fresh

    def _stranger(self, chosen: int, without: Sequence[str], *also: Literal) -> str | None:
        """Find a name that matches a set of patterns, fulfils some literals, and may be there."""
        out: list[JSON] = [*sorted({*without, *self._wanted.absent})]
        literals = [
            self._search.source.literal({"pattern": pattern}, holds=bool(chosen >> index & 1))
            for index, pattern in enumerate(self._patterns[:_MOST_PATTERNS])
        ]
        other = self._search.source.literal({"type": "string", "not": {"enum": out}}, holds=True)
        found = self._search.solve([other, *literals, *also, *self._wanted.named])
        if found is No.UNKNOWN:
            self._unsure = True
        return str(found.value) if isinstance(found, Found) else None

    def _filled(self, asked: dict[str, list[Literal]]) -> Result:
        most = self._wanted.most
        if most is not None and len(asked) > most:
            # Two members that have no names might be one.
            return No.UNKNOWN if len(self._wanted.some) > 1 else No.EMPTY
        made: dict[str, JSON] = {}
        for name, literals in asked.items():
            found = self._member(name, literals)
            if not isinstance(found, Found):
                return found
            made[name] = found.value
        return self._more(made)

    def _more(self, made: dict[str, JSON]) -> Result:
        """Add members that may be there until there are enough."""
        if len(made) >= self._wanted.least:
            return Found(made)
        worst = No.EMPTY
        for name in [name for name in self._known if name not in made and name not in self._wanted.absent]:
            found = self._member(name, [])
            worst = No.UNKNOWN if found is No.UNKNOWN else worst
            if isinstance(found, Found):
                made[name] = found.value
                if len(made) >= self._wanted.least:
                    return Found(made)
        for chosen in self._sets:
            while (stranger := self._stranger(chosen, [*self._known, *made])) is not None:
                found = self._member(stranger, [])
                worst = No.UNKNOWN if found is No.UNKNOWN else worst
                if not isinstance(found, Found):
                    break
                made[stranger] = found.value
                if len(made) >= self._wanted.least:
                    return Found(made)
        return worst

    def _member(self, name: str, literals: list[Literal]) -> Result:
        """Find the value of a member."""
        for rule in self._wanted.named:
            found = self._search.solve([rule.source.literal({"const": name}, holds=True), rule])
            if not isinstance(found, Found):
                return found
        if not self._sent(name):
            return No.EMPTY
        asked = list(literals)
        for group in self._wanted.groups:
            asked += self._of_group(group, name)
        return self._search.solve(asked)

    def _of_group(self, group: Literal, name: str) -> Iterator[Literal]:
        schema = _schema(group)
        parts = members(schema.get("properties"))
        if name in parts:
            yield group.below(parts[name], holds=True)
        matched = [
            part for pattern, part in members(schema.get("patternProperties")).items() if self._matches(pattern, name)
        ]
        yield from (group.below(part, holds=True) for part in matched)
        if name not in parts and not matched and "additionalProperties" in schema:
            yield group.below(schema["additionalProperties"], holds=True)
        if "unevaluatedProperties" in schema and not self._evaluated(id(schema), name, group):
            yield group.below(schema["unevaluatedProperties"], holds=True)

    def _sent(self, name: str) -> bool:
        """Say whether who sends the object declares a name, or none at all."""
        declares = self._wanted.declares
        closed = any("properties" in schema for schema in declares)
        return not closed or any(self._evaluates(schema, name) for schema in declares)

    def _evaluated(self, scope: int, name: str, itself: Literal | None = None) -> bool:
        """Say whether a name is evaluated by a schema, or by those in it about the same object."""
        for group in self._wanted.groups:
            if (group is itself or scope in group.scope) and self._evaluates(_schema(group), name):
                return True
        return any(
            self._evaluates(members(demand.value), name)
            for demand in self._wanted.evaluates
            if demand.literal is not None and scope in demand.literal.scope
        )

    def _evaluates(self, schema: Mapping[str, JSON], name: str) -> bool:
        if name in members(schema.get("properties")) or "additionalProperties" in schema:
            return True
        return any(self._matches(pattern, name) for pattern in members(schema.get("patternProperties")))

    def _matches(self, pattern: str, name: str) -> bool:
        found = matches(pattern, name, self._search.effort)
        if found is None:
            raise _UnreadError
        return found


def _schema(literal: Literal) -> Mapping[str, JSON]:
    return literal.schema if isinstance(literal.schema, Mapping) else {}
