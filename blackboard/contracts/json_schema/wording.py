"""How two facets of schemas differ, in one line and in the contract's words.

optional -> required; type integer -> string; enum: "x" added; .street: maximum 10 -> 5
"""

from collections.abc import Iterator, Mapping

from blackboard.contracts.facets import join
from blackboard.contracts.json_schema.documents import NAMED_SCHEMAS, ONE_SCHEMA
from blackboard.contracts.json_schema.literals import listed, members
from blackboard.spec.canonical import JSON, canonical_json

MOST = 160

_SHOWN = 40
_CLOSING = frozenset({"additionalProperties", "unevaluatedItems", "unevaluatedProperties"})
_SETS = frozenset({"enum", "type", "required", "allOf", "anyOf", "oneOf"})


def differences(old: JSON, new: JSON) -> str:
    """Return what is different in two facets, joined by "; ", as much as one line takes."""
    return in_one_line(_facet(old, new))


def in_one_line(said: Iterator[str]) -> str:
    """Return as many sentences as one line takes; no more are made than are shown."""
    line = ""
    for one in said:
        longer = f"{line}; {one}" if line else one
        if len(longer) > MOST - len("; …"):
            return f"{line}; …" if line else f"{one[: MOST - 1]}…"
        line = longer
    return line or "other references"


def _facet(old: JSON, new: JSON) -> Iterator[str]:
    """Yield how facets differ: {"schema": …, "refs": …, "required": …, …}, or a schema."""
    if not (
        isinstance(old, Mapping)
        and isinstance(new, Mapping)
        and ("schema" in {**old, **new} or isinstance(old.get("required"), bool))
    ):
        yield from _schema(old, new, "")
        return
    needed = [one.get("required") for one in (old, new)]
    if needed[0] != needed[1] and None not in needed:
        yield " -> ".join("required" if one else "optional" for one in needed)
    if ("schema" in old) != ("schema" in new):
        yield "a schema " + ("added" if "schema" in new else "removed")
    else:
        yield from _schema(old.get("schema", True), new.get("schema", True), "")
    refs = [members(one.get("refs")) for one in (old, new)]
    for name in sorted(refs[0].keys() & refs[1].keys()):
        yield from _schema(refs[0][name], refs[1][name], name.rpartition("/")[2])
    others = sorted((old.keys() | new.keys()) - {"schema", "refs", "required"})
    for word in others:
        if _differ(old.get(word), new.get(word)):
            yield _moved(word, old, new)


def _schema(old: JSON, new: JSON, where: str) -> Iterator[str]:
    """Yield how schemas differ, each with the path to where they do."""
    if not _differ(old, new):
        return
    if any(side is not True and not isinstance(side, Mapping) for side in (old, new)):
        yield _at(where, f"{_text(old)} -> {_text(new)}")
        return
    before, after = members(old), members(new)
    for word in sorted(before.keys() | after.keys(), key=lambda word: (word == "properties", word)):
        if word not in before or word not in after or _differ(before[word], after[word]):
            yield from _keyword(word, before, after, where)


def _differ(old: JSON, new: JSON) -> bool:
    """Say whether two values are not the same; nearly all that are not are unequal, which is seen at once."""
    return old != new or canonical_json(old) != canonical_json(new)


def _keyword(word: str, old: Mapping[str, JSON], new: Mapping[str, JSON], where: str) -> Iterator[str]:
    before, after = old.get(word), new.get(word)
    if word == "required":
        there = [members(side.get("properties")).keys() for side in (old, new)]
        names = [_required(side) - (there[0] ^ there[1]) for side in (old, new)]
        yield from (_at(join(where, name), "optional -> required") for name in sorted(names[1] - names[0]))
        yield from (_at(join(where, name), "required -> optional") for name in sorted(names[0] - names[1]))
    elif word in NAMED_SCHEMAS:
        yield from _named(word, old, new, where)
    elif word in _CLOSING and (before is False or after is False):
        yield _at(where, f"{word}: {_openness(before, said=word in old)} -> {_openness(after, said=word in new)}")
    elif word in ONE_SCHEMA and word in old and word in new:
        yield from _schema(before, after, f"{where}[]" if word == "items" else join(where, word))
    elif word in _SETS and isinstance(before, list) and isinstance(after, list):
        yield _at(where, _members_moved(word, before, after))
    else:
        yield _at(where, _moved(word, old, new))


def _named(word: str, old: Mapping[str, JSON], new: Mapping[str, JSON], where: str) -> Iterator[str]:
    prefix = where if word == "properties" else join(where, word)
    before, after = members(old.get(word)), members(new.get(word))
    for name in sorted(before.keys() | after.keys()):
        if name in before and name in after:
            yield from _schema(before[name], after[name], join(prefix, name))
        else:
            needed = word == "properties" and name in _required(new if name in after else old)
            said = "added" if name in after else "removed"
            yield _at(join(prefix, name), f"{said}, required" if needed else said)


def _required(schema: Mapping[str, JSON]) -> set[str]:
    return {str(name) for name in listed(schema.get("required"))}


def _members_moved(word: str, old: list[JSON], new: list[JSON]) -> str:
    texts = [{canonical_json(one): one for one in side} for side in (old, new)]
    more = [_text(one) for text, one in texts[1].items() if text not in texts[0]]
    less = [_text(one) for text, one in texts[0].items() if text not in texts[1]]
    said = [f"{_some(names)} {verb}" for names, verb in ((more, "added"), (less, "removed")) if names]
    return f"{word}: {', '.join(said)}" if said else f"{word}: {len(old)} -> {len(new)} alternatives"


def _some(texts: list[str]) -> str:
    shown = texts[:2]
    more = len(texts) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _openness(value: JSON, *, said: bool) -> str:
    return "closed" if value is False else "open" if not said or value is True else _text(value)


def _moved(word: str, old: Mapping[str, JSON], new: Mapping[str, JSON]) -> str:
    if word not in old:
        return f"{word} {_text(new[word])} added"
    return f"{word} {_text(old[word])} -> {_text(new[word])}" if word in new else f"{word} {_text(old[word])} removed"


def _text(value: JSON) -> str:
    """Return a value as it is shown: a name as it is, a schema by its type."""
    if isinstance(value, str):
        shown = value if value.isidentifier() else canonical_json(value)
    elif isinstance(value, Mapping) and isinstance(value.get("$ref"), str):
        shown = str(value["$ref"]).rpartition("/")[2]
    elif isinstance(value, Mapping) and set(value) == {"type"}:
        return _text(value["type"])
    elif isinstance(value, list) and all(isinstance(one, str) for one in value):
        shown = " or ".join(map(str, value)) if value else "none"
    else:
        shown = canonical_json(value)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"


def _at(where: str, what: str) -> str:
    return f"{where}: {what}" if where else what
