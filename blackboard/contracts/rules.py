"""The rules: kinds of breaks, each with a permanent id such as `python.parameter-required` or `sql.column-dropped`.

An id names a kind of change of one facet. Operators accept breaks by these ids, so an id never changes its meaning, and
an unused one stays in the table.
"""

import re
from collections.abc import Collection, Mapping, Sequence

from blackboard.errors import Invalid, NotPermitted
from blackboard.spec.canonical import JSON
from blackboard.spec.effects import Effect, FacetChange

_PLACES = ("query", "path", "header", "cookie")

_ANY: Mapping[str, str] = {
    "added": "is added, and whoever implements the contract has to provide it",
    "removed": "is gone, and whoever uses it has to do without",
    "changed": "is another one than before",
}
_THINGS: Mapping[str, Mapping[str, str]] = {
    "python": {
        "name": "A function, class, constant or alias of the module",
        "member": "A method, field or property of a class",
        "enum-value": "A value of an enum",
        "key": "A key of a TypedDict",
    },
    "json-schema": {"property": "A property of an object", "document": "The document itself"},
    "openapi": {
        "operation": "An operation (method and path)",
        "parameter": "A parameter of an operation",
        "response": "A response of an operation",
        "request-body": "A request's body",
    },
    "sql": {"table": "A table", "column": "A column", "index": "An index", "view": "A view"},
    "value": {"member": "A member of the value"},
    "text": {"member": "The text"},
    "task": {"member": "A field of the task"},
    "constraint": {"member": "The expression"},
}
_SPECIAL: Mapping[str, str] = {
    "language-changed": "The contract is written in another language.",
    "names-changed": "The set of facet names is another one: something was added or removed.",
    "python.module-changed": "The contract describes another module.",
    "python.members-changed": "A class that is implemented or chosen from has other members.",
    "python.parameter-required": "A parameter has to be passed that was optional, or was not there.",
    "python.parameter-removed": "A parameter is no longer taken, or no longer by name or by position.",
    "python.parameter-added": "A parameter is taken that was not, so implementations have to take it.",
    "python.parameter-renamed": "A parameter that can be passed by name has another name.",
    "python.parameter-type": "A parameter takes values of another type.",
    "python.default-changed": "A parameter or field has another default.",
    "python.return-type": "A function returns values of another type.",
    "python.raises": "A function raises other errors.",
    "python.called-otherwise": "A function is decorated or bound otherwise: class method, static method, property.",
    "python.kind-changed": "A name is declared as something else: a function as a class, a class as a Protocol.",
    "python.class-changed": "A class has other bases, type parameters, options or abilities of its instances.",
    "python.field-order": "Positional fields of a class stand in another order.",
    "python.key-presence": "A key of a TypedDict is required or not, otherwise than before.",
    "python.value-changed": "A constant or enum member has another value.",
    "python.type-changed": "A constant, field or alias has another type.",
    "json-schema.property-required": "A property has to be there that was optional.",
    "json-schema.property-optional": "A property may be absent that was always there.",
    "openapi.parameter-required": "A parameter of an operation has to be sent that was optional.",
    "sql.column-type": "A column has another type.",
    "sql.column-nullable": "A column may be NULL that was not, or the other way round.",
    "sql.constraint-changed": "A table has another key, uniqueness, check or reference.",
}
_SAID = {"sql": {"removed": "dropped"}}

RULES: Mapping[str, str] = {
    **_SPECIAL,
    **{
        f"{language}.{thing}-{_SAID.get(language, {}).get(how, how)}": f"{words} {ending}."
        for language, things in _THINGS.items()
        for thing, words in things.items()
        for how, ending in _ANY.items()
    },
}
"""Rule -> what such a change is."""

_PARAMETER = r"(?:parameter|field|\*\*?\w*) ?[^:]*: "
# A difference of two stubs, as their comparison words it -> rule.
_PYTHON = (
    (r"module: ", "module-changed"),
    (r"members:", "members-changed"),
    (r"(?:parameter|field) [^:]*: (?:optional|not passed|absent) -> (?:required|passed)", "parameter-required"),
    (
        r"(?:parameter|field|\*\*?\w*) ?[^:]*: (?:taken|passed|there|required) -> (?:not|absent|optional)",
        "parameter-removed",
    ),
    (r"(?:parameter|field|\*\*?\w*) ?[^:]*: (?:not taken|not passed) -> ", "parameter-added"),
    (r"name of a parameter", "parameter-renamed"),
    (r"default of ", "default-changed"),
    (r"parameter ", "parameter-type"),
    (r"returns", "return-type"),
    (r"raises", "raises"),
    (r"called on|decorators|read|overriding", "called-otherwise"),
    (r"kind:|declared as", "kind-changed"),
    (r"order of fields|fields:", "field-order"),
    (r"bases|type parameters|instances|keywords|isinstance|subclasses|options", "class-changed"),
    (r"key [^:]*: ", "key-presence"),
    (r"value: |= ", "value-changed"),
)


_ACCEPTS = "accepts "


def accepting(rationale: str, rules: Collection[str], author: str, broken: Collection[str], *, permitted: bool) -> str:
    """Return a rationale whose last line names the breaks that an operator accepts; the version stores it.

    Args:
        rationale: The rationale of the version.
        rules: The ids of the accepted breaks.
        author: The author of the version.
        broken: The rules that the change breaks.
        permitted: Whether the author is an operator.

    Raises:
        Invalid: An id is unknown, or the change does not break that rule.
        NotPermitted: The author is no operator.
    """
    if unknown := [rule for rule in rules if rule not in RULES]:
        raise Invalid(f"{', '.join(map(str, unknown))} is no rule; docs/rules.md names all")
    if permitted and not rules and accepted_in(rationale):
        raise Invalid(f"the last line of the rationale begins with {_ACCEPTS!r}: pass the rules as `accept`")
    if rules and not permitted:
        raise NotPermitted(f"{author} accepts {', '.join(rules)}", (), ("an operator who decides it",))
    if idle := [rule for rule in rules if rule not in broken]:
        found = f"what it breaks is {', '.join(sorted(broken))}" if broken else "it breaks none"
        raise Invalid(f"the change does not break {', '.join(idle)}, which is accepted; {found}")
    return f"{rationale}\n{_ACCEPTS}{', '.join(rules)}".lstrip() if rules else rationale


def accepted_in(rationale: str) -> tuple[str, ...]:
    """Return the rules in the last line of a rationale, none if that line accepts none."""
    line = rationale.rpartition("\n")[2]
    found = tuple(line.removeprefix(_ACCEPTS).split(", ")) if line.startswith(_ACCEPTS) else ()
    return found if all(rule in RULES for rule in found) else ()


def without(
    effects: Mapping[str, FacetChange], moved: Collection[str], rules: Collection[str]
) -> dict[str, FacetChange]:
    """Return changes with the accepted breaks replaced by `compatible`.

    Args:
        effects: Facet -> its change.
        moved: The facets that were added or removed; the set of names is breaking only if one of them is.
        rules: The ids of the accepted breaks.
    """
    found = {name: _harmless(one) if {*one.rules} <= {*rules} else one for name, one in effects.items()}
    if rules and "" in found and not any(_breaks(found[name]) for name in moved if name in found):
        found[""] = _harmless(found[""])
    return found


def _harmless(change: FacetChange) -> FacetChange:
    if not _breaks(change):
        return change
    uses, implements = (
        Effect.COMPATIBLE if one is Effect.BREAKING else one for one in (change.uses, change.implements)
    )
    why = f"{change.reason} (accepted: {', '.join(change.rules)})" if change.rules else change.reason
    return change._replace(uses=uses, implements=implements, reason=why)


def _breaks(change: FacetChange) -> bool:
    return Effect.BREAKING in (change.uses, change.implements)


def of_python(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the rules of a stub's change, found in the reasons of its comparison."""
    found = dict.fromkeys(
        next((rule for begins, rule in _PYTHON if re.match(begins, one)), "type-changed") for one in texts
    )
    if "parameter-required" in found:
        # The comparison names a new parameter once for each side: users have to pass it, implementers have to take it.
        found.pop("parameter-added", None)
    return tuple(f"python.{rule}" for rule in (("kind-changed",) if "kind-changed" in found else found))


def ruled(
    language: str, facet: str, values: tuple[Mapping[str, JSON], Mapping[str, JSON]], change: FacetChange
) -> FacetChange:
    """Return a change with the rules that it breaks, unchanged if it breaks neither side.

    Args:
        language: The language of both contracts.
        facet: The name of the changed facet.
        values: The facets of the old contract and of the new one.
        change: The effects of the change.
    """
    if not _breaks(change):
        return change._replace(rules=())
    if not facet:
        return change._replace(rules=("names-changed",))
    old, new = values
    how = "added" if facet not in old else "removed" if facet not in new else "changed"
    if how == "changed" and change.rules:
        return change
    thing = _thing(language, facet, new if how == "added" else old)
    plain = f"{thing}-{_SAID.get(language, {}).get(how, how)}"
    found = _special(language, old[facet], new[facet]) if how == "changed" else ()
    return change._replace(rules=tuple(dict.fromkeys(f"{language}.{one or plain}" for one in found or [plain])))


def _special(language: str, old: JSON, new: JSON) -> list[str]:
    """Return a rule for each thing that is different, empty where none is special."""
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return []
    differing = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
    if language == "sql" and "type" in old:
        return [{"type": "column-type", "nullable": "column-nullable"}.get(name, "") for name in differing]
    if language == "sql":
        return [] if {"view", "table"} & {*old, *new} else ["constraint-changed"]
    if language in ("json-schema", "openapi") and "required" in differing:
        ends = ("parameter-required", "") if language == "openapi" else ("property-required", "property-optional")
        return [(ends[0] if new.get("required") else ends[1]) if name == "required" else "" for name in differing]
    return []


def _thing(language: str, facet: str, values: Mapping[str, JSON]) -> str:
    value = values[facet]
    if language == "python":
        owner = values.get(facet.rpartition(".")[0])
        kind = owner.get("kind") if isinstance(owner, Mapping) else None
        return {"enum": "enum-value", "typeddict": "key", None: "name"}.get(str(kind) if kind else None, "member")
    if language == "json-schema":
        return "document" if facet == "$" else "property"
    if language == "openapi":
        return _part(facet)
    if language == "sql":
        kinds = {"view", "type"} & {*value} if isinstance(value, Mapping) else set()
        return (
            "index" if facet.startswith("index ") else {"view": "view", "type": "column"}.get("".join(kinds), "table")
        )
    return "member"


def _part(facet: str) -> str:
    """Return what a facet `GET /notes query limit` of a description of a server is."""
    third = [*facet.split(" "), "", "", ""][2]
    if third in _PLACES:
        return "parameter"
    if third[:1].isdigit() or third == "default":
        return "response"
    return "request-body" if third else "operation"
